//! An interface of the kernel, by a packet socket: AF_PACKET with a ring that the kernel writes and we read.
//!
//! What the kernel leaves undone between its own interfaces is done here, so that a frame is what it would be on a
//! wire: a checksum that the sender left to a network card is completed, a VLAN tag that the kernel has taken off is
//! put back. Frames that the kernel has merged on their way in (GRO, LRO) would be none that anyone has sent: both are
//! turned off while the device is open. Frames that this host sends are not heard.
//!
//! The host's own stack hears every frame as well: a packet socket takes nothing away from it.

use super::sys::{self, Head, Merging, Ring, TAG_ROOM};
use super::{BATCH, Counts, Device, DeviceError, Receive, Transmit, finish};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// How to open an interface.
#[derive(Clone, Debug)]
pub struct Options {
    /// Takes frames for any Ethernet address, not only those for the interface and groups.
    pub promiscuous: bool,
    /// Bytes of the receive ring, at least; a slot is as long as the longest frame of the interface's MTU.
    pub ring_bytes: usize,
    /// Only looks on: every frame is heard, and nothing of the interface is changed, so that merged ones are lost.
    pub looks_on: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { promiscuous: false, ring_bytes: 8 << 20, looks_on: false }
    }
}

/// Bytes of a slot beside the IP packet: the kernel's headers, Ethernet's, two tags.
const SLOT_HEAD: usize = 160;
const SEND_BUFFER: i32 = 4 << 20;

/// Opens an interface of this network namespace. Notes for the user come along.
///
/// # Errors
/// [`DeviceError`]: there is no such interface, or a right is missing; each says what helps.
pub fn open(interface: &str, options: &Options) -> Result<(Device, Vec<String>), DeviceError> {
    let no_interface = |_| DeviceError::NoInterface { interface: interface.to_owned() };
    let index = sys::interface_index(interface).map_err(no_interface)?;
    let mtu = sys::mtu(interface).map_err(no_interface)?;
    let mac = sys::mac(interface).map_err(no_interface)?;
    if mac.is_none() && !sys::is_loopback(interface).unwrap_or(false) {
        return Err(DeviceError::NotEthernet { interface: interface.to_owned() });
    }
    let refused = |error| DeviceError::raw(interface, error);
    let socket = sys::packet_socket().map_err(refused)?;
    let mut notes = Vec::new();
    let merging = (!options.looks_on).then(|| Unmerged::new(interface, &mut notes));
    // Linux before 4.20 has no such option; what is outgoing is told apart by its kind as well.
    let _old = sys::set_packet_option(socket.as_fd(), libc::PACKET_IGNORE_OUTGOING, 1);
    if options.promiscuous {
        sys::set_promiscuous(socket.as_fd(), index).map_err(refused)?;
    }
    let slot = (mtu as usize + SLOT_HEAD).next_power_of_two().max(2048);
    let slots = (options.ring_bytes / slot).max(2 * BATCH);
    let ring =
        Ring::new(socket.as_fd(), slot, slots).map_err(DeviceError::system(interface, "the receive ring"))?;
    sys::bind(socket.as_fd(), index, true).map_err(refused)?;
    if !sys::is_up(interface).unwrap_or(true) {
        notes.push(DeviceError::Down { interface: interface.to_owned() }.to_string());
    }
    let sender = sending_socket(interface, index)?;
    let counts = Arc::new(Counts::default());
    let receiver = Receiver {
        place: Place { interface: interface.to_owned(), index },
        ring,
        socket,
        everything: options.promiscuous || options.looks_on,
        counts: Arc::clone(&counts),
        _merging: merging,
    };
    let device = Device {
        name: interface.to_owned(),
        mac,
        mtu: Some(mtu),
        host_hears: true,
        counts: Arc::clone(&counts),
        receive: Box::new(receiver),
        transmit: Box::new(Sender { socket: sender, counts }),
    };
    Ok((device, notes))
}

