//! What the generated bindings stand on: typed key fields, and entries read back into them.

use std::ops::RangeInclusive;

use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;

/// An entry that is not one of the table that it was to be read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotThis(String);

impl std::fmt::Display for NotThis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotThis {}

impl NotThis {
    /// The entry's action is none that the table has.
    #[must_use]
    pub fn action(entry: &Entry) -> Self {
        Self(format!("table `{}` has no action `{}`", entry.table, entry.action))
    }
}

/// A value of which the first `prefix` bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Prefix<T> {
    pub value: T,
    pub prefix: u8,
}

/// A value of which the bits in `mask` count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Masked<T> {
    pub value: T,
    pub mask: T,
}

/// A key field of a generated `Key`.
pub trait KeyField: Sized {
    /// As an entry has it.
    fn write(self) -> KeyValue;
    /// From an entry; `None` where it is of another kind or too big.
    fn read(value: KeyValue) -> Option<Self>;
    /// What an absent field means; `None` where it may not be absent.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! numbers {
    ($($ty:ty)*) => { $(
        impl KeyField for $ty {
            fn write(self) -> KeyValue {
                KeyValue::Exact(u128::from(self))
            }
            fn read(value: KeyValue) -> Option<Self> {
                match value {
                    KeyValue::Exact(n) => Self::try_from(n).ok(),
                    _ => None,
                }
            }
        }
        impl KeyField for RangeInclusive<$ty> {
            fn write(self) -> KeyValue {
                KeyValue::Range { low: u128::from(*self.start()), high: u128::from(*self.end()) }
            }
            fn read(value: KeyValue) -> Option<Self> {
                match value {
                    KeyValue::Range { low, high } => Some(<$ty>::try_from(low).ok()?..=<$ty>::try_from(high).ok()?),
                    _ => None,
                }
            }
            fn absent() -> Option<Self> {
                Some(<$ty>::MIN..=<$ty>::MAX)
            }
        }
    )* };
}
numbers!(u8 u16 u32 u64 u128);

impl<T: Into<u128> + TryFrom<u128>> KeyField for Prefix<T> {
    fn write(self) -> KeyValue {
        KeyValue::Lpm { value: self.value.into(), prefix: self.prefix }
    }
    fn read(value: KeyValue) -> Option<Self> {
        match value {
            KeyValue::Lpm { value, prefix } => Some(Self { value: T::try_from(value).ok()?, prefix }),
            _ => None,
        }
    }
    fn absent() -> Option<Self> {
        Some(Self { value: T::try_from(0).ok()?, prefix: 0 })
    }
}

impl<T: Into<u128> + TryFrom<u128>> KeyField for Masked<T> {
    fn write(self) -> KeyValue {
        KeyValue::Ternary { value: self.value.into(), mask: self.mask.into() }
    }
    fn read(value: KeyValue) -> Option<Self> {
        match value {
            KeyValue::Ternary { value, mask } => {
                Some(Self { value: T::try_from(value).ok()?, mask: T::try_from(mask).ok()? })
            }
            _ => None,
        }
    }
    fn absent() -> Option<Self> {
        Some(Self { value: T::try_from(0).ok()?, mask: T::try_from(0).ok()? })
    }
}

impl<T: Into<u128> + TryFrom<u128>> KeyField for Option<T> {
    fn write(self) -> KeyValue {
        KeyValue::Optional(self.map(Into::into))
    }
    fn read(value: KeyValue) -> Option<Self> {
        match value {
            KeyValue::Optional(Some(n)) => T::try_from(n).ok().map(Some),
            KeyValue::Optional(None) => Some(None),
            _ => None,
        }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// Is the entry one of this table?
///
/// # Errors
/// It is another table's.
pub fn of_table(entry: &Entry, table: &str) -> Result<(), NotThis> {
    if entry.table == table {
        return Ok(());
    }
    Err(NotThis(format!("an entry of `{}`, not of `{table}`", entry.table)))
}

/// A key field of an entry.
///
/// # Errors
/// It is missing where it is needed, of another kind, or too big.
pub fn key<T: KeyField>(entry: &Entry, name: &str) -> Result<T, NotThis> {
    match entry.key.iter().find(|(n, _)| n == name) {
        Some((_, value)) => {
            T::read(*value).ok_or_else(|| NotThis(format!("`{name}` does not fit table `{}`", entry.table)))
        }
        None => T::absent().ok_or_else(|| NotThis(format!("an entry of `{}` without `{name}`", entry.table))),
    }
}

/// A parameter of an entry's action.
///
/// # Errors
/// It is missing or too big.
pub fn param<T: TryFrom<u128>>(entry: &Entry, name: &str) -> Result<T, NotThis> {
    let found = entry.params.iter().find(|(n, _)| n == name);
    let Some((_, value)) = found else {
        return Err(NotThis(format!("an action `{}` without `{name}`", entry.action)));
    };
    T::try_from(*value)
        .map_err(|_| NotThis(format!("`{name}` = {value} does not fit action `{}`", entry.action)))
}
