//! What the control plane does to flows, and how fast.
//!
//! The parts are the real ones: `control-server` over a registry, `control-agent`, our P4Runtime server, the native `l4lb`;
//! only backends and checkers are made up.

pub mod consistency;
pub mod flows;
pub mod node;
pub mod propagation;
pub mod roles;
pub mod site;
pub mod switch;
pub mod traffic;

use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// How long anything may take that has to happen, on a machine that has other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until it is so.
///
/// # Errors
/// It does not come to that within three minutes.
pub async fn wait(what: &str, mut so: impl AsyncFnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    while !so().await {
        ensure!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
