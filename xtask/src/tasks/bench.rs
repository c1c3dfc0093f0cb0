//! `bench`: the workspace's bench targets by name, and those that are commands of their own: what the emitted XDP program and
//! P4Runtime cost, what changes of the control plane break, and how fast they are.

use super::captures;
use crate::needs;
use crate::run::{built, capture, cargo, run};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::collections::BTreeMap;

/// Options of `bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
    /// The bench; without it, they are listed
    pub name: Option<String>,
    /// Arguments for the bench itself
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<String>,
}

/// Runs one bench target of the workspace, or lists them.
///
/// # Errors
/// There is no such bench, or it fails.
pub fn bench(options: &BenchOptions) -> Result<()> {
    if options.name.as_deref() == Some(XDP) {
        return xdp(&options.arguments);
    }
    if options.name.as_deref() == Some(P4RUNTIME) {
        return p4runtime(&options.arguments);
    }
    if options.name.as_deref() == Some(DPDK) {
        return captures::bench();
    }
    if let Some(name @ (CONSISTENCY | CONTROL)) = options.name.as_deref() {
        return control(name, &options.arguments);
    }
    let metadata = capture(&mut cargo(["metadata", "--format-version", "1", "--no-deps"]), "")?;
    let benches = benches(&serde_json::from_str(&metadata).context("reading cargo's metadata")?);
    let Some(name) = &options.name else {
        println!("{XDP:<20} (package xdp-bench)");
        println!("{P4RUNTIME:<20} (package p4runtime-bench)");
        println!("{DPDK:<20} (package guideway-cli)");
        println!("{CONSISTENCY:<20} (package control-bench)");
        println!("{CONTROL:<20} (package control-bench)");
        for (name, package) in &benches {
            println!("{name:<20} (package {package})");
        }
        return Ok(());
    };
    let Some(package) = benches.get(name) else {
        let ours = [XDP, P4RUNTIME, DPDK, CONSISTENCY, CONTROL];
        let known: Vec<&str> = ours.into_iter().chain(benches.keys().map(String::as_str)).collect();
        bail!("there is no bench {name}; there are: {}", known.join(", "));
    };
    let mut command = cargo(["bench", "--package", package, "--bench", name, "--"]);
    run(command.args(&options.arguments))
}

/// The bench of the emitted XDP program, which is a command of its own.
const XDP: &str = "xdp";

fn xdp(arguments: &[String]) -> Result<()> {
    needs::ensure(&[needs::CLANG], false)?;
    // Counting needs no optimised build: the tests have built it already.
    let release = !arguments.iter().any(|a| a == "--counts");
    let mut command = cargo(["run", "--quiet", "--package", "xdp-bench"]);
    run(command.args(release.then_some("--release")).arg("--").args(arguments))
}

/// The bench of P4Runtime, which is a command of its own too.
const P4RUNTIME: &str = "p4runtime";

fn p4runtime(arguments: &[String]) -> Result<()> {
    needs::ensure(&[needs::CLANG, needs::IPROUTE2], false)?;
    run(&mut cargo(["build", "--quiet", "--release", "--package", "guideway-cli"]))?;
    let guideway = built("release");
    let mut command = cargo(["run", "--quiet", "--release", "--package", "p4runtime-bench", "--"]);
    run(command.arg("--guideway").arg(guideway).args(arguments))
}

/// One capture through the software targets.
const DPDK: &str = "dpdk";

/// Connections that changes break, and what it takes to bring a change to every node.
const CONSISTENCY: &str = "consistency";
const CONTROL: &str = "control";

fn control(name: &str, arguments: &[String]) -> Result<()> {
    let mut command = cargo(["run", "--quiet", "--release", "--package", "control-bench", "--"]);
    run(command.arg(name).args(arguments))
}

/// Every bench target and its package.
fn benches(metadata: &serde_json::Value) -> BTreeMap<String, String> {
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = BTreeMap::new();
    for package in list(&metadata["packages"]) {
        for target in list(&package["targets"]) {
            if list(&target["kind"]).iter().any(|kind| kind == "bench") {
                found.insert(text(&target["name"]), text(&package["name"]));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_bench_targets() {
        let metadata = serde_json::json!({"packages": [
            {"name": "a", "targets": [{"name": "a", "kind": ["lib"]}, {"name": "speed", "kind": ["bench"]}]},
            {"name": "b", "targets": []},
        ]});
        assert_eq!(benches(&metadata), BTreeMap::from([("speed".into(), "a".into())]));
    }
}
