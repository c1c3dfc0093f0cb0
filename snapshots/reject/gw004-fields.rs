//! A header is pushed with all of its fields; a `match` on numbers covers all of them.

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
        h.eth.push(Ethernet { dst: 1, src: 2 });
        match h.eth.ethertype {
            1 => forward(1),
        }
    }
}
