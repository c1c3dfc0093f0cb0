//! Frames with numbers, sent through a switch at a pace, and what became of each.
//!
//! Every second frame opens a flow of its own; the others are of some flows that go on for as long as the traffic does.
//! Both directions are one thread's, so that what is under way is bounded: nothing is lost but by the switch.

use crate::sys::{BURST, FRAME, PacketSocket};
use anyhow::{Context as _, Result, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use xdp_bench::frames::{ACK, SYN, Shape, Transport};

/// Frames under way at most: half of what a virtual device's queue takes.
const WINDOW: usize = 128;
/// A frame that has not come by then is lost.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the last frames are waited for: whoever hears them may have other things to do.
const LAST: Duration = Duration::from_secs(20);
/// Where TCP's sequence number is in a frame without tunnel, and how much longer one is with an outer IPv4 header.
const NUMBER: usize = 38;
const OUTER: usize = 20;
/// What the acknowledgement number says in all of our frames.
const MARK: u32 = 0x6757_4159;
/// Numbers of the flows that go on; those of one frame come after.
const FIRST_FRESH: u32 = 1 << 20;
/// Clients are 10.0.0.0/8, of which 18 bits differ; ports have the other 14 bits of a flow's number.
const CLIENTS: u32 = 0x0a00_0000;

/// How much is sent.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Frames per second at most.
    pub pace: u32,
    /// Flows that go on.
    pub lasting: u32,
}

/// A frame that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The flow that goes on of which it is; none: it opens one of its own.
    pub flow: Option<u32>,
    /// When, in ns since the traffic's beginning.
    pub at: u64,
    /// When it came back, and which outer address it was sent to; none: it did not.
    pub heard: Option<(u64, u32)>,
}

/// What became of all frames.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// In the order of their numbers.
    pub frames: Vec<Sent>,
    /// Frames that came back a second time.
    pub twice: usize,
    /// Frames that came, and are none of ours or not as they must be.
    pub foreign: usize,
}

/// Traffic on its way.
#[derive(Debug)]
pub struct Traffic {
    began: Instant,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Record>>,
}

impl Traffic {
    /// Begins to send out of an interface, and to hear what comes back there.
    ///
    /// # Errors
    /// There is no such interface, or no right to raw sockets.
    pub fn start(interface: &str, load: Load) -> Result<Self> {
        ensure!(load.pace > 0 && (1..FIRST_FRESH).contains(&load.lasting), "a pace and some flows");
        let socket = PacketSocket::new(interface).with_context(|| format!("a raw socket on {interface}"))?;
        let (began, stop) = (Instant::now(), Arc::new(AtomicBool::new(false)));
        let mut sender = Sender { socket, load, began, record: Record::default(), back: 0 };
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            sender.run(&told)?;
            Ok(sender.record)
        });
        Ok(Self { began, stop, thread })
    }

    /// Now, in ns since the beginning.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// Sends no more, and waits for what is under way.
    ///
    /// # Errors
    /// The interface is gone, or this machine was too slow to hear everything that came.
    pub fn end(self) -> Result<Record> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the traffic's thread ended"))?
    }
}

struct Sender {
    socket: PacketSocket,
    load: Load,
    began: Instant,
    record: Record,
    /// Frames that have come back.
    back: usize,
}

