//! From bytes to the shortest text: read every layer with all its fields, then take out what the defaults give.

use super::layers::{Rule, Spec, next_layer};
use super::{Header, Layer, Packet};

/// The layers of a frame; bytes that fit no layer are payload.
pub(super) fn decode(frame: &[u8]) -> Packet {
    let mut packet = Packet::default();
    let mut rest = frame;
    let mut name = Some("eth");
    let mut quoted = false;
    while let Some(spec) = name.and_then(Spec::named) {
        let Some(header) = read(spec, rest) else { break };
        quoted |= matches!(spec.name, "icmp" | "icmp6");
        rest = &rest[spec.bytes() + header.options.len()..];
        name = follow(&header, quoted, rest);
        packet.layers.push(Layer::Header(header));
    }
    let pattern = rest.iter().enumerate().all(|(i, b)| *b == i as u8);
    match rest {
        [] => {}
        _ if pattern => packet.layers.push(Layer::Pattern(rest.len())),
        _ => packet.layers.push(Layer::Hex(rest.to_vec())),
    }
    shorten(&mut packet, frame);
    packet
}

fn read(spec: &'static Spec, bytes: &[u8]) -> Option<Header> {
    let fixed = bytes.get(..spec.bytes())?;
    let mut at = 0;
    let mut values = Vec::new();
    for field in spec.fields {
        let width = usize::from(field.width);
        let bit = |i: usize| u128::from(fixed[i / 8] >> (7 - i % 8) & 1);
        values.push(Some((at..at + width).fold(0, |v, i| v << 1 | bit(i))));
        at += width;
    }
    let words = spec.fields.iter().zip(&values).find(|(f, _)| f.rule == Rule::Words);
    let all = words.and_then(|(_, v)| *v).map_or(spec.bytes(), |w| w as usize * 4);
    let options = if spec.options { bytes.get(spec.bytes()..all).unwrap_or_default() } else { &[] };
    Some(Header { spec, values, options: options.to_vec() })
}

/// Which layer comes next, if it can be told.
fn follow(header: &Header, quoted: bool, rest: &[u8]) -> Option<&'static str> {
    let value = |field: &str| header.spec.index(field).and_then(|i| header.values[i]);
    match header.spec.name {
        "mpls" if value("bottom") == Some(0) => Some("mpls"),
        "mpls" => ip_version(rest),
        "icmp" => matches!(value("type")?, 3 | 11 | 12).then_some("ip4"),
        "icmp6" => (1..=4).contains(&value("type")?).then_some("ip6"),
        "ip4" if value("frag") != Some(0) => None,
        name => {
            let next = next_layer(name, value("type").or(value("proto")).or(value("next"))?)?;
            let short = Spec::named(next).is_some_and(|s| s.bytes() > rest.len());
            Some(if quoted && short && next == "tcp" { "l4" } else { next })
        }
    }
}

fn ip_version(rest: &[u8]) -> Option<&'static str> {
    match rest.first()? >> 4 {
        4 => Some("ip4"),
        6 => Some("ip6"),
        _ => None,
    }
}

/// Takes out every field without which the bytes are the same.
fn shorten(packet: &mut Packet, frame: &[u8]) {
    let same = |p: &Packet| p.bytes(None).is_ok_and(|b| b == frame);
    for layer in 0..packet.layers.len() {
        let Layer::Header(header) = &packet.layers[layer] else { continue };
        for field in 0..header.values.len() {
            let mut shorter = packet.clone();
            if let Layer::Header(h) = &mut shorter.layers[layer] {
                h.values[field] = None;
            }
            if same(&shorter) {
                *packet = shorter;
            }
        }
    }
}
