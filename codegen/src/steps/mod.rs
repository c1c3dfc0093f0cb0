//! A pipeline in steps: what it means stays, but each statement does one operation on values that are at hand, a
//! condition compares values with numbers, and nothing stands behind a verdict.
//!
//! So chips take it that do one operation to a value in each stage:
//!
//! ```text
//! if ttl - 1 == 0 { drop(Expired) }     step = ttl - 1
//! forward(port + 1)                     if step == 0 { drop(Expired) }
//!                                       else { step_2 = port + 1; forward(step_2) }
//! ```
//!
//! It is a pipeline like any other, so the oracle can run it: what it makes of packets is what the pipeline makes.

pub(crate) mod change;
mod condition;
pub(crate) mod decide;
pub(crate) mod early;
mod inline;
pub(crate) mod length;
mod masks;
pub(crate) mod order;
mod parser;
mod small;
mod tails;
pub(crate) mod values;

use hw_targets::Target;
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{Arm, Block, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::{Action, HeaderId, Loc, Parser, Pipeline, Table, Var, VarId, VarKind};

use self::length::Length;
use crate::p4::worlds::{self, Known, Worlds};

/// What a target has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct May {
    /// How long a frame is, its outermost IP header tells, where there is one.
    pub tell_length: bool,
    /// Conditions that are too big are tables under masks.
    pub decide: bool,
}

impl May {
    /// What a target may do.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        let has = |word| target.provides(word);
        Self { tell_length: has("packet.told_length"), decide: has("table.ternary") }
    }
}

/// Puts a pipeline in steps.
#[must_use]
pub fn steps(p: &Pipeline, may: May) -> InSteps {
    let mut out = p.clone();
    let mut first = parser::fold(&mut out.parser, p);
    let length = if may.tell_length { Length::of(p) } else { None };
    let mut tails = tails::Tails { vars: &mut out.vars, over: None };
    first.extend(p.control.iter().cloned());
    let mut control = tails.block(first);
    let over = tails.over;
    early::join(&mut control);
    early::early(&out.vars, &mut control);
    let (_, start) = worlds::parser(p);
    let mut steps = Steps {
        p,
        may,
        whole_values: false,
        flags: inline::Flags::default(),
        vars: out.vars,
        tables: out.tables,
        actions: out.actions,
        length,
        frame_length: None,
    };
    let mut control = steps.block(&control, &start);
    if let (Some(kept), Some(length)) = (steps.frame_length, steps.length.take()) {
        let mut first = Block::new();
        let at = Loc::default();
        steps.set(Place::Var(kept), &length.at_first(at), at, &start, &mut first);
        first.append(&mut control);
        control = first;
    }
    (out.vars, out.tables, out.actions) = (steps.vars, steps.tables, steps.actions);
    early::bits(&out.vars, &mut control);
    out.control = control;
    decide::tidy(&mut out, p);
    InSteps { pipeline: out, over, declared: p.tables.len() }
}

/// A pipeline in steps.
#[derive(Clone, Debug)]
pub struct InSteps {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Says that a verdict was given, if several ways go on: where a ring has no server, the emitter sets it.
    pub over: Option<VarId>,
    /// So many tables are the pipeline's own; those behind them decide conditions.
    pub declared: usize,
}

/// The parser, with numbers where it computes what is known.
pub(crate) fn parser(p: &Pipeline) -> Parser {
    let mut parser = p.parser.clone();
    parser::fold(&mut parser, p);
    parser
}

/// A pipeline on its way into steps.
struct Steps<'a> {
    p: &'a Pipeline,
    may: May,
    /// Values are compared whole: a table asks, not a gateway.
    whole_values: bool,
    /// What its flags stand for.
    flags: inline::Flags,
    /// The pipeline's variables and ours.
    vars: Vec<Var>,
    /// The same of tables and actions.
    tables: Vec<Table>,
    actions: Vec<Action>,
    /// What tells how long a frame is.
    length: Option<Length>,
    /// Where that is kept from the start.
    frame_length: Option<VarId>,
}

/// A variable, as a value.
fn var(var: VarId, ty: Type, at: Loc) -> Expr {
    Expr { kind: ExprKind::Var(var), ty, at }
}

fn stmt(kind: StmtKind, at: Loc) -> Stmt {
    Stmt { kind, at }
}

/// The header that a statement writes a field of.
fn written_header(s: &Stmt) -> Option<HeaderId> {
    match s.kind.written() {
        Some(Place::Field(h, _)) => Some(h),
        _ => None,
    }
}

/// Declares a variable.
fn declare(vars: &mut Vec<Var>, name: &str, kind: VarKind, ty: Type, at: Loc) -> VarId {
    vars.push(Var { name: name.to_owned(), ty, kind, at });
    VarId(vars.len() as u32 - 1)
}

