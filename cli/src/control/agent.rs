//! `guideway agent`.

use crate::{Done, Refused};
use clap::builder::PossibleValuesParser;
use control_agent::{Agent, ConfigError, Controllers, File, Hook, Manner, Settings};
use runtime_client::{Options, Profile, Tls};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tonic::metadata::{Ascii, MetadataValue};

/// Keeps one node's data plane as the controller wants it.
///
/// It watches the controller, checks what that says, finds next hops, and writes the difference to a data plane that runs
/// `l4lb`, over P4Runtime. Without a controller it goes on with the last snapshot, also after a restart.
///
/// It prints a line that starts with `agent` once it runs. SIGTERM and SIGINT end it: the hook is told, and the data plane
/// goes on forwarding.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A file that says what is not said here, TOML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A controller; several times for several [default: 127.0.0.1:9570].
    #[arg(long = "controller", value_name = "HOST:PORT")]
    controllers: Vec<String>,
    /// This node's name [default: the host's].
    #[arg(long)]
    node: Option<String>,
    /// The P4Runtime server of its data plane: HOST:PORT or unix:PATH [default: 127.0.0.1:9559].
    #[arg(long, value_name = "ADDR")]
    p4runtime: Option<String>,
    /// What that server can do [default: guideway].
    #[arg(long, value_parser = PossibleValuesParser::new(runtime_client::BUILT_IN.map(|(name, _)| name)))]
    profile: Option<String>,
    /// The device behind it [default: 1].
    #[arg(long, value_name = "N")]
    device_id: Option<u64>,
    /// The highest election id writes [default: 1].
    #[arg(long, value_name = "N")]
    election_id: Option<u64>,
    /// A port of the data plane: its number and its interface, for next hops as the kernel knows them.
    #[arg(long = "port", value_name = "N@IFACE")]
    ports: Vec<String>,
    /// The tunnels' outer IPv4 source; of a network, the host bits take the flow's entropy [default: as the kernel would].
    #[arg(long, value_name = "ADDR[/LEN]")]
    source4: Option<String>,
    /// The same for IPv6.
    #[arg(long, value_name = "ADDR[/LEN]")]
    source6: Option<String>,
    /// Where the last snapshot is kept.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Begins without the last snapshot: for a controller that begins anew.
    #[arg(long, requires = "state")]
    forget: bool,
    /// /healthz, /readyz, /metrics and /admin/flows, on this machine only [default: 127.0.0.1:9572].
    #[arg(long, value_name = "IP:PORT")]
    http: Option<SocketAddr>,
    /// Run by `sh -c` with READY=1 when traffic may come, with READY=0 when not any more.
    #[arg(long, value_name = "CMD")]
    ready_command: Option<String>,
    /// There while traffic may come.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// How long the ring that was in force before is not written to, milliseconds [default: 100].
    #[arg(long, value_name = "MS")]
    grace_ms: Option<u64>,
    /// How often the data plane is read back, to repair what somebody else has written, seconds; 0: never [default: 60].
    #[arg(long, value_name = "SECONDS")]
    audit: Option<u64>,
    /// Speaks TLS with controllers that one of these authorities has signed, PEM.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Shows controllers this certificate, PEM.
    #[arg(long, value_name = "FILE", requires_all = ["tls_ca", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The name in the controllers' certificate, if it is not the host of their address.
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
    /// A file with the token that controllers ask for.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The same for the P4Runtime server.
    #[arg(long, value_name = "FILE")]
    p4runtime_tls_ca: Option<PathBuf>,
    /// The same for the P4Runtime server.
    #[arg(long, value_name = "FILE", requires_all = ["p4runtime_tls_ca", "p4runtime_tls_key"])]
    p4runtime_tls_cert: Option<PathBuf>,
    /// The same for the P4Runtime server.
    #[arg(long, value_name = "FILE", requires = "p4runtime_tls_cert")]
    p4runtime_tls_key: Option<PathBuf>,
    /// The same for the P4Runtime server.
    #[arg(long, value_name = "NAME", requires = "p4runtime_tls_ca")]
    p4runtime_tls_name: Option<String>,
}

const EXAMPLES: &str = "Examples:
  guideway switch --target xdp --port 1@eth0 --p4runtime 127.0.0.1:9559 &
  guideway agent --controller 192.0.2.5:9570 --port 1@eth0 --state /var/lib/guideway/agent.state
  guideway agent --config /etc/guideway/agent.toml
  guideway agent --controller a:9570 --controller b:9570 --tls-ca ca.pem --tls-cert node.pem --tls-key node.key --port 1@eth0
  guideway agent --port 1@eth0 --source4 10.0.0.16/28 --ready-file /run/guideway/ready
  guideway agent --port 1@eth0 --ready-command 'birdc $([ $READY = 1 ] && echo enable || echo disable) anycast'
  guideway agent --profile bmv2 --config bmv2.toml      (next hops in the file; the pipeline by `guideway load` before)

