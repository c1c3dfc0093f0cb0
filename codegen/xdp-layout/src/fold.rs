//! What a table entry fixes of a CRC, computed when the entry is written instead of for each packet.
//!
//! A CRC is linear: every byte adds a word that only its value and place decide. Where, on every path to a hash, an
//! entry of some table was the last one hit, and part of the hash's data equals that entry's key or parameters, the
//! entry carries the sum of that part: its *fold*.

use crate::crc32_tables;
use pipeline_ir::expr::{Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Arm, Block, HashAlgorithm, Place, Stmt, StmtKind, walk};
use pipeline_ir::{ActionId, FieldId, HeaderId, MatchKind, Pipeline, TableId, VarId};
use std::collections::BTreeMap;

/// The CRC of one hash statement, as far as entries fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Which hash statement, counted in the order of the source.
    pub hash: usize,
    /// For the hash's key and each of its data: is it in the fold?
    pub inputs: Vec<bool>,
    /// The entries that carry it.
    pub entries: Vec<FoldEntry>,
}

/// How entries of one table with one action compute their fold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct FoldEntry {
    pub table: TableId,
    pub action: ActionId,
    pub parts: Vec<Part>,
}

/// A number that the entry fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Part {
    pub source: Origin,
    /// Its bits from `low` on; whole bytes.
    pub low: u8,
    pub width: u8,
    /// Bytes of the hashed data after it.
    pub after: usize,
}

/// Where an entry has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// This field of its key.
    Key(usize),
    /// This parameter of its action, by place.
    Param(usize),
}

impl FoldEntry {
    /// The fold of an entry with these exact key values and parameters.
    #[must_use]
    pub fn of(&self, keys: &[u128], args: &[u128]) -> u32 {
        let most = self.parts.iter().map(|p| p.after + usize::from(p.width) / 8).max().unwrap_or(0);
        let tables = crc32_tables(most);
        let mut sum = 0;
        for part in &self.parts {
            let value = match part.source {
                Origin::Key(i) => keys.get(i),
                Origin::Param(i) => args.get(i),
            };
            let value = value.copied().unwrap_or(0) >> part.low;
            for byte in 0..usize::from(part.width) / 8 {
                sum ^= tables[part.after + byte][(value >> (8 * byte)) as usize & 0xff];
            }
        }
        sum
    }
}

/// Something that a statement reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Var(VarId),
    Field(HeaderId, FieldId),
}

/// One way to have come here: the entry hit last, what equals its numbers, and which headers are there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Way {
    entry: Option<(TableId, ActionId)>,
    known: BTreeMap<Source, Origin>,
    facts: BTreeMap<Fact, bool>,
}

/// Something that a condition asks and a statement settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    Valid(HeaderId),
    True(VarId),
}

/// The folds of a pipeline, at most one for each table.
#[must_use]
pub fn folds(p: &Pipeline) -> Vec<Fold> {
    let mut walker = Walker { p, folds: Vec::new(), ids: Vec::new() };
    walk(&p.control, &mut |stmt| {
        if matches!(stmt.kind, StmtKind::Hash { .. }) {
            walker.ids.push(std::ptr::from_ref(stmt));
        }
    });
    // Every variable is false when a packet enters.
    let bools = p.vars.iter().enumerate().filter(|(_, v)| v.ty == Type::Bool);
    let facts = bools.map(|(i, _)| (Fact::True(VarId(i as u32)), false)).collect();
    let start = Way { entry: None, known: BTreeMap::new(), facts };
    walker.block(&p.control, vec![start]);
    let mut folds = walker.folds;
    folds.sort_by_key(|f: &Fold| f.hash);
    let mut taken: Vec<TableId> = Vec::new();
    folds.retain(|f| {
        let free = f.entries.iter().all(|e| !taken.contains(&e.table));
        if free {
            taken.extend(f.entries.iter().map(|e| e.table));
        }
        free
    });
    folds
}

struct Walker<'a> {
    p: &'a Pipeline,
    folds: Vec<Fold>,
    ids: Vec<*const Stmt>,
}

fn source(e: &Expr) -> Option<Source> {
    match e.kind {
        ExprKind::Var(v) => Some(Source::Var(v)),
        ExprKind::Field(h, f) => Some(Source::Field(h, f)),
        _ => None,
    }
}

