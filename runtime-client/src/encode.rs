//! Updates as bytes. Exact entries, which large writes are made of, are written from their end: so the length of a part is
//! known when it is to be put before it, and nothing is measured twice.

use bytes::{BufMut as _, BytesMut};
use p4runtime_proto::p4::v1 as proto;
use prost::Message as _;
use proto::field_match::FieldMatchType as Match;
use proto::{FieldMatch, TableAction, TableEntry, Update, entity, table_action};

/// Appends an update with its length before it, as a message's field has it.
pub(crate) fn append(update: &Update, to: &mut BytesMut) {
    let mut room = [0; 512];
    let mut back = Back { at: room.len(), room: &mut room };
    if back.update(update).and_then(|()| back.number((512 - back.at) as u64)).is_some() {
        let at = back.at;
        to.put_slice(&room[at..]);
    } else {
        update.encode_length_delimited(to).expect("the buffer grows");
    }
}

/// Room that is filled from its end; none where it is too small, or something is not as it mostly is.
struct Back<'a> {
    room: &'a mut [u8; 512],
    at: usize,
}

impl Back<'_> {
    fn byte(&mut self, byte: u8) -> Option<()> {
        self.at = self.at.checked_sub(1)?;
        self.room[self.at] = byte;
        Some(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let at = self.at.checked_sub(bytes.len())?;
        self.room[at..self.at].copy_from_slice(bytes);
        self.at = at;
        Some(())
    }

    fn number(&mut self, value: u64) -> Option<()> {
        if value < 0x80 {
            return self.byte(value as u8);
        }
        let length = (63 - value.leading_zeros()) / 7;
        self.byte((value >> (7 * length)) as u8)?;
        (0..length).rev().try_for_each(|i| self.byte((value >> (7 * i)) as u8 | 0x80))
    }

    /// A number's field; zeros are left out.
    fn field(&mut self, field: u8, value: u64) -> Option<()> {
        if value == 0 {
            return Some(());
        }
        self.number(value)?;
        self.byte(field << 3)
    }

    /// What was written since `end` is a field.
    fn part(&mut self, field: u8, end: usize) -> Option<()> {
        self.number((end - self.at) as u64)?;
        self.byte(field << 3 | 2)
    }

    fn value(&mut self, field: u8, value: &[u8]) -> Option<()> {
        if value.is_empty() {
            return Some(());
        }
        let end = self.at;
        self.bytes(value)?;
        self.part(field, end)
    }

    fn update(&mut self, update: &Update) -> Option<()> {
        let entity::Entity::TableEntry(entry) = update.entity.as_ref()?.entity.as_ref()? else { return None };
        let end = self.at;
        self.entry(entry)?;
        self.part(2, end)?;
        self.part(2, end)?;
        self.field(1, u64::try_from(update.r#type).ok()?)
    }

    fn entry(&mut self, entry: &TableEntry) -> Option<()> {
        is_plain(entry).then_some(())?;
        self.field(4, u64::try_from(entry.priority).ok()?)?;
        if let Some(action) = &entry.action {
            self.action(action)?;
        }
        entry.r#match.iter().rev().try_for_each(|m| self.key(m))?;
        self.field(1, entry.table_id.into())
    }

    fn action(&mut self, action: &TableAction) -> Option<()> {
        let table_action::Type::Action(action) = action.r#type.as_ref()? else { return None };
        let end = self.at;
        for param in action.params.iter().rev() {
            let end = self.at;
            self.value(3, &param.value)?;
            self.field(2, param.param_id.into())?;
            self.part(4, end)?;
        }
        self.field(1, action.action_id.into())?;
        self.part(1, end)?;
        self.part(3, end)
    }

    fn key(&mut self, key: &FieldMatch) -> Option<()> {
        let Match::Exact(exact) = key.field_match_type.as_ref()? else { return None };
        let end = self.at;
        self.value(1, &exact.value)?;
        self.part(2, end)?;
        self.field(1, key.field_id.into())?;
        self.part(2, end)
    }
}

/// Has it nothing beside table, key, action and priority?
#[allow(deprecated, reason = "old servers use it")]
fn is_plain(entry: &TableEntry) -> bool {
    entry.controller_metadata == 0
        && entry.meter_config.is_none()
        && entry.counter_data.is_none()
        && !entry.is_default_action
        && entry.idle_timeout_ns == 0
        && entry.time_since_last_hit.is_none()
        && entry.metadata.is_empty()
        && entry.meter_counter_data.is_none()
        && !entry.is_const
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proto::field_match::{Exact, Ternary};

    fn check(r#type: i32, entry: TableEntry, by_hand: bool) {
        let entity = Some(proto::Entity { entity: Some(entity::Entity::TableEntry(entry)) });
        let update = Update { r#type, entity };
        let (mut bytes, mut room) = (BytesMut::new(), [0; 512]);
        append(&update, &mut bytes);
        assert_eq!(bytes, update.encode_length_delimited_to_vec(), "{update:?}");
        let by = Back { at: room.len(), room: &mut room }.update(&update).is_some();
        assert_eq!(by, by_hand, "{update:?}");
    }

    fn entry(fields: usize, width: usize) -> TableEntry {
        let value = |i: usize| Bytes::from(vec![i as u8 + 1; width]);
        let key = |i: usize| FieldMatch {
            field_id: i as u32,
            field_match_type: Some(Match::Exact(Exact { value: value(i) })),
        };
        let param = |i: usize| proto::action::Param { param_id: i as u32 * 100, value: value(i) };
        let action = proto::Action { action_id: 0x0105_7b21, params: (0..fields).map(param).collect() };
        let action = TableAction { r#type: Some(table_action::Type::Action(action)) };
        let r#match = (0..fields).map(key).collect();
        TableEntry { table_id: 0x0212_9b37, r#match, action: Some(action), ..TableEntry::default() }
    }

    #[test]
    fn the_bytes_are_those_of_protobuf() {
        for (fields, width) in [(0, 0), (1, 0), (1, 1), (3, 2), (7, 16)] {
            for kind in 0..4 {
                check(kind, entry(fields, width), true);
            }
        }
        check(1, TableEntry { priority: 300, ..entry(2, 2) }, true);
        check(3, TableEntry { action: None, ..entry(2, 2) }, true);
        check(1, TableEntry { priority: -1, ..entry(2, 2) }, false);
        check(1, entry(20, 16), false);
        check(1, TableEntry { metadata: "note".into(), ..entry(1, 1) }, false);
        check(1, TableEntry { idle_timeout_ns: 5, is_const: true, ..entry(1, 1) }, false);
        let mut ternary = entry(1, 1);
        let given = Ternary { value: Bytes::from_static(&[1]), mask: Bytes::from_static(&[3]) };
        ternary.r#match[0].field_match_type = Some(Match::Ternary(given));
        check(1, ternary, false);
    }
}
