//! A network of the bench's own with a pair of virtual interfaces, and the switch that serves it.

use crate::sys;
use anyhow::{Context as _, Result, bail, ensure};
use runtime_client::{Names, Options, Profile, Session};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use xdp_bench::frames::BALANCER;

/// Where frames are sent and come back.
pub const OUTSIDE: &str = "out0";
/// The switch's port 1.
pub const INSIDE: &str = "in0";

/// Network, mounts and a BPF file system of this thread's own. They end with it and with what it has started, however that
/// ends.
#[derive(Debug)]
pub struct World {
    pins: TempDir,
}

impl World {
    /// Makes it; this thread, and those that it starts, are in it then.
    ///
    /// # Errors
    /// Without the rights to it, or without iproute2.
    pub fn make() -> Result<Self> {
        sys::own_world().context("network namespaces need root")?;
        run("mount --make-rprivate /")?;
        let pins = tempfile::tempdir()?;
        run(&format!("mount -t bpf bpf {}", pins.path().display()))?;
        for scope in ["all", "default"] {
            // Else the kernel sends router solicitations into the traffic.
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6"), "1")?;
        }
        run("ip link set lo up")?;
        run(&format!("ip link add {OUTSIDE} type veth peer name {INSIDE}"))?;
        // The address that our frames are for.
        let address = BALANCER.map(|b| format!("{b:02x}")).join(":");
        run(&format!("ip link set {INSIDE} address {address}"))?;
        for interface in [OUTSIDE, INSIDE] {
            run(&format!("ip link set {interface} up"))?;
        }
        // What an XDP program sends arrives at the other end of a veth only where one runs too.
        let pass = xtask::sys::load_xdp_pass().context("a program that passes everything")?;
        xtask::sys::attach_xdp(OUTSIDE, &pass).with_context(|| format!("a program on {OUTSIDE}"))?;
        Ok(Self { pins })
    }

    fn pin_dir(&self) -> PathBuf {
        self.pins.path().join("switch")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("--lazy").arg(self.pins.path()).status();
    }
}

fn run(line: &str) -> Result<()> {
    let output = Command::new("sh").args(["-c", line]).output().context("a shell")?;
    ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// `guideway switch`, serving P4Runtime on loopback TCP. It ends with this.
#[derive(Debug)]
pub struct Switch {
    child: Child,
    address: String,
    said: BufReader<ChildStdout>,
}

/// It compiles, and the verifier looks at what came out.
const START: Duration = Duration::from_secs(180);

impl Switch {
    /// Starts the command on [`INSIDE`], with further arguments for it.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn start(guideway: &Path, world: &World, target: &str, more: &[&str]) -> Result<Self> {
        let mut command = Command::new(guideway);
        command.args(["switch", "--target", target, "--port", &format!("1@{INSIDE}")]);
        command.args(["--p4runtime", "127.0.0.1:0"]).args(more);
        if target == "xdp" {
            command.arg("--pin-dir").arg(world.pin_dir());
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| guideway.display().to_string())?;
        let said = child.stdout.take().context("the switch's output")?;
        let mut switch = Self { child, address: String::new(), said: BufReader::new(said) };
        switch.until_ready()?;
        Ok(switch)
    }

    fn until_ready(&mut self) -> Result<()> {
        let since = Instant::now();
        while since.elapsed() < START {
            let mut line = String::new();
            ensure!(self.said.read_line(&mut line)? > 0, "the switch ended");
            if let Some((_, at)) = line.trim().split_once("p4runtime: ").and_then(|l| l.1.split_once(" on "))
            {
                self.address = at.to_owned();
            }
            if line.starts_with("ready") {
                ensure!(!self.address.is_empty(), "the switch told no address");
                return Ok(());
            }
        }
        bail!("the switch is not ready after {START:?}")
    }

    /// Where it serves P4Runtime.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its number among processes.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// A session that may write, and the names of what runs.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn session(&self) -> Result<(Session, Names)> {
        let mut options = Options::new(&self.address, Profile::named("guideway")?);
        options.patience = Duration::from_secs(60);
        let session = Session::connect(options).await?;
        session.primary().await?;
        let names = session.names().await?;
        Ok((session, names))
    }
}

impl Drop for Switch {
    /// It takes its program off the interface if it is asked to end.
    fn drop(&mut self) {
        sys::terminate(self.child.id());
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(10) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}
