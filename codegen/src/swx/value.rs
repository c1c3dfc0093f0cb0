//! Numbers in operands of 64 bits, and what is computed on them.

use super::Spec;
use super::layout::whole;

/// What an instruction reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// A number in the instruction.
    Imm(u64),
    /// A field and its bits.
    Place(String, u32),
}

/// A number of up to 128 bits; the high part is 0 where it has no more than 64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) lo: Operand,
    pub(super) hi: Operand,
}

use Operand::{Imm, Place};

impl std::fmt::Display for Operand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Imm(n) if *n < 4096 => write!(f, "{n}"),
            Imm(n) => write!(f, "{n:#x}"),
            Place(name, _) => f.write_str(name),
        }
    }
}

impl Operand {
    /// Its greatest value, as far as its place tells.
    pub(super) fn most(&self) -> u64 {
        match self {
            Imm(n) => *n,
            Place(_, bits) => ones(*bits),
        }
    }
}

impl Value {
    /// A number.
    pub(super) fn number(n: u128) -> Self {
        Self { lo: Imm(n as u64), hi: Imm((n >> 64) as u64) }
    }
    /// A number of at most 64 bits.
    pub(super) fn of(lo: Operand) -> Self {
        Self { lo, hi: Imm(0) }
    }
    /// The number, if it is known.
    pub(super) fn known(&self) -> Option<u128> {
        match (&self.hi, &self.lo) {
            (Imm(hi), Imm(lo)) => Some(u128::from(*hi) << 64 | u128::from(*lo)),
            _ => None,
        }
    }
    /// High part and low part, as far as a number of `width` bits has them.
    pub(super) fn limbs(&self, width: u32) -> Vec<Operand> {
        if width > 64 { vec![self.hi.clone(), self.lo.clone()] } else { vec![self.lo.clone()] }
    }
}

/// So many ones, at most 64.
pub(super) fn ones(bits: u32) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

