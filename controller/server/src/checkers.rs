//! Which stream speaks for which checker. A name is one checker's: who comes second is refused as long as the first one is
//! heard, for two that probe from different places under one name would count as one that changes its mind.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// How long a refusal is told of, milliseconds.
const TOLD: u64 = 60_000;
/// Refusals that are told of, at most.
const MOST: usize = 64;

/// The streams of reports that are open.
#[derive(Debug, Default)]
pub(crate) struct Checkers {
    seats: BTreeMap<String, Seat>,
    /// By name: who was refused last, and when.
    refused: BTreeMap<String, (String, u64)>,
    streams: u64,
}

#[derive(Debug)]
struct Seat {
    stream: u64,
    from: String,
    heard: u64,
}

/// A stream and the name that it has.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    name: String,
    stream: u64,
}

impl Checkers {
    /// Gives a stream a checker's name. One that was silent for `silence` milliseconds may be dead without anybody having
    /// noticed: another may take its place.
    ///
    /// # Errors
    /// Another one has it, and is heard: in words.
    pub(crate) fn claim(
        &mut self,
        name: &str,
        from: Option<SocketAddr>,
        now: u64,
        silence: u64,
    ) -> Result<Claim, String> {
        let from = from.map_or_else(|| "an unknown address".to_owned(), |from| from.ip().to_string());
        if let Some(seat) = self.seats.get(name).filter(|seat| seat.heard.saturating_add(silence) > now) {
            let why = format!(
                "a checker reports as `{}` already, from {}: give each checker an --id of its own",
                name.escape_debug(),
                seat.from
            );
            self.refused.retain(|_, (_, at)| *at + TOLD > now);
            if self.refused.len() < MOST || self.refused.contains_key(name) {
                self.refused.insert(name.to_owned(), (from, now));
            }
            return Err(why);
        }
        self.streams += 1;
        let stream = self.streams;
        self.seats.insert(name.to_owned(), Seat { stream, from, heard: now });
        Ok(Claim { name: name.to_owned(), stream })
    }

    /// A message came by a stream.
    ///
    /// # Errors
    /// It was silent, and another one has the name by now: in words.
    pub(crate) fn heard(&mut self, claim: &Claim, now: u64) -> Result<(), String> {
        match self.seats.get_mut(&claim.name) {
            Some(seat) if seat.stream == claim.stream => {
                seat.heard = now;
                Ok(())
            }
            taken => Err(format!(
                "a checker reports as `{}` from {} by now: this stream had been silent",
                claim.name.escape_debug(),
                taken.map_or("elsewhere", |seat| seat.from.as_str())
            )),
        }
    }

    /// A stream has ended.
    pub(crate) fn leave(&mut self, claim: &Claim) {
        if self.seats.get(&claim.name).is_some_and(|seat| seat.stream == claim.stream) {
            self.seats.remove(&claim.name);
        }
    }

    /// In words, which names were wanted twice of late.
    pub(crate) fn alarms(&self, now: u64) -> Vec<String> {
        let recent = self.refused.iter().filter(|(_, (_, at))| *at + TOLD > now);
        recent
            .map(|(name, (from, _))| {
                let first = self.seats.get(name).map_or("elsewhere", |seat| seat.from.as_str());
                let name = name.escape_debug();
                format!(
                    "checker {name}: two report by this id, from {first} and {from}; the second is refused"
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_is_one_streams() {
        let mut checkers = Checkers::default();
        let from = |last| Some(SocketAddr::from(([10, 0, 0, last], 4711)));
        let first = checkers.claim("c1", from(1), 0, 6_000).unwrap();
        checkers.claim("c2", from(2), 0, 6_000).unwrap();
        checkers.heard(&first, 4_000).unwrap();
        let why = checkers.claim("c1", from(3), 9_999, 6_000).unwrap_err();
        assert!(why.contains("10.0.0.1") && why.contains("--id"), "{why}");
        let alarms = checkers.alarms(10_000);
        assert_eq!(alarms.len(), 1);
        assert!(alarms[0].contains("c1") && alarms[0].contains("10.0.0.1 and 10.0.0.3"), "{alarms:?}");

        // Silent for too long: the other one has it, and the alarm ends.
        let second = checkers.claim("c1", from(3), 10_000, 6_000).unwrap();
        assert!(checkers.heard(&first, 10_001).unwrap_err().contains("10.0.0.3"));
        checkers.leave(&first);
        checkers.heard(&second, 10_002).unwrap();
        assert!(checkers.alarms(69_999).is_empty());

        // One that leaves makes room at once.
        checkers.leave(&second);
        checkers.claim("c1", from(1), 10_003, 6_000).unwrap();
    }

    /// Names come from the network.
    #[test]
    fn refusals_that_are_told_of_are_few() {
        let mut checkers = Checkers::default();
        for n in 0..1_000 {
            let name = format!("c{n}");
            checkers.claim(&name, None, 0, 9).unwrap();
            checkers.claim(&name, None, 1, 9).unwrap_err();
        }
        assert_eq!(checkers.alarms(2).len(), MOST);
    }
}
