//! The logical tables of a P4 program.
//!
//! As a chip's compiler sees it: each table is one, each condition is one, and so are steps that stand between them and
//! don't read what one of them wrote. Values that nobody reads are no steps, and their data lies in no entry.

mod effects;
mod names;

use super::{Array, Compare, Kind, Logical, Tables};
use effects::Effects;
use names::Names;
use p4::ast::{
    Annotation, Block, ControlDecl, Decl, DeclKind, Else, Expr, If, Label, Note, Param, Program,
    PropertyKind, Stmt, StmtKind, Table,
};
use pipeline_ir::Loc;
use std::collections::BTreeSet;

/// The logical tables of all controls but deparsers; `locate` finds where a named object stands in the pipeline.
#[must_use]
pub fn tables(program: &Program, locate: &dyn Fn(&str) -> Option<Loc>) -> Tables {
    let mut out = Tables::default();
    let live = effects::live(program);
    for control in controls(program) {
        let names = Names::new(program, control, &live);
        let first = out.arrays.len();
        let arrays = names.arrays.iter().map(|a| Array {
            name: a.name.clone(),
            at: locate(&a.seen).or_else(|| locate(&a.name)).unwrap_or(a.at),
            cells: a.cells,
            in_row: a.in_row,
            computes: a.computes,
        });
        out.arrays.extend(arrays);
        let own = out.tables.len();
        let mut reader = Reader { names: &names, out: &mut out, first, path: Vec::new(), locate, line: 0 };
        reader.block(&control.apply);
        apart(control, &mut out.tables[own..]);
    }
    let deparsers = program.decls.iter().filter_map(|d| match &d.kind {
        DeclKind::Control(c) if is_deparser(c) => Some(c),
        _ => None,
    });
    for control in deparsers {
        let names = Names::new(program, control, &live);
        let first = out.arrays.len();
        let mut reader = Reader { names: &names, out: &mut out, first, path: Vec::new(), locate, line: 0 };
        let own = reader.out.tables.len();
        reader.sums(&control.apply);
        apart(control, &mut out.tables[own..]);
    }
    out
}

/// What egress sees has the names that ingress has for it, and is something else.
fn apart(control: &ControlDecl, tables: &mut [Logical]) {
    if !control.name.starts_with("egress") {
        return;
    }
    let own = |field: &String| format!("egress {field}");
    for t in tables {
        t.egress = true;
        t.key.iter_mut().for_each(|k| k.field = own(&k.field));
        for set in [&mut t.looks, &mut t.reads, &mut t.writes] {
            *set = set.iter().map(own).collect();
        }
    }
}

/// Controls that look tables up.
fn controls(program: &Program) -> impl Iterator<Item = &ControlDecl> {
    program.decls.iter().filter_map(|d| match &d.kind {
        DeclKind::Control(c) if !is_deparser(c) => Some(c),
        _ => None,
    })
}

/// Does it only put the packet together?
fn is_deparser(c: &ControlDecl) -> bool {
    c.params.iter().any(|p| p.ty == p4::ast::Type::named("packet_out"))
}

/// The tables of one control.
struct Reader<'a> {
    names: &'a Names<'a>,
    out: &'a mut Tables,
    /// Index of the control's first array.
    first: usize,
    path: Vec<(usize, u32)>,
    locate: &'a dyn Fn(&str) -> Option<Loc>,
    /// The line of the statement at hand.
    line: u32,
}

