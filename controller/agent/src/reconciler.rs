//! Keeps the data plane as it is desired.

use crate::audit::Audits;
use crate::hops::Known;
use crate::layout::Layout;
use crate::plan::{Effect, Held, Step, standby, steps};
use crate::plane::{Plane, PlaneError};
use crate::status::Status;
use crate::wanted::{Sources, Unfit, Wanted, wanted};
use control_core::node::Desired;
use runtime_client::{ClientError, Event, Events, Session, Standing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_stream::StreamExt as _;

/// How long a new table waits for the next hops of its backends.
const HOPS_WITHIN: Duration = Duration::from_secs(2);
/// Updates of the standby generation that are written at a time.
const CHUNK: usize = 8192;
/// Pauses after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is desired, and whether the controller said so (else the disk).
#[derive(Clone, Debug, Default)]
pub(crate) struct Goal {
    /// What is desired.
    pub desired: Arc<Desired>,
    /// The controller said so in this run.
    pub live: bool,
}

/// How the data plane is kept.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Outer sources.
    pub sources: Sources,
    /// How long a generation that was in force stays as it is.
    pub grace: Duration,
    /// How often the data plane is read, to see whether somebody else has written; none: never.
    pub audit: Option<Duration>,
}

/// The task's state.
pub(crate) struct Reconciler {
    session: Session,
    events: Events,
    goal: watch::Receiver<Goal>,
    hops: watch::Receiver<Arc<Known>>,
    status: Status,
    manner: Manner,
    plane: watch::Sender<Option<Plane>>,
    held: Option<Held>,
    /// What was wanted last, and what that was made of.
    last: Option<(Arc<Desired>, Arc<Known>, Arc<Wanted>)>,
    /// Until when the pool's standby generation stays as it is.
    grace: BTreeMap<u32, Instant>,
    /// Until when a pool's table waits for next hops: generation, time.
    patience: BTreeMap<u32, (u64, Instant)>,
    pause: Duration,
    audits: Audits,
}

impl Reconciler {
    /// Made, not yet running. The plane is told once it is known.
    #[must_use]
    pub(crate) fn new(
        session: Session,
        goal: watch::Receiver<Goal>,
        hops: watch::Receiver<Arc<Known>>,
        status: Status,
        manner: Manner,
        plane: watch::Sender<Option<Plane>>,
    ) -> Self {
        let events = session.events();
        let (held, grace, patience) = (None, BTreeMap::new(), BTreeMap::new());
        let (pause, audits, last) = (FIRST_PAUSE, Audits::new(manner.audit), None);
        Self {
            session,
            events,
            goal,
            hops,
            status,
            manner,
            plane,
            held,
            last,
            grace,
            patience,
            pause,
            audits,
        }
    }

