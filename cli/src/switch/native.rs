//! `guideway switch --target native`.

use super::Args;
use super::p4runtime::{self, invalid, not_held, not_sent};
use crate::source::{Source, from_bundle};
use crate::{Done, Refused, programs};
use codegen::Artifacts;
use guideway::serving::{self, Applied, Runs, State, signals};
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_server::{Host, HostError, Prepared, hold};
use pipeline_ir::entry::CheckedEntry;
use pipeline_ir::verify::Verified;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use sw_fallback::devices::packet;
use sw_fallback::native::{HostPort, NativePlane, Port, Running, open_host_port, open_port};
use sw_fallback::plane::{DataPlane as _, ReadBack};
use sw_fallback::punt::{Inbox, Punt};

pub(super) fn run(args: &Args, source: &Source, verified: &Verified) -> Done {
    let signals = signals()?;
    let program = programs::find(verified)?;
    if program.changes_passed && args.host_port.is_none() {
        let name = &verified.pipeline().name;
        return Err(Refused(format!(
            "error: `{name}` changes packets that it passes to the host: say where they enter it by --host-port NAME, \
             as in `--host-port gw0` (a tap of that name is made and goes with the switch)"
        )));
    }
    let wanted = args.wanted(verified.pipeline())?;
    let mut plane = program.plane;
    let mut applied = Applied::new(verified.pipeline());
    let changes = applied.apply(&mut plane, &wanted)?;
    let (ports, host) = devices(args)?;
    let running = Running::start(plane, ports, host)?;
    tracing::info!("flows and counts live in this process and end with it");
    let target = hw_targets::target(&args.target)?;
    let mut files = Artifacts::default();
    source.files().into_iter().for_each(|(path, text)| files.add(path, text));
    let config = p4runtime::config(verified, &target, &files)?;
    let (punt, inbox) = args.packet_in.map(Punt::new).unzip();
    punt.iter().for_each(|punt| running.punt_to(Arc::clone(punt)));
    let native = Native { it: serving::Native::new(running), to_host: args.host_port.is_some(), punt, inbox };
    let ready = format!("ready: {} on {}; {changes}", verified.pipeline().name, args.named_ports());
    p4runtime::run(args, native, config, &mut applied, &signals, &ready)
}

/// Opens every port, or none.
pub(super) fn devices(args: &Args) -> Result<(Vec<Port>, Option<HostPort>), Refused> {
    for (i, port) in args.ports.iter().enumerate() {
        let same = |o: &&super::PortArg| o.number == port.number || o.device == port.device;
        if args.ports.iter().take(i).any(|o| same(&o)) {
            return Err(Refused(format!(
                "error: port {port} is given twice; each port and each device stands once"
            )));
        }
        if args.host_port.as_ref().is_some_and(|h| port.device.trim_start_matches("tap:") == h) {
            return Err(Refused(format!(
                "error: {} is a port already; the host port needs a name of its own",
                port
            )));
        }
    }
    let options = packet::Options { promiscuous: args.promiscuous, ..packet::Options::default() };
    let (mut ports, mut notes) = (Vec::new(), Vec::new());
    for port in &args.ports {
        let (port, more) = open_port(port.number, &port.device, &options)?;
        ports.push(port);
        notes.extend(more);
    }
    let mtu = ports.iter().filter_map(|p| p.device.mtu).max();
    let host = args.host_port.as_ref().map(|name| open_host_port(name, mtu)).transpose()?;
    let host = host.map(|(host, more)| {
        notes.extend(more);
        host
    });
    for note in notes {
        tracing::info!("{note}");
    }
    Ok((ports, host))
}

/// The pipeline at work.
struct Native {
    it: serving::Native,
    /// There is a way into the host for packets that are changed and passed.
    to_host: bool,
    /// Packets for the controller.
    punt: Option<Arc<Punt>>,
    inbox: Option<Inbox>,
}

impl Runs for Native {
    fn with(&mut self, what: &mut dyn FnMut(&mut dyn ReadBack)) {
        self.it.with(what);
    }

    fn look(&mut self, tell: &dyn Fn(&str)) -> Result<State, Refused> {
        self.it.look(tell)
    }

    fn more(&mut self) -> Map<String, Value> {
        let mut more = self.it.more();
        more.extend(self.punt.iter().map(|punt| ("packet_in".to_owned(), json!(punt.counts()))));
        more
    }

    fn pause(&self) -> Duration {
        self.it.pause()
    }
}

impl Host for Native {
    fn plane(&mut self) -> &mut dyn ReadBack {
        self.it.running().plane()
    }

    fn packet_out(&mut self, port: u32, frame: &[u8]) -> Result<(), HostError> {
        self.it.running().send(port, frame).map_err(|e| not_sent(&e))
    }

    fn inbox(&mut self) -> Option<Inbox> {
        self.inbox.take()
    }

    /// The pipelines that are compiled into this command.
    fn verify(&mut self, bundle: &Bundle) -> Result<Prepared, HostError> {
        let verified = from_bundle(bundle).and_then(|source| source.verified()).map_err(invalid)?;
        let program = programs::find(&verified).map_err(invalid)?;
        if program.changes_passed && !self.to_host {
            let text =
                "the pipeline changes packets that it passes to the host: start the switch with --host-port";
            return Err(HostError::Invalid(text.into()));
        }
        Ok(Prepared { pipeline: verified.pipeline().clone(), program: Box::new(program.plane) })
    }

    /// The pipeline that runs already keeps its flows and counts.
    fn commit(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        let plane = prepared.program.downcast::<NativePlane>();
        let mut plane = plane.map_err(|_| HostError::Failed("another target's program".into()))?;
        if *self.it.running().plane().pipeline() == prepared.pipeline {
            return hold(self.it.running().plane(), entries).map_err(not_held);
        }
        hold(&mut *plane, entries).map_err(not_held)?;
        self.it.running().replace(&plane);
        Ok(())
    }
}
