//! What ports put in front of each frame where the architecture doesn't say it.
//!
//! ```p4
//! header preamble_t {
//!     bit<32> length; // of the frame, in bytes, without these
//!     bit<32> tick;   // of the flow table's clock
//!     bit<32> most;   // 0; bytes of the frame that may leave, if the program writes a number
//! }
//! ```
//!
//! Each number in network order. The parser reads it first and so knows how many bytes there are; the deparser sends it
//! first, and the port takes it off again.

use p4::ast::{Decl, Expr as P4, Field, Stmt, Type as P4Type};

use super::expr::meta;

/// Its header's name.
pub(super) const NAME: &str = "preamble";

/// Its fields, of 32 bits each.
const FIELDS: [&str; 3] = ["length", "tick", "most"];

/// A field of it.
pub(super) fn field(name: &str) -> P4 {
    P4::name("h").member(NAME).member(name)
}

/// Bytes of the frame that came in.
pub(super) fn length() -> P4 {
    meta("frame_length")
}

/// Its header type.
pub(super) fn header_type() -> Decl {
    let fields = FIELDS.map(|name| Field::new(P4Type::bit(32), name));
    Decl::header("preamble_t", fields)
        .note("From the port: bytes of the frame, the clock's tick. To it: how many bytes may leave; 0: all.")
}

/// What the parser does first.
pub(super) fn read() -> Vec<Stmt> {
    vec![
        Stmt::call(P4::name("packet").method("extract", [P4::name("h").member(NAME)])),
        Stmt::assign(length(), field("length")),
        Stmt::assign(meta("room"), field("length")),
    ]
}

/// Makes a field of metadata 0, which begins as whatever the packet before has left. p4c-dpdk takes a field that `apply` sets once,
/// to a number or another field, for that, although actions of tables set it too; it leaves alone what is computed. So the
/// zero is: `most` is 0.
pub(super) fn zero(of: &Field) -> Stmt {
    let most = field("most");
    let zero = match of.ty {
        P4Type::Bool => P4::Bool(false),
        P4Type::Bits(32) => most.bit_and(1u32),
        _ => most.cast(of.ty.clone()).bit_and(1u32),
    };
    Stmt::assign(meta(&of.name), zero)
}

/// Computes a field of metadata that is set before it is read, so that p4c-dpdk leaves it alone.
pub(super) fn touch(field: &P4) -> Stmt {
    Stmt::assign(field.clone(), field.clone().bit_and(1u32))
}

/// Metadata that it takes: the frame's length, and how many bytes are left to parse.
pub(super) fn metadata() -> [Field; 2] {
    ["frame_length", "room"].map(|name| Field::new(P4Type::bit(32), name))
}
