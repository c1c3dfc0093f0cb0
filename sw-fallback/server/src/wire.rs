//! Write requests as they come: read without making messages of them.
//!
//! Most updates of a large write are of one kind: an exact entry with one action. Those are read from the bytes straight
//! into what is written. Everything else, and everything that is wrong, takes the way through the messages, which has the
//! words; so both ways must agree wherever this one has an answer.

use crate::decode::{self, Change, What};
use crate::map::{Map, Object, RingMap, TableMap};
use crate::status::Failure;
use bytes::Bytes;
use p4runtime_proto::p4::v1;
use p4runtime_proto::schema::{Field, Kind};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::{CheckedEntry, WriteKind};
use prost::Message as _;
use std::ops::Range;
use tonic::Status;

/// A write request, whose updates are still bytes.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) device_id: u64,
    pub(crate) role: String,
    pub(crate) election_id: Option<v1::Uint128>,
    pub(crate) atomicity: i32,
    bytes: Bytes,
    updates: Vec<Range<u32>>,
}

impl Request {
    /// Reads the frame of a request.
    ///
    /// # Errors
    /// It is none, as protobuf's own reader says.
    pub(crate) fn read(bytes: Bytes) -> Result<Self, Status> {
        // What comes by the fast way is decoded there as far as it is wanted.
        match Self::frame(&bytes) {
            Some(request) => Ok(Self { bytes, ..request }),
            None => Self::of(&whole(bytes)?),
        }
    }

    /// The request of a message.
    pub(crate) fn of(message: &v1::WriteRequest) -> Result<Self, Status> {
        let bytes: Bytes = message.encode_to_vec().into();
        let request = Self::frame(&bytes);
        let request = request.ok_or_else(|| Status::internal("a request that can't be encoded"))?;
        Ok(Self { bytes, ..request })
    }

    fn frame(bytes: &[u8]) -> Option<Self> {
        let mut request = Self { updates: Vec::with_capacity(bytes.len() / 32), ..Self::default() };
        let mut at = Reader { bytes, at: 0 };
        while let Some(tag) = at.tag()? {
            match tag {
                (1, VARINT) => request.device_id = at.varint()?,
                // Deprecated, and not looked at.
                (2, VARINT) => drop(at.varint()?),
                (3, BYTES) if request.election_id.is_none() => {
                    request.election_id = Some(v1::Uint128::decode(at.bytes()?).ok()?);
                }
                (4, BYTES) => {
                    let length = at.bytes()?.len();
                    let end = u32::try_from(at.at).ok()?;
                    request.updates.push(end - length as u32..end);
                }
                (5, VARINT) => request.atomicity = at.varint()? as i32,
                (6, BYTES) => request.role = std::str::from_utf8(at.bytes()?).ok()?.to_owned(),
                _ => return None,
            }
        }
        Some(request)
    }

    /// How many updates it has.
    pub(crate) fn len(&self) -> usize {
        self.updates.len()
    }

    fn update_bytes(&self, at: usize) -> &[u8] {
        let range = self.updates.get(at).cloned().unwrap_or_default();
        self.bytes.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// An update as a message; nothing where there is none.
    pub(crate) fn update(&self, at: usize) -> v1::Update {
        v1::Update::decode(self.update_bytes(at)).unwrap_or_default()
    }

    /// What each update asks for.
    ///
    /// # Errors
    /// Some update is no protobuf.
    pub(crate) fn changes(&self, map: &Map) -> Result<Vec<Result<Change, Failure>>, Status> {
        let mut reading = Reading { map, last: None };
        let mut changes = Vec::with_capacity(self.len());
        for at in 0..self.len() {
            let bytes = self.update_bytes(at);
            changes.push(match reading.change(bytes) {
                Some(change) => Ok(change),
                None => match v1::Update::decode(bytes) {
                    Ok(update) => decode::change(map, &update),
                    // The whole has the same fault; only its reader says where.
                    Err(error) => {
                        return Err(whole(self.bytes.clone()).err().unwrap_or_else(|| broken(&error)));
                    }
                },
            });
        }
        Ok(changes)
    }
}

fn whole(bytes: Bytes) -> Result<v1::WriteRequest, Status> {
    v1::WriteRequest::decode(bytes).map_err(|e| broken(&e))
}

fn broken(error: &prost::DecodeError) -> Status {
    Status::internal(error.to_string())
}

const VARINT: u8 = 0;
const BYTES: u8 = 2;

/// Reads protobuf's parts; none wherever something is not as it mostly is.
#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next field's number and kind; none inside at the end.
    #[inline]
    fn tag(&mut self) -> Option<Option<(u32, u8)>> {
        if self.at == self.bytes.len() {
            return Some(None);
        }
        let tag = u32::try_from(self.varint()?).ok()?;
        Some(Some((tag >> 3, (tag & 7) as u8)))
    }

