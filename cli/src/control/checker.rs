//! `guideway checker`.

use crate::{Done, Refused};
use control_checker::probe::{Found, Means, Outcome, tls};
use control_checker::vip::Through;
use control_checker::{Checker, Dial, Options, Probed, files};
use runtime_client::Tls;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Endpoint;

/// Probes the backends that a controller names, and reports to it what it finds.
///
/// A deployment has three checkers (or more) in different places: the controller believes what a majority of them says. While
/// no controller answers, a checker goes on probing. SIGTERM and SIGINT end it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A controller; several times for several. The checker finds the one that leads.
    #[arg(long = "controller", value_name = "HOST:PORT", default_value = "127.0.0.1:9570")]
    controllers: Vec<String>,
    /// This checker's id, which no other one has: 1 to 63 of [A-Za-z0-9._-] [default: the host's name].
    #[arg(long)]
    id: Option<String>,
    /// Probes every target once, prints what it found, and ends: 0 if all passed, 1 if not.
    #[arg(long)]
    once: bool,
    /// With --once: as JSON.
    #[arg(long, requires = "once")]
    json: bool,
    /// HTTPS probes trust these authorities alone, PEM; without it, any certificate will do.
    #[arg(long, value_name = "FILE")]
    probe_ca: Option<PathBuf>,
    /// Probes under way at once, at most [default: what the limit of open files allows].
    #[arg(long, value_name = "N")]
    at_once: Option<usize>,
    /// Speaks TLS with controllers that one of these authorities has signed, PEM.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// Shows controllers this certificate, PEM.
    #[arg(long, value_name = "FILE", requires_all = ["tls_ca", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The name in the controllers' certificate, if it is not the host of their address.
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
    /// A file with the token that controllers ask for.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  guideway checker --controller 192.0.2.5:9570 --id rack-a
  guideway checker --controller a:9570 --controller b:9570 --tls-ca ca.pem --tls-cert checker.pem --tls-key checker.key
  guideway checker --controller 192.0.2.5:9570 --once
  guideway checker --once --json | jq '.[] | select(.live.passed | not)'";

pub(crate) fn run(args: &Args) -> Done {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let checker = Checker::new(args.options()?);
        if args.once {
            return once(&checker, args.json).await;
        }
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! {
            ended = checker.run() => ended.map_err(|e| Refused(format!("error: {e}")))?,
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        Ok(ExitCode::SUCCESS)
    })
}

impl Args {
    fn options(&self) -> Result<Options, Refused> {
        let refused = |why: String| Refused(format!("error: {why}"));
        let id = self.id.clone().map_or_else(hostname, Ok)?;
        let good = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if id.is_empty() || id.len() > 63 || !id.bytes().all(good) {
            return Err(refused(format!("`{id}` is no id of a checker: 1 to 63 of [A-Za-z0-9._-], by --id")));
        }
        let room = files::room().map_err(refused)?;
        let token = self.token_file.as_deref().map(token).transpose()?;
        let tls = tls::connector(self.probe_ca.as_deref()).map_err(refused)?;
        // Only who is to probe through a VIP needs it: what keeps it from that is told as the state of those targets.
        let means = Means { tls, through: Through::open() };
        Ok(Options {
            id,
            controllers: self.controllers.clone(),
            dial: self.dial()?,
            token,
            means,
            room: self.at_once.map_or(room, |n| n.clamp(1, room)),
        })
    }
    fn dial(&self) -> Result<Dial, Refused> {
        let tls = match &self.tls_ca {
            None => None,
            Some(ca) => {
                let mut tls = Tls::trust(ca)?;
                if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
                    tls = tls.identity(certificate, key)?;
                }
                if let Some(name) = &self.tls_name {
                    tls = tls.name(name)?;
                }
                Some(tls)
            }
        };
        Ok(Arc::new(move |address: &str| {
            let scheme = if tls.is_some() { "https" } else { "http" };
            let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
                .map_err(|_| format!("`{address}` is no HOST:PORT"))?;
            match &tls {
                Some(tls) => tls.endpoint(endpoint).map_err(|e| e.to_string()),
                None => Ok(endpoint),
            }
        }))
    }
}

fn hostname() -> Result<String, Refused> {
    Ok(std::fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned())
}

fn token(path: &Path) -> Result<MetadataValue<Ascii>, Refused> {
    let refused = |why: String| Refused(format!("error: {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
    let value = format!("Bearer {}", text.trim()).parse::<MetadataValue<Ascii>>();
    let mut value = value.map_err(|_| refused("it has no token".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

async fn once(checker: &Checker, json: bool) -> Done {
    let probed = checker.once().await.map_err(|e| Refused(format!("error: {e}")))?;
    if json {
        let all: Vec<_> = probed.iter().map(one_json).collect();
        println!("{}", serde_json::Value::Array(all));
    } else {
        print!("{}", table(&probed));
    }
    let passed = |r: &Result<Outcome, String>| matches!(r, Ok(Outcome { found: Found::Pass, .. }));
    let all = probed.iter().all(|p| passed(&p.live) && p.ready.as_ref().is_none_or(passed));
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(result: &Result<Outcome, String>) -> (&'static str, &str) {
    match result {
        Ok(Outcome { found: Found::Pass, .. }) => ("pass", ""),
        Ok(Outcome { found: Found::Fail(why), .. }) => ("fail", why),
        Ok(Outcome { found: Found::Trouble(why), .. }) => ("unknown", why),
        Err(why) => ("unknown", why),
    }
}

fn one_json(probed: &Probed) -> serde_json::Value {
    let side = |result: &Result<Outcome, String>| {
        let (found, why) = words(result);
        let ms = result.as_ref().map(|o| o.latency.as_secs_f64() * 1_000.0).ok();
        serde_json::json!({ "passed": found == "pass", "found": found, "latency_ms": ms, "why": why })
    };
    let plan = probed.target.live.as_ref().ok();
    serde_json::json!({
        "pool": probed.target.key.pool,
        "backend": probed.target.key.backend,
        "address": plan.map(|p| p.to.to_string()),
        "live": side(&probed.live),
        "ready": probed.ready.as_ref().map(side),
    })
}

fn table(probed: &[Probed]) -> String {
    let mut rows = vec![["POOL", "BACKEND", "LIVE", "READY", "MS", "WHY"].map(str::to_owned)];
    for p in probed {
        let (live, why) = words(&p.live);
        let (ready, ready_why) = p.ready.as_ref().map_or(("-", ""), words);
        let ms =
            p.live.as_ref().map_or_else(|_| "-".into(), |o| format!("{:.1}", o.latency.as_secs_f64() * 1e3));
        let why = if why.is_empty() { ready_why } else { why };
        let key = &p.target.key;
        rows.push([key.pool.clone(), key.backend.clone(), live.into(), ready.into(), ms, why.into()]);
    }
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
