// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod pin {
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

    /// header tcp
    #[derive(Clone, Copy, Debug, Default)]
    struct Tcp {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        src_port: u16,
        dst_port: u16,
        seq: u32,
        ack: u32,
        data_offset: u8,
        reserved: u8,
        flags: u8,
        window: u16,
        checksum: u16,
        urgent: u16,
    }

    impl Tcp {
        #[inline(always)]
        fn read(b: &[u8; 20], at: usize) -> Self {
            Self {
                valid: true,
                at,
                src_port: u16::from_be_bytes([b[0], b[1]]),
                dst_port: u16::from_be_bytes([b[2], b[3]]),
                seq: u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
                ack: u32::from_be_bytes([b[8], b[9], b[10], b[11]]),
                data_offset: b[12] >> 4,
                reserved: b[12] & 15,
                flags: b[13],
                window: u16::from_be_bytes([b[14], b[15]]),
                checksum: u16::from_be_bytes([b[16], b[17]]),
                urgent: u16::from_be_bytes([b[18], b[19]]),
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
        tcp: Tcp,
        udp: Udp,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        src_port: u16,
        dst_port: u16,
    }

    /// pipeline.rs:73: state start
    #[inline]
    fn parse_start(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.eth = Ethernet::read(bytes, at);
        match h.eth.ethertype {
            0x800 => parse_ipv4(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:82: state ipv4
    #[inline]
    fn parse_ipv4(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.ip4 = Ipv4::read(bytes, at);
        match (
            h.ip4.version,
            h.ip4.ihl,
            h.ip4.more_fragments,
            h.ip4.fragment_offset,
            h.ip4.protocol,
        ) {
            (4, 5, 0, 0, 6) => parse_tcp(p, h, m, c),
            (4, 5, 0, 0, 17) => parse_udp(p, h, m, c),
            (_, _, _, _, _) => {}
        }
    }

    /// pipeline.rs:92: state tcp
    #[inline]
    fn parse_tcp(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.tcp = Tcp::read(bytes, at);
    }

    /// pipeline.rs:98: state udp
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

    /// pipeline.rs:44: key of table service
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct ServiceKey {
        dst: u32,
    }

    impl rt::table::Key for ServiceKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                dst: rt::table::at(values, 0) as u32,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.dst.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.dst))
        }
    }

    /// What an entry of `service` does.
    #[derive(Clone, Copy, Debug)]
    enum ServiceAction {
        Service { pool: u8 },
        NoService,
    }

    impl rt::Action for ServiceAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Service {
                            pool: rt::table::at(data, 0) as u8,
                        }
                    }
                    1 => Self::NoService,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::NoService { .. })
        }
    }

    /// pipeline.rs:70: key of table server
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct ServerKey {
        id: u16,
    }

    impl rt::table::Key for ServerKey {
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

    /// What an entry of `server` does.
    #[derive(Clone, Copy, Debug)]
    enum ServerAction {
        ToMac { mac: u64, port: u32 },
        NotThere,
    }

    impl rt::Action for ServerAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    2 => {
                        Self::ToMac {
                            mac: rt::table::at(data, 0) as u64,
                            port: rt::table::at(data, 1) as u32,
                        }
                    }
                    3 => Self::NotThere,
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
        service: rt::Exact<ServiceKey, ServiceAction>,
        server: rt::Exact<ServerKey, ServerAction>,
        flows: rt::Flows<2>,
        servers: rt::Ring<256>,
        drops: [u64; 3],
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
                service: rt::Exact::new(64, ServiceAction::NoService),
                server: rt::Exact::new(256, ServerAction::NotThere),
                flows: rt::Flows::new(
                    32768,
                    &[
                        rt::Limits {
                            new: 150,
                            tcp: 4471,
                            udp: 895,
                            closing: 150,
                        },
                    ],
                ),
                servers: rt::Ring::new(4),
                drops: [0; 3],
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
            if h.tcp.valid {
                m.src_port = h.tcp.src_port;
                m.dst_port = h.tcp.dst_port;
            } else if h.udp.valid {
                m.src_port = h.udp.src_port;
                m.dst_port = h.udp.dst_port;
            } else {
                return rt::Verdict::Pass;
            }
            match *self.service.apply(&ServiceKey { dst: h.ip4.dst }, c.length) {
                ServiceAction::Service { pool } => {
                    let hash = rt::crc32(
                        rt::Bits::<2>::new()
                            .with(32, 0_u32)
                            .with(32, h.ip4.src)
                            .with(32, h.ip4.dst)
                            .with(16, m.src_port)
                            .with(16, m.dst_port),
                    );
                    let event = if h.udp.valid {
                        3_u8
                    } else {
                        if (h.tcp.flags & 23) == 2 {
                            1_u8
                        } else {
                            if (h.tcp.flags & 5) != 0 { 4_u8 } else { 2_u8 }
                        }
                    };
                    let mut flow = Flow::Idle;
                    flow = Flow::Flows(
                        self
                            .flows
                            .find(
                                rt::Bits::<2>::new()
                                    .with(32, h.ip4.src)
                                    .with(32, h.ip4.dst)
                                    .with(16, m.src_port),
                                hash,
                                event,
                                0,
                                c.now,
                            ),
                    );
                    let mut id_2: u16 = 0;
                    let stays = flow
                        .id()
                        .filter(|id| self.server.knows(&ServerKey { id: *id as u16 }));
                    flow.set_stays(stays.is_some());
                    match stays {
                        Some(id) => id_2 = id as u16,
                        None => {
                            id_2 = match self.servers.select(pool, hash) {
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
                    match *self.server.apply(&ServerKey { id: id_2 }, c.length) {
                        ServerAction::ToMac { mac, port } => {
                            self.remember(&flow, u32::from(id_2), c.now);
                            h.eth.dst = mac;
                            rt::Verdict::Forward(port)
                        }
                        ServerAction::NotThere => rt::Verdict::Drop(reason::NO_SERVER),
                    }
                }
                ServiceAction::NoService => rt::Verdict::Pass,
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
    }

    /// Writes what has changed into the frame.
    #[inline]
    fn deparse(h: &Headers, _payload: usize, packet: &mut rt::Packet) {
        let frame = packet.frame_mut();
        if h.eth.valid && let Some(b) = rt::packet::chunk(frame, h.eth.at) {
            patch_eth(&h.eth, b);
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
                0 => Some(&self.service),
                1 => Some(&self.server),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.service),
                1 => Some(&mut self.server),
                _ => None,
            }
        }
        fn ring(&self, index: usize) -> Option<&dyn rt::ring::AnyRing> {
            match index {
                0 => Some(&self.servers),
                _ => None,
            }
        }
        fn ring_mut(&mut self, index: usize) -> Option<&mut dyn rt::ring::AnyRing> {
            match index {
                0 => Some(&mut self.servers),
                _ => None,
            }
        }
        fn flow_table(&self, index: usize) -> Option<&dyn rt::flow::AnyFlows> {
            match index {
                0 => Some(&self.flows),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                service: self.service.clone(),
                server: self.server.clone(),
                flows: self.flows.fork(),
                servers: self.servers.clone(),
                drops: Default::default(),
            }
        }
    }
}
