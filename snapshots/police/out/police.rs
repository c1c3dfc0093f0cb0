// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod police {
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

    /// header icmp
    #[derive(Clone, Copy, Debug, Default)]
    struct Icmp {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        kind: u8,
        code: u8,
        checksum: u16,
        rest: u32,
    }

    impl Icmp {
        #[inline(always)]
        fn read(b: &[u8; 8], at: usize) -> Self {
            Self {
                valid: true,
                at,
                kind: b[0],
                code: b[1],
                checksum: u16::from_be_bytes([b[2], b[3]]),
                rest: u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
            }
        }
    }

    /// Every header, in the order in which they leave.
    #[derive(Clone, Copy, Debug, Default)]
    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
        icmp: Icmp,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        level: u8,
    }

    /// pipeline.rs:46: state start
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

    /// pipeline.rs:55: state ipv4
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
            1 => parse_icmp(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:64: state icmp
    #[inline]
    fn parse_icmp(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.icmp = Icmp::read(bytes, at);
    }

    /// pipeline.rs:37: key of table gateway
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct GatewayKey {
        src: u32,
    }

    impl rt::table::Key for GatewayKey {
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

    /// What an entry of `gateway` does.
    #[derive(Clone, Copy, Debug)]
    enum GatewayAction {
        Level { level: u8 },
        Anyone,
    }

    impl rt::Action for GatewayAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Level {
                            level: rt::table::at(data, 0) as u8,
                        }
                    }
                    1 => Self::Anyone,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Anyone { .. })
        }
    }

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `rate_exceeded`
        pub const RATE_EXCEEDED: u16 = 0;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        gateway: rt::Linear<GatewayKey, GatewayAction>,
        by_type: rt::Counter,
        icmp_rate: rt::Limiter,
        drops: [u64; 1],
    }

    impl Default for Pipeline {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Pipeline {
        /// Without entries but those of the source.
        pub fn new() -> Self {
            let mut all = Self {
                gateway: rt::Linear::new(8, GatewayAction::Anyone),
                by_type: rt::Counter::new(256),
                icmp_rate: rt::Limiter::new(3),
                drops: [0; 1],
            };
            let _ = rt::table::AnyTable::insert(
                &mut all.gateway,
                &[
                    rt::table::Match::Masked {
                        value: 0xa000001,
                        mask: 0xffffffff,
                    },
                ],
                2,
                0,
                &[1],
            );
            let _ = rt::table::AnyTable::insert(
                &mut all.gateway,
                &[
                    rt::table::Match::Masked {
                        value: 0xa000000,
                        mask: 0xff000000,
                    },
                ],
                1,
                0,
                &[2],
            );
            all
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
            if !h.icmp.valid {
                return rt::Verdict::Pass;
            }
            self.by_type.count(u32::from(h.icmp.kind), c.length);
            match *self.gateway.apply(&GatewayKey { src: h.ip4.src }, c.length) {
                GatewayAction::Level { level } => {
                    m.level = level;
                }
                GatewayAction::Anyone => {}
            }
            if m.level != 1 {
                let allowed = self.icmp_rate.allow(c.now);
                if !allowed {
                    return rt::Verdict::Drop(reason::RATE_EXCEEDED);
                }
            }
            if c.length > 128 && m.level == 0 {
                c.limit = 128;
            }
            rt::Verdict::Forward(c.port ^ 1)
        }
    }

    /// Writes what has changed into the frame.
    #[inline]
    fn deparse(h: &Headers, _payload: usize, packet: &mut rt::Packet) {
        let frame = packet.frame_mut();
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
                0 => Some(&self.gateway),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.gateway),
                _ => None,
            }
        }
        fn counter(&self, index: usize) -> Option<&rt::Counter> {
            match index {
                0 => Some(&self.by_type),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                gateway: self.gateway.clone(),
                by_type: self.by_type.fork(),
                icmp_rate: self.icmp_rate.clone(),
                drops: Default::default(),
            }
        }
    }
}
