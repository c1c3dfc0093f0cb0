//! Brings a data plane to what a file asks for, in an order in which no packet meets a gap: new entries, then rings,
//! then the pools' generations, then what goes.

use super::Refused;
use super::rings::Rings;
use pipeline_entries::{RingSpec, Wanted};
use pipeline_ir::entry::{CheckedEntry, TableEntry, Tables, WriteError, WriteKind};
use pipeline_ir::{KeyValue, Pipeline, RingId, TableId};
use std::collections::BTreeMap;
use std::fmt;
use sw_fallback::plane::{DataPlane, ReadBack};

/// A data plane with what is known of its rings.
#[derive(Debug)]
pub struct Applied {
    tables: Tables,
    /// What each pool holds.
    pub rings: Rings,
    /// Generations in force.
    pub in_force: BTreeMap<(RingId, u32), u8>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    inserted: usize,
    modified: usize,
    deleted: usize,
    rings: usize,
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inserted, modified, deleted, rings } = self;
        write!(f, "{inserted} entries inserted, {modified} modified, {deleted} deleted, {rings} rings filled")
    }
}

/// Refuses more entries than a table has room for, before any is written.
fn room(p: &Pipeline, wanted: &Wanted) -> Result<(), Refused> {
    for (i, table) in (0u32..).zip(&p.tables) {
        let its = |e: &&CheckedEntry| matches!(e, CheckedEntry::Table(e) if e.table() == TableId(i));
        let count = wanted.entries.iter().filter(its).count();
        if count > table.size as usize {
            let (name, size) = (&table.name, table.size);
            return Err(Refused(format!(
                "error: table `{name}` has room for {size} entries, but {count} are given; raise its size in the pipeline"
            )));
        }
    }
    Ok(())
}

type Name = (TableId, Vec<KeyValue>, i32);

fn name(e: &TableEntry) -> Name {
    (e.table(), e.key().to_vec(), e.priority())
}

impl Applied {
    /// A data plane whose pools have no generation.
    #[must_use]
    pub fn new(p: &Pipeline) -> Self {
        Self { tables: Tables::new(p), rings: Rings::new(p), in_force: BTreeMap::new() }
    }

    /// What a data plane already holds of rings.
    #[must_use]
    pub fn adopted(plane: &dyn ReadBack) -> Self {
        let mut applied = Self::new(plane.pipeline());
        for (i, ring) in (0u32..).zip(&plane.pipeline().rings) {
            for pool in 0..ring.pools {
                let Some(generation) = plane.generation(RingId(i), pool) else { continue };
                let slots = plane.slots(RingId(i), pool, generation % 2 == 1);
                let ids = slots.iter().map(|(g, id)| if *g == generation { *id } else { 0 });
                applied.in_force.insert((RingId(i), pool), generation);
                applied.rings.adopt(RingId(i), pool, &ids.collect::<Vec<_>>());
            }
        }
        applied
    }

    /// Makes the data plane hold what is wanted, and nothing else.
    ///
    /// # Errors
    /// A table has no room, or a write is refused.
    pub fn apply(&mut self, plane: &mut dyn DataPlane, wanted: &Wanted) -> Result<Changes, Refused> {
        room(plane.pipeline(), wanted)?;
        let mut changes = Changes::default();
        let mut old = present(plane);
        let mut new = Vec::new();
        for entry in &wanted.entries {
            let CheckedEntry::Table(e) = entry else { continue };
            match old.remove(&name(e)) {
                Some(same) if same == *e => {}
                Some(_) => new.push((entry.clone(), WriteKind::Modify)),
                None => new.push((entry.clone(), WriteKind::Insert)),
            }
        }
        // At once: a plane may make its tables anew for each batch.
        let done = plane.write_all(&new);
        for ((entry, kind), done) in new.iter().zip(done) {
            if let Err(error) = done {
                self.clear(plane, entry, &error, &mut old, &mut changes)?;
                self.write(plane, entry, *kind)?;
            }
            match kind {
                WriteKind::Insert => changes.inserted += 1,
                _ => changes.modified += 1,
            }
        }
        for spec in &wanted.rings {
            changes.rings += usize::from(self.ring(plane, spec)?);
        }
        self.single(plane, wanted)?;
        self.drop_pools(plane, wanted)?;
        for entry in old.into_values() {
            self.write(plane, &CheckedEntry::Table(entry), WriteKind::Delete)?;
            changes.deleted += 1;
        }
        Ok(changes)
    }

