//! What a P4 architecture spells in its own way: its file, its blocks and their parameters, where a packet came in and
//! where it goes, counters, registers. All else is the same program.
//!
//! An architecture is chosen by the word in the target's file. What it can't do by itself is done by the recipes that
//! `fit` has chosen: see [`Means`].

mod pna;
mod psa;
mod tna;
mod v1model;

use p4::ast::{Annotation, Block, Decl, Expr as P4, Param, State, Stmt, Type as P4Type};
use pipeline_ir::{CounterKind, Table};

use super::means::Means;

/// The skeleton around a pipeline.
pub(super) trait Arch: Sync {
    /// Its name in P4Info.
    fn name(&self) -> &'static str;
    /// The file that declares it.
    fn file(&self) -> &'static str;
    /// What the program declares beside it.
    fn beside(&self) -> Vec<Decl> {
        Vec::new()
    }
    /// What that file declares, and the skeleton's own names.
    fn declared(&self) -> &'static [&'static str];
    /// Bits of a port's number.
    fn port_bits(&self) -> u8;
    /// A line about the port that stands for the host's own stack; its number is the target's.
    fn host_port(&self) -> &'static str;
    /// Does P4Info list the registers behind flow tables and limiters?
    fn lists_registers(&self) -> bool;

    /// Does its compiler know ids of P4Runtime?
    fn knows_ids(&self) -> bool {
        true
    }
    /// Keeps metadata of so many bits in one piece, where the compiler would try all ways to cut it.
    fn whole(&self, name: &str, bits: u32) -> Option<Annotation> {
        let _ = (name, bits);
        None
    }
    /// Keeps metadata, and what decides of checksums, out of containers that other fields lie in.
    fn alone(&self, names: &[&str], summed: &[String]) -> Vec<Annotation> {
        let _ = (names, summed);
        Vec::new()
    }
    /// Parameters of the parser.
    fn parser_params(&self) -> Vec<Param>;
    /// What the parser does before all else.
    fn parser_begins(&self) -> Block {
        Block::new()
    }
    /// Parameters of the control that the pipeline's becomes.
    fn control_params(&self) -> Vec<Param>;
    /// What stands behind that control: other blocks, the deparser, the package.
    fn rest(&self) -> Vec<Decl>;
    /// The same, where the deparser sums what checksums change by, and may send packets into a second pass.
    fn rest_with(&self, sums: Vec<Sum>, again: bool, egress: Option<Egress>) -> Vec<Decl> {
        let _ = (sums, again, egress);
        self.rest()
    }

    /// Is this a packet's second pass?
    fn is_again(&self) -> P4 {
        P4::int(0)
    }
    /// Sends the packet into a second pass, later.
    fn send_again(&self) -> Stmt {
        Stmt::block(Block::new())
    }
    /// The time in ticks of so many nanoseconds, as many bits as there are.
    fn clock(&self, tick_ns: u64) -> P4 {
        self.now(tick_ns)
    }
    /// Bits of what a register's action says of its comparisons.
    fn predicate_bits(&self) -> u32 {
        4
    }

    /// Where the packet came in.
    fn ingress_port(&self) -> P4;
    /// Bytes of the frame that came in: 32 bits.
    fn frame_length(&self) -> P4;
    /// The tick of the flow table's clock, 18 bits; a tick has so many nanoseconds.
    fn now(&self, tick_ns: u64) -> P4;
    /// What is said beside the port where nothing comes behind this control.
    fn leaves(&self) -> Block {
        Block::new()
    }
    /// Sends the packet out of a port, later.
    fn send(&self, port: P4) -> Stmt;
    /// Drops the packet; what had to be counted, is.
    fn drop(&self) -> Block;
    /// Cuts the packet when it leaves.
    fn truncate(&self, bytes: u32) -> Stmt;

    /// A counter array: type and arguments.
    fn counter(&self, size: u32, kind: CounterKind) -> (P4Type, Vec<P4>);
    /// Bits of a cell's number.
    fn cell_bits(&self, size: u32) -> u32 {
        let _ = size;
        32
    }
    /// Counts in a cell of it.
    fn count(&self, counter: P4, cell: P4, kind: CounterKind) -> Stmt;
    /// A counter in each entry of a table: type and arguments.
    fn direct_counter(&self, kind: CounterKind) -> (P4Type, Vec<P4>);
    /// The property of a table that names it.
    fn direct_counter_property(&self) -> &'static str;
    /// Counts in the entry that was hit, where actions say so themselves.
    fn count_entry(&self, counter: P4, kind: CounterKind) -> Option<Stmt>;
    /// Do actions count for a table?
    fn counts_entry(&self, table: &Table) -> bool {
        table.counters.is_some_and(|kind| self.count_entry(P4::name(""), kind).is_some())
    }
    /// Must all parts of a key stand side by side in metadata?
    fn keys_in_metadata(&self) -> bool;
    /// Can this value stand in a table's key, and still is matched as wide as it is?
    fn stands_in_key(&self, _value: &P4) -> bool {
        true
    }
    /// A register array's type.
    fn register(&self, bits: u32) -> P4Type;
    /// A limiter's action: text with holes, as in `prelude`.
    fn limiter(&self) -> &'static str;
    /// Checksums: how one is adjusted, and what a sum of words gives.
    fn checksums(&self) -> [&'static str; 2];
    /// Can a condition be joined of parts one of which is denied?
    fn joins_denials(&self) -> bool;
    /// Must each list of data have an object of its own that hashes?
    fn hashes_one_list(&self) -> bool {
        false
    }
    /// Hashes data into a place; `None`: it has no such hash.
    fn hash(&self, _into: P4, _how: Hashing, _data: P4) -> Option<Stmt> {
        None
    }
    /// The object that does so, where one is declared.
    fn hasher(&self, _how: Hashing) -> Option<Decl> {
        None
    }
}

