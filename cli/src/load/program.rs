//! What `guideway load` pushes: compiled now, or read from files that were compiled before.

use super::Args;
use crate::made::Made;
use crate::source::{self, Source};
use crate::{Refused, compile};
use hw_targets::Target;
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::text::from_text;
use pipeline_ir::verify::Verified;
use prost::Message as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// A program as P4Runtime takes it.
pub(super) struct Program {
    pub(super) name: String,
    pub(super) info: P4Info,
    pub(super) config: Vec<u8>,
    /// What entries are checked against; none where only P4Info and device config are known.
    pub(super) pipeline: Option<Verified>,
    /// It is for BMv2.
    pub(super) bmv2: bool,
}

/// The program that the command line is about.
pub(super) fn find(args: &Args) -> Result<Program, Refused> {
    let name = args.source.file.as_deref().map_or_else(String::new, |p| p.to_string_lossy().into_owned());
    match (args.source.file.as_deref(), &args.config) {
        (Some(path), Some(config)) => config_of(path, config),
        (None, Some(_)) => Err(Refused(
            "error: --config goes with a P4Info file: `load NAME.p4info.txtpb --config FILE`".into(),
        )),
        (Some(path), None) if name.ends_with(".bundle") => {
            if args.source.sets() {
                return Err(Refused(format!("error: {name} is compiled: --set needs a source")));
            }
            bundle(path)
        }
        (Some(_), None) if name.ends_with(".txtpb") || name.ends_with(".bin") => Err(Refused(format!(
            "error: {name} needs its device config beside it: --config FILE, p4c's JSON for BMv2"
        ))),
        _ => from_source(args),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Refused> {
    fs::read(path).map_err(|e| Refused(format!("error: can't read {}: {e}", path.display())))
}

/// P4Info and device config, whoever made them.
fn config_of(path: &Path, config: &Path) -> Result<Program, Refused> {
    let bytes = read(path)?;
    let wrong = |e: &dyn std::fmt::Display| Refused(format!("error: {} is no P4Info: {e}", path.display()));
    let info = if path.extension().is_some_and(|e| e == "bin") {
        P4Info::decode(bytes.as_slice()).map_err(|e| wrong(&e))?
    } else {
        let text = String::from_utf8(bytes).map_err(|_| wrong(&"it is no text"))?;
        from_text(&text).map_err(|e| wrong(&e))?
    };
    let stem = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let own = info.pkg_info.as_ref().map(|p| p.name.clone()).filter(|n| !n.is_empty());
    let name = own.unwrap_or_else(|| stem.split('.').next().unwrap_or_default().to_owned());
    let bmv2 = config.extension().is_some_and(|e| e == "json");
    Ok(Program { name, info, config: read(config)?, pipeline: None, bmv2 })
}

/// What `guideway compile` wrote as one file.
fn bundle(path: &Path) -> Result<Program, Refused> {
    let wrong =
        |e: &str| Refused(format!("error: {} is no bundle of `guideway compile`: {e}", path.display()));
    let config = read(path)?;
    let bundle = Bundle::decode(config.as_slice()).map_err(|e| wrong(&e.to_string()))?;
    let source = source::from_bundle(&bundle)?;
    let verified = source.verified()?;
    let name = verified.pipeline().name.clone();
    let wanted = format!("{name}.p4info.bin");
    let info = bundle.files.iter().find(|f| f.path == wanted).ok_or_else(|| wrong("it has no P4Info"))?;
    let info = P4Info::decode(info.content.clone())?;
    Ok(Program { name, info, config, pipeline: Some(verified), bmv2: false })
}

/// A source, compiled now; or a folder's files, if they are for the target.
fn from_source(args: &Args) -> Result<Program, Refused> {
    let target = args.target.as_deref().map(hw_targets::target).transpose()?;
    let source = args.source.read()?;
    let verified = source.verified()?;
    if let Some(folder) = args.source.folder()
        && let Some(program) = from_folder(folder, &verified, target.as_ref())?
    {
        return Ok(program);
    }
    let target = target.ok_or_else(|| {
        Refused(
            "error: for which target? `--target bmv2`, `xdp` or `native`; `guideway targets` lists them"
                .into(),
        )
    })?;
    compiled(&source, verified, &target)
}

/// What a folder of `guideway compile` holds, if that is for the target.
fn from_folder(
    folder: &Path,
    verified: &Verified,
    target: Option<&Target>,
) -> Result<Option<Program>, Refused> {
    let Some(made) = Made::read(folder)? else { return Ok(None) };
    let own = hw_targets::target(&made.target)?;
    if target.is_some_and(|t| t.name != own.name) {
        return Ok(None);
    }
    let name = verified.pipeline().name.clone();
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    let changed = |ending: &str| file(ending).metadata().and_then(|m| m.modified()).ok();
    let config = match config(&own, &name)? {
        Config::P4c if changed("json").is_some_and(|json| Some(json) >= changed("p4")) => {
            read(&file("json"))?
        }
        Config::P4c => p4c(&read(&file("p4"))?)?,
        Config::Bundle => read(&file("bundle"))?,
    };
    let info = P4Info::decode(read(&file("p4info.bin"))?.as_slice())?;
    Ok(Some(Program { name, info, config, pipeline: Some(verified.clone()), bmv2: own.arch == V1MODEL }))
}

fn compiled(source: &Source, verified: Verified, target: &Target) -> Result<Program, Refused> {
    let name = verified.pipeline().name.clone();
    let files = compile::all(source, &verified, target, true)?;
    let file = |ending: &str| {
        let missing = || Refused(format!("error: target `{}` takes no program over P4Runtime", target.name));
        files.get(&format!("{name}.{ending}")).ok_or_else(missing)
    };
    let config = match config(target, &name)? {
        Config::P4c => p4c(file("p4")?)?,
        Config::Bundle => file("bundle")?.to_vec(),
    };
    let info = P4Info::decode(file("p4info.bin")?)?;
    Ok(Program { name, info, config, pipeline: Some(verified), bmv2: target.arch == V1MODEL })
}

/// The architecture of BMv2's own P4Runtime server.
const V1MODEL: &str = "v1model";

/// What makes a target's device config.
enum Config {
    /// p4c, of the P4.
    P4c,
    /// This command: all files as one.
    Bundle,
}

/// What makes the device config for a target, if this command can have it made.
fn config(target: &Target, name: &str) -> Result<Config, Refused> {
    if target.arch == V1MODEL {
        return Ok(Config::P4c);
    }
    if compile::runs_here(target) {
        return Ok(Config::Bundle);
    }
    let target = &target.name;
    Err(Refused(format!(
        "error: the device config for target `{target}` is what its own compiler makes of {name}.p4\nhelp: `guideway compile \
         --target {target} --out out`, compile out/{name}.p4, then `guideway load out/{name}.p4info.txtpb --config FILE`"
    )))
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
