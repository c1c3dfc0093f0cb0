//! Entries in the source are complete.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    struct TypeKey {
        #[exact]
        ethertype: bit<16>,
    }
    enum TypeAction {
        Out { port: bit<32> },
        #[default_only]
        Keep,
    }
    #[entries(
        TypeKey {} => Out { port: 1 },
        TypeKey { ethertype: 5 } => Out,
        OtherKey { ethertype: 5 } => Keep,
    )]
    #[table(size = 16)]
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
