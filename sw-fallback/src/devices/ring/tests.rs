#![allow(clippy::unwrap_used)]
use super::*;
use crate::devices::wait;
use std::time::{Duration, Instant};

fn all(device: &mut Device) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while device.receive.receive(&mut |f| frames.push(f.to_vec())).unwrap() > 0 {}
    frames
}

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ring");
    (dir, path)
}

#[test]
fn frames_go_both_ways_in_order() {
    let (_dir, path) = fresh();
    let (mut a, mut b) = (open(&path).unwrap(), open(&path).unwrap());
    let frame = |n: usize| -> Vec<u8> { (0..n % 1500).map(|i| (i + n) as u8).collect() };
    // Far more than the ring holds, so that it comes round.
    for round in 0..40 {
        let frames: Vec<Vec<u8>> = (0..150).map(|i| frame(round * 150 + i)).collect();
        let some: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        a.transmit.send(&some).unwrap();
        b.transmit.send(&some[..7]).unwrap();
        assert!(all(&mut b) == frames, "round {round}");
        assert!(all(&mut a) == frames[..7], "round {round}, back");
    }
    let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
    assert_eq!((read(&a.counts.sent_packets), read(&b.counts.received_packets)), (6000, 6000));
    assert_eq!(read(&a.counts.sent_bytes), read(&b.counts.received_bytes));
    assert!(a.counts.losses().is_empty() && b.counts.losses().is_empty());
}

#[test]
fn what_finds_no_room_or_is_too_long_is_counted() {
    let (_dir, path) = fresh();
    let (mut a, mut b) = (open(&path).unwrap(), open(&path).unwrap());
    let longest = vec![7; FRAME];
    a.transmit.send(&[&longest, &vec![7; FRAME + 1], &[]]).unwrap();
    assert_eq!(a.counts.losses(), [("sent_too_long", 1)].into());
    assert!(all(&mut b) == [longest.clone(), Vec::new()]);
    let fit = ROOM as usize / (1 + FRAME / 8);
    a.transmit.send(&vec![longest.as_slice(); fit + 3]).unwrap();
    assert_eq!(a.counts.losses(), [("sent_too_long", 1), ("not_sent", 3)].into());
    assert_eq!(all(&mut b).len(), fit);
    a.transmit.send(&[b"room again"]).unwrap();
    assert_eq!(all(&mut b), [b"room again"]);
}

#[test]
fn two_ends_and_no_third_and_an_end_may_come_back() {
    let (_dir, path) = fresh();
    let (mut a, b) = (open(&path).unwrap(), open(&path).unwrap());
    assert!(open(&path).unwrap_err().to_string().contains("both of its ends are in use"));
    a.transmit.send(&[b"for one who goes"]).unwrap();
    drop(b);
    let mut b = open(&path).unwrap();
    assert!(all(&mut b).is_empty(), "what another was sent");
    a.transmit.send(&[b"one"]).unwrap();
    b.transmit.send(&[b"two"]).unwrap();
    assert_eq!((all(&mut b), all(&mut a)), (vec![b"one".to_vec()], vec![b"two".to_vec()]));
    drop(a);
    let mut a = open(&path).unwrap();
    b.transmit.send(&[b"three"]).unwrap();
    assert_eq!(all(&mut a), [b"three"]);
    a.transmit.send(&[b"to be forgotten"]).unwrap();
    drop((a, b));
    let (_a, mut b) = (open(&path).unwrap(), open(&path).unwrap());
    assert!(all(&mut b).is_empty());
}

#[test]
fn the_other_end_is_woken() {
    let (_dir, path) = fresh();
    let (mut a, mut b) = (open(&path).unwrap(), open(&path).unwrap());
    let since = Instant::now();
    let waiting = std::thread::spawn(move || {
        let mut seen = all(&mut b);
        while seen.is_empty() && since.elapsed() < Duration::from_secs(120) {
            wait(&[b.receive.wake().unwrap()], 120_000).unwrap();
            seen = all(&mut b);
        }
        seen
    });
    std::thread::sleep(Duration::from_millis(50));
    a.transmit.send(&[b"ding"]).unwrap();
    assert_eq!(waiting.join().unwrap(), [b"ding"]);
    assert!(since.elapsed() < Duration::from_secs(100), "not by the bell");
}

#[test]
fn what_is_no_ring_is_refused() {
    let (dir, path) = fresh();
    let refused = |path: &Path, part: &str| {
        let error = open(path).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains("ring"), "{error}");
    };
    std::fs::write(&path, "a text").unwrap();
    refused(&path, "a file of another kind");
    std::fs::write(&path, vec![1; WORDS * 8]).unwrap();
    refused(&path, "a file of another kind");
    refused(&dir.path().join("no/such/ring"), "No such file");
    refused(dir.path(), "directory");
    std::fs::remove_file(&path).unwrap();
    let bell = dir.path().join("ring.0");
    std::fs::write(&bell, "").unwrap();
    refused(&path, "it is no pipe");
}

/// The other end writes what it likes: this one ends with an error, and reads nothing that isn't there.
#[test]
fn an_end_that_spoils_the_ring_is_found_out() {
    let (_dir, path) = fresh();
    for spoil in
        [(8, u64::MAX), (8, ROOM + 1), (DATA, u64::MAX), (DATA, FRAME as u64 + 1), (DATA, 17), (16, 5)]
    {
        let (mut a, mut b) = (open(&path).unwrap(), open(&path).unwrap());
        a.transmit.send(&[b"sixteen bytes :)"]).unwrap();
        let (words, lock) = file(&path).unwrap();
        lock.unlock().unwrap();
        words.all()[spoil.0].store(spoil.1, Ordering::Release);
        let told = match spoil.0 {
            // How much was read is what the reader says.
            16 => a.transmit.send(&[b"more"]).map(|()| 0),
            _ => b.receive.receive(&mut |_| ()),
        };
        assert!(told.unwrap_err().to_string().contains("no ring any more"), "{spoil:?}");
        drop((a, b));
    }
}
