//! Reads (specification §13): what is wanted is gathered while nothing is written.

use crate::decode::{Note, controller_metadata, describe, entry_failure, key, ring_key};
use crate::device::{Device, found, name, pools, slots};
use crate::flows::Walk;
use crate::host::Host;
use crate::map::{Cells, Map, Object, TableMap};
use crate::messages::{Item, Messages};
use crate::status::{Failure, check_count, of_batch};
use p4runtime_proto::p4::v1;
use pipeline_ir::RingId;
use pipeline_ir::entry::CheckedEntry;
use std::collections::BTreeMap;
use sw_fallback::plane::{Count, ReadBack};
use tonic::{Code, Status};
use v1::entity::Entity as E;

/// Entries and cells after which no other entity is looked up: a short request may ask for all of a device many times.
const MANY: usize = 2_000_000;

type Found = Result<(), Failure>;

impl<H: Host> Device<H> {
    /// Gathers what is asked for.
    pub(crate) fn read(&mut self, asked: &[v1::Entity]) -> Result<Messages, Status> {
        let mut items = Vec::new();
        check_count("entities", asked.len())?;
        let one = |entity: &v1::Entity| match items.len() > MANY {
            true => {
                Err(Failure::new(Code::ResourceExhausted, "the answer is too long; ask for less at once"))
            }
            false => self.read_one(entity, &mut items),
        };
        let results: Vec<Found> = asked.iter().map(one).collect();
        let error = of_batch("entities", &results).err();
        Ok(Messages::new(self.map(), items, error))
    }

    fn read_one(&mut self, asked: &v1::Entity, items: &mut Vec<Item>) -> Found {
        // What the P4Info has none of: nothing is there, and nothing else can be asked for.
        let none = |id: u32, what: &str| match id {
            0 => Ok(()),
            id => Err(Failure::new(Code::NotFound, format!("the P4Info has no {what} {id}"))),
        };
        match asked.entity.as_ref() {
            None => Err(Failure::invalid("the entity is not set")),
            Some(E::TableEntry(entry)) => self.tables(entry, items),
            Some(E::DirectCounterEntry(entry)) => self.direct(entry, items),
            Some(E::CounterEntry(entry)) => self.cells(entry, items),
            Some(E::ExternEntry(e)) => none(e.extern_type_id | e.extern_id, "extern"),
            Some(E::ActionProfileMember(e)) => none(e.action_profile_id, "action profile"),
            Some(E::ActionProfileGroup(e)) => none(e.action_profile_id, "action profile"),
            Some(E::MeterEntry(e)) => none(e.meter_id, "meter"),
            Some(E::DirectMeterEntry(e)) => {
                none(e.table_entry.as_ref().map_or(0, |t| t.table_id), "direct meter of table")
            }
            Some(E::PacketReplicationEngineEntry(_)) => Ok(()),
            Some(E::ValueSetEntry(e)) => none(e.value_set_id, "value set"),
            Some(E::RegisterEntry(e)) => match e.register_id {
                0 => Ok(()),
                _ => Err(Failure::new(Code::Unimplemented, "registers are not read here")),
            },
            Some(E::DigestEntry(e)) => none(e.digest_id, "digest"),
        }
    }

    fn tables(&mut self, asked: &v1::TableEntry, items: &mut Vec<Item>) -> Found {
        if asked.idle_timeout_ns != 0 {
            return Err(Failure::invalid("entries are not filtered by their idle time-out"));
        }
        if asked.meter_config.is_some() || asked.meter_counter_data.is_some() {
            return Err(Failure::invalid("no table has a direct meter, as the P4Info says"));
        }
        if asked.table_id == 0 {
            let all = v1::TableEntry {
                counter_data: asked.counter_data,
                time_since_last_hit: asked.time_since_last_hit,
                is_default_action: asked.is_default_action,
                ..v1::TableEntry::default()
            };
            if *asked != all {
                return Err(Failure::invalid(
                    "a read of all tables has no other filter than `is_default_action`",
                ));
            }
            let map = self.map();
            return map.order.iter().try_for_each(|id| {
                self.table(&v1::TableEntry { table_id: *id, ..all.clone() }, true, items)
            });
        }
        self.table(asked, false, items)
    }

