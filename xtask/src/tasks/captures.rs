//! `bench dpdk`: one capture through `guideway switch`, in DPDK's SWX and as the native program, and through the XDP program: what a
//! packet costs each.

use crate::needs;
use crate::run::{built, cargo, run, workspace_root};
use crate::sys;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Packets of a capture.
const PACKETS: u32 = 1 << 20;
/// Runs of each; the middle one counts.
const RUNS: usize = 3;
/// Name, and flows: a power of two.
const SCENARIOS: [(&str, u32); 3] =
    [("one flow", 1), ("65,536 flows", 1 << 16), ("each a new flow", PACKETS)];

/// The entries that are balanced by: one VIP, two backends.
const ENTRIES: &str = "docs/lb.toml";

/// Prints the table, with the XDP program where this may load it.
///
/// # Errors
/// libdpdk is not there, or a switch fails or loses a packet.
pub(super) fn bench() -> Result<()> {
    ensure!(needs::dpdk(), "{}", needs::NO_DPDK);
    let build =
        ["build", "--quiet", "--release", "--package", "guideway-cli", "--features", "guideway-cli/dpdk"];
    run(&mut cargo(build))?;
    let guideway = built("release");
    let folder = tempfile::tempdir()?;
    let empty = capture(folder.path(), "empty", 0, 1)?;
    let kernel = sys::is_root();
    if !kernel {
        println!("without XDP: this is not root");
    }
    println!("{:<18} {:>14} {:>14} {:>14}", "IPv4 TCP, 64 bytes", "XDP", "native", "dpdk");
    for (name, flows) in SCENARIOS {
        let full = capture(folder.path(), "full", PACKETS, flows)?;
        let mut costs = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..RUNS {
            for (target, costs) in ["native", "dpdk"].into_iter().zip(&mut costs) {
                let idle = spent(&guideway, target, &empty, 0)?;
                let all = spent(&guideway, target, &full, PACKETS)?;
                costs.push((all - idle) * 1e9 / f64::from(PACKETS));
            }
            if kernel {
                costs[2].push(in_the_kernel(&full)?);
            }
        }
        let [native, dpdk, xdp] = costs.map(|mut all| {
            all.sort_by(f64::total_cmp);
            all.get(RUNS / 2).map_or_else(|| "-".to_owned(), |ns| shown(*ns))
        });
        println!("{name:<18} {xdp:>14} {native:>14} {dpdk:>14}");
    }
    Ok(())
}

/// Nanoseconds that a frame of a capture costs the XDP program, without the reading of the capture.
fn in_the_kernel(capture: &Path) -> Result<f64> {
    let mut bench = cargo(["run", "--quiet", "--release", "--package", "xdp-bench", "--"]);
    bench.args(["--rounds", "1", "--pcap"]).arg(capture);
    bench.arg("--entries").arg(workspace_root().join(ENTRIES));
    let text = crate::run::capture(&mut bench, "")?;
    let told: serde_json::Value = serde_json::from_str(&text).context("xdp-bench's JSON")?;
    ensure!(told["frames"] == PACKETS, "xdp-bench saw {} of {PACKETS} packets", told["frames"]);
    told["ns"]["median"].as_f64().context("xdp-bench tells no time")
}

/// Nanoseconds, and million packets a second.
fn shown(ns: f64) -> String {
    format!("{ns:>5.0} ns {:>4.1} M", 1e3 / ns)
}

/// A capture of so many TCP segments to the VIP; SYNs if each is of a flow of its own.
fn capture(folder: &Path, name: &str, packets: u32, flows: u32) -> Result<PathBuf> {
    let path = folder.join(name);
    let mut file = BufWriter::new(std::fs::File::create(&path)?);
    // Classic pcap, version 2.4, Ethernet.
    for word in [0xa1b2_c3d4_u32, 2 | 4 << 16, 0, 0, 65_535, 1] {
        file.write_all(&word.to_le_bytes())?;
    }
    let mut frame = [0_u8; 64];
    frame[12] = 0x08;
    (frame[14], frame[17], frame[22], frame[23]) = (0x45, 50, 64, 6);
    frame[30..34].copy_from_slice(&[203, 0, 113, 10]);
    (frame[37], frame[46], frame[47]) = (80, 0x50, if flows == PACKETS { 0x02 } else { 0x10 });
    let length = frame.len() as u32;
    for number in 0..packets {
        // An order that no cache foresees.
        let flow = number.wrapping_mul(2_654_435_761) & (flows - 1);
        frame[26..30].copy_from_slice(&(0x0b00_0000 + (flow >> 8)).to_be_bytes());
        frame[34..36].copy_from_slice(&(1024 + (flow as u16 & 0xff)).to_be_bytes());
        for word in [0, number, length, length] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(&frame)?;
    }
    file.flush()?;
    Ok(path)
}

/// Seconds of CPU that a switch takes for a capture, from its start to its end.
fn spent(guideway: &Path, target: &str, capture: &Path, packets: u32) -> Result<f64> {
    let status = capture.with_extension("json");
    let mut command = Command::new(guideway);
    command.args(["switch", "--target", target, "--port"]).arg(format!("1@pcap:{}", capture.display()));
    command.arg("--entries").arg(workspace_root().join(ENTRIES)).arg("--status").arg(&status);
    let before = sys::children_seconds();
    let output = command.stdin(Stdio::null()).output().context("can't start guideway")?;
    let spent = sys::children_seconds() - before;
    if !output.status.success() {
        bail!("guideway switch --target {target}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let status: serde_json::Value = serde_json::from_slice(&std::fs::read(&status)?)?;
    let seen = status["tables"]["vip4"][0]["packets"].as_u64();
    ensure!(seen == Some(packets.into()), "{target} balanced {seen:?} of {packets} packets");
    Ok(spent)
}
