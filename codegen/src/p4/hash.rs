//! Hashes and checksums.

use p4::ast::{BinaryOp, Block, Expr as P4, Stmt as P4Stmt, Type as P4Type};
use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Place, Stmt};
use pipeline_ir::{FieldId, HeaderId, RingId, VarId};

use super::arch::Hashing;
use super::control::Ingress;
use super::expr::{header, meta, number, sized};
use super::worlds::{Known, Worlds};

impl Ingress<'_> {
    /// A header's checksum place that nothing can see.
    fn is_lost(place: Place, w: &Worlds) -> bool {
        matches!(place, Place::Field(h, _) if w.header(h) == Known::Invalid)
    }

    pub(super) fn crc32(&mut self, into: VarId, key: &Expr, data: &[Expr], w: &Worlds) -> Block {
        let list = std::iter::once(self.bits(key, 31, 0, w)).chain(data.iter().map(|e| self.s.sized(e, w)));
        let list = P4::list(list.collect::<Vec<_>>());
        let how = Hashing::Crc32(self.hashes(&list));
        match self.hashed(self.s.style.means.crc32, self.s.var(into), how, list) {
            Some(hashed) => vec![hashed],
            None => self.crc32_by_bits(into, key, data, w),
        }
    }

    /// The number of the object that hashes a list.
    fn hashes(&mut self, list: &P4) -> usize {
        if !self.s.style.arch.hashes_one_list() {
            return 0;
        }
        self.hashed_lists.iter().position(|known| known == list).unwrap_or_else(|| {
            self.hashed_lists.push(list.clone());
            self.hashed_lists.len() - 1
        })
    }

    /// By the architecture's own hash, where the target has it.
    fn hashed(&mut self, has: bool, into: P4, how: Hashing, data: P4) -> Option<P4Stmt> {
        let hashed = if has { self.s.style.arch.hash(into, how, data) } else { None };
        self.hashers.extend(hashed.is_some().then_some(how));
        hashed
    }

    pub(super) fn checksum(&mut self, place: Place, data: &[Expr], w: &Worlds) -> Block {
        if Self::is_lost(place, w) {
            return Vec::new();
        }
        if let (true, Place::Field(h, f)) = (self.s.style.means.sums_last, place) {
            return self.checksum_last((h, f), data, w);
        }
        let list = P4::list(self.pieces(data, w));
        match self.hashed(self.s.style.means.checksum, self.s.place(place), Hashing::Internet, list) {
            Some(hashed) => vec![hashed],
            None => self.sum_of_words(place, data, w),
        }
    }

    /// The checksum as the sum of the data's words.
    fn sum_of_words(&mut self, place: Place, data: &[Expr], w: &Worlds) -> Block {
        self.sums = true;
        let total: u32 = data.iter().map(|e| u32::from(e.ty.width())).sum();
        let words = (0..total / 16).filter_map(|word| {
            let word = P4::join(BinaryOp::Concat, self.piece(data, word * 16, 16, w))?;
            Some(word.cast(P4Type::bit(32)))
        });
        let Some(sum) = P4::join(BinaryOp::Add, words.collect::<Vec<_>>()) else { return Vec::new() };
        vec![P4Stmt::assign(self.s.place(place), P4::call("checksum_of", [sum]))]
    }

    /// CRC-32 where there is none: byte after byte, bit after bit.
    fn crc32_by_bits(&mut self, into: VarId, key: &Expr, data: &[Expr], w: &Worlds) -> Block {
        self.crcs = true;
        let crc = self.field("crc", P4Type::bit(32), false);
        let mut out = vec![P4Stmt::assign(crc.clone(), P4::sized_hex(32, u128::from(u32::MAX)))];
        let total: u32 = data.iter().map(|e| u32::from(e.ty.width())).sum();
        let seed = (0..4u8).rev().map(|byte| vec![self.bits(key, byte * 8 + 7, byte * 8, w)]);
        let bytes = (0..total / 8).map(|byte| self.piece(data, byte * 8, 8, w));
        for byte in seed.chain(bytes) {
            let byte = P4::join(BinaryOp::Concat, byte);
            out.extend(byte.map(|byte| P4Stmt::call(P4::call("crc_byte", [byte]))));
        }
        out.push(P4Stmt::assign(self.s.var(into), crc.complement()));
        out
    }

    /// The number of a ring's slot.
    pub(super) fn slot(&mut self, ring: RingId, slot: P4, hash: &Expr, w: &Worlds) -> Block {
        let r = &self.s.p.rings[ring.index()];
        if r.slots.is_power_of_two() {
            let top = r.slots.ilog2().max(1) - 1;
            return vec![P4Stmt::assign(slot, self.s.sized(hash, w).slice(top, 0u32))];
        }
        let list = P4::list([self.s.sized(hash, w)]);
        let (modulo, bits) = (self.s.style.means.modulo, super::info::slot_width(r));
        let how = Hashing::Remainder { by: r.slots, bits };
        if let Some(hashed) = self.hashed(modulo, slot.clone(), how, list) {
            return vec![hashed];
        }
        let rest = self.field(&format!("{}_rest", r.name), P4Type::bit(32), false);
        let value = self.s.cast(hash, pipeline_ir::expr::Type::Bits(32), w);
        let (first, multiples) = if r.slots == 65_537 {
            // 2^16 is -1 there: the low half less the high half.
            let half = |hi: u32, lo: u32| value.clone().slice(hi, lo).cast(P4Type::bit(32));
            (half(15, 0).plus(r.slots).minus(half(31, 16)), 1)
        } else {
            (value, r.slots.leading_zeros() + 1)
        };
        let mut out = vec![P4Stmt::assign(rest.clone(), first)];
        for shift in (0..multiples).rev() {
            let multiple = r.slots << shift;
            let multiple = number(u128::from(multiple));
            let less = P4Stmt::assign(rest.clone(), rest.clone().minus(multiple.clone()));
            out.push(P4Stmt::if_(rest.clone().greater_equal(multiple), [less]));
        }
        out.push(P4Stmt::assign(slot, rest.cast(P4Type::bit(super::info::slot_width(r)))));
        out
    }

    /// The data of a checksum: a valid header that is there whole by its own name.
    fn pieces(&self, data: &[Expr], w: &Worlds) -> Vec<P4> {
        let mut out = Vec::new();
        let mut rest = data;
        while let Some((first, after)) = rest.split_first() {
            match self.whole(rest, w) {
                Some((h, fields)) => {
                    out.push(header(self.s.names, h));
                    rest = &rest[fields..];
                }
                None => {
                    out.push(self.s.sized(first, w));
                    rest = after;
                }
            }
        }
        out
    }

    /// The valid header whose fields the data begin with, all of them in order, and how many they are.
    fn whole(&self, data: &[Expr], w: &Worlds) -> Option<(HeaderId, usize)> {
        let ExprKind::Field(h, FieldId(0)) = data.first()?.kind else { return None };
        let fields = self.s.p.header_type(h).fields.len();
        let is =
            |(i, e): (usize, &Expr)| matches!(e.kind, ExprKind::Field(of, f) if of == h && f.index() == i);
        let all = data.len() >= fields && data[..fields].iter().enumerate().all(is);
        (all && w.header(h) == Known::Valid).then_some((h, fields))
    }

    pub(super) fn adjust(&mut self, s: &Stmt, place: Place, old: &Expr, new: &Expr, w: &Worlds) -> Block {
        if Self::is_lost(place, w) {
            return Vec::new();
        }
        if let (true, Place::Field(h, f)) = (self.s.style.means.sums_last, place) {
            return self.adjust_last(s, (h, f), old, new, w);
        }
        self.adjusts = true;
        // One sum for all words: p4c puts the helper's body in place of each call, and a chain of them would grow without
        // bound. The folded sum is that of one word after the other, for both are 0 only if every word is.
        let words = (old.ty.width() / 16).max(1);
        let wide = P4Type::bit(32);
        let terms = (0..words).rev().flat_map(|word| {
            let (hi, lo) = (word * 16 + 15, word * 16);
            [self.bits(old, hi, lo, w).complement(), self.bits(new, hi, lo, w)]
        });
        let sum = terms.map(|term| term.cast(wide.clone())).reduce(|a, b| a.binary(BinaryOp::Add, b));
        let Some(change) = sum else { return Vec::new() };
        vec![P4Stmt::call(P4::call("adjust", [self.s.place(place), change]))]
    }

    /// Bits `hi` down to `lo` of a value.
    fn bits(&self, e: &Expr, hi: u8, lo: u8, w: &Worlds) -> P4 {
        let (width, whole) = (hi - lo + 1, e.ty.width() == hi + 1 && lo == 0);
        match e.kind {
            ExprKind::Const(value) => sized(width, value >> lo & (u128::MAX >> (128 - u32::from(width)))),
            _ if whole => self.s.sized(e, w),
            _ if e.ty.width() <= hi => self.s.sized(e, w).cast(P4Type::bit(u32::from(width))),
            _ => self.s.sized(e, w).slice(u32::from(hi), u32::from(lo)),
        }
    }

    /// HalfSipHash-1-3: word by word, the last one with the length in its highest byte.
    pub(super) fn half_sip_hash(&mut self, into: VarId, key: &Expr, data: &[Expr], w: &Worlds) -> Block {
        self.sips = true;
        for name in ["sip0", "sip1", "sip2", "sip3"] {
            self.field(name, P4Type::bit(32), false);
        }
        let key = self.s.cast(key, pipeline_ir::expr::Type::Bits(64), w);
        let mut out = vec![P4Stmt::call(P4::call("sip_start", [key]))];
        let total: u32 = data.iter().map(|e| u32::from(e.ty.width())).sum();
        let mut at = 0;
        while at + 32 <= total {
            out.extend(self.sip_word(self.piece(data, at, 32, w)));
            at += 32;
        }
        let mut last = self.piece(data, at, total - at, w);
        if total - at < 24 {
            last.push(P4::sized(24 - (total - at), 0));
        }
        last.push(P4::sized(8, u128::from(total / 8 % 256)));
        out.extend(self.sip_word(last));
        out.push(P4Stmt::call(P4::call0("sip_finish")));
        out.push(P4Stmt::assign(self.s.var(into), meta("sip1").bit_xor(meta("sip3"))));
        out
    }

    fn sip_word(&self, pieces: Vec<P4>) -> Option<P4Stmt> {
        let word = P4::join(p4::ast::BinaryOp::Concat, pieces)?;
        Some(P4Stmt::call(P4::call("sip_word", [word])))
    }

    /// `width` bits of the data, from bit `start` on, counted from the first.
    fn piece(&self, data: &[Expr], start: u32, width: u32, w: &Worlds) -> Vec<P4> {
        let end = start + width;
        let mut pieces = Vec::new();
        let mut at = 0;
        for e in data {
            let here = u32::from(e.ty.width());
            let (from, to) = (start.max(at), end.min(at + here));
            if from < to {
                // At most 128, since an expression has no more bits.
                let hi = (at + here - from - 1) as u8;
                let lo = (at + here - to) as u8;
                pieces.push(self.bits(e, hi, lo, w));
            }
            at += here;
        }
        pieces
    }
}
