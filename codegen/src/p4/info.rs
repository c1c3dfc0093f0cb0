//! P4Info of a pipeline: the same for every target, but for sizes and the registers behind flow tables.

use super::arch;
use hw_targets::{P4Runtime, Target};
use p4::info::{Builder, MatchType, NewAction, NewTable, P4Info, Scope, Unit};
use pipeline_ir::flow::{self, Layout};
use pipeline_ir::{CounterKind, FlowTable, MatchKind, Pipeline, Ring, Table};

/// Bits of a port's number, as in pipelines.
const PORT_BITS: u32 = 32;

/// The annotation of a flow table that can be read.
pub const FLOW_TABLE: &str = "@guideway_flow";

/// What targets differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Pools that can be in use at once, per ring.
    pub ring_pools: u32,
    /// What the P4Runtime server serves.
    pub serves: P4Runtime,
    /// Is there one counter for all drop reasons? Reasons are its cells, from 1 on.
    pub drops_last: bool,
    /// Are optional keys matched by masks?
    pub optional_by_mask: bool,
    /// Flow entries per flow table at most; `None`: the flow tables are no objects of the P4 program.
    pub flow_entries: Option<u32>,
    /// Entries of a flow table at most, whether or not it is an object of the P4 program.
    pub most_flows: u32,
    /// Is what comes behind the last table done in egress, which counts its own drops?
    pub cut: bool,
}

impl Sizes {
    /// The sizes on a target, by its limits `ring_pools` (none: as many as the pipeline has) and `flow_entries`
    /// (65,536). Not every architecture keeps flows and limiters in registers that P4Info lists.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        let limit = |name: &str| target.limits.get(name).map(|l| clamp(l.value));
        let registers = arch::find(&target.arch).is_some_and(|a| a.lists_registers());
        Self {
            ring_pools: limit("ring_pools").unwrap_or(u32::MAX),
            serves: target.p4runtime,
            optional_by_mask: arch::find(&target.arch).is_some() && !target.provides("table.optional"),
            drops_last: arch::find(&target.arch).is_some() && !target.provides("counter.places"),
            cut: false,
            most_flows: limit("flow_entries").unwrap_or(u32::MAX),
            flow_entries: registers.then(|| limit("flow_entries").unwrap_or(65_536)),
        }
    }

    /// Entries of a ring: two generations of each pool in use.
    #[must_use]
    pub fn ring(&self, ring: &Ring) -> u32 {
        ring.slots.saturating_mul(2).saturating_mul(ring.pools.min(self.ring_pools))
    }

    /// Ways of a flow table: a power of two, at least 8.
    #[must_use]
    pub fn flows(&self, table: &FlowTable) -> u32 {
        let most = self.flow_entries.unwrap_or(table.entries).min(self.most_flows).max(8);
        table.entries.min(1 << most.ilog2())
    }
}

fn clamp(limit: u64) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}

/// Bits of a slot number.
#[must_use]
pub fn slot_width(ring: &Ring) -> u32 {
    (32 - ring.slots.saturating_sub(1).leading_zeros()).max(1)
}

/// The P4Info of a pipeline, with the ids that p4c gives to the P4 that [`emit`](super::emit) writes.
#[must_use]
pub fn info(p: &Pipeline, sizes: &Sizes) -> P4Info {
    let mut b = Builder::new("v1model");
    for t in &p.tables {
        b.table(NewTable { idle_timeout: sizes.serves.idle_timeouts && may_idle(t), ..table(p, t, sizes) });
    }
    rings(&mut b, p, sizes);
    if sizes.serves.flow_tables {
        for t in &p.flow_tables {
            b.table(flow_table(t));
        }
    }
    for a in &p.actions {
        let params = a.params.iter().map(|v| {
            let var = p.var(*v);
            (var.name.clone(), u32::from(var.ty.width()))
        });
        b.action(NewAction { name: a.name.clone(), params: params.collect(), ..NewAction::default() });
    }
    ring_actions(&mut b, p);
    if sizes.serves.flow_tables {
        p.flow_tables.iter().for_each(|t| flow_actions(&mut b, t));
    }
    if sizes.drops_last && !p.reasons.is_empty() {
        b.counter("drops", None, Unit::Packets, p.reasons.len() as u32 + 1);
        if sizes.cut {
            b.counter("egress_drops", None, Unit::Packets, p.reasons.len() as u32 + 1);
        }
    }
    for r in p.reasons.iter().filter(|_| !sizes.drops_last) {
        b.counter(format!("drop.{}", r.name), None, Unit::Packets, 1);
    }
    for c in &p.counters {
        b.counter(&c.name, None, unit(c.kind), c.size);
    }
    for t in &p.flow_tables {
        b.counter(format!("{}.stored", t.name), None, Unit::Packets, 1);
        b.counter(format!("{}.not_stored", t.name), None, Unit::Packets, 1);
    }
    for t in &p.tables {
        if let Some(kind) = t.counters {
            b.direct_counter(direct(t), None, unit(kind));
        }
    }
    if sizes.serves.packet_io {
        b.header("packet_in", vec![("ingress_port".to_owned(), PORT_BITS)]);
        b.header("packet_out", vec![("egress_port".to_owned(), PORT_BITS)]);
    }
    if sizes.flow_entries.is_some() {
        for t in &p.flow_tables {
            b.register(&t.name, None, cell_width(t), sizes.flows(t));
        }
        for l in &p.limiters {
            b.register(&l.name, None, 32, 1);
        }
    }
    b.build().unwrap_or_default()
}

