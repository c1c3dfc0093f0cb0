//! What pipelines need of targets that do one operation in each step: asked only of those.

use super::Use;
use hw_targets::Target;
use pipeline_ir::expr::{BinOp, Expr, ExprKind};
use pipeline_ir::needs::Need;
use pipeline_ir::stmt::{Place, Stmt, StmtKind, walk};
use pipeline_ir::{FieldId, HeaderId, Loc, ParserOp, Pipeline};

/// The needs, each of an object once.
pub(super) fn needs(p: &Pipeline, target: &Target) -> Vec<Need> {
    if target.provides("expr.nested") {
        return Vec::new();
    }
    let mut list = Vec::new();
    let mut add = |word, of: &str, at| list.push(Need { word, of: of.to_owned(), at });
    add("parser.short", "parser", Loc::default());
    let folded = crate::steps::parser(p);
    for state in &folded.states {
        for op in &state.ops {
            if let ParserOp::Set { value, at, .. } = op
                && !at_hand(value)
            {
                add("parser.arith", "parser", *at);
            }
        }
    }
    walk(&p.control, &mut |s| {
        for e in s.kind.exprs() {
            e.walk(&mut |e| {
                if let ExprKind::Binary(BinOp::Shl | BinOp::Shr, _, by) = &e.kind
                    && !matches!(by.kind, ExprKind::Const(_))
                {
                    add("arith.shift", "control", e.at);
                }
            });
        }
    });
    let mut order = Order::default();
    order.block(&p.control, &mut add);
    list.dedup_by(|b, a| a.word == b.word && a.of == b.of);
    list
}

/// Bits that its steps add and compare.
pub(super) fn uses(p: &Pipeline, target: &Target, list: &mut Vec<Use>) {
    if target.provides("expr.nested") {
        return;
    }
    let tells = target.provides("packet.told_length");
    let written = crate::steps::steps(p, tells).pipeline;
    let mut add = |limit, of: &str, amount: u8, at, help| {
        list.push(Use { limit, of: of.to_owned(), amount: amount.into(), adds: false, at, help });
    };
    walk(&written.control, &mut |s| {
        for e in s.kind.exprs() {
            e.walk(&mut |e| match &e.kind {
                ExprKind::Binary(BinOp::Add | BinOp::Sub, a, _) => {
                    add("alu_bits", "an addition", a.ty.width(), e.at, "add in narrower parts");
                }
                ExprKind::Binary(
                    BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge,
                    a,
                    _,
                ) => {
                    let help = "compare in narrower parts, or look it up in a table";
                    add("compare_bits", "a comparison", a.ty.width(), e.at, help);
                }
                _ => {}
            });
        }
    });
}

/// Is a value at hand without computing?
fn at_hand(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Const(_)
        | ExprKind::Bool(_)
        | ExprKind::Field(..)
        | ExprKind::Var(_)
        | ExprKind::Builtin(_) => true,
        ExprKind::Slice { of, .. } | ExprKind::Cast(of) => at_hand(of),
        _ => false,
    }
}

/// Places of checksums, and the fields that one is of, on the way through the control.
#[derive(Clone, Default)]
struct Order {
    adjusted: Vec<(HeaderId, FieldId)>,
    summed: Vec<(HeaderId, FieldId)>,
    /// What each checksum is of.
    of: Vec<((HeaderId, FieldId), Vec<Expr>)>,
}

impl Order {
    fn block(&mut self, block: &[Stmt], add: &mut impl FnMut(&'static str, &str, Loc)) {
        for s in block {
            self.stmt(s, add);
            let before = self.clone();
            for inner in s.kind.blocks() {
                let mut own = before.clone();
                own.block(inner, add);
                self.adjusted.extend(own.adjusted);
                self.summed.extend(own.summed);
                self.of.extend(own.of);
            }
        }
    }

    fn stmt(&mut self, s: &Stmt, add: &mut impl FnMut(&'static str, &str, Loc)) {
        let asks_for_zero = |e: &Expr| matches!(&s.kind, StmtKind::If { cond, .. } if std::ptr::eq(cond, e));
        for e in s.kind.exprs() {
            if !asks_for_zero(e) && self.reads(e) {
                add("checksum.read", "control", s.at);
            }
        }
        match &s.kind {
            StmtKind::Adjust { place: Place::Var(_), .. }
            | StmtKind::Checksum { place: Place::Var(_), .. } => {
                add("checksum.variable", "control", s.at);
            }
            StmtKind::Adjust { place: Place::Field(h, f), .. } => self.adjusted.push((*h, *f)),
            StmtKind::Checksum { place: Place::Field(h, f), data } => {
                let other = self.of.iter().find(|(place, _)| *place == (*h, *f));
                if other.is_some_and(|(_, list)| !alike(list, data)) {
                    add("checksum.ways", "control", s.at);
                }
                self.of.push(((*h, *f), data.clone()));
                self.adjusted.push((*h, *f));
                for e in data {
                    e.walk(&mut |e| {
                        if let ExprKind::Field(h, f) = e.kind {
                            self.summed.push((h, f));
                        }
                    });
                }
            }
            StmtKind::Set { place: Place::Field(h, f), .. } if self.summed.contains(&(*h, *f)) => {
                add("checksum.read", "control", s.at);
            }
            _ => {}
        }
    }

    fn reads(&self, e: &Expr) -> bool {
        let mut reads = false;
        e.walk(&mut |e| reads |= matches!(e.kind, ExprKind::Field(h, f) if self.adjusted.contains(&(h, f))));
        reads
    }
}

/// Are two lists of data the same?
fn alike(a: &[Expr], b: &[Expr]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| crate::p4::same::exprs(a, b))
}
