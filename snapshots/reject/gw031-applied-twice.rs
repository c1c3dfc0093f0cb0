//! A table is applied once on any path.

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
    #[table(size = 16)]
    static TYPES: Table<TypeKey, TypeAction> = Keep;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        TYPES.apply(TypeKey { ethertype: h.eth.ethertype });
        match TYPES.apply(TypeKey { ethertype: 5 }) {
            Out { port } => forward(port),
            Keep => pass(),
        }
    }
}