fn sending_socket(interface: &str, index: u32) -> Result<OwnedFd, DeviceError> {
    let refused = |error| DeviceError::raw(interface, error);
    let socket = sys::packet_socket().map_err(refused)?;
    sys::bind(socket.as_fd(), index, false).map_err(refused)?;
    sys::set_send_buffer(socket.as_fd(), SEND_BUFFER).map_err(refused)?;
    Ok(socket)
}

/// The sending half, its counts, and the MTU.
type Half = (Box<dyn Transmit>, Arc<Counts>, u32);

/// The sending half of an interface alone, its counts, and its MTU.
///
/// # Errors
/// [`DeviceError`].
pub(super) fn sender(interface: &str) -> Result<Half, DeviceError> {
    let no_interface = |_| DeviceError::NoInterface { interface: interface.to_owned() };
    let index = sys::interface_index(interface).map_err(no_interface)?;
    let mtu = sys::mtu(interface).map_err(no_interface)?;
    let counts = Arc::new(Counts::default());
    let socket = sending_socket(interface, index)?;
    Ok((Box::new(Sender { socket, counts: Arc::clone(&counts) }), counts, mtu))
}

/// Merging of received frames, turned off while this lives.
#[derive(Debug)]
struct Unmerged {
    interface: String,
    was_on: Vec<Merging>,
}

impl Unmerged {
    fn new(interface: &str, notes: &mut Vec<String>) -> Self {
        let (mut was_on, mut words) = (Vec::new(), String::new());
        for (what, name, word) in [(Merging::Gro, "GRO", "gro"), (Merging::Lro, "LRO", "lro")] {
            // A driver that can't tell merges nothing.
            if !sys::merges(interface, what).unwrap_or(false) {
                continue;
            }
            match sys::set_merging(interface, what, false) {
                Ok(()) => {
                    was_on.push(what);
                    words.push_str(&format!(" {word} on"));
                }
                Err(error) => notes.push(format!(
                    "{interface}: received frames are merged ({name}) and it can't be turned off ({error}): merged \
                     ones are dropped as `received_too_long`; as root: `ethtool -K {interface} {word} off`"
                )),
            }
        }
        if !was_on.is_empty() {
            notes.push(format!(
                "{interface}: merging of received frames is off until the end; after a kill that can't be caught, turn \
                 it on again: `ethtool -K {interface}{words}`"
            ));
        }
        Self { interface: interface.to_owned(), was_on }
    }
}

impl Drop for Unmerged {
    fn drop(&mut self) {
        for what in &self.was_on {
            // An interface that is gone needs no care.
            let _gone = sys::set_merging(&self.interface, *what, true);
        }
    }
}

#[derive(Debug)]
struct Place {
    interface: String,
    index: u32,
}

impl Place {
    /// What an error on a socket means for the interface.
    fn fault(&self, error: io::Error) -> DeviceError {
        let interface = self.interface.clone();
        let there = sys::interface_index(&interface).is_ok_and(|i| i == self.index);
        match error.raw_os_error() {
            _ if !there => DeviceError::Gone { interface },
            Some(libc::ENETDOWN) => DeviceError::Down { interface },
            _ => DeviceError::system(&interface, "receiving")(error),
        }
    }
}

/// The receiving half. The ring's memory stays valid without the socket; the socket is what fills it.
#[derive(Debug)]
struct Receiver {
    place: Place,
    ring: Ring,
    socket: OwnedFd,
    everything: bool,
    counts: Arc<Counts>,
    _merging: Option<Unmerged>,
}

/// Kinds of packets, from `linux/if_packet.h`.
const OTHER_HOST: u8 = 3;
const OUTGOING: u8 = 4;
const VLAN: u16 = 0x8100;

/// The frame in a slot as it was on the wire; none if it is none of ours. It has [`TAG_ROOM`] bytes before it.
fn whole<'a>(head: &Head, slot: &'a mut [u8], everything: bool, counts: &Counts) -> Option<&'a [u8]> {
    if head.kind == OUTGOING {
        return None;
    }
    if head.kind == OTHER_HOST && !everything {
        Counts::add(&counts.not_for_us, 1);
        return None;
    }
    let frame = slot.get_mut(TAG_ROOM..)?;
    let complete = match head.partial {
        Some((start, offset)) => finish::complete_checksum(frame, start, offset),
        None => true,
    };
    if frame.len() < head.length as usize || !complete {
        Counts::add(&counts.received_too_long, 1);
        return None;
    }
    if head.status & libc::TP_STATUS_VLAN_VALID != 0 {
        let told = head.status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
        let kind = if told { head.vlan_type } else { VLAN };
        return finish::insert_tag(slot, TAG_ROOM, kind, head.vlan).then_some(slot);
    }
    slot.get(TAG_ROOM..)
}

