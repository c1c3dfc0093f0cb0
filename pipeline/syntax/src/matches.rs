//! `match`: on a table's action, and on numbers.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Arm, Block, Place, StmtKind};
use pipeline_ir::{ActionId, Pattern, TableId, VarId};
use syn::{Expr as Syn, ExprMatch, ExprMethodCall, Pat};

use crate::control::{Branch, Mode};
use crate::lower::{Lower, ObjectId, Thing, Val};
use crate::{fold, names};

impl Lower<'_> {
    /// A `match`, for what it is there for.
    pub(crate) fn branch_match(&mut self, m: &ExprMatch, mode: Mode) -> Val {
        match &*m.expr {
            Syn::MethodCall(call) if call.method == "apply" => self.match_apply(m, call, mode),
            Syn::MethodCall(call) if call.method == "stay_or" => self.match_stay(m, call, mode),
            _ => self.match_numbers(m, mode),
        }
    }

    fn table(&mut self, call: &ExprMethodCall) -> Option<TableId> {
        match self.receiver(&call.receiver, "table")? {
            ObjectId::Table(t) => Some(t),
            _ => {
                let message = format!("`{}` is a method of a table", call.method);
                self.error(Code::Mismatch, &call.receiver, message, "name a table");
                None
            }
        }
    }

    fn match_apply(&mut self, m: &ExprMatch, call: &ExprMethodCall, mode: Mode) -> Val {
        let Some(table) = self.table(call) else { return Val::Bad };
        let key = self.apply_key(table, call);
        let (arms, value) = self.arms(m, table, mode);
        let Some(key) = key else { return Val::Bad };
        let at = self.at(call);
        self.emit(StmtKind::Apply { table, key, arms }, at);
        value
    }

    /// `TABLE.apply(key);`: the actions do nothing here.
    pub(crate) fn apply_alone(&mut self, call: &ExprMethodCall) {
        let Some(table) = self.table(call) else { return };
        let Some(key) = self.apply_key(table, call) else { return };
        let at = self.at(call);
        let actions = self.p.tables[table.index()].actions.clone();
        let arms = actions.into_iter().map(|action| Arm { action, body: Block::new(), at }).collect();
        self.emit(StmtKind::Apply { table, key, arms }, at);
    }

    fn apply_key(&mut self, table: TableId, call: &ExprMethodCall) -> Option<Vec<Expr>> {
        let args: Vec<&Syn> = call.args.iter().collect();
        let name = self.table_keys[table.index()].clone();
        let [key] = args.as_slice() else {
            let help = format!("write `apply({name} {{ .. }})`");
            self.syntax(call, "`apply` takes a key", &help);
            return None;
        };
        self.key(key, &name)
    }

    /// A key of this struct: a literal, or a variable bound to one.
    pub(crate) fn key(&mut self, e: &Syn, wanted: &str) -> Option<Vec<Expr>> {
        let thing = match self.key_literal(e) {
            Some(thing) => thing,
            None if matches!(e, Syn::Path(_) | Syn::Paren(_) | Syn::Reference(_)) => self.thing(e),
            None => Thing::Value(Val::Bad),
        };
        match thing {
            Thing::Key { ty, fields } if ty == wanted => Some(fields),
            Thing::Bad => None,
            _ => {
                let message = format!("a `{wanted}` is needed here");
                self.error(Code::Mismatch, e, message, format!("write `{wanted} {{ .. }}` with every field"));
                None
            }
        }
    }

    /// A literal of a key struct; `None` where it is none.
    pub(crate) fn key_literal(&mut self, e: &Syn) -> Option<Thing> {
        let Syn::Struct(literal) = e else { return None };
        let name = literal.path.segments.last()?.ident.to_string();
        let table = self.table_keys.iter().position(|k| *k == name);
        let flow = self.flow_keys.iter().position(|k| *k == name);
        let fields: Vec<(String, u8)> = match (table, flow) {
            (Some(t), _) => self.p.tables[t].keys.iter().map(|k| (k.name.clone(), k.width)).collect(),
            (None, Some(f)) => self.p.flow_tables[f].keys.iter().map(|k| (k.name.clone(), k.width)).collect(),
            // Its table was refused, which is told where it stands.
            (None, None) if self.lacks_objects() && self.source.structure(&name).is_some() => {
                return Some(Thing::Bad);
            }
            (None, None) => {
                let known: Vec<String> = self.table_keys.iter().chain(&self.flow_keys).cloned().collect();
                let known = known.iter().map(String::as_str);
                let help =
                    names::suggest(&name, known, "keys are the structs that tables and flow tables name");
                self.error(Code::Unknown, &literal.path, format!("no table has a key `{name}`"), help);
                return Some(Thing::Bad);
            }
        };
        match self.literal_fields(literal, &fields) {
            Some(fields) => Some(Thing::Key { ty: name, fields }),
            None => Some(Thing::Bad),
        }
    }

    /// The arms of a table's actions.
    fn arms(&mut self, m: &ExprMatch, table: TableId, mode: Mode) -> (Vec<Arm>, Val) {
        let mut heads = Vec::new();
        let mut branches = Vec::new();
        let mut mode = mode;
        for arm in &m.arms {
            if let Some((_, guard)) = &arm.guard {
                self.syntax(guard, "arms have no conditions", "use `if` inside the arm");
            }
            let at = self.at(&arm.pat);
            let taken: Vec<ActionId> = heads.iter().map(|(a, _)| *a).collect();
            for (action, names) in self.action_pattern(&arm.pat, table, &taken) {
                let (block, value) = self.collect(|l| {
                    l.scoped(|l| {
                        for (name, var) in names {
                            l.bind(name, Thing::Place { place: Place::Var(var), mutable: false });
                        }
                        l.run(&arm.body, mode)
                    })
                });
                if let (Mode::Value(None, dest), Val::Expr(e)) = (mode, &value) {
                    mode = Mode::Value(Some(e.ty), dest);
                }
                heads.push((action, at));
                branches.push(Branch { block, value, node: &arm.body });
            }
        }
        let value = match mode {
            Mode::Value(want, dest) => self.join(&mut branches, want, dest, &m.match_token),
            _ => Val::Never,
        };
        let arms = heads
            .into_iter()
            .zip(branches)
            .map(|((action, at), b)| Arm { action, body: b.block, at })
            .collect();
        (arms, value)
    }

    /// The actions that a pattern names, each with the names it binds.
    fn action_pattern(
        &mut self,
        pat: &Pat,
        table: TableId,
        taken: &[ActionId],
    ) -> Vec<(ActionId, Vec<(String, VarId)>)> {
        match pat {
            Pat::Wild(_) => {
                let all = &self.p.tables[table.index()].actions;
                all.iter().filter(|a| !taken.contains(a)).map(|a| (*a, Vec::new())).collect()
            }
            Pat::Paren(p) => self.action_pattern(&p.pat, table, taken),
            Pat::Or(or) => or.cases.iter().flat_map(|c| self.action_pattern(c, table, taken)).collect(),
            Pat::Ident(i) if i.subpat.is_none() && i.by_ref.is_none() => {
                let path = i.ident.clone().into();
                self.named_action(&path, table)
                    .map(|a| (a, self.bindings(a, &[], pat, false)))
                    .into_iter()
                    .collect()
            }
            Pat::Path(p) => self
                .named_action(&p.path, table)
                .map(|a| (a, self.bindings(a, &[], pat, false)))
                .into_iter()
                .collect(),
            Pat::Struct(s) => {
                let fields: Vec<&syn::FieldPat> = s.fields.iter().collect();
                self.named_action(&s.path, table)
                    .map(|a| (a, self.bindings(a, &fields, pat, s.rest.is_some())))
                    .into_iter()
                    .collect()
            }
            _ => {
                self.syntax(
                    pat,
                    "this pattern is not known",
                    "arms are actions: `Action { parameter, .. } => ...`",
                );
                Vec::new()
            }
        }
    }

    pub(crate) fn named_action(&mut self, path: &syn::Path, table: TableId) -> Option<ActionId> {
        let name = path.segments.last()?.ident.to_string();
        let own = self.p.tables[table.index()].actions.clone();
        let found = self.actions.iter().find(|(_, variant, id)| *variant == name && own.contains(id));
        if let Some((_, _, id)) = found {
            return Some(*id);
        }
        let known: Vec<String> =
            self.actions.iter().filter(|(_, _, id)| own.contains(id)).map(|(_, v, _)| v.clone()).collect();
        let known = known.iter().map(String::as_str);
        let otherwise = format!("its actions are {}", names::list(known.clone()));
        let help = names::suggest(&name, known, &otherwise);
        let table = self.p.tables[table.index()].name.clone();
        self.error(Code::Arms, path, format!("table `{table}` has no action `{name}`"), help);
        None
    }

    fn bindings(
        &mut self,
        action: ActionId,
        fields: &[&syn::FieldPat],
        pat: &Pat,
        rest: bool,
    ) -> Vec<(String, VarId)> {
        let params: Vec<(String, VarId)> =
            self.p.actions[action.index()].params.iter().map(|v| (self.p.var(*v).name.clone(), *v)).collect();
        let mut bound = Vec::new();
        let mut named = Vec::new();
        for f in fields {
            let syn::Member::Named(member) = &f.member else { continue };
            let name = names::snake_case(&member.to_string());
            let Some((_, var)) = params.iter().find(|(n, _)| *n == name) else {
                let known = params.iter().map(|(n, _)| n.as_str());
                let otherwise = format!("its parameters: {}", names::list(known.clone()));
                let help = names::suggest(&name, known, &otherwise);
                self.error(Code::Unknown, member, format!("the action has no parameter `{name}`"), help);
                continue;
            };
            named.push(name);
            match &*f.pat {
                Pat::Ident(i) if i.subpat.is_none() && i.by_ref.is_none() => {
                    bound.push((i.ident.to_string(), *var));
                }
                Pat::Wild(_) => {}
                other => self.syntax(other, "a parameter is bound to a name", "compare it inside the arm"),
            }
        }
        let absent = params.iter().map(|(n, _)| n.as_str()).filter(|n| !named.iter().any(|m| m == n));
        let absent: Vec<&str> = absent.collect();
        if !rest && !absent.is_empty() {
            let message = format!("the pattern leaves out {}", names::list(absent.iter().copied()));
            self.error(Code::Arms, pat, message, "add `..`");
        }
        bound
    }

    fn match_stay(&mut self, m: &ExprMatch, call: &ExprMethodCall, mode: Mode) -> Val {
        let Some(table) = self.table(call) else { return Val::Bad };
        let args: Vec<&Syn> = call.args.iter().collect();
        let [flow, Syn::Closure(select)] = args.as_slice() else {
            self.syntax(
                call,
                "`stay_or` takes a flow and what selects anew",
                "write `TABLE.stay_or(flow, || RING.select(pool, hash))`",
            );
            return Val::Bad;
        };
        let cursor = match self.thing(flow) {
            Thing::Flow(c) => Some(c),
            Thing::Bad => None,
            _ => {
                self.error(
                    Code::FlowUse,
                    flow,
                    "this is not a flow",
                    "bind one: `let flow = FLOWS.find(..);`",
                );
                None
            }
        };
        let keys: Vec<(String, u8)> =
            self.p.tables[table.index()].keys.iter().map(|k| (k.name.clone(), k.width)).collect();
        let [(name, width)] = keys.as_slice() else {
            let name = self.p.tables[table.index()].name.clone();
            let message =
                format!("`stay_or` looks an id up, but the key of `{name}` has {} fields", keys.len());
            self.error(Code::TableShape, &call.receiver, message, "use a table with one key field");
            return Val::Bad;
        };
        let at = self.at(call);
        let id = self.local(name, Type::Bits(*width), at);
        let select = self.stay_select(select, id, *width);
        if let Some(c) = cursor {
            self.cursor_ids[c.index()] = Some(id);
        }
        let (arms, value) = self.arms(m, table, mode);
        let Some(cursor) = cursor else { return Val::Bad };
        self.emit(StmtKind::Stay { cursor, id, select, table, arms }, at);
        value
    }

    fn stay_select(&mut self, select: &syn::ExprClosure, id: VarId, width: u8) -> Block {
        if !select.inputs.is_empty() {
            self.syntax(select, "what selects anew takes nothing", "write `|| RING.select(pool, hash)`");
        }
        let (mut block, value) = self.collect(|l| l.value(&select.body, Some(Type::Bits(width)), Some(id)));
        if !matches!(value, Val::Never)
            && let Some(value) = self.coerce(value, Type::Bits(width), &select.body)
            && value.kind != ExprKind::Var(id)
        {
            let at = value.at;
            let kind = StmtKind::Set { place: Place::Var(id), value };
            block.push(pipeline_ir::stmt::Stmt { kind, at });
        }
        block
    }

    /// `flow.remember()`.
    pub(crate) fn remember(&mut self, m: &ExprMethodCall) {
        let cursor = match self.thing(&m.receiver) {
            Thing::Flow(c) => c,
            Thing::Bad => return,
            _ => {
                return self.error(
                    Code::FlowUse,
                    &m.receiver,
                    "this is not a flow",
                    "bind one: `let flow = FLOWS.find(..);`",
                );
            }
        };
        let Some(id) = self.cursor_ids[cursor.index()] else {
            return self.error(
                Code::FlowUse,
                m,
                "a flow is remembered before `stay_or` gave it an id",
                "call it in an arm of `match TABLE.stay_or(flow, ..)`",
            );
        };
        let at = self.at(m);
        self.emit(StmtKind::Remember { cursor, id }, at);
    }

    /// What fills a flow: `Flow::none()` or `FLOWS.find(..)`.
    pub(crate) fn flow(&mut self, e: &Syn, cursor: pipeline_ir::CursorId) {
        match e {
            Syn::Call(c) => match &*c.func {
                Syn::Path(p) if p.path.segments.len() == 2 && p.path.segments[0].ident == "Flow" => {
                    if p.path.segments[1].ident != "none" || !c.args.is_empty() {
                        self.error(Code::Unknown, c, "`Flow` has only `none`", "write `Flow::none()`");
                    }
                }
                _ => {
                    self.call(c, Mode::Flow(cursor));
                }
            },
            Syn::MethodCall(m) if m.method == "find" => self.find(m, cursor),
            _ => self.error(
                Code::Mismatch,
                e,
                "a flow is needed here",
                "write `Flow::none()` or `FLOWS.find(key, hash, event, class)`",
            ),
        }
    }

    fn find(&mut self, m: &ExprMethodCall, cursor: pipeline_ir::CursorId) {
        let table = match self.receiver(&m.receiver, "flow table") {
            Some(ObjectId::Flow(t)) => t,
            Some(_) => {
                return self.error(
                    Code::Mismatch,
                    &m.receiver,
                    "`find` is a method of a flow table",
                    "name a flow table",
                );
            }
            None => return,
        };
        let args: Vec<&Syn> = m.args.iter().collect();
        let [key, hash, event, class] = args.as_slice() else {
            let help = "write `FLOWS.find(key, hash, event::DATA, class)`";
            return self.syntax(m, "`find` takes a key, a hash, an event and a time-out class", help);
        };
        let name = self.flow_keys[table.index()].clone();
        let key = self.key(key, &name);
        let hash = self.operand(hash, Type::Bits(32));
        let event = self.operand(event, Type::Bits(pipeline_ir::stmt::event::WIDTH));
        let class = self.operand(class, Type::Bits(pipeline_ir::flow::CLASS_BITS));
        let (Some(key), Some(hash), Some(event), Some(class)) = (key, hash, event, class) else { return };
        let at = self.at(m);
        self.emit(StmtKind::Find { cursor, table, key, hash, event, class }, at);
    }

    /// A `match` on numbers: a chain of `if`s.
    fn match_numbers(&mut self, m: &ExprMatch, mode: Mode) -> Val {
        let subjects: Vec<&Syn> = match &*m.expr {
            Syn::Tuple(t) => t.elems.iter().collect(),
            one => vec![one],
        };
        let mut on = Vec::new();
        for s in subjects {
            let Some(e) = self.sized(s, "match on a field or a variable") else { return Val::Bad };
            let plain = matches!(
                e.kind,
                ExprKind::Field(..) | ExprKind::Var(_) | ExprKind::Valid(_) | ExprKind::Builtin(_)
            );
            on.push(if plain { e } else { self.kept(e, "matched") });
        }
        let mut conditions = Vec::new();
        let mut branches = Vec::new();
        let mut mode = mode;
        for arm in &m.arms {
            if let Some((_, guard)) = &arm.guard {
                self.syntax(guard, "arms have no conditions", "use `if` inside the arm");
            }
            let cond = self.condition(&arm.pat, &on);
            let (block, value) = self.collect(|l| l.scoped(|l| l.run(&arm.body, mode)));
            if let (Mode::Value(None, dest), Val::Expr(e)) = (mode, &value) {
                mode = Mode::Value(Some(e.ty), dest);
            }
            let Some(cond) = cond else { return Val::Bad };
            let always = cond.is_none();
            conditions.push(cond);
            branches.push(Branch { block, value, node: &arm.body });
            if always {
                break;
            }
        }
        if !matches!(conditions.last(), Some(None)) {
            let message = "this `match` has no arm for the other values";
            self.error(Code::Missing, &m.match_token, message, "add `_ => ...` as the last arm");
            return Val::Bad;
        }
        let value = match mode {
            Mode::Value(want, dest) => self.join(&mut branches, want, dest, &m.match_token),
            _ => Val::Never,
        };
        let at = self.at(&m.match_token);
        let mut chain = Block::new();
        for (cond, branch) in conditions.into_iter().zip(branches).rev() {
            chain = match cond {
                None => branch.block,
                Some(cond) => {
                    let kind = StmtKind::If { cond, then: branch.block, otherwise: chain };
                    vec![pipeline_ir::stmt::Stmt { kind, at }]
                }
            };
        }
        self.out.append(&mut chain);
        value
    }

    /// When does this pattern match? The outer `None`: an error was reported; the inner: always.
    fn condition(&mut self, pat: &Pat, on: &[Expr]) -> Option<Option<Expr>> {
        if matches!(pat, Pat::Wild(_)) {
            return Some(None);
        }
        let rows = self.rows(pat, &on.iter().map(|e| e.ty).collect::<Vec<_>>())?;
        let at = self.at(pat);
        let mut any: Option<Expr> = None;
        for row in rows {
            let mut all: Option<Expr> = None;
            for (e, pattern) in on.iter().zip(row) {
                let Some(test) = test(e, pattern, at) else { continue };
                all = Some(match all {
                    None => test,
                    Some(before) => fold::binary(BinOp::And, before, test, Type::Bool, at),
                });
            }
            let Some(all) = all else { return Some(None) };
            any = Some(match any {
                None => all,
                Some(before) => fold::binary(BinOp::Or, before, all, Type::Bool, at),
            });
        }
        Some(any)
    }
}

/// Does the value match? `None`: always.
fn test(e: &Expr, pattern: Pattern, at: pipeline_ir::Loc) -> Option<Expr> {
    let width = e.ty.width();
    let constant = |n| Expr { at, ..Expr::bits(n, width) };
    let compare = |op, a: Expr, n| fold::binary(op, a, constant(n), Type::Bool, at);
    match (pattern, e.ty) {
        (Pattern::Any, _) => None,
        (Pattern::Value(0), Type::Bool) => Some(fold::unary(UnOp::Not, e.clone(), at)),
        (_, Type::Bool) => Some(e.clone()),
        (Pattern::Value(n), _) => Some(compare(BinOp::Eq, e.clone(), n)),
        (Pattern::Range { low, high }, _) => {
            let below = compare(BinOp::Le, e.clone(), high);
            if low == 0 {
                return Some(below);
            }
            Some(fold::binary(BinOp::And, compare(BinOp::Ge, e.clone(), low), below, Type::Bool, at))
        }
        (Pattern::Mask { value, mask }, ty) => {
            let masked = fold::binary(BinOp::BitAnd, e.clone(), constant(mask), ty, at);
            Some(compare(BinOp::Eq, masked, value & mask))
        }
    }
}
