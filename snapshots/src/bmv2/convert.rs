//! Checked entries as P4Runtime's messages.

use anyhow::Result;
use p4runtime_proto::p4::v1::TableEntry as Wire;
use pipeline_ir::Pipeline;
use pipeline_ir::entry::{CheckedEntry, Entry, PoolEntry, SlotEntry, TableEntry, ring_names};
use runtime_client::Names;

/// An entry as it is sent.
pub(super) fn entry(names: &Names, p: &Pipeline, entry: &CheckedEntry) -> Result<Wire> {
    match entry {
        CheckedEntry::Table(e) => of_table(names, p, e),
        CheckedEntry::Pool(e) => of_pool(names, p, *e),
        CheckedEntry::Slot(e) => of_slot(names, p, *e),
    }
}

pub(super) fn of_table(names: &Names, p: &Pipeline, e: &TableEntry) -> Result<Wire> {
    let (table, action) = (&p.tables[e.table().index()], &p.actions[e.action().index()]);
    let params = action.params.iter().map(|v| p.vars[v.index()].name.clone());
    Ok(names.entry(&Entry {
        table: table.name.clone(),
        key: table.keys.iter().map(|k| k.name.clone()).zip(e.key().iter().copied()).collect(),
        priority: e.priority(),
        action: action.name.clone(),
        params: params.zip(e.args().iter().copied()).collect(),
    })?)
}

fn of_pool(names: &Names, p: &Pipeline, e: PoolEntry) -> Result<Wire> {
    let shape = names.shape(&p.rings[e.ring().index()].pool_table, ring_names::SET_GENERATION)?;
    Ok(shape.entry(&[e.pool().into()], &[e.generation().into()]))
}

fn of_slot(names: &Names, p: &Pipeline, e: SlotEntry) -> Result<Wire> {
    let ring = &p.rings[e.pool().ring().index()];
    let shape = names.shape(&ring.name, &ring.set_action())?;
    let key = [e.pool().pool().into(), e.pool().generation().into(), e.slot().into()];
    Ok(shape.entry(&key, &[e.id().into()]))
}
