//! The storage stops at any byte, and what was not synced may be there or not: what is opened again is the state after
//! some commit, and none that was acknowledged is missing.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use redb::StorageBackend;

use super::store::Store;
use crate::{Change, RegistryError, Revision, Term};

#[derive(Clone, Debug)]
enum Step {
    Write(usize, Vec<u8>),
    Length(usize),
    Sync,
}

impl Step {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Step::Write(at, data) => image[*at..*at + data.len()].copy_from_slice(data),
            Step::Length(length) => image.resize(*length, 0),
            Step::Sync => {}
        }
    }
}

/// Bytes in memory, and what was done to them.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<(Vec<u8>, Vec<Step>)>>);

impl Disk {
    fn holding(image: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new((image, Vec::new()))))
    }

    fn steps(&self) -> usize {
        self.0.lock().unwrap().1.len()
    }

    fn step(&self, step: Step) {
        let (image, steps) = &mut *self.0.lock().unwrap();
        step.apply(image);
        steps.push(step);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().0.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let image = &self.0.lock().unwrap().0;
        let part = image.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(part);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step(Step::Length(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step(Step::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.step(Step::Write(usize::try_from(offset).unwrap(), data.to_vec()));
        Ok(())
    }
}

/// A small generator, so that a failure can be had again (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

type State = BTreeMap<String, Bytes>;

fn changes(revision: usize, random: &mut Random) -> Vec<Change> {
    let mut changes = Vec::new();
    for _ in 0..random.below(4) {
        let length = [3, 100, 5_000, 40_000][random.below(4)];
        let value = vec![u8::try_from(revision).unwrap(); length];
        changes.push(Change::Put(format!("k{}", random.below(6)), Bytes::from(value)));
    }
    changes.push(Change::Delete(format!("k{}", random.below(6))));
    changes
}

fn apply(state: &mut State, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Put(key, value) => drop(state.insert(key.clone(), value.clone())),
            Change::Delete(key) => drop(state.remove(key)),
        }
    }
}

/// What was done to the disk, the state after each revision, and after how many steps it was acknowledged.
struct Story {
    steps: Vec<Step>,
    states: Vec<State>,
    acknowledged: Vec<usize>,
}

fn story(seed: u64) -> Story {
    let mut random = Random(seed);
    let disk = Disk::default();
    let store = Store::over(disk.clone()).unwrap();
    let mut states = vec![State::new()];
    let mut acknowledged = vec![disk.steps()];
    let mut term = store.raise_term().unwrap().0;
    for revision in 1..=24 {
        if revision % 6 == 0 {
            term = store.raise_term().unwrap().0;
        }
        let changes = changes(revision, &mut random);
        store.commit(term, Revision(revision as u64 - 1), &changes).unwrap();
        let mut state = states[revision - 1].clone();
        apply(&mut state, &changes);
        states.push(state);
        acknowledged.push(disk.steps());
    }
    let steps = disk.0.lock().unwrap().1.clone();
    Story { steps, states, acknowledged }
}

/// Opens what is left after `done` whole steps.
fn check(story: &Story, done: usize, image: Vec<u8>, what: &str) {
    let acknowledged = story.acknowledged.iter().rposition(|steps| *steps <= done);
    let store = match Store::over(Disk::holding(image)) {
        Ok(store) => store,
        // While the file is made, before anything was acknowledged.
        Err(RegistryError::Unusable(_)) if acknowledged.is_none() => return,
        Err(error) => panic!("{what}: {error}"),
    };
    let records = store.load().unwrap();
    let revision = usize::try_from(records.revision.0).unwrap();
    let acknowledged = acknowledged.unwrap_or(0);
    assert!(
        (acknowledged..=acknowledged + 1).contains(&revision),
        "{what}: at {revision} after {acknowledged} were acknowledged"
    );
    assert!(records.records == story.states[revision], "{what}: not the state after {revision}");
    let (term, at) = store.raise_term().unwrap();
    assert!(term > Term(revision as u64 / 6), "{what}: {term:?} is not new");
    store.commit(term, at, &[Change::Put("after".into(), Bytes::new())]).unwrap();
}

#[test]
fn a_write_that_stops_at_any_byte_loses_no_acknowledged_commit() {
    let story = story(1);
    let mut random = Random(2);
    let mut image = Vec::new();
    let mut checked = 0;
    for (done, step) in story.steps.iter().enumerate() {
        if let Step::Write(at, data) = step {
            let cuts = [0, 1, random.below(data.len()), data.len() / 2, data.len() - 1];
            for cut in cuts {
                let mut torn = image.clone();
                torn[*at..*at + cut].copy_from_slice(&data[..cut]);
                check(&story, done, torn, &format!("step {done} cut at {cut} of {}", data.len()));
                checked += 1;
            }
        }
        step.apply(&mut image);
    }
    check(&story, story.steps.len(), image, "at the end");
    assert!(checked > 500, "{checked}");
}

#[test]
fn what_was_not_synced_may_be_lost_in_any_order() {
    for seed in 1..=4 {
        let story = story(seed);
        let mut random = Random(seed + 100);
        let mut synced = Vec::new();
        let mut open: Vec<&Step> = Vec::new();
        for (done, step) in story.steps.iter().enumerate() {
            for _ in 0..2 {
                let mut image = synced.clone();
                // A file's length is its own record; the writes behind it come in any choice, the last one perhaps torn.
                let (lengths, mut writes): (Vec<&Step>, Vec<&Step>) =
                    open.iter().copied().partition(|step| matches!(step, Step::Length(_)));
                lengths.iter().for_each(|step| step.apply(&mut image));
                writes.retain(|step| fits(step, &image) && random.below(2) == 0);
                writes.iter().for_each(|step| step.apply(&mut image));
                check(
                    &story,
                    done,
                    image,
                    &format!("seed {seed}, before step {done}, some of what was open"),
                );
            }
            open.push(step);
            if matches!(step, Step::Sync) {
                open.drain(..).for_each(|step| step.apply(&mut synced));
            }
        }
    }
}

fn fits(step: &Step, image: &[u8]) -> bool {
    match step {
        Step::Write(at, data) => at + data.len() <= image.len(),
        Step::Length(_) | Step::Sync => true,
    }
}
