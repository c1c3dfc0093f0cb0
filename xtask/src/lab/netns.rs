//! One named network namespace.

use super::ip_program;
use crate::run::capture;
use crate::sys;
use anyhow::{Context, Result, anyhow};
use std::path::PathBuf;
use std::process::Command;

/// A network namespace under `/run/netns`, as `ip netns` makes and lists them.
#[derive(Clone, Debug)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// Makes the namespace `name`.
    ///
    /// # Errors
    /// The name is taken or the rights are missing.
    pub fn create(name: &str) -> Result<Self> {
        capture(Command::new(ip_program()).args(["netns", "add", name]), "")?;
        Ok(Self { name: name.to_owned() })
    }

    /// Its name, as in `ip netns exec NAME`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Moves the calling thread into the namespace for good.
    ///
    /// # Errors
    /// The namespace is gone or the rights are missing.
    pub fn enter(&self) -> Result<()> {
        let path = PathBuf::from("/run/netns").join(&self.name);
        sys::enter_netns(&path).with_context(|| format!("entering namespace {}", self.name))
    }

    /// Runs `work` on a thread inside the namespace. Sockets and processes made there stay there.
    ///
    /// # Errors
    /// The namespace can't be entered.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| self.enter().map(|()| work()));
            thread.join().map_err(|_| anyhow!("the thread in namespace {} panicked", self.name))?
        })
    }

    /// Ends the processes inside and deletes the namespace. What is gone already is no error.
    pub(super) fn remove(&self) {
        let ip = |args: &[&str]| capture(Command::new(ip_program()).args(args), "");
        let inside = ip(&["netns", "pids", &self.name]).unwrap_or_default();
        for pid in inside.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            // The lab's own threads are in the list as well: never end ourselves.
            if pid != std::process::id() {
                let _gone = sys::signal(pid, libc::SIGKILL);
            }
        }
        if let Err(error) = ip(&["netns", "del", &self.name])
            && PathBuf::from("/run/netns").join(&self.name).exists()
        {
            eprintln!("can't delete namespace {}: {error:#}", self.name);
        }
    }

    /// The namespace of that name, whoever made it.
    pub(super) fn existing(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}
