//! The data plane that tests see.

use super::front::Front;
use super::grpc::Grpc;
use super::psa::Psa;
use super::switch::PATIENCE;
use crate::reads;
use anyhow::{Context, Result, bail, ensure};
use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::v1::entity::Entity as Kind;
use p4runtime_proto::p4::v1::{Entity, TableEntry as Wire, Update, update};
use pipeline_ir::entry::{CheckedEntry, CheckedFill, TableEntry, WriteError, WriteKind};
use pipeline_ir::verify::Verified;
use pipeline_ir::{FlowTableId, Pipeline, TableId};
use prost::Message as _;
use runtime_client::Names;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use sw_fallback::plane::{Count, DataPlane, FlowRecord, Outcome, TestPlane, Verdict};

/// What a switch runs.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Our P4Info, binary.
    pub info: &'a [u8],
    /// p4c's JSON.
    pub json: &'a [u8],
}

/// A key of a ring's slot: ring, pool, parity, slot.
type Place = (u32, u32, u8, u32);

/// BMv2, running.
#[derive(Debug)]
pub struct Bmv2 {
    verified: Verified,
    names: Names,
    front: Box<dyn Front>,
    /// What was written, as we and as it knows it.
    written: Vec<(CheckedEntry, Wire)>,
    /// Generation of what a slot holds.
    slots: BTreeMap<Place, CheckedEntry>,
    drops: BTreeMap<String, u64>,
    pace: Option<Pace>,
}

/// A story's ticks in real time.
#[derive(Debug)]
struct Pace {
    tick: Duration,
    began: Instant,
    spans: Vec<Span>,
}

/// When the switch took a packet: not before the first, not after the second, both since the story began.
pub(super) type Span = (Duration, Duration);

impl Bmv2 {
    /// Starts `simple_switch_grpc` and loads a program.
    ///
    /// # Errors
    /// If it doesn't start, or refuses the program.
    pub fn start(verified: &Verified, program: Program<'_>) -> Result<Self> {
        let info = P4Info::decode(program.info)?;
        let front = Grpc::start(&info, program.json)?;
        Self::behind(verified, &info, Box::new(front))
    }

