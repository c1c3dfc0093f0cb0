//! Expressions.
//!
//! A field of an invalid header is 0 in the pipeline and unspecified in P4, so what [`Worlds`] doesn't show to be
//! valid is read under a test.

use p4::ast::{Base, BinaryOp, Expr as P4, Int, Type as P4Type, UnaryOp};
use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::Place;
use pipeline_ir::{ActionId, FieldId, HeaderId, Pipeline, Table, TableId, VarId, VarKind};

use super::arch::Style;
use super::egress::BRIDGE;
use super::names::Names;
use super::plan::Plan;
use super::worlds::{Known, Worlds};
use crate::steps::order::saturating;
use crate::steps::values::narrow;

/// What expressions are written with.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) p: &'a Pipeline,
    pub(super) names: &'a Names,
    pub(super) plan: &'a Plan,
    pub(super) style: Style,
    /// Inside this action, whose parameters have their own names there.
    pub(super) action: Option<ActionId>,
}

/// A number as people read it: short ones in decimal.
pub(super) fn number(value: u128) -> P4 {
    if value < 1000 { P4::int(value) } else { P4::hex_padded(value, even_digits(value)) }
}

/// The same with its width, where P4 can't infer it.
pub(super) fn sized(width: u8, value: u128) -> P4 {
    let width = u32::from(width);
    if value < 1000 { P4::sized(width, value) } else { short_hex(width, value) }
}

/// A sized hex literal with no more digits than it takes.
pub(super) fn short_hex(width: u32, value: u128) -> P4 {
    Int::new(value).in_base(Base::Hex, 1).sized(width).into()
}

fn even_digits(value: u128) -> u32 {
    (128 - value.leading_zeros()).div_ceil(8) * 2
}

/// `meta.name`
pub(super) fn meta(name: &str) -> P4 {
    P4::name("meta").member(name)
}

/// `h.name`
pub(super) fn header(names: &Names, header: HeaderId) -> P4 {
    P4::name("h").member(names.headers[header.index()].clone())
}

