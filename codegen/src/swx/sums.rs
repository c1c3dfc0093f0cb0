//! Internet checksums: sums in 64 bits, folded to 16.
//!
//! 2^16 is 1 in ones' complement: a number counts as the sum of its words, wherever its last word ends.

use pipeline_ir::expr::Expr;
use pipeline_ir::stmt::Place;

use super::Spec;
use super::value::{Operand, Value, ones};
use crate::p4::worlds::{Known, Worlds};
use Operand::Imm;

/// A sum under way: where it is, what is known of it, the greatest value that it can have.
struct Sum {
    place: Operand,
    known: u64,
    most: u128,
}

impl Spec<'_> {
    fn is_lost(place: Place, w: &Worlds) -> bool {
        matches!(place, Place::Field(h, _) if w.header(h) == Known::Invalid)
    }

    fn start(&mut self) -> Sum {
        let place = self.temp(64);
        self.mov(&place, &Imm(0));
        Sum { place, known: 0, most: 0 }
    }

    /// Adds a number of `width` bits whose last bit is `shift` bits before the end of a word.
    fn term(&mut self, sum: &mut Sum, value: &Value, width: u32, shift: u32) {
        let mut at = 0;
        while at < width {
            let bits = (width - at).min(32);
            let piece =
                if at == 0 && bits == width { value.clone() } else { self.slice(value, at + bits - 1, at) };
            let piece = self.shift_part("shl", &piece.lo, shift);
            match piece {
                Imm(n) => sum.known += n,
                place => self.alu("add", &sum.place, &place),
            }
            sum.most += u128::from(ones(bits + shift));
            at += bits;
        }
    }

    /// Folds a sum to 16 bits.
    fn fold(&mut self, sum: Sum) -> Operand {
        let Sum { place, known, mut most } = sum;
        if known > 0 {
            self.alu("add", &place, &Imm(known));
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
        let mut sum = self.start();
        let mut end = 0;
        for e in data {
            let mark = self.regs.mark();
            let width = u32::from(e.ty.width());
            end += width;
            let value = self.value(e, w);
            self.term(&mut sum, &value, width, (16 - end % 16) % 16);
            self.regs.release(mark);
        }
        let sum = self.fold(sum);
        self.alu("xor", &sum, &Imm(0xffff));
        self.set(place, &Value::of(sum), w);
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
                let ty = pipeline_ir::expr::Type::Bits(16);
                let kind = pipeline_ir::expr::ExprKind::Field(h, f);
                self.value(&Expr { kind, ty, at: pipeline_ir::Loc::default() }, &inside)
            }
        };
        let mut sum = self.start();
        let complement = self.each("xor", &was, &Value::number(0xffff), 16);
        self.term(&mut sum, &complement, 16, 0);
        let old = self.value(old, &inside);
        let old = self.each("xor", &old, &Value::number(u128::MAX >> (128 - width.clamp(1, 128))), width);
        self.term(&mut sum, &old, width, 0);
        let new = self.value(new, &inside);
        self.term(&mut sum, &new, width, 0);
        let sum = self.fold(sum);
        self.alu("xor", &sum, &Imm(0xffff));
        self.set(place, &Value::of(sum), &inside);
        self.asm.place(end);
    }
}
