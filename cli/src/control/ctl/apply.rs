//! `guideway ctl apply`: what differs is shown, then changed.

use super::file::Wanted;
use super::{pools, show};
use crate::control::remote::Remote;
use crate::{Done, Refused};
use control_proto::v1::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes the pools of a file so.
///
/// What the file does not name of its pools is taken away: VIPs are unbound, backends are drained. Other pools are left
/// alone, unless --prune takes them away too. Nothing is done twice: the same file again changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  guideway ctl apply examples/control/lb.yaml --dry-run
  guideway ctl apply examples/control/lb.yaml --prune --json")]
pub(super) struct Args {
    /// The file, YAML.
    file: PathBuf,
    /// Shows what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Takes pools away that the file does not name.
    #[arg(long)]
    prune: bool,
    /// Drains also the last backend in service of a pool.
    #[arg(long)]
    force: bool,
    /// How long flows of drained backends may stay, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    window: u64,
}

/// One change, in the order in which changes are made.
#[derive(Debug)]
enum Change {
    Pool(CreatePoolRequest),
    Register(BackendSpec),
    Update(BackendSpec),
    Bind(BindVipToPoolRequest),
    Unbind(UnbindVipRequest),
    Drain(String, String),
    Delete(String),
}

/// A change with its words: `+` makes, `~` changes, `-` takes away.
#[derive(Debug)]
struct Step {
    sign: char,
    text: String,
    change: Change,
}

pub(super) async fn run(args: &Args, remote: &mut Remote, json: bool) -> Done {
    let wanted = Wanted::read(&args.file)?;
    let there = present(remote).await?;
    let plan = plan(&wanted, &there, args.prune)
        .map_err(|why| Refused(format!("error: {}: {why}", args.file.display())))?;
    let mut done = Vec::new();
    for step in &plan {
        if !json {
            println!("{} {}", step.sign, step.text);
        }
        if !args.dry_run {
            make(&step.change, args, remote).await.map_err(|Refused(why)| {
                Refused(format!(
                    "{why}\nhelp: {} of {} changes are made; the same command goes on",
                    done.len(),
                    plan.len()
                ))
            })?;
        }
        done.push(json!({"do": step.sign.to_string(), "what": step.text}));
    }
    if json {
        show::print(&json!({"changes": done, "applied": !args.dry_run}));
    } else {
        let said = if args.dry_run { "would be made" } else { "made" };
        println!("{} changes {said}", plan.len());
    }
    Ok(ExitCode::SUCCESS)
}

async fn present(remote: &mut Remote) -> Result<There, Refused> {
    let mut there = BTreeMap::new();
    for pool in pools::pools(remote).await? {
        let snapshot = pools::snapshot(&pool.name, remote).await?;
        there.insert(pool.name, snapshot);
    }
    Ok(there)
}

type There = BTreeMap<String, PoolSnapshot>;

fn plan(wanted: &Wanted, there: &There, prune: bool) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut step = |sign, text: String, change| steps.push(Step { sign, text, change });
    for (name, pool) in &wanted.pools {
        let settings = pool.settings().map_err(|why| format!("pool {name}: {why}"))?;
        let found = there.get(name).and_then(|s| s.pool.clone()).map(|p| p.settings.unwrap_or_default());
        let request =
            |settings| CreatePoolRequest { name: name.clone(), settings: Some(settings), replace: true };
        let Some(now) = found else {
            step('+', format!("pool {name}"), Change::Pool(request(settings)));
            continue;
        };
        let slots = if settings.ring_slots == 0 { now.ring_slots } else { settings.ring_slots };
        if (PoolSettings { ring_slots: slots, ..settings.clone() }) != now {
            step('~', format!("pool {name}: other settings"), Change::Pool(request(settings)));
        }
    }
    backends(wanted, there, &mut step);
    let mut leads = BTreeMap::new();
    for vip in there.values().flat_map(|snapshot| &snapshot.vips) {
        leads.insert(show::vip_name(&vip.address, vip.protocol(), vip.port), vip.clone());
    }
    vips(wanted, &mut leads, &mut step);
    taken_away(wanted, there, &leads, prune, &mut step);
    Ok(steps)
}

fn backends(wanted: &Wanted, there: &There, step: &mut impl FnMut(char, String, Change)) {
    for (name, pool) in &wanted.pools {
        let alive = |b: &&Backend| b.state() != BackendState::Evicted;
        let now = there.get(name).into_iter().flat_map(|s| &s.backends).filter(alive);
        let now: BTreeMap<String, BackendSpec> =
            now.filter_map(|b| b.spec.clone()).map(|s| (s.name.clone(), s)).collect();
        for (backend, it) in &pool.backends {
            let spec = it.spec(name, backend);
            match now.get(backend) {
                None => {
                    step(
                        '+',
                        format!("backend {name}/{backend} at {}", spec.address),
                        Change::Register(spec),
                    );
                }
                Some(old) if *old != spec => {
                    let text = format!("backend {name}/{backend}: {}", differences(old, &spec));
                    step('~', text, Change::Update(spec));
                }
                Some(_) => {}
            }
        }
    }
}