impl Scope<'_> {
    /// A variable, as a value or as a place.
    pub(super) fn var(&self, var: VarId) -> P4 {
        if self.action.is_some_and(|a| self.p.var(var).kind == VarKind::Param(a)) {
            return P4::name(self.names.params[var.index()].clone());
        }
        if let Some(field) = self.plan.bridged.get(&var) {
            return P4::name("h").member(BRIDGE).member(field.clone());
        }
        let name = &self.names.vars[var.index()];
        if self.plan.in_metadata.contains(&var) { meta(name) } else { P4::name(name.clone()) }
    }

    /// Is a variable metadata that holds a port?
    fn is_kept_port(&self, var: VarId) -> bool {
        self.plan.is_port(var) && !self.action.is_some_and(|a| self.p.var(var).kind == VarKind::Param(a))
    }

    /// A table's action: its own, if the action counts in the table that it is of.
    pub(super) fn action(&self, table: TableId, action: ActionId) -> String {
        let name = &self.names.actions[action.index()];
        if self.is_shared(action) {
            format!("{}_{name}", self.p.tables[table.index()].name)
        } else {
            name.clone()
        }
    }

    /// Must each table have its own copy of an action?
    pub(super) fn is_shared(&self, action: ActionId) -> bool {
        let counts = |t: &&Table| self.style.arch.counts_entry(t);
        let mut of = self.p.tables.iter().filter(|t| t.actions.contains(&action));
        of.clone().any(|t| counts(&t)) && of.nth(1).is_some()
    }

    /// A field, whether or not the header is valid.
    pub(super) fn field(&self, h: HeaderId, field: FieldId) -> P4 {
        let ty = self.p.headers[h.index()].ty;
        header(self.names, h).member(self.names.fields[ty.index()][field.index()].clone())
    }

    /// A place to write to.
    pub(super) fn place(&self, place: Place) -> P4 {
        match place {
            Place::Field(h, f) => self.field(h, f),
            Place::Var(v) => self.var(v),
        }
    }

    /// A value whose width what stands around it shows.
    pub(super) fn value(&self, e: &Expr, w: &Worlds) -> P4 {
        match e.kind {
            ExprKind::Const(value) => number(value),
            ExprKind::Field(h, _) if w.header(h) == Known::Invalid => number(0),
            _ => self.sized(e, w),
        }
    }

    /// A value that shows its own width.
    pub(super) fn sized(&self, e: &Expr, w: &Worlds) -> P4 {
        match &e.kind {
            ExprKind::Const(value) => sized(e.ty.width(), *value),
            ExprKind::Bool(b) => P4::Bool(*b),
            ExprKind::Field(h, f) => self.read(*h, *f, e.ty.width(), w),
            ExprKind::Var(v) => self.var(*v),
            ExprKind::Valid(h) => match w.header(*h) {
                Known::Valid if !w.is_none() => P4::Bool(true),
                Known::Invalid => P4::Bool(false),
                _ => header(self.names, *h).is_valid(),
            },
            ExprKind::Builtin(b) => self.builtin(*b),
            ExprKind::Unary(UnOp::Not, a) => opposite(self.value(a, w)),
            ExprKind::Unary(UnOp::BitNot, a) => self.sized(a, w).complement(),
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, w),
            ExprKind::Slice { of, hi, lo } => self.sized(of, w).slice(u32::from(*hi), u32::from(*lo)),
            ExprKind::Cast(of) => self.cast(of, e.ty, w),
            ExprKind::Mux(..) if self.style.means.steps && saturating(e).is_some() => self.subtracted(e, w),
            ExprKind::Mux(c, a, b) => {
                let (then, otherwise) = (w.assume(c, true), w.assume(c, false));
                self.value(c, w).choose(self.sized(a, &then), self.sized(b, &otherwise))
            }
        }
    }

    /// `a |-| b`, 0 where `b` is more.
    fn subtracted(&self, e: &Expr, w: &Worlds) -> P4 {
        let (from, take) = saturating(e).unwrap_or((e, e));
        self.sized(from, w).binary(BinaryOp::SubtractSaturating, self.sized(take, w))
    }

    fn read(&self, h: HeaderId, f: FieldId, width: u8, w: &Worlds) -> P4 {
        match w.header(h) {
            Known::Valid => self.field(h, f),
            Known::Invalid => sized(width, 0),
            // A step whose outcome counts only where the header is there.
            Known::Maybe if self.style.means.steps => self.field(h, f),
            Known::Maybe => header(self.names, h).is_valid().choose(self.field(h, f), sized(width, 0)),
        }
    }

    fn builtin(&self, b: Builtin) -> P4 {
        match b {
            Builtin::FrameLength => self.style.arch.frame_length(),
            Builtin::IngressPort if self.style.arch.port_bits() == 32 => self.ingress_port(),
            Builtin::IngressPort => self.ingress_port().cast(P4Type::bit(32)),
        }
    }

    /// Where the packet came in.
    pub(super) fn ingress_port(&self) -> P4 {
        if self.plan.keeps_port { meta("ingress_port") } else { self.style.arch.ingress_port() }
    }

    /// A value as a port.
    pub(super) fn port(&self, e: &Expr, w: &Worlds) -> P4 {
        let bits = self.style.arch.port_bits();
        match &e.kind {
            ExprKind::Builtin(Builtin::IngressPort) => self.ingress_port(),
            ExprKind::Const(port) => number(port & Type::Bits(bits).mask()),
            ExprKind::Var(v) if self.is_kept_port(*v) => self.var(*v),
            _ => self.cast(narrow(e), Type::Bits(bits), w),
        }
    }

    /// A value in `to` bits.
    pub(super) fn cast(&self, of: &Expr, to: Type, w: &Worlds) -> P4 {
        let width = u32::from(to.width());
        if let ExprKind::Const(value) = of.kind {
            return sized(to.width(), value & to.mask());
        }
        match of.ty {
            from if from == to => self.sized(of, w),
            _ if of.kind == ExprKind::Builtin(Builtin::IngressPort) => {
                self.ingress_port().cast(P4Type::bit(width))
            }
            Type::Bool if width == 1 => self.sized(of, w).cast(P4Type::bit(1)),
            Type::Bool => self.sized(of, w).cast(P4Type::bit(1)).cast(P4Type::bit(width)),
            Type::Bits(_) if to == Type::Bool => self.value(of, w).differs(0u32),
            Type::Bits(_) => self.sized(of, w).cast(P4Type::bit(width)),
        }
    }

    fn binary(&self, op: BinOp, a: &Expr, b: &Expr, w: &Worlds) -> P4 {
        match op {
            BinOp::And => self.connect(op, a, b, w, &w.assume(a, true)),
            BinOp::Or => self.connect(op, a, b, w, &w.assume(a, false)),
            BinOp::Concat => self.sized(a, w).concat(self.sized(b, w)),
            BinOp::Shl | BinOp::Shr => self.shift(op, a, b, w),
            BinOp::Eq | BinOp::Ne => self
                .tested(op, a, b, w)
                .or_else(|| self.tested(op, b, a, w))
                .unwrap_or_else(|| self.plain(op, a, b, w)),
            _ => self.plain(op, a, b, w),
        }
    }

    /// `&&` and `||`, without operands that are certain.
    fn connect(&self, op: BinOp, a: &Expr, b: &Expr, w: &Worlds, then: &Worlds) -> P4 {
        let decides = op == BinOp::Or;
        match (self.value(a, w), self.value(b, then)) {
            (P4::Bool(x), y) => {
                if x == decides {
                    P4::Bool(x)
                } else {
                    y
                }
            }
            (x, P4::Bool(y)) if y != decides => x,
            (x, y) => x.binary(infix(op), y),
        }
    }

    /// A comparison of a field with a constant that is not 0: false where the header is invalid.
    fn tested(&self, op: BinOp, field: &Expr, constant: &Expr, w: &Worlds) -> Option<P4> {
        let (ExprKind::Field(h, f), ExprKind::Const(c)) = (&field.kind, &constant.kind) else { return None };
        if *c == 0 || w.header(*h) != Known::Maybe {
            return None;
        }
        let (valid, field) = (header(self.names, *h).is_valid(), self.field(*h, *f));
        Some(match op {
            BinOp::Eq => valid.and(field.equals(number(*c))),
            _ => valid.inverted().or(field.differs(number(*c))),
        })
    }

    fn plain(&self, op: BinOp, a: &Expr, b: &Expr, w: &Worlds) -> P4 {
        let both = matches!((&a.kind, &b.kind), (ExprKind::Const(_), ExprKind::Const(_)));
        let left = if both { self.sized(a, w) } else { self.value(a, w) };
        let left = if matches!(left, P4::Int(_)) { self.sized(a, w) } else { left };
        left.binary(infix(op), self.value(b, w))
    }

    /// Shifts by a constant; by the width or more, nothing is left. p4c warns of bits that get lost where it knows the
    /// value: they are cut off before.
    fn shift(&self, op: BinOp, a: &Expr, b: &Expr, w: &Worlds) -> P4 {
        let width = a.ty.width();
        let used = match &a.kind {
            ExprKind::Cast(inner) => inner.ty.width(),
            _ => width,
        };
        match b.kind {
            ExprKind::Const(n) if n >= u128::from(width) => sized(width, 0),
            ExprKind::Const(0) => self.sized(a, w),
            ExprKind::Const(n) if op == BinOp::Shl && u128::from(used) + n > u128::from(width) => {
                let zeros = n as u8; // less than the width
                let rest = self.sized(a, w).slice(u32::from(width - zeros - 1), 0u32);
                rest.concat(sized(zeros, 0))
            }
            ExprKind::Const(n) => self.sized(a, w).binary(infix(op), P4::int(n)),
            _ => self.sized(a, w).binary(infix(op), self.sized(b, w)),
        }
    }
}

