//! What statements read and write.

use super::names::{Names, VALID, path};
use p4::ast::{
    Arg, BinaryOp, Decl, DeclKind, Direction, Else, Expr, If, Program, PropertyKind, Stmt, StmtKind,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a run of statements does.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    pub(super) reads: BTreeSet<String>,
    pub(super) writes: BTreeSet<String>,
    /// Of those, what a hash gives: it can be used in the same step.
    hashed: BTreeSet<String>,
    /// Variables whose value the compiler puts in place of their copies.
    known: BTreeSet<String>,
    /// What is only copied.
    copies: BTreeSet<String>,
    /// Arrays, by index in the control.
    pub(super) arrays: Vec<usize>,
}

impl Effects {
    /// Can a step be taken at the same time as these?
    pub(super) fn takes(&self, step: &Self) -> bool {
        let settled = |f: &String| {
            let copied = self.known.contains(f) && step.copies.contains(f);
            self.writes.contains(f) && !self.hashed.contains(f) && !copied
        };
        let arrays = self.arrays.is_empty() || step.arrays.is_empty();
        arrays && !step.reads.iter().any(settled) && !step.writes.iter().any(settled)
    }

    /// Both.
    pub(super) fn and(mut self, step: Self) -> Self {
        let given = |f: &String| self.hashed.contains(f) || self.known.contains(f);
        let own = step.reads.into_iter().filter(|f| !given(f)).collect::<Vec<_>>();
        self.reads.extend(own);
        self.writes.extend(step.writes);
        self.hashed.extend(step.hashed);
        self.known.extend(step.known);
        self.arrays.extend(step.arrays);
        self
    }
}

impl Names<'_> {
    /// What statements do.
    pub(super) fn effects(&self, block: &[Stmt]) -> Effects {
        let mut out = Effects::default();
        block.iter().for_each(|s| self.stmt(s, &mut out));
        out.arrays.sort_unstable();
        out.arrays.dedup();
        out
    }

    fn stmt(&self, s: &Stmt, out: &mut Effects) {
        match &s.kind {
            StmtKind::Assign(place, value) => {
                self.set(path(place), value, out);
                if let Expr::Name(name) = value {
                    out.copies.insert(name.clone());
                }
            }
            // Everything is zero to begin with.
            StmtKind::Variable(_, _, Some(Expr::Bool(false))) => {}
            StmtKind::Variable(_, _, Some(Expr::Int(i))) if i.value() == 0 => {}
            StmtKind::Variable(_, name, Some(value)) => {
                self.set(Some(name.clone()), value, out);
                if !matches!(value, Expr::Call(..) | Expr::Binary(BinaryOp::Concat, ..)) {
                    out.known.insert(name.clone());
                }
            }
            StmtKind::Call(call) => self.call(call, out),
            StmtKind::If(i) => self.if_(i, out),
            StmtKind::Block(block) => block.iter().for_each(|s| self.stmt(s, out)),
            _ => {}
        }
    }

    fn if_(&self, i: &If, out: &mut Effects) {
        self.reads(&i.condition, out);
        i.then.iter().for_each(|s| self.stmt(s, out));
        match &i.otherwise {
            Some(Else::If(inner)) => self.if_(inner, out),
            Some(Else::Block(block)) => block.iter().for_each(|s| self.stmt(s, out)),
            None => {}
        }
    }

    /// A value is put into a place that something reads.
    fn set(&self, place: Option<String>, value: &Expr, out: &mut Effects) {
        let Some(place) = place else { return };
        let external = matches!(value, Expr::Call(what, _, _) if !is_validity(what));
        let kept = external && self.works_on(value).is_some();
        if !kept && !self.is_read(&place) {
            return;
        }
        if matches!(value, Expr::Call(what, _, _) if method(what) == Some("get")) {
            out.hashed.insert(place.clone());
        }
        self.reads(value, out);
        if self.is_read(&place) {
            out.writes.insert(place);
        }
    }

    /// The array that a call works on.
    fn works_on(&self, call: &Expr) -> Option<usize> {
        let Expr::Call(what, _, _) = call else { return None };
        let Expr::Member(of, _) = &**what else { return None };
        let Expr::Name(name) = &**of else { return None };
        self.array_of.get(name.as_str()).copied()
    }

    fn call(&self, call: &Expr, out: &mut Effects) {
        let Expr::Call(what, _, args) = call else { return };
        match &**what {
            Expr::Name(name) if self.actions.contains_key(name.as_str()) => self.action(name, args, out),
            Expr::Member(of, method) if matches!(method.as_str(), "setValid" | "setInvalid") => {
                out.writes.extend(path(of).map(|p| format!("{p}.{VALID}")));
            }
            _ => self.reads(call, out),
        }
    }

    /// An action that is called: its parameters are the arguments.
    fn action(&self, name: &str, args: &[Arg], out: &mut Effects) {
        let Some(action) = self.actions.get(name) else { return };
        let inner = self.effects(&action.body);
        let given: BTreeMap<&str, &Expr> =
            action.params.iter().map(|p| p.name.as_str()).zip(args.iter().map(|a| &a.value)).collect();
        for field in &inner.reads {
            match given.get(field.as_str()) {
                Some(e) => self.reads(e, out),
                None => drop(out.reads.insert(field.clone())),
            }
        }
        for field in &inner.writes {
            let param = action.params.iter().find(|p| p.name == *field);
            match (given.get(field.as_str()), param.and_then(|p| p.direction)) {
                (Some(e), Some(Direction::Out | Direction::InOut)) => out.writes.extend(path(e)),
                (Some(_), _) => {}
                (None, _) => drop(out.writes.insert(field.clone())),
            }
        }
        out.arrays.extend(inner.arrays);
    }

    /// What an expression reads.
    pub(super) fn reads(&self, e: &Expr, out: &mut Effects) {
        match e {
            Expr::Name(name) => drop(out.reads.insert(name.clone())),
            Expr::Member(..) => out.reads.extend(path(e).filter(|p| !self.is_constant(p))),
            Expr::Index(of, at) => [of, at].into_iter().for_each(|e| self.reads(e, out)),
            Expr::Slice(of, ..) | Expr::Cast(_, of) | Expr::Unary(_, of) => self.reads(of, out),
            Expr::Binary(_, a, b) => [a, b].into_iter().for_each(|e| self.reads(e, out)),
            Expr::Ternary(a, b, c) => [a, b, c].into_iter().for_each(|e| self.reads(e, out)),
            Expr::List(items) => items.iter().for_each(|e| self.reads(e, out)),
            Expr::Record(items) => items.iter().for_each(|(_, e)| self.reads(e, out)),
            Expr::Call(what, _, args) => self.called(what, args, e, out),
            Expr::Int(_) | Expr::Bool(_) | Expr::String(_) => {}
        }
    }

    fn called(&self, what: &Expr, args: &[Arg], call: &Expr, out: &mut Effects) {
        if is_validity(what) {
            out.reads.extend(path(call));
            return;
        }
        args.iter().for_each(|a| self.reads(&a.value, out));
        out.arrays.extend(self.works_on(call));
        let Expr::Member(of, _) = what else { return };
        let Expr::Name(name) = &**of else { return };
        for decl in self.methods.get(name.as_str()).copied().unwrap_or_default() {
            self.method(decl, out);
        }
    }

    /// What an array's own program reads of the packet.
    fn method(&self, decl: &Decl, out: &mut Effects) {
        let DeclKind::Function(f) = &decl.kind else { return };
        let inner = self.effects(&f.body);
        let param =
            |field: &String| f.params.iter().any(|p| field.split('.').next() == Some(p.name.as_str()));
        let outside = |field: &String| field.contains('.') && !param(field);
        out.reads.extend(inner.reads.into_iter().filter(outside));
    }

    /// Is it a member of an enumeration?
    fn is_constant(&self, path: &str) -> bool {
        path.split('.')
            .next()
            .is_some_and(|root| root.ends_with("_t") || root.chars().all(char::is_uppercase))
    }
}

