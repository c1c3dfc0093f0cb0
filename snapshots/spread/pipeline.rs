//! A stateless balancer: the ring alone decides, keyed hash, power of two slots, next hop by destination MAC (L2 DSR).

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod spread {
    use guideway::headers::{Ethernet, Ipv6, Udp};

    const HASH: HashAlgorithm = HalfSipHash;

    struct Headers {
        eth: Ethernet,
        ip6: Ipv6,
        udp: Udp,
    }

    struct Meta {}

    enum Reason {
        NoPool,
        NoSlot,
        NoServer,
    }

    struct ServiceKey {
        #[exact]
        dst: bit<128>,
    }
    enum ServiceAction {
        Service { pool: bit<8>, key: bit<64> },
        #[default_only]
        NoService,
    }
    #[table(size = 128, counters = both)]
    static SERVICE: Table<ServiceKey, ServiceAction> = NoService;

    #[ring(slots = 256, pools = 4, pool_table = SERVERS_IN_USE, no_pool = NoPool, no_slot = NoSlot)]
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
    #[table(size = 512, counters = packets)]
    static SERVER: Table<ServerKey, ServerAction> = NotThere;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            0x86dd => ipv6,
            _ => accept,
        }
    }

    #[state]
    fn ipv6(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip6);
        match h.ip6.next_header {
            17 => udp,
            _ => accept,
        }
    }

    #[state]
    fn udp(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.udp);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.udp.is_valid() {
            return pass();
        }
        match SERVICE.apply(ServiceKey { dst: h.ip6.dst }) {
            Service { pool, key } => {
                let hash = HASH.of(key, (h.ip6.src, h.udp.src_port));
                let id = SERVERS.select(pool, hash);
                match SERVER.apply(ServerKey { id: id }) {
                    ToMac { mac, port } => {
                        h.eth.dst = mac;
                        forward(port)
                    }
                    NotThere => drop(NoServer),
                }
            }
            NoService => pass(),
        }
    }
}
