//! P4 names of a pipeline's objects: the source's own, but for words that P4 or the architecture take.

use std::collections::BTreeSet;

use pipeline_ir::{Pipeline, VarId, VarKind};

use super::arch::Arch;
use super::plan::Plan;

/// P4's words.
const KEYWORDS: &[&str] = &[
    "abstract",
    "accept",
    "action",
    "actions",
    "apply",
    "bit",
    "bool",
    "const",
    "control",
    "default",
    "else",
    "entries",
    "enum",
    "error",
    "exit",
    "extern",
    "false",
    "for",
    "header",
    "header_union",
    "if",
    "in",
    "inout",
    "int",
    "key",
    "list",
    "match_kind",
    "out",
    "package",
    "parser",
    "pragma",
    "priority",
    "reject",
    "return",
    "select",
    "state",
    "string",
    "struct",
    "switch",
    "table",
    "this",
    "transition",
    "true",
    "tuple",
    "type",
    "typedef",
    "value_set",
    "varbit",
    "void",
];

/// What `core.p4` declares, and every program here.
const DECLARED: &[&str] = &[
    // core.p4
    "NoAction",
    "exact",
    "lpm",
    "packet_in",
    "packet_out",
    "static_assert",
    "ternary",
    "verify",
    // ours
    "adjust",
    "checksum_of",
    "crc_bit",
    "crc_byte",
    "deparse",
    "h",
    "headers_t",
    "ingress",
    "main",
    "meta",
    "metadata_t",
    "packet",
    "parse",
    "sip_finish",
    "sip_round",
    "sip_start",
    "sip_word",
];

/// Names by id, as they stand in the program.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) types: Vec<String>,
    pub(super) headers: Vec<String>,
    pub(super) fields: Vec<Vec<String>>,
    /// Without `meta.`; unique among all variables.
    pub(super) vars: Vec<String>,
    /// Parameters inside their action.
    pub(super) params: Vec<String>,
    pub(super) states: Vec<String>,
    pub(super) actions: Vec<String>,
    pub(super) tables: Vec<String>,
    /// Pool table and ring table of each ring.
    pub(super) rings: Vec<(String, String)>,
    pub(super) flow_tables: Vec<String>,
    pub(super) counters: Vec<String>,
    pub(super) limiters: Vec<String>,
    pub(super) cursors: Vec<String>,
}

impl Names {
    /// Names for a pipeline.
    pub(super) fn new(p: &Pipeline, plan: &Plan, arch: &dyn Arch) -> Self {
        let mut taken = generated(p);
        let fields = |t: &pipeline_ir::HeaderType| {
            let mut own = BTreeSet::new();
            t.fields.iter().map(|f| field(&mut own, &f.name)).collect()
        };
        let mut headers = BTreeSet::from([super::preamble::NAME.to_owned()]);
        let mut objects = |names: Vec<&str>| -> Vec<String> {
            names.into_iter().map(|n| fresh(&mut taken, n, arch)).collect()
        };
        let tables = objects(p.tables.iter().map(|t| t.name.as_str()).collect());
        let rings = p.rings.iter().map(|r| {
            let names = objects(vec![&r.pool_table, &r.name]);
            (names[0].clone(), names[1].clone())
        });
        let rings = rings.collect();
        let actions = objects(p.actions.iter().map(|a| a.name.as_str()).collect());
        let flow_tables = objects(p.flow_tables.iter().map(|t| t.name.as_str()).collect());
        let counters = objects(p.counters.iter().map(|c| c.name.as_str()).collect());
        let limiters = objects(p.limiters.iter().map(|l| l.name.as_str()).collect());
        // What is declared before the actions, and they themselves.
        let early = actions.iter().chain(&flow_tables).chain(&counters).chain(&limiters);
        let early: BTreeSet<String> = early.cloned().chain(generated(p)).collect();
        let params = p.vars.iter().map(|v| fresh(&mut early.clone(), &v.name, arch)).collect();
        let types: Vec<String> =
            p.header_types.iter().map(|t| fresh(&mut taken, &format!("{}_t", t.name), arch)).collect();
        let mut own = BTreeSet::new();
        let cursors: Vec<String> = p.cursors.iter().map(|c| field(&mut own, &c.name)).collect();
        let var_names = variables(p, plan, metadata(p, &cursors), &taken, arch);
        Self {
            types,
            headers: p.headers.iter().map(|h| field(&mut headers, &h.name)).collect(),
            fields: p.header_types.iter().map(fields).collect(),
            vars: var_names,
            params,
            states: states(p, arch),
            actions,
            tables,
            rings,
            flow_tables,
            counters,
            limiters,
            cursors,
        }
    }
}

/// Names of the parser's states: it starts in `start`.
fn states(p: &Pipeline, arch: &dyn Arch) -> Vec<String> {
    let mut taken = BTreeSet::from(["start".to_owned()]);
    let name = |(i, s): (usize, &pipeline_ir::State)| match i == p.parser.start.index() {
        true => "start".to_owned(),
        false => fresh(&mut taken, &s.name, arch),
    };
    p.parser.states.iter().enumerate().map(name).collect()
}

