// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod stateless {
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

        #[inline]
        fn write(&self, b: &mut [u8; 14]) {
            b[0..6].copy_from_slice(&self.dst.to_be_bytes()[2..]);
            b[6..12].copy_from_slice(&self.src.to_be_bytes()[2..]);
            b[12..14].copy_from_slice(&self.ethertype.to_be_bytes());
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

        #[inline]
        fn write(&self, b: &mut [u8; 20]) {
            b[0] = self.version << 4 | self.ihl;
            b[1] = self.tos;
            b[2..4].copy_from_slice(&self.total_length.to_be_bytes());
            b[4..6].copy_from_slice(&self.identification.to_be_bytes());
            b[6..8]
                .copy_from_slice(
                    &(u16::from(self.reserved) << 15
                        | u16::from(self.dont_fragment) << 14
                        | u16::from(self.more_fragments) << 13 | self.fragment_offset)
                        .to_be_bytes(),
                );
            b[8] = self.ttl;
            b[9] = self.protocol;
            b[10..12].copy_from_slice(&self.checksum.to_be_bytes());
            b[12..16].copy_from_slice(&self.src.to_be_bytes());
            b[16..20].copy_from_slice(&self.dst.to_be_bytes());
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

        #[inline]
        fn write(&self, b: &mut [u8; 40]) {
            b[0..4]
                .copy_from_slice(
                    &(u32::from(self.version) << 28 | u32::from(self.traffic_class) << 20
                        | self.flow_label)
                        .to_be_bytes(),
                );
            b[4..6].copy_from_slice(&self.payload_length.to_be_bytes());
            b[6] = self.next_header;
            b[7] = self.hop_limit;
            b[8..24].copy_from_slice(&self.src.to_be_bytes());
            b[24..40].copy_from_slice(&self.dst.to_be_bytes());
        }
    }

    /// header l4_start
    #[derive(Clone, Copy, Debug, Default)]
    struct L4Start {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        src_port: u16,
        dst_port: u16,
        word: u32,
    }

    impl L4Start {
        #[inline(always)]
        fn read(b: &[u8; 8], at: usize) -> Self {
            Self {
                valid: true,
                at,
                src_port: u16::from_be_bytes([b[0], b[1]]),
                dst_port: u16::from_be_bytes([b[2], b[3]]),
                word: u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
            }
        }
    }

    /// Every header, in the order in which they leave.
    #[derive(Clone, Copy, Debug, Default)]
    struct Headers {
        eth: Ethernet,
        outer4: Ipv4,
        outer6: Ipv6,
        ip4: Ipv4,
        ip6: Ipv6,
        l4: L4Start,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        pool: u16,
        key: u64,
    }

    /// pipeline.rs:80: state start
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

    /// pipeline.rs:90: state ipv4
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
            (4, 5, 0, 0, 6) => parse_l4(p, h, m, c),
            (4, 5, 0, 0, 17) => parse_l4(p, h, m, c),
            (_, _, _, _, _) => {}
        }
    }

    /// pipeline.rs:99: state ipv6
    #[inline]
    fn parse_ipv6(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.ip6 = Ipv6::read(bytes, at);
        match (h.ip6.version, h.ip6.next_header) {
            (6, 6) => parse_l4(p, h, m, c),
            (6, 17) => parse_l4(p, h, m, c),
            (_, _) => {}
        }
    }

    /// pipeline.rs:108: state l4
    #[inline]
    fn parse_l4(p: &mut rt::Parser<'_>, h: &mut Headers, m: &mut Meta, c: &rt::Context) {
        let Some((bytes, at)) = p.take() else { return };
        h.l4 = L4Start::read(bytes, at);
    }

    /// pipeline.rs:59: key of table vip4
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Vip4Key {
        dst: u32,
        protocol: u8,
        dst_port: u16,
    }

    impl rt::table::Key for Vip4Key {
        fn from_values(values: &[u128]) -> Self {
            Self {
                dst: rt::table::at(values, 0) as u32,
                protocol: rt::table::at(values, 1) as u8,
                dst_port: rt::table::at(values, 2) as u16,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.dst.into(),
                1 => self.protocol.into(),
                2 => self.dst_port.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(
                0,
                u64::from(self.dst) | u64::from(self.protocol) << 32
                    | u64::from(self.dst_port) << 40,
            )
        }
    }

    /// What an entry of `vip4` does.
    #[derive(Clone, Copy, Debug)]
    enum Vip4Action {
        SetVip { pool: u16, hash_key: u64 },
        NotAVip,
    }

    impl rt::Action for Vip4Action {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::SetVip {
                            pool: rt::table::at(data, 0) as u16,
                            hash_key: rt::table::at(data, 1) as u64,
                        }
                    }
                    1 => Self::NotAVip,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::NotAVip { .. })
        }
    }

    /// pipeline.rs:61: key of table vip6
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Vip6Key {
        dst: u128,
        protocol: u8,
        dst_port: u16,
    }

    impl rt::table::Key for Vip6Key {
        fn from_values(values: &[u128]) -> Self {
            Self {
                dst: rt::table::at(values, 0) as u128,
                protocol: rt::table::at(values, 1) as u8,
                dst_port: rt::table::at(values, 2) as u16,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.dst.into(),
                1 => self.protocol.into(),
                2 => self.dst_port.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(
                rt::table::mix(
                    rt::table::mix(0, (self.dst >> 64) as u64),
                    self.dst as u64,
                ),
                u64::from(self.protocol) | u64::from(self.dst_port) << 8,
            )
        }
    }

    /// pipeline.rs:77: key of table backend
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct BackendKey {
        backend: u32,
    }

    impl rt::table::Key for BackendKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                backend: rt::table::at(values, 0) as u32,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.backend.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.backend))
        }
    }

    /// What an entry of `backend` does.
    #[derive(Clone, Copy, Debug)]
    enum BackendAction {
        Ipip4 { src: u32, dst: u32, port: u32, dst_mac: u64, src_mac: u64 },
        Ipip6 { src: u128, dst: u128, port: u32, dst_mac: u64, src_mac: u64 },
        Gone,
    }

    impl rt::Action for BackendAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    2 => {
                        Self::Ipip4 {
                            src: rt::table::at(data, 0) as u32,
                            dst: rt::table::at(data, 1) as u32,
                            port: rt::table::at(data, 2) as u32,
                            dst_mac: rt::table::at(data, 3) as u64,
                            src_mac: rt::table::at(data, 4) as u64,
                        }
                    }
                    3 => {
                        Self::Ipip6 {
                            src: rt::table::at(data, 0) as u128,
                            dst: rt::table::at(data, 1) as u128,
                            port: rt::table::at(data, 2) as u32,
                            dst_mac: rt::table::at(data, 3) as u64,
                            src_mac: rt::table::at(data, 4) as u64,
                        }
                    }
                    4 => Self::Gone,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Gone { .. })
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
        /// `no_backend`
        pub const NO_BACKEND: u16 = 2;
        /// `family`
        pub const FAMILY: u16 = 3;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        vip4: rt::Exact<Vip4Key, Vip4Action>,
        vip6: rt::Exact<Vip6Key, Vip4Action>,
        backend: rt::Exact<BackendKey, BackendAction>,
        ring: rt::Ring<65537>,
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
                vip4: rt::Exact::new(512, Vip4Action::NotAVip),
                vip6: rt::Exact::new(512, Vip4Action::NotAVip),
                backend: rt::Exact::new(4096, BackendAction::Gone),
                ring: rt::Ring::new(64),
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
            if !h.l4.valid {
                return rt::Verdict::Pass;
            }
            if h.ip4.valid {
                match *self
                    .vip4
                    .apply(
                        &Vip4Key {
                            dst: h.ip4.dst,
                            protocol: h.ip4.protocol,
                            dst_port: h.l4.dst_port,
                        },
                        c.length,
                    )
                {
                    Vip4Action::SetVip { pool, hash_key } => {
                        m.pool = pool;
                        m.key = hash_key;
                    }
                    Vip4Action::NotAVip => {
                        return rt::Verdict::Pass;
                    }
                }
            } else {
                match *self
                    .vip6
                    .apply(
                        &Vip6Key {
                            dst: h.ip6.dst,
                            protocol: h.ip6.next_header,
                            dst_port: h.l4.dst_port,
                        },
                        c.length,
                    )
                {
                    Vip4Action::SetVip { pool, hash_key } => {
                        m.pool = pool;
                        m.key = hash_key;
                    }
                    Vip4Action::NotAVip => {
                        return rt::Verdict::Pass;
                    }
                }
            }
            let mut hash: u32 = 0;
            if h.ip4.valid {
                hash = rt::crc32(
                    rt::Bits::<3>::new()
                        .with(32, m.key as u32)
                        .with(32, h.ip4.src)
                        .with(32, h.ip4.dst)
                        .with(16, h.l4.src_port)
                        .with(16, h.l4.dst_port)
                        .with(8, h.ip4.protocol),
                );
            } else {
                hash = rt::crc32(
                    rt::Bits::<6>::new()
                        .with(32, m.key as u32)
                        .with(128, h.ip6.src)
                        .with(128, h.ip6.dst)
                        .with(16, h.l4.src_port)
                        .with(16, h.l4.dst_port)
                        .with(8, h.ip6.next_header),
                );
            }
            let id_2 = match self.ring.select(m.pool, hash) {
                rt::Selected::Id(id) => id,
                rt::Selected::NoPool => return rt::Verdict::Drop(reason::NO_POOL),
                rt::Selected::NoSlot => return rt::Verdict::Drop(reason::NO_SLOT),
            };
            match *self.backend.apply(&BackendKey { backend: id_2 }, c.length) {
                BackendAction::Ipip4 { src, dst, port, dst_mac, src_mac } => {
                    if h.ip6.valid {
                        return rt::Verdict::Drop(reason::FAMILY);
                    }
                    if !h.outer4.valid {
                        h.outer4 = Ipv4 {
                            valid: true,
                            at: rt::NOWHERE,
                            ..Ipv4::default()
                        };
                    }
                    h.outer4.version = 4;
                    h.outer4.ihl = 5;
                    h.outer4.tos = h.ip4.tos;
                    h.outer4.total_length = h.ip4.total_length.wrapping_add(20);
                    h.outer4.identification = 0;
                    h.outer4.reserved = 0;
                    h.outer4.dont_fragment = 1;
                    h.outer4.more_fragments = 0;
                    h.outer4.fragment_offset = 0;
                    h.outer4.ttl = 64;
                    h.outer4.protocol = 4;
                    h.outer4.checksum = 0;
                    h.outer4.src = src;
                    h.outer4.dst = dst;
                    h.outer4.checksum = rt::Sum::new()
                        .with(4, h.outer4.version)
                        .with(4, h.outer4.ihl)
                        .with(8, h.outer4.tos)
                        .with(16, h.outer4.total_length)
                        .with(16, h.outer4.identification)
                        .with(1, h.outer4.reserved)
                        .with(1, h.outer4.dont_fragment)
                        .with(1, h.outer4.more_fragments)
                        .with(13, h.outer4.fragment_offset)
                        .with(8, h.outer4.ttl)
                        .with(8, h.outer4.protocol)
                        .with(16, h.outer4.checksum)
                        .with(32, h.outer4.src)
                        .with(32, h.outer4.dst)
                        .checksum();
                    h.eth.dst = dst_mac;
                    h.eth.src = src_mac;
                    rt::Verdict::Forward(port)
                }
                BackendAction::Ipip6 { src, dst, port, dst_mac, src_mac } => {
                    if h.ip4.valid {
                        return rt::Verdict::Drop(reason::FAMILY);
                    }
                    if !h.outer6.valid {
                        h.outer6 = Ipv6 {
                            valid: true,
                            at: rt::NOWHERE,
                            ..Ipv6::default()
                        };
                    }
                    h.outer6.version = 6;
                    h.outer6.traffic_class = h.ip6.traffic_class;
                    h.outer6.flow_label = 0;
                    h.outer6.payload_length = h.ip6.payload_length.wrapping_add(40);
                    h.outer6.next_header = 41;
                    h.outer6.hop_limit = 64;
                    h.outer6.src = src;
                    h.outer6.dst = dst;
                    h.eth.dst = dst_mac;
                    h.eth.src = src_mac;
                    rt::Verdict::Forward(port)
                }
                BackendAction::Gone => rt::Verdict::Drop(reason::NO_BACKEND),
            }
        }
    }

    /// The fields of `eth` that may have changed.
    #[inline]
    fn patch_eth(header: &Ethernet, b: &mut [u8; 14]) {
        b[0..6].copy_from_slice(&header.dst.to_be_bytes()[2..]);
        b[6..12].copy_from_slice(&header.src.to_be_bytes()[2..]);
    }

    /// The fields of `outer4` that may have changed.
    #[inline]
    fn patch_outer4(header: &Ipv4, b: &mut [u8; 20]) {
        rt::put(b, 0, 4, header.version.into());
        rt::put(b, 4, 4, header.ihl.into());
        b[1] = header.tos;
        b[2..4].copy_from_slice(&header.total_length.to_be_bytes());
        b[4..6].copy_from_slice(&header.identification.to_be_bytes());
        rt::put(b, 48, 1, header.reserved.into());
        rt::put(b, 49, 1, header.dont_fragment.into());
        rt::put(b, 50, 1, header.more_fragments.into());
        rt::put(b, 51, 13, header.fragment_offset.into());
        b[8] = header.ttl;
        b[9] = header.protocol;
        b[10..12].copy_from_slice(&header.checksum.to_be_bytes());
        b[12..16].copy_from_slice(&header.src.to_be_bytes());
        b[16..20].copy_from_slice(&header.dst.to_be_bytes());
    }

    /// The fields of `outer6` that may have changed.
    #[inline]
    fn patch_outer6(header: &Ipv6, b: &mut [u8; 40]) {
        rt::put(b, 0, 4, header.version.into());
        rt::put(b, 4, 8, header.traffic_class.into());
        rt::put(b, 12, 20, header.flow_label.into());
        b[4..6].copy_from_slice(&header.payload_length.to_be_bytes());
        b[6] = header.next_header;
        b[7] = header.hop_limit;
        b[8..24].copy_from_slice(&header.src.to_be_bytes());
        b[24..40].copy_from_slice(&header.dst.to_be_bytes());
    }

    /// Makes room for the headers that leave and writes them; what stays in its place and is unchanged is not
    /// touched.
    #[inline]
    fn deparse(h: &Headers, payload: usize, packet: &mut rt::Packet) {
        let mut front = 0;
        if h.eth.valid {
            front += 14;
        }
        if h.outer4.valid {
            front += 20;
        }
        if h.outer6.valid {
            front += 40;
        }
        if h.ip4.valid {
            front += 20;
        }
        if h.ip6.valid {
            front += 40;
        }
        if h.l4.valid {
            front += 8;
        }
        packet.set_front(payload, front);
        let frame = packet.frame_mut();
        let mut at = 0;
        if h.eth.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                if h.eth.at + front == at + payload {
                    patch_eth(&h.eth, b);
                } else {
                    h.eth.write(b);
                }
            }
            at += 14;
        }
        if h.outer4.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                if h.outer4.at + front == at + payload {
                    patch_outer4(&h.outer4, b);
                } else {
                    h.outer4.write(b);
                }
            }
            at += 20;
        }
        if h.outer6.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                if h.outer6.at + front == at + payload {
                    patch_outer6(&h.outer6, b);
                } else {
                    h.outer6.write(b);
                }
            }
            at += 40;
        }
        if h.ip4.valid {
            at += 20;
        }
        if h.ip6.valid {
            at += 40;
        }
        if h.l4.valid {
            at += 8;
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
                0 => Some(&self.vip4),
                1 => Some(&self.vip6),
                2 => Some(&self.backend),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.vip4),
                1 => Some(&mut self.vip6),
                2 => Some(&mut self.backend),
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
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                vip4: self.vip4.clone(),
                vip6: self.vip6.clone(),
                backend: self.backend.clone(),
                ring: self.ring.clone(),
                drops: Default::default(),
            }
        }
    }
}
