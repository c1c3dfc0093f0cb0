//! Maps, and how tables are searched.

use super::Emitter;
use super::expr::{c_type, number};
use crate::text::Text;
use pipeline_ir::expr::{Expr, Type};
use pipeline_ir::{MatchKind, Table, TableId};
use xdp_layout::array::ArrayLayout;
use xdp_layout::key::FieldPlace;
use xdp_layout::{TableKind, TableLayout};

/// The number of buckets and so on, as a map declaration.
fn map(t: &mut Text, name: &str, kind: &str, flags: Option<&str>, key: &str, value: &str, entries: u64) {
    t.open("struct {");
    t.line(format!("MAP_NUMBER(type, {kind});"));
    if let Some(flags) = flags {
        t.line(format!("MAP_NUMBER(map_flags, {flags});"));
    }
    t.line(format!("MAP_NUMBER(max_entries, {entries});"));
    t.line(format!("MAP_TYPE(key, {key});"));
    t.line(format!("MAP_TYPE(value, {value});"));
    t.close(format!("}} {name} SEC(\".maps\");"));
    t.line("");
}

/// An array, as `xdp_layout::array` says.
fn array(t: &mut Text, name: &str, element: &str, layout: ArrayLayout) {
    if layout.is_one_value() {
        t.line(format!("{element} {name}[{}] SEC(\".data.{name}\");", layout.elements));
        t.line("");
    } else {
        let pages = Some("MAP_MMAPABLE");
        map(t, name, "MAP_ARRAY", pages, "u32", element, u64::from(layout.elements));
    }
}

/// Looks an element up by a variable that bounds the array; `return 0` where there is none.
fn element(t: &mut Text, pointer: &str, name: &str, index: &str, layout: ArrayLayout) {
    if layout.is_one_value() {
        t.line(format!("{pointer} = &{name}[{index}];"));
    } else {
        let variable = pointer.rsplit('*').next().unwrap_or_default();
        let at = index.strip_prefix('*').map_or_else(|| format!("&{index}"), str::to_owned);
        t.line(format!("{pointer} = map_lookup(&{name}, {at});"));
        t.line(format!("if (!{variable})"));
        t.line("    return 0;");
    }
}

/// `pool_at(index)`: a cell of an array of numbers, or none beyond its end.
fn number_at(t: &mut Text, name: &str, layout: ArrayLayout) {
    t.line(format!("INLINE u32 *{name}_at(u32 index)"));
    t.open("{");
    if layout.is_one_value() {
        // What clang knows of the index, the verifier may not.
        t.line("OPAQUE(index);");
        t.line(format!("return index < {} ? &{name}[index] : 0;", layout.elements));
    } else {
        t.line(format!("return map_lookup(&{name}, &index);"));
    }
    t.close("}");
    t.line("");
}

