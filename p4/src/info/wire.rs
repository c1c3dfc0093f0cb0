//! Protobuf's binary format.

use super::message::{Field, Message, Value};

/// A varint follows.
const VARINT: u32 = 0;
/// A length and as many bytes follow.
const BYTES: u32 = 2;

/// The bytes of a message. Repeated numbers in a row go into one packed field, as proto3 wants it.
pub(super) fn encode(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = message.as_slice();
    while let Some(Field { number, value, .. }) = rest.first() {
        let run = rest.iter().take_while(|field| field.number == *number).count();
        match value {
            Value::Uint(_) if PACKED.contains(&rest[0].name) => {
                let mut packed = Vec::new();
                for field in &rest[..run] {
                    if let Value::Uint(value) = field.value {
                        varint(&mut packed, u64::from(value));
                    }
                }
                delimited(&mut out, *number, &packed);
                rest = &rest[run..];
                continue;
            }
            Value::Uint(value) | Value::Enum(value, _) => scalar(&mut out, *number, *value),
            Value::True => scalar(&mut out, *number, 1),
            Value::Text(text) => delimited(&mut out, *number, text.as_bytes()),
            Value::Bytes(bytes) => delimited(&mut out, *number, bytes),
            Value::Message(inner) => delimited(&mut out, *number, &encode(inner)),
        }
        rest = &rest[1..];
    }
    out
}

/// The repeated fields of numbers.
const PACKED: [&str; 1] = ["direct_resource_ids"];

fn scalar(out: &mut Vec<u8>, number: u32, value: u32) {
    key(out, number, VARINT);
    varint(out, u64::from(value));
}

fn delimited(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    key(out, number, BYTES);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn key(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    varint(out, u64::from(number << 3 | wire_type));
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
