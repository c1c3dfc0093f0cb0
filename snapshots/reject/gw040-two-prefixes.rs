//! A table has at most one prefix field.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    struct TypeKey {
        #[lpm]
        dst: bit<48>,
        #[lpm]
        src: bit<48>,
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
        TYPES.apply(TypeKey { dst: h.eth.dst, src: h.eth.src });
        pass()
    }
}
