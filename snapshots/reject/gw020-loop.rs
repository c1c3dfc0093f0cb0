//! Two states that lead to each other.

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
        vlan
    }

    #[state]
    fn vlan(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.vlan);
        match h.vlan.ethertype {
            0x8100 => start,
            _ => accept,
        }
    }

    fn ingress(h: &mut Headers) -> Verdict {
        pass()
    }
}
