//! Packets in and out of BMv2 over its socket `--packet-in`: a pair of nanomsg's, on a Unix socket.
//!
//! Either side first says which protocol it speaks. Then come messages: 1, the length in 8 bytes, big-endian, and the bytes;
//! of these the first twelve are three numbers as the machine has them: the kind, the port, the packet's length.

use anyhow::{Result, ensure};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Version 0 of the socket protocols; a pair's own number is 16.
const HELLO: [u8; 8] = [0, b'S', b'P', 0, 0, 16, 0, 0];
/// Kinds of messages.
const IN: u32 = 3;
const OUT: u32 = 4;
/// No message is longer.
const LONGEST: u64 = 1 << 20;

#[derive(Debug)]
pub(super) struct Pair {
    stream: UnixStream,
    /// What has come and is no whole message yet.
    come: Vec<u8>,
}

impl Pair {
    /// Says hello.
    pub(super) fn new(mut stream: UnixStream, patience: Duration) -> Result<Self> {
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(&HELLO)?;
        let mut theirs = [0; HELLO.len()];
        stream.read_exact(&mut theirs)?;
        ensure!(theirs == HELLO, "no pair of nanomsg's: {theirs:02x?}");
        Ok(Self { stream, come: Vec::new() })
    }

    /// Sends a packet into a port.
    pub(super) fn send(&mut self, port: u32, packet: &[u8]) -> Result<()> {
        let length = u32::try_from(packet.len())?;
        let head = [IN, port, length].map(u32::to_ne_bytes).concat();
        let bytes = (head.len() + packet.len()) as u64;
        self.stream.write_all(&[&[1], &bytes.to_be_bytes()[..], &head, packet].concat())?;
        Ok(())
    }

    /// The next packet that comes out, if one comes in time: its port and bytes.
    pub(super) fn next(&mut self, wait: Duration) -> Result<Option<(u32, Vec<u8>)>> {
        let end = Instant::now() + wait;
        loop {
            if let Some(message) = self.message()? {
                return packet(&message).map(Some);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => anyhow::bail!("the switch has closed its socket"),
                Ok(n) => self.come.extend(&bytes[..n]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Takes a whole message off what has come.
    fn message(&mut self) -> Result<Option<Vec<u8>>> {
        let Some((head, rest)) = self.come.split_first_chunk::<9>() else { return Ok(None) };
        let [kind, length @ ..] = *head;
        let length = u64::from_be_bytes(length);
        ensure!(kind == 1 && length <= LONGEST, "a message of kind {kind} with {length} bytes");
        let Some(message) = rest.get(..length as usize) else { return Ok(None) };
        let message = message.to_vec();
        self.come.drain(..head.len() + message.len());
        Ok(Some(message))
    }
}

fn packet(message: &[u8]) -> Result<(u32, Vec<u8>)> {
    let Some((head, bytes)) = message.split_first_chunk::<12>() else {
        anyhow::bail!("a message of {} bytes", message.len());
    };
    let number = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    ensure!(number(0) == OUT && number(8) as usize == bytes.len(), "no packet: {message:02x?}");
    Ok((number(4), bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn pair() -> (Pair, UnixStream) {
        let (mine, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(&HELLO).unwrap();
        let pair = Pair::new(mine, PATIENCE).unwrap();
        theirs.read_exact(&mut [0; 8]).unwrap();
        (pair, theirs)
    }

    fn message(kind: u32, port: u32, packet: &[u8]) -> Vec<u8> {
        let head = [kind, port, packet.len() as u32].map(u32::to_ne_bytes).concat();
        [&[1, 0, 0, 0, 0, 0, 0, 0, 12 + packet.len() as u8], &head[..], packet].concat()
    }

    #[test]
    fn packets_go_in_and_come_out_however_the_bytes_come() {
        let (mut pair, mut theirs) = pair();
        pair.send(9, b"frame").unwrap();
        let mut sent = vec![0; message(IN, 9, b"frame").len()];
        theirs.read_exact(&mut sent).unwrap();
        assert_eq!(sent, message(IN, 9, b"frame"));
        let come = [message(OUT, 0xffff_fffd, b"one"), message(OUT, 2, b"")].concat();
        theirs.write_all(&come[..17]).unwrap();
        assert_eq!(pair.next(Duration::from_millis(1)).unwrap(), None);
        theirs.write_all(&come[17..]).unwrap();
        assert_eq!(pair.next(PATIENCE).unwrap(), Some((0xffff_fffd, b"one".to_vec())));
        assert_eq!(pair.next(PATIENCE).unwrap(), Some((2, Vec::new())));
        assert_eq!(pair.next(Duration::from_millis(1)).unwrap(), None);
    }

    #[test]
    fn what_is_no_packet_is_an_error() {
        let (mut pair, mut theirs) = pair();
        theirs.write_all(&message(IN, 1, b"x")).unwrap();
        assert!(pair.next(PATIENCE).is_err(), "a packet on its way in");
        theirs.write_all(&[2, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        assert!(pair.next(PATIENCE).is_err(), "a kind that there is not");
        let (mine, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"\0SP\0\0\x20\0\0").unwrap();
        assert!(Pair::new(mine, PATIENCE).is_err(), "another protocol");
    }
}
