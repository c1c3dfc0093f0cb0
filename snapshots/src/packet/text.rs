//! Reading and writing the notation.

use super::layers::{Field, Look, SPECS, Spec};
use super::{Header, Layer, NotationError, Packet};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Letters of TCP's flags, from the low bit on: FIN SYN RST PSH ACK URG ECE CWR.
const FLAGS: &str = "FSRPAUEC";

type Parsed<T> = Result<T, NotationError>;

/// A piece of the text and where it starts.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Piece<'a> {
    fn trim(self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        Self { text: self.text.trim(), at: self.at + start }
    }
    fn from(self, n: usize) -> Self {
        Self { text: &self.text[n..], at: self.at + n }
    }
    fn fail<T>(self, message: impl Into<String>) -> Parsed<T> {
        Err(NotationError { column: self.at + 1, message: message.into() })
    }
    /// At every `separator` outside parentheses and quotes.
    fn split(self, separator: char) -> Vec<Self> {
        let (mut depth, mut quoted, mut start) = (0, false, 0);
        let mut pieces = Vec::new();
        for (i, c) in self.text.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                c if c == separator && !quoted && depth == 0 => {
                    pieces.push(Piece { text: &self.text[start..i], at: self.at + start }.trim());
                    start = i + c.len_utf8();
                }
                _ => {}
            }
        }
        pieces.push(self.from(start).trim());
        pieces
    }
}

pub(super) fn parse(text: &str) -> Parsed<Packet> {
    let mut packet = Packet::default();
    for piece in (Piece { text, at: 0 }).split('/') {
        if packet.cut.is_some() {
            return piece.fail("nothing follows `cut`");
        }
        if let Some(n) = piece.text.strip_prefix("pad=") {
            packet.pad += count(piece, n)?;
        } else if let Some(n) = piece.text.strip_prefix("cut=") {
            packet.cut = Some(count(piece, n)?);
        } else if packet.pad > 0 {
            return piece.fail("only `cut` follows `pad`");
        } else {
            packet.layers.push(layer(piece)?);
        }
    }
    Ok(packet)
}

/// Frames in tests stay below 64 KiB.
fn count(piece: Piece, text: &str) -> Parsed<usize> {
    match text.trim().parse::<u16>() {
        Ok(n) => Ok(usize::from(n)),
        Err(_) => piece.fail(format!("`{text}` is no number of bytes up to 65535")),
    }
}

fn layer(piece: Piece) -> Parsed<Layer> {
    let text = piece.text;
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(Layer::Pattern(count(piece, text)?));
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return match quoted.strip_suffix('"') {
            Some(inside) => Ok(Layer::Text(inside.to_owned())),
            None => piece.fail("the text has no closing `\"`"),
        };
    }
    if let Some(digits) = text.strip_prefix("hex:") {
        return Ok(Layer::Hex(hex_bytes(piece.from(4), digits)?));
    }
    match text.strip_prefix("inner") {
        Some("") => return Ok(Layer::Inner(14, None)),
        Some(range) if range.starts_with('=') => {
            return Ok(match range[1..].split_once("..") {
                Some((from, to)) => Layer::Inner(count(piece, from)?, Some(count(piece, to)?)),
                None => Layer::Inner(count(piece, &range[1..])?, None),
            });
        }
        _ => {}
    }
    let (name, inside) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(inside) => (name.trim_end(), Some(Piece { text: inside, at: piece.at + name.len() + 1 })),
            None => return piece.fail(format!("`{name}(` has no closing `)`")),
        },
    };
    let Some(spec) = Spec::named(name) else {
        let known: Vec<_> = SPECS.iter().map(|s| s.name).collect();
        return piece.fail(format!("no layer has the name `{name}`; there are: {}", known.join(", ")));
    };
    let mut header = Header { spec, values: vec![None; spec.fields.len()], options: Vec::new() };
    for setting in inside.map(|i| i.split(',')).unwrap_or_default() {
        if !setting.text.is_empty() {
            set(&mut header, setting)?;
        }
    }
    Ok(Layer::Header(header))
}

