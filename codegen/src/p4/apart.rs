//! What a compiler must be kept from joining, or can't take when it is joined.

use p4::ast::{BinaryOp, Block, Expr as P4, Stmt as P4Stmt, Type as P4Type};
use pipeline_ir::TableId;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::Place;

use super::control::Ingress;
use super::worlds::{Known, Worlds};

impl Ingress<'_> {
    /// Where a part of a key stands, and what puts it there: where it need not stand in metadata, it is the value itself.
    /// Numbers do.
    pub(super) fn key_part(&mut self, name: &str, bits: u32, value: P4) -> (P4, Option<P4Stmt>) {
        let apart = self.s.style.arch.keys_in_metadata();
        if !apart && !is_number(&value) && self.s.style.arch.stands_in_key(&value) {
            return (value, None);
        }
        let ty = P4Type::bit(bits);
        let place = self.field(name, ty.clone(), false);
        let value = if apart { value } else { shifted(value, ty) };
        (place.clone(), Some(P4Stmt::assign(place, value)))
    }

    /// Parts of a key that must stay where they are put. The compiler would put what was copied in place of the copy, and
    /// then copy it itself; under a condition, which always holds, it does not.
    pub(super) fn side_by_side(&self, parts: Block) -> Block {
        if !self.s.style.arch.keys_in_metadata() || !self.s.style.means.preamble || parts.is_empty() {
            return parts;
        }
        let always = P4::name("h").member(super::preamble::NAME).is_valid();
        vec![P4Stmt::if_(always, parts)]
    }

    /// Where a header is not there, SWX writes its fields into the packet all the same.
    pub(super) fn where_it_is(&self, place: Place, writes: Block, w: &Worlds) -> Block {
        match place {
            Place::Field(h, _)
                if self.s.style.means.preamble && w.header(h) == Known::Maybe && !writes.is_empty() =>
            {
                vec![P4Stmt::if_(super::expr::header(self.s.names, h).is_valid(), writes)]
            }
            _ => writes,
        }
    }

    /// Is it a table of ours that decides a condition?
    pub(super) fn decides(&self, table: TableId) -> bool {
        table.index() >= self.decisions
    }

    /// Notes the key of a table; what can't stand in it, in metadata.
    pub(super) fn key(&mut self, table: TableId, key: &[Expr], w: &Worlds) -> Block {
        let declared = &self.s.p.tables[table.index()];
        let mut out = Vec::new();
        let mut keys = Vec::new();
        let several = key.len() > 1;
        for (i, (e, k)) in key.iter().zip(&declared.keys).enumerate() {
            let value = match &e.kind {
                ExprKind::Cast(flag) if self.decides(table) && flag.ty == Type::Bool => {
                    self.flags.insert((table, i));
                    self.s.sized(flag, w)
                }
                _ if e.ty == Type::Bool => self.s.sized(e, w).cast(P4Type::bit(1)),
                _ => self.s.sized(e, w),
            };
            let name = format!("{}_{}", declared.name, k.name);
            let (place, put) = self.key_part(&name, u32::from(k.width), value);
            out.extend(put);
            keys.push(place);
        }
        self.keys.insert(table, keys);
        if several { self.side_by_side(out) } else { out }
    }

    /// A condition; where its parts can't be joined, what tries one after the other, and the mark that they leave.
    pub(super) fn joined(&mut self, cond: &Expr, whole: P4, w: &Worlds) -> (Block, P4) {
        if self.s.style.arch.joins_denials() || !joins_a_denial(cond, w) {
            return (Vec::new(), whole);
        }
        let mark = self.field("condition", P4Type::Bool, false);
        let mut out = vec![P4Stmt::assign(mark.clone(), false)];
        out.extend(self.try_part(cond, true, &mark, w));
        (out, mark)
    }

    /// Sets the mark if the condition has this outcome; the mark is not set before.
    fn try_part(&mut self, e: &Expr, outcome: bool, mark: &P4, w: &Worlds) -> Block {
        let set = |mark: &P4| vec![P4Stmt::assign(mark.clone(), true)];
        match &e.kind {
            ExprKind::Unary(UnOp::Not, a) => self.try_part(a, !outcome, mark, w),
            ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b) => {
                let mut out = self.try_part(a, outcome, mark, w);
                let both = (*op == BinOp::And) == outcome;
                let rest = w.assume(a, *op == BinOp::And);
                let mut then = self.try_part(b, outcome, mark, &rest);
                if both {
                    then.insert(0, P4Stmt::assign(mark.clone(), false));
                    out.push(P4Stmt::if_(mark.clone(), then));
                } else {
                    out.push(P4Stmt::if_(mark.clone().inverted(), then));
                }
                out
            }
            _ => {
                let value = self.s.value(e, w);
                let value = if outcome { value } else { super::expr::opposite(value) };
                vec![P4Stmt::if_(value, set(mark))]
            }
        }
    }
}

/// A number, or a truth that is known, as one.
fn is_number(value: &P4) -> bool {
    match value {
        P4::Int(_) | P4::Bool(_) => true,
        P4::Cast(_, of) => is_number(of),
        _ => false,
    }
}

/// A part of a field as a shift: p4c would put the part in place of its copy.
fn shifted(value: P4, ty: P4Type) -> P4 {
    match value {
        P4::Slice(of, _, lo) if *lo == P4::from(0u32) => of.cast(ty),
        P4::Slice(of, _, lo) => P4::Binary(BinaryOp::ShiftRight, of, lo).cast(ty),
        other => other,
    }
}

/// Is a part of a joined condition that a header is not valid, or that one number is above another? p4c-dpdk stops at the first
/// within `||`, and jumps past the rest of the condition at the second.
fn joins_a_denial(e: &Expr, w: &Worlds) -> bool {
    let ExprKind::Binary(BinOp::And | BinOp::Or, ..) = &e.kind else { return false };
    let mut denies = false;
    e.walk(&mut |e| match &e.kind {
        ExprKind::Unary(UnOp::Not, a) => {
            denies |= matches!(a.kind, ExprKind::Valid(h) if w.header(h) == Known::Maybe);
        }
        ExprKind::Binary(BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge, ..) => denies = true,
        _ => {}
    });
    denies
}