    /// Runs until what it watches is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let next = match self.round().await {
                Ok(next) => {
                    self.status.alarm("data plane", None);
                    self.pause = FIRST_PAUSE;
                    next
                }
                Err(error) => {
                    self.lost(&error);
                    let pause = self.pause;
                    self.pause = (pause * 2).min(LONGEST_PAUSE);
                    Some(pause)
                }
            };
            if next.is_none() && self.audits.must() {
                let plane = self.plane.borrow().clone();
                let read = self.audits.read(plane).await;
                self.audited(read);
                continue;
            }
            let sleep = tokio::time::sleep(next.unwrap_or(Duration::from_secs(3600)));
            let plane = self.plane.borrow().clone().filter(|_| next.is_none() && self.held.is_some());
            let read = tokio::select! {
                changed = self.goal.changed() => if changed.is_err() { return } else { None },
                changed = self.hops.changed() => if changed.is_err() { return } else { None },
                event = self.events.next() => { self.event(event.as_ref()); None }
                () = sleep => None,
                read = self.audits.read(plane) => Some(read),
            };
            match read {
                Some(read) => self.audited(read),
                None => self.audits.cut(),
            }
        }
    }

    /// Nobody knows any more what the data plane holds.
    fn lost(&mut self, error: &PlaneError) {
        self.status.behind();
        self.status.alarm("data plane", Some(error.to_string()));
        self.held = None;
        self.plane.send_replace(None);
    }

    /// What an audit has read takes the place of what was thought to be there: the next round repairs the difference.
    fn audited(&mut self, read: Result<Held, PlaneError>) {
        self.audits.done();
        match (read, &self.held) {
            (Ok(read), Some(held)) => {
                let differs = held.differs(&read);
                self.status.facts().foreign += differs.values().sum::<u64>();
                let words: Vec<String> = differs.iter().map(|(table, n)| format!("{n} of {table}")).collect();
                let text = format!("somebody else changed entries, which are repaired: {}", words.join(", "));
                self.status.alarm("foreign changes", (!words.is_empty()).then_some(text));
                self.held = Some(read);
            }
            (Ok(_), None) => {}
            // Where there is no stream nobody else tells of a server that is gone.
            (Err(error @ PlaneError::Client(ClientError::Connect { .. } | ClientError::Lost { .. })), _) => {
                self.lost(&error);
            }
            // Whoever writes next will say so too.
            (Err(error), _) => tracing::warn!("the data plane can't be read: {error}"),
        }
    }

    /// After a new connection nobody knows what the data plane holds.
    fn event(&mut self, event: Option<&Event>) {
        if let Some(Event::Standing(standing)) = event {
            self.held = None;
            self.plane.send_replace(None);
            if *standing != Standing::Primary {
                self.status.behind();
            }
        }
    }

    async fn plane(&mut self) -> Result<Plane, PlaneError> {
        if let Some(plane) = self.plane.borrow().clone() {
            return Ok(plane);
        }
        self.session.primary().await?;
        let plane = Plane::new(self.session.clone()).await?;
        self.last = None;
        self.plane.send_replace(Some(plane.clone()));
        Ok(plane)
    }

    /// The entries of what is desired; made only of what is not as it was.
    fn wanted(
        &mut self,
        plane: &Plane,
        desired: &Arc<Desired>,
        known: &Arc<Known>,
    ) -> Result<Arc<Wanted>, Unfit> {
        let before = self.last.as_ref().filter(|(_, hops, _)| Arc::ptr_eq(hops, known));
        if let Some((_, _, made)) = before.filter(|(of, ..)| Arc::ptr_eq(of, desired)) {
            return Ok(Arc::clone(made));
        }
        let before = before.map(|(_, _, made)| made.as_ref());
        let made = Arc::new(wanted(&plane.layout, desired, &self.manner.sources, &known.hops, before)?);
        self.last = Some((Arc::clone(desired), Arc::clone(known), Arc::clone(&made)));
        Ok(made)
    }

    /// One look at everything, and the writes that it asks for. When to look again, if nothing happens.
    async fn round(&mut self) -> Result<Option<Duration>, PlaneError> {
        let plane = self.plane().await?;
        if self.held.is_none() {
            let held = plane.read().await?;
            let until = Instant::now() + self.manner.grace;
            self.grace = held.pools.keys().map(|pool| (*pool, until)).collect();
            self.held = Some(held);
        }
        let goal = self.goal.borrow_and_update().clone();
        let known = Arc::clone(&self.hops.borrow_and_update());
        if goal.desired.version() == 0 {
            return Ok(None);
        }
        let wanted = match self.wanted(&plane, &goal.desired, &known) {
            Ok(wanted) => wanted,
            Err(unfit) => {
                self.status.behind();
                self.status.alarm("capacity", Some(unfit.to_string()));
                return Ok(None);
            }
        };
        self.status.alarm("capacity", None);
        self.status.leaves_out(&wanted.left_out);
        self.tell_unresolved(&wanted, &known);
        let (waiting, due) = self.waiting(&wanted);
        self.change(&plane, &wanted, &waiting).await?;
        self.tell_empty(&wanted);
        if waiting.is_empty() {
            self.status.in_sync(&goal.desired, &wanted.pools, goal.live);
        } else {
            self.status.behind();
        }
        let idle = self.prepare_standby(&plane, &wanted).await?;
        Ok([due, idle].into_iter().flatten().min())
    }

    /// Pools whose table can't be put in force now, and when to look at them again.
    fn waiting(&mut self, wanted: &Wanted) -> (BTreeSet<u32>, Option<Duration>) {
        let now = Instant::now();
        let (mut waiting, mut due) = (BTreeSet::new(), None::<Instant>);
        let Some(held) = &self.held else { return (waiting, None) };
        self.patience.retain(|pool, _| wanted.pools.contains_key(pool));
        for (&pool, p) in &wanted.pools {
            if p.slots.is_empty() || held.in_force(pool) == Some(p.slots.as_slice()) {
                self.patience.remove(&pool);
                continue;
            }
            let mut until = self.grace.get(&pool).copied().filter(|t| *t > now);
            let lost = |id: &u32| wanted.unresolved.contains(id) && !held.backends.contains_key(id);
            if p.members().any(|id| lost(&id)) {
                let fresh = (p.generation, now + HOPS_WITHIN);
                let patience = self.patience.entry(pool).or_insert(fresh);
                if patience.0 != p.generation && patience.1 > now {
                    patience.0 = p.generation;
                }
                until = until.max(Some(patience.1).filter(|t| *t > now));
            }
            if let Some(until) = until {
                waiting.insert(pool);
                due = Some(due.map_or(until, |d| d.min(until)));
            }
        }
        (waiting, due.map(|d| d.saturating_duration_since(now) + Duration::from_millis(1)))
    }

    async fn change(
        &mut self,
        plane: &Plane,
        wanted: &Wanted,
        waiting: &BTreeSet<u32>,
    ) -> Result<(), PlaneError> {
        let Some(held) = &self.held else { return Ok(()) };
        let steps = steps(&plane.layout, held, wanted, waiting, plane.can_modify());
        if steps.is_empty() {
            return Ok(());
        }
        self.status.behind();
        self.write(plane, steps.prepare).await?;
        let flipped: Vec<u32> = steps.flip.pools().collect();
        self.write(plane, steps.flip).await?;
        let until = Instant::now() + self.manner.grace;
        self.grace.extend(flipped.into_iter().map(|pool| (pool, until)));
        self.write(plane, steps.services).await?;
        self.write(plane, steps.remove).await
    }

    async fn write(&mut self, plane: &Plane, step: Step) -> Result<(), PlaneError> {
        plane.write(&step).await?;
        self.status.facts().updates += step.updates.len() as u64;
        if let Some(held) = &mut self.held {
            held.note(step.effects.into_iter().map(|(_, effect)| effect));
        }
        Ok(())
    }

    /// Writes a part of what standby generations lack. When to go on; none: they lack nothing.
    async fn prepare_standby(
        &mut self,
        plane: &Plane,
        wanted: &Wanted,
    ) -> Result<Option<Duration>, PlaneError> {
        let Some(held) = &self.held else { return Ok(None) };
        let now = Instant::now();
        self.grace.retain(|_, until| *until > now);
        let waiting: BTreeSet<u32> = self.grace.keys().copied().collect();
        let layout: &Layout = &plane.layout;
        if let Some(step) = standby(layout, held, wanted, &waiting, plane.can_modify()) {
            self.write(plane, step.first(CHUNK)).await?;
            return Ok(Some(Duration::ZERO));
        }
        let next = self.grace.values().min();
        Ok(next.map(|t| t.saturating_duration_since(now) + Duration::from_millis(1)))
    }

    fn tell_unresolved(&self, wanted: &Wanted, known: &Known) {
        let lost = wanted.pools.values().flat_map(|p| p.backends.iter());
        let lost = lost.filter(|(id, _)| wanted.unresolved.contains(id));
        // What was not looked for yet soon is.
        let lost = lost.filter_map(|(_, b)| Some((b, known.why.get(&b.address)?)));
        let text: Vec<String> = lost.map(|(b, why)| format!("{} ({}): {why}", b.name, b.address)).collect();
        let more = text.len().saturating_sub(3);
        let mut shown = text.into_iter().take(3).collect::<Vec<_>>().join("; ");
        if more > 0 {
            shown += &format!("; {more} more");
        }
        self.status.alarm("next hops", (!shown.is_empty()).then_some(shown));
    }

    fn tell_empty(&self, wanted: &Wanted) {
        let empty: Vec<&str> =
            wanted.pools.values().filter(|p| p.slots.is_empty()).map(|p| p.name.as_str()).collect();
        let text = format!("nobody is in service in {}: packets to it are dropped", empty.join(", "));
        self.status.alarm("empty pool", (!empty.is_empty()).then_some(text));
    }
}

impl Step {
    /// Pools whose generation this changes.
    fn pools(&self) -> impl Iterator<Item = u32> {
        self.effects.iter().filter_map(|(_, effect)| match effect {
            Effect::Pool(pool, _) => Some(*pool),
            _ => None,
        })
    }
}
