//! What a chip can't do.

#[guideway::pipeline(targets = [tofino])]
mod reject {
    use guideway::headers::{Ethernet};

    struct Headers {
        eth: Ethernet,
    }

    enum Reason {
        Unwanted,
    }

    struct FlowKey {
        src: bit<48>,
        dst: bit<48>,
    }

    #[flow_table(entries = 4096, idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s))]
    static FLOWS: Affinity<FlowKey, bit<24>>;

    struct BackendKey {
        #[exact]
        backend: bit<24>,
    }
    enum BackendAction {
        Out { port: bit<32> },
        #[default_only]
        Gone,
    }
    #[table(size = 64, slot_bits = 6)]
    static BACKEND: Table<BackendKey, BackendAction> = Gone;

    #[ring(slots = 65_537, pools = 16, pool_table = POOL, no_pool = Unwanted, no_slot = Unwanted)]
    static RING: Ring<bit<16>, bit<24>>;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        let flow = FLOWS.find(FlowKey { src: h.eth.src, dst: h.eth.dst }, 5, event::DATA, 0);
        match BACKEND.stay_or(flow, || RING.select(1, 5)) {
            Out { port } => {
                flow.remember();
                forward(port)
            }
            Gone => pass(),
        }
    }
}
