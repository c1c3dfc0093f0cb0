#![allow(clippy::unwrap_used)]

use super::connection::{Connection, Phase};
use super::packet::{ACK, FIN, Out, RST, SYN, Segment};
use fuzz::{Choices, target};
use std::collections::VecDeque;

/// The peer's first number.
const FIRST: u32 = u32::MAX - 700;

/// A server that hears a request, however it comes, and answers with so many bytes and a FIN.
struct Peer {
    mss: u16,
    window: u16,
    heard: Vec<u8>,
    /// Bytes of the request, and the answer.
    asks: usize,
    answer: Vec<u8>,
    /// Of the client: the number that comes next, and the window it told.
    expects: u32,
    room: usize,
    /// Bytes of the answer that the client has, its FIN being one.
    known: usize,
}

impl Peer {
    fn says(&self, sequence: u32, flags: u8, data: &[u8]) -> (Segment, Vec<u8>) {
        let mss = (flags & SYN != 0).then_some(self.mss);
        let (source, ports, ack, window) = (None, (80, 4000), self.expects, self.window);
        (Segment { source, ports, sequence, ack, flags: flags | ACK, window, mss }, data.to_vec())
    }

    /// All that the client may be sent now.
    fn burst(&self) -> Vec<(Segment, Vec<u8>)> {
        let next = FIRST.wrapping_add(1).wrapping_add(self.known as u32);
        let end = self.answer.len().min(self.known + self.room.max(1));
        if self.heard.len() < self.asks || self.known > self.answer.len() {
            return vec![self.says(next, 0, &[])];
        }
        if self.known == self.answer.len() {
            return vec![self.says(next, FIN, &[])];
        }
        let mut said = Vec::new();
        for (at, part) in self.answer[self.known..end].chunks(900).enumerate() {
            let last = self.known + at * 900 + part.len() == self.answer.len();
            said.push(self.says(next.wrapping_add(at as u32 * 900), if last { FIN } else { 0 }, part));
        }
        said
    }

    fn hear(&mut self, out: &Out) -> Vec<(Segment, Vec<u8>)> {
        if out.flags & SYN != 0 {
            self.expects = out.sequence.wrapping_add(1);
            return vec![self.says(FIRST, SYN, &[])];
        }
        let known = self.expects.wrapping_sub(out.sequence) as usize;
        if let Some(fresh) = out.data.get(known..) {
            self.heard.extend(fresh);
            self.expects = self.expects.wrapping_add(fresh.len() as u32);
        }
        self.room = out.window.into();
        let acknowledged = out.ack.wrapping_sub(FIRST.wrapping_add(1)) as usize;
        let news = acknowledged > self.known && acknowledged <= self.answer.len() + 1;
        if news {
            self.known = acknowledged;
        }
        // It goes on with what is new, and is silent about what it knows.
        if news && self.known <= self.answer.len() || !out.data.is_empty() {
            self.burst()
        } else {
            Vec::new()
        }
    }
}

/// What a network does to packets: it loses, doubles and delays them.
fn carry<T: Clone>(queue: &mut VecDeque<T>, choices: &mut Choices) -> Option<T> {
    match choices.below(8) {
        1 => queue.pop_front().map(drop).and(None),
        2 => queue.front().cloned(),
        3 => queue.pop_back(),
        _ => queue.pop_front(),
    }
}

