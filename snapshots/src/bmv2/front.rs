//! What the two switches of BMv2 have in common: they are programmed, and packets go in and out.

use anyhow::Result;
use p4runtime_proto::p4::v1::{TableEntry as Wire, Update};
use pipeline_ir::entry::WriteError;
use runtime_client::{Counted, Names};
use std::fmt::Debug;
use std::time::Duration;

/// A packet that came out: the port, and its bytes.
pub(super) type Out = (u32, Vec<u8>);

/// A switch that runs, as seen from outside.
pub(super) trait Front: Debug {
    /// The port that stands for the host.
    fn host(&self) -> u32;

    /// Loads p4c's JSON; nothing is left of tables and counters.
    fn load(&mut self, json: &[u8]) -> Result<()>;

    /// Writes entries in order, each by itself.
    fn write(&mut self, names: &Names, updates: &[Update]) -> Result<(), WriteError>;

    /// The entries that a table holds, with their counts, those of the source too.
    fn entries(&self, names: &Names, table: u32) -> Result<Vec<Wire>>;

    /// All cells of the counters whose names begin so.
    fn counters(&self, names: &Names, begins: &str) -> Result<Vec<Counted>>;

    /// Sends a packet into a port.
    fn send(&mut self, port: u32, frame: &[u8]) -> Result<()>;

    /// The next packet that comes out, if one comes in time.
    fn next(&mut self, wait: Duration) -> Result<Option<Out>>;
}
