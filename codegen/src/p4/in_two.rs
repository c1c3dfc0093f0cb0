//! A pipeline that is cut behind its last table, as two that the oracle can run: what goes along lies in a header before the
//! packet.

use pipeline_ir::expr::{Expr, ExprKind};
use pipeline_ir::stmt::{Block, Place, Stmt, StmtKind, Verdict};
use pipeline_ir::{
    ActionId, Field, FieldId, Header, HeaderId, HeaderType, HeaderTypeId, Loc, ParserOp, Pipeline, State,
    StateId, Transition, VarId, VarKind,
};

use super::egress::{self, BRIDGE, Cut, PORT};
use super::taken::Taken;
use crate::off::{replace, without_unused};
use crate::steps::{May, steps};

/// The port by which ingress hands a packet over.
pub const HANDED_OVER: u32 = 0xffff;

const HEADER: HeaderId = HeaderId(0);

/// What ingress does of a pipeline that remembers no flows, and what egress does of what ingress sends to [`HANDED_OVER`]; none where it can't be cut.
#[must_use]
pub fn in_two(p: &Pipeline, may: May) -> Option<[Pipeline; 2]> {
    let in_steps = steps(p, may);
    let cut = egress::cut(&in_steps.pipeline, &Taken::new(), Some(&in_steps))?;
    let fields: Vec<VarId> = cut.carried().collect();
    Some([ingress(&cut, &fields), egress(&cut, &fields)])
}

fn at_nowhere(kind: StmtKind) -> Stmt {
    Stmt { kind, at: Loc::default() }
}

/// Puts the header before all others. Its first field is the port by which the packet leaves, if it does.
fn with_header(p: &mut Pipeline, cut: &Cut, fields: &[VarId]) {
    let shift = |h: &mut HeaderId| h.0 += 1;
    let expr = |e: &mut Expr| {
        e.walk_mut(&mut |e| {
            if let ExprKind::Field(h, _) | ExprKind::Valid(h) = &mut e.kind {
                h.0 += 1;
            }
        });
    };
    for s in &mut p.parser.states {
        for op in &mut s.ops {
            match op {
                ParserOp::Extract { header, .. } => shift(header),
                ParserOp::Set { value, .. } => expr(value),
                ParserOp::Lookahead { .. } => {}
            }
        }
        if let Transition::Select { on, .. } = &mut s.next {
            on.iter_mut().for_each(expr);
        }
    }
    replace(&mut p.control, &mut |s| {
        s.kind.exprs_mut().into_iter().for_each(expr);
        match &mut s.kind {
            StmtKind::Push(h) | StmtKind::Pop(h) => shift(h),
            StmtKind::Set { place: Place::Field(h, _), .. }
            | StmtKind::Checksum { place: Place::Field(h, _), .. }
            | StmtKind::Adjust { place: Place::Field(h, _), .. } => shift(h),
            _ => {}
        }
        None
    });
    let field = |name: &str, width: u8| Field { name: name.to_owned(), width, at: Loc::default() };
    let widths = fields.iter().map(|v| cut.ingress.var(*v).ty.width());
    let mut list = vec![field("out", PORT.width())];
    list.extend(widths.enumerate().map(|(i, width)| field(&format!("value{i}"), width)));
    let rest = list.iter().map(|f| u32::from(f.width)).sum::<u32>() % 8;
    if rest > 0 {
        list.push(field("padding", 8 - rest as u8));
    }
    p.header_types.push(HeaderType { name: BRIDGE.to_owned(), fields: list, at: Loc::default() });
    let ty = HeaderTypeId(p.header_types.len() as u32 - 1);
    p.headers.insert(0, Header { name: BRIDGE.to_owned(), ty, at: Loc::default() });
}

fn field(cut: &Cut, i: usize, fields: &[VarId]) -> Expr {
    let kind = ExprKind::Field(HEADER, FieldId(i as u32 + 1));
    Expr { kind, ty: cut.ingress.var(fields[i]).ty, at: Loc::default() }
}

fn ingress(cut: &Cut, fields: &[VarId]) -> Pipeline {
    let mut p = cut.ingress.clone();
    with_header(&mut p, cut, fields);
    let set = |field: usize, value: Expr| {
        at_nowhere(StmtKind::Set { place: Place::Field(HEADER, FieldId(field as u32)), value })
    };
    let hand_over = |action: ActionId| -> Option<Block> {
        let (number, port) = cut.sent_by(action)?;
        let mut body = vec![at_nowhere(StmtKind::Push(HEADER)), set(0, port.clone())];
        body.extend(fields.iter().enumerate().map(|(i, v)| set(i + 1, cut.value(*v, number))));
        body.push(at_nowhere(StmtKind::Verdict(Verdict::Forward(Expr::bits(HANDED_OVER.into(), 32)))));
        Some(body)
    };
    replace(&mut p.control, &mut |s| {
        if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = &mut s.kind {
            for arm in arms {
                arm.body = hand_over(arm.action).unwrap_or_else(|| std::mem::take(&mut arm.body));
            }
        }
        None
    });
    without_unused(&p)
}

fn egress(cut: &Cut, fields: &[VarId]) -> Pipeline {
    let mut p = cut.egress.clone();
    with_header(&mut p, cut, fields);
    let out = p.vars.len() as u32;
    let port = pipeline_ir::Var { name: "out".into(), ty: PORT, kind: VarKind::Local, at: Loc::default() };
    p.vars.push(port);
    let mut ops = vec![ParserOp::Extract { header: HEADER, at: Loc::default() }];
    let set = |var: VarId, value: Expr| ParserOp::Set { var, value, at: Loc::default() };
    let first = Expr { kind: ExprKind::Field(HEADER, FieldId(0)), ty: PORT, at: Loc::default() };
    ops.push(set(VarId(out), first));
    for (i, v) in fields.iter().enumerate() {
        p.vars[v.index()].kind = VarKind::Local;
        ops.push(set(*v, field(cut, i, fields)));
    }
    let (start, next) = (StateId(p.parser.states.len() as u32), Transition::To(p.parser.start));
    p.parser.states.push(State { name: BRIDGE.to_owned(), ops, next, at: Loc::default() });
    p.parser.start = start;
    replace(&mut p.control, &mut |s| {
        if let StmtKind::Verdict(Verdict::Forward(port)) = &mut s.kind {
            port.kind = ExprKind::Var(VarId(out));
        }
        None
    });
    p.control.insert(0, at_nowhere(StmtKind::Pop(HEADER)));
    p.control.push(at_nowhere(StmtKind::Verdict(Verdict::Pass)));
    without_unused(&p)
}
