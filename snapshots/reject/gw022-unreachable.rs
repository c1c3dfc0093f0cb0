//! What stands after a verdict never runs, no state leads to `lost`, and nothing is dropped for `Idle`.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    enum Reason {
        Idle,
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
