//! Typed entries of every kind of key, and of a ring; they come back as they went.

#[guideway::pipeline(targets = [native])]
pub mod kinds {
    use guideway::headers::Ethernet;

    struct Headers {
        eth: Ethernet,
    }

    enum Reason {
        NoPool,
        NoSlot,
    }

    struct RouteKey {
        #[lpm]
        dst: bit<48>,
    }
    struct AclKey {
        #[ternary]
        src: bit<48>,
        #[range]
        kind: bit<16>,
        #[optional]
        port: bit<32>,
    }
    enum RouteAction {
        Out { r#type: bit<3>, port: bit<32> },
        #[default_only]
        Nowhere,
    }
    enum AclAction {
        Deny,
        Allow,
    }
    #[table(size = 64)]
    static ROUTES: Table<RouteKey, RouteAction> = Nowhere;
    #[table(size = 64)]
    static ACL: Table<AclKey, AclAction> = Allow;
    #[ring(slots = 257, pools = 4, pool_table = POOL, no_pool = NoPool, no_slot = NoSlot)]
    static RING: Ring<bit<16>, bit<24>>;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        match ACL.apply(AclKey { src: h.eth.src, kind: h.eth.ethertype, port: INGRESS_PORT }) {
            Deny => return pass(),
            Allow => {}
        }
        let id = RING.select(1, 5);
        match ROUTES.apply(RouteKey { dst: h.eth.dst }) {
            Out { r#type, port } => forward(port + (r#type as bit<32>) + (id as bit<32>)),
            Nowhere => pass(),
        }
    }
}

use guideway::bindings::{Masked, Prefix};
use guideway::ir::entry::Entry;
use kinds::{acl, pool, ring, routes};

fn main() {
    let route = routes::Entry {
        key: routes::Key { dst: Prefix { value: 0x0200_0000_0000_u64, prefix: 8 } },
        action: routes::Action::Out { r#type: 3, port: 7 },
    };
    assert_eq!(routes::Entry::try_from(&Entry::from(route.clone())), Ok(route.clone()));
    assert!(acl::Entry::try_from(&Entry::from(route)).is_err());

    let rule = acl::Entry {
        key: acl::Key { src: Masked { value: 1, mask: 0xff }, kind: 0..=5, port: None },
        priority: 3,
        action: acl::Action::Deny,
    };
    assert_eq!(acl::Entry::try_from(&Entry::from(rule.clone())), Ok(rule));

    let slot = ring::Entry {
        key: ring::Key { pool: 1, generation: 2, slot: 256 },
        action: ring::Action::SetRing { id: 9 },
    };
    assert_eq!(Entry::from(slot).action, "set_ring");
    let pool = pool::Entry { key: pool::Key { pool: 1 }, action: pool::Action::SetGeneration { generation: 2 } };
    assert_eq!(Entry::from(pool).params, [("generation".to_owned(), 2)]);
}
