//! The `.spec` of DPDK's SWX pipeline, 22.11: the pipeline as instructions, without a P4 compiler between.
//!
//! ```text
//! struct host__key { bit<32> src }                  header host__key instanceof host__key
//! action host__out args instanceof host__out_args { mov m.port t.port; regadd host_packets t.cell 1; return }
//! table host { key { h.host__key.src exact } actions { host__out ... } default_action host__unknown ... size 1024 }
//! apply { rx m.in_port ... table host; jmpa OUT host__out ... tx m.out_port }
//! ```
//!
//! # What is agreed with whoever runs it
//!
//! All is a pure function of the pipeline and the target's file; nothing but the text travels.
//!
//! ## Ports and frames
//! - In front of each frame stands the header `preamble`, three numbers of 32 bits in network order: `length` (bytes of
//!   the frame, without these 12), `tick` (the flow table's clock: nanoseconds divided by the target's `tick_ns`), `most`
//!   (0 on the way in; on the way out how many bytes of the frame may leave, 0: all). Ports put it on and take it off.
//! - Input ports are the pipeline's ports, by number. Output ports 0 to 253 are those, 254 is the host's own stack (`pass`),
//!   255, the last, is where dropped packets go. All 256 exist: a port that has no link swallows.
//! - A header in the packet may be read and written up to 7 bytes past its end (the same bytes are put back), so a
//!   frame's buffer has 8 bytes of room behind it, and 256 in front for headers that are pushed.
//!
//! - SWX takes memory for all that is declared: `l4lb` needs some 400 MB of the EAL.
//! - Before the first packet every cell of every regarray is written 0: SWX does not.
//!
//! ## Hash functions
//! Registered by these names before the program is configured; both take the bytes that they are given, the seed is unused:
//! - `guideway_crc32`: CRC-32 of IEEE 802.3 (zlib) over all bytes.
//! - `guideway_halfsiphash`: HalfSipHash-1-3; the first 8 bytes are the key as the pipeline has it (64 bits, network
//!   order, `k0 ++ k1`), the rest is the data.
//!
//! ## Numbers
//! SWX has no fields of less than a byte and computes on 64 bits: a number takes whole bytes, zeros in front. A number of
//! more than 64 bits is two fields, `NAME_hi` (all above 64 bits, whole bytes) and `NAME_lo` (64 bits), in this order.
//!
//! ## Tables
//! - Table `T` of the pipeline is table `T`. Its key is the header `T__key`, one field for each key field, by name, in
//!   order: so a key's bytes are its fields in *network order*, one behind the other, without gaps. Kinds: `exact`,
//!   `lpm`; ternary and optional fields, and prefixes of more than 64 bits, are `wildcard` in each part.
//! - Action `A` of table `T` is action `T__A`; the arguments are its parameters by name, in *host order* (no instruction
//!   moves an argument into a header), as the struct `T__A_args` lays them out. Where the table has direct counters,
//!   the last argument of every action that an entry can have is `cell` (32 bits): the entry's cell in the regarrays
//!   `T_packets` and `T_bytes` (as far as the table counts them), which whoever writes the entry chooses, 0 to size - 1, and
//!   sets to 0. A default action that an entry can have, too, is given the cell `size`, which nobody reads.
//! - Entries of the source (`const`) are written by whoever loads the program.
//!
//! ## Rings
//! - The pool table `P` is table `P`: key `P__key.pool`, action `P__set_generation` with `generation`, default `P__no_P`.
//! - Ring `R` is no table but the regarray `R`: cell `(pool * 2 + generation % 2) << b | slot`, where `b` is the smallest
//!   with `2^b >= slots`; the word is `generation << 32 | id`. Id 0: no entry.
//!
//! ## Flow tables
//! Flow table `F` is a learner `F` (key header `F__key`, actions `F__known` and `F__unknown`, both without arguments) and the
//! regarray `F_flows`, whose cell is the entry's number as `entryid` tells it, modulo the regarray's size. Its word:
//!
//! | bits | |
//! | --- | --- |
//! | 63 to 40 | id |
//! | 39 to 37 | state |
//! | 36 to 35 | class |
//! | 34 to 18 | time-out, in ticks |
//! | 17 to 0 | tick of the last packet |
//!
//! So the states are those of [`pipeline_ir::flow`], exactly, by the preamble's clock; the learner only finds keys and gives
//! back what has rested for longer than any clock doubts. `size` counts buckets of four.
//!
//! ## Counters
//! Counter `C` is the regarrays `C_packets` and `C_bytes`, as far as it counts them. Drop reason `R` is the regarray
//! `drop_R`, cell 0. `F_stored` and `F_not_stored`, cell 0, are those of flow table `F`. Limiter `L` is the regarray
//! `L_limiter`, cell 0: `tick << 32 | packets`.

mod asm;
mod control;
mod expr;
mod flow;
mod layout;
mod names;
mod parser;
mod regs;
mod sums;
mod tables;
mod unset;
mod value;

use std::collections::BTreeMap;

use pipeline_ir::{FieldId, HeaderId, Pipeline};

use crate::artifacts::Artifacts;
use crate::fit::Fitted;
use crate::p4::Sizes;
use crate::p4::worlds;
use asm::{Asm, Label};
use layout::{Cell, Part};
use names::Names;
use regs::Regs;
use value::Operand;

