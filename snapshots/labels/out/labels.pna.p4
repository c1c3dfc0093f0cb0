// labels: made by Guideway from pipeline.rs for pna.
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

header mpls_t {
    bit<20> label;
    bit<3> tc;
    bit<1> bottom;
    bit<8> ttl;
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
    preamble_t preamble;
    ethernet_t eth;
    mpls_t label_0;
    mpls_t label_1;
    mpls_t label_2;
    mpls_t label_3;
    ipv4_t ip4;
}

struct metadata_t {
    bit<32> frame_length;
    bit<32> room;
    bit<8> depth;
    bit<20> swap_to;
    bit<32> swap_port;
    bit<32> pop_top_port;
    bit<4> first;
    bit<20> labels_label;
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
        meta.depth = (bit<8>) h.preamble.most & 1;
        meta.room = meta.room - 14;
        transition select(meta.room) {
            0 &&& 0x80000000: start_2;
            default: accept;
        }
    }

    state start_2 {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x8847: stack_0;
            default: accept;
        }
    }

    // pipeline.rs:50 stack_0
    state stack_0 {
        meta.room = meta.room - 4;
        transition select(meta.room) {
            0 &&& 0x80000000: stack_0_2;
            default: accept;
        }
    }

    state stack_0_2 {
        packet.extract(h.label_0);
        meta.depth = meta.depth + 1;
        transition select(h.label_0.bottom) {
            1: below;
            default: stack_1;
        }
    }

    // pipeline.rs:50 stack_1
    state stack_1 {
        meta.room = meta.room - 4;
        transition select(meta.room) {
            0 &&& 0x80000000: stack_1_2;
            default: accept;
        }
    }

    state stack_1_2 {
        packet.extract(h.label_1);
        meta.depth = meta.depth + 1;
        transition select(h.label_1.bottom) {
            1: below;
            default: stack_2;
        }
    }

    // pipeline.rs:50 stack_2
    state stack_2 {
        meta.room = meta.room - 4;
        transition select(meta.room) {
            0 &&& 0x80000000: stack_2_2;
            default: accept;
        }
    }

    state stack_2_2 {
        packet.extract(h.label_2);
        meta.depth = meta.depth + 1;
        transition select(h.label_2.bottom) {
            1: below;
            default: stack_3;
        }
    }

    // pipeline.rs:50 stack_3
    state stack_3 {
        meta.room = meta.room - 4;
        transition select(meta.room) {
            0 &&& 0x80000000: stack_3_2;
            default: accept;
        }
    }

    state stack_3_2 {
        packet.extract(h.label_3);
        meta.depth = meta.depth + 1;
        transition select(h.label_3.bottom) {
            1: below;
            default: accept;
        }
    }

    // pipeline.rs:60 below
    state below {
        meta.first = packet.lookahead<bit<8>>()[7:4];
        transition select(meta.first) {
            4: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:69 ipv4
    state ipv4 {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: ipv4_2;
            default: accept;
        }
    }

    state ipv4_2 {
        packet.extract(h.ip4);
        transition accept;
    }
}

// pipeline.rs:75 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // pipeline.rs:18 drop reason
    @name(".drop.no_label") @id(0x120c40f6)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_no_label;
    // pipeline.rs:19 drop reason
    @name(".drop.too_deep") @id(0x127f6d09)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_too_deep;
    // pipeline.rs:20 drop reason
    @name(".drop.expired") @id(0x12ec8325)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_expired;
    // pipeline.rs:21 drop reason
    @name(".drop.unknown") @id(0x12f53446)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_unknown;
    // pipeline.rs:38 counter
    @name(".depth") @id(0x12a972d6)
    Counter<bit<64>, bit<32>>(5, PNA_CounterType_t.PACKETS_AND_BYTES) depth;
    @name(".labels_counter") @id(0x130ad889)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) labels_counter;

    // pipeline.rs:29 action swap
    @name(".swap") @id(0x018acf8c)
    action swap(bit<20> to, bit<32> port) {
        meta.swap_to = to;
        meta.swap_port = port;
        labels_counter.count(meta.frame_length);
    }

    // pipeline.rs:30 action pop_top
    @name(".pop_top") @id(0x0181ee80)
    action pop_top(bit<32> port) {
        meta.pop_top_port = port;
        labels_counter.count(meta.frame_length);
    }

    // pipeline.rs:32 action no_entry
    @name(".no_entry") @id(0x01850f50)
    action no_entry() {
        labels_counter.count(meta.frame_length);
    }

    // pipeline.rs:35 table labels
    @name(".labels") @id(0x022ddeee)
    table labels {
        key = {
            meta.labels_label: exact @name("label");
        }
        actions = {
            swap;
            pop_top;
            @defaultonly no_entry;
        }
        const default_action = no_entry();
        size = 2048;
        pna_direct_counter = labels_counter;
    }

    apply {
        if (!h.label_0.isValid()) {
            drop_no_label.count(0);
            drop_packet();
            exit;
        }
        if ((bit<32>) meta.depth < 5) {
            depth.count((bit<32>) meta.depth, meta.frame_length);
        }
        if (meta.depth == 4 && (h.label_3.isValid() ? h.label_3.bottom : 1w0) == 0) {
            drop_too_deep.count(0);
            drop_packet();
            exit;
        }
        if (h.label_0.ttl <= 1) {
            drop_expired.count(0);
            drop_packet();
            exit;
        }

        // pipeline.rs:85 labels
        meta.labels_label = h.label_0.label;
        switch (labels.apply().action_run) {
            swap: {
                h.label_0.label = meta.swap_to;
                h.label_0.ttl = h.label_0.ttl - 1;
                send_to_port(port = (PortId_t) meta.swap_port);
                exit;
            }
            pop_top: {
                if (h.label_0.bottom == 1) {
                    if (!h.ip4.isValid()) {
                        send_to_port(port = (PortId_t) CPU_PORT);
                        exit;
                    }
                    h.eth.ethertype = 0x0800;
                }
                h.label_0.setInvalid();
                send_to_port(port = (PortId_t) meta.pop_top_port);
                exit;
            }
            no_entry: {
                drop_unknown.count(0);
                drop_packet();
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
