// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod vlan {
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

    /// header vlan
    #[derive(Clone, Copy, Debug, Default)]
    struct Vlan {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        pcp: u8,
        dei: u8,
        id: u16,
        ethertype: u16,
    }

    impl Vlan {
        #[inline(always)]
        fn read(b: &[u8; 4], at: usize) -> Self {
            Self {
                valid: true,
                at,
                pcp: b[0] >> 5,
                dei: (b[0] >> 4) & 1,
                id: u16::from_be_bytes([b[0], b[1]]) & 0xfff,
                ethertype: u16::from_be_bytes([b[2], b[3]]),
            }
        }

        #[inline]
        fn write(&self, b: &mut [u8; 4]) {
            b[0..2]
                .copy_from_slice(
                    &(u16::from(self.pcp) << 13 | u16::from(self.dei) << 12 | self.id)
                        .to_be_bytes(),
                );
            b[2..4].copy_from_slice(&self.ethertype.to_be_bytes());
        }
    }

    /// Every header, in the order in which they leave.
    #[derive(Clone, Copy, Debug, Default)]
    struct Headers {
        eth: Ethernet,
        tag: Vlan,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        id: u16,
    }

    /// pipeline.rs:38: state start
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
            0x8100 => parse_tag(p, h, m, c),
            _ => {}
        }
    }

    /// pipeline.rs:47: state tag
    #[inline]
    fn parse_tag(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.tag = Vlan::read(bytes, at);
    }

    /// pipeline.rs:35: key of table vlans
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct VlansKey {
        port: u32,
        id: u16,
    }

    impl rt::table::Key for VlansKey {
        fn from_values(values: &[u128]) -> Self {
            Self {
                port: rt::table::at(values, 0) as u32,
                id: rt::table::at(values, 1) as u16,
            }
        }

        #[inline]
        fn value(&self, field: usize) -> u128 {
            match field {
                0 => self.port.into(),
                1 => self.id.into(),
                _ => 0,
            }
        }

        #[inline(always)]
        fn spread(&self) -> u64 {
            rt::table::mix(0, u64::from(self.port) | u64::from(self.id) << 32)
        }
    }

    /// What an entry of `vlans` does.
    #[derive(Clone, Copy, Debug)]
    enum VlansAction {
        Untag { port: u32 },
        Tag { port: u32, id: u16, pcp: u8 },
        Retag { port: u32, id: u16 },
        Unknown,
    }

    impl rt::Action for VlansAction {
        fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
            Some(
                match action {
                    0 => {
                        Self::Untag {
                            port: rt::table::at(data, 0) as u32,
                        }
                    }
                    1 => {
                        Self::Tag {
                            port: rt::table::at(data, 0) as u32,
                            id: rt::table::at(data, 1) as u16,
                            pcp: rt::table::at(data, 2) as u8,
                        }
                    }
                    2 => {
                        Self::Retag {
                            port: rt::table::at(data, 0) as u32,
                            id: rt::table::at(data, 1) as u16,
                        }
                    }
                    3 => Self::Unknown,
                    _ => return None,
                },
            )
        }

        #[inline(always)]
        fn is_default(&self) -> bool {
            matches!(self, Self::Unknown { .. })
        }
    }

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `cut`
        pub const CUT: u16 = 0;
        /// `unknown_vlan`
        pub const UNKNOWN_VLAN: u16 = 1;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
        vlans: rt::Exact<VlansKey, VlansAction>,
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
                vlans: rt::Exact::new(4096, VlansAction::Unknown),
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
            if !h.eth.valid || (h.eth.ethertype == 0x8100 && !h.tag.valid) {
                return rt::Verdict::Drop(reason::CUT);
            }
            if h.tag.valid {
                m.id = h.tag.id;
            }
            match *self.vlans.apply(&VlansKey { port: c.port, id: m.id }, c.length) {
                VlansAction::Untag { port } => {
                    if h.tag.valid {
                        h.eth.ethertype = h.tag.ethertype;
                        h.tag = Vlan::default();
                    }
                    rt::Verdict::Forward(port)
                }
                VlansAction::Tag { port, id: id_2, pcp } => {
                    if h.tag.valid {
                        h.tag.id = id_2;
                        h.tag.pcp = pcp;
                    } else {
                        if !h.tag.valid {
                            h.tag = Vlan {
                                valid: true,
                                at: rt::NOWHERE,
                                ..Vlan::default()
                            };
                        }
                        h.tag.pcp = pcp;
                        h.tag.dei = 0;
                        h.tag.id = id_2;
                        h.tag.ethertype = h.eth.ethertype;
                        h.eth.ethertype = 0x8100;
                    }
                    rt::Verdict::Forward(port)
                }
                VlansAction::Retag { port, id: id_2 } => {
                    if h.tag.valid {
                        h.tag.id = id_2;
                    }
                    rt::Verdict::Forward(port)
                }
                VlansAction::Unknown => rt::Verdict::Drop(reason::UNKNOWN_VLAN),
            }
        }
    }

    /// The fields of `eth` that may have changed.
    #[inline]
    fn patch_eth(header: &Ethernet, b: &mut [u8; 14]) {
        b[12..14].copy_from_slice(&header.ethertype.to_be_bytes());
    }

    /// The fields of `tag` that may have changed.
    #[inline]
    fn patch_tag(header: &Vlan, b: &mut [u8; 4]) {
        rt::put(b, 0, 3, header.pcp.into());
        rt::put(b, 3, 1, header.dei.into());
        rt::put(b, 4, 12, header.id.into());
        b[2..4].copy_from_slice(&header.ethertype.to_be_bytes());
    }

    /// Makes room for the headers that leave and writes them; what stays in its place and is unchanged is not
    /// touched.
    #[inline]
    fn deparse(h: &Headers, payload: usize, packet: &mut rt::Packet) {
        let mut front = 0;
        if h.eth.valid {
            front += 14;
        }
        if h.tag.valid {
            front += 4;
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
        if h.tag.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                if h.tag.at + front == at + payload {
                    patch_tag(&h.tag, b);
                } else {
                    h.tag.write(b);
                }
            }
            at += 4;
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
                0 => Some(&self.vlans),
                _ => None,
            }
        }
        fn table_mut(&mut self, index: usize) -> Option<&mut dyn rt::table::AnyTable> {
            match index {
                0 => Some(&mut self.vlans),
                _ => None,
            }
        }
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self {
                vlans: self.vlans.clone(),
                drops: Default::default(),
            }
        }
    }
}
