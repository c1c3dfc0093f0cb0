//! A pipeline of one's own that runs on interfaces: a filter between two ports, by source address.
//!
//! ```sh
//! cargo run -p guideway --features switch --example own -- --port 1@eth0 --port 2@eth1 --entries deny.toml
//! ```
//!
//! with entries such as
//!
//! ```toml
//! [[entry]]
//! table = "sources"
//! key = { src = "198.51.100.0/24" }
//! action = "deny"
//! ```

#[guideway::pipeline(targets = [native])]
mod own {
    use guideway::headers::{Ethernet, Ipv4};

    struct Headers {
        eth: Ethernet,
        ip4: Ipv4,
    }

    enum Reason {
        Denied,
    }

    struct SourceKey {
        #[lpm]
        src: bit<32>,
    }
    enum SourceAction {
        Deny,
        Allow,
    }
    #[table(size = 1024, counters = both)]
    static SOURCES: Table<SourceKey, SourceAction> = Allow;

    #[state]
    fn start(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.eth);
        match h.eth.ethertype {
            0x0800 => ipv4,
            _ => accept,
        }
    }

    #[state]
    fn ipv4(p: &mut Packet, h: &mut Headers) -> State {
        p.extract(h.ip4);
        accept
    }

    fn ingress(h: &mut Headers) -> Verdict {
        if h.ip4.is_valid() {
            match SOURCES.apply(SourceKey { src: h.ip4.src }) {
                Deny => return drop(Denied),
                Allow => {}
            }
        }
        forward(3 - INGRESS_PORT)
    }
}

fn main() -> std::process::ExitCode {
    guideway::switch::<own::Pipeline>()
}
