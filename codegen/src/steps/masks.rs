//! Conditions as entries under masks. The first entry that matches counts, so what an entry says need not be excluded in
//! those behind it.

use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::{ActionId, ConstEntry, Key, KeyValue, Loc, MatchKind, Table};

use super::condition::turned;
use super::values::narrow;
use crate::p4::worlds::{Known, Worlds};

/// Entries that such a table has at most.
const ENTRIES: usize = 128;
/// Bits of its key at most: four blocks of memory under masks.
const KEY_BITS: u32 = 176;

/// A part of a key under a mask.
type Masked = (u128, u128);

/// What a packet's key is: for each part the value and the mask.
type Cube = Vec<Masked>;

/// A question to one part of the key: where it holds, and where not. Each list covers all of it.
#[derive(Clone, Debug, PartialEq)]
struct Atom {
    key: usize,
    holds: Vec<Masked>,
    fails: Vec<Masked>,
}

/// A condition over atoms.
#[derive(Clone, Debug)]
enum Node {
    Known(bool),
    Atom(usize),
    Not(Box<Node>),
    /// Do all hold, or (`false`) does one?
    Several(bool, Vec<Node>),
}

/// Which of several ways a packet goes, as entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Decision {
    /// What is looked at.
    pub(super) keys: Vec<Expr>,
    atoms: Vec<Atom>,
    /// Each with the number of a way. The last one matches all.
    entries: Vec<(Cube, usize)>,
}

fn meets(a: &[Masked], b: &[Masked]) -> bool {
    a.iter().zip(b).all(|((a, m), (b, n))| (a ^ b) & m & n == 0)
}

/// Is all that `b` matches matched by `a`?
fn covers(a: &[Masked], b: &[Masked]) -> bool {
    meets(a, b) && a.iter().zip(b).all(|((_, m), (_, n))| m & !n == 0)
}

/// The values below a number, as prefixes.
fn below(number: u128, bits: u8) -> Vec<Masked> {
    let all = Type::Bits(bits).mask();
    let ones = (0..bits).rev().filter(|bit| number >> bit & 1 == 1);
    ones.map(|bit| {
        let mask = all & !((1u128 << bit) - 1);
        (number & mask & !(1u128 << bit), mask)
    })
    .collect()
}

/// The values from a number on, as prefixes.
fn from(number: u128, bits: u8) -> Vec<Masked> {
    let all = Type::Bits(bits).mask();
    let zeros = (0..bits).filter(|bit| number >> bit & 1 == 0);
    let above = zeros.map(|bit| {
        let mask = all & !((1u128 << bit) - 1);
        (number & mask | 1u128 << bit, mask)
    });
    above.chain([(number, all)]).collect()
}

/// All values but one, as prefixes.
fn but(number: u128, mask: u128) -> Vec<Masked> {
    let bits = (0..128).filter(|bit| mask >> bit & 1 == 1);
    bits.map(|bit| ((number ^ 1u128 << bit) & (1u128 << bit), 1u128 << bit)).collect()
}

/// The parts of all that both lists have; none: too many.
fn meet(a: &[Cube], b: &[Cube]) -> Option<Vec<Cube>> {
    let mut out: Vec<Cube> = Vec::new();
    for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
        if meets(a, b) {
            let cube: Cube = a.iter().zip(b).map(|((v, m), (w, n))| (v | w, m | n)).collect();
            if !out.iter().any(|o| covers(o, &cube)) {
                out.retain(|o| !covers(&cube, o));
                out.push(cube);
            }
        }
        if out.len() > ENTRIES {
            return None;
        }
    }
    Some(out)
}

/// All of two conditions, or one of them; those that are of the same kind side by side.
fn several(both: bool, a: Node, b: Node) -> Node {
    let list = |node| match node {
        Node::Several(of, list) if of == both => list,
        other => vec![other],
    };
    Node::Several(both, list(a).into_iter().chain(list(b)).collect())
}

impl Decision {
    /// Way 0 where a condition holds, way 1 where it fails; none where it asks for more than numbers, or takes too many
    /// entries.
    pub(super) fn of(e: &Expr, w: &Worlds) -> Option<Self> {
        let mut out = Self::default();
        let node = out.node(e, w)?;
        let rows = out.rows(&node)?;
        out.entries = rows.into_iter().map(|(cube, holds)| (cube, usize::from(!holds))).collect();
        out.checked()
    }

    /// The way of the first condition that holds; behind the last one's, the way where none does.
    pub(super) fn first(conditions: &[(Expr, Worlds)]) -> Option<Self> {
        let mut out = Self::default();
        let nodes = conditions.iter().map(|(e, w)| out.node(e, w)).collect::<Option<Vec<_>>>()?;
        for (way, node) in nodes.iter().enumerate() {
            let parts = out.parts(node, true)?;
            out.entries.extend(parts.into_iter().map(|cube| (cube, way)));
        }
        out.entries.push((out.all(), nodes.len()));
        out.checked()
    }

    /// All packets.
    fn all(&self) -> Cube {
        vec![(0, 0); self.keys.len()]
    }

