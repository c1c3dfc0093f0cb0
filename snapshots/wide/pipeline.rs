//! Arithmetic of every width: fields of up to 128 bits that begin and end anywhere. It has no table.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod wide {
    use guideway::headers::Ethernet;

    const HASH: HashAlgorithm = Crc32;

    /// Two runs of 17 bytes have no border of bytes inside.
    #[header]
    struct Numbers {
        what: bit<4>,
        big: bit<128>,
        digit: bit<4>,
        serial: bit<96>,
        stamp: bit<48>,
        left: bit<33>,
        middle: bit<63>,
        right: bit<40>,
    }
    #[header]
    struct Mark {
        value: bit<16>,
    }
    struct Headers {
        eth: Ethernet,
        n: Numbers,
        mark: Mark,
    }

    struct Meta {
        sum: bit<16>,
    }

    enum Reason {
        Cut,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        p.extract(h.n);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.n.is_valid() {
            return drop(Cut);
        }
        if h.n.what == 0 {
            sums(h);
        } else if h.n.what == 1 {
            shifts(h);
        } else if h.n.what == 2 {
            parts(h);
        } else if h.n.what == 3 {
            comparisons(h);
        } else if h.n.what == 4 {
            complements(h);
        } else if h.n.what == 5 {
            let hash = HASH.of(bit::<64>(7), (h.n.what, h.n.big, h.n.digit, h.n.left, h.n.middle));
            h.n.serial = concat(hash, h.n.serial.bits(63, 0));
        } else if h.n.what == 6 {
            checksums(h, m);
        } else if h.n.what == 7 {
            h.n.middle += 1;
            h.mark.push(Mark { value: h.n.big.bits(127, 112) });
        } else {
            return pass();
        }
        forward(1)
    }

    fn sums(h: &mut Headers) {
        h.n.big = h.n.big + concat(h.n.serial, bit::<32>(0xffff_ffff));
        h.n.serial = h.n.serial - (h.n.middle as bit<96>);
        h.n.stamp = h.n.stamp + bit::<48>(0xffff_ffff_ffff);
        h.n.left = h.n.left * h.n.left;
        h.n.middle = (h.n.right as bit<63>) - h.n.middle;
    }

    fn shifts(h: &mut Headers) {
        h.n.big = h.n.big << 9;
        h.n.serial = (h.n.serial >> 95) | (h.n.serial << 1);
        h.n.stamp = (h.n.stamp << 48) - 1;
        h.n.left = h.n.left >> 32;
        h.n.middle = bit::<63>(0x7fff_ffff_ffff_ffff);
        h.n.middle = h.n.middle << 62;
        h.n.right = (if h.n.digit == 3 { bit::<40>(1) } else { bit::<40>(9000) }) << 25;
    }

    fn parts(h: &mut Headers) {
        h.n.middle = h.n.big.bits(127, 65);
        h.n.left = (h.n.right - 1).bits(39, 7);
        h.n.serial = (h.n.big ^ (h.n.big >> 1)).bits(111, 16);
        h.n.big = concat(bit::<25>(1), h.n.left, h.n.right, h.n.digit, h.n.stamp.bits(47, 22));
    }

    /// A value compared with itself is no mistake of the emitted program's.
    fn comparisons(h: &mut Headers) {
        let order = h.n.big > concat(h.n.serial, bit::<32>(5)) && h.n.stamp <= h.n.stamp;
        let same = h.n.serial == h.n.big.bits(95, 0) || h.n.middle < (h.n.left as bit<63>);
        h.n.digit = concat(order as bit<1>, bit::<1>(1), same as bit<1>, (h.n.right >= 0x80_0000_0000) as bit<1>);
    }

    fn complements(h: &mut Headers) {
        h.n.big = !h.n.big + 1;
        h.n.stamp = (!h.n.stamp) & (h.n.serial as bit<48>);
        h.n.serial = !h.n.serial;
        h.n.left = !(h.n.left - 1);
        h.n.middle = (!(h.n.right as bit<64>) + h.n.big.bits(63, 0)).bits(63, 1);
        h.n.right = concat(!(h.n.digit == 9) as bit<16>, !h.n.right.bits(23, 8) + h.n.right.bits(15, 0), !bit::<8>(5));
    }

    /// Of data whose parts are no whole words, or bytes.
    fn checksums(h: &mut Headers, m: &mut Meta) {
        m.sum = h.n.right.bits(15, 0);
        adjust(m.sum, h.n.big, concat(h.n.stamp, h.n.big.bits(79, 0)));
        let all = internet_checksum(h.n.what, h.n.big, h.n.digit, h.n.left, h.n.middle, bit::<8>(0x5a));
        h.n.right = concat(all, bit::<8>(0), m.sum);
    }
}
