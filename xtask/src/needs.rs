//! The tools that the tasks need: finds them, and installs missing ones by apt.

use crate::run::{on_path, run};
use crate::sys;
use anyhow::{Result, bail};
use std::io::{BufRead, IsTerminal, Write};
use std::process::Command;

/// One tool that a task needs.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// What it is for, to complete "needed to ...".
    pub why: &'static str,
    /// Any of these programs on PATH answers the need.
    pub programs: &'static [&'static str],
    /// The Debian package that brings it.
    pub package: &'static str,
}

/// Compiles the emitted XDP C.
pub const CLANG: Need = Need {
    why: "compile the emitted XDP C to BPF",
    programs: &["clang", "clang-19", "clang-18", "clang-17", "clang-16", "clang-15", "clang-14"],
    package: "clang",
};

/// Builds the lab's links and routes.
pub const IPROUTE2: Need =
    Need { why: "build network namespaces, links and routes", programs: &["ip"], package: "iproute2" };

/// What the tests and the demo need.
pub const ALL: &[Need] = &[CLANG, IPROUTE2];

/// Is the library there that the target `dpdk` is built with?
#[must_use]
pub fn dpdk() -> bool {
    let found = Command::new("pkg-config").args(["--exists", "libdpdk >= 22.11 libdpdk < 22.12"]).status();
    found.is_ok_and(|status| status.success())
}

/// What to do where it is not.
pub const NO_DPDK: &str =
    "the target dpdk needs libdpdk 22.11: on Debian 12 `apt-get install libdpdk-dev pkg-config`, then again";

/// The needs that no program on PATH answers.
#[must_use]
pub fn missing(needs: &[Need]) -> Vec<Need> {
    needs.iter().filter(|need| on_path(need.programs).is_none()).copied().collect()
}

/// Installs by apt what is missing. It prints the command and the reasons first, and asks on a terminal
/// unless `yes`; without a terminal it goes ahead.
///
/// # Errors
/// The user says no, apt or the rights for it are absent (the error tells the command), or apt fails.
pub fn ensure(needs: &[Need], yes: bool) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let install = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    for need in &missing {
        eprintln!("missing: {} (package {}), needed to {}", need.programs[0], need.package, need.why);
    }
    if on_path(&["apt-get"]).is_none() {
        bail!(
            "there is no apt-get here; install these with your own package manager: {}",
            packages.join(", ")
        );
    }
    if !sys::is_root() {
        bail!("installing needs root; run this, then try again:\n    sudo {install}");
    }
    eprintln!("to install: {install}");
    if !yes && std::io::stdin().is_terminal() && !asked("Install now? [Y/n] ")? {
        bail!("not installed; run this, then try again:\n    {install}");
    }
    let apt = |args: &[&str]| {
        run(Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(std::io::stderr()))
    };
    // A machine fresh from its image has no package lists yet; an outdated mirror is no reason to stop.
    if let Err(error) = apt(&["update", "--quiet"]) {
        eprintln!("{error:#}; going on with the package lists that are here");
    }
    let mut args = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    args.extend(packages);
    apt(&args)
}

fn asked(question: &str) -> Result<bool> {
    eprint!("{question}");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(means_yes(&answer))
}

fn means_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes")
}

/// Why this process can't load XDP programs, or `None` when it can. It tries, with two instructions.
#[must_use]
pub fn why_no_bpf() -> Option<String> {
    sys::load_xdp_pass().err().map(|error| match error.raw_os_error() {
        Some(libc::EPERM) => {
            "the kernel refuses BPF programs to this user (CAP_BPF and CAP_NET_ADMIN)".into()
        }
        Some(libc::ENOSYS) => "this kernel has no BPF".into(),
        _ => format!("loading a BPF program fails: {error}"),
    })
}

/// Mounts the BPF file system, in which programs and maps are pinned, unless it is there.
///
/// # Errors
/// The mount is refused.
pub fn bpf_file_system() -> Result<()> {
    const AT: &str = "/sys/fs/bpf";
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    if mounts.lines().any(|line| line.split(' ').nth(1) == Some(AT)) {
        return Ok(());
    }
    eprintln!("mounting the BPF file system on {AT}, for pinned programs and maps");
    if let Err(error) = sys::mount_fresh("bpf", AT) {
        bail!("can't mount the BPF file system: {error}; try `mount -t bpf bpf {AT}`");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_on_path_answers_the_need() {
        const SHELL: Need = Need { why: "test", programs: &["no-such-program", "sh"], package: "dash" };
        const NOTHING: Need = Need { why: "test", programs: &["no-such-program"], package: "nothing" };
        let names: Vec<&str> = missing(&[SHELL, NOTHING]).iter().map(|need| need.package).collect();
        assert_eq!(names, ["nothing"]);
    }

    #[test]
    fn only_a_clear_yes_installs() {
        for (answer, yes) in [("\n", true), ("y\n", true), ("YES\n", true), ("n\n", false), ("what\n", false)]
        {
            assert_eq!(means_yes(answer), yes, "{answer:?}");
        }
    }
}
