// acl: made by Guideway from pipeline.rs for psa-bmv2.
#include <core.p4>
#include <psa.p4>

// What packets carry from block to block.
struct nothing_t { }

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
    in psa_ingress_parser_input_metadata_t istd,
    in nothing_t resubmitted,
    in nothing_t recirculated
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
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd
) {
    // pipeline.rs:19 drop reason
    @name(".drop.not_ip") @id(0x1201e1b8)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_not_ip;
    // pipeline.rs:20 drop reason
    @name(".drop.denied") @id(0x12226926)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_denied;

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
    }

    apply {
        if (!h.ip4.isValid()) {
            drop_not_ip.count(0);
            ingress_drop(ostd);
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
                send_to_port(ostd, (PortId_t) meta.permit_port);
                exit;
            }
            mirror: {
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~(h.ip4.version ++ h.ip4.ihl ++ h.ip4.tos)
                        + (bit<32>) (h.ip4.version ++ h.ip4.ihl ++ meta.mirror_tos)
                );
                h.ip4.tos = meta.mirror_tos;
                send_to_port(ostd, (PortId_t) meta.mirror_port);
                exit;
            }
            deny: {
                drop_denied.count(0);
                ingress_drop(ostd);
                exit;
            }
        }
    }
}

control deparse(
    packet_out packet,
    out nothing_t cloned,
    out nothing_t resubmitted,
    out nothing_t normal,
    inout headers_t h,
    in metadata_t meta,
    in psa_ingress_output_metadata_t ostd
) {
    apply {
        packet.emit(h);
    }
}

// Ingress has made the packet what it is: it leaves as it is.
parser egress_parse(
    packet_in packet,
    out nothing_t h,
    inout nothing_t meta,
    in psa_egress_parser_input_metadata_t istd,
    in nothing_t normal,
    in nothing_t cloned_in,
    in nothing_t cloned_out
) {
    state start {
        transition accept;
    }
}

control egress(
    inout nothing_t h,
    inout nothing_t meta,
    in psa_egress_input_metadata_t istd,
    inout psa_egress_output_metadata_t ostd
) {
    apply { }
}

control egress_deparse(
    packet_out packet,
    out nothing_t cloned,
    out nothing_t recirculated,
    inout nothing_t h,
    in nothing_t meta,
    in psa_egress_output_metadata_t ostd,
    in psa_egress_deparser_input_metadata_t edstd
) {
    apply { }
}

PSA_Switch(
    IngressPipeline(parse(), ingress(), deparse()),
    PacketReplicationEngine(),
    EgressPipeline(egress_parse(), egress(), egress_deparse()),
    BufferingQueueingEngine()
) main;
