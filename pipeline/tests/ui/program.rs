//! The native program beside the bindings: a flow table, a ring, entries of the source, and tables whose names are
//! those that the expansion would take.

#[guideway::pipeline(targets = [native])]
mod stay {
    use guideway::headers::{Ethernet, Ipv4};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
    }
    enum Reason {
        NoPool,
        NoSlot,
        NotIp,
    }

    const HASH: HashAlgorithm = Crc32;

    struct FlowKey {
        src: bit<32>,
    }
    #[flow_table(entries = 64, idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s))]
    static FLOWS: Affinity<FlowKey, bit<24>>;
    #[ring(slots = 17, pools = 1, pool_table = POOL, no_pool = NoPool, no_slot = NoSlot)]
    static RING: Ring<bit<16>, bit<24>>;

    struct BackendKey {
        #[exact]
        id: bit<24>,
    }
    enum BackendAction {
        Out { port: bit<32> },
        #[default_only]
        Gone,
    }
    #[table(size = 16, slot_bits = 14)]
    static BACKEND: Table<BackendKey, BackendAction> = Gone;

    struct KindKey {
        #[exact]
        ethertype: bit<16>,
    }
    enum KindAction {
        Known,
        #[default_only]
        Unknown,
    }
    #[table(size = 4)]
    static NATIVE: Table<KindKey, KindAction> = Unknown;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        p.extract(h.ip4);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        if !h.ip4.is_valid() {
            return drop(NotIp);
        }
        match NATIVE.apply(KindKey { ethertype: h.eth.ethertype }) {
            Known => {}
            Unknown => return drop(NotIp),
        }
        let hash = HASH.of(0, (h.ip4.src));
        let flow = FLOWS.find(FlowKey { src: h.ip4.src }, hash, event::DATAGRAM, 0);
        match BACKEND.stay_or(flow, || RING.select(0, hash)) {
            Out { port } => {
                flow.remember();
                forward(port)
            }
            Gone => drop(NoSlot),
        }
    }
}

use guideway::ir::entry::{Entry, RingFill, Tables, WriteKind};
use guideway::plane::{DataPlane, NativePlane};
use guideway::rt::{Packet, Verdict};
use stay::{backend, native, pool};

fn write(plane: &mut NativePlane, entry: impl Into<Entry>) {
    let checked = Tables::new(plane.pipeline()).check(&entry.into()).expect("a legal entry");
    plane.write(&checked, WriteKind::Insert).expect("room");
}

fn fill(plane: &mut NativePlane, generation: u8, id: u32) {
    let ring = RingFill { ring: "ring".into(), pool: 0, generation, slots: vec![id; 17] };
    let checked = Tables::new(plane.pipeline()).check_ring(ring).expect("a legal ring");
    plane.fill_ring(&checked).expect("room");
}

fn main() {
    let mut plane = guideway::plane::<stay::Pipeline>().expect("the macro compiled it");
    write(&mut plane, native::Entry { key: native::Key { ethertype: 0x0800 }, action: native::Action::Known });
    for (id, port) in [(1, 10), (2, 20)] {
        let (key, action) = (backend::Key { id }, backend::Action::Out { port });
        write(&mut plane, backend::Entry { key, action });
    }
    fill(&mut plane, 0, 1);
    let (key, action) = (pool::Key { pool: 0 }, pool::Action::SetGeneration { generation: 0 });
    write(&mut plane, pool::Entry { key, action });

    let mut packet = Packet::new();
    let mut send = |plane: &mut NativePlane, source: u8| {
        let mut frame = [0; 60];
        frame[12..14].copy_from_slice(&[0x08, 0x00]);
        frame[29] = source;
        packet.fill(&frame);
        plane.run(1, 0, &mut packet)
    };
    assert_eq!(send(&mut plane, 1), Verdict::Forward(10));
    // The same generation with another id: the flow stays, a new one goes there.
    fill(&mut plane, 0, 2);
    assert_eq!(send(&mut plane, 1), Verdict::Forward(10));
    assert_eq!(send(&mut plane, 2), Verdict::Forward(20));
    assert_eq!(plane.counters()["flows.stored"].packets, 2);
    packet.fill(&[0; 60]);
    assert_eq!(plane.run(1, 0, &mut packet), Verdict::Drop(stay::native_2::reason::NOT_IP));
}
