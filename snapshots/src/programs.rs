//! Pipelines without end: arithmetic, conditions, early returns and changes of headers that may be absent, put together by
//! chance. From one seed comes one source, which means something.

use crate::generate::Random;
use std::fmt::Write as _;

/// Widths of values, each with what has them.
const VALUES: [(u32, &[&str]); 5] = [
    (8, &["m.a8", "m.b8", "m.parsed8", "h.ip4.ttl", "h.ip4.tos", "h.tcp.flags"]),
    (13, &["m.a13", "h.ip4.fragment_offset"]),
    (
        16,
        &[
            "m.a16",
            "m.b16",
            "m.parsed16",
            "h.eth.ethertype",
            "h.tcp.src_port",
            "h.udp.src_port",
            "h.udp.length",
        ],
    ),
    (32, &["m.a32", "m.b32", "h.ip4.src", "h.ip4.dst", "h.tcp.seq", "h.tcp.ack"]),
    (48, &["m.a48", "h.eth.dst", "h.eth.src"]),
];

const CONDITIONS: [&str; 4] = ["h.ip4.is_valid()", "h.tcp.is_valid()", "h.udp.is_valid()", "m.flag"];

/// What stands around the control. What it has computed leaves in the Ethernet header.
const FRAME: &str = "
#[guideway::pipeline(targets = [native])]
pub mod chance {
    use guideway::headers::{Ethernet, Ipv4, Tcp, Udp};
    struct Headers { eth: Ethernet, ip4: Ipv4, tcp: Tcp, udp: Udp }
    struct Meta {
        a8: bit<8>, b8: bit<8>, parsed8: bit<8>, a13: bit<13>, a16: bit<16>, b16: bit<16>, parsed16: bit<16>,
        a32: bit<32>, b32: bit<32>, a48: bit<48>, flag: bool,
    }
    enum Reason { No }
    #[state]
    fn start(p: &mut Packet, h: &mut Headers, m: &mut Meta) -> State {
        p.extract(h.eth);
        PARSED
        match h.eth.ethertype { 0x0800 => ipv4, _ => accept }
    }
    #[state]
    fn ipv4(p: &mut Packet, h: &mut Headers, m: &mut Meta) -> State {
        p.extract(h.ip4);
        PARSED
        match h.ip4.protocol { 6 => tcp, 17 => udp, _ => accept }
    }
    #[state]
    fn tcp(p: &mut Packet, h: &mut Headers, m: &mut Meta) -> State {
        p.extract(h.tcp);
        PARSED
        accept
    }
    #[state]
    fn udp(p: &mut Packet, h: &mut Headers, m: &mut Meta) -> State {
        p.extract(h.udp);
        PARSED
        accept
    }
    fn ingress(h: &mut Headers, m: &mut Meta) -> Verdict {
        CONTROL
        h.eth.dst = h.eth.dst ^ m.a48 ^ (m.a32 as bit<48>) ^ ((m.b32 as bit<48>) << 16) ^ ((m.a8 as bit<48>) << 40);
        h.eth.src = h.eth.src ^ (m.a16 as bit<48>) ^ ((m.b16 as bit<48>) << 16) ^ ((m.b8 as bit<48>) << 32)
            ^ ((m.a13 as bit<48>) << 35);
        h.eth.ethertype = h.eth.ethertype ^ m.parsed16 ^ (m.parsed8 as bit<16>);
        if h.eth.dst == 77 { return drop(No); }
        if m.flag { forward(250) } else { forward(251) }
    }
}
";

/// The source of a pipeline.
#[must_use]
pub fn source(seed: u64) -> String {
    let mut r = Random::new(seed);
    let mut text = FRAME.replace("CONTROL", &block(&mut r, 8, 3));
    while text.contains("PARSED") {
        text = text.replacen("PARSED", &parsed(&mut r), 1);
    }
    text
}

/// Numbers that a state notes.
fn parsed(r: &mut Random) -> String {
    let mut text = String::new();
    for var in ["m.parsed8", "m.parsed16"] {
        if r.below(2) == 0 {
            let _ = write!(text, "{var} = {}; ", r.below(5));
        }
    }
    text
}

fn width(r: &mut Random) -> u32 {
    r.pick(&VALUES).0
}

/// Something of that width that can be written.
fn place(r: &mut Random, width: u32) -> &'static str {
    let all: &'static [&'static str] = VALUES.iter().find(|v| v.0 == width).map_or(VALUES[0].1, |v| v.1);
    all[r.below(all.len())]
}

