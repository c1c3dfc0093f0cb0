//! A pair of rings in memory that two processes share: frames go from one to the other without a network between them.
//!
//! The rings are a file, best one of `/dev/shm` or `/run`; `PATH.0` and `PATH.1` are pipes by which one end wakes the other. Who
//! opens it first has one end, who opens it next the other; a third is refused. An end that goes leaves its place to whoever
//! opens the ring again. What nobody takes out fills the ring, and then is lost and counted.
//!
//! ```text
//! words  0        magic and version
//!        8, 16    end 0 to end 1: words written, words read
//!        24, 32   end 1 to end 0
//!        64..     the words of the one, then those of the other: a frame's length in bytes, then its bytes
//! ```

mod shared;

use super::{BATCH, Counts, Device, DeviceError, Receive, Transmit};
use shared::Words;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Longest frame, in bytes.
pub const FRAME: usize = 1 << 16;
/// Words of one direction.
const ROOM: u64 = 1 << 17;
/// Where the words of the first direction begin.
const DATA: usize = 64;
const WORDS: usize = DATA + 2 * ROOM as usize;
/// `gwring` and a version.
const MAGIC: u64 = 0x6777_7269_6e67_0001;

/// Opens one end of the ring of that file, which is made if need be.
///
/// # Errors
/// [`DeviceError::Ring`]: it can't be opened, is no ring, or has both ends taken.
pub fn open(path: &Path) -> Result<Device, DeviceError> {
    let failed = |e: io::Error| wrong(path, &format!("{e}"));
    let (words, file) = file(path)?;
    let words = Arc::new(words);
    let (end, alone, own, other) = bells(path)?;
    if alone {
        words.all()[8..DATA].iter().for_each(|word| word.store(0, Ordering::Release));
    }
    let counts = Arc::new(Counts::default());
    let way = |of: usize| Way::new(&words, path, of);
    let (mut inward, outward) = (way(1 - end), way(end));
    // What was sent to whoever had this end before is not for us.
    inward.place = inward.written().load(Ordering::Acquire);
    inward.taken().store(inward.place, Ordering::Release);
    let bell = other.try_clone().map_err(failed)?;
    // The mapping keeps the file open, and would keep the lock.
    file.unlock().map_err(failed)?;
    let receive =
        Receiver { way: inward, bell: own, frame: Vec::new(), counts: Arc::clone(&counts), _other: other };
    let transmit = Sender { way: outward, bell, counts: Arc::clone(&counts) };
    Ok(Device {
        name: path.display().to_string(),
        mac: None,
        mtu: None,
        host_hears: false,
        counts,
        receive: Box::new(receive),
        transmit: Box::new(transmit),
    })
}

fn wrong(path: &Path, why: &str) -> DeviceError {
    DeviceError::Ring { path: path.to_owned(), why: why.to_owned() }
}

/// The ring's words and its file, locked; a file that is empty becomes a ring.
fn file(path: &Path) -> Result<(Words, File), DeviceError> {
    let failed = |e: io::Error| wrong(path, &format!("{e}"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(failed)?;
    // Of two that open it at once, one makes it.
    file.lock().map_err(failed)?;
    let data = file.metadata().map_err(failed)?;
    let (bytes, new) = (WORDS as u64 * 8, data.len() == 0);
    if !data.is_file() || !(new || data.len() == bytes) {
        return Err(wrong(path, "it is a file of another kind; name one that isn't there"));
    }
    if new {
        file.set_len(bytes).map_err(failed)?;
    }
    let words = Words::of(&file, WORDS).map_err(failed)?;
    let magic = &words.all()[0];
    if new {
        magic.store(MAGIC, Ordering::Release);
    }
    match magic.load(Ordering::Acquire) {
        MAGIC => Ok((words, file)),
        _ => Err(wrong(path, "it is a file of another kind; name one that isn't there")),
    }
}

/// Takes an end: its number, whether the other one is free, the pipe that is listened to, and the other's. The lock on its
/// own pipe goes with the process.
fn bells(path: &Path) -> Result<(usize, bool, File, File), DeviceError> {
    let open = |end: usize| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{end}"));
        let name = PathBuf::from(name);
        match shared::pipe(&name) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(wrong(&name, &format!("{e}"))),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&name);
        let file = file.map_err(|e| wrong(&name, &format!("{e}")))?;
        match file.metadata() {
            Ok(data) if data.file_type().is_fifo() => Ok(file),
            _ => Err(wrong(&name, "it is no pipe, which is where the ring's bell should be")),
        }
    };
    let (first, second) = (open(0)?, open(1)?);
    if first.try_lock().is_ok() {
        // Asked by a file of its own, so that the lock is gone at once.
        let alone = open(1)?.try_lock().is_ok();
        return Ok((0, alone, first, second));
    }
    match second.try_lock() {
        Ok(()) => Ok((1, false, second, first)),
        Err(_) => Err(wrong(path, "both of its ends are in use")),
    }
}

