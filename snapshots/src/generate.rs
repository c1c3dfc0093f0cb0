//! Stories without end: the packets and writes of a case's own stories, shuffled, cut, bent and sent at any time.
//!
//! From one seed comes one sequence. A data plane that differs from the oracle gets the shortest story that still
//! shows it, in the form of `packets.toml`.

use crate::oracle::OraclePlane;
use crate::packet;
use crate::run::{Seen, differences, prepare, run};
use crate::story::{Change, Step, Stories, Story};
use anyhow::{Context, Result, bail};
use std::ops::RangeInclusive;

/// Packets in a generated story.
const STORY: usize = 1000;

/// Steps of time in ticks: one, and around every time-out of the built-in pipelines and of `pin`'s stories. Most packets
/// follow at once.
const STEPS: [u32; 17] = [1, 1, 2, 11, 12, 22, 44, 45, 100, 149, 150, 447, 448, 894, 895, 4470, 262_143];

/// Flags of TCP segments: SYN, SYN+ACK, ACK, PSH+ACK, FIN+ACK, RST, RST+ACK, SYN+FIN, none, all, SYN+ECE+CWR.
const FLAGS: [u8; 11] = [0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x03, 0, 0xff, 0xc2];

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What stories are made of.
#[derive(Clone, Debug)]
pub struct Generator {
    random: Random,
    frames: Vec<Vec<u8>>,
    /// Frames that come again: a flow needs more than one packet.
    recent: [usize; 4],
    ports: Vec<u32>,
    changes: Vec<Change>,
    /// The next cut of the next frame, so that every frame is cut at every byte in the end.
    cut: (usize, usize),
    /// Lengths of frames that the data planes under test take.
    lengths: RangeInclusive<usize>,
}

impl Generator {
    /// From the packets and writes of a case's stories.
    ///
    /// # Errors
    /// If a packet of a story is malformed, or there is none.
    pub fn new(stories: &Stories, seed: u64, lengths: RangeInclusive<usize>) -> Result<Self> {
        let steps = || stories.story.iter().flat_map(|s| &s.step);
        let mut frames = steps().map(|s| packet::bytes(&s.packet)).collect::<Result<Vec<_>, _>>()?;
        frames.retain(|f| lengths.contains(&f.len()));
        frames.sort();
        frames.dedup();
        if frames.is_empty() {
            bail!("no packet to start from");
        }
        let mut ports: Vec<u32> = steps().filter_map(|s| s.port).chain([1, 1, 1]).collect();
        ports.sort_unstable();
        let mut changes: Vec<Change> = steps().flat_map(|s| s.before.clone()).collect();
        for entry in &stories.entry {
            changes.extend([Change::Delete(entry.clone()), Change::Insert(entry.clone())]);
            changes.push(Change::Insert(entry.clone()));
        }
        changes.extend(stories.ring.iter().cloned().map(Change::Ring));
        Ok(Self { random: Random(seed), frames, recent: [0; 4], ports, changes, cut: (0, 0), lengths })
    }

    /// A story of `packets` steps.
    pub fn story(&mut self, packets: usize) -> Story {
        let mut now = (self.random.next() % (1 << 18)) as u32;
        let mut step = Vec::new();
        for i in 0..packets {
            if self.random.below(8) == 0 {
                now = now.wrapping_add(*self.random.pick(&STEPS));
            }
            let frame = if i % 4 == 0 { self.next_cut() } else { self.bent() };
            let digits: String = frame.iter().map(|b| format!("{b:02x}")).collect();
            step.push(Step {
                port: Some(*self.random.pick(&self.ports)),
                now: Some(now),
                before: self.writes(),
                packet: format!("hex:{digits}"),
                ..Step::default()
            });
        }
        Story { about: "generated".to_owned(), step, ..Story::default() }
    }

    /// A story in which no time passes.
    pub fn moment(&mut self, packets: usize) -> Story {
        let mut story = self.story(packets);
        story.step.iter_mut().for_each(|s| s.now = None);
        story
    }

    fn writes(&mut self) -> Vec<Change> {
        if self.changes.is_empty() || self.random.below(12) > 0 {
            return Vec::new();
        }
        (0..=self.random.below(3)).map(|_| self.random.pick(&self.changes).clone()).collect()
    }

