//! Expressions in C.
//!
//! A number of `w` bits has the smallest unsigned type that holds it, and never more than its `w` bits set.

use super::Emitter;
use super::headers::Scope;
use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type, UnOp};
use pipeline_ir::{FieldId, HeaderId};

/// C's precedence levels that are printed, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Mux,
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Equal,
    Order,
    Shift,
    Sum,
    Product,
    Unary,
    Atom,
}

struct Text(String, Level);

impl Text {
    fn atom(text: impl Into<String>) -> Self {
        Self(text.into(), Level::Atom)
    }
    fn at(self, level: Level) -> String {
        if self.1 >= level { self.0 } else { format!("({})", self.0) }
    }
}

/// The type of a number or bool.
pub(super) fn c_type(ty: Type) -> &'static str {
    match ty.width() {
        0..=8 => "u8",
        9..=16 => "u16",
        17..=32 => "u32",
        33..=64 => "u64",
        _ => "u128",
    }
}

/// A number, as short as it reads well.
pub(super) fn number(value: u128) -> String {
    match value {
        0..=9999 => value.to_string(),
        _ if value <= u128::from(u32::MAX) => format!("{value:#x}"),
        _ if value <= u128::from(u64::MAX) => format!("{value:#x}ull"),
        _ => format!("((u128){:#x}ull << 64 | {:#x}ull)", value >> 64, value & u128::from(u64::MAX)),
    }
}

/// Cuts a result to its width where its type doesn't.
fn wrap(text: Text, ty: Type) -> Text {
    match ty.width() {
        32 | 64 | 128 => text,
        8 | 16 => Text(format!("({}){}", c_type(ty), text.at(Level::Atom)), Level::Unary),
        w if w > 64 => Text(format!("{} & {}", text.at(Level::BitAnd), number(ty.mask())), Level::BitAnd),
        _ => Text(format!("{} & {:#x}", text.at(Level::BitAnd), ty.mask()), Level::BitAnd),
    }
}