    #[inline]
    fn varint(&mut self) -> Option<u64> {
        let first = *self.bytes.get(self.at)?;
        self.at += 1;
        if first < 0x80 {
            return Some(first.into());
        }
        let mut value = u64::from(first & 0x7f);
        for shift in (7..=63).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (shift < 63 || byte < 2).then_some(value);
            }
        }
        None
    }

    #[inline]
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let end = self.at.checked_add(length)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    #[inline]
    fn message(&mut self) -> Option<Self> {
        Some(Self { bytes: self.bytes()?, at: 0 })
    }
}

/// Fields and parameters that are read at most without memory of their own.
const MOST: usize = 16;

/// The parts of an exact entry with one action.
#[derive(Default)]
struct Parts<'a> {
    table: u32,
    /// Field and value.
    key: [(u32, &'a [u8]); MOST],
    keys: usize,
    action: Option<u32>,
    args: [(u32, &'a [u8]); MOST],
    params: usize,
}

impl<'a> Parts<'a> {
    fn read(mut entry: Reader<'a>) -> Option<Self> {
        let mut parts = Self::default();
        while let Some(tag) = entry.tag()? {
            match tag {
                (1, VARINT) => parts.table = u32::try_from(entry.varint()?).ok()?,
                (2, BYTES) => parts.field(entry.message()?)?,
                (3, BYTES) if parts.action.is_none() => parts.action(entry.message()?)?,
                _ => return None,
            }
        }
        Some(parts)
    }

    fn field(&mut self, mut field: Reader<'a>) -> Option<()> {
        let (mut id, mut value) = (0, None);
        while let Some(tag) = field.tag()? {
            match tag {
                (1, VARINT) => id = u32::try_from(field.varint()?).ok()?,
                (2, BYTES) if value.is_none() => {
                    let mut exact = field.message()?;
                    value = match exact.tag()? {
                        Some((1, BYTES)) => Some(exact.bytes()?),
                        _ => return None,
                    };
                    exact.tag()?.is_none().then_some(())?;
                }
                _ => return None,
            }
        }
        *self.key.get_mut(self.keys)? = (id, value?);
        self.keys += 1;
        Some(())
    }

    fn action(&mut self, mut action: Reader<'a>) -> Option<()> {
        let Some((1, BYTES)) = action.tag()? else { return None };
        let mut inner = action.message()?;
        action.tag()?.is_none().then_some(())?;
        let mut id = 0;
        while let Some(tag) = inner.tag()? {
            match tag {
                (1, VARINT) => id = u32::try_from(inner.varint()?).ok()?,
                (4, BYTES) => {
                    let mut param = inner.message()?;
                    let (mut id, mut value) = (0, None);
                    while let Some(tag) = param.tag()? {
                        match tag {
                            (2, VARINT) => id = u32::try_from(param.varint()?).ok()?,
                            (3, BYTES) => value = Some(param.bytes()?),
                            _ => return None,
                        }
                    }
                    *self.args.get_mut(self.params)? = (id, value?);
                    self.params += 1;
                }
                _ => return None,
            }
        }
        self.action = Some(id);
        Some(())
    }
}

/// The value of an exact field.
#[inline]
fn value(field: &Field, given: (u32, &[u8])) -> Option<u128> {
    (field.id == given.0 && field.kind == Kind::Exact).then_some(())?;
    bits(field, given.1)
}

#[inline]
fn bits(field: &Field, bytes: &[u8]) -> Option<u128> {
    if bytes.is_empty() || bytes.len() > 16 || field.bits > 128 {
        return None;
    }
    let value = match bytes {
        [one] => u128::from(*one),
        all if all.len() <= 8 => u128::from(all.iter().fold(0u64, |v, b| v << 8 | u64::from(*b))),
        all => all.iter().fold(0u128, |v, b| v << 8 | u128::from(*b)),
    };
    (field.bits == 128 || value >> field.bits == 0).then_some(value)
}

/// A request's updates one after the other: mostly of the table of the last.
struct Reading<'a> {
    map: &'a Map,
    last: Option<(u32, &'a Object)>,
}

impl Reading<'_> {
    /// What an update asks for; none where the messages have to say.
    fn change(&mut self, bytes: &[u8]) -> Option<Change> {
        let mut update = Reader { bytes, at: 0 };
        let (mut kind, mut entry) = (None, None);
        while let Some(tag) = update.tag()? {
            match tag {
                (1, VARINT) => {
                    kind = Some(match update.varint()? {
                        1 => WriteKind::Insert,
                        2 => WriteKind::Modify,
                        3 => WriteKind::Delete,
                        _ => return None,
                    });
                }
                (2, BYTES) if entry.is_none() => {
                    let mut entity = update.message()?;
                    let Some((2, BYTES)) = entity.tag()? else { return None };
                    entry = Some(entity.message()?);
                    entity.tag()?.is_none().then_some(())?;
                }
                _ => return None,
            }
        }
        let (kind, parts) = (kind?, Parts::read(entry?)?);
        let object = match self.last {
            Some((id, object)) if id == parts.table => object,
            _ => {
                let object = self.map.object(parts.table)?;
                self.last = Some((parts.table, object));
                object
            }
        };
        // Without an action it is a DELETE, or one of the rarer things.
        (parts.action.is_some() || kind == WriteKind::Delete).then_some(())?;
        let entry = match object {
            Object::Table(table) => self.of_table(table, &parts, kind)?,
            Object::Pool(ring) => self.of_pool(ring, &parts, kind)?,
            Object::Slot(ring) => self.of_slot(ring, &parts, kind)?,
            Object::Flow(_) => return None,
        };
        Some(Change { entry, what: What::Write(kind), note: None })
    }

    /// The exact key of a ring's table, in the fields' order.
    fn ring_key<const N: usize>(ring: &RingMap, parts: &Parts<'_>) -> Option<[u128; N]> {
        (parts.keys == N && ring.fields.len() == N).then_some(())?;
        let mut key = [0; N];
        for ((to, field), given) in key.iter_mut().zip(&ring.fields).zip(parts.key) {
            *to = value(field, given)?;
        }
        Some(key)
    }

    /// The parameter of a ring's action; none inside for a DELETE.
    fn ring_value(ring: &RingMap, parts: &Parts<'_>, kind: WriteKind) -> Option<Option<u128>> {
        if kind == WriteKind::Delete {
            return Some(None);
        }
        let [given, ..] = parts.args;
        (parts.action == Some(ring.action) && parts.params == 1 && given.0 == ring.param.id).then_some(())?;
        Some(Some(bits(&ring.param, given.1)?))
    }

    fn of_pool(&self, ring: &RingMap, parts: &Parts<'_>, kind: WriteKind) -> Option<CheckedEntry> {
        let [pool] = Self::ring_key(ring, parts)?;
        let generation = Self::ring_value(ring, parts, kind)?.unwrap_or(0) as u8;
        self.map.tables.check_pool_values(ring.ring, pool, generation).ok().map(CheckedEntry::Pool)
    }

    fn of_slot(&self, ring: &RingMap, parts: &Parts<'_>, kind: WriteKind) -> Option<CheckedEntry> {
        let [pool, generation, slot] = Self::ring_key(ring, parts)?;
        let id = Self::ring_value(ring, parts, kind)?.unwrap_or(1);
        let key = (pool, generation as u8, slot);
        self.map.tables.check_slot_values(ring.ring, key, id).ok().map(CheckedEntry::Slot)
    }

    fn of_table(&self, table: &TableMap, parts: &Parts<'_>, kind: WriteKind) -> Option<CheckedEntry> {
        (!table.is_const && parts.keys == table.fields.len()).then_some(())?;
        let mut key = [None; MOST];
        for ((to, field), given) in key.iter_mut().zip(&table.fields).zip(parts.key) {
            *to = Some(KeyValue::Exact(value(field, given)?));
        }
        let key = &key[..parts.keys];
        let tables = &self.map.tables;
        if kind == WriteKind::Delete {
            return tables.check_name(table.table, key, 0).ok().map(CheckedEntry::Table);
        }
        let action = table.actions.iter().find(|a| Some(a.id) == parts.action)?;
        (!action.default_only && parts.params == action.params.len()).then_some(())?;
        let mut args = [0; MOST];
        for ((to, param), given) in args.iter_mut().zip(&action.params).zip(parts.args) {
            (param.id == given.0).then_some(())?;
            *to = bits(param, given.1)?;
        }
        let args = &args[..parts.params];
        let entry = tables.check_values(table.table, key, 0, action.action, args);
        entry.ok().map(CheckedEntry::Table)
    }
}

#[cfg(test)]
mod tests;
