//! Was each frame sent to a backend that a ring in force named?

use crate::traffic::Record;
use std::collections::BTreeMap;

/// A ring's time, in ns: from when it may first have been in force until it can't be any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// The outer address to which every slot leads.
    pub to: u32,
    /// The call that put it in force began.
    pub from: u64,
    /// The call that put the next one in force had ended.
    pub until: u64,
}

/// What the frames say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// Frames that were sent.
    pub sent: usize,
    /// Those of them that did not come back.
    pub lost: usize,
    /// Those that opened a flow and went to a backend of no ring in force, or that left the backend of their flow.
    pub misdirected: usize,
    /// Came a second time, or were none of ours.
    pub strange: usize,
}

/// Judges all frames by the rings' times.
#[must_use]
pub fn judge(record: &Record, epochs: &[Epoch]) -> Verdict {
    let mut verdict =
        Verdict { sent: record.frames.len(), strange: record.twice + record.foreign, ..Verdict::default() };
    let mut homes: BTreeMap<u32, u32> = BTreeMap::new();
    for frame in &record.frames {
        let Some((heard, to)) = frame.heard else {
            verdict.lost += 1;
            continue;
        };
        let named = || epochs.iter().any(|e| e.to == to && e.from <= heard && frame.at <= e.until);
        let right = match frame.flow.and_then(|flow| homes.get(&flow)) {
            Some(home) => *home == to,
            None => named(),
        };
        if let Some(flow) = frame.flow {
            homes.entry(flow).or_insert(to);
        }
        verdict.misdirected += usize::from(!right);
    }
    verdict
}

/// When a frame first went to an address, among those that were sent after a time.
#[must_use]
pub fn first_to(record: &Record, to: u32, from: u64) -> Option<u64> {
    let heard = record.frames.iter().filter_map(|f| f.heard);
    heard.filter(|(at, t)| *t == to && *at >= from).map(|(at, _)| at).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::Sent;

    #[test]
    fn what_is_right_and_what_is_not() {
        let epochs = [Epoch { to: 1, from: 0, until: 120 }, Epoch { to: 2, from: 100, until: 1000 }];
        let sent = |flow, at, heard| Sent { flow, at, heard };
        let check = |frames: &[Sent], lost, misdirected| {
            let record = Record { frames: frames.to_vec(), twice: 0, foreign: 0 };
            let expected = Verdict { sent: frames.len(), lost, misdirected, strange: 0 };
            assert_eq!(judge(&record, &epochs), expected, "{frames:?}");
        };
        check(&[sent(None, 10, Some((20, 1)))], 0, 0);
        check(&[sent(None, 10, None)], 1, 0);
        check(&[sent(None, 10, Some((20, 2)))], 0, 1);
        // Either, where both may have been in force.
        check(&[sent(None, 110, Some((130, 1))), sent(None, 110, Some((130, 2)))], 0, 0);
        // The old one after the call had ended.
        check(&[sent(None, 121, Some((130, 1)))], 0, 1);
        // A flow stays, whatever is in force.
        check(&[sent(Some(7), 10, Some((20, 1))), sent(Some(7), 500, Some((510, 1)))], 0, 0);
        check(&[sent(Some(7), 10, Some((20, 1))), sent(Some(7), 500, Some((510, 2)))], 0, 1);
        check(&[sent(Some(7), 10, Some((20, 3)))], 0, 1);
    }

    #[test]
    fn the_first_frame_to_an_address() {
        let frame = |at, to| Sent { flow: None, at, heard: Some((at + 5, to)) };
        let record = Record { frames: vec![frame(1, 2), frame(10, 1), frame(20, 2)], ..Record::default() };
        assert_eq!(first_to(&record, 2, 7), Some(25));
        assert_eq!(first_to(&record, 3, 0), None);
    }
}
