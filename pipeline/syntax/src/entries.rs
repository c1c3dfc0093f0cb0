//! Entries written in the source: `#[entries(Key { .. } => Action { .. }, ..)]`.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::expr::{ExprKind, Type};
use pipeline_ir::{ActionId, ConstEntry, KeyValue, MatchKind, TableId};
use syn::Expr as Syn;

use crate::attr;
use crate::lower::Lower;
use crate::names;
use crate::source::Object;

impl Lower<'_> {
    /// The const entries of a table.
    pub(crate) fn const_entries(&mut self, o: &Object, table: TableId) {
        for attribute in o.attrs.iter().filter(|a| a.path().is_ident("entries")) {
            let entries = match attr::entries(attribute) {
                Ok(entries) => entries,
                Err(e) => {
                    self.report
                        .parse_error(&e, "entries are `Key { .. } => Action { .. }`, separated by commas");
                    continue;
                }
            };
            for entry in entries {
                let keys = self.entry_key(&entry.key, table);
                let action = self.entry_action(&entry.action, table);
                let at = self.at(&entry.key);
                if let (Some(keys), Some((action, args))) = (keys, action) {
                    self.p.tables[table.index()].const_entries.push(ConstEntry { keys, action, args, at });
                }
            }
        }
    }

    fn entry_key(&mut self, e: &Syn, table: TableId) -> Option<Vec<KeyValue>> {
        let wanted = self.table_keys[table.index()].clone();
        let literal = match e {
            Syn::Struct(s) if s.path.is_ident(&wanted) => s,
            _ => {
                let help = format!("write `{wanted} {{ .. }}`");
                self.error(Code::ConstEntry, e, format!("a `{wanted}` is needed here"), help);
                return None;
            }
        };
        let keys = self.p.tables[table.index()].keys.clone();
        let mut values: Vec<Option<KeyValue>> = vec![None; keys.len()];
        for f in &literal.fields {
            let syn::Member::Named(member) = &f.member else { continue };
            let name = names::snake_case(&member.to_string());
            match keys.iter().position(|k| k.name == name) {
                Some(i) => values[i] = Some(self.key_value(&f.expr, keys[i].kind, keys[i].width)?),
                None => {
                    let known = keys.iter().map(|k| k.name.as_str());
                    let help = names::suggest(&name, known, "name a field of the key");
                    self.error(Code::Unknown, member, format!("the key has no field `{name}`"), help);
                    return None;
                }
            }
        }
        let mut all = Vec::new();
        for (value, key) in values.into_iter().zip(&keys) {
            match value.or_else(|| anything(key.kind, key.width)) {
                Some(value) => all.push(value),
                None => {
                    let message = format!("`{}` is exact: it needs a value", key.name);
                    self.error(Code::ConstEntry, &literal.path, message, "name every exact field");
                    return None;
                }
            }
        }
        Some(all)
    }

    fn key_value(&mut self, e: &Syn, kind: MatchKind, width: u8) -> Option<KeyValue> {
        match (kind, e) {
            (MatchKind::Ternary, Syn::Call(c)) if is_call(c, "mask") => {
                let (value, mask) = self.two(c, width, Some(width))?;
                Some(KeyValue::Ternary { value: value & mask, mask })
            }
            (MatchKind::Lpm, Syn::Call(c)) if is_call(c, "prefix") => {
                let (value, prefix) = self.two(c, width, None)?;
                let mask = Type::Bits(width).mask();
                let kept = mask & !mask.checked_shr(prefix as u32).unwrap_or(0);
                Some(KeyValue::Lpm { value: value & kept, prefix: prefix as u8 })
            }
            (MatchKind::Range, Syn::Range(r)) => {
                let low = r.start.as_ref().map_or(Some(0), |e| self.constant_bits(e, width))?;
                let high = match (&r.end, &r.limits) {
                    (Some(e), syn::RangeLimits::Closed(_)) => self.constant_bits(e, width)?,
                    (Some(e), syn::RangeLimits::HalfOpen(_)) => {
                        self.constant_bits(e, width)?.saturating_sub(1)
                    }
                    (None, _) => Type::Bits(width).mask(),
                };
                Some(KeyValue::Range { low, high })
            }
            _ => {
                let value = self.constant_bits(e, width)?;
                Some(match kind {
                    MatchKind::Exact => KeyValue::Exact(value),
                    MatchKind::Lpm => KeyValue::Lpm { value, prefix: width },
                    MatchKind::Ternary => KeyValue::Ternary { value, mask: Type::Bits(width).mask() },
                    MatchKind::Range => KeyValue::Range { low: value, high: value },
                    MatchKind::Optional => KeyValue::Optional(Some(value)),
                })
            }
        }
    }

    /// The two numbers of `mask(value, mask)`, or of `prefix(value, length)` where the second has no width.
    fn two(&mut self, c: &syn::ExprCall, width: u8, second: Option<u8>) -> Option<(u128, u128)> {
        let args: Vec<&Syn> = c.args.iter().collect();
        let [a, b] = args.as_slice() else {
            self.error(
                Code::ConstEntry,
                c,
                "two numbers are needed",
                "write `mask(value, mask)` or `prefix(value, length)`",
            );
            return None;
        };
        let a = self.constant_bits(a, width);
        let b = match second {
            Some(width) => self.constant_bits(b, width),
            None => self.number_within(b, "a prefix length", 0, u128::from(width)),
        };
        Some((a?, b?))
    }

    fn constant_bits(&mut self, e: &Syn, width: u8) -> Option<u128> {
        let (_, value) = self.collect(|l| l.typed(e, Type::Bits(width), None));
        match value?.kind {
            ExprKind::Const(n) => Some(n),
            _ => {
                self.error(
                    Code::ConstEntry,
                    e,
                    "an entry is known at compile time",
                    "write numbers and constants",
                );
                None
            }
        }
    }

    fn entry_action(&mut self, e: &Syn, table: TableId) -> Option<(ActionId, Vec<u128>)> {
        let (path, literal) = match e {
            Syn::Path(p) => (&p.path, None),
            Syn::Struct(s) => (&s.path, Some(s)),
            _ => {
                self.error(
                    Code::ConstEntry,
                    e,
                    "an action is needed here",
                    "write `Action { parameter: value }`",
                );
                return None;
            }
        };
        let action = self.named_action(path, table)?;
        let params = self.p.actions[action.index()].params.clone();
        let fields: Vec<(String, u8)> =
            params.iter().map(|v| (self.p.var(*v).name.clone(), self.p.var(*v).ty.width())).collect();
        let values = match literal {
            Some(s) => self.literal_fields(s, &fields)?,
            None if fields.is_empty() => Vec::new(),
            None => {
                let absent = names::list(fields.iter().map(|(n, _)| n.as_str()));
                self.error(Code::ConstEntry, e, format!("no value for {absent}"), "name every parameter");
                return None;
            }
        };
        let mut args = Vec::new();
        for v in values {
            match v.kind {
                ExprKind::Const(n) => args.push(n),
                _ => {
                    self.error(
                        Code::ConstEntry,
                        e,
                        "an entry is known at compile time",
                        "write numbers and constants",
                    );
                    return None;
                }
            }
        }
        Some((action, args))
    }
}

fn is_call(c: &syn::ExprCall, name: &str) -> bool {
    matches!(&*c.func, Syn::Path(p) if p.path.is_ident(name))
}

/// The value that matches all, where the kind has one.
fn anything(kind: MatchKind, width: u8) -> Option<KeyValue> {
    match kind {
        MatchKind::Exact => None,
        MatchKind::Lpm => Some(KeyValue::Lpm { value: 0, prefix: 0 }),
        MatchKind::Ternary => Some(KeyValue::Ternary { value: 0, mask: 0 }),
        MatchKind::Range => Some(KeyValue::Range { low: 0, high: Type::Bits(width).mask() }),
        MatchKind::Optional => Some(KeyValue::Optional(None)),
    }
}
