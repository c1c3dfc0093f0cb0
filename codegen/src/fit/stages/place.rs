//! Stage by stage: of what may stand in a stage, what has the longest chain behind it comes first.

use super::depend::{self, Wait};
use super::layout::{self, Left};
use super::{Array, Chip, Kind, Logical, Memory, Placed, Placement, Stage, Stuck, Tables};
use std::collections::{BTreeMap, BTreeSet};

/// Stages after which it is clear enough that something does not fit, in stages of the chip.
const ENOUGH: u64 = 8;

/// Why an array's second user is stuck: an array lies in one stage.
pub(crate) const ARRAY_STAGES: &str = "array_stages";

/// Places all tables; in more stages than the chip has, if need be.
#[must_use]
pub fn place(tables: &Tables, chip: &Chip) -> Placement {
    let waits = depend::waits(&tables.tables);
    let mut work = Work::new(tables, chip, &waits);
    while !work.is_done() && work.stuck.is_none() && (work.stages.len() as u64) < chip.stages * ENOUGH {
        work.stage();
    }
    Placement {
        whole: work.is_done(),
        tables: tables.tables.clone(),
        arrays: tables.arrays.clone(),
        stages: work.stages,
        chain: depend::chain(&waits),
        stuck: work.stuck,
    }
}

/// What is known while stages are filled.
struct Work<'a> {
    tables: &'a [Logical],
    arrays: &'a [Array],
    chip: &'a Chip,
    waits: &'a [Vec<Wait>],
    behind: Vec<u64>,
    /// What stands beside each table, or beside what it hangs on, and has branches.
    beside: Vec<Vec<usize>>,
    /// Tables in the branches of each that are still to come.
    open: Vec<usize>,
    /// Entries of each table that wait for a place.
    left: Vec<u64>,
    /// The stage of each table's last part.
    done: Vec<Option<u64>>,
    /// The stage that each array lies in.
    array_at: BTreeMap<usize, u64>,
    stages: Vec<Stage>,
    stuck: Option<Stuck>,
}

/// What the stage that is being filled has used.
#[derive(Default)]
struct Used {
    exact: BTreeSet<(String, u32)>,
    masked: BTreeSet<(String, u32)>,
    counters: u64,
    registers: u64,
    maps: u64,
    /// Conditions that stand alone so far, by place in the stage.
    alone: BTreeMap<usize, usize>,
}

impl<'a> Work<'a> {
    fn new(tables: &'a Tables, chip: &'a Chip, waits: &'a [Vec<Wait>]) -> Self {
        let open = inside(&tables.tables);
        Self {
            beside: beside(&tables.tables, &open),
            open,
            tables: &tables.tables,
            arrays: &tables.arrays,
            chip,
            waits,
            behind: depend::behind(waits),
            left: tables.tables.iter().map(|t| t.entries).collect(),
            done: vec![None; tables.tables.len()],
            array_at: BTreeMap::new(),
            stages: Vec::new(),
            stuck: None,
        }
    }

    fn is_done(&self) -> bool {
        self.done.iter().all(Option::is_some)
    }

    /// Fills one more stage.
    fn stage(&mut self) {
        let now = self.stages.len() as u64;
        self.stages.push(Stage::default());
        let mut used = Used::default();
        let mut tried: BTreeSet<usize> = BTreeSet::new();
        loop {
            let ready = (0..self.tables.len()).filter(|i| !tried.contains(i) && self.is_ready(*i, now));
            let Some(next) = ready.max_by_key(|i| (self.behind[*i], std::cmp::Reverse(*i))) else { break };
            if self.put(next, now, &mut used) {
                // What waited for it may go on, and what shares a condition's place; a part of a table stays one.
                tried.retain(|i| self.done[*i].is_some() || self.left[*i] < self.tables[*i].entries);
            }
            tried.insert(next);
        }
        let empty = self.stages.last().is_some_and(|s| s.placed.is_empty());
        if empty && self.stuck.is_none() && !self.waits_for_a_stage(now) {
            self.stuck = self.first_stuck(now);
        }
    }

    /// Does anything become ready in the next stage?
    fn waits_for_a_stage(&self, now: u64) -> bool {
        (0..self.tables.len()).any(|i| self.is_ready(i, now + 1) && !self.is_ready(i, now))
    }

