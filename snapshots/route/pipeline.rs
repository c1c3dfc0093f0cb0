//! An IPv4 and IPv6 router: longest prefix, then the neighbour.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod route {
    use guideway::headers::{Ethernet, Ipv4, Ipv6};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        ip6: Ipv6,
    }

    struct Meta {
        hop: bit<16>,
        port: bit<32>,
    }

    enum Reason {
        NoRoute,
        NoNeighbour,
        Expired,
        Forbidden,
    }

    struct Route4Key {
        #[exact]
        vrf: bit<8>,
        #[lpm]
        dst: bit<32>,
    }
    struct Route6Key {
        #[lpm]
        dst: bit<128>,
    }
    enum RouteAction {
        Via { hop: bit<16> },
        Blackhole,
        #[default_only]
        Unreachable,
    }
    #[table(size = 1024, counters = packets)]
    static ROUTE4: Table<Route4Key, RouteAction> = Unreachable;
    #[table(size = 1024, counters = packets)]
    static ROUTE6: Table<Route6Key, RouteAction> = Unreachable;

    struct NeighbourKey {
        #[exact]
        hop: bit<16>,
    }
    enum NeighbourAction {
        Send { port: bit<32>, src_mac: bit<48>, dst_mac: bit<48> },
        #[default_only]
        Unresolved,
    }
    #[table(size = 256, slot_bits = 8)]
    static NEIGHBOUR: Table<NeighbourKey, NeighbourAction> = Unresolved;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            0x0800 => ipv4,
            0x86dd => ipv6,
            _ => accept,
        }
    }

    #[state]
    fn ipv4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip4);
        accept
    }

    #[state]
    fn ipv6(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip6);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if h.ip4.is_valid() {
            if h.ip4.ttl <= 1 {
                return drop(Expired);
            }
            // One routing table for each port.
            match ROUTE4.apply(Route4Key { vrf: INGRESS_PORT.bits(7, 0), dst: h.ip4.dst }) {
                Via { hop } => m.hop = hop,
                Blackhole => return drop(Forbidden),
                Unreachable => return drop(NoRoute),
            }
            let ttl = h.ip4.ttl - 1;
            adjust(h.ip4.checksum, concat(h.ip4.ttl, h.ip4.protocol), concat(ttl, h.ip4.protocol));
            h.ip4.ttl = ttl;
        } else if h.ip6.is_valid() {
            if h.ip6.hop_limit <= 1 {
                return drop(Expired);
            }
            match ROUTE6.apply(Route6Key { dst: h.ip6.dst }) {
                Via { hop } => m.hop = hop,
                Blackhole => return drop(Forbidden),
                Unreachable => return drop(NoRoute),
            }
            h.ip6.hop_limit -= 1;
        } else {
            return pass();
        }
        match NEIGHBOUR.apply(NeighbourKey { hop: m.hop }) {
            Send { port, src_mac, dst_mac } => {
                h.eth.src = src_mac;
                h.eth.dst = dst_mac;
                forward(port)
            }
            Unresolved => drop(NoNeighbour),
        }
    }
}
