//! Somebody else writes to the data plane.

use crate::common::controller::Controller;
use crate::common::snapshots::{Pool, id, vip, whole};
use crate::common::switch::{Goes, Switch};
use crate::common::{in_force, settings, until};
use control_agent::Agent;
use control_proto::v1::NodeReport;
use p4runtime_proto::p4::v1::{TableEntry, Update};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::Entry;
use runtime_client::{Atomicity, Names, Options, Profile, Session, delete, insert, modify};
use std::time::Duration;

/// A client with a role of its own: the agent stays who it is, and hears nothing of it.
pub(crate) struct Stranger {
    session: Session,
    names: Names,
}

impl Stranger {
    pub(crate) async fn of(switch: &Switch) -> Self {
        let mut options = Options::new(&switch.address, Profile::named("guideway").unwrap());
        options.role = Some("stranger".into());
        options.patience = Duration::from_secs(120);
        let session = Session::connect(options).await.unwrap();
        session.primary().await.unwrap();
        let names = session.names().await.unwrap();
        Self { session, names }
    }

    fn entry(&self, table: &str, key: &[(&str, u128)], action: &str, params: &[(&str, u128)]) -> TableEntry {
        let entry = Entry {
            table: table.into(),
            key: key.iter().map(|(n, v)| ((*n).to_owned(), KeyValue::Exact(*v))).collect(),
            action: action.into(),
            params: params.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect(),
            ..Entry::default()
        };
        self.names.entry(&entry).unwrap()
    }

    pub(crate) async fn write(&self, updates: &[Update]) {
        let written =
            self.session.write(updates, Atomicity::ContinueOnError, Some(&self.names)).await.unwrap();
        written.ok().unwrap();
    }

    /// What a table holds.
    pub(crate) async fn all(&self, table: &str) -> Vec<TableEntry> {
        let table_id = self.names.table(table).unwrap().id;
        let asked = TableEntry { table_id, ..TableEntry::default() };
        let all = self.session.table_entries(asked).await.unwrap();
        all.into_iter().filter(|e| !e.is_default_action).collect()
    }

    /// The generation of pool 1 that is in force.
    async fn generation(&self) -> u128 {
        self.names.named(&self.all("pool").await[0]).unwrap().params[0].1
    }
}

/// Waits until it is so.
async fn so(what: &str, mut is: impl AsyncFnMut() -> bool) {
    for _ in 0..6_000 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: it never came to be");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_has_changed_is_repaired_and_told() {
    let switch = Switch::start().await;
    let pool = Pool::new(1, &[(1, 100), (2, 100), (3, 100)]);
    let vips = [vip(1, "203.0.113.10", 80, 1)];
    let controller = Controller::start(whole(1, &vips, &[&pool])).await;
    let mut settings = settings(&controller.address, &switch.address, None);
    settings.manner.audit = Some(Duration::from_millis(200));
    let agent = Agent::start(settings).await.unwrap();
    in_force(&agent, 1).await;
    let stranger = Stranger::of(&switch).await;
    // Of the ring in force, and of the one that stands by.
    let stolen = |generation: u128| -> Vec<Update> {
        let others = (0..).zip(pool.slots()).filter(|(_, owner)| *owner != id(1)).take(5);
        let slot = |slot: u128| {
            let key = [("pool", 1), ("generation", generation), ("slot", slot)];
            modify(stranger.entry("ring", &key, "set_ring", &[("id", id(1).into())]))
        };
        others.map(|(at, _)| slot(at)).collect()
    };
    let vip_of = |port: u128| {
        let key = [("dst", 0xcb00_710a), ("protocol", 6), ("dst_port", port)];
        let params = [("vip", 9), ("pool", 1), ("hash_key", 1), ("flags", 0), ("class", 0)];
        stranger.entry("vip4", &key, "set_vip", &params)
    };
    let vips = stranger.all("vip4").await;
    let backends = stranger.all("backend").await;
    // Both generations hold the table.
    so("it stands by", async || switch.generations(1).await.iter().all(|held| *held == pool.slots())).await;
    let generation = stranger.generation().await;
    let mut updates = [stolen(generation), stolen(generation ^ 1)].concat();
    updates.extend([insert(vip_of(81)), modify(vip_of(80)), delete(backends[1].clone())]);
    stranger.write(&updates).await;
    let foreign = updates.len() as u64;
    until("all is found", || agent.status().facts().foreign == foreign).await;
    let told = |report: &NodeReport| report.alarms.iter().any(|a| a.starts_with("foreign changes"));
    until("it is told", || controller.inner.reports.lock().unwrap().iter().any(told)).await;
    so("it is repaired", async || {
        // As long as the backend is gone, the table is not whole.
        stranger.all("backend").await == backends
            && stranger.all("vip4").await == vips
            && switch.goes(1).await == Goes::By(pool.slots())
    })
    .await;
    until("the alarm is over", || agent.status().facts().alarms.is_empty()).await;
    // What it writes itself is nobody else's.
    let mut next = pool.clone();
    next.set(&[(1, 100), (2, 50), (3, 100)]);
    let all = whole(2, &[vip(1, "203.0.113.10", 80, 1)], &[&next]);
    controller.say(all.clone(), all).await;
    in_force(&agent, 2).await;
    so("it stands by", async || switch.generations(1).await.iter().all(|held| *held == next.slots())).await;
    assert_eq!(agent.status().facts().foreign, foreign);
    assert_eq!(switch.goes(1).await, Goes::By(next.slots()));
}
