//! What every generated pipeline can do.

use crate::counter::Counter;
use crate::flow::AnyFlows;
use crate::packet::{Packet, Verdict};
use crate::ring::AnyRing;
use crate::table::AnyTable;

/// A generated pipeline. Objects are numbered in the source's order; by default there are none.
pub trait Program {
    /// Nanoseconds of one tick of the clock that `process` is told.
    fn tick_ns(&self) -> u64;
    /// Where the packet goes; it is changed to what leaves.
    fn process(&mut self, port: u32, now: u32, packet: &mut Packet) -> Verdict;
    /// A table.
    fn table(&self, index: usize) -> Option<&dyn AnyTable> {
        let _ = index;
        None
    }
    /// A table, to be written.
    fn table_mut(&mut self, index: usize) -> Option<&mut dyn AnyTable> {
        let _ = index;
        None
    }
    /// A ring.
    fn ring(&self, index: usize) -> Option<&dyn AnyRing> {
        let _ = index;
        None
    }
    /// A ring, to be written.
    fn ring_mut(&mut self, index: usize) -> Option<&mut dyn AnyRing> {
        let _ = index;
        None
    }
    /// A flow table.
    fn flow_table(&self, index: usize) -> Option<&dyn AnyFlows> {
        let _ = index;
        None
    }
    /// A counter.
    fn counter(&self, index: usize) -> Option<&Counter> {
        let _ = index;
        None
    }
    /// Packets dropped, by reason.
    fn drops(&self) -> &[u64];
    /// The same for another thread: flow tables and limiters are shared, tables and rings copied as they are, counters
    /// start at 0.
    fn fork(&self) -> Self
    where
        Self: Sized;
}
