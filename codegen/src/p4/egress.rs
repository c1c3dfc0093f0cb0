//! What is done after the last table, done in egress: it has stages of its own. A header of ours takes along what
//! the table's action has said.
//!
//! ```p4
//! // ingress                                   // egress
//! action ipip4(..) {                           if (h.bridge.arm == 1) {
//!     h.bridge.setValid();                         step = h.bridge.ipip4_mtu |-| ..
//!     h.bridge.ipip4_mtu = mtu;                    ..
//! }                                            }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use p4::ast::{Annotation, Block as P4Block, Decl, Expr as P4, Field, Stmt as P4Stmt, Type as P4Type};
use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type};
use pipeline_ir::stmt::{Arm, Block, Place, Stmt, StmtKind, Verdict, any, walk};
use pipeline_ir::{
    ActionId, HeaderId, Loc, Parser, ParserOp, Pipeline, State, Transition, Var, VarId, VarKind,
};

use super::expr::Scope;
use super::names::Names;
use super::taken::Taken;
use super::worlds::Worlds;
use crate::steps::{InSteps, early};

/// The header that takes values along.
pub(super) const BRIDGE: &str = "bridge";
/// Its field that says which action was chosen, from 1 on.
const ARM: &str = "arm";
const ARM_TYPE: Type = Type::Bits(8);
/// A port, as pipelines have it.
pub(super) const PORT: Type = Type::Bits(32);

/// A pipeline in two.
pub(super) struct Cut {
    /// What ingress does: the actions' arms only send the packet on.
    pub(super) ingress: Pipeline,
    /// What egress does, by the action.
    pub(super) egress: Pipeline,
    /// The actions whose arms run in egress, with the port; the number of each is its place, from 1 on.
    arms: Vec<(ActionId, Expr)>,
    /// Data of the actions that egress reads.
    pub(super) data: BTreeSet<VarId>,
    /// Other values that egress reads.
    others: BTreeSet<VarId>,
    /// Says which arm it is.
    arm: VarId,
    /// Of the other values, the port that the packet came in by, if the parser asks for it.
    port: Option<VarId>,
}

/// Cuts a pipeline behind its last table; none where the rest can't be done in egress.
pub(super) fn cut(p: &Pipeline, taken: &Taken, in_steps: Option<&InSteps>) -> Option<Cut> {
    let declared = in_steps.map_or(p.tables.len(), |s| s.declared);
    let mut last: Option<&[Arm]> = None;
    let mut pushes = false;
    walk(&p.control, &mut |s| {
        pushes |= matches!(s.kind, StmtKind::Push(_) | StmtKind::Pop(_)) && last.is_none();
        if let StmtKind::Apply { arms, table, .. } | StmtKind::Stay { arms, table, .. } = &s.kind
            && table.index() < declared
        {
            last = Some(arms);
        }
    });
    let moved: Vec<(&Arm, Expr)> = last?.iter().filter_map(|a| Some((a, leaves(&a.body)?))).collect();
    let bodies: Vec<Block> = moved.iter().map(|(a, _)| sent(&a.body)).collect();
    let mut ingress = p.clone();
    empty(&mut ingress.control, &moved);
    let mut outside = mentioned(&ingress.control);
    let pushes = pushes || any(&ingress.control, |s| matches!(s, StmtKind::Push(_) | StmtKind::Pop(_)));
    let mut inside: BTreeSet<VarId> = bodies.iter().flat_map(|b| mentioned(b)).collect();
    outside.extend(p.parser.states.iter().flat_map(|s| &s.ops).filter_map(|op| match op {
        ParserOp::Set { var, .. } | ParserOp::Lookahead { into: var, .. } => Some(*var),
        ParserOp::Extract { .. } => None,
    }));
    let sets = |v: &VarId| taken.values().flatten().any(|(set, _)| set == v);
    // Behind the last table nobody asks whether more is to be done: what arms say of it, they say to themselves.
    let own = in_steps.and_then(|s| s.over).filter(|over| !asked_behind(&ingress.control, declared, *over));
    inside.retain(|v| Some(*v) != own);
    let is_data = |v: &VarId| matches!(p.var(*v).kind, VarKind::Param(_)) || sets(v);
    let data: BTreeSet<VarId> = inside.iter().copied().filter(is_data).collect();
    let mut others: BTreeSet<VarId> =
        inside.intersection(&outside).copied().filter(|v| !is_data(v)).collect();
    let goes_along = |v: &VarId| data.contains(v) || others.contains(v);
    let writes = |s: &StmtKind| matches!(s.written(), Some(Place::Var(v)) if goes_along(&v));
    let fits = taken_bits(p, &data, &others).is_some() && !bodies.iter().any(|b| any(b, writes));
    if moved.is_empty() || pushes || !fits {
        return None;
    }
    let arm = VarId(p.vars.len() as u32);
    let mut egress = p.clone();
    egress.control = by_arm(arm, bodies);
    stop_early(&mut egress);
    for half in [&mut ingress, &mut egress] {
        half.vars.push(Var { name: ARM.into(), ty: ARM_TYPE, kind: VarKind::Meta, at: Loc::default() });
        others.iter().for_each(|v| half.vars[v.index()].kind = VarKind::Meta);
    }
    let port = asks_port(&mut egress.parser, VarId(arm.0 + 1));
    if let Some(port) = port {
        for half in [&mut ingress, &mut egress] {
            half.vars.push(Var { name: "port_in".into(), ty: PORT, kind: VarKind::Meta, at: Loc::default() });
        }
        others.insert(port);
    }
    let arms = moved.iter().map(|(a, port)| (a.action, port.clone())).collect();
    Some(Cut { ingress, egress, arms, data, others, arm, port })
}

