//! Bad input: a clear error with gRPC's code, exit code 1, and nothing changed.

use crate::lab::Controller;

fn check(it: &Controller, args: &[&str], code: &str, part: &str) {
    let before = it.json(&["status"])["version"].clone();
    let done = it.ctl(args);
    let text = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(if code == "usage" { 2 } else { 1 }), "{args:?}: {text}");
    assert!(code == "usage" || text.starts_with(&format!("error: {code}")), "{args:?}: {text}");
    assert!(text.contains(part), "{args:?}: {text}");
    assert!(text.len() < 2_000, "{args:?}: {} bytes of error", text.len());
    assert_eq!(it.json(&["status"])["version"], before, "{args:?}");
}

/// The same of a file.
fn check_file(it: &Controller, text: &str, part: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    check(it, &["apply", file.path().to_str().unwrap()], "", part);
}

#[test]
fn bad_input() {
    let dir = tempfile::tempdir().unwrap();
    let it = Controller::start(&dir.path().join("r.redb"), &["--ring-slots", "251"]);
    it.text(&["pool", "create", "web"]);
    it.text(&["pool", "create", "tiny", "--ring-slots", "2"]);
    it.text(&["vip", "bind", "203.0.113.10:80/tcp", "web"]);
    it.text(&["backend", "register", "web", "a", "10.0.0.1", "--port", "80"]);
    it.text(&["backend", "register", "tiny", "a", "10.0.0.1"]);
    it.text(&["backend", "register", "tiny", "b", "10.0.0.2"]);
    let new = ["backend", "register", "web", "n", "10.0.0.9"];
    let with = |more: &[&'static str]| [&new[..], more].concat();
    // Overlapping VIPs.
    check(&it, &["vip", "bind", "203.0.113.10:80/tcp", "tiny"], "INVALID_ARGUMENT", "overlaps");
    check(
        &it,
        &["vip", "bind", "203.0.113.10:80/tcp", "web", "--stateless"],
        "ALREADY_EXISTS",
        "other flags",
    );
    check(&it, &["vip", "bind", "203.0.113.10:80/icmp", "web"], "usage", "is no VIP");
    check(&it, &["vip", "bind", "[2001:db8::1]:80/tcp", "web"], "INVALID_ARGUMENT", "IPv6 backends only");
    // Weights.
    check(&it, &with(&["--weight", "-1"]), "usage", "-1");
    check(&it, &with(&["--weight", "1001"]), "INVALID_ARGUMENT", "weight 1001");
    check(
        &it,
        &["backend", "update", "web", "a", "--weight", "4000000000"],
        "INVALID_ARGUMENT",
        "weight 4000000000",
    );
    // Duplicates.
    check(&it, &["backend", "register", "web", "a", "10.0.0.2"], "ALREADY_EXISTS", "with other data");
    check(
        &it,
        &["backend", "register", "web", "b", "10.0.0.1", "--port", "80"],
        "ALREADY_EXISTS",
        "is at 10.0.0.1",
    );
    // What is not there.
    check(&it, &["backend", "register", "nobody", "a", "10.0.0.1"], "NOT_FOUND", "no pool `nobody`");
    check(&it, &["vip", "bind", "203.0.113.11:80/tcp", "nobody"], "NOT_FOUND", "no pool");
    check(&it, &["pool", "show", "nobody"], "NOT_FOUND", "no pool");
    check(&it, &["drain", "web", "nobody"], "NOT_FOUND", "no backend");
    // URLs.
    check(&it, &with(&["--readiness-url", "http://10.9.9.9/ready"]), "INVALID_ARGUMENT", "can't be reached");
    check(&it, &with(&["--readiness-url", "ftp://x/"]), "INVALID_ARGUMENT", "none of http");
    check(&it, &with(&["--readiness-url", "http://:0/"]), "INVALID_ARGUMENT", "no port");
    // Rings.
    check(&it, &["pool", "create", "p", "--ring-slots", "65535"], "INVALID_ARGUMENT", "prime (65537)");
    check(
        &it,
        &["backend", "register", "tiny", "c", "10.0.0.3"],
        "FAILED_PRECONDITION",
        "too few for 3 backends",
    );
    check(&it, &["pool", "delete", "web"], "FAILED_PRECONDITION", "unbind it first");
    // Files.
    check_file(
        &it,
        "pools: {p: {backends: {a: {address: 10.0.0.8, weight: -5}}}}",
        "integer `-5`, expected u32",
    );
    check_file(&it, "pools: {p: {ringslots: 5}}", "unknown field `ringslots`");
    check_file(&it, "pools: {p: {liveness: smtp}}", "is no probe");
    check_file(&it, "pools: [", "error:");
    let labels = format!(
        "pools: {{tiny: {{backends: {{a: {{address: 10.0.0.1, labels: {{k: {}}}}}, b: {{address: 10.0.0.2}}}}}}}}",
        "x".repeat(10 << 20)
    );
    check_file(&it, &labels, "10485760 of value");
}

#[test]
fn a_controller_refuses_to_be_open() {
    let run = |args: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_guideway"))
            .arg("controller")
            .args(args)
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(1));
        String::from_utf8(done.stderr).unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("r.redb");
    let registry = ["--registry", file.to_str().unwrap()];
    let open = run(&[&registry[..], &["--http", "127.0.0.1:0", "--listen", "0.0.0.0:0"]].concat());
    assert!(open.contains("nothing says who may write"), "{open}");
    let open = run(&[&registry[..], &["--listen", "127.0.0.1:0", "--http", "0.0.0.0:0"]].concat());
    assert!(open.contains("--http-insecure"), "{open}");
    let word = dir.path().join("token");
    std::fs::write(&word, "short").unwrap();
    let token =
        run(&[&registry[..], &["--http", "127.0.0.1:0", "--token-file", word.to_str().unwrap()]].concat());
    assert!(token.contains("one word of 16"), "{token}");
}
