//! A capture of somebody's through the emitted program: the same frames that other targets are given.

use super::Spread;
use crate::programs::{FLOOR_NAMES, Floors, Frames};
use crate::setup::{Setup, World};
use anyhow::{Context, Result, anyhow, ensure};
use guideway::serving::Applied;
use serde::Serialize;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use sw_fallback::devices::pcap::Reader;
use sw_fallback::plane::DataPlane as _;

/// What a frame of a capture costs.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Captured {
    pub frames: u32,
    /// Time of this thread for one of them, without what the bench itself needs.
    pub ns: Spread,
}

/// The frames of a capture, all of 64 bytes.
fn read(path: &Path) -> Result<Vec<[u8; 64]>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut reader = Reader::new(path, BufReader::new(file))?;
    let mut frames = Vec::new();
    while let Some((frame, _)) = reader.read()? {
        let frame = frame.try_into().with_context(|| format!("frame {} is not of 64 bytes", frames.len()))?;
        frames.push(frame);
    }
    ensure!(!frames.is_empty(), "{} has no frame", path.display());
    Ok(frames)
}

/// Gives all frames of a capture to `l4lb` with the entries of a file, so many times, each time with empty flow tables.
///
/// # Errors
/// A file can't be read, the kernel refuses, or the program does not see every frame as one of a VIP.
pub fn captured(capture: &Path, entries: &Path, rounds: usize) -> Result<Captured> {
    let frames = read(capture)?;
    let count = frames.len() as u32;
    let setup = Setup::of("l4lb.rs", guideway::builtin::L4LB, &[], None, &World::default())?;
    let mut plane = setup.load("lo", false)?;
    let pipeline = setup.verified.pipeline();
    let wanted = pipeline_entries::read(entries, pipeline).map_err(|e| anyhow!("{e}"))?;
    Applied::new(pipeline).apply(&mut plane, &wanted).map_err(|e| anyhow!("{}", e.0))?;
    let (floors, feed) = (Floors::new(false)?, Frames::new(&frames)?);
    let mut ns = Vec::new();
    for round in 0..rounds {
        feed.feeds(floors.program(FLOOR_NAMES[0])?)?;
        let own = feed.run(count)?;
        if round > 0 {
            plane.inside()?.clear("flows4")?;
        }
        feed.feeds(plane.program())?;
        ns.push(feed.run(count)? - own);
    }
    let vip4 = pipeline.tables.iter().position(|t| t.name == "vip4").context("no table vip4")?;
    let hits: u64 =
        plane.table_entries(pipeline_ir::TableId(vip4 as u32)).iter().map(|(_, c)| c.packets).sum();
    let given = u64::from(count) * rounds as u64;
    ensure!(hits == given, "{hits} of {given} frames are of a VIP");
    Ok(Captured { frames: count, ns: Spread::of(ns) })
}
