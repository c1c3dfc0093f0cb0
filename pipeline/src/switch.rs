//! `switch`: a pipeline of one's own on interfaces, by the command line that `guideway switch` has too.

use crate::Native;
use maglev_ring::{Member, Ring, stable_key};
use pipeline_entries::{RingSpec, Wanted};
use pipeline_ir::Pipeline;
use pipeline_ir::entry::{CheckedEntry, Entry, RingFill, Tables, WriteKind, ring_names};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use sw_fallback::devices::packet;
use sw_fallback::native::{HostPort, NativePlane, Port, Running, open_host_port, open_port};
use sw_fallback::plane::DataPlane;

/// How to call a program whose `main` is [`switch`].
const USAGE: &str = "Options:
  --port N@DEVICE     a port: its number in the pipeline, and an interface, tap:NAME, or pcap:IN[:OUT]
  --entries FILE      the entries of its tables, TOML or JSON
  --host-port NAME    where packets that the pipeline changes and passes enter the host
  --promiscuous       takes frames for any Ethernet address
  --help              shows this";

/// How soon it is seen that a port has ended.
const PAUSE: Duration = Duration::from_millis(50);

type Done<T> = Result<T, Box<dyn Error>>;

/// Runs a pipeline on the ports that the command line names, until every port has ended or a signal ends it. A line
/// that starts with `ready` says that packets are handled; counts that are not 0 are printed at the end.
///
/// ```no_run
/// # use guideway::builtin::l4lb as own;
/// fn main() -> std::process::ExitCode {
///     guideway::switch::<own::Pipeline>()
/// }
/// ```
#[must_use]
pub fn switch<P: Native>() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|o| o.as_ref().map_or(Ok(()), run::<P>)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Options {
    ports: Vec<(u32, String)>,
    entries: Option<PathBuf>,
    host_port: Option<String>,
    promiscuous: bool,
}

impl Options {
    /// None: help was asked for, and shown.
    fn read(arguments: impl IntoIterator<Item = String>) -> Done<Option<Self>> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, joined) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || {
                joined.clone().or_else(|| arguments.next()).ok_or_else(|| format!("`{name}` without a value"))
            };
            match name {
                "--port" => options.ports.push(port(&value()?)?),
                "--entries" => options.entries = Some(value()?.into()),
                "--host-port" => options.host_port = Some(value()?),
                "--promiscuous" if joined.is_none() => options.promiscuous = true,
                "--help" | "-h" => {
                    println!("{USAGE}");
                    return Ok(None);
                }
                _ => return Err(format!("there is no option `{argument}`\n{USAGE}").into()),
            }
        }
        if options.ports.is_empty() {
            return Err(format!("no `--port` is given\n{USAGE}").into());
        }
        for (i, (number, device)) in options.ports.iter().enumerate() {
            if options.ports[..i].iter().any(|(n, d)| n == number || d == device) {
                return Err(format!("port {number}@{device}: each number and each device stands once").into());
            }
        }
        Ok(Some(options))
    }

    /// Opens every port, or none.
    fn open(&self) -> Done<(Vec<Port>, Option<HostPort>)> {
        let options = packet::Options { promiscuous: self.promiscuous, ..packet::Options::default() };
        let (mut ports, mut notes) = (Vec::new(), Vec::new());
        for (number, device) in &self.ports {
            let (port, more) = open_port(*number, device, &options)?;
            ports.push(port);
            notes.extend(more);
        }
        let mtu = ports.iter().filter_map(|p| p.device.mtu).max();
        let host = self.host_port.as_ref().map(|name| open_host_port(name, mtu)).transpose()?;
        let host = host.map(|(host, more)| {
            notes.extend(more);
            host
        });
        notes.iter().for_each(|note| eprintln!("note: {note}"));
        Ok((ports, host))
    }
}

fn port(text: &str) -> Done<(u32, String)> {
    let (number, device) = text.split_once('@').ok_or("write `--port N@DEVICE`, as in 1@eth0")?;
    let number = number.parse().map_err(|_| format!("`{number}` is no port number"))?;
    Ok((number, device.to_owned()))
}

