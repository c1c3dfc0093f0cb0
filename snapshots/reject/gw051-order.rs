//! What a target that decides in a second pass, and looks a table up in one place, can't do as it stands.

#[guideway::pipeline(targets = [bmv2])]
mod reject {
    use guideway::headers::{Ethernet, Ipv4};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
    }

    enum Reason {
        Unwanted,
    }

    #[flow_table(entries = 4096, idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s))]
    static BY_SOURCE: Affinity<Key, bit<24>>;
    #[flow_table(entries = 4096, idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s))]
    static BY_TARGET: Affinity<Key, bit<24>>;

    struct Key {
        mac: bit<48>,
    }
    struct IdKey {
        #[exact]
        id: bit<24>,
    }
    enum InAction {
        In { mac: bit<48> },
        #[default_only]
        NoWayIn,
    }
    enum OutAction {
        Out { port: bit<32> },
        #[default_only]
        NoWayOut,
    }
    #[table(size = 64)]
    static WAYS_IN: Table<IdKey, InAction> = NoWayIn;
    #[table(size = 64)]
    static WAYS_OUT: Table<IdKey, OutAction> = NoWayOut;

    #[ring(slots = 64, pools = 16, pool_table = POOL, no_pool = Unwanted, no_slot = Unwanted)]
    static RING: Ring<bit<8>, bit<24>>;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        p.extract(h.ip4);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        if h.ip4.ttl < 2 {
            h.ip4.tos = 1;
            match WAYS_OUT.apply(IdKey { id: 5 }) {
                Out { port } => return forward(port),
                NoWayOut => return drop(Unwanted),
            }
        }
        h.ip4.ttl = h.ip4.ttl - 1;
        let source = BY_SOURCE.find(Key { mac: h.eth.src }, 5, event::DATA, 0);
        match WAYS_IN.stay_or(source, || if h.ip4.tos == 0 { RING.select(1, 5) } else { RING.select(2, 6) }) {
            In { mac } => {
                source.remember();
                h.eth.src = mac;
            }
            NoWayIn => return drop(Unwanted),
        }
        let target = BY_TARGET.find(Key { mac: h.eth.dst }, 6, event::DATA, 0);
        match WAYS_OUT.stay_or(target, || 9) {
            Out { port } => {
                target.remember();
                forward(port)
            }
            NoWayOut => drop(Unwanted),
        }
    }
}
