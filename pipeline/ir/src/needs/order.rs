//! What a control needs because of where its statements stand.
//!
//! Some targets decide in a second pass where a flow moves to, on the packet as it came in, and look each table up in
//! one place. What stands otherwise has a word.

use super::Needs;
use crate::stmt::{Place, Stmt, StmtKind, walk};
use crate::{HeaderId, Loc, Pipeline, RingId, TableId};
use std::collections::BTreeMap;

/// Adds the needs of the whole control.
pub(super) fn control(p: &Pipeline, needs: &mut Needs) {
    places(p, needs);
    several(&p.control, needs);
    Changes { p, needs }.block(&p.control, Vec::new());
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Object {
    Table(TableId),
    Ring(RingId),
}

/// Tables and rings that are used in more than one place.
fn places(p: &Pipeline, needs: &mut Needs) {
    let mut used: BTreeMap<Object, Vec<Loc>> = BTreeMap::new();
    walk(&p.control, &mut |s| match &s.kind {
        StmtKind::Apply { table, .. } | StmtKind::Stay { table, .. } => {
            used.entry(Object::Table(*table)).or_default().push(s.at);
        }
        StmtKind::Select { ring, .. } => used.entry(Object::Ring(*ring)).or_default().push(s.at),
        _ => {}
    });
    for (object, places) in used {
        let Some(second) = places.get(1) else { continue };
        let of = match object {
            Object::Table(t) => format!("table {}", p.tables[t.index()].name),
            Object::Ring(r) => format!("ring {}", p.rings[r.index()].name),
        };
        needs.add("table.places", of, *second);
    }
}

fn stays(block: &[Stmt]) -> bool {
    block.iter().any(stays_in)
}

fn stays_in(stmt: &Stmt) -> bool {
    matches!(stmt.kind, StmtKind::Stay { .. }) || stmt.kind.blocks().into_iter().any(|b| stays(b))
}

/// A second statement of a block in which a flow stays or moves, or one inside another.
fn several(block: &[Stmt], needs: &mut Needs) {
    if let Some(second) = block.iter().filter(|s| stays_in(s)).nth(1) {
        needs.add("flow.several", "control", first_stay(second));
    }
    for stmt in block {
        let inner = stmt.kind.blocks();
        if matches!(stmt.kind, StmtKind::Stay { .. })
            && let Some(inside) = inner.iter().flat_map(|b| b.iter()).find(|s| stays_in(s))
        {
            needs.add("flow.several", "control", first_stay(inside));
        }
        inner.into_iter().for_each(|b| several(b, needs));
    }
}

fn first_stay(stmt: &Stmt) -> Loc {
    let inside = || stmt.kind.blocks().into_iter().flatten().find(|s| stays_in(s)).map(first_stay);
    if matches!(stmt.kind, StmtKind::Stay { .. }) { stmt.at } else { inside().unwrap_or(stmt.at) }
}

/// A change of what leaves, and where it stands.
type Change = (Option<HeaderId>, Loc);

/// Follows changes of headers to where a flow stays or moves.
struct Changes<'a> {
    p: &'a Pipeline,
    needs: &'a mut Needs,
}

impl Changes<'_> {
    /// Runs a block after these changes; what has changed after it, unless every way through it ends.
    fn block(&mut self, block: &[Stmt], mut made: Vec<Change>) -> Option<Vec<Change>> {
        for stmt in block {
            made = self.stmt(stmt, made)?;
        }
        Some(made)
    }

    fn stmt(&mut self, stmt: &Stmt, mut made: Vec<Change>) -> Option<Vec<Change>> {
        let header = match &stmt.kind {
            StmtKind::Verdict(_) => return None,
            StmtKind::If { then, otherwise, .. } => {
                let taken = self.block(then, made.clone());
                return either(taken, self.block(otherwise, made));
            }
            StmtKind::Apply { arms, .. } => {
                let ways = arms.iter().map(|a| self.block(&a.body, made.clone()));
                return ways.fold(None, either);
            }
            StmtKind::Stay { select, arms, .. } => {
                for (header, at) in &made {
                    let of = header.map_or("the truncation".to_owned(), |h| {
                        format!("the change of header {}", self.p.headers[h.index()].name)
                    });
                    self.needs.add("flow.after_change", of, *at);
                }
                // Said once.
                let selected = self.block(select, Vec::new());
                let after = either(Some(Vec::new()), selected)?;
                let ways = arms.iter().map(|a| self.block(&a.body, after.clone()));
                return ways.fold(None, either);
            }
            StmtKind::Push(h) | StmtKind::Pop(h) => Some(Some(*h)),
            StmtKind::Set { place: Place::Field(h, _), .. }
            | StmtKind::Checksum { place: Place::Field(h, _), .. }
            | StmtKind::Adjust { place: Place::Field(h, _), .. } => Some(Some(*h)),
            StmtKind::Truncate { .. } => Some(None),
            StmtKind::Set { .. }
            | StmtKind::Checksum { .. }
            | StmtKind::Adjust { .. }
            | StmtKind::Hash { .. }
            | StmtKind::Count { .. }
            | StmtKind::Limit { .. }
            | StmtKind::Find { .. }
            | StmtKind::Remember { .. }
            | StmtKind::Select { .. } => None,
        };
        made.extend(header.map(|h| (h, stmt.at)));
        Some(made)
    }
}

/// Either way was taken; none: it ended.
fn either(a: Option<Vec<Change>>, b: Option<Vec<Change>>) -> Option<Vec<Change>> {
    match (a, b) {
        (Some(mut a), Some(b)) => {
            a.extend(b.into_iter().filter(|c| !a.contains(c)).collect::<Vec<_>>());
            Some(a)
        }
        (a, b) => a.or(b),
    }
}
