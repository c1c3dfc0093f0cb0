//! What the demo says while it runs: lines, and on a terminal a progress bar. All on standard error, so
//! that standard output is the report alone.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Instant;

/// Says one line about what is being done, with the time since `start`.
pub fn say(start: Instant, text: &str) {
    eprintln!("[{:5.1} s] {text}", start.elapsed().as_secs_f64());
}

/// A bar over `total` steps; without a terminal it is never drawn.
#[must_use]
pub fn bar(total: usize, what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total as u64).with_message(what);
    match ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} {per_sec}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
