// pace: made by Guideway from pipeline.rs for tofino2.
#include <core.p4>
#include <t2na.p4>

// The host's own stack: the port of the chip's processor.
const bit<9> CPU_PORT = 0;

// What a limiter has let through, and when.
struct limiter_t {
    bit<32> tick;
    bit<32> passed;
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
    bit<9> open_port;
    bit<9> shielded_port;
    bool over;
    bit<32> limiter_tick;
    bit<2> drop_reason;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:41 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.open_port = 0;
        meta.shielded_port = 0;
        meta.over = false;
        meta.limiter_tick = 0;
        meta.drop_reason = 0;
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
@pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.over") @pa_solitary("ingress", "meta.drop_reason") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16)
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in ingress_intrinsic_metadata_t istd,
    in ingress_intrinsic_metadata_from_parser_t from_parser,
    inout ingress_intrinsic_metadata_for_deparser_t deparser,
    inout ingress_intrinsic_metadata_for_tm_t tm
) {
    // drop reasons, from 1 on
    @name(".drops")
    Counter<bit<64>, bit<2>>(3, CounterType_t.PACKETS) drops;
    @name(".server_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) server_counter;
    // pipeline.rs:35 limiter
    Register<limiter_t, bit<1>>(1, { 0, 0 }) opens;

    // Lets through 2 packets in each tick.
    RegisterAction<limiter_t, bit<1>, bool>(opens) opens_allow = {
        void apply(inout limiter_t cell, out bool allowed) {
            allowed = false;
            if (cell.tick != meta.limiter_tick || cell.passed < 2) {
                allowed = true;
            }
            if (cell.tick == meta.limiter_tick && cell.passed < 2) {
                cell.passed = cell.passed + 1;
            }
            if (cell.tick != meta.limiter_tick) {
                cell.passed = 1;
            }
            cell.tick = meta.limiter_tick;
        }
    };
    // pipeline.rs:38 limiter
    Register<limiter_t, bit<1>>(1, { 0, 0 }) rest;

    // Lets through 3 packets in each tick.
    RegisterAction<limiter_t, bit<1>, bool>(rest) rest_allow = {
        void apply(inout limiter_t cell, out bool allowed) {
            allowed = false;
            if (cell.tick != meta.limiter_tick || cell.passed < 3) {
                allowed = true;
            }
            if (cell.tick == meta.limiter_tick && cell.passed < 3) {
                cell.passed = cell.passed + 1;
            }
            if (cell.tick != meta.limiter_tick) {
                cell.passed = 1;
            }
            cell.tick = meta.limiter_tick;
        }
    };

    // pipeline.rs:26 action open
    @name(".open")
    action open(bit<32> port) {
        meta.open_port = (bit<9>) port;
        server_counter.count();
    }

    // pipeline.rs:27 action shielded
    @name(".shielded")
    action shielded(bit<32> port) {
        meta.shielded_port = (bit<9>) port;
        server_counter.count();
    }

    // pipeline.rs:29 action nobody
    @name(".nobody")
    action nobody() {
        server_counter.count();
    }

    // pipeline.rs:32 table server
    @name(".server")
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
        meta.limiter_tick = (bit<32>) from_parser.global_tstamp[47:26];
        if (!h.ip4.isValid()) {
            tm.bypass_egress = 1;
            tm.ucast_egress_port = CPU_PORT;
        } else {
            // pipeline.rs:75 server
            switch (server.apply().action_run) {
                open: {
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = meta.open_port;
                }
                shielded: {
                    if (h.tcp.isValid()) {
                        if ((h.tcp.flags & 23) == 2) {
                            bool allowed;
                            allowed = opens_allow.execute(0);
                            if (!allowed) {
                                meta.over = true;
                                meta.drop_reason = 1;
                                deparser.drop_ctl = 1;
                            }
                        }
                        if (!meta.over) {
                            tm.bypass_egress = 1;
                            tm.ucast_egress_port = meta.shielded_port;
                        }
                    } else if (h.udp.isValid() && h.udp.src_port == 53) {
                        tm.bypass_egress = 1;
                        tm.ucast_egress_port = meta.shielded_port;
                    } else {
                        bool allowed;
                        allowed = rest_allow.execute(0);
                        if (!allowed) {
                            meta.drop_reason = 2;
                            deparser.drop_ctl = 1;
                        } else {
                            tm.bypass_egress = 1;
                            tm.ucast_egress_port = meta.shielded_port;
                        }
                    }
                }
                nobody: {
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = CPU_PORT;
                }
            }
        }
        if (meta.drop_reason != 0) {
            drops.count(meta.drop_reason);
        }
    }
}

control deparse(
    packet_out packet,
    inout headers_t h,
    in metadata_t meta,
    in ingress_intrinsic_metadata_for_deparser_t deparser
) {
    apply {
        packet.emit(h);
    }
}

// Packets pass egress by.
struct egress_headers_t { }

struct egress_metadata_t { }

parser egress_parse(
    packet_in packet,
    out egress_headers_t h,
    out egress_metadata_t meta,
    out egress_intrinsic_metadata_t istd
) {
    state start {
        packet.extract(istd);
        transition accept;
    }
}

control egress(
    inout egress_headers_t h,
    inout egress_metadata_t meta,
    in egress_intrinsic_metadata_t istd,
    in egress_intrinsic_metadata_from_parser_t from_parser,
    inout egress_intrinsic_metadata_for_deparser_t deparser,
    inout egress_intrinsic_metadata_for_output_port_t output
) {
    apply { }
}

control egress_deparse(
    packet_out packet,
    inout egress_headers_t h,
    in egress_metadata_t meta,
    in egress_intrinsic_metadata_for_deparser_t deparser
) {
    apply {
        packet.emit(h);
    }
}

Pipeline(parse(), ingress(), deparse(), egress_parse(), egress(), egress_deparse()) pipe;
Switch(pipe) main;
