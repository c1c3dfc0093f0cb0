// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod keys {
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

    /// Every header, in the order in which they leave.
    #[derive(Clone, Copy, Debug, Default)]
    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        to: u32,
    }

    /// pipeline.rs:58: state start
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

    /// pipeline.rs:67: state ipv4
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

    /// pipeline.rs:36: key of table subnet
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct SubnetKey {
        line: u8,
        net: u16,
    }

    impl rt::table::Key for SubnetKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                line: rt::table::at(values, 0) as u8,
                net: rt::table::at(values, 1) as u16,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.line.into(),
                1 => self.net.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.line) | u64::from(self.net) << 4)
        }
    }

    impl rt::table::LpmKey for SubnetKey {
        const FIELD: usize = 1;
        #[inline]
        fn cut(&self, length: u8) -> Self {
            Self {
                net: rt::table::prefix(self.net.into(), 16, length) as u16,
                ..*self
            }
        }
    }

    /// What an entry of `subnet` does.
    #[derive(Clone, Copy, Debug)]
    enum SubnetAction {
        Out { port: u32 },
        Nowhere,
    }

    impl rt::Action for SubnetAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Out {
                            port: rt::table::at(data, 0) as u32,
                        }
                    }
                    1 => Self::Nowhere,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Nowhere { .. })
        }
    }

    /// pipeline.rs:55: key of table grade
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct GradeKey {
        congestion: u8,
        hops: u8,
        fragment: u8,
    }

    impl rt::table::Key for GradeKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                congestion: rt::table::at(values, 0) as u8,
                hops: rt::table::at(values, 1) as u8,
                fragment: rt::table::at(values, 2) as u8,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.congestion.into(),
                1 => self.hops.into(),
                2 => self.fragment.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(
                0,
                u64::from(self.congestion) | u64::from(self.hops) << 8
                    | u64::from(self.fragment) << 16,
            )
        }
    }

    /// What an entry of `grade` does.
    #[derive(Clone, Copy, Debug)]
    enum GradeAction {
        Grade { tos: u8 },
        Refuse,
        AsItIs,
    }

    impl rt::Action for GradeAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    2 => {
                        Self::Grade {
                            tos: rt::table::at(data, 0) as u8,
                        }
                    }
                    3 => Self::Refuse,
                    4 => Self::AsItIs,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::AsItIs { .. })
        }
    }

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `not_ip`
        pub const NOT_IP: u16 = 0;
        /// `no_subnet`
        pub const NO_SUBNET: u16 = 1;
        /// `refused`
        pub const REFUSED: u16 = 2;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        subnet: rt::Lpm<SubnetKey, SubnetAction>,
        grade: rt::Exact<GradeKey, GradeAction>,
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
                subnet: rt::Lpm::new(64, SubnetAction::Nowhere),
                grade: rt::Exact::new(64, GradeAction::AsItIs),
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
            if !h.ip4.valid {
                return rt::Verdict::Drop(reason::NOT_IP);
            }
            match *self
                .subnet
                .apply(
                    &SubnetKey {
                        line: (c.port as u8) & 15,
                        net: (h.ip4.dst >> 8) as u16,
                    },
                    c.length,
                )
            {
                SubnetAction::Out { port } => {
                    m.to = port;
                }
                SubnetAction::Nowhere => {
                    return rt::Verdict::Drop(reason::NO_SUBNET);
                }
            }
            match *self
                .grade
                .apply(
                    &GradeKey {
                        congestion: h.ip4.tos & 3,
                        hops: h.ip4.ttl.wrapping_add(1),
                        fragment: h.ip4.more_fragments,
                    },
                    c.length,
                )
            {
                GradeAction::Grade { tos } => {
                    h.ip4.checksum = rt::adjust(
                        h.ip4.checksum,
                        u128::from(
                            u16::from(h.ip4.version << 4 | h.ip4.ihl) << 8
                                | u16::from(h.ip4.tos),
                        ),
                        u128::from(
                            u16::from(h.ip4.version << 4 | h.ip4.ihl) << 8
                                | u16::from(tos),
                        ),
                        16,
                    );
                    h.ip4.tos = tos;
                }
                GradeAction::Refuse => {
                    return rt::Verdict::Drop(reason::REFUSED);
                }
                GradeAction::AsItIs => {}
            }
            rt::Verdict::Forward(m.to)
        }
    }

    /// The fields of `ip4` that may have changed.
    #[inline]
    fn patch_ip4(header: &Ipv4, b: &mut [u8; 20]) {
        b[1] = header.tos;
        b[10..12].copy_from_slice(&header.checksum.to_be_bytes());
    }

    /// Writes what has changed into the frame.
    #[inline]
    fn deparse(h: &Headers, _payload: usize, packet: &mut rt::Packet) {
        let frame = packet.frame_mut();
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
                0 => Some(&self.subnet),
                1 => Some(&self.grade),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.subnet),
                1 => Some(&mut self.grade),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                subnet: self.subnet.clone(),
                grade: self.grade.clone(),
                drops: Default::default(),
            }
        }
    }
}
