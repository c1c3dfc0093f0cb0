//! Expressions. A number without a width takes that of its context; everything else has a type of its own.

use pipeline_ir::Loc;
use pipeline_ir::VarId;
use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::Place;
use quote::ToTokens;
use syn::Expr as Syn;

use crate::fold;
use crate::lower::{Lower, Thing, Val, type_text};

impl Lower<'_> {
    /// An expression's value. `want`: the type that the context asks for, as a hint. `dest`: where a call may leave
    /// its result.
    pub(crate) fn value(&mut self, e: &Syn, want: Option<Type>, dest: Option<VarId>) -> Val {
        match e {
            Syn::Lit(l) => self.literal(&l.lit),
            Syn::Paren(p) => self.value(&p.expr, want, dest),
            Syn::Group(g) => self.value(&g.expr, want, dest),
            Syn::Path(_) | Syn::Field(_) | Syn::Index(_) => self.read_thing(e),
            Syn::Unary(u) => self.unary(u, want),
            Syn::Binary(b) => self.binary(b, want),
            Syn::Cast(c) => self.cast(c),
            Syn::If(i) => self.if_value(i, want, dest),
            Syn::Match(m) => self.match_value(m, want, dest),
            Syn::Block(b) => self.block_value(&b.block, want, dest),
            Syn::Call(c) => self.call_value(c, want, dest),
            Syn::MethodCall(m) => self.method_value(m, dest),
            Syn::Return(r) => {
                self.returned(r);
                Val::Never
            }
            Syn::Assign(_) => {
                self.syntax(
                    e,
                    "an assignment has no value",
                    "compare with `==`, or assign in a statement of its own",
                );
                Val::Bad
            }
            Syn::Struct(s) => {
                let name = s.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
                let message = format!("`{name} {{ .. }}` is no value by itself");
                self.error(Code::Syntax, e, message, "a key goes to `apply` or `find`, a header to `push`");
                Val::Bad
            }
            _ => {
                self.syntax(e, "this expression is not known", EXPRESSIONS);
                Val::Bad
            }
        }
    }

    /// An expression of this type; `None` where an error was reported.
    pub(crate) fn typed(&mut self, e: &Syn, ty: Type, dest: Option<VarId>) -> Option<Expr> {
        let value = self.value(e, Some(ty), dest);
        self.coerce(value, ty, e)
    }

    /// An operand of this type: it may not assign.
    pub(crate) fn operand(&mut self, e: &Syn, ty: Type) -> Option<Expr> {
        self.as_operand(|l| l.typed(e, ty, None))
    }

    /// An operand with a type of its own.
    pub(crate) fn sized(&mut self, e: &Syn, help: &str) -> Option<Expr> {
        match self.as_operand(|l| l.value(e, None, None)) {
            Val::Expr(x) => Some(x),
            Val::Bad => None,
            Val::Never => self.no_value(e),
            Val::Num(n) => {
                let help = help.replace("{n}", &n.to_string());
                self.error(Code::Width, e, "this number has no width here", help);
                None
            }
        }
    }

    fn no_value(&mut self, e: &dyn ToTokens) -> Option<Expr> {
        self.error(Code::Mismatch, e, "a value is needed here, not a verdict", "return before, in an `if`");
        None
    }

    /// Gives a value the type that its place asks for.
    pub(crate) fn coerce(&mut self, value: Val, ty: Type, node: &dyn ToTokens) -> Option<Expr> {
        match value {
            Val::Bad => None,
            Val::Never => self.no_value(node),
            Val::Expr(e) if e.ty == ty => Some(e),
            Val::Expr(e) => {
                let message =
                    format!("this is `{}`, but `{}` is needed here", type_text(e.ty), type_text(ty));
                let help = match (e.ty, ty) {
                    (Type::Bits(have), Type::Bits(w)) if have > w => {
                        format!("write `as bit<{w}>` for the low bits, or `.bits(hi, lo)` for others")
                    }
                    (_, Type::Bits(w)) => format!("write `as bit<{w}>`"),
                    (Type::Bits(_), Type::Bool) => "compare it: `!= 0`".to_owned(),
                    (Type::Bool, Type::Bool) => String::new(),
                };
                self.error(Code::Mismatch, node, message, help);
                None
            }
            Val::Num(n) => match ty {
                Type::Bool => {
                    self.error(
                        Code::Mismatch,
                        node,
                        "this is a number, but `bool` is needed here",
                        "write `true` or `false`",
                    );
                    None
                }
                Type::Bits(w) if n > ty.mask() => {
                    self.error(
                        Code::Overflow,
                        node,
                        format!("{n} does not fit `bit<{w}>`, whose greatest value is {}", ty.mask()),
                        format!("it takes `bit<{}>`", 128 - n.leading_zeros()),
                    );
                    None
                }
                Type::Bits(w) => {
                    let at = self.at(node);
                    Some(Expr { at, ..Expr::bits(n, w) })
                }
            },
        }
    }

    fn literal(&mut self, lit: &syn::Lit) -> Val {
        match lit {
            syn::Lit::Bool(b) => {
                let at = self.at(lit);
                Val::Expr(Expr { kind: ExprKind::Bool(b.value), ty: Type::Bool, at })
            }
            syn::Lit::Int(i) if !i.suffix().is_empty() => {
                let message = "numbers have no suffix in a pipeline";
                self.syntax(lit, message, "the context gives the width; `bit::<8>(64)` states it");
                Val::Bad
            }
            syn::Lit::Int(i) => match i.base10_parse::<u128>() {
                Ok(n) => Val::Num(n),
                Err(_) => {
                    self.error(
                        Code::Overflow,
                        lit,
                        "this number has more than 128 bits",
                        "values have at most 128 bits",
                    );
                    Val::Bad
                }
            },
            _ => {
                self.syntax(
                    lit,
                    "this literal is not known",
                    "literals are whole numbers, `true` and `false`",
                );
                Val::Bad
            }
        }
    }

    fn read_thing(&mut self, e: &Syn) -> Val {
        match self.thing(e) {
            Thing::Place { place, .. } => {
                let at = self.at(e);
                Val::Expr(self.read_place(place, at))
            }
            Thing::Value(Val::Expr(mut x)) => {
                x.at = self.at(e);
                Val::Expr(x)
            }
            Thing::Value(v) => v,
            Thing::Bad => Val::Bad,
            other => {
                let (what, help) = match other {
                    Thing::Header(_) => ("a header", "name one of its fields, or ask `.is_valid()`"),
                    Thing::Stack(_) => ("a header stack", "name one header: `h.vlan[0]`"),
                    Thing::Key { .. } => ("a key", "give it to `apply` or `find`"),
                    Thing::Flow(_) => ("a flow", "it goes to `stay_or` and `remember`"),
                    _ => ("a handle", "name one of its fields"),
                };
                self.error(Code::Mismatch, e, format!("this is {what}, not a value"), help);
                Val::Bad
            }
        }
    }

    fn unary(&mut self, u: &syn::ExprUnary, want: Option<Type>) -> Val {
        if !matches!(u.op, syn::UnOp::Not(_)) {
            self.syntax(
                u,
                "values are unsigned and are no references",
                "`!` is the only operator before a value",
            );
            return Val::Bad;
        }
        let at = self.at(u);
        match self.as_operand(|l| l.value(&u.expr, want, None)) {
            Val::Expr(e) => {
                let op = if e.ty == Type::Bool { UnOp::Not } else { UnOp::BitNot };
                Val::Expr(fold::unary(op, e, at))
            }
            Val::Num(n) => match want {
                Some(Type::Bits(w)) => {
                    let Some(e) = self.coerce(Val::Num(n), Type::Bits(w), &u.expr) else { return Val::Bad };
                    Val::Expr(fold::unary(UnOp::BitNot, e, at))
                }
                _ => {
                    self.error(
                        Code::Width,
                        u,
                        "`!` of a number without a width",
                        format!("state the width: `!bit::<8>({n})`"),
                    );
                    Val::Bad
                }
            },
            other => other,
        }
    }

    fn binary(&mut self, b: &syn::ExprBinary, want: Option<Type>) -> Val {
        let Some(op) = operator(&b.op) else {
            let help = match b.op {
                syn::BinOp::Div(_) | syn::BinOp::Rem(_) => {
                    "data planes have no division: shift with `>>`, mask with `&`"
                }
                _ => "assign in a statement of its own",
            };
            self.syntax(&b.op, "this operator is not known", help);
            return Val::Bad;
        };
        match op {
            BinOp::And | BinOp::Or => self.logic(op, b),
            BinOp::Shl | BinOp::Shr => self.shift(op, b, want),
            BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => self.pair(op, b, None),
            _ => self.pair(op, b, want.filter(|w| *w != Type::Bool)),
        }
    }

    fn logic(&mut self, op: BinOp, b: &syn::ExprBinary) -> Val {
        let left = self.operand(&b.left, Type::Bool);
        let (made, right) = self.collect(|l| l.operand(&b.right, Type::Bool));
        if !made.is_empty() {
            self.syntax(
                &b.right,
                "the right side of `&&` or `||` may have no effect",
                "call it in a `let` before",
            );
        }
        let (Some(left), Some(right)) = (left, right) else { return Val::Bad };
        let at = self.at(b);
        Val::Expr(fold::binary(op, left, right, Type::Bool, at))
    }

    fn shift(&mut self, op: BinOp, b: &syn::ExprBinary, want: Option<Type>) -> Val {
        let left = self.as_operand(|l| l.value(&b.left, want, None));
        let Some(by) = self.number(&b.right) else { return Val::Bad };
        let at = self.at(b);
        match left {
            Val::Num(n) => match fold::numbers(op, n, by) {
                Some(Val::Num(n)) => Val::Num(n),
                _ => self.too_big(b),
            },
            Val::Expr(e) if e.ty == Type::Bool => {
                self.error(Code::Mismatch, &b.left, "a `bool` can't be shifted", "cast it: `as bit<1>`");
                Val::Bad
            }
            Val::Expr(e) => {
                let ty = e.ty;
                Val::Expr(fold::binary(op, e, Expr::bits(by.min(255), 8), ty, at))
            }
            other => other,
        }
    }

    fn too_big(&mut self, node: &dyn ToTokens) -> Val {
        self.error(
            Code::Overflow,
            node,
            "this gives no number of 0 to 128 bits",
            "numbers are unsigned, of at most 128 bits",
        );
        Val::Bad
    }

    /// Two operands of one type.
    fn pair(&mut self, op: BinOp, b: &syn::ExprBinary, want: Option<Type>) -> Val {
        let left = self.as_operand(|l| l.value(&b.left, want, None));
        let hint = if let Val::Expr(e) = &left { Some(e.ty) } else { want };
        let right = self.as_operand(|l| l.value(&b.right, hint, None));
        let (left, right) = match (left, right) {
            (Val::Num(a), Val::Num(c)) => match fold::numbers(op, a, c) {
                Some(Val::Expr(e)) => {
                    let at = self.at(b);
                    return Val::Expr(Expr { at, ..e });
                }
                Some(v) => return v,
                None => return self.too_big(b),
            },
            (Val::Expr(l), r) => {
                let ty = l.ty;
                (Some(l), self.coerce_operand(r, ty, &b.right, b))
            }
            (l, Val::Expr(r)) => {
                let ty = r.ty;
                (self.coerce_operand(l, ty, &b.left, b), Some(r))
            }
            _ => return Val::Bad,
        };
        let (Some(left), Some(right)) = (left, right) else { return Val::Bad };
        self.check_pair(op, &left, b).map_or(Val::Bad, |ty| {
            let at = self.at(b);
            Val::Expr(fold::binary(op, left, right, ty, at))
        })
    }

    /// Like [`coerce`](Self::coerce), but a difference of types is told for both operands.
    fn coerce_operand(&mut self, value: Val, ty: Type, node: &Syn, b: &syn::ExprBinary) -> Option<Expr> {
        if let Val::Expr(e) = &value
            && e.ty != ty
        {
            let (have, other) = (type_text(e.ty), type_text(ty));
            self.error(
                Code::Mismatch,
                b,
                format!("the operands differ: `{other}` and `{have}`"),
                format!("cast the narrower one: `as {}`", type_text(ty.max(e.ty))),
            );
            return None;
        }
        self.coerce(value, ty, node)
    }

    fn check_pair(&mut self, op: BinOp, left: &Expr, b: &syn::ExprBinary) -> Option<Type> {
        let compares = matches!(op, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge);
        let equality = matches!(op, BinOp::Eq | BinOp::Ne);
        if left.ty == Type::Bool && !equality {
            let help = "join conditions with `&&` and `||`, compare them with `==`";
            self.error(Code::Mismatch, b, "this operator takes integers, not `bool`s", help);
            return None;
        }
        if op == BinOp::Mul && left.ty.width() > 64 {
            let message = format!("`*` takes at most 64 bits, not {}", left.ty.width());
            self.error(Code::Width, b, message, "cast both sides: `as bit<64>`");
            return None;
        }
        Some(if compares { Type::Bool } else { left.ty })
    }

    fn cast(&mut self, c: &syn::ExprCast) -> Val {
        let value = self.as_operand(|l| l.value(&c.expr, None, None));
        let Some(ty) = self.value_type(&c.ty) else { return Val::Bad };
        let at = self.at(c);
        match value {
            Val::Expr(e) if e.ty == ty => Val::Expr(e),
            Val::Expr(_) if ty == Type::Bool => {
                self.error(Code::Mismatch, c, "nothing is cast to `bool`", "compare it: `!= 0`");
                Val::Bad
            }
            Val::Expr(e) => Val::Expr(fold::cast(e, ty, at)),
            Val::Num(n) => self.coerce(Val::Num(n), ty, &c.expr).map_or(Val::Bad, Val::Expr),
            other => other,
        }
    }

    /// `x.bits(hi, lo)`.
    pub(crate) fn slice(&mut self, m: &syn::ExprMethodCall) -> Val {
        let of = self.sized(&m.receiver, "state the width: `bit::<8>({n})`");
        let args: Vec<&Syn> = m.args.iter().collect();
        let [hi, lo] = args.as_slice() else {
            self.syntax(m, "`bits` takes the highest and the lowest bit", "write `.bits(7, 0)`");
            return Val::Bad;
        };
        let (hi, lo) = (self.number(hi), self.number(lo));
        let (Some(of), Some(hi), Some(lo)) = (of, hi, lo) else { return Val::Bad };
        let width = of.ty.width();
        if of.ty == Type::Bool || hi >= u128::from(width) || lo > hi {
            self.error(
                Code::Width,
                m,
                format!("bits {hi} to {lo} are not inside `{}`", type_text(of.ty)),
                format!("bits count from {} (the highest) down to 0: `.bits(hi, lo)`", width - 1),
            );
            return Val::Bad;
        }
        let (hi, lo, at) = (hi as u8, lo as u8, self.at(m));
        Val::Expr(fold::slice(of, hi, lo, at))
    }

    /// `concat(a, b, ...)`.
    pub(crate) fn concat(&mut self, c: &syn::ExprCall) -> Val {
        let parts: Vec<Option<Expr>> =
            c.args.iter().map(|a| self.sized(a, "state the width: `bit::<8>({n})`")).collect();
        let at = self.at(c);
        let mut parts = parts.into_iter();
        let (Some(first), rest) = (parts.next(), parts) else {
            self.syntax(c, "`concat` needs values", "the first one takes the high bits: `concat(a, b)`");
            return Val::Bad;
        };
        let mut all = first;
        for part in rest {
            let (Some(a), Some(b)) = (all, part) else { return Val::Bad };
            let width = u32::from(a.ty.width()) + u32::from(b.ty.width());
            if width > 128 || a.ty == Type::Bool || b.ty == Type::Bool {
                let message = format!("`concat` joins integers to at most 128 bits, not {width}");
                self.error(Code::Width, c, message, "cast a `bool` to `bit<1>`; split what is longer");
                return Val::Bad;
            }
            all = Some(fold::binary(BinOp::Concat, a, b, Type::Bits(width as u8), at));
        }
        all.map_or(Val::Bad, Val::Expr)
    }

    /// `bit::<N>(number)`.
    pub(crate) fn sized_number(&mut self, segment: &syn::PathSegment, c: &syn::ExprCall) -> Val {
        let Some(width) = self.width(segment) else { return Val::Bad };
        let args: Vec<&Syn> = c.args.iter().collect();
        let [number] = args.as_slice() else {
            self.syntax(c, "`bit` takes one number", "write `bit::<8>(64)`");
            return Val::Bad;
        };
        self.operand(number, Type::Bits(width)).map_or(Val::Bad, Val::Expr)
    }

    /// Is this place written by assignments?
    pub(crate) fn assign_place(&mut self, e: &Syn) -> Option<Place> {
        match self.thing(e) {
            Thing::Place { place, mutable: true } => Some(place),
            Thing::Bad => None,
            Thing::Place { .. } | Thing::Value(_) => {
                self.error(Code::Mismatch, e, "this can't be assigned to", "declare it with `let mut`");
                None
            }
            _ => {
                self.error(
                    Code::Mismatch,
                    e,
                    "this can't be assigned to",
                    "assign to a field or a `let mut` variable",
                );
                None
            }
        }
    }

    /// The type that a `let` without an annotation can know before its value is translated: that of a call.
    pub(crate) fn call_type(&self, e: &Syn) -> Option<Type> {
        match e {
            Syn::Paren(p) => self.call_type(&p.expr),
            Syn::If(i) => {
                self.block_type(&i.then_branch).or_else(|| self.call_type(&i.else_branch.as_ref()?.1))
            }
            Syn::Block(b) => self.block_type(&b.block),
            Syn::MethodCall(m) => match m.method.to_string().as_str() {
                "of" => Some(Type::Bits(32)),
                "allow" => Some(Type::Bool),
                "select" => {
                    let Syn::Path(p) = &*m.receiver else { return None };
                    let name = p.path.get_ident()?.to_string();
                    match self.object(&name) {
                        Some(crate::lower::ObjectId::Ring(r)) => {
                            Some(Type::Bits(self.p.rings[r.index()].id_width))
                        }
                        _ => None,
                    }
                }
                _ => None,
            },
            Syn::Call(c) => {
                let Syn::Path(p) = &*c.func else { return None };
                (types_name(p)? == "internet_checksum").then_some(Type::Bits(16))
            }
            _ => None,
        }
    }

    fn block_type(&self, block: &syn::Block) -> Option<Type> {
        match block.stmts.last() {
            Some(syn::Stmt::Expr(e, None)) => self.call_type(e),
            _ => None,
        }
    }

    /// A constant of the language at this place.
    pub(crate) fn builtin(&mut self, kind: ExprKind, ty: Type, at: Loc) -> Thing {
        Thing::Value(Val::Expr(Expr { kind, ty, at }))
    }
}

