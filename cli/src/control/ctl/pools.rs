//! `guideway ctl pool`.

use super::file;
use super::show;
use crate::control::remote::Remote;
use crate::{Done, Refused};
use clap::{Subcommand, ValueEnum};
use control_proto::v1::*;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// All pools.
    List,
    /// One pool with its backends and VIPs.
    Show {
        /// The pool.
        name: String,
    },
    /// Makes a pool, or with --replace gives it other settings.
    #[command(
        after_help = "Example: guideway ctl pool create web --liveness tcp --readiness http:///ready --panic 50"
    )]
    Create(Box<Create>),
    /// Deletes a pool that no VIP leads to, and its backends.
    Delete {
        /// The pool.
        name: String,
    },
}

/// What becomes of the flows of a backend that is not alive.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Unhealthy {
    /// They select anew.
    Reset,
    /// They stay with it.
    Keep,
}

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Its name: 1 to 63 of a-z, 0-9 and -, first a letter.
    name: String,
    /// Slots of its ring: a prime or a power of two, as the nodes' pipeline has it [default: the controller's].
    #[arg(long, value_name = "N", default_value_t = 0)]
    ring_slots: u32,
    /// What becomes of the flows of a backend that is not alive.
    #[arg(long, value_enum, default_value_t = Unhealthy::Reset)]
    when_unhealthy: Unhealthy,
    /// Above this share of unhealthy backends all are used, per cent.
    #[arg(long, value_name = "PERCENT", default_value_t = 50)]
    panic: u32,
    /// How it is seen that a backend is alive: `tcp`, tcp://:PORT, http://HOST:PORT/PATH or https://...
    #[arg(long, value_name = "PROBE", value_parser = file::probe)]
    liveness: Option<Probe>,
    /// How it is seen that a backend wants new flows.
    #[arg(long, value_name = "PROBE", value_parser = file::probe)]
    readiness: Option<Probe>,
    /// Gives a pool that is there these settings.
    #[arg(long)]
    replace: bool,
}

pub(super) async fn run(what: &What, remote: &mut Remote, json: bool) -> Done {
    match what {
        What::List => list(remote, json).await?,
        What::Show { name } => show(name, remote, json).await?,
        What::Create(create) => {
            let settings = PoolSettings {
                ring_slots: create.ring_slots,
                when_unhealthy: match create.when_unhealthy {
                    Unhealthy::Reset => WhenUnhealthy::Reset.into(),
                    Unhealthy::Keep => WhenUnhealthy::Keep.into(),
                },
                panic_percent: create.panic,
                liveness: create.liveness.clone(),
                readiness: create.readiness.clone(),
            };
            let (name, replace) = (create.name.clone(), create.replace);
            let request = CreatePoolRequest { name, settings: Some(settings), replace };
            let pool =
                remote.call(request, async |client, request| client.create_pool(request).await).await?;
            if json {
                show::print(&pool_json(&pool));
            } else {
                println!("pool {}, number {}", pool.name, pool.number);
            }
        }
        What::Delete { name } => {
            let pools = pools(remote).await?;
            let there = pools.iter().any(|p| p.name == *name);
            let request = DeletePoolRequest { name: name.clone() };
            remote.call(request, async |client, request| client.delete_pool(request).await).await?;
            if json {
                show::print(&json!({"deleted": there}));
            } else {
                println!("{}", if there { "deleted" } else { "there was no such pool" });
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn pools(remote: &mut Remote) -> Result<Vec<Pool>, Refused> {
    Ok(remote
        .call(ListPoolsRequest {}, async |client, request| client.list_pools(request).await)
        .await?
        .pools)
}

pub(super) async fn snapshot(name: &str, remote: &mut Remote) -> Result<PoolSnapshot, Refused> {
    let request = GetPoolRequest { name: name.to_owned() };
    remote.call(request, async |client, request| client.get_pool(request).await).await
}

fn pool_json(pool: &Pool) -> Value {
    let settings = pool.settings.clone().unwrap_or_default();
    json!({
        "name": pool.name, "number": pool.number, "version": pool.version, "ring_slots": settings.ring_slots,
        "when_unhealthy": settings.when_unhealthy().as_str_name().to_lowercase(),
        "panic_percent": settings.panic_percent,
        "liveness": settings.liveness.as_ref().map(file::probe_text),
        "readiness": settings.readiness.as_ref().map(file::probe_text),
    })
}

async fn list(remote: &mut Remote, json: bool) -> Result<(), Refused> {
    let pools = pools(remote).await?;
    if json {
        show::print(&pools.iter().map(pool_json).collect());
        return Ok(());
    }
    let row = |p: &Pool| {
        let settings = p.settings.clone().unwrap_or_default();
        let unhealthy = settings.when_unhealthy().as_str_name().to_lowercase();
        let probe = |p: &Option<Probe>| p.as_ref().map_or_else(|| "-".to_owned(), file::probe_text);
        let (slots, panic) = (settings.ring_slots.to_string(), format!("{} %", settings.panic_percent));
        let (live, ready) = (probe(&settings.liveness), probe(&settings.readiness));
        vec![p.name.clone(), p.number.to_string(), slots, unhealthy, panic, live, ready]
    };
    let heads = ["POOL", "NUMBER", "SLOTS", "UNHEALTHY", "PANIC", "LIVENESS", "READINESS"];
    show::table(&heads, &pools.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

async fn show(name: &str, remote: &mut Remote, json: bool) -> Result<(), Refused> {
    let snapshot = snapshot(name, remote).await?;
    let pool = snapshot.pool.clone().unwrap_or_default();
    let table = snapshot.table.clone().unwrap_or_default();
    if json {
        let mut whole = pool_json(&pool);
        whole["digest"] = format!("{:016x}", table.digest).into();
        whole["serves"] = (!table.slots.is_empty()).into();
        whole["backends"] = snapshot.backends.iter().map(show::backend_json).collect();
        whole["vips"] = snapshot.vips.iter().map(show::vip_json).collect();
        show::print(&whole);
        return Ok(());
    }
    let ring = if table.slots.is_empty() {
        "nobody is in service".to_owned()
    } else {
        format!("table {:016x} of {} slots", table.digest, table.slots.len() / 4)
    };
    println!("pool {}, number {}, version {}: {ring}", pool.name, pool.number, pool.version);
    if !snapshot.backends.is_empty() {
        show::backends(&snapshot.backends);
    }
    if !snapshot.vips.is_empty() {
        show::vips(&snapshot.vips);
    }
    Ok(())
}
