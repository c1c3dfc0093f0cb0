//! What the thread does: takes frames in, lets the pipeline decide, sends what leaves.

use crate::plane::Left;
use crate::shared::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use sw_fallback::devices::{self, Counts, DeviceError, Receive, Transmit};
use sw_fallback::native::Event;
use sw_fallback::punt::Punt;

/// A way out.
pub(crate) struct Out {
    /// The port's number; none: the host port.
    pub(crate) number: Option<u32>,
    /// Takes the place of the incoming port's own address.
    pub(crate) mac: Option<[u8; 6]>,
    pub(crate) transmit: Mutex<Box<dyn Transmit>>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) mtu: Option<u32>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("number", &self.number).finish_non_exhaustive()
    }
}

/// A way in.
pub(crate) struct In {
    number: u32,
    mac: Option<[u8; 6]>,
    host_hears: bool,
    receive: Box<dyn Receive>,
    ended: bool,
    /// An error that passes has been told.
    told: bool,
}

impl In {
    pub(crate) fn new(
        number: u32,
        mac: Option<[u8; 6]>,
        host_hears: bool,
        receive: Box<dyn Receive>,
    ) -> Self {
        Self { number, mac, host_hears, receive, ended: false, told: false }
    }
}

/// What the switch itself counts, beside pipeline and devices.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    left_to_host: AtomicU64,
    to_host_port: AtomicU64,
    no_host_port: AtomicU64,
    no_port: AtomicU64,
}

impl Verdicts {
    pub(crate) fn read(&self) -> BTreeMap<&'static str, u64> {
        let all = [
            ("left_to_host", &self.left_to_host),
            ("to_host_port", &self.to_host_port),
            ("no_host_port", &self.no_host_port),
            ("no_port", &self.no_port),
        ];
        all.into_iter().map(|(name, n)| (name, n.load(Ordering::Relaxed))).collect()
    }
}

fn one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

pub(crate) struct Worker {
    pub(crate) cell: Arc<Cell>,
    pub(crate) ins: Vec<In>,
    pub(crate) outs: Arc<Vec<Out>>,
    pub(crate) verdicts: Arc<Verdicts>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) events: Sender<Event>,
    pub(crate) tick_ns: u64,
    /// Where passed packets go beside the host, if a controller wants them.
    pub(crate) punt: Arc<OnceLock<Arc<Punt>>>,
}

/// How soon the thread sees that it shall stop.
const PAUSE_MILLIS: i32 = 50;

/// Frames on their way out of one port.
type Outbox = Vec<Vec<u8>>;

impl Worker {
    /// Works until it shall stop, or no port is left.
    pub(crate) fn run(mut self) {
        let since = Instant::now();
        let mut boxes: Vec<Outbox> = self.outs.iter().map(|_| Outbox::new()).collect();
        while !self.stop.load(Ordering::Relaxed) && self.ins.iter().any(|i| !i.ended) {
            let tick = (since.elapsed().as_nanos() / u128::from(self.tick_ns)) as u32;
            let seen = self.batch(tick, &mut boxes);
            for (frames, out) in boxes.iter_mut().zip(self.outs.iter()) {
                let all: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
                if !all.is_empty()
                    && let Err(error) = out.transmit.lock().unwrap_or_else(PoisonError::into_inner).send(&all)
                {
                    let number = out.number.unwrap_or(u32::MAX);
                    Self::lost(&self.events, self.ins.iter_mut().find(|i| i.number == number), number, error);
                }
                frames.clear();
            }
            if seen == 0 {
                self.wait();
            }
        }
    }

    /// A port has an error: it is told once, and the port ends unless the error passes.
    fn lost(events: &Sender<Event>, port: Option<&mut In>, number: u32, error: DeviceError) {
        let passes = error.passes();
        let told = port.is_some_and(|port| {
            port.ended |= !passes;
            std::mem::replace(&mut port.told, true)
        });
        if !passes || !told {
            // Whoever has stopped listening has stopped us too.
            let _gone = events.send(Event { number, error: Some(error) });
        }
    }

    /// Nothing is at hand: waits for what comes first.
    fn wait(&mut self) {
        for port in self.ins.iter_mut().filter(|i| !i.ended && i.receive.ended()) {
            port.ended = true;
            let _gone = self.events.send(Event { number: port.number, error: None });
        }
        let fds: Vec<_> = self.ins.iter().filter(|i| !i.ended).filter_map(|i| i.receive.wake()).collect();
        if fds.is_empty() || devices::wait(&fds, PAUSE_MILLIS).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes in what is at hand at every port, and puts what leaves into its box.
    fn batch(&mut self, tick: u32, boxes: &mut [Outbox]) -> usize {
        let mut plane = self.cell.work();
        let mut seen = 0;
        for port in self.ins.iter_mut().filter(|i| !i.ended) {
            let number = port.number;
            match port.receive.receive(&mut |frame| plane.push(number, tick, frame)) {
                Ok(frames) => {
                    seen += frames;
                    port.told &= frames == 0;
                }
                Err(error) => Self::lost(&self.events, Some(port), number, error),
            }
        }
        if seen == 0 {
            return 0;
        }
        let way = Way {
            ins: &self.ins,
            outs: &self.outs,
            verdicts: &self.verdicts,
            punt: self.punt.get().map(Arc::as_ref),
        };
        if plane.run(|left| way.decide(&left, boxes)).is_err() {
            // Its packets stay where they are; none of our programs does this.
            for port in &mut self.ins {
                Self::lost(&self.events, Some(port), 0, DeviceError::Panicked);
            }
        }
        seen
    }
}

/// Where packets may go.
struct Way<'a> {
    ins: &'a [In],
    outs: &'a [Out],
    verdicts: &'a Verdicts,
    punt: Option<&'a Punt>,
}

impl Way<'_> {
    fn decide(&self, left: &Left<'_>, boxes: &mut [Outbox]) {
        let place = |number: Option<u32>| self.outs.iter().position(|o| o.number == number);
        match *left {
            Left::Dropped => {}
            Left::To { port, frame } => match place(Some(port)).and_then(|i| boxes.get_mut(i)) {
                Some(to) => to.push(frame.to_vec()),
                None => one(&self.verdicts.no_port),
            },
            Left::Host { from, frame, unchanged } => {
                let port = self.ins.iter().find(|i| i.number == from);
                if let Some(punt) = self.punt {
                    punt.offer(from, frame);
                }
                // The stack has heard this very frame.
                if unchanged && port.is_some_and(|p| p.host_hears) {
                    return one(&self.verdicts.left_to_host);
                }
                match place(None).and_then(|i| Some((boxes.get_mut(i)?, self.outs.get(i)?))) {
                    Some((to, out)) => {
                        let mut sent = frame.to_vec();
                        if let (Some(own), Some(host), Some(place)) =
                            (port.and_then(|p| p.mac), out.mac, sent.first_chunk_mut::<6>())
                            && *place == own
                        {
                            *place = host;
                        }
                        to.push(sent);
                        one(&self.verdicts.to_host_port);
                    }
                    None => one(&self.verdicts.no_host_port),
                }
            }
        }
    }
}