/// Is a variable asked behind the last of the pipeline's `declared` tables?
fn asked_behind(control: &[Stmt], declared: usize, var: VarId) -> bool {
    let mut asked = false;
    walk(control, &mut |s| {
        if let StmtKind::Apply { table, .. } | StmtKind::Stay { table, .. } = &s.kind
            && table.index() < declared
        {
            asked = false;
        }
        asked |= s.kind.exprs().into_iter().any(|e| e.any(|e| e.kind == ExprKind::Var(var)));
    });
    asked
}

/// Lets the parser stop where no header follows that the control asks for or changes: what it leaves out is payload, before
/// which no header is put that leaves behind it.
fn stop_early(p: &mut Pipeline) {
    let (mut asked, mut pushed) = (BTreeSet::new(), BTreeSet::new());
    walk(&p.control, &mut |s| {
        s.kind.exprs().into_iter().for_each(|e| {
            e.walk(&mut |e| {
                if let ExprKind::Field(h, _) | ExprKind::Valid(h) = e.kind {
                    asked.insert(h);
                }
            });
        });
        match (&s.kind, s.kind.written()) {
            (StmtKind::Push(h) | StmtKind::Pop(h), _) => drop(pushed.insert(*h)),
            (_, Some(Place::Field(h, _))) => drop(asked.insert(h)),
            _ => {}
        }
    });
    asked.extend(&pushed);
    let extracts = |s: &State| s.ops.iter().filter_map(|op| op.extracts()).collect::<BTreeSet<_>>();
    let of: Vec<BTreeSet<HeaderId>> = p.parser.states.iter().map(extracts).collect();
    let mut useful: Vec<bool> = of.iter().map(|list| !list.is_disjoint(&asked)).collect();
    for _ in 0..of.len() {
        for (i, s) in p.parser.states.iter().enumerate() {
            useful[i] = useful[i] || s.next.to().any(|to| useful[to.index()]);
        }
    }
    let left = of.iter().zip(&useful).filter(|(_, useful)| !**useful).flat_map(|(list, _)| list);
    if left.min().zip(pushed.last()).is_some_and(|(left, pushed)| left < pushed) {
        return;
    }
    for s in &mut p.parser.states {
        match &mut s.next {
            Transition::To(to) if !useful[to.index()] => s.next = Transition::Accept,
            Transition::Select { cases, .. } => {
                cases.iter_mut().for_each(|c| c.to = c.to.filter(|to| useful[to.index()]));
                if cases.iter().all(|c| c.to.is_none()) {
                    s.next = Transition::Accept;
                }
            }
            _ => {}
        }
    }
}

