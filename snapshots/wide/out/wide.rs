// Made by Guideway from pipeline.rs.

/// From pipeline.rs.
#[allow(unused, unused_comparisons, unreachable_pub, clippy::all)]
pub mod wide {
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

    /// pipeline.rs:11: header numbers
    #[derive(Clone, Copy, Debug, Default)]
    struct Numbers {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        what: u8,
        big: u128,
        digit: u8,
        serial: u128,
        stamp: u64,
        left: u64,
        middle: u64,
        right: u64,
    }

    impl Numbers {
        #[inline(always)]
        fn read(b: &[u8; 52], at: usize) -> Self {
            Self {
                valid: true,
                at,
                what: b[0] >> 4,
                big: rt::get(b, 4, 128) as u128,
                digit: b[16] & 15,
                serial: u128::from_be_bytes([
                    0,
                    0,
                    0,
                    0,
                    b[17],
                    b[18],
                    b[19],
                    b[20],
                    b[21],
                    b[22],
                    b[23],
                    b[24],
                    b[25],
                    b[26],
                    b[27],
                    b[28],
                ]),
                stamp: u64::from_be_bytes([
                    0,
                    0,
                    b[29],
                    b[30],
                    b[31],
                    b[32],
                    b[33],
                    b[34],
                ]),
                left: u64::from_be_bytes([0, 0, 0, b[35], b[36], b[37], b[38], b[39]])
                    >> 7,
                middle: u64::from_be_bytes([
                    b[39],
                    b[40],
                    b[41],
                    b[42],
                    b[43],
                    b[44],
                    b[45],
                    b[46],
                ]) & 0x7fffffffffffffff,
                right: u64::from_be_bytes([0, 0, 0, b[47], b[48], b[49], b[50], b[51]]),
            }
        }

        #[inline]
        fn write(&self, b: &mut [u8; 52]) {
            rt::put(b, 0, 4, self.what.into());
            rt::put(b, 4, 128, self.big.into());
            rt::put(b, 132, 4, self.digit.into());
            b[17..29].copy_from_slice(&self.serial.to_be_bytes()[4..]);
            b[29..35].copy_from_slice(&self.stamp.to_be_bytes()[2..]);
            b[35..47]
                .copy_from_slice(
                    &(u128::from(self.left) << 63 | u128::from(self.middle))
                        .to_be_bytes()[4..],
                );
            b[47..52].copy_from_slice(&self.right.to_be_bytes()[3..]);
        }
    }

    /// pipeline.rs:22: header mark
    #[derive(Clone, Copy, Debug, Default)]
    struct Mark {
        /// Is it part of the packet?
        valid: bool,
        /// Its place in the received frame.
        at: usize,
        value: u16,
    }

    impl Mark {
        #[inline(always)]
        fn read(b: &[u8; 2], at: usize) -> Self {
            Self {
                valid: true,
                at,
                value: u16::from_be_bytes([b[0], b[1]]),
            }
        }

        #[inline]
        fn write(&self, b: &mut [u8; 2]) {
            b[0..2].copy_from_slice(&self.value.to_be_bytes());
        }
    }

    /// Every header, in the order in which they leave.
    #[derive(Clone, Copy, Debug, Default)]
    struct Headers {
        eth: Ethernet,
        n: Numbers,
        mark: Mark,
    }

    /// What is known of a packet beside its headers.
    #[derive(Clone, Copy, Debug, Default)]
    struct Meta {
        sum: u16,
    }

    /// pipeline.rs:40: state start
    #[inline]
    fn parse_start(
        p: &mut rt::Parser<'_>,
        h: &mut Headers,
        m: &mut Meta,
        c: &rt::Context,
    ) {
        let Some((bytes, at)) = p.take() else { return };
        h.eth = Ethernet::read(bytes, at);
        let Some((bytes, at)) = p.take() else { return };
        h.n = Numbers::read(bytes, at);
    }

    /// Nanoseconds of one tick of the clock.
    pub const TICK_NS: u64 = 67108864;
    /// Numbers of drop reasons.
    pub mod reason {
        /// `cut`
        pub const CUT: u16 = 0;
    }

