//! Ctrl-C: one flag, looked at wherever the demo waits, so that guards run and the lab goes.

use anyhow::{Context, Error, Result, bail};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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

/// What has gone wrong, in truth: Ctrl-C ends the processes that we wait for too, perhaps before it reaches us.
#[must_use]
pub fn cause(error: Error) -> Error {
    std::thread::sleep(Duration::from_millis(50));
    check().err().unwrap_or(error)
}
