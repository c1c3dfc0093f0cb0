//! The processes of `bench control`: one is the controller, one holds all switches, and each agent is one. They end when
//! their standard input does.

use crate::node::Orders;
use crate::site::{self, Client};
use crate::switch::Switch;
use anyhow::{Context as _, Result, bail};
use control_registry::Redb;
use control_server::{Controller, Options, Server};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Nanoseconds of a clock that all processes of a machine share.
#[must_use]
pub fn now_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Until whoever started this process is gone.
async fn told_to_end() {
    let read = tokio::task::spawn_blocking(|| std::io::stdin().lock().read_to_end(&mut Vec::new()));
    // However it ends, it is the end.
    let _ended = read.await;
}

/// A controller over a file, as `guideway controller` has it.
///
/// # Errors
/// It can't start.
pub async fn controller(registry: &Path) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let registry = Redb::open(registry).await?;
    let controller = Controller::new(Arc::new(registry), Options::at(address.clone()));
    let server = Server::on(&controller, listener, None, false)?;
    tokio::spawn(server.serve(std::future::pending()));
    let client: Client = site::client(&address)?;
    let running = tokio::spawn(controller.run(told_to_end()));
    site::leads(&client).await?;
    say(&format!("ready {address}"))?;
    Ok(running.await?)
}

/// So many switches; each flip is a line: `flip SWITCH NANOSECONDS`.
///
/// # Errors
/// One can't start.
pub async fn switches(count: usize) -> Result<()> {
    let mut all = Vec::new();
    for at in 0..count {
        let told = Box::new(move || {
            // Whoever reads it may be gone.
            let _told = say(&format!("flip {at} {}", now_ns()));
        });
        all.push(Switch::start(Some(told)).await?);
    }
    let addresses: Vec<&str> = all.iter().map(|switch| switch.address.as_str()).collect();
    say(&format!("ready {}", addresses.join(" ")))?;
    told_to_end().await;
    Ok(())
}

/// An agent, as `guideway agent` has it.
///
/// # Errors
/// It can't start.
pub async fn agent(node: &str, controller: &str, switch: &str, state: &Path) -> Result<()> {
    let orders = Orders { node: node.into(), controllers: vec![controller.into()], state: state.to_owned() };
    let agent = orders.agent(switch).await?;
    say("ready")?;
    told_to_end().await;
    agent.end().await;
    Ok(())
}

/// What `/proc/PID/stat` counts in: a hundredth of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// `utime` and `stime` of `/proc/PID/stat` (proc_pid_stat(5)), ticks. The name in parentheses may have blanks and parentheses.
fn ticks(line: &str) -> Option<u32> {
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u32>().ok()? + fields.next()?.parse::<u32>().ok()?)
}

/// A process of ours.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    /// What it said when it was ready.
    pub ready: Vec<String>,
    /// What it says from then on.
    pub lines: Option<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this program in a role and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub fn start(role: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("role").args(role).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut lines = BufReader::new(stdout.context("its output")?);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        if words.next().as_deref() != Some("ready") {
            bail!("`{}` did not start", role.join(" "));
        }
        Ok(Self { child, stdin, ready: words.collect(), lines: Some(lines) })
    }

    /// Processor time of all its threads, also of those that have ended, with the kernel's work for them.
    ///
    /// # Errors
    /// It is gone.
    pub fn cpu(&self) -> Result<Duration> {
        let line = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        ticks(&line).map(|ticks| TICK * ticks).context("stat")
    }

    /// Bytes of memory that it has.
    ///
    /// # Errors
    /// It is gone.
    pub fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS")).context("VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("VmRSS")?.parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It ends by itself; what can't be told to is killed.
        for _ in 0..200 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _killed = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_counted() {
        let line = "17 (a b) c) S 1 17 17 0 -1 4194304 1 2 3 4 250 31 5 6 20 0 2 0 99 1 1";
        assert_eq!(ticks(line), Some(281));
        assert_eq!(ticks("17 (a) S 1"), None);
    }

    #[test]
    fn threads_that_have_ended_count() -> Result<()> {
        let cpu = || -> Result<u32> {
            let line = std::fs::read_to_string("/proc/self/stat")?;
            ticks(&line).context("stat")
        };
        let before = cpu()?;
        let busy = std::thread::spawn(move || -> Result<()> {
            while cpu()? < before + 20 {}
            Ok(())
        });
        busy.join().map_err(|_| anyhow::anyhow!("it panicked"))??;
        anyhow::ensure!(cpu()? >= before + 20);
        Ok(())
    }
}
