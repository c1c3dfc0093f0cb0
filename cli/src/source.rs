//! Which pipeline a command is about, and reading it.

use crate::Refused;
use crate::diagnostics;
use clap::Args;
use codegen::off::Fate;
use hw_targets::Target;
use p4runtime_proto::guideway::v1::{Bundle, File};
use pipeline_ir::verify::{Verified, verify};
use std::fs;
use std::path::{Path, PathBuf};

/// The pipeline: a file, a folder made by `compile`, or a built-in one.
#[derive(Clone, Debug, Args)]
pub(crate) struct SourceArgs {
    /// The pipeline's source (`.rs`), or a folder that `guideway compile` wrote; without it, a built-in one.
    pub(crate) file: Option<PathBuf>,
    /// A built-in pipeline.
    #[arg(long, value_parser = ["l4lb", "decap"], default_value = "l4lb", conflicts_with = "file")]
    pipeline: String,
    /// Gives a constant of the pipeline another value; `NAME=off` leaves a parser state, an action, a table, a flow table,
    /// a limiter or a counter out.
    #[arg(long = "set", value_name = "CONST=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
}

/// The pipes of a chip that a pipeline is divided among.
#[derive(Clone, Debug, Args)]
pub(crate) struct PipesArgs {
    /// What one pipe of the chip does without, once for each pipe: what comes to a parser state that is off in it goes to
    /// the pipe where it is not.
    #[arg(long = "pipe", value_name = "NAME=off,..")]
    pipe: Vec<String>,
}

impl PipesArgs {
    /// Is the pipeline to be divided?
    pub(crate) fn some(&self) -> bool {
        !self.pipe.is_empty()
    }

    /// The source for each pipe; none: the pipeline is not divided.
    pub(crate) fn divide(
        &self,
        source: &Source,
        whole: &Verified,
        target: &Target,
    ) -> Result<Vec<Source>, Refused> {
        if !self.some() {
            return Ok(Vec::new());
        }
        let settings = |text: &String| text.split(',').map(assignment).collect::<Result<Vec<_>, _>>();
        let refused = |e| Refused(format!("error: --pipe: {e}"));
        let own = self.pipe.iter().map(settings).collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let off = |set: &Vec<(String, String)>| {
            set.iter().filter(|(_, value)| value == "off").map(|(name, _)| name.clone()).collect()
        };
        let off: Vec<Vec<String>> = own.iter().map(off).collect();
        let fates = codegen::off::pipes(whole.pipeline(), target, &off)
            .map_err(|found| Refused(diagnostics::draw(source, &found)))?;
        let sources = own.into_iter().zip(fates).map(|(own, fates)| {
            let constants = own.into_iter().filter(|(_, value)| value != "off");
            let fates = fates.into_iter().map(|(name, fate)| (name, fate.to_string()));
            Source {
                set: source.set.iter().cloned().chain(constants).chain(fates).collect(),
                ..source.clone()
            }
        });
        Ok(sources.collect())
    }
}

/// A pipeline's source with the constants that replace its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) set: Vec<(String, String)>,
}

/// In a folder made by `compile`: the source, and what was set.
const FOLDER: &str = "source";
const SET: &str = "set.toml";

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once('=').ok_or("write NAME=VALUE, as in FLOW_ENTRIES=65536 or ipv6=off")?;
    let (way, _) = value.trim().split_once(':').unwrap_or_default();
    if matches!(way, "to" | "from") && Fate::parse(value.trim()).is_none() {
        return Err(format!("write {}={way}:PORT, a port from 0 to 65535", name.trim()));
    }
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl SourceArgs {
    /// Reads the source.
    pub(crate) fn read(&self) -> Result<Source, Refused> {
        let mut source = match &self.file {
            None => built_in(&self.pipeline),
            Some(path) if path.is_dir() => from_folder(path)?,
            Some(path) => Source { name: name_of(path), text: read(path)?, set: Vec::new() },
        };
        source.set.retain(|(name, _)| self.set.iter().all(|(n, _)| n != name));
        source.set.extend(self.set.iter().cloned());
        Ok(source)
    }

    /// Are constants to be replaced?
    pub(crate) fn sets(&self) -> bool {
        !self.set.is_empty()
    }

    /// The folder that was given instead of a source, as far as it holds what is asked for: not with other constants.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.file.as_deref().filter(|p| p.is_dir() && self.set.is_empty())
    }
}

