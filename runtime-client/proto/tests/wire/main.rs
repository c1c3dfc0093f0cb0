//! Our messages are those of the P4Runtime package on PyPI: every message, field, enum value and method has the same
//! name, number and type.
//!
//! The package is installed into a virtual environment below `target/`; where that can't be done (no Python, no
//! network), the test says that it was skipped. With `pypi` in `GUIDEWAY_REQUIRE`, it fails instead.
#![allow(clippy::unwrap_used)]

use p4runtime_proto::text::{from_text, to_text};
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The package of the specification that `proto/` follows.
const PACKAGE: &str = "p4runtime==1.5.0";
/// What it needs of Python to be read: its generated code is of that time.
const BESIDE: [&str; 2] = ["protobuf==3.20.3", "googleapis-common-protos==1.63.0"];

type Facts = BTreeSet<String>;

/// What our descriptors say, one fact a line, as `dump.py` prints it.
fn ours() -> Facts {
    let set = FileDescriptorSet::decode(p4runtime_proto::DESCRIPTORS).unwrap();
    let mut facts = Facts::new();
    let of_protocol = |package: &str| package.starts_with("p4.") || package == "google.rpc";
    for file in set.file.iter().filter(|f| of_protocol(f.package())) {
        let package = file.package();
        file.message_type.iter().for_each(|m| message(&format!("{package}.{}", m.name()), m, &mut facts));
        file.enum_type.iter().for_each(|e| values(&format!("{package}.{}", e.name()), e, &mut facts));
        for service in &file.service {
            for m in &service.method {
                let python = |b: bool| if b { "True" } else { "False" };
                facts.insert(format!(
                    "method {package}.{} {} {} {} {} {}",
                    service.name(),
                    m.name(),
                    m.input_type().trim_start_matches('.'),
                    python(m.client_streaming()),
                    m.output_type().trim_start_matches('.'),
                    python(m.server_streaming()),
                ));
            }
        }
    }
    facts
}

fn values(path: &str, declared: &EnumDescriptorProto, facts: &mut Facts) {
    for value in &declared.value {
        facts.insert(format!("value {path} {} {}", value.name(), value.number()));
    }
}

fn message(path: &str, declared: &DescriptorProto, facts: &mut Facts) {
    facts.insert(format!("message {path}"));
    for field in &declared.field {
        let one_of = field.oneof_index.map_or("-", |i| declared.oneof_decl[i as usize].name());
        let kind = match field.type_name().trim_start_matches('.') {
            "" => Type::try_from(field.r#type.unwrap()).unwrap().as_str_name(),
            name => name,
        };
        let label = Label::try_from(field.label.unwrap()).unwrap().as_str_name();
        facts.insert(format!("field {path} {} {} {kind} {label} {one_of}", field.name(), field.number()));
    }
    declared.enum_type.iter().for_each(|e| values(&format!("{path}.{}", e.name()), e, facts));
    declared.nested_type.iter().for_each(|m| message(&format!("{path}.{}", m.name()), m, facts));
}

/// The environment's Python, if the package is there or can be installed; else says so, or fails where it must not be
/// missing.
fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PACKAGE.replace("==", "-"));
    // Both tests use it; the first one makes it.
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match MADE.get_or_init(|| installed(&folder)) {
        Ok(python) => Some(python.clone()),
        Err(why) => {
            assert!(needed::skip(PACKAGE, "pypi", Some(why.clone())));
            None
        }
    }
}

/// The Python of an environment that has the package.
fn installed(folder: &Path) -> Result<PathBuf, String> {
    let (python, done) = (folder.join("bin/python"), folder.join("done"));
    if !done.is_file() {
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        let options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
        let patience = ["--timeout", "15", "--retries", "1", PACKAGE];
        output(Command::new(&python).args(options).args(patience).args(BESIDE))?;
        std::fs::write(&done, "").map_err(|e| e.to_string())?;
    }
    Ok(python)
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.output().map_err(|e| format!("{program}: {e}"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    match out.status.success() {
        true => Ok(out.stdout),
        false => Err(format!("{program}: {}", said.lines().last().unwrap_or("failed"))),
    }
}

/// Runs a script of this folder.
fn run(python: &Path, script: &str, input: &Path) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire").join(script);
    output(Command::new(python).arg(script).stdin(File::open(input).unwrap())).unwrap()
}

#[test]
fn our_messages_are_those_of_the_package_on_pypi() {
    let Some(python) = python() else { return };
    let said = String::from_utf8(run(&python, "dump.py", Path::new("/dev/null"))).unwrap();
    let (theirs, ours): (Facts, Facts) = (said.lines().map(str::to_owned).collect(), ours());
    assert!(theirs.len() > 300, "{} facts are not the whole protocol", theirs.len());
    let lines = |sign, facts: Vec<&String>| facts.iter().map(|f| format!("{sign} {f}\n")).collect::<String>();
    let missing = lines("-", theirs.difference(&ours).collect());
    let odd = lines("+", ours.difference(&theirs).collect());
    assert!(missing.is_empty() && odd.is_empty(), "we lack (-) or have more (+):\n{missing}{odd}");
}

/// Every case's P4Info: the reference implementation reads the text, and what we make of it, as the same bytes.
#[test]
fn text_is_what_the_reference_implementation_reads() {
    let Some(python) = python() else { return };
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../snapshots");
    let mut seen = 0;
    for case in std::fs::read_dir(cases).unwrap() {
        let Ok(files) = std::fs::read_dir(case.unwrap().path().join("out")) else { continue };
        let all = files.map(|f| f.unwrap().path());
        for path in all.filter(|p| p.to_string_lossy().ends_with(".p4info.txtpb")) {
            let info = from_text(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(run(&python, "text.py", &path), info.encode_to_vec(), "{}", path.display());
            let ours = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ours.txtpb");
            std::fs::write(&ours, to_text(&info)).unwrap();
            assert_eq!(run(&python, "text.py", &ours), info.encode_to_vec(), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} cases");
}
