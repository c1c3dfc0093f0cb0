//! Keeps one node as the controller wants it, over P4Runtime, and goes on with what it has when nobody wants anything.
//!
//! ```text
//! controller ── WatchNode ──► merge (control-core) ──► Goal ──► hops ──► reconciler ── P4Runtime ──► data plane
//!                                  └── store (disk)                         │ steps: a pure function
//! controller ◄── ReportNode ──────────────────── status ◄───────────────────┘
//! ```

mod agent;
#[cfg(test)]
mod apart;
mod audit;
mod config;
mod hook;
mod hops;
mod http;
mod kept;
mod layout;
mod metrics;
mod netlink;
mod plan;
mod plane;
mod reconciler;
mod signals;
mod status;
mod store;
mod wanted;
mod watch;

pub use agent::{Agent, AgentError, Settings};
pub use config::{ConfigError, File, NextHop};
pub use hook::Hook;
pub use hops::Fixed;
pub use kept::LeftOut;
pub use reconciler::Manner;
pub use status::{Facts, HOLD, InForce, Status};
pub use wanted::{Hop, Source, Sources};
pub use watch::Controllers;
