//! Integer literals, with the base and the digits they are written in.

/// How the digits of an integer literal are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Base {
    /// `0b101`
    Binary,
    /// `0o17`
    Octal,
    /// `42`
    Decimal,
    /// `0x2a`
    Hex,
}

impl Base {
    /// 2, 8, 10 or 16.
    pub fn radix(self) -> u32 {
        match self {
            Self::Binary => 2,
            Self::Octal => 8,
            Self::Decimal => 10,
            Self::Hex => 16,
        }
    }

    /// The prefix of the digits.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Binary => "0b",
            Self::Octal => "0o",
            Self::Decimal => "",
            Self::Hex => "0x",
        }
    }
}

/// The size prefix of a literal: `16w` or `8s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Width {
    /// Bits.
    pub bits: u32,
    /// Two's complement (`s`) instead of unsigned (`w`).
    pub signed: bool,
}

/// An integer literal of up to 128 bits.
///
/// The fields are private because the number of digits depends on the value: it is never less than
/// the value needs, and always 0 in decimal, which P4 never pads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Int {
    value: u128,
    base: Base,
    digits: u32,
    width: Option<Width>,
}

impl Int {
    /// A decimal literal without a size.
    pub fn new(value: u128) -> Self {
        Self { value, base: Base::Decimal, digits: 0, width: None }
    }

    /// The same number in another base, with at least `digits` digits (no effect in decimal).
    #[must_use]
    pub fn in_base(mut self, base: Base, digits: u32) -> Self {
        self.base = base;
        self.digits = if base == Base::Decimal { 0 } else { digits.max(needed(self.value, base)) };
        self
    }

    /// With a size prefix: `16w`.
    #[must_use]
    pub fn sized(mut self, bits: u32) -> Self {
        self.width = Some(Width { bits, signed: false });
        self
    }

    /// With a size prefix: `16w` or `16s`.
    #[must_use]
    pub fn with_width(mut self, width: Width) -> Self {
        self.width = Some(width);
        self
    }

    /// The number.
    pub fn value(&self) -> u128 {
        self.value
    }

    /// The base it is written in.
    pub fn base(&self) -> Base {
        self.base
    }

    /// How many digits it is written with, 0 in decimal.
    pub fn digits(&self) -> u32 {
        self.digits
    }

    /// The size prefix.
    pub fn width(&self) -> Option<Width> {
        self.width
    }
}

/// Digits that `value` needs in a base that is a power of two.
fn needed(value: u128, base: Base) -> u32 {
    let per_digit = match base {
        Base::Binary => 1,
        Base::Octal => 3,
        Base::Hex => 4,
        Base::Decimal => return 0,
    };
    (128 - value.leading_zeros()).div_ceil(per_digit).max(1)
}
