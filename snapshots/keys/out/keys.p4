// keys: made by Guideway from pipeline.rs for bmv2.
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

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    ipv4_t ip4;
}

struct metadata_t {
    bit<32> to;
    bit<8> grade_tos;
    bit<8> grade_congestion;
    bit<8> grade_hops;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    // pipeline.rs:58 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:67 ipv4
    state ipv4 {
        packet.extract(h.ip4);
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
    // pipeline.rs:17 drop reason
    @name(".drop.not_ip") @id(0x1201e1b8)
    counter(1, CounterType.packets) drop_not_ip;
    // pipeline.rs:18 drop reason
    @name(".drop.no_subnet") @id(0x127f3340)
    counter(1, CounterType.packets) drop_no_subnet;
    // pipeline.rs:19 drop reason
    @name(".drop.refused") @id(0x1206c7ff)
    counter(1, CounterType.packets) drop_refused;

    // pipeline.rs:31 action out
    @name(".out") @id(0x01067e90)
    action out_2(bit<32> port) {
        meta.to = port;
    }

    // pipeline.rs:33 action nowhere
    @name(".nowhere") @id(0x01521433)
    action nowhere() { }

    // pipeline.rs:49 action grade
    @name(".grade") @id(0x01ab12c4)
    action grade_2(bit<8> tos) {
        meta.grade_tos = tos;
    }

    // pipeline.rs:50 action refuse
    @name(".refuse") @id(0x01ae8bcf)
    action refuse() { }

    // pipeline.rs:52 action as_it_is
    @name(".as_it_is") @id(0x018136da)
    action as_it_is() { }

    // pipeline.rs:36 table subnet
    @name(".subnet") @id(0x020d79ae)
    table subnet {
        key = {
            ((bit<32>) standard_metadata.ingress_port)[3:0]: exact @name("line");
            h.ip4.dst[23:8]: lpm @name("net");
        }
        actions = {
            out_2;
            @defaultonly nowhere;
        }
        const default_action = nowhere();
        size = 64;
    }

    // pipeline.rs:55 table grade
    @name(".grade") @id(0x02ab12c4)
    table grade {
        key = {
            meta.grade_congestion: exact @name("congestion");
            meta.grade_hops: exact @name("hops");
            h.ip4.more_fragments: exact @name("fragment");
        }
        actions = {
            grade_2;
            refuse;
            @defaultonly as_it_is;
        }
        const default_action = as_it_is();
        size = 64;
    }

    apply {
        if (!h.ip4.isValid()) {
            drop_not_ip.count(0);
            mark_to_drop(standard_metadata);
            exit;
        }

        // pipeline.rs:76 subnet
        if (subnet.apply().miss) {
            drop_no_subnet.count(0);
            mark_to_drop(standard_metadata);
            exit;
        }

        // pipeline.rs:85 grade
        meta.grade_congestion = h.ip4.tos & 3;
        meta.grade_hops = h.ip4.ttl + 1;
        switch (grade.apply().action_run) {
            grade_2: {
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~(h.ip4.version ++ h.ip4.ihl ++ h.ip4.tos)
                        + (bit<32>) (h.ip4.version ++ h.ip4.ihl ++ meta.grade_tos)
                );
                h.ip4.tos = meta.grade_tos;
            }
            refuse: {
                drop_refused.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
        }
        standard_metadata.egress_spec = (bit<9>) meta.to;
        exit;
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
