//! `guideway switch` on this machine's kernel. Needs root, clang and BPF; without them each test says that it is
//! skipped, unless `GUIDEWAY_REQUIRE` has the word `bpf`.
#![allow(clippy::unwrap_used)]

mod lab;
mod p4runtime;
mod packets;
mod robust;

use lab::{BpfFs, Running, compiled, in_network, ready, sh, veth, xdp_on};
use std::process::Command;

const ENTRIES: &str = r#"
    [[entry]]
    table = "vip4"
    key = { dst = "203.0.113.10", protocol = "tcp", dst_port = 80 }
    action = "set_vip"
    params = { vip = 1, pool = 1, hash_key = 0, flags = 0, class = 0 }
    [[entry]]
    table = "backend"
    key = { backend = 16385 }
    action = "ipip4"
    params = { src = "10.0.0.1", spread = 0, dst = "10.0.0.2", port = 1, dst_mac = "02:00:00:00:00:02", src_mac = "02:00:00:00:00:01", mtu = 1500 }
    [[ring]]
    pool = 1
    generation = 1
    backends = [16385]
"#;

/// Flow entries.
const SMALL: u32 = 1024;
const TWICE: u32 = 2048;

/// The packets that a VIP has counted, by a status.
fn vip_packets(status: &serde_json::Value) -> u64 {
    status["tables"]["vip4"][0]["packets"].as_u64().unwrap()
}

/// A SYN from another port, to the VIP by way of `a1`.
fn syn(port: u16) {
    let head = "020000000001020000000002080045000028000000004006 8d2b 0a000005 cb00710a".replace(' ', "");
    let frame = format!("{head}{port:04x}0050000000010000000050020400000000000000");
    let code = format!(
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('a1', 0)); \
         s.send(bytes.fromhex('{frame}'))"
    );
    assert!(Command::new("python3").args(["-c", &code]).status().unwrap().success());
}

#[test]
fn a_killed_switch_leaves_traffic_and_is_adopted() {
    if !ready("a_killed_switch_leaves_traffic_and_is_adopted") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut first = Running::start(&fs, SMALL, &[], ENTRIES);
        assert!(first.line("ready").contains("l4lb on 1@a0; 2 entries inserted"));
        let program = xdp_on("a0");
        assert!(program.is_some());
        syn(1000);
        assert_eq!(vip_packets(&first.status()), 1);
        first.kill();
        assert_eq!(xdp_on("a0"), program);
        syn(1001);

        let mut second = Running::start(&fs, SMALL, &[], ENTRIES);
        assert!(second.line("ready").contains("0 entries inserted, 0 modified, 0 deleted, 0 rings filled"));
        assert_ne!(xdp_on("a0"), program);
        syn(1002);
        let status = second.status();
        assert_eq!(vip_packets(&status), 3);
        assert_eq!(status["flows"]["flows4"]["new"], 3);
        assert_eq!(status["tables"]["vip4"][0]["key"]["dst"], "203.0.113.10");
        assert_eq!(second.end(), Some(0));
        assert_eq!(xdp_on("a0"), None);
        assert!(!fs.path("p").exists());
        assert_eq!(vip_packets(&second.written()), 3, "the end writes the status too");
    });
}

#[test]
fn a_changed_layout_tells_what_is_lost() {
    if !ready("a_changed_layout_tells_what_is_lost") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut first = Running::start(&fs, SMALL, &[], ENTRIES);
        first.line("ready");
        syn(1000);
        syn(1001);
        first.kill();
        let mut second = Running::start(&fs, TWICE, &[], ENTRIES);
        assert!(second.line("ready").contains("0 entries inserted"));
        assert!(second.errors().contains("flows4: 2 flows of the last run are lost"), "{}", second.errors());
        assert_eq!(vip_packets(&second.status()), 2);
        second.kill();
        let mut third = Running::start(&fs, TWICE, &["--flush"], ENTRIES);
        assert!(third.line("ready").contains("2 entries inserted"));
        assert_eq!(vip_packets(&third.status()), 0);
    });
}

