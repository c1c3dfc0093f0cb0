//! Frames to the VIP all the time, and where each went.

use p4runtime_bench::traffic::Record;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// What became of all frames.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) sent: usize,
    /// Did not come back: dropped, or passed on as they came.
    pub(crate) lost: usize,
    /// Came twice, or are none of ours.
    pub(crate) strange: usize,
    /// Where frames went.
    pub(crate) to: BTreeSet<Ipv4Addr>,
    /// Flows that went on, by where they were first, if they went elsewhere then.
    pub(crate) left: BTreeMap<Ipv4Addr, BTreeSet<u32>>,
}

impl Judged {
    pub(crate) fn of(record: &Record) -> Self {
        let mut judged =
            Self { sent: record.frames.len(), strange: record.twice + record.foreign, ..Self::default() };
        let mut homes: BTreeMap<u32, Ipv4Addr> = BTreeMap::new();
        for frame in &record.frames {
            let Some((_, to)) = frame.heard else {
                judged.lost += 1;
                continue;
            };
            let to = Ipv4Addr::from_bits(to);
            judged.to.insert(to);
            let Some(flow) = frame.flow else { continue };
            let home = *homes.entry(flow).or_insert(to);
            if home != to {
                judged.left.entry(home).or_default().insert(flow);
            }
        }
        judged
    }

    /// Nothing was lost, all went to backends of these numbers, and no flow left its backend.
    pub(crate) fn steady(&self, backends: std::ops::RangeInclusive<u8>) {
        self.right(backends);
        assert!(self.left.is_empty(), "{self:?}");
    }

    /// Nothing was lost, all went to backends of these numbers.
    pub(crate) fn right(&self, backends: std::ops::RangeInclusive<u8>) {
        assert!(self.sent > 500, "{self:?}");
        assert_eq!((self.lost, self.strange), (0, 0), "{self:?}");
        let known: BTreeSet<Ipv4Addr> = backends.map(super::address).collect();
        assert!(self.to.is_subset(&known), "{self:?}");
    }
}
