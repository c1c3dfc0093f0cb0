//! Actions, tables, counters and registers: what the control plane sees, with P4Info's ids.

use std::collections::BTreeSet;

use p4::ast::{
    ActionRef, Annotation, Decl, Entry, Expr as P4, Key, Keyset, Param, Stmt as P4Stmt, Table as P4Table,
    Type as P4Type,
};
use p4::info::P4Info;
use pipeline_ir::expr::Type;
use pipeline_ir::stmt::{Place, Stmt, StmtKind, walk};
use pipeline_ir::{ActionId, ConstEntry, CounterKind, KeyValue, MatchKind, RingId, TableId, VarId};

use super::control::{Ingress, note};
use super::expr::{Scope, meta, number};
use super::info::{Sizes, cell_width, direct, slot_width};
use super::means::Means;
use super::plan::mentions;
use super::worlds::Worlds;

/// `@name(".vip4") @id(0x...)`: the name without the control around it.
fn seen(decl: Decl, name: &str, id: Option<u32>) -> Decl {
    let decl = decl.annotate(Annotation::name(format!(".{name}")));
    match id {
        Some(id) => decl.annotate(Annotation::id(id)),
        None => decl,
    }
}

/// Counters and registers.
pub(super) fn instances(g: &Ingress<'_>, info: &P4Info, sizes: &Sizes) -> Vec<Decl> {
    let (p, names, arch) = (g.s.p, g.s.names, g.s.style.arch);
    let counter = |name: String, local: String, kind: CounterKind, size: u32| {
        let id = info.counters.iter().find(|c| c.preamble.name == name).map(|c| c.preamble.id);
        let (ty, args) = arch.counter(size, kind);
        seen(Decl::instance(ty, args, local), &name, id)
    };
    let mut out: Vec<Decl> = g.hashers.iter().filter_map(|how| arch.hasher(*how)).collect();
    out.dedup();
    let (last, reasons) = (g.s.style.means.drops_last, p.reasons.len() as u32);
    if last && g.drops {
        let name = g.drops_counter().to_owned();
        let decl = counter(name.clone(), name, CounterKind::Packets, reasons + 1);
        out.push(decl.note("drop reasons, from 1 on"));
    }
    if g.egress {
        return out;
    }
    for r in p.reasons.iter().filter(|_| !last) {
        let decl = counter(format!("drop.{}", r.name), format!("drop_{}", r.name), CounterKind::Packets, 1);
        out.push(decl.note(note(&p.file, r.at, "drop reason")));
    }
    for (c, local) in p.counters.iter().zip(&names.counters) {
        out.push(counter(c.name.clone(), local.clone(), c.kind, c.size).note(note(&p.file, c.at, "counter")));
    }
    for t in &p.flow_tables {
        for what in ["stored", "not_stored"] {
            let (seen_as, local) = (format!("{}.{what}", t.name), format!("{}_{what}", t.name));
            out.push(counter(seen_as, local, CounterKind::Packets, 1));
        }
    }
    for t in &p.tables {
        let Some(kind) = t.counters else { continue };
        let name = direct(t);
        let id = info.direct_counters.iter().find(|c| c.preamble.name == name).map(|c| c.preamble.id);
        let (ty, args) = arch.direct_counter(kind);
        out.push(seen(Decl::instance(ty, args, name.clone()), &name, id));
    }
    let register = |name: &str, local: &str, width: u32, size: P4| {
        let id = info.registers.iter().find(|r| r.preamble.name == name).map(|r| r.preamble.id);
        seen(Decl::instance(arch.register(width), [size], local), name, id)
    };
    let means = &g.s.style.means;
    let in_registers = |_: &_| !means.learns && !means.staged;
    for (t, local) in p.flow_tables.iter().zip(&names.flow_tables).filter(in_registers) {
        let size = P4::from(sizes.flows(t));
        let decl = register(&t.name, local, cell_width(t), size);
        out.push(decl.note(note(&p.file, t.at, "flow table: buckets of 4 ways")));
    }
    let alone = |_: &_| !means.limits_in_pairs;
    for (l, local) in p.limiters.iter().zip(&names.limiters).filter(alone) {
        let decl = register(&l.name, local, 32, P4::from(1u32));
        out.push(decl.note(note(&p.file, l.at, "limiter")));
    }
    out
}

