//! Cutting a list of updates into writes.

use crate::{Profile, encode};
use bytes::{BufMut, Bytes, BytesMut};
use p4runtime_proto::p4::v1 as proto;
use prost::Message as _;
use proto::{Entity, TableEntry, Update, entity};
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::time::Duration;

/// Below this a server has room for more in one write.
const SHORT: Duration = Duration::from_millis(10);
/// Above this the others wait too long.
const LONG: Duration = Duration::from_millis(100);
/// Batches don't shrink below this.
const LEAST: usize = 16;

/// How much goes into one write: within the profile's limits, it follows what the server takes in 10 to 100 ms.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    most: usize,
    pub(crate) updates: usize,
    pub(crate) bytes: usize,
}

impl Pace {
    pub(crate) fn new(profile: &Profile) -> Self {
        let most = profile.batch_updates;
        Self { most, updates: most.min(1000), bytes: profile.batch_bytes }
    }

    /// A write of so many updates took so long.
    pub(crate) fn took(&mut self, updates: usize, time: Duration) {
        if time < SHORT && updates >= self.updates {
            self.updates = (self.updates * 2).min(self.most);
        } else if time > LONG {
            self.updates = (updates / 2).clamp(LEAST.min(self.most), self.updates);
        }
    }

    /// A write of so many bytes was too large for the server.
    pub(crate) fn too_large(&mut self, bytes: usize) {
        self.bytes = (bytes / 2).min(self.bytes).max(1);
    }
}

/// Updates from a list that go in one write.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Which of the list.
    pub(crate) range: Range<usize>,
    /// The field `updates` of a WriteRequest, encoded.
    pub(crate) bytes: Bytes,
    /// The table that all are entries of; none if there are several, or other entities.
    pub(crate) table: Option<u32>,
}

/// The first batch of a part of a list; an update that is larger than the limit goes alone.
pub(crate) fn next(updates: &[Update], part: Range<usize>, pace: &Pace) -> Batch {
    let mut bytes = BytesMut::with_capacity(64 * part.len().min(pace.updates));
    let (updates, start) = (updates.get(..part.end).unwrap_or(updates), part.start);
    let mut end = start;
    let first = updates.get(start).and_then(table_entry).map(|e| e.table_id);
    let mut table = first;
    while let Some(update) = updates.get(end).filter(|_| end - start < pace.updates.max(1)) {
        let before = bytes.len();
        // Field 4, length-delimited.
        bytes.put_u8(4 << 3 | 2);
        encode::append(update, &mut bytes);
        if end > start && bytes.len() > pace.bytes {
            bytes.truncate(before);
            break;
        }
        if table_entry(update).map(|e| e.table_id) != first {
            table = None;
        }
        end += 1;
    }
    Batch { range: start..end, bytes: bytes.freeze(), table }
}

fn table_entry(update: &Update) -> Option<&TableEntry> {
    match update.entity.as_ref()?.entity.as_ref()? {
        entity::Entity::TableEntry(entry) => Some(entry),
        _ => None,
    }
}

/// The entries that writes under way are about: a batch may go beside them if it is of the same table and about none
/// of them.
#[derive(Debug, Default)]
pub(crate) struct Apart {
    table: Option<u32>,
    seen: HashSet<u64, BuildHasherDefault<Mixed>>,
}

impl Apart {
    /// Notes a batch; false if it must wait for all before it. A hash that two entries share only costs time.
    pub(crate) fn takes(&mut self, updates: &[Update], batch: &Batch) -> bool {
        if batch.table.is_none() || batch.table != self.table {
            return false;
        }
        let hashes: Vec<u64> = updates[batch.range.clone()].iter().filter_map(hash).collect();
        let new = hashes.iter().all(|h| !self.seen.contains(h));
        if new {
            self.seen.extend(hashes);
        }
        new
    }

    /// Begins anew: nothing is under way but this batch.
    pub(crate) fn restart(&mut self, updates: &[Update], batch: &Batch) {
        self.table = batch.table;
        self.seen.clear();
        if batch.table.is_some() {
            self.seen.extend(updates[batch.range.clone()].iter().filter_map(hash));
        }
    }
}

/// Numbers that are hashes already.
#[derive(Debug, Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = words(self.0, bytes);
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

fn mix(sum: u64, word: u64) -> u64 {
    let mixed = (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}

fn words(sum: u64, bytes: &[u8]) -> u64 {
    let word = |part: &[u8]| part.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    bytes.chunks(8).fold(sum, |sum, part| mix(sum, word(part)))
}

fn hash(update: &Update) -> Option<u64> {
    use proto::field_match::FieldMatchType as Match;
    let entry = table_entry(update)?;
    // Fields in any order, values with any padding.
    let all = entry.r#match.iter().fold(0u64, |all, field| {
        let value: &[u8] = match field.field_match_type.as_ref() {
            Some(Match::Exact(m)) => &m.value,
            Some(Match::Optional(m)) => &m.value,
            Some(Match::Lpm(m)) => &m.value,
            Some(Match::Ternary(m)) => &m.value,
            Some(Match::Range(m)) => &m.low,
            Some(Match::Other(_)) | None => &[],
        };
        let zeros = value.iter().take_while(|b| **b == 0).count();
        all.wrapping_add(mix(words(mix(1, field.field_id.into()), &value[zeros..]), 7))
    });
    let head = u64::from(entry.table_id) << 33 | u64::from(entry.priority.cast_unsigned()) << 1;
    Some(mix(mix(head, entry.is_default_action.into()), all))
}