    /// Starts `psa_switch` and loads a program.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn psa(verified: &Verified, program: Program<'_>) -> Result<Self> {
        let info = P4Info::decode(program.info)?;
        let front = Psa::start(program.json)?;
        Self::behind(verified, &info, Box::new(front))
    }

    fn behind(verified: &Verified, info: &P4Info, front: Box<dyn Front>) -> Result<Self> {
        let mut bmv2 = Self {
            verified: verified.clone(),
            names: Names::new(info)?,
            front,
            written: Vec::new(),
            slots: BTreeMap::new(),
            drops: BTreeMap::new(),
            pace: None,
        };
        bmv2.drops = bmv2.read_drops()?;
        Ok(bmv2)
    }

    /// Loads the program again: nothing is left of tables, counters and flows.
    pub(super) fn reset(&mut self, json: &[u8]) -> Result<()> {
        self.front.load(json)?;
        self.written.clear();
        self.slots.clear();
        self.drops = self.read_drops()?;
        self.pace = None;
        Ok(())
    }

    /// From now on each packet waits for its tick, until the next reset.
    pub(super) fn begin(&mut self, tick: Duration) {
        self.pace = Some(Pace { tick, began: Instant::now(), spans: Vec::new() });
    }

    /// When the switch took each packet since [`begin`](Self::begin).
    pub(super) fn spans(&self) -> &[Span] {
        self.pace.as_ref().map_or(&[], |p| &p.spans)
    }

    fn read_drops(&self) -> Result<BTreeMap<String, u64>> {
        let drops = self.read_counters("drop.")?;
        Ok(drops.into_iter().map(|(name, count)| (name, count.packets)).collect())
    }

    fn read_counters(&self, begins: &str) -> Result<BTreeMap<String, Count>> {
        Ok(reads::counters(self.pipeline(), self.front.counters(&self.names, begins)?))
    }

    /// Which reason has counted one more?
    fn dropped(&mut self) -> Result<Option<String>> {
        let now = self.read_drops()?;
        let before = std::mem::replace(&mut self.drops, now);
        let reason = self.drops.iter().find(|(name, n)| before.get(*name) != Some(*n));
        Ok(reason.and_then(|(name, _)| name.strip_prefix("drop.")).map(str::to_owned))
    }

    fn try_process(&mut self, port: u32, frame: &[u8]) -> Result<Outcome> {
        self.front.send(port, frame)?;
        let (host, end) = (self.front.host(), Instant::now() + PATIENCE);
        while Instant::now() < end {
            if let Some((port, bytes)) = self.front.next(Duration::from_millis(5))? {
                let verdict = if port == host { Verdict::Pass } else { Verdict::Forward { port } };
                return Ok(Outcome { verdict, bytes });
            }
            if let Some(reason) = self.dropped()? {
                return Ok(Outcome { verdict: Verdict::Drop(reason), bytes: Vec::new() });
            }
        }
        bail!("the packet neither came out nor was counted as dropped")
    }

    /// What BMv2 doesn't check itself, or not with words.
    fn may_write(&self, entry: &CheckedEntry, wire: &Wire, kind: WriteKind) -> Result<(), WriteError> {
        let same = self.written.iter().any(|w| same_key(&w.1, wire));
        match (kind, same) {
            (WriteKind::Insert, true) => return Err(WriteError::Exists),
            (WriteKind::Modify | WriteKind::Delete, false) => return Err(WriteError::NotFound),
            _ => {}
        }
        let CheckedEntry::Table(e) = entry else { return Ok(()) };
        let table = &self.pipeline().tables[e.table().index()];
        if !table.const_entries.is_empty() {
            return Err(WriteError::Const);
        }
        if kind == WriteKind::Insert {
            let own = self.written.iter().filter(|w| w.1.table_id == wire.table_id);
            if own.clone().count() >= table.size as usize {
                return Err(WriteError::Full);
            }
            let taken = |bits: u8| {
                let slot = |w: &CheckedEntry| slot_of(w, bits);
                own.clone().any(|w| slot(&w.0) == slot(entry))
            };
            if table.slot_bits.is_some_and(taken) {
                return Err(WriteError::Exists);
            }
        }
        Ok(())
    }

    /// Writes slots; one of the other generation with the same parity gives way.
    fn write_slots(&mut self, entries: &[CheckedEntry], kind: Option<WriteKind>) -> Result<(), WriteError> {
        let mut updates = Vec::new();
        for entry in entries {
            let CheckedEntry::Slot(slot) = entry else { continue };
            let pool = slot.pool();
            let place = (pool.ring().0, pool.pool(), pool.generation() & 1, slot.slot());
            let held = self.slots.get(&place).cloned();
            let there =
                matches!(&held, Some(CheckedEntry::Slot(h)) if h.pool().generation() == pool.generation());
            match (kind, there) {
                (Some(WriteKind::Insert), true) => return Err(WriteError::Exists),
                (Some(WriteKind::Modify | WriteKind::Delete), false) => return Err(WriteError::NotFound),
                _ => {}
            }
            if let Some(old) = held.filter(|_| !there) {
                updates.push(self.update(&old, update::Type::Delete)?);
            }
            if kind == Some(WriteKind::Delete) {
                updates.push(self.update(entry, update::Type::Delete)?);
                self.slots.remove(&place);
            } else {
                let how = if there { update::Type::Modify } else { update::Type::Insert };
                updates.push(self.update(entry, how)?);
                self.slots.insert(place, entry.clone());
            }
        }
        self.front.write(&self.names, &updates)
    }

    fn update(&self, entry: &CheckedEntry, how: update::Type) -> Result<Update, WriteError> {
        let wire =
            self.names.checked(self.pipeline(), entry).map_err(|e| WriteError::Failed(format!("{e:#}")))?;
        Ok(of(wire, how))
    }

    fn read_entries(&self, table: TableId) -> Result<Vec<(TableEntry, Count)>> {
        let declared = &self.pipeline().tables[table.index()];
        let table_id = self.names.table(&declared.name)?.id;
        let held = self.front.entries(&self.names, table_id)?;
        let mut known: Vec<(TableEntry, Wire)> = Vec::new();
        for i in 0..declared.const_entries.len() {
            let entry = TableEntry::of_source(&self.verified, table, i).context("const entry")?;
            let wire = self.names.checked_table(self.pipeline(), &entry)?;
            known.push((entry, wire));
        }
        let written = self.written.iter().filter(|w| w.1.table_id == table_id);
        known.extend(written.filter_map(|(e, w)| match e {
            CheckedEntry::Table(e) => Some((e.clone(), w.clone())),
            _ => None,
        }));
        ensure!(known.len() == held.len(), "{}: {} entries, not {}", declared.name, held.len(), known.len());
        let kind = declared.counters;
        let counted = known.into_iter().map(|(entry, wire)| {
            let found = held.iter().find(|h| same_match(h, &wire)).context("an entry is gone")?;
            let data = found.counter_data.as_ref();
            Ok((entry, kind.map_or(Count::default(), |kind| reads::count(data, kind))))
        });
        counted.collect()
    }
}

