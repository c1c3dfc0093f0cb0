//! Attributes and their arguments.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    struct TypeKey {
        #[exactly]
        ethertype: bit<16>,
    }
    enum TypeAction {
        Out { port: bit<32> },
        #[default_only]
        Keep,
    }
    #[table(size = 16, counter = both)]
    static TYPES: Table<TypeKey, TypeAction> = Keep;

    #[state(repaet = 3)]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        pass()
    }
}
