//! Entries as bytes in maps, by `xdp_layout`, and back.

use pipeline_ir::entry::prefix_mask;
use pipeline_ir::expr::Type;
use pipeline_ir::{ActionId, Key, KeyValue, MatchKind, Table};
use xdp_layout::bytes_of;
use xdp_layout::data::DataLayout;
use xdp_layout::key::{FieldPlace, LinearField};

/// Writes a number of 1, 2, 4, 8 or 16 bytes: the host's order, the low word first.
fn put(bytes: &mut [u8], at: u32, size: u32, value: u128) {
    let (at, size) = (at as usize, size as usize);
    for (i, word) in [value as u64, (value >> 64) as u64].into_iter().enumerate().take(size.div_ceil(8)) {
        let part = size.min(8);
        let all = word.to_ne_bytes();
        let low = if cfg!(target_endian = "big") { &all[8 - part..] } else { &all[..part] };
        bytes[at + 8 * i..at + 8 * i + part].copy_from_slice(low);
    }
}

fn get(bytes: &[u8], at: u32, size: u32) -> u128 {
    let (at, size) = (at as usize, size as usize);
    (0..size.div_ceil(8)).fold(0, |value, i| {
        let part = size.min(8);
        let mut all = [0; 8];
        let from = &bytes[at + 8 * i..at + 8 * i + part];
        if cfg!(target_endian = "big") {
            all[8 - part..].copy_from_slice(from);
        } else {
            all[..part].copy_from_slice(from);
        }
        value | u128::from(u64::from_ne_bytes(all)) << (64 * i)
    })
}

/// What an entry holds beside its key.
pub(super) fn data(
    layout: &DataLayout,
    table: &Table,
    (action, args): (ActionId, &[u128]),
    key: Option<u32>,
    index: u32,
) -> Vec<u8> {
    let mut bytes = vec![0; layout.bytes as usize];
    if let (Some(at), Some(key)) = (layout.key, key) {
        put(&mut bytes, at, 4, key.into());
    }
    if let Some(at) = layout.index {
        put(&mut bytes, at, 4, index.into());
    }
    let place = table.actions.iter().position(|a| *a == action).map_or(0, |i| i + 1);
    put(&mut bytes, layout.action, 1, place as u128);
    for (param, value) in layout.params_of(action).iter().zip(args) {
        put(&mut bytes, param.at, param.bytes, *value);
    }
    bytes
}

/// The action and its parameters; none where there is no entry.
pub(super) fn action(layout: &DataLayout, table: &Table, bytes: &[u8]) -> Option<(ActionId, Vec<u128>)> {
    let place = usize::from(*bytes.get(layout.action as usize)?).checked_sub(1)?;
    let action = *table.actions.get(place)?;
    let args = layout.params_of(action).iter().map(|p| get(bytes, p.at, p.bytes)).collect();
    Some((action, args))
}

/// The counter's index in an entry's data.
pub(super) fn index(layout: &DataLayout, bytes: &[u8]) -> u32 {
    layout.index.map_or(0, |at| get(bytes, at, 4) as u32)
}

/// The key in a slot entry's data.
pub(super) fn slot_key(layout: &DataLayout, bytes: &[u8]) -> u32 {
    layout.key.map_or(0, |at| get(bytes, at, 4) as u32)
}

/// A field's plain value; other kinds than exact have none.
pub(super) fn exact(value: &KeyValue) -> u128 {
    match value {
        KeyValue::Exact(v) => *v,
        _ => 0,
    }
}

/// The fields of an exact key.
pub(super) fn exact_values(fields: &[FieldPlace], words: &[u64]) -> Vec<u128> {
    let word = |i: usize| u128::from(words.get(i).copied().unwrap_or(0));
    let value = |f: &FieldPlace| {
        let (first, bit) = ((f.shift / 64) as usize, f.shift % 64);
        let low = word(first) >> bit | word(first + 1) << (64 - bit);
        let high = if bit == 0 { 0 } else { word(first + 2).checked_shl(128 - bit).unwrap_or(0) };
        (low | high) & Type::Bits(f.width).mask()
    };
    fields.iter().map(value).collect()
}