    /// Frame after frame, cut at byte after byte.
    fn next_cut(&mut self) -> Vec<u8> {
        for _ in 0..4096 {
            let (frame, length) = self.cut;
            let all = &self.frames[frame % self.frames.len()];
            // Behind the headers of the longest stack nothing reads.
            self.cut = if length >= all.len().min(160) { (frame + 1, 0) } else { (frame, length + 1) };
            if self.lengths.contains(&length) {
                return all[..length].to_vec();
            }
        }
        self.frames[0].clone()
    }

    fn bent(&mut self) -> Vec<u8> {
        if self.random.below(6) == 0 {
            self.recent[self.random.below(4)] = self.random.below(self.frames.len());
        }
        let frame = self.frames[*self.random.pick(&self.recent)].clone();
        let mut bent = frame.clone();
        for _ in 0..self.random.below(3) {
            self.bend(&mut bent);
        }
        if self.lengths.contains(&bent.len()) { bent } else { frame }
    }

    fn bend(&mut self, frame: &mut Vec<u8>) {
        let r = &mut self.random;
        let ip6 = frame.get(12..14) == Some(&[0x86, 0xdd]);
        let l4 = if ip6 { 54 } else { 34 };
        let small = r.below(4) as u8;
        match r.below(12) {
            0 => set(frame, r.below(100), r.next() as u8),
            1 => {
                let at = r.below(80);
                let old = frame.get(at).copied().unwrap_or(0);
                set(frame, at, old ^ 1 << r.below(8));
            }
            // The low byte of the length, by a little.
            2 => {
                let at = if ip6 { 19 } else { 17 };
                let old = frame.get(at).copied().unwrap_or(0);
                set(frame, at, old.wrapping_add(small).wrapping_sub(2));
            }
            3 | 4 => set(frame, l4 + 13, *r.pick(&FLAGS)),
            // A few ports, a few addresses: so that flows meet again.
            5 | 6 => set(frame, l4 + 1, 0xe8 + small),
            7 => set(frame, if ip6 { 37 } else { 29 }, small + 1),
            8 if frame.len() > 14 => {
                frame.splice(12..12, [0x81, 0, small << 4, 10]);
            }
            // Options of four bytes.
            9 if !ip6 && frame.len() > 34 => {
                frame.splice(34..34, [1, 1, 1, 1]);
                frame[14] = frame[14].wrapping_add(1);
                frame[17] = frame[17].wrapping_add(4);
            }
            10 if !ip6 => {
                set(frame, 20, *r.pick(&[0x20, 0x40, 0x80, 0x1f, 0x60]));
                set(frame, 21, small);
            }
            _ => frame.resize(frame.len() + r.below(20), 0xa5),
        }
    }
}

fn set(frame: &mut [u8], at: usize, value: u8) {
    if let Some(byte) = frame.get_mut(at) {
        *byte = value;
    }
}

/// How many packets a test sends: 20,000, or what `GUIDEWAY_PACKETS` says.
#[must_use]
pub fn packets() -> usize {
    std::env::var("GUIDEWAY_PACKETS").ok().and_then(|n| n.replace('_', "").parse().ok()).unwrap_or(20_000)
}

/// Sends `packets` generated packets through the oracle and another data plane: `told` tells it a story, from the
/// beginning.
///
/// # Errors
/// The shortest story in which they differ, as `packets.toml` would have it, and the difference.
pub fn compare(
    stories: &Stories,
    oracle: &OraclePlane,
    mut generator: Generator,
    packets: usize,
    told: &mut dyn FnMut(&Story) -> Result<Seen>,
) -> Result<()> {
    let mut prepared = oracle.clone();
    prepare(stories, &mut prepared)?;
    for _ in 0..packets.div_ceil(STORY) {
        let story = generator.story(STORY.min(packets));
        judge(story, &mut |story| {
            let expected = run(story, &mut prepared.clone())?;
            Ok(differences(&expected, &told(story)?))
        })?;
    }
    Ok(())
}

/// Tells a story to two data planes; `differ` says in words what differs.
///
/// # Errors
/// The shortest story in which they differ, and the difference.
pub fn judge(story: Story, differ: &mut dyn FnMut(&Story) -> Result<String>) -> Result<()> {
    if differ(&story)?.is_empty() {
        return Ok(());
    }
    let short = shortest(story, &mut |s| differ(s).is_ok_and(|d| !d.is_empty()));
    let difference = differ(&short)?;
    bail!("{}\n{difference}", written(short)?)
}

