//! A flow whose server has gone moves: v1model sends its packet through once more. All that was known before must be
//! known then, and nothing may count twice.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod moves {
    use guideway::headers::{Ethernet, Ipv4, Udp};

    const HASH: HashAlgorithm = Crc32;

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        udp: Udp,
    }

    struct Meta {
        /// Set by the parser, changed by the control.
        mark: bit<8>,
        entered: bit<8>,
        first: bit<4>,
        level: bit<8>,
    }

    enum Reason {
        NoPool,
        NoSlot,
        NoServer,
        NoClient,
    }

    #[counter(size = 2, kind = both)]
    static SEEN: Counter;

    struct ClientKey {
        #[lpm]
        src: bit<32>,
    }
    enum ClientAction {
        /// What `pool` is added to gives the pool.
        Served { pool: bit<8>, level: bit<8> },
        Direct { port: bit<32> },
        #[default_only]
        Stranger,
    }
    #[table(size = 64, counters = both)]
    static CLIENTS: Table<ClientKey, ClientAction> = Stranger;

    struct FlowKey {
        src: bit<32>,
        src_port: bit<16>,
        mark: bit<8>,
    }
    #[flow_table(entries = 65_536, idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s))]
    static FLOWS: Affinity<FlowKey, bit<16>>;

    #[ring(slots = 16, pools = 4, pool_table = IN_USE, no_pool = NoPool, no_slot = NoSlot)]
    static RING: Ring<bit<8>, bit<16>>;

    struct ServerKey {
        #[exact]
        id: bit<16>,
    }
    enum ServerAction {
        Server { mac: bit<48>, port: bit<32> },
        #[default_only]
        NotThere,
    }
    #[table(size = 256, counters = both)]
    static SERVERS: Table<ServerKey, ServerAction> = NotThere;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers, m: &mut Meta) -> State {
        m.entered = INGRESS_PORT as bit<8>;
        p.extract(h.eth);
        m.mark = m.mark + h.eth.src.bits(7, 0);
        match h.eth.ethertype {
            0x0800 => look,
            _ => accept,
        }
    }

    #[state]
    fn look(p: &mut Packet, h: &mut Headers, m: &mut Meta) -> State {
        let version = p.lookahead::<bit<4>>();
        m.first = version;
        match version {
            4 => ipv4,
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
        if !h.udp.is_valid() {
            return pass();
        }
        SEEN.count(0);
        m.mark = m.mark + 1;
        m.first = m.first + m.entered.bits(3, 0);
        let at_first = h.ip4.ttl;
        match CLIENTS.apply(ClientKey { src: h.ip4.src }) {
            Served { pool, level } => {
                SEEN.count(1);
                m.level = level ^ m.mark;
                let hash = HASH.of(bit::<32>(7), (h.ip4.src, h.udp.src_port, m.mark));
                let key = FlowKey { src: h.ip4.src, src_port: h.udp.src_port, mark: m.mark };
                // Without TCP, the service class says what a packet means.
                let flow = FLOWS.find(key, hash, h.ip4.tos.bits(2, 0) ^ event::DATAGRAM, 0);
                match SERVERS.stay_or(flow, || RING.select(pool, hash)) {
                    Server { mac, port } => {
                        flow.remember();
                        h.eth.dst = mac;
                        h.eth.src = concat(m.mark, m.level, m.entered, at_first, FRAME_LENGTH as bit<8>, m.first, bit::<4>(0));
                        h.ip4.ttl = h.ip4.ttl - 1;
                        forward(port + INGRESS_PORT)
                    }
                    NotThere => drop(NoServer),
                }
            }
            Direct { port } => forward(port),
            Stranger => drop(NoClient),
        }
    }
}
