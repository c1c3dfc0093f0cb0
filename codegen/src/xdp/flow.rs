//! Flow tables: find, stay, remember.

use super::Emitter;
use super::tables::event_name;
use crate::text::Text;
use pipeline_ir::expr::{BinOp, Expr, ExprKind, Type};
use pipeline_ir::flow::{Layout, state, ticks};
use pipeline_ir::{CursorId, FlowTable, FlowTableId, Loc, VarId};

/// What `find` is given.
pub(super) struct Find<'a> {
    pub(super) cursor: CursorId,
    pub(super) table: FlowTableId,
    pub(super) key: &'a [Expr],
    pub(super) hash: &'a Expr,
    pub(super) event: &'a Expr,
    pub(super) class: &'a Expr,
}

fn size(flow: &FlowTable) -> &'static str {
    match flow.layout() {
        Layout::Narrow => "narrow",
        Layout::Wide => "wide",
    }
}

impl Emitter<'_> {
    pub(super) fn flow_table(&self, t: &mut Text, flow: &FlowTable) {
        let name = &flow.name;
        t.line(format!("// {} flow table {name}: {} buckets of 4 ways", self.at(flow.at), flow.buckets()));
        t.open("struct {");
        t.line("MAP_NUMBER(type, MAP_ARRAY);");
        t.line("MAP_NUMBER(map_flags, MAP_MMAPABLE);");
        t.line(format!("MAP_NUMBER(max_entries, {});", flow.buckets()));
        t.line("MAP_TYPE(key, u32);");
        t.line(format!("MAP_TYPE(value, struct flow_{});", size(flow)));
        t.close(format!("}} {name} SEC(\".maps\");"));
        t.line("");
        t.line("// The age in ticks at which an entry expires, by state and class. A free way always has.");
        t.open(format!("const volatile u32 {name}_ages[32] SEC(\".rodata\") = {{"));
        for (s, label) in [
            (state::NEW, "FLOW_NEW"),
            (state::TCP, "FLOW_TCP"),
            (state::UDP, "FLOW_UDP"),
            (state::CLOSING, "FLOW_CLOSING"),
        ] {
            let cells: Vec<String> = (0..4).map(|class| self.timeout(flow, s, class).to_string()).collect();
            t.line(format!("[{label} * 4] = {},", cells.join(", ")));
        }
        t.close("};");
        t.line("");
    }

    fn timeout(&self, flow: &FlowTable, s: u8, class: usize) -> u32 {
        let Some(idle) = flow.idle.get(class).or(flow.idle.last()) else { return 0 };
        let milliseconds = match s {
            state::NEW => idle.new,
            state::TCP => idle.tcp,
            state::UDP => idle.udp,
            _ => idle.closing,
        };
        ticks(milliseconds, self.tick_ns) + 1
    }

    pub(super) fn find(&self, t: &mut Text, find: &Find<'_>) {
        let flow = &self.p.flow_tables[find.table.index()];
        let cursor = &self.p.cursors[find.cursor.index()].name;
        let (words, last) = key_words(flow, find.key);
        t.open(format!("{cursor} = (struct flow){{"));
        let words: Vec<String> = words.iter().map(|e| self.expr(e)).collect();
        t.line(format!(".key = {{{}}},", words.join(", ")));
        t.line(format!(".hash = {},", self.expr(find.hash)));
        t.line(format!(".table = {},", find.table.0 + 1));
        t.close("};");
        let most = flow.idle.len().saturating_sub(1);
        let class = match most {
            0 => "0".to_string(),
            1 | 2 => {
                let class = self.operand(find.class);
                format!("{class} > {most} ? {most} : {class}")
            }
            _ => self.expr(find.class),
        };
        let (name, size) = (&flow.name, size(flow));
        t.line(format!(
            "flow_{size}_find(&{cursor}, &{name}, {}, {name}_ages, {}, {}, {class});",
            flow.buckets(),
            self.expr(&last),
            self.expr(find.event)
        ));
    }

    pub(super) fn remember(&self, t: &mut Text, cursor: CursorId, id: VarId) {
        let name = &self.p.cursors[cursor.index()].name;
        let filled = self.filled.borrow();
        let tables = filled.get(cursor.index()).map_or(&[][..], Vec::as_slice);
        t.line(format!("if ({name}.hit)"));
        t.line(format!("    flow_refresh(&{name});"));
        for table in tables {
            let flow = &self.p.flow_tables[table.index()];
            let (f, size) = (&flow.name, size(flow));
            let stored = format!(
                "flow_{size}_store(&{name}, &{f}, {}, {}, {f}_ages)",
                flow.buckets(),
                self.vars[id.index()]
            );
            let mine =
                if tables.len() > 1 { format!("{name}.table == {} && ", table.0 + 1) } else { String::new() };
            t.line(format!("else if ({mine}{name}.fresh)"));
            let (yes, no) = (event_name(&format!("{f}.stored")), event_name(&format!("{f}.not_stored")));
            t.line(format!("    count_event(&events, {stored} ? {yes} : {no});"));
        }
    }
}

/// The key's words without its last 16 bits, and those.
fn key_words(flow: &FlowTable, key: &[Expr]) -> (Vec<Expr>, Expr) {
    let bits = flow.key_bits();
    let full = flow.layout().key_bits();
    // Bits from the high end: [from, to).
    let cut = |from: u32, to: u32, width: u8| {
        let mut out: Option<Expr> = None;
        let mut start = 0;
        for e in key {
            let w = u32::from(e.ty.width());
            let (a, b) = (start.max(from), (start + w).min(to));
            if a < b {
                let part = slice(e, (start + w - 1 - a) as u8, (start + w - b) as u8);
                out = Some(match out {
                    None => part,
                    Some(before) => concat(before, part),
                });
            }
            start += w;
        }
        let have = bits.clamp(from, to) - from;
        let missing = (to - from - have) as u8;
        let value = out.unwrap_or_else(|| Expr::bits(0, (to - from) as u8));
        let value = if missing > 0 && have > 0 { concat(value, Expr::bits(0, missing)) } else { value };
        if u32::from(width) > to - from {
            concat(value, Expr::bits(0, width - (to - from) as u8))
        } else {
            value
        }
    };
    match flow.layout() {
        Layout::Narrow => (vec![cut(0, 64, 64)], cut(64, full, 16)),
        Layout::Wide => (vec![cut(0, 32, 64), cut(32, 96, 64), cut(96, 160, 64)], cut(160, full, 16)),
    }
}

fn slice(e: &Expr, hi: u8, lo: u8) -> Expr {
    if lo == 0 && hi + 1 == e.ty.width() {
        return e.clone();
    }
    Expr {
        kind: ExprKind::Slice { of: Box::new(e.clone()), hi, lo },
        ty: Type::Bits(hi - lo + 1),
        at: Loc::default(),
    }
}

fn concat(a: Expr, b: Expr) -> Expr {
    let ty = Type::Bits(a.ty.width() + b.ty.width());
    Expr { kind: ExprKind::Binary(BinOp::Concat, Box::new(a), Box::new(b)), ty, at: Loc::default() }
}
