//! Does this kernel do what the program needs? Asked before anything is loaded.

use super::elf::Facts;
use super::error::XdpError;
use super::sys;
use std::collections::BTreeSet;
use std::io;

/// What was found out about kernel and process.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    /// Effective capabilities, as bits.
    pub(super) capabilities: u64,
    /// What loading the smallest program gave.
    pub(super) smallest: Option<io::Error>,
    /// The kernel describes programs and maps by BTF.
    pub(super) btf: bool,
    /// Atomic operations that give a value back.
    pub(super) atomics: bool,
    /// Arrays that can be mapped.
    pub(super) mapped: bool,
    /// Of the helpers asked for, those that are missing.
    pub(super) no_helpers: BTreeSet<u32>,
}

const NET_ADMIN: u32 = 12;
const SYS_ADMIN: u32 = 21;
const PERFMON: u32 = 38;
const BPF: u32 = 39;

/// Helper `bpf_jiffies64`.
pub(super) const JIFFIES: u32 = 118;

/// Helpers that the emitter uses: number, name, first Linux with it.
const HELPERS: &[(u32, &str, &str)] = &[
    (1, "bpf_map_lookup_elem", "3.19"),
    (44, "bpf_xdp_adjust_head", "4.10"),
    (51, "bpf_redirect_map", "4.14"),
    (65, "bpf_xdp_adjust_tail", "4.18"),
    (JIFFIES, "bpf_jiffies64", "5.6"),
];

impl Kernel {
    /// Tries things out. Without the capabilities nothing is tried.
    pub(super) fn probe(facts: &Facts) -> Self {
        let mut kernel = Self { capabilities: capabilities(), ..Self::default() };
        if !missing(kernel.capabilities).is_empty() {
            return kernel;
        }
        kernel.smallest = sys::load_instructions(&[RETURN_PASS, EXIT]).err();
        if kernel.smallest.is_some() {
            return kernel;
        }
        kernel.btf = aya::features().btf().is_some();
        kernel.atomics = sys::load_instructions(&EXCHANGE).is_ok();
        kernel.mapped = sys::RawMap::array("gw_probe", 8, 1).and_then(|m| sys::Pages::new(&m)).is_ok();
        kernel.no_helpers = facts.helpers.iter().copied().filter(|h| !has_helper(*h)).collect();
        kernel
    }

    /// Is it enough?
    pub(super) fn judge(self, facts: &Facts) -> Result<(), XdpError> {
        let missing = missing(self.capabilities);
        if !missing.is_empty() {
            return Err(XdpError::Capability { missing: missing.join(" and ") });
        }
        match self.smallest {
            Some(e) if e.raw_os_error() == Some(libc::ENOSYS) => return Err(XdpError::NoBpf),
            Some(error) => return Err(XdpError::Refused { error }),
            None => {}
        }
        let lacks = |feature: &str, since| Err(XdpError::Kernel { feature: feature.to_owned(), since });
        if !self.btf {
            return lacks("type information for BPF programs (BTF)", "5.2");
        }
        if facts.atomics && !self.atomics {
            return lacks("atomic exchange in BPF programs", "5.12");
        }
        if facts.maps.values().any(|m| m.flags & sys::map_type::MMAPABLE != 0) && !self.mapped {
            return lacks("BPF arrays that can be mapped", "5.5");
        }
        if let Some(helper) = self.no_helpers.first() {
            let known = HELPERS.iter().find(|h| h.0 == *helper);
            let name =
                known.map_or_else(|| format!("BPF helper {helper}"), |h| format!("BPF helper {}", h.1));
            return lacks(&name, known.map_or("a later version", |h| h.2));
        }
        Ok(())
    }
}

fn missing(capabilities: u64) -> Vec<&'static str> {
    let has = |bit: u32| capabilities >> bit & 1 == 1;
    let mut missing = Vec::new();
    if !has(BPF) && !has(SYS_ADMIN) {
        missing.push("CAP_BPF");
    }
    if !has(PERFMON) && !has(SYS_ADMIN) {
        missing.push("CAP_PERFMON");
    }
    if !has(NET_ADMIN) {
        missing.push("CAP_NET_ADMIN");
    }
    missing
}

