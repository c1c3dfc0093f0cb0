//! `guideway load`.

mod program;

use crate::remote::{RemoteArgs, block_on};
use crate::source::SourceArgs;
use crate::{Done, Refused};
use guideway::serving::Rings;
use p4runtime_proto::p4::v1::TableEntry;
use pipeline_ir::Pipeline;
use runtime_client::{Atomicity, Names, Push, Pushed, Session, reconcile};
use serde_json::json;
use std::path::PathBuf;
use tonic::Code;

/// Makes a switch run a pipeline, over P4Runtime, and writes entries.
///
/// FILE is a source (`.rs`), which is compiled first, for BMv2 by p4c too; a folder or a NAME.bundle that `guideway compile`
/// wrote, which is pushed as it is (compiled again if it is for another target); or a NAME.p4info.txtpb with its device
/// config as --config, whoever made them.
///
/// A switch that runs the very same program already keeps it, with its entries and counters.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway load --target bmv2 --address 127.0.0.1:9559 --entries docs/lb.toml\n  guideway load my_pipeline.rs --target xdp --reconcile\n  guideway load out/\n  guideway load out/l4lb.bundle --entries docs/lb.toml\n  guideway load out/l4lb.p4info.txtpb --config out/l4lb.json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// What the switch is; `guideway targets` lists them. Compiled files know.
    #[arg(long)]
    target: Option<String>,
    /// The device config that belongs to a P4Info: for BMv2, p4c's JSON.
    #[arg(long, conflicts_with_all = ["target", "entries", "set"])]
    config: Option<PathBuf>,
    #[command(flatten)]
    remote: RemoteArgs,
    /// Entries: the tables that the file is about, and rings, will hold exactly these.
    #[arg(long)]
    entries: Option<PathBuf>,
    /// Loads it even if the switch runs it already: all tables begin empty.
    #[arg(long, visible_alias = "force", conflicts_with = "reconcile")]
    always: bool,
    /// Loads it even if the switch runs it already; entries that are still legal stay.
    #[arg(long)]
    reconcile: bool,
    /// Prints one JSON object: {"pipeline", "loaded", "written"}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let program = program::find(args)?;
    let names = Names::new(&program.info)?;
    let wanted = match (&args.entries, &program.pipeline) {
        (Some(path), Some(pipeline)) => entries(path, pipeline.pipeline(), &names)?,
        _ => Vec::new(),
    };
    let how = match (args.always, args.reconcile) {
        (true, _) => Push::Always,
        (_, true) => Push::Reconcile,
        _ => Push::IfOther,
    };
    block_on(async {
        let session = args.remote.writer_to(if program.bmv2 { "bmv2" } else { "guideway" }).await?;
        let loaded = session.push(&program.info, program.config.into(), how).await? == Pushed::Loaded;
        let written = if args.entries.is_some() { write(&session, &names, &wanted).await? } else { 0 };
        let name = &program.name;
        if args.json {
            println!("{}", json!({"pipeline": name, "loaded": loaded, "written": written}));
            return Ok(());
        }
        println!("{name}: {}", if loaded { "loaded" } else { "runs already" });
        if args.entries.is_some() {
            println!("{written} entries written, of {}", wanted.len());
        }
        Ok(())
    })
}

/// The messages of a file's entries: rings first, then what puts them in force, then tables, those that are applied
/// last first: what an entry leads to is there before it.
fn entries(path: &std::path::Path, p: &Pipeline, names: &Names) -> Result<Vec<TableEntry>, Refused> {
    let wanted = pipeline_entries::read(path, p)?;
    let mut rings = Rings::new(p);
    let (mut all, mut pools) = (Vec::new(), Vec::new());
    for spec in &wanted.rings {
        all.extend(names.checked_ring(p, &rings.fill(spec, spec.generation)?)?);
        pools.push(names.checked(p, &rings.pool_entry(spec.ring, spec.pool, spec.generation)?)?);
    }
    all.extend(pools);
    let mut tables = Vec::new();
    for entry in &wanted.entries {
        tables.push(names.checked(p, entry)?);
    }
    let place = |e: &TableEntry| {
        let name = names.schema().table(e.table_id).map(|t| t.name.as_str());
        std::cmp::Reverse(p.tables.iter().position(|t| Some(t.name.as_str()) == name))
    };
    tables.sort_by_key(place);
    all.extend(tables);
    Ok(all)
}

/// Makes the tables concerned hold exactly these entries; what goes is removed last. How many were written.
async fn write(session: &Session, names: &Names, wanted: &[TableEntry]) -> Result<usize, Refused> {
    let mut ids: Vec<u32> = Vec::new();
    wanted.iter().for_each(|e| {
        if !ids.contains(&e.table_id) {
            ids.push(e.table_id);
        }
    });
    let (mut ways, mut gone, mut written) = (Vec::new(), Vec::new(), 0);
    for id in ids {
        let actual = session.table_entries(TableEntry { table_id: id, ..TableEntry::default() }).await?;
        let own: Vec<TableEntry> = wanted.iter().filter(|e| e.table_id == id).cloned().collect();
        let mut plan = reconcile(&own, &actual);
        gone.extend(std::mem::take(&mut plan.delete).into_iter().map(runtime_client::delete));
        ways.push(plan.updates(session.options().profile.modify));
    }
    for updates in ways {
        let done = session.write(&updates, Atomicity::ContinueOnError, Some(names)).await?;
        written += done.applied;
        done.ok()?;
    }
    let mut done = session.write(&gone, Atomicity::ContinueOnError, Some(names)).await?;
    // A slot of an old generation gives way to one of the new.
    done.failed.retain(|f| f.code != Code::NotFound);
    written += done.applied;
    done.ok()?;
    Ok(written)
}
