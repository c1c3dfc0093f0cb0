//! Parser, statements, expressions.

use super::{Text, var};
use crate::expr::{BinOp, Builtin, Expr, ExprKind, UnOp};
use crate::stmt::{Arm, HashAlgorithm, Place, Stmt, StmtKind, Verdict};
use crate::{FieldId, HeaderId, ParserOp, Pattern, Pipeline, StateId, Transition};

impl Text<'_> {
    pub(super) fn parser(&mut self) {
        let p = self.p;
        let name = |id: Option<StateId>| {
            id.and_then(|id| p.parser.states.get(id.index())).map_or("accept", |s| s.name.as_str())
        };
        self.line(format!("parser from {}", name(Some(p.parser.start))));
        for state in &p.parser.states {
            self.line(format!("state {}", state.name));
            self.inside(|s| {
                state.ops.iter().for_each(|op| s.parser_op(op));
                match &state.next {
                    Transition::Accept => s.line("accept"),
                    Transition::To(to) => s.line(format!("go {}", name(Some(*to)))),
                    Transition::Select { on, cases, .. } => {
                        s.line(format!("select {}", exprs(p, on)));
                        for case in cases {
                            let patterns = case.patterns.iter().map(|p| pattern(*p)).collect::<Vec<_>>();
                            s.inside(|s| s.line(format!("{} => {}", patterns.join(", "), name(case.to))));
                        }
                    }
                }
            });
        }
    }

    fn parser_op(&mut self, op: &ParserOp) {
        let p = self.p;
        self.line(match op {
            ParserOp::Extract { header, .. } => format!("extract {}", p.headers[header.index()].name),
            ParserOp::Lookahead { into, offset, .. } => {
                format!("{} = lookahead {} at +{offset}", var(p, *into), p.var(*into).ty)
            }
            ParserOp::Set { var: to, value, .. } => format!("{} = {}", var(p, *to), expr(p, value)),
        });
    }

    pub(super) fn block(&mut self, block: &[Stmt]) {
        self.inside(|s| block.iter().for_each(|stmt| s.stmt(&stmt.kind)));
    }

    fn arms(&mut self, arms: &[Arm]) {
        for arm in arms {
            let name = &self.p.actions[arm.action.index()].name;
            self.inside(|s| {
                s.line(format!("on {name}"));
                s.block(&arm.body);
            });
        }
    }

    fn stmt(&mut self, kind: &StmtKind) {
        let p = self.p;
        let header = |h: &HeaderId| &p.headers[h.index()].name;
        match kind {
            StmtKind::If { cond, then, otherwise } => {
                self.line(format!("if {}", expr(p, cond)));
                self.block(then);
                if !otherwise.is_empty() {
                    self.line("else");
                    self.block(otherwise);
                }
            }
            StmtKind::Apply { table, key, arms } => {
                self.line(format!("apply {}({})", p.tables[table.index()].name, exprs(p, key)));
                self.arms(arms);
            }
            StmtKind::Stay { cursor, id, select, table, arms } => {
                let (flow, table) = (&p.cursors[cursor.index()].name, &p.tables[table.index()].name);
                self.line(format!("stay {flow} by {table}({}) or", var(p, *id)));
                self.inside(|s| {
                    s.line("select");
                    s.block(select);
                });
                self.arms(arms);
            }
            StmtKind::Set { place, value } => self.line(format!("{} = {}", to(p, *place), expr(p, value))),
            StmtKind::Push(h) => self.line(format!("push {}", header(h))),
            StmtKind::Pop(h) => self.line(format!("pop {}", header(h))),
            StmtKind::Hash { into, algorithm, key, data } => {
                let name = match algorithm {
                    HashAlgorithm::Crc32 => "crc32",
                    HashAlgorithm::HalfSipHash => "halfsiphash",
                };
                let (key, data) = (expr(p, key), exprs(p, data));
                self.line(format!("{} = {name} key {key} over ({data})", var(p, *into)));
            }
            StmtKind::Checksum { place, data } => {
                self.line(format!("{} = internet_checksum({})", to(p, *place), exprs(p, data)));
            }
            StmtKind::Adjust { place, old, new } => {
                self.line(format!("adjust {} from {} to {}", to(p, *place), expr(p, old), expr(p, new)));
            }
            StmtKind::Count { counter, index } => {
                self.line(format!("count {}[{}]", p.counters[counter.index()].name, expr(p, index)));
            }
            StmtKind::Limit { limiter, into } => {
                self.line(format!("{} = allow {}", var(p, *into), p.limiters[limiter.index()].name));
            }
            StmtKind::Find { .. } | StmtKind::Remember { .. } | StmtKind::Select { .. } => self.flow(kind),
            StmtKind::Truncate { bytes } => self.line(format!("truncate {bytes}")),
            StmtKind::Verdict(Verdict::Forward(port)) => self.line(format!("forward {}", expr(p, port))),
            StmtKind::Verdict(Verdict::Pass) => self.line("pass"),
            StmtKind::Verdict(Verdict::Drop(r)) => self.line(format!("drop {}", p.reasons[r.index()].name)),
        }
    }

    fn flow(&mut self, kind: &StmtKind) {
        let p = self.p;
        match kind {
            StmtKind::Find { cursor, table, key, hash, event, class } => {
                let (flow, table) = (&p.cursors[cursor.index()].name, &p.flow_tables[table.index()].name);
                self.line(format!("{flow} = find {table}({})", exprs(p, key)));
                let rest = [("hash", hash), ("event", event), ("class", class)];
                self.inside(|s| rest.iter().for_each(|(n, e)| s.line(format!("{n} {}", expr(p, e)))));
            }
            StmtKind::Remember { cursor, id } => {
                self.line(format!("remember {} as {}", p.cursors[cursor.index()].name, var(p, *id)));
            }
            StmtKind::Select { ring, pool, hash, into } => {
                let (pool, hash) = (expr(p, pool), expr(p, hash));
                let ring = &p.rings[ring.index()].name;
                self.line(format!("{} = select {ring} pool {pool} hash {hash}", var(p, *into)));
            }
            _ => {}
        }
    }
}