impl Reader<'_> {
    fn block(&mut self, block: &[Stmt]) {
        let mut run: Option<Effects> = None;
        for stmt in block {
            self.line = line(&stmt.notes).unwrap_or(self.line);
            let Some(step) = self.step(stmt) else {
                self.steps(run.take());
                self.branching(stmt);
                continue;
            };
            run = match run.take() {
                Some(before) if before.takes(&step) => Some(before.and(step)),
                before => {
                    self.steps(before);
                    Some(step)
                }
            };
        }
        self.steps(run);
    }

    /// What a statement does that looks up and decides nothing; none for all others.
    fn step(&self, stmt: &Stmt) -> Option<Effects> {
        match &stmt.kind {
            StmtKind::If(_) | StmtKind::Switch(..) | StmtKind::Block(_) => None,
            StmtKind::Call(call) if self.applied(call).is_some() => None,
            _ => Some(self.names.effects(std::slice::from_ref(stmt))),
        }
    }

    /// Adds a run of steps.
    fn steps(&mut self, run: Option<Effects>) {
        let Some(run) = run.filter(|r| !r.writes.is_empty() || !r.arrays.is_empty()) else { return };
        let name = match run.arrays.first() {
            Some(a) => format!("steps on {}", self.names.arrays[*a].name),
            None => "steps".to_owned(),
        };
        let arrays = run.arrays.iter().map(|a| self.first + a).collect();
        self.add(Logical { arrays, reads: run.reads, writes: run.writes, ..self.logical(name, Kind::Steps) });
    }

    fn logical(&self, name: String, kind: Kind) -> Logical {
        Logical {
            name,
            at: Loc { line: self.line, ..Loc::default() },
            kind,
            key: Vec::new(),
            egress: false,
            entries: 0,
            constant: false,
            actions: 0,
            data: Vec::new(),
            counters_in_row: None,
            arrays: Vec::new(),
            looks: BTreeSet::new(),
            reads: BTreeSet::new(),
            writes: BTreeSet::new(),
            path: self.path.clone(),
        }
    }

    fn add(&mut self, table: Logical) -> usize {
        self.out.tables.push(table);
        self.out.tables.len() - 1
    }

    /// The table that an expression applies.
    fn applied<'e>(&self, e: &'e Expr) -> Option<&'e str> {
        let e = match e {
            Expr::Member(of, what) if matches!(what.as_str(), "hit" | "miss" | "action_run") => of,
            other => other,
        };
        let Expr::Call(what, _, _) = e else { return None };
        let Expr::Member(of, method) = &**what else { return None };
        let Expr::Name(name) = &**of else { return None };
        (method == "apply" && self.names.tables.contains_key(name.as_str())).then_some(name)
    }

    fn branching(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::If(i) => self.if_(i),
            StmtKind::Switch(subject, cases) => {
                let at = match self.applied(subject) {
                    Some(name) => self.table(name),
                    None => self.condition(subject),
                };
                for (n, case) in cases.iter().enumerate() {
                    if let Some(body) = &case.body {
                        self.inside(at, n as u32 + u32::from(case.label != Label::Default), body);
                    }
                }
            }
            StmtKind::Block(block) => self.block(block),
            StmtKind::Call(call) => {
                if let Some(name) = self.applied(call) {
                    self.table(name);
                }
            }
            _ => {}
        }
    }

    fn if_(&mut self, i: &If) {
        let condition = match &i.condition {
            Expr::Unary(p4::ast::UnaryOp::Not, inner) if self.applied(inner).is_some() => inner,
            other => other,
        };
        let at = match self.applied(condition) {
            Some(name) => self.table(name),
            None => {
                let (fields, then) = nested(i);
                let at = self.conditions(&fields);
                self.inside(at, 0, then);
                self.otherwise(at, i);
                return;
            }
        };
        self.inside(at, 0, &i.then);
        self.otherwise(at, i);
    }

    fn otherwise(&mut self, at: usize, i: &If) {
        match &i.otherwise {
            Some(Else::Block(block)) => self.inside(at, 1, block),
            Some(Else::If(inner)) => {
                self.path.push((at, 1));
                self.if_(inner);
                self.path.pop();
            }
            None => {}
        }
    }

    fn inside(&mut self, at: usize, branch: u32, block: &[Stmt]) {
        self.path.push((at, branch));
        self.block(block);
        self.path.pop();
    }

    /// Whether a deparser's checksum is computed is decided by a small table at the end.
    fn sums(&mut self, block: &[Stmt]) {
        for stmt in block {
            let StmtKind::If(i) = &stmt.kind else { continue };
            let sums = |s: &Stmt| matches!(&s.kind, StmtKind::Assign(_, Expr::Call(..)));
            if i.then.iter().any(sums) {
                let mut effects = Effects::default();
                self.names.reads(&i.condition, &mut effects);
                let key: Vec<_> = effects.reads.iter().map(|f| self.names.key(f, Compare::Exact)).collect();
                let looks = effects.reads;
                let table = self.logical("checksum".to_owned(), Kind::Match);
                self.add(Logical { key, looks, entries: 2, constant: true, actions: 2, ..table });
            }
            self.sums(&i.then);
        }
    }

    fn condition(&mut self, e: &Expr) -> usize {
        self.conditions(&[e])
    }

    fn conditions(&mut self, parts: &[&Expr]) -> usize {
        let mut effects = Effects::default();
        parts.iter().for_each(|e| self.names.reads(e, &mut effects));
        let key = effects.reads.iter().map(|f| self.names.key(f, Compare::Exact)).collect();
        let name = match self.line {
            0 => "condition".to_owned(),
            line => format!("condition in line {line}"),
        };
        self.add(Logical { key, looks: effects.reads, ..self.logical(name, Kind::Condition) })
    }

    fn table(&mut self, name: &str) -> usize {
        let Some((decl, table)) = self.names.tables.get(name).copied() else { return 0 };
        let seen = seen(&decl.annotations).unwrap_or(name);
        let mut out = self.logical(seen.to_owned(), Kind::Match);
        if let Some(at) = (self.locate)(seen) {
            out.at = at;
        }
        self.properties(table, &mut out);
        out.looks = out.key.iter().map(|k| k.field.clone()).collect();
        self.add(out)
    }

    fn properties(&self, table: &Table, out: &mut Logical) {
        for property in &table.properties {
            match &property.kind {
                PropertyKind::Key(keys) => {
                    out.key =
                        keys.iter().map(|k| self.names.key_of(&k.expr, compare(&k.match_kind))).collect();
                }
                PropertyKind::Actions(actions) => {
                    for reference in actions {
                        let Some(action) = self.names.actions.get(reference.name.as_str()) else { continue };
                        let effects = self.names.effects(&action.body);
                        let used = action.params.iter().filter(|p| effects.reads.contains(&p.name));
                        let bits = |p| self.bits_used(p, &action.body);
                        let entries = !reference.annotations.iter().any(|a| a.name == "defaultonly");
                        out.actions += u32::from(entries);
                        out.data.push(used.map(bits).collect());
                        let own = |f: &&String| !action.params.iter().any(|p| p.name == **f);
                        out.reads.extend(effects.reads.iter().filter(own).cloned());
                        out.writes.extend(effects.writes);
                        out.arrays.extend(effects.arrays.iter().map(|a| self.first + a));
                    }
                    out.arrays.sort_unstable();
                    out.arrays.dedup();
                }
                PropertyKind::Entries(entries) => {
                    out.entries = entries.len() as u64;
                    out.constant = true;
                }
                PropertyKind::Value(name, value) if name == "size" => out.entries = self.names.number(value),
                PropertyKind::Value(name, Expr::Name(counter)) if name == "counters" => {
                    out.counters_in_row = self.names.counters.get(counter.as_str()).copied();
                }
                PropertyKind::Value(..) => {}
            }
        }
    }

    /// Bits of an action's parameter that its statements use.
    fn bits_used(&self, param: &Param, body: &Block) -> u32 {
        let is_param = |e: &Expr| matches!(e, Expr::Name(name) if *name == param.name);
        let whole = self.names.bits(&param.ty);
        let used = body.iter().map(|s| match &s.kind {
            StmtKind::Assign(_, Expr::Cast(to, of)) if is_param(of) => self.names.bits(to).min(whole),
            _ if self.names.effects(std::slice::from_ref(s)).reads.contains(&param.name) => whole,
            _ => 0,
        });
        used.max().unwrap_or(whole)
    }
}

