//! Single frames out of a device, with what becomes of each.

use super::{Counts, DeviceError, Transmit, packet};
use std::sync::Arc;
use thiserror::Error;

/// Bytes of Ethernet's header and two tags.
const LINK: usize = 22;
/// Bytes of Ethernet's header.
const SHORTEST: usize = 14;
/// The longest frame that a device without a limit takes.
const LONGEST: usize = super::pcap::FRAME;

/// Why a frame was not sent.
#[derive(Debug, Error)]
pub enum SendError {
    /// There is no such port.
    #[error("there is no port {0}")]
    NoPort(u32),
    /// It is no Ethernet frame.
    #[error("the frame has {0} bytes; Ethernet's header alone has 14")]
    TooShort(usize),
    /// The port's interface can't send it.
    #[error("the frame has {bytes} bytes; port {port} takes {most} at most")]
    TooLong {
        /// The port's number.
        port: u32,
        /// The frame's.
        bytes: usize,
        /// What could be sent.
        most: usize,
    },
    /// The kernel's queue is full, or the interface is down.
    #[error("port {0} did not take the frame: its queue is full, or its interface is down")]
    NotSent(u32),
    /// The device is of no use.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// Sends a frame by a device whose counts nobody else changes meanwhile.
///
/// # Errors
/// [`SendError`]: it was not sent.
pub fn send(
    port: u32,
    transmit: &mut dyn Transmit,
    counts: &Counts,
    mtu: Option<u32>,
    frame: &[u8],
) -> Result<(), SendError> {
    let most = mtu.map_or(LONGEST, |mtu| mtu as usize + LINK);
    if frame.len() < SHORTEST {
        return Err(SendError::TooShort(frame.len()));
    }
    if frame.len() > most {
        return Err(SendError::TooLong { port, bytes: frame.len(), most });
    }
    let lost = || {
        let losses = counts.losses();
        ["sent_too_long", "not_sent"].map(|why| losses.get(why).copied().unwrap_or(0))
    };
    let before = lost();
    transmit.send(&[frame])?;
    match lost() {
        now if now == before => Ok(()),
        now if now[0] > before[0] => Err(SendError::TooLong { port, bytes: frame.len(), most }),
        _ => Err(SendError::NotSent(port)),
    }
}

/// An interface that only sends.
pub struct Out {
    port: u32,
    transmit: Box<dyn Transmit>,
    counts: Arc<Counts>,
    mtu: u32,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Out {
    /// A port on an interface of this network namespace.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub fn open(port: u32, interface: &str) -> Result<Self, DeviceError> {
        let (transmit, counts, mtu) = packet::sender(interface)?;
        Ok(Self { port, transmit, counts, mtu })
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(&mut self, frame: &[u8]) -> Result<(), SendError> {
        send(self.port, &mut *self.transmit, &self.counts, Some(self.mtu), frame)
    }
}
