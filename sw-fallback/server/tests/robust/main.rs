//! Many clients, deaf ones, and messages that nobody would send: nothing panics, leaks, or holds what it should not.
//!
//! Counts are small enough for a debug build in CI; `GUIDEWAY_CLIENTS` and `GUIDEWAY_MUTATIONS` ask for others.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "the other test uses all of it")]
#[path = "../p4runtime/common/mod.rs"]
mod common;
mod crowd;
mod mutants;
mod process;

use tokio::sync::{Mutex, MutexGuard};

/// Descriptors and memory are the whole process's: these tests run one after the other.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// A number from the environment.
fn asked(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}
