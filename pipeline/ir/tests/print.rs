//! The text form: what it looks like, that it is stable, and that it tells pipelines apart.
#![allow(clippy::unwrap_used)]
mod common;

use common::*;
use pipeline_ir::expr::{BinOp, ExprKind, Type};
use pipeline_ir::print::{expr as text, print};
use pipeline_ir::*;

#[test]
fn every_object_and_statement_has_its_line() {
    let mut p = sample();
    p.vars.push(variable("x", Type::Bits(8), VarKind::Local));
    p.parser.states[0].ops.push(ParserOp::Set { var: VarId(10), value: bits(3, 8), at: at(1) });
    let got = print(&p);
    let lines: Vec<&str> = got.lines().collect();
    for want in [
        "pipeline sample from sample.rs for native",
        "header_type Udp of 8 bytes",
        "  src_port: bit<16>",
        "header outer: Ipv4",
        "var m.flag: bool",
        "var x#10: bit<8>",
        "action to(port: bit<32>, mac: bit<48>)",
        "action gone() default_only",
        "table backend size 8 counters both slot_bits 4",
        "  key src: bit<32> ternary",
        "  key protocol: bit<8> optional",
        "  key port: bit<16> range",
        "  key dst: bit<32> lpm",
        "  action via",
        "  default deny",
        "  entry 0x63 => deny()",
        "flow_table flows entries 16 id bit<24>",
        "  idle new 500 tcp 2000 udp 1000 closing 500 ms",
        "flow flow",
        "ring ring slots 7 pools 2 id bit<24>",
        "  pool_table pool_generation pool bit<16>",
        "  no_slot no_slot",
        "counter by_protocol size 100 both",
        "limiter rate per_tick 2",
        "reason denied",
        "parser from start",
        "state ip4",
        "  m.kind = lookahead bit<8> at +0",
        "  extract eth",
        "  x#10 = 8w0x3",
        "  select ip4.ihl, ip4.protocol",
        "    0x5, 0x11 & 0xff => udp",
        "    _, 0x0..=0x5 => accept",
        "control",
        "  if !ip4.valid",
        "    drop cut",
        "  count by_protocol[(ip4.protocol as bit<32>)]",
        "  apply vip(ip4.dst, udp.dst_port)",
        "    on set_pool",
        "      m.pool = set_pool.pool_no",
        "    m.flag = allow rate",
        "      forward INGRESS_PORT",
        "    else",
        "  m.hash = crc32 key set_pool.seed over (ip4.src, ip4.dst, ip4.protocol, udp.src_port, udp.dst_port)",
        "  flow = find flows(ip4.src, udp.src_port, m.pool, udp.dst_port)",
        "    event udp.length[2:0]",
        "  stay flow by backend(m.id) or",
        "      m.id = select ring pool m.pool hash m.hash",
        "      remember flow as m.id",
        "      push outer",
        "      outer.checksum = internet_checksum(outer.src, outer.dst)",
        "      adjust ip4.checksum from (ip4.ttl ++ ip4.protocol) to ((ip4.ttl - 8w0x1) ++ ip4.protocol)",
        "      truncate 1000",
        "      forward to.port",
    ] {
        assert!(lines.contains(&want), "no line `{want}` in\n{got}");
    }
    assert!(got.ends_with('\n') && lines.iter().all(|l| l.trim_end() == *l));
}

#[test]
fn locations_leave_no_trace() {
    let mut moved = sample();
    moved.control[0].at = at(9);
    moved.tables[0].at = at(9);
    assert_eq!(print(&moved), print(&sample()));
}

#[test]
fn expressions_keep_their_shape() {
    let p = sample();
    let b8 = Type::Bits(8);
    let nested = |op| binary(op, binary(BinOp::Sub, var(KIND, 8), bits(1, 8), b8), bits(2, 8), b8);
    let check = |e, want: &str| assert_eq!(text(&p, &e), want);
    check(nested(BinOp::Sub), "((m.kind - 8w0x1) - 8w0x2)");
    check(binary(BinOp::Sub, var(KIND, 8), nested(BinOp::Add), b8), "(m.kind - ((m.kind - 8w0x1) + 8w0x2))");
    let choice = ExprKind::Mux(Box::new(valid(ETH)), Box::new(bits(1, 8)), Box::new(bits(2, 8)));
    check(expr(choice, b8), "(eth.valid ? 8w0x1 : 8w0x2)");
}
