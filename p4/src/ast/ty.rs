//! Types.

/// A type as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `error`
    Error,
    /// `void`, of a function that returns nothing.
    Void,
    /// `int`, of unlimited width, known when compiling.
    Int,
    /// `bit<n>`: unsigned, `n` bits.
    Bits(u32),
    /// `int<n>`: two's complement, `n` bits.
    Signed(u32),
    /// `varbit<n>`: up to `n` bits.
    Varbit(u32),
    /// A type by its name.
    Named(String),
    /// A generic type with its arguments: `register<bit<128>>`.
    Generic(String, Vec<Type>),
    /// A header stack: `vlan_t[2]`.
    Stack(Box<Type>, u32),
    /// `tuple<bit<8>, bool>`
    Tuple(Vec<Type>),
}

impl Type {
    /// `bit<width>`
    pub fn bit(width: u32) -> Self {
        Self::Bits(width)
    }

    /// A type by its name.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Named(name.into())
    }

    /// A generic type with its arguments.
    pub fn generic(name: impl Into<String>, args: impl IntoIterator<Item = Self>) -> Self {
        Self::Generic(name.into(), args.into_iter().collect())
    }

    /// A stack of `size` headers of this type.
    #[must_use]
    pub fn stack(self, size: u32) -> Self {
        Self::Stack(Box::new(self), size)
    }
}

impl From<&str> for Type {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}
