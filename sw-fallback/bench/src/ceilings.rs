//! The most instructions per packet that each scenario may need.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Scenario to instructions per packet; by the compiler, whose versions differ.
pub type Ceilings = BTreeMap<String, BTreeMap<String, f64>>;

/// A scenario that needs less than this share of its ceiling lowers it.
pub const SLACK: f64 = 0.98;

/// The file.
#[must_use]
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ceilings.toml")
}

/// Reads the file.
///
/// # Errors
/// It is not there or is no table of tables of numbers.
pub fn read() -> Result<Ceilings> {
    let path = path();
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

const HEAD: &str = "# The most instructions per packet, by compiler and scenario (docs/bench.md).
# A test fails above a number, and 2 % below it; `cargo xtask bless` writes what is needed now.
";

/// Writes the file.
///
/// # Errors
/// It can't be written.
pub fn write(ceilings: &Ceilings) -> Result<()> {
    let mut text = HEAD.to_owned();
    for (compiler, scenarios) in ceilings {
        text += &format!("\n[{compiler}]\n");
        for (name, most) in scenarios {
            text += &format!("{name} = {most:.1}\n");
        }
    }
    Ok(std::fs::write(path(), text)?)
}

/// What is wrong with a scenario that needs `needed`, if anything.
#[must_use]
pub fn fault(name: &str, needed: f64, ceiling: Option<f64>) -> Option<String> {
    const BLESS: &str = "`cargo xtask bless` writes the new number";
    let Some(most) = ceiling else { return Some(format!("{name}: {needed:.1}, and no ceiling; {BLESS}")) };
    if needed > most + 0.05 {
        return Some(format!("{name}: {needed:.1} instructions per packet, at most {most:.1} are allowed"));
    }
    (needed < most * SLACK)
        .then(|| format!("{name}: {needed:.1}, so the ceiling of {most:.1} can fall; {BLESS}"))
}

/// The compiler's name and major version, as the file has it.
#[must_use]
pub fn compiler(version: &str) -> Option<String> {
    let (_, after) = version.split_once("clang version ")?;
    let major: String = after.chars().take_while(char::is_ascii_digit).collect();
    (!major.is_empty()).then(|| format!("clang-{major}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn above_and_far_below_are_faults() {
        assert!(fault("a", 100.0, Some(100.0)).is_none());
        assert!(fault("a", 98.5, Some(100.0)).is_none());
        assert!(fault("a", 100.2, Some(100.0)).is_some_and(|f| f.contains("at most 100.0")));
        assert!(fault("a", 97.0, Some(100.0)).is_some_and(|f| f.contains("can fall")));
        assert!(fault("a", 97.0, None).is_some_and(|f| f.contains("bless")));
    }

    #[test]
    fn compilers_have_a_major_version() {
        assert_eq!(compiler("Debian clang version 19.1.7 (3)\nTarget: x"), Some("clang-19".into()));
        assert_eq!(compiler("gcc 12"), None);
    }
}
