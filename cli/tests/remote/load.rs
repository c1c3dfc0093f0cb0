//! `guideway load`: what it takes, when it pushes, and what it says when it can't.

use super::{To, lab, sample, with_each};
use runtime_client::{Options, Profile, Session};
use std::path::Path;
use std::process::Command;

fn guideway(args: &[&str]) {
    let out = Command::new(env!("CARGO_BIN_EXE_guideway")).args(args).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// l4lb, compiled to a folder.
fn compiled(target: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    guideway(&["compile", "--target", target, "--out", folder.path().to_str().unwrap()]);
    folder
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

/// p4c's output, as one makes it by hand.
fn p4c(folder: &Path) -> String {
    let json = folder.join("l4lb.json");
    let mut p4c = Command::new("p4c-bm2-ss");
    p4c.args(["--arch", "v1model", "-o"]).arg(&json).arg(folder.join("l4lb.p4"));
    assert!(p4c.status().unwrap().success());
    text(json)
}

/// Every form is the same program: what was pushed in one is not pushed again in another, unless that is asked for.
#[test]
fn a_source_a_folder_a_bundle_or_p4info_and_config() {
    with_each(|to| {
        let folder = compiled(to.target);
        let path = folder.path();
        let (whole, info) = (text(path), text(path.join("l4lb.p4info.txtpb")));
        let binary = text(path.join("l4lb.p4info.bin"));
        let source = text(path.join("source/l4lb.rs"));
        let bundle = text(path.join("l4lb.bundle"));
        to.check(&["load", &source, "--target", to.target], 0, &["l4lb: loaded"]);
        let mut forms = vec![vec!["load", &whole], vec!["load", &whole, "--target", to.target]];
        let json;
        if to.target == "bmv2" {
            // p4c writes the name of its input into what it makes.
            json = p4c(path);
            to.check(&["load", &info, "--config", &json], 0, &["l4lb: loaded"]);
            forms.extend([vec!["load", &info, "--config", &json], vec!["load", &binary, "--config", &json]]);
        } else {
            forms.extend([vec!["load", &bundle], vec!["load", &info, "--config", &bundle]]);
            forms.push(vec!["load", &binary, "--config", &bundle]);
        }
        for form in &forms {
            to.check(form, 0, &["l4lb: runs already"]);
        }
        for form in &forms {
            to.check(&[&form[..], &["--force"]].concat(), 0, &["l4lb: loaded"]);
        }
        to.check(&[&forms[0][..], &["--json"]].concat(), 0, &[r#""loaded":false"#]);
    });
}

#[test]
fn entries_go_with_a_folder_too() {
    with_each(|to| {
        let folder = compiled(to.target);
        // Without the ring, whose slots take their time.
        let all = std::fs::read_to_string(sample()).unwrap();
        let entries = text(folder.path().join("lb.toml"));
        std::fs::write(&entries, all.split("[[ring]]").next().unwrap()).unwrap();
        let load = ["load", folder.path().to_str().unwrap(), "--entries", &entries];
        to.check(&load, 0, &["loaded", "4 entries written, of 4"]);
        to.check(&load, 0, &["runs already", "0 entries written, of 4"]);
        // What a new program is loaded for begins empty.
        to.check(&[&load[..], &["--force"]].concat(), 0, &["loaded", "4 entries written, of 4"]);
    });
}

/// Servers that can't be run here, as far as it is known what they refuse.
#[test]
fn servers_of_every_profile() {
    let folder = compiled("native");
    let all = std::fs::read_to_string(sample()).unwrap();
    let entries = text(folder.path().join("lb.toml"));
    std::fs::write(&entries, all.split("[[ring]]").next().unwrap()).unwrap();
    let load = ["load", folder.path().to_str().unwrap(), "--entries", &entries];
    for (name, _) in client_lab::FAKES {
        let (address, rt) = lab::native();
        let fake = rt.block_on(client_lab::Fake::before(&address, name, false)).unwrap();
        let to = To { address: &fake.address, target: name };
        let by = ["--profile", name];
        to.check(&["table", "get", "vip4"], 1, &["it runs none yet"]);
        to.check(&[&load[..], &by].concat(), 0, &["l4lb: loaded", "4 entries written, of 4"]);
        to.check(&[&load[..], &by].concat(), 0, &["l4lb: runs already", "0 entries written, of 4"]);
        for flags in ["flags=4", "flags=0"] {
            let key = ["table", "set", "vip4", "dst=203.0.113.10", "protocol=tcp", "dst_port=81"];
            let action =
                ["--action", "set_vip", "--param", "vip=2", "pool=1", "hash_key=0", flags, "class=0"];
            to.check(&[&key[..], &action, &by].concat(), 0, &[]);
            to.check(&["table", "get", "vip4"], 0, &[&flags.replace('=', " = ")]);
        }
        let kept = to.check(&[&load[..], &by, &["--reconcile"]].concat(), i32::from(name != "bmv2"), &[]);
        assert_eq!(kept.contains("loaded"), name == "bmv2", "{kept}");
    }
}

#[test]
fn what_can_not_be_loaded() {
    let nobody = To { address: "127.0.0.1:1", target: "none" };
    let folder = compiled("native");
    let path = |name: &str| text(folder.path().join(name));
    std::fs::write(path("torn.bundle"), [0x0a]).unwrap();
    std::fs::write(path("torn.txtpb"), "tables {").unwrap();
    let info = path("l4lb.p4info.txtpb");
    let chip = tempfile::tempdir().unwrap();
    let count = concat!(env!("CARGO_MANIFEST_DIR"), "/../snapshots/count/pipeline.rs");
    guideway(&["compile", count, "--target", "tofino2", "--out", &text(chip.path())]);
    let by_its_own = "the device config for target `tofino2` is what its own compiler makes of count.p4";
    for (args, code, says) in [
        (&[text(chip.path())][..], 1, by_its_own),
        (&[count.into(), "--target".into(), "tofino2".into()], 1, by_its_own),
        (&[path("source/l4lb.rs")], 1, "for which target? `--target bmv2`"),
        (std::slice::from_ref(&info), 1, "needs its device config beside it: --config FILE"),
        (&["--config".into(), path("l4lb.bundle")], 1, "--config goes with a P4Info file"),
        (&[info.clone(), "--config".into(), path("nothing.json")], 1, "can't read"),
        (
            &[info.clone(), "--config".into(), path("l4lb.bundle"), "--entries".into(), sample()],
            2,
            "cannot be used with",
        ),
        (&[path("torn.txtpb"), "--config".into(), path("l4lb.bundle")], 1, "torn.txtpb is no P4Info"),
        (&[path("torn.bundle")], 1, "torn.bundle is no bundle of `guideway compile`"),
        (&[path("l4lb.bundle"), "--set".into(), "HASH=HalfSipHash".into()], 1, "--set needs a source"),
        (&[path("source")], 1, "is no folder that `guideway compile` wrote"),
        (&[path("nothing.rs"), "--target".into(), "native".into()], 1, "can't read"),
        (&["--target".into(), "tofino".into()], 1, "Tofino (TNA), one pipe"),
        (&["--target".into(), "native".into()], 1, "can't reach a P4Runtime server at 127.0.0.1:1"),
    ] {
        let args: Vec<&str> = std::iter::once("load").chain(args.iter().map(String::as_str)).collect();
        nobody.check(&args, code, &[says]);
    }
}

/// The wrong device, and a switch that another client programs.
#[test]
fn who_may_not_load() {
    with_each(|to| {
        let folder = compiled(to.target);
        let load = ["load", folder.path().to_str().unwrap()];
        let wrong = [&load[..], &["--device-id", "7"]].concat();
        // BMv2 has no number of its own to compare.
        let says =
            if to.target == "bmv2" { "assign device" } else { "there is no device 7; this one is device 1" };
        to.check(&wrong, 1, &[says]);
        let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let other = rt.block_on(async {
            let mut options = Options::new(to.address, Profile::named("guideway").unwrap());
            options.election_id = 9;
            let session = Session::connect(options).await.unwrap();
            session.primary().await.unwrap();
            session
        });
        let help = "another client is the primary one, with election id 9";
        to.check(&load, 1, &[help, "`--election-id 10` takes over"]);
        to.check(&[&load[..], &["--election-id", "10"]].concat(), 0, &["l4lb: loaded"]);
        drop(other);
    });
}

#[test]
fn without_p4c_what_to_install() {
    let (empty, folder) = (tempfile::tempdir().unwrap(), compiled("bmv2"));
    for form in [&["--target", "bmv2"][..], &[folder.path().to_str().unwrap()]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
        let out = command.arg("load").args(form).env("PATH", empty.path()).output().unwrap();
        let error = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(1));
        assert!(error.contains("p4c-bm2-ss is not on PATH") && error.contains("`p4lang-p4c`"), "{error}");
    }
}

/// What p4c refuses is told in its words: here, one that is no P4 at all.
#[test]
fn what_p4c_refuses() {
    if !snapshots::bmv2::has_p4c() {
        println!("skipped: p4c-bm2-ss is not on PATH");
        return;
    }
    let folder = compiled("bmv2");
    std::fs::write(folder.path().join("l4lb.p4"), "nonsense").unwrap();
    let nobody = To { address: "127.0.0.1:1", target: "bmv2" };
    let load = ["load", folder.path().to_str().unwrap()];
    nobody.check(&load, 1, &["p4c-bm2-ss refuses the program", "syntax error"]);
}