impl Sender {
    fn run(&mut self, stop: &AtomicBool) -> Result<()> {
        let mut stuck = Instant::now();
        // A tenth of the time between two frames.
        let idle = Duration::from_micros((100_000 / u64::from(self.load.pace)).clamp(50, 1_000));
        while !stop.load(Ordering::Relaxed) {
            let due = (self.began.elapsed().as_secs_f64() * f64::from(self.load.pace)) as usize;
            // What was given up for lost may come after all.
            let under_way = self.record.frames.len().saturating_sub(self.back);
            let count = due.saturating_sub(self.record.frames.len()).min(WINDOW.saturating_sub(under_way));
            let sent = if count > 0 { self.send(count.min(BURST))? } else { 0 };
            let heard = self.hear()?;
            if heard > 0 || under_way < WINDOW {
                stuck = Instant::now();
            } else if stuck.elapsed() > PATIENCE {
                // What is under way is lost; it makes room for others.
                self.back = self.record.frames.len();
            }
            if sent == 0 && heard == 0 {
                std::thread::sleep(idle);
            }
        }
        let end = Instant::now();
        while self.record.frames.iter().any(|f| f.heard.is_none()) && end.elapsed() < LAST {
            if self.hear()? == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let overflowed = self.socket.overflowed()?;
        ensure!(overflowed == 0, "{overflowed} frames came faster than this machine hears them");
        Ok(())
    }

    fn send(&mut self, count: usize) -> Result<usize> {
        let first = self.record.frames.len() as u32;
        let frame = |number: u32| {
            let flow = self.flow(number);
            let mut frame = frame_of(flow.unwrap_or(FIRST_FRESH + number), flow.is_some());
            frame[NUMBER..NUMBER + 4].copy_from_slice(&number.to_be_bytes());
            frame[NUMBER + 4..NUMBER + 8].copy_from_slice(&MARK.to_be_bytes());
            frame
        };
        let mut frames: Vec<Vec<u8>> = (first..).take(count).map(frame).collect();
        let at = self.began.elapsed().as_nanos() as u64;
        let sent = self.socket.send(&mut frames)?;
        let noted = (first..).take(sent).map(|number| Sent { flow: self.flow(number), at, heard: None });
        let noted: Vec<Sent> = noted.collect();
        self.record.frames.extend(noted);
        Ok(sent)
    }

    /// The flow that goes on of which a frame is.
    fn flow(&self, number: u32) -> Option<u32> {
        (number % 2 == 1).then_some(number / 2 % self.load.lasting)
    }

    fn hear(&mut self) -> Result<usize> {
        let Self { socket, began, record, back, .. } = self;
        let at = |frame: &[u8]| (began.elapsed().as_nanos() as u64, read(frame));
        let heard = socket.hear(|frame| {
            let (at, Some((number, to))) = at(frame) else {
                record.foreign += 1;
                return;
            };
            match record.frames.get_mut(number as usize) {
                None => record.foreign += 1,
                Some(sent) if sent.heard.is_some() => record.twice += 1,
                Some(sent) => {
                    sent.heard = Some((at, to));
                    *back += 1;
                }
            }
        })?;
        Ok(heard)
    }
}

/// A frame of a flow, one that opens it or one that goes on. Every flow has a client's address and port of its own.
fn frame_of(flow: u32, goes_on: bool) -> Vec<u8> {
    let flags = if goes_on { ACK } else { SYN };
    let mut frame = Shape { ipv6: false, transport: Transport::Tcp { flags }, to_vip: true }.frame(0);
    frame[26..30].copy_from_slice(&(CLIENTS + (flow >> 14)).to_be_bytes());
    frame[34..36].copy_from_slice(&(0x4000 + (flow & 0x3fff) as u16).to_be_bytes());
    frame[24..26].fill(0);
    let sum = frame[14..34].chunks_exact(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum::<u32>();
    let sum = (sum & 0xffff) + (sum >> 16);
    frame[24..26].copy_from_slice(&(!(sum + (sum >> 16)) as u16).to_be_bytes());
    frame
}

/// The number of one of our frames in a tunnel over IPv4, and the outer destination.
fn read(frame: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| Some(u32::from_be_bytes(frame.get(at..at + 4)?.try_into().ok()?));
    let tunnel = frame.len() <= FRAME && frame.get(12..15)? == [8, 0, 0x45] && *frame.get(23)? == 4;
    let ours = tunnel && word(NUMBER + OUTER + 4)? == MARK;
    ours.then_some(())?;
    Some((word(NUMBER + OUTER)?, word(30)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_flow_is_its_own() {
        let name = |flow| {
            let frame = frame_of(flow, false);
            (frame[26..30].to_vec(), frame[34..36].to_vec())
        };
        let flows: Vec<u32> = (0..20_000).chain(FIRST_FRESH..FIRST_FRESH + 20_000).collect();
        assert_eq!(flows.iter().map(|f| name(*f)).collect::<BTreeSet<_>>().len(), flows.len());
    }

    #[test]
    fn a_frame_is_read_back_from_its_tunnel() {
        let mut frame = frame_of(77, true);
        let words = frame[14..34].chunks(2).map(|w| u64::from(w[0]) << 8 | u64::from(w[1]));
        assert_eq!(words.sum::<u64>() % 0xffff, 0, "the header's checksum");
        assert_eq!(read(&frame), None, "no tunnel");
        frame[NUMBER..NUMBER + 8].copy_from_slice(&[0, 0, 0, 9, 0x67, 0x57, 0x41, 0x59]);
        let mut outer = [0; 20];
        (outer[0], outer[9]) = (0x45, 4);
        outer[16..].copy_from_slice(&[10, 1, 2, 3]);
        frame.splice(14..14, outer);
        assert_eq!(read(&frame), Some((9, 0x0a01_0203)));
    }
}
