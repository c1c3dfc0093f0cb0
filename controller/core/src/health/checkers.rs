//! Who reports. Names come from the network: there are at most so many, and each is short.

use super::settings::Settings;
use std::collections::BTreeMap;

/// Longest name in bytes.
const NAME: usize = 63;

/// Why a checker is not heard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckerRefused {
    /// Its name is no name.
    #[error("a checker's id is 1 to 63 of [A-Za-z0-9._-]")]
    Name,
    /// There are enough.
    #[error(
        "{0} checkers report already: no more are heard until one has been silent for the expiry of reports"
    )]
    TooMany(usize),
}

/// The checkers that have reported of late.
#[derive(Clone, Debug, Default)]
pub(super) struct Checkers {
    /// Number and last report.
    by_name: BTreeMap<String, (u16, u64)>,
}

impl Checkers {
    /// The number of a checker that reports now. Numbers of silent ones are given again: what they said has expired.
    pub(super) fn number(&mut self, name: &str, s: &Settings, now: u64) -> Result<u16, CheckerRefused> {
        if let Some((number, last)) = self.by_name.get_mut(name) {
            *last = now;
            return Ok(*number);
        }
        let good = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if name.is_empty() || name.len() > NAME || !name.bytes().all(good) {
            return Err(CheckerRefused::Name);
        }
        self.by_name.retain(|_, (_, last)| last.saturating_add(s.expiry_ms) > now);
        if self.by_name.len() >= s.max_checkers {
            return Err(CheckerRefused::TooMany(s.max_checkers));
        }
        let taken: Vec<u16> = self.by_name.values().map(|(number, _)| *number).collect();
        let free = (0..=u16::MAX).find(|n| !taken.contains(n)).ok_or(CheckerRefused::TooMany(taken.len()))?;
        self.by_name.insert(name.to_owned(), (free, now));
        Ok(free)
    }
    /// Names of those with unexpired reports, and when the last one came.
    pub(super) fn heard(&self, s: &Settings, now: u64) -> impl Iterator<Item = (&str, u64)> {
        let fresh = move |last: u64| last.saturating_add(s.expiry_ms) > now;
        self.by_name
            .iter()
            .filter(move |(_, (_, last))| fresh(*last))
            .map(|(name, (_, last))| (name.as_str(), *last))
    }
}