A file:
  node = \"lb1\"
  controllers = [\"192.0.2.5:9570\"]
  ports = [\"1@eth0\"]
  state = \"/var/lib/guideway/agent.state\"
  [[next_hop]]                                  # instead of asking the kernel
  to = \"10.1.0.0/16\"
  port = 1
  dst_mac = \"02:00:00:00:00:fe\"
  src_mac = \"02:00:00:00:00:01\"
  mtu = 1500";

fn refused(error: impl std::fmt::Display) -> Refused {
    Refused(format!("error: {error}"))
}

pub(crate) fn run(args: &Args) -> Done {
    let settings = args.settings()?;
    if args.forget
        && let Some(state) = &settings.state
    {
        match std::fs::remove_file(state) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (node, device) = (settings.node.clone(), settings.p4runtime.address.clone());
        let agent = Agent::start(settings).await.map_err(refused)?;
        let http = agent.http().map_or_else(String::new, |at| format!("; http://{at}"));
        println!("agent: node {node}, data plane {device}{http}");
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        agent.end().await;
        Ok(ExitCode::SUCCESS)
    })
}

impl Args {
    /// The file, with what the command line says in its place.
    fn file(&self) -> Result<File, ConfigError> {
        let mut file = self.config.as_deref().map_or_else(|| Ok(File::default()), File::read)?;
        let list = |from: &[String], to: &mut Vec<String>| {
            if !from.is_empty() {
                *to = from.to_vec();
            }
        };
        list(&self.controllers, &mut file.controllers);
        list(&self.ports, &mut file.ports);
        fn over<T: Clone>(from: &Option<T>, to: &mut Option<T>) {
            if from.is_some() {
                to.clone_from(from);
            }
        }
        over(&self.node, &mut file.node);
        over(&self.p4runtime, &mut file.p4runtime);
        over(&self.profile, &mut file.profile);
        over(&self.device_id, &mut file.device_id);
        over(&self.election_id, &mut file.election_id);
        over(&self.source4, &mut file.source4);
        over(&self.source6, &mut file.source6);
        over(&self.state, &mut file.state);
        over(&self.http, &mut file.http);
        over(&self.ready_command, &mut file.ready_command);
        over(&self.ready_file, &mut file.ready_file);
        over(&self.grace_ms, &mut file.grace_ms);
        over(&self.audit, &mut file.audit);
        Ok(file)
    }

    fn settings(&self) -> Result<Settings, Refused> {
        let file = self.file().map_err(refused)?;
        let profile = Profile::named(file.profile.as_deref().unwrap_or("guideway"))?;
        let mut p4runtime = Options::new(file.p4runtime.as_deref().unwrap_or("127.0.0.1:9559"), profile);
        p4runtime.device_id = file.device_id.unwrap_or(1);
        p4runtime.election_id = file.election_id.unwrap_or(1).into();
        p4runtime.longest_pause = Duration::from_secs(1);
        // On a busy node, reading back what large tables hold takes its time; giving up would begin it again.
        p4runtime.patience = Duration::from_secs(60);
        let files = (&self.p4runtime_tls_ca, &self.p4runtime_tls_cert, &self.p4runtime_tls_key);
        p4runtime.tls = tls(files, self.p4runtime_tls_name.as_deref())?;
        let mut addresses = file.controllers.clone();
        if addresses.is_empty() {
            addresses.push("127.0.0.1:9570".into());
        }
        let files = (&self.tls_ca, &self.tls_cert, &self.tls_key);
        let token = self.token_file.as_deref().map(token).transpose()?;
        let controllers = Controllers { addresses, tls: tls(files, self.tls_name.as_deref())?, token };
        let http = file.http.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 9572)));
        if !http.ip().is_loopback() {
            return Err(refused(ConfigError::Open(http)));
        }
        let grace = Duration::from_millis(file.grace_ms.unwrap_or(100));
        let audit = Some(Duration::from_secs(file.audit.unwrap_or(60))).filter(|every| !every.is_zero());
        Ok(Settings {
            node: file.node.clone().map_or_else(hostname, Ok)?,
            controllers,
            p4runtime,
            ports: file.port_numbers().map_err(refused)?,
            next_hops: file.next_hops().map_err(refused)?,
            manner: Manner { sources: file.sources().map_err(refused)?, grace, audit },
            state: file.state,
            http: Some(http),
            hook: Hook { command: file.ready_command, file: file.ready_file },
        })
    }
}

type Files<'a> = (&'a Option<PathBuf>, &'a Option<PathBuf>, &'a Option<PathBuf>);

fn tls(files: Files<'_>, name: Option<&str>) -> Result<Option<Tls>, Refused> {
    let (Some(ca), certificate, key) = files else { return Ok(None) };
    let mut tls = Tls::trust(ca)?;
    if let (Some(certificate), Some(key)) = (certificate, key) {
        tls = tls.identity(certificate, key)?;
    }
    if let Some(name) = name {
        tls = tls.name(name)?;
    }
    Ok(Some(tls))
}

fn token(path: &Path) -> Result<MetadataValue<Ascii>, Refused> {
    let refused = |why: String| Refused(format!("error: {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
    let mut value: MetadataValue<Ascii> =
        format!("Bearer {}", text.trim()).parse().map_err(|_| refused("it has no token".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn hostname() -> Result<String, Refused> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    Ok(name.trim().to_owned())
}
