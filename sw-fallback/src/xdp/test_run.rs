//! One packet at a time through the kernel's own runner, for tests.

use super::elf::Facts;
use super::error::XdpError;
use super::image::{Image, map_error};
use super::plane::XdpPlane;
use super::sys::{self, RawMap};
use crate::plane::{Outcome, TestPlane, Verdict};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// C source of a program that fills the headroom with 0xff, then calls the one under test. What that reads before it
/// has written would show.
pub const PROLOGUE: &str = include_str!("prologue.bpf.c");

/// Lengths of frames that the kernel's runner takes; others are reported as dropped for the reason `not_run`.
pub const FRAME_BYTES: RangeInclusive<usize> = 14..=3500;

const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;
const XDP_TX: u32 = 3;

/// What a test needs beside the program.
#[derive(Debug)]
pub(super) struct Bench {
    variables: RawMap,
    clock: usize,
    port_in: usize,
    port_out: usize,
    events: Vec<u64>,
    prologue: Option<Prologue>,
}

/// A program and its map of the one that follows, which the kernel empties when nobody holds it.
#[derive(Debug)]
struct Prologue {
    program: OwnedFd,
    _next: RawMap,
}

impl Bench {
    pub(super) fn new(
        facts: &Facts,
        variables: RawMap,
        program: BorrowedFd<'_>,
        prologue: Option<&[u8]>,
    ) -> Result<Self, XdpError> {
        let at = |name: &str| {
            let why = || XdpError::Object { why: format!("it has no variable `{name}`") };
            facts.variables.get(name).copied().ok_or_else(why)
        };
        let prologue = prologue.map(|object| tail_call(object, program)).transpose()?;
        let (clock, port_in, port_out) = (at("gw_clock")?, at("gw_port_in")?, at("gw_port_out")?);
        Ok(Self { variables, clock, port_in, port_out, events: Vec::new(), prologue })
    }

    /// As before the first packet.
    pub(super) fn renew(&mut self) -> std::io::Result<()> {
        self.events.clear();
        self.variables.clear(0)
    }

    fn set(&self, port: u32, now: u32) -> std::io::Result<()> {
        let key = 0u32.to_ne_bytes();
        let mut bytes = self.variables.get(&key)?;
        for (at, value) in [(self.clock, now), (self.port_in, port)] {
            if let Some(place) = bytes.get_mut(at..at + 4) {
                place.copy_from_slice(&value.to_ne_bytes());
            }
        }
        self.variables.set(&key, &bytes)
    }

    fn forwarded_to(&self) -> u32 {
        let bytes = self.variables.get(&0u32.to_ne_bytes()).unwrap_or_default();
        let place = bytes.get(self.port_out..self.port_out + 4).and_then(|b| b.try_into().ok());
        place.map_or(0, u32::from_ne_bytes)
    }
}

/// Loads the prologue in front of a program.
fn tail_call(object: &[u8], program: BorrowedFd<'_>) -> Result<Prologue, XdpError> {
    const NEXT: &str = "next";
    let image = Image::new(object, &[])?;
    let mut maps = image.make_maps(BTreeMap::new())?;
    let no = || XdpError::Object { why: format!("the prologue has no map `{NEXT}`") };
    let program_fd = program.as_raw_fd().to_ne_bytes();
    let next = maps.get(NEXT).ok_or_else(no)?;
    next.set(&0u32.to_ne_bytes(), &program_fd).map_err(|error| map_error(NEXT, error))?;
    let program = image.load("gw_prologue", &maps)?;
    Ok(Prologue { program, _next: maps.remove(NEXT).ok_or_else(no)? })
}

/// The program alone: threads may run it at the same time, as CPUs do with packets.
#[derive(Debug)]
pub struct Runner(OwnedFd);

impl Runner {
    /// Runs it on a frame at `gw_clock`'s tick. Is the frame sent? `out` is then what leaves.
    ///
    /// # Errors
    /// The kernel doesn't run it.
    pub fn run(&self, frame: &[u8], out: &mut Vec<u8>) -> std::io::Result<bool> {
        out.resize(frame.len() + 256, 0);
        let (returned, bytes) = sys::test_run(self.0.as_fd(), frame, out)?;
        out.truncate(bytes);
        Ok(returned == XDP_TX)
    }
}

impl XdpPlane {
    /// The program, for threads of a test. Time is what the last frame's was.
    ///
    /// # Errors
    /// The system gives no more descriptors.
    pub fn runner(&self) -> std::io::Result<Runner> {
        Ok(Runner(self.program.try_clone()?))
    }

    /// Runs the program on a frame; what it returned and the frame then.
    fn run(&self, frame: &[u8]) -> Result<(u32, Vec<u8>), String> {
        let before = self.bench.as_ref().and_then(|b| b.prologue.as_ref());
        let program = before.map_or(&self.program, |b| &b.program);
        let mut out = vec![0; frame.len() + 256];
        let (returned, bytes) = sys::test_run(program.as_fd(), frame, &mut out).map_err(|e| e.to_string())?;
        out.truncate(bytes);
        Ok((returned, out))
    }

    /// The reason whose count has grown since the last packet.
    fn reason(&mut self) -> Option<String> {
        let now = self.events();
        let bench = self.bench.as_mut()?;
        let before = std::mem::replace(&mut bench.events, now);
        let reasons = self.verified.pipeline().reasons.iter().enumerate();
        let grown = |i: usize| bench.events.get(i) > Some(before.get(i).unwrap_or(&0));
        reasons.filter(|(i, _)| grown(*i)).map(|(_, r)| r.name.clone()).next()
    }
}

impl TestPlane for XdpPlane {
    fn process(&mut self, port: u32, now: u32, frame: &[u8]) -> Outcome {
        let dropped = |reason: &str| Outcome { verdict: Verdict::Drop(reason.to_owned()), bytes: Vec::new() };
        let Some(bench) = &self.bench else { return dropped("not_testing") };
        if !FRAME_BYTES.contains(&frame.len()) {
            return dropped("not_run");
        }
        if let Err(error) = bench.set(port, now) {
            return dropped(&format!("not_run: {error}"));
        }
        match self.run(frame) {
            Ok((XDP_PASS, bytes)) => Outcome { verdict: Verdict::Pass, bytes },
            Ok((XDP_TX, bytes)) => {
                let port = self.bench.as_ref().map_or(0, Bench::forwarded_to);
                Outcome { verdict: Verdict::Forward { port }, bytes }
            }
            Ok((XDP_DROP, _)) => {
                let reason = self.reason().unwrap_or_else(|| "no_reason".into());
                dropped(&reason)
            }
            Ok((other, _)) => dropped(&format!("returned {other}")),
            Err(error) => dropped(&format!("not_run: {error}")),
        }
    }
}
