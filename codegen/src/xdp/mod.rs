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
//! The program is one function, `gw_main`: the parser's states are labels and say where each header lies; the
//! control reads and writes fields there; what is pushed is a struct until a verdict sends the packet.

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
use pipeline_ir::{Loc, Pipeline, VarKind};
use std::cell::RefCell;
use xdp_layout::Layout;

/// What is known while a program is written.
struct Emitter<'a> {
    p: &'a Pipeline,
    layout: Layout,
    tick_ns: u64,
    vars: Vec<String>,
    in_packet: Vec<bool>,
    /// What is known of the headers at the statement being written.
    here: RefCell<deparse::Shape>,
}

/// The program's C source and the headers that it includes.
#[must_use]
pub fn emit(fitted: &Fitted) -> Artifacts {
    let p = fitted.pipeline();
    let emitter = Emitter {
        p,
        layout: Layout::of(p),
        tick_ns: fitted.target().tick_ns,
        vars: names::vars(p),
        in_packet: in_packet(p),
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
        main.line("SEC(\"xdp\")");
        main.line("int gw_main(struct xdp_md *ctx)");
        main.open("{");
        main.line("const void *at = packet_start(ctx), *end = packet_end(ctx);");
        main.line("u32 frame_length = end - at;");
        main.line("struct headers h = {};");
        self.locals(&mut main);
        main.line("");
        self.parser(&mut main);
        main.line("");
        self.control(&mut main);
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

    fn locals(&self, t: &mut Text) {
        if self.p.vars.iter().any(|v| v.kind == VarKind::Meta) {
            t.line("struct meta m = {};");
        }
        for (var, name) in self.p.vars.iter().zip(&self.vars) {
            if var.kind != VarKind::Meta {
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
        let metas: Vec<_> = self.p.vars.iter().filter(|v| v.kind == VarKind::Meta).collect();
        if metas.is_empty() {
            return;
        }
        t.open("struct meta {");
        for var in metas {
            t.line(format!("{} {};", expr::c_type(var.ty), var.name));
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
