//! Packets: bytes with room in front, the parser's way through them, and where they go.

use alloc::vec;
use alloc::vec::Vec;

/// The place of a header that is not in the received frame.
pub const NOWHERE: usize = usize::MAX >> 1;

/// The `N` bytes at a place of a frame.
#[inline(always)]
#[must_use]
pub fn chunk<const N: usize>(frame: &mut [u8], at: usize) -> Option<&mut [u8; N]> {
    frame.get_mut(at..)?.first_chunk_mut()
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Out of a port.
    Forward(u32),
    /// To the host's own stack.
    Pass,
    /// Nowhere; the reason's number.
    Drop(u16),
}

/// What is known of the packet beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Where it came in.
    pub port: u32,
    /// Bytes of the received frame.
    pub length: u32,
    /// The tick, 18 bits.
    pub now: u32,
    /// At most so many bytes leave.
    pub limit: usize,
}

impl Context {
    /// Of a packet that has just come in.
    #[inline]
    #[must_use]
    pub fn new(port: u32, now: u32, packet: &Packet) -> Self {
        Self { port, length: packet.frame().len() as u32, now: now & 0x3_ffff, limit: usize::MAX }
    }
}

/// A buffer for one packet at a time, with room in front for headers to come.
#[derive(Clone, Debug, Default)]
pub struct Packet {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Packet {
    /// Bytes kept free in front of a received frame.
    pub const HEADROOM: usize = 256;

    /// Without a frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a frame.
    #[inline]
    pub fn fill(&mut self, frame: &[u8]) {
        self.receive(frame.len(), |to| {
            to.copy_from_slice(frame);
            frame.len()
        });
    }

    /// Lets `read` write a frame of at most `most` bytes; it says how many it wrote.
    #[inline]
    pub fn receive(&mut self, most: usize, read: impl FnOnce(&mut [u8]) -> usize) {
        let room = Self::HEADROOM + most;
        if self.bytes.len() < room {
            self.bytes.resize(room, 0);
        }
        self.start = Self::HEADROOM;
        self.end = self.start + read(&mut self.bytes[Self::HEADROOM..room]).min(most);
    }

    /// The frame.
    #[inline]
    #[must_use]
    pub fn frame(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or(&[])
    }

    /// The frame, to be changed.
    #[inline]
    #[must_use]
    pub fn frame_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or(&mut [])
    }

    /// Makes the `old` bytes in front of the payload `new` bytes long; the payload stays in its place. What the
    /// bytes in front hold must be written then.
    #[inline]
    pub fn set_front(&mut self, old: usize, new: usize) {
        let payload = self.start + old;
        if payload < new {
            self.make_room(new - payload);
        }
        self.start = (self.start + old).saturating_sub(new);
    }

    #[cold]
    fn make_room(&mut self, more: usize) {
        self.bytes.splice(0..0, vec![0; more]);
        self.start += more;
        self.end += more;
    }

    /// Cuts the frame to so many bytes.
    #[inline]
    pub fn truncate(&mut self, limit: usize) {
        self.end = self.end.min(self.start.saturating_add(limit));
    }
}

/// The parser's place in the received frame.
#[derive(Clone, Copy, Debug)]
pub struct Parser<'a> {
    frame: &'a [u8],
    /// Bytes taken so far.
    pub at: usize,
}

impl<'a> Parser<'a> {
    /// At the frame's first byte.
    #[inline]
    #[must_use]
    pub fn new(frame: &'a [u8]) -> Self {
        Self { frame, at: 0 }
    }
    /// The next `N` bytes and their place, if the frame has them.
    #[inline(always)]
    pub fn take<const N: usize>(&mut self) -> Option<(&'a [u8; N], usize)> {
        let bytes = self.frame.get(self.at..)?.first_chunk::<N>()?;
        let at = self.at;
        self.at += N;
        Some((bytes, at))
    }
    /// The `width` bits that start `offset` bits ahead, if the frame has them.
    #[inline]
    #[must_use]
    pub fn look(&self, offset: u32, width: u32) -> Option<u128> {
        let rest = self.frame.get(self.at..)?;
        let bits = u64::from(offset) + u64::from(width);
        (bits <= rest.len() as u64 * 8).then(|| crate::bits::get(rest, offset, width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fronts_grow_and_shrink() {
        let mut packet = Packet::new();
        packet.fill(b"headPAYLOAD");
        packet.set_front(4, 6);
        packet.frame_mut()[..6].copy_from_slice(b"longer");
        assert_eq!(packet.frame(), b"longerPAYLOAD");
        packet.set_front(6, 1);
        packet.frame_mut()[0] = b'-';
        assert_eq!(packet.frame(), b"-PAYLOAD");
        packet.set_front(1, Packet::HEADROOM + 50);
        assert_eq!(packet.frame().len(), Packet::HEADROOM + 57);
        assert!(packet.frame().ends_with(b"PAYLOAD"));
        packet.truncate(3);
        assert_eq!(packet.frame().len(), 3);
        packet.fill(b"next");
        assert_eq!(packet.frame(), b"next");
    }

    #[test]
    fn parsers_stop_at_the_end() {
        let mut parser = Parser::new(&[1, 2, 3]);
        assert_eq!(parser.look(4, 8), Some(0x10));
        assert_eq!(parser.take::<2>(), Some((&[1, 2], 0)));
        assert_eq!(parser.take::<2>(), None);
        assert_eq!((parser.at, parser.look(0, 8), parser.look(1, 8)), (2, Some(3), None));
    }
}