impl Emitter<'_> {
    pub(super) fn maps(&self, t: &mut Text) {
        self.events(t);
        for (i, table) in self.p.tables.iter().enumerate() {
            self.table(t, TableId(i as u32), table);
        }
        for ring in &self.p.rings {
            t.line(format!("// {} ring {}", self.at(ring.at), ring.name));
            let (pools, slots) = (ArrayLayout::of_pools(ring), ArrayLayout::of_slots(ring));
            array(t, &ring.pool_table, "u32", pools);
            number_at(t, &ring.pool_table, pools);
            array(t, &ring.name, "u32", slots);
            number_at(t, &ring.name, slots);
        }
        for (counter, name) in self.p.counters.iter().zip(&self.counters) {
            t.line(format!("// {} counter {}", self.at(counter.at), counter.name));
            map(t, name, "MAP_PERCPU_ARRAY", None, "u32", "struct counter", u64::from(counter.size));
        }
        for (limiter, name) in self.p.limiters.iter().zip(&self.limiters) {
            t.line(format!("// {} limiter {}", self.at(limiter.at), limiter.name));
            t.line(format!("static u32 {name};"));
            t.line("");
        }
        for flow in &self.p.flow_tables {
            self.flow_table(t, flow);
        }
        if let Some(positions) = self.crc_positions() {
            t.line(format!("CRC32_TABLES({positions});"));
            t.line("");
        }
    }

    fn events(&self, t: &mut Text) {
        if self.layout.events.is_empty() {
            return;
        }
        t.open("enum {");
        for event in &self.layout.events {
            t.line(format!("{},", event_name(event)));
        }
        t.close("};");
        t.line("");
        map(t, "events", "MAP_PERCPU_ARRAY", None, "u32", "u64", self.layout.events.len() as u64);
        if !self.p.reasons.is_empty() {
            t.line("INLINE int drop(u32 reason)");
            t.open("{");
            t.line("count_event(&events, reason);");
            t.line("return XDP_DROP;");
            t.close("}");
            t.line("");
        }
    }

    fn table(&self, t: &mut Text, id: TableId, table: &Table) {
        let layout = &self.layout.tables[id.index()];
        let name = &table.name;
        t.line(format!("// {} table {name}", self.at(table.at)));
        self.data_structs(t, table, layout);
        if layout.counters > 0 {
            map(
                t,
                &format!("{name}_hits"),
                "MAP_PERCPU_ARRAY",
                None,
                "u32",
                "struct counter",
                layout.counters.into(),
            );
        }
        match (&layout.kind, layout.array()) {
            (TableKind::Slot { bits }, Some(slots)) => {
                array(t, name, &format!("struct {name}_data"), slots);
                slot_find(t, name, *bits, slots);
            }
            (TableKind::Exact { words, .. }, Some(sets)) => {
                t.open(format!("struct {name}_set {{"));
                t.line(format!("u64 keys[4][{words}];"));
                t.line(format!("struct {name}_data data[4];"));
                t.close("};");
                t.line("");
                array(t, name, &format!("struct {name}_set"), sets);
                exact_find(t, name, *words, id.0, sets);
            }
            (TableKind::Lpm { order, key_bytes }, _) => {
                t.open(format!("struct {name}_key {{"));
                t.line("u32 prefix;");
                t.line(format!("u8 bytes[{}];", key_bytes - 4));
                // The kernel counts every byte of the key: none may be there for alignment alone.
                t.close("} __attribute__((packed));");
                t.line("");
                let flags = Some("MAP_NO_PREALLOC");
                let (key, value) = (format!("struct {name}_key"), format!("struct {name}_data"));
                map(t, name, "MAP_LPM_TRIE", flags, &key, &value, u64::from(table.size));
                lpm_find(t, table, order, *key_bytes);
            }
            _ => self.linear(t, table, layout),
        }
    }

    fn data_structs(&self, t: &mut Text, table: &Table, layout: &TableLayout) {
        let data = &layout.data;
        let mut common = vec![(data.action, 1, "action".to_string())];
        common.extend(data.key.map(|at| (at, 4, "key".to_string())));
        common.extend(data.index.map(|at| (at, 4, "index".to_string())));
        struct_of(t, &format!("{}_data", table.name), common.clone(), data.bytes);
        for (action, params) in &data.params {
            if params.is_empty() && data.fold_of(*action).is_none() {
                continue;
            }
            let mut fields = common.clone();
            fields.extend(params.iter().map(|q| (q.at, q.bytes, self.p.var(q.var).name.clone())));
            fields.extend(data.fold_of(*action).map(|at| (at, 4, "fold".to_string())));
            let name = format!("{}_{}", table.name, self.p.actions[action.index()].name);
            struct_of(t, &name, fields, data.bytes);
        }
    }

    fn linear(&self, t: &mut Text, table: &Table, layout: &TableLayout) {
        let TableKind::Linear { fields, data_at } = &layout.kind else { return };
        let name = &table.name;
        let mut list: Vec<(u32, u32, String)> = Vec::new();
        for (key, field) in table.keys.iter().zip(fields) {
            let (a, b) = if field.range { ("low", "high") } else { ("value", "mask") };
            list.push((field.at, field.bytes, format!("{}_{a}", key.name)));
            list.push((field.at + field.bytes, field.bytes, format!("{}_{b}", key.name)));
        }
        t.open(format!("struct {name}_entry {{"));
        fields_of(t, list, *data_at);
        t.line(format!("struct {name}_data data;"));
        t.close("};");
        t.line("");
        map(t, name, "MAP_ARRAY", None, "u32", &format!("struct {name}_entry"), u64::from(table.size) * 2);
        map(t, &format!("{name}_half"), "MAP_ARRAY", None, "u32", "u32", 1);
        let params: Vec<String> = table
            .keys
            .iter()
            .map(|k| format!("{} {}", c_type(Type::Bits(k.width)), parameter(&k.name)))
            .collect();
        t.line("// The best entry comes first.");
        t.line(format!("INLINE struct {name}_data *{name}_find({}, u32 *cell)", params.join(", ")));
        t.open("{");
        t.line("u32 zero = 0;");
        t.line(format!("u32 *half = map_lookup(&{name}_half, &zero);"));
        t.line("if (!half)");
        t.line("    return 0;");
        t.open(format!("for (u32 i = 0; i < {}; i++) {{", table.size));
        t.line(format!("u32 index = (*half & 1) * {} + i;", table.size));
        t.line(format!("struct {name}_entry *e = map_lookup(&{name}, &index);"));
        t.line("if (!e || !e->data.action)");
        t.line("    return 0;");
        let tests: Vec<String> = table
            .keys
            .iter()
            .zip(fields)
            .map(|(k, f)| linear_test(&k.name, f.range, f.bytes == 16))
            .collect();
        t.line(format!("if ({}) {{", tests.join(" && ")));
        t.line("    *cell = e->data.index;");
        t.line("    return &e->data;");
        t.line("}");
        t.close("}");
        t.line("return 0;");
        t.close("}");
        t.line("");
    }

    /// `vip4_find(key, &cell)`, the key given as the table's search wants it.
    pub(super) fn find_call(&self, id: TableId, key: &[Expr], cell: &str) -> String {
        let name = &self.p.tables[id.index()].name;
        let args: Vec<String> = match &self.layout.tables[id.index()].kind {
            TableKind::Exact { words, fields, .. } => {
                (0..*words).map(|w| self.key_word(fields, key, w)).collect()
            }
            _ => key.iter().map(|e| self.expr(e)).collect(),
        };
        format!("{name}_find({}, {cell})", args.join(", "))
    }

    fn key_word(&self, fields: &[FieldPlace], key: &[Expr], word: usize) -> String {
        let low = 64 * word as u32;
        let bits: u32 = fields.iter().map(|f| u32::from(f.width)).sum();
        let mut parts: Vec<String> = Vec::new();
        if bits / 64 == word as u32 {
            parts.push(number(1u128 << (bits % 64)).replace("ull", "") + "ull");
        }
        for (field, e) in fields.iter().zip(key) {
            let x = self.typed_operand(e);
            let top = field.shift + u32::from(field.width);
            if top <= low || field.shift >= low + 64 {
                continue;
            }
            parts.push(if field.shift > low {
                format!("(u64){x} << {}", field.shift - low)
            } else if field.shift == low {
                format!("(u64){x}")
            } else {
                format!("(u64)({x} >> {})", low - field.shift)
            });
        }
        parts.join(" | ")
    }
}

