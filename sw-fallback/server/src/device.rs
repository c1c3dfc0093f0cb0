//! The device: what runs, under which P4Info, and what is saved for later.

use crate::decode::{Note, entry_failure};
use crate::draft::Draft;
use crate::host::{Host, Prepared};
use crate::idle::Idle;
use crate::map::Map;
use crate::status::Failure;
use p4runtime_proto::guideway::v1::Bundle;
use p4runtime_proto::p4::v1::ForwardingPipelineConfig;
use pipeline_ir::entry::{CheckedEntry, SlotEntry, Tables, WriteError, WriteKind};
use pipeline_ir::{KeyValue, Pipeline, RingId, TableId};
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use sw_fallback::plane::ReadBack;
use tonic::Code;

/// A host with the config that it runs.
#[derive(Debug)]
pub struct Device<H> {
    /// What runs the pipeline.
    pub host: H,
    pub(crate) config: ForwardingPipelineConfig,
    pub(crate) map: Arc<Map>,
    current: Arc<Current>,
    pub(crate) saved: Option<Saved>,
    pub(crate) notes: BTreeMap<Name, Note>,
    pub(crate) idle: Idle,
}

/// The map in force, for whoever reads requests without holding the device.
#[derive(Debug)]
pub(crate) struct Current(RwLock<Arc<Map>>);

impl Current {
    pub(crate) fn get(&self) -> Arc<Map> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
    fn set(&self, map: &Arc<Map>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(map);
    }
}

/// A config that has been verified and is not in force.
#[derive(Debug)]
pub(crate) struct Saved {
    config: ForwardingPipelineConfig,
    map: Arc<Map>,
    prepared: Prepared,
    /// What is written until it is in force.
    draft: Draft,
    notes: BTreeMap<Name, Note>,
}

/// What names an entry on the device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Table(TableId, Vec<KeyValue>, i32),
    Pool(RingId, u32),
    Slot(RingId, u32, u8, u32),
}

pub(crate) fn name(entry: &CheckedEntry) -> Name {
    match entry {
        CheckedEntry::Table(e) => Name::Table(e.table(), e.key().to_vec(), e.priority()),
        CheckedEntry::Pool(e) => Name::Pool(e.ring(), e.pool()),
        CheckedEntry::Slot(e) => {
            Name::Slot(e.pool().ring(), e.pool().pool(), e.pool().generation(), e.slot())
        }
    }
}

impl<H: Host> Device<H> {
    /// A host that runs what `config` describes.
    ///
    /// # Errors
    /// The P4Info is not of the pipeline that runs; the host comes back.
    pub fn new(mut host: H, config: ForwardingPipelineConfig) -> Result<Self, (H, String)> {
        let map = match config.p4info.as_ref() {
            Some(info) => Map::new(info, host.plane().pipeline()),
            None => Err("the config has no P4Info".to_owned()),
        };
        match map {
            Ok(map) => {
                let map = Arc::new(map);
                let current = Arc::new(Current(RwLock::new(Arc::clone(&map))));
                let (notes, idle) = (BTreeMap::new(), Idle::default());
                Ok(Self { host, config, map, current, saved: None, notes, idle })
            }
            Err(why) => Err((host, why)),
        }
    }

    /// The map in force, now and later.
    pub(crate) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    /// Is this a config that can run?
    pub(crate) fn verify(&mut self, config: ForwardingPipelineConfig) -> Result<Saved, Failure> {
        let info = config.p4info.as_ref().ok_or_else(|| Failure::invalid("the config has no P4Info"))?;
        let bundle = Bundle::decode(config.p4_device_config.clone()).map_err(|e| {
            Failure::invalid(format!("the device config is no guideway.v1.Bundle of a compiled folder: {e}"))
        })?;
        let prepared = self.host.verify(&bundle)?;
        let map = Arc::new(Map::new(info, &prepared.pipeline).map_err(Failure::invalid)?);
        let draft = Draft::new(&prepared.pipeline).map_err(Failure::invalid)?;
        Ok(Saved { config, map, prepared, draft, notes: BTreeMap::new() })
    }

    /// Would it run, as far as can be found out without running it?
    pub(crate) fn judge(&mut self, saved: &Saved) -> Result<(), Failure> {
        Ok(self.host.judge(&saved.prepared)?)
    }

