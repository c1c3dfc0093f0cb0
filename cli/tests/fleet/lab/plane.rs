//! What the data plane holds, read over P4Runtime.

use control_proto::v1::PoolSnapshot;
use p4runtime_proto::p4::v1::TableEntry;
use p4runtime_proto::p4::v1::field_match::FieldMatchType;
use p4runtime_proto::p4::v1::table_action::Type;
use runtime_client::{Atomicity, Names, Options, Profile, Session, delete, modify};
use std::collections::{BTreeMap, BTreeSet};

/// Slots of a ring.
const SLOTS: u32 = 65_537;

/// A reader that never writes.
pub(crate) struct Plane {
    session: Session,
    names: Names,
}

/// The tables of one pool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) generation: u32,
    /// The owner of each slot of the generation in force.
    pub(crate) slots: Vec<u32>,
    pub(crate) backends: BTreeSet<u32>,
}

impl Held {
    /// Slots by owner.
    pub(crate) fn shares(&self) -> BTreeMap<u32, u32> {
        let mut shares = BTreeMap::new();
        for id in &self.slots {
            *shares.entry(*id).or_default() += 1;
        }
        shares
    }
}

impl Plane {
    pub(crate) async fn of(address: &str, profile: &str) -> Self {
        let mut options = Options::new(address, Profile::named(profile).unwrap());
        options.election_id = 1;
        options.patience = super::LONG;
        let session = Session::connect(options).await.unwrap();
        let names = session.names().await.unwrap();
        Self { session, names }
    }

    /// A client with a role of its own, who may write beside an agent.
    pub(crate) async fn stranger(address: &str) -> Self {
        let mut options = Options::new(address, Profile::named("guideway").unwrap());
        options.role = Some("stranger".into());
        options.patience = super::LONG;
        let session = Session::connect(options).await.unwrap();
        session.primary().await.unwrap();
        let names = session.names().await.unwrap();
        Self { session, names }
    }

    /// Gives so many slots of each generation of a pool to others, and takes its first backend away; how many entries that changes.
    pub(crate) async fn spoil(&self, pool: u32, slots: usize) -> u64 {
        let rings = self.entries("ring").await;
        let mut updates = vec![delete(self.entries("backend").await.remove(0))];
        for generation in self.rings(pool).await.into_keys() {
            let mut own = rings.iter().filter(|e| numbers(e).0[..2] == [pool, generation]);
            let thief = &own.next().unwrap().action;
            let stolen = own.filter(|e| e.action != *thief).take(slots);
            updates.extend(stolen.map(|e| modify(TableEntry { action: thief.clone(), ..e.clone() })));
        }
        let all = Some(&self.names);
        self.session.write(&updates, Atomicity::ContinueOnError, all).await.unwrap().ok().unwrap();
        updates.len() as u64
    }

    async fn entries(&self, table: &str) -> Vec<TableEntry> {
        let table_id = self.names.table(table).unwrap().id;
        let asked = TableEntry { table_id, ..TableEntry::default() };
        let mut all = self.session.table_entries(asked).await.unwrap();
        all.retain(|e| !e.is_default_action);
        all
    }

    /// Keys and parameters of a table's entries, in the order in which they are declared.
    async fn all(&self, table: &str) -> Vec<(Vec<u32>, Vec<u32>)> {
        self.entries(table).await.iter().map(numbers).collect()
    }

    /// A whole table, or why it is none: every slot of the generation in force has an owner, who is in `backend`. For as long as
    /// nobody writes.
    pub(crate) async fn held(&self, pool: u32) -> Result<Held, String> {
        let pools = self.all("pool").await;
        let in_force = pools.iter().find(|(key, _)| key[0] == pool).ok_or("no generation is in force")?;
        let generation = in_force.1[0];
        let slots = self.rings(pool).await.remove(&generation).unwrap_or_default();
        let backends: BTreeSet<u32> = self.all("backend").await.iter().map(|(key, _)| key[0]).collect();
        if !slots.keys().copied().eq(0..SLOTS) {
            return Err(format!("{} slots", slots.len()));
        }
        let slots: Vec<u32> = slots.into_values().collect();
        match slots.iter().find(|id| !backends.contains(id)) {
            Some(id) => Err(format!("slots of {id}, which `backend` has not")),
            None => Ok(Held { generation, slots, backends }),
        }
    }

    /// Owners by slot, of every generation of a pool.
    async fn rings(&self, pool: u32) -> BTreeMap<u32, BTreeMap<u32, u32>> {
        let mut rings: BTreeMap<u32, BTreeMap<u32, u32>> = BTreeMap::new();
        for (key, params) in self.all("ring").await.into_iter().filter(|(key, _)| key[0] == pool) {
            rings.entry(key[1]).or_default().insert(key[2], params[0]);
        }
        rings
    }

    /// Waits until the generation that is not in force holds the same table: an agent has nothing left to write.
    pub(crate) async fn stands_by(&self, pool: u32) {
        super::until("the other generation stands by", async || {
            let rings: Vec<_> = self.rings(pool).await.into_values().collect();
            let alike = rings.len() == 2 && rings[0] == rings[1];
            if alike {
                Ok(())
            } else {
                Err(format!("{:?} slots", rings.iter().map(BTreeMap::len).collect::<Vec<_>>()))
            }
        })
        .await;
    }

    /// Waits until the data plane holds the table that the controller tells of.
    pub(crate) async fn holds(&self, pool: &PoolSnapshot) -> Held {
        let slots = slots(pool);
        let number = pool.pool.as_ref().unwrap().number;
        super::until("the table is in force", async || match self.held(number).await {
            Ok(held) if held.slots == slots => Ok(held),
            Ok(held) => Err(format!("another table: {:?}", held.shares())),
            Err(why) => Err(why),
        })
        .await
    }
}

/// The slots that a controller tells of.
pub(crate) fn slots(pool: &PoolSnapshot) -> Vec<u32> {
    let bytes = &pool.table.as_ref().unwrap().slots;
    bytes.chunks(4).map(|w| u32::from_le_bytes(w.try_into().unwrap())).collect()
}

/// Key and parameters of an entry, the last four bytes of each.
fn numbers(entry: &TableEntry) -> (Vec<u32>, Vec<u32>) {
    let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
    let key = entry.r#match.iter().map(|field| match &field.field_match_type {
        Some(FieldMatchType::Exact(exact)) => number(&exact.value),
        other => panic!("{other:?}"),
    });
    let params = match entry.action.as_ref().and_then(|a| a.r#type.as_ref()) {
        Some(Type::Action(action)) => action.params.iter().map(|p| number(&p.value)).collect(),
        _ => Vec::new(),
    };
    (key.collect(), params)
}