impl Steps<'_> {
    /// A place for the outcome of one step.
    fn step(&mut self, ty: Type, at: Loc) -> VarId {
        declare(&mut self.vars, "step", VarKind::Local, ty, at)
    }

    fn block(&mut self, block: &[Stmt], w: &Worlds) -> Block {
        let (mut out, mut w) = (Block::new(), w.clone());
        let before = self.flags.clone();
        let same_header =
            |a: &Stmt, b: &Stmt| written_header(a).is_some_and(|h| written_header(b) == Some(h));
        for run in block.chunk_by(same_header) {
            self.run(run, &w, &mut out);
            w = worlds::after(run, &w);
        }
        self.flags.keep(&before);
        out
    }

    /// Statements that follow one another. Those that write into one header may stand under the condition that it is there:
    /// else they change nothing.
    fn run(&mut self, run: &[Stmt], w: &Worlds, out: &mut Block) {
        match run.first().and_then(written_header).map(|h| (h, w.header(h))) {
            Some((_, Known::Invalid)) => {}
            Some((h, Known::Maybe)) => {
                let at = run.first().map(|s| s.at).unwrap_or_default();
                let cond = Expr { kind: ExprKind::Valid(h), ty: Type::Bool, at };
                let (mut then, before) = (Block::new(), self.flags.clone());
                run.iter().for_each(|s| self.one(s, &w.assume(&cond, true), &mut then));
                self.flags.keep(&before);
                out.push(stmt(StmtKind::If { cond, then, otherwise: Block::new() }, at));
            }
            _ => {
                let mut w = w.clone();
                for s in run {
                    self.one(s, &w, out);
                    w = worlds::after(std::slice::from_ref(s), &w);
                }
            }
        }
    }

    fn one(&mut self, s: &Stmt, w: &Worlds, out: &mut Block) {
        let asked = self.with_flags(s, w);
        match self.with_length(&asked, w) {
            Some(told) => self.stmt(&told, w, out),
            None => self.stmt(&asked, w, out),
        }
        self.flags.after(self.p, &asked);
    }

    /// The statement with what flags and copies stand for.
    fn with_flags(&self, s: &Stmt, w: &Worlds) -> Stmt {
        let mut s = s.clone();
        // What a checksum is of stays as it is, also where a field that was copied changes before the packet leaves.
        if !matches!(s.kind, StmtKind::Checksum { .. }) {
            s.kind.exprs_mut().into_iter().for_each(|e| self.flags.put_copies(e));
        }
        let put = |e: &Expr| self.flags.put(self.p, e, inline::MOST, &|e| self.told(e, w));
        match &mut s.kind {
            StmtKind::If { cond: e, .. } => *e = put(e),
            StmtKind::Set { value: e, .. } if e.ty == Type::Bool => *e = put(e),
            _ => {}
        }
        s
    }

    /// An expression with what tells the frame's length here, if it asks; none where nothing does.
    fn told(&self, e: &Expr, w: &Worlds) -> Option<Expr> {
        match length::asks(e) {
            true => Some(length::put(e, &self.length.as_ref()?.here(w, e.at)?)),
            false => Some(e.clone()),
        }
    }

    /// The statement with what tells the frame's length, where it asks.
    fn with_length(&mut self, s: &Stmt, w: &Worlds) -> Option<Stmt> {
        if !s.kind.exprs().into_iter().any(length::asks) {
            return None;
        }
        let told = self.length.as_ref()?.here(w, s.at);
        let told = told.unwrap_or_else(|| {
            let vars = &mut self.vars;
            let kept = self.frame_length.get_or_insert_with(|| {
                declare(vars, "frame_length", VarKind::Meta, length::LENGTH, Loc::default())
            });
            var(*kept, length::LENGTH, s.at)
        });
        let mut s = s.clone();
        s.kind.exprs_mut().into_iter().for_each(|e| *e = length::put(e, &told));
        Some(s)
    }

    fn stmt(&mut self, s: &Stmt, w: &Worlds, out: &mut Block) {
        let at = s.at;
        let kind = match &s.kind {
            StmtKind::Set { place, value } => return self.set(*place, value, at, w, out),
            StmtKind::If { cond, then, otherwise } => {
                if let Some(mut ways) = self.chain(s, w, out) {
                    return out.append(&mut ways);
                }
                let (yes, no) = (w.assume(cond, true), w.assume(cond, false));
                let asked = self.asked(cond, w, out);
                let branches = [self.block(then, &yes), self.block(otherwise, &no)];
                return out.append(&mut self.branch(&asked, &format!("line_{}", at.line), branches, at));
            }
            StmtKind::Apply { table, key, arms } => {
                let key = self.operands(key, w, out);
                StmtKind::Apply { table: *table, key, arms: self.arms(arms, w) }
            }
            StmtKind::Hash { into, algorithm, key, data } => {
                let key = self.operand(key, w, out);
                let data = self.operands(data, w, out);
                StmtKind::Hash { into: *into, algorithm: *algorithm, key, data }
            }
            StmtKind::Checksum { place, data } => {
                StmtKind::Checksum { place: *place, data: self.operands(data, w, out) }
            }
            StmtKind::Adjust { place, old, new } => {
                let (old, new) = self.change(old, new, w, out);
                StmtKind::Adjust { place: *place, old, new }
            }
            StmtKind::Count { counter, index } => {
                StmtKind::Count { counter: *counter, index: self.operand(values::narrow(index), w, out) }
            }
            StmtKind::Find { cursor, table, key, hash, event, class } => {
                let key = self.operands(key, w, out);
                let [hash, event, class] = [hash, event, class].map(|e| self.operand(e, w, out));
                StmtKind::Find { cursor: *cursor, table: *table, key, hash, event, class }
            }
            StmtKind::Stay { cursor, id, select, table, arms } => {
                let after = w.clone().or(worlds::after(select, w));
                let (select, arms) = (self.block(select, w), self.arms(arms, &after));
                StmtKind::Stay { cursor: *cursor, id: *id, select, table: *table, arms }
            }
            StmtKind::Select { ring, pool, hash, into } => {
                let (pool, hash) = (self.operand(pool, w, out), self.operand(hash, w, out));
                StmtKind::Select { ring: *ring, pool, hash, into: *into }
            }
            StmtKind::Verdict(Verdict::Forward(port)) => {
                StmtKind::Verdict(Verdict::Forward(self.port(port, w, out)))
            }
            other => other.clone(),
        };
        out.push(stmt(kind, at));
    }

    fn arms(&mut self, arms: &[Arm], w: &Worlds) -> Vec<Arm> {
        let arm = |a: &Arm| Arm { action: a.action, body: self.block(&a.body, w), at: a.at };
        arms.iter().map(arm).collect()
    }

    /// The port that a packet came in by needs no step on its way out, and none that is widened: ports are narrower.
    fn port(&mut self, e: &Expr, w: &Worlds, out: &mut Block) -> Expr {
        if matches!(e.kind, ExprKind::Builtin(_)) {
            return e.clone();
        }
        let port = self.operand(values::narrow(e), w, out);
        if port.ty == e.ty { port } else { values::widened(&port, e.ty) }
    }

    /// Assigns a value, in as many steps as it takes.
    fn set(&mut self, place: Place, value: &Expr, at: Loc, w: &Worlds, out: &mut Block) {
        let zero = Expr { kind: ExprKind::Const(0), ty: value.ty, at };
        match &value.kind {
            ExprKind::Mux(..) if order::saturating(value).is_some() => {
                out.push(stmt(StmtKind::Set { place, value: value.clone() }, at));
            }
            ExprKind::Mux(cond, a, b) => self.either(place, cond, [a, b], at, w, out),
            ExprKind::Field(h, _) if w.header(*h) == Known::Maybe => {
                let cond = Expr { kind: ExprKind::Valid(*h), ty: Type::Bool, at };
                self.either(place, &cond, [value, &zero], at, w, out);
            }
            ExprKind::Cast(of) if of.ty == Type::Bool && value.ty != Type::Bool => {
                let one = Expr { kind: ExprKind::Const(1), ..zero.clone() };
                self.either(place, of, [&one, &zero], at, w, out);
            }
            ExprKind::Valid(_) | ExprKind::Unary(pipeline_ir::expr::UnOp::Not, _) | ExprKind::Binary(..)
                if value.ty == Type::Bool =>
            {
                let [yes, no] = [true, false].map(|b| Expr { kind: ExprKind::Bool(b), ..value.clone() });
                self.either(place, value, [&yes, &no], at, w, out);
            }
            _ => {
                let value = self.operation(value, w, out);
                out.push(stmt(StmtKind::Set { place, value }, at));
            }
        }
    }

    /// One of two values, by a condition.
    fn either(
        &mut self,
        place: Place,
        cond: &Expr,
        [a, b]: [&Expr; 2],
        at: Loc,
        w: &Worlds,
        out: &mut Block,
    ) {
        let (yes, no) = (w.assume(cond, true), w.assume(cond, false));
        let asked = self.asked(cond, w, out);
        let (mut then, mut otherwise) = (Block::new(), Block::new());
        self.set(place, a, at, &yes, &mut then);
        self.set(place, b, at, &no, &mut otherwise);
        let name = match place {
            Place::Var(v) => self.vars[v.index()].name.clone(),
            Place::Field(h, f) => self.p.field(h, f).name.clone(),
        };
        out.append(&mut self.branch(&asked, &name, [then, otherwise], at));
    }
}
