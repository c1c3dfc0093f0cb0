//! A packet filter: ternary and range matches by priority, optional protocol.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod acl {
    use guideway::headers::{Ethernet, Ipv4, Tcp, Udp};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        tcp: Tcp,
        udp: Udp,
    }

    struct Meta {
        dst_port: bit<16>,
    }

    enum Reason {
        NotIp,
        Denied,
    }

    struct RuleKey {
        #[ternary]
        src: bit<32>,
        #[ternary]
        dst: bit<32>,
        #[optional]
        protocol: bit<8>,
        #[range]
        dst_port: bit<16>,
    }
    enum RuleAction {
        Permit { port: bit<32> },
        Mirror { port: bit<32>, tos: bit<8> },
        Deny,
    }
    #[table(size = 64, counters = both)]
    static RULES: Table<RuleKey, RuleAction> = Deny;

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
        match (h.ip4.ihl, h.ip4.fragment_offset, h.ip4.protocol) {
            (5, 0, 6) => tcp,
            (5, 0, 17) => udp,
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
            return drop(NotIp);
        }
        if h.tcp.is_valid() {
            m.dst_port = h.tcp.dst_port;
        } else if h.udp.is_valid() {
            m.dst_port = h.udp.dst_port;
        }
        let key = RuleKey { src: h.ip4.src, dst: h.ip4.dst, protocol: h.ip4.protocol, dst_port: m.dst_port };
        match RULES.apply(key) {
            Permit { port } => forward(port),
            Mirror { port, tos } => {
                adjust(
                    h.ip4.checksum,
                    concat(h.ip4.version, h.ip4.ihl, h.ip4.tos),
                    concat(h.ip4.version, h.ip4.ihl, tos),
                );
                h.ip4.tos = tos;
                forward(port)
            }
            Deny => drop(Denied),
        }
    }
}
