//! Constants: evaluated when first asked for, so that their order doesn't matter.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::Type;
use pipeline_ir::stmt::HashAlgorithm;
use syn::ItemConst;

use crate::lower::{Constant, Lower, Val};
use crate::{names, source, types};

/// The hash algorithms by the names that the language gives them.
pub(crate) const HASHES: &[(&str, HashAlgorithm)] =
    &[("Crc32", HashAlgorithm::Crc32), ("HalfSipHash", HashAlgorithm::HalfSipHash)];

impl Lower<'_> {
    /// The constant with this name.
    pub(crate) fn constant(&mut self, name: &str, used_at: &syn::Expr) -> Option<Constant> {
        if let Some(known) = self.constants.get(name) {
            return Some(known.clone());
        }
        let source = self.source;
        let item = source.consts.iter().find(|c| c.ident == name)?;
        if self.evaluating.iter().any(|n| n == name) {
            self.error(
                Code::Syntax,
                used_at,
                format!("`{name}` is defined by itself"),
                "give one of the constants in this circle a number",
            );
            return Some(Constant::Bad);
        }
        self.evaluating.push(name.to_owned());
        let value = self.evaluate(item);
        self.evaluating.pop();
        self.constants.insert(name.to_owned(), value.clone());
        Some(value)
    }

    /// Evaluates every constant, so that each one's errors are found.
    pub(crate) fn all_constants(&mut self) {
        for item in &self.source.consts {
            source::only_attributes(&item.attrs, &[], &mut self.report);
            let path: syn::Expr = syn::Expr::Path(syn::ExprPath {
                attrs: Vec::new(),
                qself: None,
                path: item.ident.clone().into(),
            });
            self.constant(&item.ident.to_string(), &path);
        }
    }

    fn evaluate(&mut self, item: &ItemConst) -> Constant {
        let name = item.ident.to_string();
        let given = self.overrides.get(&name).cloned();
        let value = given.as_ref().unwrap_or(&item.expr);
        let scope = std::mem::take(&mut self.scope);
        let result = self.evaluate_as(&item.ty, value);
        self.scope = scope;
        result
    }

    fn evaluate_as(&mut self, ty: &syn::Type, value: &syn::Expr) -> Constant {
        if let Some(name) = types::name(ty) {
            if name == "HashAlgorithm" {
                return self.hash_name(value).map_or(Constant::Bad, Constant::Hash);
            }
            if let Some(bits) = types::number_bits(name) {
                let most = u128::MAX >> (128 - bits);
                let n = self.number_within(value, &format!("a `{name}`"), 0, most);
                return n.map_or(Constant::Bad, |n| Constant::Value(Val::Num(n)));
            }
        }
        let Some(ty) = self.value_type(ty) else { return Constant::Bad };
        let (made, given) = self.collect(|l| l.typed(value, ty, None));
        match given {
            Some(e) if made.is_empty() && is_constant(&e) => Constant::Value(Val::Expr(e)),
            None => Constant::Bad,
            Some(_) => {
                self.error(
                    Code::Mismatch,
                    value,
                    "a constant is known at compile time",
                    "write a literal, or arithmetic over constants",
                );
                Constant::Bad
            }
        }
    }

    /// `Crc32` or `HalfSipHash`, or a constant that names one.
    pub(crate) fn hash_name(&mut self, e: &syn::Expr) -> Option<HashAlgorithm> {
        let syn::Expr::Path(path) = e else {
            self.error(Code::Mismatch, e, "a hash algorithm is needed", "write `Crc32` or `HalfSipHash`");
            return None;
        };
        let name = path.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
        if let Some((_, algorithm)) = HASHES.iter().find(|(n, _)| *n == name) {
            return Some(*algorithm);
        }
        match self.constant(&name, e) {
            Some(Constant::Hash(algorithm)) => Some(algorithm),
            Some(Constant::Bad) => None,
            _ => {
                let help =
                    names::suggest(&name, HASHES.iter().map(|h| h.0), "write `Crc32` or `HalfSipHash`");
                self.error(Code::Unknown, e, format!("there is no hash algorithm `{name}`"), help);
                None
            }
        }
    }
}

/// Is this a constant and no more?
pub(crate) fn is_constant(e: &pipeline_ir::expr::Expr) -> bool {
    use pipeline_ir::expr::ExprKind;
    matches!((&e.kind, e.ty), (ExprKind::Const(_), Type::Bits(_)) | (ExprKind::Bool(_), Type::Bool))
}
