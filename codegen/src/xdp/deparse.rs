//! Sending a packet: what changed is written back, the rest stays where it is.

use super::Emitter;
use crate::text::Text;
use crate::ways::Way;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, UnOp};
use pipeline_ir::stmt::{Stmt, StmtKind, Verdict};
use pipeline_ir::{HeaderId, ParserOp, Pipeline};

/// What is known of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validity {
    /// Never there: not parsed, not pushed.
    Absent,
    /// As the parser left it.
    Parsed,
    /// Parsed, and known to be there.
    There,
    /// Pushed; it was not there before.
    Pushed,
    /// Pushed, popped or neither, by the path taken.
    Mixed,
}

/// What is known of all headers at a place in the control.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    headers: Vec<(Validity, bool)>,
    /// Copied out of the packet, for they are about to move.
    lifted: Vec<HeaderId>,
    /// A limit on its length may be set.
    limited: bool,
}

impl Shape {
    /// After parsing.
    pub(super) fn parsed(p: &Pipeline) -> Self {
        let mut headers = vec![(Validity::Absent, false); p.headers.len()];
        for op in p.parser.states.iter().flat_map(|s| &s.ops) {
            if let ParserOp::Extract { header, .. } = op {
                headers[header.index()].0 = Validity::Parsed;
            }
        }
        Self { headers, ..Self::default() }
    }

    /// On a way that has these headers, and no other.
    pub(super) fn of_way(p: &Pipeline, way: &Way) -> Self {
        let mut headers = vec![(Validity::Absent, false); p.headers.len()];
        for (header, _) in &way.headers {
            headers[header.index()].0 = Validity::There;
        }
        Self { headers, ..Self::default() }
    }

    fn validity(&self, h: HeaderId) -> Validity {
        self.headers.get(h.index()).map_or(Validity::Mixed, |x| x.0)
    }

    pub(super) fn is_absent(&self, h: HeaderId) -> bool {
        self.validity(h) == Validity::Absent
    }

    pub(super) fn is_valid(&self, h: HeaderId) -> bool {
        matches!(self.validity(h), Validity::There | Validity::Pushed)
    }

    fn set(&mut self, h: HeaderId, validity: Validity) {
        if let Some(x) = self.headers.get_mut(h.index()) {
            x.0 = validity;
        }
    }

    pub(super) fn push(&mut self, h: HeaderId) {
        let pushed = if self.is_absent(h) { Validity::Pushed } else { Validity::Mixed };
        self.set(h, pushed);
        self.write(h);
    }

    pub(super) fn pop(&mut self, h: HeaderId) {
        self.set(h, Validity::Mixed);
    }

    pub(super) fn write(&mut self, h: HeaderId) {
        if let Some(x) = self.headers.get_mut(h.index()) {
            x.1 = true;
        }
    }

    pub(super) fn is_lifted(&self, h: HeaderId) -> bool {
        self.lifted.contains(&h)
    }

    pub(super) fn lift(&mut self, h: HeaderId) {
        self.lifted.push(h);
    }

    /// The last header that moves when the packet is sent.
    fn moved(&self) -> Option<usize> {
        self.headers.iter().rposition(|x| matches!(x.0, Validity::Pushed | Validity::Mixed))
    }

    /// Does this header move when what follows has run, and is it certain that it is sent then?
    pub(super) fn will_move(&self, h: HeaderId, tail: &[Stmt]) -> bool {
        let mut after = self.clone();
        for stmt in tail {
            match &stmt.kind {
                StmtKind::Push(pushed) => after.push(*pushed),
                StmtKind::Set { .. } | StmtKind::Checksum { .. } | StmtKind::Adjust { .. } => {}
                StmtKind::Verdict(Verdict::Forward(_) | Verdict::Pass) => {
                    return after.moved().is_some_and(|last| h.index() <= last);
                }
                _ => return false,
            }
        }
        false
    }

    pub(super) fn know_valid(&mut self, h: HeaderId) {
        if self.validity(h) == Validity::Parsed {
            self.set(h, Validity::There);
        }
    }

    /// What holds where this condition holds.
    pub(super) fn know(&mut self, cond: &Expr) {
        match &cond.kind {
            ExprKind::Valid(h) => self.know_valid(*h),
            ExprKind::Binary(BinOp::And, a, b) => {
                self.know(a);
                self.know(b);
            }
            _ => {}
        }
    }

    /// What holds where it doesn't.
    pub(super) fn know_not(&mut self, cond: &Expr) {
        match &cond.kind {
            ExprKind::Unary(UnOp::Not, a) => self.know(a),
            ExprKind::Binary(BinOp::Or, a, b) => {
                self.know_not(a);
                self.know_not(b);
            }
            _ => {}
        }
    }

    pub(super) fn truncate(&mut self) {
        self.limited = true;
    }

