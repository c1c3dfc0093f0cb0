//! The objects of a P4Info as the pipeline's own: made once, when a config is set.

use p4runtime_proto::p4::config::v1::P4Info;
use p4runtime_proto::p4::config::v1::action_ref::Scope;
use p4runtime_proto::schema::{self, Field, Kind, Schema};
use pipeline_ir::entry::{Tables, ring_names};
use pipeline_ir::{ActionId, FlowTable, FlowTableId, MatchKind, Pipeline, RingId, TableId, flow};
use std::collections::{BTreeMap, HashMap};

/// A pipeline with the ids that a P4Info gives to its objects.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) schema: Schema,
    pub(crate) pipeline: Pipeline,
    pub(crate) tables: Tables,
    /// Looked up for each update, never listed.
    objects: HashMap<u32, Object>,
    /// Ids of the objects, in the pipeline's order: tables, then of each ring the pool table and its own.
    pub(crate) order: Vec<u32>,
    pub(crate) counters: BTreeMap<u32, Cells>,
}

/// What a table of the P4Info is.
#[derive(Debug)]
pub(crate) enum Object {
    Table(TableMap),
    /// The pool table of a ring.
    Pool(RingMap),
    /// A ring's own table.
    Slot(RingMap),
    /// A flow table, which packets fill.
    Flow(FlowMap),
}

/// A table of the pipeline.
#[derive(Debug)]
pub(crate) struct TableMap {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) table: TableId,
    /// In the pipeline's order.
    pub(crate) fields: Vec<Field>,
    pub(crate) actions: Vec<ActionMap>,
    /// Its entries are those of the source.
    pub(crate) is_const: bool,
    pub(crate) counted: bool,
    /// Its entries may have an idle time-out.
    pub(crate) idle: bool,
    /// A slot holds one entry.
    pub(crate) slotted: bool,
    /// What a miss runs, which nobody may change.
    pub(crate) default: u32,
}

/// An action of a table.
#[derive(Debug)]
pub(crate) struct ActionMap {
    pub(crate) id: u32,
    pub(crate) action: ActionId,
    pub(crate) name: String,
    /// In the pipeline's order.
    pub(crate) params: Vec<Field>,
    pub(crate) default_only: bool,
}

/// A table of a ring.
#[derive(Debug)]
pub(crate) struct RingMap {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) ring: RingId,
    /// `pool`, and for slots `generation` and `slot`.
    pub(crate) fields: Vec<Field>,
    /// The action that sets it, and its one parameter.
    pub(crate) action: u32,
    pub(crate) action_name: String,
    pub(crate) param: Field,
    /// What a miss runs, which nobody may change.
    pub(crate) default: u32,
}

/// A flow table.
#[derive(Debug)]
pub(crate) struct FlowMap {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) index: FlowTableId,
    pub(crate) table: FlowTable,
    pub(crate) fields: Vec<Field>,
    /// The action that shows an entry, and its parameters: id, state, class, spill.
    pub(crate) action: u32,
    pub(crate) params: [Field; 4],
    /// What stands for flows that are not there.
    pub(crate) default: u32,
}

/// Where a counter's cells are among the data plane's named counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cells {
    /// The one cell has the counter's name.
    One(String),
    /// `name[cell]`, so many.
    Array(String, u64),
}

impl Object {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Table(t) => &t.name,
            Self::Pool(r) | Self::Slot(r) => &r.name,
            Self::Flow(f) => &f.name,
        }
    }
    pub(crate) fn fields(&self) -> &[Field] {
        match self {
            Self::Table(t) => &t.fields,
            Self::Pool(r) | Self::Slot(r) => &r.fields,
            Self::Flow(f) => &f.fields,
        }
    }
    pub(crate) fn default(&self) -> u32 {
        match self {
            Self::Table(t) => t.default,
            Self::Pool(r) | Self::Slot(r) => r.default,
            Self::Flow(f) => f.default,
        }
    }
}

type Made<T> = Result<T, String>;

impl Map {
    /// Finds every object of the P4Info in the pipeline.
    ///
    /// # Errors
    /// What of the P4Info the pipeline hasn't, or has otherwise.
    pub(crate) fn new(info: &P4Info, pipeline: &Pipeline) -> Made<Self> {
        let schema = Schema::new(info).map_err(|e| e.to_string())?;
        let (mut objects, mut order) = (HashMap::new(), Vec::new());
        let names = Tables::new(pipeline);
        let flows = pipeline.flow_tables.iter().map(|t| t.name.as_str());
        for name in names.names().chain(flows) {
            if let Some(table) = schema.table_named(name).filter(|t| t.name == name) {
                objects.insert(table.id, object(&schema, pipeline, table)?);
                order.push(table.id);
            }
        }
        if let Some(foreign) = schema.tables().find(|t| !objects.contains_key(&t.id)) {
            let (name, own) = (&foreign.name, &pipeline.name);
            return Err(format!("the P4Info has a table `{name}`, which pipeline `{own}` has not"));
        }
        let counters = counters(&schema, pipeline)?;
        Ok(Self { schema, pipeline: pipeline.clone(), tables: names, objects, order, counters })
    }

