//! Holds back ICMP above a rate, counts by type, and knows its own gateways: const entries, limiter, arithmetic.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod police {
    use guideway::headers::{Ethernet, Icmp, Ipv4};

    const TRUSTED: bit<8> = 1;

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        icmp: Icmp,
    }

    struct Meta {
        level: bit<8>,
    }

    enum Reason {
        RateExceeded,
    }

    struct GatewayKey {
        #[ternary]
        src: bit<32>,
    }
    enum GatewayAction {
        Level { level: bit<8> },
        #[default_only]
        Anyone,
    }
    #[table(size = 8)]
    #[entries(
        GatewayKey { src: mask(0x0a000001, 0xffffffff) } => Level { level: 1 },
        GatewayKey { src: mask(0x0a000000, 0xff000000) } => Level { level: 2 },
    )]
    static GATEWAY: Table<GatewayKey, GatewayAction> = Anyone;

    #[counter(size = 256, kind = both)]
    static BY_TYPE: Counter;

    #[limiter(per_tick = 3)]
    static ICMP_RATE: Limiter;

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
        match h.ip4.protocol {
            1 => icmp,
            _ => accept,
        }
    }

    #[state]
    fn icmp(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.icmp);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.icmp.is_valid() {
            return pass();
        }
        BY_TYPE.count(h.icmp.kind as bit<32>);
        match GATEWAY.apply(GatewayKey { src: h.ip4.src }) {
            Level { level } => m.level = level,
            Anyone => {}
        }
        if m.level != TRUSTED {
            let allowed = ICMP_RATE.allow();
            if !allowed {
                return drop(RateExceeded);
            }
        }
        // Trusted senders may see more of the path.
        if FRAME_LENGTH > 128 && m.level == 0 {
            truncate(128);
        }
        forward(INGRESS_PORT ^ 1)
    }
}
