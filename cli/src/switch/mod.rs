//! `guideway switch`.

#[cfg(feature = "dpdk")]
mod dpdk;
pub(crate) mod entries;
mod native;
mod p4runtime;
mod port;
mod xdp;

use crate::source::{Source, SourceArgs};
use crate::{Done, Refused, compile};
use entries::Wanted;
use guideway::serving::{Applied, Job, Runs, serve};
use p4runtime_server::Address;
use pipeline_ir::Pipeline;
use pipeline_ir::verify::Verified;
use port::PortArg;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::Receiver;

/// Runs a pipeline in software: in the kernel as XDP, or in this process.
///
/// It prints a line that starts with `ready` when packets are handled, then runs in the foreground. SIGHUP reads the
/// entries again and applies the difference (a line that starts with `reloaded`); SIGUSR1 writes the status file;
/// SIGTERM and SIGINT detach and end.
///
/// `xdp` goes on in the kernel if this process is killed, and the next start adopts entries, flows and counts.
///
/// `native` runs the built-in pipelines in this process, on packet sockets (CAP_NET_RAW), taps or captures; flows and
/// counts end with it. The host's stack hears the frames of an interface too: `pass` leaves unchanged ones to it, and
/// sends changed ones, such as what `decap` has unwrapped, through --host-port. See docs/native.md.
///
/// `dpdk` runs any pipeline that fits it in DPDK's software switch, on the same ports as `native`, without huge pages. It is
/// there where this command was built with `--features dpdk`. See docs/dpdk.md.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The data plane: `xdp`, `native` or `dpdk`.
    #[arg(long)]
    target: String,
    /// A port: its number in the pipeline and its interface; on native and dpdk also `N@tap:NAME`, `N@pcap:IN[:OUT]` or `N@ring:FILE`.
    #[arg(long = "port", value_name = "N@IFACE", required = true)]
    ports: Vec<PortArg>,
    /// The entries of its tables, TOML or JSON.
    #[arg(long)]
    entries: Option<PathBuf>,
    /// xdp: where to pin programs and maps [default: /sys/fs/bpf/guideway/PIPELINE-IFACE].
    #[arg(long)]
    pin_dir: Option<PathBuf>,
    /// The status file that SIGUSR1 and the end write.
    #[arg(long)]
    status: Option<PathBuf>,
    /// Serves P4Runtime there: IP:PORT (without TLS, of this machine only) or unix:PATH.
    #[arg(long, value_name = "ADDR")]
    p4runtime: Option<Address>,
    /// The server's certificate, PEM, with those between it and its authority.
    #[arg(long, value_name = "FILE", requires_all = ["p4runtime", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Answers only clients with a certificate that one of these authorities signed, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Serves other machines without TLS: whoever reaches ADDR may write.
    #[arg(long, requires = "p4runtime", conflicts_with = "tls_cert")]
    p4runtime_insecure: bool,
    /// The device's number in P4Runtime.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), requires = "p4runtime")]
    device_id: u64,
    /// Gives P4Runtime's primaries packets that are passed to the host, so many a second at most.
    #[arg(long, value_name = "RATE", requires = "p4runtime", value_parser = clap::value_parser!(u32).range(1..))]
    packet_in: Option<u32>,
    /// xdp: adopts nothing of an earlier run.
    #[arg(long)]
    flush: bool,
    /// native, dpdk: where changed packets enter the host: a tap to be made, or an interface whose far end is the host's.
    #[arg(long, value_name = "NAME", value_parser = port::interface)]
    host_port: Option<String>,
    /// native, dpdk: takes frames for any Ethernet address, as a switch in the middle does.
    #[arg(long)]
    promiscuous: bool,
}