    /// What finds no room although it waits for nothing; what waits for it is not to blame.
    fn first_stuck(&self, now: u64) -> Option<Stuck> {
        let ready = (0..self.tables.len()).find(|i| self.is_ready(*i, now));
        let table = ready.or_else(|| self.done.iter().position(Option::is_none))?;
        Some(self.why(table))
    }

    /// What keeps a table out of an empty stage.
    fn why(&self, table: usize) -> Stuck {
        let (t, chip) = (&self.tables[table], self.chip);
        if let Some(a) = t.arrays.iter().find(|a| self.blocks(**a) > self.most(**a)) {
            let limit = if self.arrays[*a].computes { "register_blocks" } else { "counter_blocks" };
            return Stuck { table, limit, needs: self.blocks(*a), array: Some(*a) };
        }
        let stuck = |limit, needs| Stuck { table, limit, needs, array: None };
        let bytes = layout::key_bytes(t);
        if layout::is_masked(t) && bytes > chip.masked_bytes {
            return stuck("stage_masked_bytes", bytes);
        }
        if !layout::is_masked(t) && bytes > chip.exact_bytes {
            return stuck("stage_exact_bytes", bytes);
        }
        if t.arrays.iter().any(|a| self.array_at.contains_key(a)) {
            return stuck(ARRAY_STAGES, 2);
        }
        stuck("stage_sram_blocks", layout::whole(t, chip, t.entries).sram)
    }

    fn is_ready(&self, i: usize, now: u64) -> bool {
        self.done[i].is_none()
            && self.waits[i].iter().all(|w| self.done[w.on].is_some_and(|at| at + w.stages <= now))
            && !self.is_beside_open(i)
    }

    /// Has something beside it branches that are still to come? A packet in them can't be led past it.
    fn is_beside_open(&self, i: usize) -> bool {
        self.beside[i].iter().any(|k| self.done[*k].is_some() && self.open[*k] > 0)
    }

    fn blocks(&self, array: usize) -> u64 {
        let a = &self.arrays[array];
        a.cells.div_ceil(self.chip.sram_rows * u64::from(a.in_row.max(1))) + 1
    }

    /// The most blocks that an array can have.
    fn most(&self, array: usize) -> u64 {
        if self.arrays[array].computes { self.chip.register_blocks } else { self.chip.counter_blocks }
    }

    /// Puts a table, or the part of it for which there is room, into the stage.
    fn put(&mut self, i: usize, now: u64, used: &mut Used) -> bool {
        let t = &self.tables[i];
        let Some(stage) = self.stages.last() else { return false };
        let shares = self.shared_place(i, used);
        if stage.tables() + u64::from(shares.is_none()) > self.chip.tables || !self.bytes_fit(t, used) {
            return false;
        }
        let Some(arrays) = self.new_arrays(t, now, used) else { return false };
        let sum: u64 = arrays.iter().map(|a| a.1).sum();
        let counts = u64::from(t.counters_in_row.is_some());
        let left = Left {
            sram: self.chip.sram.saturating_sub(stage.sram() + sum),
            tcam: self.chip.tcam.saturating_sub(stage.tcam()),
            maps: self.chip.maps.saturating_sub(used.maps + sum),
            counter: self.chip.counter_blocks,
        };
        let fits = stage.sram() + sum <= self.chip.sram && used.maps + sum <= self.chip.maps;
        if !fits || used.counters + counts > self.chip.counters {
            return false;
        }
        let memory = match t.kind {
            Kind::Match if !t.key.is_empty() => layout::part(t, self.chip, self.left[i], &left),
            _ => Some(Memory::default()),
        };
        let Some(memory) = memory.filter(|m| {
            t.arrays.is_empty() || m.entries >= self.left[i] || t.kind != Kind::Match || t.key.is_empty()
        }) else {
            return false;
        };
        self.note(i, now, memory, arrays, shares, used);
        true
    }

    /// A condition above it that stands alone in this stage: the two share a place.
    fn shared_place(&self, i: usize, used: &Used) -> Option<usize> {
        if self.tables[i].kind == Kind::Condition {
            return None;
        }
        let (above, _) = self.tables[i].path.last()?;
        used.alone.get(above).copied()
    }

