// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod route {
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

    /// Every header, in the order in which they leave.
    #[derive(Clone, Copy, Debug, Default)]
    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        ip6: Ipv6,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        hop: u16,
        port: u32,
    }

    /// pipeline.rs:59: state start
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
            0x86dd => parse_ipv6(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:69: state ipv4
    #[inline]
    fn parse_ipv4(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.ip4 = Ipv4::read(bytes, at);
    }

    /// pipeline.rs:75: state ipv6
    #[inline]
    fn parse_ipv6(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.ip6 = Ipv6::read(bytes, at);
    }

    /// pipeline.rs:42: key of table route4
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Route4Key {
        vrf: u8,
        dst: u32,
    }

    impl rt::table::Key for Route4Key {
        fn from_values(values: &[u128]) -> Self {
            Self {
                vrf: rt::table::at(values, 0) as u8,
                dst: rt::table::at(values, 1) as u32,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.vrf.into(),
                1 => self.dst.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.vrf) | u64::from(self.dst) << 8)
        }
    }

    impl rt::table::LpmKey for Route4Key {
        const FIELD: usize = 1;
        #[inline]
        fn cut(&self, length: u8) -> Self {
            Self {
                dst: rt::table::prefix(self.dst.into(), 32, length) as u32,
                ..*self
            }
        }
    }

    /// What an entry of `route4` does.
    #[derive(Clone, Copy, Debug)]
    enum Route4Action {
        Via { hop: u16 },
        Blackhole,
        Unreachable,
    }

    impl rt::Action for Route4Action {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Via {
                            hop: rt::table::at(data, 0) as u16,
                        }
                    }
                    1 => Self::Blackhole,
                    2 => Self::Unreachable,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Unreachable { .. })
        }
    }

    /// pipeline.rs:44: key of table route6
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Route6Key {
        dst: u128,
    }

    impl rt::table::Key for Route6Key {
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

    impl rt::table::LpmKey for Route6Key {
        const FIELD: usize = 0;
        #[inline]
        fn cut(&self, length: u8) -> Self {
            Self {
                dst: rt::table::prefix(self.dst.into(), 128, length) as u128,
                ..*self
            }
        }
    }

    /// pipeline.rs:56: key of table neighbour
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct NeighbourKey {
        hop: u16,
    }

    impl rt::table::Key for NeighbourKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                hop: rt::table::at(values, 0) as u16,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.hop.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.hop))
        }
    }

    /// What an entry of `neighbour` does.
    #[derive(Clone, Copy, Debug)]
    enum NeighbourAction {
        Send { port: u32, src_mac: u64, dst_mac: u64 },
        Unresolved,
    }

    impl rt::Action for NeighbourAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    3 => {
                        Self::Send {
                            port: rt::table::at(data, 0) as u32,
                            src_mac: rt::table::at(data, 1) as u64,
                            dst_mac: rt::table::at(data, 2) as u64,
                        }
                    }
                    4 => Self::Unresolved,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Unresolved { .. })
        }
    }

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `no_route`
        pub const NO_ROUTE: u16 = 0;
        /// `no_neighbour`
        pub const NO_NEIGHBOUR: u16 = 1;
        /// `expired`
        pub const EXPIRED: u16 = 2;
        /// `forbidden`
        pub const FORBIDDEN: u16 = 3;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        route4: rt::Lpm<Route4Key, Route4Action>,
        route6: rt::Lpm<Route6Key, Route4Action>,
        neighbour: rt::Slots<NeighbourKey, NeighbourAction>,
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
                route4: rt::Lpm::new(1024, Route4Action::Unreachable),
                route6: rt::Lpm::new(1024, Route4Action::Unreachable),
                neighbour: rt::Slots::new(256, 8, NeighbourAction::Unresolved),
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
            if h.ip4.valid {
                if h.ip4.ttl <= 1 {
                    return rt::Verdict::Drop(reason::EXPIRED);
                }
                match *self
                    .route4
                    .apply(
                        &Route4Key {
                            vrf: c.port as u8,
                            dst: h.ip4.dst,
                        },
                        c.length,
                    )
                {
                    Route4Action::Via { hop } => {
                        m.hop = hop;
                    }
                    Route4Action::Blackhole => {
                        return rt::Verdict::Drop(reason::FORBIDDEN);
                    }
                    Route4Action::Unreachable => {
                        return rt::Verdict::Drop(reason::NO_ROUTE);
                    }
                }
                let ttl = h.ip4.ttl.wrapping_sub(1);
                h.ip4.checksum = rt::adjust(
                    h.ip4.checksum,
                    u128::from(u16::from(h.ip4.ttl) << 8 | u16::from(h.ip4.protocol)),
                    u128::from(u16::from(ttl) << 8 | u16::from(h.ip4.protocol)),
                    16,
                );
                h.ip4.ttl = ttl;
            } else if h.ip6.valid {
                if h.ip6.hop_limit <= 1 {
                    return rt::Verdict::Drop(reason::EXPIRED);
                }
                match *self.route6.apply(&Route6Key { dst: h.ip6.dst }, c.length) {
                    Route4Action::Via { hop } => {
                        m.hop = hop;
                    }
                    Route4Action::Blackhole => {
                        return rt::Verdict::Drop(reason::FORBIDDEN);
                    }
                    Route4Action::Unreachable => {
                        return rt::Verdict::Drop(reason::NO_ROUTE);
                    }
                }
                h.ip6.hop_limit = h.ip6.hop_limit.wrapping_sub(1);
            } else {
                return rt::Verdict::Pass;
            }
            match *self.neighbour.apply(&NeighbourKey { hop: m.hop }, c.length) {
                NeighbourAction::Send { port, src_mac, dst_mac } => {
                    h.eth.src = src_mac;
                    h.eth.dst = dst_mac;
                    rt::Verdict::Forward(port)
                }
                NeighbourAction::Unresolved => rt::Verdict::Drop(reason::NO_NEIGHBOUR),
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
        b[10..12].copy_from_slice(&header.checksum.to_be_bytes());
    }

    /// The fields of `ip6` that may have changed.
    #[inline]
    fn patch_ip6(header: &Ipv6, b: &mut [u8; 40]) {
        b[7] = header.hop_limit;
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
        if h.ip6.valid && let Some(b) = rt::packet::chunk(frame, h.ip6.at) {
            patch_ip6(&h.ip6, b);
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
                0 => Some(&self.route4),
                1 => Some(&self.route6),
                2 => Some(&self.neighbour),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.route4),
                1 => Some(&mut self.route6),
                2 => Some(&mut self.neighbour),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                route4: self.route4.clone(),
                route6: self.route6.clone(),
                neighbour: self.neighbour.clone(),
                drops: Default::default(),
            }
        }
    }
}
