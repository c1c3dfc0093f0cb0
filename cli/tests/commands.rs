//! The commands that need no kernel: what they print, write and refuse.
#![allow(clippy::unwrap_used)]

use p4runtime_proto::guideway::v1::Bundle;
use prost::Message as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn guideway(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_guideway")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs, and checks the exit code and parts of what is printed, on either stream.
fn check(args: &[&str], code: i32, parts: &[&str]) -> String {
    let out = guideway(args);
    let all = text(&out.stdout) + &text(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{args:?}: {all}");
    for part in parts {
        assert!(all.contains(part), "{args:?}: no {part:?} in: {all}");
    }
    text(&out.stdout)
}

fn count() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots/count/pipeline.rs").display().to_string()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_sound_pipeline() {
    check(&["check"], 0, &["l4lb: sound; 5 tables, 2 flow tables, 1 ring"]);
    check(&["check", "--pipeline", "decap"], 0, &["decap: sound"]);
    let json = check(&["check", &count(), "--json"], 0, &[]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["ok"], &json["pipeline"]), (&true.into(), &"count".into()));
}

#[test]
fn every_fault_is_drawn_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.rs");
    let good = std::fs::read_to_string(count()).unwrap();
    std::fs::write(
        &file,
        good.replace("src: h.ip4.src", "src: h.ip4.nothing").replace("drop(Blocked)", "drop(No)"),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    check(
        &["check", file],
        1,
        &[
            "gw002",
            "`nothing`",
            "src: h.ip4.nothing",
            "there is no such drop reason",
            "bad.rs: 2 errors",
            "help:",
        ],
    );
    let json = check(&["check", file, "--json"], 1, &[]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let found = json["diagnostics"].as_array().unwrap();
    assert_eq!((json["ok"].as_bool(), found.len()), (Some(false), 2));
    assert!(found.iter().all(|d| d["line"].as_u64() > Some(40)), "{found:?}");
}

#[test]
fn what_is_asked_for_wrongly() {
    check(&["check", "no-such-file.rs"], 1, &["can't read no-such-file.rs"]);
    check(&["check", "--set", "FLOWS=1"], 1, &["no constant `FLOWS`", "FLOW_ENTRIES"]);
    check(&["check", "--set", "FLOWS"], 2, &["write NAME=VALUE, as in"]);
    for port in ["x", "65536", ""] {
        check(
            &["check", "--set", &format!("ipv6=to:{port}")],
            2,
            &["write ipv6=to:PORT, a port from 0 to 65535"],
        );
    }
    check(&["fit", "--target", "tofino2", "--pipe", "ipv6"], 1, &["--pipe: write NAME=VALUE", "ipv6=off"]);
    check(&["check", "--set", "ipv6=off", "--set", "IPV6=to:6"], 1, &["`ipv6` is set twice: off and to:6"]);
    check(&["check", "--set", "RING_SLOTS=0"], 1, &["`slots` is 1 to 16777216, not 0", "l4lb.rs: 1 error"]);
    let wrong = ["check", "--set", "FLOW_ENTRIES=abc"];
    check(&wrong, 1, &["nothing is named `abc` here", "const FLOW_ENTRIES", "l4lb.rs: 1 error"]);
    check(&["check", &count(), "--set", "X=1"], 1, &["no constant `X`", "it has no constants"]);
    check(&["check", env!("CARGO_MANIFEST_DIR")], 1, &["no folder that `guideway compile` wrote"]);
    check(&["fit", "--target", "tofinoo"], 1, &["no target `tofinoo`", "`tofino`", "`xdp`"]);
    check(&["compile", "--target", "no", "--out", "/dev/null"], 1, &["no target `no`"]);
    check(&["switch", "--target", "no", "--port", "1@lo"], 1, &["no target `no`"]);
    check(&["switch", "--target", "bmv2", "--port", "1@lo"], 1, &["target `bmv2` does not run here"]);
    #[cfg(not(feature = "dpdk"))]
    check(
        &["switch", "--target", "dpdk", "--port", "1@lo"],
        1,
        &["built without DPDK", "apt-get install libdpdk-dev", "--features dpdk"],
    );
    check(&["switch", "--target", "xdp"], 2, &["--port <N@IFACE>"]);
    check(&["switch", "--target", "xdp", "--port", "eth0"], 2, &["1@eth0"]);
    check(&[], 2, &["Usage"]);
}

#[test]
fn whoever_programs_a_switch_knows_all_servers() {
    let names = runtime_client::BUILT_IN.map(|(name, _)| name).join(", ");
    for command in [&["agent"][..], &["load"], &["table", "get"], &["counters"]] {
        let told = check(&[command, &["--help"]].concat(), 0, &[]);
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&format!("[possible values: {names}]")), "{command:?}: {told}");
    }
}

