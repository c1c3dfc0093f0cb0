//! Which data plane this machine can show, and why not the better one.

use crate::lab;
use crate::needs::{self, Need};
use crate::sys;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::fmt;

/// A data plane of `guideway switch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DataPlane {
    /// The emitted XDP program, in the kernel.
    Xdp,
    /// The emitted Rust, in the switch's process.
    Native,
    /// The emitted `.spec`, in DPDK's SWX, in the switch's process.
    Dpdk,
    /// The emitted Rust between TCP stacks of one process: it needs no right and no device.
    Memory,
}

impl fmt::Display for DataPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xdp => "xdp",
            Self::Native => "native",
            Self::Dpdk => "dpdk",
            Self::Memory => "native (in memory)",
        })
    }
}

impl DataPlane {
    /// Can `guideway flows` read its flow table?
    #[must_use]
    pub fn shows_flows(self) -> bool {
        self != Self::Dpdk
    }

    /// The tools that the demo needs with it.
    #[must_use]
    pub fn needs(self) -> &'static [Need] {
        match self {
            Self::Xdp => needs::ALL,
            Self::Native | Self::Dpdk => &[needs::IPROUTE2],
            Self::Memory => &[],
        }
    }
}

/// What the demo will do, and what it has to say about that.
#[derive(Debug)]
pub struct Choice {
    /// The data plane.
    pub plane: DataPlane,
    /// True when the lab needs a user namespace of its own.
    pub unprivileged: bool,
    /// Why it is not XDP as root; none if it is, or if another was asked for.
    pub why: Option<String>,
}

impl Choice {
    /// The choice in words: which data plane, why, and under which rights.
    #[must_use]
    pub fn told(&self) -> String {
        let plane = match self.plane {
            DataPlane::Xdp => "xdp: the emitted program runs in the kernel",
            DataPlane::Native => "native: the emitted Rust runs in a process, on packet sockets",
            DataPlane::Dpdk => "dpdk: the emitted .spec runs in DPDK's SWX, on packet sockets",
            DataPlane::Memory => "native, in memory: the emitted Rust runs between TCP stacks of one process",
        };
        let why = self.why.as_ref().map_or(String::new(), |why| format!("; not xdp, because {why}"));
        let rights = if self.unprivileged { "; the lab is in an unprivileged user namespace" } else { "" };
        format!("data plane {plane}{why}{rights}")
    }

    /// Can the lab be left up?
    ///
    /// # Errors
    /// Nobody could enter it: a user namespace is known to the processes in it only.
    pub fn may_keep(&self) -> Result<()> {
        if self.unprivileged {
            bail!("--keep needs root: without it the lab is in a user namespace that nobody can enter later");
        }
        Ok(())
    }
}

/// What this machine lets us do; each is the reason against it, if there is one.
#[derive(Debug, Default)]
struct Machine {
    no_namespaces: Option<String>,
    no_bpf: Option<String>,
}

/// Chooses the data plane: `wanted`, else XDP where it can be loaded.
///
/// # Errors
/// XDP is wanted by name and can't be had; the error says why and what would help.
pub fn choose(wanted: Option<DataPlane>) -> Result<Choice> {
    let no_namespaces = if sys::is_root() { namespaces_refused() } else { Some("this is not root".into()) };
    decide(wanted, &Machine { no_namespaces, no_bpf: needs::why_no_bpf() })
}

fn decide(wanted: Option<DataPlane>, machine: &Machine) -> Result<Choice> {
    if wanted == Some(DataPlane::Memory) {
        return Ok(Choice { plane: DataPlane::Memory, unprivileged: false, why: None });
    }
    let unprivileged = machine.no_namespaces.is_some();
    if wanted == Some(DataPlane::Dpdk) {
        return Ok(Choice { plane: DataPlane::Dpdk, unprivileged, why: None });
    }
    let against = machine.no_namespaces.as_ref().or(machine.no_bpf.as_ref());
    match (wanted, against) {
        (Some(DataPlane::Xdp), Some(why)) => {
            bail!("the xdp data plane is not possible here: {why}; run as root, or leave --target out")
        }
        (None | Some(DataPlane::Xdp), None) => {
            Ok(Choice { plane: DataPlane::Xdp, unprivileged: false, why: None })
        }
        (_, why) => Ok(Choice { plane: DataPlane::Native, unprivileged, why: why.cloned() }),
    }
}