impl Emitter<'_> {
    /// An expression that can stand anywhere.
    pub(super) fn expr(&self, e: &Expr) -> String {
        self.text(e).0
    }

    /// An expression that can be an operand.
    pub(super) fn operand(&self, e: &Expr) -> String {
        self.text(e).at(Level::Atom)
    }

    fn text(&self, e: &Expr) -> Text {
        match &e.kind {
            ExprKind::Const(value) => Text::atom(number(*value)),
            ExprKind::Bool(b) => Text::atom(if *b { "1" } else { "0" }),
            ExprKind::Field(h, f) => self.field(*h, *f),
            ExprKind::Var(v) => Text::atom(self.vars[v.index()].clone()),
            ExprKind::Valid(h) => Text::atom(self.valid(*h)),
            ExprKind::Builtin(Builtin::FrameLength) => Text::atom("frame_length"),
            ExprKind::Builtin(Builtin::IngressPort) => Text::atom("ingress_port(ctx)"),
            ExprKind::Unary(UnOp::Not, a) => {
                Text(format!("!{}", self.text(a).at(Level::Unary)), Level::Unary)
            }
            ExprKind::Unary(UnOp::BitNot, a) => {
                wrap(Text(format!("~{}", self.typed(a).at(Level::Unary)), Level::Unary), e.ty)
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, e.ty),
            ExprKind::Slice { of, hi, lo } => {
                let inner = self.typed(of);
                let shifted = if *lo == 0 {
                    inner
                } else {
                    Text(format!("{} >> {lo}", inner.at(Level::Product)), Level::Shift)
                };
                if *hi + 1 == of.ty.width() { self.convert(shifted, of.ty, e.ty) } else { cut(shifted, e.ty) }
            }
            ExprKind::Cast(a) if a.ty.width() <= e.ty.width() => self.convert(self.text(a), a.ty, e.ty),
            ExprKind::Cast(a) => cut(self.text(a), e.ty),
            ExprKind::Mux(c, a, b) => Text(
                format!(
                    "{} ? {} : {}",
                    self.text(c).at(Level::Or),
                    self.typed(a).at(Level::Or),
                    self.text(b).at(Level::Mux)
                ),
                Level::Mux,
            ),
        }
    }

    /// An expression of its own type, where a plain constant would be C's `int`: too narrow, and signed.
    fn typed(&self, e: &Expr) -> Text {
        match e.kind {
            ExprKind::Const(value) => constant(value, e.ty),
            _ => self.text(e),
        }
    }

    /// The same, as an operand.
    pub(super) fn typed_operand(&self, e: &Expr) -> String {
        self.typed(e).at(Level::Atom)
    }

    /// Is the header there? Where ways meet, its pointer says so: were clang to keep the answer in a flag, the verifier
    /// could not follow.
    pub(super) fn valid(&self, h: HeaderId) -> String {
        if self.in_packet(h) && self.scope.get() == Scope::Shared {
            format!("is_there(&{})", self.header(h))
        } else {
            format!("{}.valid", self.header(h))
        }
    }

    /// A field: of a struct, or where it lies in the packet, or 0 while its header is not there.
    fn field(&self, h: HeaderId, f: FieldId) -> Text {
        let field = &self.p.field(h, f).name;
        if !self.in_packet(h) {
            return Text::atom(format!("{}.{field}", self.header(h)));
        }
        if self.here.borrow().is_lifted(h) {
            return Text::atom(format!("{}.{field}", self.copy(h)));
        }
        let read = format!("{}_{field}({})", self.p.header_type(h).name, self.pointer(h));
        if self.here.borrow().is_valid(h) {
            Text::atom(read)
        } else {
            Text::atom(format!("({} ? {read} : 0)", self.valid(h)))
        }
    }

    /// A value that fits, in another type.
    fn convert(&self, text: Text, from: Type, to: Type) -> Text {
        if c_type(from) == c_type(to) {
            return text;
        }
        Text(format!("({}){}", c_type(to), text.at(Level::Unary)), Level::Unary)
    }

    fn binary(&self, op: BinOp, a: &Expr, b: &Expr, ty: Type) -> Text {
        let join = |symbol: &str, level: Level, next: Level| {
            Text(format!("{} {symbol} {}", self.text(a).at(level), self.text(b).at(next)), level)
        };
        let sum = |symbol: &str| {
            let left = if is_constant(b) { self.typed(a) } else { self.text(a) };
            let right = self.text(b).at(Level::Product);
            Text(format!("{} {symbol} {right}", left.at(Level::Sum)), Level::Sum)
        };
        match op {
            BinOp::Add => wrap(sum("+"), ty),
            BinOp::Sub => wrap(sum("-"), ty),
            BinOp::Mul => wrap(self.product(a, b, ty), ty),
            // Compilers warn of `a | b & c`; so these are always in brackets.
            BinOp::BitAnd => join("&", Level::Atom, Level::Atom).with_level(Level::BitAnd),
            BinOp::BitOr => join("|", Level::Atom, Level::Atom).with_level(Level::BitOr),
            BinOp::BitXor => join("^", Level::Atom, Level::Atom).with_level(Level::BitXor),
            BinOp::Shl | BinOp::Shr => self.shift(op, a, b, ty),
            BinOp::Concat => {
                let high = match a.kind {
                    ExprKind::Const(value) => constant(value, ty),
                    _ => self.convert(self.text(a), a.ty, ty),
                };
                let high = high.at(Level::Unary);
                Text(format!("{high} << {} | {}", b.ty.width(), self.text(b).at(Level::Shift)), Level::BitOr)
            }
            BinOp::Eq => join("==", Level::Order, Level::Order).with_level(Level::Equal),
            BinOp::Ne => join("!=", Level::Order, Level::Order).with_level(Level::Equal),
            BinOp::Lt => join("<", Level::Shift, Level::Shift).with_level(Level::Order),
            BinOp::Le => join("<=", Level::Shift, Level::Shift).with_level(Level::Order),
            BinOp::Gt => join(">", Level::Shift, Level::Shift).with_level(Level::Order),
            BinOp::Ge => join(">=", Level::Shift, Level::Shift).with_level(Level::Order),
            BinOp::And => {
                let left = self.text(a).at(Level::BitOr);
                let before = self.here.borrow().clone();
                self.here.borrow_mut().know(a);
                let right = self.text(b).at(Level::BitOr);
                self.here.replace(before);
                Text(format!("{left} && {right}"), Level::And)
            }
            BinOp::Or => {
                let side = |e: &Expr| match &e.kind {
                    ExprKind::Binary(BinOp::Or, ..) => self.text(e).at(Level::Or),
                    _ => self.text(e).at(Level::BitOr),
                };
                let left = side(a);
                let before = self.here.borrow().clone();
                self.here.borrow_mut().know_not(a);
                let right = side(b);
                self.here.replace(before);
                Text(format!("{left} || {right}"), Level::Or)
            }
        }
    }

    fn product(&self, a: &Expr, b: &Expr, ty: Type) -> Text {
        // Products of small types would be signed.
        let unsigned = if ty.width() <= 32 { "u32" } else { "u64" };
        let left = self.text(a).at(Level::Unary);
        Text(format!("({unsigned}){left} * {}", self.text(b).at(Level::Unary)), Level::Product)
    }

    fn shift(&self, op: BinOp, a: &Expr, b: &Expr, ty: Type) -> Text {
        let amount = if let ExprKind::Const(n) = b.kind { n } else { u128::MAX };
        if amount >= u128::from(ty.width()) {
            return constant(0, ty);
        }
        let (symbol, left) = match op {
            BinOp::Shl if ty.width() < 32 => ("<<", format!("(u32){}", self.text(a).at(Level::Unary))),
            BinOp::Shl => ("<<", self.typed(a).at(Level::Unary)),
            _ => (">>", self.typed(a).at(Level::Unary)),
        };
        let shifted = Text(format!("{left} {symbol} {amount}"), Level::Shift);
        if op == BinOp::Shl { wrap(shifted, ty) } else { shifted }
    }
}

impl Text {
    fn with_level(mut self, level: Level) -> Self {
        self.1 = level;
        self
    }
}

fn is_constant(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Const(_))
}

/// A constant of a C type; what is no wider than 16 bits is an `int` wherever it is computed with.
fn constant(value: u128, ty: Type) -> Text {
    if ty.width() <= 16 || value > u128::from(u64::MAX) {
        return Text::atom(number(value));
    }
    Text(format!("({}){}", c_type(ty), number(value)), Level::Unary)
}

/// The low bits of a wider value.
fn cut(text: Text, ty: Type) -> Text {
    match ty.width() {
        8 | 16 | 32 | 64 => Text(format!("({}){}", c_type(ty), text.at(Level::Unary)), Level::Unary),
        w if w > 64 => Text(format!("{} & {}", text.at(Level::Atom), number(ty.mask())), Level::BitAnd),
        _ => Text(format!("({})({} & {:#x})", c_type(ty), text.at(Level::Atom), ty.mask()), Level::Unary),
    }
}