fn run<P: Native>(options: &Options) -> Done<()> {
    let mut plane = crate::plane::<P>()?;
    let pipeline = plane.pipeline().clone();
    let wanted = match &options.entries {
        Some(path) => pipeline_entries::read(path, &pipeline)?,
        None => Wanted::default(),
    };
    fill(&mut plane, &pipeline, &wanted)?;
    let (ports, host) = options.open()?;
    let names: Vec<String> = options.ports.iter().map(|(n, d)| format!("{n}@{d}")).collect();
    let mut running = Running::start(plane, ports, host)?;
    let (entries, rings) = (wanted.entries.len(), wanted.rings.len());
    println!("ready: {} on {}; {entries} entries, {rings} rings", pipeline.name, names.join(" "));
    let mut lost = 0;
    loop {
        // Asked first: what a port says before its end is then among the events.
        let over = running.is_over();
        for event in running.events() {
            lost += usize::from(event.is_end() && event.error.is_some());
            if let Some(error) = event.error {
                eprintln!("note: port {}: {error}", event.number);
            }
        }
        if over {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    for (name, count) in running.plane().counters().iter().filter(|(_, c)| c.packets + c.bytes > 0) {
        println!("{name}: {} packets, {} bytes", count.packets, count.bytes);
    }
    if lost == options.ports.len() { Err("every port is gone".into()) } else { Ok(()) }
}

/// Writes what a file asks for into an empty data plane: a ring before its generation is put in force.
fn fill(plane: &mut NativePlane, p: &Pipeline, wanted: &Wanted) -> Done<()> {
    let tables = Tables::new(p);
    let put = |plane: &mut NativePlane, entry: &CheckedEntry| {
        let refused = |e| format!("table `{}`: {e}", tables.entry(entry).table);
        plane.write(entry, WriteKind::Insert).map_err(refused)
    };
    let (pools, others): (Vec<_>, Vec<_>) =
        wanted.entries.iter().partition(|e| matches!(e, CheckedEntry::Pool(_)));
    others.into_iter().try_for_each(|e| put(plane, e))?;
    for ring in &wanted.rings {
        let (fill, generation) = slots(p, ring)?;
        plane.fill_ring(&tables.check_ring(fill)?)?;
        put(plane, &tables.check(&generation)?)?;
    }
    Ok(pools.into_iter().try_for_each(|e| put(plane, e))?)
}

/// A ring's slots from its members, and the entry that puts them in force.
fn slots(p: &Pipeline, spec: &RingSpec) -> Done<(RingFill, Entry)> {
    let ring = p.rings.get(spec.ring.index()).ok_or("there is no such ring")?;
    let member = |&(id, weight)| Member { id, key: stable_key(u32::to_string(&id).as_bytes()), weight };
    let members: Vec<Member> = spec.members.iter().map(member).collect();
    let built = Ring::build(ring.slots, &members)
        .map_err(|e| format!("ring `{}`, pool {}: {e}", ring.name, spec.pool))?;
    let fill = RingFill {
        ring: ring.name.clone(),
        pool: spec.pool,
        generation: spec.generation,
        slots: built.slots().to_vec(),
    };
    let generation = Entry {
        table: ring.pool_table.clone(),
        key: vec![(ring_names::POOL.into(), pipeline_ir::KeyValue::Exact(spec.pool.into()))],
        priority: 0,
        action: ring_names::SET_GENERATION.into(),
        params: vec![(ring_names::GENERATION.into(), spec.generation.into())],
    };
    Ok((fill, generation))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    fn read(line: &str) -> Result<Option<Options>, String> {
        Options::read(line.split_whitespace().map(str::to_owned)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_command_line_is_read_or_says_what_is_wrong() {
        let options = read("--port 1@eth0 --port=2@tap:x --entries a.toml --host-port gw0 --promiscuous");
        let ports = vec![(1, "eth0".to_owned()), (2, "tap:x".to_owned())];
        let (entries, host_port) = (Some("a.toml".into()), Some("gw0".to_owned()));
        assert_eq!(options, Ok(Some(Options { ports, entries, host_port, promiscuous: true })));
        assert_eq!(read("--help"), Ok(None));
        for (line, part) in [
            ("", "no `--port` is given"),
            ("--port", "`--port` without a value"),
            ("--port eth0", "write `--port N@DEVICE`"),
            ("--port x@eth0", "`x` is no port number"),
            ("--port 1@eth0 --port 1@eth1", "stands once"),
            ("--prot 1@eth0", "there is no option `--prot`"),
        ] {
            assert!(read(line).unwrap_err().contains(part), "{line}");
        }
    }

    /// A capture of the classic format: one frame.
    fn capture(frame: &[u8]) -> Vec<u8> {
        let head = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1, 0, 0];
        let length = frame.len() as u32;
        let words = head.into_iter().chain([length, length]);
        words.flat_map(u32::to_le_bytes).chain(frame.iter().copied()).collect()
    }

    #[test]
    fn a_capture_goes_through_a_program_of_the_macro() {
        let folder = std::env::temp_dir().join(format!("guideway-switch-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = |name: &str| folder.join(name).display().to_string();
        let mut frame = [0; 74];
        frame[12..18].copy_from_slice(&[0x08, 0x00, 0x45, 0x00, 0, 60]);
        frame[22..24].copy_from_slice(&[64, 6]);
        frame[26..34].copy_from_slice(&[192, 0, 2, 1, 203, 0, 113, 10]);
        (frame[37], frame[46], frame[47]) = (80, 0x50, 0x02);
        fs::write(path("in.pcap"), capture(&frame)).unwrap();
        let entries = r#"
            [[entry]]
            table = "vip4"
            key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
            action = "set_vip"
            params = { vip = 1, pool = 1, hash_key = 0, flags = 0, class = 0 }
            [[entry]]
            table = "backend"
            key = { backend = 16384 }
            action = "ipip4"
            [entry.params]
            src = "10.0.0.1"
            spread = 0
            dst = "10.0.0.2"
            port = 1
            dst_mac = "02:00:00:00:00:02"
            src_mac = "02:00:00:00:00:01"
            mtu = 1500
            [[ring]]
            pool = 1
            backends = [16384]
        "#;
        fs::write(path("entries.toml"), entries).unwrap();
        let device = format!("1@pcap:{}:{}", path("in.pcap"), path("out.pcap"));
        let line = ["--port", &device, "--entries", &path("entries.toml")].map(str::to_owned);
        let done = run::<crate::builtin::l4lb::Pipeline>(&Options::read(line).unwrap().unwrap());
        let out = fs::read(path("out.pcap")).unwrap_or_default();
        fs::remove_dir_all(&folder).unwrap();
        done.unwrap();
        assert_eq!(out.len(), 24 + 16 + frame.len() + 20, "one frame, with an outer header");
        assert_eq!(out[40..40 + 12], [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
        assert_eq!(out[out.len() - 60..], frame[14..], "the packet inside");
    }
}
