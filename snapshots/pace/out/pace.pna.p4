// pace: made by Guideway from pipeline.rs for pna.
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
    preamble_t preamble;
    ethernet_t eth;
    ipv4_t ip4;
    tcp_t tcp;
    udp_t udp;
}

struct metadata_t {
    bit<32> frame_length;
    bit<32> room;
    bit<32> open_port;
    bit<32> shielded_port;
    bit<32> server_dst;
    bit<18> now;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in pna_main_parser_input_metadata_t istd
) {
    // pipeline.rs:41 start
    state start {
        packet.extract(h.preamble);
        meta.frame_length = h.preamble.length;
        meta.room = h.preamble.length;
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

    // pipeline.rs:50 ipv4
    state ipv4 {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: ipv4_2;
            default: accept;
        }
    }

    state ipv4_2 {
        packet.extract(h.ip4);
        transition select(h.ip4.fragment_offset, h.ip4.protocol) {
            (0, 6): tcp;
            (0, 17): udp;
            default: accept;
        }
    }

    // pipeline.rs:60 tcp
    state tcp {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: tcp_2;
            default: accept;
        }
    }

    state tcp_2 {
        packet.extract(h.tcp);
        transition accept;
    }

    // pipeline.rs:66 udp
    state udp {
        meta.room = meta.room - 8;
        transition select(meta.room) {
            0 &&& 0x80000000: udp_2;
            default: accept;
        }
    }

    state udp_2 {
        packet.extract(h.udp);
        transition accept;
    }
}

// pipeline.rs:72 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // pipeline.rs:17 drop reason
    @name(".drop.too_many_opens") @id(0x1269a89d)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_too_many_opens;
    // pipeline.rs:18 drop reason
    @name(".drop.too_much_else") @id(0x12b1d2e3)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_too_much_else;
    @name(".server_counter") @id(0x13d144ec)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) server_counter;
    // pipeline.rs:35 limiter
    @name(".opens")
    Register<bit<32>, bit<32>>(1) opens;
    // pipeline.rs:38 limiter
    @name(".rest")
    Register<bit<32>, bit<32>>(1) rest;

    // Lets through 2 packets in each tick. A cell: tick 18 bits, packets 14 bits.
    @hidden
    action opens_allow(out bool allowed) {
        bit<32> spent = opens.read(32w0);
        bit<32> passed = (spent >> 14) == (bit<32>) meta.now ? spent & 0x3fff : 32w0;
        allowed = passed < 2;
        bit<32> now_passed = passed < 2 ? passed + 1 : passed;
        opens.write(32w0, ((bit<32>) meta.now << 14) | now_passed);
    }

    // Lets through 3 packets in each tick. A cell: tick 18 bits, packets 14 bits.
    @hidden
    action rest_allow(out bool allowed) {
        bit<32> spent = rest.read(32w0);
        bit<32> passed = (spent >> 14) == (bit<32>) meta.now ? spent & 0x3fff : 32w0;
        allowed = passed < 3;
        bit<32> now_passed = passed < 3 ? passed + 1 : passed;
        rest.write(32w0, ((bit<32>) meta.now << 14) | now_passed);
    }

    // pipeline.rs:26 action open
    @name(".open") @id(0x01783318)
    action open(bit<32> port) {
        meta.open_port = port;
        server_counter.count(meta.frame_length);
    }

    // pipeline.rs:27 action shielded
    @name(".shielded") @id(0x01a6472a)
    action shielded(bit<32> port) {
        meta.shielded_port = port;
        server_counter.count(meta.frame_length);
    }

    // pipeline.rs:29 action nobody
    @name(".nobody") @id(0x01df6b06)
    action nobody() {
        server_counter.count(meta.frame_length);
    }

    // pipeline.rs:32 table server
    @name(".server") @id(0x02ab63cd)
    table server {
        key = {
            meta.server_dst: exact @name("dst");
        }
        actions = {
            open;
            shielded;
            @defaultonly nobody;
        }
        const default_action = nobody();
        size = 256;
        pna_direct_counter = server_counter;
    }

    apply {
        meta.now = (bit<18>) h.preamble.tick;
        if (!h.ip4.isValid()) {
            send_to_port(port = (PortId_t) CPU_PORT);
            exit;
        }

        // pipeline.rs:75 server
        meta.server_dst = h.ip4.dst;
        switch (server.apply().action_run) {
            open: {
                send_to_port(port = (PortId_t) meta.open_port);
                exit;
            }
            shielded: {
                if (h.tcp.isValid()) {
                    if ((h.tcp.flags & 23) == 2) {
                        bool allowed;
                        opens_allow(allowed);
                        if (!allowed) {
                            drop_too_many_opens.count(0);
                            drop_packet();
                            exit;
                        }
                    }
                    send_to_port(port = (PortId_t) meta.shielded_port);
                    exit;
                }
                if (h.udp.isValid() && h.udp.src_port == 53) {
                    send_to_port(port = (PortId_t) meta.shielded_port);
                    exit;
                }
                bool allowed_2;
                rest_allow(allowed_2);
                if (!allowed_2) {
                    drop_too_much_else.count(0);
                    drop_packet();
                    exit;
                }
                send_to_port(port = (PortId_t) meta.shielded_port);
                exit;
            }
            nobody: {
                send_to_port(port = (PortId_t) CPU_PORT);
                exit;
            }
        }
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
