//! Checksums where the deparser sums: the control keeps aside what they change by.
//!
//! ```p4
//! meta.ip4_checksum_changes = true;
//! meta.ip4_checksum_was = ~h.ip4.checksum;
//! meta.ip4_checksum_old0 = ~old;      // RFC 1624, equation 3; words that no way wrote are 0
//! meta.ip4_checksum_new0 = new;
//! ```
//!
//! Where only a part of a word changes, only that part is written: the rest of both words begins as what sums to nothing.
//!
//! ```p4
//! meta.ip4_checksum_old0 = 65280;     // in the parser: ones for the part, zeros for the rest
//! meta.ip4_checksum_new0 = 255;       // zeros for the part, ones for the rest
//! meta.ip4_checksum_old0[15:8] = ~h.ip4.ttl;
//! meta.ip4_checksum_new0[15:8] = ttl;
//! ```

use std::collections::{BTreeMap, BTreeSet};

use p4::ast::{Annotation, Block, Expr as P4, Stmt as P4Stmt, Type as P4Type};
use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Place, Stmt, StmtKind, walk};
use pipeline_ir::{FieldId, HeaderId, Pipeline};

use super::arch::Sum;
use super::control::Ingress;
use super::plan::At;
use super::same;
use super::worlds::{self, Worlds};
use crate::steps::change::Change;

/// A checksum's field.
pub(super) type Sums = (HeaderId, FieldId);

/// Which words a change is kept in: those of ways that exclude each other are the same, and those of headers that do.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// For each place the one whose words it shares.
    shared: BTreeMap<Sums, Sums>,
    of: BTreeMap<At, u32>,
    /// Bits of the words with a number.
    bits: BTreeMap<(Sums, u32), u32>,
    /// Of a checksum's data, what is the same number or field on all ways: the deparser sums it as it stands.
    plain: BTreeMap<Sums, Vec<bool>>,
    /// What changes of them, on some way.
    parts: BTreeMap<(Sums, u32), BTreeSet<Part>>,
}

/// What changes of a word: its bits, the highest and the lowest of those that change.
type Part = (u32, (u32, u32));

/// What changes where an old value gives way to a new one.
fn part(old: &Expr, new: &Expr) -> Part {
    let bits = u32::from(old.ty.width());
    (bits, Change::of(old, new).map_or((bits - 1, 0), |c| c.bits()))
}

/// Ones in some bits.
fn ones((high, low): (u32, u32)) -> u128 {
    ((1u128 << (high - low + 1)) - 1) << low
}

impl Words {
    pub(super) fn new(p: &Pipeline) -> Self {
        let mut words = Self::default();
        words.share(p);
        words.block(&p.control, &mut BTreeMap::new());
        words.data(p);
        words
    }

    fn data(&mut self, p: &Pipeline) {
        let mut first: BTreeMap<Sums, &[Expr]> = BTreeMap::new();
        walk(&p.control, &mut |s| {
            let StmtKind::Checksum { place: Place::Field(h, f), data } = &s.kind else { return };
            let first = *first.entry((*h, *f)).or_insert(data);
            let stands = |e: &Expr| matches!(e.kind, ExprKind::Const(_) | ExprKind::Field(..));
            let plain = self.plain.entry((*h, *f)).or_insert_with(|| data.iter().map(stands).collect());
            for (i, plain) in plain.iter_mut().enumerate() {
                *plain &= first.get(i).zip(data.get(i)).is_some_and(|(a, b)| same::exprs(a, b));
            }
        });
    }

    fn share(&mut self, p: &Pipeline) {
        let (_, start) = worlds::parser(p);
        let (mut places, mut pushed) = (Vec::new(), Vec::new());
        walk(&p.control, &mut |s| match &s.kind {
            StmtKind::Adjust { place: Place::Field(h, f), .. } => places.push((*h, *f)),
            StmtKind::Push(h) => pushed.push(*h),
            _ => {}
        });
        let mut groups: Vec<Vec<Sums>> = Vec::new();
        for place in places {
            if self.shared.contains_key(&place) {
                continue;
            }
            let apart = |other: &Sums| {
                !pushed.contains(&place.0) && !pushed.contains(&other.0) && !start.together(place.0, other.0)
            };
            let at = groups.iter().position(|group| group.iter().all(apart)).unwrap_or(groups.len());
            if at == groups.len() {
                groups.push(Vec::new());
            }
            groups[at].push(place);
            self.shared.insert(place, groups[at][0]);
        }
    }

