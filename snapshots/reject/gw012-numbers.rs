//! Numbers fit their widths, and options their ranges.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    const SMALL: bit<4> = 16;

    const NEGATIVE: u32 = 1 - 2;

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
    #[table(size = 0)]
    static TYPES: Table<TypeKey, TypeAction> = Keep;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        h.eth.ethertype = 0x1_0000;
        if h.eth.ethertype == 70000 {
            truncate(0);
        }
        forward(1 << 32)
    }
}
