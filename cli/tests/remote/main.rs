//! The commands that program a switch over P4Runtime: against our own server, and BMv2 where it is on PATH.
#![allow(clippy::unwrap_used)]

mod lab;
mod load;

use p4runtime_server::{Options, Tls};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn sample() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lb.toml").display().to_string()
}

/// A server and the target that it is.
struct To<'a> {
    address: &'a str,
    target: &'a str,
}

impl To<'_> {
    /// Runs a command against the server; checks the exit code and parts of what is printed, on either stream.
    fn check(&self, args: &[&str], code: i32, parts: &[&str]) -> String {
        let args = [args, &["--address", self.address]].concat();
        let out = Command::new(env!("CARGO_BIN_EXE_guideway")).args(&args).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let all = text.clone() + &String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{}: {args:?}: {all}", self.target);
        for part in parts {
            assert!(all.contains(part), "{}: {args:?}: no {part:?} in: {all}", self.target);
        }
        text
    }
}

/// Runs a test against every server that there is.
fn with_each(test: impl Fn(&To<'_>)) {
    let (address, _server) = lab::native();
    test(&To { address: &address, target: "native" });
    if let Some((address, _switch)) = lab::bmv2() {
        test(&To { address: &address, target: "bmv2" });
    }
}

const VIP: [&str; 4] = ["vip4", "dst=203.0.113.10", "protocol=tcp", "dst_port=81"];

fn set(to: &To<'_>, flags: &str, code: i32, parts: &[&str]) {
    let action = ["--action", "set_vip", "--param", "vip=2", "pool=1", "hash_key=0", flags, "class=0"];
    to.check(&[&["table", "set"], &VIP[..], &action].concat(), code, parts);
}

#[test]
fn a_pipeline_with_entries() {
    with_each(|to| {
        let entries = sample();
        let load = ["load", "--target", to.target, "--entries", &entries];
        to.check(&load, 0, &["l4lb: loaded", "65542 entries written, of 65542"]);
        to.check(&load, 0, &["l4lb: runs already", "0 entries written, of 65542"]);
        let key = ["table", "get", "ring", "pool=1", "generation=1", "slot=65536"];
        to.check(&key, 0, &["ring { pool = 1, generation = 1, slot = 65536 } -> set_ring { id = 1638"]);
        let json = to.check(&["table", "get", "backend", "--json"], 0, &[]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json.as_array().unwrap().len(), 2);
        assert_eq!((&json[0]["params"]["dst"], &json[0]["packets"]), (&"10.0.1.11".into(), &0.into()));
        to.check(&["load", "--target", to.target, "--always"], 0, &["loaded"]);
        assert_eq!(to.check(&["table", "get", "backend"], 0, &[]), "");
    });
}

#[test]
fn entries_one_by_one() {
    with_each(|to| {
        to.check(&["load", "--target", to.target], 0, &["l4lb: loaded"]);
        to.check(&["table", "list"], 0, &["backend { backend: 24 } -> ipip4(src: 32,", "at most 4096"]);
        let json = to.check(&["table", "list", "--json"], 0, &[]);
        assert!(serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap().len() >= 7);
        set(to, "flags=6", 0, &[]);
        set(to, "flags=2", 0, &[]);
        let shown = "vip4 { dst = 203.0.113.10, protocol = 6, dst_port = 81 } -> set_vip { vip = 2, pool = 1";
        let get = to.check(&["table", "get", "vip4", "dst_port=81"], 0, &[shown, "flags = 2"]);
        assert_eq!(get.lines().count(), 1);
        assert_eq!(to.check(&["table", "get", "vip4", "dst_port=82"], 0, &[]), "");
        let remove = [&["table", "delete"], &VIP[..]].concat();
        to.check(&remove, 0, &[]);
        to.check(
            &remove,
            1,
            &["error: DELETE vip4 { dst = 203.0.113.10, protocol = 6, dst_port = 81 }: NOT_FOUND"],
        );
    });
}

/// What is dumped can be given again, and is the same then.
#[test]
fn a_dump_is_an_entry_file() {
    with_each(|to| {
        // Without the ring, whose slots take their time.
        let (dir, sample) = (tempfile::tempdir().unwrap(), std::fs::read_to_string(sample()).unwrap());
        let entries = dir.path().join("lb.toml");
        std::fs::write(&entries, sample.split("[[ring]]").next().unwrap()).unwrap();
        let entries = entries.to_str().unwrap();
        to.check(&["load", "--target", to.target, "--entries", entries], 0, &["loaded"]);
        let tables = ["vip4", "vip4_any", "backend"];
        for json in [&[][..], &["--json"]] {
            let dump = [&["table", "dump"], &tables[..], json].concat();
            let text = to.check(&dump, 0, &["203.0.113.10", "02:00:00:00:00:fe"]);
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("entries");
            std::fs::write(&file, &text).unwrap();
            let load = ["load", "--target", to.target, "--entries", file.to_str().unwrap()];
            to.check(&load, 0, &["0 entries written, of 4"]);
            to.check(&[&load[..], &["--always"]].concat(), 0, &["4 entries written, of 4"]);
            assert_eq!(to.check(&dump, 0, &[]), text);
        }
    });
}

/// A watcher prints what others do; each step waits until the one before was seen.
#[test]
fn what_changes_in_tables_is_shown() {
    with_each(|to| {
        to.check(&["load", "--target", to.target], 0, &["l4lb: loaded"]);
        for json in [false, true] {
            let watch = ["table", "watch", "vip4", "backend", "--interval", "0.05", "--address", to.address];
            let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
            command.args(watch).args(json.then_some("--json")).stdout(Stdio::piped());
            let mut watcher = Watcher(command.spawn().unwrap());
            let mut lines = BufReader::new(watcher.0.stdout.take().unwrap()).lines().map(Result::unwrap);
            if !json {
                assert_eq!(lines.next().unwrap(), "0 entries; what changes is shown");
            }
            let entry = "vip4 { dst = 203.0.113.10, protocol = 6, dst_port = 81 } -> set_vip { vip = 2, pool = 1, hash_key = 0, flags";
            let mut saw = |what: &str, text: &str| {
                let line = lines.next().unwrap();
                if json {
                    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
                    assert_eq!(line["what"], what, "{line}");
                    assert_eq!(line["entry"]["key"]["dst_port"], 81, "{line}");
                    assert_eq!(line["before"]["params"]["flags"].as_u64(), (what == "changed").then_some(6));
                } else {
                    assert_eq!(line, text);
                }
            };
            // The first reading of a JSON watcher says nothing.
            std::thread::sleep(Duration::from_millis(if json { 1500 } else { 0 }));
            set(to, "flags=6", 0, &[]);
            saw("added", &format!("+ {entry} = 6, class = 0 }}"));
            set(to, "flags=2", 0, &[]);
            let was = "it was set_vip { vip = 2, pool = 1, hash_key = 0, flags = 6, class = 0 }";
            saw("changed", &format!("~ {entry} = 2, class = 0 }}; {was}"));
            to.check(&[&["table", "delete"], &VIP[..]].concat(), 0, &[]);
            saw("deleted", &format!("- {entry} = 2, class = 0 }}"));
        }
        let twice = ["table", "watch", "vip4", "--count", "2", "--interval", "0.1"];
        assert_eq!(to.check(&twice, 0, &[]), "0 entries; what changes is shown\n");
        to.check(&["table", "watch", "vip"], 1, &["no table `vip`"]);
        to.check(&["table", "watch", "--interval", "0"], 2, &["`0` is no number from 0.05"]);
    });
}

/// A command that runs until it is killed, which it is in the end.
struct Watcher(Child);

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn counters_by_name() {
    with_each(|to| {
        to.check(&["load", "--target", to.target], 0, &["loaded"]);
        to.check(&["counters"], 0, &["nothing was counted"]);
        to.check(&["counters", "--all"], 0, &["drop.ethernet_cut  ", "0 packets"]);
        let json = to.check(&["counters", "drop.family", "--json"], 0, &[]);
        assert_eq!(json.trim(), r#"[{"counter":"drop.family","index":0,"packets":0,"bytes":0}]"#);
        to.check(&["counters", "--watch", "--count", "2"], 0, &["nothing was counted"]);
        to.check(&["counters", "drop.famly"], 1, &["no counter `drop.famly`; did you mean `drop.family`?"]);
    });
}

#[test]
fn flows_where_the_switch_shows_them() {
    with_each(|to| {
        to.check(&["load", "--target", to.target], 0, &["l4lb: loaded"]);
        if to.target == "bmv2" {
            to.check(&["flows"], 1, &["doesn't show its flows", "registers"]);
            return;
        }
        to.check(&["flows", "--vip", "203.0.113.10:80"], 0, &["0 flows: 0 new, 0 tcp, 0 udp, 0 closing"]);
        to.check(&["flows", "vip4"], 1, &["no flow table `vip4`; there are flows4, flows6"]);
        to.check(&["flows", "--state", "open"], 2, &["none of new, tcp, udp, closing"]);
        to.check(
            &["table", "list"],
            0,
            &["flows4 { src: 32, src_port: 16, vip: 16, dst_port: 16 } -> flows4.entry(id: 24"],
        );
        assert!(!to.check(&["table", "dump"], 0, &[]).contains("flows4"));
    });
}

#[test]
fn what_is_asked_for_wrongly() {
    with_each(|to| {
        to.check(&["load", "--target", to.target], 0, &["loaded"]);
        to.check(&["table", "get", "vip"], 1, &["the pipeline has no table `vip`", "`vip4`"]);
        to.check(&["table", "get", "vip4", "src=1"], 1, &["no field `src`", "help: vip4 { dst: 32"]);
        to.check(&["table", "get", "vip4", "dst=nothing"], 2, &["`nothing` is no number"]);
        set(to, "flag=6", 1, &["the parameters vip, pool, hash_key, flags, class", "help: vip4 {"]);
        set(to, "flags=256", 1, &["`set_vip.flags` has 8 bits: 256 does not fit"]);
        to.check(&["load", "--target", "tofino"], 1, &["Tofino (TNA), one pipe"]);
    });
    let nobody = To { address: "127.0.0.1:1", target: "none" };
    nobody.check(&["counters"], 1, &["can't reach a P4Runtime server at 127.0.0.1:1", "refused"]);
}

#[test]
fn by_tls() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let text = |name: &str| file(name).display().to_string();
    let made = rcgen::generate_simple_self_signed(["switch.example".to_owned()]).unwrap();
    std::fs::write(file("pem"), made.cert.pem()).unwrap();
    std::fs::write(file("key"), made.signing_key.serialize_pem()).unwrap();
    let tls = Tls::read(&file("pem"), &file("key"), Some(&file("pem"))).unwrap();
    let (address, _server) = lab::native_with(&Options { tls: Some(tls), ..Options::default() });
    let to = To { address: &address, target: "native" };
    let (pem, key) = (text("pem"), text("key"));
    let ca = ["--tls-ca", &pem];
    let name = ["--tls-name", "switch.example"];
    let own = ["--tls-cert", &pem, "--tls-key", &key];
    let list = ["table", "list"];
    to.check(&[&list[..], &ca, &name, &own].concat(), 0, &["vip4"]);
    let load = ["load", "--target", "native"];
    to.check(&[&load[..], &ca, &name, &own].concat(), 0, &["l4lb: loaded"]);
    to.check(&[&["counters"][..], &ca, &name, &own].concat(), 0, &["nothing was counted"]);
    for command in [&list[..], &load] {
        to.check(command, 1, &["the server speaks TLS; --tls-ca"]);
        to.check(&[command, &ca, &own].concat(), 1, &["--tls-name"]);
        to.check(&[command, &ca, &name].concat(), 1, &["only clients that show a certificate: --tls-cert"]);
    }
    to.check(&[&list[..], &own].concat(), 2, &["--tls-ca"]);
    to.check(&[&list[..], &["--tls-ca", "/absent"]].concat(), 1, &["error: can't read /absent"]);
}