/// The key of a longest-prefix trie.
pub(super) fn trie_key(table: &Table, order: &[(usize, u32)], key: &[KeyValue]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut prefix_bits = 0;
    for &(i, size) in order {
        let (value, bits, left) = match key[i] {
            KeyValue::Lpm { value, prefix } => {
                (value, prefix.into(), size * 8 - u32::from(table.keys[i].width))
            }
            ref other => (exact(other), size * 8, 0),
        };
        prefix_bits += bits;
        bytes.extend_from_slice(&(value << left).to_be_bytes()[16 - size as usize..]);
    }
    [&u32::to_ne_bytes(prefix_bits), bytes.as_slice()].concat()
}

/// The fields of a trie's key.
pub(super) fn trie_fields(table: &Table, order: &[(usize, u32)], key: &[u8]) -> Vec<KeyValue> {
    let mut prefix_bits = get(key, 0, 4) as u32;
    let mut at = 4;
    let mut fields = vec![KeyValue::Exact(0); table.keys.len()];
    for &(i, size) in order {
        let part = &key[at..at + size as usize];
        let value = part.iter().fold(0u128, |v, b| v << 8 | u128::from(*b));
        fields[i] = if table.keys[i].kind == MatchKind::Lpm {
            let left = size * 8 - u32::from(table.keys[i].width);
            KeyValue::Lpm { value: value >> left, prefix: prefix_bits as u8 }
        } else {
            prefix_bits = prefix_bits.saturating_sub(size * 8);
            KeyValue::Exact(value)
        };
        at += size as usize;
    }
    fields
}

/// The fields of a linear table's entry, up to its data.
pub(super) fn linear_fields(
    table: &Table,
    fields: &[LinearField],
    data_at: u32,
    key: &[KeyValue],
) -> Vec<u8> {
    let mut bytes = vec![0; data_at as usize];
    for ((k, field), value) in table.keys.iter().zip(fields).zip(key) {
        let all = Type::Bits(k.width).mask();
        let (a, b) = match *value {
            KeyValue::Exact(v) | KeyValue::Optional(Some(v)) => (v, all),
            KeyValue::Lpm { value, prefix } => (value, prefix_mask(k.width, prefix)),
            KeyValue::Ternary { value, mask } => (value, mask),
            KeyValue::Range { low, high } => (low, high),
            KeyValue::Optional(None) => (0, 0),
        };
        put(&mut bytes, field.at, field.bytes, a);
        put(&mut bytes, field.at + field.bytes, field.bytes, b);
    }
    bytes
}

