//! A header is a whole number of bytes.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    #[header]
    struct Odd {
        kind: bit<4>,
        rest: bit<9>,
    }

    struct Headers {
        eth: Ethernet,
        odd: Odd,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        pass()
    }
}
