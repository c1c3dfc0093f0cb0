// route: made by Guideway from pipeline.rs for bmv2.
#include <core.p4>
#include <v1model.p4>

// The host's own stack: simple_switch's --cpu-port.
const bit<9> CPU_PORT = 510;

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
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
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
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // pipeline.rs:19 drop reason
    @name(".drop.no_route") @id(0x12693c75)
    counter(1, CounterType.packets) drop_no_route;
    // pipeline.rs:20 drop reason
    @name(".drop.no_neighbour") @id(0x1257ef4c)
    counter(1, CounterType.packets) drop_no_neighbour;
    // pipeline.rs:21 drop reason
    @name(".drop.expired") @id(0x12ec8325)
    counter(1, CounterType.packets) drop_expired;
    // pipeline.rs:22 drop reason
    @name(".drop.forbidden") @id(0x1263d4cc)
    counter(1, CounterType.packets) drop_forbidden;
    @name(".route4_counter") @id(0x1327dbdb)
    direct_counter(CounterType.packets) route4_counter;
    @name(".route6_counter") @id(0x13010ee0)
    direct_counter(CounterType.packets) route6_counter;

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
            ((bit<32>) standard_metadata.ingress_port)[7:0]: exact @name("vrf");
            h.ip4.dst: lpm @name("dst");
        }
        actions = {
            via;
            blackhole;
            @defaultonly unreachable;
        }
        const default_action = unreachable();
        size = 1024;
        counters = route4_counter;
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
        counters = route6_counter;
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
                mark_to_drop(standard_metadata);
                exit;
            }

            // pipeline.rs:86 route4
            switch (route4.apply().action_run) {
                blackhole: {
                    drop_forbidden.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
                unreachable: {
                    drop_no_route.count(0);
                    mark_to_drop(standard_metadata);
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
                mark_to_drop(standard_metadata);
                exit;
            }

            // pipeline.rs:98 route6
            switch (route6.apply().action_run) {
                blackhole: {
                    drop_forbidden.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
                unreachable: {
                    drop_no_route.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
            }
            h.ip6.hop_limit = h.ip6.hop_limit - 1;
        } else {
            standard_metadata.egress_spec = CPU_PORT;
            exit;
        }

        // pipeline.rs:107 neighbour
        if (neighbour.apply().hit) {
            h.eth.src = meta.send_src_mac;
            h.eth.dst = meta.send_dst_mac;
            standard_metadata.egress_spec = (bit<9>) meta.send_port;
            exit;
        } else {
            drop_no_neighbour.count(0);
            mark_to_drop(standard_metadata);
            exit;
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
