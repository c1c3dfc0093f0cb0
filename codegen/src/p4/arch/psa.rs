//! PSA: the ingress pipeline does everything, the egress pipeline is empty.
//!
//! The architecture tells neither how long a frame is nor cuts one: only ports that write a
//! [`preamble`](crate::p4::preamble) could.

use p4::ast::{
    Block, ControlDecl, Decl, Expr as P4, Field, Param, ParserDecl, State, Stmt, Transition, Type as P4Type,
};
use pipeline_ir::CounterKind;
use pipeline_ir::flow::TICK_BITS;

use super::{Arch, Hashing};
use crate::p4::{preamble, prelude};

/// The Portable Switch Architecture.
pub(super) struct Psa;

/// What travels between its blocks.
const NOTHING: &str = "nothing_t";

fn counter_type(kind: CounterKind) -> P4 {
    P4::path(match kind {
        CounterKind::Packets => "PSA_CounterType_t.PACKETS",
        CounterKind::Bytes => "PSA_CounterType_t.BYTES",
        CounterKind::Both => "PSA_CounterType_t.PACKETS_AND_BYTES",
    })
}

fn parser_params(headers: &str, meta: &str, istd: &str, more: &[&str]) -> Vec<Param> {
    let own = [
        Param::new("packet_in", "packet"),
        Param::out(headers, "h"),
        Param::inout(meta, "meta"),
        Param::input(istd, "istd"),
    ];
    own.into_iter().chain(more.iter().map(|name| Param::input(NOTHING, *name))).collect()
}

fn control_params(headers: &str, meta: &str, istd: &str, ostd: &str) -> Vec<Param> {
    vec![
        Param::inout(headers, "h"),
        Param::inout(meta, "meta"),
        Param::input(istd, "istd"),
        Param::inout(ostd, "ostd"),
    ]
}

fn deparser(name: &str, more: &[&str], headers: &str, meta: &str, std: &[(&str, &str)]) -> ControlDecl {
    let mut params = vec![Param::new("packet_out", "packet")];
    params.extend(more.iter().map(|name| Param::out(NOTHING, *name)));
    params.extend([Param::inout(headers, "h"), Param::input(meta, "meta")]);
    params.extend(std.iter().map(|(ty, name)| Param::input(*ty, *name)));
    ControlDecl::new(name, params)
}

