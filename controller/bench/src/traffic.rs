//! Packets of many connections through two nodes, behind a router that shares them out by a hash.

use crate::flows::{ACK, FLAGS, Flow, SYN};
use crate::switch::Shared;
use guideway::rt::Packet;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// Packets between two looks at the way.
const BURST: usize = 128;

/// A node as the router sees it.
#[derive(Clone)]
pub enum Way {
    /// Packets go there.
    Through(Shared),
    /// It is lost and the router has not noticed: packets are sent again later, as TCP does.
    Silent,
    /// The router knows that it is lost.
    Gone,
}

/// A router with two equal ways.
pub struct Router(Mutex<[Way; 2]>);

impl Router {
    /// Both ways are there.
    #[must_use]
    pub fn new(ways: [Way; 2]) -> Self {
        Self(Mutex::new(ways))
    }

    /// A way is like this from now on.
    pub fn set(&self, node: usize, way: Way) {
        if let Some(place) = self.ways().get_mut(node) {
            *place = way;
        }
    }

    fn ways(&self) -> MutexGuard<'_, [Way; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a connection's packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The backend of the first one.
    pub first: Option<Ipv4Addr>,
    /// The backend of the last one.
    pub last: Option<Ipv4Addr>,
    /// One went elsewhere than the first.
    pub strayed: bool,
    /// One went nowhere.
    pub dropped: bool,
}

impl Seen {
    fn note(&mut self, to: Option<[u8; 4]>) {
        let to = to.map(Ipv4Addr::from);
        self.dropped |= to.is_none();
        self.first = self.first.or(to);
        self.strayed |= to.is_some() && to != self.first;
        self.last = to;
    }
}

/// Packets under way, until it is told to [`end`](Self::end).
pub struct Traffic {
    passes: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Seen>>,
}

impl Traffic {
    /// Sends a SYN of each connection, then segments of all of them, again and again. `began`: the clock of the nodes.
    #[must_use]
    pub fn start(router: Arc<Router>, flows: Vec<Flow>, began: Instant) -> Self {
        let (passes, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut work = Work { router, began, passes: Arc::clone(&passes), over: Arc::clone(&over) };
        let thread = std::thread::spawn(move || work.run(&flows));
        Self { passes, over, thread }
    }

    /// How often every connection has sent a packet.
    #[must_use]
    pub fn passes(&self) -> u64 {
        self.passes.load(Ordering::SeqCst)
    }

    /// Ends it: what became of each connection, in the order in which they were given.
    #[must_use]
    pub fn end(self) -> Option<Vec<Seen>> {
        self.over.store(true, Ordering::SeqCst);
        self.thread.join().ok()
    }
}

struct Work {
    router: Arc<Router>,
    began: Instant,
    passes: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Work {
    fn run(&mut self, flows: &[Flow]) -> Vec<Seen> {
        let mut seen = vec![Seen::default(); flows.len()];
        let mut frames: Vec<_> = flows.iter().map(|flow| (flow.way(2), flow.frame(SYN))).collect();
        let mut packet = Packet::new();
        while !self.over.load(Ordering::SeqCst) {
            for (frames, seen) in frames.chunks(BURST).zip(seen.chunks_mut(BURST)) {
                self.burst(frames, seen, &mut packet);
            }
            if self.passes.fetch_add(1, Ordering::SeqCst) == 0 {
                frames.iter_mut().for_each(|(_, frame)| frame[FLAGS] = ACK);
            }
        }
        seen
    }

    fn burst(&self, frames: &[(usize, [u8; 60])], seen: &mut [Seen], packet: &mut Packet) {
        let ways = self.router.ways().clone();
        for (at, way) in ways.iter().enumerate() {
            let Way::Through(device) = way else { continue };
            let other_is_gone = ways.iter().any(|way| matches!(way, Way::Gone));
            let mut device = device.blocking_lock();
            let plane = &mut device.host.0;
            let tick = (self.began.elapsed().as_nanos() as u64 / plane.tick_ns().max(1)) as u32;
            for ((_, frame), seen) in
                frames.iter().zip(seen.iter_mut()).filter(|((home, _), _)| *home == at || other_is_gone)
            {
                packet.fill(frame);
                seen.note(plane.run(tick, packet));
            }
        }
    }
}