/// The actions of all tables.
pub(super) fn actions(g: &Ingress<'_>, info: &P4Info) -> Vec<Decl> {
    let p = g.s.p;
    let mut out = Vec::new();
    for i in 0..p.actions.len() {
        let id = ActionId(i as u32);
        let of = (0..p.tables.len()).map(|t| TableId(t as u32));
        let of: Vec<TableId> = of.filter(|t| p.tables[t.index()].actions.contains(&id)).collect();
        if g.s.is_shared(id) {
            out.extend(of.iter().map(|t| action(g, id, &[*t], info)));
        } else {
            out.push(action(g, id, &of, info));
        }
    }
    let ring = |name: String, params: Vec<Param>, body: Vec<P4Stmt>| {
        let id = info.action(&name).map(|a| a.preamble.id);
        seen(Decl::action(name.clone(), params, body), &name, id)
    };
    if !p.rings.is_empty() {
        let body = vec![P4Stmt::assign(meta("generation"), "generation")];
        out.push(ring("set_generation".to_owned(), vec![Param::new(P4Type::bit(8), "generation")], body));
    }
    for (i, r) in p.rings.iter().enumerate() {
        let to = g.ring_ids.get(&RingId(i as u32));
        let body = to.map(|to| P4Stmt::assign(to.clone(), "id")).into_iter().collect();
        let id = Param::new(P4Type::bit(u32::from(r.id_width)), "id");
        out.push(ring(format!("no_{}", r.pool_table), vec![], vec![]));
        out.push(ring(format!("set_{}", r.name), vec![id], body));
        out.push(ring(format!("no_{}", r.name), vec![], vec![]));
    }
    out
}

/// An action: it does what its arms say, or keeps its data for them.
fn action(g: &Ingress<'_>, id: ActionId, of: &[TableId], info: &P4Info) -> Decl {
    let s = g.s;
    let a = &s.p.actions[id.index()];
    let params = a.params.iter().map(|v| {
        let var = s.p.var(*v);
        let name = s.names.params[v.index()].clone();
        let param = Param::new(P4Type::bit(u32::from(var.ty.width())), name.clone());
        let idle = s.plan.read.contains(v) && !wanted(s, id, of, *v);
        let param = if idle { param.annotate(unused()) } else { param };
        if name == var.name { param } else { param.annotate(Annotation::name(var.name.clone())) }
    });
    let inside = Scope { action: Some(id), ..s };
    let absorbed = s.plan.absorbed.contains(&id);
    let over = g.cut.and_then(|cut| cut.hand_over(id, inside));
    let taken = g.taken.get(&id).into_iter().flatten();
    let taken = taken.map(|(v, e)| P4Stmt::assign(s.var(*v), inside.value(e, &Worlds::any())));
    let mut body: Vec<P4Stmt> = if absorbed && over.is_none() {
        taken.chain(arm(s, id).iter().flat_map(|stmt| g.absorbed(inside, stmt))).collect()
    } else {
        let read = a.params.iter().filter(|v| s.plan.read.contains(v) && wanted(s, id, of, **v));
        let kept = read.map(|v| {
            let value = inside.var(*v);
            let value = match s.p.var(*v).ty {
                Type::Bool => value.equals(1u32),
                _ if s.plan.is_port(*v) => value.cast(P4Type::bit(s.style.arch.port_bits().into())),
                _ => value,
            };
            P4Stmt::assign(s.var(*v), value)
        });
        over.into_iter().flatten().chain(kept).chain(taken).collect()
    };
    let tables = of.iter().map(|t| &s.p.tables[t.index()]);
    body.extend(tables.filter_map(|t| s.style.arch.count_entry(P4::name(direct(t)), t.counters?)));
    if of.iter().all(|t| g.decides(*t)) {
        return Decl::action(s.names.actions[id.index()].clone(), params, body);
    }
    let about = note(&s.p.file, a.at, &format!("action {}", a.name));
    if let ([table], true) = (of, s.is_shared(id)) {
        let name = s.action(*table, id);
        return seen(Decl::action(name.clone(), params, body), &name, None).note(about);
    }
    let number = info.action(&a.name).map(|a| a.preamble.id);
    let decl = Decl::action(s.names.actions[id.index()].clone(), params, body);
    seen(decl, &a.name, number).note(about)
}

