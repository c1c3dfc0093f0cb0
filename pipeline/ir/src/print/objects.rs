//! What is declared.

use super::Text;
use crate::{Action, CounterKind, FlowTable, KeyValue, MatchKind, Ring, Table, VarKind};

impl Text<'_> {
    pub(super) fn objects(&mut self) {
        let p = self.p;
        self.line(format!("pipeline {} from {} for {}", p.name, p.file, p.targets.join(", ")));
        for t in &p.header_types {
            self.line(format!("header_type {} of {} bytes", t.name, t.bytes()));
            self.inside(|s| t.fields.iter().for_each(|f| s.line(format!("{}: bit<{}>", f.name, f.width))));
        }
        for h in &p.headers {
            self.line(format!("header {}: {}", h.name, p.header_types[h.ty.index()].name));
        }
        for (i, v) in p.vars.iter().enumerate() {
            if !matches!(v.kind, VarKind::Param(_)) {
                self.line(format!("var {}: {}", super::var(p, crate::VarId(i as u32)), v.ty));
            }
        }
        p.actions.iter().for_each(|a| self.action(a));
        p.tables.iter().for_each(|t| self.table(t));
        p.flow_tables.iter().for_each(|t| self.flow_table(t));
        p.cursors.iter().for_each(|c| self.line(format!("flow {}", c.name)));
        p.rings.iter().for_each(|r| self.ring(r));
        for c in &p.counters {
            self.line(format!("counter {} size {} {}", c.name, c.size, counter_kind(c.kind)));
        }
        for l in &p.limiters {
            self.line(format!("limiter {} per_tick {}", l.name, l.per_tick));
        }
        p.reasons.iter().for_each(|r| self.line(format!("reason {}", r.name)));
    }

    fn action(&mut self, action: &Action) {
        let params = action.params.iter().map(|v| format!("{}: {}", self.p.var(*v).name, self.p.var(*v).ty));
        let params = params.collect::<Vec<_>>().join(", ");
        let mark = if action.default_only { " default_only" } else { "" };
        self.line(format!("action {}({params}){mark}", action.name));
    }

    fn table(&mut self, table: &Table) {
        let counters = table.counters.map(|c| format!(" counters {}", counter_kind(c))).unwrap_or_default();
        let slots = table.slot_bits.map(|b| format!(" slot_bits {b}")).unwrap_or_default();
        self.line(format!("table {} size {}{counters}{slots}", table.name, table.size));
        let action = |id: crate::ActionId| &self.p.actions[id.index()].name;
        let mut lines: Vec<String> = Vec::new();
        lines.extend(
            table.keys.iter().map(|k| format!("key {}: bit<{}> {}", k.name, k.width, match_kind(k.kind))),
        );
        lines.extend(table.actions.iter().map(|a| format!("action {}", action(*a))));
        lines.push(format!("default {}", action(table.default)));
        for e in &table.const_entries {
            let keys = e.keys.iter().map(|k| key_value(*k)).collect::<Vec<_>>().join(", ");
            let args = e.args.iter().map(|a| format!("{a:#x}")).collect::<Vec<_>>().join(", ");
            lines.push(format!("entry {keys} => {}({args})", action(e.action)));
        }
        self.inside(|s| lines.iter().for_each(|l| s.line(l)));
    }

    fn flow_table(&mut self, t: &FlowTable) {
        self.line(format!("flow_table {} entries {} id bit<{}>", t.name, t.entries, t.id_width));
        self.inside(|s| {
            t.keys.iter().for_each(|k| s.line(format!("key {}: bit<{}>", k.name, k.width)));
            for i in &t.idle {
                s.line(format!("idle new {} tcp {} udp {} closing {} ms", i.new, i.tcp, i.udp, i.closing));
            }
        });
    }

    fn ring(&mut self, r: &Ring) {
        let reason = |id: crate::ReasonId| self.p.reasons[id.index()].name.clone();
        let (no_pool, no_slot) = (reason(r.no_pool), reason(r.no_slot));
        self.line(format!("ring {} slots {} pools {} id bit<{}>", r.name, r.slots, r.pools, r.id_width));
        self.inside(|s| {
            s.line(format!("pool_table {} pool bit<{}>", r.pool_table, r.pool_width));
            s.line(format!("no_pool {no_pool}"));
            s.line(format!("no_slot {no_slot}"));
        });
    }
}

fn counter_kind(kind: CounterKind) -> &'static str {
    match kind {
        CounterKind::Packets => "packets",
        CounterKind::Bytes => "bytes",
        CounterKind::Both => "both",
    }
}

fn match_kind(kind: MatchKind) -> &'static str {
    match kind {
        MatchKind::Exact => "exact",
        MatchKind::Lpm => "lpm",
        MatchKind::Ternary => "ternary",
        MatchKind::Range => "range",
        MatchKind::Optional => "optional",
    }
}

/// `0x1`, `0x1/8`, `0x1 & 0xf`, `0x1..=0x2`, `_`.
fn key_value(value: KeyValue) -> String {
    match value {
        KeyValue::Exact(v) | KeyValue::Optional(Some(v)) => format!("{v:#x}"),
        KeyValue::Lpm { value, prefix } => format!("{value:#x}/{prefix}"),
        KeyValue::Ternary { value, mask } => format!("{value:#x} & {mask:#x}"),
        KeyValue::Range { low, high } => format!("{low:#x}..={high:#x}"),
        KeyValue::Optional(None) => "_".to_owned(),
    }
}
