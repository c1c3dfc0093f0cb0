//! Header structs, and how they are loaded and stored.

use super::Emitter;
use super::expr::{c_type, number};
use crate::text::Text;
use pipeline_ir::expr::Type;
use pipeline_ir::{FieldId, HeaderId, HeaderType};

/// Where the code that is being written finds headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// In `struct headers *h`: which headers there are is known when the program runs.
    Shared,
    /// In variables of their own: a way through the parser.
    Way,
    /// In the packet, all of them: the parser of a way.
    Parser,
}

impl Emitter<'_> {
    /// The header's own variable: a struct, or a `struct place`.
    pub(super) fn header(&self, h: HeaderId) -> String {
        let name = &self.p.headers[h.index()].name;
        match self.scope.get() {
            Scope::Shared => format!("h->{name}"),
            Scope::Way | Scope::Parser => name.clone(),
        }
    }

    /// Where a header lies in the packet.
    pub(super) fn pointer(&self, h: HeaderId) -> String {
        let plain = match self.scope.get() {
            Scope::Shared => false,
            Scope::Way => !self.popped[h.index()],
            Scope::Parser => true,
        };
        if plain { self.header(h) } else { format!("{}.p", self.header(h)) }
    }

    /// Is the header read and written where it lies in the packet? One that can be pushed has a struct instead.
    pub(super) fn in_packet(&self, h: HeaderId) -> bool {
        !self.pushed[h.index()] || self.scope.get() == Scope::Parser
    }

    /// Header structs, and of their functions those that the program's body calls.
    pub(super) fn headers(&self, t: &mut Text, body: &str) {
        for ty in &self.p.header_types {
            let calls = |function: &str| body.contains(&format!("{function}("));
            if calls(&format!("load_{}", ty.name)) || calls(&format!("store_{}", ty.name)) {
                fields(t, ty);
                load(t, ty);
                store(t, ty);
            } else if self
                .p
                .headers
                .iter()
                .enumerate()
                .any(|(i, h)| self.pushed[i] && self.p.header_types[h.ty.index()].name == ty.name)
            {
                fields(t, ty);
            }
            for (i, field) in ty.fields.iter().enumerate() {
                let id = FieldId(i as u32);
                if calls(&format!("{}_{}", ty.name, field.name)) {
                    read_field(t, ty, id);
                }
                if calls(&format!("set_{}_{}", ty.name, field.name)) {
                    write_field(t, ty, id);
                }
            }
        }
        t.open("struct headers {");
        for (i, header) in self.p.headers.iter().enumerate() {
            let ty = &self.p.header_types[header.ty.index()].name;
            if self.pushed[i] {
                t.line(format!("struct {ty} {};", header.name));
            } else {
                t.line(format!("struct place {}; // {ty}", header.name));
            }
        }
        t.close("};");
        t.line("");
    }
}

fn fields(t: &mut Text, ty: &HeaderType) {
    t.open(format!("struct {} {{", ty.name));
    for field in &ty.fields {
        t.line(format!("{} {};", c_type(Type::Bits(field.width)), field.name));
    }
    t.line("u8 valid;");
    t.line("u8 parsed;");
    t.close("};");
    t.line("");
}

fn read_field(t: &mut Text, ty: &HeaderType, id: FieldId) {
    let field = &ty.fields[id.index()];
    let value = load_bits("p", ty.offset(id), field.width);
    let c = c_type(Type::Bits(field.width));
    t.line(format!("INLINE {c} {}_{}(const void *p) {{ return {value}; }}", ty.name, field.name));
}

/// Writes a field in the packet; the bits beside it in its bytes stay.
fn write_field(t: &mut Text, ty: &HeaderType, id: FieldId) {
    let field = &ty.fields[id.index()];
    let (first, count) = span(ty.offset(id), field.width);
    let c = c_type(Type::Bits(field.width));
    t.line(format!("INLINE void set_{}_{}(void *p, {c} x)", ty.name, field.name));
    t.open("{");
    if count * 8 == u32::from(field.width) {
        write(t, first, count, "x");
    } else if let Some(over) = over(ty.offset(id), field.width) {
        let mask = Type::Bits(field.width).mask() >> over;
        t.line(format!("u128 old = {};", read("p", first, 16)));
        t.line(format!("u8 last = {};", read("p", first + 16, 1)));
        write(t, first, 16, &format!("(old & ~{}) | x >> {over}", number(mask)));
        write(t, first + 16, 1, &format!("(last & {:#x}) | (u8)x << {}", 0xff >> over, 8 - over));
    } else {
        let below = count * 8 - ty.offset(id) % 8 - u32::from(field.width);
        let all = if count > 8 { "u128" } else { "u64" };
        let mask = Type::Bits(field.width).mask() << below;
        t.line(format!("{all} old = {};", read("p", first, count)));
        t.line(format!("{all} new = (old & ~({all}){}) | ({all})x << {below};", number(mask)));
        write(t, first, count, "new");
    }
    t.close("}");
    t.line("");
}

fn load(t: &mut Text, ty: &HeaderType) {
    t.line(format!("INLINE void load_{}(struct {} *x, const void *p)", ty.name, ty.name));
    t.open("{");
    for (i, field) in ty.fields.iter().enumerate() {
        t.line(format!("x->{} = {};", field.name, load_bits("p", ty.offset(FieldId(i as u32)), field.width)));
    }
    t.line("x->valid = x->parsed = 1;");
    t.close("}");
    t.line("");
}

