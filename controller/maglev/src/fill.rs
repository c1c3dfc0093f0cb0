//! A first fill: all slots are free, and the members take one each, in turn, until each has its count.
//!
//! Where slots are plenty, a wrong guess of the processor costs more than a look at a slot. So a batch of members looks
//! first, without a branch that depends on what it sees, and then takes in turn. Whoever finds that somebody of the batch
//! was faster walks on: what it passed by was taken before its turn either way. Where slots are few, each walks on its own:
//! one wrong guess is little beside so many looks, and bits take less memory than the table.

use crate::order::{Distance, Walk};
use crate::set::SlotSet;

/// Nobody's slot. Positions are below 2^15.
const FREE: u16 = u16::MAX;
/// How many members look before the first of them takes.
const BATCH: usize = 256;
/// Marks a slot that nobody has looked at yet. Slots are below 2^20.
const ON_FROM: u32 = 1 << 31;

/// A member that takes slots in its order of preference.
#[derive(Clone, Copy)]
struct Taker {
    walk: Walk,
    at: u16,
    wants: u32,
}

/// Who gets each slot, by position in `takers`, whose counts add up to the slots.
pub(crate) fn fill(slots: u32, takers: impl Iterator<Item = (Walk, u32)>) -> Vec<u16> {
    let taker = |(at, (walk, wants))| Taker { walk, at, wants };
    let takers = (0..).zip(takers).map(taker).collect();
    let at = vec![FREE; slots as usize];
    let mut fill = Fill { takers, turn: 0, round: 0, stays: 0, left: slots, at };
    fill.end_round();
    fill.look(slots - slots / 4, glance::<1>);
    fill.look(slots / 2, glance::<2>);
    fill.look(slots / 32, search::<4>);
    let mut free = fill.free();
    fill.walk(&mut free, slots.isqrt());
    // From there on a round through the free slots costs less than a walk that finds one of them.
    fill.choose(free);
    fill.at
}

struct Fill {
    /// Those that want slots, and whose turn it is.
    takers: Vec<Taker>,
    turn: usize,
    /// Rounds that are over, and after how many the first taker has enough.
    round: u32,
    stays: u32,
    left: u32,
    at: Vec<u16>,
}

impl Fill {
    /// Everyone in turn takes a slot, until `stop` are left; `take` lets up to so many do it.
    fn turns(&mut self, stop: u32, batch: usize, mut take: impl FnMut(&mut [Taker], &mut [u16])) {
        while self.left > stop && !self.takers.is_empty() {
            let most = batch.min((self.left - stop) as usize).min(self.takers.len() - self.turn);
            take(&mut self.takers[self.turn..][..most], &mut self.at);
            self.left -= most as u32;
            self.turn += most;
            if self.turn == self.takers.len() {
                self.turn = 0;
                self.round += 1;
                self.end_round();
            }
        }
    }

    /// Whoever has enough leaves. If one is left, it gets all the rest.
    fn end_round(&mut self) {
        if self.round < self.stays {
            return;
        }
        self.takers.retain(|taker| taker.wants > self.round);
        self.stays = self.takers.iter().map(|taker| taker.wants).min().unwrap_or(0);
        if let [last] = self.takers[..] {
            self.at.iter_mut().filter(|at| **at == FREE).for_each(|at| *at = last.at);
            self.left = 0;
        }
    }

    /// Everyone takes the first free slot of its walk. `see` says where to begin: behind nothing but slots that are taken.
    /// There is a free slot for each, so that the walks end.
    fn look(&mut self, stop: u32, see: fn(&[u16], &[Taker], &mut [u32; BATCH])) {
        let mut seen = [0; BATCH];
        self.turns(stop, BATCH, |takers, at| {
            see(at, takers, &mut seen);
            for (taker, &seen) in takers.iter_mut().zip(&seen) {
                let mut slot = seen;
                while at[slot as usize] != FREE {
                    slot = taker.walk.behind(slot);
                }
                at[slot as usize] = taker.at;
                taker.walk.pass(slot);
            }
        });
    }

    /// Everyone walks to the first free slot.
    fn walk(&mut self, free: &mut Vec<u32>, stop: u32) {
        let mut set = SlotSet::empty(self.at.len() as u32);
        free.iter().for_each(|&slot| set.insert(slot));
        self.turns(stop, usize::MAX, |takers, at| {
            for taker in takers {
                let Some(slot) = taker.walk.find(&set, |_| true) else { return };
                set.remove(slot);
                at[slot as usize] = taker.at;
            }
        });
        free.retain(|&slot| self.at[slot as usize] == FREE);
    }

    /// Everyone takes the free slot that its walk would meet first.
    fn choose(&mut self, mut free: Vec<u32>) {
        self.turns(0, usize::MAX, |takers, at| {
            let distances = Distance::of_all(takers.iter().map(|taker| &taker.walk));
            for (taker, distance) in takers.iter_mut().zip(distances) {
                let Some(slot) = distance.take_nearest(&mut taker.walk, &mut free) else { return };
                at[slot as usize] = taker.at;
            }
        });
    }

    /// The free slots, by rising number.
    fn free(&self) -> Vec<u32> {
        const RUN: usize = 16;
        let mut free = Vec::with_capacity(self.left as usize);
        let (runs, rest) = self.at.as_chunks::<RUN>();
        for (run, owners) in (0..).step_by(RUN).zip(runs.iter().map(|run| &run[..]).chain([rest])) {
            // Most runs have none. No position has the highest bit.
            if owners.iter().fold(0, |bits, at| bits | at) > FREE / 2 {
                free.extend((run..).zip(owners).filter(|(_, at)| **at == FREE).map(|(slot, _)| slot));
            }
        }
        free
    }
}

/// The first free slot of the `LOOKS` from `slot` on, else the one behind them with `ON_FROM`.
#[inline]
fn ahead<const LOOKS: usize>(at: &[u16], walk: &Walk, mut slot: u32) -> u32 {
    let mut slots = [0; LOOKS];
    for ahead in &mut slots {
        *ahead = slot;
        slot = walk.behind(slot);
    }
    slots.iter().rev().fold(slot | ON_FROM, |seen, &slot| if at[slot as usize] == FREE { slot } else { seen })
}

/// Everyone looks at `LOOKS` slots.
fn glance<const LOOKS: usize>(at: &[u16], takers: &[Taker], seen: &mut [u32; BATCH]) {
    for (taker, seen) in takers.iter().zip(seen) {
        *seen = ahead::<LOOKS>(at, &taker.walk, taker.walk.next()) & !ON_FROM;
    }
}

/// Everyone looks at `LOOKS` slots, again and again until it has seen a free one. There is one.
fn search<const LOOKS: usize>(at: &[u16], takers: &[Taker], seen: &mut [u32; BATCH]) {
    // Who has not: those before `left`.
    let mut searching = [0_u16; BATCH];
    let mut left = 0;
    for (who, taker) in takers.iter().enumerate().take(BATCH) {
        seen[who] = ahead::<LOOKS>(at, &taker.walk, taker.walk.next());
        searching[left % BATCH] = who as u16;
        left += (seen[who] >> 31) as usize;
    }
    while left > 0 {
        let all = std::mem::take(&mut left);
        for turn in 0..all {
            let who = usize::from(searching[turn % BATCH]) % BATCH;
            seen[who] = ahead::<LOOKS>(at, &takers[who].walk, seen[who] & !ON_FROM);
            searching[left % BATCH] = who as u16;
            left += (seen[who] >> 31) as usize;
        }
    }
}
