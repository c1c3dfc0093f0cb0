//! The story, under traffic: a backend is drained, one is killed, the controller is killed, a load balancer is cut off.
//!
//! The order matters. The controller stays dead when the load balancer goes: neither the nodes nor the router need it. And no
//! backend comes back in between: a flow that a backend keeps although its slot has gone home to another is known to its node
//! alone, and is lost with it.

use super::control::Control;
use super::event::{self, Event, Seen, errors};
use super::interrupt;
use super::load::{Outcome, Running};
use super::metronome::Metronome;
use super::report::{Check, Moment};
use super::screen::{self, say};
use super::stage::Stage;
use crate::lab::LBS;
use anyhow::{Result, bail};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The backend that is drained, and the one that is killed.
const DRAINED: &str = "b2";
const KILLED: &str = "b3";
/// How long transfers run before an event.
const UNDER_WAY: Duration = Duration::from_millis(500);
/// Pause between new flows while a backend is dead and nobody has noticed yet.
const BETWEEN: Duration = Duration::from_millis(200);

/// How often new flows are made until none goes to a backend that has left, and the pause between.
const ROUNDS: usize = 5;
const AGAIN: Duration = Duration::from_secs(1);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a draining backend's flows may stay.
    pub window: Duration,
    /// A backend's death has to be noticed within so many seconds.
    pub noticed_within: f64,
    /// How many times longer transfers take, so that they are still under way when something happens.
    stretch: u32,
}

impl Patience {
    /// What is promised; on a slow machine, ten times what is promised.
    #[must_use]
    pub fn new(slow: bool) -> Self {
        let (window, noticed_within, stretch) = if slow { (60, 40.0, 2) } else { (30, 4.0, 1) };
        Self { window: Duration::from_secs(window), noticed_within, stretch }
    }
}

/// The demo's clock: seconds since its start, and the system's time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    began_ms: u64,
}

impl Clock {
    /// Of a demo that began at `start`.
    #[must_use]
    pub fn new(start: Instant) -> Self {
        Self { start, began_ms: unix_ms().saturating_sub(start.elapsed().as_millis() as u64) }
    }

    /// Seconds since the start.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// The same of a time of the system's clock.
    fn at(&self, unix_ms: u64) -> f64 {
        (unix_ms as f64 - self.began_ms as f64) / 1_000.0
    }
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// The story as far as it has been told.
#[derive(Debug)]
pub struct Story<'a> {
    stage: &'a mut Stage,
    clock: Clock,
    patience: Patience,
    flows: Vec<Outcome>,
    wave: u16,
    told: u64,
    events: Vec<Event>,
    timeline: Vec<Moment>,
}

/// Plays it.
///
/// # Errors
/// Interrupted, or something that has to happen does not.
pub fn play(stage: &mut Stage, clock: Clock, patience: Patience) -> Result<(Vec<Event>, Vec<Moment>)> {
    let flows = event::new_flows(&stage.lab, &stage.plan)?;
    let failed = errors(flows.iter());
    if !failed.is_empty() {
        bail!("new flows failed before anything happened: {failed:?}");
    }
    let told = stage.control.events(0)?.last().map_or(0, |e| e.number);
    let (events, timeline) = (Vec::new(), Vec::new());
    let mut story = Story { stage, clock, patience, flows, wave: 0, told, events, timeline };
    story.drain()?;
    story.kill()?;
    story.stop_the_controller()?;
    story.lose_a_node()?;
    story.stage.alive()?;
    Ok((story.events, story.timeline))
}

