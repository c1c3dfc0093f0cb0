//! Declarations of objects: tables, flow tables, rings, counters, limiters.

use pipeline_ir::diagnostic::Code;
use pipeline_ir::{
    ActionId, Counter, CounterId, CounterKind, Field, FlowTable, FlowTableId, Idle, Key, Limiter, LimiterId,
    MatchKind, ReasonId, Ring, RingId, Table, TableId,
};
use syn::{Expr as Syn, GenericArgument, ItemStruct};

use crate::attr::{self, Arg, Value};
use crate::lower::{Lower, ObjectId};
use crate::source::{self, Object};
use crate::{names, types};

const KINDS: &[(&str, MatchKind)] = &[
    ("exact", MatchKind::Exact),
    ("lpm", MatchKind::Lpm),
    ("ternary", MatchKind::Ternary),
    ("range", MatchKind::Range),
    ("optional", MatchKind::Optional),
];
const COUNTERS: &[(&str, CounterKind)] =
    &[("packets", CounterKind::Packets), ("bytes", CounterKind::Bytes), ("both", CounterKind::Both)];
const OBJECTS: &[(&str, &str)] = &[
    ("Table", "table"),
    ("Affinity", "flow_table"),
    ("Ring", "ring"),
    ("Counter", "counter"),
    ("Limiter", "limiter"),
];

/// The arguments of an object's attribute, each asked for once.
struct Args {
    args: Vec<Arg>,
    /// Names that were asked for.
    known: Vec<&'static str>,
}

impl Args {
    fn value(&mut self, name: &'static str) -> Option<&Syn> {
        self.known.push(name);
        self.args
            .iter()
            .find(|a| a.name == name)
            .and_then(|a| if let Value::Is(e) = &a.value { Some(&**e) } else { None })
    }
}

