// Made by Guideway from decap.rs.

/// From decap.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod decap {
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

    /// Every header, in the order in which they leave.
    #[derive(Clone, Copy, Debug, Default)]
    struct Headers {
        eth: Ethernet,
        outer4: Ipv4,
        outer6: Ipv6,
        inner4: Ipv4,
        inner6: Ipv6,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        ecn: u8,
    }

    /// decap.rs:75: state start
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
            0x800 => parse_outer4(p, h, m, c),
            0x86dd => parse_outer6(p, h, m, c),
            _ => {}
        }
    }

    /// decap.rs:85: state outer4
    #[inline]
    fn parse_outer4(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.outer4 = Ipv4::read(bytes, at);
        match (
            h.outer4.ihl,
            h.outer4.more_fragments,
            h.outer4.fragment_offset,
            h.outer4.protocol,
        ) {
            (5, 0, 0, 4) => parse_inner4(p, h, m, c),
            (_, _, _, _) => {}
        }
    }

    /// decap.rs:94: state outer6
    #[inline]
    fn parse_outer6(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.outer6 = Ipv6::read(bytes, at);
        match h.outer6.next_header {
            4 => parse_inner4(p, h, m, c),
            41 => parse_inner6(p, h, m, c),
            _ => {}
        }
    }

    /// decap.rs:104: state inner4
    #[inline]
    fn parse_inner4(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.inner4 = Ipv4::read(bytes, at);
    }

    /// decap.rs:110: state inner6
    #[inline]
    fn parse_inner6(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.inner6 = Ipv6::read(bytes, at);
    }

    /// decap.rs:51: key of table outer4
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Outer4Key {
        src: u32,
    }

    impl rt::table::Key for Outer4Key {
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

    impl rt::table::LpmKey for Outer4Key {
        const FIELD: usize = 0;
        #[inline]
        fn cut(&self, length: u8) -> Self {
            Self {
                src: rt::table::prefix(self.src.into(), 32, length) as u32,
                ..*self
            }
        }
    }

    /// What an entry of `outer4` does.
    #[derive(Clone, Copy, Debug)]
    enum Outer4Action {
        Allow,
        Refuse,
    }

    impl rt::Action for Outer4Action {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => Self::Allow,
                    1 => Self::Refuse,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Refuse { .. })
        }
    }

    /// decap.rs:53: key of table outer6
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Outer6Key {
        src: u128,
    }

    impl rt::table::Key for Outer6Key {
        fn from_values(values: &[u128]) -> Self {
            Self {
                src: rt::table::at(values, 0) as u128,
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
            rt::table::mix(rt::table::mix(0, (self.src >> 64) as u64), self.src as u64)
        }
    }

    impl rt::table::LpmKey for Outer6Key {
        const FIELD: usize = 0;
        #[inline]
        fn cut(&self, length: u8) -> Self {
            Self {
                src: rt::table::prefix(self.src.into(), 128, length) as u128,
                ..*self
            }
        }
    }

    /// decap.rs:70: key of table served4
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Served4Key {
        dst: u32,
    }

    impl rt::table::Key for Served4Key {
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

    /// What an entry of `served4` does.
    #[derive(Clone, Copy, Debug)]
    enum Served4Action {
        Serve,
        Foreign,
    }

    impl rt::Action for Served4Action {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    2 => Self::Serve,
                    3 => Self::Foreign,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Foreign { .. })
        }
    }

    /// decap.rs:72: key of table served6
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Served6Key {
        dst: u128,
    }

    impl rt::table::Key for Served6Key {
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

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `outer_malformed`
        pub const OUTER_MALFORMED: u16 = 0;
        /// `not_allowed`
        pub const NOT_ALLOWED: u16 = 1;
        /// `inner_cut`
        pub const INNER_CUT: u16 = 2;
        /// `not_served`
        pub const NOT_SERVED: u16 = 3;
        /// `congestion`
        pub const CONGESTION: u16 = 4;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        outer4: rt::Lpm<Outer4Key, Outer4Action>,
        outer6: rt::Lpm<Outer6Key, Outer4Action>,
        served4: rt::Exact<Served4Key, Served4Action>,
        served6: rt::Exact<Served6Key, Served4Action>,
        drops: [u64; 5],
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
                outer4: rt::Lpm::new(256, Outer4Action::Refuse),
                outer6: rt::Lpm::new(256, Outer4Action::Refuse),
                served4: rt::Exact::new(1024, Served4Action::Foreign),
                served6: rt::Exact::new(1024, Served4Action::Foreign),
                drops: [0; 5],
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
            if h.outer4.valid && h.outer4.protocol == 4 {
                if h.outer4.version != 4 || h.outer4.ihl != 5
                    || h.outer4.more_fragments == 1 || h.outer4.fragment_offset != 0
                    || u32::from(h.outer4.total_length).wrapping_add(14) > c.length
                {
                    return rt::Verdict::Drop(reason::OUTER_MALFORMED);
                }
                m.ecn = h.outer4.tos & 3;
                match *self.outer4.apply(&Outer4Key { src: h.outer4.src }, c.length) {
                    Outer4Action::Allow => {}
                    Outer4Action::Refuse => {
                        return rt::Verdict::Drop(reason::NOT_ALLOWED);
                    }
                }
                h.outer4 = Ipv4::default();
            } else if h.outer6.valid
                && (h.outer6.next_header == 4 || h.outer6.next_header == 41)
            {
                if h.outer6.version != 6
                    || u32::from(h.outer6.payload_length).wrapping_add(54) > c.length
                {
                    return rt::Verdict::Drop(reason::OUTER_MALFORMED);
                }
                m.ecn = h.outer6.traffic_class & 3;
                match *self.outer6.apply(&Outer6Key { src: h.outer6.src }, c.length) {
                    Outer4Action::Allow => {}
                    Outer4Action::Refuse => {
                        return rt::Verdict::Drop(reason::NOT_ALLOWED);
                    }
                }
                h.outer6 = Ipv6::default();
            } else {
                return rt::Verdict::Pass;
            }
            if h.inner4.valid {
                match *self.served4.apply(&Served4Key { dst: h.inner4.dst }, c.length) {
                    Served4Action::Serve => {}
                    Served4Action::Foreign => {
                        return rt::Verdict::Drop(reason::NOT_SERVED);
                    }
                }
                h.eth.ethertype = 0x800;
                let inner = h.inner4.tos & 3;
                if m.ecn == 3 && inner == 0 {
                    return rt::Verdict::Drop(reason::CONGESTION);
                }
                if m.ecn == 3 {
                    let marked = h.inner4.tos | 3;
                    h.inner4.checksum = rt::adjust(
                        h.inner4.checksum,
                        u128::from(
                            u16::from(h.inner4.version << 4 | h.inner4.ihl) << 8
                                | u16::from(h.inner4.tos),
                        ),
                        u128::from(
                            u16::from(h.inner4.version << 4 | h.inner4.ihl) << 8
                                | u16::from(marked),
                        ),
                        16,
                    );
                    h.inner4.tos = marked;
                }
            } else if h.inner6.valid {
                match *self.served6.apply(&Served6Key { dst: h.inner6.dst }, c.length) {
                    Served4Action::Serve => {}
                    Served4Action::Foreign => {
                        return rt::Verdict::Drop(reason::NOT_SERVED);
                    }
                }
                h.eth.ethertype = 0x86dd;
                let inner = h.inner6.traffic_class & 3;
                if m.ecn == 3 && inner == 0 {
                    return rt::Verdict::Drop(reason::CONGESTION);
                }
                if m.ecn == 3 {
                    h.inner6.traffic_class = h.inner6.traffic_class | 3;
                }
            } else {
                return rt::Verdict::Drop(reason::INNER_CUT);
            }
            rt::Verdict::Pass
        }
    }

    /// The fields of `eth` that may have changed.
    #[inline]
    fn patch_eth(header: &Ethernet, b: &mut [u8; 14]) {
        b[12..14].copy_from_slice(&header.ethertype.to_be_bytes());
    }

    /// The fields of `inner4` that may have changed.
    #[inline]
    fn patch_inner4(header: &Ipv4, b: &mut [u8; 20]) {
        b[1] = header.tos;
        b[10..12].copy_from_slice(&header.checksum.to_be_bytes());
    }

    /// The fields of `inner6` that may have changed.
    #[inline]
    fn patch_inner6(header: &Ipv6, b: &mut [u8; 40]) {
        rt::put(b, 4, 8, header.traffic_class.into());
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
        if h.inner4.valid {
            front += 20;
        }
        if h.inner6.valid {
            front += 40;
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
            if h.outer4.at + front != at + payload
                && let Some(b) = rt::packet::chunk(frame, at)
            {
                h.outer4.write(b);
            }
            at += 20;
        }
        if h.outer6.valid {
            if h.outer6.at + front != at + payload
                && let Some(b) = rt::packet::chunk(frame, at)
            {
                h.outer6.write(b);
            }
            at += 40;
        }
        if h.inner4.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                patch_inner4(&h.inner4, b);
            }
            at += 20;
        }
        if h.inner6.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                patch_inner6(&h.inner6, b);
            }
            at += 40;
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
                0 => Some(&self.outer4),
                1 => Some(&self.outer6),
                2 => Some(&self.served4),
                3 => Some(&self.served6),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.outer4),
                1 => Some(&mut self.outer6),
                2 => Some(&mut self.served4),
                3 => Some(&mut self.served6),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                outer4: self.outer4.clone(),
                outer6: self.outer6.clone(),
                served4: self.served4.clone(),
                served6: self.served6.clone(),
                drops: Default::default(),
            }
        }
    }
}
