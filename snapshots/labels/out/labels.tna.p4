// labels: made by Guideway from pipeline.rs for tofino.
#include <core.p4>
#include <tna.p4>

// The host's own stack: the port of the chip's processor.
const bit<9> CPU_PORT = 320;

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
    ethernet_t eth;
    mpls_t label_0;
    mpls_t label_1;
    mpls_t label_2;
    mpls_t label_3;
    ipv4_t ip4;
}

struct metadata_t {
    bit<8> depth;
    bit<20> swap_to;
    bit<9> swap_port;
    bit<9> pop_top_port;
    bit<4> first;
    bool over;
    bit<1> step;
    bit<3> drop_reason;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:41 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.depth = 0;
        meta.swap_to = 0;
        meta.swap_port = 0;
        meta.pop_top_port = 0;
        meta.first = 0;
        meta.over = false;
        meta.step = 0;
        meta.drop_reason = 0;
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x8847: stack_0;
            default: accept;
        }
    }

    // pipeline.rs:50 stack_0
    state stack_0 {
        packet.extract(h.label_0);
        transition select(h.label_0.bottom) {
            1: below;
            default: stack_1;
        }
    }

    // pipeline.rs:50 stack_1
    state stack_1 {
        packet.extract(h.label_1);
        transition select(h.label_1.bottom) {
            1: below;
            default: stack_2;
        }
    }

    // pipeline.rs:50 stack_2
    state stack_2 {
        packet.extract(h.label_2);
        transition select(h.label_2.bottom) {
            1: below;
            default: stack_3;
        }
    }

    // pipeline.rs:50 stack_3
    state stack_3 {
        packet.extract(h.label_3);
        transition select(h.label_3.bottom) {
            1: below;
            default: accept;
        }
    }

    // pipeline.rs:60 below
    state below {
        meta.first = packet.lookahead<bit<4>>();
        transition select(meta.first) {
            4: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:69 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition accept;
    }
}

// pipeline.rs:14 ingress
@pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.over") @pa_solitary("ingress", "meta.step") @pa_solitary("ingress", "meta.drop_reason") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16)
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
    Counter<bit<64>, bit<3>>(5, CounterType_t.PACKETS) drops;
    // pipeline.rs:38 counter
    @name(".depth")
    Counter<bit<64>, bit<3>>(5, CounterType_t.PACKETS_AND_BYTES) depth;
    @name(".labels_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) labels_counter;

    // pipeline.rs:29 action swap
    @name(".swap")
    action swap(bit<20> to, bit<32> port) {
        meta.swap_to = to;
        meta.swap_port = (bit<9>) port;
        labels_counter.count();
    }

    // pipeline.rs:30 action pop_top
    @name(".pop_top")
    action pop_top(bit<32> port) {
        meta.pop_top_port = (bit<9>) port;
        labels_counter.count();
    }

    // pipeline.rs:32 action no_entry
    @name(".no_entry")
    action no_entry() {
        meta.drop_reason = 4;
        deparser.drop_ctl = 1;
        labels_counter.count();
    }

    action line_14_1() {
        meta.depth = 4;
    }

    action line_14_2() {
        meta.depth = 3;
    }

    action line_14_3() {
        meta.depth = 2;
    }

    action line_14_4() {
        meta.depth = 1;
    }

    action line_14_else() { }

    // pipeline.rs:35 table labels
    @name(".labels")
    table labels {
        key = {
            h.label_0.label: exact @name("label");
        }
        actions = {
            swap;
            pop_top;
            @defaultonly no_entry;
        }
        const default_action = no_entry();
        size = 2048;
        counters = labels_counter;
    }

    // pipeline.rs:14 is decided
    @hidden
    table decides_line_14 {
        key = {
            h.label_3.isValid(): ternary;
            h.label_2.isValid(): ternary;
            h.label_1.isValid(): ternary;
            h.label_0.isValid(): ternary;
        }
        actions = {
            line_14_1;
            line_14_2;
            line_14_3;
            line_14_4;
            line_14_else;
        }
        const default_action = line_14_else();
        const entries = {
            (true, _, _, _): line_14_1;
            (_, true, _, _): line_14_2;
            (_, _, true, _): line_14_3;
            (_, _, _, true): line_14_4;
        }
    }

    apply {
        // pipeline.rs:14 decides_line_14
        decides_line_14.apply();
        if (!h.label_0.isValid()) {
            meta.drop_reason = 1;
            deparser.drop_ctl = 1;
        } else {
            if (meta.depth < 5) {
                depth.count((bit<3>) meta.depth);
            }
            if (h.label_3.isValid()) {
                meta.step = h.label_3.bottom;
            } else {
                meta.step = 0;
            }
            if (meta.depth == 4 && meta.step == 0) {
                meta.drop_reason = 2;
                deparser.drop_ctl = 1;
            } else if (h.label_0.ttl <= 1) {
                meta.drop_reason = 3;
                deparser.drop_ctl = 1;
            } else {
                // pipeline.rs:85 labels
                switch (labels.apply().action_run) {
                    swap: {
                        h.label_0.label = meta.swap_to;
                        h.label_0.ttl = h.label_0.ttl - 1;
                        tm.bypass_egress = 1;
                        tm.ucast_egress_port = meta.swap_port;
                    }
                    pop_top: {
                        if (h.label_0.bottom == 1) {
                            if (!h.ip4.isValid()) {
                                meta.over = true;
                                tm.bypass_egress = 1;
                                tm.ucast_egress_port = CPU_PORT;
                            } else {
                                h.eth.ethertype = 0x0800;
                            }
                        }
                        if (!meta.over) {
                            h.label_0.setInvalid();
                            tm.bypass_egress = 1;
                            tm.ucast_egress_port = meta.pop_top_port;
                        }
                    }
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