/// Takes the VIPs that the file names out of those that lead somewhere.
fn vips(wanted: &Wanted, leads: &mut BTreeMap<String, Vip>, step: &mut impl FnMut(char, String, Change)) {
    for (name, pool) in &wanted.pools {
        for vip in &pool.vips {
            let request = vip.request(name);
            let text = show::vip_name(&request.address, request.protocol(), request.port);
            match leads.remove(&text) {
                None => step('+', format!("vip {text} to {name}"), Change::Bind(request)),
                Some(old) if old.pool != *name => {
                    step('~', format!("vip {text}: from {} to {name}", old.pool), Change::Bind(request));
                }
                Some(old) if old.flags != request.flags || old.timeout_class != request.timeout_class => {
                    step('~', format!("vip {text}: other flags or class"), Change::Bind(request));
                }
                Some(_) => {}
            }
        }
    }
}

/// What the file does not name.
fn taken_away(
    wanted: &Wanted,
    there: &There,
    leads: &BTreeMap<String, Vip>,
    prune: bool,
    step: &mut impl FnMut(char, String, Change),
) {
    for (text, vip) in leads {
        if prune || wanted.pools.contains_key(&vip.pool) {
            let (address, protocol, port) = (vip.address.clone(), vip.protocol, vip.port);
            step('-', format!("vip {text}"), Change::Unbind(UnbindVipRequest { address, protocol, port }));
        }
    }
    for (name, pool) in &wanted.pools {
        for backend in there.get(name).into_iter().flat_map(|s| &s.backends) {
            let leaves = matches!(backend.state(), BackendState::Evicted | BackendState::Draining);
            let spec = backend.spec.clone().unwrap_or_default();
            if !leaves && !pool.backends.contains_key(&spec.name) {
                step(
                    '-',
                    format!("backend {name}/{}: drained", spec.name),
                    Change::Drain(name.clone(), spec.name),
                );
            }
        }
    }
    for name in there.keys().filter(|name| prune && !wanted.pools.contains_key(*name)) {
        step('-', format!("pool {name}"), Change::Delete(name.clone()));
    }
}

fn differences(old: &BackendSpec, new: &BackendSpec) -> String {
    let mut parts = Vec::new();
    let mut part = |what: &str, old: String, new: String| {
        if old != new {
            parts.push(format!("{what} {old} -> {new}"));
        }
    };
    part("address", old.address.clone(), new.address.clone());
    part("port", old.port.to_string(), new.port.to_string());
    part("weight", old.weight.unwrap_or_default().to_string(), new.weight.unwrap_or_default().to_string());
    part("readiness", format!("`{}`", old.readiness_url), format!("`{}`", new.readiness_url));
    if old.labels != new.labels {
        parts.push("other labels".into());
    }
    parts.join(", ")
}

async fn make(change: &Change, args: &Args, remote: &mut Remote) -> Result<(), Refused> {
    match change {
        Change::Pool(request) => {
            drop(remote.call(request.clone(), async |c, r| c.create_pool(r).await).await?);
        }
        Change::Register(spec) => {
            let request = RegisterBackendRequest { backend: Some(spec.clone()) };
            drop(remote.call(request, async |c, r| c.register_backend(r).await).await?);
        }
        Change::Update(spec) => {
            let request = UpdateBackendRequest { backend: Some(spec.clone()) };
            drop(remote.call(request, async |c, r| c.update_backend(r).await).await?);
        }
        Change::Bind(request) => {
            drop(remote.call(request.clone(), async |c, r| c.bind_vip_to_pool(r).await).await?);
        }
        Change::Unbind(request) => {
            remote.call(request.clone(), async |c, r| c.unbind_vip(r).await).await?;
        }
        Change::Drain(pool, name) => {
            let (window_ms, force) = (args.window * 1_000, args.force);
            let request = DrainBackendRequest { pool: pool.clone(), name: name.clone(), window_ms, force };
            drop(remote.call(request, async |c, r| c.drain_backend(r).await).await?);
        }
        Change::Delete(name) => {
            let request = DeletePoolRequest { name: name.clone() };
            remote.call(request, async |c, r| c.delete_pool(r).await).await?;
        }
    }
    Ok(())
}
