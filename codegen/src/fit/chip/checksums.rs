//! What becomes of checksums that the deparser sums: their fields keep what came in until the packet leaves, so nothing
//! can read them before, nor write what the deparser writes, nor change what it sums.

use std::collections::BTreeSet;

use pipeline_ir::expr::{BinOp, Expr, ExprKind};
use pipeline_ir::stmt::{Place, Stmt, StmtKind};
use pipeline_ir::{FieldId, HeaderId, Loc, Pipeline};

/// A field of a header.
type Field = (HeaderId, FieldId);

/// Adds what the control needs.
pub(super) fn needs(p: &Pipeline, add: &mut impl FnMut(&'static str, &str, Loc)) {
    Order { of: Vec::new(), add }.block(&p.control, Sums::default());
}

/// What the deparser sums after the ways to a place in the control.
#[derive(Clone, Default)]
struct Sums {
    /// Checksums that are adjusted.
    adjusted: BTreeSet<Field>,
    /// Checksums of data.
    whole: BTreeSet<Field>,
    /// Fields that such data have.
    data: BTreeSet<Field>,
}

impl Sums {
    fn or(mut self, other: Self) -> Self {
        self.adjusted.extend(other.adjusted);
        self.whole.extend(other.whole);
        self.data.extend(other.data);
        self
    }

    /// Does the deparser write the field, or sum it?
    fn uses(&self, field: Field) -> bool {
        self.adjusted.contains(&field) || self.whole.contains(&field) || self.data.contains(&field)
    }

    /// Does making a header valid or invalid change a sum, or lose to one?
    fn uses_header(&self, header: HeaderId, pushed: bool) -> bool {
        let has = |fields: &BTreeSet<Field>| fields.iter().any(|(h, _)| *h == header);
        has(&self.data) || pushed && (has(&self.adjusted) || has(&self.whole))
    }

    /// Does the expression read a checksum that the deparser writes? Where `asks`, it may ask of one that is adjusted
    /// whether it is 0.
    fn read_by(&self, e: &Expr, asks: bool) -> bool {
        match &e.kind {
            ExprKind::Field(h, f) => self.adjusted.contains(&(*h, *f)) || self.whole.contains(&(*h, *f)),
            ExprKind::Binary(BinOp::Eq | BinOp::Ne, a, b) if asks => match (&a.kind, &b.kind) {
                (ExprKind::Field(h, f), ExprKind::Const(0)) | (ExprKind::Const(0), ExprKind::Field(h, f)) => {
                    self.whole.contains(&(*h, *f))
                }
                _ => self.read_by(a, asks) || self.read_by(b, asks),
            },
            ExprKind::Binary(_, a, b) => self.read_by(a, asks) || self.read_by(b, asks),
            ExprKind::Unary(_, a) | ExprKind::Cast(a) | ExprKind::Slice { of: a, .. } => {
                self.read_by(a, asks)
            }
            ExprKind::Mux(c, a, b) => [c, a, b].iter().any(|e| self.read_by(e, asks)),
            ExprKind::Const(_)
            | ExprKind::Bool(_)
            | ExprKind::Var(_)
            | ExprKind::Valid(_)
            | ExprKind::Builtin(_) => false,
        }
    }
}

/// Follows checksums through the control.
struct Order<'a, 'b, A> {
    /// What each checksum is of, on whichever way.
    of: Vec<(Field, &'a [Expr])>,
    add: &'b mut A,
}

impl<'a, A: FnMut(&'static str, &str, Loc)> Order<'a, '_, A> {
    /// Runs a block after these; what the deparser sums after it, unless every way through it ends.
    fn block(&mut self, block: &'a [Stmt], mut sums: Sums) -> Option<Sums> {
        for s in block {
            sums = self.stmt(s, sums)?;
        }
        Some(sums)
    }

    fn stmt(&mut self, s: &'a Stmt, sums: Sums) -> Option<Sums> {
        let asks = matches!(s.kind, StmtKind::If { .. });
        let reads = s.kind.exprs().into_iter().any(|e| sums.read_by(e, asks));
        if reads || self.writes(&s.kind, &sums) {
            (self.add)("checksum.read", "control", s.at);
        }
        match &s.kind {
            StmtKind::Verdict(_) => None,
            StmtKind::Stay { select, arms, .. } => {
                let after = either(self.block(select, sums.clone()), Some(sums))?;
                let ways = arms.iter().map(|a| self.block(&a.body, after.clone()));
                ways.fold(None, either)
            }
            StmtKind::If { .. } | StmtKind::Apply { .. } => {
                let ways = s.kind.blocks().into_iter().map(|b| self.block(b, sums.clone()));
                ways.fold(None, either)
            }
            StmtKind::Adjust { place, .. } => Some(self.adjust(*place, s.at, sums)),
            StmtKind::Checksum { place, data } => Some(self.whole(*place, data, s.at, sums)),
            _ => Some(sums),
        }
    }

    /// Does the statement write what the deparser writes last, or what it sums? A change may follow a change, and the
    /// whole a change.
    fn writes(&self, kind: &StmtKind, sums: &Sums) -> bool {
        match (kind, kind.written()) {
            (StmtKind::Push(h), _) => sums.uses_header(*h, true),
            (StmtKind::Pop(h), _) => sums.uses_header(*h, false),
            (StmtKind::Adjust { .. }, Some(Place::Field(h, f))) => {
                sums.whole.contains(&(h, f)) || sums.data.contains(&(h, f))
            }
            (StmtKind::Checksum { .. }, Some(Place::Field(h, f))) => {
                sums.data.contains(&(h, f)) && !sums.whole.contains(&(h, f))
            }
            (_, Some(Place::Field(h, f))) => sums.uses((h, f)),
            _ => false,
        }
    }

    fn adjust(&mut self, place: Place, at: Loc, mut sums: Sums) -> Sums {
        match place {
            Place::Var(_) => (self.add)("checksum.variable", "control", at),
            Place::Field(h, f) => {
                sums.adjusted.insert((h, f));
            }
        }
        sums
    }

    fn whole(&mut self, place: Place, data: &'a [Expr], at: Loc, mut sums: Sums) -> Sums {
        let Place::Field(h, f) = place else {
            (self.add)("checksum.variable", "control", at);
            return sums;
        };
        let other = self.of.iter().find(|(place, _)| *place == (h, f));
        if other.is_some_and(|(_, list)| !super::alike(list, data)) {
            (self.add)("checksum.ways", "control", at);
        }
        self.of.push(((h, f), data));
        sums.whole.insert((h, f));
        for e in data {
            e.walk(&mut |e| {
                if let ExprKind::Field(h, f) = e.kind {
                    sums.data.insert((h, f));
                }
            });
        }
        sums
    }
}

/// Either way was taken; none: it ended.
fn either(a: Option<Sums>, b: Option<Sums>) -> Option<Sums> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.or(b)),
        (a, b) => a.or(b),
    }
}
