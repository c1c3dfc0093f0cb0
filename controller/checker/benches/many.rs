//! What ten thousand backends cost one checker: `cargo bench -p control-checker --bench many [-- BACKENDS SECONDS [http]]`.
//!
//! The backends are addresses of 127.0.0.0/8 with one server behind them; it and the controller are another process, so that
//! what is measured is the checker's own processor time, with what the kernel does on its behalf.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../tests/link/fake.rs"]
#[allow(dead_code, reason = "tests need more of it")]
mod fake;

use control_checker::probe::{Means, tls};
use control_checker::{Checker, Dial, Options, files};
use control_proto::v1::{HttpProbe, Probe, ProbeTarget, ProbeTargets, TcpProbe, probe::How};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::transport::Endpoint;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let number = |at: usize, default: u32| args.get(at).and_then(|a| a.parse().ok()).unwrap_or(default);
    if args.first().is_some_and(|a| a == "serve") {
        return serve(number(1, 0), args.get(2).is_some_and(|a| a == "http"));
    }
    let (backends, seconds) = (number(0, 10_000), number(1, 20));
    let kind = args.get(2).map_or("tcp", String::as_str);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["serve", &backends.to_string(), kind])
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(address.trim(), backends, seconds, kind));
    drop(child.stdin.take());
    child.wait().unwrap();
}

async fn measure(address: &str, backends: u32, seconds: u32, kind: &str) {
    let dial: Dial = Arc::new(|address: &str| {
        Endpoint::from_shared(format!("http://{address}")).map_err(|e| e.to_string())
    });
    let checker = Checker::new(Options {
        id: "bench".into(),
        controllers: vec![address.into()],
        dial,
        token: None,
        means: Means { tls: tls::connector(None).unwrap(), through: Err("not here".into()) },
        room: files::room().unwrap(),
    });
    let board = checker.board();
    let task = tokio::spawn(async move { checker.run().await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (begin, cpu, probes) = (Instant::now(), ticks(), board.tally().probes);
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let tally = board.tally();
    let elapsed = begin.elapsed().as_secs_f64();
    let share = (ticks() - cpu) / elapsed;
    let rate = (tally.probes - probes) as f64 / elapsed;
    println!(
        "{backends} backends, {kind}: {rate:.0} probes/s, {:.0} % of one CPU, {:.1} us a probe; {} failing, {} unknown; {} MiB",
        share * 100.0,
        share * 1e6 / rate,
        tally.failing,
        tally.unknown,
        resident()
    );
    assert_eq!(tally.all, backends as usize);
    task.abort();
}

/// Processor time of this process in seconds (a tick of `/proc` is 10 ms).
fn ticks() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|f| f.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// The other process: all backends, and the controller. Ends with its standard input.
fn serve(backends: u32, http: bool) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for listener in (0..8).map(|_| listener.try_clone().unwrap()) {
        std::thread::spawn(move || answer(&listener, http));
    }
    let how = if http {
        How::Http(HttpProbe { body_contains: "ok".into(), ..HttpProbe::default() })
    } else {
        How::Tcp(TcpProbe {})
    };
    let probe = Probe { how: Some(how), port: port.into(), ..Probe::default() };
    let target = |n: u32| ProbeTarget {
        pool: format!("pool-{}", n % 16),
        backend: format!("backend-{n}"),
        address: Ipv4Addr::from(0x7f01_0000 + n).to_string(),
        liveness: Some(probe.clone()),
        ..ProbeTarget::default()
    };
    let controller =
        fake::Controller::start(ProbeTargets { version: 1, targets: (1..=backends).map(target).collect() });
    println!("{}", controller.address);
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// Accepts, and answers in short where it is asked.
fn answer(listener: &TcpListener, http: bool) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let mut head = [0; 512];
        if http && stream.read(&mut head).is_ok() {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").ok();
        }
    }
}
