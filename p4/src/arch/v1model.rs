//! `v1model.p4`: the architecture of BMv2's `simple_switch`.

use crate::ast::Direction::{In, InOut, Out};
use crate::ast::{Decl, Direction, Expr, Type};

use super::ParamType::{Headers, Metadata, Own};
use super::{Block, BlockParam, MetadataField, ParamType};

/// The file to include after `core.p4`.
pub const INCLUDE: &str = "v1model.p4";

/// The name in P4Info.
pub const ARCH: &str = "v1model";

/// The package that a program instantiates as `main`, with its blocks in order.
pub const PACKAGE: &str = "V1Switch";

/// The type of the standard metadata.
pub const STANDARD_METADATA: &str = "standard_metadata_t";

const fn param(direction: Direction, ty: ParamType) -> BlockParam {
    BlockParam { direction: Some(direction), ty }
}

const STANDARD: BlockParam = param(InOut, Own(STANDARD_METADATA));

/// The blocks, in the order of the package's arguments.
pub const BLOCKS: [Block; 6] = [
    Block {
        role: "parser",
        parser: true,
        params: &[
            BlockParam { direction: None, ty: Own("packet_in") },
            param(Out, Headers),
            param(InOut, Metadata),
            STANDARD,
        ],
    },
    Block {
        role: "verify_checksum",
        parser: false,
        params: &[param(InOut, Headers), param(InOut, Metadata)],
    },
    Block {
        role: "ingress",
        parser: false,
        params: &[param(InOut, Headers), param(InOut, Metadata), STANDARD],
    },
    Block {
        role: "egress",
        parser: false,
        params: &[param(InOut, Headers), param(InOut, Metadata), STANDARD],
    },
    Block {
        role: "compute_checksum",
        parser: false,
        params: &[param(InOut, Headers), param(InOut, Metadata)],
    },
    Block {
        role: "deparser",
        parser: false,
        params: &[BlockParam { direction: None, ty: Own("packet_out") }, param(In, Headers)],
    },
];

const fn reads(name: &'static str, bits: u32) -> MetadataField {
    MetadataField { name, bits: Some(bits), writable: false }
}

const fn writes(name: &'static str, bits: u32) -> MetadataField {
    MetadataField { name, bits: Some(bits), writable: true }
}

/// The fields of the standard metadata. Time stamps are microseconds since the switch started.
pub const METADATA_FIELDS: [MetadataField; 16] = [
    reads("ingress_port", 9),
    writes("egress_spec", 9),
    reads("egress_port", 9),
    reads("instance_type", 32),
    reads("packet_length", 32),
    reads("enq_timestamp", 32),
    reads("enq_qdepth", 19),
    reads("deq_timedelta", 32),
    reads("deq_qdepth", 19),
    reads("ingress_global_timestamp", 48),
    reads("egress_global_timestamp", 48),
    writes("mcast_grp", 16),
    reads("egress_rid", 16),
    reads("checksum_error", 1),
    MetadataField { name: "parser_error", bits: None, writable: false },
    writes("priority", 3),
];

/// A member of `HashAlgorithm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// IEEE 802.3, as zlib.
    Crc32,
    /// CRC-16/ARC.
    Crc16,
    /// The input itself: the way to a modulo.
    Identity,
    /// The Internet checksum.
    Csum16,
}

/// A member of `CounterType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Packets.
    Packets,
    /// Bytes.
    Bytes,
    /// Both.
    PacketsAndBytes,
}

impl Hash {
    /// `HashAlgorithm.crc32`
    pub fn expr(self) -> Expr {
        Expr::name("HashAlgorithm").member(match self {
            Self::Crc32 => "crc32",
            Self::Crc16 => "crc16",
            Self::Identity => "identity",
            Self::Csum16 => "csum16",
        })
    }
}

impl Counter {
    /// `CounterType.packets`
    pub fn expr(self) -> Expr {
        Expr::name("CounterType").member(match self {
            Self::Packets => "packets",
            Self::Bytes => "bytes",
            Self::PacketsAndBytes => "packets_and_bytes",
        })
    }
}

/// `counter(size, kind) name;`
pub fn counter(name: impl Into<String>, size: u32, kind: Counter) -> Decl {
    Decl::instance("counter", [Expr::from(size), kind.expr()], name)
}

/// `direct_counter(kind) name;`
pub fn direct_counter(name: impl Into<String>, kind: Counter) -> Decl {
    Decl::instance("direct_counter", [kind.expr()], name)
}

/// `register<bit<width>>(size) name;`
pub fn register(name: impl Into<String>, width: u32, size: u32) -> Decl {
    Decl::instance(Type::generic("register", [Type::bit(width)]), [Expr::from(size)], name)
}

/// `hash(result, algorithm, base, data, max)`: `result = base + algorithm(data) mod max`. `base` and
/// `max` need a width; with `max` 0 the result is `base`.
pub fn hash(result: Expr, algorithm: Hash, base: Expr, data: Expr, max: Expr) -> Expr {
    Expr::call("hash", [result, algorithm.expr(), base, data, max])
}

/// `update_checksum(condition, data, checksum, algorithm)`, in the `compute_checksum` block.
pub fn update_checksum(condition: Expr, data: Expr, checksum: Expr, algorithm: Hash) -> Expr {
    Expr::call("update_checksum", [condition, data, checksum, algorithm.expr()])
}

/// `mark_to_drop(standard_metadata)`
pub fn mark_to_drop(standard_metadata: Expr) -> Expr {
    Expr::call("mark_to_drop", [standard_metadata])
}

/// `resubmit_preserving_field_list(list)`: the packet comes again, with the fields of that list kept.
pub fn resubmit(list: u8) -> Expr {
    Expr::call("resubmit_preserving_field_list", [u32::from(list)])
}

/// `truncate(bytes)`: cuts the packet as it leaves.
pub fn truncate(bytes: u32) -> Expr {
    Expr::call("truncate", [bytes])
}
