//! The packet: the frame's bits, what was parsed from them, and the way back to bytes.

use bitvec::field::BitField;
use bitvec::prelude::{BitSlice, BitVec, Msb0};

use crate::{FieldId, HeaderId, Pipeline};

/// Bits in the order of the wire.
pub(super) type Bits = BitVec<u8, Msb0>;

/// Reads 1 to 128 bits as a number, the first bit the highest.
pub(super) fn number(bits: &BitSlice<u8, Msb0>) -> u128 {
    bits.load_be()
}

/// A number as `width` bits, its low ones.
pub(super) fn bits(value: u128, width: u32) -> Bits {
    let mut out = Bits::repeat(false, width as usize);
    if width > 0 {
        out.store_be(value);
    }
    out
}

/// A packet under way.
pub(super) struct Packet {
    frame: Bits,
    /// The parser's place in the frame, in bits.
    cursor: usize,
    /// The bits of each valid header.
    headers: Vec<Option<Bits>>,
    /// At most so many bytes leave.
    pub(super) limit: Option<u16>,
}

impl Packet {
    pub(super) fn new(pipeline: &Pipeline, frame: &[u8]) -> Self {
        let headers = vec![None; pipeline.headers.len()];
        Self { frame: Bits::from_slice(frame), cursor: 0, headers, limit: None }
    }

    /// Length of the received frame in bytes.
    pub(super) fn frame_length(&self) -> usize {
        self.frame.len() / 8
    }

    /// The `width` bits that start `offset` bits after the cursor, if the frame has them.
    pub(super) fn lookahead(&self, offset: u32, width: u32) -> Option<u128> {
        let from = self.cursor.checked_add(offset as usize)?;
        self.frame.get(from..from + width as usize).map(number)
    }

    /// Copies a header from the cursor on, and moves the cursor behind it; false if the frame is too short.
    pub(super) fn extract(&mut self, pipeline: &Pipeline, header: HeaderId) -> bool {
        let end = self.cursor + pipeline.header_type(header).bits() as usize;
        let Some(bits) = self.frame.get(self.cursor..end) else {
            return false;
        };
        self.headers[header.index()] = Some(bits.to_bitvec());
        self.cursor = end;
        true
    }

    pub(super) fn valid(&self, header: HeaderId) -> bool {
        self.headers[header.index()].is_some()
    }

    /// Makes a header valid: with zeros, if it was not.
    pub(super) fn push(&mut self, pipeline: &Pipeline, header: HeaderId) {
        let width = pipeline.header_type(header).bits();
        self.headers[header.index()].get_or_insert_with(|| bits(0, 0)).resize(width as usize, false);
    }

    pub(super) fn pop(&mut self, header: HeaderId) {
        self.headers[header.index()] = None;
    }

    /// A field's value; 0 while its header is invalid.
    pub(super) fn field(&self, pipeline: &Pipeline, header: HeaderId, field: FieldId) -> u128 {
        let (from, to) = place(pipeline, header, field);
        self.headers[header.index()].as_ref().map_or(0, |bits| number(&bits[from..to]))
    }

    /// Sets a field; lost while its header is invalid.
    pub(super) fn set_field(&mut self, pipeline: &Pipeline, header: HeaderId, field: FieldId, value: u128) {
        let (from, to) = place(pipeline, header, field);
        if let Some(bits) = &mut self.headers[header.index()] {
            bits[from..to].store_be(value);
        }
    }

    /// The packet as it leaves: valid headers in order, the payload, cut to the limit.
    pub(super) fn deparse(&self) -> Vec<u8> {
        let mut out = Bits::new();
        for header in self.headers.iter().flatten() {
            out.extend_from_bitslice(header);
        }
        out.extend_from_bitslice(&self.frame[self.cursor..]);
        let mut bytes = out.into_vec();
        if let Some(limit) = self.limit {
            bytes.truncate(usize::from(limit));
        }
        bytes
    }
}

/// First bit of a field in its header, and the first behind it.
fn place(pipeline: &Pipeline, header: HeaderId, field: FieldId) -> (usize, usize) {
    let from = pipeline.header_type(header).offset(field) as usize;
    (from, from + usize::from(pipeline.field(header, field).width))
}
