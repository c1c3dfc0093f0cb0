//! What a run cost.

use super::object::Program;
use std::collections::BTreeMap;

/// What one or more frames cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counts {
    pub frames: u64,
    pub instructions: u64,
    /// Conditional jumps, and those of them that were taken.
    pub branches: u64,
    pub taken: u64,
    pub loads: u64,
    pub stores: u64,
    pub atomics: u64,
    /// Calls by the helper's number.
    pub calls: BTreeMap<i32, u64>,
    /// How often each instruction ran.
    pub(super) runs: Vec<u64>,
}

/// A line of the source and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct HotLine {
    pub file: String,
    pub line: u32,
    pub text: String,
    pub instructions: u64,
}

impl Counts {
    pub(super) fn of(program: &Program) -> Self {
        Self { runs: vec![0; program.code.len()], ..Self::default() }
    }

    /// Instructions per frame.
    #[must_use]
    pub fn per_frame(&self) -> f64 {
        self.each(self.instructions)
    }

    /// One of the counts per frame.
    #[must_use]
    pub fn each(&self, count: u64) -> f64 {
        if self.frames == 0 { 0.0 } else { count as f64 / self.frames as f64 }
    }

    /// The calls of all helpers.
    #[must_use]
    pub fn helpers(&self) -> u64 {
        self.calls.values().sum()
    }

    /// The lines that cost most, the dearest first; lines of equal cost in their order.
    #[must_use]
    pub fn hot(&self, program: &Program) -> Vec<HotLine> {
        let mut lines: BTreeMap<(String, u32), HotLine> = BTreeMap::new();
        for (at, runs) in self.runs.iter().enumerate().filter(|(_, runs)| **runs > 0) {
            let Some((_, line)) = program.lines.range(..=at).next_back() else { continue };
            let file = line.file.rsplit('/').next().unwrap_or_default().to_owned();
            let new = || HotLine {
                file: file.clone(),
                line: line.number,
                text: line.text.clone(),
                instructions: 0,
            };
            lines.entry((file.clone(), line.number)).or_insert_with(new).instructions += runs;
        }
        let mut lines: Vec<HotLine> = lines.into_values().collect();
        lines.sort_by_key(|l| std::cmp::Reverse(l.instructions));
        lines
    }
}
