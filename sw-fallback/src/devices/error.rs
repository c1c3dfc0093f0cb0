//! What can go wrong with a device, each with its way out.

use super::sys;
use std::io;
use std::path::PathBuf;

/// Why a device can't be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum DeviceError {
    #[error("there is no interface `{interface}`; `ip link` lists those of this network namespace")]
    NoInterface { interface: String },
    #[error(
        "interface `{interface}` is no Ethernet interface; native takes Ethernet, taps and veths among them"
    )]
    NotEthernet { interface: String },
    #[error("interface `{interface}` is gone; start again when it is back")]
    Gone { interface: String },
    #[error("interface `{interface}` is down; `ip link set {interface} up`")]
    Down { interface: String },
    #[error(
        "this process lacks {capability}, which {what} needs; run it as root, or grant it: `setcap {word}+ep` on the binary, `AmbientCapabilities={capability}` in systemd"
    )]
    Capability { capability: &'static str, word: &'static str, what: String },
    #[error(
        "the kernel refuses {what} ({error}); in a container, allow it: {capability}, and no seccomp filter in the way"
    )]
    Refused { what: String, capability: &'static str, error: io::Error },
    #[error(
        "this kernel has no packet sockets; load them: `modprobe af_packet` (CONFIG_PACKET), or use `--target xdp`"
    )]
    NoPacketSockets,
    #[error("can't open /dev/net/tun ({error}); {help}")]
    NoTun { error: io::Error, help: &'static str },
    #[error(
        "`{interface}` is no tap and can't become one ({error}); choose another name, or `ip link del {interface}`"
    )]
    NoTap { interface: String, error: io::Error },
    #[error("another process uses tap `{interface}`; stop it, or choose another name")]
    TapBusy { interface: String },
    #[error("can't open the capture {path}: {error}")]
    Open { path: PathBuf, error: io::Error },
    #[error("{path} is no capture that can be used: {why}")]
    Capture { path: PathBuf, why: String },
    #[error("the ring {path} can't be used: {why}")]
    Ring { path: PathBuf, why: String },
    #[error(
        "its thread panicked, which is an error in Guideway: report it with the lines above; the port is dead"
    )]
    Panicked,
    #[error("{what} of `{interface}`: {error}")]
    System { interface: String, what: &'static str, error: io::Error },
}

/// Bits of capabilities in a process' status.
const NET_ADMIN: u32 = 12;
const NET_RAW: u32 = 13;

impl DeviceError {
    /// True for what may be over later: the interface is down.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::Down { .. })
    }

    pub(super) fn system(interface: &str, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System { interface: interface.to_owned(), what, error }
    }

    /// A refusal of something for which this capability is needed.
    fn refused(
        capability: &'static str,
        bit: u32,
        word: &'static str,
        what: String,
        error: io::Error,
    ) -> Self {
        if sys::capabilities() >> bit & 1 == 0 {
            Self::Capability { capability, word, what }
        } else {
            Self::Refused { what, capability, error }
        }
    }

    /// A packet socket was refused.
    pub(super) fn raw(interface: &str, error: io::Error) -> Self {
        let what = format!("a packet socket on `{interface}`");
        match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                Self::refused("CAP_NET_RAW", NET_RAW, "cap_net_raw", what, error)
            }
            Some(libc::EAFNOSUPPORT) => Self::NoPacketSockets,
            Some(libc::ENODEV | libc::ENXIO) => Self::NoInterface { interface: interface.to_owned() },
            _ => Self::system(interface, "the packet socket")(error),
        }
    }

    /// A change of an interface was refused.
    pub(super) fn admin(interface: &str, what: &str, error: io::Error) -> Self {
        let what = format!("{what} `{interface}`");
        match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                Self::refused("CAP_NET_ADMIN", NET_ADMIN, "cap_net_admin", what, error)
            }
            _ => Self::system(interface, "the set-up")(error),
        }
    }
}
