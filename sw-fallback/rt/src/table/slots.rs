//! Exact match on one field whose low bits are a slot.

use super::{Action, AnyTable, Key, Match, Row, Table, TableError, exact_key};
use alloc::vec::Vec;

/// An array of `2^bits` slots, of which at most `size` hold an entry.
#[derive(Clone, Debug)]
pub struct Slots<K, A> {
    default: A,
    size: usize,
    entries: usize,
    slots: Vec<Option<(K, Row<A>)>>,
}

impl<K: Key, A: Action> Slots<K, A> {
    /// Without entries. At most 24 bits.
    #[must_use]
    pub fn new(size: u32, bits: u8, default: A) -> Self {
        let mut slots = Vec::new();
        slots.resize(1 << bits.min(24), None);
        Self { default, size: size as usize, entries: 0, slots }
    }

    #[inline(always)]
    fn slot(&self, key: &K) -> usize {
        key.value(0) as usize & self.slots.len().wrapping_sub(1)
    }

    #[inline(always)]
    fn get(&self, key: &K) -> Option<&Row<A>> {
        self.slots.get(self.slot(key))?.as_ref().filter(|(k, _)| k == key).map(|(_, row)| row)
    }
}

impl<K: Key, A: Action> Table for Slots<K, A> {
    type Key = K;
    type Action = A;
    #[inline(always)]
    fn apply(&mut self, key: &K, length: u32) -> &A {
        let slot = self.slot(key);
        match self.slots.get_mut(slot) {
            Some(Some((k, row))) if k == key => row.hit(length),
            _ => &self.default,
        }
    }
    #[inline(always)]
    fn knows(&self, key: &K) -> bool {
        self.get(key).is_some_and(|row| !row.action.is_default())
    }
}

impl<K: Key, A: Action> AnyTable for Slots<K, A> {
    fn insert(&mut self, key: &[Match], _: i32, action: u32, data: &[u128]) -> Result<(), TableError> {
        let action = A::from_parts(action, data).ok_or(TableError::Shape)?;
        let key: K = exact_key(key)?;
        let slot = self.slot(&key);
        let cell = self.slots.get_mut(slot).ok_or(TableError::Shape)?;
        if cell.is_some() {
            return Err(TableError::Exists);
        }
        if self.entries >= self.size {
            return Err(TableError::Full);
        }
        *cell = Some((key, Row::new(action)));
        self.entries += 1;
        Ok(())
    }
    fn modify(&mut self, key: &[Match], _: i32, action: u32, data: &[u128]) -> Result<(), TableError> {
        let action = A::from_parts(action, data).ok_or(TableError::Shape)?;
        let key: K = exact_key(key)?;
        let slot = self.slot(&key);
        match self.slots.get_mut(slot) {
            Some(Some((k, row))) if *k == key => row.action = action,
            _ => return Err(TableError::NotFound),
        }
        Ok(())
    }
    fn delete(&mut self, key: &[Match], _: i32) -> Result<(), TableError> {
        let key: K = exact_key(key)?;
        self.get(&key).ok_or(TableError::NotFound)?;
        let slot = self.slot(&key);
        self.slots[slot] = None;
        self.entries -= 1;
        Ok(())
    }
    fn count(&self, key: &[Match], _: i32) -> Option<(u64, u64)> {
        self.get(&exact_key(key).ok()?).map(|row| (row.packets, row.bytes))
    }
}
