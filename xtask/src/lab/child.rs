//! A process of the lab that ends with its guard.

use super::Netns;
use crate::run::shown;
use crate::sys;
use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A running process inside a namespace; its output goes to a log file. Dropping it asks it to end
/// (SIGTERM), and after two seconds makes it end.
#[derive(Debug)]
pub struct Child {
    name: String,
    process: std::process::Child,
    log: PathBuf,
    keep: bool,
}

impl Child {
    /// Starts `command` in `space`, with `log` for its output. It gets a process group of its own: a
    /// terminal's Ctrl-C reaches only us, and we end it in order.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(name: &str, space: &Netns, mut command: Command, log: &Path) -> Result<Self> {
        let text = shown(&command);
        let output = OpenOptions::new().create(true).append(true).open(log);
        let output: File = output.with_context(|| format!("opening {}", log.display()))?;
        command.stdout(output.try_clone()?).stderr(output).process_group(0);
        let process = space.run(move || command.spawn())?.with_context(|| format!("can't start `{text}`"))?;
        Ok(Self { name: name.to_owned(), process, log: log.to_owned(), keep: false })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&self, signal: libc::c_int) -> Result<()> {
        sys::signal(self.process.id(), signal).with_context(|| format!("signalling {}", self.name))
    }

    /// Ends it at once (SIGKILL): it has no last words.
    pub fn kill(&mut self) {
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }

    /// How often a line that starts with `word` is in its output.
    #[must_use]
    pub fn said(&self, word: &str) -> usize {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.starts_with(word)).count()
    }

    /// Waits until it has said `word` (at a line's start) at least `times`.
    ///
    /// # Errors
    /// It ends before, or `limit` passes; the error shows the end of its output.
    pub fn wait_for(&mut self, word: &str, times: usize, limit: Duration) -> Result<()> {
        let start = Instant::now();
        while self.said(word) < times {
            if let Some(status) = self.process.try_wait()? {
                bail!("{} ended ({status}) before it said `{word}`:\n{}", self.name, self.last_words());
            }
            if start.elapsed() > limit {
                bail!("{} did not say `{word}` within {limit:?}:\n{}", self.name, self.last_words());
            }
            crate::demo::interrupt::check()?;
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Fails with its output when it has ended.
    ///
    /// # Errors
    /// It is no longer running.
    pub fn alive(&mut self) -> Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended ({status}):\n{}", self.name, self.last_words()),
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Leaves it running when this guard goes.
    pub fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.keep || !matches!(self.process.try_wait(), Ok(None)) {
            return;
        }
        let _gone = self.signal(libc::SIGTERM);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}
