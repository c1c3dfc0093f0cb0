//! `bench`: the workspace's bench targets by name.

use crate::run::{capture, cargo, run};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::collections::BTreeMap;

/// Options of `bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
    /// The bench; without it, they are listed
    pub name: Option<String>,
    /// Arguments for the bench itself
    #[arg(last = true)]
    pub arguments: Vec<String>,
}

/// Runs one bench target of the workspace, or lists them.
///
/// # Errors
/// There is no such bench, or it fails.
pub fn bench(options: &BenchOptions) -> Result<()> {
    let metadata = capture(&mut cargo(["metadata", "--format-version", "1", "--no-deps"]), "")?;
    let benches = benches(&serde_json::from_str(&metadata).context("reading cargo's metadata")?);
    let Some(name) = &options.name else {
        for (name, package) in &benches {
            println!("{name:<20} (package {package})");
        }
        return Ok(());
    };
    let Some(package) = benches.get(name) else {
        let known: Vec<&str> = benches.keys().map(String::as_str).collect();
        bail!("there is no bench {name}; there are: {}", known.join(", "));
    };
    let mut command = cargo(["bench", "--package", package, "--bench", name, "--"]);
    run(command.args(&options.arguments))
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
