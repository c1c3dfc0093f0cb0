// acl: made by Guideway from pipeline.rs for bmv2.
#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> ethertype;
}

header ipv4_t {
    bit<4> version;
    bit<4> ihl;
    bit<8> tos;
    bit<16> total_length;
    bit<16> identification;
    bit<1> reserved;
    bit<1> dont_fragment;
    bit<1> more_fragments;
    bit<13> fragment_offset;
    bit<8> ttl;
    bit<8> protocol;
    bit<16> checksum;
    bit<32> src;
    bit<32> dst;
}

header tcp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> seq;
    bit<32> ack;
    bit<4> data_offset;
    bit<4> reserved;
    bit<8> flags;
    bit<16> window;
    bit<16> checksum;
    bit<16> urgent;
}

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    ipv4_t ip4;
    tcp_t tcp;
    udp_t udp;
}

struct metadata_t {
    bit<16> dst_port;
    bit<32> permit_port;
    bit<32> mirror_port;
    bit<8> mirror_tos;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    // pipeline.rs:42 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:51 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition select(h.ip4.ihl, h.ip4.fragment_offset, h.ip4.protocol) {
            (5, 0, 6): tcp;
            (5, 0, 17): udp;
            default: accept;
        }
    }

    // pipeline.rs:61 tcp
    state tcp {
        packet.extract(h.tcp);
        transition accept;
    }

    // pipeline.rs:67 udp
    state udp {
        packet.extract(h.udp);
        transition accept;
    }
}

// RFC 1624, equation 3: the checksum after words have changed; `change` is the sum of the old ones' complements and
// the new ones.
void adjust(inout bit<16> checksum, in bit<32> change) {
    bit<32> sum = (bit<32>) ~checksum + change;
    sum = (sum & 0xffff) + (sum >> 16);
    checksum = ~(sum[15:0] + sum[31:16]);
}

// pipeline.rs:73 ingress
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // pipeline.rs:19 drop reason
    @name(".drop.not_ip") @id(0x1201e1b8)
    counter(1, CounterType.packets) drop_not_ip;
    // pipeline.rs:20 drop reason
    @name(".drop.denied") @id(0x12226926)
    counter(1, CounterType.packets) drop_denied;
    @name(".rules_counter") @id(0x13e42ea5)
    direct_counter(CounterType.packets_and_bytes) rules_counter;

    // pipeline.rs:34 action permit
    @name(".permit") @id(0x01b525d2)
    action permit(bit<32> port) {
        meta.permit_port = port;
    }

    // pipeline.rs:35 action mirror
    @name(".mirror") @id(0x01603423)
    action mirror(bit<32> port, bit<8> tos) {
        meta.mirror_port = port;
        meta.mirror_tos = tos;
    }

    // pipeline.rs:36 action deny
    @name(".deny") @id(0x01edb714)
    action deny() { }

    // pipeline.rs:39 table rules
    @name(".rules") @id(0x026024e6)
    table rules {
        key = {
            h.ip4.src: ternary @name("src");
            h.ip4.dst: ternary @name("dst");
            h.ip4.protocol: optional @name("protocol");
            meta.dst_port: range @name("dst_port");
        }
        actions = {
            permit;
            mirror;
            deny;
        }
        const default_action = deny();
        size = 64;
        counters = rules_counter;
    }

    apply {
        if (!h.ip4.isValid()) {
            drop_not_ip.count(0);
            mark_to_drop(standard_metadata);
            exit;
        }
        if (h.tcp.isValid()) {
            meta.dst_port = h.tcp.dst_port;
        } else if (h.udp.isValid()) {
            meta.dst_port = h.udp.dst_port;
        }

        // pipeline.rs:82 rules
        switch (rules.apply().action_run) {
            permit: {
                standard_metadata.egress_spec = (bit<9>) meta.permit_port;
                exit;
            }
            mirror: {
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~(h.ip4.version ++ h.ip4.ihl ++ h.ip4.tos)
                        + (bit<32>) (h.ip4.version ++ h.ip4.ihl ++ meta.mirror_tos)
                );
                h.ip4.tos = meta.mirror_tos;
                standard_metadata.egress_spec = (bit<9>) meta.mirror_port;
                exit;
            }
            deny: {
                drop_denied.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
        }
    }
}

// Checksums that come in are not looked at.
control check(inout headers_t h, inout metadata_t meta) {
    apply { }
}

control egress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    apply { }
}

// Ingress has computed what changes.
control compute(inout headers_t h, inout metadata_t meta) {
    apply { }
}

control deparse(packet_out packet, in headers_t h) {
    apply {
        packet.emit(h);
    }
}

V1Switch(parse(), check(), ingress(), egress(), compute(), deparse()) main;
