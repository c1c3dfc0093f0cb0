//! Control flow: `if`, `match` and blocks, as statements, verdicts, values and flows.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{Block, Place, Stmt, StmtKind};
use pipeline_ir::{CursorId, VarId};
use syn::Expr as Syn;

use crate::lower::{Lower, Val};

/// What a piece of control flow is there for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// A statement.
    Unit,
    /// It ends in a verdict.
    Verdict,
    /// It fills a flow.
    Flow(CursorId),
    /// It gives a value, of the type that the context wants, if it can in this variable.
    Value(Option<Type>, Option<VarId>),
}

/// One way through an `if` or a `match`: what it does, what it gives, and where that stands.
pub(crate) struct Branch<'e> {
    pub(crate) block: Block,
    pub(crate) value: Val,
    pub(crate) node: &'e Syn,
}

impl Lower<'_> {
    /// Translates an expression for what it is there for.
    pub(crate) fn run(&mut self, e: &Syn, mode: Mode) -> Val {
        if self.is_too_long(e) {
            return Val::Bad;
        }
        match (e, mode) {
            (_, Mode::Value(want, dest)) => return self.value(e, want, dest),
            (Syn::Paren(p), _) => return self.run(&p.expr, mode),
            (Syn::If(i), _) => return self.branch_if(i, mode),
            (Syn::Match(m), _) => return self.branch_match(m, mode),
            (Syn::Block(b), _) => return self.block(&b.block, mode),
            (Syn::Return(r), _) => self.returned(r),
            (_, Mode::Unit) => self.unit(e),
            (_, Mode::Verdict) => self.verdict(e),
            (_, Mode::Flow(cursor)) => self.flow(e, cursor),
        }
        Val::Never
    }

    /// A block with names of its own.
    pub(crate) fn block(&mut self, block: &syn::Block, mode: Mode) -> Val {
        self.scoped(|l| l.open_block(block, mode))
    }

    /// A block whose names stay in force.
    pub(crate) fn open_block(&mut self, block: &syn::Block, mode: Mode) -> Val {
        for (i, stmt) in block.stmts.iter().enumerate() {
            let next = block.stmts.get(i + 1);
            match (stmt, next) {
                (syn::Stmt::Expr(e, None), None) => return self.run(e, mode),
                _ => self.statement(stmt, next),
            }
        }
        match (mode, block.stmts.last()) {
            (Mode::Value(..) | Mode::Flow(_), Some(syn::Stmt::Expr(Syn::Return(_), _)))
            | (Mode::Unit | Mode::Verdict, _) => Val::Never,
            (Mode::Value(..) | Mode::Flow(_), _) => {
                self.error(
                    Code::Mismatch,
                    block,
                    "this block gives no value",
                    "end it with the value, without a semicolon",
                );
                Val::Bad
            }
        }
    }

    /// A block as a value.
    pub(crate) fn block_value(&mut self, block: &syn::Block, want: Option<Type>, dest: Option<VarId>) -> Val {
        self.block(block, Mode::Value(want, dest))
    }

    /// An `if` as a value.
    pub(crate) fn if_value(&mut self, i: &syn::ExprIf, want: Option<Type>, dest: Option<VarId>) -> Val {
        self.branch_if(i, Mode::Value(want, dest))
    }

    /// A `match` as a value.
    pub(crate) fn match_value(&mut self, m: &syn::ExprMatch, want: Option<Type>, dest: Option<VarId>) -> Val {
        self.branch_match(m, Mode::Value(want, dest))
    }

    fn branch_if(&mut self, i: &syn::ExprIf, mode: Mode) -> Val {
        let cond = self.operand(&i.cond, Type::Bool);
        let (then, value) = self.collect(|l| l.block(&i.then_branch, mode));
        let mode = match (mode, &value) {
            (Mode::Value(None, dest), Val::Expr(e)) => Mode::Value(Some(e.ty), dest),
            _ => mode,
        };
        let then_node =
            Syn::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block: i.then_branch.clone() });
        let (otherwise, other) = match &i.else_branch {
            Some((_, e)) => self.collect(|l| l.run(e, mode)),
            None if matches!(mode, Mode::Value(..) | Mode::Flow(_)) => {
                self.error(
                    Code::Mismatch,
                    i,
                    "an `if` that gives a value needs an `else`",
                    "add `else { .. }` with the other value",
                );
                return Val::Bad;
            }
            None => (Block::new(), Val::Never),
        };
        let Some(cond) = cond else { return Val::Bad };
        let otherwise_node = i.else_branch.as_ref().map_or(&then_node, |(_, e)| &**e);
        let mut branches = [
            Branch { block: then, value, node: last_of(&i.then_branch).unwrap_or(&then_node) },
            Branch { block: otherwise, value: other, node: otherwise_node },
        ];
        let at = self.at(&i.if_token);
        if let Mode::Value(want, dest) = mode {
            if branches.iter().all(|b| b.block.is_empty() && !matches!(b.value, Val::Never)) {
                return self.mux(cond, &branches, want, i);
            }
            let value = self.join(&mut branches, want, dest, i);
            let [then, otherwise] = branches.map(|b| b.block);
            self.emit(StmtKind::If { cond, then, otherwise }, at);
            return value;
        }
        let [then, otherwise] = branches.map(|b| b.block);
        self.emit(StmtKind::If { cond, then, otherwise }, at);
        Val::Never
    }

    /// A choice without effects is an expression.
    fn mux(&mut self, cond: Expr, branches: &[Branch<'_>; 2], want: Option<Type>, node: &syn::ExprIf) -> Val {
        let Some(ty) = self.common_type(branches, want, node) else { return Val::Bad };
        let [a, b] = branches;
        let a = self.coerce(a.value.clone(), ty, a.node);
        let b = self.coerce(b.value.clone(), ty, b.node);
        let (Some(a), Some(b)) = (a, b) else { return Val::Bad };
        let at = self.at(node);
        let kind = match cond.kind {
            ExprKind::Bool(true) => return Val::Expr(a),
            ExprKind::Bool(false) => return Val::Expr(b),
            _ => ExprKind::Mux(Box::new(cond), Box::new(a), Box::new(b)),
        };
        Val::Expr(Expr { kind, ty, at })
    }

    fn common_type(
        &mut self,
        branches: &[Branch<'_>],
        want: Option<Type>,
        node: &dyn quote::ToTokens,
    ) -> Option<Type> {
        let own = branches.iter().find_map(|b| if let Val::Expr(e) = &b.value { Some(e.ty) } else { None });
        if let Some(ty) = own.or(want) {
            return Some(ty);
        }
        if branches.iter().any(|b| matches!(b.value, Val::Num(_))) {
            self.error(
                Code::Width,
                node,
                "these numbers have no width here",
                "annotate the variable: `let x: bit<8> = ...`",
            );
        }
        None
    }

    /// Makes every branch leave its value in one variable.
    pub(crate) fn join(
        &mut self,
        branches: &mut [Branch<'_>],
        want: Option<Type>,
        dest: Option<VarId>,
        node: &dyn quote::ToTokens,
    ) -> Val {
        if branches.iter().all(|b| matches!(b.value, Val::Never)) {
            return Val::Never;
        }
        let wanted = dest.map(|d| self.p.var(d).ty).or(want);
        let Some(ty) = self.common_type(branches, wanted, node) else { return Val::Bad };
        let at = self.at(node);
        let into = match dest {
            Some(d) if self.p.var(d).ty == ty => d,
            _ => self.local("value", ty, at),
        };
        let mut good = true;
        for branch in branches {
            if matches!(branch.value, Val::Never) {
                continue;
            }
            match self.coerce(branch.value.clone(), ty, branch.node) {
                Some(value) if value.kind == ExprKind::Var(into) => {}
                Some(value) => {
                    let at = value.at;
                    branch.block.push(Stmt { kind: StmtKind::Set { place: Place::Var(into), value }, at });
                }
                None => good = false,
            }
        }
        if good { Val::Expr(self.read(into, at)) } else { Val::Bad }
    }

    /// `return verdict`: ends the packet, wherever it stands.
    pub(crate) fn returned(&mut self, r: &syn::ExprReturn) {
        match &r.expr {
            Some(e) => {
                self.run(e, Mode::Verdict);
            }
            None => self.syntax(
                r,
                "a `return` has a verdict",
                "write `return pass()`, or put the rest into an `else`",
            ),
        }
    }

    /// Does this expression give a flow?
    pub(crate) fn is_flow(&self, e: &Syn) -> bool {
        let block = |b: &syn::Block| last_of(b).is_some_and(|e| self.is_flow(e));
        match e {
            Syn::Paren(p) => self.is_flow(&p.expr),
            Syn::If(i) => {
                block(&i.then_branch) || i.else_branch.as_ref().is_some_and(|(_, e)| self.is_flow(e))
            }
            Syn::Block(b) => block(&b.block),
            Syn::Match(m) => m.arms.iter().any(|a| self.is_flow(&a.body)),
            Syn::MethodCall(m) => m.method == "find",
            Syn::Call(c) => match &*c.func {
                Syn::Path(p) if p.path.segments.len() == 2 => p.path.segments[0].ident == "Flow",
                Syn::Path(p) => p.path.get_ident().is_some_and(|name| {
                    self.source.function(&name.to_string()).is_some_and(|f| match &f.sig.output {
                        syn::ReturnType::Type(_, ty) => crate::types::name(ty).is_some_and(|n| n == "Flow"),
                        syn::ReturnType::Default => false,
                    })
                }),
                _ => false,
            },
            _ => false,
        }
    }
}

/// The expression that a block ends with.
pub(crate) fn last_of(block: &syn::Block) -> Option<&Syn> {
    match block.stmts.last() {
        Some(syn::Stmt::Expr(e, None)) => Some(e),
        _ => None,
    }
}