    fn block(&mut self, block: &[Stmt], next: &mut BTreeMap<Sums, u32>) {
        for s in block {
            if let StmtKind::Adjust { place: Place::Field(h, f), old, new } = &s.kind {
                let shared = self.shared.get(&(*h, *f)).copied().unwrap_or((*h, *f));
                let number = next.entry(shared).or_insert(0);
                self.of.insert(s as At, *number);
                let bits = self.bits.entry((shared, *number)).or_insert(0);
                *bits = (*bits).max(u32::from(old.ty.width()));
                self.parts.entry((shared, *number)).or_default().insert(part(old, new));
                *number += 1;
            }
            let before = next.clone();
            for inner in s.kind.blocks() {
                let mut own = before.clone();
                self.block(inner, &mut own);
                // Nothing comes after a verdict.
                if inner.last().is_some_and(|s| matches!(s.kind, StmtKind::Verdict(_))) {
                    continue;
                }
                for (sum, number) in own {
                    let most = next.entry(sum).or_insert(0);
                    *most = number.max(*most);
                }
            }
        }
    }
}

impl Words {
    /// The part of the words with a number that every way changes, if it is not all of them.
    fn part(&self, sum: Sums, number: u32) -> Option<(u32, u32)> {
        let mut parts = self.parts.get(&(sum, number))?.iter();
        let (bits, (high, low)) = *parts.next()?;
        (parts.next().is_none() && high - low + 1 < bits).then_some((high, low))
    }
}

/// Names of the metadata that a checksum takes, with what each is for.
pub(super) fn names(p: &Pipeline) -> Vec<String> {
    let mut found = Vec::new();
    walk(&p.control, &mut |s| {
        if let StmtKind::Adjust { place: Place::Field(h, f), .. }
        | StmtKind::Checksum { place: Place::Field(h, f), .. } = &s.kind
        {
            let base = base(p, (*h, *f));
            let numbered = (0..8).flat_map(|n| [format!("{base}_old{n}"), format!("{base}_new{n}")]);
            let data = (0..32).map(|n| format!("{base}_data{n}"));
            found.extend(
                data.chain(numbered).chain(["changes", "was", "whole"].map(|e| format!("{base}_{e}"))),
            );
        }
    });
    found
}

/// `ip4_checksum`
fn base(p: &Pipeline, (h, f): Sums) -> String {
    format!("{}_{}", p.headers[h.index()].name, p.field(h, f).name)
}

