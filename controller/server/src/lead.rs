//! While this controller leads: it alone changes the state.

use crate::health::{Tracked, observations};
use crate::jobs::{Answer, Job};
use crate::published::Role;
use crate::{Shared, follow, status};
use control_core::{Command, Reply, State};
use control_proto::v1::{NodeReport, NodeReportReply, NodeSnapshot};
use control_registry::{Change, RegistryError, Revision, Term};
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tonic::Status;

/// Jobs that are done in one commit at most.
const BATCH: usize = 256;
/// How long a registry that can't be used is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// Leads until `term` has ended, or the registry says no.
pub(crate) async fn lead(shared: &Arc<Shared>, jobs: &mut mpsc::Receiver<Job>, term: Term) {
    let ended = shared.registry.ended(term);
    tokio::pin!(ended);
    loop {
        let loaded = tokio::select! {
            biased;
            () = &mut ended => break,
            loaded = follow::load(&*shared.registry, shared) => loaded,
        };
        let (revision, state) = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                tracing::error!("{error}");
                shared.registry.resign(term).await;
                tokio::time::sleep(PAUSE).await;
                break;
            }
        };
        tracing::info!("leads, at revision {}", revision.0);
        let mut desk = Desk::new(shared, term, revision, state);
        desk.publish(true);
        let again = tokio::select! {
            biased;
            () = &mut ended => false,
            again = desk.work(jobs) => again,
        };
        // Nobody may take what is no longer sure for an answer: readers hear it first.
        shared.published.send_modify(|p| p.role = Role::Follows(None));
        desk.refuse_offers();
        if !again {
            break;
        }
    }
    tracing::info!("does not lead any more");
    shared.published.send_modify(|p| p.role = Role::Follows(None));
}

/// What the leading task has on its desk.
struct Desk<'a> {
    shared: &'a Shared,
    term: Term,
    revision: Revision,
    state: Arc<State>,
    tracked: Tracked,
    began: Instant,
    random: RandomState,
    given: u64,
    offers: Offers,
    /// Those that targets have been made for.
    suspicions: u64,
}

/// Tables that nodes offer to an empty registry.
#[derive(Default)]
struct Offers {
    /// Until when more are waited for, milliseconds.
    until: Option<u64>,
    made: Vec<(NodeSnapshot, Answer<bool>)>,
}

/// Jobs at work: what they make of the state, and who waits for it.
struct Batch {
    state: State,
    changes: BTreeMap<String, Option<bytes::Bytes>>,
    waiting: Vec<(Answer<Reply>, Reply)>,
}

impl Batch {
    /// Applies a command on top of the others.
    fn apply(&mut self, command: &Command, now: u64, random: u64) -> Result<Reply, Status> {
        let step = self.state.apply(command, now, random).map_err(|refusal| status::refused(&refusal))?;
        self.state = step.state;
        self.changes.extend(step.changes.into_iter().map(|c| (c.key, c.value)));
        Ok(step.reply)
    }
}

impl<'a> Desk<'a> {
    fn new(shared: &'a Shared, term: Term, revision: Revision, state: State) -> Self {
        let desk = Self {
            shared,
            term,
            revision,
            state: Arc::new(state),
            tracked: Tracked::default(),
            began: Instant::now(),
            random: RandomState::new(),
            given: 0,
            offers: Offers::default(),
            suspicions: 0,
        };
        // What was reported to an earlier leader is not known here.
        *desk.health() = control_core::health::Health::new(shared.options.health.clone());
        *desk.shared.nodes.lock().unwrap_or_else(PoisonError::into_inner) = crate::nodes::Nodes::default();
        desk
    }

    fn health(&self) -> MutexGuard<'a, control_core::health::Health> {
        self.shared.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the state in force: for who watches, and for the checkers' reports.
    fn publish(&mut self, all: bool) {
        let now = self.shared.clock.now();
        let mut health = self.health();
        self.tracked.follow(&self.state, &mut health, now);
        // Reports come many times a second, and most of them change nobody's targets.
        let suspicions = std::mem::replace(&mut self.suspicions, health.suspicions());
        if !all && suspicions == self.suspicions {
            return;
        }
        let suspect = |pool: &str, name: &str| health.verdict(pool, name).is_some_and(|v| v.suspect);
        let (state, role) = (&self.state, Role::Leads(self.term));
        self.shared.published.send_if_modified(|p| {
            p.role = role;
            if all {
                p.put(Arc::clone(state), suspect);
                return true;
            }
            p.look(state, suspect)
        });
    }

