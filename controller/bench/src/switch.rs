//! A node's data plane: the native `l4lb` in this process, behind our P4Runtime server.

use anyhow::{Context as _, Result, anyhow};
use guideway::builtin::l4lb;
use guideway::plane::{Count, DataPlane, FlowReader, FlowRecord, NativePlane, ReadBack};
use guideway::rt::{Packet, Verdict};
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::ForwardingPipelineConfig;
use p4runtime_server::{Device, Fixed, Options, Server};
use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::{FlowTableId, Pipeline, RingId, TableId};
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};

/// Told whenever the generation of a pool is written: packets go by another ring from now on.
pub type OnFlip = Box<dyn Fn() + Send>;

/// The data plane, and who hears of its flips.
pub struct Plane {
    native: NativePlane,
    on_flip: Option<OnFlip>,
}

impl Plane {
    /// Where a frame of port 1 goes at a tick: the outer destination; none: it doesn't leave.
    pub fn run(&mut self, tick: u32, packet: &mut Packet) -> Option<[u8; 4]> {
        match self.native.run(1, tick, packet) {
            Verdict::Forward(_) => packet.frame().get(30..34)?.try_into().ok(),
            Verdict::Pass | Verdict::Drop(_) => None,
        }
    }

    /// Nanoseconds of a tick.
    #[must_use]
    pub fn tick_ns(&self) -> u64 {
        self.native.tick_ns()
    }
}

impl DataPlane for Plane {
    fn pipeline(&self) -> &Pipeline {
        self.native.pipeline()
    }
    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        let done = self.native.write(entry, kind);
        if let (CheckedEntry::Pool(_), Some(tell)) = (entry, &self.on_flip) {
            tell();
        }
        done
    }
    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        self.native.fill_ring(fill)
    }
    fn counters(&self) -> BTreeMap<String, Count> {
        self.native.counters()
    }
    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        self.native.table_entries(table)
    }
    fn flows(&self, table: FlowTableId) -> Vec<FlowRecord> {
        self.native.flows(table)
    }
}

impl ReadBack for Plane {
    fn table_entry(&self, named: &TableEntry) -> Option<TableEntry> {
        self.native.table_entry(named)
    }
    fn hits(&self, named: &TableEntry) -> Option<Count> {
        self.native.hits(named)
    }
    fn generation(&self, ring: RingId, pool: u32) -> Option<u8> {
        self.native.generation(ring, pool)
    }
    fn slot(&self, ring: RingId, pool: u32, odd: bool, slot: u32) -> Option<(u8, u32)> {
        self.native.slot(ring, pool, odd, slot)
    }
    fn slots(&self, ring: RingId, pool: u32, odd: bool) -> Vec<(u8, u32)> {
        self.native.slots(ring, pool, odd)
    }
    fn flow_reader(&self, table: FlowTableId) -> Option<Arc<dyn FlowReader>> {
        self.native.flow_reader(table)
    }
}

/// A data plane that is shared by its server and its packets.
pub type Shared = Arc<Mutex<Device<Fixed<Plane>>>>;

/// A switch that serves P4Runtime. It ends with this.
pub struct Switch {
    /// Where it serves: `127.0.0.1` and a free port.
    pub address: String,
    /// For packets.
    pub device: Shared,
    _end: oneshot::Sender<()>,
}

impl Switch {
    /// Starts an empty one.
    ///
    /// # Errors
    /// It can't be made or can't listen.
    pub async fn start(on_flip: Option<OnFlip>) -> Result<Self> {
        let native = guideway::plane::<l4lb::Pipeline>().map_err(|e| anyhow!("l4lb: {e:?}"))?;
        let target = hw_targets::target("native").context("the target native")?;
        let info = codegen::p4::info(native.pipeline(), &codegen::p4::Sizes::of(&target)).to_bytes();
        let config = ForwardingPipelineConfig {
            p4info: Some(P4Info::decode(info.as_slice())?),
            p4_device_config: Bundle::default().encode_to_vec().into(),
            cookie: None,
        };
        let device =
            Device::new(Fixed(Plane { native, on_flip }), config).map_err(|(_, why)| anyhow!("{why:?}"))?;
        let device = Arc::new(Mutex::new(device));
        let address = "127.0.0.1:0".parse().map_err(|e| anyhow!("{e:?}"))?;
        let server = Server::bind(&address, Arc::clone(&device), &Options::default()).await?;
        let address = server.local_addr().context("it listens nowhere")?.to_string();
        let (end, ended) = oneshot::channel::<()>();
        tokio::spawn(server.serve(async {
            // Ends when the switch is dropped.
            let _dropped = ended.await;
        }));
        Ok(Self { address, device, _end: end })
    }
}
