//! What pipelines need of targets that do one operation in each step: asked only of those.

mod checksums;
mod flows;
mod limiters;

use std::collections::BTreeSet;

use super::Use;
use hw_targets::Target;
use pipeline_ir::expr::{BinOp, Expr, ExprKind};
use pipeline_ir::needs::Need;
use pipeline_ir::stmt::walk;
use pipeline_ir::{Loc, ParserOp, Pipeline};

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
    checksums::needs(p, &mut add);
    let written = written(p, target);
    flows::needs(&written, &mut add);
    limiters::needs(&written, &mut add);
    let mut said = BTreeSet::new();
    list.retain(|need| said.insert((need.word, need.of.clone())));
    list
}

/// Bits that its steps add and compare.
pub(super) fn uses(p: &Pipeline, target: &Target, list: &mut Vec<Use>) {
    if target.provides("expr.nested") {
        return;
    }
    let written = written(p, target);
    let mut add = |limit, of: &str, amount: u8, at, help| {
        list.push(Use { limit, of: of.to_owned(), amount: amount.into(), adds: false, at, help });
    };
    walk(&written.control, &mut |s| {
        for e in s.kind.exprs() {
            e.walk(&mut |e| match &e.kind {
                ExprKind::Binary(BinOp::Add | BinOp::Sub, a, _) => {
                    add("alu_bits", "an addition", a.ty.width(), e.at, "add in narrower parts");
                }
                // Zeros before a value: containers that no unit writes would have to take them.
                ExprKind::Cast(_) if e.ty.width() > 64 => {
                    add(
                        "alu_bits",
                        "a widened value",
                        e.ty.width(),
                        e.at,
                        "put wide values together in parts",
                    );
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

/// The pipeline in steps.
fn written(p: &Pipeline, target: &Target) -> Pipeline {
    crate::steps::steps(p, crate::steps::May::of(target)).pipeline
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

/// Are two lists of data the same?
fn alike(a: &[Expr], b: &[Expr]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| crate::p4::same::exprs(a, b))
}
