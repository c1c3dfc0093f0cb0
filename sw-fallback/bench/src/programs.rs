//! The bench's own programs: where packets come from, and the floors.

use crate::frames::Shape;
use crate::sys;
use anyhow::{Context, Result};
use aya::maps::{Array, Map};
use aya::programs::Xdp;
use aya::{Ebpf, EbpfLoader};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};
use sw_fallback::xdp::clang;

const COMMON: (&str, &str) = ("common.h", include_str!("bpf/common.h"));
const FEED: &str = include_str!("bpf/feed.bpf.c");
const FLOORS: &str = include_str!("bpf/floors.bpf.c");
const CAPTURE: &str = include_str!("bpf/capture.bpf.c");
/// The floors' names, which are `floor_` and these in C; the first is what is subtracted.
pub const FLOOR_NAMES: [&str; 5] = ["drop", "tx", "encap", "ring", "lru"];
/// Slots and backends of the floors' ring.
const SLOTS: u32 = 65_537;
const BACKENDS: u32 = 750;
/// Flows that `lru` remembers.
pub const LRU_FLOWS: u32 = 1_000_000;

/// A loaded program of an object.
pub(crate) fn program<'a>(object: &'a Ebpf, name: &str) -> Result<BorrowedFd<'a>> {
    let xdp: &Xdp = object.program(name).with_context(|| name.to_owned())?.try_into()?;
    Ok(xdp.fd()?.as_fd())
}

fn load(object: &[u8], loader: &mut EbpfLoader<'_>) -> Result<Ebpf> {
    let mut object = loader.load(object)?;
    for (name, program) in object.programs_mut() {
        let xdp: &mut Xdp = program.try_into()?;
        xdp.load().with_context(|| format!("loading {name}"))?;
    }
    Ok(object)
}

fn map<'a>(object: &'a Ebpf, name: &str) -> Result<BorrowedFd<'a>> {
    match object.map(name) {
        Some(Map::Array(data) | Map::ProgramArray(data) | Map::LruHashMap(data)) => Ok(data.fd().as_fd()),
        _ => anyhow::bail!("no map `{name}`"),
    }
}

/// The floors for one family.
pub struct Floors {
    object: Ebpf,
    family: Vec<u8>,
}

impl Floors {
    /// Compiles and loads them, and fills their ring.
    ///
    /// # Errors
    /// No clang, or the kernel refuses.
    pub fn new(ipv6: bool) -> Result<Self> {
        let define = if ipv6 { "#define IPV6\n" } else { "" };
        let family = clang::compile(&format!("{define}{FLOORS}"), &[COMMON])?;
        let object = load(&family, &mut EbpfLoader::new())?;
        let this = Self { object, family };
        this.fill()?;
        Ok(this)
    }

    fn fill(&self) -> Result<()> {
        let (ring, backends) = (map(&self.object, "ring")?, map(&self.object, "backends")?);
        for slot in 0..SLOTS {
            // Scattered, and each backend as often as any other.
            let number = (slot.wrapping_mul(40_503) % SLOTS) % BACKENDS;
            sys::update(ring, slot, &number.to_ne_bytes())?;
        }
        for number in 0..BACKENDS {
            sys::update(backends, number, &(0xc613_0000 + number).to_be_bytes())?;
        }
        Ok(())
    }

    /// One of [`FLOOR_NAMES`].
    ///
    /// # Errors
    /// There is none of this name.
    pub fn program(&self, name: &str) -> Result<BorrowedFd<'_>> {
        program(&self.object, &format!("floor_{name}"))
    }

    /// Forgets the flows of `lru`: the programs start anew.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn forget(&mut self) -> Result<()> {
        self.object = load(&self.family, &mut EbpfLoader::new())?;
        self.fill()
    }
}

/// Which flows the frames of a run belong to.
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// So many, from the first on, in a scattered order.
    Among(u32),
    /// One after the other, from the first on.
    Each,
}

