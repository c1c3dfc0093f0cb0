// Made by Guideway from l4lb.rs.

/// From l4lb.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod l4lb {
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
        outer4: Ipv4,
        ip4: Ipv4,
        icmp: Icmp,
        quoted4: Ipv4,
        quoted: L4Start,
        tcp: Tcp,
        udp: Udp,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        protocol: u8,
        client_port: u16,
        vip_port: u16,
        client4: u32,
        vip: u16,
        pool: u16,
        hash_key: u64,
        flags: u8,
        class: u8,
        is_error: bool,
        found: bool,
        left_out: bool,
    }

    /// l4lb.rs:169: state start
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

    /// l4lb.rs:179: state ipv4
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
            (4, 5, 0, 0, 1) => parse_icmp4(p, h, m, c),
            (_, _, _, _, _) => {}
        }
    }

    /// l4lb.rs:190: state ipv6
    #[inline]
    fn parse_ipv6(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        m.left_out = true;
    }

    /// l4lb.rs:201: state icmp4
    #[inline]
    fn parse_icmp4(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.icmp = Icmp::read(bytes, at);
        match h.icmp.kind {
            3 => parse_quote4(p, h, m, c),
            11 => parse_quote4(p, h, m, c),
            12 => parse_quote4(p, h, m, c),
            _ => {}
        }
    }

    /// l4lb.rs:210: state quote4
    #[inline]
    fn parse_quote4(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.quoted4 = Ipv4::read(bytes, at);
        match (
            h.quoted4.version,
            h.quoted4.ihl,
            h.quoted4.more_fragments,
            h.quoted4.fragment_offset,
            h.quoted4.protocol,
        ) {
            (4, 5, 0, 0, 6) => parse_quote(p, h, m, c),
            (4, 5, 0, 0, 17) => parse_quote(p, h, m, c),
            (_, _, _, _, _) => {}
        }
    }

    /// l4lb.rs:243: state quote
    #[inline]
    fn parse_quote(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.quoted = L4Start::read(bytes, at);
    }

    /// l4lb.rs:249: state tcp
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

    /// l4lb.rs:255: state udp
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

    /// l4lb.rs:111: key of table vip4
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
        SetVip { vip: u16, pool: u16, hash_key: u64, flags: u8, class: u8 },
        NotAVip,
    }

    impl rt::Action for Vip4Action {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::SetVip {
                            vip: rt::table::at(data, 0) as u16,
                            pool: rt::table::at(data, 1) as u16,
                            hash_key: rt::table::at(data, 2) as u64,
                            flags: rt::table::at(data, 3) as u8,
                            class: rt::table::at(data, 4) as u8,
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

    /// l4lb.rs:114: key of table vip4_any
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Vip4AnyKey {
        dst: u32,
        protocol: u8,
    }

    impl rt::table::Key for Vip4AnyKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                dst: rt::table::at(values, 0) as u32,
                protocol: rt::table::at(values, 1) as u8,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.dst.into(),
                1 => self.protocol.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.dst) | u64::from(self.protocol) << 32)
        }
    }

    /// l4lb.rs:162: key of table backend
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
        Ipip4 {
            src: u32,
            spread: u32,
            dst: u32,
            port: u32,
            dst_mac: u64,
            src_mac: u64,
            mtu: u16,
        },
        Gone,
    }

    impl rt::Action for BackendAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    2 => {
                        Self::Ipip4 {
                            src: rt::table::at(data, 0) as u32,
                            spread: rt::table::at(data, 1) as u32,
                            dst: rt::table::at(data, 2) as u32,
                            port: rt::table::at(data, 3) as u32,
                            dst_mac: rt::table::at(data, 4) as u64,
                            src_mac: rt::table::at(data, 5) as u64,
                            mtu: rt::table::at(data, 6) as u16,
                        }
                    }
                    3 => Self::Gone,
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
        /// `ethernet_cut`
        pub const ETHERNET_CUT: u16 = 0;
        /// `ip_cut`
        pub const IP_CUT: u16 = 1;
        /// `version`
        pub const VERSION: u16 = 2;
        /// `header_length`
        pub const HEADER_LENGTH: u16 = 3;
        /// `total_length`
        pub const TOTAL_LENGTH: u16 = 4;
        /// `options`
        pub const OPTIONS: u16 = 5;
        /// `fragment`
        pub const FRAGMENT: u16 = 6;
        /// `l4_cut`
        pub const L4_CUT: u16 = 7;
        /// `data_offset`
        pub const DATA_OFFSET: u16 = 8;
        /// `icmp_quote`
        pub const ICMP_QUOTE: u16 = 9;
        /// `no_pool`
        pub const NO_POOL: u16 = 10;
        /// `no_slot`
        pub const NO_SLOT: u16 = 11;
        /// `no_backend`
        pub const NO_BACKEND: u16 = 12;
        /// `mtu`
        pub const MTU: u16 = 13;
    }

    /// The flow under way: what a lookup has found.
    #[derive(Clone, Copy, Debug)]
    enum Flow {
        Idle,
        Flows4(rt::Cursor<2>),
    }

    impl Flow {
        /// The id of a live flow.
        #[inline(always)]
        fn id(&self) -> Option<u32> {
            match self {
                Self::Idle => None,
                Self::Flows4(flow) => flow.id(),
            }
        }

        #[inline(always)]
        fn set_stays(&mut self, stays: bool) {
            match self {
                Self::Idle => {}
                Self::Flows4(flow) => flow.stays = stays,
            }
        }
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        vip4: rt::Exact<Vip4Key, Vip4Action>,
        vip4_any: rt::Exact<Vip4AnyKey, Vip4Action>,
        backend: rt::Slots<BackendKey, BackendAction>,
        flows4: rt::Flows<2>,
        ring: rt::Ring<65536>,
        drops: [u64; 14],
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
                vip4_any: rt::Exact::new(512, Vip4Action::NotAVip),
                backend: rt::Slots::new(4096, 14, BackendAction::Gone),
                flows4: rt::Flows::new(
                    65536,
                    &[
                        rt::Limits {
                            new: 448,
                            tcp: 4471,
                            udp: 895,
                            closing: 895,
                        },
                        rt::Limits {
                            new: 448,
                            tcp: 53645,
                            udp: 895,
                            closing: 895,
                        },
                        rt::Limits {
                            new: 150,
                            tcp: 895,
                            udp: 150,
                            closing: 150,
                        },
                    ],
                ),
                ring: rt::Ring::new(64),
                drops: [0; 14],
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
            if m.left_out {
                return rt::Verdict::Pass;
            }
            if !h.eth.valid {
                return rt::Verdict::Drop(reason::ETHERNET_CUT);
            }
            if h.ip4.valid {
                let too_short = h.ip4.total_length < (u16::from(h.ip4.ihl) << 2)
                    || u32::from(h.ip4.total_length).wrapping_add(14) > c.length;
                let fragment = h.ip4.more_fragments == 1 || h.ip4.fragment_offset != 0;
                let l4_cut = (h.ip4.protocol == 6 && h.ip4.total_length < 40)
                    || ((h.ip4.protocol == 17 || h.ip4.protocol == 1)
                        && h.ip4.total_length < 28);
                m.is_error = h.icmp.valid
                    && (h.icmp.kind == 3 || h.icmp.kind == 11 || h.icmp.kind == 12);
                let bad_quote = m.is_error
                    && (!h.quoted.valid || h.ip4.total_length < 56
                        || h.quoted4.src != h.ip4.dst);
                let by_address = h.ip4.version != 4 || h.ip4.ihl != 5 || too_short
                    || fragment || l4_cut || (h.tcp.valid && h.tcp.data_offset < 5)
                    || bad_quote || (h.icmp.valid && !m.is_error);
                if h.tcp.valid {
                    m.client_port = h.tcp.src_port;
                    m.vip_port = h.tcp.dst_port;
                } else if h.udp.valid {
                    m.client_port = h.udp.src_port;
                    m.vip_port = h.udp.dst_port;
                } else if h.quoted.valid {
                    m.client_port = h.quoted.dst_port;
                    m.vip_port = h.quoted.src_port;
                }
                m.protocol = h.ip4.protocol;
                m.client4 = h.ip4.src;
                if m.is_error {
                    m.protocol = h.quoted4.protocol;
                    m.client4 = h.quoted4.dst;
                }
                if by_address {
                    m.protocol = 1;
                } else {
                    match *self
                        .vip4
                        .apply(
                            &Vip4Key {
                                dst: h.ip4.dst,
                                protocol: m.protocol,
                                dst_port: m.vip_port,
                            },
                            c.length,
                        )
                    {
                        Vip4Action::SetVip { vip, pool, hash_key, flags, class } => {
                            m.found = true;
                            m.vip = vip;
                            m.pool = pool;
                            m.hash_key = hash_key;
                            m.flags = flags;
                            m.class = class;
                        }
                        Vip4Action::NotAVip => {}
                    }
                }
                if !m.found {
                    match *self
                        .vip4_any
                        .apply(
                            &Vip4AnyKey {
                                dst: h.ip4.dst,
                                protocol: m.protocol,
                            },
                            c.length,
                        )
                    {
                        Vip4Action::SetVip { vip, pool, hash_key, flags, class } => {
                            m.found = true;
                            m.vip = vip;
                            m.pool = pool;
                            m.hash_key = hash_key;
                            m.flags = flags;
                            m.class = class;
                        }
                        Vip4Action::NotAVip => {
                            return rt::Verdict::Pass;
                        }
                    }
                }
                if by_address {
                    if h.ip4.version != 4 {
                        return rt::Verdict::Drop(reason::VERSION);
                    }
                    if h.ip4.ihl < 5 {
                        return rt::Verdict::Drop(reason::HEADER_LENGTH);
                    }
                    if too_short {
                        return rt::Verdict::Drop(reason::TOTAL_LENGTH);
                    }
                    if h.ip4.ihl != 5 {
                        return rt::Verdict::Drop(reason::OPTIONS);
                    }
                    if fragment {
                        return rt::Verdict::Drop(reason::FRAGMENT);
                    }
                    if l4_cut {
                        return rt::Verdict::Drop(reason::L4_CUT);
                    }
                    if h.tcp.valid {
                        return rt::Verdict::Drop(reason::DATA_OFFSET);
                    }
                    if m.is_error {
                        return rt::Verdict::Drop(reason::ICMP_QUOTE);
                    }
                    if (m.flags & 2) == 0 || h.icmp.kind != 8
                        || (((h.eth.dst >> 40) as u8) & 1) == 1
                    {
                        return rt::Verdict::Pass;
                    }
                    h.ip4.checksum = rt::adjust(
                        h.ip4.checksum,
                        u128::from(
                            u16::from(h.ip4.ttl) << 8 | u16::from(h.ip4.protocol),
                        ),
                        u128::from(64_u16 << 8 | u16::from(h.ip4.protocol)),
                        16,
                    );
                    h.ip4.ttl = 64;
                    let client = h.ip4.src;
                    h.ip4.src = h.ip4.dst;
                    h.ip4.dst = client;
                    if h.icmp.valid {
                        h.icmp.checksum = rt::adjust(
                            h.icmp.checksum,
                            u128::from(8_u16 << 8 | u16::from(h.icmp.code)),
                            u128::from(0_u16 << 8 | u16::from(h.icmp.code)),
                            16,
                        );
                    }
                    if h.icmp.valid {
                        h.icmp.kind = 0;
                    }
                    let sender = h.eth.src;
                    h.eth.src = h.eth.dst;
                    h.eth.dst = sender;
                    return rt::Verdict::Forward(c.port);
                }
            } else if h.eth.ethertype == 0x800 {
                return rt::Verdict::Drop(reason::IP_CUT);
            } else {
                return rt::Verdict::Pass;
            }
            let hash = rt::crc32(
                rt::Bits::<3>::new()
                    .with(32, m.hash_key as u32)
                    .with(32, m.client4)
                    .with(32, h.ip4.dst)
                    .with(16, m.client_port)
                    .with(16, m.vip_port)
                    .with(8, m.protocol),
            );
            let event = if m.is_error {
                0_u8
            } else {
                if !h.tcp.valid {
                    3_u8
                } else {
                    if (h.tcp.flags & 23) == 2 {
                        1_u8
                    } else {
                        if (h.tcp.flags & 5) != 0 { 4_u8 } else { 2_u8 }
                    }
                }
            };
            let mut flow = Flow::Idle;
            if (m.flags & 1) == 0 {
                flow = Flow::Flows4(
                    self
                        .flows4
                        .find(
                            rt::Bits::<2>::new()
                                .with(32, m.client4)
                                .with(16, m.client_port)
                                .with(16, m.vip)
                                .with(16, m.vip_port),
                            hash,
                            event,
                            m.class,
                            c.now,
                        ),
                );
            }
            let entropy = u32::from((hash >> 16) as u16);
            let mut backend: u32 = 0;
            let stays = flow
                .id()
                .filter(|id| self.backend.knows(&BackendKey { backend: *id }));
            flow.set_stays(stays.is_some());
            match stays {
                Some(id) => backend = id,
                None => {
                    backend = match self.ring.select(m.pool, hash) {
                        rt::Selected::Id(id) => id,
                        rt::Selected::NoPool => return rt::Verdict::Drop(reason::NO_POOL),
                        rt::Selected::NoSlot => return rt::Verdict::Drop(reason::NO_SLOT),
                    };
                }
            }
            match *self.backend.apply(&BackendKey { backend }, c.length) {
                BackendAction::Ipip4 {
                    src,
                    spread,
                    dst,
                    port,
                    dst_mac,
                    src_mac,
                    mtu,
                } => {
                    if u32::from(h.ip4.total_length).wrapping_add(20) > u32::from(mtu) {
                        if (m.flags & 4) == 0 || h.ip4.dont_fragment == 0
                            || (!h.tcp.valid && !h.udp.valid)
                        {
                            return rt::Verdict::Drop(reason::MTU);
                        }
                        return rt::Verdict::Drop(reason::MTU);
                    }
                    self.remember(&flow, backend, c.now);
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
                    h.outer4.src = src | (entropy & spread);
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
                BackendAction::Gone => rt::Verdict::Drop(reason::NO_BACKEND),
            }
        }

        /// Writes the flow under its id.
        #[inline]
        fn remember(&mut self, flow: &Flow, id: u32, now: u32) {
            match flow {
                Flow::Idle => {}
                Flow::Flows4(flow) => self.flows4.remember(flow, id, now),
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

    /// The fields of `ip4` that may have changed.
    #[inline]
    fn patch_ip4(header: &Ipv4, b: &mut [u8; 20]) {
        b[8] = header.ttl;
        b[10..12].copy_from_slice(&header.checksum.to_be_bytes());
        b[12..16].copy_from_slice(&header.src.to_be_bytes());
        b[16..20].copy_from_slice(&header.dst.to_be_bytes());
    }

    /// The fields of `icmp` that may have changed.
    #[inline]
    fn patch_icmp(header: &Icmp, b: &mut [u8; 8]) {
        b[0] = header.kind;
        b[2..4].copy_from_slice(&header.checksum.to_be_bytes());
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
        if h.ip4.valid {
            front += 20;
        }
        if h.icmp.valid {
            front += 8;
        }
        if h.quoted4.valid {
            front += 20;
        }
        if h.quoted.valid {
            front += 8;
        }
        if h.tcp.valid {
            front += 20;
        }
        if h.udp.valid {
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
        if h.ip4.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                patch_ip4(&h.ip4, b);
            }
            at += 20;
        }
        if h.icmp.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                patch_icmp(&h.icmp, b);
            }
            at += 8;
        }
        if h.quoted4.valid {
            at += 20;
        }
        if h.quoted.valid {
            at += 8;
        }
        if h.tcp.valid {
            at += 20;
        }
        if h.udp.valid {
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
                1 => Some(&self.vip4_any),
                2 => Some(&self.backend),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.vip4),
                1 => Some(&mut self.vip4_any),
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
        fn flow_table(&self, index: usize) -> Option<&dyn rt::flow::AnyFlows> {
            match index {
                0 => Some(&self.flows4),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                vip4: self.vip4.clone(),
                vip4_any: self.vip4_any.clone(),
                backend: self.backend.clone(),
                flows4: self.flows4.fork(),
                ring: self.ring.clone(),
                drops: Default::default(),
            }
        }
    }
}
