//! Checked entries as P4Runtime's messages.

use crate::{NameError, Names};
use p4runtime_proto::p4::v1::TableEntry as Message;
use pipeline_ir::Pipeline;
use pipeline_ir::entry::{CheckedEntry, CheckedFill, Entry, PoolEntry, SlotEntry, TableEntry, ring_names};

impl Names {
    /// The message of an entry that was checked against a pipeline.
    ///
    /// # Errors
    /// The P4Info is not that pipeline's.
    pub fn checked(&self, p: &Pipeline, entry: &CheckedEntry) -> Result<Message, NameError> {
        match entry {
            CheckedEntry::Table(e) => self.checked_table(p, e),
            CheckedEntry::Pool(e) => self.checked_pool(p, *e),
            CheckedEntry::Slot(e) => self.checked_slots(p, std::iter::once(*e)).map(|mut all| all.remove(0)),
        }
    }

    /// The message of a table's entry that was checked.
    ///
    /// # Errors
    /// As [`Self::checked`].
    pub fn checked_table(&self, p: &Pipeline, e: &TableEntry) -> Result<Message, NameError> {
        let (table, action) = (&p.tables[e.table().index()], &p.actions[e.action().index()]);
        let params = action.params.iter().map(|v| p.vars[v.index()].name.clone());
        self.entry(&Entry {
            table: table.name.clone(),
            key: table.keys.iter().map(|k| k.name.clone()).zip(e.key().iter().copied()).collect(),
            priority: e.priority(),
            action: action.name.clone(),
            params: params.zip(e.args().iter().copied()).collect(),
        })
    }

    /// The messages of all slots of a ring that was checked.
    ///
    /// # Errors
    /// As [`Self::checked`].
    pub fn checked_ring(&self, p: &Pipeline, fill: &CheckedFill) -> Result<Vec<Message>, NameError> {
        self.checked_slots(p, fill.entries())
    }

    fn checked_pool(&self, p: &Pipeline, e: PoolEntry) -> Result<Message, NameError> {
        let shape = self.shape(&p.rings[e.ring().index()].pool_table, ring_names::SET_GENERATION)?;
        Ok(shape.entry(&[e.pool().into()], &[e.generation().into()]))
    }

    /// Slots of one ring.
    fn checked_slots(
        &self,
        p: &Pipeline,
        slots: impl Iterator<Item = SlotEntry>,
    ) -> Result<Vec<Message>, NameError> {
        let mut shape = None;
        let one = |e: SlotEntry| {
            let ring = &p.rings[e.pool().ring().index()];
            if shape.is_none() {
                shape = Some(self.shape(&ring.name, &ring.set_action())?);
            }
            let key = [e.pool().pool().into(), e.pool().generation().into(), e.slot().into()];
            Ok(shape.iter().map(|s| s.entry(&key, &[e.id().into()])).next())
        };
        slots.map(one).filter_map(Result::transpose).collect()
    }
}
