//! Protobuf's text format.

use super::message::{Field, Message, Value};

/// The text of a P4Info message, with the two comment lines that p4c puts on top.
pub(super) fn print(message: &Message) -> String {
    let mut out =
        String::from("# proto-file: p4/config/v1/p4info.proto\n# proto-message: p4.config.v1.P4Info\n\n");
    fields(&mut out, message, 0);
    out
}

fn fields(out: &mut String, message: &Message, indent: usize) {
    let margin = " ".repeat(indent);
    for Field { name, value, .. } in message {
        match value {
            Value::Message(inner) => {
                out.push_str(&format!("{margin}{name} {{\n"));
                fields(out, inner, indent + 2);
                out.push_str(&format!("{margin}}}\n"));
            }
            scalar => out.push_str(&format!("{margin}{name}: {}\n", self::scalar(scalar))),
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Uint(value) => value.to_string(),
        Value::True => "true".to_owned(),
        Value::Enum(_, label) => (*label).to_owned(),
        Value::Text(text) => quoted(text.as_bytes()),
        Value::Bytes(bytes) => quoted(bytes),
        Value::Message(_) => String::new(),
    }
}

/// Bytes between quotes; what is not printable ASCII as three octal digits.
fn quoted(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in bytes {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'"' | b'\'' | b'\\' => out.extend(['\\', char::from(*byte)]),
            0x20..=0x7e => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}
