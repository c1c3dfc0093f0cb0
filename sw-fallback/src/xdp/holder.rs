//! Who holds a program on an interface, and what takes it off.

use super::sys;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

/// A program that runs on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Running {
    pub(super) program: u32,
    /// How `ip link` names what it runs in: `xdp`, `xdpgeneric`, `xdpoffload`.
    pub(super) mode: &'static str,
}

/// What takes it off the interface: a program that a BPF link holds goes with the link, others by `ip link`.
pub(super) fn way_out(interface: &str, index: u32, running: Running) -> String {
    let Some(link) = link_of(index, running.program) else {
        let mode = running.mode;
        return format!(
            "detach it first: `ip link set dev {interface} {mode} off`; if that is refused, a BPF link holds it: \
             `bpftool link` names it, `bpftool link detach id N` ends it"
        );
    };
    let mut text = format!("a BPF link holds it, which `ip link` can't end: `bpftool link detach id {link}`");
    for (pid, name) in processes(link) {
        text.push_str(&format!(", or end process {pid} (`{name}`)"));
    }
    if let Some(pin) = pin(link) {
        text.push_str(&format!("; then remove its pin {}", pin.display()));
    }
    text
}

/// The link that holds a program on an interface.
fn link_of(interface: u32, program: u32) -> Option<u32> {
    let info = |id| sys::link(id).and_then(|link| sys::link_info(link.as_fd()));
    // Ids are dense enough; a list without an end would be the kernel's error.
    let ids = std::iter::successors(sys::next_link(0), |id| sys::next_link(*id)).take(100_000);
    ids.filter(|id| {
        info(*id).is_ok_and(|i| i.kind == sys::XDP_LINK && i.interface == interface && i.program == program)
    })
    .last()
}

/// Processes that have a descriptor of a link, with their names.
fn processes(link: u32) -> Vec<(u32, String)> {
    let own = std::process::id();
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok()).filter(|pid| *pid != own);
    let mut found: Vec<(u32, String)> = pids
        .filter(|pid| {
            let files = fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten().flatten();
            files.into_iter().any(|f| is_link(&f.path(), link))
        })
        .map(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            (pid, name.trim().to_owned())
        })
        .collect();
    found.sort();
    found
}

/// Does a descriptor's description (`/proc/PID/fdinfo/FD`) name this link?
fn is_link(description: &Path, link: u32) -> bool {
    let text = fs::read_to_string(description).unwrap_or_default();
    let id = text.lines().find_map(|line| line.strip_prefix("link_id:"));
    id.and_then(|id| id.trim().parse().ok()) == Some(link)
}

/// Where a link is pinned, in any BPF file system that is mounted here.
fn pin(link: u32) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/thread-self/mounts").unwrap_or_default();
    let mut places: Vec<(PathBuf, u32)> = mounts
        .lines()
        .map(|line| line.split_whitespace())
        .filter_map(|mut words| Some((words.nth(1)?.into(), words.next()?)))
        .filter(|(_, kind)| *kind == "bpf")
        .map(|(path, _)| (path, 0))
        .collect();
    while let Some((place, depth)) = places.pop() {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < 4 => places.push((path, depth + 1)),
                Ok(kind) if kind.is_file() => {
                    let Ok(object) = sys::pinned(&path) else { continue };
                    let description = format!("/proc/thread-self/fdinfo/{}", object.as_raw_fd());
                    if is_link(Path::new(&description), link) {
                        return Some(path);
                    }
                }
                _ => {}
            }
        }
    }
    None
}
