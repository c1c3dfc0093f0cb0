//! `switch`: a pipeline of one's own on interfaces, by the command line that `guideway switch` has too.

use crate::Native;
use crate::serving::{self, Applied, Job, Refused, serve, signals};
use pipeline_entries::Wanted;
use std::path::PathBuf;
use std::process::ExitCode;
use sw_fallback::devices::packet;
use sw_fallback::native::{HostPort, Port, Running, open_host_port, open_port};
use sw_fallback::plane::DataPlane;

/// How to call a program whose `main` is [`switch`].
const USAGE: &str = "Options:
  --port N@DEVICE     a port: its number in the pipeline, and an interface, tap:NAME, or pcap:IN[:OUT]
  --entries FILE      the entries of its tables, TOML or JSON
  --host-port NAME    where packets that the pipeline changes and passes enter the host
  --status FILE       where SIGUSR1 and the end write counts, entries and flows
  --promiscuous       takes frames for any Ethernet address
  --help              shows this";

type Done<T> = Result<T, Refused>;

/// Runs a pipeline on the ports that the command line names, until every port has ended or a signal ends it. A line
/// that starts with `ready` says that packets are handled; SIGHUP reads the entries again and applies the difference (a
/// line that starts with `reloaded`), SIGUSR1 writes the status file; counts that are not 0 are printed at the end.
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
        Err(Refused(text)) => {
            eprintln!("{text}");
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
    status: Option<PathBuf>,
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
                joined
                    .clone()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| wrong(&format!("`{name}` without a value")))
            };
            match name {
                "--port" => options.ports.push(port(&value()?)?),
                "--entries" => options.entries = Some(value()?.into()),
                "--host-port" => options.host_port = Some(value()?),
                "--status" => options.status = Some(value()?.into()),
                "--promiscuous" if joined.is_none() => options.promiscuous = true,
                "--help" | "-h" => {
                    println!("{USAGE}");
                    return Ok(None);
                }
                _ => return Err(wrong(&format!("there is no option `{argument}`\n{USAGE}"))),
            }
        }
        if options.ports.is_empty() {
            return Err(wrong(&format!("no `--port` is given\n{USAGE}")));
        }
        for (i, (number, device)) in options.ports.iter().enumerate() {
            if options.ports[..i].iter().any(|(n, d)| n == number || d == device) {
                return Err(wrong(&format!(
                    "port {number}@{device}: each number and each device stands once"
                )));
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

fn wrong(why: &str) -> Refused {
    Refused(format!("error: {why}"))
}

fn port(text: &str) -> Done<(u32, String)> {
    let (number, device) =
        text.split_once('@').ok_or_else(|| wrong("write `--port N@DEVICE`, as in 1@eth0"))?;
    let number = number.parse().map_err(|_| wrong(&format!("`{number}` is no port number")))?;
    Ok((number, device.to_owned()))
}

fn run<P: Native>(options: &Options) -> Done<()> {
    let signals = signals()?;
    let mut plane = crate::plane::<P>()?;
    let pipeline = plane.pipeline().clone();
    let wanted = |pipeline: &pipeline_ir::Pipeline| match &options.entries {
        Some(path) => Ok(pipeline_entries::read(path, pipeline)?),
        None => Ok(Wanted::default()),
    };
    let mut applied = Applied::new(&pipeline);
    let changes = applied.apply(&mut plane, &wanted(&pipeline)?)?;
    let (ports, host) = options.open()?;
    let names: Vec<String> = options.ports.iter().map(|(n, d)| format!("{n}@{d}")).collect();
    let mut it = serving::Native::new(Running::start(plane, ports, host)?);
    println!("ready: {} on {}; {changes}", pipeline.name, names.join(" "));
    let tell = |text: &str| eprintln!("note: {text}");
    let job = Job { wanted: &wanted, status: options.status.as_deref(), tell: &tell };
    let served = serve(&job, &mut it, &mut applied, &signals);
    for (name, count) in it.running().plane().counters().iter().filter(|(_, c)| c.packets + c.bytes > 0) {
        println!("{name}: {} packets, {} bytes", count.packets, count.bytes);
    }
    served
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    fn read(line: &str) -> Result<Option<Options>, String> {
        Options::read(line.split_whitespace().map(str::to_owned)).map_err(|Refused(text)| text)
    }

    #[test]
    fn a_command_line_is_read_or_says_what_is_wrong() {
        let options = read(
            "--port 1@eth0 --port=2@tap:x --entries a.toml --host-port gw0 --status s.json --promiscuous",
        );
        let ports = vec![(1, "eth0".to_owned()), (2, "tap:x".to_owned())];
        let (entries, host_port) = (Some("a.toml".into()), Some("gw0".to_owned()));
        let status = Some("s.json".into());
        assert_eq!(options, Ok(Some(Options { ports, entries, host_port, status, promiscuous: true })));
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
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
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
        let (entries, status) = (path("entries.toml"), path("status.json"));
        let line = ["--port", &device, "--entries", &entries, "--status", &status].map(str::to_owned);
        let done = run::<crate::builtin::l4lb::Pipeline>(&Options::read(line).unwrap().unwrap());
        let out = fs::read(path("out.pcap")).unwrap_or_default();
        let status = fs::read_to_string(status).unwrap_or_default();
        done.unwrap();
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        assert_eq!(status["tables"]["vip4"][0]["packets"], 1);
        assert_eq!((&status["flows"]["flows4"]["new"], &status["ports"][0]["port"]), (&1.into(), &1.into()));
        assert_eq!(out.len(), 24 + 16 + frame.len() + 20, "one frame, with an outer header");
        assert_eq!(out[40..40 + 12], [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
        assert_eq!(out[out.len() - 60..], frame[14..], "the packet inside");
    }
}
