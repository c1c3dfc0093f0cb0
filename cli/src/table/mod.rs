//! `guideway table`.

mod print;
mod watch;

use crate::remote::{RemoteArgs, block_on, key_field, param};
use crate::{Done, Refused};
use clap::Subcommand;
use p4runtime_proto::p4::v1::{CounterData, TableEntry};
use p4runtime_proto::schema::{Kind, Schema};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;
use runtime_client::{Atomicity, Names, Session, delete, insert, modify};
use tonic::Code;

/// Shows and changes the table entries of a switch.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists tables: keys, actions with their parameters, sizes.
    #[command(after_help = "Example:\n  guideway table list --address 127.0.0.1:9559")]
    List {
        #[command(flatten)]
        remote: RemoteArgs,
        /// Prints a JSON list.
        #[arg(long)]
        json: bool,
    },
    /// Shows a table's entries, with what they have counted.
    #[command(after_help = "Example:\n  guideway table get vip4 dst=203.0.113.10")]
    Get {
        /// The table.
        table: String,
        /// Only entries with this: FIELD=VALUE.
        #[arg(value_parser = key_field)]
        key: Vec<(String, KeyValue)>,
        #[command(flatten)]
        remote: RemoteArgs,
        /// Prints a JSON list.
        #[arg(long)]
        json: bool,
    },
    /// Adds an entry, or gives the one that is there another action.
    #[command(
        after_help = "Example:\n  guideway table set vip4 dst=203.0.113.10 protocol=tcp dst_port=80 \\\n    --action set_vip --param vip=1 pool=1 hash_key=0 flags=6 class=0"
    )]
    Set {
        #[command(flatten)]
        which: Which,
        /// What the entry does.
        #[arg(long)]
        action: String,
        /// The action's parameters: NAME=VALUE.
        #[arg(long = "param", num_args = 1.., value_parser = param)]
        params: Vec<(String, u128)>,
        #[command(flatten)]
        remote: RemoteArgs,
    },
    /// Removes an entry.
    #[command(
        after_help = "Example:\n  guideway table delete vip4 dst=203.0.113.10 protocol=tcp dst_port=80"
    )]
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        remote: RemoteArgs,
    },
    /// Prints entries as an entry file, as `--entries` takes it.
    #[command(
        after_help = "Examples:\n  guideway table dump > all.toml\n  guideway table dump vip4 backend --json"
    )]
    Dump {
        /// Which tables; all if none is named.
        tables: Vec<String>,
        #[command(flatten)]
        remote: RemoteArgs,
        /// Prints JSON in place of TOML.
        #[arg(long)]
        json: bool,
    },
    /// Reads again and again, and prints what was added, changed and deleted in between, until interrupted.
    #[command(
        after_help = "Examples:\n  guideway table watch vip4 backend\n  guideway table watch --interval 0.2 --count 50 --json"
    )]
    Watch(watch::Args),
}

/// One entry.
#[derive(Debug, clap::Args)]
struct Which {
    /// The table.
    table: String,
    /// The key: FIELD=VALUE.
    #[arg(value_parser = key_field)]
    key: Vec<(String, KeyValue)>,
    /// Higher wins; for tables with ternary, range or optional fields.
    #[arg(long, default_value_t = 0)]
    priority: i32,
}

impl Which {
    fn entry(&self, action: &str, params: &[(String, u128)]) -> Entry {
        Entry {
            table: self.table.clone(),
            key: self.key.clone(),
            priority: self.priority,
            action: action.to_owned(),
            params: params.to_vec(),
        }
    }
}

pub(crate) fn run(args: &Args) -> Done {
    block_on(async {
        match &args.command {
            Command::List { remote, json } => {
                let names = remote.reader().await?.names().await?;
                print::tables(names.schema(), *json);
                Ok(())
            }
            Command::Get { table, key, remote, json } => get(remote, table, key, *json).await,
            Command::Set { which, action, params, remote } => {
                let session = remote.writer().await?;
                let names = session.names().await?;
                let entry =
                    names.entry(&which.entry(action, params)).map_err(|e| wrong(&names, which, &e))?;
                set(&session, &names, entry).await
            }
            Command::Delete { which, remote } => {
                let session = remote.writer().await?;
                let names = session.names().await?;
                let entry = names.key(&which.entry("", &[])).map_err(|e| wrong(&names, which, &e))?;
                write(&session, &names, delete(entry)).await
            }
            Command::Dump { tables, remote, json } => dump(remote, tables, *json).await,
            Command::Watch(args) => watch::run(args).await,
        }
    })
}