#[test]
fn unsupported_features_and_too_big_tables() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    check(&["compile", "--target", "tofino", "--out", out], 1, &["Tofino (TNA), one pipe"]);
    check(&["fit", "--target", "tofino"], 1, &["l4lb", "Tofino"]);
    let huge = ["compile", "--target", "xdp", "--out", out, "--set", "FLOW_ENTRIES=1073741824"];
    check(&huge, 1, &["flows4"]);
    assert!(files(Path::new(out)).is_empty(), "nothing is written");
    let big = Path::new(out).join("big.rs");
    std::fs::write(&big, std::fs::read_to_string(count()).unwrap().replace("size = 256", "size = 600_000"))
        .unwrap();
    let told = ["by_protocol needs 294 counter_blocks", "36", "static BY_PROTOCOL", "make the array smaller"];
    check(&["compile", big.to_str().unwrap(), "--target", "tofino", "--out", out], 1, &told);
}

#[test]
fn stages_are_shown_and_sizes_found() {
    let count = concat!(env!("CARGO_MANIFEST_DIR"), "/../snapshots/count/pipeline.rs");
    let picture = tempfile::tempdir().unwrap();
    let svg = picture.path().join("stages.svg");
    let svg = svg.to_str().unwrap();
    check(&["fit", count, "--target", "tofino", "--svg", svg], 0, &["stages", "host"]);
    assert!(std::fs::read_to_string(svg).unwrap().contains("host: "));
    check(&["fit", count, "--target", "tofino", "--max"], 0, &["at most", "table host", "then: "]);
    let json = check(&["fit", count, "--target", "tofino2", "--max", "--json"], 0, &[]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let host = &json["max"][0];
    assert!(host["most"].as_u64() > host["now"].as_u64(), "{json}");
    assert!(json["stages"][0]["sram"].as_u64() > Some(0), "{json}");
    check(&["fit", count, "--target", "xdp", "--max"], 1, &["has no stages"]);
    check(&["fit", count, "--target", "tofino", "--svg", "/no/such/folder"], 1, &["can't write"]);
}

/// Nodes that share connections must hash alike: `fit` says whether they do, and with what they would.
#[test]
fn a_deployment_of_several_targets_shares_a_hash() {
    let all = ["fit", "--target", "xdp,bmv2", "--target", "dpdk"];
    let alike = "Crc32, on all of them";
    let told =
        check(&all, 0, &["l4lb on xdp, bmv2, dpdk: fits", alike, "pools of ring", "4 on bmv2", "64 on dpdk"]);
    assert!(told.contains("8388608 on xdp, 65536 on bmv2, 1048576 on dpdk"), "{told}");
    check(&[&all[..], &["--set", "HASH=HalfSipHash"]].concat(), 0, &["HalfSipHash, on all of them"]);
    let spread = concat!(env!("CARGO_MANIFEST_DIR"), "/../snapshots/spread/pipeline.rs");
    let mixed = ["fit", spread, "--target", "xdp,tofino2"];
    let lacks =
        "HalfSipHash, which tofino2 lacks: a flow that comes to another node would change its backend";
    check(
        &mixed,
        1,
        &["spread on xdp, tofino2: does not fit", "xdp       fits", lacks, "all of them have Crc32"],
    );
    let half = ["ipv6=off", "Ipip6=off", "TOO_BIG_RATE=off", "RING_SLOTS=65536", "FLOW_ENTRIES=65536"];
    let half: Vec<&str> = half.iter().flat_map(|set| ["--set", set]).collect();
    let wrong = [&["fit", "--target", "xdp,tofino2", "--set", "HASH=HalfSipHash"], half.as_slice()].concat();
    check(&wrong, 1, &[lacks, "with it all fits: `--set HASH=Crc32`"]);
    let json = check(&[wrong.as_slice(), &["--json"]].concat(), 1, &[]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["hash"]["instead"], &json["targets"][1]["fits"]),
        (&"Crc32".into(), &false.into()),
        "{json}"
    );
    let whole = ["fit", "--target", "xdp,tofino2", "--set", "HASH=HalfSipHash"];
    let told = check(&whole, 1, &["help: all of them have Crc32: `--set HASH=Crc32`"]);
    assert!(told.contains("(and 3 more reasons: `guideway fit --target tofino2`)"), "{told}");
    check(
        &[&["fit", "--target", "xdp,tofino2", "--set", "HASH=Crc32"], half.as_slice()].concat(),
        0,
        &[alike],
    );
    check(&["fit", &count(), "--target", "xdp,dpdk"], 0, &["the pipeline does not hash"]);
    check(&["fit", "--target", "xdp,tofinoo"], 1, &["no target `tofinoo`"]);
    check(&["fit", "--target", "tofino,tofino2", "--max"], 1, &["--max and --svg are about one target"]);
}

