//! Batches of updates (specification §12).

use crate::decode::{Change, What, describe};
use crate::device::{Device, Name, displaced, found, name, write_failure};
use crate::host::Host;
use crate::map::Object;
use crate::status::{Failure, of_batch};
use crate::wire::Request;
use p4runtime_proto::p4::v1;
use pipeline_ir::entry::{CheckedEntry, WriteError, WriteKind};
use std::collections::BTreeMap;
use std::time::Instant;
use tonic::{Code, Status};
use v1::write_request::Atomicity;

type Results = Vec<Result<(), Failure>>;

impl<H: Host> Device<H> {
    /// Writes a batch, of which this is what each update asks for.
    pub(crate) fn write(
        &mut self,
        updates: &Request,
        changes: Vec<Result<Change, Failure>>,
    ) -> Result<(), Status> {
        let Ok(atomicity) = Atomicity::try_from(updates.atomicity) else {
            let given = updates.atomicity;
            return Err(Status::invalid_argument(format!("there is no atomicity {given}")));
        };
        let results = match atomicity {
            Atomicity::ContinueOnError => self.each(updates, changes),
            Atomicity::RollbackOnError => self.all_or_none(updates, changes),
            Atomicity::DataplaneAtomic => {
                self.check_atomic(&changes)?;
                self.all_or_none(updates, changes)
            }
        };
        of_batch("updates", &results)
    }

    /// The failure of an update, saying which.
    fn refused(&self, update: &v1::Update, failure: Failure) -> Failure {
        let Some(v1::entity::Entity::TableEntry(entry)) =
            update.entity.as_ref().and_then(|e| e.entity.as_ref())
        else {
            return failure;
        };
        match self.map().object(entry.table_id) {
            Some(object) => failure.about(&describe(object, entry)),
            None => failure,
        }
    }

    /// Attempts every one, in order.
    fn each(&mut self, updates: &Request, changes: Vec<Result<Change, Failure>>) -> Results {
        let map = self.map();
        let mut results: Results = Vec::with_capacity(changes.len());
        let (mut batch, mut places) = (Vec::with_capacity(changes.len()), Vec::with_capacity(changes.len()));
        let (mut noted, mut noting) = (Vec::new(), !self.notes().is_empty());
        for (at, change) in changes.into_iter().enumerate() {
            results.push(Ok(()));
            match change {
                Err(failure) => results[at] = Err(failure),
                Ok(Change { entry, what: What::Keep, .. }) => {
                    self.run(updates, &mut batch, &mut places, &mut results);
                    if found(self.plane(), &map.tables, &entry).is_none() {
                        let failure = write_failure(&WriteError::NotFound);
                        results[at] = Err(self.refused(&updates.update(at), failure));
                    }
                }
                Ok(Change { entry, what: What::Write(kind), note }) => {
                    noting |= note.is_some();
                    if noting {
                        noted.push((at, entry.clone(), kind, note));
                    }
                    places.push(at);
                    batch.push((entry, kind));
                }
            }
        }
        self.run(updates, &mut batch, &mut places, &mut results);
        for (at, entry, kind, note) in noted {
            if results[at].is_ok() {
                self.note(&entry, kind, note);
            }
        }
        results
    }

    fn note(&mut self, entry: &CheckedEntry, kind: WriteKind, note: Option<crate::decode::Note>) {
        let note = note.filter(|_| kind != WriteKind::Delete);
        if self.saved.is_none() {
            self.time(entry, note.as_ref().map_or(0, |note| note.idle_timeout_ns));
        }
        match note {
            Some(note) => self.notes().insert(name(entry), note),
            None => self.notes().remove(&name(entry)),
        };
    }

    /// An entry's idle time-out begins; with 0, it has none.
    fn time(&mut self, entry: &CheckedEntry, timeout_ns: i64) {
        let count = match entry {
            CheckedEntry::Table(e) if timeout_ns > 0 => self.host.plane().hits(e),
            _ => None,
        };
        self.idle.set(name(entry), entry, timeout_ns, count.unwrap_or_default(), Instant::now());
    }

    /// Writes what has been gathered.
    fn run(
        &mut self,
        updates: &Request,
        batch: &mut Vec<(CheckedEntry, WriteKind)>,
        places: &mut Vec<usize>,
        results: &mut Results,
    ) {
        let done = self.plane().write_all(batch);
        for (at, result) in places.drain(..).zip(done) {
            if let Err(error) = result {
                results[at] = Err(self.refused(&updates.update(at), write_failure(&error)));
            }
        }
        batch.clear();
    }

    /// Writes all, or leaves all as it was. What can be known to fail is not begun.
    fn all_or_none(&mut self, updates: &Request, changes: Vec<Result<Change, Failure>>) -> Results {
        let mut results: Results =
            changes.iter().map(|c| c.as_ref().map(|_| ()).map_err(Clone::clone)).collect();
        let before = self.foresee(updates, &changes, &mut results);
        if results.iter().any(Result::is_err) {
            return aborted(results, "another update of the batch fails, so none was begun");
        }
        let changes: Vec<Change> = changes.into_iter().flatten().collect();
        if self.plane().whole().is_some() {
            return self.at_once(updates, changes, results);
        }
        let map = self.map();
        let mut done = Vec::new();
        for (at, (change, before)) in changes.iter().zip(&before).enumerate() {
            let What::Write(kind) = change.what else { continue };
            let plane = self.plane();
            let gone = match &change.entry {
                CheckedEntry::Slot(e) if kind == WriteKind::Insert => displaced(plane, &map.tables, e),
                _ => None,
            };
            if let Err(error) = plane.write(&change.entry, kind) {
                results[at] = Err(self.refused(&updates.update(at), write_failure(&error)));
                return self.undo(&done, results);
            }
            done.push((change.entry.clone(), kind, before.clone(), gone));
        }
        for Change { entry, what, note } in changes {
            if let What::Write(kind) = what {
                self.note(&entry, kind, note);
            }
        }
        results
    }