impl Lower<'_> {
    /// Every `static`.
    pub(crate) fn all_objects(&mut self) {
        let source = self.source;
        for o in &source.objects {
            let kind = types::name(&o.ty).map(ToString::to_string).unwrap_or_default();
            let Some((_, attribute)) = OBJECTS.iter().find(|(n, _)| *n == kind) else {
                let known = OBJECTS.iter().map(|x| x.0);
                let otherwise = format!("objects are {}", names::list(known.clone()));
                let help = names::suggest(&kind, known, &otherwise);
                self.error(Code::Unknown, &o.ty, format!("there is no object type `{kind}`"), help);
                continue;
            };
            source::only_attributes(&o.attrs, &[attribute, "entries"], &mut self.report);
            let Some(mut args) = self.attribute(o, attribute) else { continue };
            if let (Some(init), false) = (&o.init, kind == "Table") {
                self.syntax(init, "this object has no value", "end the declaration after the type");
            }
            match kind.as_str() {
                "Table" => self.declare_table(o, &mut args),
                "Affinity" => self.flow_table(o, &mut args),
                "Ring" => self.ring(o, &mut args),
                "Counter" => self.counter(o, &mut args),
                _ => self.limiter(o, &mut args),
            }
            self.unknown_arguments(&args);
        }
    }

    fn attribute(&mut self, o: &Object, name: &str) -> Option<Args> {
        let Some(attribute) = o.attrs.iter().find(|a| a.path().is_ident(name)) else {
            let message = format!("`{}` has no `#[{name}(..)]`", o.ident);
            self.error(Code::Missing, &o.ident, message, "sizes and options stand in this attribute");
            return None;
        };
        match attr::of(attribute) {
            Ok(args) => Some(Args { args, known: Vec::new() }),
            Err(e) => {
                self.report.parse_error(&e, "arguments are `name = value`, separated by commas");
                None
            }
        }
    }

    fn unknown_arguments(&mut self, args: &Args) {
        for (i, a) in args.args.iter().enumerate() {
            let name = a.name.to_string();
            if !args.known.iter().any(|k| *k == name) {
                let known = args.known.iter().copied();
                let otherwise = format!("known here: {}", names::list(known.clone()));
                let help = names::suggest(&name, known, &otherwise);
                self.error(Code::Unknown, &a.name, format!("there is no argument `{name}`"), help);
            } else if name != "idle" && args.args[..i].iter().any(|b| b.name == a.name) {
                self.error(
                    Code::Duplicate,
                    &a.name,
                    format!("`{name}` is given twice"),
                    "remove one of them",
                );
            } else if name != "idle" && !matches!(a.value, Value::Is(_)) {
                self.syntax(&a.name, "this argument has a value", &format!("write `{name} = ...`"));
            }
        }
    }

    fn required(
        &mut self,
        o: &Object,
        args: &mut Args,
        name: &'static str,
        low: u128,
        high: u128,
    ) -> Option<u128> {
        match args.value(name) {
            Some(e) => self.number_within(e, &format!("`{name}`"), low, high),
            None => {
                let message = format!("`{}` does not say its `{name}`", o.ident);
                self.error(Code::Missing, &o.ident, message, format!("add `{name} = ...` to its attribute"));
                None
            }
        }
    }

    /// One of a list of words.
    fn word<T: Copy>(&mut self, e: &Syn, words: &[(&str, T)]) -> Option<T> {
        let name = match e {
            Syn::Path(p) => p.path.get_ident().map(ToString::to_string).unwrap_or_default(),
            _ => String::new(),
        };
        let found = words.iter().find(|(w, _)| *w == name).map(|(_, t)| *t);
        if found.is_none() {
            let known = words.iter().map(|(w, _)| *w);
            let otherwise = format!("one of {}", names::list(known.clone()));
            let help = names::suggest(&name, known, &otherwise);
            self.error(Code::Unknown, e, "this word is not known here", help);
        }
        found
    }

    /// Takes a name for a control-plane object.
    fn take_name(&mut self, o: &Object) -> String {
        let name = self.ir_name(&o.ident);
        let rings = self.p.rings.iter().flat_map(|r| [&r.name, &r.pool_table]);
        let mut taken = (self.p.tables.iter().map(|t| &t.name))
            .chain(self.p.flow_tables.iter().map(|t| &t.name))
            .chain(self.p.counters.iter().map(|t| &t.name))
            .chain(self.p.limiters.iter().map(|t| &t.name))
            .chain(rings);
        let is_taken = taken.any(|t| *t == name);
        drop(taken);
        if is_taken {
            let message = format!("there is already an object `{name}`");
            self.error(
                Code::Duplicate,
                &o.ident,
                message,
                "names that differ in case only are the same here",
            );
        }
        name
    }

    fn type_arguments<'o>(&mut self, o: &'o Object, what: &str) -> Option<(&'o syn::Type, &'o syn::Type)> {
        let arguments = types::segment(&o.ty).map(types::arguments).unwrap_or_default();
        if let [GenericArgument::Type(a), GenericArgument::Type(b)] = arguments.as_slice() {
            return Some((a, b));
        }
        self.syntax(&o.ty, "this type has two parameters", what);
        None
    }

    fn key_struct(&mut self, ty: &syn::Type) -> Option<&'_ ItemStruct> {
        let source = self.source;
        let name = types::name(ty).map(ToString::to_string).unwrap_or_default();
        let found = source.structure(&name);
        if found.is_none() {
            let known: Vec<String> = source.structs.iter().map(|s| s.ident.to_string()).collect();
            let help =
                names::suggest(&name, known.iter().map(String::as_str), "declare the key with `struct`");
            self.error(Code::Unknown, ty, format!("there is no struct `{name}`"), help);
        }
        found
    }

    fn declare_table(&mut self, o: &Object, args: &mut Args) {
        let size = self.required(o, args, "size", 1, 1 << 26);
        let counters = match args.value("counters").cloned() {
            Some(e) => self.word(&e, COUNTERS),
            None => None,
        };
        let slot_bits = match args.value("slot_bits").cloned() {
            Some(e) => self.number_within(&e, "`slot_bits`", 1, 24),
            None => None,
        };
        let types = self.type_arguments(o, "write `static T: Table<Key, Action> = Default;`");
        let Some((key, actions)) = types else { return };
        let Some(keys) = self.table_key(key) else { return };
        let Some(actions) = self.table_actions(actions) else { return };
        let default = self.default_action(o, &actions);
        let name = self.take_name(o);
        let at = self.at(&o.ident);
        let (Some(size), Some(default)) = (size, default) else { return };
        let id = TableId(self.p.tables.len() as u32);
        self.p.tables.push(Table {
            name,
            keys,
            actions,
            default,
            size: size as u32,
            counters,
            slot_bits: slot_bits.map(|n| n as u8),
            const_entries: Vec::new(),
            at,
        });
        self.table_keys.push(types::name(key).map(ToString::to_string).unwrap_or_default());
        self.objects.push((o.ident.to_string(), ObjectId::Table(id)));
        self.const_entries(o, id);
    }

    fn table_key(&mut self, ty: &syn::Type) -> Option<Vec<Key>> {
        let s = self.key_struct(ty)?.clone();
        source::only_attributes(&s.attrs, &[], &mut self.report);
        source::unique("field", s.fields.iter().filter_map(|f| f.ident.as_ref()), &mut self.report);
        let words: Vec<&str> = KINDS.iter().map(|k| k.0).collect();
        let mut keys = Vec::new();
        for f in &s.fields {
            source::only_attributes(&f.attrs, &words, &mut self.report);
            let Some(ident) = &f.ident else {
                self.syntax(f, "key fields have names", "write `struct Key { #[exact] dst: bit<32> }`");
                continue;
            };
            let kinds: Vec<MatchKind> = (f.attrs.iter())
                .filter_map(|a| KINDS.iter().find(|(n, _)| a.path().is_ident(n)).map(|(_, k)| *k))
                .collect();
            let [kind] = kinds.as_slice() else {
                let message = match kinds.len() {
                    0 => format!("`{ident}` does not say how it matches"),
                    n => format!("`{ident}` matches in {n} ways"),
                };
                let help = format!("put one attribute of {} before it", names::list(words.iter().copied()));
                self.error(Code::TableShape, ident, message, help);
                continue;
            };
            let Some(width) = self.bits_type(&f.ty) else { continue };
            let at = self.at(ident);
            let name = self.ir_name(ident);
            keys.push(Key { name, width, kind: *kind, at });
        }
        Some(keys)
    }

    fn table_actions(&mut self, ty: &syn::Type) -> Option<Vec<ActionId>> {
        let name = types::name(ty).map(ToString::to_string).unwrap_or_default();
        if self.source.enumeration(&name).is_some() && name != "Reason" {
            return Some(self.actions.iter().filter(|(e, _, _)| *e == name).map(|(_, _, id)| *id).collect());
        }
        let known: Vec<String> = self.source.enums.iter().map(|e| e.ident.to_string()).collect();
        let help = names::suggest(&name, known.iter().map(String::as_str), "declare the actions with `enum`");
        self.error(Code::Unknown, ty, format!("there is no action enum `{name}`"), help);
        None
    }

    fn default_action(&mut self, o: &Object, actions: &[ActionId]) -> Option<ActionId> {
        let Some(init) = &o.init else {
            let message = format!("`{}` has no default action", o.ident);
            self.error(Code::Missing, &o.ident, message, "write `static T: Table<Key, Action> = Default;`");
            return None;
        };
        let name = match init {
            Syn::Path(p) => p.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        let own: Vec<&(String, String, ActionId)> =
            self.actions.iter().filter(|(_, _, id)| actions.contains(id)).collect();
        if let Some((_, _, id)) = own.iter().find(|(_, v, _)| *v == name) {
            return Some(*id);
        }
        let known: Vec<String> = own.iter().map(|(_, v, _)| v.clone()).collect();
        let known = known.iter().map(String::as_str);
        let otherwise =
            format!("its actions are {}; a default is named without parameters", names::list(known.clone()));
        let help = names::suggest(&name, known, &otherwise);
        self.error(Code::Unknown, init, "this is not one of the table's actions", help);
        None
    }

    fn flow_table(&mut self, o: &Object, args: &mut Args) {
        let entries = self.required(o, args, "entries", 1, 1 << 30);
        args.known.push("idle");
        let mut idle = Vec::new();
        for a in &args.args {
            if a.name == "idle" {
                match self.idle(a) {
                    Some(times) => idle.push(times),
                    None => return,
                }
            }
        }
        let types = self.type_arguments(o, "write `static T: Affinity<Key, bit<24>>;`");
        let Some((key, id)) = types else { return };
        let id_width = self.bits_type(id);
        let Some(s) = self.key_struct(key).cloned() else { return };
        source::only_attributes(&s.attrs, &[], &mut self.report);
        source::unique("field", s.fields.iter().filter_map(|f| f.ident.as_ref()), &mut self.report);
        let mut keys = Vec::new();
        for f in &s.fields {
            source::only_attributes(&f.attrs, &[], &mut self.report);
            let (Some(ident), Some(width)) = (&f.ident, self.bits_type(&f.ty)) else { continue };
            let at = self.at(ident);
            let name = self.ir_name(ident);
            keys.push(Field { name, width, at });
        }
        let name = self.take_name(o);
        let at = self.at(&o.ident);
        let (Some(entries), Some(id_width)) = (entries, id_width) else { return };
        let id = FlowTableId(self.p.flow_tables.len() as u32);
        self.p.flow_tables.push(FlowTable { name, keys, id_width, entries: entries as u32, idle, at });
        self.flow_keys.push(s.ident.to_string());
        self.objects.push((o.ident.to_string(), ObjectId::Flow(id)));
    }

    fn idle(&mut self, arg: &Arg) -> Option<Idle> {
        const TIMES: [&str; 4] = ["new", "tcp", "udp", "closing"];
        let Value::List(times) = &arg.value else {
            self.syntax(
                &arg.name,
                "`idle` lists time-outs",
                "write `idle(new = 30.s, tcp = 300.s, udp = 60.s, closing = 60.s)`",
            );
            return None;
        };
        let mut found: [Option<u64>; 4] = [None; 4];
        let mut good = true;
        for t in times {
            let name = t.name.to_string();
            let Some(i) = TIMES.iter().position(|n| *n == name) else {
                let help = names::suggest(&name, TIMES, "time-outs are `new`, `tcp`, `udp` and `closing`");
                self.error(Code::Unknown, &t.name, format!("there is no time-out `{name}`"), help);
                good = false;
                continue;
            };
            match &t.value {
                Value::Is(e) => found[i] = self.duration(e),
                _ => self.syntax(&t.name, "a time-out has a value", "write `new = 30.s`"),
            }
            good &= found[i].is_some();
        }
        let absent: Vec<&str> =
            TIMES.iter().zip(&found).filter(|(_, f)| f.is_none()).map(|(n, _)| *n).collect();
        match found {
            [Some(new), Some(tcp), Some(udp), Some(closing)] => Some(Idle { new, tcp, udp, closing }),
            _ if good => {
                let message = format!("`idle` lacks {}", names::list(absent));
                self.error(Code::Missing, &arg.name, message, "every state has its time-out");
                None
            }
            _ => None,
        }
    }

    /// `500.ms`, `30.s`, `2.min`, `1.h`, in milliseconds.
    fn duration(&mut self, e: &Syn) -> Option<u64> {
        let units = [("ms", 1_u128), ("s", 1_000), ("min", 60_000), ("h", 3_600_000)];
        if let Syn::Field(f) = e
            && let syn::Member::Named(unit) = &f.member
            && let Some((_, factor)) = units.iter().find(|(u, _)| unit == u)
        {
            let n = self.number_within(&f.base, "a time-out's number", 1, u128::from(u32::MAX))?;
            return u64::try_from(n * factor).ok();
        }
        self.syntax(
            e,
            "this is not a time",
            "write a number with its unit: `500.ms`, `30.s`, `2.min`, `1.h`",
        );
        None
    }

    fn ring(&mut self, o: &Object, args: &mut Args) {
        let slots = self.required(o, args, "slots", 1, 1 << 24);
        let pools = self.required(o, args, "pools", 1, 1 << 20);
        let pool_table = match args.value("pool_table") {
            Some(Syn::Path(p)) => p.path.get_ident().map(|i| names::snake_case(&i.to_string())),
            Some(_) | None => None,
        };
        let no_pool = self.ring_reason(o, args, "no_pool");
        let no_slot = self.ring_reason(o, args, "no_slot");
        let types = self.type_arguments(o, "write `static RING: Ring<bit<16>, bit<24>>;`");
        let Some((pool, id)) = types else { return };
        let (pool_width, id_width) = (self.bits_type(pool), self.bits_type(id));
        let name = self.take_name(o);
        let at = self.at(&o.ident);
        let pool_table = pool_table.unwrap_or_else(|| format!("{name}_pool"));
        let (Some(slots), Some(pools), Some(no_pool), Some(no_slot)) = (slots, pools, no_pool, no_slot)
        else {
            return;
        };
        let (Some(pool_width), Some(id_width)) = (pool_width, id_width) else { return };
        let clash = pool_table == name || self.p.tables.iter().any(|t| t.name == pool_table);
        if clash {
            let message = format!("there is already an object `{pool_table}`");
            self.error(Code::Duplicate, &o.ident, message, "name another `pool_table`");
        }
        let ring = RingId(self.p.rings.len() as u32);
        self.p.rings.push(Ring {
            name,
            pool_table,
            slots: slots as u32,
            pools: pools as u32,
            pool_width,
            id_width,
            no_pool,
            no_slot,
            at,
        });
        self.objects.push((o.ident.to_string(), ObjectId::Ring(ring)));
    }

    fn ring_reason(&mut self, o: &Object, args: &mut Args, name: &'static str) -> Option<ReasonId> {
        match args.value(name).cloned() {
            Some(e) => self.reason(&e),
            None => {
                let message = format!("`{}` does not say its `{name}`", o.ident);
                self.error(
                    Code::Missing,
                    &o.ident,
                    message,
                    format!("add `{name} = Reason` to its attribute"),
                );
                None
            }
        }
    }

    fn counter(&mut self, o: &Object, args: &mut Args) {
        let size = self.required(o, args, "size", 1, 1 << 24);
        let kind = match args.value("kind").cloned() {
            Some(e) => self.word(&e, COUNTERS),
            None => Some(CounterKind::Both),
        };
        let name = self.take_name(o);
        let at = self.at(&o.ident);
        let (Some(size), Some(kind)) = (size, kind) else { return };
        let id = CounterId(self.p.counters.len() as u32);
        self.p.counters.push(Counter { name, size: size as u32, kind, at });
        self.objects.push((o.ident.to_string(), ObjectId::Counter(id)));
    }

    fn limiter(&mut self, o: &Object, args: &mut Args) {
        let per_tick = self.required(o, args, "per_tick", 1, 16_383);
        let name = self.take_name(o);
        let at = self.at(&o.ident);
        let Some(per_tick) = per_tick else { return };
        let id = LimiterId(self.p.limiters.len() as u32);
        self.p.limiters.push(Limiter { name, per_tick: per_tick as u16, at });
        self.objects.push((o.ident.to_string(), ObjectId::Limiter(id)));
    }
}
