//! The check that makes a [`CheckedEntry`].

use super::{
    CheckedEntry, CheckedFill, Entry, EntryError, PoolEntry, RingFill, SlotEntry, TableEntry, ring_names,
};
use crate::expr::Type;
use crate::suggest::hint;
use crate::{Action, ActionId, ConstEntry, Key, KeyValue, MatchKind, Pipeline, Ring, RingId, Table, TableId};

/// What the control plane sees of a pipeline: its tables and those of its rings.
#[derive(Clone, Debug)]
pub struct Tables {
    pub(super) tables: Vec<Table>,
    pub(super) actions: Vec<Action>,
    /// Name and type of each variable; actions refer to their parameters by index.
    pub(super) vars: Vec<(String, Type)>,
    pub(super) rings: Vec<Ring>,
}

/// Which object an entry's table name means.
enum Object<'a> {
    Table(TableId, &'a Table),
    Pool(RingId, &'a Ring),
    Ring(RingId, &'a Ring),
}

pub(super) type Checked<T> = Result<T, EntryError>;

impl Tables {
    /// The tables of a pipeline.
    #[must_use]
    pub fn new(pipeline: &Pipeline) -> Self {
        Self {
            tables: pipeline.tables.clone(),
            actions: pipeline.actions.clone(),
            vars: pipeline.vars.iter().map(|v| (v.name.clone(), v.ty)).collect(),
            rings: pipeline.rings.clone(),
        }
    }

    /// Every table's name: the tables in order, then for each ring its pool table and its own.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let rings = self.rings.iter().flat_map(|r| [r.pool_table.as_str(), r.name.as_str()]);
        self.tables.iter().map(|t| t.name.as_str()).chain(rings)
    }

    /// Checks an entry and makes it canonical: fields in the table's order, absent ones matching all, values under
    /// their masks; parameters in the action's order.
    ///
    /// # Errors
    /// The first thing that is wrong, with what to do.
    pub fn check(&self, entry: &Entry) -> Checked<CheckedEntry> {
        match self.object(&entry.table)? {
            Object::Table(id, table) => self.check_table(id, table, entry).map(CheckedEntry::Table),
            Object::Pool(id, ring) => check_pool(id, ring, entry).map(CheckedEntry::Pool),
            Object::Ring(id, ring) => check_slot(id, ring, entry).map(CheckedEntry::Slot),
        }
    }

    /// Checks a whole ring at once: as many ids as the ring has slots, each within its width.
    ///
    /// # Errors
    /// The first thing that is wrong, with what to do.
    pub fn check_ring(&self, fill: RingFill) -> Checked<CheckedFill> {
        let found = self.rings.iter().position(|r| r.name == fill.ring);
        let Some(at) = found else {
            let hint = hint(&fill.ring, self.rings.iter().map(|r| r.name.as_str()));
            return Err(EntryError::UnknownRing { ring: fill.ring, hint });
        };
        let ring = &self.rings[at];
        let pool = below(&ring.name, "pool", u128::from(fill.pool), ring.pools, POOLS)?;
        if fill.slots.len() != ring.slots as usize {
            let (ring, given, slots) = (ring.name.clone(), fill.slots.len(), ring.slots);
            return Err(EntryError::Slots { ring, given, slots });
        }
        for (slot, &id) in fill.slots.iter().enumerate() {
            check_id(ring, slot as u32, u128::from(id))?;
        }
        let pool = PoolEntry { ring: RingId(at as u32), pool, generation: fill.generation };
        Ok(CheckedFill { pool, slots: fill.slots })
    }

    /// What an entry of this table is made of, with widths in bits, in the notation of entry files; none if there is
    /// no such table.
    ///
    /// ```text
    /// table = "out", key = { dst: 32 }, action = "send", params = { port: 32 } (widths in bits)
    /// ```
    #[must_use]
    pub fn form(&self, name: &str) -> Option<String> {
        let fields =
            |all: &[(&str, u8)]| all.iter().map(|(n, w)| format!("{n}: {w}")).collect::<Vec<_>>().join(", ");
        let mut priority = "";
        let (key, actions) = match self.object(name).ok()? {
            Object::Table(_, table) => {
                priority = if needs_priority(table) { ", priority = 1.." } else { "" };
                (self.table_key(table), self.table_actions(table))
            }
            Object::Pool(_, _) => {
                let params = fields(&[(ring_names::GENERATION, 8)]);
                (fields(&[(ring_names::POOL, 32)]), vec![(ring_names::SET_GENERATION.to_owned(), params)])
            }
            Object::Ring(_, ring) => {
                let key = [(ring_names::POOL, 32), (ring_names::GENERATION, 8), (ring_names::SLOT, 32)];
                (fields(&key), vec![(ring.set_action(), fields(&[(ring_names::ID, ring.id_width)]))])
            }
        };
        let action = |(name, params): &(String, String)| match params.as_str() {
            "" => format!("action = \"{name}\""),
            _ => format!("action = \"{name}\", params = {{ {params} }}"),
        };
        let actions = actions.iter().map(action).collect::<Vec<_>>().join("\n      or ");
        Some(format!("table = \"{name}\", key = {{ {key} }}{priority}, {actions} (widths in bits)"))
    }

    fn table_key(&self, table: &Table) -> String {
        let field = |k: &Key| match k.kind {
            MatchKind::Exact => format!("{}: {}", k.name, k.width),
            kind => format!("{}: {} ({})", k.name, k.width, kind_text(kind).0),
        };
        table.keys.iter().map(field).collect::<Vec<_>>().join(", ")
    }

    fn table_actions(&self, table: &Table) -> Vec<(String, String)> {
        let entries = table.actions.iter().map(|a| &self.actions[a.index()]).filter(|a| !a.default_only);
        let params = |a: &Action| {
            let params = a.params.iter().map(|p| &self.vars[p.index()]);
            params.map(|(name, ty)| format!("{name}: {}", ty.width())).collect::<Vec<_>>().join(", ")
        };
        entries.map(|a| (a.name.clone(), params(a))).collect()
    }

    /// The slot of an entry in a table with `slot_bits`; none in others.
    #[must_use]
    pub fn slot(&self, entry: &TableEntry) -> Option<u32> {
        let bits = self.tables[entry.table.index()].slot_bits?;
        match entry.key.first() {
            Some(KeyValue::Exact(v)) => Some((v & Type::Bits(bits).mask()) as u32),
            _ => None,
        }
    }

    /// A checked entry as a user would write it: `check` gives it back.
    #[must_use]
    pub fn entry(&self, checked: &CheckedEntry) -> Entry {
        match checked {
            CheckedEntry::Table(e) => self.table_entry(e),
            CheckedEntry::Pool(e) => pool_entry(&self.rings[e.ring.index()], *e),
            CheckedEntry::Slot(e) => slot_entry(&self.rings[e.pool.ring.index()], *e),
        }
    }

    /// Checks an entry of the source; gives its key, canonical.
    pub(crate) fn check_const(&self, id: TableId, entry: &ConstEntry) -> Checked<Vec<KeyValue>> {
        let table = &self.tables[id.index()];
        let count = |name: &str, given: usize, want: usize| match given == want {
            true => Ok(()),
            false => {
                let (table, name) = (table.name.clone(), name.to_owned());
                Err(EntryError::Count { table, name, given, want })
            }
        };
        count("key", entry.keys.len(), table.keys.len())?;
        self.check_action(table, entry.action)?;
        let action = &self.actions[entry.action.index()];
        count(&action.name, entry.args.len(), action.params.len())?;
        for (param, value) in action.params.iter().zip(&entry.args) {
            let (name, ty) = &self.vars[param.index()];
            fits(&table.name, name, *value, ty.width())?;
        }
        table.keys.iter().zip(&entry.keys).map(|(k, v)| canonical(&table.name, k, *v)).collect()
    }

    fn object(&self, name: &str) -> Checked<Object<'_>> {
        if let Some(i) = self.tables.iter().position(|t| t.name == name) {
            return Ok(Object::Table(TableId(i as u32), &self.tables[i]));
        }
        for (i, ring) in self.rings.iter().enumerate() {
            if ring.pool_table == name {
                return Ok(Object::Pool(RingId(i as u32), ring));
            }
            if ring.name == name {
                return Ok(Object::Ring(RingId(i as u32), ring));
            }
        }
        Err(EntryError::UnknownTable { table: name.to_owned(), hint: hint(name, self.names()) })
    }

    fn check_table(&self, id: TableId, table: &Table, entry: &Entry) -> Checked<TableEntry> {
        if !table.const_entries.is_empty() {
            return Err(EntryError::Const { table: table.name.clone() });
        }
        once(&table.name, &entry.key)?;
        let fields = table.keys.iter().map(|k| k.name.as_str());
        if let Some((field, _)) = entry.key.iter().find(|(n, _)| fields.clone().all(|f| f != n)) {
            let (table, field, hint) = (table.name.clone(), field.clone(), hint(field, fields));
            return Err(EntryError::UnknownField { table, field, hint });
        }
        let key = table.keys.iter().map(|k| {
            let given = entry.key.iter().find(|(n, _)| *n == k.name).map(|(_, v)| *v);
            match given.or_else(|| match_all(k)) {
                Some(value) => canonical(&table.name, k, value),
                None => Err(EntryError::MissingField { table: table.name.clone(), field: k.name.clone() }),
            }
        });
        let key = key.collect::<Checked<Vec<_>>>()?;
        let (name, priority) = (&table.name, entry.priority);
        check_priority(table, priority)?;
        let mut actions = table.actions.iter().map(|a| self.actions[a.index()].name.as_str());
        let Some(at) = actions.position(|a| a == entry.action) else {
            let legal = table.actions.iter().map(|a| &self.actions[a.index()]).filter(|a| !a.default_only);
            let hint = hint(&entry.action, legal.map(|a| a.name.as_str()));
            return Err(EntryError::UnknownAction {
                table: name.clone(),
                action: entry.action.clone(),
                hint,
            });
        };
        let action = table.actions[at];
        self.check_action(table, action)?;
        let params = self.actions[action.index()].params.iter();
        let params = params.map(|p| (self.vars[p.index()].0.as_str(), self.vars[p.index()].1.width()));
        let args = arguments(name, &entry.action, &entry.params, &params.collect::<Vec<_>>())?;
        Ok(TableEntry { table: id, key, priority, action, args })
    }

    pub(super) fn check_action(&self, table: &Table, action: ActionId) -> Checked<()> {
        let named = &self.actions[action.index()];
        if !table.actions.contains(&action) {
            let names = table.actions.iter().map(|a| self.actions[a.index()].name.as_str());
            let (table, action) = (table.name.clone(), named.name.clone());
            return Err(EntryError::UnknownAction { hint: hint(&action, names), table, action });
        }
        if named.default_only {
            let (table, action) = (table.name.clone(), named.name.clone());
            return Err(EntryError::DefaultOnly { table, action });
        }
        Ok(())
    }

    fn table_entry(&self, e: &TableEntry) -> Entry {
        let (table, action) = (&self.tables[e.table.index()], &self.actions[e.action.index()]);
        let fields = table.keys.iter().zip(&e.key);
        let given = fields.filter(|(k, v)| match_all(k).as_ref() != Some(*v));
        let params = action.params.iter().zip(&e.args);
        Entry {
            table: table.name.clone(),
            key: given.map(|(k, v)| (k.name.clone(), *v)).collect(),
            priority: e.priority,
            action: action.name.clone(),
            params: params.map(|(p, v)| (self.vars[p.index()].0.clone(), *v)).collect(),
        }
    }
}

