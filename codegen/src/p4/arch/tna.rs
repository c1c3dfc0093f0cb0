//! TNA: all is done in ingress, and egress is passed by, unless the pipeline is cut; deparsers sum what checksums change by.

use p4::ast::{
    Annotation, Block, ControlDecl, Decl, Expr as P4, Field, Param, ParserDecl, State, Stmt,
    Transition as P4Transition, Type as P4Type,
};
use pipeline_ir::CounterKind;

use super::{Arch, Egress, Hashing, Sum};
use crate::p4::prelude;

/// Tofino's own architecture, as one of its generations has it.
pub(super) struct Tna {
    /// As targets name it, and its file.
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    /// Bits of what a register's action says of its comparisons: one for each outcome of all of them.
    pub(super) predicate: u32,
}

const DEPARSER: &str = "deparser";
const TM: &str = "tm";

fn counter_type(kind: CounterKind) -> P4 {
    P4::path(match kind {
        CounterKind::Packets => "CounterType_t.PACKETS",
        CounterKind::Bytes => "CounterType_t.BYTES",
        CounterKind::Both => "CounterType_t.PACKETS_AND_BYTES",
    })
}

/// `packet.emit(h)`
fn emit() -> Stmt {
    Stmt::call(P4::name("packet").method("emit", ["h"]))
}

/// The deparser's sums: its locals and statements.
fn sums(mut deparse: ControlDecl, sums: Vec<Sum>) -> ControlDecl {
    for sum in sums {
        let extern_ = Decl::instance(P4Type::named("Checksum"), Vec::<P4>::new(), sum.name.clone());
        let summed = P4::name(sum.name).method("update", [P4::list(sum.words)]);
        let stmt = Stmt::if_(sum.changes, [Stmt::assign(sum.place, summed)]);
        deparse = deparse.local(extern_).then(stmt);
    }
    deparse
}

/// The egress side.
fn egress(done: Option<Egress>) -> Vec<Decl> {
    let headers = if done.is_some() { "headers_t" } else { "egress_headers_t" };
    let both = |h: Param, meta: Param| [h, meta];
    let parser = [Param::new("packet_in", "packet")].into_iter();
    let parser = parser.chain(both(Param::out(headers, "h"), Param::out("egress_metadata_t", "meta")));
    let parser = parser.chain([Param::out("egress_intrinsic_metadata_t", "istd")]);
    let control = [
        Param::inout(headers, "h"),
        Param::inout("egress_metadata_t", "meta"),
        Param::input("egress_intrinsic_metadata_t", "istd"),
        Param::input("egress_intrinsic_metadata_from_parser_t", "from_parser"),
        Param::inout("egress_intrinsic_metadata_for_deparser_t", DEPARSER),
        Param::inout("egress_intrinsic_metadata_for_output_port_t", "output"),
    ];
    let deparse = [
        Param::new("packet_out", "packet"),
        Param::inout(headers, "h"),
        Param::input("egress_metadata_t", "meta"),
        Param::input("egress_intrinsic_metadata_for_deparser_t", DEPARSER),
    ];
    let mut parser = ParserDecl::new("egress_parse", parser);
    let mut control = ControlDecl::new("egress", control);
    let mut deparse = ControlDecl::new("egress_deparse", deparse);
    let begins = Stmt::call(P4::name("packet").method("extract", ["istd"]));
    let Some(mut done) = done else {
        return vec![
            Decl::structure("egress_headers_t", Vec::<Field>::new()).note("Packets pass egress by."),
            Decl::structure("egress_metadata_t", Vec::<Field>::new()),
            parser.state(State::new("start", [begins], P4Transition::accept())).into(),
            control.into(),
            deparse.then(emit()).into(),
        ];
    };
    if let Some(start) = done.states.first_mut() {
        start.body.splice(0..0, std::iter::once(begins).chain(done.begins));
    }
    parser.states = done.states;
    control.locals = done.locals;
    control.apply = done.apply;
    deparse = sums(deparse, done.sums);
    for h in done.headers {
        deparse = deparse.then(Stmt::call(P4::name("packet").method("emit", [h])));
    }
    vec![done.metadata, parser.into(), control.into(), deparse.into()]
}

