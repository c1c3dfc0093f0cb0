//! Values as people write them: addresses, MACs, prefixes, ranges.

use pipeline_ir::KeyValue;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Protocols that have a name.
const PROTOCOLS: &[(&str, u128)] =
    &[("icmp", 1), ("ipip", 4), ("tcp", 6), ("udp", 17), ("ipv6", 41), ("icmpv6", 58), ("icmp6", 58)];

/// A number: decimal, `0x`, an address, a MAC, a protocol's name.
#[must_use]
pub fn number(text: &str) -> Option<u128> {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix("0x") {
        return u128::from_str_radix(&hex.replace('_', ""), 16).ok();
    }
    if let Ok(value) = text.replace('_', "").parse() {
        return Some(value);
    }
    match text.parse() {
        Ok(IpAddr::V4(a)) => return Some(a.to_bits().into()),
        Ok(IpAddr::V6(a)) => return Some(a.to_bits()),
        Err(_) => {}
    }
    mac(text).or_else(|| PROTOCOLS.iter().find(|(name, _)| *name == text).map(|(_, v)| *v))
}

fn mac(text: &str) -> Option<u128> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() != 6 || parts.iter().any(|p| p.len() != 2) {
        return None;
    }
    parts.iter().try_fold(0, |value, part| Some(value << 8 | u128::from(u8::from_str_radix(part, 16).ok()?)))
}

/// What a key field is compared with: a number, `value/prefix`, `value & mask`, `low..=high`, `*`.
#[must_use]
pub fn key_value(text: &str) -> Option<KeyValue> {
    let text = text.trim();
    if text == "*" {
        return Some(KeyValue::Optional(None));
    }
    if let Some((low, high)) = text.split_once("..=") {
        return Some(KeyValue::Range { low: number(low)?, high: number(high)? });
    }
    if let Some((value, mask)) = text.split_once('&') {
        let mask = mask.trim_start_matches('&');
        return Some(KeyValue::Ternary { value: number(value)?, mask: number(mask)? });
    }
    if let Some((value, prefix)) = text.split_once('/') {
        return Some(KeyValue::Lpm { value: number(value)?, prefix: prefix.trim().parse().ok()? });
    }
    number(text).map(KeyValue::Exact)
}

/// A field's value as text: addresses as such, other numbers in decimal.
#[must_use]
pub fn shown(name: &str, width: u8, value: u128) -> String {
    let is_address = ["src", "dst", "addr", "address", "ip", "prefix", "network"]
        .iter()
        .any(|part| name.split('_').any(|word| word.trim_end_matches(char::is_numeric) == *part));
    match width {
        32 if is_address => Ipv4Addr::from_bits(value as u32).to_string(),
        48 => value.to_be_bytes()[10..].iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":"),
        128 => Ipv6Addr::from_bits(value).to_string(),
        _ => value.to_string(),
    }
}

/// A key field as text, in the form that [`key_value`] reads.
#[must_use]
pub fn shown_key(name: &str, width: u8, value: &KeyValue) -> String {
    let one = |v| shown(name, width, v);
    match *value {
        KeyValue::Exact(v) | KeyValue::Optional(Some(v)) => one(v),
        KeyValue::Lpm { value, prefix } => format!("{}/{prefix}", one(value)),
        KeyValue::Ternary { value, mask } => format!("{} & {mask:#x}", one(value)),
        KeyValue::Range { low, high } => format!("{}..={}", one(low), one(high)),
        KeyValue::Optional(None) => "*".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_form() {
        let cases: &[(&str, Option<u128>)] = &[
            ("65_537", Some(65_537)),
            ("0xff_00", Some(0xff00)),
            ("203.0.113.10", Some(0xcb00_710a)),
            ("2001:db8::1", Some(0x2001_0db8 << 96 | 1)),
            ("02:67:77:00:01:02", Some(0x0267_7700_0102)),
            ("icmpv6", Some(58)),
            ("0xzz", None),
            ("02:67:77:00:01", None),
            ("nothing", None),
            ("", None),
        ];
        for (text, value) in cases {
            assert_eq!(number(text), *value, "{text}");
        }
    }

    #[test]
    fn keys_are_shown_as_they_are_read() {
        let ten = 0x0a00_0000;
        for value in [
            KeyValue::Exact(ten),
            KeyValue::Lpm { value: ten, prefix: 8 },
            KeyValue::Ternary { value: ten, mask: 0xff00_0000 },
            KeyValue::Range { low: ten, high: ten + 9 },
            KeyValue::Optional(None),
        ] {
            assert_eq!(key_value(&shown_key("src", 32, &value)), Some(value));
        }
        assert_eq!(shown_key("dst_port", 16, &KeyValue::Exact(80)), "80");
        assert_eq!(shown("outer_src4", 32, ten), "10.0.0.0");
        assert_eq!(shown("port", 32, 1), "1");
        assert_eq!(shown("dst_mac", 48, 0x0267_7700_0102), "02:67:77:00:01:02");
        assert_eq!(shown("dst", 128, 0x2001_0db8 << 96 | 1), "2001:db8::1");
    }
}
