//! The data plane: the native l4lb behind our P4Runtime server.

use super::snapshots::SLOTS;
use guideway::builtin::l4lb;
use guideway::plane::{DataPlane as _, NativePlane, Outcome, ReadBack as _, TestPlane as _, Verdict};
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::ForwardingPipelineConfig;
use p4runtime_server::{Device, Fixed, Options, Server};
use pipeline_ir::{RingId, TableId};
use prost::Message as _;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};

/// The half of IPv4, as `guideway compile` emits it.
mod ip4 {
    include!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../snapshots/l4lb-ip4/out/l4lb.rs"));
}

/// Slots of that half's rings.
pub const IP4_SLOTS: u32 = 65_536;

/// It ends with this.
pub struct Switch {
    pub address: String,
    device: Arc<Mutex<Device<Fixed<NativePlane>>>>,
    _end: oneshot::Sender<()>,
}

/// What becomes of the packets of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goes {
    /// By a whole table, of which every owner is in `backend`.
    By(Vec<u32>),
    /// Dropped: the pool has no table.
    Nowhere,
}

impl Switch {
    pub async fn start() -> Self {
        Self::at(&loopback::any_port()).await
    }

    /// A fresh one: what another held at this address is gone.
    pub async fn at(address: &str) -> Self {
        Self::of(guideway::plane::<l4lb::Pipeline>().unwrap(), address).await
    }

    /// One that knows IPv4 only.
    pub async fn of_ip4() -> Self {
        let set = [("RING_SLOTS", IP4_SLOTS), ("FLOW_ENTRIES", 65_536)];
        let set = set.map(|(name, value)| (name.to_owned(), value.to_string()));
        let whole = pipeline_syntax::compile_source("l4lb.rs", guideway::builtin::L4LB, &set).unwrap();
        let off = ["ipv6", "Ipip6", "TOO_BIG_RATE"];
        let half = codegen::off::off(&pipeline_ir::verify::verify(whole).unwrap(), &off).unwrap();
        let plane = NativePlane::new(&half, ip4::l4lb::Pipeline::new());
        Self::of(plane, &loopback::any_port()).await
    }

    async fn of(plane: NativePlane, address: &str) -> Self {
        let sizes = codegen::p4::Sizes::of(&hw_targets::target("native").unwrap());
        let info = codegen::p4::info(plane.pipeline(), &sizes).to_bytes();
        let config = ForwardingPipelineConfig {
            p4info: Some(P4Info::decode(info.as_slice()).unwrap()),
            p4_device_config: Bundle::default().encode_to_vec().into(),
            cookie: None,
        };
        let device = Device::new(Fixed(plane), config).map_err(|(_, why)| why).unwrap();
        let device = Arc::new(Mutex::new(device));
        let address = address.parse().unwrap();
        let server = Server::bind(&address, Arc::clone(&device), &Options::default()).await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        let (end, ended) = oneshot::channel::<()>();
        tokio::spawn(server.serve(async {
            let _dropped = ended.await;
        }));
        Self { address, device, _end: end }
    }

    fn ring(plane: &NativePlane) -> RingId {
        let rings = &plane.pipeline().rings;
        assert!(rings.len() == 1 && [SLOTS, IP4_SLOTS].contains(&rings[0].slots));
        RingId(0)
    }

    /// Checks that a pool's packets meet a whole table, and says which.
    pub async fn goes(&self, pool: u32) -> Goes {
        let mut device = self.device.lock().await;
        let plane = &mut device.host.0;
        let ring = Self::ring(plane);
        let Some(generation) = plane.generation(ring, pool) else { return Goes::Nowhere };
        let held = plane.slots(ring, pool, generation % 2 == 1);
        assert_eq!(held.len(), plane.pipeline().rings[0].slots as usize);
        assert!(
            held.iter().all(|(g, id)| *g == generation && *id != 0),
            "every slot is of the generation in force"
        );
        let slots: Vec<u32> = held.into_iter().map(|(_, id)| id).collect();
        let backends = Self::backends_of(plane);
        let owners: BTreeSet<u32> = slots.iter().copied().collect();
        assert!(owners.is_subset(&backends), "every owner is in `backend`");
        Goes::By(slots)
    }

    fn backends_of(plane: &NativePlane) -> BTreeSet<u32> {
        let tables = &plane.pipeline().tables;
        let at = tables.iter().position(|t| t.name == "backend").unwrap();
        let entries = plane.table_entries(TableId(at as u32));
        let id = |k: &pipeline_ir::KeyValue| match k {
            pipeline_ir::KeyValue::Exact(v) => *v as u32,
            other => panic!("{other:?}"),
        };
        entries.iter().map(|(e, _)| id(&e.key()[0])).collect()
    }

    /// Ids in `backend`.
    pub async fn backends(&self) -> BTreeSet<u32> {
        Self::backends_of(&self.device.lock().await.host.0)
    }

    /// What both generations of a pool hold.
    pub async fn generations(&self, pool: u32) -> [Vec<u32>; 2] {
        let device = self.device.lock().await;
        let plane = &device.host.0;
        [false, true]
            .map(|odd| plane.slots(Self::ring(plane), pool, odd).into_iter().map(|(_, id)| id).collect())
    }

    /// What becomes of a frame at a tick.
    pub async fn process(&self, now: u32, frame: &[u8]) -> Outcome {
        self.device.lock().await.host.0.process(1, now, frame)
    }

    /// A TCP segment to a VIP: the outer destination, or the reason of the drop; empty: passed.
    pub async fn segment(&self, vip: [u8; 4], client: u32, flags: u8) -> String {
        let outcome = self.process(1, &segment(vip, client, flags)).await;
        match outcome.verdict {
            Verdict::Forward { .. } => {
                let outer: [u8; 4] = outcome.bytes[30..34].try_into().unwrap();
                Ipv4Addr::from(outer).to_string()
            }
            Verdict::Drop(reason) => reason,
            Verdict::Pass => String::new(),
        }
    }
}

pub const SYN: u8 = 2;
pub const ACK: u8 = 16;

/// A TCP segment from a client's address and port of its own.
pub fn segment(vip: [u8; 4], client: u32, flags: u8) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14] = 0x45;
    frame[16..18].copy_from_slice(&[0, 40]);
    frame[22..24].copy_from_slice(&[64, 6]);
    frame[26..30].copy_from_slice(&(0xc0a8_0000 + client).to_be_bytes());
    frame[30..34].copy_from_slice(&vip);
    frame[34..36].copy_from_slice(&(1024 + (client % 50_000) as u16).to_be_bytes());
    frame[36..38].copy_from_slice(&[0, 80]);
    frame[46..48].copy_from_slice(&[0x50, flags]);
    frame
}
