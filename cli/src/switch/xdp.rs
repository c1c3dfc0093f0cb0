//! `guideway switch --target xdp`.

use super::Args;
use super::entries::Wanted;
use super::p4runtime::{self, invalid, not_sent};
use crate::source::{Source, from_bundle};
use crate::{Done, Refused, compile};
use codegen::Artifacts;
use guideway::serving::{Applied, Changes, Runs, State, signals};
use hw_targets::Target;
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_server::{Host, HostError, Prepared, hold};
use pipeline_ir::entry::CheckedEntry;
use pipeline_ir::verify::Verified;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use sw_fallback::devices::out::{Out, SendError};
use sw_fallback::devices::packet;
use sw_fallback::plane::ReadBack;
use sw_fallback::punt::{Inbox, Listener, Punt};
use sw_fallback::xdp::{Options, Port, XdpError, XdpPlane, default_pin_dir, early};

/// The plane, and the interfaces of which it was told that they are gone.
struct Running {
    plane: XdpPlane,
    options: Options,
    target: Target,
    told: Vec<String>,
    io: PacketIo,
}

/// How the program is going to be loaded. What can be refused is refused here, before anything is compiled.
pub(super) fn options(args: &Args, verified: &Verified, wanted: &Wanted) -> Result<Options, Refused> {
    let ports = ports(args)?;
    let first = ports.first().map_or("", |p| p.interface.as_str());
    let own = default_pin_dir(&verified.pipeline().name, first);
    let options = Options {
        pin_dir: Some(args.pin_dir.clone().unwrap_or(own)),
        ports,
        flush: args.flush,
        entries: wanted.entries.clone(),
        ..Options::default()
    };
    early::check(verified.pipeline(), &options)?;
    Ok(options)
}

pub(super) fn run(
    args: &Args,
    source: &Source,
    verified: &Verified,
    object: Vec<u8>,
    wanted: &Wanted,
    options: Options,
) -> Done {
    let signals = signals()?;
    let mut plane = XdpPlane::load(verified, &object, &options)?;
    let mut applied = Applied::adopted(&plane);
    // What clients wrote before this process was killed stays.
    let changes = match args.keeps_entries() {
        true => Changes::default(),
        false => applied.apply(&mut plane, wanted)?,
    };
    plane.attach()?;
    for note in plane.notes() {
        tracing::info!("{note}");
    }
    let target = hw_targets::target(&args.target)?;
    let mut files = Artifacts::default();
    source.files().into_iter().for_each(|(path, text)| files.add(path, text));
    files.add(compile::object_name(verified), object);
    let config = p4runtime::config(verified, &target, &files)?;
    let io = PacketIo::new(&options, args.packet_in)?;
    let running = Running { plane, options, target, told: Vec::new(), io };
    let ready = format!("ready: {} on {}; {changes}", verified.pipeline().name, args.named_ports());
    p4runtime::run(args, running, config, &mut applied, &signals, &ready)
}

fn ports(args: &Args) -> Result<Vec<Port>, Refused> {
    let port = |p: &super::PortArg| {
        if !p.is_interface() {
            return Err(Refused(format!("error: port {p}: XDP runs on interfaces only, as in 1@eth0")));
        }
        Ok(Port { number: p.number, interface: p.device.clone() })
    };
    args.ports.iter().map(port).collect()
}

impl Runs for Running {
    fn with(&mut self, what: &mut dyn FnMut(&mut dyn ReadBack)) {
        what(&mut self.plane);
    }

    fn end(&mut self) {
        self.plane.take_off();
    }

    fn more(&mut self) -> Map<String, Value> {
        self.io.punt.iter().map(|punt| ("packet_in".to_owned(), json!(punt.counts()))).collect()
    }

    /// Tells of interfaces that have gone, once; without any left there is nothing to run on.
    fn look(&mut self, tell: &dyn Fn(&str)) -> Result<State, Refused> {
        let gone = self.plane.gone();
        for interface in &gone {
            if !self.told.iter().any(|t| t == interface) {
                tell(&format!("interface `{interface}` is gone; start again when it is back"));
                self.told.push((*interface).to_owned());
            }
        }
        if gone.len() == self.options.ports.len() {
            return Err(Refused("error: every interface is gone".into()));
        }
        Ok(State::Running)
    }
}

/// Why a program was not put in another's place.
struct Failed(HostError);

impl From<XdpError> for Failed {
    fn from(error: XdpError) -> Self {
        Self(invalid(error.into()))
    }
}

/// A pipeline with its object.
struct Program {
    verified: Verified,
    object: Vec<u8>,
}