/// Bits of a field that lie beyond its first 16 bytes, if it has 17.
fn over(offset: u32, width: u8) -> Option<u32> {
    (offset % 8 + u32::from(width)).checked_sub(128).filter(|bits| *bits > 0)
}

/// Bytes that cover a field: from which, and how many (1, 2, 3, 4, 6, 8, 16 can be read at once).
fn span(offset: u32, width: u8) -> (u32, u32) {
    let first = offset / 8;
    let count = (offset % 8 + u32::from(width)).div_ceil(8);
    (first, count)
}

fn at(p: &str, byte: u32) -> String {
    if byte == 0 { p.to_string() } else { format!("{p} + {byte}") }
}

fn read(p: &str, byte: u32, count: u32) -> String {
    match count {
        1 if byte == 0 => format!("*(const u8 *){p}"),
        1 => format!("*(const u8 *)({})", at(p, byte)),
        2 | 3 | 4 | 6 | 8 | 16 => format!("be{}({})", count * 8, at(p, byte)),
        // An odd count is read in two parts.
        _ => {
            let low = if count > 8 { 8 } else { count - 4 };
            let high = count - low;
            let (high_text, low_text) = (read(p, byte, high), read(p, byte + high, low));
            let ty = if count > 8 { "u128" } else { "u64" };
            format!("(({ty}){high_text} << {} | {low_text})", low * 8)
        }
    }
}

/// Bits of the packet at `p`, as a number.
pub(super) fn load_bits(p: &str, offset: u32, width: u8) -> String {
    let (first, count) = span(offset, width);
    if let Some(over) = over(offset, width) {
        let (most, last) = (read(p, first, 16), read(p, first + 16, 1));
        return format!("({most} << {over} | {last} >> {}) & {}", 8 - over, number(Type::Bits(width).mask()));
    }
    let below = count * 8 - offset % 8 - u32::from(width);
    let whole = read(p, first, count);
    let shifted = if below == 0 { whole } else { format!("{whole} >> {below}") };
    if below == 0 && count * 8 == u32::from(width) {
        return shifted;
    }
    if offset.is_multiple_of(8) {
        shifted
    } else {
        format!("({shifted}) & {}", number(Type::Bits(width).mask()))
    }
}

/// Stores whole bytes: each run of fields between byte borders is put together first.
fn store(t: &mut Text, ty: &HeaderType) {
    t.line(format!("INLINE void store_{}(void *p, const struct {} *x)", ty.name, ty.name));
    t.open("{");
    let mut run: Vec<usize> = Vec::new();
    for i in 0..ty.fields.len() {
        run.push(i);
        let end = ty.offset(FieldId(i as u32)) + u32::from(ty.fields[i].width);
        if end.is_multiple_of(8) {
            store_run(t, ty, &run);
            run.clear();
        }
    }
    t.close("}");
    t.line("");
}

fn store_run(t: &mut Text, ty: &HeaderType, run: &[usize]) {
    let Some((&first, rest)) = run.split_first() else { return };
    let byte = ty.offset(FieldId(first as u32)) / 8;
    let bits: u32 = run.iter().map(|i| u32::from(ty.fields[*i].width)).sum();
    if bits > 128 {
        return store_long_run(t, ty, run, byte);
    }
    let total = if bits > 64 { "u128" } else { "u64" };
    let name = |i: usize| format!("x->{}", ty.fields[i].name);
    let mut value = if rest.is_empty() {
        name(first)
    } else {
        let below = bits - u32::from(ty.fields[first].width);
        format!("({total}){} << {below}", name(first))
    };
    let mut below = bits - u32::from(ty.fields[first].width);
    for i in rest {
        below -= u32::from(ty.fields[*i].width);
        let part = if below == 0 { name(*i) } else { format!("({total}){} << {below}", name(*i)) };
        value = format!("{value} | {part}");
    }
    write(t, byte, bits / 8, &value);
}

/// What no number holds goes in pieces of 8 bytes; bits above a piece are cut off as it is written.
fn store_long_run(t: &mut Text, ty: &HeaderType, run: &[usize], byte: u32) {
    let bits: u32 = run.iter().map(|i| u32::from(ty.fields[*i].width)).sum();
    for from in (0..bits).step_by(64) {
        let to = bits.min(from + 64);
        let mut end = 0;
        let mut parts = Vec::new();
        for field in run.iter().map(|i| &ty.fields[*i]) {
            let start = end;
            end += u32::from(field.width);
            if end <= from || start >= to {
                continue;
            }
            let low = end.saturating_sub(to);
            let part = if low == 0 {
                format!("(u64)x->{}", field.name)
            } else {
                format!("(u64)(x->{} >> {low})", field.name)
            };
            let up = to.saturating_sub(end);
            parts.push(if up == 0 { part } else { format!("{part} << {up}") });
        }
        write(t, byte + from / 8, (to - from) / 8, &parts.join(" | "));
    }
}

fn write(t: &mut Text, byte: u32, count: u32, value: &str) {
    match count {
        1 => t.line(format!("*(u8 *)({}) = {value};", at("p", byte))),
        2 | 3 | 4 | 6 | 8 | 16 => t.line(format!("put{}({}, {value});", count * 8, at("p", byte))),
        _ => {
            let low = if count > 8 { 8 } else { count - 4 };
            write(t, byte, count - low, &format!("({value}) >> {}", low * 8));
            write(t, byte + count - low, low, &format!("({value})"));
        }
    }
}
