#![allow(clippy::unwrap_used)]
use super::*;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair(u32, u16);

impl Key for Pair {
    fn from_values(values: &[u128]) -> Self {
        Self(values.first().map_or(0, |v| *v as u32), values.get(1).map_or(0, |v| *v as u16))
    }
    fn value(&self, field: usize) -> u128 {
        [u128::from(self.0), u128::from(self.1)].get(field).copied().unwrap_or(0)
    }
    fn spread(&self) -> u64 {
        mix(0, u64::from(self.0) << 16 | u64::from(self.1))
    }
}

impl LpmKey for Pair {
    const FIELD: usize = 0;
    fn cut(&self, length: u8) -> Self {
        Self(if length == 0 { 0 } else { self.0 >> (32 - length) << (32 - length) }, self.1)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    Out(u32),
    Nothing,
}

impl Action for Do {
    fn from_parts(action: u32, data: &[u128]) -> Option<Self> {
        match (action, data) {
            (0, [port]) => Some(Self::Out(*port as u32)),
            (1, _) => Some(Self::Nothing),
            _ => None,
        }
    }
    fn is_default(&self) -> bool {
        *self == Self::Nothing
    }
}

fn pair(a: u128, b: u128) -> [Match; 2] {
    [Match::Exact(a), Match::Exact(b)]
}

/// What every table does with one entry.
fn one_entry(table: &mut (impl AnyTable + Table<Key = Pair, Action = Do>), key: &[Match], hit: Pair) {
    assert_eq!(*table.apply(&hit, 60), Do::Nothing);
    assert_eq!(table.modify(key, 1, 0, &[1]), Err(TableError::NotFound));
    assert_eq!(table.delete(key, 1), Err(TableError::NotFound));
    assert_eq!(table.insert(key, 1, 9, &[]), Err(TableError::Shape));
    assert_eq!(table.insert(key, 1, 0, &[7]), Ok(()));
    assert_eq!(table.insert(key, 1, 0, &[7]), Err(TableError::Exists));
    assert!(table.knows(&hit));
    assert_eq!(*table.apply(&hit, 60), Do::Out(7));
    assert_eq!(table.modify(key, 1, 0, &[8]), Ok(()));
    assert_eq!(*table.apply(&hit, 40), Do::Out(8));
    assert_eq!(table.count(key, 1), Some((2, 100)), "what is modified keeps its counts");
    assert_eq!(table.modify(key, 1, 1, &[]), Ok(()));
    assert!(!table.knows(&hit), "an entry with the default action is not known");
    assert_eq!(table.delete(key, 1), Ok(()));
    assert_eq!(table.count(key, 1), None);
}

#[test]
fn every_kind_keeps_one_entry() {
    let exact = pair(0x0a00_0001, 80);
    one_entry(&mut Exact::new(1, Do::Nothing), &exact, Pair(0x0a00_0001, 80));
    one_entry(&mut Slots::new(1, 4, Do::Nothing), &exact, Pair(0x0a00_0001, 80));
    let prefix = Match::Prefix { value: 0x0a00_0000, mask: 0xff00_0000, length: 8 };
    one_entry(&mut Lpm::new(1, Do::Nothing), &[prefix, Match::Exact(80)], Pair(0x0a63_0001, 80));
    let range = [Match::Any, Match::Range { low: 80, high: 90 }];
    one_entry(&mut Linear::new(1, Do::Nothing), &range, Pair(1, 90));
}

#[test]
fn exact_tables_hold_what_a_map_holds() {
    let mut table = Exact::<Pair, Do>::new(300, Do::Nothing);
    let mut model = BTreeMap::new();
    let mut seed = 1_u32;
    for step in 0..20_000 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (a, b) = (u128::from(seed >> 20 & 31), u128::from(seed >> 12 & 15));
        let key = pair(a, b);
        if seed >> 31 == 0 {
            let want = match (model.contains_key(&(a, b)), model.len() >= 300) {
                (true, _) => Err(TableError::Exists),
                (_, true) => Err(TableError::Full),
                _ => Ok(()),
            };
            assert_eq!(table.insert(&key, 0, 0, &[step]), want);
            model.entry((a, b)).or_insert(step);
        } else {
            let want = if model.remove(&(a, b)).is_some() { Ok(()) } else { Err(TableError::NotFound) };
            assert_eq!(table.delete(&key, 0), want);
        }
        assert_eq!(table.len(), model.len());
        let found = *table.apply(&Pair(a as u32, b as u16), 1);
        let want = model.get(&(a, b)).map_or(Do::Nothing, |port| Do::Out(*port as u32));
        assert_eq!(found, want, "step {step}");
    }
    for (key, port) in &model {
        assert_eq!(*table.apply(&Pair(key.0 as u32, key.1 as u16), 1), Do::Out(*port as u32));
    }
}

#[test]
fn a_slot_holds_one_entry_and_compares_all_bits() {
    let mut table = Slots::<Pair, Do>::new(4, 2, Do::Nothing);
    assert_eq!(table.insert(&pair(5, 0), 0, 0, &[1]), Ok(()));
    assert_eq!(table.insert(&pair(9, 0), 0, 0, &[2]), Err(TableError::Exists), "slot 1 is taken");
    assert_eq!(*table.apply(&Pair(9, 0), 1), Do::Nothing);
    assert_eq!(*table.apply(&Pair(5, 0), 1), Do::Out(1));
}

#[test]
fn the_longest_prefix_wins() {
    let mut table = Lpm::<Pair, Do>::new(3, Do::Nothing);
    let prefix = |value, length: u8| {
        let mask = if length == 0 { 0 } else { 0xffff_ffff << (32 - length) & 0xffff_ffff };
        [Match::Prefix { value, mask, length }, Match::Exact(0)]
    };
    for (port, key) in [(1, prefix(0, 0)), (2, prefix(0x0a00_0000, 8)), (3, prefix(0x0a01_0203, 32))] {
        assert_eq!(table.insert(&key, 0, 0, &[port]), Ok(()));
    }
    assert_eq!(table.insert(&prefix(0x0b00_0000, 8), 0, 0, &[1]), Err(TableError::Full));
    let ports: Vec<Do> =
        [0x0a01_0203, 0x0a01_0204, 0x0b00_0000].iter().map(|a| *table.apply(&Pair(*a, 0), 1)).collect();
    assert_eq!(ports, [Do::Out(3), Do::Out(2), Do::Out(1)]);
    assert_eq!(table.insert(&pair(1, 1), 0, 0, &[1]), Err(TableError::Shape));
}

#[test]
fn priority_then_prefix_then_age() {
    let mut table = Linear::<Pair, Do>::new(9, Do::Nothing);
    let masked = |mask| [Match::Masked { value: 0, mask }, Match::Any];
    let prefix = |length: u8| {
        [Match::Prefix { value: 0, mask: 0xffff_ffff << (32 - length) & 0xffff_ffff, length }, Match::Any]
    };
    let winner = |table: &mut Linear<Pair, Do>| *table.apply(&Pair(0, 0), 1);
    for (key, priority, port, wins) in [
        (masked(1), 1, 1, 1),
        (masked(3), 1, 2, 1),
        (masked(7), 2, 3, 3),
        (prefix(8), 2, 4, 4),
        (prefix(16), 2, 5, 5),
        (prefix(24), 1, 6, 5),
    ] {
        assert_eq!(table.insert(&key, priority, 0, &[port]), Ok(()));
        assert_eq!(winner(&mut table), Do::Out(wins));
    }
    assert_eq!(*table.apply(&Pair(1 << 31, 0), 1), Do::Out(3));
}