    /// What is known where two paths meet.
    pub(super) fn join(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        let (mut a, b) = match (a, b) {
            (Some(a), Some(b)) => (a, b),
            (a, b) => return a.or(b),
        };
        for (x, y) in a.headers.iter_mut().zip(b.headers) {
            x.0 = match (x.0, y.0) {
                (p, q) if p == q => p,
                (Validity::Parsed | Validity::There, Validity::Parsed | Validity::There) => Validity::Parsed,
                _ => Validity::Mixed,
            };
            x.1 |= y.1;
        }
        a.limited |= b.limited;
        Some(a)
    }
}

impl Emitter<'_> {
    pub(super) fn deparse(&self, t: &mut Text, shape: &Shape) {
        let moved = shape.moved();
        let written = (0..shape.headers.len())
            .rev()
            .find(|i| shape.headers[*i].1 && !self.in_packet(HeaderId(*i as u32)));
        if let Some(last) = moved.max(written) {
            t.open("{");
            if let Some(moved) = moved {
                self.lift(t, shape, moved);
                self.grow(t, shape);
            }
            t.line("at = packet_start(ctx);");
            t.line("end = packet_end(ctx);");
            let stores = |i: usize| {
                moved.is_some_and(|m| i <= m) || shape.headers[i].1 && !self.in_packet(HeaderId(i as u32))
            };
            // Where it is certain which headers there are, one test of the length is enough.
            let certain =
                (0..=last).all(|i| !matches!(shape.headers[i].0, Validity::Parsed | Validity::Mixed));
            if certain {
                let present = (0..=last).filter(|i| shape.headers[*i].0 != Validity::Absent);
                let bytes: u32 = present.map(|i| self.p.header_type(HeaderId(i as u32)).bytes()).sum();
                out_of_bounds(t, bytes);
            }
            for i in 0..=last {
                self.put(t, shape, i, stores(i), certain);
            }
            t.close("}");
        }
        if shape.limited {
            t.open("{");
            t.line("u32 length = packet_end(ctx) - packet_start(ctx);");
            t.line("if (length > limit && xdp_adjust_tail(ctx, (int)(limit - length)))");
            t.line("    return XDP_ABORTED;");
            t.close("}");
        }
    }

    /// Copies what lies in the packet and is about to move.
    fn lift(&self, t: &mut Text, shape: &Shape, moved: usize) {
        for i in 0..=moved {
            let id = HeaderId(i as u32);
            if !self.in_packet(id) || shape.is_absent(id) || shape.is_lifted(id) {
                continue;
            }
            self.lift_one(t, id, shape.is_valid(id));
        }
    }

    pub(super) fn lift_one(&self, t: &mut Text, h: HeaderId, there: bool) {
        let (copy, ty) = (self.copy(h), &self.p.header_type(h).name);
        t.line(format!("struct {ty} {copy} = {{}};"));
        if !there {
            t.line(format!("if ({})", self.valid(h)));
        }
        let indent = if there { "" } else { "    " };
        t.line(format!("{indent}load_{ty}(&{copy}, {});", self.pointer(h)));
    }

    /// The copy of a header that was lifted out of the packet.
    pub(super) fn copy(&self, h: HeaderId) -> String {
        format!("moved_{}", self.p.headers[h.index()].name)
    }

    /// Makes room for what was pushed and takes away what was popped.
    fn grow(&self, t: &mut Text, shape: &Shape) {
        let mut fixed = 0;
        let mut terms = Vec::new();
        for (i, (validity, _)) in shape.headers.iter().enumerate() {
            let id = HeaderId(i as u32);
            let bytes = self.p.header_type(id).bytes();
            match validity {
                Validity::Pushed => fixed += bytes,
                Validity::Mixed => {
                    terms.push(format!("({} - {}.parsed) * {bytes}", self.valid(id), self.header(id)));
                }
                Validity::Absent | Validity::Parsed | Validity::There => {}
            }
        }
        if terms.is_empty() && fixed > 0 {
            t.line(format!("if (xdp_adjust_head(ctx, -{fixed}))"));
            t.line("    return XDP_ABORTED;");
        } else if !terms.is_empty() {
            if fixed > 0 {
                terms.push(fixed.to_string());
            }
            t.line(format!("if (xdp_adjust_head(ctx, -({})))", terms.join(" + ")));
            t.line("    return XDP_ABORTED;");
        }
    }

    fn put(&self, t: &mut Text, shape: &Shape, i: usize, store: bool, certain: bool) {
        let validity = shape.headers[i].0;
        if validity == Validity::Absent {
            return;
        }
        let id = HeaderId(i as u32);
        let ty = self.p.header_type(id);
        let always = matches!(validity, Validity::There | Validity::Pushed);
        if !always {
            t.open(format!("if ({}) {{", self.valid(id)));
        }
        let in_packet = self.in_packet(id);
        if store {
            if !certain {
                out_of_bounds(t, ty.bytes());
            }
            let from = if in_packet { self.copy(id) } else { self.header(id) };
            t.line(format!("store_{}((void *)at, &{from});", ty.name));
        }
        t.line(format!("at += {};", ty.bytes()));
        if !always {
            t.close("}");
        }
    }
}

fn out_of_bounds(t: &mut Text, bytes: u32) {
    t.line(format!("if (at + {bytes} > end)"));
    t.line("    return XDP_ABORTED;");
}
