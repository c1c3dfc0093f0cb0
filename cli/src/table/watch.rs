//! `guideway table watch`: what comes, changes and goes.

use super::print;
use crate::Refused;
use crate::remote::RemoteArgs;
use pipeline_ir::entry::Entry;
use runtime_client::{Key, Names, Session};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

/// Which tables, how often, in which form.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which tables; without any, all that can be written.
    tables: Vec<String>,
    #[command(flatten)]
    remote: RemoteArgs,
    /// Seconds between two readings, 0.05 at least.
    #[arg(long, default_value = "1", value_parser = seconds)]
    interval: Duration,
    /// Ends after so many readings; the first one shows nothing.
    #[arg(long)]
    count: Option<u64>,
    /// Prints a JSON object a line: {"what": "added" | "changed" | "deleted", "entry", "before" where it has changed}.
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().ok().filter(|n| (0.05..=86_400.0).contains(n));
    number.map(Duration::from_secs_f64).ok_or_else(|| format!("`{text}` is no number from 0.05 to 86400"))
}

/// Entries by what names them; what was counted is no part of them.
type Held = BTreeMap<Key, Entry>;

pub(super) async fn run(args: &Args) -> Result<(), Refused> {
    let session = args.remote.reader().await?;
    let names = session.names().await?;
    let mut before = read(args, &session, &names).await?;
    if !args.json {
        println!("{} entries; what changes is shown", before.len());
    }
    let mut readings = 1;
    while args.count.is_none_or(|count| readings < count) {
        tokio::time::sleep(args.interval).await;
        let now = read(args, &session, &names).await?;
        readings += 1;
        if show(args, &names, &before, &now).is_err() {
            // Whoever reads has enough.
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

async fn read(args: &Args, session: &Session, names: &Names) -> Result<Held, Refused> {
    let written = names.schema().tables().filter(|t| !t.is_const).map(|t| t.name.clone());
    let tables: Vec<String> = if args.tables.is_empty() { written.collect() } else { args.tables.clone() };
    let mut held = Held::new();
    for table in &tables {
        for message in session.entries(table, names).await? {
            held.insert(Key::of(&message), names.named(&message)?);
        }
    }
    Ok(held)
}

/// Prints what differs, by table and key.
fn show(args: &Args, names: &Names, before: &Held, now: &Held) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut line = |what: &str, sign: char, entry: &Entry, old: Option<&Entry>| {
        if args.json {
            let object = |entry: &Entry| Value::Object(print::object(names, entry));
            let mut one = json!({"what": what, "entry": object(entry)});
            if let Some(old) = old {
                one["before"] = object(old);
            }
            return writeln!(out, "{one}");
        }
        let shown =
            |entry: &Entry| names.entry(entry).map(|message| names.show(&message)).unwrap_or_default();
        let old = old.map(|old| {
            let text = shown(old);
            let action = text.split_once(" -> ").map_or(String::new(), |(_, action)| action.to_owned());
            format!("; it was {action}")
        });
        writeln!(out, "{sign} {}{}", shown(entry), old.unwrap_or_default())
    };
    for (key, entry) in now {
        match before.get(key) {
            None => line("added", '+', entry, None)?,
            Some(old) if old != entry => line("changed", '~', entry, Some(old))?,
            Some(_) => {}
        }
    }
    for (_, entry) in before.iter().filter(|(key, _)| !now.contains_key(key)) {
        line("deleted", '-', entry, None)?;
    }
    out.flush()
}
