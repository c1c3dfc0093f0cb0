// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod labels {
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

    /// header mpls
    #[derive(Clone, Copy, Debug, Default)]
    struct Mpls {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        label: u32,
        tc: u8,
        bottom: u8,
        ttl: u8,
    }

    impl Mpls {
        #[inline(always)]
        fn read(b: &[u8; 4], at: usize) -> Self {
            Self {
                valid: true,
                at,
                label: u32::from_be_bytes([0, b[0], b[1], b[2]]) >> 4,
                tc: (b[2] >> 1) & 7,
                bottom: b[2] & 1,
                ttl: b[3],
            }
        }

        #[inline]
        fn write(&self, b: &mut [u8; 4]) {
            b[0..3]
                .copy_from_slice(
                    &(self.label << 4 | u32::from(self.tc) << 1 | u32::from(self.bottom))
                        .to_be_bytes()[1..],
                );
            b[3] = self.ttl;
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
        label_0: Mpls,
        label_1: Mpls,
        label_2: Mpls,
        label_3: Mpls,
        ip4: Ipv4,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        depth: u8,
        first: u8,
    }

    /// pipeline.rs:41: state start
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
            0x8847 => parse_stack_0(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:50: state stack_0
    #[inline]
    fn parse_stack_0(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.label_0 = Mpls::read(bytes, at);
        m.depth = m.depth.wrapping_add(1);
        match h.label_0.bottom {
            1 => parse_below(p, h, m, c),
            _ => parse_stack_1(p, h, m, c),
        }
    }

    /// pipeline.rs:50: state stack_1
    #[inline]
    fn parse_stack_1(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.label_1 = Mpls::read(bytes, at);
        m.depth = m.depth.wrapping_add(1);
        match h.label_1.bottom {
            1 => parse_below(p, h, m, c),
            _ => parse_stack_2(p, h, m, c),
        }
    }

    /// pipeline.rs:50: state stack_2
    #[inline]
    fn parse_stack_2(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.label_2 = Mpls::read(bytes, at);
        m.depth = m.depth.wrapping_add(1);
        match h.label_2.bottom {
            1 => parse_below(p, h, m, c),
            _ => parse_stack_3(p, h, m, c),
        }
    }

    /// pipeline.rs:50: state stack_3
    #[inline]
    fn parse_stack_3(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.label_3 = Mpls::read(bytes, at);
        m.depth = m.depth.wrapping_add(1);
        match h.label_3.bottom {
            1 => parse_below(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:60: state below
    #[inline]
    fn parse_below(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some(bits) = p.look(0, 4) else { return };
        m.first = bits as u8;
        match m.first {
            4 => parse_ipv4(p, h, m, c),
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

    /// pipeline.rs:35: key of table labels
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct LabelsKey {
        label: u32,
    }

    impl rt::table::Key for LabelsKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                label: rt::table::at(values, 0) as u32,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.label.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.label))
        }
    }

    /// What an entry of `labels` does.
    #[derive(Clone, Copy, Debug)]
    enum LabelsAction {
        Swap { to: u32, port: u32 },
        PopTop { port: u32 },
        NoEntry,
    }

    impl rt::Action for LabelsAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Swap {
                            to: rt::table::at(data, 0) as u32,
                            port: rt::table::at(data, 1) as u32,
                        }
                    }
                    1 => {
                        Self::PopTop {
                            port: rt::table::at(data, 0) as u32,
                        }
                    }
                    2 => Self::NoEntry,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::NoEntry { .. })
        }
    }

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `no_label`
        pub const NO_LABEL: u16 = 0;
        /// `too_deep`
        pub const TOO_DEEP: u16 = 1;
        /// `expired`
        pub const EXPIRED: u16 = 2;
        /// `unknown`
        pub const UNKNOWN: u16 = 3;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        labels: rt::Exact<LabelsKey, LabelsAction>,
        depth: rt::Counter,
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
                labels: rt::Exact::new(2048, LabelsAction::NoEntry),
                depth: rt::Counter::new(5),
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
            if !h.label_0.valid {
                return rt::Verdict::Drop(reason::NO_LABEL);
            }
            self.depth.count(u32::from(m.depth), c.length);
            if m.depth == 4 && h.label_3.bottom == 0 {
                return rt::Verdict::Drop(reason::TOO_DEEP);
            }
            if h.label_0.ttl <= 1 {
                return rt::Verdict::Drop(reason::EXPIRED);
            }
            match *self
                .labels
                .apply(
                    &LabelsKey {
                        label: h.label_0.label,
                    },
                    c.length,
                )
            {
                LabelsAction::Swap { to, port } => {
                    h.label_0.label = to;
                    h.label_0.ttl = h.label_0.ttl.wrapping_sub(1);
                    rt::Verdict::Forward(port)
                }
                LabelsAction::PopTop { port } => {
                    if h.label_0.bottom == 1 {
                        if !h.ip4.valid {
                            return rt::Verdict::Pass;
                        }
                        h.eth.ethertype = 0x800;
                    }
                    h.label_0 = Mpls::default();
                    rt::Verdict::Forward(port)
                }
                LabelsAction::NoEntry => rt::Verdict::Drop(reason::UNKNOWN),
            }
        }
    }

    /// The fields of `eth` that may have changed.
    #[inline]
    fn patch_eth(header: &Ethernet, b: &mut [u8; 14]) {
        b[12..14].copy_from_slice(&header.ethertype.to_be_bytes());
    }

    /// The fields of `label_0` that may have changed.
    #[inline]
    fn patch_label_0(header: &Mpls, b: &mut [u8; 4]) {
        rt::put(b, 0, 20, header.label.into());
        b[3] = header.ttl;
    }

    /// Makes room for the headers that leave and writes them; what stays in its place and is unchanged is not
    /// touched.
    #[inline]
    fn deparse(h: &Headers, payload: usize, packet: &mut rt::Packet) {
        let mut front = 0;
        if h.eth.valid {
            front += 14;
        }
        if h.label_0.valid {
            front += 4;
        }
        if h.label_1.valid {
            front += 4;
        }
        if h.label_2.valid {
            front += 4;
        }
        if h.label_3.valid {
            front += 4;
        }
        if h.ip4.valid {
            front += 20;
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
        if h.label_0.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                if h.label_0.at + front == at + payload {
                    patch_label_0(&h.label_0, b);
                } else {
                    h.label_0.write(b);
                }
            }
            at += 4;
        }
        if h.label_1.valid {
            at += 4;
        }
        if h.label_2.valid {
            at += 4;
        }
        if h.label_3.valid {
            at += 4;
        }
        if h.ip4.valid {
            at += 20;
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
                0 => Some(&self.labels),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.labels),
                _ => None,
            }
        }
        fn counter(&self, index: usize) -> Option<&rt::Counter> {
            match index {
                0 => Some(&self.depth),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                labels: self.labels.clone(),
                depth: self.depth.fork(),
                drops: Default::default(),
            }
        }
    }
}
