//! Entries per second.

use crate::entries::{BACKENDS, Forms, SLOTS};
use crate::sys::Usage;
use anyhow::{Result, ensure};
use p4runtime_proto::p4::v1::{TableEntry, Update};
use runtime_client::{Atomicity, Names, Session, delete, insert, modify};
use serde::Serialize;
use std::time::{Duration, Instant};

/// The pool whose ring is written; no traffic goes there.
const POOL: u32 = 2;

/// One kind of call on one table.
#[derive(Clone, Debug, Serialize)]
pub struct Rate {
    /// The table.
    pub table: &'static str,
    /// INSERT, MODIFY, DELETE or Read.
    pub call: &'static str,
    /// Entries of a round.
    pub entries: usize,
    /// Entries per second: the median of the rounds, and the extremes.
    pub per_second: Spread,
    /// CPU time of an entry in ns, the client's and the server's, over all rounds.
    pub client_ns: f64,
    /// The server's.
    pub server_ns: f64,
}

/// The median of some values, with the extremes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    /// Of some values; zeros of none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |i: usize| values.get(i).copied().unwrap_or_default();
        Self { least: at(0), median: at(values.len() / 2), most: at(values.len().saturating_sub(1)) }
    }
}

/// A session with a server whose CPU time counts.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The session.
    pub session: &'a Session,
    /// Names of what runs.
    pub names: &'a Names,
    /// The server's process.
    pub server: u32,
    /// How often each is measured.
    pub rounds: usize,
}

#[derive(Default)]
struct Sum {
    rates: Vec<f64>,
    client: Duration,
    server: Duration,
}

impl Sum {
    fn rate(self, table: &'static str, call: &'static str, entries: usize) -> Rate {
        let all = (entries * self.rates.len()).max(1) as f64;
        let ns = |time: Duration| time.as_nanos() as f64 / all;
        let (client_ns, server_ns) = (ns(self.client), ns(self.server));
        Rate { table, call, entries, per_second: Spread::of(self.rates), client_ns, server_ns }
    }
}

impl Bench<'_> {
    /// INSERT, MODIFY, Read and DELETE of a whole ring and of a whole table of backends.
    ///
    /// # Errors
    /// The server refuses, or reads back something else.
    pub async fn rates(&self, tick: &mut dyn FnMut(&str)) -> Result<Vec<Rate>> {
        let forms = Forms::new(self.names)?;
        let ring = |id: u32| forms.ring(POOL, 1, id).collect::<Vec<_>>();
        let backends = (0..BACKENDS).map(|n| forms.backend(n)).collect::<Vec<_>>();
        let mut rates = self.table("ring", [ring(1), ring(2)], tick).await?;
        rates.extend(self.table("backend", [backends.clone(), backends], tick).await?);
        Ok(rates)
    }

    async fn table(
        &self,
        table: &'static str,
        [first, second]: [Vec<TableEntry>; 2],
        tick: &mut dyn FnMut(&str),
    ) -> Result<Vec<Rate>> {
        let entries = first.len();
        let calls = ["INSERT", "MODIFY", "Read", "DELETE"];
        let mut sums: [Sum; 4] = Default::default();
        let updates = [
            first.iter().cloned().map(insert).collect::<Vec<Update>>(),
            second.into_iter().map(modify).collect(),
            Vec::new(),
            first.into_iter().map(delete).collect(),
        ];
        for _ in 0..self.rounds {
            for ((call, updates), sum) in calls.iter().zip(&updates).zip(&mut sums) {
                tick(&format!("{table} {call}"));
                let before = [Usage::own()?, Usage::of(self.server)?];
                let start = Instant::now();
                let done =
                    if *call == "Read" { self.read(table).await? } else { self.write(updates).await? };
                sum.rates.push(done as f64 / start.elapsed().as_secs_f64());
                ensure!(done == entries, "{table} {call}: {done} of {entries} entries");
                let after = [Usage::own()?, Usage::of(self.server)?];
                sum.client += after[0].cpu - before[0].cpu;
                sum.server += after[1].cpu - before[1].cpu;
            }
        }
        Ok(calls.into_iter().zip(sums).map(|(call, sum)| sum.rate(table, call, entries)).collect())
    }

    async fn write(&self, updates: &[Update]) -> Result<usize> {
        let written = self.session.write(updates, Atomicity::ContinueOnError, Some(self.names)).await?;
        let applied = written.applied;
        written.ok()?;
        Ok(applied)
    }

    async fn read(&self, table: &str) -> Result<usize> {
        Ok(self.session.entries(table, self.names).await?.len())
    }
}

/// What a million entries take.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// Entries.
    pub entries: usize,
    /// Bytes of an entry that the server's process holds more than before.
    pub server: f64,
    /// The same of the client, which has made all messages first.
    pub client: f64,
    /// Entries per second, all in one list.
    pub per_second: f64,
}

/// Writes 16 rings: 1,048,592 slots.
///
/// # Errors
/// The server refuses.
pub async fn memory(bench: &Bench<'_>) -> Result<Memory> {
    let forms = Forms::new(bench.names)?;
    let (client, server) = (Usage::own()?.memory, Usage::of(bench.server)?.memory);
    let all: Vec<Update> = (8..24).flat_map(|pool| forms.ring(pool, 1, 1)).map(insert).collect();
    let start = Instant::now();
    let entries = bench.write(&all).await?;
    let seconds = start.elapsed().as_secs_f64();
    let more = |now: u64, then: u64| now.saturating_sub(then) as f64 / entries as f64;
    debug_assert_eq!(entries, 16 * SLOTS as usize);
    Ok(Memory {
        entries,
        client: more(Usage::own()?.memory, client),
        server: more(Usage::of(bench.server)?.memory, server),
        per_second: entries as f64 / seconds,
    })
}
