//! What is known of a packet at a place in the control.

use super::values::{Values, binary};
use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, UnOp};
use pipeline_ir::stmt::Place;
use pipeline_ir::{CursorId, FieldId, HeaderId, Pipeline, VarId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Is a header valid, a flow looked up?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Known {
    No,
    Yes,
    Maybe,
}

impl Known {
    fn join(self, other: Self) -> Self {
        if self == other { self } else { Self::Maybe }
    }

    fn values(self) -> Values {
        match self {
            Self::No => Values::one(0),
            Self::Yes => Values::one(1),
            Self::Maybe => Values::any(1),
        }
    }
}

/// Facts that hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    headers: Vec<Known>,
    /// What reading a field gives, where more is known than its width. Fields of invalid headers are left out: they
    /// read as 0.
    fields: BTreeMap<(HeaderId, FieldId), Arc<Values>>,
    vars: Vec<Arc<Values>>,
    flows: Vec<Known>,
    /// Bytes that the received frame has at least.
    frame: u32,
}

impl Facts {
    /// Before parsing: no header is valid, every variable is 0.
    pub(super) fn start(p: &Pipeline) -> Self {
        Self {
            headers: vec![Known::No; p.headers.len()],
            fields: BTreeMap::new(),
            vars: std::iter::repeat_n(Arc::new(Values::one(0)), p.vars.len()).collect(),
            flows: vec![Known::No; p.cursors.len()],
            frame: 0,
        }
    }

    /// Nothing is known.
    pub(crate) fn any(p: &Pipeline) -> Self {
        let vars = p.vars.iter().map(|v| Arc::new(Values::any(v.ty.mask())));
        Self {
            headers: vec![Known::Maybe; p.headers.len()],
            fields: BTreeMap::new(),
            vars: vars.collect(),
            flows: vec![Known::Maybe; p.cursors.len()],
            frame: 0,
        }
    }

    /// Is the header valid?
    #[must_use]
    pub fn header(&self, header: HeaderId) -> Known {
        self.headers.get(header.index()).copied().unwrap_or(Known::Maybe)
    }

    /// Has the cursor been filled?
    #[must_use]
    pub fn flow(&self, cursor: CursorId) -> Known {
        self.flows.get(cursor.index()).copied().unwrap_or(Known::Maybe)
    }

    /// What reading the field gives.
    #[must_use]
    pub fn field(&self, p: &Pipeline, header: HeaderId, field: FieldId) -> Values {
        if self.header(header) == Known::No {
            return Values::one(0);
        }
        let known = self.fields.get(&(header, field));
        known.map_or_else(|| Values::any(field_mask(p, header, field)), |v| (**v).clone())
    }

    /// What the variable holds.
    #[must_use]
    pub fn var(&self, p: &Pipeline, var: VarId) -> Values {
        let known = self.vars.get(var.index());
        known.map_or_else(|| Values::any(p.var(var).ty.mask()), |v| (**v).clone())
    }

    /// The fields of which more is known than their width.
    pub fn fields(&self) -> impl Iterator<Item = (HeaderId, FieldId, &Values)> {
        self.fields.iter().map(|((h, f), values)| (*h, *f, &**values))
    }

    pub(super) fn get(&self, p: &Pipeline, place: Place) -> Values {
        match place {
            Place::Var(v) => self.var(p, v),
            Place::Field(h, f) => self.field(p, h, f),
        }
    }

    /// A write; lost where the header is invalid.
    pub(super) fn set(&mut self, p: &Pipeline, place: Place, values: Values) {
        match place {
            Place::Field(h, _) if self.header(h) == Known::Maybe => {
                self.know(p, place, values.join(&Values::one(0)));
            }
            _ => self.know(p, place, values),
        }
    }

    /// What reading the place gives.
    pub(super) fn know(&mut self, p: &Pipeline, place: Place, values: Values) {
        match place {
            Place::Var(v) => {
                if let Some(var) = self.vars.get_mut(v.index()) {
                    *var = Arc::new(values);
                }
            }
            Place::Field(h, _) if self.header(h) == Known::No => {}
            Place::Field(h, f) if values == Values::any(field_mask(p, h, f)) => {
                self.fields.remove(&(h, f));
            }
            Place::Field(h, f) => {
                self.fields.insert((h, f), Arc::new(values));
            }
        }
    }