fn types_name(p: &syn::ExprPath) -> Option<String> {
    p.path.segments.last().map(|s| s.ident.to_string())
}

const EXPRESSIONS: &str =
    "values are literals, constants, fields, variables, operators, casts, `if`, `match` and calls";

fn operator(op: &syn::BinOp) -> Option<BinOp> {
    use syn::BinOp as S;
    Some(match op {
        S::Add(_) => BinOp::Add,
        S::Sub(_) => BinOp::Sub,
        S::Mul(_) => BinOp::Mul,
        S::And(_) => BinOp::And,
        S::Or(_) => BinOp::Or,
        S::BitXor(_) => BinOp::BitXor,
        S::BitAnd(_) => BinOp::BitAnd,
        S::BitOr(_) => BinOp::BitOr,
        S::Shl(_) => BinOp::Shl,
        S::Shr(_) => BinOp::Shr,
        S::Eq(_) => BinOp::Eq,
        S::Lt(_) => BinOp::Lt,
        S::Le(_) => BinOp::Le,
        S::Ne(_) => BinOp::Ne,
        S::Ge(_) => BinOp::Ge,
        S::Gt(_) => BinOp::Gt,
        _ => return None,
    })
}

/// The operator of a compound assignment.
pub(crate) fn compound(op: &syn::BinOp) -> Option<BinOp> {
    use syn::BinOp as S;
    Some(match op {
        S::AddAssign(_) => BinOp::Add,
        S::SubAssign(_) => BinOp::Sub,
        S::MulAssign(_) => BinOp::Mul,
        S::BitXorAssign(_) => BinOp::BitXor,
        S::BitAndAssign(_) => BinOp::BitAnd,
        S::BitOrAssign(_) => BinOp::BitOr,
        S::ShlAssign(_) => BinOp::Shl,
        S::ShrAssign(_) => BinOp::Shr,
        _ => return None,
    })
}
