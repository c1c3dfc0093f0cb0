//! The foreign programs: `p4c-bm2-ss`, `simple_switch_grpc` and `psa_switch`.

use crate::judge::Judge;
use anyhow::{Context, Result, bail, ensure};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// No answer of a switch takes longer than this.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// p4c's BMv2 back end.
pub const P4C: &str = "p4c-bm2-ss";
/// BMv2 as P4Runtime serves it.
pub const SWITCH: &str = "simple_switch_grpc";
/// BMv2 for programs of PSA.
pub const PSA_SWITCH: &str = "psa_switch";

/// Is p4c's BMv2 back end on PATH?
#[must_use]
pub fn has_p4c() -> bool {
    needed::missing(&[P4C]).is_none()
}

/// What p4c makes of a program: BMv2's JSON and p4c's own P4Info in text form.
///
/// # Errors
/// If p4c refuses the program or warns.
pub fn compile(p4: &str) -> Result<(Vec<u8>, String)> {
    let judge = Judge::of(&hw_targets::target("bmv2")?)?;
    let judged = judge.ask(p4, &["--p4runtime-files", "program.txtpb"])?;
    ensure!(judged.status.success() && judged.said.trim().is_empty(), "{P4C} says:\n{}", judged.said);
    Ok((std::fs::read(judged.out())?, std::fs::read_to_string(judged.file("program.txtpb"))?))
}

/// The keys of tables that p4c has made masks of in its JSON, as `table.key`: their entries are not those of the P4Info.
///
/// # Errors
/// It is no JSON of BMv2's.
pub fn masked(json: &[u8]) -> Result<Vec<String>> {
    let json: serde_json::Value = serde_json::from_slice(json)?;
    let list = |of: &serde_json::Value, name: &str| of[name].as_array().cloned().context(name.to_owned());
    let mut masked = Vec::new();
    for pipeline in list(&json, "pipelines")? {
        for table in list(&pipeline, "tables")? {
            let keys = list(&table, "key")?;
            let own = keys.iter().filter(|key| !key["mask"].is_null());
            let name = |of: &serde_json::Value| of["name"].as_str().unwrap_or_default().to_owned();
            masked.extend(own.map(|key| format!("{}.{}", name(&table), name(key))));
        }
    }
    Ok(masked)
}

/// A running program; it ends with this value.
#[derive(Debug)]
struct Running {
    child: Child,
    command: Command,
}

impl Running {
    fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("{command:?}"))?;
        Ok(Self { child, command })
    }

    fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `simple_switch_grpc`; it ends with this value.
#[derive(Debug)]
pub struct Switch {
    running: Running,
    /// The loopback port of P4Runtime; the device is 1.
    pub p4runtime: u16,
    /// The loopback port of its packets.
    pub packets: u16,
}

impl Switch {
    /// Starts a switch without a program, on free loopback ports.
    ///
    /// # Errors
    /// It can't be started, or no port is free.
    pub fn start() -> Result<Self> {
        let packets = free_port()?;
        Self::with(packets, &[], &["--dp-grpc-server-addr", &format!("127.0.0.1:{packets}")])
    }

    /// The same with an interface as port 1, whose packets it takes: none come over gRPC.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn on(interface: &str) -> Result<Self> {
        Self::with(0, &["-i", &format!("1@{interface}")], &[])
    }

    fn with(packets: u16, general: &[&str], own: &[&str]) -> Result<Self> {
        let p4runtime = free_port()?;
        let mut command = Command::new(SWITCH);
        command.args(["--no-p4", "--device-id", "1"]).args(general);
        if has_thrift()? {
            command.args(["--thrift-port", &free_port()?.to_string()]);
        }
        command.arg("--").args(["--grpc-server-addr", &format!("127.0.0.1:{p4runtime}")]).args(own);
        Ok(Self { running: Running::start(command)?, p4runtime, packets })
    }

    /// Kills it and starts it anew, on the same ports, without a program.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.running.child.kill()?;
        self.running.child.wait()?;
        self.running.child = self.running.command.spawn().context(SWITCH)?;
        Ok(())
    }

    /// Has the program ended?
    pub(super) fn ended(&mut self) -> bool {
        self.running.ended()
    }
}

/// A running `psa_switch`; it ends with this value.
#[derive(Debug)]
pub(super) struct PsaSwitch {
    running: Running,
    /// The loopback port of Thrift.
    pub(super) thrift: u16,
    dir: TempDir,
}

impl PsaSwitch {
    /// Starts a switch without a program, with sockets of its own.
    pub(super) fn start() -> Result<Self> {
        let (thrift, dir) = (free_port()?, tempfile::tempdir()?);
        let socket = |name| format!("ipc://{}", dir.path().join(name).display());
        let mut command = Command::new(PSA_SWITCH);
        command.args(["--no-p4", "--thrift-port", &thrift.to_string(), "--packet-in", &socket("packets")]);
        command.args(["--notifications-addr", &socket("notes"), "--", "--enable-swap"]);
        Ok(Self { running: Running::start(command)?, thrift, dir })
    }

    /// The Unix socket of its packets.
    pub(super) fn packets(&self) -> PathBuf {
        self.dir.path().join("packets")
    }

    /// Has the program ended?
    pub(super) fn ended(&mut self) -> bool {
        self.running.ended()
    }
}

/// Thrift is a matter of how the switch was built; where it is, its port must be free too.
fn has_thrift() -> Result<bool> {
    let help = Command::new(SWITCH).arg("--help").output().context(SWITCH)?;
    Ok(String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).contains("--thrift-port"))
}

/// A port that nobody listens on, and that this process has not given away before. It is below those that the kernel
/// gives to clients: a client that asks such a port again and again could end up connected to itself.
fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 64) as u16 * 128;
    for _ in 0..8192 {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 8192;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no loopback port is free")
}
