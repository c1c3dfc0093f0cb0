//! The load balancer without its memory: IPv4 and IPv6, TCP and UDP, a Maglev ring, IPIP. For switches that neither keep flows
//! nor know how long a frame is.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod stateless {
    use guideway::headers::{Ethernet, Ipv4, Ipv6, L4Start};

    const HASH: HashAlgorithm = Crc32;
    const RING_SLOTS: u32 = 65_537;

    const IPV4: bit<16> = 0x0800;
    const IPV6: bit<16> = 0x86dd;
    const TCP: bit<8> = 6;
    const UDP: bit<8> = 17;

    struct Headers {
        eth: Ethernet,
        outer4: Ipv4,
        outer6: Ipv6,
        ip4: Ipv4,
        ip6: Ipv6,
        l4: L4Start,
    }

    struct Meta {
        pool: bit<16>,
        key: bit<64>,
    }

    enum Reason {
        NoPool,
        NoSlot,
        NoBackend,
        Family,
    }

    struct Vip4Key {
        #[exact]
        dst: bit<32>,
        #[exact]
        protocol: bit<8>,
        #[exact]
        dst_port: bit<16>,
    }
    struct Vip6Key {
        #[exact]
        dst: bit<128>,
        #[exact]
        protocol: bit<8>,
        #[exact]
        dst_port: bit<16>,
    }
    enum VipAction {
        SetVip { pool: bit<16>, hash_key: bit<64> },
        #[default_only]
        NotAVip,
    }
    #[table(size = 512, counters = both)]
    static VIP4: Table<Vip4Key, VipAction> = NotAVip;
    #[table(size = 512, counters = both)]
    static VIP6: Table<Vip6Key, VipAction> = NotAVip;

    #[ring(slots = RING_SLOTS, pools = 64, pool_table = POOL, no_pool = NoPool, no_slot = NoSlot)]
    static RING: Ring<bit<16>, bit<24>>;

    struct BackendKey {
        #[exact]
        backend: bit<24>,
    }
    enum BackendAction {
        Ipip4 { src: bit<32>, dst: bit<32>, port: bit<32>, dst_mac: bit<48>, src_mac: bit<48> },
        Ipip6 { src: bit<128>, dst: bit<128>, port: bit<32>, dst_mac: bit<48>, src_mac: bit<48> },
        #[default_only]
        Gone,
    }
    #[table(size = 4096, counters = both)]
    static BACKEND: Table<BackendKey, BackendAction> = Gone;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            IPV4 => ipv4,
            IPV6 => ipv6,
            _ => accept,
        }
    }

    #[state]
    fn ipv4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip4);
        match (h.ip4.version, h.ip4.ihl, h.ip4.more_fragments, h.ip4.fragment_offset, h.ip4.protocol) {
            (4, 5, 0, 0, TCP | UDP) => l4,
            _ => accept,
        }
    }

    #[state]
    fn ipv6(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip6);
        match (h.ip6.version, h.ip6.next_header) {
            (6, TCP | UDP) => l4,
            _ => accept,
        }
    }

    #[state]
    fn l4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.l4);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.l4.is_valid() {
            return pass();
        }
        if h.ip4.is_valid() {
            match VIP4.apply(Vip4Key { dst: h.ip4.dst, protocol: h.ip4.protocol, dst_port: h.l4.dst_port }) {
                SetVip { pool, hash_key } => {
                    m.pool = pool;
                    m.key = hash_key;
                }
                NotAVip => return pass(),
            }
        } else {
            match VIP6.apply(Vip6Key { dst: h.ip6.dst, protocol: h.ip6.next_header, dst_port: h.l4.dst_port }) {
                SetVip { pool, hash_key } => {
                    m.pool = pool;
                    m.key = hash_key;
                }
                NotAVip => return pass(),
            }
        }
        let hash = if h.ip4.is_valid() {
            HASH.of(m.key, (h.ip4.src, h.ip4.dst, h.l4.src_port, h.l4.dst_port, h.ip4.protocol))
        } else {
            HASH.of(m.key, (h.ip6.src, h.ip6.dst, h.l4.src_port, h.l4.dst_port, h.ip6.next_header))
        };
        let id = RING.select(m.pool, hash);
        match BACKEND.apply(BackendKey { backend: id }) {
            Ipip4 { src, dst, port, dst_mac, src_mac } => {
                if h.ip6.is_valid() {
                    return drop(Family);
                }
                h.outer4.push(Ipv4 {
                    version: 4,
                    ihl: 5,
                    tos: h.ip4.tos,
                    total_length: h.ip4.total_length + 20,
                    identification: 0,
                    reserved: 0,
                    dont_fragment: 1,
                    more_fragments: 0,
                    fragment_offset: 0,
                    ttl: 64,
                    protocol: 4,
                    checksum: 0,
                    src: src,
                    dst: dst,
                });
                h.outer4.checksum = internet_checksum(h.outer4);
                to(h, dst_mac, src_mac, port)
            }
            Ipip6 { src, dst, port, dst_mac, src_mac } => {
                if h.ip4.is_valid() {
                    return drop(Family);
                }
                h.outer6.push(Ipv6 {
                    version: 6,
                    traffic_class: h.ip6.traffic_class,
                    flow_label: 0,
                    payload_length: h.ip6.payload_length + 40,
                    next_header: 41,
                    hop_limit: 64,
                    src: src,
                    dst: dst,
                });
                to(h, dst_mac, src_mac, port)
            }
            Gone => drop(NoBackend),
        }
    }

    fn to(h: &mut Headers, dst_mac: bit<48>, src_mac: bit<48>, port: bit<32>) -> Verdict {
        h.eth.dst = dst_mac;
        h.eth.src = src_mac;
        forward(port)
    }
}