/// The port that is the host's own stack.
pub const HOST_PORT: u32 = 254;

/// The port that drops: the last one.
pub const DROP_PORT: u32 = 255;

/// The `.spec` and the P4Info in text and binary form: `<name>.spec`, `<name>.p4info.txtpb`, `<name>.p4info.bin`.
#[must_use]
pub fn emit(fitted: &Fitted) -> Artifacts {
    let p = fitted.pipeline();
    let info = crate::p4::info(p, &Sizes::of(fitted.target()));
    let mut artifacts = Artifacts::default();
    artifacts.add(format!("{}.spec", p.name), Spec::new(fitted).text());
    artifacts.add(format!("{}.p4info.txtpb", p.name), info.to_text());
    artifacts.add(format!("{}.p4info.bin", p.name), info.to_bytes());
    artifacts
}

/// A `.spec` under construction.
struct Spec<'a> {
    p: &'a Pipeline,
    fitted: &'a Fitted,
    names: Names,
    /// The cells of each header type.
    types: Vec<Vec<Cell>>,
    asm: Asm,
    regs: Regs,
    /// Headers of our own that no packet has: name to fields.
    scratch: BTreeMap<String, Vec<(String, u32)>>,
    /// Widths of what is hashed, for each header that holds it.
    hashes: Vec<Vec<u32>>,
    /// Flow cursors whose marks must be 0 at the start.
    idle: BTreeMap<String, u32>,
    ends: Option<Ends>,
}

impl<'a> Spec<'a> {
    fn new(fitted: &'a Fitted) -> Self {
        let p = fitted.pipeline();
        let mut spec = Self {
            p,
            fitted,
            names: Names::new(p),
            types: p.header_types.iter().map(layout::cells).collect(),
            asm: Asm::default(),
            regs: Regs::default(),
            scratch: BTreeMap::new(),
            hashes: Vec::new(),
            idle: BTreeMap::new(),
            ends: None,
        };
        // First of all: a hash reaches the first 32 bytes of metadata only.
        for (name, _) in OWN {
            spec.own(name);
        }
        spec
    }

    /// One of our own fields of metadata.
    fn own(&mut self, name: &str) -> Operand {
        let bits = OWN.iter().find(|(n, _)| *n == name).map_or(64, |(_, bits)| *bits);
        Operand::Place(self.regs.get(name, bits), bits)
    }

    /// A header's name in the program.
    fn header(&self, h: HeaderId) -> String {
        self.names.headers.get(h.index()).cloned().unwrap_or_default()
    }

    /// A header's cells.
    fn cells(&self, h: HeaderId) -> &[Cell] {
        let ty = self.p.headers.get(h.index()).map_or(0, |h| h.ty.index());
        self.types.get(ty).map_or(&[], Vec::as_slice)
    }

    /// A cell as an operand.
    fn cell(&self, h: HeaderId, cell: usize) -> Operand {
        let name = self.header(h);
        match self.cells(h).get(cell) {
            Some(cell) => Operand::Place(format!("h.{name}.{}", cell.name), cell.bits),
            None => Operand::Imm(0),
        }
    }

    /// Where a field lies.
    fn parts(&self, h: HeaderId, f: FieldId) -> Vec<Part> {
        layout::field(self.p.header_type(h), self.cells(h), f)
    }

    /// A field of a header of our own.
    fn scratch(&mut self, header: &str, field: &str, bits: u32) -> Operand {
        let fields = self.scratch.entry(header.to_owned()).or_default();
        if !fields.iter().any(|(name, _)| name == field) {
            fields.push((field.to_owned(), bits));
        }
        Operand::Place(format!("h.{header}.{field}"), bits)
    }

    /// The whole text.
    fn text(mut self) -> String {
        let (entry, start) = worlds::parser(self.p);
        let ends = Ends { drop: self.asm.label("drop"), send: self.asm.label("send") };
        self.ends = Some(ends);
        self.parser(&entry);
        let control = &self.p.control;
        self.block(control, &start);
        self.leave(ends);
        let main = std::mem::take(&mut self.asm).finish();
        self.preamble(&unset::unset(self.p));
        let mut apply = std::mem::take(&mut self.asm).finish();
        apply.extend(main);
        tables::print(self, &apply)
    }

    /// What all verdicts lead to. A port beyond the last sends nowhere. The last instruction must send, so a drop does.
    fn leave(&mut self, ends: Ends) {
        self.asm.place(ends.send);
        self.asm.jump("jmpgt", ends.drop, format!("m.out_port {HOST_PORT}"));
        self.asm.op("emit h.preamble");
        for name in &self.names.headers {
            self.asm.op(format!("emit h.{name}"));
        }
        self.asm.op("tx m.out_port");
        self.asm.place(ends.drop);
        self.asm.op(format!("tx {DROP_PORT}"));
    }
}

/// Where verdicts jump to.
#[derive(Clone, Copy)]
struct Ends {
    drop: Label,
    send: Label,
}

/// Our own fields of metadata.
const OWN: [(&str, u32); 12] = [
    ("in_port", 32),
    ("out_port", 32),
    ("frame_length", 32),
    ("room", 32),
    ("hash", 32),
    ("zero", 32),
    ("flow_entry", 32),
    ("now", 32),
    ("flow_timeout", 8),
    ("flow_write", 8),
    ("generation", 8),
    ("flow_word", 64),
];