#[test]
fn entries_are_read_again() {
    if !ready("entries_are_read_again") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut switch = Running::start(&fs, SMALL, &[], ENTRIES);
        switch.line("ready");
        syn(1000);
        let more = ENTRIES.replace("16385", "16386").replace("dst = \"10.0.0.2\"", "dst = \"10.0.0.3\"");
        let done = switch.reload(&more.replace("generation = 1", "generation = 2"));
        assert!(done.contains("1 entries inserted, 0 modified, 1 deleted, 1 rings filled"), "{done}");
        // The same generation with other slots, and a changed entry that keeps its count.
        let done = switch
            .reload(&ENTRIES.replace("generation = 1", "generation = 2").replace("flags = 0", "flags = 2"));
        assert!(done.contains("1 entries inserted, 1 modified, 1 deleted, 1 rings filled"), "{done}");
        syn(1001);
        assert_eq!(vip_packets(&switch.status()), 2);
        switch.give("[[entry]]\ntable = 'nothing'\naction = 'x'");
        switch.error("not reloaded");
        assert!(switch.errors().contains("no table is named `nothing`"));
        syn(1002);
        assert_eq!(vip_packets(&switch.status()), 3, "what was there stays");
    });
}

#[test]
fn refusals_leave_the_interface_alone() {
    if !ready("refusals_leave_the_interface_alone") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let check = |extra: &[&str], before: &[&str], parts: &[&str]| {
            let mut command = Command::new(before.first().map_or(env!("CARGO_BIN_EXE_guideway"), |p| p));
            command.args(before.get(1..).unwrap_or_default());
            if !before.is_empty() {
                command.arg(env!("CARGO_BIN_EXE_guideway"));
            }
            let pins = fs.path("p");
            command
                .arg("switch")
                .arg(compiled(SMALL))
                .args(["--target", "xdp", "--pin-dir"])
                .arg(pins)
                .args(extra);
            let out = command.output().unwrap();
            let text = String::from_utf8_lossy(&out.stderr).into_owned();
            assert_eq!(out.status.code(), Some(1), "{text}");
            for part in parts {
                assert!(text.contains(part), "no {part:?} in: {text}");
            }
            assert_eq!(xdp_on("a0"), None);
            assert!(!fs.path("p").exists());
        };
        check(&["--port", "1@gone0"], &[], &["no interface `gone0`"]);
        let no_caps = ["setpriv", "--bounding-set", "-bpf,-sys_admin"];
        check(&["--port", "1@a0"], &no_caps, &["lacks CAP_BPF;", "run it as root"]);
        let no_caps = ["setpriv", "--bounding-set", "-all"];
        check(&["--port", "1@a0"], &no_caps, &["CAP_BPF and CAP_PERFMON and CAP_NET_ADMIN"]);
        let huge = ["--port", "1@a0", "--set", "FLOW_ENTRIES=1073741824"];
        check(&huge, &[], &["flows4"]);
    });
}

/// Without clang on PATH, only what is found out before compiling can be told.
#[test]
fn what_the_machine_lacks_is_told_before_clang_runs() {
    if !ready("what_the_machine_lacks_is_told_before_clang_runs") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let (fs, no_fs) = (BpfFs::new(), tempfile::tempdir().unwrap());
        let no_fs = no_fs.path().join("p");
        let check = |drop: &str, port: &str, pins: &std::path::Path, parts: &[&str]| {
            let mut command = Command::new("/usr/bin/setpriv");
            command.args(["--bounding-set", drop]).arg(env!("CARGO_BIN_EXE_guideway"));
            command.args(["switch", "--target", "xdp", "--port", port, "--pin-dir"]).arg(pins);
            let out = command.env("PATH", "/nonexistent").output().unwrap();
            let text = String::from_utf8_lossy(&out.stderr).into_owned();
            assert_eq!(out.status.code(), Some(1), "{text}");
            for part in parts {
                assert!(text.contains(part), "no {part:?} in: {text}");
            }
            assert!(!pins.exists());
        };
        check("-bpf,-sys_admin", "1@a0", &fs.path("p"), &["lacks CAP_BPF;", "run it as root"]);
        check("-all", "1@a0", &fs.path("p"), &["CAP_BPF and CAP_PERFMON and CAP_NET_ADMIN"]);
        check("+all", "1@gone0", &fs.path("p"), &["no interface `gone0`"]);
        check("+all", "1@a0", &no_fs, &["not in a BPF file system", "mount -t bpf"]);
        check("+all", "1@a0", &fs.path("p"), &["clang is not installed"]);
    });
}

