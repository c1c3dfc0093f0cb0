//! Pipelines with every kind of table, small enough to be filled.

/// Every kind of match, a ring, counters, entries of the source.
#[guideway::pipeline(targets = [native])]
pub mod kinds {
    use guideway::headers::{Ethernet, Ipv4, Udp};

    const HASH: HashAlgorithm = Crc32;

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        udp: Udp,
    }

    struct Meta {
        level: bit<8>,
        hop: bit<16>,
    }

    enum Reason {
        Denied,
        NoPool,
        NoSlot,
        NoBackend,
    }

    struct HostKey {
        #[exact]
        src: bit<32>,
    }
    enum HostAction {
        Out {
            port: bit<9>,
        },
        Balance {
            pool: bit<8>,
        },
        #[default_only]
        Unknown,
    }
    #[table(size = 16, counters = both)]
    static HOST: Table<HostKey, HostAction> = Unknown;

    struct RouteKey {
        #[lpm]
        dst: bit<32>,
    }
    enum RouteAction {
        Via {
            hop: bit<16>,
        },
        #[default_only]
        Nowhere,
    }
    #[table(size = 16)]
    static ROUTE: Table<RouteKey, RouteAction> = Nowhere;

    struct RuleKey {
        #[ternary]
        src: bit<32>,
        #[optional]
        protocol: bit<8>,
        #[range]
        ttl: bit<8>,
    }
    enum RuleAction {
        Permit,
        Deny,
    }
    #[table(size = 8)]
    static RULE: Table<RuleKey, RuleAction> = Permit;

    struct GatewayKey {
        #[ternary]
        src: bit<32>,
    }
    enum GatewayAction {
        Level {
            level: bit<8>,
        },
        #[default_only]
        Anyone,
    }
    #[table(size = 8)]
    #[entries(
        GatewayKey { src: mask(0x0a000001, 0xffffffff) } => Level { level: 1 },
        GatewayKey { src: mask(0x0a000000, 0xff000000) } => Level { level: 2 },
    )]
    static GATEWAY: Table<GatewayKey, GatewayAction> = Anyone;

    #[ring(slots = 251, pools = 4, pool_table = POOL, no_pool = NoPool, no_slot = NoSlot)]
    static RING: Ring<bit<8>, bit<16>>;

    struct BackendKey {
        #[exact]
        backend: bit<16>,
    }
    enum BackendAction {
        Send {
            port: bit<9>,
        },
        #[default_only]
        Gone,
    }
    #[table(size = 16)]
    static BACKEND: Table<BackendKey, BackendAction> = Gone;

    #[counter(size = 4, kind = both)]
    static LEVELS: Counter;

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
            17 => udp,
            _ => accept,
        }
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
        match RULE.apply(RuleKey { src: h.ip4.src, protocol: h.ip4.protocol, ttl: h.ip4.ttl }) {
            Permit => {}
            Deny => return drop(Denied),
        }
        match GATEWAY.apply(GatewayKey { src: h.ip4.src }) {
            Level { level } => {
                m.level = level;
            }
            Anyone => {}
        }
        LEVELS.count(m.level as bit<32>);
        match ROUTE.apply(RouteKey { dst: h.ip4.dst }) {
            Via { hop } => {
                m.hop = hop;
            }
            Nowhere => {}
        }
        match HOST.apply(HostKey { src: h.ip4.src }) {
            Out { port } => forward(port as bit<32>),
            Balance { pool } => {
                let hash = HASH.of(0, (h.ip4.src, h.ip4.dst));
                let id = RING.select(pool, hash);
                match BACKEND.apply(BackendKey { backend: id }) {
                    Send { port } => forward(port as bit<32>),
                    Gone => drop(NoBackend),
                }
            }
            Unknown => pass(),
        }
    }
}

/// Another pipeline, whose `host` is as above but wider in its action, and which has no `route`.
#[guideway::pipeline(targets = [native])]
pub mod other {
    use guideway::headers::{Ethernet, Ipv4};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
    }

    struct Meta {}

    enum Reason {
        Denied,
    }

    struct HostKey {
        #[exact]
        src: bit<32>,
    }
    enum HostAction {
        Out {
            port: bit<9>,
        },
        #[default_only]
        Unknown,
    }
    #[table(size = 32, counters = both)]
    static HOST: Table<HostKey, HostAction> = Unknown;

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
        match HOST.apply(HostKey { src: h.ip4.src }) {
            Out { port } => forward(port as bit<32>),
            Unknown => drop(Denied),
        }
    }
}