    fn write(&self, plane: &mut dyn DataPlane, entry: &CheckedEntry, kind: WriteKind) -> Result<(), Refused> {
        plane.write(entry, kind).map_err(|error| self.refusal(entry, &error))
    }

    fn refusal(&self, entry: &CheckedEntry, error: &WriteError) -> Refused {
        let entry = self.tables.entry(entry);
        Refused(format!("error: table `{}`, action `{}`: {error}", entry.table, entry.action))
    }

    /// Takes away the old entries that are in the way of one.
    fn clear(
        &self,
        plane: &mut dyn DataPlane,
        entry: &CheckedEntry,
        error: &WriteError,
        old: &mut BTreeMap<Name, TableEntry>,
        changes: &mut Changes,
    ) -> Result<(), Refused> {
        let CheckedEntry::Table(e) = entry else { return Ok(()) };
        let slot = self.tables.slot(e);
        let in_the_way = |o: &TableEntry| match error {
            WriteError::Exists => o.table() == e.table() && slot.is_some() && self.tables.slot(o) == slot,
            WriteError::Full => o.table() == e.table(),
            _ => false,
        };
        let names: Vec<Name> = old.iter().filter(|(_, o)| in_the_way(o)).map(|(n, _)| n.clone()).collect();
        for gone in names.iter().filter_map(|n| old.remove(n)) {
            self.write(plane, &CheckedEntry::Table(gone), WriteKind::Delete)?;
            changes.deleted += 1;
        }
        Ok(())
    }

    /// Fills a generation that is not in force, then puts it in force.
    fn ring(&mut self, plane: &mut dyn DataPlane, spec: &RingSpec) -> Result<bool, Refused> {
        let before = self.rings.slots(spec.ring, spec.pool).map(<[u32]>::to_vec);
        let now = self.in_force.get(&(spec.ring, spec.pool)).copied();
        let fill = self.rings.fill(spec, spec.generation)?;
        if now == Some(spec.generation) && before.as_deref() == Some(fill.slots()) {
            return Ok(false);
        }
        if let Some(now) = now.filter(|now| now % 2 == spec.generation % 2) {
            // The generation asked for would be written over the one in force: the other half serves meanwhile.
            let between = now.wrapping_add(1);
            let fill = self.rings.fill(spec, between)?;
            plane.fill_ring(&fill)?;
            self.flip(plane, spec, between)?;
        }
        plane.fill_ring(&fill)?;
        self.flip(plane, spec, spec.generation)?;
        Ok(true)
    }

    fn flip(&mut self, plane: &mut dyn DataPlane, spec: &RingSpec, generation: u8) -> Result<(), Refused> {
        let entry = self.rings.pool_entry(spec.ring, spec.pool, generation)?;
        let there = self.in_force.contains_key(&(spec.ring, spec.pool));
        self.write(plane, &entry, if there { WriteKind::Modify } else { WriteKind::Insert })?;
        self.in_force.insert((spec.ring, spec.pool), generation);
        Ok(())
    }

    /// Slots and generations that are written one by one.
    fn single(&mut self, plane: &mut dyn DataPlane, wanted: &Wanted) -> Result<(), Refused> {
        let slots = wanted.entries.iter().filter(|e| matches!(e, CheckedEntry::Slot(_)));
        let pools = wanted.entries.iter().filter(|e| matches!(e, CheckedEntry::Pool(_)));
        for entry in slots.chain(pools) {
            if plane.write(entry, WriteKind::Insert) == Err(WriteError::Exists) {
                self.write(plane, entry, WriteKind::Modify)?;
            }
            if let CheckedEntry::Pool(e) = entry {
                self.in_force.insert((e.ring(), e.pool()), e.generation());
            }
        }
        Ok(())
    }