/// The opposite of a condition, without a `!` where another comparison says it.
pub(super) fn opposite(condition: P4) -> P4 {
    let turned = |op| match op {
        BinaryOp::Equal => Some(BinaryOp::NotEqual),
        BinaryOp::NotEqual => Some(BinaryOp::Equal),
        BinaryOp::Less => Some(BinaryOp::GreaterEqual),
        BinaryOp::GreaterEqual => Some(BinaryOp::Less),
        BinaryOp::Greater => Some(BinaryOp::LessEqual),
        BinaryOp::LessEqual => Some(BinaryOp::Greater),
        _ => None,
    };
    match condition {
        P4::Bool(b) => P4::Bool(!b),
        P4::Unary(UnaryOp::Not, inner) => *inner,
        P4::Binary(op, a, b) => match turned(op) {
            Some(op) => P4::Binary(op, a, b),
            None => P4::Binary(op, a, b).inverted(),
        },
        other => other.inverted(),
    }
}

fn infix(op: BinOp) -> BinaryOp {
    match op {
        BinOp::Add => BinaryOp::Add,
        BinOp::Sub => BinaryOp::Subtract,
        BinOp::Mul => BinaryOp::Multiply,
        BinOp::BitAnd => BinaryOp::BitAnd,
        BinOp::BitOr => BinaryOp::BitOr,
        BinOp::BitXor => BinaryOp::BitXor,
        BinOp::Shl => BinaryOp::ShiftLeft,
        BinOp::Shr => BinaryOp::ShiftRight,
        BinOp::Concat => BinaryOp::Concat,
        BinOp::Eq => BinaryOp::Equal,
        BinOp::Ne => BinaryOp::NotEqual,
        BinOp::Lt => BinaryOp::Less,
        BinOp::Le => BinaryOp::LessEqual,
        BinOp::Gt => BinaryOp::Greater,
        BinOp::Ge => BinaryOp::GreaterEqual,
        BinOp::And => BinaryOp::And,
        BinOp::Or => BinaryOp::Or,
    }
}
