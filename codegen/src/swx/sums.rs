//! Internet checksums: sums in 64 bits, folded to 16.
//!
//! 2^16 is 1 in ones' complement: a number counts as the sum of its words, wherever its last word ends.

use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::Place;
use pipeline_ir::{FieldId, HeaderId};

use super::Spec;
use super::value::{Operand, Value, ones};
use crate::p4::worlds::{Known, Worlds};
use Operand::Imm;

/// A sum that is not written yet: terms, what is known of it, the greatest value that it can have.
#[derive(Default)]
struct Sum {
    /// `add` or `sub`.
    terms: Vec<(&'static str, Operand)>,
    known: u64,
    most: u128,
}

impl Spec<'_> {
    fn is_lost(place: Place, w: &Worlds) -> bool {
        matches!(place, Place::Field(h, _) if w.header(h) == Known::Invalid)
    }

    /// Adds a number of `width` bits whose last bit is `shift` bits before the end of a word.
    fn term(&mut self, sum: &mut Sum, value: &Value, width: u32, shift: u32) {
        for (piece, bits) in self.pieces(value, width) {
            match self.shift_part("shl", &piece, shift) {
                Imm(n) => sum.known += n,
                place => sum.terms.push(("add", place)),
            }
            sum.most += u128::from(ones(bits + shift));
        }
    }

    /// Adds the complement of a number of `width` bits: ones less the number, so the sum is never below 0.
    fn complement(&mut self, sum: &mut Sum, value: &Value, width: u32) {
        for (piece, bits) in self.pieces(value, width) {
            match piece {
                Imm(n) => sum.known += ones(bits) ^ n,
                place => {
                    sum.known += ones(bits);
                    sum.terms.push(("sub", place));
                }
            }
            sum.most += u128::from(ones(bits));
        }
    }

    /// A number in parts of 32 bits.
    fn pieces(&mut self, value: &Value, width: u32) -> Vec<(Operand, u32)> {
        if width <= 32 {
            return vec![(value.lo.clone(), width)];
        }
        let starts = (0..width).step_by(32);
        starts
            .map(|at| (at, (width - at).min(32)))
            .map(|(at, bits)| (self.slice(value, at + bits - 1, at).lo, bits))
            .collect()
    }

    /// Folds a sum to 16 bits.
    fn fold(&mut self, sum: Sum) -> Operand {
        let Sum { terms, known, mut most } = sum;
        let mut terms = terms.iter();
        let place = self.temp(64);
        match terms.as_slice().first() {
            Some(("add", first)) if known == 0 => {
                self.mov(&place, first);
                terms.next();
            }
            _ => self.mov(&place, &Imm(known)),
        }
        for (op, term) in terms {
            self.alu(op, &place, term);
        }
        let over = self.temp(64);
        while most > 0xffff {
            let by = if most > 1 << 40 { 32 } else { 16 };
            self.mov(&over, &place);
            self.alu("shr", &over, &Imm(by));
            self.alu("and", &place, &Imm(ones(by as u32)));
            self.alu("add", &place, &over);
            // A sum that overflows by less than its modulus does so for the last time.
            most = if by == 16 && most <= 0x1_fffe {
                0xffff
            } else {
                (most >> by) + u128::from(ones(by as u32))
            };
        }
        place
    }

    /// The checksum over data.
    pub(super) fn checksum(&mut self, place: Place, data: &[Expr], w: &Worlds) {
        if Self::is_lost(place, w) {
            return;
        }
        let mut sum = Sum::default();
        let mut end = 0;
        let mut rest = data;
        while let Some((e, after)) = rest.split_first() {
            if let Some((h, fields)) = self.whole_header(rest, w) {
                for cell in 0..self.cells(h).len() {
                    let place = self.cell(h, cell);
                    let width = self.cells(h).get(cell).map_or(0, |c| c.bits);
                    end += width;
                    self.term(&mut sum, &Value::of(place), width, (16 - end % 16) % 16);
                }
                rest = rest.get(fields..).unwrap_or_default();
                continue;
            }
            rest = after;
            let width = u32::from(e.ty.width());
            end += width;
            let value = self.value(e, w);
            self.term(&mut sum, &value, width, (16 - end % 16) % 16);
        }
        let sum = self.fold(sum);
        self.alu("xor", &sum, &Imm(0xffff));
        self.set(place, &Value::of(sum), w);
    }

    /// The valid header whose fields the data begin with, all of them in order, and how many they are.
    fn whole_header(&self, data: &[Expr], w: &Worlds) -> Option<(HeaderId, usize)> {
        let ExprKind::Field(h, FieldId(0)) = data.first()?.kind else { return None };
        let fields = self.p.header_type(h).fields.len();
        let is =
            |(i, e): (usize, &Expr)| matches!(e.kind, ExprKind::Field(of, f) if of == h && f.index() == i);
        let all = data.get(..fields)?.iter().enumerate().all(is);
        (all && w.header(h) == Known::Valid).then_some((h, fields))
    }

    /// RFC 1624, equation 3.
    pub(super) fn adjust(&mut self, place: Place, old: &Expr, new: &Expr, w: &Worlds) {
        if Self::is_lost(place, w) {
            return;
        }
        let end = self.asm.label("absent");
        let mut inside = w.clone();
        if let Place::Field(h, _) = place
            && w.header(h) == Known::Maybe
        {
            let name = self.header(h);
            self.asm.jump("jmpnv", end, format!("h.{name}"));
            inside = w.set(h, true);
        }
        let width = u32::from(old.ty.width());
        let was = match place {
            Place::Var(v) => self.var(v),
            Place::Field(h, f) => {
                let (kind, ty) = (ExprKind::Field(h, f), Type::Bits(16));
                self.value(&Expr { kind, ty, at: pipeline_ir::Loc::default() }, &inside)
            }
        };
        let mut sum = Sum::default();
        self.complement(&mut sum, &was, 16);
        let old = self.value(old, &inside);
        self.complement(&mut sum, &old, width);
        let new = self.value(new, &inside);
        self.term(&mut sum, &new, width, 0);
        let sum = self.fold(sum);
        self.alu("xor", &sum, &Imm(0xffff));
        self.set(place, &Value::of(sum), &inside);
        self.asm.place(end);
    }
}
