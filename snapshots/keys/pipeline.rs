//! Keys that are computed: parts of fields, masks, sums, and whether a header is there.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod keys {
    use guideway::headers::{Ethernet, Ipv4};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
    }

    struct Meta {
        to: bit<32>,
    }

    enum Reason {
        NotIp,
        NoSubnet,
        Refused,
    }

    struct SubnetKey {
        /// The low bits of a field: a part that no shift is needed for.
        #[exact]
        line: bit<4>,
        /// Bits in the middle.
        #[lpm]
        net: bit<16>,
    }
    enum SubnetAction {
        Out { port: bit<32> },
        #[default_only]
        Nowhere,
    }
    #[table(size = 64)]
    static SUBNET: Table<SubnetKey, SubnetAction> = Nowhere;

    struct GradeKey {
        /// Only two bits of it can be set.
        #[exact]
        congestion: bit<8>,
        /// One that is larger than any TTL of which it is told.
        #[exact]
        hops: bit<8>,
        #[exact]
        fragment: bit<1>,
    }
    enum GradeAction {
        Grade { tos: bit<8> },
        Refuse,
        #[default_only]
        AsItIs,
    }
    #[table(size = 64)]
    static GRADE: Table<GradeKey, GradeAction> = AsItIs;

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
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.ip4.is_valid() {
            return drop(NotIp);
        }
        match SUBNET.apply(SubnetKey { line: INGRESS_PORT.bits(3, 0), net: h.ip4.dst.bits(23, 8) }) {
            Out { port } => m.to = port,
            Nowhere => return drop(NoSubnet),
        }
        let key = GradeKey {
            congestion: h.ip4.tos & 3,
            hops: h.ip4.ttl + 1,
            fragment: h.ip4.more_fragments,
        };
        match GRADE.apply(key) {
            Grade { tos } => {
                adjust(
                    h.ip4.checksum,
                    concat(h.ip4.version, h.ip4.ihl, h.ip4.tos),
                    concat(h.ip4.version, h.ip4.ihl, tos),
                );
                h.ip4.tos = tos;
            }
            Refuse => return drop(Refused),
            AsItIs => {}
        }
        forward(m.to)
    }
}