    /// Pools that are not wanted any more.
    fn drop_pools(&mut self, plane: &mut dyn DataPlane, wanted: &Wanted) -> Result<(), Refused> {
        let single = wanted.entries.iter().filter_map(|e| match e {
            CheckedEntry::Pool(e) => Some((e.ring(), e.pool())),
            _ => None,
        });
        let stay: Vec<_> = wanted.rings.iter().map(|r| (r.ring, r.pool)).chain(single).collect();
        let gone: Vec<_> =
            self.in_force.iter().filter(|(p, _)| !stay.contains(p)).map(|(p, g)| (*p, *g)).collect();
        for ((ring, pool), generation) in gone {
            let entry = self.rings.pool_entry(ring, pool, generation)?;
            self.write(plane, &entry, WriteKind::Delete)?;
            self.in_force.remove(&(ring, pool));
        }
        Ok(())
    }
}

/// The entries that the data plane holds, without those of the source.
fn present(plane: &dyn DataPlane) -> BTreeMap<Name, TableEntry> {
    let tables = (0u32..).zip(&plane.pipeline().tables);
    let own = tables.filter(|(_, t)| t.const_entries.is_empty()).map(|(i, _)| TableId(i));
    own.flat_map(|id| plane.table_entries(id)).map(|(e, _)| (name(&e), e)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pipeline_ir::FlowTableId;
    use pipeline_ir::entry::CheckedFill;
    use pipeline_ir::entry::{Entry, PoolEntry};
    use sw_fallback::plane::{Count, FlowRecord};

    /// A data plane that writes down what it is asked; slot tables hold one entry a slot.
    struct Noted {
        p: Pipeline,
        tables: Tables,
        held: Vec<TableEntry>,
        log: Vec<String>,
        batches: Vec<usize>,
    }

    impl DataPlane for Noted {
        fn pipeline(&self) -> &Pipeline {
            &self.p
        }
        fn write(&mut self, entry: &CheckedEntry, kind: WriteKind) -> Result<(), WriteError> {
            let text = match entry {
                CheckedEntry::Pool(e) => format!("generation {}", e.generation()),
                CheckedEntry::Table(e) => {
                    let slot = self.tables.slot(e);
                    let at = self.held.iter().position(|h| name(h) == name(e));
                    let taken =
                        self.held.iter().any(|h| h.table() == e.table() && self.tables.slot(h) == slot);
                    match (kind, at) {
                        (WriteKind::Insert, None) if slot.is_none() || !taken => self.held.push(e.clone()),
                        (WriteKind::Insert, _) => return Err(WriteError::Exists),
                        (_, None) => return Err(WriteError::NotFound),
                        (WriteKind::Modify, Some(i)) => self.held[i] = e.clone(),
                        (WriteKind::Delete, Some(i)) => drop(self.held.remove(i)),
                    }
                    self.tables.entry(entry).key.iter().map(|(_, v)| format!("{v:?}")).collect()
                }
                CheckedEntry::Slot(_) => "slot".into(),
            };
            self.log.push(format!("{kind:?} {text}"));
            Ok(())
        }
        fn write_all(&mut self, batch: &[(CheckedEntry, WriteKind)]) -> Vec<Result<(), WriteError>> {
            self.batches.push(batch.len());
            batch.iter().map(|(entry, kind)| self.write(entry, *kind)).collect()
        }
        fn fill_ring(&mut self, fill: &CheckedFill) -> Result<(), WriteError> {
            self.log.push(format!("fill {}", PoolEntry::generation(&fill.pool())));
            Ok(())
        }
        fn counters(&self) -> BTreeMap<String, Count> {
            BTreeMap::new()
        }
        fn table_entries(&self, table: TableId) -> Vec<(TableEntry, Count)> {
            let own = self.held.iter().filter(|e| e.table() == table);
            own.map(|e| (e.clone(), Count::default())).collect()
        }
        fn flows(&self, _: FlowTableId) -> Vec<FlowRecord> {
            Vec::new()
        }
    }

    fn setup() -> (Noted, Applied) {
        let set = [("RING_SLOTS".to_owned(), "257".to_owned())];
        let p = pipeline_syntax::compile_source("l4lb.rs", crate::builtin::L4LB, &set).unwrap();
        let applied = Applied::new(&p);
        (
            Noted { tables: Tables::new(&p), p, held: Vec::new(), log: Vec::new(), batches: Vec::new() },
            applied,
        )
    }

    /// Backends by id, and pool 1's ring over them.
    fn wanted(plane: &Noted, ids: &[u32], mtu: u128, generation: u8) -> Wanted {
        let fields = ["src", "spread", "dst", "port", "dst_mac", "src_mac"];
        let backend = |id: &u32| {
            let params = fields.iter().map(|f| ((*f).to_owned(), 1)).chain([("mtu".to_owned(), mtu)]);
            plane.tables.check(&Entry {
                table: "backend".into(),
                key: vec![("backend".into(), KeyValue::Exact((*id).into()))],
                priority: 0,
                action: "ipip4".into(),
                params: params.collect(),
            })
        };
        let members = ids.iter().map(|id| (*id, 1)).collect();
        let rings = vec![RingSpec { ring: RingId(0), pool: 1, generation, members }];
        Wanted { entries: ids.iter().map(|id| backend(id).unwrap()).collect(), rings }
    }

    /// Applies, and checks what was written in which order.
    fn check(plane: &mut Noted, applied: &mut Applied, wanted: &Wanted, log: &[&str]) {
        plane.log.clear();
        applied.apply(plane, wanted).unwrap();
        assert_eq!(plane.log, log);
    }

    #[test]
    fn what_comes_is_there_before_rings_and_what_goes_stays_until_after() {
        let (mut plane, mut applied) = setup();
        let first = wanted(&plane, &[1, 2], 1500, 1);
        check(
            &mut plane,
            &mut applied,
            &first,
            &["Insert Exact(1)", "Insert Exact(2)", "fill 1", "Insert generation 1"],
        );
        check(&mut plane, &mut applied, &first, &[]);
        assert_eq!(plane.batches, [2, 0], "what is new comes at once");
        let second = wanted(&plane, &[1, 3], 1400, 2);
        let log = ["Modify Exact(1)", "Insert Exact(3)", "fill 2", "Modify generation 2", "Delete Exact(2)"];
        check(&mut plane, &mut applied, &second, &log);
        let log = ["Delete generation 2", "Delete Exact(1)", "Delete Exact(3)"];
        check(&mut plane, &mut applied, &Wanted::default(), &log);
    }

    #[test]
    fn the_generation_in_force_is_never_written_over() {
        let (mut plane, mut applied) = setup();
        let first = wanted(&plane, &[1, 2], 1500, 1);
        applied.apply(&mut plane, &first).unwrap();
        // Another generation of the same parity, then the same generation with other slots.
        let flip = ["fill 2", "Modify generation 2", "fill 3", "Modify generation 3"];
        let second = wanted(&plane, &[1, 2, 3], 1500, 3);
        check(&mut plane, &mut applied, &second, &[&["Insert Exact(3)"], &flip[..]].concat());
        let flip = ["fill 4", "Modify generation 4", "fill 3", "Modify generation 3"];
        let third = wanted(&plane, &[1, 2], 1500, 3);
        check(&mut plane, &mut applied, &third, &[&flip[..], &["Delete Exact(3)"]].concat());
    }

    #[test]
    fn an_entry_whose_slot_is_taken_comes_after_the_one_in_its_way() {
        let (mut plane, mut applied) = setup();
        let first = wanted(&plane, &[1], 1500, 1);
        applied.apply(&mut plane, &first).unwrap();
        let reborn = wanted(&plane, &[1 << 14 | 1], 1500, 2);
        let log = ["Delete Exact(1)", "Insert Exact(16385)", "fill 2", "Modify generation 2"];
        check(&mut plane, &mut applied, &reborn, &log);
    }
}