    /// A variable that may hold anything.
    pub(super) fn forget(&mut self, p: &Pipeline, var: VarId) {
        self.know(p, Place::Var(var), Values::any(p.var(var).ty.mask()));
    }

    /// The parser has found it: its fields are whatever came in.
    pub(super) fn extract(&mut self, header: HeaderId) {
        self.know_header(header, Known::Yes);
    }

    pub(super) fn push(&mut self, p: &Pipeline, header: HeaderId) {
        let was = self.header(header);
        self.know_header(header, Known::Yes);
        if was == Known::No {
            for (i, _) in p.header_type(header).fields.iter().enumerate() {
                self.know(p, Place::Field(header, FieldId(i as u32)), Values::one(0));
            }
        }
    }

    pub(super) fn pop(&mut self, header: HeaderId) {
        self.know_header(header, Known::No);
    }

    fn know_header(&mut self, header: HeaderId, known: Known) {
        if let Some(h) = self.headers.get_mut(header.index()) {
            *h = known;
        }
        if known == Known::No {
            self.fields.retain(|(h, _), _| *h != header);
        }
    }

    pub(super) fn find(&mut self, cursor: CursorId) {
        if let Some(flow) = self.flows.get_mut(cursor.index()) {
            *flow = Known::Yes;
        }
    }

    /// The frame has at least so many bytes.
    pub(super) fn frame_has(&mut self, bytes: u32) {
        self.frame = self.frame.max(bytes);
    }

    /// What holds if either does.
    pub(super) fn join(&self, p: &Pipeline, other: &Self) -> Self {
        let zip = |a: &[Known], b: &[Known]| a.iter().zip(b).map(|(a, b)| a.join(*b)).collect();
        let mut joined = Self {
            headers: zip(&self.headers, &other.headers),
            fields: BTreeMap::new(),
            vars: self.vars.iter().zip(&other.vars).map(|(a, b)| either(a, b)).collect(),
            flows: zip(&self.flows, &other.flows),
            frame: self.frame.min(other.frame),
        };
        for (h, f) in self.fields.keys().chain(other.fields.keys()) {
            let values = self.field(p, *h, *f).join(&other.field(p, *h, *f));
            joined.know(p, Place::Field(*h, *f), values);
        }
        joined
    }

    /// In how many things they differ.
    pub(super) fn distance(&self, other: &Self) -> usize {
        let differ = |a: &[Known], b: &[Known]| a.iter().zip(b).filter(|(a, b)| a != b).count();
        let keys = self.fields.keys().chain(other.fields.keys());
        differ(&self.headers, &other.headers)
            + differ(&self.flows, &other.flows)
            + self.vars.iter().zip(&other.vars).filter(|(a, b)| a != b).count()
            + keys.filter(|k| self.fields.get(k) != other.fields.get(k)).count()
    }

    /// What an expression can be.
    pub(super) fn value(&self, p: &Pipeline, e: &Expr) -> Values {
        let of = |e: &Expr| self.value(p, e);
        match &e.kind {
            ExprKind::Unary(_, a) | ExprKind::Cast(a) | ExprKind::Slice { of: a, .. } => {
                self.combine(p, e, &[of(a)])
            }
            ExprKind::Binary(_, a, b) => self.combine(p, e, &[of(a), of(b)]),
            ExprKind::Mux(c, a, b) => self.combine(p, e, &[of(c), of(a), of(b)]),
            _ => self.combine(p, e, &[]),
        }
    }

    /// The same, where the values of its operands are known.
    pub(super) fn combine(&self, p: &Pipeline, e: &Expr, operands: &[Values]) -> Values {
        let mask = e.ty.mask();
        match (&e.kind, operands) {
            (ExprKind::Const(v), _) => Values::one(*v & mask),
            (ExprKind::Bool(b), _) => Values::one(u128::from(*b)),
            (ExprKind::Field(h, f), _) => self.field(p, *h, *f),
            (ExprKind::Var(v), _) => self.var(p, *v),
            (ExprKind::Valid(h), _) => self.header(*h).values(),
            (ExprKind::Builtin(Builtin::FrameLength), _) => Values::between(u128::from(self.frame), mask),
            (ExprKind::Unary(UnOp::Not | UnOp::BitNot, _), [a]) => a.not(mask),
            (ExprKind::Binary(op, _, right), [a, b]) => binary(*op, a, b, right.ty.width(), mask),
            (ExprKind::Slice { lo, .. }, [a]) => a.slice(*lo, mask),
            (ExprKind::Cast(_), [a]) => a.slice(0, mask),
            (ExprKind::Mux(..), [c, a, b]) => match c.only() {
                Some(1) => a.clone(),
                Some(_) => b.clone(),
                None => a.join(b),
            },
            _ => Values::any(mask),
        }
    }