fn built_in(name: &str) -> Source {
    let text = if name == "decap" { guideway::builtin::DECAP } else { guideway::builtin::L4LB };
    Source { name: format!("{name}.rs"), text: text.to_owned(), set: Vec::new() }
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| "pipeline.rs".into(), |n| n.to_string_lossy().into_owned())
}

fn read(path: &Path) -> Result<String, Refused> {
    fs::read_to_string(path).map_err(|e| Refused(format!("error: can't read {}: {e}", path.display())))
}

fn from_folder(folder: &Path) -> Result<Source, Refused> {
    let inner = folder.join(FOLDER);
    let files = fs::read_dir(&inner).into_iter().flatten().flatten().map(|e| e.path());
    let mut sources: Vec<PathBuf> = files.filter(|p| p.extension().is_some_and(|e| e == "rs")).collect();
    sources.sort();
    let Some(path) = sources.first() else {
        let path = folder.display();
        return Err(Refused(format!(
            "error: {path} is no folder that `guideway compile` wrote: it has no source"
        )));
    };
    let set = inner.join(SET);
    let set = if set.exists() { settings(&set)? } else { Vec::new() };
    Ok(Source { name: name_of(path), text: read(path)?, set })
}

/// As [`from_folder`], of files in memory.
pub(crate) fn from_bundle(bundle: &Bundle) -> Result<Source, Refused> {
    let inner =
        |f: &File| Some((f.path.strip_prefix(FOLDER)?.strip_prefix('/')?.to_owned(), f.content.clone()));
    let mut files: Vec<_> = bundle.files.iter().filter_map(inner).collect();
    files.sort();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec());
        text.map_err(|_| Refused("error: the bundle's source is no text".into()))
    };
    let Some((name, source)) = files.iter().find(|(name, _)| name.ends_with(".rs")) else {
        return Err(Refused(
            "error: the bundle has no source, which `guideway compile` writes into it".into(),
        ));
    };
    let set = files.iter().find(|(name, _)| name == SET);
    let set = set.map(|(_, bytes)| assignments(SET.as_ref(), &text(bytes)?)).transpose()?.unwrap_or_default();
    Ok(Source { name: name.clone(), text: text(source)?, set })
}

/// The constants that a folder's pipeline was compiled with.
fn settings(path: &Path) -> Result<Vec<(String, String)>, Refused> {
    assignments(path, &read(path)?)
}

/// What [`SET`] says.
fn assignments(path: &Path, text: &str) -> Result<Vec<(String, String)>, Refused> {
    let refused = |why: &str| {
        let path = path.display();
        Refused(format!("error: {path}: {why}; write the folder again with `guideway compile`"))
    };
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| refused(e.message()))?;
    let text = |(name, value): (String, toml::Value)| match value {
        toml::Value::String(text) => Ok((name, text)),
        _ => Err(refused(&format!("`{name}` is no text"))),
    };
    table.into_iter().map(text).collect()
}

impl Source {
    /// Reads and verifies the pipeline; what is wrong is drawn into the refusal.
    pub(crate) fn verified(&self) -> Result<Verified, Refused> {
        self.checked().map_err(|found| Refused(diagnostics::draw(self, &found)))
    }

    /// As [`Self::verified`], with what is wrong as data.
    pub(crate) fn checked(&self) -> Result<Verified, pipeline_ir::diagnostic::Diagnostics> {
        let (parts, set) = codegen::off::split(&self.set);
        let verified = verify(pipeline_syntax::compile_source(&self.name, &self.text, &set)?)?;
        codegen::off::set(&verified, &parts)
    }

    /// What is set, as on the command line.
    pub(crate) fn settings(&self) -> String {
        let all: Vec<String> = self.set.iter().map(|(name, value)| format!("{name}={value}")).collect();
        all.join(" ")
    }

    /// The files that let a folder of artefacts be given in place of the source.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![(format!("{FOLDER}/{}", self.name), self.text.clone())];
        if !self.set.is_empty() {
            let set = self.set.iter().map(|(n, v)| (n.clone(), toml::Value::String(v.clone())));
            files.push((format!("{FOLDER}/{SET}"), set.collect::<toml::Table>().to_string()));
        }
        files
    }
}
