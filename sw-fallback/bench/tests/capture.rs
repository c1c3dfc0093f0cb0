//! A capture's frames all reach the emitted program, and what is no capture for that is told.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use xdp_bench::times::captured;

mod common;

/// A TCP segment of so many bytes to port 80 of 203.0.113.`host`, of a client's port.
fn frame(bytes: usize, host: u8, port: u16) -> Vec<u8> {
    let mut frame = vec![0; bytes];
    frame[12] = 0x08;
    (frame[14], frame[17], frame[22], frame[23]) = (0x45, 50, 64, 6);
    frame[26..34].copy_from_slice(&[10, 0, 0, 5, 203, 0, 113, host]);
    frame[34..36].copy_from_slice(&port.to_be_bytes());
    (frame[37], frame[46], frame[47]) = (80, 0x50, 2);
    frame
}

fn capture(folder: &Path, frames: &[Vec<u8>]) -> PathBuf {
    let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1]);
    for frame in frames {
        file.extend(words(&[0, 0, frame.len() as u32, frame.len() as u32]));
        file.extend(frame);
    }
    let path = folder.join("in.pcap");
    std::fs::write(&path, file).unwrap();
    path
}

#[test]
fn every_frame_is_one_of_the_vip() {
    if common::skip("a capture") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let entries = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lb.toml");
    let all: Vec<Vec<u8>> = (0..1000).map(|port| frame(64, 10, 1024 + port)).collect();
    let seen = captured(&capture(dir.path(), &all), &entries, 2).unwrap();
    assert_eq!(seen.frames, 1000);
    assert!(seen.ns.least.is_finite() && seen.ns.median > 0.0, "{seen:?}");
    let other = [&all[..999], &[frame(64, 11, 1)]].concat();
    for (frames, says) in [
        (&other[..], "999 of 1000 frames are of a VIP"),
        (&[frame(63, 10, 1)], "frame 0 is not of 64 bytes"),
        (&[], "has no frame"),
    ] {
        let error = captured(&capture(dir.path(), frames), &entries, 1).unwrap_err();
        assert!(format!("{error:#}").contains(says), "{error:#}");
    }
    assert!(captured(&dir.path().join("none"), &entries, 1).is_err());
}