    pub(crate) fn object(&self, id: u32) -> Option<&Object> {
        self.objects.get(&id)
    }

    /// The id of a table of the pipeline.
    pub(crate) fn id_of_table(&self, table: TableId) -> Option<u32> {
        self.id_of(|o| matches!(o, Object::Table(t) if t.table == table))
    }

    /// The object of a table, and of a ring's tables.
    pub(crate) fn id_of(&self, wanted: impl Fn(&Object) -> bool) -> Option<u32> {
        self.order.iter().copied().find(|id| self.object(*id).is_some_and(&wanted))
    }
}

fn object(schema: &Schema, p: &Pipeline, table: &schema::Table) -> Made<Object> {
    if let Some(at) = p.tables.iter().position(|t| t.name == table.name) {
        return table_map(schema, p, table, at).map(Object::Table);
    }
    if let Some(at) = p.flow_tables.iter().position(|t| t.name == table.name) {
        return flow_map(schema, &p.flow_tables[at], table, at).map(Object::Flow);
    }
    let position = |of: fn(&pipeline_ir::Ring) -> &str| p.rings.iter().position(|r| of(r) == table.name);
    if let Some(at) = position(|r| &r.pool_table) {
        let ring = &p.rings[at];
        let names = (ring_names::SET_GENERATION.to_owned(), ring_names::GENERATION);
        let default = ring.no_generation_action();
        return ring_map(schema, table, at, &[ring_names::POOL], names, &default).map(Object::Pool);
    }
    let Some(at) = position(|r| &r.name) else {
        return Err(format!("the pipeline has no table `{}`", table.name));
    };
    let ring = &p.rings[at];
    let fields = [ring_names::POOL, ring_names::GENERATION, ring_names::SLOT];
    let names = (ring.set_action(), ring_names::ID);
    ring_map(schema, table, at, &fields, names, &ring.no_slot_action()).map(Object::Slot)
}

fn table_map(schema: &Schema, p: &Pipeline, table: &schema::Table, at: usize) -> Made<TableMap> {
    let own = &p.tables[at];
    if own.keys.len() != table.fields.len() {
        let (given, has, name) = (table.fields.len(), own.keys.len(), &table.name);
        return Err(format!("the P4Info's table `{name}` has {given} key fields, the pipeline's has {has}"));
    }
    let fields = own.keys.iter().map(|k| field_of(table, &k.name, Some((k.width.into(), kind(k.kind)))));
    let fields = fields.collect::<Made<_>>()?;
    let mut actions = Vec::new();
    for given in &table.actions {
        let Some(action) = schema.action(given.id) else { continue };
        let known = own.actions.iter().find(|a| p.actions[a.index()].name == action.name);
        let Some(id) = known else {
            return Err(format!("the pipeline's table `{}` has no action `{}`", table.name, action.name));
        };
        let declared = &p.actions[id.index()];
        let params = declared.params.iter().map(|v| {
            let var = p.var(*v);
            param_of(action, &var.name, var.ty.width().into())
        });
        let params = params.collect::<Made<Vec<_>>>()?;
        if params.len() != action.params.len() {
            return Err(format!(
                "the P4Info's action `{}` has parameters that the pipeline's has not",
                action.name
            ));
        }
        let default_only = declared.default_only || given.scope == Scope::DefaultOnly;
        let (name, id) = (action.name.clone(), *id);
        actions.push(ActionMap { id: action.id, action: id, name, params, default_only });
    }
    let default = &p.actions[own.default.index()].name;
    let Some(default) = actions.iter().find(|a| a.name == *default).map(|a| a.id) else {
        return Err(format!("the P4Info's table `{}` lacks its default action `{default}`", table.name));
    };
    Ok(TableMap {
        id: table.id,
        name: table.name.clone(),
        table: TableId(at as u32),
        fields,
        actions,
        is_const: !own.const_entries.is_empty(),
        counted: own.counters.is_some() && table.direct_counter.is_some(),
        idle: own.counters.is_some() && table.idle_timeout,
        slotted: own.slot_bits.is_some(),
        default,
    })
}