fn pattern(pattern: Pattern) -> String {
    match pattern {
        Pattern::Any => "_".to_owned(),
        Pattern::Value(v) => format!("{v:#x}"),
        Pattern::Range { low, high } => format!("{low:#x}..={high:#x}"),
        Pattern::Mask { value, mask } => format!("{value:#x} & {mask:#x}"),
    }
}

fn field(p: &Pipeline, header: HeaderId, field: FieldId) -> String {
    format!("{}.{}", p.headers[header.index()].name, p.field(header, field).name)
}

fn to(p: &Pipeline, place: Place) -> String {
    match place {
        Place::Var(v) => var(p, v),
        Place::Field(h, f) => field(p, h, f),
    }
}

fn exprs(p: &Pipeline, list: &[Expr]) -> String {
    list.iter().map(|e| expr(p, e)).collect::<Vec<_>>().join(", ")
}

pub(super) fn expr(p: &Pipeline, e: &Expr) -> String {
    match &e.kind {
        ExprKind::Const(v) => format!("{}w{v:#x}", e.ty.width()),
        ExprKind::Bool(b) => b.to_string(),
        ExprKind::Field(h, f) => field(p, *h, *f),
        ExprKind::Var(v) => var(p, *v),
        ExprKind::Valid(h) => format!("{}.valid", p.headers[h.index()].name),
        ExprKind::Builtin(Builtin::IngressPort) => "INGRESS_PORT".to_owned(),
        ExprKind::Builtin(Builtin::FrameLength) => "FRAME_LENGTH".to_owned(),
        ExprKind::Unary(UnOp::Not, a) => format!("!{}", expr(p, a)),
        ExprKind::Unary(UnOp::BitNot, a) => format!("~{}", expr(p, a)),
        ExprKind::Binary(op, a, b) => format!("({} {} {})", expr(p, a), operator(*op), expr(p, b)),
        ExprKind::Slice { of, hi, lo } => format!("{}[{hi}:{lo}]", expr(p, of)),
        ExprKind::Cast(a) => format!("({} as {})", expr(p, a), e.ty),
        ExprKind::Mux(c, a, b) => format!("({} ? {} : {})", expr(p, c), expr(p, a), expr(p, b)),
    }
}

fn operator(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::BitAnd => "&",
        BinOp::BitOr => "|",
        BinOp::BitXor => "^",
        BinOp::Shl => "<<",
        BinOp::Shr => ">>",
        BinOp::Concat => "++",
        BinOp::Eq => "==",
        BinOp::Ne => "!=",
        BinOp::Lt => "<",
        BinOp::Le => "<=",
        BinOp::Gt => ">",
        BinOp::Ge => ">=",
        BinOp::And => "&&",
        BinOp::Or => "||",
    }
}
