//! The layers that the notation knows: fields in wire order, and what a field is when it is not given.

/// What a field holds when the text doesn't say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// This number.
    Is(u128),
    /// The EtherType or protocol number of the next layer.
    Next,
    /// The length that this layer's format states.
    Length,
    /// The right checksum.
    Checksum,
    /// The header's length in words of 32 bits.
    Words,
    /// 1 in the last label of a stack.
    Bottom,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Number,
    Hex,
    Mac,
    Ip4,
    Ip6,
    Flags,
}

/// A field of a layer.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) width: u8,
    pub(super) rule: Rule,
    pub(super) look: Look,
}

/// A layer's format.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
    /// May options follow the fixed part?
    pub(super) options: bool,
}

impl Spec {
    /// Bytes of the fixed part.
    pub(super) fn bytes(&self) -> usize {
        self.fields.iter().map(|f| usize::from(f.width)).sum::<usize>() / 8
    }
    pub(super) fn index(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == field)
    }
    /// The layer with this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        SPECS.iter().find(|s| s.name == name)
    }
}

const fn field(name: &'static str, width: u8, rule: Rule, look: Look) -> Field {
    Field { name, width, rule, look }
}
const fn number(name: &'static str, width: u8, default: u128) -> Field {
    field(name, width, Rule::Is(default), Look::Number)
}
const fn hex(name: &'static str, width: u8, default: u128) -> Field {
    field(name, width, Rule::Is(default), Look::Hex)
}
const fn mac(name: &'static str, default: u128) -> Field {
    field(name, 48, Rule::Is(default), Look::Mac)
}
const fn ip4(name: &'static str, default: u128) -> Field {
    field(name, 32, Rule::Is(default), Look::Ip4)
}
const fn ip6(name: &'static str, default: u128) -> Field {
    field(name, 128, Rule::Is(default), Look::Ip6)
}
const fn computed(name: &'static str, width: u8, rule: Rule) -> Field {
    let look = match rule {
        Rule::Is(_) | Rule::Length | Rule::Words | Rule::Bottom => Look::Number,
        Rule::Next | Rule::Checksum => Look::Hex,
    };
    field(name, width, rule, look)
}

const HOST_A: u128 = 0x0200_0000_000a;
const HOST_B: u128 = 0x0200_0000_000b;
const IP_A: u128 = 0x0a00_0001;
const IP_B: u128 = 0x0a00_0002;
const IP6_A: u128 = 0xfd00 << 112 | 1;
const IP6_B: u128 = 0xfd00 << 112 | 2;

