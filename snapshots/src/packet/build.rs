//! From layers to bytes: back to front, so that lengths and checksums are known when their header is written.

use super::layers::{Rule, next_number};
use super::{Header, Layer, NotationError, Packet};

impl Packet {
    pub(super) fn bytes(&self, received: Option<&[u8]>) -> Result<Vec<u8>, NotationError> {
        let mut tail = Vec::new();
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let mut bytes = match layer {
                Layer::Header(h) => {
                    let next = self.layers.get(i + 1).and_then(Layer::name);
                    h.bytes(&self.layers[..i], next, &tail)
                }
                Layer::Pattern(n) => (0..*n).map(|b| b as u8).collect(),
                Layer::Text(text) => text.clone().into_bytes(),
                Layer::Hex(bytes) => bytes.clone(),
                Layer::Inner(from, to) => {
                    let message =
                        "`inner` stands only in an expected packet, for a frame that is long enough";
                    let error = || NotationError { column: 1, message: message.to_owned() };
                    let part = |r: &[u8]| r.get(*from..to.unwrap_or(r.len())).map(<[u8]>::to_vec);
                    received.and_then(part).ok_or_else(error)?
                }
            };
            bytes.append(&mut tail);
            tail = bytes;
        }
        tail.resize(tail.len() + self.pad, 0);
        tail.truncate(self.cut.unwrap_or(usize::MAX));
        Ok(tail)
    }
}

impl Layer {
    pub(super) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Header(h) => Some(h.spec.name),
            _ => None,
        }
    }
}

impl Header {
    fn get(&self, field: &str) -> u128 {
        let Some(i) = self.spec.index(field) else { return 0 };
        match (self.values[i], self.spec.fields[i].rule) {
            (Some(value), _) | (None, Rule::Is(value)) => value,
            (None, _) => 0,
        }
    }

    fn bytes(&self, before: &[Layer], next: Option<&str>, tail: &[u8]) -> Vec<u8> {
        let head = self.spec.bytes() + self.options.len();
        let mut bits = Bits::default();
        let mut checksum = None;
        for (field, given) in self.spec.fields.iter().zip(&self.values) {
            let value = given.unwrap_or_else(|| match field.rule {
                Rule::Is(value) => value,
                Rule::Next => next_number(self.spec.name, next),
                Rule::Length if self.spec.name == "ip6" => tail.len() as u128,
                Rule::Length => (head + tail.len()) as u128,
                Rule::Checksum => {
                    checksum = Some(bits.len / 8);
                    0
                }
                Rule::Words => head as u128 / 4,
                Rule::Bottom => u128::from(next != Some("mpls")),
            });
            bits.push(value, field.width);
        }
        let mut bytes = bits.bytes;
        bytes.extend(&self.options);
        if let Some(at) = checksum {
            let sum = self.checksum(before, &bytes, tail);
            bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        }
        bytes
    }

    fn checksum(&self, before: &[Layer], head: &[u8], tail: &[u8]) -> u16 {
        if self.spec.name == "ip4" {
            return !sum(0, head);
        }
        let below = head.len() + tail.len();
        let protocol = next_number("ip4", Some(self.spec.name)) as u64;
        let mut total = match self.spec.name {
            "icmp" => 0,
            _ => pseudo_header(before) + below as u64 + protocol,
        };
        let mut all = head.to_vec();
        all.extend(tail);
        total = u64::from(!sum(total, &all));
        // RFC 768: 0 would mean that there is none.
        if total == 0 && self.spec.name == "udp" { 0xffff } else { total as u16 }
    }
}

/// The sum over the addresses of the nearest IP header.
fn pseudo_header(before: &[Layer]) -> u64 {
    let ip = before.iter().rev().find_map(|l| match l {
        Layer::Header(h) if matches!(h.spec.name, "ip4" | "ip6") => Some(h),
        _ => None,
    });
    ip.map_or(0, |h| {
        let (src, dst) = (h.get("src"), h.get("dst"));
        let words = |v: u128| (0..8).map(|i| (v >> (16 * i)) as u64 & 0xffff).sum::<u64>();
        words(src) + words(dst)
    })
}

/// The ones' complement sum of `bytes` on top of `start`, folded.
fn sum(start: u64, bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|w| u64::from(w[0]) << 8 | u64::from(w.get(1).copied().unwrap_or(0)));
    let mut total = words.sum::<u64>() + start;
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

/// Bits in network order.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    len: usize,
}

impl Bits {
    fn push(&mut self, value: u128, width: u8) {
        for i in (0..width).rev() {
            if self.len.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if value >> i & 1 == 1
                && let Some(last) = self.bytes.last_mut()
            {
                *last |= 0x80 >> (self.len % 8);
            }
            self.len += 1;
        }
    }
}