impl Arch for Tna {
    fn name(&self) -> &'static str {
        self.name
    }
    fn file(&self) -> &'static str {
        self.file
    }
    fn declared(&self) -> &'static [&'static str] {
        &[
            "ActionProfile",
            "ActionSelector",
            "Alpm",
            "Checksum",
            "Counter",
            "Digest",
            "DirectCounter",
            "DirectLpf",
            "DirectMeter",
            "DirectRegister",
            "DirectRegisterAction",
            "DirectWred",
            "Hash",
            "IngressParsers",
            "Lpf",
            "Meter",
            "Mirror",
            "ParserCounter",
            "Pipeline",
            "Random",
            "Register",
            "RegisterAction",
            "RegisterParam",
            "Resubmit",
            "Switch",
            "Wred",
            "atcam_partition_index",
            "dleft_hash",
            "invalidate",
            "max",
            "min",
            "optional",
            "range",
            "selector",
            "sizeInBits",
            "sizeInBytes",
            // ours
            "crc32",
            "crc32_2",
            "deparser",
            "drops",
            "bridge",
            "bridge_t",
            "egress",
            "egress_drops",
            "egress_deparse",
            "egress_headers_t",
            "egress_metadata_t",
            "egress_parse",
            "flow_clock_t",
            "flow_entry_t",
            "from_parser",
            "istd",
            "limiter_t",
            "pipe",
            "tm",
        ]
    }
    fn port_bits(&self) -> u8 {
        9
    }
    fn host_port(&self) -> &'static str {
        "The host's own stack: the port of the chip's processor."
    }
    fn knows_ids(&self) -> bool {
        false
    }
    fn whole(&self, name: &str, bits: u32) -> Option<Annotation> {
        let args = [P4::string("ingress"), P4::string(format!("meta.{name}")), P4::from(bits)];
        matches!(bits, 16 | 32).then(|| Annotation::with("pa_container_size", args))
    }
    fn lists_registers(&self) -> bool {
        false
    }
    /// The compiler has two flags of its own for each checksum, set by a table: beside each other, or beside what is said
    /// of the packet as a whole, these tables would wait for one another. A port takes as many bytes of an entry's data as the
    /// container that it is copied to.
    fn alone(&self, names: &[&str], summed: &[String]) -> Vec<Annotation> {
        let flags = |field: &String| {
            ["$deparse_original_csum", "$deparse_updated_csum_0"].map(|flag| format!("{field}.{flag}"))
        };
        let names = names.iter().map(|name| format!("meta.{name}"));
        let names = names.chain(summed.iter().flat_map(flags));
        let said = ["ig_intr_md_for_tm.bypass_egress", "ig_intr_md_for_dprsr.drop_ctl"].map(str::to_owned);
        let solitary = |name| Annotation::with("pa_solitary", [P4::string("ingress"), P4::string(name)]);
        let port =
            [P4::string("ingress"), P4::string("ig_intr_md_for_tm.ucast_egress_port"), P4::from(16u32)];
        let port = Annotation::with("pa_container_size", port);
        said.into_iter().chain(names).map(solitary).chain([port]).collect()
    }

    fn parser_params(&self) -> Vec<Param> {
        vec![
            Param::new("packet_in", "packet"),
            Param::out("headers_t", "h"),
            Param::out("metadata_t", "meta"),
            Param::out("ingress_intrinsic_metadata_t", "istd"),
        ]
    }
    fn parser_begins(&self) -> Block {
        let packet = || P4::name("packet");
        vec![
            Stmt::call(packet().method("extract", ["istd"])),
            Stmt::call(packet().method("advance", ["PORT_METADATA_SIZE"])),
        ]
    }
    fn control_params(&self) -> Vec<Param> {
        vec![
            Param::inout("headers_t", "h"),
            Param::inout("metadata_t", "meta"),
            Param::input("ingress_intrinsic_metadata_t", "istd"),
            Param::input("ingress_intrinsic_metadata_from_parser_t", "from_parser"),
            Param::inout("ingress_intrinsic_metadata_for_deparser_t", DEPARSER),
            Param::inout("ingress_intrinsic_metadata_for_tm_t", TM),
        ]
    }
    fn rest(&self) -> Vec<Decl> {
        self.rest_with(Vec::new(), false, None)
    }
    fn rest_with(&self, changes: Vec<Sum>, again: bool, done: Option<Egress>) -> Vec<Decl> {
        let params = [
            Param::new("packet_out", "packet"),
            Param::inout("headers_t", "h"),
            Param::input("metadata_t", "meta"),
            Param::input("ingress_intrinsic_metadata_for_deparser_t", DEPARSER),
        ];
        let mut deparse = ControlDecl::new("deparse", params);
        if again {
            deparse = deparse.local(Decl::instance(P4Type::named("Resubmit"), Vec::<P4>::new(), "resubmit"));
            let asked = P4::name(DEPARSER).member("resubmit_type").equals(1u32);
            let emit = Stmt::call(P4::name("resubmit").method0("emit"));
            deparse = deparse.then(Stmt::if_(asked, [emit]));
        }
        let deparse = sums(deparse, changes);
        let blocks = ["parse", "ingress", "deparse", "egress_parse", "egress", "egress_deparse"];
        let mut out = vec![deparse.then(emit()).into()];
        out.extend(egress(done));
        out.push(Decl::instance("Pipeline", blocks.map(P4::call0), "pipe"));
        out.push(Decl::instance("Switch", ["pipe"].map(P4::name), "main"));
        out
    }

    fn is_again(&self) -> P4 {
        P4::name("istd").member("resubmit_flag")
    }
    fn send_again(&self) -> Stmt {
        Stmt::assign(P4::name(DEPARSER).member("resubmit_type"), 1u32)
    }
    /// The time stamp counts nanoseconds in 48 bits.
    fn clock(&self, tick_ns: u64) -> P4 {
        P4::name("from_parser").member("global_tstamp").slice(47u32, tick_ns.max(1).ilog2())
    }
    fn predicate_bits(&self) -> u32 {
        self.predicate
    }

    fn ingress_port(&self) -> P4 {
        P4::name("istd").member("ingress_port")
    }
    /// The chip counts bytes when the packet has gone by: no pipeline that asks fits.
    fn frame_length(&self) -> P4 {
        P4::sized(32, 0)
    }
    /// The time stamp of ingress counts nanoseconds.
    fn now(&self, tick_ns: u64) -> P4 {
        let low = tick_ns.max(1).ilog2();
        let high = low + u32::from(pipeline_ir::flow::TICK_BITS) - 1;
        P4::name("istd").member("ingress_mac_tstamp").slice(high, low)
    }
    fn send(&self, port: P4) -> Stmt {
        Stmt::assign(P4::name(TM).member("ucast_egress_port"), port)
    }
    fn leaves(&self) -> Block {
        vec![Stmt::assign(P4::name(TM).member("bypass_egress"), 1u32)]
    }
    fn drop(&self) -> Block {
        vec![Stmt::assign(P4::name(DEPARSER).member("drop_ctl"), 1u32)]
    }
    /// Only copies can be cut: no pipeline that cuts fits.
    fn truncate(&self, _: u32) -> Stmt {
        Stmt::block(Block::new())
    }

    fn counter(&self, size: u32, kind: CounterKind) -> (P4Type, Vec<P4>) {
        let cell = P4Type::bit(self.cell_bits(size));
        (P4Type::generic("Counter", [P4Type::bit(64), cell]), vec![P4::from(size), counter_type(kind)])
    }
    fn cell_bits(&self, size: u32) -> u32 {
        size.saturating_sub(1).checked_ilog2().map_or(1, |top| top + 1)
    }
    fn count(&self, counter: P4, cell: P4, _: CounterKind) -> Stmt {
        Stmt::call(counter.method("count", [cell]))
    }
    fn direct_counter(&self, kind: CounterKind) -> (P4Type, Vec<P4>) {
        (P4Type::generic("DirectCounter", [P4Type::bit(64)]), vec![counter_type(kind)])
    }
    fn direct_counter_property(&self) -> &'static str {
        "counters"
    }
    fn count_entry(&self, counter: P4, _: CounterKind) -> Option<Stmt> {
        Some(Stmt::call(counter.method0("count")))
    }
    fn keys_in_metadata(&self) -> bool {
        false
    }
    fn register(&self, bits: u32) -> P4Type {
        P4Type::generic("Register", [P4Type::bit(bits), P4Type::bit(32)])
    }
    fn limiter(&self) -> &'static str {
        prelude::LIMITER_BY_VALUE
    }
    fn checksums(&self) -> [&'static str; 2] {
        [prelude::ADJUST, prelude::CHECKSUM]
    }
    fn joins_denials(&self) -> bool {
        true
    }
    /// Lists may be changed while the chip runs, each object's by itself.
    fn hashes_one_list(&self) -> bool {
        true
    }
    fn hash(&self, into: P4, how: Hashing, data: P4) -> Option<Stmt> {
        let get = P4::name(hasher(how)?).method("get", [data]);
        Some(Stmt::assign(into, get))
    }
    fn hasher(&self, how: Hashing) -> Option<Decl> {
        let algorithm = P4::path("HashAlgorithm_t.CRC32");
        Some(Decl::instance(P4Type::generic("Hash", [P4Type::bit(32)]), [algorithm], hasher(how)?))
    }
}

/// The name of what hashes.
fn hasher(how: Hashing) -> Option<String> {
    match how {
        Hashing::Crc32(0) => Some("crc32".to_owned()),
        Hashing::Crc32(n) => Some(format!("crc32_{}", n + 1)),
        _ => None,
    }
}
