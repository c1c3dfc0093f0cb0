//! Any bytes as frames, any writes between them: the oracle and the emitted Rust never panic, and do the same.
//!
//! What a sequence of real packets does is `snapshots`' affair; here nothing is meant to be a packet.
#![allow(clippy::unwrap_used)]

use fuzz::{Choices, target};
use pipeline_ir::KeyValue;
use pipeline_ir::entry::{Entry, RingFill, Tables, WriteKind};
use pipeline_ir::verify::Verified;
use snapshots::case::Case;
use snapshots::oracle::OraclePlane;
use snapshots::run::prepare;
use snapshots::story::Stories;
use snapshots::{native, packet};
use std::path::Path;
use sw_fallback::plane::{DataPlane, TestPlane};

/// A case, loaded.
struct Fed {
    name: &'static str,
    stories: Stories,
    verified: Verified,
    oracle: OraclePlane,
    frames: Vec<Vec<u8>>,
    tables: Tables,
}

impl Fed {
    fn load(name: &'static str) -> Self {
        let case =
            Case::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../snapshots").join(name)).unwrap();
        let stories = case.stories().unwrap();
        let verified = case.compile(&stories.overrides()).unwrap();
        let mut oracle = OraclePlane::new(&verified, hw_targets::target("native").unwrap().tick_ns);
        prepare(&stories, &mut oracle).unwrap();
        let steps = stories.story.iter().flat_map(|s| &s.step);
        let mut frames: Vec<Vec<u8>> = steps.map(|s| packet::bytes(&s.packet).unwrap()).collect();
        frames.sort();
        frames.dedup();
        let tables = Tables::new(verified.pipeline());
        Self { name, stories, verified, oracle, frames, tables }
    }

    /// A frame: noise, or one that means something with bytes written over, cut or drawn out.
    fn frame(&self, choices: &mut Choices) -> Vec<u8> {
        let kind = choices.byte();
        if kind < 64 {
            let length = choices.below(200);
            return choices.bytes(length).to_vec();
        }
        let mut frame = self.frames[choices.below(self.frames.len())].clone();
        for _ in 0..kind % 5 {
            let at = choices.below(frame.len().clamp(1, 128));
            if let Some(byte) = frame.get_mut(at) {
                *byte = choices.byte();
            }
        }
        match kind % 8 {
            5 => frame.truncate(choices.below(frame.len() + 1)),
            6 => frame.resize(frame.len() + choices.below(2000), kind),
            _ => {}
        }
        frame
    }

    /// An entry of names that exist, with values that may be anything.
    fn entry(&self, choices: &mut Choices) -> Entry {
        let p = self.verified.pipeline();
        let mut entry = Entry::default();
        if p.tables.is_empty() {
            return entry;
        }
        let table = choices.pick(&p.tables);
        entry.table.clone_from(&table.name);
        entry.priority = i32::from(choices.byte()) - 2;
        for key in &table.keys {
            let value = choices.number();
            let value = match choices.below(6) {
                0 => KeyValue::Lpm { value, prefix: choices.byte() },
                1 => KeyValue::Ternary { value, mask: choices.number() },
                2 => KeyValue::Range { low: value, high: choices.number() },
                3 => KeyValue::Optional((value & 1 == 0).then_some(value)),
                _ => KeyValue::Exact(value),
            };
            entry.key.push((key.name.clone(), value));
        }
        let action = &p.actions[choices.pick(&table.actions).index()];
        entry.action.clone_from(&action.name);
        entry.params = action.params.iter().map(|v| (p.var(*v).name.clone(), choices.number())).collect();
        entry
    }

    /// The same write to both; what is legal, both take or both refuse.
    fn write(&self, choices: &mut Choices, planes: [&mut dyn DataPlane; 2]) {
        let [a, b] = planes;
        let p = self.verified.pipeline();
        if choices.below(4) == 0 && !p.rings.is_empty() {
            let ring = choices.pick(&p.rings);
            let (pool, generation) = (u32::from(choices.byte()) % 70, choices.byte() % 4);
            let ids: Vec<u32> = (0..4).map(|_| choices.number() as u32).collect();
            let slots = ids.iter().copied().cycle().take(ring.slots as usize).collect();
            let fill = RingFill { ring: ring.name.clone(), pool, generation, slots };
            if let Ok(fill) = self.tables.check_ring(fill) {
                assert_eq!(a.fill_ring(&fill), b.fill_ring(&fill));
            }
            return;
        }
        // A known entry changes; or one that nobody meant.
        let known = &self.stories.entry;
        let checked = if choices.below(3) > 0 && !known.is_empty() {
            choices.pick(known).check(p, &self.tables).ok()
        } else {
            self.tables.check(&self.entry(choices)).ok()
        };
        let kind = *choices.pick(&[WriteKind::Insert, WriteKind::Modify, WriteKind::Delete]);
        if let Some(entry) = checked {
            assert_eq!(a.write(&entry, kind), b.write(&entry, kind), "{}: {kind:?} {entry:?}", self.name);
        }
    }

    fn feed(&self, input: &[u8]) {
        let mut choices = Choices::new(input);
        let mut oracle = self.oracle.clone();
        let mut native = native::plane(self.name, &self.verified).unwrap();
        prepare(&self.stories, &mut native).unwrap();
        let mut now = u32::from(choices.byte()) << 11;
        while !choices.is_empty() {
            if choices.below(4) == 0 {
                self.write(&mut choices, [&mut oracle, &mut native]);
            }
            now = now.wrapping_add([0, 0, 1, 149, 448, 895, 4470, 1 << 17][choices.below(8)]);
            let port = if choices.below(8) == 0 { choices.number() as u32 } else { 1 };
            let frame = self.frame(&mut choices);
            let expected = oracle.process(port, now, &frame);
            assert_eq!(native.process(port, now, &frame), expected, "{}: {frame:02x?} at {now}", self.name);
        }
        assert_eq!(native.counters(), oracle.counters(), "{}", self.name);
        for i in 0..self.verified.pipeline().flow_tables.len() {
            let table = pipeline_ir::FlowTableId(i as u32);
            assert_eq!(native.flows(table), oracle.flows(table), "{}", self.name);
        }
    }
}

macro_rules! case {
    ($module:ident, $name:literal, $inputs:literal) => {
        #[test]
        fn $module() {
            let fed = std::sync::LazyLock::new(|| Fed::load($name));
            target!($inputs, |input: &[u8]| fed.feed(input));
        }
    };
}
case!(acl, "acl", 200);
case!(count, "count", 200);
case!(decap, "decap", 400);
case!(keys, "keys", 200);
case!(l4lb, "l4lb", 300);
case!(l4lb_siphash, "l4lb-siphash", 100);
case!(l4lb_tiny, "l4lb-tiny", 300);
case!(labels, "labels", 200);
case!(nat, "nat", 200);
case!(police, "police", 200);
case!(route, "route", 200);
case!(spread, "spread", 200);
case!(vlan, "vlan", 200);
