//! Removing labs whose maker is gone.

use super::Netns;
use std::fs;
use std::path::{Path, PathBuf};

/// A mark that a lab is to stay after its maker's end (`--keep`).
pub(crate) fn kept_mark(tag: &str) -> PathBuf {
    Path::new("/run").join(format!("{tag}.kept"))
}

/// Removes every lab of a demo that was killed, and returns their names. Labs of running demos and those
/// left on purpose stay.
#[must_use]
pub fn reap() -> Vec<String> {
    let mut dead: Vec<String> = labs(&spaces()).into_iter().filter(|tag| is_dead(tag)).collect();
    dead.retain(|tag| tear_down(tag));
    dead
}

/// Removes the lab `tag`: its processes, namespaces and pins. True when there was one.
#[must_use]
pub fn tear_down(tag: &str) -> bool {
    if lab_of(&format!("{tag}-{}", super::ROUTER)) != Some(tag) {
        return false;
    }
    let mut found = false;
    for name in spaces().iter().filter(|name| lab_of(name) == Some(tag)) {
        Netns::existing(name).remove();
        found = true;
    }
    // Pins, the mark and the folder of logs may be absent each.
    let _absent = fs::remove_dir_all(pins(tag));
    let _absent = fs::remove_dir_all(folder(tag));
    let _absent = fs::remove_file(kept_mark(tag));
    found
}

/// Where the lab's data planes pin their programs and maps.
pub(crate) fn pins(tag: &str) -> PathBuf {
    Path::new("/sys/fs/bpf").join(tag)
}

/// Where the lab keeps entries, artefacts and logs.
pub(crate) fn folder(tag: &str) -> PathBuf {
    Path::new("/run").join(tag)
}

fn spaces() -> Vec<String> {
    let names = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    let mut names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The labs that the namespaces `names` belong to, each once.
fn labs(names: &[String]) -> Vec<String> {
    let mut tags: Vec<String> = names.iter().filter_map(|name| lab_of(name)).map(str::to_owned).collect();
    tags.dedup();
    tags
}

/// The lab of namespace `name`: `gw12-lb1` is of `gw12`. None for other people's namespaces.
fn lab_of(name: &str) -> Option<&str> {
    let (tag, node) = name.split_once('-')?;
    let pid = tag.strip_prefix("gw")?;
    let ours = !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
    let known = super::Plan::default().names().contains(&node);
    (ours && known).then_some(tag)
}

fn is_dead(tag: &str) -> bool {
    let pid = tag.trim_start_matches("gw");
    !Path::new("/proc").join(pid).exists() && !kept_mark(tag).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_labs() {
        for (name, lab) in [
            ("gw12-lb1", Some("gw12")),
            ("gw12-router", Some("gw12")),
            ("gw-lb1", None),
            ("gateway-lb1", None),
            ("gw12-other", None),
            ("gw12", None),
            ("gw1x-lb1", None),
        ] {
            assert_eq!(lab_of(name), lab, "{name}");
        }
    }

    #[test]
    fn a_running_makers_lab_is_not_dead() {
        assert!(!is_dead(&format!("gw{}", std::process::id())));
        assert!(is_dead("gw4294967295"));
    }

    #[test]
    fn nothing_is_torn_down_under_a_foreign_name() {
        assert!(!tear_down("../etc"));
        assert!(!tear_down(""));
    }
}
