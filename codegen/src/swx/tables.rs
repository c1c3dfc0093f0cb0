//! What the program declares: structs, headers, regarrays, actions, tables, learners; and the text as a whole.

use pipeline_ir::entry::ring_names;
use pipeline_ir::flow::WAYS;
use pipeline_ir::stmt::{StmtKind, walk};
use pipeline_ir::{ActionId, CounterKind, FlowTable, MatchKind, Pipeline, Ring, Table, VarId};

use super::flow::STATES;
use super::layout::limbs;
use super::{Spec, value};
use crate::text::Text;

/// The header that is a table's key.
pub(super) fn key(table: &str) -> String {
    format!("{table}__key")
}

/// A table's action.
pub(super) fn action(table: &str, action: &str) -> String {
    format!("{table}__{action}")
}

/// Bits of a ring's slot number.
pub(super) fn slot_bits(slots: u32) -> u32 {
    slots.next_power_of_two().trailing_zeros()
}

/// Seconds that a learner keeps a key beyond its flow's time-out: its clock counts in units of 2^32 cycles.
const GRACE: u64 = 6;

/// The whole program.
pub(super) fn print(mut spec: Spec<'_>, apply: &[String]) -> String {
    let (p, fitted) = (spec.p, spec.fitted);
    let mut out = Text::default();
    out.line(format!("// {}: made by Guideway from {} for {}.", p.name, p.file, fitted.target().name));
    out.line("");
    let actions = actions(&mut spec);
    structs(&mut out, spec, &actions);
    regarrays(&mut out, p, fitted);
    for a in actions.iter().chain(&learners(p)) {
        let args = if a.args.is_empty() { "none".into() } else { format!("instanceof {}_args", a.name) };
        if !a.note.is_empty() {
            out.line(format!("// {}", a.note));
        }
        block(&mut out, &format!("action {} args {args}", a.name), a.body.iter().cloned());
    }
    p.tables.iter().for_each(|t| table(&mut out, p, t));
    p.rings.iter().for_each(|r| pool_table(&mut out, p, r));
    for (i, t) in p.flow_tables.iter().enumerate() {
        learner(&mut out, p, t, fitted.flow_entries(pipeline_ir::FlowTableId(i as u32)));
    }
    block(&mut out, "apply", apply.iter().cloned());
    out.finish().trim_end().to_owned() + "\n"
}

/// Structs, and the headers and metadata that have their shapes.
fn structs(out: &mut Text, spec: Spec<'_>, actions: &[Action]) {
    let Spec { p, regs, scratch, types, names, .. } = spec;
    block(out, "struct preamble_t", ["length", "tick", "most"].map(|f| format!("bit<32> {f}")));
    let used = |i: usize| p.headers.iter().any(|h| h.ty.index() == i);
    for (i, (ty, cells)) in p.header_types.iter().zip(&types).enumerate().filter(|(i, _)| used(*i)) {
        let fields = cells.iter().map(|c| format!("bit<{}> {}", c.bits, c.name));
        block(out, &format!("struct {}_{i}_t", ty.name), fields);
    }
    let mut files = regs.finish();
    let metadata = if files.is_empty() { Vec::new() } else { files.remove(0).1 };
    let of = |fields: &[(String, u32)]| -> Vec<String> {
        fields.iter().map(|(name, bits)| format!("bit<{bits}> {name}")).collect()
    };
    let own = scratch.iter().chain(files.iter().map(|(name, fields)| (name, fields)));
    for (name, fields) in own.clone() {
        block(out, &format!("struct {name}_t"), of(fields));
    }
    for a in actions.iter().filter(|a| !a.args.is_empty()) {
        block(out, &format!("struct {}_args", a.name), of(&a.args));
    }
    // SWX reads and writes 8 bytes at a time, also at the end.
    let pad = std::iter::once("bit<64> pad".to_owned());
    block(out, "struct metadata_t", of(&metadata).into_iter().chain(pad.clone()));
    block(out, "struct pad_t", pad);

    out.line(
        "// From the port: bytes of the frame, the clock's tick. To it: how many bytes may leave; 0: all.",
    );
    out.line("header preamble instanceof preamble_t");
    for (h, name) in p.headers.iter().zip(&names.headers) {
        let ty = &p.header_types[h.ty.index()].name;
        out.line(format!("header {name} instanceof {ty}_{}_t", h.ty.index()));
    }
    out.line("// Of our own: keys, what is hashed, what has no room in metadata. No packet has them.");
    for (name, _) in own {
        out.line(format!("header {name} instanceof {name}_t"));
    }
    out.line("header pad instanceof pad_t");
    out.line("metadata instanceof metadata_t");
    out.line("");
}

/// Lines in braces.
fn block(out: &mut Text, head: &str, lines: impl IntoIterator<Item = String>) {
    out.open(format!("{head} {{"));
    lines.into_iter().for_each(|line| out.line(line));
    out.close("}");
    out.line("");
}