/// Names of objects that we add beside the source's.
fn generated(p: &Pipeline) -> BTreeSet<String> {
    let own = ["CPU_PORT", "flow_clock", "flow_clock_before", "set_generation"];
    let mut names = BTreeSet::from(own.map(str::to_owned));
    let mut add = |base: &str, endings: &[&str]| {
        names.extend(endings.iter().map(|e| format!("{base}_{e}")));
    };
    for t in &p.flow_tables {
        add(&t.name, &["look", "ways", "write", "spill", "stored", "not_stored", "stay", "learn"]);
        add(&t.name, &["0", "1", "0_id", "1_id", "mark", "marks", "digest", "polynomial", "full", "rests"]);
        add(&t.name, &["look0", "look1", "know0", "know1", "rests0", "rests1"]);
        add(&t.name.to_uppercase(), &["BUCKETS"]);
    }
    for c in &p.cursors {
        let of_tables = p.flow_tables.iter().map(|t| format!("{}_{}", c.name, t.name));
        of_tables.chain([c.name.clone()]).for_each(|owner| add(&owner, &["idle", "rank", "choose"]));
    }
    for t in &p.tables {
        add(&t.name, &["counter"]);
        t.actions.iter().for_each(|a| add(&t.name, &[&p.actions[a.index()].name]));
    }
    p.limiters.iter().for_each(|l| add(&l.name, &["allow"]));
    p.reasons.iter().for_each(|r| add("drop", &[&r.name]));
    for r in &p.rings {
        add("set", &[&r.name]);
        add("no", &[&r.name, &r.pool_table]);
    }
    names
}

/// Names of metadata that we add beside the source's.
fn metadata(p: &Pipeline, cursors: &[String]) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = [
        "clock",
        "clock_before",
        "crc",
        "drop_reason",
        "frame_length",
        "generation",
        "ingress_port",
        "limiter_tick",
        "now",
        "retry",
        "room",
        "sip0",
        "sip1",
        "sip2",
        "sip3",
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    for c in cursors {
        let endings = [
            "class", "digest", "event", "hash", "hit", "id", "index", "place", "rank", "spill", "table",
            "value",
        ];
        let ways = ["way0", "way1", "way2", "way3", "seen0", "seen1"];
        names.extend(endings.iter().chain(&ways).map(|e| format!("{c}_{e}")));
    }
    for t in &p.flow_tables {
        let endings = ["found", "id", "key", "no_room", "profile", "write", "wrote"];
        let keys = t.keys.iter().map(|k| k.name.as_str());
        names.extend(endings.into_iter().chain(keys).map(|e| format!("{}_{e}", t.name)));
    }
    let rings = ["generation", "id", "pool", "rest", "slot"];
    names.extend(p.rings.iter().flat_map(|r| rings.map(|e| format!("{}_{e}", r.name))));
    names.extend(p.vars.iter().map(|v| format!("{}_kept", v.name)));
    names.extend(super::sums::names(p));
    for t in &p.tables {
        names.insert(format!("{}_action", t.name));
        names.extend(t.keys.iter().map(|k| format!("{}_{}", t.name, k.name)));
    }
    names
}

/// The source's metadata keeps its names; other metadata stands beside it, and locals beside the control's objects.
/// Locals that can't meet each other may share a name.
fn variables(
    p: &Pipeline,
    plan: &Plan,
    mut fields: BTreeSet<String>,
    objects: &BTreeSet<String>,
    arch: &dyn Arch,
) -> Vec<String> {
    let mut names = vec![String::new(); p.vars.len()];
    for (name, v) in names.iter_mut().zip(&p.vars).filter(|(_, v)| v.kind == VarKind::Meta) {
        *name = field(&mut fields, &v.name);
    }
    let mut locals: Vec<(VarId, String)> = Vec::new();
    for (i, v) in p.vars.iter().enumerate() {
        let id = VarId(i as u32);
        match v.kind {
            VarKind::Meta => {}
            VarKind::Param(a) => {
                names[i] = field(&mut fields, &format!("{}_{}", p.actions[a.index()].name, v.name));
            }
            VarKind::Local if plan.in_metadata.contains(&id) => names[i] = field(&mut fields, &v.name),
            VarKind::Local => {
                let met =
                    locals.iter().filter(|(other, _)| plan.meet(*other, id)).map(|(_, name)| name.clone());
                let mut taken: BTreeSet<String> = objects.iter().cloned().chain(met).collect();
                names[i] = fresh(&mut taken, &v.name, arch);
                locals.push((id, names[i].clone()));
            }
        }
    }
    names
}

/// A name for a declaration.
fn fresh(taken: &mut BTreeSet<String>, base: &str, arch: &dyn Arch) -> String {
    let declared = DECLARED.contains(&base) || arch.declared().contains(&base);
    let base = if declared { format!("{base}_2") } else { base.to_owned() };
    field(taken, &base)
}

/// A name for a field of a struct.
fn field(taken: &mut BTreeSet<String>, base: &str) -> String {
    let mut name = base.to_owned();
    let mut n = 2;
    while KEYWORDS.contains(&name.as_str()) || !taken.insert(name.clone()) {
        name = format!("{base}_{n}");
        n += 1;
    }
    name
}
