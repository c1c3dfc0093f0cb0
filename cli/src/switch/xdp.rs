//! `guideway switch --target xdp`.

use super::Args;
use super::apply::Applied;
use super::entries::Wanted;
use super::serve::{Runs, State, serve, signals};
use crate::{Done, Refused};
use pipeline_ir::RingId;
use pipeline_ir::verify::Verified;
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::{Options, Port, XdpPlane, default_pin_dir};

/// The plane, and the interfaces of which it was told that they are gone.
struct Running {
    plane: XdpPlane,
    ports: usize,
    told: Vec<String>,
}

pub(super) fn run(args: &Args, verified: &Verified, object: &[u8], wanted: &Wanted) -> Done {
    let signals = signals()?;
    let ports = ports(args)?;
    let first = ports.first().map_or("", |p| p.interface.as_str());
    let own = || default_pin_dir(&verified.pipeline().name, first);
    let options = Options {
        ports: ports.clone(),
        pin_dir: Some(args.pin_dir.clone().unwrap_or_else(own)),
        flush: args.flush,
        entries: wanted.entries.clone(),
        ..Options::default()
    };
    let mut plane = XdpPlane::load(verified, object, &options)?;
    let mut applied = adopted(&plane);
    let changes = applied.apply(&mut plane, wanted)?;
    plane.attach()?;
    for note in plane.notes() {
        eprintln!("note: {note}");
    }
    println!("ready: {} on {}; {changes}", verified.pipeline().name, args.named_ports());
    let mut running = Running { plane, ports: ports.len(), told: Vec::new() };
    let done = serve(args, verified, &mut running, &mut applied, &signals);
    running.plane.detach();
    done
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

/// What a loaded plane already holds of rings.
fn adopted(plane: &XdpPlane) -> Applied {
    let mut applied = Applied::new(plane.pipeline());
    for (i, ring) in (0u32..).zip(&plane.pipeline().rings) {
        for pool in 0..ring.pools {
            if let Some(generation) = plane.generation(RingId(i), pool) {
                applied.in_force.insert((RingId(i), pool), generation);
                applied.rings.adopt(RingId(i), pool, &plane.ring_slots(RingId(i), pool, generation));
            }
        }
    }
    applied
}

impl Runs for Running {
    fn plane(&mut self) -> &mut dyn DataPlane {
        &mut self.plane
    }

    /// Tells of interfaces that have gone, once; without any left there is nothing to run on.
    fn look(&mut self) -> Result<State, Refused> {
        let gone = self.plane.gone();
        for interface in &gone {
            if !self.told.iter().any(|t| t == interface) {
                eprintln!("note: interface `{interface}` is gone; start again when it is back");
                self.told.push((*interface).to_owned());
            }
        }
        if gone.len() == self.ports {
            return Err(Refused("error: every interface is gone".into()));
        }
        Ok(State::Running)
    }
}