impl Story<'_> {
    fn drain(&mut self) -> Result<()> {
        let transfers = self.under_way(Duration::from_secs(3))?;
        let at = self.tell(format!("{DRAINED} is drained (ctl drain)"));
        let began = unix_ms();
        self.stage.control.drain(DRAINED, self.patience.window)?;
        self.stage.control.in_force()?;
        let (after, meanwhile) = self.settled_flows(DRAINED)?;
        let transfers = self.ended(transfers)?;
        self.stage.control.in_state(DRAINED, "EVICTED")?;
        let over = self.tell_of_controller(DRAINED, "EVICTED")?;
        let strayed = after.iter().filter(|o| o.backend.as_deref() == Some(DRAINED)).count();
        let leaving = Some(DRAINED);
        let seen = Seen { leaving, killed: false, before: &self.flows, meanwhile, after: &after, transfers };
        let mut event = seen.judge(format!("{DRAINED} is drained"), at);
        let seconds = over.saturating_sub(began) as f64 / 1_000.0;
        event.seconds = Some(seconds);
        event.checks.push(Check {
            ok: strayed == 0 && event.expected_moved > 0,
            text: format!(
                "{DRAINED} is drained: EVICTED after {seconds:.1} s; {strayed} new flows went to it"
            ),
        });
        self.end(event, after);
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        let transfers = self.under_way(Duration::from_secs(6))?;
        let at = self.tell(format!("{KILLED}'s HTTP server is killed"));
        let (killed, metronome) = (unix_ms(), Metronome::start());
        if let Some(server) = self.stage.servers.get_mut(KILLED) {
            server.kill();
        }
        let (mut meanwhile, since) = (Vec::new(), Instant::now());
        while !self.stage.control.is_in(KILLED, "UNHEALTHY")? {
            if since.elapsed() > super::control::LIMIT {
                bail!("{KILLED} is dead, and nobody noticed within {:?}", super::control::LIMIT);
            }
            meanwhile.extend(self.new_flows()?);
            std::thread::sleep(BETWEEN);
        }
        let late = metronome.late();
        self.stage.control.in_force()?;
        let noticed = self.tell_of_controller(KILLED, "UNHEALTHY")?;
        let (after, more) = self.settled_flows(KILLED)?;
        meanwhile.extend(more);
        let transfers = self.ended(transfers)?;
        let seen = Seen {
            leaving: Some(KILLED),
            killed: true,
            before: &self.flows,
            meanwhile,
            after: &after,
            transfers,
        };
        let mut event = seen.judge(format!("{KILLED} is killed"), at);
        let (seconds, limit) =
            (noticed.saturating_sub(killed) as f64 / 1_000.0, self.patience.noticed_within);
        let (long, new) = seen.taken_along();
        event.seconds = Some(seconds);
        event.checks.push(Check {
            ok: seconds <= limit + late && event.expected_moved > 0,
            text: format!(
                "{KILLED} is killed: UNHEALTHY after {seconds:.1} s ({limit} at most, and {late:.1} by which this \
                 machine was late meanwhile); it took {long} transfers along and refused {new} new flows"
            ),
        });
        self.end(event, after);
        Ok(())
    }

    fn stop_the_controller(&mut self) -> Result<()> {
        let transfers = self.under_way(Duration::from_secs(3))?;
        let at = self.tell("the controller is killed, and stays dead".into());
        self.stage.control.stop_controller();
        let after = self.new_flows()?;
        let transfers = self.ended(transfers)?;
        let seen = Seen { before: &self.flows, after: &after, transfers, ..Seen::default() };
        let event = seen.judge("the controller is stopped".into(), at);
        self.end(event, after);
        Ok(())
    }

    fn lose_a_node(&mut self) -> Result<()> {
        let lost = LBS[0];
        let before = self.stage.balancers[0].metrics()?.forwarded();
        let transfers = self.under_way(Duration::from_secs(5))?;
        let at = self.tell(format!("{lost}'s link goes down"));
        self.stage.lab.cut(lost)?;
        let after = self.new_flows()?;
        let transfers = self.ended(transfers)?;
        // The node that is cut off runs on, and remembers what it saw last.
        let node = &self.stage.balancers[0];
        let (through, what) = if self.stage.plane.shows_flows() {
            let ports = event::ports(self.wave);
            (node.ports()?.iter().filter(|port| ports.contains(port)).count() as u64, "transfers")
        } else {
            (node.metrics()?.forwarded() - before, "packets of transfers")
        };
        let seen = Seen { before: &self.flows, after: &after, transfers, ..Seen::default() };
        let mut event = seen.judge(format!("{lost} is lost"), at);
        event.checks.push(Check {
            ok: through > 0,
            text: format!("{lost} is lost: {through} {what} went through it, and went on through {}", LBS[1]),
        });
        self.end(event, after);
        Ok(())
    }

    /// Starts long transfers, and comes back when they are well under way.
    fn under_way(&mut self, long: Duration) -> Result<Running> {
        self.wave += 1;
        let long = long * self.patience.stretch;
        let mut running = event::start_transfers(&self.stage.lab, &self.stage.plan, self.wave, long)?;
        std::thread::sleep(UNDER_WAY);
        running.forget_ended();
        interrupt::check()?;
        Ok(running)
    }

    fn ended(&self, mut transfers: Running) -> Result<Vec<Outcome>> {
        transfers.catch_up();
        transfers.finish(&screen::bar(event::TRANSFERS, "long transfers"))
    }

    fn new_flows(&self) -> Result<Vec<Outcome>> {
        event::new_flows(&self.stage.lab, &self.stage.plan)
    }

    /// New flows, once none of them goes to `leaving` any more; and those until then. A flow that its node takes for one that
    /// is still open stays where it was: where packets wait long for a processor, its end may come after its beginning.
    fn settled_flows(&mut self, leaving: &str) -> Result<(Vec<Outcome>, Vec<Outcome>)> {
        let (before, mut meanwhile) = (event::owners(&self.flows), Vec::new());
        for _ in 1..ROUNDS {
            let flows = self.new_flows()?;
            let went = |o: &&Outcome| match &o.error {
                None => o.backend.as_deref() == Some(leaving),
                Some(_) => before.get(&o.job.source).is_some_and(|owner| owner == leaving),
            };
            let astray: Vec<String> = flows.iter().filter(went).map(|o| o.job.source.to_string()).collect();
            if astray.is_empty() {
                return Ok((flows, meanwhile));
            }
            self.tell(format!(
                "{} new flows still went to {leaving}, and are made again: {}",
                astray.len(),
                astray.join(", ")
            ));
            meanwhile.extend(flows);
            std::thread::sleep(AGAIN);
        }
        Ok((self.new_flows()?, meanwhile))
    }

    /// Says what happens now.
    fn tell(&mut self, what: String) -> f64 {
        say(self.clock.start, &what);
        let at = self.clock.now();
        self.timeline.push(Moment { at, what });
        at
    }

    /// Says what the controller has told since, and when the last pool's `backend` came into that state.
    fn tell_of_controller(&mut self, backend: &str, state: &str) -> Result<u64> {
        let mut last = 0;
        let control: &Control = &self.stage.control;
        for event in control.events(self.told)? {
            self.told = event.number;
            let at = self.clock.at(event.at_ms);
            if event.kind == "backend.state"
                && event.backend == backend
                && event.text.contains(&format!("-> {state}"))
            {
                last = last.max(event.at_ms);
            }
            let about = [event.pool, event.backend].into_iter().filter(|s| !s.is_empty());
            let about = about.collect::<Vec<_>>().join("/");
            let what = format!("controller: {about} {}", event.text);
            say(self.clock.start, &format!("  {what} (at {at:.1} s)"));
            self.timeline.push(Moment { at, what });
        }
        Ok(last)
    }

    fn end(&mut self, event: Event, after: Vec<Outcome>) {
        let Event { name, transfers, broken, flows, moved, expected_moved, .. } = &event;
        let what = format!(
            "{name}: {broken} connections broke; {transfers} long transfers went on; {moved} of {flows} new flows moved, \
             {expected_moved} had to"
        );
        self.tell(what);
        event.errors.iter().for_each(|error| say(self.clock.start, &format!("  {error}")));
        self.flows = after;
        self.events.push(event);
    }
}