/// Every layer. `eth(dst=02:00:00:00:00:0b, src=02:00:00:00:00:0a)`: from host A to host B, as all defaults are.
pub(super) const SPECS: &[Spec] = &[
    Spec {
        name: "eth",
        fields: &[mac("dst", HOST_B), mac("src", HOST_A), computed("type", 16, Rule::Next)],
        options: false,
    },
    Spec {
        name: "vlan",
        fields: &[
            number("pcp", 3, 0),
            number("dei", 1, 0),
            number("id", 12, 1),
            computed("type", 16, Rule::Next),
        ],
        options: false,
    },
    Spec {
        name: "mpls",
        fields: &[
            number("label", 20, 16),
            number("tc", 3, 0),
            computed("bottom", 1, Rule::Bottom),
            number("ttl", 8, 64),
        ],
        options: false,
    },
    Spec {
        name: "arp",
        fields: &[
            number("hw", 16, 1),
            hex("proto", 16, 0x0800),
            number("hwlen", 8, 6),
            number("plen", 8, 4),
            number("op", 16, 1),
            mac("sha", HOST_A),
            ip4("spa", IP_A),
            mac("tha", 0),
            ip4("tpa", IP_B),
        ],
        options: false,
    },
    Spec {
        name: "ip4",
        fields: &[
            number("version", 4, 4),
            computed("ihl", 4, Rule::Words),
            hex("tos", 8, 0),
            computed("len", 16, Rule::Length),
            number("id", 16, 1),
            number("reserved", 1, 0),
            number("df", 1, 0),
            number("mf", 1, 0),
            number("frag", 13, 0),
            number("ttl", 8, 64),
            field("proto", 8, Rule::Next, Look::Number),
            computed("csum", 16, Rule::Checksum),
            ip4("src", IP_A),
            ip4("dst", IP_B),
        ],
        options: true,
    },
    Spec {
        name: "ip6",
        fields: &[
            number("version", 4, 6),
            hex("tc", 8, 0),
            hex("flow", 20, 0),
            computed("len", 16, Rule::Length),
            field("next", 8, Rule::Next, Look::Number),
            number("hop", 8, 64),
            ip6("src", IP6_A),
            ip6("dst", IP6_B),
        ],
        options: false,
    },
    // An IPv6 extension header of 8 bytes; the layer before needs its number: `ip6(next=44) / ext / udp`.
    Spec {
        name: "ext",
        fields: &[field("next", 8, Rule::Next, Look::Number), number("len", 8, 0), hex("rest", 48, 0)],
        options: false,
    },
    Spec {
        name: "tcp",
        fields: &[
            number("sport", 16, 1000),
            number("dport", 16, 80),
            number("seq", 32, 1),
            number("ack", 32, 0),
            computed("offset", 4, Rule::Words),
            number("reserved", 4, 0),
            field("flags", 8, Rule::Is(0x10), Look::Flags),
            number("window", 16, 8192),
            computed("csum", 16, Rule::Checksum),
            number("urgent", 16, 0),
        ],
        options: true,
    },
    Spec {
        name: "udp",
        fields: &[
            number("sport", 16, 1000),
            number("dport", 16, 53),
            computed("len", 16, Rule::Length),
            computed("csum", 16, Rule::Checksum),
        ],
        options: false,
    },
    Spec {
        name: "icmp",
        fields: &[
            number("type", 8, 8),
            number("code", 8, 0),
            computed("csum", 16, Rule::Checksum),
            hex("rest", 32, 0x0001_0001),
        ],
        options: false,
    },
    Spec {
        name: "icmp6",
        fields: &[
            number("type", 8, 128),
            number("code", 8, 0),
            computed("csum", 16, Rule::Checksum),
            hex("rest", 32, 0x0001_0001),
        ],
        options: false,
    },
    // The first 8 bytes of TCP or UDP: what an ICMP error must quote at least.
    Spec {
        name: "l4",
        fields: &[number("sport", 16, 80), number("dport", 16, 1000), hex("rest", 32, 1)],
        options: false,
    },
];

/// The number by which a layer names the next one: an EtherType, or a protocol.
pub(super) fn next_number(of: &str, next: Option<&str>) -> u128 {
    let ethernet = matches!(of, "eth" | "vlan");
    match (ethernet, next) {
        (true, Some("ip4")) => 0x0800,
        (true, Some("ip6")) => 0x86dd,
        (true, Some("arp")) => 0x0806,
        (true, Some("vlan")) => 0x8100,
        (true, Some("mpls")) => 0x8847,
        // IEEE 802: for local experiments.
        (true, _) => 0x88b5,
        (false, Some("ip4")) => 4,
        (false, Some("ip6")) => 41,
        (false, Some("tcp" | "l4")) => 6,
        (false, Some("udp")) => 17,
        (false, Some("icmp")) => 1,
        (false, Some("icmp6")) => 58,
        // RFC 3692: for experiments.
        (false, _) => 253,
    }
}

/// The layer that starts after one whose "next" field says `number`; the inverse of [`next_number`].
pub(super) fn next_layer(of: &str, number: u128) -> Option<&'static str> {
    let all: &[&'static str] = match of {
        "eth" | "vlan" => &["ip4", "ip6", "arp", "vlan", "mpls"],
        _ => &["ip4", "ip6", "tcp", "udp", "icmp", "icmp6"],
    };
    all.iter().copied().find(|next| next_number(of, Some(next)) == number)
}
