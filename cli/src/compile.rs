//! `guideway compile`.

use crate::fit::propose::Proposed;
use crate::source::{PipesArgs, Source, SourceArgs};
use crate::{Done, Refused, diagnostics, made};
use codegen::p4::Sizes;
use codegen::{Artifacts, Fitted};
use hw_targets::Target;
use p4runtime_proto::guideway::v1::{Bundle, File};
use pipeline_ir::verify::Verified;
use prost::Message as _;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use sw_fallback::xdp::clang::{self, ClangError};

/// Compiles a pipeline to a target and writes what is emitted.
///
/// For XDP the C is compiled too, if clang is installed. For targets that `guideway switch` runs, NAME.bundle holds all
/// the files in one: the device config that any P4Runtime client can push to it, with NAME.p4info.txtpb. With `--pipe`, each
/// pipe of a chip has a program of its own, in the folders pipe0, pipe1 and so on.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway compile --target xdp --out out/\n  guideway compile my_pipeline.rs --target bmv2 --out out/\n  guideway compile --pipeline decap --target xdp --no-clang --out out/\n  guideway compile --target tofino2 --out out/ --set RING_SLOTS=65536 --set TOO_BIG_RATE=off\n  guideway compile --target tofino --out out/ --set RING_SLOTS=65536 --set TOO_BIG_RATE=off \\\n      --pipe ipv6=off --pipe ipv4=off,Ipip4=off   # out/pipe0, out/pipe1"
)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    pipes: PipesArgs,
    /// The target; `guideway targets` lists them.
    #[arg(long)]
    target: String,
    /// The folder to write to; it is made if need be. What an earlier compile wrote there goes.
    #[arg(long, short)]
    out: PathBuf,
    /// Writes the C only.
    #[arg(long)]
    no_clang: bool,
    /// Prints one JSON object: {"pipeline", "target", "files"}.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let target = hw_targets::target(&args.target)?;
    let source = args.source.read()?;
    let verified = source.verified()?;
    let pipes = args.pipes.divide(&source, &verified, &target)?;
    let mut folders = Vec::new();
    for (i, source) in pipes.iter().enumerate() {
        let refused = |Refused(why)| Refused(format!("pipe {i}:\n{why}"));
        let verified = source.verified().map_err(refused)?;
        let files = all(source, &verified, &target, !args.no_clang).map_err(refused)?;
        folders.push((format!("pipe{i}/"), files));
    }
    if pipes.is_empty() {
        folders.push((String::new(), all(&source, &verified, &target, !args.no_clang)?));
    }
    let name = &verified.pipeline().name;
    let mut paths = Vec::new();
    for (folder, files) in &folders {
        let made = made::write(&args.out.join(folder), &target, files)?;
        paths.extend(made.files.iter().map(|path| format!("{folder}{path}")));
    }
    if args.json {
        println!("{}", json!({"pipeline": name, "target": target.name, "files": paths}));
    } else {
        paths.iter().for_each(|path| println!("{}", args.out.join(path).display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that is written for a target: what is emitted, the object if clang is asked for and there, the source, and
/// for our own switches the device config.
pub(crate) fn all(
    source: &Source,
    verified: &Verified,
    target: &Target,
    clang: bool,
) -> Result<Artifacts, Refused> {
    let mut files = emit(source, verified, target)?;
    if clang {
        match object(verified, &files) {
            Ok(Some(object)) => files.add(object_name(verified), object),
            Ok(None) => {}
            Err(ClangError::Missing) => tracing::info!("only the C is written: {}", ClangError::Missing),
            Err(error) => return Err(error.into()),
        }
    }
    for (path, text) in source.files() {
        files.add(path, text);
    }
    for name in &target.beside {
        beside(verified, &hw_targets::target(name)?, &mut files);
    }
    if runs_here(target) {
        let name = &verified.pipeline().name;
        let info = codegen::p4::info(verified.pipeline(), &Sizes::of(target));
        files.add(format!("{name}.p4info.txtpb"), info.to_text());
        files.add(format!("{name}.p4info.bin"), info.to_bytes());
        files.add(format!("{name}.bundle"), bundle(&files).encode_to_vec());
    }
    Ok(files)
}

/// The P4 of another target that is written beside, named by its architecture; where the pipeline doesn't fit that target,
/// the reasons.
fn beside(verified: &Verified, target: &Target, files: &mut Artifacts) {
    let name = &verified.pipeline().name;
    match codegen::fit(verified, target).map(|fitted| codegen::emit(&fitted)) {
        Ok(Some(emitted)) => {
            if let Some(program) = emitted.get(&format!("{name}.p4")) {
                files.add(format!("{name}.{}.p4", target.arch), program);
            }
        }
        Ok(None) => {}
        Err(faults) => {
            let why: Vec<&str> = faults.0.iter().map(|f| f.message.as_str()).collect();
            let why = why.join("; ");
            let title = &target.title;
            eprintln!("note: no {name}.{}.p4, for {name} does not fit {title}: {why}", target.arch);
        }
    }
}

/// Is a software switch of ours the target's P4Runtime server?
pub(crate) fn runs_here(target: &Target) -> bool {
    matches!(target.arch.as_str(), "xdp" | "rust" | "swx")
}

/// The files as one message: what P4Runtime clients push to a software switch as its device config.
pub(crate) fn bundle(files: &Artifacts) -> Bundle {
    let file = |(path, content): (&str, &[u8])| File { path: path.into(), content: content.to_vec().into() };
    Bundle { files: files.iter().map(file).collect() }
}

/// Fits and emits; the object is not among the files.
pub(crate) fn emit(source: &Source, verified: &Verified, target: &Target) -> Result<Artifacts, Refused> {
    if !target.emits {
        let name = &target.name;
        return Err(Refused(format!(
            "error: there is no emitter for target `{name}` yet; `guideway fit --target {name}` tells what would fit"
        )));
    }
    let refused = |found| {
        let instead = Proposed::of(source, verified, target).map(|p| format!("\n\n{}", p.text()));
        Refused(diagnostics::draw(source, &found) + instead.unwrap_or_default().trim_end())
    };
    let fitted = codegen::fit(verified, target).map_err(refused)?;
    let start = std::time::Instant::now();
    let mut files = artifacts(&fitted)?;
    tracing::debug!(target = target.name, files = files.iter().count(), took = ?start.elapsed(), "emitted");
    files.add("fit.txt", fitted.report());
    Ok(files)
}

fn artifacts(fitted: &Fitted) -> Result<Artifacts, Refused> {
    let arch = &fitted.target().arch;
    codegen::emit(fitted)
        .ok_or_else(|| Refused(format!("error: there is no emitter for architecture `{arch}`")))
}

/// The name of the compiled C.
pub(crate) fn object_name(verified: &Verified) -> String {
    format!("{}.bpf.o", verified.pipeline().name)
}

/// The emitted C, compiled; none where no C is emitted.
pub(crate) fn object(verified: &Verified, files: &Artifacts) -> Result<Option<Vec<u8>>, ClangError> {
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    let Some(source) = files.get(&format!("{}.bpf.c", verified.pipeline().name)) else { return Ok(None) };
    let headers: Vec<(&str, &str)> = files
        .iter()
        .filter(|(path, _)| path.ends_with(".h"))
        .map(|(path, bytes)| (path, text(bytes)))
        .collect();
    clang::compile(text(source), &headers).map(Some)
}