/// What is wrong with an entry, and what would be right.
fn wrong(names: &Names, which: &Which, error: &runtime_client::NameError) -> Refused {
    let form = names.schema().table_named(&which.table).map(|t| print::table(names.schema(), t));
    Refused(format!("error: {error}{}", form.map(|f| format!("\nhelp: {f}")).unwrap_or_default()))
}

async fn get(
    remote: &RemoteArgs,
    table: &str,
    key: &[(String, KeyValue)],
    json: bool,
) -> Result<(), Refused> {
    let session = remote.reader().await?;
    let names = session.names().await?;
    let declared = names.table(table)?;
    for (name, _) in key {
        if declared.field_named(name).is_none() {
            let form = print::table(names.schema(), declared);
            return Err(Refused(format!("error: table `{table}` has no field `{name}`\nhelp: {form}")));
        }
    }
    // Of a whole key the server is asked for that entry alone; some answer with all the same.
    let entry = Entry { table: table.to_owned(), key: key.to_vec(), ..Entry::default() };
    let whole = declared.fields.iter().all(|f| f.kind == Kind::Exact) && key.len() == declared.fields.len();
    let mut asked = if whole { names.key(&entry)? } else { TableEntry::default() };
    asked.table_id = declared.id;
    asked.counter_data = declared.direct_counter.map(|_| CounterData::default());
    let mut shown = Vec::new();
    for message in session.table_entries(asked).await? {
        let entry = names.named(&message)?;
        if key.iter().all(|(name, value)| holds(&names, &entry, name, value)) {
            shown.push((message, entry));
        }
    }
    print::entries(&names, &shown, json);
    Ok(())
}

/// Whether an entry has a field as it is asked for; a single value stands for every kind.
fn holds(names: &Names, entry: &Entry, name: &str, value: &KeyValue) -> bool {
    let held = entry.key.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
    let bits =
        names.schema().table_named(&entry.table).and_then(|t| t.field_named(name)).map_or(0, |f| f.bits);
    let all = u128::MAX >> 128u32.saturating_sub(bits).min(127);
    match (held, *value) {
        (Some(held), value) if held == value => true,
        (Some(KeyValue::Lpm { value, prefix }), KeyValue::Exact(v)) => {
            u32::from(prefix) == bits && value == v
        }
        (Some(KeyValue::Ternary { value, mask }), KeyValue::Exact(v)) => mask == all && value == v,
        (Some(KeyValue::Range { low, high }), KeyValue::Exact(v)) => (low, high) == (v, v),
        (Some(KeyValue::Optional(Some(held))), KeyValue::Exact(v)) => held == v,
        _ => false,
    }
}

/// Adds; if it is there, changes it.
async fn set(session: &Session, names: &Names, entry: TableEntry) -> Result<(), Refused> {
    let added =
        session.write(&[insert(entry.clone())], Atomicity::ContinueOnError, Some(names)).await?.failed;
    let changes = match added.first() {
        None => return Ok(()),
        Some(failed) if failed.code != Code::AlreadyExists => return Err(failed.clone().into()),
        Some(_) if session.options().profile.modify => vec![modify(entry)],
        Some(_) => vec![delete(entry.clone()), insert(entry)],
    };
    Ok(session.write(&changes, Atomicity::ContinueOnError, Some(names)).await?.ok()?)
}

async fn write(
    session: &Session,
    names: &Names,
    update: p4runtime_proto::p4::v1::Update,
) -> Result<(), Refused> {
    Ok(session.write(&[update], Atomicity::ContinueOnError, Some(names)).await?.ok()?)
}

async fn dump(remote: &RemoteArgs, tables: &[String], json: bool) -> Result<(), Refused> {
    let session = remote.reader().await?;
    let names = session.names().await?;
    let all = |schema: &Schema| schema.tables().map(|t| t.name.clone()).collect();
    let tables: Vec<String> = if tables.is_empty() { all(names.schema()) } else { tables.to_vec() };
    let mut found = Vec::new();
    for table in &tables {
        // What the program states itself can't be written, nor can flows.
        if names.table(table)?.is_const {
            continue;
        }
        for message in session.entries(table, &names).await?.iter().filter(|e| !e.is_const) {
            found.push(names.named(message)?);
        }
    }
    print::file(&names, &found, json);
    Ok(())
}