fn namespaces_refused() -> Option<String> {
    let tried = std::thread::spawn(|| sys::unshare_net().err()).join();
    let error = tried.ok().flatten()?;
    Some(format!("the kernel refuses network namespaces ({error})"))
}

/// Enters a lab's namespaces as an ordinary user.
///
/// # Errors
/// No unprivileged user namespace is to be had.
pub fn try_rights() -> Result<()> {
    lab::enter_unprivileged().context(
        "no root, and no unprivileged user namespace either: the demo can't make a network here. Run it as root, with \
         --target memory, or let users make namespaces: `sysctl -w user.max_user_namespaces=10000`, and on Ubuntu `sysctl -w \
         kernel.apparmor_restrict_unprivileged_userns=0`",
    )
}

/// Will [`take_rights`] get them? Asked before anything is built, by a process that ends with its namespaces.
///
/// # Errors
/// As [`try_rights`].
pub fn can_take_rights(choice: &Choice) -> Result<()> {
    if !choice.unprivileged {
        return Ok(());
    }
    let own = std::env::current_exe().context("finding our own binary")?;
    let output = std::process::Command::new(own).arg("lab-rights").output().context("trying a namespace")?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    bail!("{}", text.trim().trim_start_matches("error: "))
}

/// Takes the rights that the choice needs. Comes before any other thread is started.
///
/// # Errors
/// Not even an unprivileged user namespace is to be had.
pub fn take_rights(choice: &Choice) -> Result<()> {
    if choice.unprivileged {
        try_rights()?;
    } else if choice.plane == DataPlane::Xdp {
        needs::bpf_file_system()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_choice_is_told_with_its_reason() {
        let choice = |plane, unprivileged, why: Option<&str>| {
            Choice { plane, unprivileged, why: why.map(str::to_owned) }.told()
        };
        let told = choice(DataPlane::Native, true, Some("this is not root"));
        assert!(told.contains("native") && told.contains("not xdp, because this is not root"), "{told}");
        assert!(told.contains("user namespace"), "{told}");
        let may_keep = |unprivileged| Choice { plane: DataPlane::Native, unprivileged, why: None }.may_keep();
        assert!(may_keep(false).is_ok());
        assert!(may_keep(true).unwrap_err().to_string().contains("--keep needs root"));
        let told = choice(DataPlane::Xdp, false, None);
        assert!(told.starts_with("data plane xdp") && !told.contains("because"), "{told}");
        assert_eq!(DataPlane::Native.needs().len(), 1, "native needs no clang");
    }

    #[test]
    fn the_best_that_the_machine_allows() {
        use DataPlane::{Dpdk, Memory, Native, Xdp};
        let no = |text: &str| Some(text.to_owned());
        let cases = [
            (None, None, None, Ok((Xdp, false, None))),
            (Some(Xdp), None, None, Ok((Xdp, false, None))),
            (Some(Native), None, None, Ok((Native, false, None))),
            (None, None, no("no BPF"), Ok((Native, false, no("no BPF")))),
            (None, no("no root"), no("no BPF"), Ok((Native, true, no("no root")))),
            (Some(Memory), no("no root"), no("no BPF"), Ok((Memory, false, None))),
            (Some(Dpdk), None, no("no BPF"), Ok((Dpdk, false, None))),
            (Some(Dpdk), no("no root"), None, Ok((Dpdk, true, None))),
            (Some(Native), no("no root"), None, Ok((Native, true, no("no root")))),
            (Some(Xdp), None, no("no BPF"), Err("no BPF")),
        ];
        for (wanted, no_namespaces, no_bpf, want) in cases {
            let got = decide(wanted, &Machine { no_namespaces, no_bpf });
            match want {
                Ok(want) => {
                    let choice = got.unwrap();
                    assert_eq!((choice.plane, choice.unprivileged, choice.why), want, "{wanted:?}");
                }
                Err(word) => assert!(got.unwrap_err().to_string().contains(word)),
            }
        }
    }
}
