//! A balancer with a memory: a flow stays where it is as long as it is heard, next hop by destination MAC (L2 DSR).

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod pin {
    use guideway::headers::{Ethernet, Ipv4, Tcp, Udp};

    const HASH: HashAlgorithm = Crc32;
    const FLOW_ENTRIES: u32 = 65_536;
    const RING_SLOTS: u32 = 251;
    // Idle time-outs, in milliseconds.
    const NEW: u32 = 10_000;
    const ESTABLISHED: u32 = 300_000;
    const DATAGRAMS: u32 = 60_000;
    const CLOSING: u32 = 10_000;

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        tcp: Tcp,
        udp: Udp,
    }

    struct Meta {
        src_port: bit<16>,
        dst_port: bit<16>,
    }

    enum Reason {
        NoPool,
        NoSlot,
        NoServer,
    }

    struct ServiceKey {
        #[exact]
        dst: bit<32>,
    }
    enum ServiceAction {
        Service { pool: bit<8> },
        #[default_only]
        NoService,
    }
    #[table(size = 64, counters = both)]
    static SERVICE: Table<ServiceKey, ServiceAction> = NoService;

    struct FlowKey {
        src: bit<32>,
        dst: bit<32>,
        src_port: bit<16>,
    }
    #[flow_table(
        entries = FLOW_ENTRIES,
        idle(new = NEW.ms, tcp = ESTABLISHED.ms, udp = DATAGRAMS.ms, closing = CLOSING.ms)
    )]
    static FLOWS: Affinity<FlowKey, bit<16>>;

    #[ring(slots = RING_SLOTS, pools = 4, pool_table = SERVERS_IN_USE, no_pool = NoPool, no_slot = NoSlot)]
    static SERVERS: Ring<bit<8>, bit<16>>;

    struct ServerKey {
        #[exact]
        id: bit<16>,
    }
    enum ServerAction {
        ToMac { mac: bit<48>, port: bit<32> },
        #[default_only]
        NotThere,
    }
    #[table(size = 256, counters = both)]
    static SERVER: Table<ServerKey, ServerAction> = NotThere;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            0x0800 => ipv4,
            _ => accept,
        }
    }

    #[state]
    fn ipv4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip4);
        match (h.ip4.version, h.ip4.ihl, h.ip4.more_fragments, h.ip4.fragment_offset, h.ip4.protocol) {
            (4, 5, 0, 0, 6) => tcp,
            (4, 5, 0, 0, 17) => udp,
            _ => accept,
        }
    }

    #[state]
    fn tcp(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.tcp);
        accept
    }

    #[state]
    fn udp(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.udp);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if h.tcp.is_valid() {
            m.src_port = h.tcp.src_port;
            m.dst_port = h.tcp.dst_port;
        } else if h.udp.is_valid() {
            m.src_port = h.udp.src_port;
            m.dst_port = h.udp.dst_port;
        } else {
            return pass();
        }
        match SERVICE.apply(ServiceKey { dst: h.ip4.dst }) {
            Service { pool } => balance(h, m, pool),
            NoService => pass(),
        }
    }

    fn balance(h: &mut Headers, m: &mut Meta, pool: bit<8>) -> Verdict {
        let hash = HASH.of(bit::<32>(0), (h.ip4.src, h.ip4.dst, m.src_port, m.dst_port));
        let event = if h.udp.is_valid() {
            event::DATAGRAM
        } else if h.tcp.flags & 0x17 == 0x02 {
            event::OPEN
        } else if h.tcp.flags & 0x05 != 0 {
            event::CLOSE
        } else {
            event::DATA
        };
        let key = FlowKey { src: h.ip4.src, dst: h.ip4.dst, src_port: m.src_port };
        let flow = FLOWS.find(key, hash, event, 0);
        match SERVER.stay_or(flow, || SERVERS.select(pool, hash)) {
            ToMac { mac, port } => {
                flow.remember();
                h.eth.dst = mac;
                forward(port)
            }
            NotThere => drop(NoServer),
        }
    }
}