/// A source, or bits of one: source, lowest bit.
fn source_bits(e: &Expr) -> Option<(Source, u8)> {
    match &e.kind {
        ExprKind::Slice { of, lo, .. } => Some((source(of)?, *lo)),
        ExprKind::Cast(of) if of.ty.width() >= e.ty.width() => Some((source(of)?, 0)),
        _ => Some((source(e)?, 0)),
    }
}

impl Walker<'_> {
    fn block(&mut self, block: &Block, mut ways: Vec<Way>) -> Vec<Way> {
        for stmt in block {
            ways = self.stmt(stmt, ways);
        }
        ways
    }

    fn stmt(&mut self, stmt: &Stmt, mut ways: Vec<Way>) -> Vec<Way> {
        match &stmt.kind {
            StmtKind::Verdict(_) => return Vec::new(),
            StmtKind::Set { place, value } => {
                for way in &mut ways {
                    let origin = source(value).and_then(|s| way.known.get(&s).copied());
                    forget(way, *place);
                    if let Some(origin) = origin {
                        way.known.insert(place_source(*place), origin);
                    }
                    if let (Place::Var(v), ExprKind::Bool(b)) = (place, &value.kind) {
                        way.facts.insert(Fact::True(*v), *b);
                    }
                }
            }
            StmtKind::Checksum { place, .. } | StmtKind::Adjust { place, .. } => {
                ways.iter_mut().for_each(|way| forget(way, *place));
            }
            StmtKind::Limit { into, .. } | StmtKind::Select { into, .. } => {
                ways.iter_mut().for_each(|way| forget(way, Place::Var(*into)));
            }
            StmtKind::Push(h) | StmtKind::Pop(h) => {
                for way in &mut ways {
                    way.known.retain(|s, _| !matches!(s, Source::Field(x, _) if x == h));
                    way.facts.remove(&Fact::Valid(*h));
                }
            }
            StmtKind::Hash { into, algorithm, key, data } => {
                if *algorithm == HashAlgorithm::Crc32 {
                    self.hash(stmt, key, data, &ways);
                }
                ways.iter_mut().for_each(|way| forget(way, Place::Var(*into)));
            }
            StmtKind::If { cond, then, otherwise } => {
                let yes = self.block(then, assume(&ways, cond, true));
                let no = self.block(otherwise, assume(&ways, cond, false));
                return join(yes, no);
            }
            StmtKind::Apply { table, key, arms } => return self.apply(*table, key, arms, &ways),
            StmtKind::Stay { select, arms, id, .. } => {
                ways.iter_mut().for_each(|way| forget(way, Place::Var(*id)));
                let mut before = self.block(select, ways.clone());
                before = join(before, ways);
                let mut after = Vec::new();
                for arm in arms {
                    let mut here = before.clone();
                    here.iter_mut().for_each(|way| self.forget_params(way, arm));
                    after = join(after, self.block(&arm.body, here));
                }
                return after;
            }
            StmtKind::Count { .. }
            | StmtKind::Find { .. }
            | StmtKind::Remember { .. }
            | StmtKind::Truncate { .. } => {}
        }
        ways
    }

    fn forget_params(&self, way: &mut Way, arm: &Arm) {
        for var in &self.p.actions[arm.action.index()].params {
            forget(way, Place::Var(*var));
        }
    }

    fn apply(&mut self, table: TableId, key: &[Expr], arms: &[Arm], ways: &[Way]) -> Vec<Way> {
        let decl = &self.p.tables[table.index()];
        let exact = decl.keys.iter().all(|k| k.kind == MatchKind::Exact);
        let mut after = Vec::new();
        for arm in arms {
            let mut here = ways.to_vec();
            here.iter_mut().for_each(|way| self.forget_params(way, arm));
            if arm.action != decl.default && exact {
                for way in &mut here {
                    way.entry = Some((table, arm.action));
                    way.known.clear();
                    let keys = key.iter().enumerate().filter_map(|(i, e)| Some((source(e)?, Origin::Key(i))));
                    way.known.extend(keys);
                    let params = &self.p.actions[arm.action.index()].params;
                    way.known
                        .extend(params.iter().enumerate().map(|(i, v)| (Source::Var(*v), Origin::Param(i))));
                }
            }
            after = join(after, self.block(&arm.body, here));
        }
        after
    }

    fn hash(&mut self, stmt: &Stmt, key: &Expr, data: &[Expr], ways: &[Way]) {
        let Some(hash) = self.ids.iter().position(|id| std::ptr::eq(*id, stmt)) else { return };
        let all: Vec<&Expr> = std::iter::once(key).chain(data).collect();
        if ways.is_empty() || ways.iter().any(|way| way.entry.is_none()) {
            return;
        }
        // Only what begins and ends at a byte's border.
        let after: Vec<usize> = (1..=all.len()).map(|i| bits(&all[i..])).collect();
        let origin = |way: &Way, e: &Expr, after: usize| {
            let (source, low) = source_bits(e)?;
            let whole = e.ty.width().is_multiple_of(8) && after.is_multiple_of(8);
            whole.then_some((*way.known.get(&source)?, low))
        };
        let fixed = |(e, after): (&&Expr, &usize)| ways.iter().all(|way| origin(way, e, *after).is_some());
        let inputs: Vec<bool> = all.iter().zip(&after).map(fixed).collect();
        if !inputs.contains(&true) {
            return;
        }
        let mut entries: Vec<FoldEntry> = Vec::new();
        for way in ways {
            let Some((table, action)) = way.entry else { continue };
            let mut parts = Vec::new();
            for ((e, after), folded) in all.iter().zip(&after).zip(&inputs) {
                if let (true, Some((source, low))) = (folded, origin(way, e, *after)) {
                    parts.push(Part { source, low, width: e.ty.width(), after: after / 8 });
                }
            }
            match entries.iter().find(|e| e.table == table && e.action == action) {
                Some(other) if other.parts != parts => return,
                Some(_) => {}
                None => entries.push(FoldEntry { table, action, parts }),
            }
        }
        self.folds.push(Fold { hash, inputs, entries });
    }
}

