//! Ternary, range and optional match: entries in the order in which they win.

use super::{Action, AnyTable, Key, Match, Row, Table, TableError};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::marker::PhantomData;

/// A table of at most `size` entries. The highest priority wins, then the longest prefix, then the oldest entry.
#[derive(Clone, Debug)]
pub struct Linear<K, A> {
    default: A,
    size: usize,
    lines: Vec<Line<A>>,
    key: PhantomData<K>,
}

#[derive(Clone, Debug)]
struct Line<A> {
    fields: Vec<Match>,
    priority: i32,
    row: Row<A>,
}

/// Higher goes first.
fn rank(fields: &[Match], priority: i32) -> (i32, u8) {
    let lengths = fields.iter().map(|m| if let Match::Prefix { length, .. } = m { *length } else { 0 });
    (priority, lengths.max().unwrap_or(0))
}

impl<K: Key, A: Action> Linear<K, A> {
    /// Without entries.
    #[must_use]
    pub fn new(size: u32, default: A) -> Self {
        Self { default, size: size as usize, lines: Vec::new(), key: PhantomData }
    }

    #[inline]
    fn find(&self, key: &K) -> Option<usize> {
        let covers = |line: &Line<A>| line.fields.iter().enumerate().all(|(i, m)| m.covers(key.value(i)));
        self.lines.iter().position(covers)
    }

    fn named(&self, key: &[Match], priority: i32) -> Option<usize> {
        self.lines.iter().position(|line| line.priority == priority && line.fields == key)
    }
}

impl<K: Key, A: Action> Table for Linear<K, A> {
    type Key = K;
    type Action = A;
    #[inline]
    fn apply(&mut self, key: &K, length: u32) -> &A {
        match self.find(key).and_then(|i| self.lines.get_mut(i)) {
            Some(line) => line.row.hit(length),
            None => &self.default,
        }
    }
    #[inline]
    fn knows(&self, key: &K) -> bool {
        self.find(key).is_some_and(|i| !self.lines[i].row.action.is_default())
    }
}

impl<K: Key, A: Action> AnyTable for Linear<K, A> {
    fn insert(&mut self, key: &[Match], priority: i32, action: u32, data: &[u128]) -> Result<(), TableError> {
        let action = A::from_parts(action, data).ok_or(TableError::Shape)?;
        if self.named(key, priority).is_some() {
            return Err(TableError::Exists);
        }
        if self.lines.len() >= self.size {
            return Err(TableError::Full);
        }
        let own = Reverse(rank(key, priority));
        let at = self.lines.partition_point(|l| Reverse(rank(&l.fields, l.priority)) <= own);
        self.lines.insert(at, Line { fields: key.to_vec(), priority, row: Row::new(action) });
        Ok(())
    }
    fn modify(&mut self, key: &[Match], priority: i32, action: u32, data: &[u128]) -> Result<(), TableError> {
        let action = A::from_parts(action, data).ok_or(TableError::Shape)?;
        let at = self.named(key, priority).ok_or(TableError::NotFound)?;
        self.lines[at].row.action = action;
        Ok(())
    }
    fn delete(&mut self, key: &[Match], priority: i32) -> Result<(), TableError> {
        let at = self.named(key, priority).ok_or(TableError::NotFound)?;
        self.lines.remove(at);
        Ok(())
    }
    fn count(&self, key: &[Match], priority: i32) -> Option<(u64, u64)> {
        self.named(key, priority).map(|i| (self.lines[i].row.packets, self.lines[i].row.bytes))
    }
}