/// The key that stands in a linear table's entry.
pub(super) fn linear_key(table: &Table, fields: &[LinearField], bytes: &[u8]) -> Vec<KeyValue> {
    let one = |(key, field): (&Key, &LinearField)| {
        let value = get(bytes, field.at, field.bytes);
        let second = get(bytes, field.at + field.bytes, bytes_of(key.width));
        match key.kind {
            MatchKind::Exact => KeyValue::Exact(value),
            MatchKind::Lpm => KeyValue::Lpm { value, prefix: second.count_ones() as u8 },
            MatchKind::Ternary => KeyValue::Ternary { value, mask: second },
            MatchKind::Range => KeyValue::Range { low: value, high: second },
            MatchKind::Optional => KeyValue::Optional((second != 0).then_some(value)),
        }
    };
    table.keys.iter().zip(fields).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_ir::expr::Type;
    use pipeline_ir::{Action, Loc, Pipeline, Var, VarId, VarKind};
    use xdp_layout::{Layout, TableKind, key};

    /// A pipeline with one table of these keys and one action with parameters of these widths.
    fn pipeline(keys: &[(u8, MatchKind)], params: &[u8], slot_bits: Option<u8>) -> Pipeline {
        let at = Loc::default();
        let key = |(i, (width, kind)): (usize, &(u8, MatchKind))| Key {
            name: format!("k{i}"),
            width: *width,
            kind: *kind,
            at,
        };
        let var = |(i, width): (usize, &u8)| Var {
            name: format!("p{i}"),
            ty: Type::Bits(*width),
            kind: VarKind::Param(ActionId(0)),
            at,
        };
        let action =
            |name: &str, params, default_only| Action { name: name.into(), params, default_only, at };
        let ids = (0..params.len() as u32).map(VarId).collect();
        let table = Table {
            name: "t".into(),
            keys: keys.iter().enumerate().map(key).collect(),
            actions: vec![ActionId(0), ActionId(1)],
            default: ActionId(1),
            size: 8,
            counters: None,
            slot_bits,
            const_entries: Vec::new(),
            at,
        };
        Pipeline {
            vars: params.iter().enumerate().map(var).collect(),
            actions: vec![action("set", ids, false), action("none", Vec::new(), true)],
            tables: vec![table],
            ..Pipeline::default()
        }
    }

    const ADDRESS: u128 = 0x2001_0db8_0000_1111_2222_3333_4444_5555;

    #[test]
    fn data_come_back() {
        let p = pipeline(&[(24, MatchKind::Exact)], &[128, 16, 3, 48, 32], Some(14));
        let layout = &Layout::of(&p).tables[0].data;
        let args = [ADDRESS, 0xbeef, 5, 0x0102_0304_0506, 7];
        let bytes = data(layout, &p.tables[0], (ActionId(0), &args), Some(0x12_3456), 9);
        assert_eq!(slot_key(layout, &bytes), 0x12_3456);
        assert_eq!(action(layout, &p.tables[0], &bytes), Some((ActionId(0), args.to_vec())));
        assert_eq!(action(layout, &p.tables[0], &vec![0; bytes.len()]), None);
    }

    #[test]
    fn exact_keys_come_back() {
        let p =
            pipeline(&[(128, MatchKind::Exact), (8, MatchKind::Exact), (16, MatchKind::Exact)], &[], None);
        let TableKind::Exact { words, fields, .. } = &Layout::of(&p).tables[0].kind else { panic!("exact") };
        let values = [ADDRESS, 6, 80];
        assert_eq!(exact_values(fields, &key::words(fields, *words, &values)), values);
    }

    #[test]
    fn trie_keys_come_back() {
        for (width, prefix) in [(32u8, 24u8), (128, 61), (20, 11), (9, 0), (9, 9)] {
            let p = pipeline(&[(width, MatchKind::Lpm), (12, MatchKind::Exact)], &[], None);
            let TableKind::Lpm { order, key_bytes } = &Layout::of(&p).tables[0].kind else { panic!("lpm") };
            let value = ADDRESS & prefix_mask(width, prefix);
            let fields = [KeyValue::Lpm { value, prefix }, KeyValue::Exact(0xabc)];
            let bytes = trie_key(&p.tables[0], order, &fields);
            assert_eq!(bytes.len(), *key_bytes as usize);
            assert_eq!(bytes[..6], [&(16 + u32::from(prefix)).to_ne_bytes()[..], &[0x0a, 0xbc]].concat());
            assert_eq!(trie_fields(&p.tables[0], order, &bytes), fields);
        }
    }

    #[test]
    fn linear_keys_come_back() {
        use MatchKind::{Exact, Lpm, Optional, Range, Ternary};
        let p = pipeline(
            &[(32, Ternary), (16, Range), (128, Lpm), (8, Optional), (8, Optional), (4, Exact)],
            &[],
            None,
        );
        let TableKind::Linear { fields, data_at } = &Layout::of(&p).tables[0].kind else { panic!("linear") };
        let key = [
            KeyValue::Ternary { value: 0x0a00_0000, mask: 0xff00_ff00 },
            KeyValue::Range { low: 80, high: 443 },
            KeyValue::Lpm { value: ADDRESS & prefix_mask(128, 48), prefix: 48 },
            KeyValue::Optional(None),
            KeyValue::Optional(Some(0)),
            KeyValue::Exact(3),
        ];
        let bytes = linear_fields(&p.tables[0], fields, *data_at, &key);
        assert_eq!(linear_key(&p.tables[0], fields, &bytes), key);
    }
}
