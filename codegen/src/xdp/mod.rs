//! XDP in C.
//!
//! ```c
//! { // l4lb.rs:306 table vip4
//!     u32 cell = 0;
//!     struct vip4_data *e = vip4_find(1ull << 56 | (u64)ipv4_dst(ip4) << 24 | ..., &cell);
//!     if (e)
//!         count_packet(&vip4_hits, cell, frame_length);
//!     switch (e ? e->action : 0) {
//! ...
//! ```
//!
//! Each frequent way through the parser has a control of its own, evaluated in part ([`crate::ways`]): its headers lie at
//! constant offsets. All other packets share one copy of the whole, where pointers say which headers there are. Fields
//! are read and written where they lie; what is pushed is a struct until a verdict sends the packet.

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
mod ways;

use crate::artifacts::Artifacts;
use crate::fit::Fitted;
use crate::text::Text;
use crate::ways::Way;
use deparse::Shape;
use headers::Scope;
use pipeline_ir::stmt::{Stmt, StmtKind, walk};
use pipeline_ir::{FlowTableId, HeaderId, Loc, Pipeline};
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
    /// C names of counters.
    counters: Vec<String>,
    /// And of limiters.
    limiters: Vec<String>,
    /// Headers that are added somewhere.
    pushed: Vec<bool>,
    /// Headers that are taken away somewhere.
    popped: Vec<bool>,
    /// Where headers are, for the code being written.
    scope: Cell<Scope>,
    /// Of the hash statements in the block being written: which one of the source it is.
    hashes: RefCell<Vec<(*const Stmt, usize)>>,
    /// The flow tables that may have filled each cursor.
    filled: RefCell<Vec<Vec<FlowTableId>>>,
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
        counters: names.counters,
        limiters: names.limiters,
        pushed: headers_that(p, |kind| if let StmtKind::Push(h) = kind { Some(*h) } else { None }),
        popped: headers_that(p, |kind| if let StmtKind::Pop(h) = kind { Some(*h) } else { None }),
        scope: Cell::new(Scope::Shared),
        hashes: RefCell::default(),
        filled: RefCell::default(),
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
        let frequent = ways::frequent(self.p);
        for way in &frequent {
            self.way(&mut main, way, &self.way_name(&frequent, &way.steps, way.steps.len()));
        }
        self.way_parser(&mut main, &frequent);
        self.ingress(&mut main);
        main.line("SEC(\"xdp\")");
        main.line("int gw_main(struct xdp_md *ctx)");
        main.open("{");
        self.first_try(&mut main, &frequent);
        self.all_ways(&mut main);
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

    fn first_try(&self, t: &mut Text, frequent: &[Way]) {
        let Some(way) = frequent.first() else { return };
        if self.has_meta() {
            t.line("struct meta way_meta = {};");
        }
        t.line(format!(
            "int verdict = parse_{}(ctx, packet_start(ctx), packet_end(ctx){});",
            self.way_name(frequent, &way.steps[..1], 0),
            if self.has_meta() { ", &way_meta" } else { "" }
        ));
        t.line("if (LIKELY(verdict != AGAIN))");
        t.line("    return verdict;");
        t.line("");
    }

    /// The control for all other packets.
    fn ingress(&self, t: &mut Text) {
        self.know_all(&self.p.control);
        let mut body = Text::default();
        body.open("{");
        self.control(&mut body, &self.p.control, Shape::parsed(self.p));
        body.close("}");
        let body = body.finish();
        t.line("// The control for all other packets: which headers there are, their pointers say.");
        t.line(format!(
            "INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h{})",
            self.meta_param()
        ));
        t.open("{");
        self.locals(t, &body);
        t.line("");
        t.raw(body.split_once('\n').map_or("", |(_, rest)| rest));
        t.close_written();
        t.line("");
    }

    fn meta_param(&self) -> &'static str {
        if self.has_meta() { ", struct meta *m" } else { "" }
    }

    fn meta_arg(&self) -> &'static str {
        if self.has_meta() { ", m" } else { "" }
    }

    fn has_meta(&self) -> bool {
        self.vars.iter().any(|name| name.starts_with("m->"))
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

/// For each header: does a statement do this to it?
fn headers_that(p: &Pipeline, done: impl Fn(&StmtKind) -> Option<HeaderId>) -> Vec<bool> {
    let mut list = vec![false; p.headers.len()];
    walk(&p.control, &mut |stmt| {
        if let Some(h) = done(&stmt.kind) {
            list[h.index()] = true;
        }
    });
    list
}
