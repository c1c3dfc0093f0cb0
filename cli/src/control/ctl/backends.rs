//! `guideway ctl backend` and `guideway ctl drain`.

use super::{pools, show};
use crate::control::remote::Remote;
use crate::{Done, Refused};
use clap::Subcommand;
use control_proto::v1::*;
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// The backends of a pool, or of all.
    List {
        /// The pool.
        pool: Option<String>,
    },
    /// Adds a backend. It is in service once its checkers agree that it is ready.
    #[command(
        after_help = "Example: guideway ctl backend register web web-1 10.1.0.11 --port 80 --label rack=a"
    )]
    Register {
        /// The pool.
        pool: String,
        /// A stable name: 1 to 63 of A-Z, a-z, 0-9, ., _ and -.
        name: String,
        /// Its address.
        address: String,
        #[command(flatten)]
        more: More,
    },
    /// Changes what is named; the backend keeps its id, and its flows.
    #[command(after_help = "Example: guideway ctl backend update web web-1 --weight 50")]
    Update {
        /// The pool.
        pool: String,
        /// The backend.
        name: String,
        /// Another address.
        #[arg(long)]
        address: Option<String>,
        #[command(flatten)]
        more: More,
    },
    /// Takes a backend away at once: its flows select anew. `drain` is kinder.
    Deregister {
        /// The pool.
        pool: String,
        /// The backend.
        name: String,
        /// Also the last in service.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct More {
    /// Where it listens, for probes.
    #[arg(long)]
    port: Option<u32>,
    /// Its share relative to others': 0 (out of the ring) to 1000 [default: 100].
    #[arg(long)]
    weight: Option<u32>,
    /// A label; several times for several.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Where it says whether it wants new flows: http://, https:// or tcp://, the host may be left out.
    #[arg(long, value_name = "URL")]
    readiness_url: Option<String>,
}

/// Takes a backend out of service; the flows that it has may stay for a while.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  guideway ctl drain web web-1 --window 30 --wait
  guideway ctl drain web web-1 --undo")]
pub(super) struct Drain {
    /// The pool.
    pool: String,
    /// The backend.
    name: String,
    /// How long its flows may stay, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    window: u64,
    /// Also the last in service.
    #[arg(long)]
    force: bool,
    /// Waits until it is evicted.
    #[arg(long, conflicts_with = "undo")]
    wait: bool,
    /// Puts it back.
    #[arg(long, conflicts_with = "force")]
    undo: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, as in rack=a")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl More {
    /// Puts what is said into `spec`.
    fn onto(&self, spec: &mut BackendSpec) {
        spec.port = self.port.unwrap_or(spec.port);
        spec.weight = self.weight.or(spec.weight);
        spec.labels.extend(self.labels.iter().cloned());
        if let Some(url) = &self.readiness_url {
            spec.readiness_url.clone_from(url);
        }
    }
}

pub(super) async fn run(what: &What, remote: &mut Remote, json: bool) -> Done {
    match what {
        What::List { pool } => list(pool.as_deref(), remote, json).await?,
        What::Register { pool, name, address, more } => {
            let (pool, name, address) = (pool.clone(), name.clone(), address.clone());
            let mut spec = BackendSpec { pool, name, address, ..BackendSpec::default() };
            more.onto(&mut spec);
            let request = RegisterBackendRequest { backend: Some(spec) };
            one(
                &remote.call(request, async |client, request| client.register_backend(request).await).await?,
                json,
            );
        }
        What::Update { pool, name, address, more } => {
            let mut spec = find(pool, name, remote).await?.spec.unwrap_or_default();
            if let Some(address) = address {
                spec.address.clone_from(address);
            }
            more.onto(&mut spec);
            let request = UpdateBackendRequest { backend: Some(spec) };
            one(
                &remote.call(request, async |client, request| client.update_backend(request).await).await?,
                json,
            );
        }
        What::Deregister { pool, name, force } => {
            let request = DeregisterBackendRequest { pool: pool.clone(), name: name.clone(), force: *force };
            remote.call(request, async |client, request| client.deregister_backend(request).await).await?;
            if json {
                show::print(&json!({"deregistered": name}));
            } else {
                println!("deregistered");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn one(backend: &Backend, json: bool) {
    if json {
        show::print(&show::backend_json(backend));
    } else {
        show::backends(std::slice::from_ref(backend));
    }
}

async fn list(pool: Option<&str>, remote: &mut Remote, json: bool) -> Result<(), Refused> {
    let names = match pool {
        Some(pool) => vec![pool.to_owned()],
        None => pools::pools(remote).await?.into_iter().map(|p| p.name).collect(),
    };
    let mut all = Vec::new();
    for name in &names {
        all.extend(pools::snapshot(name, remote).await?.backends);
    }
    if json {
        show::print(&all.iter().map(show::backend_json).collect());
    } else {
        show::backends(&all);
    }
    Ok(())
}

async fn find(pool: &str, name: &str, remote: &mut Remote) -> Result<Backend, Refused> {
    let snapshot = pools::snapshot(pool, remote).await?;
    let found = snapshot.backends.into_iter().find(|b| b.spec.as_ref().is_some_and(|s| s.name == name));
    found.ok_or_else(|| Refused(format!("error: NOT_FOUND: pool `{pool}` has no backend `{name}`")))
}

pub(super) async fn drain(args: &Drain, remote: &mut Remote, json: bool) -> Done {
    let (pool, name) = (args.pool.clone(), args.name.clone());
    if args.undo {
        let request = UndrainBackendRequest { pool, name };
        one(
            &remote.call(request, async |client, request| client.undrain_backend(request).await).await?,
            json,
        );
        return Ok(ExitCode::SUCCESS);
    }
    let request = DrainBackendRequest { pool, name, window_ms: args.window * 1_000, force: args.force };
    let mut backend =
        remote.call(request, async |client, request| client.drain_backend(request).await).await?;
    while args.wait && backend.state() == BackendState::Draining {
        tokio::time::sleep(Duration::from_millis(200)).await;
        backend = find(&args.pool, &args.name, remote).await?;
    }
    one(&backend, json);
    Ok(ExitCode::SUCCESS)
}
