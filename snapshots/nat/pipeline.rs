//! Static address translation: both directions, checksums of IP, TCP and UDP adjusted.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod nat {
    use guideway::headers::{Ethernet, Ipv4, Tcp, Udp};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        tcp: Tcp,
        udp: Udp,
    }

    struct Meta {
    }

    enum Reason {
        Unparsed,
        NotOurs,
    }

    struct OutsideKey {
        #[exact]
        dst: bit<32>,
        #[exact]
        protocol: bit<8>,
        #[exact]
        dst_port: bit<16>,
    }
    struct InsideKey {
        #[exact]
        src: bit<32>,
    }
    enum NatAction {
        Inward { dst: bit<32>, dst_port: bit<16>, port: bit<32> },
        Outward { src: bit<32>, port: bit<32> },
        #[default_only]
        NoNat,
    }
    #[table(size = 1024, counters = both)]
    static OUTSIDE: Table<OutsideKey, NatAction> = NoNat;
    #[table(size = 1024, counters = both)]
    static INSIDE: Table<InsideKey, NatAction> = NoNat;

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
        match (h.ip4.ihl, h.ip4.more_fragments, h.ip4.fragment_offset, h.ip4.protocol) {
            (5, 0, 0, 6) => tcp,
            (5, 0, 0, 17) => udp,
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
        if !h.ip4.is_valid() {
            return pass();
        }
        if !h.tcp.is_valid() && !h.udp.is_valid() {
            return drop(Unparsed);
        }
        let dst_port = if h.tcp.is_valid() { h.tcp.dst_port } else { h.udp.dst_port };
        match OUTSIDE.apply(OutsideKey { dst: h.ip4.dst, protocol: h.ip4.protocol, dst_port: dst_port }) {
            Inward { dst, dst_port, port } => {
                let old = h.ip4.dst;
                adjust(h.ip4.checksum, old, dst);
                h.ip4.dst = dst;
                l4_checksum(h, old, dst);
                if h.tcp.is_valid() {
                    adjust(h.tcp.checksum, h.tcp.dst_port, dst_port);
                    h.tcp.dst_port = dst_port;
                } else {
                    if h.udp.checksum != 0 {
                        adjust(h.udp.checksum, h.udp.dst_port, dst_port);
                    }
                    h.udp.dst_port = dst_port;
                }
                return forward(port);
            }
            Outward { src, port } => {}
            NoNat => {}
        }
        match INSIDE.apply(InsideKey { src: h.ip4.src }) {
            Outward { src, port } => {
                let old = h.ip4.src;
                adjust(h.ip4.checksum, old, src);
                h.ip4.src = src;
                l4_checksum(h, old, src);
                forward(port)
            }
            Inward { dst, dst_port, port } => drop(NotOurs),
            NoNat => drop(NotOurs),
        }
    }

    /// The addresses are part of the pseudo header. A UDP checksum of 0 means none.
    fn l4_checksum(h: &mut Headers, old: bit<32>, new: bit<32>) {
        if h.tcp.is_valid() {
            adjust(h.tcp.checksum, old, new);
        } else if h.udp.checksum != 0 {
            adjust(h.udp.checksum, old, new);
        }
    }
}
