//! The standard headers, as a pipeline would declare them.

/// Ethernet II (IEEE 802.3).
#[header]
struct Ethernet {
    dst: bit<48>,
    src: bit<48>,
    ethertype: bit<16>,
}

/// An IEEE 802.1Q tag: what follows the EtherType 0x8100.
#[header]
struct Vlan {
    pcp: bit<3>,
    dei: bit<1>,
    id: bit<12>,
    ethertype: bit<16>,
}

/// ARP for IPv4 over Ethernet (RFC 826).
#[header]
struct Arp {
    hardware_type: bit<16>,
    protocol_type: bit<16>,
    hardware_length: bit<8>,
    protocol_length: bit<8>,
    operation: bit<16>,
    sender_mac: bit<48>,
    sender: bit<32>,
    target_mac: bit<48>,
    target: bit<32>,
}

/// An MPLS label stack entry (RFC 3032).
#[header]
struct Mpls {
    label: bit<20>,
    tc: bit<3>,
    bottom: bit<1>,
    ttl: bit<8>,
}

/// IPv4 without options (RFC 791).
#[header]
struct Ipv4 {
    version: bit<4>,
    ihl: bit<4>,
    tos: bit<8>,
    total_length: bit<16>,
    identification: bit<16>,
    reserved: bit<1>,
    dont_fragment: bit<1>,
    more_fragments: bit<1>,
    fragment_offset: bit<13>,
    ttl: bit<8>,
    protocol: bit<8>,
    checksum: bit<16>,
    src: bit<32>,
    dst: bit<32>,
}

/// IPv6 (RFC 8200).
#[header]
struct Ipv6 {
    version: bit<4>,
    traffic_class: bit<8>,
    flow_label: bit<20>,
    payload_length: bit<16>,
    next_header: bit<8>,
    hop_limit: bit<8>,
    src: bit<128>,
    dst: bit<128>,
}

/// TCP without options (RFC 9293).
#[header]
struct Tcp {
    src_port: bit<16>,
    dst_port: bit<16>,
    seq: bit<32>,
    ack: bit<32>,
    data_offset: bit<4>,
    reserved: bit<4>,
    flags: bit<8>,
    window: bit<16>,
    checksum: bit<16>,
    urgent: bit<16>,
}

/// UDP (RFC 768).
#[header]
struct Udp {
    src_port: bit<16>,
    dst_port: bit<16>,
    length: bit<16>,
    checksum: bit<16>,
}

/// The first eight bytes of TCP or UDP: all that an ICMP error must quote (RFC 792).
#[header]
struct L4Start {
    src_port: bit<16>,
    dst_port: bit<16>,
    word: bit<32>,
}

/// ICMP and ICMPv6 (RFC 792, RFC 4443); `kind` is the type, `rest` what the type makes of it.
#[header]
struct Icmp {
    kind: bit<8>,
    code: bit<8>,
    checksum: bit<16>,
    rest: bit<32>,
}

/// Generic UDP encapsulation, without its optional fields (draft-ietf-intarea-gue).
#[header]
struct Gue {
    version: bit<2>,
    control: bit<1>,
    hlen: bit<5>,
    next: bit<8>,
    flags: bit<16>,
}
