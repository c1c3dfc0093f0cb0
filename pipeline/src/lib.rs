//! What a user's crate names: the pipeline macro, the standard headers, the built-in pipelines.
//!
//! ```
//! #[guideway::pipeline(targets = [native])]
//! pub mod tap {
//!     use guideway::headers::Ethernet;
//!
//!     struct Headers {
//!         eth: Ethernet,
//!     }
//!     struct TypeKey {
//!         #[exact]
//!         ethertype: bit<16>,
//!     }
//!     enum TypeAction {
//!         Out { port: bit<32> },
//!         #[default_only]
//!         Keep,
//!     }
//!     #[table(size = 16)]
//!     static TYPES: Table<TypeKey, TypeAction> = Keep;
//!
//!     #[state]
//!     fn start(p: &mut Packet, h: &mut Headers) -> State {
//!         p.extract(h.eth);
//!         accept
//!     }
//!
//!     fn ingress(h: &mut Headers) -> Verdict {
//!         match TYPES.apply(TypeKey { ethertype: h.eth.ethertype }) {
//!             Out { port } => forward(port),
//!             Keep => pass(),
//!         }
//!     }
//! }
//!
//! use tap::types::{Action, Entry, Key};
//! let entry = Entry { key: Key { ethertype: 0x0800 }, action: Action::Out { port: 3 } };
//! let written = guideway::ir::entry::Entry::from(entry.clone());
//! assert_eq!(written.table, "types");
//! assert_eq!(Entry::try_from(&written), Ok(entry));
//! ```

pub mod bindings;

pub use pipeline_ir as ir;
pub use pipeline_macros::pipeline;

/// The standard headers: what `use guideway::headers::{Ethernet, Ipv4};` in a pipeline imports.
pub mod headers {
    /// Their declarations, in the pipeline language, each with its RFC.
    pub const SOURCE: &str = pipeline_syntax::headers::TEXT;
}

/// The pipelines that come with Guideway, as source.
pub mod builtin {
    /// A layer-4 load balancer: IPv4 and IPv6, TCP and UDP, flow affinity, Maglev rings, IPIP.
    pub const L4LB: &str = include_str!("../pipelines/l4lb.rs");
    /// What a backend runs: takes the load balancer's outer header off.
    pub const DECAP: &str = include_str!("../pipelines/decap.rs");
    /// Each with its name.
    pub const ALL: [(&str, &str); 2] = [("l4lb", L4LB), ("decap", DECAP)];
}
