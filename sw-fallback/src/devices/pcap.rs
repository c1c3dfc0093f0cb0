//! Capture files: the classic format of libpcap, Ethernet, either byte order, microseconds or nanoseconds.
//!
//! As a device, the frames of one file come in as fast as they are taken, and what is sent goes to another file.

use super::{BATCH, Counts, Device, DeviceError, Receive, Transmit};
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

const HEAD_BYTES: usize = 24;
const RECORD_BYTES: usize = 16;
const ETHERNET: u32 = 1;
/// Longest frame that a capture may hold, in bytes: what libpcap allows.
pub const FRAME: usize = 256 << 10;

/// From the first four bytes of a capture: are its words big-endian?
fn magic(head: &[u8]) -> Option<bool> {
    match head.first_chunk()? {
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => Some(true),
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => Some(false),
        _ => None,
    }
}

const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Reads a capture, frame by frame.
#[derive(Debug)]
pub struct Reader<R> {
    path: PathBuf,
    from: R,
    big: bool,
    frame: Vec<u8>,
    /// Frames read.
    count: u64,
}

impl<R: Read> Reader<R> {
    /// Reads a capture's head. `path` is for messages.
    ///
    /// # Errors
    /// [`DeviceError::Capture`]: it is no capture, not of Ethernet, or cut.
    pub fn new(path: &Path, from: R) -> Result<Self, DeviceError> {
        let mut reader = Self { path: path.to_owned(), from, big: false, frame: Vec::new(), count: 0 };
        let mut head = [0; HEAD_BYTES];
        if reader.fill(&mut head)? < HEAD_BYTES {
            return Err(reader.wrong("it is shorter than a capture's head of 24 bytes".into()));
        }
        if head.starts_with(&PCAPNG) {
            let why = "it is pcapng; write the classic format: `tcpdump -w`, or `editcap -F pcap IN OUT`";
            return Err(reader.wrong(why.into()));
        }
        let Some(big) = magic(&head) else {
            return Err(reader.wrong("it doesn't start as a capture (pcap) does".into()));
        };
        reader.big = big;
        let kind = reader.word(&head, 20) & 0x0fff_ffff;
        if kind != ETHERNET {
            let why = format!("its link type is {kind}, not Ethernet (1); capture on an Ethernet interface");
            return Err(reader.wrong(why));
        }
        Ok(reader)
    }

    /// The next frame, and whether the capture has all of it; none at the end.
    ///
    /// # Errors
    /// [`DeviceError::Capture`]: the record is cut, or no frame is that long.
    pub fn read(&mut self) -> Result<Option<(&[u8], bool)>, DeviceError> {
        let mut record = [0; RECORD_BYTES];
        let number = self.count + 1;
        match self.fill(&mut record)? {
            0 => return Ok(None),
            RECORD_BYTES => {}
            n => return Err(self.wrong(format!("it ends inside packet {number}, {n} bytes into its record"))),
        }
        let (held, wire) = (self.word(&record, 8) as usize, self.word(&record, 12) as usize);
        if held > FRAME {
            return Err(
                self.wrong(format!("packet {number} claims {held} bytes; no frame has more than {FRAME}"))
            );
        }
        let mut frame = std::mem::take(&mut self.frame);
        frame.resize(held, 0);
        let got = self.fill(&mut frame)?;
        self.frame = frame;
        if got < held {
            return Err(
                self.wrong(format!("it ends inside packet {number}: {got} of its {held} bytes are there"))
            );
        }
        self.count = number;
        Ok(Some((&self.frame, held >= wire)))
    }

    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let four = bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).unwrap_or_default();
        if self.big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    }

    fn wrong(&self, why: String) -> DeviceError {
        DeviceError::Capture { path: self.path.clone(), why }
    }

    /// Reads until it is full or the file ends.
    fn fill(&mut self, to: &mut [u8]) -> Result<usize, DeviceError> {
        let mut at = 0;
        while at < to.len() {
            match self.from.read(&mut to[at..]) {
                Ok(0) => break,
                Ok(n) => at += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(DeviceError::Open { path: self.path.clone(), error }),
            }
        }
        Ok(at)
    }
}

/// Opens `input` to read from and makes `output`, if there is one, to write to.
///
/// # Errors
/// [`DeviceError`]: a file can't be opened, or is no capture.
pub fn open(input: &Path, output: Option<&Path>) -> Result<Device, DeviceError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| DeviceError::Open { path, error }
    };
    let reader = Reader::new(input, BufReader::new(File::open(input).map_err(failed(input))?))?;
    let counts = Arc::new(Counts::default());
    let writer = match output {
        None => None,
        Some(path) => {
            let mut file = BufWriter::new(File::create(path).map_err(failed(path))?);
            file.write_all(&head()).map_err(failed(path))?;
            Some((path.to_owned(), file))
        }
    };
    Ok(Device {
        name: input.display().to_string(),
        mac: None,
        mtu: None,
        host_hears: false,
        counts: Arc::clone(&counts),
        receive: Box::new(Input { reader, ended: false, counts: Arc::clone(&counts) }),
        transmit: Box::new(Output { writer, counts }),
    })
}

struct Input {
    reader: Reader<BufReader<File>>,
    ended: bool,
    counts: Arc<Counts>,
}

