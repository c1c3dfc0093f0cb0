//! What the control plane knows and decides, without I/O: no clock, no socket, no file. Time comes in as milliseconds.
//!
//! ```
//! use control_core::{Command, Settings, State};
//! use control_proto::v1::CreatePoolRequest;
//!
//! let state = State::new(Settings::default());
//! let request = CreatePoolRequest { name: "web".into(), ..Default::default() };
//! let step = state.apply(&Command::CreatePool(request), 1_000, 7)?;
//! assert!(step.state.pools().contains_key("web"));
//!
//! // What is to be kept, and what is read back.
//! let records = step.changes.into_iter().filter_map(|c| Some((c.key, c.value?))).collect();
//! assert_eq!(State::load(Settings::default(), &records)?, step.state);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply;
mod backend;
mod check;
pub mod health;
mod names;
pub mod node;
mod numbers;
mod pool;
mod records;
mod refusal;
mod ring_records;
mod settings;
mod snapshot;
mod state;
mod url;

pub(crate) use apply::apply_key;
pub use apply::{Command, Observation, Reply, Step};
pub use backend::{Backend, Downs, Health, Life};
pub use check::{DEFAULT_WEIGHT, MAX_WEIGHT};
pub use pool::Pool;
pub use records::{Change, LoadError};
pub use refusal::{Code, Refusal};
pub use settings::{LONGEST_TIMEOUT_MS, Settings};
pub use snapshot::NodeView;
pub use state::{State, VipKey};