/// Bits of all that is taken along; none where a flag is among it.
fn taken_bits(p: &Pipeline, data: &BTreeSet<VarId>, others: &BTreeSet<VarId>) -> Option<u32> {
    data.iter()
        .chain(others)
        .map(|v| match p.var(*v).ty {
            Type::Bits(bits) => Some(u32::from(bits)),
            Type::Bool => None,
        })
        .sum()
}

/// The port that an arm sends packets to, if nothing in it must be done in ingress.
fn leaves(body: &[Stmt]) -> Option<Expr> {
    let (mut works, mut free) = (false, true);
    let mut ports: Vec<Expr> = Vec::new();
    walk(body, &mut |s| match &s.kind {
        StmtKind::Set { .. } | StmtKind::Remember { .. } | StmtKind::Verdict(Verdict::Drop(_)) => {}
        StmtKind::If { .. } | StmtKind::Push(_) | StmtKind::Pop(_) | StmtKind::Checksum { .. } => {
            works = true;
        }
        StmtKind::Verdict(Verdict::Forward(port)) => ports.push(port.clone()),
        _ => free = false,
    });
    let builtin = |e: &Expr| matches!(e.kind, ExprKind::Builtin(_));
    walk(body, &mut |s| s.kind.exprs().into_iter().for_each(|e| e.walk(&mut |e| free &= !builtin(e))));
    let first = ports.first()?.clone();
    let data = matches!(first.kind, ExprKind::Var(_) | ExprKind::Const(_));
    (works && free && data && ports.iter().all(|p| super::same::exprs(p, &first))).then_some(first)
}

/// An arm's body in egress: where the packet goes has been said.
fn sent(body: &Block) -> Block {
    let mut body = body.clone();
    body.retain(|s| !matches!(s.kind, StmtKind::Remember { .. }));
    for s in &mut body {
        if let StmtKind::Verdict(Verdict::Forward(port)) = &mut s.kind {
            port.kind = ExprKind::Const(0);
        }
        s.kind.blocks_mut().into_iter().for_each(|inner| *inner = sent(inner));
    }
    body
}

/// Leaves nothing of the arms: their actions do the rest.
fn empty(block: &mut Block, moved: &[(&Arm, Expr)]) {
    for s in block {
        if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = &mut s.kind {
            arms.iter_mut()
                .filter(|arm| moved.iter().any(|(a, _)| a == arm))
                .for_each(|arm| arm.body.clear());
        }
        s.kind.blocks_mut().into_iter().for_each(|inner| empty(inner, moved));
    }
}

fn mentioned(block: &[Stmt]) -> BTreeSet<VarId> {
    let mut vars = BTreeSet::new();
    walk(block, &mut |s| vars.extend(early::mentioned(s)));
    vars
}

/// What each action's arm does, by its number.
fn by_arm(arm: VarId, bodies: Vec<Block>) -> Block {
    let mut rest = Block::new();
    for (i, body) in bodies.into_iter().enumerate().rev() {
        let at = body.first().map(|s| s.at).unwrap_or_default();
        let arm = Expr { kind: ExprKind::Var(arm), ty: ARM_TYPE, at };
        let number = Expr { kind: ExprKind::Const(i as u128 + 1), ty: ARM_TYPE, at };
        let cond = ExprKind::Binary(BinOp::Eq, Box::new(arm), Box::new(number));
        let cond = Expr { kind: cond, ty: Type::Bool, at };
        rest = vec![Stmt { kind: StmtKind::If { cond, then: body, otherwise: rest }, at }];
    }
    rest
}