    /// One table's; it may lack what is asked for of `all`.
    fn table(&mut self, asked: &v1::TableEntry, all: bool, items: &mut Vec<Item>) -> Found {
        let map = self.map();
        let id = asked.table_id;
        let Some(object) = map.object(id) else {
            return Err(Failure::invalid(format!("the P4Info has no table {id}")));
        };
        if asked.is_default_action {
            if asked.time_since_last_hit.is_some() && !all {
                return Err(Failure::invalid("a default entry has no idle time-out").about(object.name()));
            }
            if !asked.r#match.is_empty() || asked.priority != 0 {
                return Err(
                    Failure::invalid("a default entry has neither key nor priority").about(object.name())
                );
            }
            items.push(Item::Default(id));
            return Ok(());
        }
        if let Object::Flow(flow) = object {
            let walk = Walk::new(self.plane(), flow, asked).map_err(|f| f.about(object.name()))?;
            items.extend(walk.map(|walk| Item::Flows(Box::new(walk))));
            return Ok(());
        }
        let idle = matches!(object, Object::Table(t) if t.idle);
        if asked.time_since_last_hit.is_some() && !all && !idle {
            let failure = Failure::invalid("the table has no idle time-out, as the P4Info says");
            return Err(failure.about(object.name()));
        }
        let counted = matches!(object, Object::Table(t) if t.counted) && asked.counter_data.is_some();
        let entries = self.entries(&map, object, asked).map_err(|f| f.about(&describe(object, asked)))?;
        let action = action_of(asked)?;
        for (entry, count) in entries {
            let notes = self.notes();
            let note = if notes.is_empty() { None } else { notes.get(&name(&entry)).cloned() };
            if passes(object, asked, action, &entry, note.as_ref()) {
                let timed = idle && asked.time_since_last_hit.is_some();
                let since_hit = timed.then(|| self.since_hit(&name(&entry), count));
                items.push(Item::Entry {
                    table: id,
                    entry,
                    count: counted.then_some(count),
                    note,
                    since_hit,
                });
            }
        }
        Ok(())
    }

    /// The entries of a table, or the one that has a key.
    fn entries(
        &mut self,
        map: &Map,
        object: &Object,
        asked: &v1::TableEntry,
    ) -> Result<Vec<(CheckedEntry, Count)>, Failure> {
        let plane = self.plane();
        let keyed = !asked.r#match.is_empty();
        let plain = |list: Vec<CheckedEntry>| list.into_iter().map(|e| (e, Count::default())).collect();
        Ok(match object {
            Object::Table(table) => {
                let all = plane.table_entries(table.table);
                let all = all.into_iter().map(|(e, count)| (CheckedEntry::Table(e), count));
                match keyed.then(|| one(map, table, asked)).transpose()? {
                    None => all.collect(),
                    Some(wanted) => all.filter(|(e, _)| same_key(e, &wanted)).collect(),
                }
            }
            Object::Pool(ring) if keyed => {
                let [pool] = ring_key(ring, &without_priority(asked))?;
                let named =
                    map.tables.check_pool_values(ring.ring, pool, 0).map_err(|e| entry_failure(&e))?;
                plain(found(plane, &map.tables, &CheckedEntry::Pool(named)).into_iter().collect())
            }
            Object::Slot(ring) if keyed => {
                let [pool, generation, slot] = ring_key(ring, &without_priority(asked))?;
                let key = (pool, generation as u8, slot);
                let named = map.tables.check_slot_values(ring.ring, key, 1).map_err(|e| entry_failure(&e))?;
                plain(found(plane, &map.tables, &CheckedEntry::Slot(named)).into_iter().collect())
            }
            Object::Pool(ring) => plain(pools(plane, &map.tables, ring.ring)),
            Object::Slot(ring) => plain(all_slots(plane, map, ring.ring)),
            Object::Flow(_) => Vec::new(),
        })
    }

    fn direct(&mut self, asked: &v1::DirectCounterEntry, items: &mut Vec<Item>) -> Found {
        let map = self.map();
        let wanted = asked.table_entry.clone().unwrap_or_default();
        if wanted.is_default_action {
            let text = "misses are not counted by table: default entries have no direct counter";
            return Err(Failure::new(Code::Unimplemented, text));
        }
        let counted = |o: &Object| matches!(o, Object::Table(t) if t.counted);
        let ids: Vec<u32> = match wanted.table_id {
            0 => map.order.iter().copied().filter(|id| map.object(*id).is_some_and(counted)).collect(),
            id => vec![id],
        };
        for id in ids {
            let Some(object) = map.object(id).filter(|o| counted(o)) else {
                return Err(Failure::invalid(format!("the P4Info has no direct counter of table {id}")));
            };
            let asked = v1::TableEntry { table_id: id, ..wanted.clone() };
            let about = || describe(object, &asked);
            let entries = self.entries(&map, object, &asked).map_err(|f| f.about(&about()))?;
            if entries.is_empty() && !asked.r#match.is_empty() {
                return Err(Failure::new(Code::NotFound, "there is no such entry").about(&about()));
            }
            items.extend(entries.into_iter().map(|(entry, count)| Item::Direct { table: id, entry, count }));
        }
        Ok(())
    }

    fn cells(&mut self, asked: &v1::CounterEntry, items: &mut Vec<Item>) -> Found {
        let map = self.map();
        let ids: Vec<u32> = match asked.counter_id {
            0 => map.counters.keys().copied().collect(),
            id => vec![id],
        };
        let counts = self.plane().counters();
        for id in ids {
            let Some(cells) = map.counters.get(&id) else {
                return Err(Failure::invalid(format!("the P4Info has no counter {id}")));
            };
            let size = match cells {
                Cells::One(_) => 1,
                Cells::Array(_, size) => *size,
            };
            let range = match asked.index.filter(|_| asked.counter_id != 0).map(|i| u64::try_from(i.index)) {
                None => 0..size,
                Some(Ok(index)) if index < size => index..index + 1,
                Some(Ok(index)) => {
                    let text = format!("counter `{}` has {size} cells, no cell {index}", cells.name());
                    return Err(Failure::new(Code::OutOfRange, text));
                }
                Some(Err(_)) => return Err(Failure::invalid("a counter's index is negative")),
            };
            items.extend(range.map(|index| Item::Cell {
                counter: id,
                index,
                count: cells.count(&counts, index),
            }));
        }
        Ok(())
    }
}

