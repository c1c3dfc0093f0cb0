//! `guideway flows`.

mod links;
mod print;
mod which;

use crate::remote::{RemoteArgs, block_on};
use crate::{Done, Refused};
use links::Links;
use print::Sums;
use runtime_client::{FlowFilter, FlowState, Names, Session};
use std::time::Duration;
use tokio_stream::StreamExt as _;
use which::{Client, Vip};

/// Shows the flows that a switch remembers: who is with which backend, since when, for how long.
///
/// It is no snapshot: packets go on, and what has expired is left out. The last line sums up. BMv2 doesn't show its flows.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  guideway flows --limit 20\n  guideway flows --vip 203.0.113.10:80 --state tcp\n  guideway flows --backend 16385 --json\n  guideway flows flows6 --client 2001:db8::/32 --rate 1000"
)]
pub(crate) struct Args {
    /// Which flow tables; all if none is named.
    tables: Vec<String>,
    #[command(flatten)]
    remote: RemoteArgs,
    /// To this address, and port: `ADDR`, `ADDR:PORT` or `[ADDR]:PORT`.
    #[arg(long, value_name = "ADDR[:PORT]")]
    vip: Option<Vip>,
    /// That stay with this backend.
    #[arg(long, value_name = "ID")]
    backend: Option<u32>,
    /// From this address, or network.
    #[arg(long, value_name = "ADDR[/LEN]")]
    client: Option<Client>,
    /// In this state: new, tcp, udp or closing.
    #[arg(long)]
    state: Option<FlowState>,
    /// Ends after so many.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Shows so many a second at most; the switch is not asked for more meanwhile.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// Prints one JSON object a line; the last has the sums.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Done {
    block_on(async {
        let session = args.remote.reader().await?;
        let names = session.names().await?;
        let tables = args.tables(&names)?;
        let mut sums = Sums::default();
        let mut pace = Pace::new(args.rate);
        for table in &tables {
            if !show(args, &session, &names, table, &mut pace, &mut sums).await? {
                break;
            }
        }
        sums.print(args.json);
        Ok(())
    })
}

impl Args {
    fn tables(&self, names: &Names) -> Result<Vec<String>, Refused> {
        let mut shown: Vec<String> = names.flow_tables().map(|t| t.name.clone()).collect();
        shown.sort();
        if shown.is_empty() {
            return Err(Refused(
                "error: this switch doesn't show its flows: its P4Info has no flow table\nhelp: `guideway switch` shows \
                 those of `xdp` and `native`; BMv2 keeps flows in registers, which can't be read over P4Runtime"
                    .into(),
            ));
        }
        for name in &self.tables {
            if !shown.contains(name) {
                let shown = shown.join(", ");
                return Err(Refused(format!("error: there is no flow table `{name}`; there are {shown}")));
            }
        }
        Ok(if self.tables.is_empty() { shown } else { self.tables.clone() })
    }
}

/// Shows a table's flows; false when there were enough.
async fn show(
    args: &Args,
    session: &Session,
    names: &Names,
    table: &str,
    pace: &mut Pace,
    sums: &mut Sums,
) -> Result<bool, Refused> {
    let links = Links::read(session, names, names.table(table)?).await?;
    let filter = FlowFilter { id: args.backend, state: args.state };
    let mut flows = session.flows(table, &filter, names).await?;
    while let Some(flow) = flows.next().await {
        let flow = flow?;
        let wanted = args.client.as_ref().is_none_or(|c| links.is_from(&flow, c))
            && args.vip.as_ref().is_none_or(|v| links.is_to(&flow, v));
        if !wanted {
            continue;
        }
        if args.limit.is_some_and(|limit| sums.shown() >= limit) {
            sums.more = true;
            return Ok(false);
        }
        pace.next().await;
        sums.add(flow.state);
        if !print::flow(&links, names, &flow, args.json) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Holds back what would be more than so many a second.
struct Pace {
    start: tokio::time::Instant,
    shown: u64,
    rate: u64,
}

impl Pace {
    fn new(rate: u64) -> Self {
        Self { start: tokio::time::Instant::now(), shown: 0, rate }
    }

    /// Waits until the next one may be shown: those of a tenth of a second come together.
    async fn next(&mut self) {
        let burst = (self.rate / 10).max(1);
        if self.shown.is_multiple_of(burst) && self.shown > 0 {
            let due = Duration::from_secs_f64(self.shown as f64 / self.rate as f64);
            tokio::time::sleep_until(self.start + due).await;
        }
        self.shown += 1;
    }
}
