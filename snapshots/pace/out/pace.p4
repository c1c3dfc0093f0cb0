// pace: made by Guideway from pipeline.rs for bmv2.
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
    bit<32> open_port;
    bit<32> shielded_port;
    bit<18> now;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    // pipeline.rs:41 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:50 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition select(h.ip4.fragment_offset, h.ip4.protocol) {
            (0, 6): tcp;
            (0, 17): udp;
            default: accept;
        }
    }

    // pipeline.rs:60 tcp
    state tcp {
        packet.extract(h.tcp);
        transition accept;
    }

    // pipeline.rs:66 udp
    state udp {
        packet.extract(h.udp);
        transition accept;
    }
}

// pipeline.rs:72 ingress
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // pipeline.rs:17 drop reason
    @name(".drop.too_many_opens") @id(0x1269a89d)
    counter(1, CounterType.packets) drop_too_many_opens;
    // pipeline.rs:18 drop reason
    @name(".drop.too_much_else") @id(0x12b1d2e3)
    counter(1, CounterType.packets) drop_too_much_else;
    @name(".server_counter") @id(0x13d144ec)
    direct_counter(CounterType.packets_and_bytes) server_counter;
    // pipeline.rs:35 limiter
    @name(".opens") @id(0x1695ded9)
    register<bit<32>>(1) opens;
    // pipeline.rs:38 limiter
    @name(".rest") @id(0x16963622)
    register<bit<32>>(1) rest;

    // Lets through 2 packets in each tick. A cell: tick 18 bits, packets 14 bits.
    @hidden
    action opens_allow(out bool allowed) {
        bit<32> spent;
        opens.read(spent, 0);
        bit<14> passed = spent[31:14] == meta.now ? spent[13:0] : 14w0;
        allowed = passed < 2;
        opens.write(0, meta.now ++ (passed < 2 ? passed + 1 : passed));
    }

    // Lets through 3 packets in each tick. A cell: tick 18 bits, packets 14 bits.
    @hidden
    action rest_allow(out bool allowed) {
        bit<32> spent;
        rest.read(spent, 0);
        bit<14> passed = spent[31:14] == meta.now ? spent[13:0] : 14w0;
        allowed = passed < 3;
        rest.write(0, meta.now ++ (passed < 3 ? passed + 1 : passed));
    }

    // pipeline.rs:26 action open
    @name(".open") @id(0x01783318)
    action open(bit<32> port) {
        meta.open_port = port;
    }

    // pipeline.rs:27 action shielded
    @name(".shielded") @id(0x01a6472a)
    action shielded(bit<32> port) {
        meta.shielded_port = port;
    }

    // pipeline.rs:29 action nobody
    @name(".nobody") @id(0x01df6b06)
    action nobody() { }

    // pipeline.rs:32 table server
    @name(".server") @id(0x02ab63cd)
    table server {
        key = {
            h.ip4.dst: exact @name("dst");
        }
        actions = {
            open;
            shielded;
            @defaultonly nobody;
        }
        const default_action = nobody();
        size = 256;
        counters = server_counter;
    }

    apply {
        meta.now = standard_metadata.ingress_global_timestamp[33:16];
        if (!h.ip4.isValid()) {
            standard_metadata.egress_spec = CPU_PORT;
            exit;
        }

        // pipeline.rs:75 server
        switch (server.apply().action_run) {
            open: {
                standard_metadata.egress_spec = (bit<9>) meta.open_port;
                exit;
            }
            shielded: {
                if (h.tcp.isValid()) {
                    if ((h.tcp.flags & 23) == 2) {
                        bool allowed;
                        opens_allow(allowed);
                        if (!allowed) {
                            drop_too_many_opens.count(0);
                            mark_to_drop(standard_metadata);
                            exit;
                        }
                    }
                    standard_metadata.egress_spec = (bit<9>) meta.shielded_port;
                    exit;
                }
                if (h.udp.isValid() && h.udp.src_port == 53) {
                    standard_metadata.egress_spec = (bit<9>) meta.shielded_port;
                    exit;
                }
                bool allowed_2;
                rest_allow(allowed_2);
                if (!allowed_2) {
                    drop_too_much_else.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
                standard_metadata.egress_spec = (bit<9>) meta.shielded_port;
                exit;
            }
            nobody: {
                standard_metadata.egress_spec = CPU_PORT;
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