fn linear_test(name: &str, range: bool, wide: bool) -> String {
    let read =
        |suffix: &str| if wide { format!("wide(e->{name}_{suffix})") } else { format!("e->{name}_{suffix}") };
    let given = parameter(name);
    if range {
        format!("{given} >= {} && {given} <= {}", read("low"), read("high"))
    } else {
        format!("({given} & {}) == {}", read("mask"), read("value"))
    }
}

/// A key field as a parameter of its table's search, beside the names that the search uses itself.
fn parameter(name: &str) -> String {
    match name {
        "cell" | "e" | "half" | "i" | "index" | "key" | "map_lookup" | "wide" | "zero" => format!("{name}_"),
        _ => name.to_owned(),
    }
}

fn struct_of(t: &mut Text, name: &str, fields: Vec<(u32, u32, String)>, bytes: u32) {
    t.open(format!("struct {name} {{"));
    fields_of(t, fields, bytes);
    t.close("};");
    t.line("");
}

/// Fields at their offsets, the gaps named.
fn fields_of(t: &mut Text, mut fields: Vec<(u32, u32, String)>, bytes: u32) {
    fields.sort_unstable();
    let mut at = 0;
    let mut pads = 0;
    let mut pad = |t: &mut Text, from: u32, to: u32| {
        if to > from {
            t.line(format!("u8 pad{pads}[{}];", to - from));
            pads += 1;
        }
    };
    for (offset, size, name) in fields {
        pad(t, at, offset);
        match size {
            16 => t.line(format!("u64 {name}[2];")),
            _ => t.line(format!("u{} {name};", size * 8)),
        }
        at = offset + size;
    }
    pad(t, at, bytes);
}