impl Arch for Psa {
    fn name(&self) -> &'static str {
        "psa"
    }
    fn file(&self) -> &'static str {
        "psa.p4"
    }
    fn beside(&self) -> Vec<Decl> {
        vec![Decl::structure(NOTHING, Vec::<Field>::new()).note("What packets carry from block to block.")]
    }
    fn declared(&self) -> &'static [&'static str] {
        &[
            "ActionProfile",
            "ActionSelector",
            "BufferingQueueingEngine",
            "Checksum",
            "Counter",
            "Digest",
            "DirectCounter",
            "DirectMeter",
            "EgressPipeline",
            "Hash",
            "IngressPipeline",
            "InternetChecksum",
            "Meter",
            "PSA_Switch",
            "PacketReplicationEngine",
            "Random",
            "Register",
            "assert",
            "assume",
            "egress_drop",
            "ingress_drop",
            "multicast",
            "optional",
            "psa_clone_e2e",
            "psa_clone_i2e",
            "psa_normal",
            "psa_recirculate",
            "psa_resubmit",
            "range",
            "selector",
            "send_to_port",
            // ours
            "crc32",
            "egress",
            "egress_deparse",
            "egress_parse",
            "istd",
            "nothing_t",
            "ostd",
            "remainder",
        ]
    }
    fn port_bits(&self) -> u8 {
        32
    }
    fn host_port(&self) -> &'static str {
        "The host's own stack: PSA_PORT_CPU."
    }
    fn lists_registers(&self) -> bool {
        true
    }

    fn parser_params(&self) -> Vec<Param> {
        let istd = "psa_ingress_parser_input_metadata_t";
        parser_params("headers_t", "metadata_t", istd, &["resubmitted", "recirculated"])
    }
    fn control_params(&self) -> Vec<Param> {
        let [istd, ostd] = ["psa_ingress_input_metadata_t", "psa_ingress_output_metadata_t"];
        control_params("headers_t", "metadata_t", istd, ostd)
    }
    fn rest(&self) -> Vec<Decl> {
        let more = ["cloned", "resubmitted", "normal"];
        let std = [("psa_ingress_output_metadata_t", "ostd")];
        let deparse = deparser("deparse", &more, "headers_t", "metadata_t", &std);
        let deparse = deparse.then(Stmt::call(P4::name("packet").method("emit", ["h"])));
        let istd = "psa_egress_parser_input_metadata_t";
        let more = ["normal", "cloned_in", "cloned_out"];
        let mut parse = ParserDecl::new("egress_parse", parser_params(NOTHING, NOTHING, istd, &more));
        parse.states = vec![State::new("start", [], Transition::accept())];
        let [istd, ostd] = ["psa_egress_input_metadata_t", "psa_egress_output_metadata_t"];
        let egress = ControlDecl::new("egress", control_params(NOTHING, NOTHING, istd, ostd));
        let std = [(ostd, "ostd"), ("psa_egress_deparser_input_metadata_t", "edstd")];
        let out = deparser("egress_deparse", &["cloned", "recirculated"], NOTHING, NOTHING, &std);
        let ingress = P4::call("IngressPipeline", ["parse", "ingress", "deparse"].map(P4::call0));
        let through = P4::call("EgressPipeline", ["egress_parse", "egress", "egress_deparse"].map(P4::call0));
        let [copies, queues] = ["PacketReplicationEngine", "BufferingQueueingEngine"].map(P4::call0);
        vec![
            deparse.into(),
            Decl::from(parse).note("Ingress has made the packet what it is: it leaves as it is."),
            egress.into(),
            out.into(),
            Decl::instance("PSA_Switch", [ingress, copies, through, queues], "main"),
        ]
    }

    fn ingress_port(&self) -> P4 {
        P4::name("istd").member("ingress_port").cast(P4Type::named("PortIdUint_t"))
    }
    fn frame_length(&self) -> P4 {
        preamble::length()
    }
    /// psa_switch counts microseconds.
    fn now(&self, tick_ns: u64) -> P4 {
        let low = (tick_ns / 1000).max(1).ilog2();
        let stamp = P4::name("istd").member("ingress_timestamp").cast(P4Type::named("TimestampUint_t"));
        stamp.slice(low + u32::from(TICK_BITS) - 1, low)
    }
    fn send(&self, port: P4) -> Stmt {
        let port = port.cast(P4Type::named("PortId_t"));
        Stmt::call(P4::call("send_to_port", [P4::name("ostd"), port]))
    }
    fn drop(&self) -> Block {
        vec![Stmt::call(P4::call("ingress_drop", [P4::name("ostd")]))]
    }
    fn truncate(&self, bytes: u32) -> Stmt {
        Stmt::assign(preamble::field("most"), bytes)
    }

    fn counter(&self, size: u32, kind: CounterKind) -> (P4Type, Vec<P4>) {
        let ty = P4Type::generic("Counter", [P4Type::bit(64), P4Type::bit(32)]);
        (ty, vec![P4::from(size), counter_type(kind)])
    }
    fn count(&self, counter: P4, cell: P4, _: CounterKind) -> Stmt {
        Stmt::call(counter.method("count", [cell]))
    }
    fn direct_counter(&self, kind: CounterKind) -> (P4Type, Vec<P4>) {
        (P4Type::generic("DirectCounter", [P4Type::bit(64)]), vec![counter_type(kind)])
    }
    fn direct_counter_property(&self) -> &'static str {
        "psa_direct_counter"
    }
    fn count_entry(&self, counter: P4, _: CounterKind) -> Option<Stmt> {
        Some(Stmt::call(counter.method0("count")))
    }
    fn keys_in_metadata(&self) -> bool {
        false
    }
    /// As for v1model; and of a part of a field too, where an entry's key then must be as wide as the whole field.
    fn stands_in_key(&self, value: &P4) -> bool {
        !matches!(value, P4::Binary(..) | P4::Slice(..))
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
    /// The Internet checksum is for parsers and deparsers only.
    fn hash(&self, into: P4, how: Hashing, data: P4) -> Option<Stmt> {
        let hash = match how {
            Hashing::Crc32(_) => P4::name("crc32").method("get_hash", [data]),
            Hashing::Remainder { by, bits } => {
                let by = P4::sized(32, u128::from(by));
                let rest = P4::name("remainder").method("get_hash", [P4::sized(32, 0), data, by]);
                if bits == 32 { rest } else { rest.cast(P4Type::bit(bits)) }
            }
            Hashing::Internet => return None,
        };
        Some(Stmt::assign(into, hash))
    }
    fn hasher(&self, how: Hashing) -> Option<Decl> {
        let (name, algorithm) = match how {
            Hashing::Crc32(_) => ("crc32", "PSA_HashAlgorithm_t.CRC32"),
            Hashing::Remainder { .. } => ("remainder", "PSA_HashAlgorithm_t.IDENTITY"),
            Hashing::Internet => return None,
        };
        let ty = P4Type::generic("Hash", [P4Type::bit(32)]);
        Some(Decl::instance(ty, [P4::path(algorithm)], name))
    }
}
