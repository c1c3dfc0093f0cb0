//! `guideway load`.

use crate::remote::{RemoteArgs, block_on};
use crate::source::{Source, SourceArgs};
use crate::{Done, Refused, compile};
use guideway::serving::Rings;
use hw_targets::Target;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::TableEntry;
use pipeline_ir::Pipeline;
use pipeline_ir::verify::Verified;
use prost::Message as _;
use runtime_client::{Atomicity, Names, Push, Pushed, Session, reconcile};
use serde_json::json;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tonic::Code;

/// Compiles a pipeline, makes a switch run it over P4Runtime, and writes entries.
///
/// A switch that runs the very same pipeline already keeps it, with its entries and counters.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway load --target bmv2 --address 127.0.0.1:9559 --entries docs/lb.toml\n  guideway load my_pipeline.rs --target xdp --reconcile\n  guideway load out/ --target native"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// What the switch is; `guideway targets` lists them.
    #[arg(long)]
    target: String,
    #[command(flatten)]
    remote: RemoteArgs,
    /// Entries: the tables that the file is about, and rings, will hold exactly these.
    #[arg(long)]
    entries: Option<PathBuf>,
    /// Loads it even if the switch runs it already: all tables begin empty.
    #[arg(long, conflicts_with = "reconcile")]
    always: bool,
    /// Loads it even if the switch runs it already; entries that are still legal stay.
    #[arg(long)]
    reconcile: bool,
    /// Prints one JSON object: {"pipeline", "target", "loaded", "written"}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let target = hw_targets::target(&args.target)?;
    let source = args.source.read()?;
    let verified = source.verified()?;
    let pipeline = verified.pipeline();
    let (info, config) = program(&source, &verified, &target)?;
    let names = Names::new(&info)?;
    let wanted = match &args.entries {
        None => Vec::new(),
        Some(path) => entries(path, pipeline, &names)?,
    };
    let how = match (args.always, args.reconcile) {
        (true, _) => Push::Always,
        (_, true) => Push::Reconcile,
        _ => Push::IfOther,
    };
    block_on(async {
        let session = args.remote.writer().await?;
        let loaded = session.push(&info, config.into(), how).await? == Pushed::Loaded;
        let written = if args.entries.is_some() { write(&session, &names, &wanted).await? } else { 0 };
        let (name, target) = (&pipeline.name, &target.name);
        if args.json {
            println!("{}", json!({"pipeline": name, "target": target, "loaded": loaded, "written": written}));
            return Ok(());
        }
        println!("{name}: {}", if loaded { "loaded" } else { "runs already" });
        if args.entries.is_some() {
            println!("{written} entries written, of {}", wanted.len());
        }
        Ok(())
    })
}

/// P4Info and device config.
fn program(source: &Source, verified: &Verified, target: &Target) -> Result<(P4Info, Vec<u8>), Refused> {
    let files = compile::all(source, verified, target, true)?;
    let name = &verified.pipeline().name;
    let file = |ending: &str| {
        let missing = || Refused(format!("error: target `{}` takes no program over P4Runtime", target.name));
        files.get(&format!("{name}.{ending}")).ok_or_else(missing)
    };
    let info = P4Info::decode(file("p4info.bin")?)?;
    let config = match target.arch.as_str() {
        "v1model" => p4c(file("p4")?)?,
        _ => file("bundle")?.to_vec(),
    };
    Ok((info, config))
}

/// BMv2's JSON for a P4 program.
fn p4c(p4: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut command = Command::new("p4c-bm2-ss");
    command.args(["--arch", "v1model", "-o", "/dev/stdout", "/dev/stdin"]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|e| match e.kind() {
        ErrorKind::NotFound => Refused(
            "error: p4c-bm2-ss is not on PATH: BMv2 runs what p4c compiles\nhelp: install p4c: the package \
             `p4lang-p4c` of the P4 project for Debian and Ubuntu, or from its source, github.com/p4lang/p4c; other \
             targets (`guideway targets`) don't need it"
                .into(),
        ),
        _ => Refused(format!("error: p4c-bm2-ss: {e}")),
    })?;
    let (mut input, p4) = (child.stdin.take(), p4.to_vec());
    let fed = std::thread::spawn(move || input.as_mut().map_or(Ok(()), |i| i.write_all(&p4)));
    let out = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    match (fed.join(), out.status.success()) {
        (Ok(Ok(())), true) => Ok(out.stdout),
        _ => Err(Refused(format!("error: p4c-bm2-ss refuses the program:\n{said}"))),
    }
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