/// What is proposed is asked for as it is told, and fits.
#[test]
fn what_fits_instead_is_told() {
    let one = "--set TOO_BIG_RATE=off --set RING_SLOTS=65536";
    check(&["fit", "--target", "tofino2"], 1, &["what fits instead", &format!("  {one}"), "of 20 stages"]);
    let two = format!("--pipe ipv6=off --pipe ipv4=off,Ipip4=off {one}");
    let whole = check(&["fit", "--target", "tofino"], 1, &["what fits instead", &two]);
    assert!(whole.contains("lost in both: TOO_BIG_RATE lets no packet through"), "{whole}");
    let mut asked = vec!["fit", "--target", "tofino"];
    asked.extend(two.split(' '));
    check(&asked, 0, &["pipe 0: ", "pipe 1: "]);
    let out = tempfile::tempdir().unwrap();
    let compile = ["compile", "--target", "tofino", "--out", out.path().to_str().unwrap()];
    check(&compile, 1, &["packet.truncate", "what fits instead", &two]);
    let json = check(&["fit", "--target", "tofino2", "--set", "ipv6=off", "--json"], 1, &[]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let proposal = &json["proposal"];
    assert_eq!(proposal["pipes"].as_array().unwrap().len(), 1, "{json}");
    let options = proposal["options"].as_str().unwrap();
    assert_eq!(options, "--set ipv6=off --set TOO_BIG_RATE=off --set RING_SLOTS=65536");
    let mut asked = vec!["fit", "--target", "tofino2", "--json"];
    asked.extend(options.split(' '));
    check(&asked, 0, &["\"fits\":true"]);
    let none = check(&["fit", "--target", "tofino", "--set", "HASH=HalfSipHash", "--json"], 1, &[]);
    let none: serde_json::Value = serde_json::from_str(&none).unwrap();
    assert_eq!(none["proposal"]["found"], false, "{none}");
    assert!(none["proposal"]["why"].as_str().unwrap().contains("hash.halfsiphash"), "{none}");
}

/// As docs/fit.md has it.
#[test]
fn each_pipe_of_a_chip_has_its_program() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let set = ["--set", "RING_SLOTS=65536", "--set", "TOO_BIG_RATE=off"];
    let halves = ["--pipe", "ipv6=off", "--pipe", "ipv4=off,Ipip4=off"];
    let with = |args: &[&'static str]| [args, &set, &halves].concat();
    check(
        &with(&["fit", "--target", "tofino2"]),
        0,
        &["pipe 0: ", "ipv6=to:128", "pipe 1: ", "ipv6=from:128"],
    );
    check(&[&with(&["compile", "--target", "tofino2"])[..], &["--out", out]].concat(), 0, &["pipe1/l4lb.p4"]);
    for (pipe, has, has_not) in [(0, "vip4", "vip6"), (1, "vip6", "vip4")] {
        let folder = dir.path().join(format!("pipe{pipe}"));
        let info = std::fs::read_to_string(folder.join("l4lb.p4info.txtpb")).unwrap();
        assert!(info.contains(has) && !info.contains(has_not), "pipe {pipe}: {info}");
        check(&["fit", folder.to_str().unwrap(), "--target", "tofino2"], 0, &["fits"]);
    }
    check(
        &with(&["fit", "--target", "xdp"]),
        1,
        &["no port of eBPF/XDP in the Linux kernel leads from pipe to pipe"],
    );
    check(&with(&["fit", "--target", "xdp,tofino2"]), 1, &["--pipe is about one target"]);
    check(&with(&["fit", "--target", "tofino2", "--max"]), 1, &["--max and --svg are of one pipe"]);
    check(&["fit", "--target", "tofino2", "--pipe", "ipv6"], 1, &["--pipe: write NAME=VALUE"]);
    check(&["fit", "--target", "tofino2", "--pipe", "ipv9=off"], 1, &["no part of that name"]);
}

#[test]
fn targets_are_listed_and_told() {
    check(&["targets"], 0, &["xdp ", "bmv2", "tofino", "tofino2"]);
    check(&["targets", "xdp"], 0, &["hash.crc32", "limits"]);
    let json = check(&["targets", "--json"], 0, &[]);
    assert!(serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap().len() >= 5);
    check(&["fit", "--target", "xdp", "--json"], 0, &["\"fits\":true"]);
}

#[test]
fn what_is_written_can_be_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let args = ["compile", "--target", "xdp", "--no-clang", "--set", "FLOW_ENTRIES=4096", "--out", out];
    check(&args, 0, &["l4lb.bpf.c", "fit.txt", "guideway/bpf.h", "source/l4lb.rs"]);
    let first = std::fs::read(dir.path().join("l4lb.bpf.c")).unwrap();
    let bundle = Bundle::decode(std::fs::read(dir.path().join("l4lb.bundle")).unwrap().as_slice()).unwrap();
    let held = |path: &str| bundle.files.iter().find(|f| f.path == path).map(|f| f.content.to_vec());
    assert_eq!(held("l4lb.bpf.c").as_ref(), Some(&first));
    assert!(held("source/l4lb.rs").is_some());
    let info = String::from_utf8(held("l4lb.p4info.txtpb").unwrap()).unwrap();
    assert_eq!(info.matches("@guideway_flow").count(), 2, "flow tables can be read");
    assert_eq!(info.matches("NOTIFY_CONTROL").count(), 5, "idle time-outs where there are direct counters");
    let again = dir.path().join("again");
    check(&["compile", out, "--target", "xdp", "--no-clang", "--out", again.to_str().unwrap()], 0, &[]);
    assert_eq!(std::fs::read(again.join("l4lb.bpf.c")).unwrap(), first, "constants come along");
    check(
        &["compile", &count(), "--target", "bmv2", "--out", out, "--json"],
        0,
        &["count.p4info.txtpb", "\"count.p4\""],
    );
}

