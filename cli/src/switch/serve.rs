//! A data plane that runs: doing what signals ask for, until one asks for the end.

use super::apply::Applied;
use super::{Args, status};
use crate::{Done, Refused};
use pipeline_ir::verify::Verified;
use serde_json::{Map, Value};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use sw_fallback::plane::DataPlane;

/// A data plane on its ports.
pub(super) trait Runs {
    /// Its tables and counts.
    fn plane(&mut self) -> &mut dyn DataPlane;

    /// Looks after the ports, about once a second; what the user should know is printed.
    ///
    /// # Errors
    /// No port is left.
    fn look(&mut self) -> Result<State, Refused>;

    /// What the status has beside the data plane's own counts.
    fn more(&self) -> Map<String, Value> {
        Map::new()
    }

    /// How often it is looked after.
    fn pause(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// Is there more to do?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    /// Every input has ended.
    Done,
}

/// Signals as they come, from a thread of their own.
pub(super) fn signals() -> Result<Receiver<i32>, Refused> {
    let mut signals = Signals::new([SIGHUP, SIGUSR1, SIGTERM, SIGINT])?;
    let (to, from) = channel();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if to.send(signal).is_err() {
                break;
            }
        }
    });
    Ok(from)
}

/// Serves until a signal, or the end of all input, ends it.
pub(super) fn serve(
    args: &Args,
    verified: &Verified,
    it: &mut dyn Runs,
    applied: &mut Applied,
    signals: &Receiver<i32>,
) -> Done {
    loop {
        match signals.recv_timeout(it.pause()) {
            Ok(SIGHUP) => match args.wanted(verified).and_then(|wanted| applied.apply(it.plane(), &wanted)) {
                Ok(changes) => println!("reloaded: {changes}"),
                Err(Refused(text)) => eprintln!("{text}\nnot reloaded: what was there before stays"),
            },
            Ok(SIGUSR1) => {
                if let Err(Refused(text)) = write_status(args, it) {
                    eprintln!("{text}");
                }
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if it.look()? == State::Done {
                    break;
                }
            }
        }
    }
    write_status(args, it)?;
    Ok(ExitCode::SUCCESS)
}

fn write_status(args: &Args, it: &mut dyn Runs) -> Result<(), Refused> {
    let Some(path) = &args.status else { return Ok(()) };
    let more = it.more();
    status::write(it.plane(), more, path)
}
