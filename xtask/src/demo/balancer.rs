//! A load-balancer node: a switch, and the agent that keeps its tables as the controller wants them.
//!
//! What the demo relies on, beside what `switch` says: `guideway agent --node NAME --controller IP:PORT --port 1@eth0
//! --p4runtime IP:PORT --state FILE` keeps the switch so, and tells by HTTP, at `METRICS`, what it counts; `guideway flows
//! --address IP:PORT --json --state tcp` prints one flow a line.

use super::metrics::{self, Metrics};
use super::switch::{P4RUNTIME, Start, Switch};
use crate::lab::{Child, Netns};
use crate::run::capture;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// Where an agent serves its metrics, in its own node.
const METRICS: &str = "127.0.0.1:9572";

/// A running node.
#[derive(Debug)]
pub struct Balancer {
    /// Its name.
    pub name: &'static str,
    guideway: PathBuf,
    space: Netns,
    agent: Option<Child>,
    switch: Switch,
}

/// A line of `guideway flows`; the last one has no key.
#[derive(Debug, Deserialize)]
struct Flow {
    #[serde(default)]
    key: BTreeMap<String, serde_json::Value>,
}

impl Balancer {
    /// Starts the switch and returns at once.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(start: &Start<'_>, space: &Netns) -> Result<Self> {
        let switch = Switch::start(start, space)?;
        let guideway = start.guideway.to_owned();
        Ok(Self { name: start.node, guideway, space: space.clone(), agent: None, switch })
    }

    /// Waits until the switch runs, and starts the agent.
    ///
    /// # Errors
    /// The switch ends or takes too long, or the agent can't be started.
    pub fn obey(&mut self, controller: &str, folder: &std::path::Path) -> Result<()> {
        self.switch.ready()?;
        let mut command = Command::new(&self.guideway);
        command.args(["agent", "--node", self.name, "--controller", controller, "--port", "1@eth0"]);
        command.args(["--p4runtime", P4RUNTIME, "--state"]).arg(folder.join(format!("{}.state", self.name)));
        let log = folder.join(format!("{}.agent.log", self.name));
        let name = format!("guideway agent on {}", self.name);
        self.agent = Some(Child::start(&name, &self.space, command, &log)?);
        Ok(())
    }

    /// What its data plane counts, as its agent tells it.
    ///
    /// # Errors
    /// The agent doesn't answer.
    pub fn metrics(&self) -> Result<Metrics> {
        let answer = self.space.run(|| metrics::read(METRICS))?;
        answer.with_context(|| format!("reading the metrics of {}", self.name))
    }

    /// The client's ports of established flows.
    ///
    /// # Errors
    /// The switch doesn't tell.
    pub fn ports(&self) -> Result<Vec<u16>> {
        let mut command = Command::new(&self.guideway);
        // All at once: a demo has few.
        command.args(["flows", "--rate", "1000000", "--address", P4RUNTIME, "--json", "--state", "tcp"]);
        let text = self.space.run(move || capture(&mut command, ""))??;
        ports(&text).with_context(|| format!("reading the flows of {}", self.name))
    }

    /// Fails when one of its processes has ended.
    ///
    /// # Errors
    /// One has.
    pub fn alive(&mut self) -> Result<()> {
        self.agent.as_mut().map_or(Ok(()), Child::alive)
    }

    /// Leaves it running when this guard goes.
    pub fn keep(&mut self) {
        self.switch.keep();
        self.agent.iter_mut().for_each(Child::keep);
    }
}

fn ports(lines: &str) -> Result<Vec<u16>> {
    let mut ports = Vec::new();
    for line in lines.lines() {
        let flow: Flow = serde_json::from_str(line)?;
        let port = flow.key.get("src_port").and_then(serde_json::Value::as_u64);
        ports.extend(port.and_then(|port| u16::try_from(port).ok()));
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn flows_have_ports() {
        let text = r#"{"table":"flows4","key":{"src":"10.10.4.2","src_port":21000,"vip":1},"state":"tcp"}
            {"flows":1,"states":{"tcp":1},"more":false}"#;
        assert_eq!(ports(text).unwrap(), [21_000]);
        assert!(ports("no JSON").is_err());
    }
}
