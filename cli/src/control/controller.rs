//! `guideway controller`.

use super::registry_args::RegistryArgs;
use crate::{Done, Refused};
use control_core::Settings;
use control_server::{Controller, Options, Server, Tls, Token};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Keeps VIPs, pools and backends, and tells every node what to forward.
///
/// Operators speak to it by `guideway ctl`; checkers report what they find (`guideway checker`); the agents of nodes get what
/// they need from it (`guideway agent`). Several controllers over one etcd: one leads, the others answer reads and name the
/// leader. It prints a line that starts with `ready` when it listens; SIGTERM and SIGINT end it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where gRPC is served (without TLS that asks for clients' certificates: on this machine only).
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9570")]
    listen: SocketAddr,
    /// Where HTTP is served: /healthz, /readyz, /metrics, /admin.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:9571")]
    http: SocketAddr,
    #[command(flatten)]
    registry: RegistryArgs,
    /// Where others reach this controller by gRPC [default: as --listen].
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// The controller's certificate, PEM, with those between it and its authority.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Answers only clients with a certificate that one of these authorities signed, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Serves gRPC to other machines without knowing who they are: whoever reaches it may write.
    #[arg(long)]
    insecure: bool,
    /// Serves HTTP, which has no TLS, to other machines: the token travels in the clear.
    #[arg(long)]
    http_insecure: bool,
    /// A file with the token that operators' calls have to show. Without it HTTP changes nothing.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Slots of a new pool's ring: as the nodes' pipeline has it.
    #[arg(long, value_name = "N", default_value_t = 65_537)]
    ring_slots: u32,
    /// How many checkers at least must agree on a backend. With only one checker, 1.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    min_agree: u32,
}

const EXAMPLES: &str = "Examples:
  guideway controller --registry /var/lib/guideway/registry.redb
  guideway controller --registry etcd://10.0.0.1:2379,10.0.0.2:2379 --listen 192.0.2.5:9570 \\
      --tls-cert ctrl.pem --tls-key ctrl.key --tls-client-ca ca.pem --token-file token
  guideway ctl apply examples/control/lb.yaml && guideway ctl status";

pub(crate) fn run(args: &Args) -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(args))
}

async fn serve(args: &Args) -> Done {
    if !args.http.ip().is_loopback() && !args.http_insecure {
        return Err(Refused(format!(
            "error: {} can be reached from other machines, and HTTP has no TLS here: listen on 127.0.0.1, put a proxy in \
             front, or say --http-insecure",
            args.http
        )));
    }
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls::read(certificate, key, args.tls_client_ca.as_deref())?),
        _ => None,
    };
    let token = args.token_file.as_deref().map(Token::read).transpose()?;
    let registry = args.registry.open().await?;
    let http = TcpListener::bind(args.http)
        .await
        .map_err(|error| Refused(format!("error: can't listen on {}: {error}", args.http)))?;
    // The port is known before others are told of it.
    let listener = std::net::TcpListener::bind(args.listen)
        .map_err(|error| Refused(format!("error: can't listen on {}: {error}", args.listen)))?;
    let address = listener.local_addr()?;
    let advertise = args.advertise.clone().unwrap_or_else(|| address.to_string());
    let settings = Settings { ring_slots: args.ring_slots, ..Settings::default() };
    let health = control_core::health::Settings { min_agree: args.min_agree, ..Default::default() };
    let controller = Controller::new(registry, Options { token, settings, health, ..Options::at(advertise) });
    let server = Server::on(&controller, listener, tls.as_ref(), args.insecure)?;
    let pages = controller.http();
    let (ending, ends) = watch::channel(false);
    let end = move || {
        let mut ends = ends.clone();
        async move { drop(ends.wait_for(|over| *over).await) }
    };
    println!("ready: gRPC on {address}, HTTP on {}; registry {}", http.local_addr()?, args.registry.registry);
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let running = tokio::spawn(controller.run(end()));
    let web = tokio::spawn(pages.serve(http, end()));
    let done = tokio::select! {
        done = server.serve(end()) => done.map_err(Refused::from),
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
    };
    ending.send_replace(true);
    // Resigned: another may lead at once.
    running.await?;
    web.abort();
    done.map(|()| ExitCode::SUCCESS)
}