fn set(header: &mut Header, setting: Piece) -> Parsed<()> {
    let Some((name, value)) = setting.text.split_once('=') else {
        return setting.fail(format!("`{}` is no `field=value`", setting.text));
    };
    let at = setting.from(name.len() + 1).trim();
    let (name, value) = (name.trim(), value.trim());
    if name == "options" && header.spec.options {
        header.options = hex_bytes(at, value)?;
        if !header.options.len().is_multiple_of(4) {
            return at.fail("options are a multiple of 4 bytes");
        }
        return Ok(());
    }
    let Some(index) = header.spec.index(name) else {
        let known: Vec<_> = header.spec.fields.iter().map(|f| f.name).collect();
        let layer = header.spec.name;
        return setting.fail(format!("`{layer}` has no field `{name}`; it has: {}", known.join(", ")));
    };
    let field = &header.spec.fields[index];
    let Some(number) = number(field, value) else {
        return at.fail(format!("`{value}` is no value for `{name}` ({} bits)", field.width));
    };
    if field.width < 128 && number >> field.width != 0 {
        return at.fail(format!("`{value}` does not fit `{name}`, which has {} bits", field.width));
    }
    if header.values[index].replace(number).is_some() {
        return setting.fail(format!("`{name}` is given twice"));
    }
    Ok(())
}

fn number(field: &Field, text: &str) -> Option<u128> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u128::from_str_radix(digits, 16).ok();
    }
    if let Ok(n) = text.parse() {
        return Some(n);
    }
    match field.look {
        Look::Mac => {
            let groups: Vec<_> = text.split(':').collect();
            let byte = |g: &&str| (g.len() == 2).then(|| u8::from_str_radix(g, 16).ok()).flatten();
            let bytes: Vec<u8> = groups.iter().map(byte).collect::<Option<_>>()?;
            (bytes.len() == 6).then(|| bytes.iter().fold(0, |v, b| v << 8 | u128::from(*b)))
        }
        Look::Flags => text.chars().try_fold(0, |v, c| FLAGS.find(c).map(|i| v | 1 << i)),
        Look::Ip4 => text.parse::<Ipv4Addr>().ok().map(|a| u128::from(u32::from(a))),
        Look::Ip6 => text.parse::<Ipv6Addr>().ok().map(u128::from),
        Look::Number | Look::Hex => None,
    }
}

fn hex_bytes(at: Piece, text: &str) -> Parsed<Vec<u8>> {
    let digits: Vec<u32> = match text.chars().filter(|c| *c != ' ').map(|c| c.to_digit(16)).collect() {
        Some(digits) => digits,
        None => return at.fail(format!("`{text}` is not hexadecimal")),
    };
    if !digits.len().is_multiple_of(2) {
        return at.fail("a byte has two hexadecimal digits");
    }
    Ok(digits.chunks(2).map(|d| (d[0] << 4 | d[1]) as u8).collect())
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.layers.is_empty() {
            return f.write_str("0");
        }
        for (i, layer) in self.layers.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { " / " })?;
            write!(f, "{layer}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(h) => write!(f, "{h}"),
            Self::Pattern(n) => write!(f, "{n}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Hex(bytes) => {
                f.write_str("hex:")?;
                bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
            Self::Inner(from, None) => write!(f, "inner={from}"),
            Self::Inner(from, Some(to)) => write!(f, "inner={from}..{to}"),
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.spec.fields.iter().zip(&self.values);
        let mut settings: Vec<String> =
            given.filter_map(|(field, v)| v.map(|v| format!("{}={}", field.name, shown(field, v)))).collect();
        if !self.options.is_empty() {
            let digits: String = self.options.iter().map(|b| format!("{b:02x}")).collect();
            settings.push(format!("options={digits}"));
        }
        f.write_str(self.spec.name)?;
        if settings.is_empty() { Ok(()) } else { write!(f, "({})", settings.join(", ")) }
    }
}

fn shown(field: &Field, value: u128) -> String {
    match field.look {
        Look::Number => value.to_string(),
        Look::Hex => format!("{value:#x}"),
        Look::Mac => {
            let bytes = (0..6).rev().map(|i| format!("{:02x}", value >> (8 * i) & 0xff));
            bytes.collect::<Vec<_>>().join(":")
        }
        Look::Ip4 => Ipv4Addr::from(value as u32).to_string(),
        Look::Ip6 => Ipv6Addr::from(value).to_string(),
        Look::Flags if value == 0 => "0".to_owned(),
        Look::Flags => {
            FLAGS.chars().enumerate().filter(|(i, _)| value >> i & 1 == 1).map(|(_, c)| c).collect()
        }
    }
}