impl DataPlane for Bmv2 {
    fn pipeline(&self) -> &Pipeline {
        self.verified.pipeline()
    }

    fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
        if let CheckedEntry::Slot(_) = entry {
            return self.write_slots(std::slice::from_ref(entry), Some(kind));
        }
        let failed = |e: anyhow::Error| WriteError::Failed(format!("{e:#}"));
        let wire = self.names.checked(self.pipeline(), entry).map_err(|e| failed(e.into()))?;
        self.may_write(entry, &wire, kind)?;
        let how = match kind {
            WriteKind::Insert => update::Type::Insert,
            WriteKind::Modify => update::Type::Modify,
            WriteKind::Delete => update::Type::Delete,
        };
        self.front.write(&self.names, &[of(wire.clone(), how)])?;
        let at = self.written.iter().position(|w| same_key(&w.1, &wire));
        match (kind, at) {
            (WriteKind::Delete, Some(at)) => drop(self.written.remove(at)),
            (_, Some(at)) => self.written[at] = (entry.clone(), wire),
            (_, None) => self.written.push((entry.clone(), wire)),
        }
        Ok(())
    }

    fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
        let entries: Vec<CheckedEntry> = fill.entries().map(CheckedEntry::Slot).collect();
        self.write_slots(&entries, None)
    }

    fn counters(&self) -> BTreeMap<String, Count> {
        self.read_counters("").unwrap_or_default()
    }

    fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
        self.read_entries(table).unwrap_or_default()
    }

    /// Registers can't be read over P4Runtime.
    fn flows(&self, _: FlowTableId) -> Vec<FlowRecord> {
        Vec::new()
    }
}

impl TestPlane for Bmv2 {
    /// Its clock is its own: after `begin` the packet waits for its tick, else the tick is not heard.
    /// What goes wrong shows as a drop with the reason that no pipeline has: `! ...`.
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        let failed = |e| Outcome { verdict: Verdict::Drop(format!("! {e:#}")), bytes: Vec::new() };
        if let Some(pace) = &self.pace {
            std::thread::sleep((pace.tick * now).saturating_sub(pace.began.elapsed()));
        }
        let sent = Instant::now();
        let outcome = self.try_process(port, frame).unwrap_or_else(failed);
        if let Some(pace) = &mut self.pace {
            pace.spans.push((sent - pace.began, pace.began.elapsed()));
        }
        outcome
    }
}

fn of(wire: Wire, how: update::Type) -> Update {
    Update { r#type: how.into(), entity: Some(Entity { entity: Some(Kind::TableEntry(wire)) }) }
}

fn same_key(a: &Wire, b: &Wire) -> bool {
    a.priority == b.priority && same_match(a, b)
}

fn same_match(a: &Wire, b: &Wire) -> bool {
    let sorted = |w: &Wire| {
        let mut fields = w.r#match.clone();
        fields.sort_by_key(|f| f.field_id);
        fields
    };
    a.table_id == b.table_id && sorted(a) == sorted(b)
}

fn slot_of(entry: &CheckedEntry, bits: u8) -> Option<u128> {
    let CheckedEntry::Table(e) = entry else { return None };
    match e.key() {
        [pipeline_ir::KeyValue::Exact(v)] => Some(v & ((1 << bits) - 1)),
        _ => None,
    }
}
