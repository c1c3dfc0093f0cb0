//! Shields servers from floods: so many new connections in a tick, and so much UDP and ICMP together.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod pace {
    use guideway::headers::{Ethernet, Ipv4, Tcp, Udp};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        tcp: Tcp,
        udp: Udp,
    }

    struct Meta {}

    enum Reason {
        TooManyOpens,
        TooMuchElse,
    }

    struct ServerKey {
        #[exact]
        dst: bit<32>,
    }
    enum ServerAction {
        Open { port: bit<32> },
        Shielded { port: bit<32> },
        #[default_only]
        Nobody,
    }
    #[table(size = 256, counters = both)]
    static SERVER: Table<ServerKey, ServerAction> = Nobody;

    #[limiter(per_tick = 2)]
    static OPENS: Limiter;

    #[limiter(per_tick = 3)]
    static REST: Limiter;

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
        match (h.ip4.fragment_offset, h.ip4.protocol) {
            (0, 6) => tcp,
            (0, 17) => udp,
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
        match SERVER.apply(ServerKey { dst: h.ip4.dst }) {
            Open { port } => forward(port),
            Shielded { port } => shielded(h, m, port),
            Nobody => pass(),
        }
    }

    fn shielded(h: &mut Headers, m: &mut Meta, port: bit<32>) -> Verdict {
        if h.tcp.is_valid() {
            if h.tcp.flags & 0x17 == 0x02 {
                let allowed = OPENS.allow();
                if !allowed {
                    return drop(TooManyOpens);
                }
            }
            return forward(port);
        }
        // An answer to a question of ours is asked for.
        if h.udp.is_valid() && h.udp.src_port == 53 {
            return forward(port);
        }
        let allowed = REST.allow();
        if !allowed {
            return drop(TooMuchElse);
        }
        forward(port)
    }
}
