//! From what is there to what is wanted.

use crate::{Atomicity, ClientError, Names, Session, Written, delete, insert, modify};
use bytes::Bytes;
use p4runtime_proto::p4::v1 as proto;
use proto::field_match::{self, FieldMatchType as Match};
use proto::{FieldMatch, TableAction, TableEntry, Update, table_action};
use std::collections::BTreeMap;

/// Tries of [`Session::reconcile`] when the connection breaks.
const TRIES: u32 = 5;

/// What names an entry: table, key and priority, in one form for every spelling of the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    table: u32,
    default: bool,
    priority: i32,
    /// Field, kind, and its two values.
    fields: Vec<(u32, u8, Bytes, Bytes)>,
}

impl Key {
    /// The key of an entry; the order of its fields and zeros in front of values don't matter.
    #[must_use]
    pub fn of(entry: &TableEntry) -> Self {
        let mut fields: Vec<_> = entry.r#match.iter().map(field).collect();
        fields.sort();
        Self { table: entry.table_id, default: entry.is_default_action, priority: entry.priority, fields }
    }
}

fn field(f: &FieldMatch) -> (u32, u8, Bytes, Bytes) {
    let none = Bytes::new();
    let (kind, a, b) = match f.field_match_type.as_ref() {
        Some(Match::Exact(field_match::Exact { value })) => (2, short(value), none),
        Some(Match::Ternary(field_match::Ternary { value, mask })) => (3, short(value), short(mask)),
        Some(Match::Lpm(field_match::Lpm { value, prefix_len })) => {
            (4, short(value), Bytes::copy_from_slice(&prefix_len.to_be_bytes()))
        }
        Some(Match::Range(field_match::Range { low, high })) => (6, short(low), short(high)),
        Some(Match::Optional(field_match::Optional { value })) => (7, short(value), none),
        Some(Match::Other(any)) => (100, any.value.clone().into(), any.type_url.clone().into()),
        None => (0, none.clone(), none),
    };
    (f.field_id, kind, a, b)
}

/// Without zeros in front; at least one byte.
fn short(bytes: &Bytes) -> Bytes {
    let zeros = bytes.iter().take(bytes.len().saturating_sub(1)).take_while(|b| **b == 0).count();
    bytes.slice(zeros..)
}

/// What an entry does, in one form.
fn meaning(entry: &TableEntry) -> (Option<TableAction>, i64, &Bytes) {
    let mut action = entry.action.clone();
    if let Some(table_action::Type::Action(a)) = action.as_mut().and_then(|a| a.r#type.as_mut()) {
        a.params.iter_mut().for_each(|p| p.value = short(&p.value));
        a.params.sort_by_key(|p| p.param_id);
    }
    (action, entry.idle_timeout_ns, &entry.metadata)
}

/// What must be written, in this order: first what makes room, then what is new, then what changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// To be removed.
    pub delete: Vec<TableEntry>,
    /// To be added.
    pub insert: Vec<TableEntry>,
    /// To be given another action.
    pub modify: Vec<TableEntry>,
}

impl Plan {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.delete.is_empty() && self.insert.is_empty() && self.modify.is_empty()
    }

    /// The updates; for a server that can't modify, each change is a removal and an addition. Default entries are
    /// always modified.
    #[must_use]
    pub fn updates(self, can_modify: bool) -> Vec<Update> {
        let mut updates: Vec<Update> = self.delete.into_iter().map(delete).collect();
        updates.extend(self.insert.into_iter().map(insert));
        for entry in self.modify {
            if can_modify || entry.is_default_action {
                updates.push(modify(entry));
            } else {
                updates.push(delete(entry.clone()));
                updates.push(insert(entry));
            }
        }
        updates
    }
}

