//! v1model: one ingress control does everything, the other blocks are empty.

use p4::ast::{Block, ControlDecl, Decl, Expr as P4, Param, Stmt, Type as P4Type};
use pipeline_ir::CounterKind;
use pipeline_ir::flow::TICK_BITS;

use super::{Arch, Hashing};
use crate::p4::expr::short_hex;
use crate::p4::prelude;

/// BMv2's first architecture.
pub(super) struct V1model;

/// `standard_metadata.name`
fn standard(name: &str) -> P4 {
    P4::name("standard_metadata").member(name)
}

fn checksum_params() -> Vec<Param> {
    vec![Param::inout("headers_t", "h"), Param::inout("metadata_t", "meta")]
}

fn counter_type(kind: CounterKind) -> P4 {
    P4::path(match kind {
        CounterKind::Packets => "CounterType.packets",
        CounterKind::Bytes => "CounterType.bytes",
        CounterKind::Both => "CounterType.packets_and_bytes",
    })
}

impl Arch for V1model {
    fn name(&self) -> &'static str {
        "v1model"
    }
    fn file(&self) -> &'static str {
        "v1model.p4"
    }
    fn declared(&self) -> &'static [&'static str] {
        &[
            "action_profile",
            "action_selector",
            "assert",
            "assume",
            "clone",
            "clone_preserving_field_list",
            "counter",
            "digest",
            "direct_counter",
            "direct_meter",
            "hash",
            "log_msg",
            "mark_to_drop",
            "meter",
            "optional",
            "random",
            "range",
            "recirculate_preserving_field_list",
            "register",
            "resubmit_preserving_field_list",
            "selector",
            "standard_metadata_t",
            "truncate",
            "update_checksum",
            "update_checksum_with_payload",
            "verify_checksum",
            "verify_checksum_with_payload",
            // ours
            "check",
            "compute",
            "egress",
            "standard_metadata",
        ]
    }
    fn port_bits(&self) -> u8 {
        9
    }
    fn host_port(&self) -> &'static str {
        "The host's own stack: simple_switch's --cpu-port."
    }
    fn lists_registers(&self) -> bool {
        true
    }

    fn parser_params(&self) -> Vec<Param> {
        vec![
            Param::new("packet_in", "packet"),
            Param::out("headers_t", "h"),
            Param::inout("metadata_t", "meta"),
            Param::inout("standard_metadata_t", "standard_metadata"),
        ]
    }
    fn control_params(&self) -> Vec<Param> {
        let mut params = checksum_params();
        params.push(Param::inout("standard_metadata_t", "standard_metadata"));
        params
    }
    fn rest(&self) -> Vec<Decl> {
        let deparse =
            ControlDecl::new("deparse", [Param::new("packet_out", "packet"), Param::input("headers_t", "h")])
                .then(Stmt::call(P4::name("packet").method("emit", ["h"])));
        let blocks = ["parse", "check", "ingress", "egress", "compute", "deparse"].map(P4::call0);
        vec![
            Decl::from(ControlDecl::new("check", checksum_params()))
                .note("Checksums that come in are not looked at."),
            ControlDecl::new("egress", self.control_params()).into(),
            Decl::from(ControlDecl::new("compute", checksum_params()))
                .note("Ingress has computed what changes."),
            deparse.into(),
            Decl::instance("V1Switch", blocks, "main"),
        ]
    }

    fn ingress_port(&self) -> P4 {
        standard("ingress_port")
    }
    fn frame_length(&self) -> P4 {
        standard("packet_length")
    }
    /// The time stamp of ingress counts microseconds.
    fn now(&self, tick_ns: u64) -> P4 {
        let low = (tick_ns / 1000).max(1).ilog2();
        standard("ingress_global_timestamp").slice(low + u32::from(TICK_BITS) - 1, low)
    }
    fn send(&self, port: P4) -> Stmt {
        Stmt::assign(standard("egress_spec"), port)
    }
    fn drop(&self) -> Block {
        vec![Stmt::call(P4::call("mark_to_drop", [P4::name("standard_metadata")]))]
    }
    fn truncate(&self, bytes: u32) -> Stmt {
        Stmt::call(P4::call("truncate", [P4::sized(32, u128::from(bytes))]))
    }

    fn counter(&self, size: u32, kind: CounterKind) -> (P4Type, Vec<P4>) {
        (P4Type::named("counter"), vec![P4::from(size), counter_type(kind)])
    }
    fn count(&self, counter: P4, cell: P4, _: CounterKind) -> Stmt {
        Stmt::call(counter.method("count", [cell]))
    }
    fn direct_counter(&self, kind: CounterKind) -> (P4Type, Vec<P4>) {
        (P4Type::named("direct_counter"), vec![counter_type(kind)])
    }
    fn direct_counter_property(&self) -> &'static str {
        "counters"
    }
    fn count_entry(&self, _: P4, _: CounterKind) -> Option<Stmt> {
        None
    }
    fn keys_in_metadata(&self) -> bool {
        false
    }
    /// p4c makes a mask of the table's of `field & number`, `%` among it: an entry's key is then what the mask leaves of it.
    fn stands_in_key(&self, value: &P4) -> bool {
        !matches!(value, P4::Binary(..))
    }
    fn register(&self, bits: u32) -> P4Type {
        P4Type::generic("register", [P4Type::bit(bits)])
    }
    fn limiter(&self) -> &'static str {
        prelude::LIMITER
    }
    fn checksums(&self) -> [&'static str; 2] {
        [prelude::ADJUST, prelude::CHECKSUM]
    }
    fn joins_denials(&self) -> bool {
        true
    }
    fn hash(&self, into: P4, how: Hashing, data: P4) -> Option<Stmt> {
        let (algorithm, base, most) = match how {
            Hashing::Crc32(_) => ("HashAlgorithm.crc32", 32, short_hex(64, 1 << 32)),
            Hashing::Internet => ("HashAlgorithm.csum16", 16, short_hex(32, 1 << 16)),
            Hashing::Remainder { by, .. } => ("HashAlgorithm.identity", 32, P4::sized(32, u128::from(by))),
        };
        Some(Stmt::call(P4::call("hash", [into, P4::path(algorithm), P4::sized(base, 0), data, most])))
    }
}
