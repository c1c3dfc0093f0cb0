//! `guideway switch --p4runtime`: the server, beside what signals ask for.

use super::Args;
use crate::{Done, Refused, compile};
use codegen::Artifacts;
use codegen::p4::Sizes;
use guideway::serving::{Applied, Runs, State};
use hw_targets::Target;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::ForwardingPipelineConfig;
use p4runtime_server::{Device, Host, HostError, ListenError, Options, Server, Tls};
use pipeline_ir::entry::WriteError;
use pipeline_ir::verify::Verified;
use prost::Message as _;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use sw_fallback::devices::out::SendError;
use sw_fallback::plane::ReadBack;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

/// The config that a pipeline of the command line is.
pub(super) fn config(
    verified: &Verified,
    target: &Target,
    files: &Artifacts,
) -> Result<ForwardingPipelineConfig, Refused> {
    let info = codegen::p4::info(verified.pipeline(), &Sizes::of(target));
    Ok(ForwardingPipelineConfig {
        p4info: Some(P4Info::decode(info.to_bytes().as_slice())?),
        p4_device_config: compile::bundle(files).encode_to_vec().into(),
        cookie: None,
    })
}

/// Why a bundle can't run, as the server tells it.
pub(super) fn invalid(Refused(text): Refused) -> HostError {
    HostError::Invalid(text.strip_prefix("error: ").unwrap_or(&text).to_owned())
}

/// Why a pipeline can't have the entries that it should.
pub(super) fn not_held((table, error): (String, WriteError)) -> HostError {
    HostError::Failed(format!("table `{table}`: {error}"))
}

/// Why a frame was not sent.
pub(super) fn not_sent(error: &SendError) -> HostError {
    match error {
        SendError::NoPort(_) | SendError::TooShort(_) | SendError::TooLong { .. } => {
            HostError::Invalid(error.to_string())
        }
        SendError::NotSent(_) | SendError::Device(_) => HostError::Failed(error.to_string()),
    }
}

/// Serves until a signal, or the end of all input, ends it; with a P4Runtime server if one is asked for.
pub(super) fn run<H: Host + Runs>(
    args: &Args,
    mut host: H,
    config: ForwardingPipelineConfig,
    applied: &mut Applied,
    signals: &Receiver<i32>,
    ready: &str,
) -> Done {
    if args.p4runtime.is_none() {
        println!("{ready}");
        let done = args.serve(&mut host, applied, signals);
        host.end();
        return done;
    }
    let mut served = Served::start(args, host, config)?;
    println!("{ready}");
    let done = args.serve(&mut served, applied, signals);
    served.end();
    done
}

/// How long the server may take to end.
const LAST: Duration = Duration::from_millis(1700);

/// The server on its threads; what ends it, and what says that it has.
type Listening = (Runtime, oneshot::Sender<()>, JoinHandle<()>);

/// A host that a server shares.
struct Served<H> {
    device: Arc<Mutex<Device<H>>>,
    /// Goes with the server.
    running: Option<Listening>,
}

impl<H: Host + Runs> Served<H> {
    fn start(args: &Args, host: H, config: ForwardingPipelineConfig) -> Result<Self, Refused> {
        let device = Device::new(host, config).map_err(|(mut host, why)| {
            host.end();
            Refused(format!("error: {why}"))
        });
        let device = Arc::new(Mutex::new(device?));
        let running = listen(args, &device).inspect_err(|_| device.blocking_lock().host.end())?;
        Ok(Self { device, running: Some(running) })
    }
}

/// What the server takes. Wrong files and addresses are refused here, before anything is compiled.
pub(super) fn options(args: &Args) -> Result<Options, Refused> {
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::read(certificate, key, args.tls_client_ca.as_deref())?),
        _ => None,
    };
    let options =
        Options { device_id: args.device_id, open: args.p4runtime_insecure, tls, ..Options::default() };
    match args.p4runtime.as_ref().map(|address| options.check(address)) {
        Some(Err(error @ ListenError::Open(_))) => Err(Refused(format!(
            "error: {error}\nhelp: `--tls-cert FILE --tls-key FILE` (and `--tls-client-ca FILE`) serve it by TLS; \
             `--p4runtime-insecure` lets everybody who reaches it write"
        ))),
        Some(Err(other)) => Err(other.into()),
        _ => Ok(options),
    }
}

/// As many descriptors as the system lets this process have: each client needs one, and 1,024 is what many shells give.
fn many_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::info!("no more than the usual number of connections: {error}");
    }
}

/// Listens, and serves on threads of its own.
fn listen<H: Host>(args: &Args, device: &Arc<Mutex<Device<H>>>) -> Result<Listening, Refused> {
    let Some(address) = &args.p4runtime else { return Err(Refused("error: no address".into())) };
    many_connections();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = runtime.block_on(Server::bind(address, Arc::clone(device), &options(args)?))?;
    let at = server.local_addr().map_or_else(|| address.to_string(), |at| at.to_string());
    println!("p4runtime: device {} on {at}", args.device_id);
    let (end, ended) = oneshot::channel::<()>();
    let serving = runtime.spawn(async {
        let end = async {
            let _dropped = ended.await;
        };
        if let Err(error) = server.serve(end).await {
            tracing::error!("{error}");
        }
    });
    Ok((runtime, end, serving))
}

impl<H: Host + Runs> Runs for Served<H> {
    fn with(&mut self, what: &mut dyn FnMut(&mut dyn ReadBack)) {
        self.device.blocking_lock().host.with(what);
    }

    fn look(&mut self, tell: &dyn Fn(&str)) -> Result<State, Refused> {
        self.device.blocking_lock().host.look(tell)
    }

    fn more(&mut self) -> Map<String, Value> {
        self.device.blocking_lock().host.more()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(500)
    }

    /// Answers what has begun, and ends all streams, first.
    fn end(&mut self) {
        if let Some((runtime, end, serving)) = self.running.take() {
            drop(end);
            let ended = runtime.block_on(async { tokio::time::timeout(LAST, serving).await });
            if ended.is_err() {
                tracing::warn!("calls that have begun are not waited for any longer");
            }
            runtime.shutdown_timeout(Duration::from_millis(100));
        }
        self.device.blocking_lock().host.end();
    }
}
