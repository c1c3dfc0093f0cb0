//! Ids and aliases as p4c computes them.
//!
//! An id is the kind's prefix and 24 bits of Jenkins' one-at-a-time hash over the name. What is
//! taken is stepped over; names of a kind come in sorted order, those with an id of their own first.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;

/// The kind of an object, with the prefix of its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `0x01`
    Action = 0x01,
    /// `0x02`
    Table = 0x02,
    /// `0x03`
    ValueSet = 0x03,
    /// `0x11`
    ActionProfile = 0x11,
    /// `0x12`
    Counter = 0x12,
    /// `0x13`
    DirectCounter = 0x13,
    /// `0x14`
    Meter = 0x14,
    /// `0x15`
    DirectMeter = 0x15,
    /// `0x16`
    Register = 0x16,
    /// `0x17`
    Digest = 0x17,
    /// `0x81`
    ControllerHeader = 0x81,
}

/// Bits of an id that are not the kind's prefix.
const LOW: u32 = 0x00ff_ffff;

impl Kind {
    /// The prefix of its ids, in place.
    pub fn prefix(self) -> u32 {
        (self as u32) << 24
    }
}

/// Jenkins' one-at-a-time hash.
pub fn hash(name: &str) -> u32 {
    let mixed = name.bytes().fold(0u32, |hash, byte| {
        let hash = hash.wrapping_add(u32::from(byte));
        let hash = hash.wrapping_add(hash << 10);
        hash ^ (hash >> 6)
    });
    let mixed = mixed.wrapping_add(mixed << 3);
    let mixed = mixed ^ (mixed >> 11);
    mixed.wrapping_add(mixed << 15)
}

/// The objects of a program by kind and name, with the ids that the user gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Symbols {
    names: BTreeMap<(Kind, String), Option<u32>>,
}

/// Ids and aliases of all objects.
pub(super) struct Assigned {
    ids: BTreeMap<(Kind, String), u32>,
    all: BTreeSet<String>,
}

impl Symbols {
    /// Adds an object.
    pub(super) fn add(&mut self, kind: Kind, name: &str, id: Option<u32>) -> Result<(), Error> {
        let id = id.map(|id| own(kind, name, id)).transpose()?;
        match self.names.insert((kind, name.to_owned()), id) {
            None => Ok(()),
            Some(_) => Err(Error::Duplicate { name: name.to_owned() }),
        }
    }

    /// Assigns ids to all objects.
    pub(super) fn assign(&self) -> Result<Assigned, Error> {
        let mut taken = BTreeSet::new();
        let mut ids = BTreeMap::new();
        for (key, id) in &self.names {
            if let Some(id) = *id {
                if !taken.insert(id) {
                    return Err(Error::IdTaken { name: key.1.clone(), id });
                }
                ids.insert(key.clone(), id);
            }
        }
        for ((kind, name), _) in self.names.iter().filter(|(_, id)| id.is_none()) {
            let start = hash(name);
            let free = (0..=LOW)
                .map(|step| kind.prefix() | (start.wrapping_add(step) & LOW))
                .find(|id| taken.insert(*id));
            ids.insert((*kind, name.clone()), free.ok_or(Error::Full { name: name.clone() })?);
        }
        let all = self.names.keys().map(|(_, name)| name.clone()).collect();
        Ok(Assigned { ids, all })
    }
}

/// The id that a user gave, with the kind's prefix.
fn own(kind: Kind, name: &str, id: u32) -> Result<u32, Error> {
    let prefix = id & !LOW;
    if (prefix != 0 && prefix != kind.prefix()) || id == 0 {
        return Err(Error::WrongPrefix { name: name.to_owned(), id });
    }
    Ok(kind.prefix() | id)
}

impl Assigned {
    /// The id of an object.
    pub(super) fn id(&self, kind: Kind, name: &str) -> Result<u32, Error> {
        let id = self.ids.get(&(kind, name.to_owned())).copied();
        id.ok_or_else(|| Error::Unknown { name: name.to_owned() })
    }

    /// The shortest dotted suffix that no other name ends in; the name itself if all are shared.
    pub(super) fn alias(&self, name: &str) -> String {
        let starts = name.rmatch_indices('.').map(|(at, _)| at + 1);
        let unique = |suffix: &str| {
            let dotted = format!(".{suffix}");
            self.all.iter().filter(|other| *other == suffix || other.ends_with(&dotted)).count() < 2
        };
        starts.map(|at| &name[at..]).find(|suffix| unique(suffix)).unwrap_or(name).to_owned()
    }
}
