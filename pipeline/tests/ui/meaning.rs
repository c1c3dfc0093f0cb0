//! What `verify` finds comes the same way.

#[guideway::pipeline(targets = [native])]
mod meaning {
    use guideway::headers::Ethernet;

    struct Headers {
        eth: Ethernet,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        if h.eth.is_valid() {
            return pass();
        }
    }
}

fn main() {}
