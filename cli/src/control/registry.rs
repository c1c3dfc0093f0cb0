//! `guideway registry`: what a registry holds, and copies of it.

use super::registry_args::{EtcdArgs, RegistryArgs};
use crate::remote::block_on;
use crate::{Done, Refused};
use clap::Subcommand;
use control_registry::{Change, Location, Records};
use serde_json::json;
use std::collections::BTreeMap;

/// Shows what a registry holds; copies it: a back-up, a restore, a move from a file to etcd.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway registry show --registry etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379\n  guideway registry copy etcd://10.0.0.1:2379 backup.redb"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the revision, who leads, and how many records of which kind there are.
    Show {
        #[command(flatten)]
        registry: RegistryArgs,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Copies all records into an empty registry.
    ///
    /// From etcd it may be done while controllers run: the copy is of one revision. A file is free only when its
    /// controller is stopped.
    Copy {
        /// FILE or etcd://HOST:PORT,HOST:PORT/PREFIX.
        from: Location,
        /// The same; it must be empty.
        to: Location,
        #[command(flatten)]
        etcd: EtcdArgs,
    },
}

pub(crate) fn run(args: &Args) -> Done {
    match &args.command {
        Command::Show { registry, json } => block_on(show(registry, *json)),
        Command::Copy { from, to, etcd } => block_on(copy(from, to, etcd)),
    }
}

/// A file that is not there would be made.
fn there(location: &Location) -> Result<(), Refused> {
    match location {
        Location::File(path) if !path.exists() => {
            Err(Refused(format!("error: there is no file {}", path.display())))
        }
        _ => Ok(()),
    }
}

/// Records and bytes by the first part of their keys.
fn kinds(records: &Records) -> BTreeMap<&str, (u64, u64)> {
    let mut kinds: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (key, value) in &records.records {
        let kind = key.split('/').next().unwrap_or_default();
        let sum = kinds.entry(kind).or_default();
        *sum = (sum.0 + 1, sum.1 + value.len() as u64);
    }
    kinds
}

async fn show(args: &RegistryArgs, as_json: bool) -> Result<(), Refused> {
    there(&args.registry)?;
    let registry = args.open().await?;
    let records = registry.load().await?;
    let leader = registry.leader().await?;
    let kinds = kinds(&records);
    if as_json {
        let kinds: serde_json::Map<String, serde_json::Value> = kinds
            .into_iter()
            .map(|(kind, (count, bytes))| (kind.to_owned(), json!({"records": count, "bytes": bytes})))
            .collect();
        println!("{}", json!({"revision": records.revision.0, "leader": leader, "kinds": kinds}));
        return Ok(());
    }
    println!("revision {}", records.revision.0);
    println!("leader   {}", leader.as_deref().unwrap_or("none"));
    let width = kinds.keys().map(|kind| kind.len()).max().unwrap_or(0).max(8);
    println!("\n{:width$}  {:>8}  {:>10}", "kind", "records", "bytes");
    for (kind, (count, bytes)) in kinds {
        println!("{kind:width$}  {count:>8}  {bytes:>10}");
    }
    Ok(())
}

async fn copy(from: &Location, to: &Location, etcd: &EtcdArgs) -> Result<(), Refused> {
    there(from)?;
    let options = etcd.options()?;
    let records = from.open(&options).await?.load().await?;
    let target = to.open(&options).await?;
    if let Some(leader) = target.leader().await? {
        return Err(Refused(format!("error: a controller at {leader} leads {to}: stop it first")));
    }
    let before = target.load().await?;
    if !before.records.is_empty() {
        let count = before.records.len();
        return Err(Refused(format!(
            "error: {to} has {count} records already\nhelp: choose another {}",
            if matches!(to, Location::File(_)) { "file" } else { "prefix" }
        )));
    }
    let count = records.records.len();
    let changes = records.records.into_iter().map(|(key, value)| Change::Put(key, value)).collect();
    let term = target.lead("copying").await?;
    let copied = target.commit(term, before.revision, changes).await;
    target.resign(term).await;
    copied?;
    println!("copied {count} records of revision {} to {to}", records.revision.0);
    Ok(())
}