#[test]
fn two_switches_do_not_share() {
    if !ready("two_switches_do_not_share") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut first = Running::start(&fs, SMALL, &[], ENTRIES);
        first.line("ready");
        let program = xdp_on("a0");
        let mut second = Running::start(&fs, SMALL, &[], ENTRIES);
        second.error("another `guideway switch` uses");
        assert_eq!(second.wait(), Some(1));
        let elsewhere = fs.path("q");
        let mut third = Running::start(&fs, SMALL, &["--pin-dir", elsewhere.to_str().unwrap()], ENTRIES);
        third.error("interface `a0` has another XDP program: `gw_main`");
        third.error("`bpftool link detach id ");
        third.error(&format!(", or end process {} (`guideway`)", first.id()));
        assert_eq!(third.wait(), Some(1));
        assert_eq!(xdp_on("a0"), program);
    });
}

#[test]
fn an_interface_that_goes_ends_the_switch() {
    if !ready("an_interface_that_goes_ends_the_switch") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let fs = BpfFs::new();
        let mut switch = Running::start(&fs, SMALL, &[], ENTRIES);
        switch.line("ready");
        sh("ip link del a0");
        switch.error("interface `a0` is gone");
        assert_eq!(switch.wait(), Some(1));
        assert!(!fs.path("p").exists());
    });
}

/// The switch with these arguments is refused, says these parts, and leaves `a0` and its pins as they were.
fn refused(fs: &BpfFs, folder: &std::path::Path, entries: Option<&std::path::Path>, parts: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
    command
        .arg("switch")
        .arg(folder)
        .args(["--target", "xdp", "--port", "1@a0", "--pin-dir"])
        .arg(fs.path("p"));
    if let Some(entries) = entries {
        command.arg("--entries").arg(entries);
    }
    let out = command.output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{text}");
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
    assert_eq!(xdp_on("a0"), None, "{text}");
    assert!(!fs.path("p").exists(), "{text}");
}

#[test]
fn entries_that_are_cut_or_too_many_load_nothing() {
    if !ready("entries_that_are_cut_or_too_many_load_nothing") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let (fs, dir) = (BpfFs::new(), tempfile::tempdir().unwrap());
        let (folder, file) = (compiled(SMALL), dir.path().join("lb.toml"));
        refused(&fs, &folder, Some(&file), &["lb.toml", "can't read the entries"]);
        refused(&fs, &folder, Some(dir.path()), &["can't read the entries", "directory"]);
        // Cut in the middle of each line.
        let mut start = 0;
        for line in ENTRIES.split_inclusive('\n') {
            if line.len() > 6 {
                let indent = line.len() - line.trim_start().len();
                std::fs::write(&file, &ENTRIES[..start + indent + line.trim().len() / 2]).unwrap();
                refused(&fs, &folder, Some(&file), &["lb.toml:"]);
            }
            start += line.len();
        }
        std::fs::write(&file, [0xff, 0xfe, 0]).unwrap();
        refused(&fs, &folder, Some(&file), &["lb.toml", "UTF-8"]);
        // Legal one by one, but 513 of them, which is told when the program has been loaded.
        let vip = |i: u32| {
            ENTRIES
                .split("[[entry]]")
                .nth(1)
                .unwrap()
                .replace("dst_port = 80", &format!("dst_port = {i}"))
                .replace("vip = 1,", &format!("vip = {i},"))
        };
        let many: Vec<String> = (1..=513).map(|i| format!("[[entry]]{}", vip(i))).collect();
        std::fs::write(&file, many.join("\n")).unwrap();
        refused(&fs, &folder, Some(&file), &["table `vip4` has room for 512 entries, but 513 are given"]);
    });
}

#[test]
fn a_damaged_object_loads_nothing() {
    if !ready("a_damaged_object_loads_nothing") {
        return;
    }
    in_network(|| {
        veth("a0", "a1");
        let (fs, dir) = (BpfFs::new(), tempfile::tempdir().unwrap());
        sh(&format!("cp -r {}/. {}", compiled(SMALL).display(), dir.path().display()));
        let object = dir.path().join("l4lb.bpf.o");
        let whole = std::fs::read(&object).unwrap();
        for end in (0..whole.len()).step_by(whole.len() / 12) {
            std::fs::write(&object, &whole[..end]).unwrap();
            refused(&fs, dir.path(), None, &["no XDP program of Guideway", "compile the pipeline again"]);
        }
        // Another pipeline's, or one with other sizes.
        let other = compiled(TWICE).join("l4lb.bpf.o");
        std::fs::copy(other, &object).unwrap();
        refused(&fs, dir.path(), None, &["`flows4` is not what this pipeline's layout says"]);
    });
}
