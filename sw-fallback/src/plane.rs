//! What every data plane can do, whichever way it runs.

use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::{FlowTableId, Pipeline, RingId, TableId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A loaded pipeline: its tables, its rings, its counts.
pub trait DataPlane {
    /// The pipeline that runs.
    fn pipeline(&self) -> &Pipeline;

    /// Writes one entry.
    ///
    /// # Errors
    /// [`WriteError`]; nothing has changed then.
    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError>;

    /// Writes entries in order, each as [`write`](Self::write) does; what one is refused keeps no other back.
    fn write_all(&mut self, batch: &[(CheckedEntry, WriteKind)]) -> Vec<Result<(), WriteError>> {
        batch.iter().map(|(entry, kind)| self.write(entry, *kind)).collect()
    }

    /// Writes all slots of a generation of a pool at once, over what the generation of the same parity held.
    /// The pool's generation in force stays as it is.
    ///
    /// # Errors
    /// [`WriteError`]; the generation may be half written then.
    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError>;

    /// Named counts: `drop.<reason>` and `<flow table>.stored`, `<flow table>.not_stored` always, `<counter>[<cell>]`
    /// for cells that are not 0. The bytes of what counts only packets are 0, and the other way round.
    fn counters(&self) -> BTreeMap<String, Count>;

    /// A table's entries with their direct counts (0 where the table has none), those of the source first, the
    /// others in no particular order.
    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)>;

    /// Every entry of a flow table that is not free, by bucket and way.
    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord>;
}

/// A data plane of which a controller can read back what it holds, one by one.
pub trait ReadBack: DataPlane {
    /// The entry of a table that has this one's key and priority.
    fn table_entry(&self, named: &TableEntry) -> Option<TableEntry>;

    /// What the entry with this one's key and priority has counted; none: there is no such entry.
    fn hits(&self, named: &TableEntry) -> Option<Count>;

    /// The generation in force of a pool.
    fn generation(&self, ring: RingId, pool: u32) -> Option<u8>;

    /// What stands in a slot of a pool's odd or even generations: the generation (8 bits) and an id of at most 24 bits.
    fn slot(&self, ring: RingId, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)>;

    /// The slots of a pool's odd or even generations, in order: generation (8 bits) and id, id 0 where one is empty.
    /// Nothing, or slots that are all empty, where none was ever written.
    fn slots(&self, ring: RingId, pool: u32, odd: bool) -> Vec<(u8, u32)>;

    /// A flow table, to be read without this plane, and as long as one likes.
    fn flow_reader(&self, table: FlowTableId) -> Option<Arc<dyn FlowReader>>;

    /// Where whole batches are in force at once: what writes them.
    fn whole(&mut self) -> Option<&mut dyn WriteWhole> {
        None
    }
}

/// A data plane that puts a batch of any entries in force at once.
pub trait WriteWhole {
    /// Writes entries in order. A packet meets all of them or none.
    ///
    /// # Errors
    /// The place of an entry that is refused (none: it is the batch as a whole), and why. All is as it was before then.
    fn write_whole(&mut self, batch: &[(CheckedEntry, WriteKind)])
    -> Result<(), (Option<usize>, WriteError)>;
}

/// Reads a flow table a part at a time, while packets use it. It outlives the plane, whose table then ages no more.
pub trait FlowReader: fmt::Debug + Send + Sync {
    /// Buckets.
    fn buckets(&self) -> u32;

    /// Every entry of these buckets that is not free, by bucket and way; expired ones too.
    fn read(&self, buckets: Range<u32>) -> Vec<FlowRecord>;

    /// The tick that packets have now (18 bits); none where that is not known.
    fn now(&self) -> Option<u32>;

    /// Nanoseconds of a tick.
    fn tick_ns(&self) -> u64;
}

/// A data plane that a test can feed packet by packet.
pub trait TestPlane: DataPlane {
    /// What becomes of a frame that came in at `port` at tick `now`.
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome;
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Count {
    pub packets: u64,
    pub bytes: u64,
}

/// Where a packet went, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Outcome {
    pub verdict: Verdict,
    /// The frame that leaves; empty when dropped.
    pub bytes: Vec<u8>,
}

/// Where a packet went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verdict {
    Forward {
        port: u32,
    },
    Pass,
    /// The reason's name.
    Drop(String),
}

/// An entry of a flow table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub struct FlowRecord {
    pub bucket: u32,
    pub way: u32,
    /// A value for each key field, in order.
    pub key: Vec<u128>,
    pub id: u32,
    pub state: u8,
    pub class: u8,
    pub spill: bool,
    pub tick: u32,
}

impl FlowRecord {
    /// Splits a key of which `bits` holds the declared bits, the first field highest, in (high 128, low 128) form:
    /// the key's last bit is the low one.
    #[must_use]
    pub fn split_key(widths: &[u8], high: u128, low: u128) -> Vec<u128> {
        let (mut high, mut low) = (high, low);
        let mut fields = Vec::with_capacity(widths.len());
        for &width in widths.iter().rev() {
            let width = u32::from(width.clamp(1, 128));
            fields.push(low & (u128::MAX >> (128 - width)));
            low = if width == 128 { high } else { low >> width | high << (128 - width) };
            high = high.checked_shr(width).unwrap_or(0);
        }
        fields.reverse();
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_split_into_their_fields() {
        let widths = [16, 16, 128, 16];
        let address = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128;
        let low = address << 16 | 80;
        let high = 0x1234_5678_u128 << 16 | address >> 112;
        assert_eq!(FlowRecord::split_key(&widths, high, low), [0x1234, 0x5678, address, 80]);
    }
}
