//! Identifiers of tables, actions, flow tables and all the rest.

use super::names::{Namer, ident, pascal};
use pipeline_ir::flow::Layout;
use pipeline_ir::{ActionId, MatchKind, Pipeline, Table};
use proc_macro2::Ident;

/// How a table is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TableKind {
    Slots(u8),
    Exact,
    /// The number of the field that is matched by prefix.
    Lpm(usize),
    Linear,
}

impl TableKind {
    pub(super) fn of(table: &Table) -> Self {
        let count = |kind| table.keys.iter().filter(|k| k.kind == kind).count();
        let prefix = table.keys.iter().position(|k| k.kind == MatchKind::Lpm);
        let exact = count(MatchKind::Exact);
        match (table.slot_bits, prefix) {
            (Some(bits), _) => Self::Slots(bits),
            _ if exact == table.keys.len() => Self::Exact,
            (_, Some(field)) if exact + 1 == table.keys.len() => Self::Lpm(field),
            _ => Self::Linear,
        }
    }
}

/// A table.
pub(super) struct TableObject {
    pub(super) name: Ident,
    pub(super) kind: TableKind,
    pub(super) key: Ident,
    pub(super) fields: Vec<Ident>,
    /// Its enum of actions; tables with the same actions share one.
    pub(super) action: Ident,
    /// Is it the first with these actions?
    pub(super) first: bool,
}

/// An action.
pub(super) struct ActionObject {
    pub(super) variant: Ident,
    pub(super) params: Vec<Ident>,
}

/// A flow table.
pub(super) struct FlowObject {
    pub(super) name: Ident,
    pub(super) variant: Ident,
    pub(super) words: usize,
    /// Words that hold a key.
    pub(super) key_words: usize,
}

/// All of them, by their ids.
pub(super) struct Objects {
    pub(super) tables: Vec<TableObject>,
    pub(super) actions: Vec<ActionObject>,
    pub(super) flows: Vec<FlowObject>,
    pub(super) rings: Vec<Ident>,
    pub(super) counters: Vec<Ident>,
    pub(super) limiters: Vec<Ident>,
    pub(super) reasons: Vec<Ident>,
}

impl Objects {
    pub(super) fn new(p: &Pipeline, items: &mut Namer) -> Self {
        let mut fields = Namer::new(&["drops"]);
        let mut reasons = Namer::new(&[]);
        Self {
            tables: tables(p, items, &mut fields),
            actions: p.actions.iter().map(|a| action(p, &a.name, &a.params)).collect(),
            flows: p.flow_tables.iter().map(|t| flow(t, &mut fields)).collect(),
            rings: p.rings.iter().map(|r| fields.name(&r.name)).collect(),
            counters: p.counters.iter().map(|c| fields.name(&c.name)).collect(),
            limiters: p.limiters.iter().map(|l| fields.name(&l.name)).collect(),
            reasons: p.reasons.iter().map(|r| reasons.name(&r.name.to_ascii_uppercase())).collect(),
        }
    }
}

fn tables(p: &Pipeline, items: &mut Namer, fields: &mut Namer) -> Vec<TableObject> {
    let mut all: Vec<TableObject> = Vec::new();
    let mut enums: Vec<(&[ActionId], ActionId, Ident)> = Vec::new();
    for table in &p.tables {
        let same = enums.iter().find(|e| e.0 == table.actions && e.1 == table.default);
        let (action, first) = match same {
            Some((.., name)) => (name.clone(), false),
            None => (items.name(&format!("{}Action", pascal(&table.name))), true),
        };
        if first {
            enums.push((&table.actions, table.default, action.clone()));
        }
        let mut namer = Namer::new(&[]);
        all.push(TableObject {
            name: fields.name(&table.name),
            kind: TableKind::of(table),
            key: items.name(&format!("{}Key", pascal(&table.name))),
            fields: table.keys.iter().map(|k| namer.name(&k.name)).collect(),
            action,
            first,
        });
    }
    all
}

fn action(p: &Pipeline, name: &str, params: &[pipeline_ir::VarId]) -> ActionObject {
    let mut namer = Namer::new(&[]);
    let params = params.iter().map(|v| namer.name(&p.var(*v).name)).collect();
    ActionObject { variant: ident(&pascal(name)), params }
}

fn flow(table: &pipeline_ir::FlowTable, fields: &mut Namer) -> FlowObject {
    let layout = table.layout();
    FlowObject {
        name: fields.name(&table.name),
        variant: ident(&pascal(&table.name)),
        words: layout.bytes() as usize / 8,
        key_words: match layout {
            Layout::Narrow => 2,
            Layout::Wide => 3,
        },
    }
}