/// Name of a table's direct counter.
pub(super) fn direct(t: &Table) -> String {
    format!("{}_counter", t.name)
}

/// Bits of a flow table's cell.
pub(super) fn cell_width(t: &FlowTable) -> u32 {
    match t.layout() {
        Layout::Narrow => 128,
        Layout::Wide => 256,
    }
}

fn unit(kind: CounterKind) -> Unit {
    match kind {
        CounterKind::Packets => Unit::Packets,
        CounterKind::Bytes => Unit::Bytes,
        CounterKind::Both => Unit::Both,
    }
}

fn match_type(kind: MatchKind, sizes: &Sizes) -> MatchType {
    match kind {
        MatchKind::Optional if sizes.optional_by_mask => MatchType::Ternary,
        MatchKind::Exact => MatchType::Exact,
        MatchKind::Lpm => MatchType::Lpm,
        MatchKind::Ternary => MatchType::Ternary,
        MatchKind::Range => MatchType::Range,
        MatchKind::Optional => MatchType::Optional,
    }
}

fn scope(default_only: bool) -> Scope {
    if default_only { Scope::DefaultOnly } else { Scope::TableAndDefault }
}

/// Can its entries come and go, and be seen hit?
fn may_idle(t: &Table) -> bool {
    t.counters.is_some() && t.const_entries.is_empty()
}

fn table(p: &Pipeline, t: &Table, sizes: &Sizes) -> NewTable {
    let default = &p.actions[t.default.index()];
    NewTable {
        name: t.name.clone(),
        keys: t
            .keys
            .iter()
            .map(|k| (k.name.clone(), u32::from(k.width), match_type(k.kind, sizes)))
            .collect(),
        actions: t
            .actions
            .iter()
            .map(|a| &p.actions[a.index()])
            .map(|a| (a.name.clone(), scope(a.default_only)))
            .collect(),
        default_action: Some((default.name.clone(), vec![vec![0]; default.params.len()])),
        const_default_action: true,
        direct_counter: t.counters.map(|_| direct(t)),
        // p4c's number for tables that hold what the source says.
        size: if t.const_entries.is_empty() { t.size } else { 1024 },
        const_entries: !t.const_entries.is_empty(),
        initial_entries: !t.const_entries.is_empty(),
        ..NewTable::default()
    }
}

/// A flow table as one that packets fill: read-only, its entries come and go.
fn flow_table(t: &FlowTable) -> NewTable {
    let key = |k: &pipeline_ir::Field| (k.name.clone(), u32::from(k.width), MatchType::Exact);
    let [entry, none] = [t.entry_action(), t.no_entry_action()];
    NewTable {
        name: t.name.clone(),
        keys: t.keys.iter().map(key).collect(),
        actions: vec![(entry, Scope::TableOnly), (none.clone(), Scope::DefaultOnly)],
        default_action: Some((none, Vec::new())),
        const_default_action: true,
        size: t.entries,
        const_entries: true,
        annotations: vec![FLOW_TABLE.to_owned()],
        ..NewTable::default()
    }
}

fn flow_actions(b: &mut Builder, t: &FlowTable) {
    let params = [
        (flow::names::ID, t.id_width),
        (flow::names::STATE, flow::STATE_BITS),
        (flow::names::CLASS, flow::CLASS_BITS),
        (flow::names::SPILL, flow::SPILL_BITS),
    ];
    let params = params.map(|(name, bits)| (name.to_owned(), u32::from(bits)));
    b.action(NewAction { name: t.entry_action(), params: params.to_vec(), ..NewAction::default() });
    b.action(NewAction { name: t.no_entry_action(), ..NewAction::default() });
}

fn rings(b: &mut Builder, p: &Pipeline, sizes: &Sizes) {
    for r in &p.rings {
        let pool = ("pool".to_owned(), u32::from(r.pool_width), MatchType::Exact);
        let actions =
            |set: String, none: String| vec![(set, Scope::TableAndDefault), (none, Scope::DefaultOnly)];
        b.table(NewTable {
            name: r.pool_table.clone(),
            keys: vec![pool.clone()],
            actions: actions("set_generation".to_owned(), format!("no_{}", r.pool_table)),
            default_action: Some((format!("no_{}", r.pool_table), Vec::new())),
            const_default_action: true,
            size: r.pools,
            ..NewTable::default()
        });
        let slot = ("slot".to_owned(), slot_width(r), MatchType::Exact);
        b.table(NewTable {
            name: r.name.clone(),
            keys: vec![pool, ("generation".to_owned(), 8, MatchType::Exact), slot],
            actions: actions(format!("set_{}", r.name), format!("no_{}", r.name)),
            default_action: Some((format!("no_{}", r.name), Vec::new())),
            const_default_action: true,
            size: sizes.ring(r),
            ..NewTable::default()
        });
    }
}

fn ring_actions(b: &mut Builder, p: &Pipeline) {
    let action = |name: String, params: &[(&str, u32)]| NewAction {
        name,
        params: params.iter().map(|(n, w)| ((*n).to_owned(), *w)).collect(),
        ..NewAction::default()
    };
    if !p.rings.is_empty() {
        b.action(action("set_generation".to_owned(), &[("generation", 8)]));
    }
    for r in &p.rings {
        b.action(action(format!("no_{}", r.pool_table), &[]));
        b.action(action(format!("set_{}", r.name), &[("id", u32::from(r.id_width))]));
        b.action(action(format!("no_{}", r.name), &[]));
    }
}