/// What an architecture may have a hash for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hashing {
    /// CRC-32 (IEEE 802.3), by the object of this number, from 0 on.
    Crc32(usize),
    /// The Internet checksum (RFC 1071).
    Internet,
    /// The remainder of 32 bits by a constant, in so many bits.
    Remainder {
        /// The constant.
        by: u32,
        /// Of the place that it is put in.
        bits: u32,
    },
}

/// The skeleton of an architecture; `None`: it has none here.
pub(super) fn find(name: &str) -> Option<&'static dyn Arch> {
    ALL.iter().copied().find(|a| a.name() == name)
}

/// The architectures that P4 is written for.
const ALL: &[&dyn Arch] = &[
    &v1model::V1model,
    &pna::Pna,
    &psa::Psa,
    &tna::Tna { name: "tna", file: "tna.p4", predicate: 4 },
    &tna::Tna { name: "t2na", file: "t2na.p4", predicate: 16 },
];

/// A checksum that the deparser writes, if something has changed it.
pub(super) struct Sum {
    /// Of the extern.
    pub(super) name: String,
    /// Does it change?
    pub(super) changes: P4,
    /// Where it stands.
    pub(super) place: P4,
    /// The words that it is of.
    pub(super) words: Vec<P4>,
}

/// What is done in egress.
pub(super) struct Egress {
    /// What the parser does first, behind its own metadata.
    pub(super) begins: Block,
    /// The parser's states.
    pub(super) states: Vec<State>,
    /// The type of its metadata.
    pub(super) metadata: Decl,
    /// What the control declares.
    pub(super) locals: Vec<Decl>,
    /// What it does.
    pub(super) apply: Block,
    /// Checksums that the deparser writes.
    pub(super) sums: Vec<Sum>,
    /// The headers, in the order in which they leave.
    pub(super) headers: Vec<P4>,
}

/// What a program is written with: skeleton and recipes.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) arch: &'static dyn Arch,
    pub(super) means: Means,
}
