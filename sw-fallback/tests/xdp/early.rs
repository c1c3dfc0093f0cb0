//! What is refused before there is an object, and how to get rid of a program that is in the way.

use crate::attach::ports;
use crate::lab::{BpfFs, in_network, ready, sh, veth, xdp_on};
use crate::pipeline::{object, pipeline};
use sw_fallback::xdp::{Options, XdpPlane, clang, early};

/// What the check says.
fn said(options: &Options) -> String {
    early::check(pipeline(64).pipeline(), options).map_or_else(|e| e.to_string(), |()| "nothing".into())
}

fn check(options: &Options, parts: &[&str]) -> String {
    let text = said(options);
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    text
}

#[test]
fn what_is_missing_is_told_without_an_object() {
    if !ready("what_is_missing_is_told_without_an_object") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let (fs, no_fs) = (BpfFs::new(), tempfile::tempdir().unwrap());
        let on = |interfaces: &[&str]| Options {
            ports: ports(interfaces),
            pin_dir: Some(fs.path("p")),
            ..Options::default()
        };
        check(&on(&["a0"]), &["nothing"]);
        assert!(!fs.path("p").exists(), "asking makes no folder");
        check(&on(&["gone0"]), &["no interface `gone0`"]);
        check(&on(&["a0", "a0"]), &["port 2@a0 is given twice"]);
        let elsewhere = Options { pin_dir: Some(no_fs.path().join("p")), ..on(&["a0"]) };
        check(&elsewhere, &["not in a BPF file system", "mount -t bpf"]);
        let mut plane = XdpPlane::load(&pipeline(64), object(), &on(&["a0"])).unwrap();
        check(&on(&["a0"]), &["another `guideway switch` uses"]);
        plane.attach().unwrap();
        drop(plane);
        check(&on(&["a0"]), &["nothing"]);
    });
}

/// Puts a program that is not ours on an interface by a mode of `ip link`.
fn stranger(interface: &str, mode: &str) {
    let source = "__attribute__((section(\"xdp\"), used)) int stranger(void *c) { return 2; }
        char gw_license[] __attribute__((section(\"license\"), used)) = \"GPL\";";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), clang::compile(source, &[]).unwrap()).unwrap();
    sh(&format!("ip link set dev {interface} {mode} obj {} sec xdp", file.path().display()));
}

/// The first command in the text that starts so.
fn command(text: &str, start: &str) -> String {
    let found = text.split('`').find(|part| part.starts_with(start));
    found.unwrap_or_else(|| panic!("no command {start} in: {text}")).to_owned()
}

#[test]
fn the_command_that_is_named_detaches() {
    if !ready("the_command_that_is_named_detaches") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let on = |folder: &str| Options {
            ports: ports(&["a0"]),
            pin_dir: Some(fs.path(folder)),
            ..Options::default()
        };
        for mode in ["xdpdrv", "xdpgeneric"] {
            stranger("a0", mode);
            sh(&command(&check(&on("p"), &["`stranger`"]), "ip link set dev a0 xdp"));
            check(&on("p"), &["nothing"]);
        }
        let mut plane = XdpPlane::load(&pipeline(64), object(), &on("first")).unwrap();
        plane.attach().unwrap();
        drop(plane);
        let pin = fs.path("first/link@a0").display().to_string();
        let text = check(&on("p"), &["`gw_main`", "a BPF link", "ip link` can't", &pin]);
        let detach = command(&text, "bpftool link detach id ");
        if sh("command -v bpftool || true").is_empty() {
            println!("skipped: {detach}: no bpftool");
            return;
        }
        sh(&detach);
        assert_eq!(xdp_on("a0"), None);
        check(&on("p"), &["nothing"]);
    });
}
