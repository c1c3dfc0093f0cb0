//! What stands after a verdict never runs, and no state leads to `lost`.

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

    #[state]
    fn lost(p: &mut Packet, h: &mut Headers) -> State {
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        if h.eth.is_valid() {
            return pass();
            h.eth.ethertype = 5;
        }
        forward(1)
    }
}