    /// What holds besides where a condition holds, or doesn't; none, if that can't be.
    pub(crate) fn given(mut self, p: &Pipeline, cond: &Expr, truth: bool) -> Option<Self> {
        if let Some(value) = self.value(p, cond).only() {
            return ((value == 1) == truth).then_some(self);
        }
        match &cond.kind {
            ExprKind::Valid(h) => {
                self.know_header(*h, if truth { Known::Yes } else { Known::No });
                Some(self)
            }
            ExprKind::Unary(UnOp::Not, a) => self.given(p, a, !truth),
            ExprKind::Binary(BinOp::And, a, b) if truth => self.given(p, a, true)?.given(p, b, true),
            ExprKind::Binary(BinOp::Or, a, b) if !truth => self.given(p, a, false)?.given(p, b, false),
            ExprKind::Binary(BinOp::And | BinOp::Or, a, b) => {
                // One of both decides, if the other doesn't.
                let idle = Some(u128::from(!truth));
                match (self.value(p, a).only() == idle, self.value(p, b).only() == idle) {
                    (true, _) => self.given(p, b, truth),
                    (_, true) => self.given(p, a, truth),
                    _ => Some(self),
                }
            }
            ExprKind::Binary(op, a, b) => {
                let op = if truth { Some(*op) } else { negated(*op) };
                let Some(op) = op.filter(|op| mirrored(*op).is_some()) else { return Some(self) };
                if let Some(b) = self.value(p, b).only() {
                    self.narrow(p, a, op, b)
                } else if let (Some(a), Some(op)) = (self.value(p, a).only(), mirrored(op)) {
                    self.narrow(p, b, op, a)
                } else {
                    Some(self)
                }
            }
            _ => self.narrow(p, cond, BinOp::Eq, u128::from(truth)),
        }
    }

    /// The comparison with a constant holds.
    fn narrow(mut self, p: &Pipeline, e: &Expr, op: BinOp, other: u128) -> Option<Self> {
        let place = match &e.kind {
            ExprKind::Var(v) => Place::Var(*v),
            ExprKind::Field(h, f) => Place::Field(*h, *f),
            ExprKind::Cast(a) if a.ty.width() <= e.ty.width() => return self.narrow(p, a, op, other),
            _ => return Some(self),
        };
        let values = self.get(p, place).filter(op, other)?;
        self.know(p, place, values);
        Some(self)
    }

    /// The values of a place are among these.
    pub(super) fn only(mut self, p: &Pipeline, e: &Expr, values: Values) -> Self {
        match &e.kind {
            ExprKind::Var(v) => self.know(p, Place::Var(*v), values),
            ExprKind::Field(h, f) => self.know(p, Place::Field(*h, *f), values),
            _ => {}
        }
        self
    }
}

fn field_mask(p: &Pipeline, header: HeaderId, field: FieldId) -> u128 {
    pipeline_ir::expr::Type::Bits(p.field(header, field).width).mask()
}

/// Most are the same, and shared.
fn either(a: &Arc<Values>, b: &Arc<Values>) -> Arc<Values> {
    if a == b { Arc::clone(a) } else { Arc::new(a.join(b)) }
}

/// The comparison that holds where this one doesn't.
pub(super) fn negated(op: BinOp) -> Option<BinOp> {
    match op {
        BinOp::Eq => Some(BinOp::Ne),
        BinOp::Ne => Some(BinOp::Eq),
        BinOp::Lt => Some(BinOp::Ge),
        BinOp::Ge => Some(BinOp::Lt),
        BinOp::Gt => Some(BinOp::Le),
        BinOp::Le => Some(BinOp::Gt),
        _ => None,
    }
}

/// The same comparison with its sides changed.
fn mirrored(op: BinOp) -> Option<BinOp> {
    match op {
        BinOp::Eq | BinOp::Ne => Some(op),
        BinOp::Lt => Some(BinOp::Gt),
        BinOp::Gt => Some(BinOp::Lt),
        BinOp::Le => Some(BinOp::Ge),
        BinOp::Ge => Some(BinOp::Le),
        _ => None,
    }
}
