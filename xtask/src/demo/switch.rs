//! `guideway switch` as the demo runs and controls it.
//!
//! What the demo relies on, all of it in this file:
//! - `guideway compile --target T --pipeline P --out DIR` writes artefacts;
//! - `guideway switch DIR --target T --port 1@eth0 --status FILE [--entries FILE] [--p4runtime IP:PORT] [--pin-dir
//!   DIR] [--host-port NAME]` runs in the foreground and prints a line that starts with `ready` once packets are handled;
//! - SIGUSR1 writes the status file (by renaming, so that no half is seen); SIGTERM detaches and ends.

use super::interrupt;
use super::plane::DataPlane;
use crate::lab::{Child, Netns};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Loading includes clang and the verifier, several at once on a small machine.
const START: Duration = Duration::from_secs(180);
/// A status.
const ANSWER: Duration = Duration::from_secs(60);

/// Where a switch without entries serves P4Runtime, in its own node.
pub const P4RUNTIME: &str = "127.0.0.1:9559";

/// How to start a switch.
#[derive(Debug)]
pub struct Start<'a> {
    /// The `guideway` binary.
    pub guideway: &'a Path,
    /// The data plane.
    pub plane: DataPlane,
    /// The built-in pipeline: `l4lb` or `decap`.
    pub pipeline: &'static str,
    /// The node, for names of files.
    pub node: &'static str,
    /// Where entries, status and log go.
    pub folder: &'a Path,
    /// Where the lab's programs and maps are pinned.
    pub pins: &'a Path,
    /// Where packets that the pipeline has changed enter the host (native, dpdk).
    pub host_port: Option<&'static str>,
    /// Its entries; without them, an agent says by P4Runtime at [`P4RUNTIME`] what its tables hold.
    pub entries: Option<String>,
}

/// A running switch.
#[derive(Debug)]
pub struct Switch {
    child: Child,
    status: PathBuf,
}

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes of the received frames.
    #[serde(default)]
    pub bytes: u64,
}

/// A switch's status file.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Status {
    /// Named counters; drop reasons as `drop.REASON`.
    #[serde(default)]
    pub counters: BTreeMap<String, Count>,
}

impl Status {
    /// Packets dropped, by reason.
    #[must_use]
    pub fn drops(&self) -> BTreeMap<String, u64> {
        let drops = self.counters.iter().filter_map(|(name, count)| {
            name.strip_prefix("drop.").map(|reason| (reason.to_owned(), count.packets))
        });
        drops.collect()
    }
}

impl Switch {
    /// Starts a switch in `space` and returns at once; [`Switch::ready`] waits.
    ///
    /// # Errors
    /// A file can't be written or the binary can't be started.
    pub fn start(start: &Start<'_>, space: &Netns) -> Result<Self> {
        let file = |kind: &str| start.folder.join(format!("{}.{kind}", start.node));
        let status = file("status.json");
        let mut command = Command::new(start.guideway);
        command.arg("switch").arg(start.folder.join("out").join(start.pipeline));
        command.args(["--target", &start.plane.to_string(), "--port", "1@eth0", "--status"]).arg(&status);
        match &start.entries {
            Some(text) => {
                let entries = file("entries.toml");
                fs::write(&entries, text).with_context(|| format!("writing {}", entries.display()))?;
                command.arg("--entries").arg(&entries);
            }
            None => drop(command.args(["--p4runtime", P4RUNTIME])),
        }
        if start.plane == DataPlane::Xdp {
            command.arg("--pin-dir").arg(start.pins.join(start.node));
        }
        command.args(start.host_port.map(|name| format!("--host-port={name}")));
        let name = format!("guideway switch on {}", start.node);
        let child = Child::start(&name, space, command, &file("log"))?;
        Ok(Self { child, status })
    }

    /// Waits until it handles packets.
    ///
    /// # Errors
    /// It ends, or takes too long.
    pub fn ready(&mut self) -> Result<()> {
        self.child.wait_for("ready", 1, START)
    }

    /// Asks for its counters.
    ///
    /// # Errors
    /// It doesn't write them in time, or they can't be read.
    pub fn status(&mut self) -> Result<Status> {
        if self.status.exists() {
            fs::remove_file(&self.status)?;
        }
        self.child.signal(libc::SIGUSR1)?;
        let start = Instant::now();
        while !self.status.exists() {
            self.child.alive()?;
            interrupt::check()?;
            if start.elapsed() > ANSWER {
                bail!("the switch wrote no status to {} within {ANSWER:?}", self.status.display());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let text = fs::read_to_string(&self.status)?;
        serde_json::from_str(&text).with_context(|| format!("reading {}", self.status.display()))
    }

    /// Leaves it running when this guard goes.
    pub fn keep(&mut self) {
        self.child.keep();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_a_status() {
        let text = r#"{"counters": {"drop.mtu": {"packets": 3, "bytes": 4500}, "not_stored": {"packets": 1}}, "tables": {}}"#;
        let status: Status = serde_json::from_str(text).unwrap();
        assert_eq!(status.drops(), BTreeMap::from([("mtu".into(), 3)]));
    }
}
