//! What can go wrong on the way into the kernel, each with its way out.

use std::io;
use std::path::PathBuf;

/// Why an XDP data plane is not there. The interfaces are then as they were.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum XdpError {
    #[error("this kernel has no BPF; build it with CONFIG_BPF_SYSCALL, or use `--target native`")]
    NoBpf,
    #[error("this process lacks {missing}; run it as root, or use `--target native`")]
    Capability { missing: String },
    #[error(
        "the kernel refuses BPF to root ({error}); a container needs CAP_BPF and CAP_NET_ADMIN, a locked-down kernel needs its lockdown lifted; or use `--target native`"
    )]
    Refused { error: io::Error },
    #[error(
        "this kernel lacks {feature}, which the program uses and Linux has since {since}; update the kernel, or use `--target native`"
    )]
    Kernel { feature: String, since: &'static str },
    #[error(
        "the object is no XDP program of Guideway: {why}; compile the pipeline again with `guideway compile --target xdp`"
    )]
    Object { why: String },
    #[error(
        "the kernel's verifier refuses the program{at}\n{log}\nThis is an error in Guideway's C or of this kernel: report it with the pipeline; `--target native` runs it meanwhile"
    )]
    Verifier { at: String, log: String },
    #[error("the kernel can't make map `{map}` ({error}); {help}")]
    Map { map: String, error: io::Error, help: &'static str },
    #[error("there is no interface `{interface}`; `ip link` lists those of this network namespace")]
    Interface { interface: String },
    #[error("interface `{interface}` has another XDP program: {name} (id {id}); {help}")]
    Occupied { interface: String, name: String, id: u32, help: String },
    #[error("can't attach to `{interface}`: {error}; {help}")]
    Attach { interface: String, error: io::Error, help: &'static str },
    #[error("port {port} is given twice; each port and each interface stands once")]
    PortTwice { port: String },
    #[error("port {port} is out of range; XDP takes ports below {limit}, and at most 16 of them")]
    PortRange { port: u32, limit: u32 },
    #[error(
        "{path} is not in a BPF file system; mount one: `mount -t bpf bpf /sys/fs/bpf`, or choose another `--pin-dir`"
    )]
    NoBpfFs { path: PathBuf },
    #[error("another `guideway switch` uses {path}; stop it, or choose another `--pin-dir`")]
    Running { path: PathBuf },
    #[error("can't pin under {path}: {error}; `--flush` starts clean")]
    Pin { path: PathBuf, error: io::Error },
    #[error("table `{table}`: no hash seed keeps its entries in sets of 4; raise the table's size")]
    Seed { table: String },
    #[error("an entry of the source can't be written to table `{table}`: {error}")]
    Entry { table: String, error: String },
    #[error("{what}: {error}")]
    System { what: &'static str, error: io::Error },
}

impl XdpError {
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System { what, error }
    }
}