fn converse(choices: &mut Choices) {
    let bytes = |n: usize| (0..n).map(|i| (i * 31 + i / 251) as u8).collect::<Vec<u8>>();
    let (request, answer) = (bytes(1 + choices.below(9_000)), bytes(choices.below(70_000)));
    let (mss, window) = ([300, 536, 1_460][choices.below(3)], [400, 2_000, 65_535][choices.below(3)]);
    let (asks, reader) = (request.len(), [50, 700, 1 << 17][choices.below(3)]);
    let mut peer = Peer { mss, window, heard: vec![], asks, answer, expects: 0, room: 0, known: 0 };
    let mut it = Connection::new(u32::MAX - 1_000);
    let (mut there, mut back): (VecDeque<Out>, VecDeque<_>) = (it.again().into(), VecDeque::new());
    let (mut written, mut read, mut silence) = (0, Vec::new(), 0);
    while !it.is_over() {
        if let Some(out) = carry(&mut there, choices) {
            assert!(out.data.len() <= usize::from(mss));
            back.extend(peer.hear(&out));
        }
        if let Some((segment, data)) = carry(&mut back, choices) {
            there.extend(it.hear(&segment, &data));
        }
        if it.phase() == Phase::Open && written < request.len() {
            let (taken, out) = it.write(&request[written..]);
            written += taken;
            there.extend(out);
        }
        let most = if silence > 0 { 1 << 17 } else { reader };
        let (bytes, word) = it.read(most);
        silence = if bytes.is_empty() && there.is_empty() && back.is_empty() { silence + 1 } else { 0 };
        read.extend(bytes);
        there.extend(word);
        if there.is_empty() && back.is_empty() {
            there.extend(it.again());
            back.extend(peer.burst());
        }
        assert!(silence < 100, "nothing gets on: {} of {} bytes", read.len(), peer.answer.len());
    }
    assert!(peer.heard == request && read == peer.answer, "{} of {}", read.len(), peer.answer.len());
    let end = it.reset().unwrap();
    assert_eq!((end.flags, end.sequence), (RST, peer.expects));
}

#[test]
fn all_is_said_and_heard_on_a_network_that_loses_doubles_and_delays() {
    target!(300, |input: &[u8]| converse(&mut Choices::new(input)));
}

/// An open connection, of which the peer has these bytes of `GET`, and expects more.
fn open() -> Connection {
    let mut it = Connection::new(99);
    let syn_ack = Segment { flags: SYN | ACK, ack: 100, sequence: 499, mss: Some(1_000), ..segment() };
    assert_eq!(it.hear(&syn_ack, &[]).unwrap().ack, 500);
    assert_eq!(it.write(b"GET").0, 3);
    it
}

fn segment() -> Segment {
    let (source, ports, mss) = (None, (80, 4000), None);
    Segment { source, ports, sequence: 500, ack: 100, flags: ACK, window: 9_000, mss }
}

#[test]
fn a_reset_counts_where_it_can_be_meant() {
    // Before the connection is open: what acknowledges the SYN.
    for (flags, ack, phase) in [
        (RST | ACK, 100, Phase::Refused),
        (RST | ACK, 101, Phase::Opening),
        (RST, 100, Phase::Opening),
        (SYN, 100, Phase::Opening),
        (SYN | ACK, 99, Phase::Opening),
        (ACK, 100, Phase::Opening),
    ] {
        let mut it = Connection::new(99);
        assert_eq!(it.hear(&Segment { flags, ack, ..segment() }, &[]), None);
        assert_eq!(it.phase(), phase, "{flags:#x} {ack}");
    }
    // Then: the number that comes next, and no other (RFC 5961).
    for (sequence, phase) in [(499, Phase::Open), (500, Phase::Reset), (501, Phase::Open)] {
        let mut it = open();
        assert_eq!(it.hear(&Segment { flags: RST, sequence, ..segment() }, &[]), None);
        assert_eq!(it.phase(), phase, "{sequence}");
    }
}

#[test]
fn what_is_old_ahead_or_of_nobody_changes_nothing() {
    for (sequence, ack, data, expected) in [
        (500, 103, &b"abc"[..], 503),
        (498, 103, b"..abc", 503),
        (497, 103, b"...", 500),
        (490, 103, b"...", 500),
        (501, 103, b"bc", 500),
        (500, 104, b"abc", 503),
        (500, 99, b"abc", 503),
    ] {
        let mut it = open();
        let answer = it.hear(&Segment { sequence, ack, ..segment() }, data).unwrap();
        assert_eq!((answer.ack, answer.flags, answer.sequence), (expected, ACK, 103), "{sequence} {ack}");
        assert_eq!(it.read(9).0, b"abc"[..(expected - 500) as usize]);
        assert_eq!(it.waits(), ack != 103);
    }
    // A SYN-ACK again: our acknowledgement was lost.
    let mut it = open();
    let again = Segment { flags: SYN | ACK, sequence: 499, ..segment() };
    assert_eq!(it.hear(&again, &[]).unwrap().ack, 500);
    assert_eq!(it.hear(&segment(), &[]), None, "nothing that needs a word");
}
