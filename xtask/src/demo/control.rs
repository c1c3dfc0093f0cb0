//! The control plane of the lab: `guideway controller`, three checkers, and `guideway ctl`.
//!
//! What the demo relies on, all of it in this file:
//! - `guideway controller --registry FILE --listen IP:PORT --http IP:PORT --insecure` prints a line that starts with `ready`;
//! - `guideway checker --controller IP:PORT --id NAME`;
//! - `guideway ctl --json --controller IP:PORT`, with `apply FILE`, `drain POOL BACKEND`, `backend list`, `status`, `events`.

use super::deployment::{self, POOLS};
use super::interrupt;
use crate::lab::{BACKENDS, CTL, Child, LBS, Lab, Netns, Plan};
use crate::run::capture;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The checkers' names.
const CHECKERS: [&str; 3] = ["checker-a", "checker-b", "checker-c"];
/// Whatever the control plane is asked for, it has to be so within this time; on a quiet machine it takes seconds.
pub const LIMIT: Duration = Duration::from_secs(300);
/// How often it is asked whether something is so.
const LOOK: Duration = Duration::from_millis(100);

/// The control plane, on the lab's node [`CTL`].
#[derive(Debug)]
pub struct Control {
    guideway: PathBuf,
    folder: PathBuf,
    address: String,
    space: Netns,
    checkers: Vec<Child>,
    controller: Option<Child>,
}

/// A backend as the controller tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Backend {
    /// Its pool.
    pub pool: String,
    /// Its name.
    pub name: String,
    /// Its state's name.
    pub state: String,
    /// Whether new flows go there.
    pub in_ring: bool,
}

/// An event of the controller.
#[derive(Clone, Debug, Deserialize)]
pub struct Happened {
    /// Its number.
    pub number: u64,
    /// When: milliseconds since 1970.
    pub at_ms: u64,
    /// What about.
    pub kind: String,
    /// The pool.
    pub pool: String,
    /// The backend, if it is about one.
    pub backend: String,
    /// In words.
    pub text: String,
}

#[derive(Debug, Deserialize)]
struct Status {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    current: bool,
}

impl Control {
    /// Starts controller and checkers and returns at once; [`Control::ready`] waits.
    ///
    /// # Errors
    /// Something can't be started.
    pub fn start(guideway: &Path, lab: &Lab, plan: &Plan, folder: &Path) -> Result<Self> {
        let space = lab.space(CTL)?.clone();
        let address = Self::address(plan);
        let (guideway, folder) = (guideway.to_owned(), folder.to_owned());
        let mut it = Self { guideway, folder, address, space, checkers: Vec::new(), controller: None };
        it.start_controller()?;
        for name in CHECKERS {
            let mut command = Command::new(&it.guideway);
            command.args(["checker", "--id", name, "--controller", &it.address]);
            it.checkers.push(it.child(name, command)?);
        }
        Ok(it)
    }

    /// Where the controller listens.
    #[must_use]
    pub fn address(plan: &Plan) -> String {
        format!("{}:9570", plan.node(CTL).v4(2))
    }