    /// The pipeline at work: one thread's.
    #[derive(Debug)]
    pub struct Pipeline {
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
            Self { drops: [0; 1] }
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
            if !h.n.valid {
                return rt::Verdict::Drop(reason::CUT);
            }
            if h.n.what == 0 {
                h.n.big = h.n.big.wrapping_add(h.n.serial << 32 | 0xffffffff_u128);
                h.n.serial = h.n.serial.wrapping_sub(u128::from(h.n.middle))
                    & 0xffffffffffffffffffffffff;
                h.n.stamp = h.n.stamp.wrapping_add(0xffffffffffff) & 0xffffffffffff;
                h.n.left = h.n.left.wrapping_mul(h.n.left) & 0x1ffffffff;
                h.n.middle = h.n.right.wrapping_sub(h.n.middle) & 0x7fffffffffffffff;
            } else if h.n.what == 1 {
                h.n.big = h.n.big << 9;
                h.n.serial = (h.n.serial >> 95)
                    | ((h.n.serial << 1) & 0xffffffffffffffffffffffff);
                h.n.stamp = 0_u64.wrapping_sub(1) & 0xffffffffffff;
                h.n.left = h.n.left >> 32;
                h.n.middle = 0x7fffffffffffffff;
                h.n.middle = (h.n.middle << 62) & 0x7fffffffffffffff;
                h.n.right = ((if h.n.digit == 3 { 1_u64 } else { 0x2328_u64 }) << 25)
                    & 0xffffffffff;
            } else if h.n.what == 2 {
                h.n.middle = (h.n.big >> 65) as u64;
                h.n.left = (h.n.right.wrapping_sub(1) & 0xffffffffff) >> 7;
                h.n.serial = ((h.n.big ^ (h.n.big >> 1)) >> 16)
                    & 0xffffffffffffffffffffffff;
                h.n.big = ((u128::from(1_u64 << 33 | h.n.left) << 40
                    | u128::from(h.n.right)) << 4 | u128::from(h.n.digit)) << 26
                    | u128::from((h.n.stamp >> 22) as u32);
            } else if h.n.what == 3 {
                let order = h.n.big > (h.n.serial << 32 | 5_u128)
                    && h.n.stamp <= h.n.stamp;
                let same = h.n.serial == (h.n.big & 0xffffffffffffffffffffffff)
                    || h.n.middle < h.n.left;
                h.n.digit = ((u8::from(order) << 1 | 1_u8) << 1 | u8::from(same)) << 1
                    | u8::from(h.n.right >= 0x8000000000);
            } else if h.n.what == 4 {
                h.n.big = (!h.n.big).wrapping_add(1);
                h.n.stamp = (!h.n.stamp & 0xffffffffffff)
                    & ((h.n.serial as u64) & 0xffffffffffff);
                h.n.serial = !h.n.serial & 0xffffffffffffffffffffffff;
                h.n.left = !(h.n.left.wrapping_sub(1) & 0x1ffffffff) & 0x1ffffffff;
                h.n.middle = (!h.n.right).wrapping_add(h.n.big as u64) >> 1;
                h.n.right = u64::from(
                    u32::from(u16::from(!(h.n.digit == 9))) << 16
                        | u32::from(
                            (!((h.n.right >> 8) as u16)).wrapping_add(h.n.right as u16),
                        ),
                ) << 8 | 250_u64;
            } else if h.n.what == 5 {
                let hash = rt::crc32(
                    rt::Bits::<5>::new()
                        .with(32, 7_u32)
                        .with(4, h.n.what)
                        .with(128, h.n.big)
                        .with(4, h.n.digit)
                        .with(33, h.n.left)
                        .with(63, h.n.middle),
                );
                h.n.serial = u128::from(hash) << 64 | u128::from(h.n.serial as u64);
            } else if h.n.what == 6 {
                m.sum = h.n.right as u16;
                m.sum = rt::adjust(
                    m.sum,
                    h.n.big,
                    u128::from(h.n.stamp) << 80 | (h.n.big & 0xffffffffffffffffffff),
                    128,
                );
                let mut all: u16 = 0;
                all = rt::Sum::new()
                    .with(4, h.n.what)
                    .with(128, h.n.big)
                    .with(4, h.n.digit)
                    .with(33, h.n.left)
                    .with(63, h.n.middle)
                    .with(8, 90_u8)
                    .checksum();
                h.n.right = u64::from(u32::from(all) << 8 | 0_u32) << 16
                    | u64::from(m.sum);
            } else if h.n.what == 7 {
                h.n.middle = h.n.middle.wrapping_add(1) & 0x7fffffffffffffff;
                if !h.mark.valid {
                    h.mark = Mark {
                        valid: true,
                        at: rt::NOWHERE,
                        ..Mark::default()
                    };
                }
                h.mark.value = (h.n.big >> 112) as u16;
            } else {
                return rt::Verdict::Pass;
            }
            rt::Verdict::Forward(1)
        }
    }

    /// The fields of `n` that may have changed.
    #[inline]
    fn patch_n(header: &Numbers, b: &mut [u8; 52]) {
        rt::put(b, 4, 128, header.big.into());
        rt::put(b, 132, 4, header.digit.into());
        b[17..29].copy_from_slice(&header.serial.to_be_bytes()[4..]);
        b[29..35].copy_from_slice(&header.stamp.to_be_bytes()[2..]);
        rt::put(b, 280, 33, header.left.into());
        rt::put(b, 313, 63, header.middle.into());
        b[47..52].copy_from_slice(&header.right.to_be_bytes()[3..]);
    }

    /// The fields of `mark` that may have changed.
    #[inline]
    fn patch_mark(header: &Mark, b: &mut [u8; 2]) {
        b[0..2].copy_from_slice(&header.value.to_be_bytes());
    }

    /// Makes room for the headers that leave and writes them; what stays in its place and is unchanged is not
    /// touched.
    #[inline]
    fn deparse(h: &Headers, payload: usize, packet: &mut rt::Packet) {
        let mut front = 0;
        if h.eth.valid {
            front += 14;
        }
        if h.n.valid {
            front += 52;
        }
        if h.mark.valid {
            front += 2;
        }
        packet.set_front(payload, front);
        let frame = packet.frame_mut();
        let mut at = 0;
        if h.eth.valid {
            if h.eth.at + front != at + payload
                && let Some(b) = rt::packet::chunk(frame, at)
            {
                h.eth.write(b);
            }
            at += 14;
        }
        if h.n.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                if h.n.at + front == at + payload {
                    patch_n(&h.n, b);
                } else {
                    h.n.write(b);
                }
            }
            at += 52;
        }
        if h.mark.valid {
            if let Some(b) = rt::packet::chunk(frame, at) {
                if h.mark.at + front == at + payload {
                    patch_mark(&h.mark, b);
                } else {
                    h.mark.write(b);
                }
            }
            at += 2;
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
        fn drops(&self) -> &[u64] {
            &self.drops
        }
        fn fork(&self) -> Self {
            Self { drops: Default::default() }
        }
    }
}
