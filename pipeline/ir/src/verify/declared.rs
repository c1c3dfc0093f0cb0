//! What is declared: names that differ, widths in range, headers of whole bytes, and nothing that is never used.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostics};
use crate::entry::ring_names;
use crate::stmt::{self, StmtKind, Verdict};
use crate::{ActionId, Loc, Pipeline, VarId, VarKind};

pub(super) fn check(p: &Pipeline, found: &mut Diagnostics) {
    names(p, found);
    widths(p, found);
    params(p, found);
    if !p.control.is_empty() {
        unused(p, found);
    }
    for limiter in &p.limiters {
        if !(1..=16_383).contains(&limiter.per_tick) {
            let message = format!("limiter `{}` lets {} packets through", limiter.name, limiter.per_tick);
            found.push(Code::Overflow, limiter.at, message, "choose 1 to 16,383 packets per tick");
        }
    }
    for counter in p.counters.iter().filter(|c| c.size == 0) {
        let message = format!("counter `{}` has no cells", counter.name);
        found.push(Code::TableShape, counter.at, message, "give it a `size` of at least 1");
    }
}

/// One space of names, in which each may stand once.
fn distinct<'a>(
    found: &mut Diagnostics,
    kind: &str,
    help: &str,
    names: impl IntoIterator<Item = (String, &'a str, Loc)>,
) {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for (name, what, at) in names {
        match taken.get(&name) {
            Some(first) => {
                let message = format!("{what} `{name}`: there is {first} of that name{kind}");
                found.push(Code::Duplicate, at, message, help);
            }
            None => {
                taken.insert(name, what);
            }
        }
    }
}

fn names(p: &Pipeline, found: &mut Diagnostics) {
    let help = "rename one of them";
    let all = |names: Vec<(&String, Loc)>, what: &'static str| {
        names.into_iter().map(move |(n, at)| (n.clone(), what, at)).collect::<Vec<_>>()
    };
    let types = all(p.header_types.iter().map(|t| (&t.name, t.at)).collect(), "a header type");
    distinct(found, "", help, types);
    distinct(found, "", help, all(p.headers.iter().map(|h| (&h.name, h.at)).collect(), "a header"));
    let meta = p.vars.iter().filter(|v| v.kind == VarKind::Meta);
    distinct(found, "", help, all(meta.map(|v| (&v.name, v.at)).collect(), "a field of Meta"));
    distinct(found, "", help, all(p.reasons.iter().map(|r| (&r.name, r.at)).collect(), "a drop reason"));
    let states = p.parser.states.iter();
    distinct(found, "", help, all(states.map(|s| (&s.name, s.at)).collect(), "a parser state"));
    for t in &p.header_types {
        let fields = all(t.fields.iter().map(|f| (&f.name, f.at)).collect(), "a field");
        distinct(found, &format!(" in header type `{}`", t.name), help, fields);
    }
    for t in &p.tables {
        let keys = all(t.keys.iter().map(|k| (&k.name, k.at)).collect(), "a key field");
        distinct(found, &format!(" in table `{}`", t.name), help, keys);
    }
    for t in &p.flow_tables {
        let keys = all(t.keys.iter().map(|k| (&k.name, k.at)).collect(), "a key field");
        distinct(found, &format!(" in flow table `{}`", t.name), help, keys);
    }
    for a in &p.actions {
        let params = a.params.iter().map(|v| (&p.var(*v).name, p.var(*v).at)).collect();
        distinct(found, &format!(" in action `{}`", a.name), help, all(params, "a parameter"));
    }
    control_plane_names(p, found);
}

/// The names under which the control plane finds objects: one space, so that they can't be mixed up anywhere.
fn control_plane_names(p: &Pipeline, found: &mut Diagnostics) {
    let help = "the control plane finds objects by name: rename one of them";
    let mut names: Vec<(String, &str, Loc)> = Vec::new();
    names.extend(p.tables.iter().map(|t| (t.name.clone(), "a table", t.at)));
    names.extend(p.rings.iter().map(|r| (r.name.clone(), "a ring", r.at)));
    names.extend(p.rings.iter().map(|r| (r.pool_table.clone(), "a pool table", r.at)));
    names.extend(p.flow_tables.iter().map(|t| (t.name.clone(), "a flow table", t.at)));
    names.extend(p.counters.iter().map(|c| (c.name.clone(), "a counter", c.at)));
    names.extend(p.limiters.iter().map(|l| (l.name.clone(), "a limiter", l.at)));
    distinct(found, "", help, names);

    let mut actions: Vec<(String, &str, Loc)> = Vec::new();
    for ring in &p.rings {
        actions.push((ring.set_action(), "a ring's action", ring.at));
        actions.push((ring.no_generation_action(), "a ring's action", ring.at));
        actions.push((ring.no_slot_action(), "a ring's action", ring.at));
    }
    if let Some(ring) = p.rings.first() {
        actions.push((ring_names::SET_GENERATION.to_owned(), "a ring's action", ring.at));
    }
    actions.extend(p.actions.iter().map(|a| (a.name.clone(), "an action", a.at)));
    distinct(found, "", help, actions);
}

