//! A layer-4 load balancer: IPv4 and IPv6, TCP and UDP, flow affinity, Maglev rings, IPIP.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod l4lb {
    use guideway::headers::{Ethernet, Icmp, Ipv4, Ipv6, L4Start, Tcp, Udp};

    /// `Crc32` (seed: the low half of the VIP's key) or `HalfSipHash`, against chosen collisions.
    const HASH: HashAlgorithm = Crc32;
    const FLOW_ENTRIES: u32 = 8 << 20;
    const RING_SLOTS: u32 = 65_537;

    const IPV4: bit<16> = 0x0800;
    const IPV6: bit<16> = 0x86dd;
    const ICMP: bit<8> = 1;
    const IPIP: bit<8> = 4;
    const TCP: bit<8> = 6;
    const UDP: bit<8> = 17;
    const IP6_IN: bit<8> = 41;
    const ICMP6: bit<8> = 58;

    // Flags of a VIP.
    const STATELESS: bit<8> = 1;
    const ECHO: bit<8> = 2;
    const TOO_BIG: bit<8> = 4;

    /// In the order in which they leave.
    struct Headers {
        eth: Ethernet,
        error4: Ipv4, // an ICMP error of our own
        error6: Ipv6,
        error: Icmp,
        outer4: Ipv4,
        outer6: Ipv6,
        ip4: Ipv4,
        ip6: Ipv6,
        icmp: Icmp,
        quoted4: Ipv4,
        quoted6: Ipv6,
        quoted: L4Start,
        tcp: Tcp,
        udp: Udp,
    }

    struct Meta {
        protocol: bit<8>,
        client_port: bit<16>,
        vip_port: bit<16>,
        client4: bit<32>,
        client6: bit<128>,
        vip: bit<16>,
        pool: bit<16>,
        hash_key: bit<64>,
        flags: bit<8>,
        class: bit<2>,
        is_error: bool,
        found: bool,
    }

    enum Reason {
        EthernetCut,
        IpCut,
        Version,
        HeaderLength,
        TotalLength,
        Options,
        Fragment,
        L4Cut,
        DataOffset,
        IcmpQuote,
        NoPool,
        NoSlot,
        NoBackend,
        Family,
        Mtu,
    }

    struct Vip4Key {
        #[exact]
        dst: bit<32>,
        #[exact]
        protocol: bit<8>,
        #[exact]
        dst_port: bit<16>,
    }
    struct Vip4AnyKey {
        #[exact]
        dst: bit<32>,
        #[exact]
        protocol: bit<8>,
    }
    struct Vip6Key {
        #[exact]
        dst: bit<128>,
        #[exact]
        protocol: bit<8>,
        #[exact]
        dst_port: bit<16>,
    }
    struct Vip6AnyKey {
        #[exact]
        dst: bit<128>,
        #[exact]
        protocol: bit<8>,
    }
    enum VipAction {
        SetVip { vip: bit<16>, pool: bit<16>, hash_key: bit<64>, flags: bit<8>, class: bit<2> },
        #[default_only]
        NotAVip,
    }
    #[table(size = 512, counters = both)]
    static VIP4: Table<Vip4Key, VipAction> = NotAVip;
    /// Any port; and with protocol ICMP the address itself: echo, and what is malformed.
    #[table(size = 512, counters = both)]
    static VIP4_ANY: Table<Vip4AnyKey, VipAction> = NotAVip;
    #[table(size = 512, counters = both)]
    static VIP6: Table<Vip6Key, VipAction> = NotAVip;
    #[table(size = 512, counters = both)]
    static VIP6_ANY: Table<Vip6AnyKey, VipAction> = NotAVip;

    struct FlowKey4 {
        src: bit<32>,
        src_port: bit<16>,
        vip: bit<16>,
        dst_port: bit<16>,
    }
    struct FlowKey6 {
        src_port: bit<16>,
        vip: bit<16>,
        src: bit<128>,
        dst_port: bit<16>,
    }
    #[flow_table(
        entries = FLOW_ENTRIES,
        idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s),
        idle(new = 30.s, tcp = 3600.s, udp = 60.s, closing = 60.s),
        idle(new = 10.s, tcp = 60.s, udp = 10.s, closing = 10.s)
    )]
    static FLOWS4: Affinity<FlowKey4, bit<24>>;
    #[flow_table(
        entries = FLOW_ENTRIES,
        idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s),
        idle(new = 30.s, tcp = 3600.s, udp = 60.s, closing = 60.s),
        idle(new = 10.s, tcp = 60.s, udp = 10.s, closing = 10.s)
    )]
    static FLOWS6: Affinity<FlowKey6, bit<24>>;

    #[ring(slots = RING_SLOTS, pools = 64, pool_table = POOL, no_pool = NoPool, no_slot = NoSlot)]
    static RING: Ring<bit<16>, bit<24>>;

    struct BackendKey {
        #[exact]
        backend: bit<24>,
    }
    enum BackendAction {
        /// `spread`: bits of the outer source that take the flow's entropy.
        Ipip4 { src: bit<32>, spread: bit<32>, dst: bit<32>, port: bit<32>, dst_mac: bit<48>, src_mac: bit<48>, mtu: bit<16> },
        Ipip6 { src: bit<128>, spread: bit<32>, dst: bit<128>, port: bit<32>, dst_mac: bit<48>, src_mac: bit<48>, mtu: bit<16> },
        #[default_only]
        Gone,
    }
    #[table(size = 4096, counters = both, slot_bits = 14)]
    static BACKEND: Table<BackendKey, BackendAction> = Gone;

    /// ICMP "too big" that we send.
    #[limiter(per_tick = 64)]
    static TOO_BIG_RATE: Limiter;

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
            (4, 5, 0, 0, TCP) => tcp,
            (4, 5, 0, 0, UDP) => udp,
            (4, 5, 0, 0, ICMP) => icmp4,
            _ => accept,
        }
    }

    #[state]
    fn ipv6(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip6);
        match (h.ip6.version, h.ip6.next_header) {
            (6, TCP) => tcp,
            (6, UDP) => udp,
            (6, ICMP6) => icmp6,
            _ => accept,
        }
    }

    #[state]
    fn icmp4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.icmp);
        match h.icmp.kind {
            3 | 11 | 12 => quote4,
            _ => accept,
        }
    }

    #[state]
    fn quote4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.quoted4);
        match (
            h.quoted4.version,
            h.quoted4.ihl,
            h.quoted4.more_fragments,
            h.quoted4.fragment_offset,
            h.quoted4.protocol,
        ) {
            (4, 5, 0, 0, TCP | UDP) => quote,
            _ => accept,
        }
    }

    #[state]
    fn icmp6(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.icmp);
        match h.icmp.kind {
            1..=4 => quote6,
            _ => accept,
        }
    }

    #[state]
    fn quote6(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.quoted6);
        match (h.quoted6.version, h.quoted6.next_header) {
            (6, TCP | UDP) => quote,
            _ => accept,
        }
    }

    #[state]
    fn quote(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.quoted);
        accept
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
        if !h.eth.is_valid() {
            return drop(EthernetCut);
        }
        if h.ip4.is_valid() {
            classify4(h, m);
        } else if h.ip6.is_valid() {
            classify6(h, m);
        } else if h.eth.ethertype == IPV4 || h.eth.ethertype == IPV6 {
            return drop(IpCut);
        } else {
            return pass();
        }
        balance(h, m)
    }

    /// For an IPv4 packet: whose it is. Passes what is no VIP's; drops a VIP's malformed packets.
    fn classify4(h: &mut Headers, m: &mut Meta) {
        let too_short = h.ip4.total_length < (h.ip4.ihl as bit<16>) << 2
            || h.ip4.total_length as bit<32> + 14 > FRAME_LENGTH;
        let fragment = h.ip4.more_fragments == 1 || h.ip4.fragment_offset != 0;
        let l4_cut = h.ip4.protocol == TCP && h.ip4.total_length < 40
            || (h.ip4.protocol == UDP || h.ip4.protocol == ICMP) && h.ip4.total_length < 28;
        m.is_error = h.icmp.is_valid() && (h.icmp.kind == 3 || h.icmp.kind == 11 || h.icmp.kind == 12);
        let bad_quote = m.is_error
            && (!h.quoted.is_valid() || h.ip4.total_length < 56 || h.quoted4.src != h.ip4.dst);
        // What has no ports to look up asks for the address: (dst, ICMP).
        let by_address = h.ip4.version != 4
            || h.ip4.ihl != 5
            || too_short
            || fragment
            || l4_cut
            || h.tcp.is_valid() && h.tcp.data_offset < 5
            || bad_quote
            || h.icmp.is_valid() && !m.is_error;

        ports(h, m);
        m.protocol = h.ip4.protocol;
        m.client4 = h.ip4.src;
        if m.is_error {
            m.protocol = h.quoted4.protocol;
            m.client4 = h.quoted4.dst;
        }
        if by_address {
            m.protocol = ICMP;
        } else {
            match VIP4.apply(Vip4Key { dst: h.ip4.dst, protocol: m.protocol, dst_port: m.vip_port }) {
                SetVip { vip, pool, hash_key, flags, class } => set_vip(m, vip, pool, hash_key, flags, class),
                NotAVip => {}
            }
        }
        if !m.found {
            match VIP4_ANY.apply(Vip4AnyKey { dst: h.ip4.dst, protocol: m.protocol }) {
                SetVip { vip, pool, hash_key, flags, class } => set_vip(m, vip, pool, hash_key, flags, class),
                NotAVip => return pass(),
            }
        }
        if by_address {
            if h.ip4.version != 4 {
                return drop(Version);
            }
            if h.ip4.ihl < 5 {
                return drop(HeaderLength);
            }
            if too_short {
                return drop(TotalLength);
            }
            if h.ip4.ihl != 5 {
                return drop(Options);
            }
            if fragment {
                return drop(Fragment);
            }
            if l4_cut {
                return drop(L4Cut);
            }
            if h.tcp.is_valid() {
                return drop(DataOffset);
            }
            if m.is_error {
                return drop(IcmpQuote);
            }
            return echo4(h, m);
        }
    }

    /// The same for IPv6.
    fn classify6(h: &mut Headers, m: &mut Meta) {
        let next = h.ip6.next_header;
        let too_short = h.ip6.payload_length as bit<32> + 54 > FRAME_LENGTH;
        let fragment = next == 44;
        let options = next == 0 || next == 43 || next == 60;
        let l4_cut = next == TCP && h.ip6.payload_length < 20
            || (next == UDP || next == ICMP6) && h.ip6.payload_length < 8;
        m.is_error = h.icmp.is_valid() && h.icmp.kind >= 1 && h.icmp.kind <= 4;
        let bad_quote = m.is_error
            && (!h.quoted.is_valid() || h.ip6.payload_length < 56 || h.quoted6.src != h.ip6.dst);
        let by_address = h.ip6.version != 6
            || too_short
            || options
            || fragment
            || l4_cut
            || h.tcp.is_valid() && h.tcp.data_offset < 5
            || bad_quote
            || h.icmp.is_valid() && !m.is_error;

        ports(h, m);
        m.protocol = next;
        m.client6 = h.ip6.src;
        if m.is_error {
            m.protocol = h.quoted6.next_header;
            m.client6 = h.quoted6.dst;
        }
        if by_address {
            m.protocol = ICMP6;
        } else {
            match VIP6.apply(Vip6Key { dst: h.ip6.dst, protocol: m.protocol, dst_port: m.vip_port }) {
                SetVip { vip, pool, hash_key, flags, class } => set_vip(m, vip, pool, hash_key, flags, class),
                NotAVip => {}
            }
        }
        if !m.found {
            match VIP6_ANY.apply(Vip6AnyKey { dst: h.ip6.dst, protocol: m.protocol }) {
                SetVip { vip, pool, hash_key, flags, class } => set_vip(m, vip, pool, hash_key, flags, class),
                NotAVip => return pass(),
            }
        }
        if by_address {
            if h.ip6.version != 6 {
                return drop(Version);
            }
            if too_short {
                return drop(TotalLength);
            }
            if options {
                return drop(Options);
            }
            if fragment {
                return drop(Fragment);
            }
            if l4_cut {
                return drop(L4Cut);
            }
            if h.tcp.is_valid() {
                return drop(DataOffset);
            }
            if m.is_error {
                return drop(IcmpQuote);
            }
            return echo6(h, m);
        }
    }

    fn set_vip(m: &mut Meta, vip: bit<16>, pool: bit<16>, hash_key: bit<64>, flags: bit<8>, class: bit<2>) {
        m.found = true;
        m.vip = vip;
        m.pool = pool;
        m.hash_key = hash_key;
        m.flags = flags;
        m.class = class;
    }

    /// The client's port and ours; in an ICMP error those of the quoted packet, turned round.
    fn ports(h: &mut Headers, m: &mut Meta) {
        if h.tcp.is_valid() {
            m.client_port = h.tcp.src_port;
            m.vip_port = h.tcp.dst_port;
        } else if h.udp.is_valid() {
            m.client_port = h.udp.src_port;
            m.vip_port = h.udp.dst_port;
        } else if h.quoted.is_valid() {
            m.client_port = h.quoted.dst_port;
            m.vip_port = h.quoted.src_port;
        }
    }

    fn balance(h: &mut Headers, m: &mut Meta) -> Verdict {
        let hash = if h.ip4.is_valid() {
            HASH.of(m.hash_key, (m.client4, h.ip4.dst, m.client_port, m.vip_port, m.protocol))
        } else {
            HASH.of(m.hash_key, (m.client6, h.ip6.dst, m.client_port, m.vip_port, m.protocol))
        };
        let event = if m.is_error {
            event::PEEK
        } else if !h.tcp.is_valid() {
            event::DATAGRAM
        } else if h.tcp.flags & 0x17 == 0x02 {
            event::OPEN
        } else if h.tcp.flags & 0x05 != 0 {
            event::CLOSE
        } else {
            event::DATA
        };
        let flow = if m.flags & STATELESS != 0 {
            Flow::none()
        } else if h.ip4.is_valid() {
            let key = FlowKey4 { src: m.client4, src_port: m.client_port, vip: m.vip, dst_port: m.vip_port };
            FLOWS4.find(key, hash, event, m.class)
        } else {
            let key = FlowKey6 { src_port: m.client_port, vip: m.vip, src: m.client6, dst_port: m.vip_port };
            FLOWS6.find(key, hash, event, m.class)
        };
        // The low half decides slot and bucket; the high half is free to spread flows over the backend's queues.
        let entropy = hash.bits(31, 16) as bit<32>;

        match BACKEND.stay_or(flow, || RING.select(m.pool, hash)) {
            Ipip4 { src, spread, dst, port, dst_mac, src_mac, mtu } => {
                if h.ip6.is_valid() {
                    return drop(Family);
                }
                if h.ip4.total_length as bit<32> + 20 > mtu as bit<32> {
                    return too_big4(h, m, mtu - 20);
                }
                flow.remember();
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
                    protocol: IPIP,
                    checksum: 0,
                    src: src | (entropy & spread),
                    dst: dst,
                });
                h.outer4.checksum = internet_checksum(h.outer4);
                h.eth.dst = dst_mac;
                h.eth.src = src_mac;
                forward(port)
            }
            Ipip6 { src, spread, dst, port, dst_mac, src_mac, mtu } => {
                if h.ip4.is_valid() {
                    if h.ip4.total_length as bit<32> + 40 > mtu as bit<32> {
                        return too_big4(h, m, mtu - 40);
                    }
                } else if h.ip6.payload_length as bit<32> + 80 > mtu as bit<32> {
                    return too_big6(h, m, mtu - 40);
                }
                flow.remember();
                h.outer6.push(Ipv6 {
                    version: 6,
                    traffic_class: h.ip6.traffic_class,
                    flow_label: 0,
                    payload_length: h.ip6.payload_length + 40,
                    next_header: IP6_IN,
                    hop_limit: 64,
                    src: src | ((entropy & spread) as bit<128>),
                    dst: dst,
                });
                if h.ip4.is_valid() {
                    h.outer6.traffic_class = h.ip4.tos;
                    h.outer6.payload_length = h.ip4.total_length;
                    h.outer6.next_header = IPIP;
                    h.eth.ethertype = IPV6;
                }
                h.eth.dst = dst_mac;
                h.eth.src = src_mac;
                forward(port)
            }
            Gone => drop(NoBackend),
        }
    }

    /// Answers an echo request to a VIP that allows it.
    fn echo4(h: &mut Headers, m: &mut Meta) -> Verdict {
        if m.flags & ECHO == 0 || h.icmp.kind != 8 || h.eth.dst.bits(40, 40) == 1 {
            return pass();
        }
        adjust(h.ip4.checksum, concat(h.ip4.ttl, h.ip4.protocol), concat(bit::<8>(64), h.ip4.protocol));
        h.ip4.ttl = 64;
        let client = h.ip4.src;
        h.ip4.src = h.ip4.dst;
        h.ip4.dst = client;
        adjust(h.icmp.checksum, concat(h.icmp.kind, h.icmp.code), concat(bit::<8>(0), h.icmp.code));
        h.icmp.kind = 0;
        back(h)
    }

    fn echo6(h: &mut Headers, m: &mut Meta) -> Verdict {
        if m.flags & ECHO == 0 || h.icmp.kind != 128 || h.eth.dst.bits(40, 40) == 1 {
            return pass();
        }
        h.ip6.hop_limit = 64;
        let client = h.ip6.src;
        h.ip6.src = h.ip6.dst;
        h.ip6.dst = client;
        adjust(h.icmp.checksum, concat(h.icmp.kind, h.icmp.code), concat(bit::<8>(129), h.icmp.code));
        h.icmp.kind = 129;
        back(h)
    }

    /// Out where it came in, to who sent it.
    fn back(h: &mut Headers) -> Verdict {
        let sender = h.eth.src;
        h.eth.src = h.eth.dst;
        h.eth.dst = sender;
        forward(INGRESS_PORT)
    }

    /// RFC 1191: tells the client which size gets through. It quotes the IP header and 8 bytes.
    fn too_big4(h: &mut Headers, m: &mut Meta, mtu: bit<16>) -> Verdict {
        if m.flags & TOO_BIG == 0 || h.ip4.dont_fragment == 0 || !h.tcp.is_valid() && !h.udp.is_valid() {
            return drop(Mtu);
        }
        let allowed = TOO_BIG_RATE.allow();
        if !allowed {
            return drop(Mtu);
        }
        h.error4.push(Ipv4 {
            version: 4,
            ihl: 5,
            tos: 0,
            total_length: 56,
            identification: 0,
            reserved: 0,
            dont_fragment: 1,
            more_fragments: 0,
            fragment_offset: 0,
            ttl: 64,
            protocol: ICMP,
            checksum: 0,
            src: h.ip4.dst,
            dst: h.ip4.src,
        });
        h.error4.checksum = internet_checksum(h.error4);
        h.error.push(Icmp { kind: 3, code: 4, checksum: 0, rest: mtu as bit<32> });
        if h.tcp.is_valid() {
            h.error.checksum = internet_checksum(h.error, h.ip4, h.tcp.src_port, h.tcp.dst_port, h.tcp.seq);
        } else {
            h.error.checksum = internet_checksum(h.error, h.ip4, h.udp);
        }
        truncate(70);
        back(h)
    }

    /// RFC 8201 and RFC 4443, the same for IPv6; the checksum takes in the pseudo header.
    fn too_big6(h: &mut Headers, m: &mut Meta, mtu: bit<16>) -> Verdict {
        if m.flags & TOO_BIG == 0 || !h.tcp.is_valid() && !h.udp.is_valid() {
            return drop(Mtu);
        }
        let allowed = TOO_BIG_RATE.allow();
        if !allowed {
            return drop(Mtu);
        }
        h.error6.push(Ipv6 {
            version: 6,
            traffic_class: 0,
            flow_label: 0,
            payload_length: 56,
            next_header: ICMP6,
            hop_limit: 64,
            src: h.ip6.dst,
            dst: h.ip6.src,
        });
        h.error.push(Icmp { kind: 2, code: 0, checksum: 0, rest: mtu as bit<32> });
        let length = bit::<32>(56);
        let next = bit::<32>(58);
        if h.tcp.is_valid() {
            h.error.checksum = internet_checksum(
                h.ip6.dst, h.ip6.src, length, next, h.error, h.ip6, h.tcp.src_port, h.tcp.dst_port, h.tcp.seq
            );
        } else {
            h.error.checksum = internet_checksum(h.ip6.dst, h.ip6.src, length, next, h.error, h.ip6, h.udp);
        }
        truncate(110);
        back(h)
    }
}
