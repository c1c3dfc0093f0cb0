//! What the control plane knows and decides, without I/O: no clock, no socket, no file. Time comes in as milliseconds.

pub mod health;
mod refusal;
mod settings;

pub use refusal::{Code, Refusal};
pub use settings::{LONGEST_TIMEOUT_MS, Settings};
pub mod node;