/// What the control plane says, and nothing asks.
fn unused() -> Annotation {
    Annotation::with("noWarn", [P4::string("unused")])
}

/// Does what follows these tables ask for a parameter of their action? The arms of other tables may, and nothing else.
fn wanted(s: Scope<'_>, action: ActionId, of: &[TableId], param: VarId) -> bool {
    if !s.style.means.steps || s.plan.bridged.contains_key(&param) {
        return true;
    }
    let param = BTreeSet::from([param]);
    let (mut here, mut in_arms) = (0, 0);
    walk(&s.p.control, &mut |stmt| {
        if let StmtKind::Apply { table, arms, .. } | StmtKind::Stay { table, arms, .. } = &stmt.kind {
            let arms = arms.iter().filter(|a| a.action == action);
            let asked = arms.map(|a| mentions(&a.body, &param)).sum::<usize>();
            in_arms += asked;
            here += if of.contains(table) { asked } else { 0 };
        }
    });
    here > 0 || mentions(&s.p.control, &param) > in_arms
}

impl Ingress<'_> {
    /// What an action does itself of its arm.
    fn absorbed(&self, inside: Scope<'_>, stmt: &Stmt) -> Vec<P4Stmt> {
        match &stmt.kind {
            StmtKind::Set { place: Place::Var(v), value } => {
                vec![P4Stmt::assign(inside.var(*v), inside.value(value, &Worlds::any()))]
            }
            StmtKind::Verdict(v) => self.said(v, &Worlds::any()),
            _ => Vec::new(),
        }
    }
}

/// What the arms of an action say, if they say the same.
fn arm(s: Scope<'_>, id: ActionId) -> Vec<Stmt> {
    let mut found = None;
    walk(&s.p.control, &mut |stmt| {
        if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = &stmt.kind {
            found = found.take().or_else(|| arms.iter().find(|a| a.action == id).map(|a| a.body.clone()));
        }
    });
    found.unwrap_or_default()
}

/// All tables that are applied, then the two of each ring.
pub(super) fn tables(g: &Ingress<'_>, info: &P4Info, sizes: &Sizes) -> Vec<Decl> {
    let p = g.s.p;
    let mut out = Vec::new();
    for (i, t) in p.tables.iter().enumerate() {
        let id = TableId(i as u32);
        if let Some(keys) = g.keys.get(&id) {
            let local = g.s.names.tables[i].clone();
            let decl = Decl::from(table(g, id, local, keys));
            if g.decides(id) {
                out.push(decl.annotate(Annotation::new("hidden")).note(note(&p.file, t.at, "is decided")));
                continue;
            }
            let decl = seen(decl, &t.name, info.table(&t.name).map(|t| t.preamble.id));
            out.push(decl.note(note(&p.file, t.at, &format!("table {}", t.name))));
        }
    }
    out.extend(super::learner::tables(g));
    for (i, r) in p.rings.iter().enumerate() {
        let ring = RingId(i as u32);
        let (Some(pool), Some(slot)) = (g.pools.get(&ring), g.slots.get(&ring)) else { continue };
        let (pool_local, ring_local) = &g.s.names.rings[i];
        let at = |what: &str| note(&p.file, r.at, what);
        let id = |name: &str| info.table(name).map(|t| t.preamble.id);
        let by_pool = P4Table::new(pool_local.clone()).keys([Key::exact(pool.clone()).named("pool")]);
        let by_pool = ring_table(by_pool, "set_generation", &format!("no_{}", r.pool_table), r.pools);
        out.push(
            seen(by_pool, &r.pool_table, id(&r.pool_table)).note(at("the generation of each pool in force")),
        );
        let apart = g.s.style.arch.keys_in_metadata();
        let generation = if apart { format!("{}_generation", r.name) } else { "generation".to_owned() };
        let slot = P4Table::new(ring_local.clone()).keys([
            Key::exact(pool.clone()).named("pool"),
            Key::exact(meta(&generation)).named("generation"),
            Key::exact(slot.clone()).named("slot"),
        ]);
        let slot = ring_table(slot, &format!("set_{}", r.name), &format!("no_{}", r.name), sizes.ring(r));
        let bits = slot_width(r);
        out.push(seen(slot, &r.name, id(&r.name)).note(at(&format!("ring: {} slots, {bits} bits", r.slots))));
    }
    out
}

