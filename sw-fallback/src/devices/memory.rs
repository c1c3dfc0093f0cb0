//! A device that is a pair of queues: for tests, and for pipelines run inside another program.

use super::{BATCH, Counts, Device, DeviceError, Receive, Transmit};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most frames that wait in one direction; further ones are lost and counted.
pub const ROOM: usize = 4096;

#[derive(Debug, Default)]
struct Queues {
    /// Towards the switch.
    inward: VecDeque<Vec<u8>>,
    outward: VecDeque<Vec<u8>>,
    closed: bool,
}

type Shared = Arc<Mutex<Queues>>;

fn lock(queues: &Shared) -> MutexGuard<'_, Queues> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The far end of the device. Dropping it ends the device, after what it has been given.
#[derive(Debug)]
pub struct Far {
    queues: Shared,
    bell: UnixStream,
    counts: Arc<Counts>,
}

/// Makes a device and its far end.
///
/// # Errors
/// The kernel has no descriptor left.
pub fn pair(name: &str) -> io::Result<(Device, Far)> {
    let queues = Shared::default();
    let (bell, heard) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    heard.set_nonblocking(true)?;
    let counts = Arc::new(Counts::default());
    let near = || Arc::clone(&queues);
    let device = Device {
        name: name.to_owned(),
        mac: None,
        mtu: None,
        host_hears: false,
        counts: Arc::clone(&counts),
        receive: Box::new(Receiver { queues: near(), heard, counts: Arc::clone(&counts) }),
        transmit: Box::new(Sender { queues: near(), counts: Arc::clone(&counts) }),
    };
    Ok((device, Far { queues, bell, counts }))
}

impl Far {
    /// Gives the switch a frame.
    pub fn push(&mut self, frame: &[u8]) {
        let mut queues = lock(&self.queues);
        if queues.inward.len() == ROOM {
            Counts::add(&self.counts.ring_full, 1);
            return;
        }
        queues.inward.push_back(frame.to_vec());
        drop(queues);
        self.ring();
    }

    /// The next frame that the switch has sent.
    pub fn pop(&mut self) -> Option<Vec<u8>> {
        lock(&self.queues).outward.pop_front()
    }

    fn ring(&mut self) {
        // A bell that is full has been rung already.
        let _full = self.bell.write(&[1]);
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        lock(&self.queues).closed = true;
        self.ring();
    }
}

#[derive(Debug)]
struct Receiver {
    queues: Shared,
    heard: UnixStream,
    counts: Arc<Counts>,
}

impl Receive for Receiver {
    fn receive(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<usize, DeviceError> {
        let mut bells = [0; 256];
        let _none = self.heard.read(&mut bells);
        let mut queues = lock(&self.queues);
        let waiting = queues.inward.len().min(BATCH);
        let frames: Vec<Vec<u8>> = queues.inward.drain(..waiting).collect();
        drop(queues);
        for frame in &frames {
            self.counts.received(frame.len());
            take(frame);
        }
        Ok(frames.len())
    }

    fn wake(&self) -> Option<BorrowedFd<'_>> {
        Some(self.heard.as_fd())
    }

    fn ended(&self) -> bool {
        let queues = lock(&self.queues);
        queues.closed && queues.inward.is_empty()
    }
}

#[derive(Debug)]
struct Sender {
    queues: Shared,
    counts: Arc<Counts>,
}

impl Transmit for Sender {
    fn send(&mut self, frames: &[&[u8]]) -> Result<(), DeviceError> {
        let mut queues = lock(&self.queues);
        let room = ROOM.saturating_sub(queues.outward.len()).min(frames.len());
        let (fit, rest) = frames.split_at(room);
        queues.outward.extend(fit.iter().map(|f| f.to_vec()));
        self.counts.sent(fit);
        Counts::add(&self.counts.not_sent, rest.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn frames_go_both_ways_and_end_with_the_far_end() {
        let (mut device, mut far) = pair("m").unwrap();
        far.push(b"one");
        far.push(b"two");
        let mut seen = Vec::new();
        assert_eq!(device.receive.receive(&mut |f| seen.push(f.to_vec())).unwrap(), 2);
        assert_eq!(seen, [b"one", b"two"]);
        device.transmit.send(&[b"three"]).unwrap();
        assert_eq!((far.pop(), far.pop()), (Some(b"three".to_vec()), None));
        assert!(!device.receive.ended());
        far.push(b"last");
        drop(far);
        assert!(!device.receive.ended(), "a frame is left");
        device.receive.receive(&mut |_| ()).unwrap();
        assert!(device.receive.ended());
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let (mut device, mut far) = pair("m").unwrap();
        for _ in 0..ROOM + 3 {
            far.push(b"x");
            device.transmit.send(&[b"y"]).unwrap();
        }
        assert_eq!(device.counts.losses(), [("ring_full", 3), ("not_sent", 3)].into());
    }
}