/// Do entries of this table overlap, so that they need a priority?
#[must_use]
pub fn needs_priority(table: &Table) -> bool {
    table.keys.iter().any(|k| !matches!(k.kind, MatchKind::Exact | MatchKind::Lpm))
}

pub(super) fn check_priority(table: &Table, priority: i32) -> Checked<()> {
    let name = || table.name.clone();
    match needs_priority(table) {
        true if priority <= 0 => Err(EntryError::PriorityMissing { table: name(), priority }),
        false if priority != 0 => Err(EntryError::PriorityUnused { table: name(), priority }),
        _ => Ok(()),
    }
}

pub(super) const POOLS: &str = "raise the ring's `pools`, or number pools from 0";
pub(super) const SLOTS: &str = "slots are numbered from 0";

/// The value of a field that is left out; none where it must be given.
pub(super) fn match_all(key: &Key) -> Option<KeyValue> {
    match key.kind {
        MatchKind::Exact => None,
        MatchKind::Lpm => Some(KeyValue::Lpm { value: 0, prefix: 0 }),
        MatchKind::Ternary => Some(KeyValue::Ternary { value: 0, mask: 0 }),
        MatchKind::Range => Some(KeyValue::Range { low: 0, high: Type::Bits(key.width).mask() }),
        MatchKind::Optional => Some(KeyValue::Optional(None)),
    }
}

