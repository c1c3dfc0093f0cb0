//! Where packets come from and go to: interfaces of the kernel ([`packet`]), taps ([`tap`]), capture files ([`pcap`]),
//! queues in memory ([`memory`]), memory that two processes share ([`ring`]).
//!
//! A [`Device`] has two halves, so that one thread can receive on it while others send. Frames are whole Ethernet
//! frames with complete checksums and their VLAN tags, without the frame check sequence. What a device doesn't
//! deliver or can't send it counts, each under its own name, in [`Counts`].

mod error;
mod finish;
pub mod hush;
pub mod memory;
pub mod out;
pub mod packet;
pub mod pcap;
pub mod ring;
mod sys;
pub mod tap;

pub use error::DeviceError;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most frames that one [`Receive::receive`] gives.
pub const BATCH: usize = 64;

/// A place where packets come and go.
pub struct Device {
    /// What it is called in messages.
    pub name: String,
    /// Its Ethernet address, if it has one.
    pub mac: Option<[u8; 6]>,
    /// Its longest IP packet, in bytes; none: no limit.
    pub mtu: Option<u32>,
    /// True where the host's stack hears each received frame too, whatever we do with it.
    pub host_hears: bool,
    /// What came, went and was lost.
    pub counts: Arc<Counts>,
    /// Its receiving half.
    pub receive: Box<dyn Receive>,
    /// Its sending half.
    pub transmit: Box<dyn Transmit>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Receives frames.
pub trait Receive: Send {
    /// Gives each frame that is at hand to `take`, at most [`BATCH`]; how many. It doesn't wait.
    ///
    /// # Errors
    /// [`DeviceError`]: the device will give nothing more, unless [`DeviceError::passes`].
    fn receive(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<usize, DeviceError>;

    /// What is readable when there is something to receive; none: `receive` may be called at any time.
    fn wake(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// True: nothing comes any more, and that is no error.
    fn ended(&self) -> bool {
        false
    }
}

/// Sends frames.
pub trait Transmit: Send {
    /// Sends frames in order. What can't be sent is counted and left out. It doesn't wait.
    ///
    /// # Errors
    /// [`DeviceError`]: the device takes nothing more.
    fn send(&mut self, frames: &[&[u8]]) -> Result<(), DeviceError>;
}

/// What a device has seen. Each is read on its own: together they may be a batch apart.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Counts {
    pub received_packets: AtomicU64,
    pub received_bytes: AtomicU64,
    pub sent_packets: AtomicU64,
    pub sent_bytes: AtomicU64,
    /// Came while the receive ring was full: the switch is too slow.
    pub ring_full: AtomicU64,
    /// Came longer than an interface of its MTU sends: merged or not yet cut into segments.
    pub received_too_long: AtomicU64,
    /// Came for another Ethernet address, which is no concern of ours.
    pub not_for_us: AtomicU64,
    /// Couldn't leave: longer than the MTU.
    pub sent_too_long: AtomicU64,
    /// Couldn't leave: the kernel's queue was full or the interface down.
    pub not_sent: AtomicU64,
}

impl Counts {
    pub(crate) fn add(to: &AtomicU64, n: u64) {
        to.fetch_add(n, Ordering::Relaxed);
    }

    fn received(&self, bytes: usize) {
        Self::add(&self.received_packets, 1);
        Self::add(&self.received_bytes, bytes as u64);
    }

    fn sent(&self, frames: &[&[u8]]) {
        Self::add(&self.sent_packets, frames.len() as u64);
        Self::add(&self.sent_bytes, frames.iter().map(|f| f.len() as u64).sum());
    }

    /// Frames that were lost, by why, without those that are 0.
    #[must_use]
    pub fn losses(&self) -> BTreeMap<&'static str, u64> {
        let all = [
            ("ring_full", &self.ring_full),
            ("received_too_long", &self.received_too_long),
            ("not_for_us", &self.not_for_us),
            ("sent_too_long", &self.sent_too_long),
            ("not_sent", &self.not_sent),
        ];
        all.map(|(name, n)| (name, n.load(Ordering::Relaxed))).into_iter().filter(|(_, n)| *n > 0).collect()
    }
}

/// Waits until one of these is readable, or for so many milliseconds.
///
/// # Errors
/// The kernel can't wait.
pub fn wait(fds: &[BorrowedFd<'_>], millis: i32) -> io::Result<()> {
    sys::wait(fds, millis)
}
