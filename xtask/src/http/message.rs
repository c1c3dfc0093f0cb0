//! Reading and writing what both ends share: heads and bodies.

use super::pattern;
use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};
use std::time::{Duration, Instant};

/// How much is read or written at once, in bytes.
const PIECE: u64 = 16 * 1024;
/// Longest accepted head, in bytes.
const HEAD: u64 = 8 * 1024;

/// The first line and the headers of a message; names are in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) first: String,
    headers: Vec<(String, String)>,
}

impl Head {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn length(&self) -> u64 {
        self.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// Reads a head, or `None` when the peer has closed before its first byte.
pub(super) fn read_head(from: &mut impl BufRead) -> Result<Option<Head>> {
    let mut limited = from.take(HEAD);
    let mut first = String::new();
    if limited.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if limited.read_line(&mut line)? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the head is cut or too long"));
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some(Head { first: first.trim_end().to_owned(), headers }));
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(Error::new(ErrorKind::InvalidData, format!("no header: {line}")));
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// Reads a body of `length` bytes and tells whether it is the pattern.
pub(super) fn read_body(from: &mut impl Read, length: u64) -> Result<bool> {
    let mut piece = vec![0; PIECE as usize];
    let (mut position, mut good) = (0, true);
    while position < length {
        let want = (length - position).min(PIECE) as usize;
        let got = from.read(&mut piece[..want])?;
        if got == 0 {
            return Err(Error::new(
                ErrorKind::UnexpectedEof,
                format!("body cut at {position} of {length} bytes"),
            ));
        }
        good &= pattern::matches(&piece[..got], position);
        position += got as u64;
    }
    Ok(good)
}

/// Writes a body of `length` bytes, spread evenly over `duration` (zero: at once).
pub(super) fn write_body(to: &mut impl Write, length: u64, duration: Duration) -> Result<()> {
    let step = if duration.is_zero() { PIECE } else { (length / 100).clamp(1, PIECE) };
    let start = Instant::now();
    let mut piece = vec![0; step as usize];
    let mut position = 0;
    while position < length {
        let now = &mut piece[..(length - position).min(step) as usize];
        pattern::fill(now, position);
        to.write_all(now)?;
        position += now.len() as u64;
        let due = duration.mul_f64(position as f64 / length as f64);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_heads() {
        type Want = std::result::Result<Option<(&'static str, u64)>, ErrorKind>;
        let cases: &[(&str, Want)] = &[
            ("", Ok(None)),
            ("GET / HTTP/1.1\r\nContent-Length: 12\r\n\r\n", Ok(Some(("GET / HTTP/1.1", 12)))),
            ("GET / HTTP/1.1\r\n\r\n", Ok(Some(("GET / HTTP/1.1", 0)))),
            ("GET / HTTP/1.1\r\nHost: a", Err(ErrorKind::UnexpectedEof)),
            ("GET / HTTP/1.1\r\nnonsense\r\n\r\n", Err(ErrorKind::InvalidData)),
        ];
        for (text, want) in cases {
            let got = read_head(&mut text.as_bytes()).map_err(|e| e.kind());
            let got = got.map(|head| head.map(|h| (h.first.clone(), h.length())));
            assert_eq!(got, want.map(|w| w.map(|(first, length)| (first.to_owned(), length))), "{text:?}");
        }
    }

    #[test]
    fn an_endless_head_is_refused() {
        let text = format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(5000));
        assert_eq!(read_head(&mut text.as_bytes()).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn bodies_are_checked() {
        let mut bytes = Vec::new();
        write_body(&mut bytes, 100_000, Duration::ZERO).unwrap();
        assert!(read_body(&mut bytes.as_slice(), 100_000).unwrap());
        bytes[50_000] ^= 1;
        assert!(!read_body(&mut bytes.as_slice(), 100_000).unwrap());
        assert_eq!(read_body(&mut &bytes[1..], 100_000).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_slow_body_takes_its_time() {
        let start = Instant::now();
        write_body(&mut Vec::new(), 10_000, Duration::from_millis(50)).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(50));
    }
}