/// Lets the parser ask `var` for the port that the packet came in by, if it does.
fn asks_port(parser: &mut Parser, var: VarId) -> Option<VarId> {
    let mut asks = false;
    let mut put = |e: &mut Expr| {
        e.walk_mut(&mut |e| {
            if e.kind == ExprKind::Builtin(Builtin::IngressPort) {
                (e.kind, asks) = (ExprKind::Var(var), true);
            }
        });
    };
    for s in &mut parser.states {
        for op in &mut s.ops {
            if let ParserOp::Set { value, .. } = op {
                put(value);
            }
        }
        if let Transition::Select { on, .. } = &mut s.next {
            on.iter_mut().for_each(&mut put);
        }
    }
    asks.then_some(var)
}

impl Cut {
    /// All that goes along.
    pub(super) fn carried(&self) -> impl Iterator<Item = VarId> + '_ {
        self.data.iter().chain(&self.others).copied().chain([self.arm])
    }

    /// The number of an action whose arm runs in egress, and the port that it sends to.
    pub(super) fn sent_by(&self, action: ActionId) -> Option<(u32, &Expr)> {
        let at = self.arms.iter().position(|(a, _)| *a == action)?;
        Some((at as u32 + 1, &self.arms[at].1))
    }

    /// What a variable goes along as, from the action of this number.
    pub(super) fn value(&self, var: VarId, number: u32) -> Expr {
        let ty = self.ingress.var(var).ty;
        let kind = match var {
            _ if var == self.arm => ExprKind::Const(number.into()),
            _ if self.port == Some(var) => ExprKind::Builtin(Builtin::IngressPort),
            _ => ExprKind::Var(var),
        };
        Expr { kind, ty, at: Loc::default() }
    }

    /// The fields that actions write; in egress all fields.
    pub(super) fn fields(&self, names: &Names, egress: bool) -> BTreeMap<VarId, String> {
        let others = self.others.iter().copied().chain([self.arm]).filter(|_| egress);
        self.data.iter().copied().chain(others).map(|v| (v, names.vars[v.index()].clone())).collect()
    }

    /// Does this action's arm run in egress?
    pub(super) fn moves(&self, action: ActionId) -> bool {
        self.arms.iter().any(|(a, _)| *a == action)
    }

    /// What an action does to hand the packet over, if it does; `s` is inside of it.
    pub(super) fn hand_over(&self, action: ActionId, s: Scope<'_>) -> Option<P4Block> {
        let number = self.arms.iter().position(|(a, _)| *a == action)?;
        let bridge = || P4::name("h").member(BRIDGE);
        let field = |v: VarId| bridge().member(s.names.vars[v.index()].clone());
        let mut out = vec![P4Stmt::call(bridge().method0("setValid"))];
        out.push(P4Stmt::assign(field(self.arm), number as u32 + 1));
        out.extend(self.others.iter().map(|v| {
            let port = || s.ingress_port().cast(P4Type::bit(PORT.width().into()));
            P4Stmt::assign(field(*v), if self.port == Some(*v) { port() } else { s.var(*v) })
        }));
        out.push(s.style.arch.send(s.port(&self.arms[number].1, &Worlds::any())));
        Some(out)
    }

    /// The header's type.
    pub(super) fn header(&self, names: &Names) -> Decl {
        let all = self.fields(names, true);
        let bits = |v: &VarId| u32::from(self.ingress.var(*v).ty.width());
        let mut fields: Vec<Field> =
            all.iter().map(|(v, name)| Field::new(P4Type::bit(bits(v)), name.clone())).collect();
        let rest = all.keys().map(bits).sum::<u32>() % 8;
        if rest > 0 {
            let pad = Field::new(P4Type::bit(8 - rest), "padding");
            fields.push(pad.annotate(Annotation::new("padding")));
        }
        Decl::header("bridge_t", fields).note("What ingress tells egress.")
    }
}