/// One direction, from one of its sides.
struct Way {
    words: Arc<Words>,
    path: PathBuf,
    /// 0: from end 0 to end 1.
    of: usize,
    /// Words that this side has written, or read.
    place: u64,
}

impl Way {
    fn new(words: &Arc<Words>, path: &Path, of: usize) -> Self {
        let mut way = Self { words: Arc::clone(words), path: path.to_owned(), of, place: 0 };
        way.place = way.written().load(Ordering::Acquire);
        way
    }

    fn written(&self) -> &AtomicU64 {
        &self.words.all()[8 + self.of * 16]
    }

    fn taken(&self) -> &AtomicU64 {
        &self.words.all()[16 + self.of * 16]
    }

    fn word(&self, at: u64) -> &AtomicU64 {
        &self.words.all()[DATA + self.of * ROOM as usize + (at % ROOM) as usize]
    }

    /// Words between what was written and what was read; the other side says one of them.
    fn held(&self, written: u64, read: u64) -> Result<u64, DeviceError> {
        let held = written.wrapping_sub(read);
        if held > ROOM { Err(self.spoiled()) } else { Ok(held) }
    }

    fn spoiled(&self) -> DeviceError {
        wrong(&self.path, "what stands in it is no ring any more; stop both ends and delete the file")
    }

    /// Puts a frame in, if there is room.
    fn push(&mut self, frame: &[u8]) -> Result<bool, DeviceError> {
        let held = self.held(self.place, self.taken().load(Ordering::Acquire))?;
        let need = 1 + frame.len().div_ceil(8) as u64;
        if ROOM - held < need {
            return Ok(false);
        }
        self.word(self.place).store(frame.len() as u64, Ordering::Relaxed);
        for (at, bytes) in (1..).zip(frame.chunks(8)) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.word(self.place.wrapping_add(at)).store(u64::from_ne_bytes(word), Ordering::Relaxed);
        }
        self.place = self.place.wrapping_add(need);
        self.written().store(self.place, Ordering::Release);
        Ok(true)
    }

    /// Takes the next frame out; false: there is none.
    fn pop(&mut self, frame: &mut Vec<u8>) -> Result<bool, DeviceError> {
        let held = self.held(self.written().load(Ordering::Acquire), self.place)?;
        if held == 0 {
            return Ok(false);
        }
        let length = self.word(self.place).load(Ordering::Relaxed);
        let need = 1 + length.div_ceil(8);
        if length > FRAME as u64 || need > held {
            return Err(self.spoiled());
        }
        frame.clear();
        for at in 1..need {
            frame.extend(self.word(self.place.wrapping_add(at)).load(Ordering::Relaxed).to_ne_bytes());
        }
        frame.truncate(length as usize);
        self.place = self.place.wrapping_add(need);
        self.taken().store(self.place, Ordering::Release);
        Ok(true)
    }
}

struct Receiver {
    way: Way,
    bell: File,
    frame: Vec<u8>,
    counts: Arc<Counts>,
    /// Open, so that the other end's pipe has somebody who reads and writes it.
    _other: File,
}

impl Receive for Receiver {
    fn receive(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<usize, DeviceError> {
        let mut bells = [0; 4096];
        let _silent = self.bell.read(&mut bells);
        let mut seen = 0;
        while seen < BATCH && self.way.pop(&mut self.frame)? {
            self.counts.received(self.frame.len());
            take(&self.frame);
            seen += 1;
        }
        Ok(seen)
    }

    fn wake(&self) -> Option<BorrowedFd<'_>> {
        Some(self.bell.as_fd())
    }
}

struct Sender {
    way: Way,
    bell: File,
    counts: Arc<Counts>,
}

impl Transmit for Sender {
    fn send(&mut self, frames: &[&[u8]]) -> Result<(), DeviceError> {
        for frame in frames {
            if frame.len() > FRAME {
                Counts::add(&self.counts.sent_too_long, 1);
            } else if self.way.push(frame)? {
                self.counts.sent(&[frame]);
            } else {
                Counts::add(&self.counts.not_sent, 1);
            }
        }
        // A pipe that is full has been rung already.
        let _full = self.bell.write(&[1]);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