/// A field's value in the field's own kind, under its mask. A plain value is the narrowest of every kind.
pub(super) fn canonical(table: &str, key: &Key, value: KeyValue) -> Checked<KeyValue> {
    let fits = |v| fits(table, &key.name, v, key.width);
    let all = Type::Bits(key.width).mask();
    Ok(match (key.kind, value) {
        (MatchKind::Exact, KeyValue::Exact(v)) => KeyValue::Exact(fits(v)?),
        (MatchKind::Lpm, KeyValue::Exact(v)) => KeyValue::Lpm { value: fits(v)?, prefix: key.width },
        (MatchKind::Lpm, KeyValue::Lpm { value, prefix }) => {
            if prefix > key.width {
                let (table, field) = (table.to_owned(), key.name.clone());
                return Err(EntryError::Prefix { table, field, prefix, bits: key.width });
            }
            KeyValue::Lpm { value: fits(value)? & prefix_mask(key.width, prefix), prefix }
        }
        (MatchKind::Ternary, KeyValue::Exact(v)) => KeyValue::Ternary { value: fits(v)?, mask: all },
        (MatchKind::Ternary, KeyValue::Ternary { value, mask }) => {
            KeyValue::Ternary { value: fits(value)? & fits(mask)?, mask }
        }
        (MatchKind::Range, KeyValue::Exact(v)) => KeyValue::Range { low: fits(v)?, high: v },
        (MatchKind::Range, KeyValue::Range { low, high }) => {
            if low > high {
                let (table, field) = (table.to_owned(), key.name.clone());
                return Err(EntryError::EmptyRange { table, field, low, high });
            }
            KeyValue::Range { low: fits(low)?, high: fits(high)? }
        }
        (MatchKind::Optional, KeyValue::Exact(v)) => KeyValue::Optional(Some(fits(v)?)),
        (MatchKind::Optional, KeyValue::Optional(v)) => KeyValue::Optional(v.map(fits).transpose()?),
        (kind, given) => {
            let (kind, instead) = kind_text(kind);
            let (table, field, given) = (table.to_owned(), key.name.clone(), value_text(given));
            return Err(EntryError::Kind { table, field, kind, given, instead });
        }
    })
}

