//! Flow tables as they are read: walked a piece at a time, while packets go on and other calls have their turn.

use crate::decode::{controller_metadata, key, value};
use crate::encode::{action, exact};
use crate::map::FlowMap;
use crate::status::Failure;
use p4runtime_proto::p4::v1;
use p4runtime_proto::schema::Field;
use pipeline_ir::flow::{TICK_BITS, ticks};
use pipeline_ir::{FlowTable, KeyValue};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Poll;
use sw_fallback::plane::{FlowReader, FlowRecord, ReadBack};

/// Buckets that are read at once: a quarter of a megabyte, some tens of microseconds.
const PIECE: u32 = 2048;

/// A flow table on its way to a client.
#[derive(Debug)]
pub(crate) struct Walk {
    shape: Shape,
    reader: Arc<dyn FlowReader>,
    wanted: Wanted,
    /// The first bucket that was not read.
    bucket: u32,
    /// Read, and not given yet.
    found: VecDeque<v1::Entity>,
}

/// What makes an entry's message.
#[derive(Debug)]
struct Shape {
    id: u32,
    table: FlowTable,
    fields: Vec<Field>,
    action: u32,
    params: [Field; 4],
}

/// Which entries, and what of them.
#[derive(Debug)]
struct Wanted {
    key: Option<Vec<u128>>,
    params: [Option<u128>; 4],
    elapsed: bool,
}

fn params(record: &FlowRecord) -> [u128; 4] {
    [record.id.into(), record.state.into(), record.class.into(), record.spill.into()]
}

impl Walk {
    /// Over the entries that are asked for; none where it is known that there are none.
    ///
    /// # Errors
    /// The request can't be one for this table.
    pub(crate) fn new(
        plane: &dyn ReadBack,
        flow: &FlowMap,
        asked: &v1::TableEntry,
    ) -> Result<Option<Self>, Failure> {
        let (same_action, params) = asked_params(flow, asked)?;
        let wanted =
            Wanted { key: asked_key(flow, asked)?, params, elapsed: asked.time_since_last_hit.is_some() };
        let plain = asked.priority == 0 && asked.metadata.is_empty() && controller_metadata(asked) == 0;
        let reader = plane.flow_reader(flow.index).filter(|_| plain && same_action);
        let shape = Shape {
            id: flow.id,
            table: flow.table.clone(),
            fields: flow.fields.clone(),
            action: flow.action,
            params: flow.params.clone(),
        };
        Ok(reader.map(|reader| Self { shape, reader, wanted, bucket: 0, found: VecDeque::new() }))
    }

    /// The next entry; pending after a piece without any.
    pub(crate) fn next(&mut self) -> Poll<Option<v1::Entity>> {
        if let Some(found) = self.found.pop_front() {
            return Poll::Ready(Some(found));
        }
        let (start, end) = (self.bucket, self.reader.buckets());
        if start >= end {
            return Poll::Ready(None);
        }
        self.bucket = end.min(start + PIECE);
        let (now, tick_ns) = (self.reader.now(), self.reader.tick_ns());
        for record in self.reader.read(start..self.bucket) {
            let age = now.map(|now| (now + 1).wrapping_sub(record.tick) & ((1 << TICK_BITS) - 1));
            if self.wanted.has(&record) && !self.shape.has_expired(&record, age, tick_ns) {
                let elapsed =
                    age.filter(|_| self.wanted.elapsed).map(|age| u64::from(age.max(1) - 1) * tick_ns);
                self.found.push_back(self.shape.entity(&record, elapsed));
            }
        }
        self.found.pop_front().map_or(Poll::Pending, |found| Poll::Ready(Some(found)))
    }
}

impl Wanted {
    fn has(&self, record: &FlowRecord) -> bool {
        let same = |(wanted, is): (&Option<u128>, u128)| wanted.is_none_or(|wanted| wanted == is);
        self.key.as_ref().is_none_or(|key| *key == record.key)
            && self.params.iter().zip(params(record)).all(same)
    }
}

impl Shape {
    /// Is it one that no packet would find any more?
    fn has_expired(&self, record: &FlowRecord, age: Option<u32>, tick_ns: u64) -> bool {
        let limit = ticks(self.table.idle_ms(record.class, record.state), tick_ns);
        age.is_some_and(|age| age > limit)
    }

    fn entity(&self, record: &FlowRecord, elapsed_ns: Option<u64>) -> v1::Entity {
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let values: [(u32, u128); 4] = std::array::from_fn(|i| (self.params[i].id, params(record)[i]));
        let idle = self.table.idle_ms(record.class, record.state);
        let entry = v1::TableEntry {
            table_id: self.id,
            r#match: self.fields.iter().zip(&record.key).map(|(f, v)| exact(f, *v)).collect(),
            action: action(self.action, &values),
            idle_timeout_ns: signed(idle.saturating_mul(1_000_000)),
            time_since_last_hit: elapsed_ns.map(|ns| v1::table_entry::IdleTimeout { elapsed_ns: signed(ns) }),
            is_const: true,
            ..v1::TableEntry::default()
        };
        v1::Entity { entity: Some(v1::entity::Entity::TableEntry(entry)) }
    }
}

/// The whole key, or none.
fn asked_key(flow: &FlowMap, asked: &v1::TableEntry) -> Result<Option<Vec<u128>>, Failure> {
    if asked.r#match.is_empty() {
        return Ok(None);
    }
    let given = key(&flow.fields, &asked.r#match)?.into_iter().zip(&flow.fields);
    let exact = |(value, field): (Option<KeyValue>, &Field)| match value {
        Some(KeyValue::Exact(value)) => Ok(value),
        _ => Err(Failure::invalid(format!("`{}` is missing: a read has a whole key, or none", field.name))),
    };
    given.map(exact).collect::<Result<_, _>>().map(Some)
}

/// Is the entries' action asked for, or none? And parameters that are to be equal, which the specification leaves open.
fn asked_params(flow: &FlowMap, asked: &v1::TableEntry) -> Result<(bool, [Option<u128>; 4]), Failure> {
    use v1::table_action::Type;
    let mut params = [None; 4];
    let action = match asked.action.as_ref().map(|a| a.r#type.as_ref()) {
        None => return Ok((true, params)),
        Some(Some(Type::Action(action))) => action,
        Some(_) => return Err(Failure::invalid("flows are filtered by an action")),
    };
    if action.action_id != flow.action {
        return Ok((false, params));
    }
    for given in &action.params {
        let at = flow.params.iter().position(|p| p.id == given.param_id);
        let Some(at) = at else {
            return Err(Failure::invalid(format!("flows have no parameter {}", given.param_id)));
        };
        params[at] = Some(value(&flow.params[at], &given.value)?);
    }
    Ok((true, params))
}
