//! Ports of ours: frames come from queues and go to a list.

use super::ffi::{Packet, PortInOps, PortInStats, PortOutOps, PortOutStats};
use libc::{c_int, c_void};
use std::collections::VecDeque;

/// Room in front of a frame and its preamble, for headers that are pushed.
pub(super) const HEAD: usize = 256;
/// Room behind a frame, which a program may read before it finds the frame too short.
const TAIL: usize = 256;

/// A packet's memory: room, the bytes, room.
#[derive(Default)]
pub(super) struct Frame {
    memory: Vec<u8>,
    /// Bytes of the packet as it came, preamble and frame.
    length: usize,
    /// Where it came, and as what.
    pub(super) port: u32,
    pub(super) came: Vec<u8>,
}

impl Frame {
    pub(super) fn fill(&mut self, port: u32, preamble: &[u8], frame: &[u8]) {
        self.port = port;
        self.came.clear();
        self.came.extend_from_slice(frame);
        self.length = preamble.len() + frame.len();
        self.memory.clear();
        self.memory.resize(HEAD, 0);
        self.memory.extend_from_slice(preamble);
        self.memory.extend_from_slice(frame);
        self.memory.resize(HEAD + self.length + TAIL, 0);
    }
}

/// A packet that has left the pipeline.
pub(super) struct Done {
    pub(super) port: u32,
    pub(super) frame: Box<Frame>,
    start: usize,
    length: usize,
}

impl Done {
    /// Its bytes, preamble and all; none if the program has taken more than there was.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.frame.memory.get(self.start..self.start.checked_add(self.length)?)
    }
}

/// What waits, what has left, and how many are in between.
#[derive(Default)]
pub(super) struct Io {
    pub(super) waiting: Vec<VecDeque<Box<Frame>>>,
    pub(super) done: Vec<Done>,
    /// Boxes, for SWX holds a pointer to each that it works on.
    #[allow(clippy::vec_box)]
    pub(super) spare: Vec<Box<Frame>>,
    /// Given and not back yet.
    pub(super) away: usize,
}

/// What a port's functions get.
pub(super) struct Port {
    pub(super) io: *mut Io,
    pub(super) number: u32,
}

extern "C" fn same(args: *mut c_void) -> *mut c_void {
    args
}

/// The pipeline's owner frees its ports.
extern "C" fn keep(_port: *mut c_void) {}

/// # Safety
/// `port` is a [`Port`] whose `io` nobody else uses now; `packet` may be written.
unsafe extern "C" fn receive(port: *mut c_void, packet: *mut Packet) -> c_int {
    // SAFETY: as the function demands; `Pipeline::run` is the only one to get here, and holds no reference to either.
    let (io, packet) = unsafe {
        let port = &*port.cast::<Port>();
        let io = &mut *port.io;
        let Some(waiting) = io.waiting.get_mut(port.number as usize) else { return 0 };
        (waiting.pop_front(), &mut *packet)
    };
    let Some(mut frame) = io else { return 0 };
    packet.data = frame.memory.as_mut_ptr();
    packet.offset = HEAD as u32;
    packet.length = frame.length as u32;
    // It comes back in `transmit`.
    packet.handle = Box::into_raw(frame).cast();
    1
}

/// # Safety
/// `port` is a [`Port`] whose `io` nobody else uses now; `packet` was made by [`receive`], and its handle is given up.
unsafe extern "C" fn transmit(port: *mut c_void, packet: *mut Packet) {
    // SAFETY: as the function demands; SWX sends each packet once, to a port or to the one that drops.
    unsafe {
        let port = &*port.cast::<Port>();
        let (io, packet) = (&mut *port.io, &*packet);
        let frame = Box::from_raw(packet.handle.cast::<Frame>());
        let (start, length) = (packet.offset as usize, packet.length as usize);
        io.away = io.away.saturating_sub(1);
        io.done.push(Done { port: port.number, frame, start, length });
    }
}

/// Our programs mirror nothing.
extern "C" fn fast_clone(_port: *mut c_void, _packet: *mut Packet) {}
extern "C" fn clone(_port: *mut c_void, _packet: *mut Packet, _length: u32) {}
extern "C" fn flush(_port: *mut c_void) {}

/// # Safety
/// `stats` may be written.
unsafe extern "C" fn no_stats_in(_port: *mut c_void, stats: *mut PortInStats) {
    // SAFETY: as the function demands.
    unsafe { stats.write(PortInStats { packets: 0, bytes: 0, empty: 0 }) };
}

/// # Safety
/// `stats` may be written.
unsafe extern "C" fn no_stats_out(_port: *mut c_void, stats: *mut PortOutStats) {
    let none =
        PortOutStats { packets: 0, bytes: 0, dropped_packets: 0, dropped_bytes: 0, cloned: 0, not_cloned: 0 };
    // SAFETY: as the function demands.
    unsafe { stats.write(none) };
}

/// How packets come in.
pub(super) fn ops_in() -> PortInOps {
    PortInOps { create: same, free: keep, receive, stats: no_stats_in }
}

/// How packets leave.
pub(super) fn ops_out() -> PortOutOps {
    PortOutOps { create: same, free: keep, transmit, fast_clone, clone, flush, stats: no_stats_out }
}
