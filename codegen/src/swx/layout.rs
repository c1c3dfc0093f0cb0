//! Headers as SWX holds them: fields of whole bytes, at most 64 bits each.

use pipeline_ir::{Field, FieldId, HeaderType};

/// A field of a struct: whole bytes, at most 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) name: String,
    /// From the struct's first bit.
    pub(super) offset: u32,
    pub(super) bits: u32,
}

/// Part of a pipeline's field: so many bits of a cell, from the low end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) cell: usize,
    pub(super) shift: u32,
    pub(super) bits: u32,
}

/// Bits rounded up to whole bytes.
pub(super) fn whole(bits: u32) -> u32 {
    bits.next_multiple_of(8).max(8)
}

/// The names and bits of the one or two fields that hold a number.
pub(super) fn limbs(name: &str, bits: u32) -> Vec<(String, u32)> {
    if bits <= 64 {
        vec![(name.to_owned(), whole(bits))]
    } else {
        vec![(format!("{name}_hi"), whole(bits - 64)), (format!("{name}_lo"), 64)]
    }
}

/// A header's cells: a field that has whole bytes is its own; others share one with their neighbours.
pub(super) fn cells(ty: &HeaderType) -> Vec<Cell> {
    let mut out: Vec<Cell> = Vec::new();
    let (mut group, mut start, mut at): (Vec<&Field>, u32, u32) = (Vec::new(), 0, 0);
    for field in &ty.fields {
        let width = u32::from(field.width);
        if group.is_empty() && width % 8 == 0 {
            let mut offset = at;
            for (name, bits) in limbs(&field.name, width) {
                out.push(Cell { name, offset, bits });
                offset += bits;
            }
        } else {
            if group.is_empty() {
                start = at;
            }
            group.push(field);
            if (at + width) % 8 == 0 {
                shared(&group, start, at + width, &mut out);
                group.clear();
            }
        }
        at += width;
    }
    out
}

/// The cells of fields that have no whole bytes of their own.
fn shared(group: &[&Field], start: u32, end: u32, out: &mut Vec<Cell>) {
    let mut name = group.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join("_");
    name.truncate(48);
    let taken = out.iter().filter(|c| c.name.starts_with(&name)).count();
    if taken > 0 {
        name = format!("{name}_{}", taken + 1);
    }
    let (mut offset, mut part) = (start, 0);
    while offset < end {
        let bits = (end - offset).min(64);
        let name = if end - start <= 64 { name.clone() } else { format!("{name}_part{part}") };
        out.push(Cell { name, offset, bits });
        offset += bits;
        part += 1;
    }
}

/// Where a range of bits lies, high parts first.
pub(super) fn parts(cells: &[Cell], offset: u32, width: u32) -> Vec<Part> {
    let end = offset + width;
    let mut out = Vec::new();
    for (i, cell) in cells.iter().enumerate() {
        let (from, to) = (offset.max(cell.offset), end.min(cell.offset + cell.bits));
        if from < to {
            out.push(Part { cell: i, shift: cell.offset + cell.bits - to, bits: to - from });
        }
    }
    out
}

/// Where a field lies.
pub(super) fn field(ty: &HeaderType, cells: &[Cell], field: FieldId) -> Vec<Part> {
    let width = ty.fields.get(field.index()).map_or(0, |f| u32::from(f.width));
    parts(cells, ty.offset(field), width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_ir::Loc;

    fn header(widths: &[u8]) -> HeaderType {
        let field = |(i, w): (usize, &u8)| Field { name: format!("f{i}"), width: *w, at: Loc::default() };
        let fields = widths.iter().enumerate().map(field).collect();
        HeaderType { name: "h".into(), fields, at: Loc::default() }
    }

    #[test]
    fn every_bit_of_every_field_has_one_place() {
        for widths in [
            &[4u8, 4, 8, 16, 1, 2, 13, 32][..],
            &[20, 3, 1, 8],
            &[128, 96, 8],
            &[4, 8, 20, 16, 128, 128],
            &[1, 127, 3, 61, 64, 4, 100, 24],
        ] {
            let ty = header(widths);
            let cells = cells(&ty);
            let mut at = 0;
            for cell in &cells {
                assert_eq!(cell.offset, at, "{widths:?}");
                assert!(cell.bits % 8 == 0 && cell.bits <= 64, "{widths:?}");
                at += cell.bits;
            }
            assert_eq!(at, ty.bits(), "{widths:?}");
            for (i, width) in widths.iter().enumerate() {
                let parts = field(&ty, &cells, FieldId(i as u32));
                assert_eq!(parts.iter().map(|p| p.bits).sum::<u32>(), u32::from(*width));
                let first = parts[0];
                let cell = &cells[first.cell];
                let start = cell.offset + cell.bits - first.shift - first.bits;
                assert_eq!(start, ty.offset(FieldId(i as u32)), "{widths:?}");
            }
            let mut names: Vec<&str> = cells.iter().map(|c| c.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), cells.len(), "{widths:?}");
        }
    }
}
