//! `guideway switch`.

mod apply;
pub(crate) mod entries;
pub(crate) mod rings;
mod status;

use crate::source::{Source, SourceArgs};
use crate::{Done, Refused, compile};
use apply::Applied;
use entries::Wanted;
use pipeline_ir::RingId;
use pipeline_ir::verify::Verified;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use sw_fallback::plane::DataPlane;
use sw_fallback::xdp::{Options, Port, XdpPlane, default_pin_dir};

/// Runs a pipeline in software: in the kernel as XDP, or in this process.
///
/// It prints a line that starts with `ready` when packets are handled, then runs in the foreground. SIGHUP reads the
/// entries again and applies the difference (a line that starts with `reloaded`); SIGUSR1 writes the status file;
/// SIGTERM and SIGINT detach and end. If it is killed, XDP goes on, and the next start adopts entries, flows and
/// counts.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway switch --target xdp --port 1@eth0 --entries entries.toml\n  guideway switch my_pipeline.rs --target xdp --port 1@eth0 --port 2@eth1 --entries entries.toml --status status.json\n  guideway switch out/ --target xdp --port 1@eth0       (a folder that `guideway compile` wrote)"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The data plane: `xdp` or `native`.
    #[arg(long)]
    target: String,
    /// A port: its number in the pipeline and its interface.
    #[arg(long = "port", value_name = "N@IFACE", value_parser = port, required = true)]
    ports: Vec<Port>,
    /// The entries of its tables, TOML or JSON.
    #[arg(long)]
    entries: Option<PathBuf>,
    /// Where to pin programs and maps [default: /sys/fs/bpf/guideway/PIPELINE-IFACE].
    #[arg(long)]
    pin_dir: Option<PathBuf>,
    /// The status file that SIGUSR1 and the end write.
    #[arg(long)]
    status: Option<PathBuf>,
    /// Adopts nothing of an earlier run.
    #[arg(long)]
    flush: bool,
}

fn port(text: &str) -> Result<Port, String> {
    let (number, interface) = text.split_once('@').ok_or("write N@IFACE, as in 1@eth0")?;
    let number = number.parse().map_err(|_| format!("`{number}` is no port number"))?;
    if interface.is_empty() || interface.len() > 15 {
        return Err(format!("`{interface}` is no interface name"));
    }
    Ok(Port { number, interface: interface.to_owned() })
}

pub(crate) fn run(args: &Args) -> Done {
    let target = hw_targets::target(&args.target)?;
    let source = args.source.read()?;
    let verified = source.verified()?;
    let wanted = args.wanted(&verified)?;
    if target.arch == "xdp" {
        let object = args.object(&source, &verified, &target)?;
        return run_xdp(args, &verified, &object, &wanted);
    }
    let name = target.name;
    Err(Refused(format!("error: target `{name}` does not run here; `xdp` does")))
}

impl Args {
    fn wanted(&self, verified: &Verified) -> Result<Wanted, Refused> {
        self.entries
            .as_ref()
            .map_or_else(|| Ok(Wanted::default()), |path| entries::read(path, verified.pipeline()))
    }

    /// The object: from a folder that has it, else compiled now.
    fn object(
        &self,
        source: &Source,
        verified: &Verified,
        target: &hw_targets::Target,
    ) -> Result<Vec<u8>, Refused> {
        let made = self.source.folder().map(|f| f.join(compile::object_name(verified)));
        if let Some(bytes) = made.and_then(|path| std::fs::read(path).ok()) {
            return Ok(bytes);
        }
        let files = compile::emit(source, verified, target)?;
        let object = compile::object(verified, &files)?;
        object.ok_or_else(|| Refused(format!("error: target `{}` emits no XDP program", target.name)))
    }
}

fn run_xdp(args: &Args, verified: &Verified, object: &[u8], wanted: &Wanted) -> Done {
    let signals = signals()?;
    let first = args.ports.first().map_or("", |p| p.interface.as_str());
    let own = || default_pin_dir(&verified.pipeline().name, first);
    let options = Options {
        ports: args.ports.clone(),
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
    let ports: Vec<String> = args.ports.iter().map(|p| format!("{}@{}", p.number, p.interface)).collect();
    println!("ready: {} on {}; {changes}", verified.pipeline().name, ports.join(" "));
    let done = serve(args, verified, &mut plane, &mut applied, &signals);
    plane.detach();
    done
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

/// Signals as they come, from a thread of their own.
fn signals() -> Result<Receiver<i32>, Refused> {
    let mut signals = Signals::new([SIGHUP, SIGUSR1, SIGTERM, SIGINT])?;
    let (to, from) = channel();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if to.send(signal).is_err() {
                break;
            }
        }
    });
    Ok(from)
}

/// Does what signals ask for, until one asks for the end.
fn serve(
    args: &Args,
    verified: &Verified,
    plane: &mut XdpPlane,
    applied: &mut Applied,
    signals: &Receiver<i32>,
) -> Done {
    let mut told = Vec::new();
    loop {
        match signals.recv_timeout(Duration::from_secs(1)) {
            Ok(SIGHUP) => match args.wanted(verified).and_then(|wanted| applied.apply(plane, &wanted)) {
                Ok(changes) => println!("reloaded: {changes}"),
                Err(Refused(text)) => eprintln!("{text}\nnot reloaded: what was there before stays"),
            },
            Ok(SIGUSR1) => {
                if let Err(Refused(text)) = write_status(args, plane) {
                    eprintln!("{text}");
                }
            }
            Ok(_) | Err(RecvTimeoutError::Disconnected) => {
                write_status(args, plane)?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(RecvTimeoutError::Timeout) => {
                gone(args, plane, &mut told)?;
            }
        }
    }
}

fn write_status(args: &Args, plane: &dyn DataPlane) -> Result<(), Refused> {
    args.status.as_ref().map_or(Ok(()), |path| status::write(plane, path))
}

/// Tells of interfaces that have gone, once; without any left there is nothing to run on.
fn gone(args: &Args, plane: &XdpPlane, told: &mut Vec<String>) -> Result<(), Refused> {
    let gone = plane.gone();
    for interface in &gone {
        if !told.iter().any(|t| t == interface) {
            eprintln!("note: interface `{interface}` is gone; start again when it is back");
            told.push((*interface).to_owned());
        }
    }
    if gone.len() == args.ports.len() {
        return Err(Refused("error: every interface is gone".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_have_a_number_and_an_interface() {
        assert_eq!(port("7@eth0"), Ok(Port { number: 7, interface: "eth0".into() }));
        for wrong in ["eth0", "x@eth0", "1@", "1@a-name-far-too-long", "-1@eth0"] {
            assert!(port(wrong).is_err(), "{wrong}");
        }
    }
}
