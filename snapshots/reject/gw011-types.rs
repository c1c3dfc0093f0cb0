//! Operands have one type, and a place takes its own.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Meta {
        seen: bool,
        low: bit<8>,
    }

    struct Headers {
        eth: Ethernet,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        if h.eth.dst == h.eth.ethertype {
            m.seen = 1;
        }
        if h.eth.ethertype {
            m.low = h.eth.ethertype;
        }
        let sum = m.low + h.eth.ethertype;
        let n = if m.seen { m.low } else { h.eth.dst };
        m.low = m.seen;
        forward(h.eth.dst)
    }
}
