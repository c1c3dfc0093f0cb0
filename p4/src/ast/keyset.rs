//! What a key is compared with in a `select` case or a table entry.

use super::Expr;

/// One component of a keyset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyset {
    /// Equal to a value (or in a named value set).
    Value(Expr),
    /// `value &&& mask`: equal in the bits of the mask.
    Mask(Expr, Expr),
    /// `low .. high`, both included.
    Range(Expr, Expr),
    /// `default`: anything.
    Default,
    /// `_`: anything.
    DontCare,
}

impl Keyset {
    /// Equal to a value.
    pub fn value(value: impl Into<Expr>) -> Self {
        Self::Value(value.into())
    }

    /// `value &&& mask`
    pub fn mask(value: impl Into<Expr>, mask: impl Into<Expr>) -> Self {
        Self::Mask(value.into(), mask.into())
    }

    /// `low .. high`
    pub fn range(low: impl Into<Expr>, high: impl Into<Expr>) -> Self {
        Self::Range(low.into(), high.into())
    }
}

impl<E: Into<Expr>> From<E> for Keyset {
    fn from(value: E) -> Self {
        Self::Value(value.into())
    }
}
