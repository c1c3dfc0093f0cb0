// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod acl {
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
        dst_port: u16,
    }

    /// pipeline.rs:42: state start
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

    /// pipeline.rs:51: state ipv4
    #[inline]
    fn parse_ipv4(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.ip4 = Ipv4::read(bytes, at);
        match (h.ip4.ihl, h.ip4.fragment_offset, h.ip4.protocol) {
            (5, 0, 6) => parse_tcp(p, h, m, c),
            (5, 0, 17) => parse_udp(p, h, m, c),
            (_, _, _) => {}
        }
    }

    /// pipeline.rs:61: state tcp
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

    /// pipeline.rs:67: state udp
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

    /// pipeline.rs:39: key of table rules
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct RulesKey {
        src: u32,
        dst: u32,
        protocol: u8,
        dst_port: u16,
    }

    impl rt::table::Key for RulesKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                src: rt::table::at(values, 0) as u32,
                dst: rt::table::at(values, 1) as u32,
                protocol: rt::table::at(values, 2) as u8,
                dst_port: rt::table::at(values, 3) as u16,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.src.into(),
                1 => self.dst.into(),
                2 => self.protocol.into(),
                3 => self.dst_port.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(
                rt::table::mix(0, u64::from(self.src) | u64::from(self.dst) << 32),
                u64::from(self.protocol) | u64::from(self.dst_port) << 8,
            )
        }
    }

    /// What an entry of `rules` does.
    #[derive(Clone, Copy, Debug)]
    enum RulesAction {
        Permit { port: u32 },
        Mirror { port: u32, tos: u8 },
        Deny,
    }

    impl rt::Action for RulesAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Permit {
                            port: rt::table::at(data, 0) as u32,
                        }
                    }
                    1 => {
                        Self::Mirror {
                            port: rt::table::at(data, 0) as u32,
                            tos: rt::table::at(data, 1) as u8,
                        }
                    }
                    2 => Self::Deny,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Deny { .. })
        }
    }

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `not_ip`
        pub const NOT_IP: u16 = 0;
        /// `denied`
        pub const DENIED: u16 = 1;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        rules: rt::Linear<RulesKey, RulesAction>,
        drops: [u64; 2],
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
                rules: rt::Linear::new(64, RulesAction::Deny),
                drops: [0; 2],
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
            if h.tcp.valid {
                m.dst_port = h.tcp.dst_port;
            } else if h.udp.valid {
                m.dst_port = h.udp.dst_port;
            }
            match *self
                .rules
                .apply(
                    &RulesKey {
                        src: h.ip4.src,
                        dst: h.ip4.dst,
                        protocol: h.ip4.protocol,
                        dst_port: m.dst_port,
                    },
                    c.length,
                )
            {
                RulesAction::Permit { port } => rt::Verdict::Forward(port),
                RulesAction::Mirror { port, tos } => {
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
                    rt::Verdict::Forward(port)
                }
                RulesAction::Deny => rt::Verdict::Drop(reason::DENIED),
            }
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
                0 => Some(&self.rules),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.rules),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                rules: self.rules.clone(),
                drops: Default::default(),
            }
        }
    }
}