fn widths(p: &Pipeline, found: &mut Diagnostics) {
    let mut check = |what: String, width: u8, at: Loc| {
        if !(1..=128).contains(&width) {
            let message = format!("{what} has {width} bits");
            found.push(Code::Width, at, message, "a width is 1 to 128 bits");
        }
    };
    for t in &p.header_types {
        for f in &t.fields {
            check(format!("field `{}.{}`", t.name, f.name), f.width, f.at);
        }
    }
    for v in &p.vars {
        check(format!("`{}`", v.name), v.ty.width(), v.at);
    }
    for t in &p.tables {
        for k in &t.keys {
            check(format!("key field `{}.{}`", t.name, k.name), k.width, k.at);
        }
    }
    for t in &p.flow_tables {
        for k in &t.keys {
            check(format!("key field `{}.{}`", t.name, k.name), k.width, k.at);
        }
    }
    for t in p.header_types.iter().filter(|t| t.bits() == 0 || t.bits() % 8 != 0) {
        let message = format!("header type `{}` has {} bits", t.name, t.bits());
        let help = format!("add a reserved field of {} bits", 8 - t.bits() % 8);
        found.push(Code::HeaderBytes, t.at, message, help);
    }
}

/// A parameter belongs to one action, and that action lists it.
fn params(p: &Pipeline, found: &mut Diagnostics) {
    let mut listed: BTreeSet<(ActionId, VarId)> = BTreeSet::new();
    for (i, action) in p.actions.iter().enumerate() {
        for param in &action.params {
            listed.insert((ActionId(i as u32), *param));
            if p.var(*param).kind != VarKind::Param(ActionId(i as u32)) {
                let message =
                    format!("action `{}`: `{}` is no parameter of it", action.name, p.var(*param).name);
                found.push(Code::Mismatch, action.at, message, "make it a parameter of this action alone");
            }
        }
    }
    for (i, var) in p.vars.iter().enumerate() {
        let VarKind::Param(action) = var.kind else { continue };
        if !listed.contains(&(action, VarId(i as u32))) {
            let name = &p.actions[action.index()].name;
            let message = format!("`{}` is a parameter that action `{name}` does not list", var.name);
            found.push(Code::Mismatch, var.at, message, "list it among the action's parameters");
        }
    }
}

/// Objects that no path uses: they would be there for the control plane, without effect.
fn unused(p: &Pipeline, found: &mut Diagnostics) {
    let mut used: BTreeSet<(&str, usize)> = BTreeSet::new();
    stmt::walk(&p.control, &mut |s| {
        used.extend(match &s.kind {
            StmtKind::Apply { table, .. } | StmtKind::Stay { table, .. } => Some(("table", table.index())),
            StmtKind::Find { table, .. } => Some(("flow table", table.index())),
            StmtKind::Select { ring, .. } => Some(("ring", ring.index())),
            StmtKind::Count { counter, .. } => Some(("counter", counter.index())),
            StmtKind::Limit { limiter, .. } => Some(("limiter", limiter.index())),
            StmtKind::Verdict(Verdict::Drop(reason)) => Some(("drop reason", reason.index())),
            _ => None,
        });
    });
    for ring in &p.rings {
        used.extend([("drop reason", ring.no_pool.index()), ("drop reason", ring.no_slot.index())]);
    }
    for action in p.tables.iter().flat_map(|t| &t.actions) {
        used.insert(("action", action.index()));
    }
    let mut check = |what: &'static str, index: usize, name: &str, at: Loc| {
        if !used.contains(&(what, index)) {
            let message = format!("{what} `{name}` is never used");
            found.push(Code::Unreachable, at, message, "use it in the control, or remove it");
        }
    };
    p.tables.iter().enumerate().for_each(|(i, t)| check("table", i, &t.name, t.at));
    p.flow_tables.iter().enumerate().for_each(|(i, t)| check("flow table", i, &t.name, t.at));
    p.rings.iter().enumerate().for_each(|(i, r)| check("ring", i, &r.name, r.at));
    p.counters.iter().enumerate().for_each(|(i, c)| check("counter", i, &c.name, c.at));
    p.limiters.iter().enumerate().for_each(|(i, l)| check("limiter", i, &l.name, l.at));
    p.actions.iter().enumerate().for_each(|(i, a)| check("action", i, &a.name, a.at));
    p.reasons.iter().enumerate().for_each(|(i, r)| check("drop reason", i, &r.name, r.at));
}
