//! A function is put in the place of its call, so it can't call itself.

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
        again(h)
    }

    fn again(h: &mut Headers) -> Verdict {
        again(h)
    }
}
