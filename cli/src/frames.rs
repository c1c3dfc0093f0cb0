//! Frames as people give them: hexadecimal, or a capture.

use crate::Refused;
use std::path::Path;

/// The frames that an argument means: hexadecimal, or a file of either kind.
pub(crate) fn frames(packet: &str) -> Result<Vec<Vec<u8>>, Refused> {
    if let Some(frame) = bytes_of(packet) {
        return Ok(vec![frame]);
    }
    let neither = |e| Refused(format!("error: `{packet}` is neither a frame in hexadecimal nor a file: {e}"));
    let bytes = std::fs::read(Path::new(packet)).map_err(neither)?;
    let Read { frames, note } = read(&bytes).map_err(|why| Refused(format!("error: {packet}: {why}")))?;
    if let Some(note) = note {
        tracing::info!("{packet}: {note}");
    }
    Ok(frames)
}

/// What a file holds.
#[derive(Debug, PartialEq)]
struct Read {
    frames: Vec<Vec<u8>>,
    /// What was left out.
    note: Option<String>,
}

/// Reads a file: a capture, else text.
fn read(bytes: &[u8]) -> Result<Read, String> {
    const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
    if bytes.starts_with(&PCAPNG) {
        return Err("this is a capture in the pcapng format; `editcap -F pcap IN OUT` makes it pcap".into());
    }
    match byte_order(bytes) {
        Some(big) => captured(bytes, big),
        None => text(bytes),
    }
}

/// Text: a frame a line; lines that begin with `#` are comments.
fn text(bytes: &[u8]) -> Result<Read, String> {
    let neither = || "this is no capture (pcap) and no hexadecimal text, a frame a line".to_owned();
    let text = std::str::from_utf8(bytes).map_err(|_| neither())?;
    let lines = (1..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#'));
    let mut frames = Vec::new();
    for (number, line) in lines {
        match bytes_of(line) {
            Some(frame) => frames.push(frame),
            None if frames.is_empty() => return Err(neither()),
            None => {
                return Err(format!("line {number} is no frame in hexadecimal: an even number of digits"));
            }
        }
    }
    if frames.is_empty() { Err(neither()) } else { Ok(Read { frames, note: None }) }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = hex
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    if digits.is_empty() || !pairs.remainder().is_empty() {
        return None;
    }
    Some(pairs.map(|p| (p[0] << 4 | p[1]) as u8).collect())
}

/// Is this a pcap file, and then in big-endian order?
fn byte_order(bytes: &[u8]) -> Option<bool> {
    match bytes.get(..4)? {
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => Some(true),
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => Some(false),
        _ => None,
    }
}

/// The packets of a pcap file. One that the file's end cuts is left out.
fn captured(bytes: &[u8], big: bool) -> Result<Read, String> {
    const ETHERNET: u32 = 1;
    let word = |at: usize| -> Option<u32> {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    let link = word(20).ok_or("the capture ends inside its header")? & 0xffff;
    if link != ETHERNET {
        return Err(format!("this is a capture of link type {link}; only Ethernet (1) is read"));
    }
    let (mut frames, mut note) = (Vec::new(), None);
    let mut at = 24;
    while at < bytes.len() {
        let end = |length: u32| (at + 16).checked_add(usize::try_from(length).ok()?);
        let frame = word(at + 8).and_then(end).and_then(|end| bytes.get(at + 16..end));
        let Some(frame) = frame else {
            note = Some(format!("the capture ends inside packet {}, which is left out", frames.len()));
            break;
        };
        frames.push(frame.to_vec());
        at += 16 + frame.len();
    }
    match (frames.is_empty(), note) {
        (true, Some(_)) => Err("the capture ends inside its first packet".into()),
        (true, None) => Err("the capture holds no packet".into()),
        (false, note) => Ok(Read { frames, note }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use fuzz::Choices;

    #[test]
    fn hexadecimal_with_or_without_gaps() {
        for text in ["0a0b", "0A 0b", "0a:0b"] {
            assert_eq!(bytes_of(text), Some(vec![10, 11]), "{text}");
        }
        for text in ["", "0a0", "0x0a", "a.pcap"] {
            assert_eq!(bytes_of(text), None, "{text}");
        }
    }

    #[test]
    fn text_tells_the_line() {
        assert_eq!(read(b"# two\n0a 0b\n\n0c\n").unwrap().frames, [vec![10, 11], vec![12]]);
        for (text, says) in [
            (&b"0a0b\n0c0"[..], "line 2 is no frame"),
            (b"", "no hexadecimal text"),
            (b"# nothing\n", "no hexadecimal text"),
            (b"hello", "no hexadecimal text"),
            (b"\xff\xfe0a", "no hexadecimal text"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    /// A capture of these packets.
    fn capture(big: bool, link: u32, packets: &[&[u8]]) -> Vec<u8> {
        let word = |w: u32| if big { w.to_be_bytes() } else { w.to_le_bytes() };
        let mut file = [0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, link].map(word).concat();
        for packet in packets {
            file.extend([1, 2, packet.len() as u32, 99].map(word).concat());
            file.extend_from_slice(packet);
        }
        file
    }

    #[test]
    fn captures_of_both_byte_orders() {
        for big in [true, false] {
            let file = capture(big, 1, &[&[1, 2, 3], &[4]]);
            assert_eq!(read(&file), Ok(Read { frames: vec![vec![1, 2, 3], vec![4]], note: None }));
        }
    }

    #[test]
    fn what_is_wrong_with_a_capture_is_told() {
        let file = capture(false, 1, &[&[1, 2, 3], &[4]]);
        // Wherever it is cut inside the second packet, the first is read and the other named.
        for end in 44..file.len() {
            let cut = read(&file[..end]).unwrap();
            assert_eq!(cut.frames, [vec![1, 2, 3]]);
            assert!(cut.note.unwrap().contains("ends inside packet 1"), "{end}");
        }
        let mut endless = file.clone();
        endless[32..36].fill(0xff);
        for (file, says) in [
            (&file[..23], "ends inside its header"),
            (&file[..24], "holds no packet"),
            (&file[..30], "ends inside its first packet"),
            (&endless[..], "ends inside its first packet"),
            (&capture(true, 113, &[&[1]])[..], "link type 113"),
            (&[0x0a, 0x0d, 0x0d, 0x0a, 0][..], "editcap -F pcap"),
        ] {
            let error = read(file).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn any_file() {
        fuzz::target!(5000, |input: &[u8]| {
            let mut choices = Choices::new(input);
            let mut file = match choices.below(4) {
                0 => Vec::new(),
                1 => b"0a0b\n# c\n".to_vec(),
                n => capture(n == 2, 1, &[&[1, 2, 3], &[4; 60], &[]]),
            };
            for _ in 0..choices.below(6) {
                let at = choices.below(file.len().max(1));
                if let Some(byte) = file.get_mut(at) {
                    *byte = choices.byte();
                }
            }
            file.truncate(file.len() - choices.below(20).min(file.len()));
            file.extend_from_slice(choices.bytes(200));
            match read(&file) {
                Ok(read) => {
                    assert!(!read.frames.is_empty());
                    assert!(read.frames.iter().map(Vec::len).sum::<usize>() <= file.len());
                }
                Err(why) => assert!(!why.is_empty()),
            }
        });
    }
}
