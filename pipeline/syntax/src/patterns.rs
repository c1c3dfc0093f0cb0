//! Patterns over numbers: literals, constants, ranges, `mask(value, mask)`, `_`, alternatives and tuples.

use pipeline_ir::Pattern;
use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{ExprKind, Type};
use syn::{Expr as Syn, Pat};

use crate::lower::Lower;

/// The most rows that the alternatives of one pattern may become.
const ROWS: usize = 256;

impl Lower<'_> {
    /// A pattern over these values as rows of simple patterns, one for each value.
    pub(crate) fn rows(&mut self, pat: &Pat, types: &[Type]) -> Option<Vec<Vec<Pattern>>> {
        match pat {
            Pat::Paren(p) => self.rows(&p.pat, types),
            Pat::Wild(_) => Some(vec![vec![Pattern::Any; types.len()]]),
            Pat::Or(or) if types.len() > 1 => {
                let mut rows = Vec::new();
                for case in &or.cases {
                    rows.append(&mut self.rows(case, types)?);
                }
                Some(rows)
            }
            Pat::Tuple(t) if types.len() > 1 => {
                if t.elems.len() != types.len() {
                    let message = format!("{} patterns for {} values", t.elems.len(), types.len());
                    self.error(
                        Code::Mismatch,
                        pat,
                        message,
                        "give one pattern for each value; `_` matches all",
                    );
                    return None;
                }
                let mut rows: Vec<Vec<Pattern>> = vec![Vec::new()];
                for (elem, ty) in t.elems.iter().zip(types) {
                    let choices = self.choices(elem, *ty)?;
                    if rows.len() * choices.len() > ROWS {
                        let message = format!("this pattern has more than {ROWS} alternatives");
                        self.error(Code::Syntax, pat, message, "use ranges or `mask(value, mask)`");
                        return None;
                    }
                    rows = rows
                        .iter()
                        .flat_map(|row| choices.iter().map(move |c| [row.as_slice(), &[*c]].concat()))
                        .collect();
                }
                Some(rows)
            }
            _ if types.len() == 1 => {
                Some(self.choices(pat, types[0])?.into_iter().map(|c| vec![c]).collect())
            }
            _ => {
                let message = format!("one pattern for {} values", types.len());
                self.error(Code::Mismatch, pat, message, "write a tuple of patterns");
                None
            }
        }
    }

    /// The alternatives of a pattern over one value.
    pub(crate) fn choices(&mut self, pat: &Pat, ty: Type) -> Option<Vec<Pattern>> {
        match pat {
            Pat::Paren(p) => self.choices(&p.pat, ty),
            Pat::Wild(_) => Some(vec![Pattern::Any]),
            Pat::Or(or) => {
                let mut all = Vec::new();
                for case in &or.cases {
                    all.append(&mut self.choices(case, ty)?);
                }
                Some(all)
            }
            Pat::Lit(l) => {
                let e = Syn::Lit(syn::ExprLit { attrs: Vec::new(), lit: l.lit.clone() });
                Some(vec![Pattern::Value(self.pattern_value(&e, ty)?)])
            }
            Pat::Ident(i) if i.subpat.is_none() && i.by_ref.is_none() && i.mutability.is_none() => {
                let path = i.ident.clone().into();
                let e = Syn::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path });
                Some(vec![Pattern::Value(self.pattern_value(&e, ty)?)])
            }
            Pat::Path(p) => {
                let e = Syn::Path(p.clone());
                Some(vec![Pattern::Value(self.pattern_value(&e, ty)?)])
            }
            Pat::Range(r) => {
                let low = match &r.start {
                    Some(e) => self.pattern_value(e, ty)?,
                    None => 0,
                };
                let high = match (&r.end, &r.limits) {
                    (Some(e), syn::RangeLimits::Closed(_)) => self.pattern_value(e, ty)?,
                    (Some(e), syn::RangeLimits::HalfOpen(_)) => {
                        self.pattern_value(e, ty)?.wrapping_sub(1) & ty.mask()
                    }
                    (None, _) => ty.mask(),
                };
                if low > high {
                    self.error(
                        Code::Overflow,
                        pat,
                        "this range is empty",
                        "the lower bound stands first: `1..=4`",
                    );
                    return None;
                }
                Some(vec![Pattern::Range { low, high }])
            }
            Pat::TupleStruct(t) if t.path.is_ident("mask") => self.mask_pattern(t, ty),
            _ => {
                self.syntax(
                    pat,
                    "this pattern is not known",
                    "patterns are numbers, constants, ranges such as `1..=4`, `mask(value, mask)`, `_` and `|`",
                );
                None
            }
        }
    }

    fn mask_pattern(&mut self, t: &syn::PatTupleStruct, ty: Type) -> Option<Vec<Pattern>> {
        let parts: Vec<&Pat> = t.elems.iter().collect();
        let [value, mask] = parts.as_slice() else {
            self.syntax(t, "`mask` takes a value and a mask", "write `mask(0x02, 0x17)`");
            return None;
        };
        let single = |l: &mut Self, p: &Pat| match l.choices(p, ty)?.as_slice() {
            [Pattern::Value(n)] => Some(*n),
            _ => {
                l.error(Code::Mismatch, p, "a number is needed here", "write `mask(0x02, 0x17)`");
                None
            }
        };
        let (value, mask) = (single(self, value)?, single(self, mask)?);
        Some(vec![Pattern::Mask { value, mask }])
    }

    /// A number of this type that is known now.
    fn pattern_value(&mut self, e: &Syn, ty: Type) -> Option<u128> {
        let scope = std::mem::take(&mut self.scope);
        let value = self.typed(e, ty, None);
        self.scope = scope;
        match value?.kind {
            ExprKind::Const(n) => Some(n),
            ExprKind::Bool(b) => Some(u128::from(b)),
            _ => {
                self.error(Code::Mismatch, e, "a pattern is known at compile time", "compare in an `if`");
                None
            }
        }
    }
}