const EXAMPLES: &str = "Examples:
  guideway switch --target xdp --port 1@eth0 --entries entries.toml
  guideway switch my_pipeline.rs --target xdp --port 1@eth0 --port 2@eth1 --entries entries.toml --status status.json
  guideway switch out/ --target xdp --port 1@eth0       (a folder that `guideway compile` wrote)
  guideway switch --target native --port 1@eth0 --entries entries.toml
  guideway switch --target xdp --port 1@eth0 --p4runtime 127.0.0.1:9559
  guideway switch --target dpdk --port 1@pcap:in.pcap:out.pcap --entries entries.toml
  guideway switch --target xdp --port 1@eth0 --p4runtime 0.0.0.0:9559 --tls-cert switch.pem --tls-key switch.key --tls-client-ca ca.pem
  guideway switch --target xdp --port 1@eth0 --p4runtime 127.0.0.1:9559 --packet-in 100
  guideway switch --target native --pipeline decap --port 1@eth0 --host-port gw0 --entries decap.toml
  guideway switch --target native --port 1@pcap:in.pcap:out.pcap --entries entries.toml
  guideway switch --target dpdk --port 1@eth0 --entries entries.toml --p4runtime 127.0.0.1:9559";

pub(crate) fn run(args: &Args) -> Done {
    let target = hw_targets::target(&args.target)?;
    p4runtime::options(args)?;
    let source = args.source.read()?;
    let verified = source.verified()?;
    match target.arch.as_str() {
        "xdp" => {
            args.only_for(
                "native",
                &[("--host-port", args.host_port.is_some()), ("--promiscuous", args.promiscuous)],
            )?;
            let wanted = args.wanted(verified.pipeline())?;
            let options = xdp::options(args, &verified, &wanted)?;
            let object = args.object(&source, &verified, &target)?;
            xdp::run(args, &source, &verified, object, &wanted, options)
        }
        "rust" => {
            args.only_for("xdp", &[("--pin-dir", args.pin_dir.is_some()), ("--flush", args.flush)])?;
            native::run(args, &source, &verified)
        }
        "swx" => {
            args.only_for("xdp", &[("--pin-dir", args.pin_dir.is_some()), ("--flush", args.flush)])?;
            run_dpdk(args, &source, &verified, target)
        }
        _ => {
            let name = target.name;
            Err(Refused(format!("error: target `{name}` does not run here; `xdp`, `native` and `dpdk` do")))
        }
    }
}

#[cfg(feature = "dpdk")]
fn run_dpdk(args: &Args, source: &Source, verified: &Verified, target: hw_targets::Target) -> Done {
    dpdk::run(args, source, verified, target)
}

/// What needs libdpdk is left out.
#[cfg(not(feature = "dpdk"))]
#[allow(clippy::needless_pass_by_value)]
fn run_dpdk(_: &Args, _: &Source, _: &Verified, target: hw_targets::Target) -> Done {
    let name = target.name;
    Err(Refused(format!(
        "error: target `{name}`: this guideway was built without DPDK: `apt-get install libdpdk-dev`, then `cargo build \
         --package guideway-cli --features dpdk`"
    )))
}

impl Args {
    /// Refuses options that another target has.
    fn only_for(&self, other: &str, options: &[(&str, bool)]) -> Result<(), Refused> {
        match options.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((name, _)) => {
                let target = &self.target;
                Err(Refused(format!(
                    "error: {name} is for `--target {other}`; `--target {target}` has no such option"
                )))
            }
        }
    }

    /// The ports, as in the line that says `ready`.
    fn named_ports(&self) -> String {
        self.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Whether the tables hold what clients have written, in an earlier run too, and nothing else says what.
    fn keeps_entries(&self) -> bool {
        self.p4runtime.is_some() && self.entries.is_none()
    }

    fn wanted(&self, p: &Pipeline) -> Result<Wanted, Refused> {
        self.entries.as_ref().map_or_else(|| Ok(Wanted::default()), |path| entries::read(path, p))
    }

    /// Serves until a signal, or the end of all input, ends it.
    fn serve(&self, it: &mut dyn Runs, applied: &mut Applied, signals: &Receiver<i32>) -> Done {
        let wanted = |p: &Pipeline| match self.keeps_entries() {
            true => {
                Err(Refused("error: there is no --entries to read; clients say what the tables hold".into()))
            }
            false => self.wanted(p),
        };
        let tell = |text: &str| tracing::warn!("{text}");
        let job = Job { wanted: &wanted, status: self.status.as_deref(), tell: &tell };
        serve(&job, it, applied, signals)?;
        Ok(ExitCode::SUCCESS)
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
