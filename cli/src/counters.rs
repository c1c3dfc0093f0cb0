//! `guideway counters`.

use crate::remote::{RemoteArgs, block_on};
use crate::{Done, Refused};
use runtime_client::{Counted, Names, Session};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Shows the counters of a switch by name.
///
/// Counters of table entries are shown by `guideway table get`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway counters --address 127.0.0.1:9559\n  guideway counters drop.no_backend --json\n  guideway counters --watch --interval 5"
)]
pub(crate) struct Args {
    /// Which ones; all if none is named.
    names: Vec<String>,
    #[command(flatten)]
    remote: RemoteArgs,
    /// Shows zeros too.
    #[arg(long)]
    all: bool,
    /// Shows again and again what has changed, with rates, until interrupted.
    #[arg(long)]
    watch: bool,
    /// Seconds between two looks.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), requires = "watch")]
    interval: u64,
    /// Ends after so many looks.
    #[arg(long, requires = "watch")]
    count: Option<u64>,
    /// Prints one JSON list a look: [{"counter", "index", "packets", "bytes"}].
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    block_on(async {
        let session = args.remote.reader().await?;
        let names = session.names().await?;
        if args.watch {
            return watch(args, &session, &names).await;
        }
        let all = look(args, &session, &names).await?;
        show(args, &names, &all, |_| String::new());
        Ok(())
    })
}

async fn look(args: &Args, session: &Session, names: &Names) -> Result<Vec<Counted>, Refused> {
    let which: Vec<&str> = args.names.iter().map(String::as_str).collect();
    Ok(session.counters(names, &which).await?)
}

fn show(args: &Args, names: &Names, cells: &[Counted], more: impl Fn(&Counted) -> String) {
    let shown = |c: &&Counted| args.all || !args.names.is_empty() || c.packets != 0 || c.bytes != 0;
    let cells: Vec<&Counted> = cells.iter().filter(shown).collect();
    if args.json {
        let cell = |c: &&Counted| json!({"counter": c.counter, "index": c.index, "packets": c.packets, "bytes": c.bytes});
        println!("{}", serde_json::Value::from(cells.iter().map(cell).collect::<Vec<_>>()));
        return;
    }
    if cells.is_empty() {
        println!("nothing was counted");
    }
    for c in cells {
        let single = names.schema().counter_named(&c.counter).is_some_and(|found| found.size == 1);
        let name = if single { c.counter.clone() } else { format!("{}[{}]", c.counter, c.index) };
        println!("{name:<32} {:>14} packets {:>16} bytes{}", c.packets, c.bytes, more(c));
    }
}

async fn watch(args: &Args, session: &Session, names: &Names) -> Result<(), Refused> {
    let cell = |c: &Counted| (c.counter.clone(), c.index);
    let mut before: BTreeMap<(String, u64), Counted> = BTreeMap::new();
    let (mut looked, mut looks) = (Instant::now(), 0);
    while args.count.is_none_or(|n| looks < n) {
        if looks > 0 {
            tokio::time::sleep(Duration::from_secs(args.interval)).await;
        }
        let all = look(args, session, names).await?;
        let seconds = looked.elapsed().as_secs_f64();
        (looked, looks) = (Instant::now(), looks + 1);
        if looks == 1 {
            show(args, names, &all, |_| String::new());
        } else {
            let changed: Vec<Counted> =
                all.iter().filter(|c| before.get(&cell(c)) != Some(c)).cloned().collect();
            println!();
            show(args, names, &changed, |c| {
                let old = before.get(&cell(c)).map_or((0, 0), |b| (b.packets, b.bytes));
                // A program that was loaded anew counts from 0.
                let rate = |new: u64, old: u64| new.saturating_sub(old) as f64 / seconds;
                format!("  {:.0} packets/s {:.0} bytes/s", rate(c.packets, old.0), rate(c.bytes, old.1))
            });
        }
        before = all.into_iter().map(|c| (cell(&c), c)).collect();
    }
    Ok(())
}
