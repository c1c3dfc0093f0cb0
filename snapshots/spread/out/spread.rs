// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod spread {
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

    /// header ipv6
    #[derive(Clone, Copy, Debug, Default)]
    struct Ipv6 {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        version: u8,
        traffic_class: u8,
        flow_label: u32,
        payload_length: u16,
        next_header: u8,
        hop_limit: u8,
        src: u128,
        dst: u128,
    }

    impl Ipv6 {
        #[inline(always)]
        fn read(b: &[u8; 40], at: usize) -> Self {
            Self {
                valid: true,
                at,
                version: b[0] >> 4,
                traffic_class: ((u16::from_be_bytes([b[0], b[1]]) >> 4) & 255) as u8,
                flow_label: u32::from_be_bytes([0, b[1], b[2], b[3]]) & 0xfffff,
                payload_length: u16::from_be_bytes([b[4], b[5]]),
                next_header: b[6],
                hop_limit: b[7],
                src: u128::from_be_bytes([
                    b[8],
                    b[9],
                    b[10],
                    b[11],
                    b[12],
                    b[13],
                    b[14],
                    b[15],
                    b[16],
                    b[17],
                    b[18],
                    b[19],
                    b[20],
                    b[21],
                    b[22],
                    b[23],
                ]),
                dst: u128::from_be_bytes([
                    b[24],
                    b[25],
                    b[26],
                    b[27],
                    b[28],
                    b[29],
                    b[30],
                    b[31],
                    b[32],
                    b[33],
                    b[34],
                    b[35],
                    b[36],
                    b[37],
                    b[38],
                    b[39],
                ]),
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
        ip6: Ipv6,
        udp: Udp,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {}
    /// pipeline.rs:51: state start
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
            0x86dd => parse_ipv6(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:60: state ipv6
    #[inline]
    fn parse_ipv6(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.ip6 = Ipv6::read(bytes, at);
        match h.ip6.next_header {
            17 => parse_udp(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:69: state udp
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

    /// pipeline.rs:33: key of table service
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct ServiceKey {
        dst: u128,
    }

    impl rt::table::Key for ServiceKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                dst: rt::table::at(values, 0) as u128,
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
            rt::table::mix(rt::table::mix(0, (self.dst >> 64) as u64), self.dst as u64)
        }
    }

    /// What an entry of `service` does.
    #[derive(Clone, Copy, Debug)]
    enum ServiceAction {
        Service { pool: u8, key: u64 },
        NoService,
    }

    impl rt::Action for ServiceAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Service {
                            pool: rt::table::at(data, 0) as u8,
                            key: rt::table::at(data, 1) as u64,
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

    /// pipeline.rs:48: key of table server
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

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        service: rt::Exact<ServiceKey, ServiceAction>,
        server: rt::Exact<ServerKey, ServerAction>,
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
                service: rt::Exact::new(128, ServiceAction::NoService),
                server: rt::Exact::new(512, ServerAction::NotThere),
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
            if !h.udp.valid {
                return rt::Verdict::Pass;
            }
            match *self.service.apply(&ServiceKey { dst: h.ip6.dst }, c.length) {
                ServiceAction::Service { pool, key } => {
                    let hash = rt::half_sip_hash(
                        key,
                        rt::Bits::<3>::new()
                            .with(128, h.ip6.src)
                            .with(16, h.udp.src_port),
                    );
                    let id_2 = match self.servers.select(pool, hash) {
                        rt::Selected::Id(id) => id as u16,
                        rt::Selected::NoPool => return rt::Verdict::Drop(reason::NO_POOL),
                        rt::Selected::NoSlot => return rt::Verdict::Drop(reason::NO_SLOT),
                    };
                    match *self.server.apply(&ServerKey { id: id_2 }, c.length) {
                        ServerAction::ToMac { mac, port } => {
                            h.eth.dst = mac;
                            rt::Verdict::Forward(port)
                        }
                        ServerAction::NotThere => rt::Verdict::Drop(reason::NO_SERVER),
                    }
                }
                ServiceAction::NoService => rt::Verdict::Pass,
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
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                service: self.service.clone(),
                server: self.server.clone(),
                servers: self.servers.clone(),
                drops: Default::default(),
            }
        }
    }
}