/// Conditions that only lead to another one are one with it.
fn nested(i: &If) -> (Vec<&Expr>, &Block) {
    let mut parts = vec![&i.condition];
    let mut block = &i.then;
    if i.otherwise.is_none() {
        while let [Stmt { kind: StmtKind::If(inner), .. }] = block.as_slice()
            && inner.otherwise.is_none()
            && !matches!(&inner.condition, Expr::Member(..))
        {
            parts.push(&inner.condition);
            block = &inner.then;
        }
    }
    (parts, block)
}

fn compare(kind: &str) -> Compare {
    match kind {
        "exact" => Compare::Exact,
        "range" => Compare::Range,
        _ => Compare::Masked,
    }
}

/// The name that the control plane sees.
fn seen(annotations: &[Annotation]) -> Option<&str> {
    let name = annotations.iter().find(|a| a.name == "name")?;
    match name.args.first() {
        Some(Expr::String(text)) => Some(text.trim_start_matches('.')),
        _ => None,
    }
}

/// The line of the pipeline that notes cite: `l4lb.rs:97 table vip4`.
fn line(notes: &[Note]) -> Option<u32> {
    notes.iter().rev().find_map(|n| n.text().split_whitespace().next()?.split_once(".rs:")?.1.parse().ok())
}

/// As [`line`], of a declaration.
fn place(decl: &Decl) -> Loc {
    Loc { line: line(&decl.notes).unwrap_or(0), ..Loc::default() }
}
