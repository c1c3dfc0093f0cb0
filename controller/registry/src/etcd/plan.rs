//! How changes become transactions that etcd takes: at most 128 operations, at most 1.5 MiB.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use prost::Message;

use super::keys::{Keys, PART};
use super::wire::{self, Op};
use crate::{Change, RegistryError};

/// Operations of one transaction; etcd's own limit is 128 as it comes.
const MOST_OPERATIONS: usize = 120;
/// Bytes of one transaction; etcd's own limit is 1.5 MiB as it comes.
const MOST_BYTES: usize = 1 << 20;
/// What an operation costs beside its key and value.
const OVERHEAD: usize = 32;

/// What becomes of each record; none: it is not there.
pub(super) type Outcome = BTreeMap<String, Option<Bytes>>;

/// The last word on each key.
pub(super) fn outcome(changes: Vec<Change>) -> Result<Outcome, RegistryError> {
    let mut outcome = Outcome::new();
    for change in changes {
        let (key, value) = match change {
            Change::Put(key, value) => (key, Some(value)),
            Change::Delete(key) => (key, None),
        };
        if key.contains('\0') {
            return Err(RegistryError::Unusable(format!("a record's key has a NUL: {key:?}")));
        }
        outcome.insert(key, value);
    }
    Ok(outcome)
}

/// The operations, in groups that are a transaction each. Done twice they do the same.
pub(super) fn transactions(keys: &Keys, outcome: &Outcome) -> Vec<Vec<Op>> {
    let mut groups: Vec<Vec<Op>> = Vec::new();
    let (mut count, mut bytes) = (MOST_OPERATIONS, 0);
    for operation in outcome.iter().flat_map(|(key, value)| operations(keys, key, value.as_ref())) {
        let size = size(&operation);
        if count + 1 > MOST_OPERATIONS || bytes + size > MOST_BYTES {
            groups.push(Vec::new());
            (count, bytes) = (0, 0);
        }
        (count, bytes) = (count + 1, bytes + size);
        if let Some(group) = groups.last_mut() {
            group.push(operation);
        }
    }
    groups
}

fn operations(keys: &Keys, key: &str, value: Option<&Bytes>) -> Vec<Op> {
    let end = keys.record_end(key);
    let Some(value) = value else { return vec![wire::delete(keys.record(key, 0), end)] };
    let parts = value.len().div_ceil(PART).max(1);
    let mut operations: Vec<Op> = (0..parts)
        .map(|part| {
            let until = value.len().min((part + 1) * PART);
            wire::put(keys.record(key, part), value.slice(part * PART..until))
        })
        .collect();
    // What the record had before may be longer.
    operations.push(wire::delete(keys.record(key, parts), end));
    operations
}

fn size(operation: &Op) -> usize {
    OVERHEAD
        + match operation {
            Op::RequestPut(put) => put.key.len() + put.value.len(),
            Op::RequestDeleteRange(delete) => delete.key.len() + delete.range_end.len(),
            Op::RequestRange(range) => range.key.len() + range.range_end.len(),
        }
}

/// One record in a journal.
#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(bytes = "bytes", optional, tag = "2")]
    value: Option<Bytes>,
}

/// The journal of what doesn't fit one transaction, in parts that do.
pub(super) fn journal(outcome: &Outcome) -> Vec<Bytes> {
    let mut whole = BytesMut::new();
    for (key, value) in outcome {
        let entry = Entry { key: key.clone(), value: value.clone() };
        // A BytesMut grows.
        entry.encode_length_delimited(&mut whole).expect("there is room");
    }
    let mut whole = whole.freeze();
    let mut parts = Vec::new();
    while !whole.is_empty() {
        parts.push(whole.split_to(whole.len().min(MOST_BYTES)));
    }
    parts
}

/// Reads a journal.
pub(super) fn read_journal(parts: impl IntoIterator<Item = Bytes>) -> Result<Outcome, RegistryError> {
    let mut whole = BytesMut::new();
    parts.into_iter().for_each(|part| whole.extend_from_slice(&part));
    let mut whole = whole.freeze();
    let mut outcome = Outcome::new();
    while !whole.is_empty() {
        let entry = Entry::decode_length_delimited(&mut whole)
            .map_err(|error| RegistryError::Unusable(format!("its journal is damaged: {error}")))?;
        outcome.insert(entry.key, entry.value);
    }
    Ok(outcome)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn value(length: usize) -> Bytes {
        Bytes::from(vec![7; length])
    }

    /// How many operations each transaction has.
    fn groups(lengths: &[usize]) -> Vec<usize> {
        let changes = lengths.iter().enumerate();
        let changes = changes.map(|(i, length)| Change::Put(format!("{i:04}"), value(*length))).collect();
        let groups = transactions(&Keys::under("/p"), &outcome(changes).unwrap());
        for group in &groups {
            assert!(group.len() <= 120 && group.iter().map(size).sum::<usize>() <= 1 << 20, "too much");
        }
        groups.iter().map(Vec::len).collect()
    }

    #[test]
    fn each_transaction_is_one_that_etcd_takes() {
        assert!(groups(&[]).is_empty());
        assert_eq!(groups(&[10]), [2]);
        assert_eq!(groups(&[10; 60]), [120]);
        assert_eq!(groups(&[10; 61]), [120, 2]);
        assert_eq!(groups(&[520_000, 520_000]), [4]);
        assert_eq!(groups(&[520_000; 3]), [4, 2]);
        assert_eq!(groups(&[PART]), [2]);
        assert_eq!(groups(&[PART + 1]), [3]);
        assert_eq!(groups(&[4 * PART + 1]), [1, 1, 1, 3]);
    }

    #[test]
    fn a_journal_reads_as_what_was_written() {
        let changes = vec![
            Change::Put("a".into(), value(3_000_000)),
            Change::Put("b".into(), Bytes::new()),
            Change::Delete("c".into()),
            Change::Delete("a/b".into()),
            Change::Put("d".into(), value(1)),
            Change::Delete("d".into()),
        ];
        let outcome = outcome(changes).unwrap();
        assert_eq!(outcome["d"], None);
        let parts = journal(&outcome);
        assert_eq!(parts.len(), 3);
        assert_eq!(read_journal(parts.clone()).unwrap(), outcome);
        assert!(read_journal(parts[..2].to_vec()).is_err());
    }

    #[test]
    fn a_key_with_nul_is_refused() {
        assert!(outcome(vec![Change::Delete("a\0b".into())]).is_err());
    }
}
