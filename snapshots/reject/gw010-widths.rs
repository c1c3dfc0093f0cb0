//! Values have 1 to 128 bits.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    #[header]
    struct Wide {
        a: bit<0>,
        b: bit<129>,
        c: u32,
    }

    struct Headers {
        eth: Ethernet,
        wide: Wide,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        let x = h.eth.dst.bits(48, 0);
        let y = concat(h.eth.dst, 5);
        let z = concat(h.eth.dst, h.eth.src, h.eth.dst);
        let mut n = 5;
        let big = (h.eth.dst as bit<80>) * 3;
        pass()
    }
}
