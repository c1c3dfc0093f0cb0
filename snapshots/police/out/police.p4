// police: made by Guideway from pipeline.rs for bmv2.
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

header icmp_t {
    bit<8> kind;
    bit<8> code;
    bit<16> checksum;
    bit<32> rest;
}

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    ipv4_t ip4;
    icmp_t icmp;
}

struct metadata_t {
    bit<8> level;
    bit<18> now;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
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
        transition select(h.ip4.protocol) {
            1: icmp;
            default: accept;
        }
    }

    // pipeline.rs:64 icmp
    state icmp {
        packet.extract(h.icmp);
        transition accept;
    }
}

// pipeline.rs:70 ingress
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // pipeline.rs:20 drop reason
    @name(".drop.rate_exceeded") @id(0x125dd923)
    counter(1, CounterType.packets) drop_rate_exceeded;
    // pipeline.rs:40 counter
    @name(".by_type") @id(0x12aee784)
    counter(256, CounterType.packets_and_bytes) by_type;
    // pipeline.rs:43 limiter
    @name(".icmp_rate") @id(0x1634cb16)
    register<bit<32>>(1) icmp_rate;

    // Lets through 3 packets in each tick. A cell: tick 18 bits, packets 14 bits.
    @hidden
    action icmp_rate_allow(out bool allowed) {
        bit<32> spent;
        icmp_rate.read(spent, 0);
        bit<14> passed = spent[31:14] == meta.now ? spent[13:0] : 14w0;
        allowed = passed < 3;
        icmp_rate.write(0, meta.now ++ (passed < 3 ? passed + 1 : passed));
    }

    // pipeline.rs:28 action level
    @name(".level") @id(0x016d3b99)
    action level(@name("level") bit<8> level_2) {
        meta.level = level_2;
    }

    // pipeline.rs:30 action anyone
    @name(".anyone") @id(0x01bfe76f)
    action anyone() { }

    // pipeline.rs:37 table gateway
    @name(".gateway") @id(0x024aea63)
    table gateway {
        key = {
            h.ip4.src: ternary @name("src");
        }
        actions = {
            level;
            @defaultonly anyone;
        }
        const default_action = anyone();
        const entries = {
            // pipeline.rs:34
            0x0a000001 &&& 0xffffffff: level(1);
            // pipeline.rs:35
            0x0a000000 &&& 0xff000000: level(2);
        }
    }

    apply {
        meta.now = standard_metadata.ingress_global_timestamp[33:16];
        if (!h.icmp.isValid()) {
            standard_metadata.egress_spec = CPU_PORT;
            exit;
        }
        by_type.count((bit<32>) h.icmp.kind);

        // pipeline.rs:74 gateway
        gateway.apply();
        if (meta.level != 1) {
            bool allowed;
            icmp_rate_allow(allowed);
            if (!allowed) {
                drop_rate_exceeded.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
        }
        if (standard_metadata.packet_length > 128 && meta.level == 0) {
            truncate(32w128);
        }
        standard_metadata.egress_spec = (bit<9>) ((bit<32>) standard_metadata.ingress_port ^ 1);
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
