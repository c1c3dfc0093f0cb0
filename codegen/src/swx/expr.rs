//! Expressions: conditions become jumps, numbers operands.

use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::Place as Target;
use pipeline_ir::{FieldId, HeaderId, VarId};

use super::Spec;
use super::asm::Label;
use super::layout::Part;
use super::value::{Operand, Value, ones};
use crate::p4::worlds::{Known, Worlds};
use Operand::{Imm, Place};

impl Spec<'_> {
    /// The number that an expression has; a bool is 0 or 1.
    pub(super) fn value(&mut self, e: &Expr, w: &Worlds) -> Value {
        let width = u32::from(e.ty.width());
        match &e.kind {
            ExprKind::Const(n) => Value::number(*n),
            ExprKind::Bool(b) => Value::number(u128::from(*b)),
            ExprKind::Field(h, f) => self.field(*h, *f, w),
            ExprKind::Var(v) => self.var(*v),
            ExprKind::Builtin(Builtin::IngressPort) => Value::of(self.own("in_port")),
            ExprKind::Builtin(Builtin::FrameLength) => Value::of(self.own("frame_length")),
            ExprKind::Unary(UnOp::BitNot, a) => {
                let a = self.value(a, w);
                let all = Value::number(e.ty.mask());
                self.each("xor", &a, &all, width)
            }
            ExprKind::Slice { of, hi, lo } => {
                let of = self.value(of, w);
                self.slice(&of, u32::from(*hi), u32::from(*lo))
            }
            ExprKind::Cast(a) => {
                let narrows = a.ty.width() > e.ty.width();
                let a = self.value(a, w);
                if narrows { self.low(&a, width) } else { a }
            }
            ExprKind::Mux(c, a, b) => self.choose(c, (a, b), width, w),
            ExprKind::Binary(op, a, b) if e.ty != Type::Bool => self.binary(*op, a, b, width, w),
            ExprKind::Valid(_) | ExprKind::Unary(UnOp::Not, _) | ExprKind::Binary(..) => {
                let to = Value::of(self.temp(8));
                self.truth_to(&to, e, w);
                to
            }
        }
    }

    fn binary(&mut self, op: BinOp, a: &Expr, b: &Expr, width: u32, w: &Worlds) -> Value {
        let low = u32::from(b.ty.width());
        let (a, b) = (self.value(a, w), self.value(b, w));
        let by = || b.known().map_or(0, |n| n.min(128) as u32);
        match op {
            BinOp::Add => self.add("add", &a, &b, width),
            BinOp::Sub => self.add("sub", &a, &b, width),
            BinOp::Mul => Value::of(self.mul(&a.lo, &b.lo, width)),
            BinOp::BitAnd => self.each("and", &a, &b, width),
            BinOp::BitOr => self.each("or", &a, &b, width),
            BinOp::BitXor => self.each("xor", &a, &b, width),
            BinOp::Concat => self.concat(&a, &b, low),
            BinOp::Shr if by() >= width => Value::number(0),
            BinOp::Shl if by() >= width => Value::number(0),
            BinOp::Shr => self.shr(&a, by()),
            // Comparisons give a bool, which `value` asks `jump_if` for.
            _ => {
                let moved = self.shl(&a, by());
                self.low(&moved, width)
            }
        }
    }

    /// Writes what an expression gives, which does not read the place; conditions and choices without a detour.
    pub(super) fn value_to(&mut self, to: &Value, e: &Expr, w: &Worlds) {
        let width = u32::from(e.ty.width());
        match &e.kind {
            ExprKind::Mux(c, a, b) => self.choose_to(to, c, (a, b), w),
            ExprKind::Unary(UnOp::Not, _) | ExprKind::Valid(_) => self.truth_to(to, e, w),
            ExprKind::Binary(..) if e.ty == Type::Bool => self.truth_to(to, e, w),
            _ => {
                let value = self.value(e, w);
                self.copy_to(to, &value, width);
            }
        }
    }

    fn truth_to(&mut self, to: &Value, e: &Expr, w: &Worlds) {
        let end = self.asm.label("so");
        self.mov(&to.lo, &Imm(1));
        self.jump_if(e, true, end, w);
        self.mov(&to.lo, &Imm(0));
        self.asm.place(end);
    }

    fn choose(&mut self, c: &Expr, (a, b): (&Expr, &Expr), width: u32, w: &Worlds) -> Value {
        let hi = if width > 64 { self.temp(64) } else { Imm(0) };
        let to = Value { hi, lo: self.temp(width) };
        self.choose_to(&to, c, (a, b), w);
        to
    }

    fn choose_to(&mut self, to: &Value, c: &Expr, (a, b): (&Expr, &Expr), w: &Worlds) {
        let (no, end) = (self.asm.label("else"), self.asm.label("end"));
        self.jump_if(c, false, no, w);
        self.value_to(to, a, &w.assume(c, true));
        self.asm.jump("jmp", end, "");
        self.asm.place(no);
        self.value_to(to, b, &w.assume(c, false));
        self.asm.place(end);
    }

    fn copy_to(&mut self, to: &Value, from: &Value, width: u32) {
        for (to, from) in to.limbs(width).iter().zip(&from.limbs(width)) {
            self.mov(to, from);
        }
    }

    /// Jumps if the condition has this outcome.
    pub(super) fn jump_if(&mut self, e: &Expr, outcome: bool, to: Label, w: &Worlds) {
        match &e.kind {
            ExprKind::Bool(b) => {
                if *b == outcome {
                    self.asm.jump("jmp", to, "");
                }
            }
            ExprKind::Unary(UnOp::Not, a) => self.jump_if(a, !outcome, to, w),
            ExprKind::Valid(h) => {
                let name = self.header(*h);
                match (w.header(*h), outcome) {
                    (Known::Valid, true) | (Known::Invalid, false) => self.asm.jump("jmp", to, ""),
                    (Known::Valid, false) | (Known::Invalid, true) => {}
                    (Known::Maybe, true) => self.asm.jump("jmpv", to, format!("h.{name}")),
                    (Known::Maybe, false) => self.asm.jump("jmpnv", to, format!("h.{name}")),
                }
            }
            // Of `and` the first that fails decides, of `or` the first that holds.
            ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b) => {
                let decides = *op == BinOp::Or;
                let rest = w.assume(a, !decides);
                if outcome == decides {
                    self.jump_if(a, outcome, to, w);
                    self.jump_if(b, outcome, to, &rest);
                } else {
                    let past = self.asm.label("past");
                    self.jump_if(a, decides, past, w);
                    self.jump_if(b, outcome, to, &rest);
                    self.asm.place(past);
                }
            }
            ExprKind::Binary(op, a, b) => {
                let width = u32::from(a.ty.width().max(b.ty.width()));
                let (a, b) = (self.value(a, w), self.value(b, w));
                self.compare(*op, outcome, (&a, &b), width, to);
            }
            _ => {
                let value = self.value(e, w);
                let op = if outcome { BinOp::Ne } else { BinOp::Eq };
                self.compare(op, true, (&value, &Value::number(0)), 8, to);
            }
        }
    }

    /// Jumps if the comparison has this outcome.
    pub(super) fn compare(
        &mut self,
        op: BinOp,
        outcome: bool,
        (a, b): (&Value, &Value),
        width: u32,
        to: Label,
    ) {
        let (op, outcome) = match op {
            BinOp::Ne => (BinOp::Eq, !outcome),
            BinOp::Ge => (BinOp::Lt, !outcome),
            BinOp::Le => (BinOp::Gt, !outcome),
            op => (op, outcome),
        };
        if width <= 64 {
            return self.compare_part(op, outcome, &a.lo, &b.lo, to);
        }
        let past = self.asm.label("past");
        let (yes, no) = if outcome { (to, past) } else { (past, to) };
        match op {
            BinOp::Eq => {
                self.compare_part(BinOp::Eq, false, &a.hi, &b.hi, no);
                self.compare_part(BinOp::Eq, outcome, &a.lo, &b.lo, to);
            }
            _ => {
                self.compare_part(op, true, &a.hi, &b.hi, yes);
                self.compare_part(BinOp::Eq, false, &a.hi, &b.hi, no);
                self.compare_part(op, outcome, &a.lo, &b.lo, to);
            }
        }
        self.asm.place(past);
    }

    /// `Eq`, `Lt` or `Gt` of operands.
    fn compare_part(&mut self, op: BinOp, outcome: bool, a: &Operand, b: &Operand, to: Label) {
        let (op, a, b) = match (a, op) {
            (Imm(_), BinOp::Lt) => (BinOp::Gt, b, a),
            (Imm(_), BinOp::Gt) => (BinOp::Lt, b, a),
            (Imm(_), _) => (op, b, a),
            _ => (op, a, b),
        };
        if let (Imm(a), Imm(b)) = (a, b) {
            let holds = match op {
                BinOp::Lt => a < b,
                BinOp::Gt => a > b,
                _ => a == b,
            };
            if holds == outcome {
                self.asm.jump("jmp", to, "");
            }
            return;
        }
        let (op, outcome, b) = match (op, outcome, b) {
            (BinOp::Lt, false, Imm(n)) if *n > 0 => (BinOp::Gt, true, Imm(n - 1)),
            (BinOp::Gt, false, Imm(n)) if *n < u64::MAX => (BinOp::Lt, true, Imm(n + 1)),
            (op, outcome, b) => (op, outcome, b.clone()),
        };
        let operands = format!("{a} {b}");
        match (op, outcome) {
            (BinOp::Lt, true) => self.asm.jump("jmplt", to, operands),
            (BinOp::Gt, true) => self.asm.jump("jmpgt", to, operands),
            (BinOp::Lt | BinOp::Gt, false) => {
                let past = self.asm.label("past");
                let jump = if op == BinOp::Lt { "jmplt" } else { "jmpgt" };
                self.asm.jump(jump, past, operands);
                self.asm.jump("jmp", to, "");
                self.asm.place(past);
            }
            (_, true) => self.asm.jump("jmpeq", to, operands),
            (_, false) => self.asm.jump("jmpneq", to, operands),
        }
    }

    /// A field; 0 while its header is not valid.
    fn field(&mut self, h: HeaderId, f: FieldId, w: &Worlds) -> Value {
        match w.header(h) {
            Known::Invalid => Value::number(0),
            Known::Valid => self.gather(h, f),
            Known::Maybe => {
                let width = u32::from(self.p.field(h, f).width);
                let hi = if width > 64 { self.temp(64) } else { Imm(0) };
                let to = Value { hi, lo: self.temp(width) };
                let end = self.asm.label("absent");
                self.copy_to(&to, &Value::number(0), width);
                let name = self.header(h);
                self.asm.jump("jmpnv", end, format!("h.{name}"));
                let value = self.gather(h, f);
                self.copy_to(&to, &value, width);
                self.asm.place(end);
                to
            }
        }
    }

    /// A valid header's field from its cells.
    fn gather(&mut self, h: HeaderId, f: FieldId) -> Value {
        let parts = self.parts(h, f);
        let mut value = Value::number(0);
        for part in parts {
            let cell = Value::of(self.cell(h, part.cell));
            let piece = self.slice(&cell, part.shift + part.bits - 1, part.shift);
            value = self.concat(&value, &piece, part.bits);
        }
        value
    }

    /// A variable's place.
    pub(super) fn var(&mut self, v: VarId) -> Value {
        let width = u32::from(self.p.var(v).ty.width());
        let name = self.names.vars[v.index()].clone();
        let mut limbs = super::layout::limbs(&name, width).into_iter();
        let mut next = |s: &mut Self| {
            let (name, bits) = limbs.next()?;
            Some(Place(s.regs.get(&name, bits), bits))
        };
        let first = next(self).unwrap_or(Imm(0));
        match next(self) {
            Some(lo) => Value { hi: first, lo },
            None => Value::of(first),
        }
    }

    /// Writes a place.
    pub(super) fn set(&mut self, place: Target, value: &Value, w: &Worlds) {
        match place {
            Target::Var(v) => {
                let to = self.var(v);
                let width = u32::from(self.p.var(v).ty.width());
                self.copy_parts(&to.limbs(width), &value.limbs(width));
            }
            Target::Field(h, f) => {
                let end = self.asm.label("absent");
                match w.header(h) {
                    Known::Invalid => return,
                    Known::Valid => {}
                    Known::Maybe => {
                        let name = self.header(h);
                        self.asm.jump("jmpnv", end, format!("h.{name}"));
                    }
                }
                self.scatter(h, f, value);
                self.asm.place(end);
            }
        }
    }

    /// Copies parts; what would be overwritten before it is read, aside first.
    fn copy_parts(&mut self, to: &[Operand], from: &[Operand]) {
        let mut from = from.to_vec();
        if let ([first, _], [_, second]) = (to, from.as_mut_slice())
            && first == second
        {
            *second = self.copy(second, 64);
        }
        for (to, from) in to.iter().zip(&from) {
            self.mov(to, from);
        }
    }

    /// Writes a valid header's field into its cells.
    fn scatter(&mut self, h: HeaderId, f: FieldId, value: &Value) {
        let parts = self.parts(h, f);
        let mut left: u32 = parts.iter().map(|p| p.bits).sum();
        let all = |s: &Self, p: &Part| p.shift == 0 && s.cells(h)[p.cell].bits == p.bits;
        if let [hi, lo] = parts.as_slice()
            && all(self, hi)
            && all(self, lo)
        {
            let to = [self.cell(h, hi.cell), self.cell(h, lo.cell)];
            return self.copy_parts(&to, &value.limbs(128));
        }
        for part in parts {
            left -= part.bits;
            let cell = self.cell(h, part.cell);
            if all(self, &part) {
                let piece = self.shr(value, left);
                self.mov(&cell, &piece.lo);
                continue;
            }
            let piece = self.slice(value, left + part.bits - 1, left);
            let piece = self.shift_part("shl", &piece.lo, part.shift);
            let piece = if cell == piece { self.copy(&piece, 64) } else { piece };
            let bits = self.cells(h)[part.cell].bits;
            let others = ones(bits) & !(ones(part.bits) << part.shift);
            self.alu("and", &cell, &Imm(others));
            if piece != Imm(0) {
                self.alu("or", &cell, &piece);
            }
        }
    }
}