#[test]
fn for_dpdk_a_spec_is_written_and_p4_where_it_fits() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    check(
        &["compile", &count(), "--target", "dpdk", "--out", out, "--json"],
        0,
        &["\"count.spec\"", "\"count.pna.p4\"", "\"count.p4info.txtpb\"", "\"fit.txt\""],
    );
    let note = [
        "l4lb.spec",
        "note: no l4lb.pna.p4",
        "field ipv6.dst needs 128 field_bits",
        "; field ipv6.src needs",
    ];
    check(&["compile", "--target", "dpdk", "--out", out], 0, &note);
    assert!(!dir.path().join("l4lb.pna.p4").exists());
}

#[test]
fn without_clang_the_c_is_written_and_a_switch_says_what_to_install() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let out =
            Command::new(env!("CARGO_BIN_EXE_guideway")).args(args).env("PATH", dir.path()).output().unwrap();
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    let out = dir.path().join("out");
    let (code, written, note) = run(&["compile", "--target", "xdp", "--out", out.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(written.contains("l4lb.bpf.c") && !written.contains("l4lb.bpf.o"), "{written}");
    assert!(note.contains("clang is not installed") && note.contains("apt-get install clang"), "{note}");
    let (code, _, error) = run(&["switch", "--target", "xdp", "--port", "1@lo"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("apt-get install clang"), "{error}");
}

#[test]
fn a_trace_shows_the_way_of_a_packet() {
    let dir = tempfile::tempdir().unwrap();
    let entries = dir.path().join("entries.toml");
    let text =
        "[[entry]]\ntable = 'host'\nkey = { src = '10.0.0.1' }\naction = 'out'\nparams = { port = 7 }\n";
    std::fs::write(&entries, text).unwrap();
    let entries = entries.to_str().unwrap();
    let packet = "020000000001 020000000002 0800 4500 0014 0000 0000 40 11 66d6 0a000001 0a000002";
    let args = ["trace", &count(), "--packet", packet, "--entries", entries];
    check(&args, 0, &["extract ip4", "table host", "hit, out", "forward 7", "34 bytes out: 020000000001"]);
    let json = check(&[&args[..], &["--json"]].concat(), 0, &[]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["verdict"], &json["port"]), (&"forward".into(), &7.into()));
    check(&["trace", &count(), "--packet", "no-file"], 1, &["neither a frame in hexadecimal nor a file"]);
    check(&["trace", &count(), "--packet", entries], 1, &["no capture (pcap) and no hexadecimal text"]);
    let text = "[[entry]]\ntable = 'hosts'\naction = 'out'\n[[entry]]\ntable = 'host'\nkey = { src = 1 }\naction = 'in'\n";
    std::fs::write(entries, text).unwrap();
    check(
        &args,
        1,
        &[
            "entries.toml:2: entry 1: no table is named `hosts`",
            "entries.toml:7: entry 2:",
            "`in`",
            "legal: table",
        ],
    );
}

/// The samples in `docs/` are what the pipelines take, and do what their comments say.
#[test]
fn the_samples_serve() {
    let sample =
        |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name).display().to_string();
    let (lb, decap) = (sample("lb.toml"), sample("decap.toml"));
    let help = check(&["trace", "--help"], 0, &["docs/lb.toml"]);
    let frame = help.split("--packet \\\n").nth(1).unwrap().split('\'').nth(1).unwrap();
    let out = check(
        &["trace", "--entries", &lb, "--packet", frame],
        0,
        &["table vip4 dst=203.0.113.10 protocol=6 dst_port=80: hit, set_vip", "push outer4", "forward 1"],
    );
    assert!(out.contains("dst_mac=02:00:00:00:00:fe"), "{out}");
    let sent = out.lines().last().unwrap().split(": ").nth(1).unwrap();
    let args = ["trace", "--pipeline", "decap", "--entries", &decap, "--packet", sent];
    check(&args, 0, &["pop", "pass", "54 bytes out"]);
}