fn regarrays(out: &mut Text, p: &Pipeline, fitted: &crate::fit::Fitted) {
    let mut array = |name: String, size: u64| {
        out.line(format!("regarray {name} size {} initval 0", size.max(1).next_power_of_two()));
    };
    for r in &p.reasons {
        array(format!("drop_{}", r.name), 1);
    }
    for c in &p.counters {
        counters(&c.name, c.kind, u64::from(c.size), &mut array);
    }
    for t in &p.tables {
        if let Some(kind) = t.counters {
            // One more for a default action that entries can have, too.
            counters(&t.name, kind, u64::from(t.size) + u64::from(counts_default(p, t)), &mut array);
        }
    }
    for (i, t) in p.flow_tables.iter().enumerate() {
        array(format!("{}_stored", t.name), 1);
        array(format!("{}_not_stored", t.name), 1);
        array(format!("{}_flows", t.name), fitted.flow_entries(pipeline_ir::FlowTableId(i as u32)).into());
    }
    for l in &p.limiters {
        array(format!("{}_limiter", l.name), 1);
    }
    for (i, r) in p.rings.iter().enumerate() {
        let pools = fitted.ring_pools(pipeline_ir::RingId(i as u32)).next_power_of_two();
        array(r.name.clone(), u64::from(pools) << (1 + slot_bits(r.slots)));
    }
    out.line("");
}

fn counters(name: &str, kind: CounterKind, size: u64, array: &mut impl FnMut(String, u64)) {
    if kind != CounterKind::Bytes {
        array(format!("{name}_packets"), size);
    }
    if kind != CounterKind::Packets {
        array(format!("{name}_bytes"), size);
    }
}

/// Does a table count, and can its default action stand in an entry?
fn counts_default(p: &Pipeline, t: &Table) -> bool {
    t.counters.is_some() && !p.actions[t.default.index()].default_only
}

/// An action of the program.
struct Action {
    name: String,
    args: Vec<(String, u32)>,
    body: Vec<String>,
    note: String,
}

/// Actions of tables and pools: they keep their arguments for the arms, and count.
fn actions(spec: &mut Spec<'_>) -> Vec<Action> {
    let p = spec.p;
    let read = read(p);
    let mut out = Vec::new();
    for t in &p.tables {
        for a in &t.actions {
            out.push(table_action(spec, t, *a, &read));
        }
    }
    for r in &p.rings {
        let generation = ring_names::GENERATION;
        out.push(Action {
            name: action(&r.pool_table, ring_names::SET_GENERATION),
            args: vec![(generation.to_owned(), 8)],
            body: vec![format!("mov m.generation t.{generation}"), "return".into()],
            note: format!("{}:{} ring {}: the generation in force", p.file, r.at.line, r.name),
        });
        out.push(Action {
            name: action(&r.pool_table, &r.no_generation_action()),
            args: Vec::new(),
            body: vec!["return".into()],
            note: String::new(),
        });
    }
    out
}

fn table_action(spec: &mut Spec<'_>, t: &Table, id: ActionId, read: &[VarId]) -> Action {
    let p = spec.p;
    let a = &p.actions[id.index()];
    let (mut args, mut body) = (Vec::new(), Vec::new());
    for v in &a.params {
        let var = p.var(*v);
        let width = u32::from(var.ty.width());
        let to = spec.var(*v).limbs(width);
        for ((name, bits), to) in limbs(&var.name, width).into_iter().zip(to) {
            if read.contains(v) {
                body.push(format!("mov {to} t.{name}"));
            }
            args.push((name, bits));
        }
    }
    if let Some(kind) = t.counters
        && !a.default_only
    {
        args.push(("cell".to_owned(), 32));
        if kind != CounterKind::Bytes {
            body.push(format!("regadd {}_packets t.cell 1", t.name));
        }
        if kind != CounterKind::Packets {
            body.push(format!("regadd {}_bytes t.cell m.frame_length", t.name));
        }
    }
    body.push("return".into());
    let note = format!("{}:{} action {}", p.file, a.at.line, a.name);
    Action { name: action(&t.name, &a.name), args, body, note }
}

/// Variables that something reads.
fn read(p: &Pipeline) -> Vec<VarId> {
    let mut out = Vec::new();
    walk(&p.control, &mut |stmt| {
        for e in stmt.kind.exprs() {
            e.walk(&mut |e| {
                if let pipeline_ir::expr::ExprKind::Var(v) = e.kind {
                    out.push(v);
                }
            });
        }
        if let StmtKind::Remember { id, .. } = &stmt.kind {
            out.push(*id);
        }
        if let StmtKind::Adjust { place: pipeline_ir::stmt::Place::Var(v), .. } = &stmt.kind {
            out.push(*v);
        }
    });
    out.sort_unstable();
    out.dedup();
    out
}

