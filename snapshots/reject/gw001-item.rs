//! Only the items of a pipeline stand in it.

#[guideway::pipeline(targets = [native])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        pass()
    }

    trait Other {}

    use std::collections::HashMap;
}