    /// Writes all in one go, where the plane takes back by itself what can't be.
    fn at_once(&mut self, updates: &Request, changes: Vec<Change>, mut results: Results) -> Results {
        let (mut batch, mut places) = (Vec::with_capacity(changes.len()), Vec::with_capacity(changes.len()));
        for (at, change) in changes.iter().enumerate() {
            if let What::Write(kind) = change.what {
                batch.push((change.entry.clone(), kind));
                places.push(at);
            }
        }
        let done = self.plane().whole().map_or(Ok(()), |plane| plane.write_whole(&batch));
        if let Err((place, error)) = done {
            let at = place.and_then(|place| places.get(place)).or(places.first());
            if let Some(&at) = at {
                results[at] = Err(self.refused(&updates.update(at), write_failure(&error)));
            }
            return aborted(results, "another update of the batch failed, so none was done");
        }
        for Change { entry, what, note } in changes {
            if let What::Write(kind) = what {
                self.note(&entry, kind, note);
            }
        }
        results
    }

    /// Marks what will fail; gives what each entry is before its update.
    fn foresee(
        &mut self,
        updates: &Request,
        changes: &[Result<Change, Failure>],
        results: &mut Results,
    ) -> Vec<Option<CheckedEntry>> {
        let map = self.map();
        let mut then: BTreeMap<Name, Option<CheckedEntry>> = BTreeMap::new();
        let mut all = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let Ok(Change { entry, what, .. }) = change else {
                all.push(None);
                continue;
            };
            let key = name(entry);
            let now = match then.get(&key) {
                Some(known) => known.clone(),
                None => found(self.plane(), &map.tables, entry),
            };
            let error = match (what, now.is_some()) {
                (What::Write(WriteKind::Insert), true) => Some(WriteError::Exists),
                (What::Write(WriteKind::Insert), false) | (_, true) => None,
                (_, false) => Some(WriteError::NotFound),
            };
            if let Some(error) = error {
                results[at] = Err(self.refused(&updates.update(at), write_failure(&error)));
            }
            match what {
                What::Write(WriteKind::Delete) => then.insert(key, None),
                What::Write(_) => then.insert(key, Some(entry.clone())),
                What::Keep => None,
            };
            all.push(now);
        }
        all
    }

    /// Takes back what was written, the last first.
    fn undo(&mut self, done: &[Done], mut results: Results) -> Results {
        for (entry, kind, before, gone) in done.iter().rev() {
            let plane = self.plane();
            let mut taken_back = match (kind, before) {
                (WriteKind::Insert, _) => plane.write(entry, WriteKind::Delete),
                (WriteKind::Modify, Some(before)) => plane.write(before, WriteKind::Modify),
                (WriteKind::Delete, Some(before)) => plane.write(before, WriteKind::Insert),
                (_, None) => Ok(()),
            };
            if let (Ok(()), Some(gone)) = (&taken_back, gone) {
                taken_back = plane.write(&CheckedEntry::Slot(*gone), WriteKind::Insert);
            }
            if let Err(error) = taken_back {
                let text = format!("an update failed, and not all others could be taken back: {error}");
                results
                    .iter_mut()
                    .filter(|r| r.is_ok())
                    .for_each(|r| *r = Err(Failure::new(Code::DataLoss, &text)));
                return results;
            }
        }
        aborted(results, "another update of the batch failed, so this one was taken back")
    }

    /// A batch that packets see whole or not at all: any where the plane says so; else one entry, or slots of generations that
    /// are not in force.
    fn check_atomic(&mut self, changes: &[Result<Change, Failure>]) -> Result<(), Status> {
        let map = self.map();
        let plane = self.plane();
        if plane.whole().is_some() {
            return Ok(());
        }
        let unseen = |c: &Change| match &c.entry {
            CheckedEntry::Slot(e) => {
                let pool = e.pool();
                let now = plane.generation(pool.ring(), pool.pool());
                now.is_none_or(|now| now % 2 != pool.generation() % 2)
            }
            _ => false,
        };
        let half_seen = |c: &Change| {
            let CheckedEntry::Table(e) = &c.entry else { return false };
            let slotted = |o: &Object| matches!(o, Object::Table(t) if t.table == e.table() && t.slotted);
            c.what == What::Write(WriteKind::Modify) && map.id_of(slotted).is_some()
        };
        let possible = match changes {
            [Ok(one)] => !half_seen(one),
            [_] => true,
            many => many.iter().flatten().all(unseen),
        };
        if possible {
            return Ok(());
        }
        Err(Status::unimplemented(
            "packets would see a part of this batch: atomic are one entry (but no MODIFY in a table of slots), and any \
             number of ring slots whose generation has another parity than the one in force",
        ))
    }
}

/// Entry, what was done with it, what it was before, and the slot of another generation that it took the place of.
type Done = (CheckedEntry, WriteKind, Option<CheckedEntry>, Option<pipeline_ir::entry::SlotEntry>);

/// What did not fail by itself did not happen either.
fn aborted(mut results: Results, why: &str) -> Results {
    for result in results.iter_mut().filter(|r| r.is_ok()) {
        *result = Err(Failure::new(Code::Aborted, why));
    }
    results
}
