//! Ctrl-C: one flag, looked at wherever the demo waits, so that guards run and the lab goes.

use anyhow::{Context, Result, bail};
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Turns SIGINT, SIGTERM and SIGHUP into the flag. A second one ends the process at once.
///
/// # Errors
/// The handler can't be installed.
pub fn install() -> Result<()> {
    let handler = || {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nstopping; taking the lab down");
    };
    ctrlc::set_handler(handler).context("installing the Ctrl-C handler")
}

/// Fails when a signal has come.
///
/// # Errors
/// The user, or the system, wants us to stop.
pub fn check() -> Result<()> {
    if STOP.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}
