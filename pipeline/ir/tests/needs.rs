//! What the sample needs of a target: every word once for each object, in the order of words.
mod common;

use common::*;
use pipeline_ir::expr::{BinOp, Type};
use pipeline_ir::needs::needs;
use pipeline_ir::verify::verify;
use pipeline_ir::*;

fn words(p: Pipeline) -> Vec<String> {
    let verified = verify(p).unwrap_or_else(|d| panic!("{d}"));
    needs(&verified).iter().map(|n| format!("{}: {}", n.word, n.of)).collect()
}

#[test]
fn the_samples_needs() {
    let want = [
        "arith.modulo: ring ring",
        "checksum.incremental: control",
        "checksum.internet: control",
        "counter.direct: table acl",
        "counter.direct: table backend",
        "counter.direct: table fixed",
        "counter.direct: table route",
        "counter.direct: table vip",
        "counter.indirect: counter by_protocol",
        "counter.masked: table acl",
        "counter.masked: table route",
        "flow.affinity: flow table flows",
        "flow.evict: flow table flows",
        "hash.crc32: control",
        "header.push: header outer",
        "packet.truncate: control",
        "parser.lookahead: parser",
        "ring.select: ring ring",
        "state.limiter: limiter rate",
        "table.exact: table backend",
        "table.exact: table fixed",
        "table.exact: table vip",
        "table.lpm: table route",
        "table.optional: table acl",
        "table.range: table acl",
        "table.ternary: table acl",
        "verdict.drop: control",
        "verdict.forward: control",
        "verdict.pass: control",
    ];
    assert_eq!(words(sample()), want);
}

#[test]
fn an_operation_adds_its_need() {
    let check = |change: fn(&mut Pipeline), more: &[&str], less: &[&str]| {
        let mut p = sample();
        change(&mut p);
        let (before, after) = (words(sample()), words(p));
        let added: Vec<&str> = after.iter().filter(|w| !before.contains(w)).map(String::as_str).collect();
        let gone: Vec<&str> = before.iter().filter(|w| !after.contains(w)).map(String::as_str).collect();
        assert_eq!((&added[..], &gone[..]), (more, less));
    };
    check(|p| p.rings[0].slots = 8, &[], &["arith.modulo: ring ring"]);
    let early = ["flow.after_change: the change of header outer", "header.pop: header outer"];
    check(|p| p.control.insert(0, stmt(stmt::StmtKind::Pop(OUTER))), &early, &[]);
    let times = |p: &mut Pipeline| {
        let product = binary(BinOp::Mul, var(POOL, 16), bits(3, 16), Type::Bits(16));
        p.control.insert(0, set_var(POOL, product));
    };
    check(times, &["arith.mul: control"], &[]);
}