/// The `prefix` high bits of `width`.
#[must_use]
pub fn prefix_mask(width: u8, prefix: u8) -> u128 {
    let all = Type::Bits(width).mask();
    all & !all.checked_shr(u32::from(prefix)).unwrap_or(0)
}

fn kind_text(kind: MatchKind) -> (&'static str, &'static str) {
    match kind {
        MatchKind::Exact => ("exact match", "a value"),
        MatchKind::Lpm => ("longest prefix", "a value and a prefix length"),
        MatchKind::Ternary => ("ternary match", "a value and a mask"),
        MatchKind::Range => ("range", "a low and a high value"),
        MatchKind::Optional => ("optional match", "a value, or leave it out"),
    }
}

fn value_text(value: KeyValue) -> &'static str {
    match value {
        KeyValue::Exact(_) => "a value",
        KeyValue::Lpm { .. } => "a prefix",
        KeyValue::Ternary { .. } => "a value and a mask",
        KeyValue::Range { .. } => "a range",
        KeyValue::Optional(_) => "an optional value",
    }
}

pub(super) fn fits(table: &str, name: &str, value: u128, bits: u8) -> Checked<u128> {
    let limit = Type::Bits(bits).mask();
    if value <= limit {
        return Ok(value);
    }
    Err(EntryError::TooWide { table: table.to_owned(), name: name.to_owned(), value, bits, limit })
}

pub(super) fn below(table: &str, name: &str, value: u128, limit: u32, help: &'static str) -> Checked<u32> {
    match u32::try_from(value) {
        Ok(v) if v < limit => Ok(v),
        _ => {
            let (table, name, limit) = (table.to_owned(), name.to_owned(), u128::from(limit));
            Err(EntryError::Limit { table, name, value, limit, help })
        }
    }
}

fn once<V>(table: &str, names: &[(String, V)]) -> Checked<()> {
    for (name, _) in names {
        let times = names.iter().filter(|(n, _)| n == name).count();
        if times > 1 {
            return Err(EntryError::Repeated { table: table.to_owned(), name: name.clone(), times });
        }
    }
    Ok(())
}

/// Parameters in the action's order.
fn arguments(
    table: &str,
    action: &str,
    given: &[(String, u128)],
    params: &[(&str, u8)],
) -> Checked<Vec<u128>> {
    once(table, given)?;
    if let Some((name, _)) = given.iter().find(|(n, _)| params.iter().all(|p| p.0 != n)) {
        let hint = hint(name, params.iter().map(|p| p.0));
        let (table, action, param) = (table.to_owned(), action.to_owned(), name.clone());
        return Err(EntryError::UnknownParam { table, action, param, hint });
    }
    let value = |(param, bits): &(&str, u8)| match given.iter().find(|(n, _)| n == param) {
        Some((_, v)) => fits(table, param, *v, *bits),
        None => {
            let (table, action, param) = (table.to_owned(), action.to_owned(), (*param).to_owned());
            Err(EntryError::MissingParam { table, action, param })
        }
    };
    params.iter().map(value).collect()
}