/// What must be written so that the entries `actual` become `desired`. Entries that a program states itself
/// (`is_const`) stay, and so do default entries that nobody wants otherwise; counters and ages don't matter. If
/// `desired` has a key twice, the last one counts.
///
/// ```
/// use p4runtime_proto::p4::v1::TableEntry;
/// use runtime_client::reconcile;
/// let entry = |table_id, metadata: &'static [u8]| TableEntry {
///     table_id,
///     metadata: metadata.into(),
///     ..TableEntry::default()
/// };
/// let plan = reconcile(&[entry(1, b"new"), entry(2, b"")], &[entry(1, b"old"), entry(3, b"")]);
/// assert_eq!(plan.modify, [entry(1, b"new")]);
/// assert_eq!((plan.insert, plan.delete), (vec![entry(2, b"")], vec![entry(3, b"")]));
/// ```
#[must_use]
pub fn reconcile(desired: &[TableEntry], actual: &[TableEntry]) -> Plan {
    let wanted: BTreeMap<Key, &TableEntry> = desired.iter().map(|e| (Key::of(e), e)).collect();
    let there: BTreeMap<Key, &TableEntry> = actual.iter().map(|e| (Key::of(e), e)).collect();
    let mut plan = Plan::default();
    for (key, entry) in &there {
        if !wanted.contains_key(key) && !entry.is_const && !key.default {
            // What is read with an entry is no part of its name.
            plan.delete.push(TableEntry {
                table_id: entry.table_id,
                r#match: entry.r#match.clone(),
                priority: entry.priority,
                ..TableEntry::default()
            });
        }
    }
    for (key, entry) in &wanted {
        match there.get(key) {
            None if key.default => plan.modify.push((*entry).clone()),
            None => plan.insert.push((*entry).clone()),
            Some(held) if meaning(held) != meaning(entry) => plan.modify.push((*entry).clone()),
            Some(_) => {}
        }
    }
    plan
}

impl Session {
    /// Reads tables, and writes what makes them hold exactly the wanted entries. A connection that breaks is waited
    /// for, and all begins anew from what is there then.
    ///
    /// ```
    /// # client_lab::run(|switch| async move {
    /// # use client_lab::count::host::{Action, Entry, Key};
    /// # use runtime_client::{Options, Profile, Session};
    /// # let session = Session::connect(Options::new(&switch.address, Profile::named("guideway")?)).await?;
    /// # let names = session.names().await?;
    /// let entry = |src, port| names.message(Entry { key: Key { src }, action: Action::Out { port } });
    /// session.insert([entry(1, 3)?, entry(2, 3)?], &names).await?.ok()?;
    /// let desired = [entry(2, 4)?, entry(3, 4)?];
    /// let written = session.reconcile(&desired, &["host"], &names).await?;
    /// assert_eq!(written.applied, 3, "one removed, one changed, one new");
    /// assert_eq!(session.reconcile(&desired, &["host"], &names).await?.applied, 0);
    /// # Ok(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// A table is unknown, the server refuses, or the connection breaks again and again.
    pub async fn reconcile(
        &self,
        desired: &[TableEntry],
        tables: &[&str],
        names: &Names,
    ) -> Result<Written, ClientError> {
        let mut tries = 1;
        loop {
            match self.reconcile_once(desired, tables, names).await {
                Err(ClientError::Lost { .. }) if tries < TRIES => tries += 1,
                other => return other,
            }
        }
    }

    async fn reconcile_once(
        &self,
        desired: &[TableEntry],
        tables: &[&str],
        names: &Names,
    ) -> Result<Written, ClientError> {
        let mut actual = Vec::new();
        for table in tables {
            actual.extend(self.entries(table, names).await?);
        }
        let profile = &self.shared.options.profile;
        let plan = if profile.notes {
            reconcile(desired, &actual)
        } else {
            let bare = |e: &TableEntry| TableEntry { metadata: Bytes::new(), ..e.clone() };
            reconcile(&desired.iter().map(bare).collect::<Vec<_>>(), &actual)
        };
        let updates = plan.updates(profile.modify);
        self.write(&updates, Atomicity::ContinueOnError, Some(names)).await
    }
}