fn ring_table(table: P4Table, set: &str, none: &str, size: u32) -> Decl {
    let actions = [ActionRef::new(set), ActionRef::new(none).default_only()];
    table.actions(actions).const_default_action(P4::call0(none)).size(size).into()
}

fn table(g: &Ingress<'_>, id: TableId, local: String, keys: &[P4]) -> P4Table {
    let s = g.s;
    let t = &s.p.tables[id.index()];
    let name = |a: ActionId| s.action(id, a);
    let keys = t.keys.iter().zip(keys).map(|(k, e)| {
        let key = Key::new(e.clone(), match_kind(k.kind, s.style.means));
        if g.decides(id) { key } else { key.named(k.name.clone()) }
    });
    let actions = t.actions.iter().map(|a| {
        let reference = ActionRef::new(name(*a));
        if s.p.actions[a.index()].default_only { reference.default_only() } else { reference }
    });
    let default = &s.p.actions[t.default.index()];
    let zeros: Vec<P4> = default.params.iter().map(|_| P4::int(0)).collect();
    let table = P4Table::new(local)
        .keys(keys)
        .actions(actions)
        .const_default_action(P4::call(name(t.default), zeros));
    let table = if t.const_entries.is_empty() {
        table
    } else {
        table.const_entries(t.const_entries.iter().map(|e| entry(g, id, e)))
    };
    let table = if t.const_entries.is_empty() { table.size(t.size) } else { table };
    if t.counters.is_some() {
        table.value(s.style.arch.direct_counter_property(), P4::name(direct(t)))
    } else {
        table
    }
}

fn entry(g: &Ingress<'_>, id: TableId, e: &ConstEntry) -> Entry {
    let s = g.s;
    let t = &s.p.tables[id.index()];
    let keys = e.keys.iter().zip(&t.keys).enumerate().map(|(i, (v, k))| match *v {
        KeyValue::Ternary { value, mask: 1 } if g.flags.contains(&(id, i)) => {
            Keyset::value(P4::Bool(value == 1))
        }
        KeyValue::Ternary { value, mask } if g.decides(id) && mask == Type::Bits(k.width).mask() => {
            Keyset::value(number(value))
        }
        v => keyset(v, k.width),
    });
    let args: Vec<P4> = e.args.iter().map(|a| number(*a)).collect();
    let entry = Entry::new(keys, s.action(id, e.action), args);
    if g.decides(id) { entry } else { entry.note(note(&s.p.file, e.at, "")) }
}

fn keyset(v: KeyValue, width: u8) -> Keyset {
    let all = u128::MAX >> (128 - u32::from(width.max(1)));
    match v {
        KeyValue::Exact(v) | KeyValue::Optional(Some(v)) => Keyset::value(number(v)),
        KeyValue::Optional(None) => Keyset::DontCare,
        KeyValue::Ternary { mask: 0, .. } | KeyValue::Lpm { prefix: 0, .. } => Keyset::DontCare,
        KeyValue::Ternary { value, mask } => Keyset::mask(number(value), number(mask)),
        KeyValue::Range { low, high } => Keyset::range(number(low), number(high)),
        KeyValue::Lpm { value, prefix } => {
            let mask = all & !(all.checked_shr(u32::from(prefix)).unwrap_or(0));
            Keyset::mask(number(value), number(mask))
        }
    }
}

fn match_kind(kind: MatchKind, means: Means) -> &'static str {
    match kind {
        MatchKind::Optional if means.optional_by_mask => "ternary",
        MatchKind::Exact => "exact",
        MatchKind::Lpm => "lpm",
        MatchKind::Ternary => "ternary",
        MatchKind::Range => "range",
        MatchKind::Optional => "optional",
    }
}