    /// Starts the controller over the registry that is there.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start_controller(&mut self) -> Result<()> {
        let mut command = Command::new(&self.guideway);
        // Nobody outside the lab reaches it.
        command.args(["controller", "--insecure", "--listen", &self.address, "--registry"]);
        command.arg(self.folder.join("registry.redb"));
        self.controller = Some(self.child("controller", command)?);
        Ok(())
    }

    fn child(&self, name: &str, command: Command) -> Result<Child> {
        let log = self.folder.join(format!("{name}.log"));
        Child::start(&format!("guideway {name}"), &self.space, command, &log)
    }

    /// Waits until the controller answers.
    ///
    /// # Errors
    /// It ends, or takes too long.
    pub fn ready(&mut self) -> Result<()> {
        self.controller.as_mut().map_or(Ok(()), |it| it.wait_for("ready", 1, LIMIT))
    }

    /// Kills the controller.
    pub fn stop_controller(&mut self) {
        if let Some(mut controller) = self.controller.take() {
            controller.kill();
        }
    }

    /// Says what pools, VIPs and backends there are.
    ///
    /// # Errors
    /// It is refused.
    pub fn apply(&self, plan: &Plan) -> Result<()> {
        let file = self.folder.join("deployment.yaml");
        fs::write(&file, deployment::text(plan)).with_context(|| format!("writing {}", file.display()))?;
        let path = file.to_str().context("the folder's name is no text")?;
        self.ctl(&["apply", path]).map(drop)
    }

    fn ctl(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.guideway);
        command.args(["ctl", "--json", "--controller", &self.address]).args(args);
        self.space.run(move || capture(&mut command, ""))?
    }

    /// Drains a backend in both pools; its flows may stay for so long.
    ///
    /// # Errors
    /// It is refused.
    pub fn drain(&self, backend: &str, window: Duration) -> Result<()> {
        let window = window.as_secs().to_string();
        let drain = |pool| self.ctl(&["drain", pool, backend, "--window", &window]).map(drop);
        POOLS.iter().try_for_each(|(pool, _)| drain(pool))
    }

    /// All backends.
    ///
    /// # Errors
    /// The controller doesn't answer.
    pub fn backends(&self) -> Result<Vec<Backend>> {
        let text = self.ctl(&["backend", "list"])?;
        serde_json::from_str(&text).with_context(|| format!("reading the list of backends: {text}"))
    }

    /// What happened after the event of that number.
    ///
    /// # Errors
    /// The controller doesn't answer.
    pub fn events(&self, after: u64) -> Result<Vec<Happened>> {
        let text = self.ctl(&["events", "--after", &after.to_string()])?;
        serde_json::from_str(&text).with_context(|| format!("reading the events: {text}"))
    }

    /// Waits until every backend is in service and both nodes have that in force.
    ///
    /// # Errors
    /// It takes too long.
    pub fn in_service(&self) -> Result<()> {
        let want = POOLS.len() * BACKENDS.len();
        self.until("not every backend came into service", || {
            Ok(self.backends()?.iter().filter(|b| b.in_ring).count() == want)
        })?;
        self.in_force()
    }

    /// Waits until both nodes have in force what the controller wants now.
    ///
    /// # Errors
    /// It takes too long.
    pub fn in_force(&self) -> Result<()> {
        self.until("not both nodes have the current tables", || Ok(self.nodes_in_force()? == LBS.len()))
    }

    /// Waits until `backend` is in that state in both pools.
    ///
    /// # Errors
    /// It takes too long.
    pub fn in_state(&self, backend: &str, state: &str) -> Result<()> {
        self.until(&format!("{backend} did not become {state}"), || self.is_in(backend, state))
    }

    /// Whether `backend` is in that state in both pools.
    ///
    /// # Errors
    /// The controller doesn't answer.
    pub fn is_in(&self, backend: &str, state: &str) -> Result<bool> {
        let all = self.backends()?;
        let mut own = all.iter().filter(|b| b.name == backend);
        Ok(own.all(|b| b.state == state))
    }

    fn nodes_in_force(&self) -> Result<usize> {
        let text = self.ctl(&["status"])?;
        let status: Status =
            serde_json::from_str(&text).with_context(|| format!("reading the status: {text}"))?;
        Ok(status.nodes.iter().filter(|node| node.current).count())
    }

    fn until(&self, else_say: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
        let start = Instant::now();
        while !holds()? {
            interrupt::check()?;
            if start.elapsed() > LIMIT {
                let (status, backends) = (self.ctl(&["status"])?, self.ctl(&["backend", "list"])?);
                bail!("{else_say} within {LIMIT:?}: {status}\n{backends}");
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Leaves everything running when this guard goes.
    pub fn keep(&mut self) {
        self.checkers.iter_mut().chain(&mut self.controller).for_each(Child::keep);
    }
}
