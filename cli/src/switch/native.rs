//! `guideway switch --target native`.

use super::Args;
use crate::{Done, Refused, programs};
use guideway::serving::{Applied, Native, signals};
use pipeline_ir::verify::Verified;
use sw_fallback::devices::packet;
use sw_fallback::native::{HostPort, Port, Running, open_host_port, open_port};

pub(super) fn run(args: &Args, verified: &Verified) -> Done {
    let signals = signals()?;
    let program = programs::find(verified)?;
    if program.changes_passed && args.host_port.is_none() {
        let name = &verified.pipeline().name;
        return Err(Refused(format!(
            "error: `{name}` changes packets that it passes to the host: say where they enter it by --host-port NAME, \
             as in `--host-port gw0` (a tap of that name is made and goes with the switch)"
        )));
    }
    let wanted = args.wanted(verified)?;
    let mut plane = program.plane;
    let mut applied = Applied::new(verified.pipeline());
    let changes = applied.apply(&mut plane, &wanted)?;
    let (ports, host) = devices(args)?;
    let running = Running::start(plane, ports, host)?;
    tracing::info!("flows and counts live in this process and end with it");
    println!("ready: {} on {}; {changes}", verified.pipeline().name, args.named_ports());
    args.serve(verified, &mut Native::new(running), &mut applied, &signals)
}

/// Opens every port, or none.
fn devices(args: &Args) -> Result<(Vec<Port>, Option<HostPort>), Refused> {
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