/// Whatever it held: another target, pipeline or constant, a list that is none.
#[test]
fn a_folder_holds_one_program() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("out");
    let out = folder.to_str().unwrap();
    let (notes, other, made) =
        (folder.join("notes.txt"), dir.path().join("other"), folder.join("source/made.toml"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&notes, "mine").unwrap();
    let count = count();
    for args in [
        &["--target", "xdp", "--no-clang", "--set", "HASH=HalfSipHash"][..],
        &["--target", "bmv2"],
        &["--pipeline", "decap", "--target", "dpdk"],
        &[&count, "--target", "psa-bmv2"],
    ] {
        let told = check(&[&["compile", "--out", out], args].concat(), 0, &[]);
        let mut told: Vec<PathBuf> = told.lines().map(PathBuf::from).chain([notes.clone()]).collect();
        let mut held = files(&folder);
        held.sort();
        told.sort();
        assert_eq!(held, told, "{args:?}");
    }
    check(&["check", out], 0, &["count: sound"]);
    std::fs::write(&made, "files = 5").unwrap();
    check(&["load", out], 1, &["made.toml: ", "write the folder again with `guideway compile`"]);
    std::fs::write(&other, "mine").unwrap();
    std::fs::write(&made, "target = \"xdp\"\nfiles = [\"../other\"]").unwrap();
    check(&["compile", &count, "--target", "tofino", "--out", out], 0, &["count.p4"]);
    assert!(other.exists());
}

