//! Keys, slots and defaults that do not fit together.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    struct TypeKey {
        ethertype: bit<16>,
        #[lpm]
        #[exact]
        src: bit<48>,
    }
    enum TypeAction {
        Out { port: bit<32> },
        #[default_only]
        Keep,
    }
    #[table(size = 16, slot_bits = 20)]
    static TYPES: Table<TypeKey, TypeAction> = Keep;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        pass()
    }
}
