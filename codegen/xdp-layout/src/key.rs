//! Keys as words.

use crate::bytes_of;
use pipeline_ir::Table;

/// A field in an exact key.
///
/// The key is one number: the fields concatenated, the first in the highest bits, below a 1 bit that says "used";
/// words are its 64-bit digits, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct FieldPlace {
    pub width: u8,
    /// Bits below it.
    pub shift: u32,
}

/// A field in a linear table's entry: two numbers of `bytes` bytes each at `at` and `at + bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct LinearField {
    pub at: u32,
    pub bytes: u32,
    /// Low and high; else value and mask.
    pub range: bool,
}

pub(crate) fn exact_fields(table: &Table) -> (usize, Vec<FieldPlace>) {
    let bits: u32 = table.keys.iter().map(|k| u32::from(k.width)).sum();
    let mut shift = bits;
    let mut fields = Vec::new();
    for key in &table.keys {
        shift -= u32::from(key.width);
        fields.push(FieldPlace { width: key.width, shift });
    }
    ((bits + 1).div_ceil(64) as usize, fields)
}

pub(crate) fn linear_fields(table: &Table) -> (Vec<LinearField>, u32) {
    let mut at = 0;
    let mut fields = Vec::new();
    let mut keys: Vec<_> = table.keys.iter().enumerate().collect();
    keys.sort_by_key(|(i, k)| (std::cmp::Reverse(bytes_of(k.width)), *i));
    for (i, key) in keys {
        let bytes = bytes_of(key.width);
        let range = key.kind == pipeline_ir::MatchKind::Range;
        fields.push((i, LinearField { at, bytes, range }));
        at += 2 * bytes;
    }
    fields.sort_by_key(|(i, _)| *i);
    (fields.into_iter().map(|(_, f)| f).collect(), at.next_multiple_of(8))
}

/// The words of an exact key with these values.
#[must_use]
pub fn words(fields: &[FieldPlace], count: usize, values: &[u128]) -> Vec<u64> {
    let mut words = vec![0u64; count];
    let bits: u32 = fields.iter().map(|f| u32::from(f.width)).sum();
    let mut put = |value: u128, shift: u32| {
        for (i, word) in words.iter_mut().enumerate() {
            let low = 64 * i as u32;
            *word |= if shift >= low {
                if shift - low < 64 { (value << (shift - low)) as u64 } else { 0 }
            } else if low - shift < 128 {
                (value >> (low - shift)) as u64
            } else {
                0
            };
        }
    };
    for (field, value) in fields.iter().zip(values) {
        put(*value, field.shift);
    }
    put(1, bits);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cross_words() {
        let fields = [
            FieldPlace { width: 128, shift: 24 },
            FieldPlace { width: 8, shift: 16 },
            FieldPlace { width: 16, shift: 0 },
        ];
        let value = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff;
        assert_eq!(
            words(&fields, 3, &[value, 6, 80]),
            [0xbbcc_ddee_ff06_0050, 0x3344_5566_7788_99aa, 0x0100_1122]
        );
    }
}