    /// Puts a config in force. The entries that the device holds are kept as far as they are legal in it, if asked for.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub(crate) fn commit(&mut self, new: Saved, keep: bool) -> Result<(), Failure> {
        let notes = if keep {
            let old = self.map.clone();
            let entries = legal(self.host.plane(), &old.tables, &new.map.pipeline);
            self.host.commit(new.prepared, &entries)?;
            kept_notes(&self.notes, &old.pipeline, &new.map.pipeline)
        } else {
            self.host.commit_other(new.prepared, &[])?;
            BTreeMap::new()
        };
        self.current.set(&new.map);
        (self.config, self.map, self.notes, self.saved) = (new.config, new.map, notes, None);
        self.restart_timers();
        Ok(())
    }

    /// Puts the saved config in force, with what was written since. If that fails, it stays saved.
    pub(crate) fn commit_saved(&mut self) -> Result<(), Failure> {
        let Some(saved) = self.saved.take() else {
            return Err(Failure::new(Code::NotFound, "no config is saved: VERIFY_AND_SAVE comes first"));
        };
        let Saved { config, map, prepared, draft, notes } = saved;
        let entries = held(&draft, &map.tables);
        let failed = match self.host.commit_other(prepared, &entries) {
            Ok(()) => {
                (self.config, self.map, self.notes) = (config, map, notes);
                self.restart_timers();
                return Ok(());
            }
            Err(error) => error,
        };
        if let Ok(again) = self.verify(config) {
            self.saved = Some(Saved { draft, notes, ..again });
        }
        Err(failed.into())
    }

    /// The time-outs of the entries that a new config holds begin now.
    fn restart_timers(&mut self) {
        self.idle.clear();
        let timed = self.notes.iter().map(|(name, note)| (name.clone(), note.idle_timeout_ns));
        for (name, timeout) in timed.filter(|(_, timeout)| *timeout > 0).collect::<Vec<_>>() {
            let Name::Table(table, key, priority) = &name else { continue };
            let key: Vec<_> = key.iter().copied().map(Some).collect();
            if let Ok(entry) = self.map.tables.check_name(*table, &key, *priority) {
                let count = self.host.plane().hits(&entry).unwrap_or_default();
                self.idle.set(name, &CheckedEntry::Table(entry), timeout, count, Instant::now());
            }
        }
    }

    /// What reads and writes are about (specification §14): the saved config, if there is one, else the one in force.
    pub(crate) fn plane(&mut self) -> &mut dyn ReadBack {
        match &mut self.saved {
            Some(saved) => &mut saved.draft,
            None => self.host.plane(),
        }
    }

    /// Its P4Info.
    pub(crate) fn map(&self) -> Arc<Map> {
        Arc::clone(self.saved.as_ref().map_or(&self.map, |saved| &saved.map))
    }

    /// What clients want back with its entries.
    pub(crate) fn notes(&mut self) -> &mut BTreeMap<Name, Note> {
        self.saved.as_mut().map_or(&mut self.notes, |saved| &mut saved.notes)
    }
}

/// Notes name tables by number: they stay where the pipeline's tables do.
fn kept_notes(notes: &BTreeMap<Name, Note>, old: &Pipeline, new: &Pipeline) -> BTreeMap<Name, Note> {
    let same =
        old.tables.iter().map(|t| (&t.name, &t.keys)).eq(new.tables.iter().map(|t| (&t.name, &t.keys)))
            && old.rings.iter().map(|r| &r.name).eq(new.rings.iter().map(|r| &r.name));
    if same { notes.clone() } else { BTreeMap::new() }
}

/// All that a data plane holds, those entries of the source left out.
pub(crate) fn held(plane: &dyn ReadBack, tables: &Tables) -> Vec<CheckedEntry> {
    let p = plane.pipeline();
    let mut all = Vec::new();
    for (i, table) in (0u32..).zip(&p.tables) {
        if table.const_entries.is_empty() {
            let entries = plane.table_entries(TableId(i)).into_iter();
            all.extend(entries.map(|(e, _)| CheckedEntry::Table(e)));
        }
    }
    for i in (0u32..).take(p.rings.len()) {
        all.extend(slots(plane, tables, RingId(i)).into_iter().map(CheckedEntry::Slot));
        all.extend(pools(plane, tables, RingId(i)));
    }
    all
}

/// The generations in force of a ring's pools.
pub(crate) fn pools(plane: &dyn ReadBack, tables: &Tables, ring: RingId) -> Vec<CheckedEntry> {
    let pools = plane.pipeline().rings.get(ring.index()).map_or(0, |r| r.pools);
    let one = |pool| {
        let generation = plane.generation(ring, pool)?;
        tables.check_pool_values(ring, pool.into(), generation).ok().map(CheckedEntry::Pool)
    };
    (0..pools).filter_map(one).collect()
}

/// All slots of a ring that hold something.
pub(crate) fn slots(plane: &dyn ReadBack, tables: &Tables, ring: RingId) -> Vec<SlotEntry> {
    let pools = plane.pipeline().rings.get(ring.index()).map_or(0, |r| r.pools);
    let mut all = Vec::new();
    for (pool, odd) in (0..pools).flat_map(|pool| [(pool, false), (pool, true)]) {
        let slots = (0u32..).zip(plane.slots(ring, pool, odd)).filter(|(_, (_, id))| *id != 0);
        all.extend(slots.filter_map(|(slot, (generation, id))| {
            tables.check_slot_values(ring, (pool.into(), generation, slot.into()), id.into()).ok()
        }));
    }
    all
}