/// Where packets of one shape come from.
pub struct Feed {
    object: Ebpf,
    variables: Array<aya::maps::MapData, [u8; VARIABLES]>,
    shape: Shape,
    ip_sum: u32,
    l4_sum: u32,
    template: Vec<u8>,
    hardware: Option<sys::Hardware>,
}

/// What a run of many frames cost, per frame.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Time of this thread, ns.
    pub ns: f64,
    /// Instructions and missed branches, where the machine counts them.
    pub hardware: Option<[f64; 2]>,
    /// The last frame's verdict.
    pub verdict: u32,
    /// The last frame as it left.
    pub frame: Vec<u8>,
}

/// Bytes of `feed` in C.
const VARIABLES: usize = 48 + 96;
const LOST: usize = 8;

impl Feed {
    /// Compiles and loads it.
    ///
    /// # Errors
    /// No clang, or the kernel refuses.
    pub fn new(shape: Shape) -> Result<Self> {
        static OBJECT: Mutex<Option<Vec<u8>>> = Mutex::new(None);
        let object = {
            let mut known = OBJECT.lock().unwrap_or_else(PoisonError::into_inner);
            match &*known {
                Some(object) => object.clone(),
                None => known.insert(clang::compile(FEED, &[COMMON])?).clone(),
            }
        };
        let (ipv6, at) = (u32::from(shape.ipv6), shape.checksum_place().unwrap_or(0) as u32);
        let mut loader = EbpfLoader::new();
        loader.override_global("ipv6", &ipv6, true).override_global("checksum_at", &at, true);
        let mut object = load(&object, &mut loader)?;
        let variables = object.take_map(".bss").context("no .bss")?.try_into()?;
        let mut this = Self {
            object,
            variables,
            shape,
            ip_sum: 0,
            l4_sum: 0,
            template: Vec::new(),
            hardware: sys::Hardware::open(),
        };
        this.take(shape);
        Ok(this)
    }

    /// Frames of another shape from now on, of the same family.
    pub fn take(&mut self, shape: Shape) {
        let mut frame = shape.frame(0);
        let (address, port) = shape.places();
        // What the client decides is 0 here, but for the part of its address that all clients share.
        frame[port..port + 2].fill(0);
        let mask: u32 = !((1 << 18) - 1);
        let word =
            u32::from_be_bytes([frame[address], frame[address + 1], frame[address + 2], frame[address + 3]]);
        frame[address..address + 4].copy_from_slice(&(word & mask).to_be_bytes());
        let l4 = if shape.ipv6 { 54 } else { 34 };
        let sum =
            |bytes: &[u8]| bytes.chunks(2).map(|p| u32::from(u16::from_le_bytes([p[0], p[1]]))).sum::<u32>();
        if !shape.ipv6 {
            frame[24..26].fill(0);
            self.ip_sum = sum(&frame[14..26]) + sum(&frame[30..34]);
        }
        if let Some(at) = shape.checksum_place() {
            frame[at..at + 2].fill(0);
            let addresses = if shape.ipv6 { 22..54 } else { 26..34 };
            let protocol = u32::from(if shape.ipv6 { frame[20] } else { frame[23] });
            let length = (frame.len() - l4) as u32;
            let own = sum(&frame[address..address + 4]);
            // The client's word is added whole, so its shared part must not be in the sum twice.
            self.l4_sum = sum(&frame[addresses]) - own + sum(&frame[l4..]) + ((protocol + length) << 8);
        }
        self.template = frame;
        self.shape = shape;
    }

