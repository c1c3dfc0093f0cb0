//! `guideway switch --target xdp`.

use super::Args;
use super::entries::Wanted;
use crate::{Done, Refused};
use guideway::serving::{Applied, Runs, State, signals};
use pipeline_ir::RingId;
use pipeline_ir::verify::Verified;
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::{Options, Port, XdpPlane, default_pin_dir, early};

/// The plane, and the interfaces of which it was told that they are gone.
struct Running {
    plane: XdpPlane,
    ports: usize,
    told: Vec<String>,
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
    verified: &Verified,
    object: &[u8],
    wanted: &Wanted,
    options: &Options,
) -> Done {
    let signals = signals()?;
    let mut plane = XdpPlane::load(verified, object, options)?;
    let mut applied = adopted(&plane);
    let changes = applied.apply(&mut plane, wanted)?;
    plane.attach()?;
    for note in plane.notes() {
        tracing::info!("{note}");
    }
    println!("ready: {} on {}; {changes}", verified.pipeline().name, args.named_ports());
    let mut running = Running { plane, ports: options.ports.len(), told: Vec::new() };
    let done = args.serve(verified, &mut running, &mut applied, &signals);
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
    fn look(&mut self, tell: &dyn Fn(&str)) -> Result<State, Refused> {
        let gone = self.plane.gone();
        for interface in &gone {
            if !self.told.iter().any(|t| t == interface) {
                tell(&format!("interface `{interface}` is gone; start again when it is back"));
                self.told.push((*interface).to_owned());
            }
        }
        if gone.len() == self.ports {
            return Err(Refused("error: every interface is gone".into()));
        }
        Ok(State::Running)
    }
}
