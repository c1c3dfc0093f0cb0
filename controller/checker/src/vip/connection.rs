//! The client's side of a TCP connection (RFC 9293), without I/O: enough to ask something and to hear the answer.
//!
//! It offers no option but the MSS, so that there is neither scaling of windows nor selective acknowledgement. What comes out
//! of order is not kept: the other side sends it again. At most four segments are on the way, fewer than any connection may
//! begin with (RFC 6928), so that nothing has to be learned of the path. It never sends a FIN: it ends by a reset.

use super::packet::{ACK, FIN, Out, PSH, RST, SYN, Segment};
use std::collections::VecDeque;

/// Bytes of a segment at most: what fits through any path of IPv6 with a header to spare.
const MSS: u16 = 1_220;
/// What everybody takes who says nothing (RFC 9293, 3.7.1).
const DEFAULT_MSS: u16 = 536;
/// Segments on the way at most.
const FLIGHT: u32 = 4;
/// Bytes that are kept for the reader at most.
const WINDOW: u16 = u16::MAX;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The SYN is on the way.
    Opening,
    /// Open.
    Open,
    /// Nobody listens.
    Refused,
    /// The other side has ended it at once.
    Reset,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    phase: Phase,
    /// Number of the first byte that is not acknowledged.
    first: u32,
    /// The bytes from there on; all have been sent.
    unacknowledged: VecDeque<u8>,
    /// What the other side takes, and in one segment.
    window: u16,
    mss: u16,
    /// Number of the byte that comes next.
    expected: u32,
    /// What came, for the reader.
    received: VecDeque<u8>,
    /// The other side sends no more.
    ended: bool,
    /// The window that was told last.
    told: u16,
}

impl Connection {
    /// One that begins with this number. What it says first is [`again`](Self::again).
    pub(super) fn new(sequence: u32) -> Self {
        Self {
            phase: Phase::Opening,
            first: sequence,
            unacknowledged: VecDeque::new(),
            window: 0,
            mss: DEFAULT_MSS,
            expected: 0,
            received: VecDeque::new(),
            ended: false,
            told: WINDOW,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the reader has all: what came is read, and there is no more.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.received.is_empty()
    }

    /// Whether something has to be sent [`again`](Self::again) unless it is acknowledged.
    pub(super) fn waits(&self) -> bool {
        self.phase == Phase::Opening || self.phase == Phase::Open && !self.unacknowledged.is_empty()
    }

    /// Number of the first byte that is not acknowledged: as long as it stays the same, nothing gets on.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// What is not acknowledged.
    pub(super) fn again(&mut self) -> Vec<Out> {
        match self.phase {
            Phase::Opening => {
                let (sequence, mss) = (self.first, Some(MSS));
                vec![Out { sequence, flags: SYN, window: WINDOW, mss, ..Out::default() }]
            }
            Phase::Open => self.data(0),
            Phase::Refused | Phase::Reset => Vec::new(),
        }
    }

    /// The end.
    pub(super) fn reset(&self) -> Option<Out> {
        let sequence = self.first.wrapping_add(self.unacknowledged.len() as u32);
        (self.phase == Phase::Open).then(|| Out { sequence, flags: RST, ..Out::default() })
    }

    /// Takes as much as may be on the way; what of it and what goes out.
    pub(super) fn write(&mut self, bytes: &[u8]) -> (usize, Vec<Out>) {
        let begin = self.unacknowledged.len();
        let most = u32::from(self.window).min(FLIGHT * u32::from(self.mss)) as usize;
        let taken = bytes.len().min(most.saturating_sub(begin));
        self.unacknowledged.extend(&bytes[..taken]);
        (taken, self.data(begin))
    }

    /// What was received, as much as fits; and word of the room that this makes, if there was hardly any.
    pub(super) fn read(&mut self, most: usize) -> (Vec<u8>, Option<Out>) {
        let bytes = self.received.drain(..most.min(self.received.len())).collect();
        let cramped = self.told < WINDOW / 2 && self.room() >= WINDOW / 2;
        let word = (cramped && !self.ended).then(|| self.acknowledgement());
        (bytes, word)
    }

    /// A segment that came by.
    pub(super) fn hear(&mut self, segment: &Segment, data: &[u8]) -> Option<Out> {
        match self.phase {
            Phase::Opening => self.opened(segment),
            Phase::Open => self.went_on(segment, data),
            Phase::Refused | Phase::Reset => None,
        }
    }

    fn opened(&mut self, segment: &Segment) -> Option<Out> {
        if segment.flags & ACK == 0 || segment.ack != self.first.wrapping_add(1) {
            return None;
        }
        if segment.flags & RST != 0 {
            self.phase = Phase::Refused;
            return None;
        }
        if segment.flags & SYN == 0 {
            return None;
        }
        self.phase = Phase::Open;
        (self.first, self.expected) = (segment.ack, segment.sequence.wrapping_add(1));
        self.window = segment.window;
        self.mss = segment.mss.unwrap_or(DEFAULT_MSS).clamp(64, MSS);
        Some(self.acknowledgement())
    }

    fn went_on(&mut self, segment: &Segment, data: &[u8]) -> Option<Out> {
        let known = self.expected.wrapping_sub(segment.sequence) as usize;
        let has = |flag: u8| segment.flags & flag != 0;
        if has(RST) {
            if known == 0 {
                self.phase = Phase::Reset;
            }
            return None;
        }
        // A SYN is one that came before: our answer to it was lost.
        if has(SYN) || !has(ACK) {
            return has(SYN).then(|| self.acknowledgement());
        }
        let news = segment.ack.wrapping_sub(self.first) as usize;
        if news <= self.unacknowledged.len() {
            self.unacknowledged.drain(..news);
            (self.first, self.window) = (segment.ack, segment.window);
        }
        // What is in order, and fits.
        if known <= data.len() && !self.ended {
            let fresh = &data[known..];
            let taken = fresh.len().min(usize::from(self.room()));
            self.received.extend(&fresh[..taken]);
            self.ended = has(FIN) && taken == fresh.len();
            self.expected = self.expected.wrapping_add(taken as u32 + u32::from(self.ended));
        }
        (known > 0 || !data.is_empty() || has(FIN)).then(|| self.acknowledgement())
    }

    fn room(&self) -> u16 {
        WINDOW - u16::try_from(self.received.len()).unwrap_or(WINDOW)
    }

    fn acknowledgement(&mut self) -> Out {
        self.told = self.room();
        let sequence = self.first.wrapping_add(self.unacknowledged.len() as u32);
        Out { sequence, ack: self.expected, flags: ACK, window: self.told, ..Out::default() }
    }

    /// The segments from this byte of what is not acknowledged on.
    fn data(&mut self, from: usize) -> Vec<Out> {
        self.told = self.room();
        let bytes: Vec<u8> = self.unacknowledged.iter().skip(from).copied().collect();
        let first = self.first.wrapping_add(from as u32);
        let parts = bytes.chunks(usize::from(self.mss)).enumerate();
        let part = |(at, data): (usize, &[u8])| Out {
            sequence: first.wrapping_add(at as u32 * u32::from(self.mss)),
            ack: self.expected,
            flags: ACK | PSH,
            window: self.told,
            mss: None,
            data: data.to_vec(),
        };
        parts.map(part).collect()
    }
}
