//! What a user's crate builds with the facade: the front end and the native emitter, and neither P4 nor BPF.

use super::Finding;
use crate::run::{capture, cargo};
use anyhow::Result;

/// The crate that users name, with all that it offers.
const FACADE: &[&str] =
    &["tree", "--package", "guideway", "--all-features", "--edges", "normal,build", "--prefix", "none"];
/// What belongs to other targets.
const FOREIGN: &[&str] = &["aya", "aya-obj", "nom", "object", "p4", "p4runtime-proto", "tonic", "xdp-layout"];

/// Asks cargo.
///
/// # Errors
/// Cargo fails.
pub(super) fn find() -> Result<Vec<Finding>> {
    Ok(check(&capture(&mut cargo(FACADE), "")?))
}

fn check(tree: &str) -> Vec<Finding> {
    let names = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let mut found: Vec<String> = tree.lines().map(names).filter(|n| FOREIGN.contains(&n.as_str())).collect();
    found.sort();
    found.dedup();
    let finding = |name: String| Finding {
        check: "user-build",
        place: "package guideway".into(),
        advice: format!("pulls in {name}, which a user's native pipeline does not need: make it a feature"),
    };
    found.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_crates_are_found_once() {
        let tree = "guideway v0.1.0 (/x)\np4 v0.1.0 (/x/p4)\nsyn v2.0.0\nobject-safe v1.0.0\np4 v0.1.0 (*)\n";
        let found = check(tree);
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("package guideway: [user-build] pulls in p4,"), "{found:?}");
    }
}
