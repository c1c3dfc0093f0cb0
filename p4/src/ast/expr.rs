//! Expressions.

use super::{Base, BinaryOp, Int, Type, UnaryOp};

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// An integer literal.
    Int(Int),
    /// `true`, `false`
    Bool(bool),
    /// A string literal, without its quotes.
    String(String),
    /// A name.
    Name(String),
    /// `base.member`
    Member(Box<Expr>, String),
    /// `base[index]`
    Index(Box<Expr>, Box<Expr>),
    /// `base[hi:lo]`: bits `hi` down to `lo`, both included.
    Slice(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `callee<types>(args)`: functions, methods, constructors.
    Call(Box<Expr>, Vec<Type>, Vec<Arg>),
    /// `(type) operand`
    Cast(Type, Box<Expr>),
    /// A prefix operator.
    Unary(UnaryOp, Box<Expr>),
    /// An infix operator.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `condition ? yes : no`
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `{ a, b }`
    List(Vec<Expr>),
    /// `{ name = a, other = b }`; never empty, since `{ }` is a list.
    Record(Vec<(String, Expr)>),
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// The parameter's name, where it is given.
    pub name: Option<String>,
    /// The value.
    pub value: Expr,
}

impl Arg {
    /// `name = value`
    pub fn named(name: impl Into<String>, value: impl Into<Expr>) -> Self {
        Self { name: Some(name.into()), value: value.into() }
    }
}

impl<E: Into<Expr>> From<E> for Arg {
    fn from(value: E) -> Self {
        Self { name: None, value: value.into() }
    }
}

impl From<&str> for Expr {
    /// A name or a dotted path.
    fn from(path: &str) -> Self {
        Self::path(path)
    }
}

impl From<u128> for Expr {
    fn from(value: u128) -> Self {
        Self::int(value)
    }
}

impl From<u32> for Expr {
    fn from(value: u32) -> Self {
        Self::int(u128::from(value))
    }
}

impl From<bool> for Expr {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Int> for Expr {
    fn from(value: Int) -> Self {
        Self::Int(value)
    }
}

impl Expr {
    /// A decimal literal: `42`.
    pub fn int(value: u128) -> Self {
        Self::Int(Int::new(value))
    }

    /// A hex literal with as few digits as it takes: `0x2a`.
    pub fn hex(value: u128) -> Self {
        Self::hex_padded(value, 1)
    }

    /// A hex literal with at least `digits` digits: `0x002a`.
    pub fn hex_padded(value: u128, digits: u32) -> Self {
        Self::Int(Int::new(value).in_base(Base::Hex, digits))
    }

    /// A sized decimal literal: `16w42`.
    pub fn sized(width: u32, value: u128) -> Self {
        Self::Int(Int::new(value).sized(width))
    }

    /// A sized hex literal, padded to its width: `16w0x002a`.
    pub fn sized_hex(width: u32, value: u128) -> Self {
        Self::Int(Int::new(value).in_base(Base::Hex, width.div_ceil(4)).sized(width))
    }

    /// A string literal.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// A name.
    pub fn name(name: impl Into<String>) -> Self {
        Self::Name(name.into())
    }

    /// A dotted path: `h.ipv4.dst`.
    pub fn path(path: &str) -> Self {
        match path.rsplit_once('.') {
            Some((base, member)) => Self::path(base).member(member),
            None => Self::name(path),
        }
    }