impl Spec<'_> {
    /// A place for a value of so many bits, as long as the statement lasts.
    pub(super) fn temp(&mut self, bits: u32) -> Operand {
        let bits = whole(bits.min(64));
        Place(self.regs.temp(bits), bits)
    }

    /// Copies.
    pub(super) fn mov(&mut self, to: &Operand, from: &Operand) {
        if to != from {
            self.asm.op(format!("mov {to} {from}"));
        }
    }

    /// A copy in a temporary that may be changed.
    pub(super) fn copy(&mut self, of: &Operand, bits: u32) -> Operand {
        let to = self.temp(bits);
        self.mov(&to, of);
        to
    }

    /// `to op= by`.
    pub(super) fn alu(&mut self, op: &str, to: &Operand, by: &Operand) {
        self.asm.op(format!("{op} {to} {by}"));
    }

    /// Adds or subtracts, on `bits`.
    pub(super) fn sum(&mut self, op: &str, a: &Operand, b: &Operand, bits: u32) -> Operand {
        match (a, b) {
            (Imm(a), Imm(b)) => {
                let n = if op == "add" { a.wrapping_add(*b) } else { a.wrapping_sub(*b) };
                Imm(n & ones(bits))
            }
            (a, Imm(0)) => a.clone(),
            (Imm(0), b) if op == "add" => b.clone(),
            (Imm(_), Place(..)) if op == "add" => self.sum(op, b, a, bits),
            _ => {
                let to = self.copy(a, bits);
                self.alu(op, &to, b);
                self.keep(&to, bits);
                to
            }
        }
    }

    /// Takes away what overflowed beyond `bits` in a place of whole bytes.
    fn keep(&mut self, place: &Operand, bits: u32) {
        if bits < 64 && !bits.is_multiple_of(8) {
            self.alu("and", place, &Imm(ones(bits)));
        }
    }

    /// `and`, `or`, `xor`.
    pub(super) fn logic(&mut self, op: &str, a: &Operand, b: &Operand, bits: u32) -> Operand {
        match (op, a, b) {
            (_, Imm(a), Imm(b)) => Imm(match op {
                "and" => a & b,
                "or" => a | b,
                _ => a ^ b,
            }),
            (_, Imm(_), Place(..)) => self.logic(op, b, a, bits),
            ("and", _, Imm(0)) => Imm(0),
            ("or" | "xor", a, Imm(0)) => a.clone(),
            ("and", a, Imm(n)) if *n & a.most() == a.most() => a.clone(),
            // A copy into fewer bytes leaves the others behind.
            ("and", a, Imm(n)) if n.trailing_ones().is_multiple_of(8) && *n == ones(n.trailing_ones()) => {
                self.copy(a, n.trailing_ones())
            }
            _ => {
                let to = self.copy(a, bits);
                self.alu(op, &to, b);
                to
            }
        }
    }

    /// Shifts a part; bits beyond 64 are lost.
    pub(super) fn shift_part(&mut self, op: &str, a: &Operand, by: u32) -> Operand {
        match a {
            _ if by == 0 => a.clone(),
            _ if by >= 64 => Imm(0),
            Imm(n) => Imm(if op == "shl" { n << by } else { n >> by }),
            Place(_, bits) if op == "shr" && by >= *bits => Imm(0),
            Place(_, bits) => {
                let to = self.copy(a, if op == "shl" { bits + by } else { *bits });
                self.alu(op, &to, &Imm(u64::from(by)));
                to
            }
        }
    }

    /// Shifts to the left, within 128 bits.
    pub(super) fn shl(&mut self, a: &Value, by: u32) -> Value {
        if by >= 64 {
            return Value { hi: self.shift_part("shl", &a.lo, by - 64), lo: Imm(0) };
        }
        let hi = self.shift_part("shl", &a.hi, by);
        let over = if by == 0 { Imm(0) } else { self.shift_part("shr", &a.lo, 64 - by) };
        let hi = self.logic("or", &hi, &over, 64);
        Value { hi, lo: self.shift_part("shl", &a.lo, by) }
    }

    /// Shifts to the right.
    pub(super) fn shr(&mut self, a: &Value, by: u32) -> Value {
        if by >= 64 {
            return Value::of(self.shift_part("shr", &a.hi, by - 64));
        }
        let lo = self.shift_part("shr", &a.lo, by);
        let down = if by == 0 { Imm(0) } else { self.shift_part("shl", &a.hi, 64 - by) };
        let lo = self.logic("or", &lo, &down, 64);
        Value { hi: self.shift_part("shr", &a.hi, by), lo }
    }

    /// Part by part.
    pub(super) fn each(&mut self, op: &str, a: &Value, b: &Value, width: u32) -> Value {
        let hi = if width > 64 { self.logic(op, &a.hi, &b.hi, width - 64) } else { Imm(0) };
        Value { hi, lo: self.logic(op, &a.lo, &b.lo, width) }
    }

    /// The low bits.
    pub(super) fn low(&mut self, a: &Value, width: u32) -> Value {
        let mask = u128::MAX >> 128u32.saturating_sub(width.max(1));
        self.each("and", a, &Value::number(mask), 128)
    }

    /// Bits `hi` to `lo`.
    pub(super) fn slice(&mut self, a: &Value, hi: u32, lo: u32) -> Value {
        let down = self.shr(a, lo);
        if a.hi == Imm(0) && matches!(a.lo, Place(_, bits) if hi + 1 >= bits) {
            return down;
        }
        let mask = Value::number(u128::MAX >> 128u32.saturating_sub((hi + 1).saturating_sub(lo).max(1)));
        self.each_own("and", &down, &mask, lo)
    }

    /// `a` in front of `b`, which has so many bits.
    pub(super) fn concat(&mut self, a: &Value, b: &Value, bits: u32) -> Value {
        let a = self.shl(a, bits);
        self.each_own("or", &a, b, bits)
    }

    /// Part by part, on what a shift by so many bits gave: unless it moved whole parts, that is a copy, to be changed.
    fn each_own(&mut self, op: &str, a: &Value, b: &Value, by: u32) -> Value {
        if by.is_multiple_of(64) {
            return self.each(op, a, b, 128);
        }
        Value { hi: self.logic_own(op, &a.hi, &b.hi), lo: self.logic_own(op, &a.lo, &b.lo) }
    }

    fn logic_own(&mut self, op: &str, a: &Operand, b: &Operand) -> Operand {
        match (op, a, b) {
            ("and", Place(_, bits), Imm(n)) if *n != 0 && *n & ones(*bits) != ones(*bits) => {
                self.alu(op, a, b);
                a.clone()
            }
            ("or", Place(..), Place(..)) => {
                self.alu(op, a, b);
                a.clone()
            }
            ("or", Place(_, bits), Imm(n)) if *n != 0 && *n & ones(*bits) == *n => {
                self.alu(op, a, b);
                a.clone()
            }
            _ => self.logic(op, a, b, 128),
        }
    }

    /// Adds or subtracts numbers of any width.
    pub(super) fn add(&mut self, op: &str, a: &Value, b: &Value, width: u32) -> Value {
        if width <= 64 {
            return Value::of(self.sum(op, &a.lo, &b.lo, width));
        }
        let lo = self.sum(op, &a.lo, &b.lo, 64);
        let hi = self.sum(op, &a.hi, &b.hi, 64);
        // An overflow shows in the result: a sum is less than its parts, a difference is more.
        let (over, jump) = (self.temp(8), if op == "add" { "jmplt" } else { "jmpgt" });
        let (lo, was) = (self.in_place(&lo), self.in_place(&a.lo));
        let end = self.asm.label("carry");
        self.mov(&over, &Imm(1));
        self.asm.jump(jump, end, format!("{lo} {was}"));
        self.mov(&over, &Imm(0));
        self.asm.place(end);
        let hi = self.sum(op, &hi, &over, 64);
        let sum = Value { hi, lo };
        self.low(&sum, width)
    }

    /// Multiplies numbers of up to 64 bits: SWX does not, so by bits.
    pub(super) fn mul(&mut self, a: &Operand, b: &Operand, width: u32) -> Operand {
        let (a, b) = if matches!(a, Imm(_)) { (b, a) } else { (a, b) };
        let sum = self.temp(64);
        self.mov(&sum, &Imm(0));
        let term = self.copy(a, 64);
        let bit = self.temp(64);
        for i in 0..width {
            match b {
                Imm(n) if n >> i & 1 == 1 => self.alu("add", &sum, &term),
                Imm(_) => {}
                Place(..) => {
                    let next = self.asm.label("bit");
                    self.mov(&bit, b);
                    self.alu("and", &bit, &Imm(1 << i));
                    self.asm.jump("jmpeq", next, format!("{bit} 0"));
                    self.alu("add", &sum, &term);
                    self.asm.place(next);
                }
            }
            if i + 1 < width {
                self.alu("shl", &term, &Imm(1));
            }
        }
        self.logic("and", &sum, &Imm(ones(width)), 64)
    }

    /// The operand where an instruction takes no number.
    pub(super) fn in_place(&mut self, a: &Operand) -> Operand {
        match a {
            Imm(n) => self.copy(a, 64 - n.leading_zeros()),
            Place(..) => a.clone(),
        }
    }
}
