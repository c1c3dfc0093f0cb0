//! Somebody who makes one change after the other, whatever fails, and remembers what was answered.

use super::client::{Client, Stub};
use super::until;
use control_proto::v1::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Names by what was answered; weights by backend, in order, with whether that was acknowledged.
#[derive(Default)]
struct Record {
    registered: BTreeSet<String>,
    open: BTreeSet<String>,
    weights: BTreeMap<String, Vec<(u32, bool)>>,
}

pub(crate) struct Operator {
    client: Client,
    record: Arc<Mutex<Record>>,
    tasks: Vec<JoinHandle<()>>,
}

/// The pool of backends that are registered and never ready.
const SPARE: &str = "spare";

impl Operator {
    /// Two hands: each gives backends of `web` new weights, and registers backends in another pool.
    pub(crate) async fn start(client: &Client) -> Self {
        let request = CreatePoolRequest { name: SPARE.into(), ..Default::default() };
        client.ask(request, async |mut c: Stub, r| c.create_pool(r).await).await;
        let record = Arc::new(Mutex::new(Record::default()));
        let specs: Vec<BackendSpec> =
            client.pool("web").await.backends.into_iter().filter_map(|b| b.spec).collect();
        let halves = specs.chunks(specs.len().div_ceil(2)).map(<[BackendSpec]>::to_vec);
        let hand = |(number, specs)| tokio::spawn(hand(client.clone(), Arc::clone(&record), number, specs));
        let tasks = (0..).zip(halves).map(hand).collect();
        Self { client: client.clone(), record, tasks }
    }

    /// How many changes were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        let record = self.record.lock().unwrap();
        let weights = record.weights.values().flatten().filter(|(_, acknowledged)| *acknowledged);
        record.registered.len() + weights.count()
    }

    /// Waits until so many more changes were acknowledged.
    pub(crate) async fn goes_on(&self, more: usize) {
        let before = self.acknowledged();
        until("changes go on", async || match self.acknowledged() - before {
            now if now >= more => Ok(()),
            now => Err(format!("{now} of {more} more")),
        })
        .await;
    }

    /// Stops, and checks that every change that was acknowledged is there, and none that nobody asked for.
    pub(crate) async fn end(mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            let _aborted = task.await;
        }
        let spare = self.client.pool(SPARE).await;
        let web = self.client.pool("web").await;
        let record = self.record.lock().unwrap();
        let there: BTreeSet<String> = spare.backends.into_iter().map(|b| b.spec.unwrap().name).collect();
        let lost: Vec<&String> = record.registered.difference(&there).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        let strange: Vec<&String> =
            there.iter().filter(|n| !record.registered.contains(*n) && !record.open.contains(*n)).collect();
        assert!(strange.is_empty(), "nobody asked for: {strange:?}");
        for spec in web.backends.into_iter().filter_map(|b| b.spec) {
            let Some(all) = record.weights.get(&spec.name) else { continue };
            let last = all.iter().rposition(|(_, acknowledged)| *acknowledged);
            let may: Vec<u32> = all[last.unwrap_or(0)..].iter().map(|(weight, _)| *weight).collect();
            let is = spec.weight.unwrap();
            assert!(last.is_none() || may.contains(&is), "{}: weight {is}, not one of {may:?}", spec.name);
        }
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn hand(client: Client, record: Arc<Mutex<Record>>, hand: usize, specs: Vec<BackendSpec>) {
    for turn in 0_usize.. {
        let mut spec = specs[turn % specs.len()].clone();
        let (name, weight) = (spec.name.clone(), 50 + (turn as u32 * 7) % 100);
        spec.weight = Some(weight);
        // Noted before it is asked for: an answer that is cut off is open.
        record.lock().unwrap().weights.entry(name.clone()).or_default().push((weight, false));
        let request = UpdateBackendRequest { backend: Some(spec) };
        if client.once(request, async |mut c: Stub, r| c.update_backend(r).await).await.is_ok() {
            record.lock().unwrap().weights.get_mut(&name).unwrap().last_mut().unwrap().1 = true;
        }
        let name = format!("n-{hand}-{turn}");
        let address = format!("10.9.{}.{}", hand * 100 + turn / 250, turn % 250 + 1);
        let spec = BackendSpec { pool: SPARE.into(), name: name.clone(), address, ..Default::default() };
        let request = RegisterBackendRequest { backend: Some(spec) };
        record.lock().unwrap().open.insert(name.clone());
        if client.once(request, async |mut c: Stub, r| c.register_backend(r).await).await.is_ok() {
            record.lock().unwrap().registered.insert(name);
        }
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
}
