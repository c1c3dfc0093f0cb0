//! Values of expressions, for every width, through the whole oracle: bits in, bits out.
#![allow(clippy::unwrap_used)]
mod common;

use common::*;
use pipeline_ir::eval::Oracle;
use pipeline_ir::expr::{BinOp, Builtin, Expr, ExprKind, Type, UnOp};
use pipeline_ir::stmt::{Place, StmtKind};
use pipeline_ir::verify::verify;
use pipeline_ir::*;
use proptest::prelude::*;

/// A header of two fields of `width` bits, and one for a result of `result` bits, filled up to whole bytes.
fn pipeline(width: u8, result: u8, e: Expr) -> Pipeline {
    let mut p = Pipeline {
        header_types: vec![fill("In", &[width, width]), fill("Out", &[result])],
        ..Pipeline::default()
    };
    for (name, ty) in [("input", 0), ("output", 1)] {
        p.headers.push(Header { name: name.into(), ty: HeaderTypeId(ty), at: Loc::default() });
    }
    let at = Loc::default();
    let state = State { name: "start".into(), ops: vec![extract(HeaderId(0))], next: Transition::Accept, at };
    p.parser.states.push(state);
    let value = if e.ty == Type::Bool { cast(e, 1) } else { e };
    p.control = vec![
        stmt(StmtKind::Push(HeaderId(1))),
        set(Place::Field(HeaderId(1), FieldId(0)), value),
        stmt(StmtKind::Pop(HeaderId(0))),
        forward(port()),
    ];
    p
}

fn fill(name: &str, widths: &[u8]) -> HeaderType {
    let bits: u32 = widths.iter().map(|w| u32::from(*w)).sum();
    let mut fields: Vec<(String, u8)> =
        widths.iter().enumerate().map(|(i, w)| (format!("f{i}"), *w)).collect();
    if !bits.is_multiple_of(8) {
        fields.push(("rest".into(), 8 - (bits % 8) as u8));
    }
    let fields: Vec<(&str, u8)> = fields.iter().map(|(n, w)| (n.as_str(), *w)).collect();
    header_type(name, &fields)
}

/// Bits put together by hand, the first value highest; an incomplete byte ends in zeros.
fn wire(values: &[(u128, u8)]) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    for (value, width) in values {
        bits.extend((0..*width).rev().map(|i| value >> i & 1 == 1));
    }
    bits.chunks(8).map(|c| c.iter().enumerate().map(|(i, b)| u8::from(*b) << (7 - i)).sum()).collect()
}

fn x(width: u8) -> Expr {
    expr(ExprKind::Field(HeaderId(0), FieldId(0)), Type::Bits(width))
}
fn y(width: u8) -> Expr {
    expr(ExprKind::Field(HeaderId(0), FieldId(1)), Type::Bits(width))
}

/// `e` over two fields of `width` bits that hold `a` and `b`.
fn check(width: u8, a: u128, b: u128, e: Expr, want: u128) {
    let result = e.ty.width();
    let shown = format!("{e:?} of {width} bits over {a:#x}, {b:#x}");
    let verified = verify(pipeline(width, result, e)).unwrap_or_else(|d| panic!("{shown}: {d}"));
    let mut frame = wire(&[(a, width), (b, width)]);
    frame.extend([0xaa, 0x55]);
    let out = Oracle::new(&verified, 1).process(0, 0, &frame);
    let mut bytes = wire(&[(want, result)]);
    bytes.extend([0xaa, 0x55]);
    assert_eq!(out.bytes, bytes, "{shown}");
}

#[test]
fn builtins_and_validity() {
    check(16, 0, 0, expr(ExprKind::Builtin(Builtin::FrameLength), Type::Bits(32)), 6);
    check(16, 0, 0, port(), 0);
    check(16, 0, 0, valid(HeaderId(0)), 1);
    check(16, 0, 0, not(valid(HeaderId(0))), 0);
}

#[test]
fn shifts_by_the_width_or_more_give_zero() {
    for (op, by, want) in [
        (BinOp::Shl, 4, 0xbcd0),
        (BinOp::Shr, 4, 0x0abc),
        (BinOp::Shl, 16, 0),
        (BinOp::Shr, 16, 0),
        (BinOp::Shl, 200, 0),
        (BinOp::Shr, 200, 0),
        (BinOp::Shl, u128::from(u32::MAX) + 1, 0),
    ] {
        check(16, 0xabcd, 0, binary(op, x(16), bits(by, 64), Type::Bits(16)), want);
    }
}

/// What each operation gives, by the definition of wrapping numbers of `width` bits.
fn model(op: BinOp, a: u128, b: u128, mask: u128) -> u128 {
    match op {
        BinOp::Add => a.wrapping_add(b) & mask,
        BinOp::Sub => a.wrapping_sub(b) & mask,
        BinOp::Mul => a.wrapping_mul(b) & mask,
        BinOp::BitAnd => a & b,
        BinOp::BitOr => a | b,
        BinOp::BitXor => a ^ b,
        BinOp::Eq => u128::from(a == b),
        BinOp::Ne => u128::from(a != b),
        BinOp::Lt => u128::from(a < b),
        BinOp::Le => u128::from(a <= b),
        BinOp::Gt => u128::from(a > b),
        BinOp::Ge => u128::from(a >= b),
        other => panic!("{other:?}"),
    }
}

/// Every operation for one width.
fn check_width(width: u8, a: u128, b: u128) {
    let ty = Type::Bits(width);
    let mask = u128::MAX >> (128 - u32::from(width));
    let (a, b) = (a & mask, b & mask);
    let numbers = [BinOp::Add, BinOp::Sub, BinOp::BitAnd, BinOp::BitOr, BinOp::BitXor];
    let product = [BinOp::Mul].into_iter().filter(|_| width <= 64);
    for op in numbers.into_iter().chain(product) {
        check(width, a, b, binary(op, x(width), y(width), ty), model(op, a, b, mask));
    }
    for op in [BinOp::Eq, BinOp::Ne, BinOp::Lt, BinOp::Le, BinOp::Gt, BinOp::Ge] {
        check(width, a, b, binary(op, x(width), y(width), Type::Bool), model(op, a, b, mask));
    }
    check(width, a, b, expr(ExprKind::Unary(UnOp::BitNot, Box::new(x(width))), ty), a ^ mask);
    let less = binary(BinOp::Lt, x(width), y(width), Type::Bool);
    let least = expr(ExprKind::Mux(Box::new(less), Box::new(x(width)), Box::new(y(width))), ty);
    check(width, a, b, least, a.min(b));
    if width <= 64 {
        let both = binary(BinOp::Concat, x(width), y(width), Type::Bits(2 * width));
        check(width, a, b, both, a << width | b);
    }
    for narrow in [1, width.div_ceil(2), width] {
        check(width, a, b, cast(x(width), narrow), a & (u128::MAX >> (128 - u32::from(narrow))));
        let (hi, lo) = (width - 1, width - narrow);
        check(width, a, b, slice(x(width), hi, lo), a >> lo);
    }
    check(width, a, b, cast(x(width), 128), a);
}

#[test]
fn corners_of_every_width() {
    for width in 1..=128 {
        check_width(width, u128::MAX, 1);
        check_width(width, 0, u128::MAX);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_values_of_any_width(width in 1u8..=128, a in any::<u128>(), b in any::<u128>()) {
        check_width(width, a, b);
    }
}