fn flow_map(schema: &Schema, own: &FlowTable, table: &schema::Table, at: usize) -> Made<FlowMap> {
    let name = &table.name;
    if own.keys.len() != table.fields.len() {
        return Err(format!("the P4Info's flow table `{name}` has other key fields than the pipeline's"));
    }
    let fields = own.keys.iter().map(|k| field_of(table, &k.name, Some((k.width.into(), Kind::Exact))));
    let action = |wanted: &str| {
        let found = schema.action_named(wanted).filter(|a| table.actions.iter().any(|t| t.id == a.id));
        found.ok_or_else(|| format!("the P4Info's flow table `{name}` lacks its action `{wanted}`"))
    };
    let entry = action(&own.entry_action())?;
    let param = |name, bits: u8| param_of(entry, name, bits.into());
    let params = [
        param(flow::names::ID, own.id_width)?,
        param(flow::names::STATE, flow::STATE_BITS)?,
        param(flow::names::CLASS, flow::CLASS_BITS)?,
        param(flow::names::SPILL, flow::SPILL_BITS)?,
    ];
    Ok(FlowMap {
        id: table.id,
        name: name.clone(),
        index: FlowTableId(at as u32),
        table: own.clone(),
        fields: fields.collect::<Made<_>>()?,
        action: entry.id,
        params,
        default: action(&own.no_entry_action())?.id,
    })
}

fn ring_map(
    schema: &Schema,
    table: &schema::Table,
    at: usize,
    fields: &[&str],
    (action, param): (String, &str),
    default: &str,
) -> Made<RingMap> {
    if table.fields.len() != fields.len() {
        return Err(format!(
            "the P4Info's ring table `{}` has other key fields than the pipeline's",
            table.name
        ));
    }
    let byte = |name: &str| (name == ring_names::GENERATION).then_some((8, Kind::Exact));
    let fields = fields.iter().map(|name| field_of(table, name, byte(name))).collect::<Made<_>>()?;
    let of_table = |name: &str| {
        let found = schema.action_named(name).filter(|a| table.actions.iter().any(|t| t.id == a.id));
        found.ok_or_else(|| format!("the P4Info's ring table `{}` lacks its action `{name}`", table.name))
    };
    let set = of_table(&action)?;
    let fits = |p: &&Field| set.params.len() == 1 && (p.bits == 8 || p.name != ring_names::GENERATION);
    let Some(param) = set.param_named(param).filter(fits) else {
        return Err(format!("the P4Info's action `{action}` has other parameters than the pipeline's"));
    };
    Ok(RingMap {
        id: table.id,
        name: table.name.clone(),
        ring: RingId(at as u32),
        fields,
        action: set.id,
        action_name: action,
        param: param.clone(),
        default: of_table(default)?.id,
    })
}

/// A key field, which has to be as it says; the fields of rings are exact, as wide as the target's index.
fn field_of(table: &schema::Table, name: &str, wanted: Option<(u32, Kind)>) -> Made<Field> {
    let field = table.field_named(name);
    let field =
        field.ok_or_else(|| format!("the P4Info's table `{}` lacks the field `{name}`", table.name))?;
    let (bits, kind) = wanted.unwrap_or((field.bits.min(32), Kind::Exact));
    if (field.bits, field.kind) == (bits, kind) {
        return Ok(field.clone());
    }
    let (given, is) = (field.kind.name(), kind.name());
    let (wide, table) = (field.bits, &table.name);
    Err(format!("the P4Info's `{table}.{name}` is {given}, {wide} bits; the pipeline's is {is}, {bits} bits"))
}

fn param_of(action: &schema::Action, name: &str, bits: u32) -> Made<Field> {
    match action.param_named(name) {
        Some(param) if param.bits == bits => Ok(param.clone()),
        _ => {
            let action = &action.name;
            Err(format!(
                "the P4Info's action `{action}` has no parameter `{name}` of {bits} bits, the pipeline's has"
            ))
        }
    }
}

fn kind(kind: MatchKind) -> Kind {
    match kind {
        MatchKind::Exact => Kind::Exact,
        MatchKind::Lpm => Kind::Lpm,
        MatchKind::Ternary => Kind::Ternary,
        MatchKind::Range => Kind::Range,
        MatchKind::Optional => Kind::Optional,
    }
}

fn counters(schema: &Schema, p: &Pipeline) -> Made<BTreeMap<u32, Cells>> {
    let cells = |counter: &schema::Counter| {
        let name = counter.name.as_str();
        if let Some(own) = p.counters.iter().find(|c| c.name == name) {
            return Ok((counter.id, Cells::Array(name.to_owned(), own.size.into())));
        }
        let reason = name.strip_prefix("drop.");
        let flows = name.strip_suffix(".stored").or_else(|| name.strip_suffix(".not_stored"));
        let known = reason.is_some_and(|r| p.reasons.iter().any(|o| o.name == r))
            || flows.is_some_and(|f| p.flow_tables.iter().any(|t| t.name == f));
        match known {
            true => Ok((counter.id, Cells::One(name.to_owned()))),
            false => Err(format!("the P4Info has a counter `{name}`, which pipeline `{}` has not", p.name)),
        }
    };
    schema.counters().map(cells).collect()
}
