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
        outer6: Ipv6,
        ip6: Ipv6,
        icmp: Icmp,
        quoted6: Ipv6,
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
        client6: u128,
        vip: u16,
        pool: u16,
        hash_key: u64,
        flags: u8,
        class: u8,
        is_error: bool,
        found: bool,
        looped: bool,
        came_in: u16,
        sent: bool,
    }

    /// l4lb.rs:169: state front
    #[inline]
    fn parse_front(
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
        m.sent = true;
    }

    /// l4lb.rs:190: state ipv6
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
            (6, 6) => parse_tcp(p, h, m, c),
            (6, 17) => parse_udp(p, h, m, c),
            (6, 58) => parse_icmp6(p, h, m, c),
            (_, _) => {}
        }
    }

    /// l4lb.rs:225: state icmp6
    #[inline]
    fn parse_icmp6(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.icmp = Icmp::read(bytes, at);
        match h.icmp.kind {
            1..=4 => parse_quote6(p, h, m, c),
            _ => {}
        }
    }

    /// l4lb.rs:234: state quote6
    #[inline]
    fn parse_quote6(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.quoted6 = Ipv6::read(bytes, at);
        match (h.quoted6.version, h.quoted6.next_header) {
            (6, 6) => parse_quote(p, h, m, c),
            (6, 17) => parse_quote(p, h, m, c),
            (_, _) => {}
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

    /// l4lb.rs:169: state looped
    #[inline]
    fn parse_looped(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.eth = Ethernet::read(bytes, at);
        m.looped = true;
        parse_ipv6(p, h, m, c);
    }

    /// l4lb.rs:190: state start
    #[inline]
    fn parse_start(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        match c.port {
            128 => parse_looped(p, h, m, c),
            _ => parse_front(p, h, m, c),
        }
    }

    /// l4lb.rs:116: key of table vip6
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

    /// What an entry of `vip6` does.
    #[derive(Clone, Copy, Debug)]
    enum Vip6Action {
        SetVip { vip: u16, pool: u16, hash_key: u64, flags: u8, class: u8 },
        NotAVip,
    }

    impl rt::Action for Vip6Action {
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

    /// l4lb.rs:118: key of table vip6_any
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Vip6AnyKey {
        dst: u128,
        protocol: u8,
    }

    impl rt::table::Key for Vip6AnyKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                dst: rt::table::at(values, 0) as u128,
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
            rt::table::mix(
                rt::table::mix(
                    rt::table::mix(0, (self.dst >> 64) as u64),
                    self.dst as u64,
                ),
                u64::from(self.protocol),
            )
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
        Ipip6 {
            src: u128,
            spread: u32,
            dst: u128,
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
                        Self::Ipip6 {
                            src: rt::table::at(data, 0) as u128,
                            spread: rt::table::at(data, 1) as u32,
                            dst: rt::table::at(data, 2) as u128,
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
        /// `total_length`
        pub const TOTAL_LENGTH: u16 = 3;
        /// `options`
        pub const OPTIONS: u16 = 4;
        /// `fragment`
        pub const FRAGMENT: u16 = 5;
        /// `l4_cut`
        pub const L4_CUT: u16 = 6;
        /// `data_offset`
        pub const DATA_OFFSET: u16 = 7;
        /// `icmp_quote`
        pub const ICMP_QUOTE: u16 = 8;
        /// `no_pool`
        pub const NO_POOL: u16 = 9;
        /// `no_slot`
        pub const NO_SLOT: u16 = 10;
        /// `no_backend`
        pub const NO_BACKEND: u16 = 11;
        /// `mtu`
        pub const MTU: u16 = 12;
    }

    /// The flow under way: what a lookup has found.
    #[derive(Clone, Copy, Debug)]
    enum Flow {
        Idle,
        Flows6(rt::Cursor<4>),
    }

    impl Flow {
        /// The id of a live flow.
        #[inline(always)]
        fn id(&self) -> Option<u32> {
            match self {
                Self::Idle => None,
                Self::Flows6(flow) => flow.id(),
            }
        }

        #[inline(always)]
        fn set_stays(&mut self, stays: bool) {
            match self {
                Self::Idle => {}
                Self::Flows6(flow) => flow.stays = stays,
            }
        }
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        vip6: rt::Exact<Vip6Key, Vip6Action>,
        vip6_any: rt::Exact<Vip6AnyKey, Vip6Action>,
        backend: rt::Slots<BackendKey, BackendAction>,
        flows6: rt::Flows<4>,
        ring: rt::Ring<65536>,
        drops: [u64; 13],
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
                vip6: rt::Exact::new(512, Vip6Action::NotAVip),
                vip6_any: rt::Exact::new(512, Vip6Action::NotAVip),
                backend: rt::Slots::new(4096, 14, BackendAction::Gone),
                flows6: rt::Flows::new(
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
                drops: [0; 13],
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
            if m.sent {
                if h.eth.valid {
                    h.eth.ethertype = c.port as u16;
                }
                return rt::Verdict::Forward(6);
            }
            if m.looped && h.eth.valid {
                m.came_in = h.eth.ethertype;
                h.eth.ethertype = 0x86dd;
            } else {
                m.came_in = c.port as u16;
            }
            if !h.eth.valid {
                return rt::Verdict::Drop(reason::ETHERNET_CUT);
            }
            if h.ip6.valid {
                let next = h.ip6.next_header;
                let too_short = u32::from(h.ip6.payload_length).wrapping_add(54)
                    > c.length;
                let fragment = next == 44;
                let options = next == 0 || next == 43 || next == 60;
                let l4_cut = (next == 6 && h.ip6.payload_length < 20)
                    || ((next == 17 || next == 58) && h.ip6.payload_length < 8);
                m.is_error = h.icmp.valid && h.icmp.kind >= 1 && h.icmp.kind <= 4;
                let bad_quote = m.is_error
                    && (!h.quoted.valid || h.ip6.payload_length < 56
                        || h.quoted6.src != h.ip6.dst);
                let by_address = h.ip6.version != 6 || too_short || options || fragment
                    || l4_cut || (h.tcp.valid && h.tcp.data_offset < 5) || bad_quote
                    || (h.icmp.valid && !m.is_error);
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
                m.protocol = next;
                m.client6 = h.ip6.src;
                if m.is_error {
                    m.protocol = h.quoted6.next_header;
                    m.client6 = h.quoted6.dst;
                }
                if by_address {
                    m.protocol = 58;
                } else {
                    match *self
                        .vip6
                        .apply(
                            &Vip6Key {
                                dst: h.ip6.dst,
                                protocol: m.protocol,
                                dst_port: m.vip_port,
                            },
                            c.length,
                        )
                    {
                        Vip6Action::SetVip { vip, pool, hash_key, flags, class } => {
                            m.found = true;
                            m.vip = vip;
                            m.pool = pool;
                            m.hash_key = hash_key;
                            m.flags = flags;
                            m.class = class;
                        }
                        Vip6Action::NotAVip => {}
                    }
                }
                if !m.found {
                    match *self
                        .vip6_any
                        .apply(
                            &Vip6AnyKey {
                                dst: h.ip6.dst,
                                protocol: m.protocol,
                            },
                            c.length,
                        )
                    {
                        Vip6Action::SetVip { vip, pool, hash_key, flags, class } => {
                            m.found = true;
                            m.vip = vip;
                            m.pool = pool;
                            m.hash_key = hash_key;
                            m.flags = flags;
                            m.class = class;
                        }
                        Vip6Action::NotAVip => {
                            return rt::Verdict::Pass;
                        }
                    }
                }
                if by_address {
                    if h.ip6.version != 6 {
                        return rt::Verdict::Drop(reason::VERSION);
                    }
                    if too_short {
                        return rt::Verdict::Drop(reason::TOTAL_LENGTH);
                    }
                    if options {
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
                    if (m.flags & 2) == 0 || h.icmp.kind != 128
                        || (((h.eth.dst >> 40) as u8) & 1) == 1
                    {
                        return rt::Verdict::Pass;
                    }
                    h.ip6.hop_limit = 64;
                    let client = h.ip6.src;
                    h.ip6.src = h.ip6.dst;
                    h.ip6.dst = client;
                    if h.icmp.valid {
                        h.icmp.checksum = rt::adjust(
                            h.icmp.checksum,
                            u128::from(128_u16 << 8 | u16::from(h.icmp.code)),
                            u128::from(129_u16 << 8 | u16::from(h.icmp.code)),
                            16,
                        );
                    }
                    if h.icmp.valid {
                        h.icmp.kind = 129;
                    }
                    let sender = h.eth.src;
                    h.eth.src = h.eth.dst;
                    h.eth.dst = sender;
                    return rt::Verdict::Forward(u32::from(m.came_in));
                }
            } else if h.eth.ethertype == 0x800 || h.eth.ethertype == 0x86dd {
                return rt::Verdict::Drop(reason::IP_CUT);
            } else {
                return rt::Verdict::Pass;
            }
            let hash = rt::crc32(
                rt::Bits::<6>::new()
                    .with(32, m.hash_key as u32)
                    .with(128, m.client6)
                    .with(128, h.ip6.dst)
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
                flow = Flow::Flows6(
                    self
                        .flows6
                        .find(
                            rt::Bits::<3>::new()
                                .with(16, m.client_port)
                                .with(16, m.vip)
                                .with(128, m.client6)
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
                BackendAction::Ipip6 {
                    src,
                    spread,
                    dst,
                    port,
                    dst_mac,
                    src_mac,
                    mtu,
                } => {
                    if u32::from(h.ip6.payload_length).wrapping_add(80) > u32::from(mtu)
                    {
                        if (m.flags & 4) == 0 || (!h.tcp.valid && !h.udp.valid) {
                            return rt::Verdict::Drop(reason::MTU);
                        }
                        return rt::Verdict::Drop(reason::MTU);
                    }
                    self.remember(&flow, backend, c.now);
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
                    h.outer6.src = src | u128::from(entropy & spread);
                    h.outer6.dst = dst;
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
                Flow::Flows6(flow) => self.flows6.remember(flow, id, now),
            }
        }
    }

    /// The fields of `eth` that may have changed.
    #[inline]
    fn patch_eth(header: &Ethernet, b: &mut [u8; 14]) {
        b[0..6].copy_from_slice(&header.dst.to_be_bytes()[2..]);
        b[6..12].copy_from_slice(&header.src.to_be_bytes()[2..]);
        b[12..14].copy_from_slice(&header.ethertype.to_be_bytes());
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

    /// The fields of `ip6` that may have changed.
    #[inline]
    fn patch_ip6(header: &Ipv6, b: &mut [u8; 40]) {
        b[7] = header.hop_limit;
        b[8..24].copy_from_slice(&header.src.to_be_bytes());
        b[24..40].copy_from_slice(&header.dst.to_be_bytes());
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
        if h.outer6.valid {
            front += 40;
        }
        if h.ip6.valid {
            front += 40;
        }
        if h.icmp.valid {
            front += 8;
        }
        if h.quoted6.valid {
            front += 40;
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
        if h.ip6.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                patch_ip6(&h.ip6, b);
            }
            at += 40;
        }
        if h.icmp.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                patch_icmp(&h.icmp, b);
            }
            at += 8;
        }
        if h.quoted6.valid {
            at += 40;
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
                0 => Some(&self.vip6),
                1 => Some(&self.vip6_any),
                2 => Some(&self.backend),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.vip6),
                1 => Some(&mut self.vip6_any),
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
                0 => Some(&self.flows6),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                vip6: self.vip6.clone(),
                vip6_any: self.vip6_any.clone(),
                backend: self.backend.clone(),
                flows6: self.flows6.fork(),
                ring: self.ring.clone(),
                drops: Default::default(),
            }
        }
    }
}
