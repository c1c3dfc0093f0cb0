//! XDP in C.
//!
//! ```c
//! // l4lb.rs:97 table vip4: exact, 4096 sets of 4
//! u32 vip4_index = EXACT_NONE;
//! struct vip4_data *vip4 = vip4_find((u64[]){1ull << 56 | ...}, &vip4_index);
//! if (vip4)
//!     count_packet(&vip4_hits, vip4_index, frame_length);
//! ```
//!
//! The parser's states are functions and say where each header lies; at the end of each way through them stands the
//! control, inlined, so that clang knows which headers are there. It reads and writes fields where they lie; what is
//! pushed is a struct until a verdict sends the packet.

mod control;
mod deparse;
mod expr;
mod flow;
mod hash;
mod headers;
mod names;
mod parse;
mod prelude;
mod tables;

use crate::artifacts::Artifacts;
use crate::fit::Fitted;
use crate::text::Text;
use pipeline_ir::stmt::{StmtKind, walk};
use pipeline_ir::{Loc, Pipeline};
use std::cell::{Cell, RefCell};
use xdp_layout::Layout;

/// What is known while a program is written.
struct Emitter<'a> {
    p: &'a Pipeline,
    layout: Layout,
    tick_ns: u64,
    vars: Vec<String>,
    /// Pointers to entries, by action.
    entries: Vec<String>,
    in_packet: Vec<bool>,
    /// Is the parser being written as labels?
    labels: Cell<bool>,
    /// What is known of the headers at the statement being written.
    here: RefCell<deparse::Shape>,
}

/// The program's C source and the headers that it includes.
#[must_use]
pub fn emit(fitted: &Fitted) -> Artifacts {
    let p = fitted.pipeline();
    let names = names::names(p);
    let emitter = Emitter {
        p,
        layout: Layout::of(p),
        tick_ns: fitted.target().tick_ns,
        vars: names.vars,
        entries: names.entries,
        in_packet: in_packet(p),
        labels: Cell::new(false),
        here: RefCell::default(),
    };
    let body = emitter.body();
    let used = prelude::used(&body);
    let mut artifacts = Artifacts::default();
    let mut source = Text::default();
    source.line(format!("// {}: made by Guideway from {} for {}.", p.name, p.file, fitted.target().name));
    source.line("");
    for (name, text) in prelude::closure(&used) {
        artifacts.add(format!("guideway/{name}"), text);
    }
    for name in used {
        source.line(format!("#include \"guideway/{name}\""));
    }
    source.line("");
    artifacts.add(format!("{}.bpf.c", p.name), source.finish() + &body);
    artifacts
}

impl Emitter<'_> {
    fn body(&self) -> String {
        let mut main = Text::default();
        self.ingress(&mut main);
        self.parser(&mut main);
        main.line("SEC(\"xdp\")");
        main.line("int gw_main(struct xdp_md *ctx)");
        main.open("{");
        self.ways(&mut main);
        self.again(&mut main);
        main.close("}");
        main.line("");
        main.line("char gw_license[] SEC(\"license\") = \"Dual BSD/GPL\";");
        let main = main.finish();

        let mut t = Text::default();
        self.headers(&mut t, &main);
        self.meta(&mut t);
        self.maps(&mut t);
        t.finish() + &main
    }

    fn ways(&self, t: &mut Text) {
        t.line("struct headers headers = {};");
        if self.has_meta() {
            t.line("struct meta meta = {};");
        }
        let start = &self.p.parser.states[self.p.parser.start.index()].name;
        let meta = if self.has_meta() { ", &meta" } else { "" };
        t.line(format!(
            "int verdict = parse_{start}(ctx, packet_start(ctx), packet_end(ctx), &headers{meta});"
        ));
        t.line("if (LIKELY(verdict != AGAIN))");
        t.line("    return verdict;");
        t.line("");
    }

    /// The control: inlined at the end of each way through the parser, and once for all other packets.
    fn ingress(&self, t: &mut Text) {
        let param = if self.has_meta() { ", struct meta *m" } else { "" };
        t.line(format!("INLINE int ingress(struct xdp_md *ctx, struct headers *h{param})"));
        t.open("{");
        t.line("const void *at = packet_start(ctx), *end = packet_end(ctx);");
        t.line("u32 frame_length = end - at;");
        self.locals(t);
        t.line("");
        self.control(t);
        t.close("}");
        t.line("");
    }

    fn has_meta(&self) -> bool {
        self.vars.iter().any(|name| name.starts_with("m->"))
    }

    fn locals(&self, t: &mut Text) {
        for (var, name) in self.p.vars.iter().zip(&self.vars) {
            if !name.is_empty() && !name.contains("->") {
                t.line(format!("__attribute__((unused)) {} {name} = 0;", expr::c_type(var.ty)));
            }
        }
        let mut truncates = false;
        walk(&self.p.control, &mut |stmt| truncates |= matches!(stmt.kind, StmtKind::Truncate { .. }));
        if truncates {
            t.line("u32 limit = 0xffff;");
        }
        if !self.layout.folds.is_empty() {
            t.line("u32 folded = 0;");
        }
        for cursor in &self.p.cursors {
            t.line(format!("struct flow {} = {{}};", cursor.name));
        }
    }

    fn meta(&self, t: &mut Text) {
        if !self.has_meta() {
            return;
        }
        t.open("struct meta {");
        for (var, name) in self.p.vars.iter().zip(&self.vars) {
            if let Some(field) = name.strip_prefix("m->") {
                t.line(format!("{} {field};", expr::c_type(var.ty)));
            }
        }
        t.close("};");
        t.line("");
    }

    /// `l4lb.rs:42`
    fn at(&self, at: Loc) -> String {
        format!("{}:{}", self.p.file, at.line)
    }
}

/// The headers that are parsed and never pushed.
fn in_packet(p: &Pipeline) -> Vec<bool> {
    let mut list = vec![true; p.headers.len()];
    walk(&p.control, &mut |stmt| {
        if let StmtKind::Push(h) = stmt.kind {
            list[h.index()] = false;
        }
    });
    list
}
