//! What can't be loaded says why, and what to do.

use crate::attach::ports;
use crate::lab::{in_network, ready, veth};
use crate::pipeline::{object, object_with, pipeline};
use sw_fallback::xdp::{Options, Port, XdpPlane};

/// Loads, and checks that the refusal has these parts.
fn check(object: &[u8], flow_entries: u32, options: &Options, parts: &[&str]) {
    let text = XdpPlane::load(&pipeline(flow_entries), object, options).unwrap_err().to_string();
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

#[test]
fn objects_that_are_not_ours() {
    if !ready("objects_that_are_not_ours") {
        return;
    }
    let none = Options::default();
    check(b"no object", 64, &none, &["no XDP program of Guideway", "compile the pipeline again"]);
    check(&object_with("int gw_main(", "int another("), 64, &none, &["`gw_main`"]);
    check(
        &object_with("SEC(\"xdp\") int gw_main", "SEC(\"xdp.frags\") int gw_main"),
        64,
        &none,
        &["`gw_main`"],
    );
    check(object(), 128, &none, &["map `flows` is not what this pipeline's layout says"]);
    let renamed = object_with("MAP(acl_half,", "#define acl_half other\nMAP(acl_half,");
    check(&renamed, 64, &none, &["no map `acl_half`"]);
}

#[test]
fn interfaces_and_ports() {
    if !ready("interfaces_and_ports") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let options = |ports| Options { ports, ..Options::default() };
        check(object(), 64, &options(ports(&["a0", "gone0"])), &["no interface `gone0`", "ip link"]);
        check(object(), 64, &options(ports(&["a0", "a0"])), &["port 2@a0 is given twice"]);
        let far = vec![Port { number: 1024, interface: "a0".into() }];
        check(object(), 64, &options(far), &["port 1024 is out of range", "below 1024"]);
    });
}

#[test]
fn folders_that_are_no_bpf_file_system() {
    if !ready("folders_that_are_no_bpf_file_system") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let options = Options { pin_dir: Some(dir.path().join("p")), ..Options::default() };
    check(object(), 64, &options, &["not in a BPF file system", "mount -t bpf bpf /sys/fs/bpf"]);
    assert!(!dir.path().join("p").exists());
}
