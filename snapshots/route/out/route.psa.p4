// route: made by Guideway from pipeline.rs for psa-bmv2.
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

header ipv6_t {
    bit<4> version;
    bit<8> traffic_class;
    bit<20> flow_label;
    bit<16> payload_length;
    bit<8> next_header;
    bit<8> hop_limit;
    bit<128> src;
    bit<128> dst;
}

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    ipv4_t ip4;
    ipv6_t ip6;
}

struct metadata_t {
    bit<16> hop;
    bit<32> send_port;
    bit<48> send_src_mac;
    bit<48> send_dst_mac;
    bit<8> route4_vrf;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in psa_ingress_parser_input_metadata_t istd,
    in nothing_t resubmitted,
    in nothing_t recirculated
) {
    // pipeline.rs:59 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            0x86dd: ipv6;
            default: accept;
        }
    }

    // pipeline.rs:69 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition accept;
    }

    // pipeline.rs:75 ipv6
    state ipv6 {
        packet.extract(h.ip6);
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

// pipeline.rs:81 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd
) {
    // pipeline.rs:19 drop reason
    @name(".drop.no_route") @id(0x12693c75)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_no_route;
    // pipeline.rs:20 drop reason
    @name(".drop.no_neighbour") @id(0x1257ef4c)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_no_neighbour;
    // pipeline.rs:21 drop reason
    @name(".drop.expired") @id(0x12ec8325)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_expired;
    // pipeline.rs:22 drop reason
    @name(".drop.forbidden") @id(0x1263d4cc)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_forbidden;

    // pipeline.rs:36 action via
    @name(".via") @id(0x01440f79)
    action via(bit<16> hop) {
        meta.hop = hop;
    }

    // pipeline.rs:37 action blackhole
    @name(".blackhole") @id(0x010b9066)
    action blackhole() { }

    // pipeline.rs:39 action unreachable
    @name(".unreachable") @id(0x0189db2d)
    action unreachable() { }

    // pipeline.rs:51 action send
    @name(".send") @id(0x015186e2)
    action send(bit<32> port, bit<48> src_mac, bit<48> dst_mac) {
        meta.send_port = port;
        meta.send_src_mac = src_mac;
        meta.send_dst_mac = dst_mac;
    }

    // pipeline.rs:53 action unresolved
    @name(".unresolved") @id(0x01224c26)
    action unresolved() { }

    // pipeline.rs:42 table route4
    @name(".route4") @id(0x02f3e498)
    table route4 {
        key = {
            meta.route4_vrf: exact @name("vrf");
            h.ip4.dst: lpm @name("dst");
        }
        actions = {
            via;
            blackhole;
            @defaultonly unreachable;
        }
        const default_action = unreachable();
        size = 1024;
    }

    // pipeline.rs:44 table route6
    @name(".route6") @id(0x02c92e43)
    table route6 {
        key = {
            h.ip6.dst: lpm @name("dst");
        }
        actions = {
            via;
            blackhole;
            @defaultonly unreachable;
        }
        const default_action = unreachable();
        size = 1024;
    }

    // pipeline.rs:56 table neighbour
    @name(".neighbour") @id(0x02639aad)
    table neighbour {
        key = {
            meta.hop: exact @name("hop");
        }
        actions = {
            send;
            @defaultonly unresolved;
        }
        const default_action = unresolved();
        size = 256;
    }

    apply {
        if (h.ip4.isValid()) {
            if (h.ip4.ttl <= 1) {
                drop_expired.count(0);
                ingress_drop(ostd);
                exit;
            }

            // pipeline.rs:86 route4
            meta.route4_vrf = (bit<8>) (PortIdUint_t) istd.ingress_port;
            switch (route4.apply().action_run) {
                blackhole: {
                    drop_forbidden.count(0);
                    ingress_drop(ostd);
                    exit;
                }
                unreachable: {
                    drop_no_route.count(0);
                    ingress_drop(ostd);
                    exit;
                }
            }
            bit<8> ttl = h.ip4.ttl - 1;
            adjust(
                h.ip4.checksum,
                (bit<32>) ~(h.ip4.ttl ++ h.ip4.protocol) + (bit<32>) (ttl ++ h.ip4.protocol)
            );
            h.ip4.ttl = ttl;
        } else if (h.ip6.isValid()) {
            if (h.ip6.hop_limit <= 1) {
                drop_expired.count(0);
                ingress_drop(ostd);
                exit;
            }

            // pipeline.rs:98 route6
            switch (route6.apply().action_run) {
                blackhole: {
                    drop_forbidden.count(0);
                    ingress_drop(ostd);
                    exit;
                }
                unreachable: {
                    drop_no_route.count(0);
                    ingress_drop(ostd);
                    exit;
                }
            }
            h.ip6.hop_limit = h.ip6.hop_limit - 1;
        } else {
            send_to_port(ostd, (PortId_t) CPU_PORT);
            exit;
        }

        // pipeline.rs:107 neighbour
        if (neighbour.apply().hit) {
            h.eth.src = meta.send_src_mac;
            h.eth.dst = meta.send_dst_mac;
            send_to_port(ostd, (PortId_t) meta.send_port);
            exit;
        } else {
            drop_no_neighbour.count(0);
            ingress_drop(ostd);
            exit;
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
