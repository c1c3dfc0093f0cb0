//! Expressions. A number of `n` bits has the smallest Rust type that holds it, and no bit above `n` set.

use super::names::{mask, native, number, uint};
use super::scope::Scope;
use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type, UnOp};
use pipeline_ir::{FieldId, HeaderId, VarId};
use proc_macro2::TokenStream;
use quote::quote;

/// Text, and does it hold together without parentheses?
struct Text {
    tokens: TokenStream,
    atom: bool,
}

fn atom(tokens: TokenStream) -> Text {
    Text { tokens, atom: true }
}

fn open(tokens: TokenStream) -> Text {
    Text { tokens, atom: false }
}

impl Text {
    /// As an operand.
    fn inner(self) -> TokenStream {
        let tokens = self.tokens;
        if self.atom { tokens } else { quote!((#tokens)) }
    }
}

impl Scope<'_> {
    /// An expression where the context says its type.
    pub(super) fn value(&self, e: &Expr) -> TokenStream {
        self.text(e, true).tokens
    }

    /// An expression that says its type itself.
    pub(super) fn own(&self, e: &Expr) -> TokenStream {
        self.text(e, false).tokens
    }

    /// A number as another type of at least its width.
    pub(super) fn widened(&self, e: &Expr, width: u8) -> TokenStream {
        self.wide(e, width).tokens
    }

    /// A number's low bits, as many as `width`.
    pub(super) fn low(&self, e: &Expr, width: u8) -> TokenStream {
        self.cast(e, Type::Bits(width)).tokens
    }

    /// A variable.
    pub(super) fn var(&self, var: VarId) -> TokenStream {
        let name = &self.names[var.index()];
        if self.in_meta(var) { quote!(m.#name) } else { quote!(#name) }
    }

    /// A header.
    pub(super) fn header(&self, header: HeaderId) -> TokenStream {
        let name = &self.headers.names[header.index()];
        quote!(h.#name)
    }

    /// A field of a header.
    pub(super) fn field(&self, header: HeaderId, field: FieldId) -> TokenStream {
        let place = self.header(header);
        let name = self.headers.field(self.p, header, field);
        quote!(#place.#name)
    }

    fn text(&self, e: &Expr, typed: bool) -> Text {
        match &e.kind {
            ExprKind::Const(v) => atom(number(*v, e.ty.width(), typed)),
            ExprKind::Bool(b) => atom(quote!(#b)),
            ExprKind::Field(h, f) => atom(self.field(*h, *f)),
            ExprKind::Var(v) => atom(self.var(*v)),
            ExprKind::Valid(h) => {
                let header = self.header(*h);
                atom(quote!(#header.valid))
            }
            ExprKind::Builtin(Builtin::IngressPort) => atom(quote!(c.port)),
            ExprKind::Builtin(Builtin::FrameLength) => atom(quote!(c.length)),
            ExprKind::Unary(UnOp::Not | UnOp::BitNot, a) => {
                let a = self.text(a, typed).inner();
                cut(atom(quote!(!#a)), e.ty)
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, e.ty, typed),
            ExprKind::Slice { of, hi, lo } => self.slice(of, *hi, *lo, e.ty),
            ExprKind::Cast(a) => self.cast(a, e.ty),
            ExprKind::Mux(c, a, b) => {
                let (c, a, b) = (self.value(c), self.text(a, typed).tokens, self.text(b, typed).tokens);
                open(quote!(if #c { #a } else { #b }))
            }
        }
    }

    fn binary(&self, op: BinOp, a: &Expr, b: &Expr, ty: Type, typed: bool) -> Text {
        let both = || {
            let second = !constant(a) || typed;
            (self.text(a, typed).inner(), self.text(b, second).inner())
        };
        let method = |name: TokenStream| {
            // A call binds tighter than `!`.
            let inverted = matches!(a.kind, ExprKind::Unary(..));
            let a = self.text(a, false);
            let a = Text { atom: a.atom && !inverted, ..a }.inner();
            let b = self.text(b, true).tokens;
            cut(atom(quote!(#a.#name(#b))), ty)
        };
        let compare = |sign: TokenStream| {
            let (a, b) = (self.text(a, false).inner(), self.text(b, !constant(a)).inner());
            open(quote!(#a #sign #b))
        };
        match op {
            BinOp::Add => method(quote!(wrapping_add)),
            BinOp::Sub => method(quote!(wrapping_sub)),
            BinOp::Mul => method(quote!(wrapping_mul)),
            BinOp::BitAnd => {
                let (a, b) = both();
                open(quote!(#a & #b))
            }
            BinOp::BitOr => {
                let (a, b) = both();
                open(quote!(#a | #b))
            }
            BinOp::BitXor => {
                let (a, b) = both();
                open(quote!(#a ^ #b))
            }
            BinOp::Shl | BinOp::Shr => self.shift(op == BinOp::Shl, a, b, ty),
            BinOp::Concat => {
                let shift = number(b.ty.width().into(), 8, true);
                let (a, b) = (self.wide(a, ty.width()).inner(), self.wide(b, ty.width()).inner());
                open(quote!(#a << #shift | #b))
            }
            BinOp::Eq => compare(quote!(==)),
            BinOp::Ne => compare(quote!(!=)),
            BinOp::Lt => compare(quote!(<)),
            BinOp::Le => compare(quote!(<=)),
            BinOp::Gt => compare(quote!(>)),
            BinOp::Ge => compare(quote!(>=)),
            BinOp::And => self.logic(BinOp::And, a, b),
            BinOp::Or => self.logic(BinOp::Or, a, b),
        }
    }

    /// `a && b && c` without parentheses.
    fn logic(&self, op: BinOp, a: &Expr, b: &Expr) -> Text {
        let side = |e: &Expr| {
            let text = self.text(e, true);
            let plain = match &e.kind {
                ExprKind::Binary(inner, ..) => *inner == op || !matches!(inner, BinOp::And | BinOp::Or),
                _ => false,
            };
            if plain { text.tokens } else { text.inner() }
        };
        let (a, b) = (side(a), side(b));
        if op == BinOp::And { open(quote!(#a && #b)) } else { open(quote!(#a || #b)) }
    }

    fn shift(&self, left: bool, a: &Expr, b: &Expr, ty: Type) -> Text {
        let width = ty.width();
        match &b.kind {
            ExprKind::Const(n) if *n >= u128::from(width) => atom(number(0, width, false)),
            ExprKind::Const(n) => {
                let (a, n) = (self.text(a, false).inner(), number(*n, 8, true));
                if left { cut(open(quote!(#a << #n)), ty) } else { open(quote!(#a >> #n)) }
            }
            _ => {
                let (a, b) = (self.wide(a, 128).tokens, self.wide(b, 128).tokens);
                let whole = if left { quote!(rt::shl(#a, #b)) } else { quote!(rt::shr(#a, #b)) };
                narrowed(atom(whole), 128, width, true)
            }
        }
    }

    fn slice(&self, of: &Expr, hi: u8, lo: u8, ty: Type) -> Text {
        let from = of.ty.width();
        let whole = self.text(of, false);
        let shifted = match lo {
            0 => whole,
            _ => {
                let (whole, lo) = (whole.inner(), number(lo.into(), 8, true));
                open(quote!(#whole >> #lo))
            }
        };
        narrowed(shifted, from, ty.width(), hi + 1 < from)
    }

    fn cast(&self, a: &Expr, ty: Type) -> Text {
        match (a.ty, ty) {
            (Type::Bool, Type::Bool) => self.text(a, true),
            (Type::Bits(_), Type::Bool) => {
                let a = self.text(a, false).inner();
                open(quote!(#a & 1 != 0))
            }
            (_, Type::Bits(width)) if a.ty.width() <= width => self.wide(a, width),
            (_, Type::Bits(width)) => narrowed(self.text(a, false), a.ty.width(), width, true),
        }
    }

    /// As a number of at least its own width.
    fn wide(&self, e: &Expr, width: u8) -> Text {
        let ty = uint(width);
        match &e.kind {
            ExprKind::Const(v) => atom(number(*v, width, false)),
            _ if e.ty == Type::Bool || native(e.ty.width()) != native(width) => {
                let text = self.text(e, false).tokens;
                atom(quote!(#ty::from(#text)))
            }
            _ => self.text(e, false),
        }
    }
}

fn constant(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Const(_))
}

/// Without the bits above the type's.
fn cut(text: Text, ty: Type) -> Text {
    match ty {
        Type::Bits(w) if w < native(w) => {
            let (inner, mask) = (text.inner(), number(mask(w), w, true));
            open(quote!(#inner & #mask))
        }
        _ => text,
    }
}

/// From `from` bits to `to`; `above`: bits above the `to` may be set.
fn narrowed(text: Text, from: u8, to: u8, above: bool) -> Text {
    let same = native(from) == native(to);
    let cast = if same {
        text
    } else {
        let (inner, ty) = (text.inner(), uint(to));
        open(quote!(#inner as #ty))
    };
    if above { cut(cast, Type::Bits(to)) } else { cast }
}
