//! PNA as DPDK's SWX pipeline has it: the main control does everything, the pre control is empty.
//!
//! The architecture tells neither how long a frame is nor what time it is, and its parser reads bytes that a short frame
//! doesn't have. So our ports put a [`preamble`](crate::p4::preamble) in front of each frame.

use p4::ast::{Arg, Block, ControlDecl, Decl, Expr as P4, Param, Stmt, Type as P4Type};
use pipeline_ir::CounterKind;
use pipeline_ir::flow::TICK_BITS;

use super::Arch;
use crate::p4::{preamble, prelude};

/// The Portable NIC Architecture.
pub(super) struct Pna;

fn counter_type(kind: CounterKind) -> P4 {
    P4::path(match kind {
        CounterKind::Packets => "PNA_CounterType_t.PACKETS",
        CounterKind::Bytes => "PNA_CounterType_t.BYTES",
        CounterKind::Both => "PNA_CounterType_t.PACKETS_AND_BYTES",
    })
}

/// What a counter is told beside its cell: the bytes, if it counts them.
fn length(kind: CounterKind) -> Option<P4> {
    (kind != CounterKind::Packets).then(preamble::length)
}

fn control_params(from: &str, to: &str) -> Vec<Param> {
    vec![
        Param::inout("headers_t", "h"),
        Param::inout("metadata_t", "meta"),
        Param::input(from, "istd"),
        Param::inout(to, "ostd"),
    ]
}

impl Arch for Pna {
    fn name(&self) -> &'static str {
        "pna"
    }
    fn file(&self) -> &'static str {
        "pna.p4"
    }
    /// The architecture's own `send_to_port` takes constants only, or what an entry holds.
    fn beside(&self) -> Vec<Decl> {
        let port = Param::input("PortId_t", "port");
        vec![Decl::external(P4Type::Void, "send_to_port", [port]).note("For ports that are computed.")]
    }
    fn declared(&self) -> &'static [&'static str] {
        &[
            "ActionProfile",
            "ActionSelector",
            "Checksum",
            "Counter",
            "Digest",
            "DirectCounter",
            "DirectMeter",
            "Hash",
            "InternetChecksum",
            "Meter",
            "PNA_NIC",
            "Random",
            "Register",
            "SelectByDirection",
            "add_entry",
            "allocate_flow_id",
            "drop_packet",
            "ipsec_accelerator",
            "ipsec_status",
            "mirror_packet",
            "optional",
            "range",
            "recirculate",
            "restart_expire_timer",
            "selector",
            "send_to_port",
            "set_entry_expire_time",
            // ours
            "before",
            "istd",
            "ostd",
            "preamble_t",
        ]
    }
    fn port_bits(&self) -> u8 {
        32
    }
    fn host_port(&self) -> &'static str {
        "The host's own stack: the last port but that which drops."
    }
    fn lists_registers(&self) -> bool {
        false
    }

    fn parser_params(&self) -> Vec<Param> {
        vec![
            Param::new("packet_in", "packet"),
            Param::out("headers_t", "h"),
            Param::inout("metadata_t", "meta"),
            Param::input("pna_main_parser_input_metadata_t", "istd"),
        ]
    }
    fn control_params(&self) -> Vec<Param> {
        control_params("pna_main_input_metadata_t", "pna_main_output_metadata_t")
    }
    fn rest(&self) -> Vec<Decl> {
        let mut before = control_params("pna_pre_input_metadata_t", "pna_pre_output_metadata_t");
        before[0] = Param::input("headers_t", "h");
        let deparse = [
            Param::new("packet_out", "packet"),
            Param::input("headers_t", "h"),
            Param::input("metadata_t", "meta"),
            Param::input("pna_main_output_metadata_t", "ostd"),
        ];
        let deparse =
            ControlDecl::new("deparse", deparse).then(Stmt::call(P4::name("packet").method("emit", ["h"])));
        let blocks = ["parse", "before", "ingress", "deparse"].map(P4::call0);
        vec![
            Decl::from(ControlDecl::new("before", before)).note("Nothing is decrypted."),
            deparse.into(),
            Decl::instance("PNA_NIC", blocks, "main"),
        ]
    }

    fn ingress_port(&self) -> P4 {
        P4::name("istd").member("input_port").cast(P4Type::named("PortIdUint_t"))
    }
    fn frame_length(&self) -> P4 {
        preamble::length()
    }
    /// The ports know the unit of a tick.
    fn now(&self, _: u64) -> P4 {
        preamble::field("tick").cast(P4Type::bit(u32::from(TICK_BITS)))
    }
    fn send(&self, port: P4) -> Stmt {
        let port = Arg::named("port", port.cast(P4Type::named("PortId_t")));
        Stmt::call(P4::call("send_to_port", [port]))
    }
    fn drop(&self) -> Block {
        vec![Stmt::call(P4::call0("drop_packet"))]
    }
    fn truncate(&self, bytes: u32) -> Stmt {
        Stmt::assign(preamble::field("most"), bytes)
    }

    fn counter(&self, size: u32, kind: CounterKind) -> (P4Type, Vec<P4>) {
        let ty = P4Type::generic("Counter", [P4Type::bit(64), P4Type::bit(32)]);
        (ty, vec![P4::from(size), counter_type(kind)])
    }
    fn count(&self, counter: P4, cell: P4, kind: CounterKind) -> Stmt {
        Stmt::call(counter.method("count", std::iter::once(cell).chain(length(kind))))
    }
    fn direct_counter(&self, kind: CounterKind) -> (P4Type, Vec<P4>) {
        (P4Type::generic("DirectCounter", [P4Type::bit(64)]), vec![counter_type(kind)])
    }
    fn direct_counter_property(&self) -> &'static str {
        "pna_direct_counter"
    }
    fn count_entry(&self, counter: P4, kind: CounterKind) -> Option<Stmt> {
        Some(Stmt::call(counter.method("count", length(kind))))
    }
    fn keys_in_metadata(&self) -> bool {
        true
    }
    fn register(&self, bits: u32) -> P4Type {
        P4Type::generic("Register", [P4Type::bit(bits), P4Type::bit(32)])
    }
    fn limiter(&self) -> &'static str {
        prelude::LIMITER_BY_VALUE
    }
    /// p4c-dpdk takes two slices of one number for the same.
    fn checksums(&self) -> [&'static str; 2] {
        [prelude::ADJUST_BY_MASK, prelude::CHECKSUM_BY_MASK]
    }
    /// p4c-dpdk stops at `!a.isValid() || b`.
    fn joins_denials(&self) -> bool {
        false
    }
}
