// nat: made by Guideway from pipeline.rs for psa-bmv2.
#include <core.p4>
#include <psa.p4>

// What packets carry from block to block.
struct nothing_t { }

// The host's own stack: PSA_PORT_CPU.
const bit<32> CPU_PORT = 4294967293;

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
    bit<32> inward_dst;
    bit<16> inward_dst_port;
    bit<32> inward_port;
    bit<32> outward_src;
    bit<32> outward_port;
    bit<16> dst_port;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in psa_ingress_parser_input_metadata_t istd,
    in nothing_t resubmitted,
    in nothing_t recirculated
) {
    // pipeline.rs:46 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:55 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition select(h.ip4.ihl, h.ip4.more_fragments, h.ip4.fragment_offset, h.ip4.protocol) {
            (5, 0, 0, 6): tcp;
            (5, 0, 0, 17): udp;
            default: accept;
        }
    }

    // pipeline.rs:65 tcp
    state tcp {
        packet.extract(h.tcp);
        transition accept;
    }

    // pipeline.rs:71 udp
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

// pipeline.rs:77 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd
) {
    // pipeline.rs:18 drop reason
    @name(".drop.unparsed") @id(0x12132a7d)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_unparsed;
    // pipeline.rs:19 drop reason
    @name(".drop.not_ours") @id(0x12efdab1)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_not_ours;

    // pipeline.rs:35 action inward
    @name(".inward") @id(0x01d03417)
    action inward(bit<32> dst, bit<16> dst_port, bit<32> port) {
        meta.inward_dst = dst;
        meta.inward_dst_port = dst_port;
        meta.inward_port = port;
    }

    // pipeline.rs:36 action outward
    @name(".outward") @id(0x0137b047)
    action outward(bit<32> src, bit<32> port) {
        meta.outward_src = src;
        meta.outward_port = port;
    }

    // pipeline.rs:38 action no_nat
    @name(".no_nat") @id(0x018fe094)
    action no_nat() { }

    // pipeline.rs:41 table outside
    @name(".outside") @id(0x02fdb1d5)
    table outside {
        key = {
            h.ip4.dst: exact @name("dst");
            h.ip4.protocol: exact @name("protocol");
            meta.dst_port: exact @name("dst_port");
        }
        actions = {
            inward;
            outward;
            @defaultonly no_nat;
        }
        const default_action = no_nat();
        size = 1024;
    }

    // pipeline.rs:43 table inside
    @name(".inside") @id(0x02c929ed)
    table inside {
        key = {
            h.ip4.src: exact @name("src");
        }
        actions = {
            inward;
            outward;
            @defaultonly no_nat;
        }
        const default_action = no_nat();
        size = 1024;
    }

    apply {
        if (!h.ip4.isValid()) {
            send_to_port(ostd, (PortId_t) CPU_PORT);
            exit;
        }
        if (!h.tcp.isValid() && !h.udp.isValid()) {
            drop_unparsed.count(0);
            ingress_drop(ostd);
            exit;
        }
        meta.dst_port = h.tcp.isValid() ? h.tcp.dst_port : h.udp.dst_port;

        // pipeline.rs:84 outside
        switch (outside.apply().action_run) {
            inward: {
                bit<32> old = h.ip4.dst;
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~old[31:16]
                        + (bit<32>) meta.inward_dst[31:16]
                        + (bit<32>) ~old[15:0]
                        + (bit<32>) meta.inward_dst[15:0]
                );
                h.ip4.dst = meta.inward_dst;
                if (h.tcp.isValid()) {
                    adjust(
                        h.tcp.checksum,
                        (bit<32>) ~old[31:16]
                            + (bit<32>) meta.inward_dst[31:16]
                            + (bit<32>) ~old[15:0]
                            + (bit<32>) meta.inward_dst[15:0]
                    );
                } else if (h.udp.checksum != 0) {
                    adjust(
                        h.udp.checksum,
                        (bit<32>) ~old[31:16]
                            + (bit<32>) meta.inward_dst[31:16]
                            + (bit<32>) ~old[15:0]
                            + (bit<32>) meta.inward_dst[15:0]
                    );
                }
                if (h.tcp.isValid()) {
                    adjust(h.tcp.checksum, (bit<32>) ~h.tcp.dst_port + (bit<32>) meta.inward_dst_port);
                    h.tcp.dst_port = meta.inward_dst_port;
                } else {
                    if (h.udp.checksum != 0) {
                        adjust(h.udp.checksum, (bit<32>) ~h.udp.dst_port + (bit<32>) meta.inward_dst_port);
                    }
                    h.udp.dst_port = meta.inward_dst_port;
                }
                send_to_port(ostd, (PortId_t) meta.inward_port);
                exit;
            }
        }

        // pipeline.rs:104 inside
        switch (inside.apply().action_run) {
            outward: {
                bit<32> old = h.ip4.src;
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~old[31:16]
                        + (bit<32>) meta.outward_src[31:16]
                        + (bit<32>) ~old[15:0]
                        + (bit<32>) meta.outward_src[15:0]
                );
                h.ip4.src = meta.outward_src;
                if (h.tcp.isValid()) {
                    adjust(
                        h.tcp.checksum,
                        (bit<32>) ~old[31:16]
                            + (bit<32>) meta.outward_src[31:16]
                            + (bit<32>) ~old[15:0]
                            + (bit<32>) meta.outward_src[15:0]
                    );
                } else if (h.udp.checksum != 0) {
                    adjust(
                        h.udp.checksum,
                        (bit<32>) ~old[31:16]
                            + (bit<32>) meta.outward_src[31:16]
                            + (bit<32>) ~old[15:0]
                            + (bit<32>) meta.outward_src[15:0]
                    );
                }
                send_to_port(ostd, (PortId_t) meta.outward_port);
                exit;
            }
            inward: {
                drop_not_ours.count(0);
                ingress_drop(ostd);
                exit;
            }
            no_nat: {
                drop_not_ours.count(0);
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