/// The exact fields of a ring's tables, in order.
fn ring_key<const N: usize>(table: &str, entry: &Entry, names: [&str; N]) -> Checked<[u128; N]> {
    once(table, &entry.key)?;
    if let Some((field, _)) = entry.key.iter().find(|(n, _)| names.iter().all(|f| f != n)) {
        let (table, field, hint) = (table.to_owned(), field.clone(), hint(field, names));
        return Err(EntryError::UnknownField { table, field, hint });
    }
    if entry.priority != 0 {
        return Err(EntryError::PriorityUnused { table: table.to_owned(), priority: entry.priority });
    }
    let mut values = [0; N];
    for (value, name) in values.iter_mut().zip(names) {
        let (table, field) = (table.to_owned(), name.to_owned());
        *value = match entry.key.iter().find(|(n, _)| n == name).map(|(_, v)| *v) {
            Some(KeyValue::Exact(v)) => v,
            Some(given) => {
                let (kind, instead) = kind_text(MatchKind::Exact);
                return Err(EntryError::Kind { table, field, kind, given: value_text(given), instead });
            }
            None => return Err(EntryError::MissingField { table, field }),
        };
    }
    Ok(values)
}

/// The one action of a ring's table, and its default, which no entry may name.
fn ring_action(table: &str, given: &str, set: &str, default: &str) -> Checked<()> {
    let (table, action) = (table.to_owned(), given.to_owned());
    if given == set {
        Ok(())
    } else if given == default {
        Err(EntryError::DefaultOnly { table, action })
    } else {
        Err(EntryError::UnknownAction { hint: hint(&action, [set]), table, action })
    }
}

fn check_pool(id: RingId, ring: &Ring, entry: &Entry) -> Checked<PoolEntry> {
    let table = &ring.pool_table;
    let [pool] = ring_key(table, entry, [ring_names::POOL])?;
    let pool = below(table, ring_names::POOL, pool, ring.pools, POOLS)?;
    ring_action(table, &entry.action, ring_names::SET_GENERATION, &ring.no_generation_action())?;
    let args = arguments(table, &entry.action, &entry.params, &[(ring_names::GENERATION, 8)])?;
    Ok(PoolEntry { ring: id, pool, generation: args[0] as u8 })
}

fn check_slot(id: RingId, ring: &Ring, entry: &Entry) -> Checked<SlotEntry> {
    let table = &ring.name;
    let names = [ring_names::POOL, ring_names::GENERATION, ring_names::SLOT];
    let [pool, generation, slot] = ring_key(table, entry, names)?;
    let pool = below(table, ring_names::POOL, pool, ring.pools, POOLS)?;
    let generation = fits(table, ring_names::GENERATION, generation, 8)? as u8;
    let slot = below(table, ring_names::SLOT, slot, ring.slots, SLOTS)?;
    ring_action(table, &entry.action, &ring.set_action(), &ring.no_slot_action())?;
    let args = arguments(table, &entry.action, &entry.params, &[(ring_names::ID, ring.id_width)])?;
    let held = check_id(ring, slot, args[0])?;
    Ok(SlotEntry { pool: PoolEntry { ring: id, pool, generation }, slot, id: held })
}

/// What a slot holds: any id of the ring's width but 0.
pub(super) fn check_id(ring: &Ring, slot: u32, id: u128) -> Checked<u32> {
    match fits(&ring.name, ring_names::ID, id, ring.id_width)? as u32 {
        0 => Err(EntryError::NoId { ring: ring.name.clone(), slot }),
        id => Ok(id),
    }
}

fn exact(fields: &[(&str, u32)]) -> Vec<(String, KeyValue)> {
    fields.iter().map(|(n, v)| ((*n).to_owned(), KeyValue::Exact(u128::from(*v)))).collect()
}

fn pool_entry(ring: &Ring, e: PoolEntry) -> Entry {
    Entry {
        table: ring.pool_table.clone(),
        key: exact(&[(ring_names::POOL, e.pool)]),
        priority: 0,
        action: ring_names::SET_GENERATION.to_owned(),
        params: vec![(ring_names::GENERATION.to_owned(), u128::from(e.generation))],
    }
}

fn slot_entry(ring: &Ring, e: SlotEntry) -> Entry {
    let generation = u32::from(e.pool.generation);
    Entry {
        table: ring.name.clone(),
        key: exact(&[
            (ring_names::POOL, e.pool.pool),
            (ring_names::GENERATION, generation),
            (ring_names::SLOT, e.slot),
        ]),
        priority: 0,
        action: ring.set_action(),
        params: vec![(ring_names::ID.to_owned(), u128::from(e.id))],
    }
}
