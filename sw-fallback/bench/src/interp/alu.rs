//! Arithmetic and comparisons, as `Documentation/bpf/standardization/instruction-set.rst` of Linux says.

/// The result of an operation on `width` bits (32 or 64), zero-extended; none for an opcode of a later instruction set.
pub(super) fn operate(opcode: u8, width: u32, a: u64, b: u64) -> Option<u64> {
    let mask = u64::MAX >> (64 - width);
    let (a, b) = (a & mask, b & mask);
    let shift = b as u32 & (width - 1);
    let value = match opcode >> 4 {
        0x0 => a.wrapping_add(b),
        0x1 => a.wrapping_sub(b),
        0x2 => a.wrapping_mul(b),
        0x3 => a.checked_div(b).unwrap_or(0),
        0x4 => a | b,
        0x5 => a & b,
        0x6 => a << shift,
        0x7 => a >> shift,
        0x8 => a.wrapping_neg(),
        0x9 => a.checked_rem(b).unwrap_or(a),
        0xa => a ^ b,
        0xb => b,
        0xc => (sign(a, width) >> shift).cast_unsigned(),
        _ => return None,
    };
    Some(value & mask)
}

fn sign(value: u64, width: u32) -> i64 {
    (value << (64 - width)).cast_signed() >> (64 - width)
}

/// Byte order: the low 16, 32 or 64 bits, turned round if `big`.
pub(super) fn order(value: u64, bits: i64, big: bool) -> Option<u64> {
    Some(match (bits, big) {
        (16, true) => u64::from((value as u16).swap_bytes()),
        (32, true) => u64::from((value as u32).swap_bytes()),
        (64, true) => value.swap_bytes(),
        (16, false) => u64::from(value as u16),
        (32, false) => u64::from(value as u32),
        (64, false) => value,
        _ => return None,
    })
}

/// Is a conditional jump taken?
pub(super) fn holds(opcode: u8, width: u32, a: u64, b: u64) -> Option<bool> {
    let mask = u64::MAX >> (64 - width);
    let (a, b) = (a & mask, b & mask);
    let (x, y) = (sign(a, width), sign(b, width));
    Some(match opcode >> 4 {
        0x1 => a == b,
        0x2 => a > b,
        0x3 => a >= b,
        0x4 => a & b != 0,
        0x5 => a != b,
        0x6 => x > y,
        0x7 => x >= y,
        0xa => a < b,
        0xb => a <= b,
        0xc => x < y,
        0xd => x <= y,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_wrap_and_extend_as_the_standard_says() {
        let cases: &[(u8, u32, u64, u64, u64)] = &[
            (0x00, 32, 0xffff_ffff, 1, 0),
            (0x00, 64, u64::MAX, 2, 1),
            (0x10, 32, 0, 1, 0xffff_ffff),
            (0x20, 32, 0x1_0001, 0x1_0001, 0x2_0001),
            (0x30, 64, 7, 0, 0),
            (0x90, 64, 7, 0, 7),
            (0x60, 32, 1, 33, 2),
            (0x70, 64, 1 << 63, 63, 1),
            (0x80, 32, 1, 0, 0xffff_ffff),
            (0xb0, 32, 0, u64::MAX, 0xffff_ffff),
            (0xc0, 32, 0x8000_0000, 4, 0xf800_0000),
            (0xc0, 64, 1 << 63, 63, u64::MAX),
        ];
        for (opcode, width, a, b, result) in cases {
            assert_eq!(operate(*opcode, *width, *a, *b), Some(*result), "{opcode:#x} {width} {a:#x} {b:#x}");
        }
        assert_eq!(operate(0xd0, 64, 1, 1), None);
    }

    #[test]
    fn comparisons_know_signs() {
        let minus = u64::MAX;
        let cases: &[(u8, u32, u64, u64, bool)] = &[
            (0x10, 32, 1 << 32, 0, true),
            (0x10, 64, 1 << 32, 0, false),
            (0x20, 64, minus, 1, true),
            (0x60, 64, minus, 1, false),
            (0xc0, 32, 0xffff_ffff, 0, true),
            (0xd0, 64, 5, 5, true),
            (0x40, 64, 6, 1, false),
        ];
        for (opcode, width, a, b, result) in cases {
            assert_eq!(holds(*opcode, *width, *a, *b), Some(*result), "{opcode:#x} {width} {a:#x} {b:#x}");
        }
    }

    #[test]
    fn byte_orders() {
        assert_eq!(order(0x1234_5678_9abc_def0, 16, true), Some(0xf0de));
        assert_eq!(order(0x1234_5678_9abc_def0, 32, true), Some(0xf0de_bc9a));
        assert_eq!(order(0x1234_5678_9abc_def0, 32, false), Some(0x9abc_def0));
        assert_eq!(order(1, 64, true), Some(1 << 56));
        assert_eq!(order(1, 8, true), None);
    }
}
