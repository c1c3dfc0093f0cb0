//! Checked entries as P4Runtime's messages.

use anyhow::{Context, Result};
use bytes::Bytes;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::{
    Action, FieldMatch, TableAction, TableEntry as Wire, action, field_match, table_action,
};
use pipeline_ir::entry::{CheckedEntry, PoolEntry, SlotEntry, TableEntry};
use pipeline_ir::{KeyValue, Pipeline};

/// Ids by name.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    info: P4Info,
}

impl Ids {
    pub(super) fn new(info: P4Info) -> Self {
        Self { info }
    }

    pub(super) fn info(&self) -> &P4Info {
        &self.info
    }

    pub(super) fn table(&self, name: &str) -> Result<u32> {
        let all = self.info.tables.iter().filter_map(|t| t.preamble.as_ref());
        Ok(all.into_iter().find(|p| p.name == name).with_context(|| format!("table {name}"))?.id)
    }

    fn action(&self, name: &str) -> Result<u32> {
        let all = self.info.actions.iter().filter_map(|a| a.preamble.as_ref());
        Ok(all.into_iter().find(|p| p.name == name).with_context(|| format!("action {name}"))?.id)
    }

    /// Id and name of every indirect counter.
    pub(super) fn counters(&self) -> Vec<(u32, String)> {
        let all = self.info.counters.iter().filter_map(|c| c.preamble.as_ref());
        all.map(|p| (p.id, p.name.clone())).collect()
    }

    /// An entry as it is sent.
    pub(super) fn entry(&self, p: &Pipeline, entry: &CheckedEntry) -> Result<Wire> {
        match entry {
            CheckedEntry::Table(e) => self.of_table(p, e),
            CheckedEntry::Pool(e) => self.of_pool(p, *e),
            CheckedEntry::Slot(e) => self.of_slot(p, *e),
        }
    }

    pub(super) fn of_table(&self, p: &Pipeline, e: &TableEntry) -> Result<Wire> {
        let table = &p.tables[e.table().index()];
        let keys = e.key().iter().zip(&table.keys).enumerate();
        let fields = keys.filter_map(|(i, (value, key))| field(i as u32 + 1, *value, key.width)).collect();
        let action = &p.actions[e.action().index()].name;
        self.wire(&table.name, fields, e.priority(), action, e.args())
    }

    pub(super) fn of_pool(&self, p: &Pipeline, e: PoolEntry) -> Result<Wire> {
        let ring = &p.rings[e.ring().index()];
        let fields = vec![exact(1, e.pool().into())];
        self.wire(&ring.pool_table, fields, 0, "set_generation", &[e.generation().into()])
    }

    pub(super) fn of_slot(&self, p: &Pipeline, e: SlotEntry) -> Result<Wire> {
        let ring = &p.rings[e.pool().ring().index()];
        let key = [u128::from(e.pool().pool()), e.pool().generation().into(), e.slot().into()];
        let fields = (1..).zip(key).map(|(id, value)| exact(id, value)).collect();
        self.wire(&ring.name, fields, 0, &format!("set_{}", ring.name), &[e.id().into()])
    }

    fn wire(
        &self,
        table: &str,
        r#match: Vec<FieldMatch>,
        priority: i32,
        action: &str,
        args: &[u128],
    ) -> Result<Wire> {
        let params =
            (1..).zip(args).map(|(param_id, value)| action::Param { param_id, value: bytes(*value) });
        let action = Action { action_id: self.action(action)?, params: params.collect() };
        let action = TableAction { r#type: Some(table_action::Type::Action(action)) };
        Ok(Wire { table_id: self.table(table)?, r#match, priority, action: Some(action), ..Wire::default() })
    }
}

/// Big-endian, without zeros in front.
pub(super) fn bytes(value: u128) -> Bytes {
    let all = value.to_be_bytes();
    let zeros = all.iter().take(15).take_while(|b| **b == 0).count();
    Bytes::copy_from_slice(&all[zeros..])
}

fn exact(field_id: u32, value: u128) -> FieldMatch {
    let exact = field_match::Exact { value: bytes(value) };
    FieldMatch { field_id, field_match_type: Some(field_match::FieldMatchType::Exact(exact)) }
}

/// A field of a key; what matches all is left out.
fn field(field_id: u32, value: KeyValue, width: u8) -> Option<FieldMatch> {
    use field_match::FieldMatchType as Kind;
    let all = u128::MAX >> (128 - u32::from(width.max(1)));
    let kind = match value {
        KeyValue::Exact(v) => Kind::Exact(field_match::Exact { value: bytes(v) }),
        KeyValue::Lpm { prefix: 0, .. } | KeyValue::Ternary { mask: 0, .. } | KeyValue::Optional(None) => {
            return None;
        }
        KeyValue::Range { low: 0, high } if high == all => return None,
        KeyValue::Lpm { value, prefix } => {
            Kind::Lpm(field_match::Lpm { value: bytes(value), prefix_len: prefix.into() })
        }
        KeyValue::Ternary { value, mask } => {
            Kind::Ternary(field_match::Ternary { value: bytes(value), mask: bytes(mask) })
        }
        KeyValue::Range { low, high } => {
            Kind::Range(field_match::Range { low: bytes(low), high: bytes(high) })
        }
        KeyValue::Optional(Some(v)) => Kind::Optional(field_match::Optional { value: bytes(v) }),
    };
    Some(FieldMatch { field_id, field_match_type: Some(kind) })
}
