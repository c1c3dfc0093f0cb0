//! Match-action tables: by slot, exact, longest prefix, linear.
//!
//! Generated code brings a [`Key`] and an [`Action`] type per table, looks up with [`Table::apply`], and is written
//! to through [`AnyTable`].

mod exact;
mod linear;
mod lpm;
mod slots;

pub use exact::Exact;
pub use linear::Linear;
pub use lpm::{Lpm, LpmKey};
pub use slots::Slots;

/// A table's key: a value for each field.
pub trait Key: Copy + Eq {
    /// The key with these values, one for each field; what is missing is 0.
    fn from_values(values: &[u128]) -> Self;
    /// The value of a field; 0 beyond the last.
    fn value(&self, field: usize) -> u128;
    /// A hash that spreads over all 64 bits.
    fn spread(&self) -> u64;
}

/// Mixes a word into a hash.
#[inline(always)]
#[must_use]
pub const fn mix(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word ^ 0x243f_6a88_85a3_08d3) as u128 * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

/// A value of a list; 0 beyond its end.
#[must_use]
pub fn at(values: &[u128], index: usize) -> u128 {
    values.get(index).copied().unwrap_or(0)
}

/// The highest `length` of a value's `width` bits; the others become 0.
#[inline]
#[must_use]
pub fn prefix(value: u128, width: u8, length: u8) -> u128 {
    let open = u32::from(width.saturating_sub(length));
    if open >= 128 { 0 } else { value >> open << open }
}

/// What a table can do to a packet, with its data.
pub trait Action: Copy {
    /// The action with this number in the pipeline, with its data; what is missing is 0. None: it is not the
    /// table's.
    fn from_parts(action: u32, data: &[u128]) -> Option<Self>;
    /// Is it the default, so that a flow whose backend has it is gone?
    fn is_default(&self) -> bool;
}

/// A field of an entry's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Match {
    Exact(u128),
    /// Bits where `mask` has ones; `length` ones from the high end.
    Prefix {
        value: u128,
        mask: u128,
        length: u8,
    },
    Masked {
        value: u128,
        mask: u128,
    },
    Range {
        low: u128,
        high: u128,
    },
    Any,
}

impl Match {
    #[inline]
    fn covers(&self, value: u128) -> bool {
        match *self {
            Self::Exact(v) => v == value,
            Self::Prefix { value: v, mask, .. } | Self::Masked { value: v, mask } => value & mask == v & mask,
            Self::Range { low, high } => low <= value && value <= high,
            Self::Any => true,
        }
    }
    fn exact(&self) -> Option<u128> {
        if let Self::Exact(v) = self { Some(*v) } else { None }
    }
}

/// Why a table was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// There is such an entry, or its slot is taken.
    Exists,
    /// There is no such entry.
    NotFound,
    /// The table holds as many entries as it may.
    Full,
    /// Key or action are none of this table's.
    Shape,
}

/// An action with its counts.
#[derive(Clone, Copy, Debug)]
struct Row<A> {
    action: A,
    packets: u64,
    bytes: u64,
}

impl<A> Row<A> {
    fn new(action: A) -> Self {
        Self { action, packets: 0, bytes: 0 }
    }
    #[inline(always)]
    fn hit(&mut self, length: u32) -> &A {
        self.packets += 1;
        self.bytes += u64::from(length);
        &self.action
    }
}

/// What generated code asks of a table.
pub trait Table {
    /// Its keys.
    type Key: Key;
    /// Its actions.
    type Action: Action;
    /// The action for a key; a hit counts a packet of `length` bytes.
    fn apply(&mut self, key: &Self::Key, length: u32) -> &Self::Action;
    /// Does the key lead to another action than the default? Nothing counts.
    fn knows(&self, key: &Self::Key) -> bool;
}

/// What the control plane asks of a table. An entry is named by key and priority together.
pub trait AnyTable {
    /// Adds an entry.
    ///
    /// # Errors
    /// If it is there already, there is no room, or it is none of this table's.
    fn insert(&mut self, key: &[Match], priority: i32, action: u32, data: &[u128]) -> Result<(), TableError>;
    /// Replaces an entry's action; counts stay.
    ///
    /// # Errors
    /// If it is not there, or the action is none of this table's.
    fn modify(&mut self, key: &[Match], priority: i32, action: u32, data: &[u128]) -> Result<(), TableError>;
    /// Removes an entry.
    ///
    /// # Errors
    /// If it is not there.
    fn delete(&mut self, key: &[Match], priority: i32) -> Result<(), TableError>;
    /// Packets and bytes that hit an entry.
    fn count(&self, key: &[Match], priority: i32) -> Option<(u64, u64)>;
}

/// The key that only exact fields make.
fn exact_key<K: Key>(key: &[Match]) -> Result<K, TableError> {
    let mut values = [0; 32];
    for (to, field) in values.iter_mut().zip(key) {
        *to = field.exact().ok_or(TableError::Shape)?;
    }
    if key.len() > values.len() {
        return Err(TableError::Shape);
    }
    Ok(K::from_values(&values[..key.len()]))
}

#[cfg(test)]
mod tests;
