//! Several errors at once, each at its own place.

#[guideway::pipeline(targets = [native])]
mod types {
    use guideway::headers::{Ethernet, Ipv5};

    struct Headers {
        eth: Ethernet,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        if h.eth.ethertyp == 0x0800 {
            h.eth.ethertype = 0x1_0000;
        }
        forward(h.eth.dst)
    }
}

fn main() {}
