//! What goes down often comes up late.

use super::settings::Damping;
use std::collections::VecDeque;

/// More ways down than this are not remembered: the hold is at its longest long before.
const REMEMBERED: usize = 32;

/// One value that may go up and down (liveness, or readiness).
#[derive(Clone, Debug, Default)]
pub(super) struct Damped {
    /// What it is; `None` if nobody has ever said.
    pub(super) value: Option<bool>,
    downs: VecDeque<u64>,
    /// Since when the checkers have agreed without a break that it is up, while it is not.
    rising: Option<u64>,
}

impl Damped {
    /// From what it was.
    pub(super) fn new(value: Option<bool>) -> Self {
        Self { value, ..Self::default() }
    }
    /// It went down at these times, as another one saw it, whose clock may be ahead.
    pub(super) fn remember(&mut self, downs: &[u64], now: u64) {
        self.downs = downs.iter().rev().take(REMEMBERED).rev().map(|at| (*at).min(now)).collect();
    }
    /// What a quorum says now, if there is one. Returns until when the way up is held.
    pub(super) fn hear(&mut self, quorum: Option<bool>, d: &Damping, now: u64) -> Option<u64> {
        match (self.value, quorum) {
            (Some(false), Some(true)) => {
                let until = self.rising.get_or_insert(now).saturating_add(self.hold(d, now));
                if now < until {
                    return Some(until);
                }
                self.value = quorum;
            }
            (Some(true), Some(false)) => {
                self.downs.push_back(now);
                if self.downs.len() > REMEMBERED {
                    self.downs.pop_front();
                }
                self.value = quorum;
            }
            (None, Some(_)) => self.value = quorum,
            _ => {}
        }
        self.rising = None;
        None
    }
    /// How long the way up takes now.
    fn hold(&self, d: &Damping, now: u64) -> u64 {
        let recent = self.downs.iter().filter(|at| at.saturating_add(d.window_ms) > now).count();
        let over = u32::try_from(recent).unwrap_or(u32::MAX).saturating_sub(d.free);
        match over {
            0 => 0,
            n => d.first_ms.saturating_mul(1_u64.checked_shl(n - 1).unwrap_or(u64::MAX)).min(d.longest_ms),
        }
    }
}
