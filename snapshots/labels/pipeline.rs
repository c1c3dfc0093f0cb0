//! MPLS: a parser loop over up to four labels, a lookahead at what follows, the top label swapped or popped.

#[guideway::pipeline(targets = [xdp, native, bmv2])]
pub mod labels {
    use guideway::headers::{Ethernet, Ipv4, Mpls};

    struct Headers {
        eth: Ethernet,
        label: [Mpls; 4],
        ip4: Ipv4,
    }

    struct Meta {
        depth: bit<8>,
    }

    enum Reason {
        NoLabel,
        TooDeep,
        Expired,
        Unknown,
    }

    struct LabelKey {
        #[exact]
        label: bit<20>,
    }
    enum LabelAction {
        Swap { to: bit<20>, port: bit<32> },
        PopTop { port: bit<32> },
        #[default_only]
        NoEntry,
    }
    #[table(size = 2048, counters = both)]
    static LABELS: Table<LabelKey, LabelAction> = NoEntry;

    #[counter(size = 5, kind = both)]
    static DEPTH: Counter;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            0x8847 => stack,
            _ => accept,
        }
    }

    #[state(repeat = 4)]
    fn stack(p: &mut Packet, h: &mut Headers, m: &mut Meta) -> State {
        p.extract(h.label.next);
        m.depth = m.depth + 1;
        match h.label.last.bottom {
            1 => below,
            _ => stack,
        }
    }

    #[state]
    fn below(p: &mut Packet, h: &mut Headers) -> State {
        let first = p.lookahead::<bit<4>>();
        match first {
            4 => ipv4,
            _ => accept,
        }
    }

    #[state]
    fn ipv4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip4);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if !h.label[0].is_valid() {
            return drop(NoLabel);
        }
        DEPTH.count(m.depth as bit<32>);
        if m.depth == 4 && h.label[3].bottom == 0 {
            return drop(TooDeep);
        }
        if h.label[0].ttl <= 1 {
            return drop(Expired);
        }
        match LABELS.apply(LabelKey { label: h.label[0].label }) {
            Swap { to, port } => {
                h.label[0].label = to;
                h.label[0].ttl -= 1;
                forward(port)
            }
            PopTop { port } => {
                if h.label[0].bottom == 1 {
                    if !h.ip4.is_valid() {
                        return pass();
                    }
                    h.eth.ethertype = 0x0800;
                }
                h.label[0].pop();
                forward(port)
            }
            NoEntry => drop(Unknown),
        }
    }
}
