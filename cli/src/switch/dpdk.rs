//! `guideway switch --target dpdk`.

use super::Args;
use super::p4runtime::{self, invalid, not_held, not_sent};
use crate::source::{Source, from_bundle};
use crate::{Done, Refused, compile};
use codegen::Artifacts;
use dpdk_switch::{DpdkError, DpdkPlane, MEGABYTES, Running};
use guideway::serving::{Applied, Runs, State, signals};
use hw_targets::Target;
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_server::{Host, HostError, Prepared, hold};
use pipeline_ir::entry::CheckedEntry;
use pipeline_ir::verify::Verified;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use sw_fallback::native::PortCounts;
use sw_fallback::plane::{DataPlane as _, ReadBack};
use sw_fallback::punt::{Inbox, Punt};

pub(super) fn run(args: &Args, source: &Source, verified: &Verified, target: Target) -> Done {
    let signals = signals()?;
    let wanted = args.wanted(verified.pipeline())?;
    let highest = args.ports.iter().map(|p| p.number).max().unwrap_or(0);
    let mut files = compile::emit(source, verified, &target)?;
    let mut plane = load(verified, &files, highest)?;
    let mut applied = Applied::new(verified.pipeline());
    let changes = applied.apply(&mut plane, &wanted)?;
    let (ports, host) = super::native::devices(args)?;
    let running = Running::start(plane, target.tick_ns, ports, host)?;
    tracing::info!("flows and counts live in this process and end with it");
    source.files().into_iter().for_each(|(path, text)| files.add(path, text));
    let config = p4runtime::config(verified, &target, &files)?;
    let (punt, inbox) = args.packet_in.map(Punt::new).unzip();
    punt.iter().for_each(|punt| running.punt_to(Arc::clone(punt)));
    let dpdk = Dpdk { running, target, highest, lost: false, punt, inbox };
    let ready = format!("ready: {} on {}; {changes}", verified.pipeline().name, args.named_ports());
    p4runtime::run(args, dpdk, config, &mut applied, &signals, &ready)
}

/// The program among the files, loaded.
fn load(verified: &Verified, files: &Artifacts, highest: u32) -> Result<DpdkPlane, Refused> {
    let name = format!("{}.spec", verified.pipeline().name);
    let program = files.get(&name).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let program = program.ok_or_else(|| Refused(format!("error: the target emits no {name}")))?;
    DpdkPlane::load(verified, program, highest).map_err(|e| match e {
        // Nothing that the program could mend.
        DpdkError::Environment(_) => Refused(format!(
            "error: {e}\nhelp: it reserves {MEGABYTES} MB of memory, in one piece, before anything runs: look at `ulimit -v`, \
             and at the limits of a container or a service"
        )),
        DpdkError::PortNumber(_) => Refused(format!("error: {e}")),
        _ => Refused(format!("error: {name}: {e}")),
    })
}

/// The pipeline at work.
struct Dpdk {
    running: Running,
    target: Target,
    /// The highest port.
    highest: u32,
    /// Has a port been lost?
    lost: bool,
    /// Packets for the controller.
    punt: Option<Arc<Punt>>,
    inbox: Option<Inbox>,
}

impl Runs for Dpdk {
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
        let mut more = Map::new();
        more.insert("ports".to_owned(), ports.into());
        more.insert("host".to_owned(), json!(self.running.verdicts()));
        more.extend(self.punt.iter().map(|punt| ("packet_in".to_owned(), json!(punt.counts()))));
        more
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(100)
    }
}

impl Host for Dpdk {
    fn plane(&mut self) -> &mut dyn ReadBack {
        self.running.plane()
    }

    fn packet_out(&mut self, port: u32, frame: &[u8]) -> Result<(), HostError> {
        self.running.send(port, frame).map_err(|e| not_sent(&e))
    }

    fn inbox(&mut self) -> Option<Inbox> {
        self.inbox.take()
    }

    /// Compiles it, and lets SWX build it beside the one that runs.
    fn verify(&mut self, bundle: &Bundle) -> Result<Prepared, HostError> {
        let source = from_bundle(bundle).map_err(invalid)?;
        let verified = source.verified().map_err(invalid)?;
        let files = compile::emit(&source, &verified, &self.target).map_err(invalid)?;
        let plane = load(&verified, &files, self.highest).map_err(invalid)?;
        Ok(Prepared { pipeline: verified.pipeline().clone(), program: Box::new(plane) })
    }

    /// The pipeline that runs already keeps its flows and counts.
    fn commit(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        let plane = prepared.program.downcast::<DpdkPlane>();
        let mut plane = plane.map_err(|_| HostError::Failed("another target's program".into()))?;
        if *self.running.plane().pipeline() == prepared.pipeline {
            return hold(self.running.plane(), entries).map_err(not_held);
        }
        hold(&mut *plane, entries).map_err(not_held)?;
        self.running.replace(*plane);
        Ok(())
    }
}
