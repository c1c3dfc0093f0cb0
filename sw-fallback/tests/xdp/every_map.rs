//! One object of every kind; `every_map.bpf.c` has the maps that belong to it.

#[guideway::pipeline(targets = [xdp])]
pub mod every_map {
    const FLOW_ENTRIES: u32 = 64;

    #[header]
    struct Ask {
        what: bit<8>,
        src: bit<32>,
        port: bit<16>,
    }
    struct Headers {
        ask: Ask,
    }
    struct Meta {}
    enum Reason {
        NoPool,
        NoSlot,
        Miss,
    }

    enum Way {
        Out { port: bit<32> },
        #[default_only]
        Nowhere,
    }
    struct HostKey {
        #[exact]
        src: bit<32>,
        #[exact]
        port: bit<16>,
    }
    #[table(size = 8, counters = both)]
    static HOST: Table<HostKey, Way> = Nowhere;
    struct BackendKey {
        #[exact]
        id: bit<24>,
    }
    #[table(size = 16, counters = both, slot_bits = 4)]
    static BACKEND: Table<BackendKey, Way> = Nowhere;
    struct RouteKey {
        #[lpm]
        src: bit<32>,
    }
    #[table(size = 8, counters = both)]
    static ROUTE: Table<RouteKey, Way> = Nowhere;
    struct AclKey {
        #[ternary]
        src: bit<32>,
        #[range]
        port: bit<16>,
    }
    #[table(size = 4, counters = both)]
    static ACL: Table<AclKey, Way> = Nowhere;
    struct FixedKey {
        #[exact]
        src: bit<32>,
    }
    #[table(size = 8)]
    #[entries(FixedKey { src: 0x01010101 } => Out { port: 11 }, FixedKey { src: 0x02020202 } => Out { port: 22 })]
    static FIXED: Table<FixedKey, Way> = Nowhere;

    struct FlowKey {
        src: bit<32>,
        src_port: bit<16>,
        vip: bit<16>,
        dst_port: bit<16>,
    }
    #[flow_table(entries = FLOW_ENTRIES, idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s))]
    static FLOWS: Affinity<FlowKey, bit<24>>;
    #[ring(slots = 7, pools = 2, pool_table = POOL, no_pool = NoPool, no_slot = NoSlot)]
    static RING: Ring<bit<16>, bit<24>>;
    #[counter(size = 4, kind = both)]
    static A_COUNTER_WITH_A_LONG_NAME: Counter;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ask);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        A_COUNTER_WITH_A_LONG_NAME.count(h.ask.what as bit<32>);
        if h.ask.what == 1 {
            match HOST.apply(HostKey { src: h.ask.src, port: h.ask.port }) {
                Out { port } => return forward(port),
                Nowhere => return drop(Miss),
            }
        }
        if h.ask.what == 3 {
            match ROUTE.apply(RouteKey { src: h.ask.src }) {
                Out { port } => return forward(port),
                Nowhere => return drop(Miss),
            }
        }
        if h.ask.what == 4 {
            match ACL.apply(AclKey { src: h.ask.src, port: h.ask.port }) {
                Out { port } => return forward(port),
                Nowhere => return drop(Miss),
            }
        }
        if h.ask.what == 8 {
            match FIXED.apply(FixedKey { src: h.ask.src }) {
                Out { port } => return forward(port),
                Nowhere => return drop(Miss),
            }
        }
        let key = FlowKey { src: h.ask.src, src_port: h.ask.port, vip: 1, dst_port: 2 };
        let flow = FLOWS.find(key, h.ask.src, event::DATA, 0);
        match BACKEND.stay_or(flow, || RING.select(1, h.ask.src)) {
            Out { port } => {
                flow.remember();
                forward(port)
            }
            Nowhere => drop(Miss),
        }
    }
}
