//! Dependencies between our crates point down only.

use super::Finding;
use std::collections::BTreeSet;

/// What each crate may depend on, of ours. Development dependencies are free, and so is `snapshots`,
/// whose tests see everything.
const ARROWS: &[(&str, &[&str])] = &[
    ("pipeline-ir", &[]),
    ("pipeline-entries", &["pipeline-ir"]),
    ("pipeline-syntax", &["pipeline-ir"]),
    ("pipeline-macros", &["pipeline-ir", "pipeline-syntax", "hw-targets", "codegen"]),
    (
        "guideway",
        &[
            "pipeline-ir",
            "pipeline-entries",
            "pipeline-syntax",
            "pipeline-macros",
            "sw-fallback",
            "sw-fallback-rt",
            "maglev-ring",
        ],
    ),
    ("hw-targets", &["pipeline-ir"]),
    ("codegen", &["pipeline-ir", "hw-targets", "p4", "xdp-layout"]),
    ("p4", &[]),
    ("p4runtime-proto", &[]),
    ("runtime-client", &["pipeline-ir", "pipeline-entries", "p4runtime-proto"]),
    (
        "client-lab",
        &[
            "pipeline-ir",
            "hw-targets",
            "codegen",
            "guideway",
            "loopback",
            "p4runtime-proto",
            "p4runtime-server",
        ],
    ),
    ("maglev-ring", &[]),
    ("sw-fallback-rt", &[]),
    ("xdp-layout", &["pipeline-ir"]),
    ("sw-fallback", &["pipeline-ir", "sw-fallback-rt", "xdp-layout", "maglev-ring"]),
    ("p4runtime-server", &["pipeline-ir", "sw-fallback", "p4runtime-proto"]),
    ("dpdk-switch", &["pipeline-ir", "sw-fallback", "sw-fallback-rt"]),
    ("control-proto", &[]),
    ("control-core", &["control-proto", "maglev-ring"]),
    ("control-registry", &[]),
    ("control-server", &["control-core", "control-proto", "control-registry", "p4runtime-proto"]),
    ("control-checker", &["control-proto"]),
    ("control-agent", &["control-core", "control-proto", "p4runtime-proto", "runtime-client"]),
    ("xtask", &[]),
    ("fuzz", &[]),
    ("loopback", &[]),
    ("needed", &[]),
];
/// Crates that may depend on all others.
const TOPS: &[&str] = &["control-bench", "guideway-cli", "p4runtime-bench", "snapshots", "xdp-bench"];

pub(super) fn check(metadata: &serde_json::Value) -> Vec<Finding> {
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let packages = list(&metadata["packages"]);
    let ours: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    let mut findings = Vec::new();
    for package in &packages {
        let name = text(&package["name"]);
        if TOPS.contains(&name.as_str()) {
            continue;
        }
        let mut find = |advice: String| {
            findings.push(Finding { check: "arrows", place: format!("package {name}"), advice });
        };
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            find(
                "is not in the table of xtask/src/tidy/arrows.rs; add it, with what it may depend on".into(),
            );
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let to = text(&dependency["name"]);
            if ours.contains(&to) && dependency["kind"] != "dev" && !allowed.contains(&to.as_str()) {
                find(format!("must not depend on {to}: arrows point down only (ARCHITECTURE.md)"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(dependency: &serde_json::Value) -> Vec<String> {
        let metadata = serde_json::json!({"packages": [
            {"name": "pipeline-ir", "dependencies": [dependency]},
            {"name": "codegen", "dependencies": [{"name": "pipeline-ir", "kind": null}]},
        ]});
        check(&metadata).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn an_upward_arrow_is_found() {
        let found = advice(&serde_json::json!({"name": "codegen", "kind": null}));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("package pipeline-ir: [arrows] must not depend on codegen"),
            "{found:?}"
        );
        assert!(advice(&serde_json::json!({"name": "codegen", "kind": "dev"})).is_empty());
        assert!(advice(&serde_json::json!({"name": "serde", "kind": null})).is_empty());
    }

    #[test]
    fn a_new_crate_has_to_be_entered() {
        let found = check(&serde_json::json!({"packages": [{"name": "novel", "dependencies": []}]}));
        assert!(found[0].to_string().contains("is not in the table"));
    }
}