/// The other fields of a WriteRequest behind the updates of a batch.
pub(crate) fn request(head: &proto::WriteRequest, batch: &Batch) -> Bytes {
    let mut all = BytesMut::with_capacity(head.encoded_len() + batch.bytes.len());
    head.encode(&mut all).expect("the buffer grows");
    all.extend_from_slice(&batch.bytes);
    all.freeze()
}

/// An entry as an update.
pub(crate) fn update(kind: proto::update::Type, entry: TableEntry) -> Update {
    let entity = Some(Entity { entity: Some(entity::Entity::TableEntry(entry)) });
    Update { r#type: kind.into(), entity }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use p4runtime_proto::schema::encode;
    use proto::update::Type;

    fn of(table_id: u32, key: u128) -> Update {
        use proto::field_match::{Exact, FieldMatchType};
        let exact = FieldMatchType::Exact(Exact { value: encode(key) });
        let r#match = vec![proto::FieldMatch { field_id: 1, field_match_type: Some(exact) }];
        update(Type::Insert, TableEntry { table_id, r#match, ..TableEntry::default() })
    }

    fn pace(updates: usize, bytes: usize) -> Pace {
        Pace { most: updates, updates, bytes }
    }

    #[test]
    fn a_list_is_cut_by_count_and_by_bytes_and_nothing_is_lost() {
        let all: Vec<Update> = (0..1000).map(|i| of(1, i * 1000)).collect();
        for (updates, bytes, most) in [(7, 1 << 20, 7), (1000, 100, 8), (1, 1, 1), (1000, 1 << 20, 1000)] {
            let (mut start, mut seen) = (0, Vec::new());
            while start < all.len() {
                let batch = next(&all, start..all.len(), &pace(updates, bytes));
                assert!(!batch.range.is_empty() && batch.range.len() <= most);
                assert!(batch.bytes.len() <= bytes || batch.range.len() == 1);
                let head = proto::WriteRequest { device_id: 9, ..proto::WriteRequest::default() };
                let whole = proto::WriteRequest::decode(request(&head, &batch)).unwrap();
                assert_eq!(whole.device_id, 9);
                seen.extend(whole.updates);
                start = batch.range.end;
            }
            assert_eq!(seen, all);
        }
    }

    #[test]
    fn what_may_go_at_the_same_time() {
        let check = |first: &[Update], second: &[Update]| {
            let all = [first, second].concat();
            let mut apart = Apart::default();
            apart.restart(&all, &next(&all, 0..first.len(), &pace(100, 1 << 20)));
            apart.takes(&all, &next(&all, first.len()..all.len(), &pace(100, 1 << 20)))
        };
        assert!(check(&[of(1, 1), of(1, 2)], &[of(1, 3)]));
        assert!(!check(&[of(1, 1), of(1, 2)], &[of(1, 3), of(1, 2)]), "the same entry");
        assert!(!check(&[of(1, 1)], &[of(2, 2)]), "another table");
        assert!(!check(&[of(1, 1), of(2, 1)], &[of(1, 3)]), "several tables");
        let mut padded = of(1, 0);
        let Some(entity::Entity::TableEntry(e)) = &mut padded.entity.as_mut().unwrap().entity else {
            panic!()
        };
        use proto::field_match::{Exact, FieldMatchType};
        let value = Bytes::from_static(&[0, 0, 1]);
        e.r#match[0].field_match_type = Some(FieldMatchType::Exact(Exact { value }));
        assert!(!check(&[of(1, 1)], &[padded]), "the same entry, padded");
    }

    #[test]
    fn the_pace_follows_the_server() {
        let mut pace = Pace { most: 4000, updates: 1000, bytes: 1 << 20 };
        pace.took(1000, Duration::from_millis(1));
        assert_eq!(pace.updates, 2000);
        pace.took(10, Duration::from_millis(1));
        assert_eq!(pace.updates, 2000, "a last, small batch says nothing");
        (0..9).for_each(|_| pace.took(4000, Duration::from_millis(1)));
        assert_eq!(pace.updates, 4000);
        pace.took(4000, Duration::from_millis(50));
        assert_eq!(pace.updates, 4000);
        (0..20).for_each(|_| pace.took(pace.updates, Duration::from_secs(1)));
        assert_eq!(pace.updates, LEAST);
        pace.too_large(100);
        assert_eq!(pace.bytes, 50);
    }
}
