//! Longest prefix match on one field, exact match on the others: an exact table per prefix length.

use super::{Action, AnyTable, Exact, Key, Match, Row, Table, TableError};
use alloc::vec::Vec;

/// A key one of whose fields is matched by prefix.
pub trait LpmKey: Key {
    /// The number of that field.
    const FIELD: usize;
    /// The key with that field cut to its highest bits.
    #[must_use]
    fn cut(&self, length: u8) -> Self;
}

/// An LPM table of at most `size` entries.
#[derive(Clone, Debug)]
pub struct Lpm<K, A> {
    default: A,
    size: u32,
    entries: u32,
    /// By prefix length, the longest first.
    levels: Vec<(u8, Exact<K, A>)>,
}

impl<K: LpmKey, A: Action> Lpm<K, A> {
    /// Without entries.
    #[must_use]
    pub fn new(size: u32, default: A) -> Self {
        Self { default, size, entries: 0, levels: Vec::new() }
    }

    #[inline]
    fn find(&self, key: &K) -> Option<(usize, usize)> {
        let mut levels = self.levels.iter().enumerate();
        levels.find_map(|(i, (length, level))| Some((i, level.find(&key.cut(*length))?)))
    }

    /// An entry's key and prefix length.
    fn name(key: &[Match]) -> Result<(u8, K), TableError> {
        let mut values = [0; 32];
        let mut prefix = None;
        if key.len() > values.len() {
            return Err(TableError::Shape);
        }
        for (i, (to, field)) in values.iter_mut().zip(key).enumerate() {
            *to = match *field {
                Match::Prefix { value, mask, length } if i == K::FIELD => {
                    prefix = Some(length);
                    value & mask
                }
                Match::Exact(value) if i != K::FIELD => value,
                _ => return Err(TableError::Shape),
            };
        }
        Ok((prefix.ok_or(TableError::Shape)?, K::from_values(&values[..key.len()])))
    }

    fn level(&mut self, length: u8) -> Option<&mut Exact<K, A>> {
        self.levels.iter_mut().find(|(l, _)| *l == length).map(|(_, level)| level)
    }
}

impl<K: LpmKey, A: Action> Table for Lpm<K, A> {
    type Key = K;
    type Action = A;
    #[inline]
    fn apply(&mut self, key: &K, length: u32) -> &A {
        let found = self.find(key);
        let row = found.and_then(|(level, at)| self.levels.get_mut(level)?.1.row(at));
        row.map_or(&self.default, |row| row.hit(length))
    }
    #[inline]
    fn knows(&self, key: &K) -> bool {
        let found = self.find(key).and_then(|(level, at)| self.levels.get(level)?.1.action(at));
        found.is_some_and(|a| !a.is_default())
    }
}

impl<K: LpmKey, A: Action> AnyTable for Lpm<K, A> {
    fn insert(&mut self, key: &[Match], _: i32, action: u32, data: &[u128]) -> Result<(), TableError> {
        let action = A::from_parts(action, data).ok_or(TableError::Shape)?;
        let (length, key) = Self::name(key)?;
        let (size, entries, default) = (self.size, self.entries, self.default);
        if self.level(length).is_some_and(|level| level.find(&key).is_some()) {
            return Err(TableError::Exists);
        }
        if entries >= size {
            return Err(TableError::Full);
        }
        if self.level(length).is_none() {
            let at = self.levels.partition_point(|(l, _)| *l > length);
            self.levels.insert(at, (length, Exact::new(size, default)));
        }
        self.level(length).ok_or(TableError::Full)?.add(key, Row::new(action))?;
        self.entries += 1;
        Ok(())
    }
    fn modify(&mut self, key: &[Match], _: i32, action: u32, data: &[u128]) -> Result<(), TableError> {
        let action = A::from_parts(action, data).ok_or(TableError::Shape)?;
        let (length, key) = Self::name(key)?;
        let level = self.level(length).ok_or(TableError::NotFound)?;
        let at = level.find(&key).ok_or(TableError::NotFound)?;
        level.row(at).map(|row| row.action = action).ok_or(TableError::NotFound)
    }
    fn delete(&mut self, key: &[Match], _: i32) -> Result<(), TableError> {
        let (length, key) = Self::name(key)?;
        self.level(length).ok_or(TableError::NotFound)?.remove(&key)?;
        self.levels.retain(|(_, level)| !level.is_empty());
        self.entries -= 1;
        Ok(())
    }
    fn count(&self, key: &[Match], _: i32) -> Option<(u64, u64)> {
        let (length, key) = Self::name(key).ok()?;
        let level = &self.levels.iter().find(|(l, _)| *l == length)?.1;
        level.counts(level.find(&key)?)
    }
}
