//! Two states on one path extract one header.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet, Vlan};

    struct Headers {
        eth: Ethernet,
        vlan: Vlan,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            0x8100 => outer,
            _ => accept,
        }
    }

    #[state]
    fn outer(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.vlan);
        inner
    }

    #[state]
    fn inner(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.vlan);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        pass()
    }
}
