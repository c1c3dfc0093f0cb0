//! What a backend runs: takes the load balancer's outer header off, for the addresses that it serves.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod decap {
    use guideway::headers::{Ethernet, Ipv4, Ipv6};

    const IPV4: bit<16> = 0x0800;
    const IPV6: bit<16> = 0x86dd;
    const IPIP: bit<8> = 4;
    const IP6_IN: bit<8> = 41;

    // RFC 3168: the two bits of explicit congestion notification.
    const NOT_ECT: bit<2> = 0;
    const CE: bit<2> = 3;

    struct Headers {
        eth: Ethernet,
        outer4: Ipv4,
        outer6: Ipv6,
        inner4: Ipv4,
        inner6: Ipv6,
    }

    struct Meta {
        ecn: bit<2>,
    }

    enum Reason {
        OuterMalformed,
        NotAllowed,
        InnerCut,
        NotServed,
        Congestion,
    }

    struct Outer4Key {
        #[lpm]
        src: bit<32>,
    }
    struct Outer6Key {
        #[lpm]
        src: bit<128>,
    }
    enum OuterAction {
        Allow,
        #[default_only]
        Refuse,
    }
    /// Load balancers that may send to us.
    #[table(size = 256, counters = both)]
    static OUTER4: Table<Outer4Key, OuterAction> = Refuse;
    #[table(size = 256, counters = both)]
    static OUTER6: Table<Outer6Key, OuterAction> = Refuse;

    struct Served4Key {
        #[exact]
        dst: bit<32>,
    }
    struct Served6Key {
        #[exact]
        dst: bit<128>,
    }
    enum ServedAction {
        Serve,
        #[default_only]
        Foreign,
    }
    /// The VIPs of this host. Without this check it would relay spoofed packets to anywhere.
    #[table(size = 1024, counters = both)]
    static SERVED4: Table<Served4Key, ServedAction> = Foreign;
    #[table(size = 1024, counters = both)]
    static SERVED6: Table<Served6Key, ServedAction> = Foreign;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            IPV4 => outer4,
            IPV6 => outer6,
            _ => accept,
        }
    }

    #[state]
    fn outer4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.outer4);
        match (h.outer4.ihl, h.outer4.more_fragments, h.outer4.fragment_offset, h.outer4.protocol) {
            (5, 0, 0, IPIP) => inner4,
            _ => accept,
        }
    }

    #[state]
    fn outer6(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.outer6);
        match h.outer6.next_header {
            IPIP => inner4,
            IP6_IN => inner6,
            _ => accept,
        }
    }

    #[state]
    fn inner4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.inner4);
        accept
    }

    #[state]
    fn inner6(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.inner6);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if h.outer4.is_valid() && h.outer4.protocol == IPIP {
            if h.outer4.version != 4
                || h.outer4.ihl != 5
                || h.outer4.more_fragments == 1
                || h.outer4.fragment_offset != 0
                || h.outer4.total_length as bit<32> + 14 > FRAME_LENGTH
            {
                return drop(OuterMalformed);
            }
            m.ecn = h.outer4.tos.bits(1, 0);
            match OUTER4.apply(Outer4Key { src: h.outer4.src }) {
                Allow => {}
                Refuse => return drop(NotAllowed),
            }
            h.outer4.pop();
        } else if h.outer6.is_valid() && (h.outer6.next_header == IPIP || h.outer6.next_header == IP6_IN) {
            if h.outer6.version != 6 || h.outer6.payload_length as bit<32> + 54 > FRAME_LENGTH {
                return drop(OuterMalformed);
            }
            m.ecn = h.outer6.traffic_class.bits(1, 0);
            match OUTER6.apply(Outer6Key { src: h.outer6.src }) {
                Allow => {}
                Refuse => return drop(NotAllowed),
            }
            h.outer6.pop();
        } else {
            return pass();
        }

        if h.inner4.is_valid() {
            match SERVED4.apply(Served4Key { dst: h.inner4.dst }) {
                Serve => {}
                Foreign => return drop(NotServed),
            }
            h.eth.ethertype = IPV4;
            // RFC 6040: congestion seen by the tunnel goes on to the inner packet, if it can carry it.
            let inner = h.inner4.tos.bits(1, 0);
            if m.ecn == CE && inner == NOT_ECT {
                return drop(Congestion);
            }
            if m.ecn == CE {
                let marked = h.inner4.tos | 3;
                adjust(
                    h.inner4.checksum,
                    concat(h.inner4.version, h.inner4.ihl, h.inner4.tos),
                    concat(h.inner4.version, h.inner4.ihl, marked),
                );
                h.inner4.tos = marked;
            }
        } else if h.inner6.is_valid() {
            match SERVED6.apply(Served6Key { dst: h.inner6.dst }) {
                Serve => {}
                Foreign => return drop(NotServed),
            }
            h.eth.ethertype = IPV6;
            let inner = h.inner6.traffic_class.bits(1, 0);
            if m.ecn == CE && inner == NOT_ECT {
                return drop(Congestion);
            }
            if m.ecn == CE {
                h.inner6.traffic_class = h.inner6.traffic_class | 3;
            }
        } else {
            return drop(InnerCut);
        }
        pass()
    }
}
