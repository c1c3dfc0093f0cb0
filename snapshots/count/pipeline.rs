//! The smallest pipeline with every part: a parser, a table, a counter, a drop reason.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod count {
    use guideway::headers::{Ethernet, Ipv4};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
    }

    struct Meta {}

    enum Reason {
        Blocked,
    }

    struct HostKey {
        #[exact]
        src: bit<32>,
    }
    enum HostAction {
        Out { port: bit<32> },
        Block,
        #[default_only]
        Unknown,
    }
    #[table(size = 1024, counters = both)]
    static HOST: Table<HostKey, HostAction> = Unknown;

    #[counter(size = 256, kind = packets)]
    static BY_PROTOCOL: Counter;

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
            return pass();
        }
        BY_PROTOCOL.count(h.ip4.protocol as bit<32>);
        match HOST.apply(HostKey { src: h.ip4.src }) {
            Out { port } => {
                let ttl = h.ip4.ttl - 1;
                adjust(h.ip4.checksum, concat(h.ip4.ttl, h.ip4.protocol), concat(ttl, h.ip4.protocol));
                h.ip4.ttl = ttl;
                forward(port)
            }
            Block => drop(Blocked),
            Unknown => pass(),
        }
    }
}