impl Ingress<'_> {
    pub(super) fn adjust_last(&mut self, s: &Stmt, sum: Sums, old: &Expr, new: &Expr, w: &Worlds) -> Block {
        let own = base(self.s.p, sum);
        let number = self.words.of.get(&(s as At)).copied().unwrap_or(0);
        let shared = self.words.shared.get(&sum).copied().unwrap_or(sum);
        let bits = self.words.bits.get(&(shared, number)).copied().unwrap_or(16);
        let whole = u32::from(old.ty.width());
        let base = base(self.s.p, shared);
        let changes = self.field(&format!("{own}_changes"), P4Type::Bool, false);
        let was = self.field(&format!("{base}_was"), P4Type::bit(16), false);
        let mut out =
            vec![P4Stmt::assign(changes, true), P4Stmt::assign(was, self.s.field(sum.0, sum.1).complement())];
        let change = Change::of(old, new);
        let pieces = change.as_ref().and_then(|c| Some((c.pieces()?, c.bits())));
        let ((old, new), (high, low)) = pieces.unwrap_or_else(|| ((old.clone(), new.clone()), (bits - 1, 0)));
        let wide = |e: P4, of: &Expr| match change.is_some() || u32::from(of.ty.width()) == bits {
            true => e,
            false => e.cast(P4Type::bit(bits)),
        };
        // A number's complement is a number.
        let complement = match &old.kind {
            ExprKind::Const(value) => P4::sized(u32::from(old.ty.width()), !value & old.ty.mask()),
            _ => self.s.sized(&old, w).complement(),
        };
        let new_value = self.s.sized(&new, w);
        let [was, is] = ["old", "new"]
            .map(|which| self.field(&format!("{base}_{which}{number}"), P4Type::bit(bits), false));
        let at = |word: &P4, (high, low): (u32, u32)| match high - low + 1 == bits {
            true => word.clone(),
            false => word.clone().slice(high, low),
        };
        out.push(P4Stmt::assign(at(&was, (high, low)), wide(complement, &old)));
        out.push(P4Stmt::assign(at(&is, (high, low)), wide(new_value, &new)));
        if change.is_some() && self.words.part(shared, number).is_none() {
            let above = (high + 1 < whole).then(|| (whole - 1, high + 1));
            let below = (low > 0).then(|| (low - 1, 0));
            let rest = above.into_iter().chain(below);
            out.extend(rest.map(|bits| P4Stmt::assign(at(&is, bits), P4::int(ones(bits) >> bits.1))));
        }
        out
    }

    /// What a field of metadata begins as, if it is not nothing.
    pub(super) fn begins(&self, name: &str) -> Option<u128> {
        let mut words = self.words.bits.iter().flat_map(|((sum, number), bits)| {
            let base = base(self.s.p, *sum);
            let part = self.words.part(*sum, *number).map(ones);
            let whole = ones((bits - 1, 0));
            ["old", "new"].map(|which| {
                let begins = part.map(|part| if which == "old" { part } else { whole ^ part });
                (format!("{base}_{which}{number}"), begins)
            })
        });
        words.find(|(word, _)| word == name)?.1
    }

    /// Words that lie in one piece: what is wide, and what is complemented whole, since a container takes the complement of one
    /// value only.
    pub(super) fn whole_words(&self) -> Vec<Annotation> {
        let whole = |name: String, bits| self.s.style.arch.whole(&name, bits);
        let shared: BTreeSet<&Sums> = self.words.bits.keys().map(|(sum, _)| sum).collect();
        let was = shared.into_iter().map(|sum| whole(format!("{}_was", base(self.s.p, *sum)), 16));
        let wide = self.words.bits.iter().filter(|(_, bits)| **bits > 16);
        let words = wide.flat_map(|((sum, n), bits)| {
            let base = base(self.s.p, *sum);
            ["old", "new"].map(|which| whole(format!("{base}_{which}{n}"), *bits))
        });
        was.chain(words).flatten().collect()
    }

    /// The checksum of data that nothing changes any more.
    pub(super) fn checksum_last(&mut self, sum: Sums, data: &[Expr], w: &Worlds) -> Block {
        let base = base(self.s.p, sum);
        let mut out = Vec::new();
        if !self.shows(sum) {
            let whole = self.field(&format!("{base}_whole"), P4Type::Bool, false);
            out.push(P4Stmt::assign(whole, true));
        }
        let plain = self.words.plain.get(&sum).cloned().unwrap_or_default();
        let mut words = Vec::new();
        for (i, e) in data.iter().enumerate() {
            let value = self.s.sized(e, w);
            if plain.get(i) == Some(&true) {
                words.push(value);
                continue;
            }
            let kept = self.field(&format!("{base}_data{i}"), super::plan::ty(e.ty), false);
            out.push(P4Stmt::assign(kept.clone(), value));
            words.push(kept);
        }
        self.whole.entry(sum).or_insert(words);
        out
    }

    /// Is a checksum due whenever its header is there? Only where it is summed does the header come to be.
    fn shows(&self, (header, field): Sums) -> bool {
        let (_, start) = worlds::parser(self.s.p);
        let sums = |s: &Stmt| matches!(s.kind, StmtKind::Checksum { place: Place::Field(h, f), .. } if (h, f) == (header, field));
        start.header(header) == worlds::Known::Invalid && sums_where_pushed(&self.s.p.control, header, &sums)
    }

    /// The fields whose checksum the deparser puts in place on some ways only.
    pub(super) fn summed(&self) -> Vec<String> {
        let asked = self.whole.keys().filter(|sum| !self.shows(**sum));
        let name = |(h, f): &Sums| {
            let header = &self.s.p.headers[h.index()];
            let field = &self.s.names.fields[header.ty.index()][f.index()];
            format!("h.{}.{field}", self.s.names.headers[h.index()])
        };
        self.words.shared.keys().chain(asked).map(name).collect()
    }

    /// What the control tells the deparser of each sum.
    pub(super) fn flags(&self) -> BTreeSet<String> {
        let changes = self.words.shared.keys().map(|sum| (sum, "changes"));
        let whole = self.whole.keys().map(|sum| (sum, "whole"));
        changes.chain(whole).map(|(sum, end)| format!("{}_{end}", base(self.s.p, *sum))).collect()
    }

    /// What the deparser sums.
    pub(super) fn sums(&self) -> Vec<Sum> {
        let sum = |(sum, shared): (&Sums, &Sums)| {
            let (own, base) = (base(self.s.p, *sum), base(self.s.p, *shared));
            let meta = |end: &str| super::expr::meta(&format!("{base}_{end}"));
            let numbers = self.words.bits.keys().filter(|(of, _)| of == shared).map(|(_, n)| *n);
            let words = numbers.flat_map(|n| [meta(&format!("old{n}")), meta(&format!("new{n}"))]);
            Sum {
                name: format!("{own}_sum"),
                changes: super::expr::meta(&format!("{own}_changes")),
                place: self.s.field(sum.0, sum.1),
                words: std::iter::once(meta("was")).chain(words).collect(),
            }
        };
        let whole = self.whole.iter().map(|(sum, words)| {
            let base = base(self.s.p, *sum);
            Sum {
                name: format!("{base}_of"),
                changes: match self.shows(*sum) {
                    true => super::expr::header(self.s.names, sum.0).is_valid(),
                    false => super::expr::meta(&format!("{base}_whole")),
                },
                place: self.s.field(sum.0, sum.1),
                words: words.clone(),
            }
        });
        self.words.shared.iter().map(sum).chain(whole).collect()
    }
}

/// Does a checksum follow every push of a header, in the same block?
fn sums_where_pushed(block: &[Stmt], header: HeaderId, sums: &impl Fn(&Stmt) -> bool) -> bool {
    block.iter().enumerate().all(|(i, s)| {
        let summed = !matches!(s.kind, StmtKind::Push(h) if h == header) || block[i..].iter().any(sums);
        summed && s.kind.blocks().into_iter().all(|inner| sums_where_pushed(inner, header, sums))
    })
}
