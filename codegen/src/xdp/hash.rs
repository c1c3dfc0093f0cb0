//! Hashes and checksums: their data cut into chunks.

use super::Emitter;
use super::expr::{c_type, number};
use crate::text::Text;
use pipeline_ir::expr::{Expr, Type};
use pipeline_ir::stmt::{HashAlgorithm, StmtKind, walk};
use xdp_layout::fold::Fold;

impl Emitter<'_> {
    /// Position tables that the program's CRCs need, if it has any.
    pub(super) fn crc_positions(&self) -> Option<usize> {
        let mut most = None;
        walk(&self.p.control, &mut |stmt| {
            if let StmtKind::Hash { algorithm: HashAlgorithm::Crc32, key, data, .. } = &stmt.kind {
                most = most.max(Some(bits(std::iter::once(key).chain(data)) / 8));
            }
        });
        most
    }

    pub(super) fn hash(
        &self,
        t: &mut Text,
        into: &str,
        algorithm: HashAlgorithm,
        (key, data): (&Expr, &[Expr]),
        fold: Option<&Fold>,
    ) {
        match algorithm {
            HashAlgorithm::Crc32 => {
                let all: Vec<&Expr> = std::iter::once(key).chain(data).collect();
                let bytes = bits(all.iter().copied()) / 8;
                let zeros = xdp_layout::crc32_of_zeros(bytes);
                t.line(format!("// CRC-32 of {bytes} bytes: that of zeros, then what each byte adds"));
                match fold {
                    Some(_) => t.line(format!(
                        "{into} = {zeros:#010x} ^ folded; // with what the table's entry fixes"
                    )),
                    None => t.line(format!("{into} = {zeros:#010x};")),
                }
                let mut after = bytes;
                let mut rest = &all[..];
                while !rest.is_empty() {
                    let (run, others) = whole_bytes(rest);
                    after -= bits(run.iter().copied()) / 8;
                    if !fold.is_some_and(|f| f.inputs[all.len() - rest.len()]) {
                        self.crc_part(t, into, after, run);
                    }
                    rest = others;
                }
            }
            HashAlgorithm::HalfSipHash => {
                let all: Vec<&Expr> = data.iter().collect();
                let bytes = bits(all.iter().copied()) / 8;
                t.open("{");
                t.line(format!("struct halfsiphash s = halfsiphash_start({});", self.expr(key)));
                let words = self.chunks(&all, 32);
                let (whole, rest) = words.split_at(bytes / 4);
                for word in whole {
                    t.line(format!("halfsiphash_word(&s, {word});"));
                }
                // The last word: what is left, and the length in its last byte.
                let last = match rest.first() {
                    Some(word) => format!("({word}) | {bytes}"),
                    None => bytes.to_string(),
                };
                t.line(format!("halfsiphash_word(&s, {last});"));
                t.line(format!("{into} = halfsiphash_end(&s);"));
                t.close("}");
            }
        }
    }

    /// What some data add that have so many bytes after them.
    fn crc_part(&self, t: &mut Text, into: &str, after: usize, run: &[&Expr]) {
        let [e] = *run else {
            for (i, byte) in self.chunks(run, 8).iter().rev().enumerate() {
                t.line(format!("{into} ^= CRC32_8({}, {byte});", after + i));
            }
            return;
        };
        let width = e.ty.width();
        let x = self.expr(e);
        match width {
            8 | 16 | 32 | 64 | 128 => t.line(format!("{into} ^= CRC32_{width}({after}, {x});")),
            _ => {
                for byte in 0..usize::from(width) / 8 {
                    t.line(format!(
                        "{into} ^= CRC32_8({}, {} >> {});",
                        after + byte,
                        self.typed_operand(e),
                        byte * 8
                    ));
                }
            }
        }
    }

    /// The Internet checksum of the data.
    pub(super) fn checksum(&self, t: &mut Text, data: &[Expr]) -> String {
        let all: Vec<&Expr> = data.iter().collect();
        t.line("u32 sum = 0;");
        for word in self.chunks(&all, 16) {
            t.line(format!("sum += {word};"));
        }
        "~fold(sum)".into()
    }

    /// The data concatenated and cut into numbers of `size` bits (8, 16 or 32), the last filled with zeros at its end.
    pub(super) fn chunks(&self, data: &[&Expr], size: usize) -> Vec<String> {
        let total = bits(data.iter().copied());
        let ty = c_type(Type::Bits(size as u8));
        (0..total.div_ceil(size))
            .map(|chunk| {
                let (from, to) = (chunk * size, (chunk + 1) * size);
                let mut start = 0;
                let mut parts = Vec::new();
                for e in data {
                    let width = usize::from(e.ty.width());
                    let (a, b) = (start.max(from), (start + width).min(to));
                    if a < b {
                        parts.push(self.piece(e, start + width - b, b - a, to - b, ty));
                    }
                    start += width;
                }
                parts.retain(|p| p != "0");
                if parts.is_empty() { "0".into() } else { parts.join(" | ") }
            })
            .collect()
    }

    /// `count` bits of `e` from bit `low` on, moved `up`.
    fn piece(&self, e: &Expr, low: usize, count: usize, up: usize, ty: &str) -> String {
        if let pipeline_ir::expr::ExprKind::Const(value) = e.kind {
            let part = value.checked_shr(low as u32).unwrap_or(0) & ((1 << count) - 1);
            return number(part << up);
        }
        let x = self.operand(e);
        let down = if low == 0 { x } else { format!("({x} >> {low})") };
        let whole = low + count == usize::from(e.ty.width());
        let cut = if whole {
            format!("({ty}){down}")
        } else {
            format!("({ty})({down} & {:#x})", (1u64 << count) - 1)
        };
        let small = c_type(Type::Bits(count as u8)) == ty && whole && low == 0;
        let cut = if small { self.operand(e) } else { cut };
        if up == 0 { cut } else { format!("{cut} << {up}") }
    }
}

/// The first data that are whole bytes together, and the others.
fn whole_bytes<'a, 'b>(data: &'a [&'b Expr]) -> (&'a [&'b Expr], &'a [&'b Expr]) {
    let ends = (1..data.len()).find(|n| bits(data[..*n].iter().copied()).is_multiple_of(8));
    data.split_at(ends.unwrap_or(data.len()))
}

fn bits<'a>(data: impl Iterator<Item = &'a Expr>) -> usize {
    data.map(|e| usize::from(e.ty.width())).sum()
}
