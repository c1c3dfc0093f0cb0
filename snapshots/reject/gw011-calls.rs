//! A function's arguments and its result.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        let x = nothing(h);
        value(h);
        verdict(h, 5);
        nothing(5);
        h.eth.is_valid()
    }

    fn nothing(h: &mut Headers) {}

    fn value(h: &mut Headers) -> bit<16> {
        h.eth.ethertype
    }

    fn verdict(h: &mut Headers) -> Verdict {
        pass()
    }
}