/// The two actions of each learner.
fn learners(p: &Pipeline) -> Vec<Action> {
    let of = |t: &FlowTable| {
        let known = action(&t.name, "known");
        let act = |name: &str, what: String, note: &str| Action {
            name: name.to_owned(),
            args: Vec::new(),
            body: vec!["jmpneq END m.flow_write 1".into(), what, "END : return".into()],
            note: format!("{}:{} flow table {}: {note}", p.file, t.at.line, t.name),
        };
        let rearm = act(&known, "rearm m.flow_timeout".into(), "a key that is there");
        let unknown = action(&t.name, "unknown");
        let learn = act(&unknown, format!("learn {known} m.flow_timeout"), "a key that is not");
        [rearm, learn]
    };
    p.flow_tables.iter().flat_map(of).collect()
}

fn table(out: &mut Text, p: &Pipeline, t: &Table) {
    out.line(format!("// {}:{} table {}", p.file, t.at.line, t.name));
    out.open(format!("table {} {{", t.name));
    out.open("key {");
    for k in &t.keys {
        let kind = match k.kind {
            MatchKind::Exact => "exact",
            MatchKind::Lpm => "lpm",
            MatchKind::Ternary | MatchKind::Range | MatchKind::Optional => "wildcard",
        };
        // SWX matches prefixes as masks and takes one such field only.
        let parts = limbs(&k.name, u32::from(k.width));
        let kind = if parts.len() > 1 && kind == "lpm" { "wildcard" } else { kind };
        for (name, _) in parts {
            out.line(format!("h.{}.{name} {kind}", key(&t.name)));
        }
    }
    out.close("}");
    out.open("actions {");
    for a in &t.actions {
        let a = &p.actions[a.index()];
        let only = if a.default_only { " @defaultonly" } else { "" };
        out.line(format!("{}{only}", action(&t.name, &a.name)));
    }
    out.close("}");
    let default = &p.actions[t.default.index()];
    out.line(format!("default_action {} args {} const", action(&t.name, &default.name), default_args(p, t)));
    out.line(format!("size {}", t.size));
    out.close("}");
    out.line("");
}

/// The arguments of a default action: zeros, and the cell that nobody reads.
fn default_args(p: &Pipeline, t: &Table) -> String {
    let default = &p.actions[t.default.index()];
    let mut out = Vec::new();
    for v in &default.params {
        let var = p.var(*v);
        for (name, _) in limbs(&var.name, u32::from(var.ty.width())) {
            out.push(format!("{name} 0"));
        }
    }
    if counts_default(p, t) {
        out.push(format!("cell {}", value::Operand::Imm(t.size.into())));
    }
    if out.is_empty() { "none".into() } else { out.join(" ") }
}

fn pool_table(out: &mut Text, p: &Pipeline, r: &Ring) {
    out.line(format!("// {}:{} ring {}: its pools", p.file, r.at.line, r.name));
    out.open(format!("table {} {{", r.pool_table));
    block_in(out, "key", [format!("h.{}.{} exact", key(&r.pool_table), ring_names::POOL)]);
    let set = action(&r.pool_table, ring_names::SET_GENERATION);
    let none = action(&r.pool_table, &r.no_generation_action());
    block_in(out, "actions", [set, format!("{none} @defaultonly")]);
    out.line(format!("default_action {none} args none const"));
    out.line(format!("size {}", r.pools.max(1)));
    out.close("}");
    out.line("");
}

fn learner(out: &mut Text, p: &Pipeline, t: &FlowTable, entries: u32) {
    out.line(format!("// {}:{} flow table {}", p.file, t.at.line, t.name));
    out.open(format!("learner {} {{", t.name));
    let fields = t.keys.iter().flat_map(|k| limbs(&k.name, u32::from(k.width)));
    block_in(out, "key", fields.map(|(name, _)| format!("h.{}.{name}", key(&t.name))).collect::<Vec<_>>());
    let (known, unknown) = (action(&t.name, "known"), action(&t.name, "unknown"));
    block_in(out, "actions", [format!("{known} @tableonly"), format!("{unknown} @defaultonly")]);
    out.line(format!("default_action {unknown} args none const"));
    // Buckets of four keys.
    out.line(format!("size {}", (entries / WAYS).max(1)));
    let classes = t.idle.len().clamp(1, 4) as u8;
    let seconds =
        (0..classes).flat_map(|class| STATES.map(|state| t.idle_ms(class, state).div_ceil(1000) + GRACE));
    block_in(out, "timeout", seconds.map(|s| s.to_string()).collect::<Vec<_>>());
    out.close("}");
    out.line("");
}

fn block_in(out: &mut Text, head: &str, lines: impl IntoIterator<Item = String>) {
    out.open(format!("{head} {{"));
    lines.into_iter().for_each(|line| out.line(line));
    out.close("}");
}