    /// Works until the registry says no. True: it may be read again.
    async fn work(&mut self, jobs: &mut mpsc::Receiver<Job>) -> bool {
        if let Err(again) = self.begin().await {
            return again;
        }
        loop {
            let deadline = [self.state.next_deadline(), self.health().next_deadline(), self.offers.until];
            let deadline = deadline.into_iter().flatten().min();
            let wait = async {
                match deadline {
                    Some(ms) => tokio::time::sleep_until(self.shared.clock.instant(ms)).await,
                    None => std::future::pending().await,
                }
            };
            let first = tokio::select! {
                biased;
                job = jobs.recv() => job,
                () = wait => None,
            };
            let began = Instant::now();
            let mut batch = self.batch();
            let more = std::iter::from_fn(|| jobs.try_recv().ok());
            for job in first.into_iter().chain(more).take(BATCH) {
                self.take(job, &mut batch);
            }
            let adopted = self.passing(&mut batch);
            if let Err(again) = self.keep(batch, adopted, began).await {
                return again;
            }
        }
    }

    fn batch(&self) -> Batch {
        Batch { state: (*self.state).clone(), changes: BTreeMap::new(), waiting: Vec::new() }
    }

    /// Times that an earlier leader's clock wrote are made to fit this one.
    async fn begin(&mut self) -> Result<(), bool> {
        let (began, mut batch) = (Instant::now(), self.batch());
        if let Err(status) = batch.apply(&Command::Begin, self.shared.clock.now(), 0) {
            tracing::error!("{}", status.message());
        }
        self.keep(batch, Vec::new(), began).await
    }

    fn take(&mut self, job: Job, batch: &mut Batch) {
        let now = self.shared.clock.now();
        match job {
            Job::Command(_, answer) if self.offers.until.is_some() => {
                let text = "the registry is empty, and nodes are offering what they have in force: try again";
                drop(answer.send(Err(Status::unavailable(text))));
            }
            Job::Command(command, answer) => {
                self.given += 1;
                match batch.apply(&command, now, self.random.hash_one(self.given)) {
                    Ok(reply) => batch.waiting.push((answer, reply)),
                    Err(status) => drop(answer.send(Err(status))),
                }
            }
            Job::Reports(checker, reports, answer) => {
                let taken = self.health().report(&checker, reports, now);
                drop(answer.send(Ok(taken)));
            }
            Job::Node(report, answer) => drop(answer.send(self.node(*report, now))),
            Job::Offer(snapshot, answer) => self.offer(*snapshot, answer, now),
        }
    }

