//! C names of a pipeline's objects.

use pipeline_ir::{ParserOp, Pipeline, VarId, VarKind};
use std::collections::BTreeSet;

/// Words that C or the preludes use.
const TAKEN: &[&str] = &[
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "asm",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "ctx",
    "h",
    "m",
    "data",
    "end",
    "at",
    "way",
    "fold",
    "adjust",
    "forward",
    "drop",
    "parse",
    "tick",
    "ports",
    "events",
    "flow",
    "rotate",
    "wide",
    "differs",
    "counter",
    "main",
    "folded",
    "headers",
    "meta",
    "limit",
    "length",
    "cell",
    "e",
    "x",
    "sum",
    "s",
    "active",
    "index",
    "slot",
    "generation",
    "pool_index",
    "frame_length",
    "accept",
];

/// Names of the variables: `m.x` for metadata, plain for locals and action parameters.
pub(super) fn vars(p: &Pipeline) -> Vec<String> {
    let mut taken: BTreeSet<String> = TAKEN.iter().map(ToString::to_string).collect();
    taken.extend(p.tables.iter().map(|t| t.name.clone()));
    taken.extend(p.flow_tables.iter().map(|t| t.name.clone()));
    taken.extend(p.cursors.iter().map(|c| c.name.clone()));
    taken.extend(p.counters.iter().map(|c| c.name.clone()));
    taken.extend(p.limiters.iter().map(|c| c.name.clone()));
    taken.extend(p.rings.iter().flat_map(|r| [r.name.clone(), r.pool_table.clone()]));
    taken.extend(p.header_types.iter().map(|t| t.name.clone()));
    let mut metas: BTreeSet<String> = BTreeSet::new();
    p.vars
        .iter()
        .enumerate()
        .map(|(i, v)| match v.kind {
            VarKind::Meta => format!("m->{}", fresh(&mut metas, &v.name)),
            // What the parser sets goes with the metadata, which the parser hands on.
            VarKind::Local if set_by_parser(p, VarId(i as u32)) => {
                format!("m->{}", fresh(&mut metas, &v.name))
            }
            VarKind::Local => fresh(&mut taken, &v.name),
            VarKind::Param(a) => fresh(&mut taken, &format!("{}_{}", p.actions[a.index()].name, v.name)),
        })
        .collect()
}

fn set_by_parser(p: &Pipeline, var: VarId) -> bool {
    p.parser.states.iter().flat_map(|s| &s.ops).any(|op| match op {
        ParserOp::Set { var: v, .. } | ParserOp::Lookahead { into: v, .. } => *v == var,
        ParserOp::Extract { .. } => false,
    })
}

fn fresh(taken: &mut BTreeSet<String>, base: &str) -> String {
    let mut name = base.to_string();
    let mut n = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base}_{n}");
        n += 1;
    }
    name
}