/// The entries that a data plane holds and that are legal in another pipeline too.
fn legal(plane: &dyn ReadBack, old: &Tables, new: &Pipeline) -> Vec<CheckedEntry> {
    let tables = Tables::new(new);
    let rings = &plane.pipeline().rings;
    let ring = |id: RingId| {
        let same = |r: &pipeline_ir::Ring| {
            let own = &rings[id.index()];
            (&r.name, &r.pool_table, r.slots) == (&own.name, &own.pool_table, own.slots)
        };
        new.rings.iter().position(same).map(|at| RingId(at as u32))
    };
    let kept = |entry: CheckedEntry| match &entry {
        CheckedEntry::Table(_) => tables.check(&old.entry(&entry)).ok(),
        CheckedEntry::Pool(e) => {
            let pool = tables.check_pool_values(ring(e.ring())?, e.pool().into(), e.generation());
            pool.ok().map(CheckedEntry::Pool)
        }
        CheckedEntry::Slot(e) => {
            let key = (e.pool().pool().into(), e.pool().generation(), e.slot().into());
            let slot = tables.check_slot_values(ring(e.pool().ring())?, key, e.id().into());
            slot.ok().map(CheckedEntry::Slot)
        }
    };
    held(plane, old).into_iter().filter_map(kept).collect()
}

/// Makes a data plane hold exactly these entries: what is missing comes first, slots before the generations that put them
/// in force, and what goes last.
///
/// # Errors
/// [`WriteError`], with the entry's table.
pub fn hold(plane: &mut dyn ReadBack, wanted: &[CheckedEntry]) -> Result<(), (String, WriteError)> {
    let tables = Tables::new(plane.pipeline());
    let mut old: BTreeMap<Name, CheckedEntry> =
        held(plane, &tables).into_iter().map(|e| (name(&e), e)).collect();
    let mut batch = Vec::new();
    for entry in wanted {
        match old.remove(&name(entry)) {
            Some(same) if same == *entry => {}
            Some(_) => batch.push((entry.clone(), WriteKind::Modify)),
            None => batch.push((entry.clone(), WriteKind::Insert)),
        }
    }
    let order = |entry: &CheckedEntry| match entry {
        CheckedEntry::Table(_) => 0,
        CheckedEntry::Slot(_) => 1,
        CheckedEntry::Pool(_) => 2,
    };
    batch.sort_by_key(|(entry, _)| order(entry));
    let mut gone: Vec<_> = old.into_values().map(|entry| (entry, WriteKind::Delete)).collect();
    gone.sort_by_key(|(entry, _)| std::cmp::Reverse(order(entry)));
    for part in [batch, gone] {
        for (result, (entry, _)) in plane.write_all(&part).into_iter().zip(&part) {
            result.map_err(|error| (tables.entry(entry).table, error))?;
        }
    }
    Ok(())
}

/// What an entry may not be written for.
pub(crate) fn write_failure(error: &WriteError) -> Failure {
    let code = match error {
        WriteError::Exists => Code::AlreadyExists,
        WriteError::NotFound => Code::NotFound,
        WriteError::Full => Code::ResourceExhausted,
        WriteError::Const => Code::PermissionDenied,
        WriteError::Failed(_) => Code::Internal,
    };
    Failure::new(code, error.to_string())
}

/// The value that an entry's name has now.
pub(crate) fn found(plane: &dyn ReadBack, tables: &Tables, entry: &CheckedEntry) -> Option<CheckedEntry> {
    match entry {
        CheckedEntry::Table(e) => plane.table_entry(e).map(CheckedEntry::Table),
        CheckedEntry::Pool(e) => {
            let generation = plane.generation(e.ring(), e.pool())?;
            tables.check_pool_values(e.ring(), e.pool().into(), generation).ok().map(CheckedEntry::Pool)
        }
        CheckedEntry::Slot(e) => displaced(plane, tables, e)
            .filter(|there| there.pool().generation() == e.pool().generation())
            .map(CheckedEntry::Slot),
    }
}

/// What stands where a slot is going to be written: of its generation, or of another one of the same parity.
pub(crate) fn displaced(plane: &dyn ReadBack, tables: &Tables, e: &SlotEntry) -> Option<SlotEntry> {
    let (ring, pool) = (e.pool().ring(), e.pool().pool());
    let (generation, id) = plane.slot(ring, pool, e.pool().generation() % 2 == 1, e.slot())?;
    let key = (pool.into(), generation, e.slot().into());
    tables.check_slot_values(ring, key, id.into()).map_err(|e| entry_failure(&e)).ok()
}
