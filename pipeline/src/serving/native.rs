//! The native data plane in service.

use super::Refused;
use super::serve::{Runs, State};
use serde_json::{Map, Value, json};
use std::time::Duration;
use sw_fallback::native::{PortCounts, Running};
use sw_fallback::plane::ReadBack;

/// The pipeline at work; has a port been lost?
#[derive(Debug)]
pub struct Native {
    running: Running,
    lost: bool,
}

impl Native {
    /// A pipeline that runs.
    #[must_use]
    pub fn new(running: Running) -> Self {
        Self { running, lost: false }
    }

    /// What runs.
    pub fn running(&mut self) -> &mut Running {
        &mut self.running
    }
}

impl Runs for Native {
    fn with(&mut self, what: &mut dyn FnMut(&mut dyn ReadBack)) {
        what(self.running.plane());
    }

    fn look(&mut self, tell: &dyn Fn(&str)) -> Result<State, Refused> {
        // Asked first: what a port says before its end is then among the events.
        let over = self.running.is_over();
        for event in self.running.events() {
            self.lost |= event.is_end() && event.error.is_some();
            if let Some(error) = event.error {
                tell(&format!("port {}: {error}", event.number));
            }
        }
        match (over, self.lost) {
            (true, true) => Err(Refused("error: every port is gone".into())),
            (true, false) => Ok(State::Done),
            (false, _) => Ok(State::Running),
        }
    }

    fn more(&mut self) -> Map<String, Value> {
        let port = |p: PortCounts| {
            let count = |(packets, bytes): (u64, u64)| json!({"packets": packets, "bytes": bytes});
            json!({
                "port": p.number, "device": p.device, "received": count(p.received), "sent": count(p.sent),
                "lost": p.lost,
            })
        };
        let ports: Vec<Value> = self.running.ports().into_iter().map(port).collect();
        [("ports".to_owned(), ports.into()), ("host".to_owned(), json!(self.running.verdicts()))]
            .into_iter()
            .collect()
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(100)
    }
}
