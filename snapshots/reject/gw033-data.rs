//! A second table writes the action data of the first before they are read.

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

    struct SourceKey {
        #[exact]
        src: bit<48>,
    }
    #[table(size = 16)]
    static SOURCES: Table<SourceKey, TypeAction> = Keep;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        match TYPES.apply(TypeKey { ethertype: h.eth.ethertype }) {
            Out { port } => {
                SOURCES.apply(SourceKey { src: h.eth.src });
                forward(port)
            }
            Keep => pass(),
        }
    }
}
