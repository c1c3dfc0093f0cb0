//! `guideway ctl`.

mod apply;
mod backends;
mod file;
mod pools;
mod show;
mod vips;

use super::remote::{Remote, RemoteArgs};
use crate::Done;
use clap::Subcommand;
use control_proto::v1::{GetStatusRequest, ListEventsRequest};
use std::process::ExitCode;
use std::time::Duration;

/// Asks and changes what a controller keeps: pools, backends, VIPs.
///
/// Tables are for people; --json is for programs. A refusal names its gRPC code. While an election lasts it tries again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    remote: RemoteArgs,
    /// As JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "Examples:
  guideway ctl pool create web --liveness tcp --readiness http:///ready
  guideway ctl backend register web web-1 10.1.0.11 --port 80 --label rack=a
  guideway ctl vip bind 203.0.113.10:80/tcp web
  guideway ctl pool show web
  guideway ctl drain web web-1 --window 30 --wait
  guideway ctl apply examples/control/lb.yaml --dry-run
  guideway ctl events --follow
  guideway ctl status --json";

#[derive(Debug, Subcommand)]
enum What {
    /// Pools of backends.
    #[command(subcommand)]
    Pool(pools::What),
    /// Backends of a pool.
    #[command(subcommand)]
    Backend(backends::What),
    /// Virtual addresses.
    #[command(subcommand)]
    Vip(vips::What),
    /// Takes a backend out of service; its flows may stay for a while.
    Drain(backends::Drain),
    /// What happened.
    Events(Events),
    /// Who leads, what nodes have in force, and what is to be looked after.
    Status,
    /// Makes the pools of a file so: shows what differs, then changes it.
    Apply(apply::Args),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: guideway ctl events --after 120 --follow")]
struct Events {
    /// Those after this number.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
    /// So many at most.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: u32,
    /// Goes on as more happens.
    #[arg(long)]
    follow: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut remote = args.remote.remote()?;
        match &args.what {
            What::Pool(what) => pools::run(what, &mut remote, args.json).await,
            What::Backend(what) => backends::run(what, &mut remote, args.json).await,
            What::Vip(what) => vips::run(what, &mut remote, args.json).await,
            What::Drain(what) => backends::drain(what, &mut remote, args.json).await,
            What::Events(what) => events(what, &mut remote, args.json).await,
            What::Status => status(&mut remote, args.json).await,
            What::Apply(what) => apply::run(what, &mut remote, args.json).await,
        }
    })
}

async fn events(args: &Events, remote: &mut Remote, json: bool) -> Done {
    let mut after = args.after;
    loop {
        let request = ListEventsRequest { after, limit: args.limit };
        let reply = remote.call(request, async |client, request| client.list_events(request).await).await?;
        show::events(&reply.events, json && !args.follow, args.follow && json);
        after = reply.events.last().map_or(after, |e| e.number);
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn status(remote: &mut Remote, json: bool) -> Done {
    let status =
        remote.call(GetStatusRequest {}, async |client, request| client.get_status(request).await).await?;
    show::status(&status, json);
    Ok(ExitCode::SUCCESS)
}