fn atom(r: &mut Random, width: u32) -> String {
    if r.below(5) > 0 {
        return place(r, width).to_owned();
    }
    let most = (1u64 << width) - 1;
    let any = r.next() & most;
    format!("bit::<{width}>({})", r.pick(&[0, 1, most, any]))
}

/// A value of so many bits, at most so deep.
fn value(r: &mut Random, bits: u32, deep: u32) -> String {
    let Some(deep) = deep.checked_sub(1) else { return atom(r, bits) };
    match r.below(11) {
        kind @ 0..=4 => {
            let op = ["+", "-", "&", "|", "^"][kind];
            format!("({} {op} {})", value(r, bits, deep), value(r, bits, deep))
        }
        5 => format!("!({})", value(r, bits, deep)),
        6 => {
            let of = condition(r, deep);
            format!("(if {of} {{ {} }} else {{ {} }})", value(r, bits, deep), value(r, bits, deep))
        }
        7 => match width(r) {
            from if from == bits => value(r, bits, deep),
            from => format!("(({}) as bit<{bits}>)", value(r, from, deep)),
        },
        8 => match width(r) {
            from if from <= bits => value(r, bits, deep),
            from => {
                let low = r.below((from - bits) as usize + 1) as u32;
                format!("({}).bits({}, {low})", value(r, from, deep), low + bits - 1)
            }
        },
        9 if [16, 32, 48].contains(&bits) => {
            let high = if bits == 48 { 16 } else { bits / 2 };
            format!("concat({}, {})", value(r, high, deep), value(r, bits - high, deep))
        }
        _ => {
            let (of, op) = (value(r, bits, deep), *r.pick(&["<<", ">>"]));
            format!("(({of}) {op} {})", r.below(bits as usize))
        }
    }
}

fn condition(r: &mut Random, deep: u32) -> String {
    let Some(deep) = deep.checked_sub(1) else { return (*r.pick(&CONDITIONS)).to_owned() };
    match r.below(8) {
        0 => format!("({} && {})", condition(r, deep), condition(r, deep)),
        1 => format!("({} || {})", condition(r, deep), condition(r, deep)),
        2 => format!("!({})", condition(r, deep)),
        3 => condition(r, 0),
        _ => {
            let (bits, op) = (width(r), *r.pick(&["==", "!=", "<", "<=", ">", ">="]));
            format!("({} {op} {})", value(r, bits, deep), value(r, bits, deep))
        }
    }
}

fn verdict(r: &mut Random) -> String {
    match r.below(4) {
        0 => "drop(No)".to_owned(),
        1 => "pass()".to_owned(),
        _ => format!("forward({})", r.below(200)),
    }
}

/// Statements, blocks in them at most so deep.
fn block(r: &mut Random, most: usize, deep: u32) -> String {
    (0..=r.below(most)).map(|_| statement(r, deep) + "\n").collect()
}

fn statement(r: &mut Random, deep: u32) -> String {
    match (r.below(12), deep.checked_sub(1)) {
        (0, Some(deep)) => {
            let of = condition(r, 2);
            format!("if {of} {{ {} }} else {{ {} }}", block(r, 3, deep), block(r, 3, deep))
        }
        (1, Some(deep)) => format!("if {} {{ {} }}", condition(r, 2), block(r, 3, deep)),
        (2, Some(deep)) => {
            let of = condition(r, 2);
            format!("if {of} {{ {} return {}; }}", block(r, 2, deep), verdict(r))
        }
        (3, Some(deep)) => {
            let of = condition(r, 2);
            format!("if {of} {{ return {}; }} else {{ {} }}", verdict(r), block(r, 3, deep))
        }
        (4, _) => format!("m.flag = {};", condition(r, 2)),
        (5, _) => format!(
            "h.udp.push(Udp {{ src_port: {}, dst_port: {}, length: 8, checksum: {} }});",
            value(r, 16, 2),
            value(r, 16, 1),
            atom(r, 16)
        ),
        (6, _) => format!("{}.pop();", r.pick(&["h.tcp", "h.udp"])),
        (7, _) => format!("adjust(h.ip4.checksum, {}, {});", value(r, 16, 2), value(r, 16, 2)),
        _ => {
            let bits = width(r);
            format!("{} = {};", place(r, bits), value(r, bits, 3))
        }
    }
}