/// Takes out steps and writes, many at once and then one by one, as long as the story still fails.
fn shortest(mut story: Story, fails: &mut dyn FnMut(&Story) -> bool) -> Story {
    let mut size = story.step.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < story.step.len() {
            let mut shorter = story.clone();
            shorter.step.drain(at..(at + size).min(story.step.len()));
            if !shorter.step.is_empty() && fails(&shorter) {
                story = shorter;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    for i in 0..story.step.len() {
        let mut without = story.clone();
        without.step[i].before.clear();
        if fails(&without) {
            story = without;
        }
    }
    story
}

/// The story as `packets.toml` has it.
fn written(mut story: Story) -> Result<String> {
    for step in &mut story.step {
        step.packet = packet::text(&packet::bytes(&step.packet)?);
    }
    let file = std::collections::BTreeMap::from([("story", vec![story])]);
    toml::to_string(&file).context("a story as TOML")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use sw_fallback::plane::{TestPlane as _, Verdict};

    fn stories() -> Stories {
        let text = "[[packet]]\nabout = 'a'\nin = 'eth / ip4 / tcp'\n[[packet]]\nabout = 'b'\nin = 'eth / ip6 / udp'";
        Stories::parse(text).unwrap()
    }

    #[test]
    fn one_seed_one_sequence() {
        let story = |seed| format!("{:?}", Generator::new(&stories(), seed, 0..=2000).unwrap().story(50));
        assert_eq!(story(1), story(1));
        assert_ne!(story(1), story(2));
    }

    #[test]
    fn every_frame_is_cut_at_every_byte() {
        let mut generator = Generator::new(&stories(), 1, 0..=2000).unwrap();
        let lengths: Vec<usize> = (0..120).map(|_| generator.next_cut().len()).collect();
        assert_eq!(lengths[..55], (0..55).collect::<Vec<_>>());
        assert_eq!(lengths[55..118], (0..63).collect::<Vec<_>>());
    }

    #[test]
    fn the_shortest_story_keeps_what_fails() {
        let mut story = Generator::new(&stories(), 3, 14..=2000).unwrap().story(100);
        let wanted = ["eth / arp", "eth / vlan / arp"];
        story.step[17].packet = wanted[0].to_owned();
        story.step[90].packet = wanted[1].to_owned();
        let fails = |s: &Story| wanted.iter().all(|w| s.step.iter().any(|x| x.packet == *w));
        let short = shortest(story, &mut |s| fails(s));
        assert_eq!(short.step.len(), 2);
        let text = written(short).unwrap();
        assert_eq!(Stories::parse(&text).unwrap().story[0].step.len(), 2, "{text}");
    }

    #[test]
    fn a_data_plane_that_errs_is_told_on() {
        let source = "#[guideway::pipeline(targets = [native])] pub mod p { use guideway::headers::Ethernet;
            struct Headers { eth: Ethernet } struct Meta {} enum Reason { Cut }
            #[state] fn start(p: &mut Packet, h: &mut Headers) -> State { p.extract(h.eth); accept }
            fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
                if !h.eth.is_valid() { return drop(Cut); } forward(VALUE) } const VALUE: bit<32> = 2; }";
        let plane = |value: &str| {
            let overrides = [("VALUE".to_owned(), value.to_owned())];
            let pipeline = pipeline_syntax::compile_source("p.rs", source, &overrides).unwrap();
            OraclePlane::new(&pipeline_ir::verify::verify(pipeline).unwrap(), 1)
        };
        let stories = stories();
        let generator = Generator::new(&stories, 1, 0..=2000).unwrap();
        let same = compare(&stories, &plane("2"), generator.clone(), 400, &mut |s| run(s, &mut plane("2")));
        assert!(same.is_ok());
        let other = compare(&stories, &plane("2"), generator, 400, &mut |s| run(s, &mut plane("3")));
        let text = other.unwrap_err().to_string();
        assert_eq!(text.matches("[[story.step]]").count(), 1, "{text}");
        assert!(text.contains("oracle forward 2"), "{text}");
        assert_eq!(plane("2").process(0, 0, &[]).verdict, Verdict::Drop("cut".to_owned()));
    }
}