fn slot_find(t: &mut Text, name: &str, bits: u8, slots: ArrayLayout) {
    t.line(format!("INLINE struct {name}_data *{name}_find(u32 key, u32 *cell)"));
    t.open("{");
    t.line("OPAQUE(key);");
    t.line(format!("*cell = key & {:#x};", (1u32 << bits) - 1));
    element(t, &format!("struct {name}_data *e"), name, "*cell", slots);
    t.line("return e->key == key && e->action ? e : 0;");
    t.close("}");
    t.line("");
}

fn exact_find(t: &mut Text, name: &str, words: usize, index: u32, sets: ArrayLayout) {
    let params: Vec<String> = (0..words).map(|i| format!("u64 word{i}")).collect();
    let names: Vec<String> = (0..words).map(|i| format!("word{i}")).collect();
    t.line(format!("INLINE struct {name}_data *{name}_find({}, u32 *cell)", params.join(", ")));
    t.open("{");
    t.line(format!("u64 key[] = {{{}}};", names.join(", ")));
    t.line(format!("u32 set = exact_set(key, {words}, {index}, {});", sets.elements));
    element(t, &format!("struct {name}_set *s"), name, "set", sets);
    t.line(format!("u32 way = exact_way(&s->keys[0][0], key, {words});"));
    t.line("if (way == EXACT_NONE)");
    t.line("    return 0;");
    t.line("*cell = set * 4 + way;");
    t.line("return &s->data[way];");
    t.close("}");
    t.line("");
}

fn lpm_find(t: &mut Text, table: &Table, order: &[(usize, u32)], key_bytes: u32) {
    let name = &table.name;
    let params: Vec<String> = table
        .keys
        .iter()
        .map(|k| format!("{} {}", c_type(Type::Bits(k.width)), parameter(&k.name)))
        .collect();
    t.line(format!("INLINE struct {name}_data *{name}_find({}, u32 *cell)", params.join(", ")));
    t.open("{");
    t.line(format!("struct {name}_key key = {{.prefix = {}}};", (key_bytes - 4) * 8));
    let mut at = 0;
    for (i, bytes) in order {
        let key = &table.keys[*i];
        // An lpm field that is no whole number of bytes is put to the left, so that its prefix starts the bits.
        let left = if key.kind == MatchKind::Lpm { bytes * 8 - u32::from(key.width) } else { 0 };
        for b in 0..*bytes {
            let shift = (bytes - 1 - b) * 8;
            let value = if shift >= left {
                format!("{} >> {}", parameter(&key.name), shift - left)
            } else {
                format!("{} << {}", parameter(&key.name), left - shift)
            };
            t.line(format!("key.bytes[{}] = {value};", at + b));
        }
        at += bytes;
    }
    t.line(format!("struct {name}_data *e = map_lookup(&{name}, &key);"));
    t.line("if (e)");
    t.line("    *cell = e->index;");
    t.line("return e;");
    t.close("}");
    t.line("");
}

/// `drop.no_pool` as an enumerator.
pub(super) fn event_name(event: &str) -> String {
    event.replace('.', "_").to_uppercase()
}