impl Cells {
    fn name(&self) -> &str {
        match self {
            Self::One(name) | Self::Array(name, _) => name,
        }
    }
    fn count(&self, counts: &BTreeMap<String, Count>, index: u64) -> Count {
        match self {
            Self::One(name) => counts.get(name),
            Self::Array(name, _) => counts.get(&format!("{name}[{index}]")),
        }
        .copied()
        .unwrap_or_default()
    }
}

fn all_slots(plane: &dyn ReadBack, map: &Map, ring: RingId) -> Vec<CheckedEntry> {
    slots(plane, &map.tables, ring).into_iter().map(CheckedEntry::Slot).collect()
}

/// A ring's entries have no priority; one that is asked for filters them all out later.
fn without_priority(asked: &v1::TableEntry) -> v1::TableEntry {
    v1::TableEntry { priority: 0, ..asked.clone() }
}

/// The key that is asked for, with any priority.
fn one(map: &Map, table: &TableMap, asked: &v1::TableEntry) -> Result<CheckedEntry, Failure> {
    let key = key(&table.fields, &asked.r#match)?;
    let needs = map.schema.table(table.id).is_some_and(|t| t.needs_priority());
    let priority = if needs { asked.priority.max(1) } else { 0 };
    let named = map.tables.check_name(table.table, &key, priority).map_err(|e| entry_failure(&e))?;
    Ok(CheckedEntry::Table(named))
}

fn same_key(a: &CheckedEntry, b: &CheckedEntry) -> bool {
    matches!((a, b), (CheckedEntry::Table(a), CheckedEntry::Table(b)) if a.key() == b.key())
}

/// The action that entries must have.
fn action_of(asked: &v1::TableEntry) -> Result<Option<u32>, Failure> {
    use v1::table_action::Type as T;
    match asked.action.as_ref().map(|a| a.r#type.as_ref()) {
        None => Ok(None),
        Some(Some(T::Action(action))) => Ok(Some(action.action_id)),
        Some(_) => Err(Failure::invalid("entries are filtered by an action's id only")),
    }
}

fn passes(
    object: &Object,
    asked: &v1::TableEntry,
    action: Option<u32>,
    entry: &CheckedEntry,
    note: Option<&Note>,
) -> bool {
    let (priority, own) = match (object, entry) {
        (Object::Table(t), CheckedEntry::Table(e)) => {
            let own = t.actions.iter().find(|a| a.action == e.action()).map(|a| a.id);
            (e.priority(), own)
        }
        (Object::Pool(r) | Object::Slot(r), _) => (0, Some(r.action)),
        _ => (0, None),
    };
    let noted = |wanted: bool, is: &dyn Fn(&Note) -> bool| !wanted || note.is_some_and(is);
    (asked.priority == 0 || asked.priority == priority)
        && (action.is_none() || action == own)
        && noted(!asked.metadata.is_empty(), &|n| n.metadata == asked.metadata)
        && noted(controller_metadata(asked) != 0, &|n| n.controller_metadata == controller_metadata(asked))
}
