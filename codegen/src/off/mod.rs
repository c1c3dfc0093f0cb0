//! A pipeline without parts of it: what a deployment does not need, or a chip has no room for.
//!
//! | off | what is meant |
//! | --- | --- |
//! | a parser state | packets that come to it pass |
//! | a table | it has no entries |
//! | an action | no entry has it |
//! | a flow table | it knows no flow and stores none |
//! | a limiter | it lets no packet through |
//! | a counter | it counts nothing |
//!
//! On a chip of several pipes, packets that come to a parser state can go to another pipe instead ([`Fate::To`]), which takes
//! them ([`Fate::From`]).
//!
//! What only they used goes with them: code that no packet comes to any more, headers, keys, variables, reasons.

mod aside;
mod loops;
mod pipes;
mod unused;

use pipeline_ir::diagnostic::{Code, Diagnostics};
use pipeline_ir::expr::{Expr, ExprKind, Type};
use pipeline_ir::stmt::{Arm, Block, Place, Stmt, StmtKind, Verdict, any, walk};
use pipeline_ir::verify::{Verified, verify};
use pipeline_ir::{
    ActionId, CounterId, FlowTableId, LimiterId, Loc, Pipeline, StateId, TableId, VarId, VarKind,
};

pub use pipes::pipes;
#[cfg(feature = "p4")]
pub(crate) use unused::without as without_unused;

use crate::ways;

/// What can be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    State(StateId),
    Table(TableId),
    Action(ActionId),
    FlowTable(FlowTableId),
    Limiter(LimiterId),
    Counter(CounterId),
}

/// What becomes of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is left out.
    Off,
    /// What comes to this parser state leaves by a port, to another pipe.
    To(u16),
    /// What another pipe has sent comes in by a port, and goes to this parser state.
    From(u16),
}

impl Fate {
    /// What the value of a setting says: `off`, `to:134`, `from:134`; none: it is a constant's value.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        match value.split_once(':') {
            None => (value == "off").then_some(Self::Off),
            Some(("to", port)) => port.parse().ok().map(Self::To),
            Some(("from", port)) => port.parse().ok().map(Self::From),
            Some(_) => None,
        }
    }
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::To(port) => write!(f, "to:{port}"),
            Self::From(port) => write!(f, "from:{port}"),
        }
    }
}

/// What becomes of the parts of these names.
pub type Fates<'a> = Vec<(&'a str, Fate)>;

/// Settings (`NAME`, value) in two: what becomes of parts, and the constants that have another value.
#[must_use]
pub fn split(set: &[(String, String)]) -> (Fates<'_>, Vec<(String, String)>) {
    let fates = set.iter().filter_map(|(name, value)| Some((name.as_str(), Fate::parse(value)?)));
    (fates.collect(), set.iter().filter(|(_, value)| Fate::parse(value).is_none()).cloned().collect())
}

/// The pipeline without the parts of these names.
///
/// # Errors
/// As of [`set`].
pub fn off(verified: &Verified, names: &[&str]) -> Result<Verified, Diagnostics> {
    let fates: Vec<(&str, Fate)> = names.iter().map(|name| (*name, Fate::Off)).collect();
    set(verified, &fates)
}