impl Receive for Receiver {
    fn receive(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<usize, DeviceError> {
        let (counts, everything) = (&self.counts, self.everything);
        let (mut seen, mut losing) = (0, false);
        while seen < BATCH {
            let more = self.ring.next(|head, slot| {
                losing |= head.status & libc::TP_STATUS_LOSING != 0;
                if let Some(frame) = whole(&head, slot, everything, counts) {
                    counts.received(frame.len());
                    take(frame);
                }
            });
            if !more {
                break;
            }
            seen += 1;
        }
        if seen == 0 || losing {
            if let Ok(lost) = sys::lost(self.socket.as_fd()) {
                Counts::add(&counts.ring_full, lost.into());
            }
            sys::pending_error(self.socket.as_fd()).map_err(|e| self.place.fault(e))?;
        }
        Ok(seen)
    }

    fn wake(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }
}

/// The sending half.
#[derive(Debug)]
struct Sender {
    socket: OwnedFd,
    counts: Arc<Counts>,
}

impl Transmit for Sender {
    fn send(&mut self, frames: &[&[u8]]) -> Result<(), DeviceError> {
        let mut rest = frames;
        while !rest.is_empty() {
            let sent = match sys::send_many(self.socket.as_fd(), rest) {
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let why = match error.raw_os_error() {
                        Some(libc::EMSGSIZE) => &self.counts.sent_too_long,
                        _ => &self.counts.not_sent,
                    };
                    Counts::add(why, 1);
                    rest = &rest[1..];
                    continue;
                }
            };
            let (gone, left) = rest.split_at(sent.min(rest.len()));
            self.counts.sent(gone);
            rest = left;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn head() -> Head {
        Head { status: 1, length: 20, vlan: 0, vlan_type: 0, kind: 0, partial: None }
    }

    /// What becomes of a frame of 20 bytes, and what was counted.
    fn seen(head: Head, everything: bool) -> (Option<Vec<u8>>, Vec<&'static str>) {
        let counts = Counts::default();
        let mut slot: Vec<u8> = (0..24).collect();
        let frame = whole(&head, &mut slot, everything, &counts).map(<[u8]>::to_vec);
        (frame, counts.losses().into_keys().collect())
    }

    #[test]
    fn frames_are_as_on_the_wire() {
        let plain: Vec<u8> = (4..24).collect();
        assert_eq!(seen(head(), false), (Some(plain.clone()), vec![]));
        assert_eq!(seen(Head { kind: OUTGOING, ..head() }, true), (None, vec![]));
        assert_eq!(seen(Head { kind: OTHER_HOST, ..head() }, false), (None, vec!["not_for_us"]));
        assert_eq!(seen(Head { kind: OTHER_HOST, ..head() }, true), (Some(plain), vec![]));
        assert_eq!(seen(Head { length: 21, ..head() }, false), (None, vec!["received_too_long"]));
        let wrong = Head { partial: Some((19, 0)), ..head() };
        assert_eq!(seen(wrong, false), (None, vec!["received_too_long"]));
    }

    #[test]
    fn tags_are_put_back() {
        for (status, kind) in [(1 << 4, [0x81, 0]), (1 << 4 | 1 << 6, [0x88, 0xa8])] {
            let tagged = Head { status: status | 1, vlan: 7, vlan_type: 0x88a8, ..head() };
            let frame = seen(tagged, false).0.unwrap();
            let want =
                [&(4..16).collect::<Vec<u8>>()[..], &kind, &[0, 7], &(16..24).collect::<Vec<u8>>()].concat();
            assert_eq!(frame, want);
        }
    }
}
