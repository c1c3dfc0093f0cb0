//! Exact match: open addressing, linear probing, removal without tombstones.

use super::{Action, AnyTable, Key, Match, Row, Table, TableError, exact_key};
use alloc::vec::Vec;

/// An exact table of at most `size` entries.
#[derive(Clone, Debug)]
pub struct Exact<K, A> {
    default: A,
    size: usize,
    entries: usize,
    /// A power of two of them, at least half free.
    cells: Vec<Option<(K, Row<A>)>>,
}

const FIRST_CELLS: usize = 16;

impl<K: Key, A: Action> Exact<K, A> {
    /// Without entries.
    #[must_use]
    pub fn new(size: u32, default: A) -> Self {
        Self { default, size: size as usize, entries: 0, cells: Vec::new() }
    }

    /// How many entries it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Does it hold none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    #[inline(always)]
    pub(super) fn find(&self, key: &K) -> Option<usize> {
        let mask = self.cells.len().wrapping_sub(1);
        let mut at = key.spread() as usize & mask;
        while let Some((k, _)) = self.cells.get(at)? {
            if k == key {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
        None
    }

    #[inline(always)]
    pub(super) fn row(&mut self, at: usize) -> Option<&mut Row<A>> {
        self.cells.get_mut(at)?.as_mut().map(|cell| &mut cell.1)
    }

    pub(super) fn action(&self, at: usize) -> Option<&A> {
        self.cells.get(at)?.as_ref().map(|cell| &cell.1.action)
    }

    pub(super) fn counts(&self, at: usize) -> Option<(u64, u64)> {
        self.cells.get(at)?.as_ref().map(|cell| (cell.1.packets, cell.1.bytes))
    }

    pub(super) fn add(&mut self, key: K, row: Row<A>) -> Result<(), TableError> {
        if self.find(&key).is_some() {
            return Err(TableError::Exists);
        }
        if self.entries >= self.size {
            return Err(TableError::Full);
        }
        if (self.entries + 1) * 2 > self.cells.len() {
            let more = (self.cells.len() * 2).max(FIRST_CELLS);
            let old = core::mem::take(&mut self.cells);
            self.cells.resize(more, None);
            for (key, row) in old.into_iter().flatten() {
                self.place(key, row);
            }
        }
        self.place(key, row);
        self.entries += 1;
        Ok(())
    }

    /// Puts what is not there into the first free cell of its run.
    fn place(&mut self, key: K, row: Row<A>) {
        let mask = self.cells.len() - 1;
        let mut at = key.spread() as usize & mask;
        while self.cells[at].is_some() {
            at = (at + 1) & mask;
        }
        self.cells[at] = Some((key, row));
    }

    pub(super) fn remove(&mut self, key: &K) -> Result<(), TableError> {
        let mut hole = self.find(key).ok_or(TableError::NotFound)?;
        let mask = self.cells.len() - 1;
        let mut at = hole;
        self.cells[hole] = None;
        self.entries -= 1;
        loop {
            at = (at + 1) & mask;
            let Some((k, _)) = &self.cells[at] else { return Ok(()) };
            let home = k.spread() as usize & mask;
            // Moves back what a lookup that starts at its home would no longer reach across the hole.
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.cells[hole] = self.cells[at].take();
                hole = at;
            }
        }
    }
}

impl<K: Key, A: Action> Table for Exact<K, A> {
    type Key = K;
    type Action = A;
    #[inline(always)]
    fn apply(&mut self, key: &K, length: u32) -> &A {
        match self.find(key).and_then(|at| self.cells.get_mut(at)) {
            Some(Some((_, row))) => row.hit(length),
            _ => &self.default,
        }
    }
    #[inline(always)]
    fn knows(&self, key: &K) -> bool {
        self.find(key).and_then(|at| self.action(at)).is_some_and(|a| !a.is_default())
    }
}

impl<K: Key, A: Action> AnyTable for Exact<K, A> {
    fn insert(&mut self, key: &[Match], _: i32, action: u32, data: &[u128]) -> Result<(), TableError> {
        let action = A::from_parts(action, data).ok_or(TableError::Shape)?;
        self.add(exact_key(key)?, Row::new(action))
    }
    fn modify(&mut self, key: &[Match], _: i32, action: u32, data: &[u128]) -> Result<(), TableError> {
        let action = A::from_parts(action, data).ok_or(TableError::Shape)?;
        let at = self.find(&exact_key(key)?).ok_or(TableError::NotFound)?;
        self.row(at).map(|row| row.action = action).ok_or(TableError::NotFound)
    }
    fn delete(&mut self, key: &[Match], _: i32) -> Result<(), TableError> {
        self.remove(&exact_key(key)?)
    }
    fn count(&self, key: &[Match], _: i32) -> Option<(u64, u64)> {
        self.counts(self.find(&exact_key(key).ok()?)?)
    }
}
