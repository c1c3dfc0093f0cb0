//! Types and widths of every expression, and of what statements take.

use super::walk;
use crate::diagnostic::{Code, Diagnostics};
use crate::expr::{BinOp, Expr, ExprKind, Type, UnOp};
use crate::stmt::{self, HashAlgorithm, Place, StmtKind, Verdict, event};
use crate::{Loc, ParserOp, Pipeline, VarKind};

const BIT32: Type = Type::Bits(32);

struct Types<'a> {
    p: &'a Pipeline,
    found: &'a mut Diagnostics,
}

pub(super) fn check(p: &Pipeline, found: &mut Diagnostics) {
    let mut types = Types { p, found };
    walk::exprs(p, &mut |outer| outer.walk(&mut |e| types.expr(e)));
    walk::writes(p, &mut |place, at| types.no_param(place, at));
    for op in p.parser.states.iter().flat_map(|s| &s.ops) {
        if let ParserOp::Set { var, value, at } = op {
            types.same(p.var(*var).ty, value.ty, *at, &format!("`{}`", p.var(*var).name));
        }
    }
    stmt::walk(&p.control, &mut |s| types.stmt(&s.kind, s.at));
}

impl Types<'_> {
    fn mismatch(&mut self, at: Loc, message: String, help: &str) {
        self.found.push(Code::Mismatch, at, message, help);
    }

    /// `what` is of type `want`; is `got` the same?
    fn same(&mut self, want: Type, got: Type, at: Loc, what: &str) {
        if want != got {
            let message = format!("{what} is {want}, but this is {got}");
            self.mismatch(at, message, "cast it: `x as bit<N>`");
        }
    }

    fn takes(&mut self, e: &Expr, want: Type, what: &str) {
        self.same(want, e.ty, e.at, what);
    }

    /// Action data are written by tables alone.
    fn no_param(&mut self, place: Place, at: Loc) {
        if let Place::Var(var) = place
            && let VarKind::Param(action) = self.p.var(var).kind
        {
            let (name, action) = (&self.p.var(var).name, &self.p.actions[action.index()].name);
            let message = format!("`{name}` is data of action `{action}`: only a table writes it");
            self.found.push(Code::DataLost, at, message, "copy it: `let x = ...`");
        }
    }

    fn place(&self, place: Place) -> (Type, String) {
        match place {
            Place::Var(var) => (self.p.var(var).ty, format!("`{}`", self.p.var(var).name)),
            Place::Field(header, field) => {
                let f = self.p.field(header, field);
                let header = &self.p.headers[header.index()].name;
                (Type::Bits(f.width), format!("`{header}.{}`", f.name))
            }
        }
    }

    /// One node: its type against those of its operands.
    fn expr(&mut self, e: &Expr) {
        if !(1..=128).contains(&e.ty.width()) {
            let message = format!("this has {} bits", e.ty.width());
            self.found.push(Code::Width, e.at, message, "a width is 1 to 128 bits");
            return;
        }
        match &e.kind {
            ExprKind::Const(v) => {
                self.bits(e, "a number");
                if *v > e.ty.mask() {
                    let message = format!("{v} does not fit {}; at most {}", e.ty, e.ty.mask());
                    self.found.push(Code::Overflow, e.at, message, "choose a smaller number or a wider type");
                }
            }
            ExprKind::Bool(_) | ExprKind::Valid(_) => self.takes(e, Type::Bool, "a condition"),
            ExprKind::Field(h, f) => {
                let (want, what) = self.place(Place::Field(*h, *f));
                self.takes(e, want, &what);
            }
            ExprKind::Var(v) => {
                let (want, what) = self.place(Place::Var(*v));
                self.takes(e, want, &what);
            }
            ExprKind::Builtin(_) => self.takes(e, BIT32, "what the target knows"),
            ExprKind::Unary(UnOp::Not, a) => {
                self.takes(a, Type::Bool, "what `!` negates here");
                self.takes(e, Type::Bool, "a negated condition");
            }
            ExprKind::Unary(UnOp::BitNot, a) => {
                self.bits(a, "what is complemented");
                self.takes(e, a.ty, "the complement");
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, e),
            ExprKind::Slice { of, hi, lo } => {
                self.bits(of, "what bits are taken of");
                if lo > hi || *hi >= of.ty.width() {
                    let message = format!("bits {hi} down to {lo} of {}", of.ty);
                    self.found.push(Code::Width, e.at, message, "count bits from 0, the higher one first");
                } else {
                    self.takes(e, Type::Bits(hi - lo + 1), "the slice");
                }
            }
            ExprKind::Cast(_) => self.bits(e, "what is cast to"),
            ExprKind::Mux(c, a, b) => {
                self.takes(c, Type::Bool, "a condition");
                self.takes(a, e.ty, "the choice");
                self.takes(b, e.ty, "the choice");
            }
        }
    }

    fn bits(&mut self, e: &Expr, what: &str) {
        if e.ty == Type::Bool {
            self.mismatch(e.at, format!("{what} is a number, but this is a bool"), "cast it: `x as bit<1>`");
        }
    }

    fn binary(&mut self, op: BinOp, a: &Expr, b: &Expr, e: &Expr) {
        match op {
            BinOp::Add | BinOp::Sub | BinOp::Mul | BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor => {
                self.bits(a, "an operand");
                self.takes(b, a.ty, "the left side");
                self.takes(e, a.ty, "the result");
                if op == BinOp::Mul && a.ty.width() > 64 {
                    let message = format!("a product of {}", a.ty);
                    self.found.push(Code::Width, e.at, message, "multiply at most 64 bits");
                }
            }
            BinOp::Shl | BinOp::Shr => {
                self.bits(a, "an operand");
                self.takes(e, a.ty, "the result");
                if !matches!(b.kind, ExprKind::Const(_)) {
                    let help = "shift by a number that the source states";
                    self.mismatch(b.at, "a shift by what is not constant".into(), help);
                }
            }
            BinOp::Concat => {
                self.bits(a, "an operand");
                self.bits(b, "an operand");
                let width = u32::from(a.ty.width()) + u32::from(b.ty.width());
                match u8::try_from(width) {
                    Ok(width @ 1..=128) => self.takes(e, Type::Bits(width), "the concatenation"),
                    _ => {
                        let message = format!("a concatenation of {width} bits");
                        self.found.push(Code::Width, e.at, message, "at most 128 bits");
                    }
                }
            }
            BinOp::Eq | BinOp::Ne => {
                self.takes(b, a.ty, "the left side");
                self.takes(e, Type::Bool, "a comparison");
            }
            BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
                self.bits(a, "an operand");
                self.takes(b, a.ty, "the left side");
                self.takes(e, Type::Bool, "a comparison");
            }
            BinOp::And | BinOp::Or => {
                for side in [a, b, e] {
                    self.takes(side, Type::Bool, "a condition");
                }
            }
        }
    }

    fn stmt(&mut self, kind: &StmtKind, at: Loc) {
        let p = self.p;
        match kind {
            StmtKind::Set { place, value } => {
                let (want, what) = self.place(*place);
                self.takes(value, want, &what);
            }
            StmtKind::If { cond, .. } => self.takes(cond, Type::Bool, "a condition"),
            StmtKind::Apply { table, key, .. } => {
                let table = &p.tables[table.index()];
                let fields = table.keys.iter().map(|k| (k.name.as_str(), k.width));
                self.key(&table.name, &fields.collect::<Vec<_>>(), key, at);
            }
            StmtKind::Hash { into, algorithm, key, data } => {
                self.same(self.p.var(*into).ty, BIT32, at, &format!("`{}`", p.var(*into).name));
                match algorithm {
                    HashAlgorithm::Crc32 => self.takes(key, BIT32, "the seed of crc32"),
                    HashAlgorithm::HalfSipHash => {
                        self.takes(key, Type::Bits(64), "the key of halfsiphash");
                    }
                }
                self.data(data, 8, "a hash", at);
            }
            StmtKind::Checksum { place, data } => {
                self.checksum_place(*place, at);
                self.data(data, 16, "a checksum", at);
            }
            StmtKind::Adjust { place, old, new } => {
                self.checksum_place(*place, at);
                self.takes(new, old.ty, "the old value");
                self.data(std::slice::from_ref(old), 16, "a checksum", at);
            }
            StmtKind::Count { index, .. } => {
                self.bits(index, "a counter's index");
                if index.ty.width() > 32 {
                    let message = format!("a counter's index is {}", index.ty);
                    self.found.push(Code::Width, index.at, message, "an index has at most 32 bits");
                }
            }
            StmtKind::Limit { into, .. } => {
                self.same(p.var(*into).ty, Type::Bool, at, &format!("`{}`", p.var(*into).name));
            }
            StmtKind::Find { .. } | StmtKind::Stay { .. } | StmtKind::Select { .. } => self.flow(kind, at),
            StmtKind::Verdict(Verdict::Forward(port)) => self.takes(port, BIT32, "a port"),
            // Ids of `remember` belong to the cursor: see `paths`.
            StmtKind::Push(_)
            | StmtKind::Pop(_)
            | StmtKind::Remember { .. }
            | StmtKind::Truncate { .. }
            | StmtKind::Verdict(Verdict::Pass | Verdict::Drop(_)) => {}
        }
    }

    fn flow(&mut self, kind: &StmtKind, at: Loc) {
        let p = self.p;
        match kind {
            StmtKind::Find { table, key, hash, event, class, .. } => {
                let table = &p.flow_tables[table.index()];
                let fields = table.keys.iter().map(|k| (k.name.as_str(), k.width));
                self.key(&table.name, &fields.collect::<Vec<_>>(), key, at);
                self.takes(hash, BIT32, "a flow's hash");
                self.takes(event, Type::Bits(event::WIDTH), "a flow's event");
                self.takes(class, Type::Bits(crate::flow::CLASS_BITS), "a flow's time-out class");
            }
            StmtKind::Stay { id, table, .. } => {
                let table = &p.tables[table.index()];
                match &table.keys[..] {
                    [key] => {
                        let what = format!("the key of table `{}`", table.name);
                        self.same(Type::Bits(key.width), p.var(*id).ty, at, &what);
                    }
                    keys => {
                        let message = format!("table `{}` has {} key fields", table.name, keys.len());
                        self.mismatch(at, message, "flows stay by an id: give it one exact key field");
                    }
                }
            }
            StmtKind::Select { ring, pool, hash, into } => {
                let ring = &p.rings[ring.index()];
                self.takes(pool, Type::Bits(ring.pool_width), &format!("a pool of ring `{}`", ring.name));
                self.takes(hash, BIT32, "a ring's hash");
                let want = Type::Bits(ring.id_width);
                self.same(want, p.var(*into).ty, at, &format!("an id of ring `{}`", ring.name));
            }
            _ => {}
        }
    }

    fn key(&mut self, table: &str, fields: &[(&str, u8)], key: &[Expr], at: Loc) {
        if fields.len() != key.len() {
            let message = format!("`{table}` has {} key fields, but {} are given", fields.len(), key.len());
            self.mismatch(at, message, "give each field once");
        }
        for ((name, width), e) in fields.iter().zip(key) {
            self.takes(e, Type::Bits(*width), &format!("key field `{table}.{name}`"));
        }
    }

    fn checksum_place(&mut self, place: Place, at: Loc) {
        let (ty, what) = self.place(place);
        self.same(ty, Type::Bits(16), at, &what);
    }

    /// Data whose widths add up to a multiple of `unit` bits.
    fn data(&mut self, data: &[Expr], unit: u32, what: &str, at: Loc) {
        for e in data {
            self.bits(e, "data");
        }
        let width: u32 = data.iter().map(|e| u32::from(e.ty.width())).sum();
        if width == 0 || !width.is_multiple_of(unit) {
            let message = format!("{what} over {width} bits");
            let help = format!("data are a multiple of {unit} bits: add zeros, or leave a field out");
            self.found.push(Code::DataWidth, at, message, help);
        }
    }
}
