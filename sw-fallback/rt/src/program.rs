//! What every generated pipeline can do.

use crate::counter::Counter;
use crate::flow::AnyFlows;
use crate::packet::{Packet, Verdict};
use crate::ring::AnyRing;
use crate::table::AnyTable;

/// A generated pipeline. Objects are numbered in the source's order.
pub trait Program {
    /// Nanoseconds of one tick of the clock that `process` is told.
    fn tick_ns(&self) -> u64;
    /// Where the packet goes; it is changed to what leaves.
    fn process(&mut self, port: u32, now: u32, packet: &mut Packet) -> Verdict;
    /// A table.
    fn table(&self, index: usize) -> Option<&dyn AnyTable>;
    /// A table, to be written.
    fn table_mut(&mut self, index: usize) -> Option<&mut dyn AnyTable>;
    /// A ring.
    fn ring(&self, index: usize) -> Option<&dyn AnyRing>;
    /// A ring, to be written.
    fn ring_mut(&mut self, index: usize) -> Option<&mut dyn AnyRing>;
    /// A flow table.
    fn flow_table(&self, index: usize) -> Option<&dyn AnyFlows>;
    /// A counter.
    fn counter(&self, index: usize) -> Option<&Counter>;
    /// Packets dropped, by reason.
    fn drops(&self) -> &[u64];
}