fn bits(data: &[&Expr]) -> usize {
    data.iter().map(|e| usize::from(e.ty.width())).sum()
}

fn place_source(place: Place) -> Source {
    match place {
        Place::Var(v) => Source::Var(v),
        Place::Field(h, f) => Source::Field(h, f),
    }
}

fn forget(way: &mut Way, place: Place) {
    if let Place::Var(v) = place {
        way.facts.remove(&Fact::True(v));
    }
    way.known.remove(&place_source(place));
}

/// The ways on which a condition can hold, and what it says of headers.
fn assume(ways: &[Way], cond: &Expr, holds: bool) -> Vec<Way> {
    match &cond.kind {
        ExprKind::Unary(UnOp::Not, inner) => assume(ways, inner, !holds),
        ExprKind::Valid(h) => settle(ways, Fact::Valid(*h), holds),
        ExprKind::Var(v) => settle(ways, Fact::True(*v), holds),
        _ => ways.to_vec(),
    }
}

fn settle(ways: &[Way], fact: Fact, holds: bool) -> Vec<Way> {
    let mut ways: Vec<Way> =
        ways.iter().filter(|way| way.facts.get(&fact) != Some(&!holds)).cloned().collect();
    ways.iter_mut().for_each(|way| {
        way.facts.insert(fact, holds);
    });
    ways
}

/// All ways of both, those alike made one.
fn join(mut a: Vec<Way>, b: Vec<Way>) -> Vec<Way> {
    for way in b {
        match a.iter_mut().find(|x| x.entry == way.entry && x.facts == way.facts) {
            Some(same) => same.known.retain(|s, o| way.known.get(s) == Some(o)),
            None => a.push(way),
        }
    }
    // Facts told apart at every test could double the ways each time; l4lb needs far fewer.
    if a.len() > 512 {
        a.iter_mut().for_each(|way| way.facts.clear());
        let all = std::mem::take(&mut a);
        return all.into_iter().fold(Vec::new(), join_one);
    }
    a
}

fn join_one(mut ways: Vec<Way>, way: Way) -> Vec<Way> {
    match ways.iter_mut().find(|x| x.entry == way.entry) {
        Some(same) => same.known.retain(|s, o| way.known.get(s) == Some(o)),
        None => ways.push(way),
    }
    ways
}
