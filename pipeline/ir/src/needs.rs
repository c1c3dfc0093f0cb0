//! What a pipeline needs of a target.
//!
//! Words are those of the targets' vocabulary. Each statement and expression says what it needs by an exhaustive match:
//! a new operation doesn't compile until it says.

mod order;

use crate::expr::{BinOp, Builtin, Expr, ExprKind};
use crate::stmt::{HashAlgorithm, StmtKind, Verdict, walk};
use crate::verify::Verified;
use crate::{Loc, MatchKind, ParserOp, Pipeline, Transition};

/// One need of one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The word: `table.exact`, `flow.affinity`, ...
    pub word: &'static str,
    /// What needs it: `table vip4`, `control`, `parser`.
    pub of: String,
    /// Where that stands.
    pub at: Loc,
}

/// What a pipeline needs, each need of an object once, in the order of words.
#[must_use]
pub fn needs(verified: &Verified) -> Vec<Need> {
    let p = verified.pipeline();
    let mut needs = Needs { list: Vec::new() };
    objects(p, &mut needs);
    parser(p, &mut needs);
    walk(&p.control, &mut |stmt| {
        statement(p, &stmt.kind, stmt.at, &mut needs);
        for e in stmt.kind.exprs() {
            expression(e, "control", &mut needs);
        }
    });
    order::control(p, &mut needs);
    needs.list.sort();
    needs.list.dedup_by(|b, a| a.word == b.word && a.of == b.of);
    needs.list
}

struct Needs {
    list: Vec<Need>,
}

impl Needs {
    fn add(&mut self, word: &'static str, of: impl Into<String>, at: Loc) {
        self.list.push(Need { word, of: of.into(), at });
    }
}

fn objects(p: &Pipeline, needs: &mut Needs) {
    for table in &p.tables {
        let of = format!("table {}", table.name);
        for key in &table.keys {
            let word = match key.kind {
                MatchKind::Exact => "table.exact",
                MatchKind::Lpm => "table.lpm",
                MatchKind::Ternary => "table.ternary",
                MatchKind::Range => "table.range",
                MatchKind::Optional => "table.optional",
            };
            needs.add(word, &of, key.at);
        }
        if table.counters.is_some() {
            needs.add("counter.direct", &of, table.at);
            if table.keys.iter().any(|k| k.kind != MatchKind::Exact) {
                needs.add("counter.masked", &of, table.at);
            }
        }
    }
    for flow in &p.flow_tables {
        let of = format!("flow table {}", flow.name);
        needs.add("flow.affinity", &of, flow.at);
        needs.add("flow.evict", &of, flow.at);
    }
    for ring in &p.rings {
        let of = format!("ring {}", ring.name);
        needs.add("ring.select", &of, ring.at);
        if !ring.slots.is_power_of_two() {
            needs.add("arith.modulo", &of, ring.at);
        }
    }
    for counter in &p.counters {
        needs.add("counter.indirect", format!("counter {}", counter.name), counter.at);
    }
    for limiter in &p.limiters {
        needs.add("state.limiter", format!("limiter {}", limiter.name), limiter.at);
    }
}

fn parser(p: &Pipeline, needs: &mut Needs) {
    for state in &p.parser.states {
        for op in &state.ops {
            match op {
                ParserOp::Extract { .. } => {}
                ParserOp::Lookahead { at, .. } => needs.add("parser.lookahead", "parser", *at),
                ParserOp::Set { value, .. } => expression(value, "parser", needs),
            }
        }
        match &state.next {
            Transition::Accept | Transition::To(_) => {}
            Transition::Select { on, .. } => on.iter().for_each(|e| expression(e, "parser", needs)),
        }
    }
}

fn statement(p: &Pipeline, kind: &StmtKind, at: Loc, needs: &mut Needs) {
    let header = |h: &crate::HeaderId| format!("header {}", p.headers[h.index()].name);
    match kind {
        StmtKind::Push(h) => needs.add("header.push", header(h), at),
        StmtKind::Pop(h) => needs.add("header.pop", header(h), at),
        StmtKind::Hash { algorithm, .. } => {
            let word = match algorithm {
                HashAlgorithm::Crc32 => "hash.crc32",
                HashAlgorithm::HalfSipHash => "hash.halfsiphash",
            };
            needs.add(word, "control", at);
        }
        StmtKind::Checksum { .. } => needs.add("checksum.internet", "control", at),
        StmtKind::Adjust { .. } => needs.add("checksum.incremental", "control", at),
        StmtKind::Truncate { .. } => needs.add("packet.truncate", "control", at),
        StmtKind::Verdict(Verdict::Forward(_)) => needs.add("verdict.forward", "control", at),
        StmtKind::Verdict(Verdict::Pass) => needs.add("verdict.pass", "control", at),
        StmtKind::Verdict(Verdict::Drop(_)) => needs.add("verdict.drop", "control", at),
        // These use objects, which have said what they need, or need nothing that a target could lack.
        StmtKind::Set { .. }
        | StmtKind::If { .. }
        | StmtKind::Apply { .. }
        | StmtKind::Count { .. }
        | StmtKind::Limit { .. }
        | StmtKind::Find { .. }
        | StmtKind::Stay { .. }
        | StmtKind::Remember { .. }
        | StmtKind::Select { .. } => {}
    }
}

fn expression(e: &Expr, of: &str, needs: &mut Needs) {
    e.walk(&mut |e| match &e.kind {
        ExprKind::Binary(op, ..) => match op {
            BinOp::Mul => needs.add("arith.mul", of, e.at),
            BinOp::Add | BinOp::Sub if e.ty.width() > 64 => needs.add("arith.wide", of, e.at),
            BinOp::Add
            | BinOp::Sub
            | BinOp::BitAnd
            | BinOp::BitOr
            | BinOp::BitXor
            | BinOp::Shl
            | BinOp::Shr
            | BinOp::Concat
            | BinOp::Eq
            | BinOp::Ne
            | BinOp::Lt
            | BinOp::Le
            | BinOp::Gt
            | BinOp::Ge
            | BinOp::And
            | BinOp::Or => {}
        },
        ExprKind::Builtin(Builtin::FrameLength) => needs.add("packet.length", of, e.at),
        ExprKind::Const(_)
        | ExprKind::Bool(_)
        | ExprKind::Field(..)
        | ExprKind::Var(_)
        | ExprKind::Valid(_)
        | ExprKind::Builtin(Builtin::IngressPort)
        | ExprKind::Unary(..)
        | ExprKind::Slice { .. }
        | ExprKind::Cast(_)
        | ExprKind::Mux(..) => {}
    });
}