/// The pipeline with what becomes of the parts of these names, written as in the source (`FLOWS6`, `Ipip6`) or in
/// `snake_case`.
///
/// # Errors
/// A name that nothing has, or two parts have; a part without which the rest means nothing; what is no parser state, or one
/// that its packets' first header alone doesn't tell, to go to another pipe.
pub fn set(verified: &Verified, fates: &[(&str, Fate)]) -> Result<Verified, Diagnostics> {
    if fates.is_empty() {
        return Ok(verified.clone());
    }
    let mut p = verified.pipeline().clone();
    let mut faults = Diagnostics::default();
    let found = |(name, fate): &(&str, Fate)| Some((part(&p, name, &mut faults)?, *fate));
    let parts: Vec<(Part, Fate)> = fates.iter().filter_map(found).collect();
    for (i, (part, fate)) in parts.iter().enumerate() {
        refuse(&p, *part, *fate, &mut faults);
        if let Some((_, other)) = parts[..i].iter().find(|(p, other)| p == part && other != fate) {
            let message = format!("`{}` is set twice: {other} and {fate}", named_of(&p, *part));
            faults.push(Code::Unknown, Loc::default(), message, "set it once");
        }
    }
    if parts.iter().filter(|(_, fate)| matches!(fate, Fate::From(_))).count() > 1 {
        let help = "give each pipe what one parser state takes";
        faults.push(Code::Unknown, Loc::default(), "several parser states take what other pipes send", help);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    apply(&mut p, &parts);
    p.control = ways::settle(&p);
    while drop_unread(&mut p) {}
    verify(unused::without(&p))
}

/// Packets are sent on before the rest looks where those that came from another pipe first came in.
fn apply(p: &mut Pipeline, parts: &[(Part, Fate)]) {
    let mut left_out = Vec::new();
    let mut others = Vec::new();
    for (part, fate) in parts {
        match (part, fate) {
            (Part::State(id), Fate::Off) => left_out.push(*id),
            (Part::State(id), _) => others.extend(loops::teller(p, *id).map(|teller| (*id, teller, *fate))),
            _ => take_out(p, *part),
        }
    }
    let pass = Stmt { kind: StmtKind::Verdict(Verdict::Pass), at: Loc::default() };
    aside::aside(p, &left_out, "left_out", vec![pass]);
    for (id, teller, fate) in &others {
        if let Fate::From(port) = fate {
            loops::receive(p, *id, *teller, *port);
        }
    }
    for (id, teller, fate) in &others {
        if let Fate::To(port) = fate {
            loops::send(p, *id, *teller, *port);
        }
    }
}

/// Names are compared without case and underscores: `Ipip6` is `ipip6`, `TOO_BIG_RATE` is `too_big_rate`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

fn named(p: &Pipeline, name: &str) -> Vec<Part> {
    fn of<T>(list: &[T], name: &str, own: fn(&T) -> &str, part: fn(u32) -> Part) -> Vec<Part> {
        let found = list.iter().enumerate().filter(|(_, t)| plain(own(t)) == plain(name));
        found.map(|(i, _)| part(i as u32)).collect()
    }
    [
        of(&p.parser.states, name, |s| &s.name, |i| Part::State(StateId(i))),
        of(&p.tables, name, |t| &t.name, |i| Part::Table(TableId(i))),
        of(&p.actions, name, |a| &a.name, |i| Part::Action(ActionId(i))),
        of(&p.flow_tables, name, |t| &t.name, |i| Part::FlowTable(FlowTableId(i))),
        of(&p.limiters, name, |l| &l.name, |i| Part::Limiter(LimiterId(i))),
        of(&p.counters, name, |c| &c.name, |i| Part::Counter(CounterId(i))),
    ]
    .concat()
}

fn part(p: &Pipeline, name: &str, faults: &mut Diagnostics) -> Option<Part> {
    let found = named(p, name);
    match found.as_slice() {
        [part] => Some(*part),
        [] => {
            let names = [
                p.parser.states.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
                p.tables.iter().map(|t| t.name.as_str()).collect(),
                p.actions.iter().filter(|a| !a.default_only).map(|a| a.name.as_str()).collect(),
                p.flow_tables.iter().map(|t| t.name.as_str()).collect(),
                p.limiters.iter().map(|l| l.name.as_str()).collect(),
                p.counters.iter().map(|c| c.name.as_str()).collect(),
            ];
            let message = format!("`{name}` can't be off: the pipeline has no part of that name");
            faults.push(
                Code::Unknown,
                Loc::default(),
                message,
                format!("take one of {}", names.concat().join(", ")),
            );
            None
        }
        _ => {
            let message =
                format!("`{name}` can't be off: {} parts of the pipeline have that name", found.len());
            faults.push(Code::Unknown, Loc::default(), message, "give them names of their own");
            None
        }
    }
}

/// Parts without which the rest means nothing.
fn refuse(p: &Pipeline, part: Part, fate: Fate, faults: &mut Diagnostics) {
    let mut refused = |name: &str, at: Loc, why: &str, help: &str| {
        let what = if fate == Fate::Off { "be off" } else { "go to another pipe" };
        faults.push(Code::Unknown, at, format!("`{name}` can't {what}: {why}"), help.to_owned());
    };
    match part {
        Part::State(id) if fate != Fate::Off => {
            if let Some((why, help)) = loops::refused(p, id) {
                let state = &p.parser.states[id.index()];
                refused(&state.name, state.at, why, help);
            }
        }
        _ if fate != Fate::Off => {
            let help = "name the parser state that its packets come to";
            refused(named_of(p, part), Loc::default(), "it is no parser state", help);
        }
        Part::State(id) if id == p.parser.start => {
            let state = &p.parser.states[id.index()];
            refused(&state.name, state.at, "parsing starts there", "turn states off that come later");
        }
        Part::Action(id) if p.tables.iter().any(|t| t.default == id) => {
            let action = &p.actions[id.index()];
            refused(
                &action.name,
                action.at,
                "it is what a miss runs",
                "turn the table off, or the other actions",
            );
        }
        Part::Table(id) => {
            let table = &p.tables[id.index()];
            if any(&p.control, |s| matches!(s, StmtKind::Stay { table, .. } if *table == id)) {
                refused(
                    &table.name,
                    table.at,
                    "flows stay by it",
                    "turn the flow tables off, or its actions",
                );
            }
        }
        _ => {}
    }
}

fn named_of(p: &Pipeline, part: Part) -> &str {
    match part {
        Part::State(id) => &p.parser.states[id.index()].name,
        Part::Table(id) => &p.tables[id.index()].name,
        Part::Action(id) => &p.actions[id.index()].name,
        Part::FlowTable(id) => &p.flow_tables[id.index()].name,
        Part::Limiter(id) => &p.limiters[id.index()].name,
        Part::Counter(id) => &p.counters[id.index()].name,
    }
}

fn take_out(p: &mut Pipeline, part: Part) {
    match part {
        Part::State(_) => {}
        Part::Action(id) => {
            for t in &mut p.tables {
                t.actions.retain(|a| *a != id);
                t.const_entries.retain(|e| e.action != id);
            }
            replace(&mut p.control, &mut |s| {
                if let StmtKind::Apply { arms, .. } | StmtKind::Stay { arms, .. } = &mut s.kind {
                    arms.retain(|arm| arm.action != id);
                }
                None
            });
        }
        Part::Table(id) => {
            let default = p.tables[id.index()].default;
            let params = p.actions[default.index()].params.clone();
            replace(&mut p.control, &mut |s| match &s.kind {
                StmtKind::Apply { table, arms, .. } if *table == id => Some(missed(arms, default, &params)),
                _ => None,
            });
        }
        Part::FlowTable(id) => replace(&mut p.control, &mut |s| {
            matches!(&s.kind, StmtKind::Find { table, .. } if *table == id).then(Block::new)
        }),
        Part::Counter(id) => replace(&mut p.control, &mut |s| {
            matches!(&s.kind, StmtKind::Count { counter, .. } if *counter == id).then(Block::new)
        }),
        Part::Limiter(id) => replace(&mut p.control, &mut |s| match &s.kind {
            StmtKind::Limit { limiter, into } if *limiter == id => {
                let value = Expr { kind: ExprKind::Bool(false), ty: Type::Bool, at: s.at };
                Some(vec![Stmt { kind: StmtKind::Set { place: Place::Var(*into), value }, at: s.at }])
            }
            _ => None,
        }),
    }
}

/// What a table's default does: its parameters are 0.
fn missed(arms: &[Arm], default: ActionId, params: &[VarId]) -> Block {
    let mut body = arms.iter().find(|a| a.action == default).map(|a| a.body.clone()).unwrap_or_default();
    replace(&mut body, &mut |s| {
        for e in s.kind.exprs_mut() {
            e.walk_mut(&mut |e| {
                if matches!(e.kind, ExprKind::Var(v) if params.contains(&v)) {
                    e.kind = if e.ty == Type::Bool { ExprKind::Bool(false) } else { ExprKind::Const(0) };
                }
            });
        }
        None
    });
    body
}

/// Takes out what is written to variables of blocks that nobody reads; is there some?
pub(crate) fn drop_unread(p: &mut Pipeline) -> bool {
    let mut read = std::collections::BTreeSet::new();
    walk(&p.control, &mut |s| {
        for e in s.kind.exprs() {
            e.walk(&mut |e| {
                if let ExprKind::Var(v) = e.kind {
                    read.insert(v);
                }
            });
        }
        if let StmtKind::Remember { id: v, .. } | StmtKind::Adjust { place: Place::Var(v), .. } = &s.kind {
            read.insert(*v);
        }
    });
    let vars = &p.vars;
    let mut some = false;
    replace(&mut p.control, &mut |s| match s.kind {
        StmtKind::Set { place: Place::Var(v), .. }
            if vars[v.index()].kind == VarKind::Local && !read.contains(&v) =>
        {
            some = true;
            Some(Block::new())
        }
        _ => None,
    });
    some
}

/// Puts other statements in the place of some, wherever they stand.
pub(crate) fn replace(block: &mut Block, with: &mut impl FnMut(&mut Stmt) -> Option<Block>) {
    for mut s in std::mem::take(block) {
        match with(&mut s) {
            Some(mut others) => {
                replace(&mut others, with);
                block.append(&mut others);
            }
            None => {
                s.kind.blocks_mut().into_iter().for_each(|inner| replace(inner, with));
                block.push(s);
            }
        }
    }
}
