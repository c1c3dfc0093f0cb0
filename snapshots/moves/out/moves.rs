// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod moves {
    use ::sw_fallback_rt as rt;
    use rt::Table as _;
    /// header ethernet
    #[derive(Clone, Copy, Debug, Default)]
    struct Ethernet {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        dst: u64,
        src: u64,
        ethertype: u16,
    }

    impl Ethernet {
        #[inline(always)]
        fn read(b: &[u8; 14], at: usize) -> Self {
            Self {
                valid: true,
                at,
                dst: u64::from_be_bytes([0, 0, b[0], b[1], b[2], b[3], b[4], b[5]]),
                src: u64::from_be_bytes([0, 0, b[6], b[7], b[8], b[9], b[10], b[11]]),
                ethertype: u16::from_be_bytes([b[12], b[13]]),
            }
        }
    }

    /// header ipv4
    #[derive(Clone, Copy, Debug, Default)]
    struct Ipv4 {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        version: u8,
        ihl: u8,
        tos: u8,
        total_length: u16,
        identification: u16,
        reserved: u8,
        dont_fragment: u8,
        more_fragments: u8,
        fragment_offset: u16,
        ttl: u8,
        protocol: u8,
        checksum: u16,
        src: u32,
        dst: u32,
    }

    impl Ipv4 {
        #[inline(always)]
        fn read(b: &[u8; 20], at: usize) -> Self {
            Self {
                valid: true,
                at,
                version: b[0] >> 4,
                ihl: b[0] & 15,
                tos: b[1],
                total_length: u16::from_be_bytes([b[2], b[3]]),
                identification: u16::from_be_bytes([b[4], b[5]]),
                reserved: b[6] >> 7,
                dont_fragment: (b[6] >> 6) & 1,
                more_fragments: (b[6] >> 5) & 1,
                fragment_offset: u16::from_be_bytes([b[6], b[7]]) & 0x1fff,
                ttl: b[8],
                protocol: b[9],
                checksum: u16::from_be_bytes([b[10], b[11]]),
                src: u32::from_be_bytes([b[12], b[13], b[14], b[15]]),
                dst: u32::from_be_bytes([b[16], b[17], b[18], b[19]]),
            }
        }
    }

    /// header udp
    #[derive(Clone, Copy, Debug, Default)]
    struct Udp {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        src_port: u16,
        dst_port: u16,
        length: u16,
        checksum: u16,
    }

    impl Udp {
        #[inline(always)]
        fn read(b: &[u8; 8], at: usize) -> Self {
            Self {
                valid: true,
                at,
                src_port: u16::from_be_bytes([b[0], b[1]]),
                dst_port: u16::from_be_bytes([b[2], b[3]]),
                length: u16::from_be_bytes([b[4], b[5]]),
                checksum: u16::from_be_bytes([b[6], b[7]]),
            }
        }
    }

    /// Every header, in the order in which they leave.
    #[derive(Clone, Copy, Debug, Default)]
    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        udp: Udp,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        mark: u8,
        entered: u8,
        first: u8,
        level: u8,
        version: u8,
    }

    /// pipeline.rs:72: state start
    #[inline]
    fn parse_start(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        m.entered = c.port as u8;
        let Some((bytes, at)) = p.take() else { return };
        h.eth = Ethernet::read(bytes, at);
        m.mark = m.mark.wrapping_add(h.eth.src as u8);
        match h.eth.ethertype {
            0x800 => parse_look(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:83: state look
    #[inline]
    fn parse_look(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some(bits) = p.look(0, 4) else { return };
        m.version = bits as u8;
        m.first = m.version;
        match m.version {
            4 => parse_ipv4(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:93: state ipv4
    #[inline]
    fn parse_ipv4(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.ip4 = Ipv4::read(bytes, at);
        match h.ip4.protocol {
            17 => parse_udp(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:102: state udp
    #[inline]
    fn parse_udp(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.udp = Udp::read(bytes, at);
    }

    /// pipeline.rs:46: key of table clients
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct ClientsKey {
        src: u32,
    }

    impl rt::table::Key for ClientsKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                src: rt::table::at(values, 0) as u32,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.src.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.src))
        }
    }

    impl rt::table::LpmKey for ClientsKey {
        const FIELD: usize = 0;
        #[inline]
        fn cut(&self, length: u8) -> Self {
            Self {
                src: rt::table::prefix(self.src.into(), 32, length) as u32,
                ..*self
            }
        }
    }

    /// What an entry of `clients` does.
    #[derive(Clone, Copy, Debug)]
    enum ClientsAction {
        Served { pool: u8, level: u8 },
        Direct { port: u32 },
        Stranger,
    }

    impl rt::Action for ClientsAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Served {
                            pool: rt::table::at(data, 0) as u8,
                            level: rt::table::at(data, 1) as u8,
                        }
                    }
                    1 => {
                        Self::Direct {
                            port: rt::table::at(data, 0) as u32,
                        }
                    }
                    2 => Self::Stranger,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Stranger { .. })
        }
    }

    /// pipeline.rs:69: key of table servers
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct ServersKey {
        id: u16,
    }

    impl rt::table::Key for ServersKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                id: rt::table::at(values, 0) as u16,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.id.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.id))
        }
    }

    /// What an entry of `servers` does.
    #[derive(Clone, Copy, Debug)]
    enum ServersAction {
        Server { mac: u64, port: u32 },
        NotThere,
    }

    impl rt::Action for ServersAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    3 => {
                        Self::Server {
                            mac: rt::table::at(data, 0) as u64,
                            port: rt::table::at(data, 1) as u32,
                        }
                    }
                    4 => Self::NotThere,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::NotThere { .. })
        }
    }

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `no_pool`
        pub const NO_POOL: u16 = 0;
        /// `no_slot`
        pub const NO_SLOT: u16 = 1;
        /// `no_server`
        pub const NO_SERVER: u16 = 2;
        /// `no_client`
        pub const NO_CLIENT: u16 = 3;
    }

    /// The flow under way: what a lookup has found.
    #[derive(Clone, Copy, Debug)]
    enum Flow {
        Idle,
        Flows(rt::Cursor<2>),
    }

    impl Flow {
        /// The id of a live flow.
        #[inline(always)]
        fn id(&self) -> Option<u32> {
            match self {
                Self::Idle => None,
                Self::Flows(flow) => flow.id(),
            }
        }

        #[inline(always)]
        fn set_stays(&mut self, stays: bool) {
            match self {
                Self::Idle => {}
                Self::Flows(flow) => flow.stays = stays,
            }
        }
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        clients: rt::Lpm<ClientsKey, ClientsAction>,
        servers: rt::Exact<ServersKey, ServersAction>,
        flows: rt::Flows<2>,
        ring: rt::Ring<16>,
        seen: rt::Counter,
        drops: [u64; 4],
    }

    impl Default for Pipeline {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Pipeline {
        /// Without entries but those of the source.
        pub fn new() -> Self {
            Self {
                clients: rt::Lpm::new(64, ClientsAction::Stranger),
                servers: rt::Exact::new(256, ServersAction::NotThere),
                flows: rt::Flows::new(
                    65536,
                    &[
                        rt::Limits {
                            new: 448,
                            tcp: 4471,
                            udp: 895,
                            closing: 895,
                        },
                    ],
                ),
                ring: rt::Ring::new(4),
                seen: rt::Counter::new(2),
                drops: [0; 4],
            }
        }
    }

    impl Pipeline {
        /// What becomes of a packet whose headers have been parsed.
        fn ingress(
            &mut self,
            h: &mut Headers,
            m: &mut Meta,
            c: &mut rt::Context,
        ) -> rt::Verdict {
            if !h.udp.valid {
                return rt::Verdict::Pass;
            }
            self.seen.count(0_u32, c.length);
            m.mark = m.mark.wrapping_add(1);
            m.first = m.first.wrapping_add(m.entered & 15) & 15;
            let at_first = h.ip4.ttl;
            match *self.clients.apply(&ClientsKey { src: h.ip4.src }, c.length) {
                ClientsAction::Served { pool, level } => {
                    self.seen.count(1_u32, c.length);
                    m.level = level ^ m.mark;
                    let hash = rt::crc32(
                        rt::Bits::<2>::new()
                            .with(32, 7_u32)
                            .with(32, h.ip4.src)
                            .with(16, h.udp.src_port)
                            .with(8, m.mark),
                    );
                    let mut flow = Flow::Idle;
                    flow = Flow::Flows(
                        self
                            .flows
                            .find(
                                rt::Bits::<2>::new()
                                    .with(32, h.ip4.src)
                                    .with(16, h.udp.src_port)
                                    .with(8, m.mark),
                                hash,
                                (h.ip4.tos & 7) ^ 3,
                                0,
                                c.now,
                            ),
                    );
                    let mut id_2: u16 = 0;
                    let stays = flow
                        .id()
                        .filter(|id| self.servers.knows(&ServersKey { id: *id as u16 }));
                    flow.set_stays(stays.is_some());
                    match stays {
                        Some(id) => id_2 = id as u16,
                        None => {
                            id_2 = match self.ring.select(pool, hash) {
                                rt::Selected::Id(id) => id as u16,
                                rt::Selected::NoPool => {
                                    return rt::Verdict::Drop(reason::NO_POOL);
                                }
                                rt::Selected::NoSlot => {
                                    return rt::Verdict::Drop(reason::NO_SLOT);
                                }
                            };
                        }
                    }
                    match *self.servers.apply(&ServersKey { id: id_2 }, c.length) {
                        ServersAction::Server { mac, port } => {
                            self.remember(&flow, u32::from(id_2), c.now);
                            h.eth.dst = mac;
                            h.eth.src = ((u64::from(
                                (u32::from(u16::from(m.mark) << 8 | u16::from(m.level)) << 8
                                    | u32::from(m.entered)) << 8 | u32::from(at_first),
                            ) << 8 | u64::from(c.length as u8)) << 4
                                | u64::from(m.first)) << 4 | 0_u64;
                            h.ip4.ttl = h.ip4.ttl.wrapping_sub(1);
                            rt::Verdict::Forward(port.wrapping_add(c.port))
                        }
                        ServersAction::NotThere => rt::Verdict::Drop(reason::NO_SERVER),
                    }
                }
                ClientsAction::Direct { port } => rt::Verdict::Forward(port),
                ClientsAction::Stranger => rt::Verdict::Drop(reason::NO_CLIENT),
            }
        }

        /// Writes the flow under its id.
        #[inline]
        fn remember(&mut self, flow: &Flow, id: u32, now: u32) {
            match flow {
                Flow::Idle => {}
                Flow::Flows(flow) => self.flows.remember(flow, id, now),
            }
        }
    }

    /// The fields of `eth` that may have changed.
    #[inline]
    fn patch_eth(header: &Ethernet, b: &mut [u8; 14]) {
        b[0..6].copy_from_slice(&header.dst.to_be_bytes()[2..]);
        b[6..12].copy_from_slice(&header.src.to_be_bytes()[2..]);
    }

    /// The fields of `ip4` that may have changed.
    #[inline]
    fn patch_ip4(header: &Ipv4, b: &mut [u8; 20]) {
        b[8] = header.ttl;
    }

    /// Writes what has changed into the frame.
    #[inline]
    fn deparse(h: &Headers, _payload: usize, packet: &mut rt::Packet) {
        let frame = packet.frame_mut();
        if h.eth.valid && let Some(b) = rt::packet::chunk(frame, h.eth.at) {
            patch_eth(&h.eth, b);
        }
        if h.ip4.valid && let Some(b) = rt::packet::chunk(frame, h.ip4.at) {
            patch_ip4(&h.ip4, b);
        }
    }

    impl rt::Program for Pipeline {
        fn process(
            &mut self,
            port: u32,
            now: u32,
            packet: &mut rt::Packet,
        ) -> rt::Verdict {
            let mut c = rt::Context::new(port, now, packet);
            let mut h = Headers::default();
            let mut m = Meta::default();
            let mut p = rt::Parser::new(packet.frame());
            parse_start(&mut p, &mut h, &mut m, &c);
            let payload = p.at;
            let verdict = self.ingress(&mut h, &mut m, &mut c);
            if let rt::Verdict::Drop(reason) = verdict {
                if let Some(count) = self.drops.get_mut(usize::from(reason)) {
                    *count += 1;
                }
            } else {
                deparse(&h, payload, packet);
                packet.truncate(c.limit);
            }
            verdict
        }
        fn tick_ns(&self) -> u64 {
            TICK_NS
        }
        fn table(&self, index: usize) -> Option<&dyn rt::table::AnyTable> {
            match index {
                0 => Some(&self.clients),
                1 => Some(&self.servers),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.clients),
                1 => Some(&mut self.servers),
                _ => None,
            }
        }
        fn ring(&self, index: usize) -> Option<&dyn rt::ring::AnyRing> {
            match index {
                0 => Some(&self.ring),
                _ => None,
            }
        }
        fn ring_mut(&mut self, index: usize) -> Option<&mut dyn rt::ring::AnyRing> {
            match index {
                0 => Some(&mut self.ring),
                _ => None,
            }
        }
        fn flow_table(&self, index: usize) -> Option<&dyn rt::flow::AnyFlows> {
            match index {
                0 => Some(&self.flows),
                _ => None,
            }
        }
        fn counter(&self, index: usize) -> Option<&rt::Counter> {
            match index {
                0 => Some(&self.seen),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                clients: self.clients.clone(),
                servers: self.servers.clone(),
                flows: self.flows.fork(),
                ring: self.ring.clone(),
                seen: self.seen.fork(),
                drops: Default::default(),
            }
        }
    }
}
