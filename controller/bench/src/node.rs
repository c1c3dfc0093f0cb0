//! A node: a switch, and the real agent beside it.

use crate::switch::{OnFlip, Switch};
use crate::wait;
use anyhow::{Context as _, Result};
use control_agent::{Agent, Controllers, File, Hook, Manner, NextHop, Settings};
use runtime_client::{Options, Profile};
use std::path::PathBuf;
use std::time::Duration;

/// A retired generation stays as it is for so long, as `guideway agent` has it.
const GRACE: Duration = Duration::from_millis(100);

/// What an agent is told.
#[derive(Clone, Debug)]
pub struct Orders {
    /// Its name.
    pub node: String,
    /// Controllers, `host:port`.
    pub controllers: Vec<String>,
    /// Where its last snapshot is kept.
    pub state: PathBuf,
}

impl Orders {
    /// Starts an agent beside a switch.
    ///
    /// # Errors
    /// Its settings are no settings.
    pub async fn agent(&self, switch: &str) -> Result<Agent> {
        let hop = |to: &str| NextHop {
            to: to.into(),
            port: 1,
            dst_mac: "02:00:00:00:00:fe".into(),
            src_mac: "02:00:00:00:00:01".into(),
            mtu: 1500,
        };
        let file =
            File { source4: Some("10.255.0.1".into()), next_hop: vec![hop("0.0.0.0/0")], ..File::default() };
        let mut p4runtime = Options::new(switch, Profile::named("guideway").context("the profile")?);
        p4runtime.patience = Duration::from_secs(120);
        let settings = Settings {
            node: self.node.clone(),
            controllers: Controllers { addresses: self.controllers.clone(), tls: None, token: None },
            p4runtime,
            ports: file.port_numbers()?,
            next_hops: file.next_hops()?,
            manner: Manner { sources: file.sources()?, grace: GRACE, audit: None },
            state: Some(self.state.clone()),
            http: None,
            hook: Hook::default(),
        };
        Ok(Agent::start(settings).await?)
    }
}

/// A node in this process.
pub struct Node {
    /// How its agent is started.
    pub orders: Orders,
    /// Its data plane.
    pub switch: Switch,
    agent: Option<Agent>,
}

impl Node {
    /// Starts one, with an empty data plane.
    ///
    /// # Errors
    /// Switch or agent don't start.
    pub async fn start(orders: Orders, on_flip: Option<OnFlip>) -> Result<Self> {
        let switch = Switch::start(on_flip).await?;
        let agent = Some(orders.agent(&switch.address).await?);
        Ok(Self { orders, switch, agent })
    }

    /// Kills the agent; the data plane goes on.
    pub fn kill_agent(&mut self) {
        self.agent = None;
    }

    /// Starts the agent again.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_agent(&mut self) -> Result<()> {
        self.agent = Some(self.orders.agent(&self.switch.address).await?);
        Ok(())
    }

    /// Waits until the data plane has what the controller desires in this version, as told by the controller there.
    ///
    /// # Errors
    /// It does not come to that.
    pub async fn in_force(&self, version: u64, controller: &str) -> Result<()> {
        let what = format!("version {version} of {controller} in force on {}", self.orders.node);
        wait(&what, async || {
            let Some(agent) = &self.agent else { return false };
            let facts = agent.status().facts();
            facts.synced && facts.version >= version && facts.controller.as_deref() == Some(controller)
        })
        .await
    }
}
