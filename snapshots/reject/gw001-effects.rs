//! What has an effect stands in a statement of its own.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    #[limiter(per_tick = 64)]
    static RATE: Limiter;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        let wanted = h.eth.ethertype == 5 && RATE.allow();
        if wanted {
            return pass();
        }
        h.eth.ethertype / 2;
        pass();
        forward(1)
    }
}