    fn bytes_fit(&self, t: &Logical, used: &Used) -> bool {
        let sum = |set: &BTreeSet<(String, u32)>, masked: bool| -> u64 {
            let new = t.key.iter().map(|k| (k.field.clone(), k.bits)).filter(|k| !set.contains(k));
            let new: u64 = if masked == layout::is_masked(t) {
                new.map(|k| u64::from(k.1.div_ceil(8))).sum()
            } else {
                0
            };
            new + set.iter().map(|k| u64::from(k.1.div_ceil(8))).sum::<u64>()
        };
        sum(&used.exact, false) <= self.chip.exact_bytes && sum(&used.masked, true) <= self.chip.masked_bytes
    }

    /// The arrays that come into the stage with a table, and their blocks; none if there is no room for them.
    fn new_arrays(&self, t: &Logical, now: u64, used: &Used) -> Option<Vec<(usize, u64)>> {
        let mut new = Vec::new();
        let (mut counters, mut registers) = (used.counters, used.registers);
        for a in &t.arrays {
            match self.array_at.get(a) {
                Some(at) if *at == now => {}
                Some(_) => return None,
                None => {
                    let blocks = self.blocks(*a);
                    if blocks > self.most(*a) {
                        return None;
                    }
                    *(if self.arrays[*a].computes { &mut registers } else { &mut counters }) += 1;
                    new.push((*a, blocks));
                }
            }
        }
        (counters <= self.chip.counters && registers <= self.chip.registers).then_some(new)
    }

    fn note(
        &mut self,
        i: usize,
        now: u64,
        memory: Memory,
        arrays: Vec<(usize, u64)>,
        shares: Option<usize>,
        used: &mut Used,
    ) {
        let t = &self.tables[i];
        let set = if layout::is_masked(t) { &mut used.masked } else { &mut used.exact };
        set.extend(t.key.iter().map(|k| (k.field.clone(), k.bits)));
        used.counters += u64::from(t.counters_in_row.is_some());
        used.maps += memory.maps + arrays.iter().map(|a| a.1).sum::<u64>();
        for (a, _) in &arrays {
            self.array_at.insert(*a, now);
            *(if self.arrays[*a].computes { &mut used.registers } else { &mut used.counters }) += 1;
        }
        let looks_up = t.kind == Kind::Match && !t.key.is_empty();
        self.left[i] = if looks_up { self.left[i].saturating_sub(memory.entries) } else { 0 };
        if self.left[i] == 0 {
            self.done[i] = Some(now);
            above(t).into_iter().for_each(|k| self.open[k] -= 1);
        }
        let Some(stage) = self.stages.last_mut() else { return };
        if let Some(place) = shares
            && let Some(condition) = stage.placed.get_mut(place)
        {
            condition.shares = true;
            if let Some((above, _)) = t.path.last() {
                used.alone.remove(above);
            }
        }
        if t.kind == Kind::Condition {
            used.alone.insert(i, stage.placed.len());
        }
        stage.placed.push(Placed { table: i, memory, shares: false });
        stage.arrays.extend(arrays);
    }
}

/// What a table hangs on.
fn above(t: &Logical) -> BTreeSet<usize> {
    t.path.iter().map(|step| step.0).collect()
}

/// How many tables are in the branches of each.
fn inside(tables: &[Logical]) -> Vec<usize> {
    let mut inside = vec![0; tables.len()];
    tables.iter().flat_map(above).for_each(|k| inside[k] += 1);
    inside
}

/// What stands beside each table, or beside what it hangs on, and has branches.
fn beside(tables: &[Logical], inside: &[usize]) -> Vec<Vec<usize>> {
    let branches: Vec<usize> = (0..tables.len()).filter(|k| inside[*k] > 0).collect();
    let of = |(i, t): (usize, &Logical)| {
        let on = above(t);
        let beside = |k: &usize| {
            let other = &tables[*k];
            *k != i && !on.contains(k) && t.egress == other.egress && t.path.starts_with(&other.path)
        };
        branches.iter().copied().filter(beside).collect()
    };
    tables.iter().enumerate().map(of).collect()
}