    fn node(&mut self, report: NodeReport, now: u64) -> Result<NodeReportReply, Status> {
        let name = &report.node;
        if name.is_empty() || name.len() > 253 || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Status::invalid_argument("a node's name: 1 to 253 bytes without blanks"));
        }
        for signal in &report.signals {
            if let Some((pool, backend)) = self.state.backend_of(signal.id) {
                self.health().signal(pool, backend, signal.icmp_errors, signal.early_resets, now);
            }
        }
        let wants_tables = report.has_tables && self.state.is_new();
        if wants_tables && self.offers.until.is_none() {
            self.offers.until = Some(now + self.adopt_within());
        }
        let taken = self.shared.nodes.lock().unwrap_or_else(PoisonError::into_inner).take(report, now);
        if taken {
            Ok(NodeReportReply { wants_tables })
        } else {
            Err(Status::resource_exhausted("too many nodes"))
        }
    }

    fn adopt_within(&self) -> u64 {
        u64::try_from(self.shared.options.adopt_within.as_millis()).unwrap_or(u64::MAX)
    }

    fn offer(&mut self, snapshot: NodeSnapshot, answer: Answer<bool>, now: u64) {
        if !self.state.is_new() {
            drop(answer.send(Ok(false)));
            return;
        }
        if self.offers.until.is_none() {
            self.offers.until = Some(now + self.adopt_within());
        }
        self.offers.made.push((snapshot, answer));
    }

    fn refuse_offers(&mut self) {
        for (_, answer) in self.offers.made.drain(..) {
            drop(answer.send(Err(status::unavailable(&Role::Follows(None)))));
        }
    }

    /// What time and reports bring about. Returns whose tables are adopted, with those who wait for that.
    fn passing(&mut self, batch: &mut Batch) -> Vec<(Answer<bool>, bool)> {
        let now = self.shared.clock.now();
        let seen = {
            let mut health = self.health();
            health.advance(now);
            observations(&mut health, &batch.state)
        };
        let gone = self.without_flows(now);
        let mut commands = Vec::new();
        if !seen.is_empty() {
            commands.push(Command::Observe(seen));
        }
        if !gone.is_empty() {
            commands.push(Command::FlowsGone(gone));
        }
        if batch.state.next_deadline().is_some_and(|at| at <= now) {
            commands.push(Command::Tick);
        }
        for command in commands {
            if let Err(status) = batch.apply(&command, now, 0) {
                tracing::error!("{}", status.message());
            }
        }
        self.adopt(batch, now)
    }

    /// The draining backends whose drain is over, once all nodes have had time to report to a new leader.
    fn without_flows(&self, now: u64) -> Vec<u32> {
        let within = self.shared.options.nodes_within;
        if self.began.elapsed() < within {
            return Vec::new();
        }
        // What a node counted before it had the new table may have grown since.
        let before = now.saturating_sub(u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
        self.shared.nodes.lock().unwrap_or_else(PoisonError::into_inner).without_flows(
            &self.state,
            before,
            now,
        )
    }

    /// The newest of the offered tables that can be right.
    fn adopt(&mut self, batch: &mut Batch, now: u64) -> Vec<(Answer<bool>, bool)> {
        if self.offers.until.is_none_or(|until| until > now) {
            return Vec::new();
        }
        self.offers.until = None;
        let mut made = std::mem::take(&mut self.offers.made);
        made.sort_by_key(|(snapshot, _)| std::cmp::Reverse(snapshot.version));
        let mut answers = Vec::new();
        let mut done = false;
        for (snapshot, answer) in made {
            let adopts = !done && batch.state.is_new();
            if adopts {
                match batch.apply(&Command::Adopt(snapshot), now, 0) {
                    Ok(_) => done = true,
                    Err(status) => {
                        tracing::error!("tables that a node offers are not adopted: {}", status.message());
                    }
                }
            }
            answers.push((answer, adopts && done));
        }
        answers
    }

    /// Has the registry keep the batch, puts it in force, and answers. An error says whether the registry may be read again.
    async fn keep(
        &mut self,
        batch: Batch,
        adopted: Vec<(Answer<bool>, bool)>,
        began: Instant,
    ) -> Result<(), bool> {
        if batch.changes.is_empty() {
            self.publish(false);
        } else {
            let change = |(key, value)| match value {
                Some(value) => Change::Put(key, value),
                None => Change::Delete(key),
            };
            let changes: Vec<Change> = batch.changes.into_iter().map(change).collect();
            match self.shared.registry.commit(self.term, self.revision, changes).await {
                Ok(revision) => self.revision = revision,
                Err(error) => {
                    tracing::warn!("{error}");
                    let status = status::not_kept(&error);
                    batch.waiting.into_iter().for_each(|(answer, _)| drop(answer.send(Err(status.clone()))));
                    adopted.into_iter().for_each(|(answer, _)| drop(answer.send(Err(status.clone()))));
                    return Err(!matches!(error, RegistryError::Fenced(_)));
                }
            }
            self.state = Arc::new(batch.state);
            self.publish(true);
            self.shared.metrics.committed(began.elapsed());
        }
        batch.waiting.into_iter().for_each(|(answer, reply)| drop(answer.send(Ok(reply))));
        adopted.into_iter().for_each(|(answer, done)| drop(answer.send(Ok(done))));
        Ok(())
    }
}