fn method(what: &Expr) -> Option<&str> {
    match what {
        Expr::Member(_, name) => Some(name),
        _ => None,
    }
}

fn is_validity(what: &Expr) -> bool {
    method(what) == Some("isValid")
}

/// Fields that anything in the program reads: what else is written is no step.
pub(super) fn live(program: &Program) -> BTreeSet<String> {
    let mut live = BTreeSet::new();
    for decl in &program.decls {
        if let DeclKind::Control(c) = &decl.kind {
            c.apply.iter().for_each(|s| stmt_reads(s, &mut live));
            c.locals.iter().for_each(|d| decl_reads(d, &mut live));
        }
    }
    live
}

fn decl_reads(decl: &Decl, live: &mut BTreeSet<String>) {
    match &decl.kind {
        DeclKind::Action(a) => a.body.iter().for_each(|s| stmt_reads(s, live)),
        DeclKind::Function(f) => f.body.iter().for_each(|s| stmt_reads(s, live)),
        DeclKind::Instance(i) => i.methods.iter().for_each(|d| decl_reads(d, live)),
        DeclKind::Table(t) => {
            for property in &t.properties {
                if let PropertyKind::Key(keys) = &property.kind {
                    keys.iter().for_each(|k| expr_reads(&k.expr, live));
                }
            }
        }
        _ => {}
    }
}

fn stmt_reads(s: &Stmt, live: &mut BTreeSet<String>) {
    match &s.kind {
        StmtKind::Assign(_, value) | StmtKind::Variable(_, _, Some(value)) => expr_reads(value, live),
        StmtKind::Call(call) => expr_reads(call, live),
        StmtKind::If(i) => if_reads(i, live),
        StmtKind::Switch(subject, cases) => {
            expr_reads(subject, live);
            cases.iter().filter_map(|c| c.body.as_ref()).flatten().for_each(|s| stmt_reads(s, live));
        }
        StmtKind::Block(block) => block.iter().for_each(|s| stmt_reads(s, live)),
        _ => {}
    }
}

fn if_reads(i: &If, live: &mut BTreeSet<String>) {
    expr_reads(&i.condition, live);
    i.then.iter().for_each(|s| stmt_reads(s, live));
    match &i.otherwise {
        Some(Else::If(inner)) => if_reads(inner, live),
        Some(Else::Block(block)) => block.iter().for_each(|s| stmt_reads(s, live)),
        None => {}
    }
}

fn expr_reads(e: &Expr, live: &mut BTreeSet<String>) {
    live.extend(path(e));
    match e {
        Expr::Index(a, b) | Expr::Binary(_, a, b) => [a, b].into_iter().for_each(|e| expr_reads(e, live)),
        Expr::Slice(of, ..) | Expr::Cast(_, of) | Expr::Unary(_, of) | Expr::Member(of, _) => {
            expr_reads(of, live);
        }
        Expr::Ternary(a, b, c) => [a, b, c].into_iter().for_each(|e| expr_reads(e, live)),
        Expr::List(items) => items.iter().for_each(|e| expr_reads(e, live)),
        Expr::Record(items) => items.iter().for_each(|(_, e)| expr_reads(e, live)),
        Expr::Call(what, _, args) => {
            expr_reads(what, live);
            args.iter().for_each(|a| expr_reads(&a.value, live));
        }
        _ => {}
    }
}
