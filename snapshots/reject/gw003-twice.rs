//! A name that is taken.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    const LIMIT: u32 = 1;
    const LIMIT: u32 = 2;

    enum Reason {
        Unwanted,
        Unwanted,
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

    struct OtherKey {
        #[exact]
        ethertype: bit<16>,
    }
    enum OtherAction {
        Out { port: bit<32> },
        #[default_only]
        Keep,
    }
    #[table(size = 16)]
    static Types: Table<OtherKey, OtherAction> = Keep;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        pass()
    }

    fn forward(h: &mut Headers) {}
}