#[test]
fn a_folder_that_was_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let args = ["compile", "--target", "xdp", "--no-clang", "--set", "FLOW_ENTRIES=4096", "--out", out];
    check(&args, 0, &["source/set.toml"]);
    let set = dir.path().join("source/set.toml");
    for (text, says) in [
        ("FLOW_ENTRIES = \"40", &["set.toml: ", "guideway compile"][..]),
        ("FLOW_ENTRIES = 4096", &["set.toml: `FLOW_ENTRIES` is no text", "guideway compile"]),
        ("FLOWS = \"4096\"", &["no constant `FLOWS`"]),
        ("FLOW_ENTRIES = \"many\"", &["many"]),
    ] {
        std::fs::write(&set, text).unwrap();
        check(&["check", out], 1, says);
    }
    std::fs::remove_file(&set).unwrap();
    let source = dir.path().join("source/l4lb.rs");
    let text = std::fs::read(&source).unwrap();
    // Wherever the source is cut, it is refused at a line.
    for end in (0..text.len()).step_by(text.len() / 7) {
        std::fs::write(&source, &text[..end]).unwrap();
        check(&["check", out], 1, &["l4lb.rs", "gw00"]);
    }
    std::fs::write(&source, b"\xff\xfe").unwrap();
    check(&["check", out], 1, &["can't read", "l4lb.rs", "UTF-8"]);
    std::fs::remove_file(&source).unwrap();
    check(&["check", out], 1, &["no folder that `guideway compile` wrote"]);
}

#[test]
fn a_capture_that_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cut.pcap");
    let word = u32::to_le_bytes;
    let mut bytes = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1].map(word).concat();
    for _ in 0..2 {
        bytes.extend([1, 2, 60, 60].map(word).concat());
        bytes.extend([0; 60]);
    }
    let path = file.to_str().unwrap();
    let args = ["trace", &count(), "--packet", path];
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(check(&args, 0, &[]).matches("60 bytes in").count(), 2);
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let seen = check(&args, 0, &["cut.pcap: the capture ends inside packet 1, which is left out"]);
    assert_eq!(seen.matches("60 bytes in").count(), 1);
    for (end, says) in [
        (0, "no capture"),
        (3, "no capture"),
        (10, "inside its header"),
        (24, "holds no packet"),
        (50, "inside its first packet"),
    ] {
        std::fs::write(&file, &bytes[..end]).unwrap();
        check(&args, 1, &["cut.pcap", says]);
    }
}

#[test]
fn what_can_not_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let out = file.join("out");
    let args = ["compile", "--target", "bmv2", "--out", out.to_str().unwrap()];
    check(&args, 1, &["a-file", "Not a directory"]);
}

#[test]
fn notes_and_steps_are_told_as_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let check = |log: Option<&str>, code: i32, says: &[&str], silent: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guideway"));
        command.args(["compile", &count(), "--target", "xdp", "--out"]).arg(dir.path());
        command.env("PATH", "/nonexistent").env_remove("GUIDEWAY_LOG");
        if let Some(log) = log {
            command.env("GUIDEWAY_LOG", log);
        }
        let out = command.output().unwrap();
        let all = text(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{log:?}: {all}");
        assert!(says.iter().all(|part| all.contains(part)), "{log:?}: {all}");
        assert!(!silent.iter().any(|part| all.contains(part)), "{log:?}: {all}");
    };
    let note = "note: only the C is written: clang is not installed";
    check(None, 0, &[note], &["debug: "]);
    check(Some("error"), 0, &[], &[note]);
    check(Some("debug"), 0, &[note, "debug: guideway"], &[]);
    check(Some("guideway::compile=trace,error"), 0, &[note, "debug: guideway"], &[]);
    check(Some("a=b=c"), 1, &["error: GUIDEWAY_LOG: ", "write a level"], &[]);
}
