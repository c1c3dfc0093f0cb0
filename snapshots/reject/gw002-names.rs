//! Misspelt names, each with the nearest one that exists.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet, Ipv44};

    const LIMIT: u32 = 4;

    struct Headers {
        eth: Ethernet,
        ip4: Ipv5,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertyp {
            1 => strat,
            _ => accept,
        }
    }

    fn ingress(h: &mut Headers) -> Verdict {
        if LIMTI == 4 {
            return drp(Unwanted);
        }
        if h.etc.is_valid() {
            return frward(1);
        }
        TYPE.apply(Key {});
        pass()
    }
}
