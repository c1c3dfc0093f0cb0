//! A P4Runtime server (specification 1.5) over a software data plane.
//!
//! It knows a [`Host`]: something that runs a pipeline as a [`ReadBack`](sw_fallback::plane::ReadBack) data plane, and
//! can put another one in its place. What it serves, and what not, is in `docs/p4runtime.md`.
//!
//! ```text
//! let device = Arc::new(Mutex::new(Device::new(host, config)?));
//! let server = Server::bind(&"127.0.0.1:9559".parse()?, device.clone(), &Options::default()).await?;
//! server.serve(end).await?;
//! ```
//!
//! Whoever holds the device (its mutex is fair) keeps it from all others, so that a batch is seen whole by reads.

mod arbitration;
mod calls;
mod config;
mod decode;
mod device;
mod draft;
mod encode;
mod flows;
mod host;
mod idle;
mod incoming;
mod listen;
mod map;
mod messages;
mod packets;
mod read;
mod service;
mod session;
mod status;
mod watch;
mod wire;
mod write;

pub use device::{Device, hold};
pub use host::{Fixed, Host, HostError, Prepared};
pub use listen::{Address, ListenError, Options, Server, Tls};