    /// What follows.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn feeds(&self, program: BorrowedFd<'_>) -> Result<()> {
        let fd = std::os::fd::AsRawFd::as_raw_fd(&program).cast_unsigned();
        Ok(sys::update(map(&self.object, "next")?, 0, &fd.to_ne_bytes())?)
    }

    /// Sets the flows of the runs that follow.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn flows(&mut self, choice: Choice, first: u32) -> Result<()> {
        let mut bytes = [0u8; VARIABLES];
        let (flows, fresh) = match choice {
            Choice::Among(flows) => (flows, 0u32),
            Choice::Each => (1, 1),
        };
        for (at, word) in [(24, flows), (28, first), (32, fresh), (36, self.ip_sum), (40, self.l4_sum)] {
            bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        bytes[48..48 + self.template.len()].copy_from_slice(&self.template);
        Ok(self.variables.set(0, bytes, 0)?)
    }

    /// Runs so many frames through what follows.
    ///
    /// # Errors
    /// The kernel refuses, or the program under test was not reached.
    pub fn run(&self, frames: u32) -> Result<Sample> {
        let entry = program(&self.object, "feed_test")?;
        let counted = || self.hardware.as_ref().map(sys::Hardware::read);
        let (before, start) = (counted(), sys::thread_ns());
        let (verdict, frame) = sys::test_run(entry, &self.template, frames)?;
        let (ns, after) = (sys::thread_ns() - start, counted());
        let lost = self.variables.get(&0, 0)?[LOST..LOST + 8].try_into().map(u64::from_ne_bytes)?;
        anyhow::ensure!(lost == 0, "{lost} frames did not reach the program");
        let each = |count: u64| count as f64 / f64::from(frames);
        let hardware = after.zip(before).map(|(a, b)| [each(a[0] - b[0]), each(a[1] - b[1])]);
        Ok(Sample { ns: each(ns), hardware, verdict, frame })
    }

    /// Sends so many frames out of an interface, for real.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn send(&self, frames: u32, interface: u32) -> Result<()> {
        let entry = program(&self.object, "feed_send")?;
        Ok(sys::live_frames(entry, &self.template, frames, interface)?)
    }
}

/// Frames that are there already, one after the other and again from the first.
pub struct Frames {
    object: Ebpf,
    first: Vec<u8>,
}

/// Bytes of `walk` in C, and where its words are.
const WALK: usize = 24;

impl Frames {
    /// Compiles and loads it, with these frames.
    ///
    /// # Errors
    /// No clang, or the kernel refuses.
    pub fn new(frames: &[[u8; 64]]) -> Result<Self> {
        let object = clang::compile(CAPTURE, &[COMMON])?;
        let count = frames.len() as u32;
        let mut object = load(&object, EbpfLoader::new().map_max_entries("frames", count))?;
        let held = map(&object, "frames")?;
        for (at, frame) in (0..).zip(frames) {
            sys::update(held, at, frame)?;
        }
        let mut walk = [0; WALK];
        walk[20..24].copy_from_slice(&count.to_ne_bytes());
        let mut variables: Array<_, [u8; WALK]> = object.map_mut(".bss").context("no .bss")?.try_into()?;
        variables.set(0, walk, 0)?;
        Ok(Self { object, first: frames.first().context("no frame")?.to_vec() })
    }

    /// What follows.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn feeds(&self, program: BorrowedFd<'_>) -> Result<()> {
        let fd = std::os::fd::AsRawFd::as_raw_fd(&program).cast_unsigned();
        Ok(sys::update(map(&self.object, "next")?, 0, &fd.to_ne_bytes())?)
    }

    /// Runs so many frames through what follows; the time of this thread for one, ns.
    ///
    /// # Errors
    /// The kernel refuses, or the program under test was not reached.
    pub fn run(&self, frames: u32) -> Result<f64> {
        let entry = program(&self.object, "capture_test")?;
        let start = sys::thread_ns();
        sys::test_run(entry, &self.first, frames)?;
        let ns = sys::thread_ns() - start;
        let variables: Array<_, [u8; WALK]> = self.object.map(".bss").context("no .bss")?.try_into()?;
        let lost = variables.get(&0, 0)?[..8].try_into().map(u64::from_ne_bytes)?;
        anyhow::ensure!(lost == 0, "{lost} frames did not reach the program");
        Ok(ns as f64 / f64::from(frames))
    }
}