impl Host for Running {
    fn plane(&mut self) -> &mut dyn ReadBack {
        &mut self.plane
    }

    fn packet_out(&mut self, port: u32, frame: &[u8]) -> Result<(), HostError> {
        self.io.send(&self.options, port, frame).map_err(|e| not_sent(&e))
    }

    fn inbox(&mut self) -> Option<Inbox> {
        self.io.inbox.take()
    }

    /// Compiles what the bundle has not compiled.
    fn verify(&mut self, bundle: &Bundle) -> Result<Prepared, HostError> {
        let source = from_bundle(bundle).map_err(invalid)?;
        let verified = source.verified().map_err(invalid)?;
        let files = compile::emit(&source, &verified, &self.target).map_err(invalid)?;
        let name = compile::object_name(&verified);
        let object = match bundle.files.iter().find(|f| f.path == name) {
            Some(file) => file.content.to_vec(),
            None => {
                let made =
                    compile::object(&verified, &files).map_err(|e| HostError::Failed(e.to_string()))?;
                made.ok_or_else(|| HostError::Invalid("the target emits no XDP program".into()))?
            }
        };
        let pipeline = verified.pipeline().clone();
        Ok(Prepared { pipeline, program: Box::new(Program { verified, object }) })
    }

    /// The kernel's verifier.
    fn judge(&mut self, prepared: &Prepared) -> Result<(), HostError> {
        let Some(program) = prepared.program.downcast_ref::<Program>() else { return Err(foreign()) };
        let options = Options { entries: Vec::new(), ..self.options.clone() };
        XdpPlane::judge(&program.verified, &program.object, &options).map_err(|e| Failed::from(e).0)
    }

    /// The new program takes the place of the old one on each interface at once, with the maps that both have alike.
    fn commit(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        self.replace(prepared, entries, false)
    }

    /// With tables and rings of its own: whatever the kernel refuses, those of the program that runs are as they were.
    fn commit_other(&mut self, prepared: Prepared, entries: &[CheckedEntry]) -> Result<(), HostError> {
        self.replace(prepared, entries, true)
    }
}

fn foreign() -> HostError {
    HostError::Failed("another target's program".into())
}

impl Running {
    fn replace(
        &mut self,
        prepared: Prepared,
        entries: &[CheckedEntry],
        empty: bool,
    ) -> Result<(), HostError> {
        let program = prepared.program.downcast::<Program>().map_err(|_| foreign())?;
        let options = Options { flush: false, empty, entries: entries.to_vec(), ..self.options.clone() };
        let prepare = |plane: &mut XdpPlane| hold(plane, entries).map_err(|e| Failed(p4runtime::not_held(e)));
        let done = self.plane.replace(&program.verified, &program.object, &options, prepare);
        done.map_err(|Failed(error)| error)?;
        for note in self.plane.notes() {
            tracing::info!("{note}");
        }
        Ok(())
    }
}

/// Packets from and to a controller: sockets beside the program, made where they are asked for.
#[derive(Default)]
struct PacketIo {
    outs: BTreeMap<u32, Out>,
    punt: Option<Arc<Punt>>,
    inbox: Option<Inbox>,
    _listeners: Vec<Listener>,
}

/// Bytes of the ring of packets that wait: what comes while it is full costs the kernel nothing more.
const RING: usize = 512 << 10;

impl PacketIo {
    /// Hears what the program passes to the host, if that is asked for.
    fn new(options: &Options, rate: Option<u32>) -> Result<Self, Refused> {
        let Some((punt, inbox)) = rate.map(Punt::new) else { return Ok(Self::default()) };
        let hears = packet::Options { ring_bytes: RING, looks_on: true, ..packet::Options::default() };
        let mut listeners = Vec::new();
        for port in &options.ports {
            let (device, _notes) = packet::open(&port.interface, &hears)?;
            listeners.push(Listener::start(port.number, device, Arc::clone(&punt))?);
        }
        Ok(Self { outs: BTreeMap::new(), punt: Some(punt), inbox: Some(inbox), _listeners: listeners })
    }

    fn send(&mut self, options: &Options, port: u32, frame: &[u8]) -> Result<(), SendError> {
        let found = options.ports.iter().find(|p| p.number == port).ok_or(SendError::NoPort(port))?;
        match self.outs.entry(port) {
            Entry::Occupied(mut out) => out.get_mut().send(frame),
            Entry::Vacant(place) => place.insert(Out::open(port, &found.interface)?).send(frame),
        }
    }
}
