//! Expressions: typed trees without side effects.

use crate::{FieldId, HeaderId, Loc, VarId};

/// The type of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// An unsigned integer of 1 to 128 bits.
    Bits(u8),
}

impl Type {
    /// Bits that it takes: 1 for a bool.
    #[must_use]
    pub fn width(self) -> u8 {
        match self {
            Self::Bool => 1,
            Self::Bits(w) => w,
        }
    }
    /// The greatest value.
    #[must_use]
    pub fn mask(self) -> u128 {
        u128::MAX >> 128u32.saturating_sub(u32::from(self.width().max(1)))
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Bits(w) => write!(f, "bit<{w}>"),
        }
    }
}

/// An expression with its type.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
    pub at: Loc,
}

/// What an expression computes.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number that fits the type.
    Const(u128),
    /// `true` or `false`.
    Bool(bool),
    /// A header's field; 0 while the header is invalid.
    Field(HeaderId, FieldId),
    /// A variable.
    Var(VarId),
    /// Is the header valid?
    Valid(HeaderId),
    /// What the target knows about the packet.
    Builtin(Builtin),
    /// One operand.
    Unary(UnOp, Box<Expr>),
    /// Two operands.
    Binary(BinOp, Box<Expr>, Box<Expr>),
    /// Bits `hi` down to `lo` of the operand, both counted from 0 at the low end.
    Slice {
        /// The operand.
        of: Box<Expr>,
        /// Highest bit.
        hi: u8,
        /// Lowest bit.
        lo: u8,
    },
    /// The operand with its low bits kept, or zeros put before it. A bool becomes 0 or 1 of any width.
    Cast(Box<Expr>),
    /// `if c { a } else { b }`.
    Mux(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// What the target knows about the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Builtin {
    /// Port where the packet came in; 32 bits.
    IngressPort,
    /// Length of the received frame in bytes, from the Ethernet header on, without FCS; 32 bits.
    FrameLength,
}

/// Operations with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnOp {
    /// Logical not, of a bool.
    Not,
    /// Bitwise not.
    BitNot,
}

/// Operations with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum BinOp {
    Add,
    Sub,
    /// At most 64 bits.
    Mul,
    BitAnd,
    BitOr,
    BitXor,
    /// The right side is a constant.
    Shl,
    /// The right side is a constant.
    Shr,
    /// Left side in the high bits.
    Concat,
    /// Of two bools or two integers; gives a bool.
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// Bools; the right side has no effect to skip, so short circuit can't be told apart.
    And,
    Or,
}

impl Expr {
    /// A constant of `width` bits.
    #[must_use]
    pub fn bits(value: u128, width: u8) -> Self {
        Self { kind: ExprKind::Const(value), ty: Type::Bits(width), at: Loc::default() }
    }

    /// Calls `visit` on this expression and all below it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        match &self.kind {
            ExprKind::Unary(_, a) | ExprKind::Cast(a) | ExprKind::Slice { of: a, .. } => a.walk(visit),
            ExprKind::Binary(_, a, b) => {
                a.walk(visit);
                b.walk(visit);
            }
            ExprKind::Mux(c, a, b) => {
                c.walk(visit);
                a.walk(visit);
                b.walk(visit);
            }
            ExprKind::Const(_)
            | ExprKind::Bool(_)
            | ExprKind::Field(..)
            | ExprKind::Var(_)
            | ExprKind::Valid(_)
            | ExprKind::Builtin(_) => {}
        }
    }

    /// Is this expression one that `is` asks for, or one below it?
    pub fn any(&self, mut is: impl FnMut(&Self) -> bool) -> bool {
        let mut some = false;
        self.walk(&mut |e| some = some || is(e));
        some
    }

    /// The greatest value, as far as its form shows.
    #[must_use]
    pub fn most(&self) -> u128 {
        match &self.kind {
            ExprKind::Const(value) => *value,
            ExprKind::Cast(of) => self.ty.mask().min(of.most()),
            _ => self.ty.mask(),
        }
    }

    /// As [`walk`](Self::walk), to change them; what a visit puts in is walked too.
    pub fn walk_mut(&mut self, visit: &mut impl FnMut(&mut Self)) {
        visit(self);
        match &mut self.kind {
            ExprKind::Unary(_, a) | ExprKind::Cast(a) | ExprKind::Slice { of: a, .. } => a.walk_mut(visit),
            ExprKind::Binary(_, a, b) => {
                a.walk_mut(visit);
                b.walk_mut(visit);
            }
            ExprKind::Mux(c, a, b) => {
                c.walk_mut(visit);
                a.walk_mut(visit);
                b.walk_mut(visit);
            }
            _ => {}
        }
    }
}