    /// `{ a, b }`
    pub fn list<E: Into<Self>>(items: impl IntoIterator<Item = E>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// `name(args)`: a call of a function or a constructor.
    pub fn call<A: Into<Arg>>(name: impl Into<String>, args: impl IntoIterator<Item = A>) -> Self {
        Self::name(name).invoke(args)
    }

    /// `name()`: a call without arguments.
    pub fn call0(name: impl Into<String>) -> Self {
        Self::name(name).invoke0()
    }

    /// `self.name`
    #[must_use]
    pub fn member(self, name: impl Into<String>) -> Self {
        Self::Member(Box::new(self), name.into())
    }

    /// `self[index]`
    #[must_use]
    pub fn index(self, index: impl Into<Self>) -> Self {
        Self::Index(Box::new(self), Box::new(index.into()))
    }

    /// `self[hi:lo]`: bits `hi` down to `lo`, both included.
    #[must_use]
    pub fn slice(self, hi: impl Into<Self>, lo: impl Into<Self>) -> Self {
        Self::Slice(Box::new(self), Box::new(hi.into()), Box::new(lo.into()))
    }

    /// `self(args)`
    #[must_use]
    pub fn invoke<A: Into<Arg>>(self, args: impl IntoIterator<Item = A>) -> Self {
        self.invoke_typed([], args)
    }

    /// `self()`
    #[must_use]
    pub fn invoke0(self) -> Self {
        Self::Call(Box::new(self), Vec::new(), Vec::new())
    }

    /// `self<types>(args)`
    #[must_use]
    pub fn invoke_typed<A: Into<Arg>>(
        self,
        types: impl IntoIterator<Item = Type>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self::Call(Box::new(self), types.into_iter().collect(), args)
    }

    /// `self.name(args)`
    #[must_use]
    pub fn method<A: Into<Arg>>(self, name: impl Into<String>, args: impl IntoIterator<Item = A>) -> Self {
        self.member(name).invoke(args)
    }

    /// `self.name()`
    #[must_use]
    pub fn method0(self, name: impl Into<String>) -> Self {
        self.member(name).invoke0()
    }

    /// `self.isValid()`
    #[must_use]
    pub fn is_valid(self) -> Self {
        self.method0("isValid")
    }

    /// `(ty) self`
    #[must_use]
    pub fn cast(self, ty: impl Into<Type>) -> Self {
        Self::Cast(ty.into(), Box::new(self))
    }

    /// `!self`
    #[must_use]
    pub fn inverted(self) -> Self {
        Self::Unary(UnaryOp::Not, Box::new(self))
    }

    /// `~self`
    #[must_use]
    pub fn complement(self) -> Self {
        Self::Unary(UnaryOp::Complement, Box::new(self))
    }

    /// `-self`
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Unary(UnaryOp::Negate, Box::new(self))
    }

    /// `self ? yes : no`
    #[must_use]
    pub fn choose(self, yes: impl Into<Self>, no: impl Into<Self>) -> Self {
        Self::Ternary(Box::new(self), Box::new(yes.into()), Box::new(no.into()))
    }

    /// `self op right`
    #[must_use]
    pub fn binary(self, op: BinaryOp, right: impl Into<Self>) -> Self {
        Self::Binary(op, Box::new(self), Box::new(right.into()))
    }

    /// All of `items` joined by `op`, leftmost first; `None` if there are none.
    pub fn join(op: BinaryOp, items: impl IntoIterator<Item = Self>) -> Option<Self> {
        items.into_iter().reduce(|left, right| left.binary(op, right))
    }
}

/// One method for each infix operator.
macro_rules! infix {
    ($($method:ident = $op:ident, $text:literal;)+) => {
        impl Expr {$(
            #[doc = concat!("`self ", $text, " right`")]
            #[must_use]
            pub fn $method(self, right: impl Into<Self>) -> Self {
                self.binary(BinaryOp::$op, right)
            }
        )+}
    };
}

infix! {
    or = Or, "||";
    and = And, "&&";
    equals = Equal, "==";
    differs = NotEqual, "!=";
    less = Less, "<";
    less_equal = LessEqual, "<=";
    greater = Greater, ">";
    greater_equal = GreaterEqual, ">=";
    bit_or = BitOr, "|";
    bit_xor = BitXor, "^";
    bit_and = BitAnd, "&";
    shift_left = ShiftLeft, "<<";
    shift_right = ShiftRight, ">>";
    concat = Concat, "++";
    plus = Add, "+";
    minus = Subtract, "-";
    times = Multiply, "*";
    divided = Divide, "/";
    modulo = Modulo, "%";
}