impl Receive for Input {
    fn receive(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<usize, DeviceError> {
        for seen in 0..BATCH {
            match self.reader.read()? {
                None => {
                    self.ended = true;
                    return Ok(seen);
                }
                Some((_, false)) => Counts::add(&self.counts.received_too_long, 1),
                Some((frame, true)) => {
                    self.counts.received(frame.len());
                    take(frame);
                }
            }
        }
        Ok(BATCH)
    }

    fn ended(&self) -> bool {
        self.ended
    }
}

/// Version 2.4, microseconds, this machine's byte order.
fn head() -> Vec<u8> {
    let words = [0xa1b2_c3d4, u32::from_ne_bytes(versions()), 0, 0, FRAME as u32, ETHERNET];
    words.iter().flat_map(|w| w.to_ne_bytes()).collect()
}

fn versions() -> [u8; 4] {
    let ([a, b], [c, d]) = (2_u16.to_ne_bytes(), 4_u16.to_ne_bytes());
    [a, b, c, d]
}

struct Output {
    writer: Option<(PathBuf, BufWriter<File>)>,
    counts: Arc<Counts>,
}

impl Transmit for Output {
    fn send(&mut self, frames: &[&[u8]]) -> Result<(), DeviceError> {
        if let Some((path, to)) = &mut self.writer {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            for frame in frames {
                let length = frame.len() as u32;
                let record = [now.as_secs() as u32, now.subsec_micros(), length, length];
                let record: Vec<u8> = record.iter().flat_map(|w| w.to_ne_bytes()).collect();
                let written = to.write_all(&record).and_then(|()| to.write_all(frame));
                written.map_err(|error| DeviceError::Open { path: path.clone(), error })?;
            }
            to.flush().map_err(|error| DeviceError::Open { path: path.clone(), error })?;
        }
        self.counts.sent(frames);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A capture of these packets, with what each claims to be on the wire.
    fn capture(big: bool, magic: u32, link: u32, packets: &[(&[u8], u32)]) -> Vec<u8> {
        let word = |w: u32| if big { w.to_be_bytes() } else { w.to_le_bytes() };
        let mut file = [magic, 0x0002_0004, 0, 0, 65_535, link].map(word).concat();
        for (bytes, wire) in packets {
            file.extend([1, 2, bytes.len() as u32, *wire].map(word).concat());
            file.extend(*bytes);
        }
        file
    }

    fn read(file: &[u8]) -> Result<Vec<(Vec<u8>, bool)>, String> {
        let mut reader = Reader::new(Path::new("x.pcap"), file).map_err(|e| e.to_string())?;
        let mut all = Vec::new();
        while let Some((frame, whole)) = reader.read().map_err(|e| e.to_string())? {
            all.push((frame.to_vec(), whole));
        }
        Ok(all)
    }

    #[test]
    fn both_byte_orders_and_clocks() {
        for big in [true, false] {
            for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
                let file = capture(big, magic, 1, &[(&[1, 2, 3], 3), (&[4], 9)]);
                assert_eq!(read(&file).unwrap(), [(vec![1, 2, 3], true), (vec![4], false)]);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let good = capture(false, 0xa1b2_c3d4, 1, &[(&[1, 2, 3], 3)]);
        let check = |file: &[u8], part: &str| {
            let error = read(file).unwrap_err();
            assert!(error.starts_with("x.pcap is no capture") && error.contains(part), "{error}");
        };
        check(&good[..10], "shorter than a capture's head");
        check(b"not a capture, but a text long enough", "doesn't start as a capture");
        check(&[[0x0a, 0x0d, 0x0d, 0x0a].as_slice(), &[0; 20]].concat(), "editcap");
        check(&capture(true, 0xa1b2_c3d4, 113, &[]), "link type is 113, not Ethernet");
        check(&good[..30], "ends inside packet 1, 6 bytes into its record");
        check(&good[..41], "ends inside packet 1: 1 of its 3 bytes");
        let huge = [&good[..32], &u32::MAX.to_le_bytes(), &good[36..]].concat();
        check(&huge, "packet 1 claims 4294967295 bytes");
        for cut in 0..good.len() {
            let whole = cut == HEAD_BYTES;
            assert_eq!(read(&good[..cut]).is_ok(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let (input, output) = (dir.path().join("in.pcap"), dir.path().join("out.pcap"));
        std::fs::write(&input, capture(true, 0xa1b2_c3d4, 1, &[(&[7; 60], 60), (&[8; 20], 90)])).unwrap();
        let mut device = open(&input, Some(&output)).unwrap();
        let mut frames = Vec::new();
        assert_eq!(device.receive.receive(&mut |f| frames.push(f.to_vec())).unwrap(), 2);
        assert!(device.receive.ended());
        assert_eq!(device.counts.losses(), [("received_too_long", 1)].into());
        device.transmit.send(&[&frames[0], b"more"]).unwrap();
        let written = read(&std::fs::read(&output).unwrap()).unwrap();
        assert_eq!(written, [(vec![7; 60], true), (b"more".to_vec(), true)]);
        let error = open(&dir.path().join("none"), None).unwrap_err().to_string();
        assert!(error.starts_with("can't open the capture"), "{error}");
    }
}
