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
//! assert_eq!(Entry::try_from(&written), Ok(entry.clone()));
//!
//! // `native` is among the targets: the module holds the program, too.
//! use guideway::Native;
//! use guideway::rt::{Packet, Program, Verdict};
//! let mut program = tap::Pipeline::default();
//! let mut packet = Packet::new();
//! packet.fill(&[0; 60]);
//! assert_eq!(program.process(1, 0, &mut packet), Verdict::Pass);
//!
//! // With the feature `switch` it is a data plane, as any other.
//! # #[cfg(feature = "switch")] {
//! use guideway::ir::entry::{Tables, WriteKind};
//! use guideway::plane::DataPlane;
//! let mut plane = guideway::plane::<tap::Pipeline>().expect("the macro has compiled the same text");
//! let checked = Tables::new(plane.pipeline()).check(&entry.into()).expect("the key has 16 bits");
//! plane.write(&checked, WriteKind::Insert).expect("the table has room");
//! packet.fill(&[&[0; 12][..], &[0x08, 0x00], &[0; 46]].concat());
//! assert_eq!(plane.run(1, 0, &mut packet), Verdict::Forward(3));
//! # }
//! ```

extern crate self as guideway;

pub mod bindings;
pub mod builtin;
mod native;
#[cfg(feature = "switch")]
pub mod serving;
#[cfg(feature = "switch")]
mod switch;

pub use native::Native;
#[cfg(feature = "switch")]
pub use native::plane;
pub use pipeline_ir as ir;
pub use pipeline_macros::pipeline;
/// What every data plane can do, and the one in this process.
#[cfg(feature = "switch")]
pub mod plane {
    pub use sw_fallback::native::NativePlane;
    pub use sw_fallback::plane::*;
}
pub use sw_fallback_rt as rt;
#[cfg(feature = "switch")]
pub use switch::switch;

/// The standard headers: what `use guideway::headers::{Ethernet, Ipv4};` in a pipeline imports.
pub mod headers {
    /// Their declarations, in the pipeline language, each with its RFC.
    pub const SOURCE: &str = pipeline_syntax::headers::TEXT;
}
