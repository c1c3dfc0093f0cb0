// police: made by Guideway from pipeline.rs for pna.
#include <core.p4>
#include <pna.p4>

// For ports that are computed.
extern void send_to_port(in PortId_t port);

// The host's own stack: the last port but that which drops.
const bit<32> CPU_PORT = 254;

// From the port: bytes of the frame, the clock's tick. To it: how many bytes may leave; 0: all.
header preamble_t {
    bit<32> length;
    bit<32> tick;
    bit<32> most;
}

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
    preamble_t preamble;
    ethernet_t eth;
    ipv4_t ip4;
    icmp_t icmp;
}

struct metadata_t {
    bit<32> frame_length;
    bit<32> room;
    bit<8> level;
    bit<32> gateway_src;
    bit<18> now;
    bool condition;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in pna_main_parser_input_metadata_t istd
) {
    // pipeline.rs:46 start
    state start {
        packet.extract(h.preamble);
        meta.frame_length = h.preamble.length;
        meta.room = h.preamble.length;
        meta.level = (bit<8>) h.preamble.most & 1;
        meta.room = meta.room - 14;
        transition select(meta.room) {
            0 &&& 0x80000000: start_2;
            default: accept;
        }
    }

    state start_2 {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:55 ipv4
    state ipv4 {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: ipv4_2;
            default: accept;
        }
    }

    state ipv4_2 {
        packet.extract(h.ip4);
        transition select(h.ip4.protocol) {
            1: icmp;
            default: accept;
        }
    }

    // pipeline.rs:64 icmp
    state icmp {
        meta.room = meta.room - 8;
        transition select(meta.room) {
            0 &&& 0x80000000: icmp_2;
            default: accept;
        }
    }

    state icmp_2 {
        packet.extract(h.icmp);
        transition accept;
    }
}

// pipeline.rs:70 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // pipeline.rs:20 drop reason
    @name(".drop.rate_exceeded") @id(0x125dd923)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_rate_exceeded;
    // pipeline.rs:40 counter
    @name(".by_type") @id(0x12aee784)
    Counter<bit<64>, bit<32>>(256, PNA_CounterType_t.PACKETS_AND_BYTES) by_type;
    // pipeline.rs:43 limiter
    @name(".icmp_rate")
    Register<bit<32>, bit<32>>(1) icmp_rate;

    // Lets through 3 packets in each tick. A cell: tick 18 bits, packets 14 bits.
    @hidden
    action icmp_rate_allow(out bool allowed) {
        bit<32> spent = icmp_rate.read(32w0);
        bit<32> passed = (spent >> 14) == (bit<32>) meta.now ? spent & 0x3fff : 32w0;
        allowed = passed < 3;
        bit<32> now_passed = passed < 3 ? passed + 1 : passed;
        icmp_rate.write(32w0, ((bit<32>) meta.now << 14) | now_passed);
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
            meta.gateway_src: ternary @name("src");
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
        meta.now = (bit<18>) h.preamble.tick;
        if (!h.icmp.isValid()) {
            send_to_port(port = (PortId_t) CPU_PORT);
            exit;
        }
        by_type.count((bit<32>) h.icmp.kind, meta.frame_length);

        // pipeline.rs:74 gateway
        meta.gateway_src = h.ip4.src;
        gateway.apply();
        if (meta.level != 1) {
            bool allowed;
            icmp_rate_allow(allowed);
            if (!allowed) {
                drop_rate_exceeded.count(0);
                drop_packet();
                exit;
            }
        }
        meta.condition = false;
        if (meta.frame_length > 128) {
            meta.condition = true;
        }
        if (meta.condition) {
            meta.condition = false;
            if (meta.level == 0) {
                meta.condition = true;
            }
        }
        if (meta.condition) {
            h.preamble.most = 128;
        }
        send_to_port(port = (PortId_t) ((PortIdUint_t) istd.input_port ^ 1));
        exit;
    }
}

// Nothing is decrypted.
control before(
    in headers_t h,
    inout metadata_t meta,
    in pna_pre_input_metadata_t istd,
    inout pna_pre_output_metadata_t ostd
) {
    apply { }
}

control deparse(packet_out packet, in headers_t h, in metadata_t meta, in pna_main_output_metadata_t ostd) {
    apply {
        packet.emit(h);
    }
}

PNA_NIC(parse(), before(), ingress(), deparse()) main;
