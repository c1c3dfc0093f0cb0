//! What a port's thread does: takes frames in, lets the pipeline decide, sends what leaves.

use super::NativePlane;
use super::run::{Event, SwitchCounts};
use super::shared::Cell;
use crate::devices::{self, Counts, DeviceError, Receive, Transmit};
use crate::punt::Punt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use sw_fallback_rt::{Packet, Verdict};

/// A way out, for all threads.
pub(super) struct Out {
    /// The port's number; none: the host port.
    pub(super) number: Option<u32>,
    /// Takes the place of the incoming port's own address.
    pub(super) mac: Option<[u8; 6]>,
    pub(super) transmit: Mutex<Box<dyn Transmit>>,
    pub(super) counts: Arc<Counts>,
    pub(super) mtu: Option<u32>,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("number", &self.number).finish_non_exhaustive()
    }
}

pub(super) struct Worker {
    pub(super) number: u32,
    pub(super) mac: Option<[u8; 6]>,
    pub(super) host_hears: bool,
    pub(super) with_host: bool,
    pub(super) receive: Box<dyn Receive>,
    pub(super) cell: Arc<Cell>,
    pub(super) outs: Arc<Vec<Out>>,
    pub(super) counts: Arc<SwitchCounts>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) events: Sender<Event>,
    pub(super) since: Instant,
    pub(super) tick_ns: u64,
    /// Where passed packets go beside the host, if a controller wants them.
    pub(super) punt: Arc<OnceLock<Arc<Punt>>>,
}

/// How soon a thread sees that it shall stop.
const PAUSE_MILLIS: i32 = 50;

/// Frames on their way out of one port, one behind the other.
#[derive(Default)]
struct Outbox {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Outbox {
    fn push(&mut self, frame: &[u8]) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
        &mut self.bytes[start..]
    }

    fn send(&mut self, out: &Out) -> Result<(), DeviceError> {
        if self.ends.is_empty() {
            return Ok(());
        }
        let mut frames: Vec<&[u8]> = Vec::with_capacity(self.ends.len());
        let mut start = 0;
        for end in &self.ends {
            frames.push(&self.bytes[start..*end]);
            start = *end;
        }
        let sent = out.transmit.lock().unwrap_or_else(PoisonError::into_inner).send(&frames);
        self.bytes.clear();
        self.ends.clear();
        sent
    }
}

impl Worker {
    /// Works until it shall stop, the input ends, or the device is lost.
    pub(super) fn run(mut self) {
        let mut boxes: Vec<Outbox> = self.outs.iter().map(|_| Outbox::default()).collect();
        let mut packet = Packet::new();
        let mut told = false;
        while !self.stop.load(Ordering::Relaxed) {
            let error = match self.batch(&mut packet, &mut boxes) {
                Ok(0) if self.receive.ended() => return self.tell(None),
                Ok(0) => self.wait().err(),
                Ok(_) => {
                    told = false;
                    None
                }
                Err(error) => Some(error),
            };
            let Some(error) = error else { continue };
            if !error.passes() {
                return self.tell(Some(error));
            }
            if !std::mem::replace(&mut told, true) {
                self.tell(Some(error));
            }
            std::thread::sleep(Duration::from_millis(PAUSE_MILLIS.unsigned_abs().into()));
        }
    }

    fn tell(&self, error: Option<DeviceError>) {
        // Whoever has stopped listening has stopped us too.
        let _gone = self.events.send(Event { number: self.number, error });
    }

    fn wait(&self) -> Result<(), DeviceError> {
        let Some(fd) = self.receive.wake() else { return Ok(()) };
        let interface = format!("port {}", self.number);
        devices::wait(&[fd], PAUSE_MILLIS).map_err(|error| DeviceError::System {
            interface,
            what: "waiting",
            error,
        })
    }

    /// Takes in what is at hand and sends what leaves.
    fn batch(&mut self, packet: &mut Packet, boxes: &mut [Outbox]) -> Result<usize, DeviceError> {
        let tick = self.since.elapsed().as_nanos() / u128::from(self.tick_ns);
        let way = Way {
            number: self.number,
            now: tick as u32,
            mac: self.mac,
            host_hears: self.host_hears,
            host: if self.with_host { self.outs.iter().position(|o| o.number.is_none()) } else { None },
            outs: &self.outs,
            counts: &self.counts,
            punt: self.punt.get().map(Arc::as_ref),
        };
        let seen = {
            let mut plane = self.cell.work();
            self.receive.receive(&mut |frame| way.decide(&mut plane, packet, frame, boxes))
        };
        for (one, out) in boxes.iter_mut().zip(self.outs.iter()) {
            one.send(out)?;
        }
        seen
    }
}

/// Where a packet of this port may go.
struct Way<'a> {
    number: u32,
    now: u32,
    mac: Option<[u8; 6]>,
    host_hears: bool,
    /// The host port among the ways out.
    host: Option<usize>,
    outs: &'a [Out],
    counts: &'a SwitchCounts,
    punt: Option<&'a Punt>,
}

impl Way<'_> {
    fn decide(&self, plane: &mut NativePlane, packet: &mut Packet, frame: &[u8], boxes: &mut [Outbox]) {
        packet.fill(frame);
        let verdict = plane.run(self.number, self.now, packet);
        if let (Verdict::Pass, Some(punt)) = (&verdict, self.punt) {
            punt.offer(self.number, packet.frame());
        }
        match verdict {
            Verdict::Drop(_) => {}
            Verdict::Forward(port) => {
                match self.outs.iter().position(|o| o.number == Some(port)).and_then(|i| boxes.get_mut(i)) {
                    Some(to) => {
                        to.push(packet.frame());
                    }
                    None => Counts::add(&self.counts.no_port, 1),
                }
            }
            // The stack has heard this very frame.
            Verdict::Pass if self.host_hears && packet.frame() == frame => {
                Counts::add(&self.counts.left_to_host, 1);
            }
            Verdict::Pass => match self.host.and_then(|i| Some((boxes.get_mut(i)?, self.outs.get(i)?))) {
                Some((to, out)) => {
                    let sent = to.push(packet.frame());
                    if let (Some(own), Some(host), Some(place)) =
                        (self.mac, out.mac, sent.first_chunk_mut::<6>())
                        && *place == own
                    {
                        *place = host;
                    }
                    Counts::add(&self.counts.to_host_port, 1);
                }
                None => Counts::add(&self.counts.no_host_port, 1),
            },
        }
    }
}
