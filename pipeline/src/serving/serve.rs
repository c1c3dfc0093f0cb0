//! A data plane that runs: doing what signals ask for, until one asks for the end.

use super::apply::{Applied, Changes};
use super::{Refused, status};
use pipeline_entries::Wanted;
use pipeline_ir::Pipeline;
use serde_json::{Map, Value};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use sw_fallback::plane::ReadBack;

/// A data plane on its ports.
pub trait Runs {
    /// Does something with its tables and counts.
    fn with(&mut self, what: &mut dyn FnMut(&mut dyn ReadBack));

    /// Looks after the ports, about once a second, and tells what the user should know.
    ///
    /// # Errors
    /// No port is left.
    fn look(&mut self, tell: &dyn Fn(&str)) -> Result<State, Refused>;

    /// What the status has beside the data plane's own counts.
    fn more(&mut self) -> Map<String, Value> {
        Map::new()
    }

    /// May others change what it holds?
    fn is_shared(&self) -> bool {
        false
    }

    /// Ends its work on the ports, where that is more than being dropped.
    fn end(&mut self) {}

    /// How often it is looked after.
    fn pause(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// Is there more to do?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Packets may come.
    Running,
    /// Every input has ended.
    Done,
}

/// What serving needs beside the data plane.
pub struct Job<'a> {
    /// Reads the entries again, of the pipeline that runs.
    pub wanted: &'a dyn Fn(&Pipeline) -> Result<Wanted, Refused>,
    /// The status file.
    pub status: Option<&'a Path>,
    /// Tells the user what has happened to a port.
    pub tell: &'a dyn Fn(&str),
}

/// Signals as they come, from a thread of their own.
///
/// # Errors
/// The system refuses to hand them over.
pub fn signals() -> Result<Receiver<i32>, Refused> {
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

/// Serves until a signal, or the end of all input, ends it. A line that starts with `reloaded` says that other entries
/// hold; those that are refused change nothing.
///
/// # Errors
/// No port is left, or the last status can't be written.
pub fn serve(
    job: &Job<'_>,
    it: &mut dyn Runs,
    applied: &mut Applied,
    signals: &Receiver<i32>,
) -> Result<(), Refused> {
    loop {
        match signals.recv_timeout(it.pause()) {
            Ok(SIGHUP) => match job.reload(it, applied) {
                Ok(changes) => println!("reloaded: {changes}"),
                Err(Refused(text)) => eprintln!("{text}\nnot reloaded: what was there before stays"),
            },
            Ok(SIGUSR1) => {
                if let Err(Refused(text)) = job.write(it) {
                    eprintln!("{text}");
                }
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                if it.look(job.tell)? == State::Done {
                    break;
                }
            }
        }
    }
    job.write(it)
}

impl Job<'_> {
    fn write(&self, it: &mut dyn Runs) -> Result<(), Refused> {
        let Some(path) = self.status else { return Ok(()) };
        let more = it.more();
        let mut done = Ok(());
        it.with(&mut |plane| done = status::write(plane, more.clone(), path));
        done
    }

    /// Reads the entries again and applies the difference.
    fn reload(&self, it: &mut dyn Runs, applied: &mut Applied) -> Result<Changes, Refused> {
        let shared = it.is_shared();
        let mut done = Ok(Changes::default());
        it.with(&mut |plane| {
            if shared {
                *applied = Applied::adopted(plane);
            }
            let wanted = (self.wanted)(plane.pipeline());
            done = wanted.and_then(|wanted| applied.apply(plane, &wanted));
        });
        done
    }
}
