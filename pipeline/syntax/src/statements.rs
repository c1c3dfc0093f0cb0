//! Statements: `let`, assignments, calls.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{Place, StmtKind, Verdict};
use pipeline_ir::{Cursor, CursorId, VarId, VarKind};
use syn::{Expr as Syn, Ident, Pat};

use crate::control::Mode;
use crate::lower::{Lower, Thing, Val};
use crate::{consts, expr, fold, names};

impl Lower<'_> {
    /// One statement; `next` is the one after it.
    pub(crate) fn statement(&mut self, stmt: &syn::Stmt, next: Option<&syn::Stmt>) {
        match stmt {
            syn::Stmt::Local(local) => self.bind_local(local, next),
            syn::Stmt::Expr(Syn::Verbatim(nothing), Some(semicolon)) if nothing.is_empty() => {
                self.syntax(semicolon, "this statement is empty", "leave it out");
            }
            syn::Stmt::Expr(e, _) => {
                self.run(e, Mode::Unit);
            }
            syn::Stmt::Item(i) => {
                self.syntax(i, "items stand at the module's level", "move it out of the function");
            }
            syn::Stmt::Macro(m) => {
                self.syntax(m, "a pipeline calls no macros", "the data path counts, it never logs");
            }
        }
    }

    /// An expression as a statement.
    pub(crate) fn unit(&mut self, e: &Syn) {
        match e {
            Syn::Assign(a) => self.assign(&a.left, &a.right),
            Syn::Binary(b) if expr::compound(&b.op).is_some() => self.compound(b),
            Syn::Call(c) => self.call_statement(c),
            Syn::MethodCall(m) => self.method_statement(m),
            Syn::While(_) | Syn::ForLoop(_) | Syn::Loop(_) => {
                self.syntax(e, "control has no loops", "only parser states repeat: `#[state(repeat = 3)]`");
            }
            Syn::Let(_) => self.syntax(e, "`if let` is not known", "use `match` on `TABLE.apply(..)`"),
            _ => self.syntax(e, "this statement has no effect", "assign it, or return it"),
        }
    }

    fn bind_local(&mut self, local: &syn::Local, next: Option<&syn::Stmt>) {
        let (pat, annotation) = match &local.pat {
            Pat::Type(t) => (&*t.pat, Some(&*t.ty)),
            other => (other, None),
        };
        let Pat::Ident(syn::PatIdent { ident, mutability, by_ref: None, subpat: None, .. }) = pat else {
            return self.syntax(pat, "`let` binds one name", "write `let name = value;`");
        };
        let Some(init) = &local.init else {
            return self.syntax(local, "a variable begins with a value", "write `let name = value;`");
        };
        if let Some((_, diverge)) = &init.diverge {
            self.syntax(diverge, "`let ... else` is not known", "use `if`");
        }
        let name = ident.to_string();
        let thing = if self.is_flow(&init.expr) {
            self.bind_flow(ident, &init.expr)
        } else if let Some(key) = self.key_literal(&init.expr) {
            self.bind_key(key, &name, next)
        } else {
            self.bind_value(ident, mutability.is_some(), annotation, &init.expr)
        };
        self.bind(name, thing);
    }

    fn bind_flow(&mut self, ident: &Ident, init: &Syn) -> Thing {
        let at = self.at(ident);
        let cursor = CursorId(self.p.cursors.len() as u32);
        self.p.cursors.push(Cursor { name: names::snake_case(&ident.to_string()), at });
        self.cursor_ids.push(None);
        self.run(init, Mode::Flow(cursor));
        Thing::Flow(cursor)
    }

    /// A key that the next statement uses is put there as it is; otherwise its fields are kept in variables.
    fn bind_key(&mut self, key: Thing, name: &str, next: Option<&syn::Stmt>) -> Thing {
        let Thing::Key { ty, fields } = key else { return key };
        if next.is_some_and(|s| uses_at_once(s, name)) {
            return Thing::Key { ty, fields };
        }
        let fields = fields.into_iter().map(|f| self.kept(f, name)).collect();
        Thing::Key { ty, fields }
    }

    fn bind_value(
        &mut self,
        ident: &Ident,
        mutable: bool,
        annotation: Option<&syn::Type>,
        init: &Syn,
    ) -> Thing {
        let name = ident.to_string();
        let at = self.at(ident);
        let ty = match annotation {
            Some(t) => match self.value_type(t) {
                Some(ty) => Some(ty),
                None => return Thing::Bad,
            },
            None => None,
        };
        let dest = self.call_type(init).map(|ty| self.local(&name, ty, at));
        let mut value = self.value(init, ty, dest);
        if let Some(ty) = ty {
            value = self.coerce(value, ty, init).map_or(Val::Bad, Val::Expr);
        }
        let var = match value {
            Val::Num(_) if mutable => {
                self.error(
                    Code::Width,
                    init,
                    "this number has no width here",
                    format!("annotate the variable: `let mut {name}: bit<8> = ...`"),
                );
                return Thing::Bad;
            }
            Val::Num(n) => return Thing::Value(Val::Num(n)),
            Val::Expr(e) if !mutable && consts::is_constant(&e) => return Thing::Value(Val::Expr(e)),
            Val::Expr(e) => match (dest, &e.kind) {
                (Some(d), ExprKind::Var(v)) if d == *v => d,
                _ => {
                    let var = dest
                        .filter(|d| self.p.var(*d).ty == e.ty)
                        .unwrap_or_else(|| self.local(&name, e.ty, at));
                    self.emit(StmtKind::Set { place: Place::Var(var), value: e }, at);
                    var
                }
            },
            Val::Never | Val::Bad => return Thing::Bad,
        };
        if mutable {
            self.mutable.insert(var);
        }
        Thing::Place { place: Place::Var(var), mutable }
    }

    /// An expression that stays what it is: a constant, a variable that never changes, or else a fresh variable.
    pub(crate) fn kept(&mut self, e: Expr, name: &str) -> Expr {
        let stays = match &e.kind {
            ExprKind::Var(v) => self.never_changes(*v),
            _ => consts::is_constant(&e),
        };
        if stays {
            return e;
        }
        let at = e.at;
        let var = self.local(name, e.ty, at);
        self.emit(StmtKind::Set { place: Place::Var(var), value: e }, at);
        self.read(var, at)
    }

    fn never_changes(&self, var: VarId) -> bool {
        match self.p.var(var).kind {
            VarKind::Meta => false,
            VarKind::Local => !self.mutable.contains(&var),
            VarKind::Param(_) => true,
        }
    }

    fn assign(&mut self, left: &Syn, right: &Syn) {
        if self.operand > 0 {
            return self.syntax(
                left,
                "nothing is assigned inside an operand",
                "assign before, in its own statement",
            );
        }
        let Some(place) = self.assign_place(left) else {
            self.as_operand(|l| l.value(right, None, None));
            return;
        };
        let ty = self.place_type(place);
        if let Some(call) = checksum_call(right) {
            if ty != Type::Bits(16) {
                let message = format!("a checksum has 16 bits, `{}` has not", crate::lower::type_text(ty));
                return self.error(Code::Mismatch, left, message, "assign it to a `bit<16>`");
            }
            return self.checksum(call, place);
        }
        let dest = match place {
            Place::Var(v) if self.call_type(right) == Some(ty) => Some(v),
            _ => None,
        };
        let Some(value) = self.typed(right, ty, dest) else { return };
        if dest.is_some_and(|d| value.kind == ExprKind::Var(d)) {
            return;
        }
        let at = self.at(left);
        self.emit(StmtKind::Set { place, value }, at);
    }

    fn compound(&mut self, b: &syn::ExprBinary) {
        if self.operand > 0 {
            return self.syntax(
                b,
                "nothing is assigned inside an operand",
                "assign before, in its own statement",
            );
        }
        let (Some(place), Some(op)) = (self.assign_place(&b.left), expr::compound(&b.op)) else { return };
        let ty = self.place_type(place);
        let at = self.at(b);
        if ty == Type::Bool {
            let help = "write `x = x && y` or `x = x || y`";
            return self.error(Code::Mismatch, b, "this operator takes integers, not `bool`s", help);
        }
        let left_at = self.at(&b.left);
        let left = self.read_place(place, left_at);
        let right = if matches!(op, pipeline_ir::expr::BinOp::Shl | pipeline_ir::expr::BinOp::Shr) {
            self.number(&b.right).map(|n| Expr::bits(n.min(255), 8))
        } else {
            self.operand(&b.right, ty)
        };
        let Some(right) = right else { return };
        let value = fold::binary(op, left, right, ty, at);
        self.emit(StmtKind::Set { place, value }, at);
    }

    /// A verdict: the packet ends here.
    pub(crate) fn verdict(&mut self, e: &Syn) {
        let Syn::Call(c) = e else {
            return self.error(Code::Mismatch, e, "a verdict is needed here", VERDICTS);
        };
        let name = match &*c.func {
            Syn::Path(p) => p.path.get_ident().map(ToString::to_string),
            _ => None,
        };
        let args: Vec<&Syn> = c.args.iter().collect();
        let verdict = match (name.as_deref(), args.as_slice()) {
            (Some("pass"), []) => Verdict::Pass,
            (Some("forward"), [port]) => match self.operand(port, Type::Bits(32)) {
                Some(port) => Verdict::Forward(port),
                None => return,
            },
            (Some("drop"), [reason]) => match self.reason(reason) {
                Some(reason) => Verdict::Drop(reason),
                None => return,
            },
            (Some("pass" | "forward" | "drop"), _) => {
                return self.error(Code::Mismatch, e, "this verdict has other arguments", VERDICTS);
            }
            _ => {
                self.call(c, Mode::Verdict);
                return;
            }
        };
        let at = self.at(e);
        self.emit(StmtKind::Verdict(verdict), at);
    }

    /// A drop reason.
    pub(crate) fn reason(&mut self, e: &Syn) -> Option<pipeline_ir::ReasonId> {
        let name = match e {
            Syn::Path(p) => p.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        if let Some(i) = self.reasons.iter().position(|r| *r == name) {
            return Some(pipeline_ir::ReasonId(i as u32));
        }
        let known = self.reasons.clone();
        let known = known.iter().map(String::as_str);
        let otherwise = format!("reasons are the variants of `enum Reason`: {}", names::list(known.clone()));
        let help = names::suggest(&name, known, &otherwise);
        self.error(Code::Unknown, e, "there is no such drop reason", help);
        None
    }
}

/// What a verdict looks like.
pub(crate) const VERDICTS: &str = "verdicts are `forward(port)`, `pass()` and `drop(Reason)`";

/// The call in `place = internet_checksum(..)`.
fn checksum_call(e: &Syn) -> Option<&syn::ExprCall> {
    match e {
        Syn::Call(c) => match &*c.func {
            Syn::Path(p) if p.path.is_ident("internet_checksum") => Some(c),
            _ => None,
        },
        _ => None,
    }
}

/// Is the statement a call of `apply` or `find` with this name among its arguments?
fn uses_at_once(stmt: &syn::Stmt, name: &str) -> bool {
    let e = match stmt {
        syn::Stmt::Expr(e, _) => e,
        syn::Stmt::Local(syn::Local { init: Some(init), .. }) => &*init.expr,
        _ => return false,
    };
    let e = if let Syn::Match(m) = e { &*m.expr } else { e };
    let Syn::MethodCall(m) = e else { return false };
    (m.method == "apply" || m.method == "find")
        && m.args.iter().any(|a| matches!(a, Syn::Path(p) if p.path.is_ident(name)))
}