    fn checked(mut self) -> Option<Self> {
        self.shorten();
        let bits = self.keys.iter().map(|k| u32::from(k.ty.width())).sum::<u32>();
        (bits <= KEY_BITS && self.entries.len() <= ENTRIES).then_some(self)
    }

    fn key(&mut self, e: &Expr) -> usize {
        self.keys.iter().position(|k| k.kind == e.kind).unwrap_or_else(|| {
            self.keys.push(e.clone());
            self.keys.len() - 1
        })
    }

    fn atom(&mut self, atom: Atom) -> Node {
        let known = self.atoms.iter().position(|a| *a == atom);
        Node::Atom(known.unwrap_or_else(|| {
            self.atoms.push(atom);
            self.atoms.len() - 1
        }))
    }

    fn bit(&mut self, e: &Expr) -> Node {
        let key = self.key(e);
        self.atom(Atom { key, holds: vec![(1, 1)], fails: vec![(0, 1)] })
    }

    fn node(&mut self, e: &Expr, w: &Worlds) -> Option<Node> {
        Some(match &e.kind {
            ExprKind::Bool(known) => Node::Known(*known),
            ExprKind::Var(_) => self.bit(e),
            ExprKind::Valid(h) => match w.header(*h) {
                Known::Valid => Node::Known(true),
                Known::Invalid => Node::Known(false),
                Known::Maybe => self.bit(e),
            },
            ExprKind::Unary(UnOp::Not, a) => Node::Not(Box::new(self.node(a, w)?)),
            ExprKind::Binary(op @ (BinOp::And | BinOp::Or), a, b) => {
                let both = *op == BinOp::And;
                let (a, b) = (self.node(a, w)?, self.node(b, &w.assume(a, both))?);
                several(both, a, b)
            }
            ExprKind::Binary(op, a, b) => match (&a.kind, &b.kind) {
                (_, ExprKind::Const(number)) => self.comparison(*op, a, *number, w)?,
                (ExprKind::Const(number), _) => self.comparison(turned(*op), b, *number, w)?,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// A value beside a number. What is no header's is asked only where the header is there.
    fn comparison(&mut self, op: BinOp, a: &Expr, number: u128, w: &Worlds) -> Option<Node> {
        let (mut of, mut mask) = (narrow(a), None);
        if let ExprKind::Binary(BinOp::BitAnd, x, m) = &of.kind {
            let ExprKind::Const(m) = m.kind else { return None };
            (of, mask) = (narrow(x), Some(m));
        }
        let (low, bits) = match &of.kind {
            ExprKind::Slice { of: whole, hi, lo } => {
                of = whole;
                (*lo, hi - lo + 1)
            }
            _ => (0, of.ty.width()),
        };
        let all = Type::Bits(bits).mask();
        let mask = mask.unwrap_or(all) & all;
        if of.ty == Type::Bool || mask != all && !matches!(op, BinOp::Eq | BinOp::Ne) {
            return None;
        }
        let (holds, fails) = match op {
            _ if number > all => return Some(Node::Known(matches!(op, BinOp::Ne | BinOp::Lt | BinOp::Le))),
            BinOp::Eq | BinOp::Ne if number & !mask != 0 => return Some(Node::Known(op == BinOp::Ne)),
            BinOp::Eq => (vec![(number, mask)], but(number, mask)),
            BinOp::Ne => (but(number, mask), vec![(number, mask)]),
            BinOp::Lt => (below(number, bits), from(number, bits)),
            BinOp::Ge => (from(number, bits), below(number, bits)),
            BinOp::Le if number < all => (below(number + 1, bits), from(number + 1, bits)),
            BinOp::Gt if number < all => (from(number + 1, bits), below(number + 1, bits)),
            BinOp::Le | BinOp::Gt => return Some(Node::Known(op == BinOp::Le)),
            _ => return None,
        };
        let zero = holds.iter().any(|(value, _)| *value == 0);
        let place = |list: Vec<Masked>| list.into_iter().map(|(v, m)| (v << low, m << low)).collect();
        match &of.kind {
            ExprKind::Var(_) => {}
            ExprKind::Field(h, _) => match w.header(*h) {
                Known::Valid => {}
                Known::Invalid => return Some(Node::Known(zero)),
                Known::Maybe => {
                    let there = self.bit(&Expr { kind: ExprKind::Valid(*h), ty: Type::Bool, at: of.at });
                    let key = self.key(of);
                    let asked = self.atom(Atom { key, holds: place(holds), fails: place(fails) });
                    let there = if zero { Node::Not(Box::new(there)) } else { there };
                    return Some(several(!zero, there, asked));
                }
            },
            _ => return None,
        }
        let key = self.key(of);
        Some(self.atom(Atom { key, holds: place(holds), fails: place(fails) }))
    }

    /// The parts of all where a condition has a value; none: too many.
    fn parts(&self, node: &Node, value: bool) -> Option<Vec<Cube>> {
        let parts = match node {
            Node::Known(known) => {
                if *known == value {
                    vec![self.all()]
                } else {
                    Vec::new()
                }
            }
            Node::Atom(atom) => {
                let Atom { key, holds, fails } = &self.atoms[*atom];
                let part = |part: &Masked| {
                    let mut cube = self.all();
                    cube[*key] = *part;
                    cube
                };
                (if value { holds } else { fails }).iter().map(part).collect()
            }
            Node::Not(a) => self.parts(a, !value)?,
            Node::Several(both, list) => {
                let mut lists = list.iter().map(|n| self.parts(n, value));
                if value != *both {
                    lists.collect::<Option<Vec<_>>>()?.concat()
                } else {
                    lists.try_fold(vec![self.all()], |a, b| meet(&a, &b?))?
                }
            }
        };
        (parts.len() <= ENTRIES).then_some(parts)
    }

    /// The entries of a condition; the last one matches all.
    fn rows(&self, node: &Node) -> Option<Vec<(Cube, bool)>> {
        let (both, list) = match node {
            Node::Known(known) => return Some(vec![(self.all(), *known)]),
            Node::Not(a) => {
                let rows = self.rows(a)?;
                return Some(rows.into_iter().map(|(cube, outcome)| (cube, !outcome)).collect());
            }
            Node::Atom(_) => (true, std::slice::from_ref(node)),
            Node::Several(both, list) => (*both, &list[..]),
        };
        // What goes on only in one part of all says so in each entry; what takes many entries comes last.
        let (mut guard, mut rest) = (vec![self.all()], Vec::new());
        for part in list {
            match self.parts(part, both) {
                Some(parts) if parts.len() <= 1 => guard = meet(&guard, &parts)?,
                _ => rest.push((self.parts(part, !both), part)),
            }
        }
        let first = |parts: &[Cube]| parts.iter().map(|cube| (cube.clone(), !both)).collect::<Vec<_>>();
        let last = |node: &Node, parts: &Option<Vec<Cube>>| match node {
            Node::Atom(_) => Some(first(parts.as_ref()?).into_iter().chain([(self.all(), both)]).collect()),
            _ => self.rows(node),
        };
        let with = |at: usize| {
            let (parts, node) = &rest[at];
            let others =
                rest.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, (parts, _))| parts.as_ref());
            let mut rows = others.map(|parts| parts.map(|p| first(p))).collect::<Option<Vec<_>>>()?.concat();
            rows.extend(last(node, parts)?);
            Some(rows)
        };
        let rows = match rest.len() {
            0 => vec![(self.all(), both)],
            n => (0..n).filter_map(with).min_by_key(Vec::len)?,
        };
        let inside = |(cube, outcome): &(Cube, bool)| {
            let cubes = meet(&guard, std::slice::from_ref(cube))?;
            Some(cubes.into_iter().map(|cube| (cube, *outcome)).collect::<Vec<_>>())
        };
        let mut rows = rows.iter().map(inside).collect::<Option<Vec<_>>>()?.concat();
        rows.push((self.all(), !both));
        Some(rows)
    }

    /// Leaves out entries that nothing comes to, and those behind which the same is said.
    fn shorten(&mut self) {
        let mut at = 0;
        while at < self.entries.len() {
            let (before, rest) = self.entries.split_at(at);
            if before.iter().any(|(cube, _)| covers(cube, &rest[0].0)) {
                self.entries.remove(at);
            } else {
                at += 1;
            }
        }
        for at in (0..self.entries.len()).rev() {
            let (cube, outcome) = self.entries[at].clone();
            let next = self.entries[at + 1..].iter().filter(|(other, _)| meets(other, &cube));
            let mut same = next.take_while(|(_, o)| *o == outcome);
            if same.any(|(other, _)| covers(other, &cube)) {
                self.entries.remove(at);
            }
        }
    }

    /// The way, where there is one only.
    pub(super) fn always(&self) -> Option<usize> {
        match &self.entries[..] {
            [(_, way)] => Some(*way),
            _ => None,
        }
    }

    /// A table whose actions are the ways, in order.
    pub(super) fn table(&self, name: &str, actions: &[ActionId], at: Loc) -> Table {
        let value = |(value, mask): &Masked| KeyValue::Ternary { value: *value, mask: *mask };
        let entry = |(cube, way): &(Cube, usize)| ConstEntry {
            keys: cube.iter().map(value).collect(),
            action: actions[*way],
            args: Vec::new(),
            at: Loc::default(),
        };
        let key = |(i, e): (usize, &Expr)| Key {
            name: format!("key{i}"),
            width: e.ty.width(),
            kind: MatchKind::Ternary,
            at,
        };
        let (otherwise, entries) = match self.entries.split_last() {
            Some(((_, way), entries)) => (*way, entries),
            None => (0, &self.entries[..]),
        };
        Table {
            name: format!("decides_{name}"),
            keys: self.keys.iter().enumerate().map(key).collect(),
            actions: actions.to_vec(),
            default: actions[otherwise],
            size: entries.len() as u32,
            counters: None,
            slot_bits: None,
            const_entries: entries.iter().map(entry).collect(),
            at,
        }
    }
}