/// The effective capabilities of this process.
fn capabilities() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("CapEff:"));
    line.and_then(|l| u64::from_str_radix(l.trim(), 16).ok()).unwrap_or(0)
}

fn has_helper(number: u32) -> bool {
    match u8::try_from(number).ok().and_then(|_| helper_of(number)) {
        Some(helper) => {
            aya::sys::is_helper_supported(aya::programs::ProgramType::Xdp, helper).unwrap_or(true)
        }
        None => true,
    }
}

fn helper_of(number: u32) -> Option<aya::sys::BpfHelper> {
    use aya_obj::generated::bpf_func_id::{
        BPF_FUNC_jiffies64, BPF_FUNC_map_lookup_elem, BPF_FUNC_redirect_map, BPF_FUNC_xdp_adjust_head,
        BPF_FUNC_xdp_adjust_tail,
    };
    Some(match number {
        1 => BPF_FUNC_map_lookup_elem,
        44 => BPF_FUNC_xdp_adjust_head,
        51 => BPF_FUNC_redirect_map,
        65 => BPF_FUNC_xdp_adjust_tail,
        JIFFIES => BPF_FUNC_jiffies64,
        _ => return None,
    })
}

/// `r0 = 2`
const RETURN_PASS: u64 = 0x0000_0002_0000_00b7;
const EXIT: u64 = 0x0000_0000_0000_0095;
/// A word on the stack, exchanged if it is what it is.
const EXCHANGE: [u64; 5] = [
    0x0000_0002_0000_00b7, // r0 = 2
    0x0000_0000_fff8_0a7b, // *(u64 *)(r10 - 8) = r0
    0x0000_00f1_fff8_0adb, // r0 = atomic64_cmpxchg(r10 - 8, r0, r0)
    RETURN_PASS,
    EXIT,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::xdp::sys::MapInfo;

    const ALL: u64 = 1 << BPF | 1 << PERFMON | 1 << NET_ADMIN;

    fn good() -> Kernel {
        let no_helpers = BTreeSet::new();
        Kernel { capabilities: ALL, smallest: None, btf: true, atomics: true, mapped: true, no_helpers }
    }

    fn needs() -> Facts {
        let map = MapInfo { kind: 2, key: 4, value: 64, entries: 2, flags: sys::map_type::MMAPABLE };
        let maps = [("flows".to_owned(), map)].into();
        Facts { maps, helpers: [1, 160].into(), atomics: true, ..Facts::default() }
    }

    #[test]
    fn each_lack_has_its_own_message() {
        good().judge(&needs()).unwrap();
        let check = |kernel: Kernel, says: &[&str]| {
            let error = kernel.judge(&needs()).unwrap_err().to_string();
            for part in says {
                assert!(error.contains(part), "{error}");
            }
        };
        let os = |code| Some(io::Error::from_raw_os_error(code));
        check(
            Kernel { capabilities: 0, ..good() },
            &["lacks CAP_BPF and CAP_PERFMON and CAP_NET_ADMIN", "root"],
        );
        check(Kernel { capabilities: 1 << SYS_ADMIN, ..good() }, &["lacks CAP_NET_ADMIN;"]);
        check(Kernel { smallest: os(libc::ENOSYS), ..good() }, &["no BPF", "CONFIG_BPF_SYSCALL"]);
        check(Kernel { smallest: os(libc::EPERM), ..good() }, &["refuses BPF to root", "lockdown"]);
        check(Kernel { btf: false, ..good() }, &["BTF", "5.2", "update the kernel"]);
        check(Kernel { atomics: false, ..good() }, &["atomic", "5.12", "--target native"]);
        check(Kernel { mapped: false, ..good() }, &["mapped", "5.5"]);
        check(Kernel { no_helpers: [118].into(), ..good() }, &["bpf_jiffies64", "5.6"]);
        check(Kernel { no_helpers: [7].into(), ..good() }, &["BPF helper 7"]);
    }

    #[test]
    fn what_is_not_needed_is_not_asked_for() {
        let old = Kernel { atomics: false, mapped: false, ..good() };
        old.judge(&Facts::default()).unwrap();
    }
}
