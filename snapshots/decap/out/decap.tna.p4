// decap: made by Guideway from decap.rs for tofino.
#include <core.p4>
#include <tna.p4>

// The host's own stack: the port of the chip's processor.
const bit<9> CPU_PORT = 320;

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
    ipv4_t outer4;
    ipv6_t outer6;
    ipv4_t inner4;
    ipv6_t inner6;
}

struct metadata_t {
    bit<2> ecn;
    bit<2> inner;
    bit<2> inner_2;
    bool over;
    bit<8> step;
    bit<8> step_2;
    bit<3> drop_reason;
    bool inner4_checksum_changes;
    bit<16> inner4_checksum_was;
    bit<16> inner4_checksum_old0;
    bit<16> inner4_checksum_new0;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // decap.rs:75 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.ecn = 0;
        meta.inner = 0;
        meta.inner_2 = 0;
        meta.over = false;
        meta.step = 0;
        meta.step_2 = 0;
        meta.drop_reason = 0;
        meta.inner4_checksum_changes = false;
        meta.inner4_checksum_was = 0;
        meta.inner4_checksum_old0 = 255;
        meta.inner4_checksum_new0 = 65280;
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: outer4;
            0x86dd: outer6;
            default: accept;
        }
    }

    // decap.rs:85 outer4
    state outer4 {
        packet.extract(h.outer4);
        transition select(
            h.outer4.ihl,
            h.outer4.more_fragments,
            h.outer4.fragment_offset,
            h.outer4.protocol
        ) {
            (5, 0, 0, 4): inner4;
            default: accept;
        }
    }

    // decap.rs:94 outer6
    state outer6 {
        packet.extract(h.outer6);
        transition select(h.outer6.next_header) {
            4: inner4;
            41: inner6;
            default: accept;
        }
    }

    // decap.rs:104 inner4
    state inner4 {
        packet.extract(h.inner4);
        transition accept;
    }

    // decap.rs:110 inner6
    state inner6 {
        packet.extract(h.inner6);
        transition accept;
    }
}

// decap.rs:152 ingress
@pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.ecn") @pa_solitary("ingress", "meta.inner") @pa_solitary("ingress", "meta.inner_2") @pa_solitary("ingress", "meta.over") @pa_solitary("ingress", "meta.step") @pa_solitary("ingress", "meta.step_2") @pa_solitary("ingress", "meta.drop_reason") @pa_solitary("ingress", "meta.inner4_checksum_changes") @pa_solitary("ingress", "h.inner4.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.inner4.checksum.$deparse_updated_csum_0") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16) @pa_container_size("ingress", "meta.inner4_checksum_was", 16)
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
    Counter<bit<64>, bit<3>>(6, CounterType_t.PACKETS) drops;
    @name(".outer4_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) outer4_counter;
    @name(".outer6_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) outer6_counter;
    @name(".served4_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) served4_counter;
    @name(".served6_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) served6_counter;

    // decap.rs:45 action allow
    @name(".outer4_allow")
    action outer4_allow() {
        outer4_counter.count();
    }

    // decap.rs:45 action allow
    @name(".outer6_allow")
    action outer6_allow() {
        outer6_counter.count();
    }

    // decap.rs:47 action refuse
    @name(".outer4_refuse")
    action outer4_refuse() {
        meta.over = true;
        meta.drop_reason = 2;
        deparser.drop_ctl = 1;
        outer4_counter.count();
    }

    // decap.rs:47 action refuse
    @name(".outer6_refuse")
    action outer6_refuse() {
        meta.over = true;
        meta.drop_reason = 2;
        deparser.drop_ctl = 1;
        outer6_counter.count();
    }

    // decap.rs:64 action serve
    @name(".served4_serve")
    action served4_serve() {
        served4_counter.count();
    }

    // decap.rs:64 action serve
    @name(".served6_serve")
    action served6_serve() {
        served6_counter.count();
    }

    // decap.rs:66 action foreign
    @name(".served4_foreign")
    action served4_foreign() {
        served4_counter.count();
    }

    // decap.rs:66 action foreign
    @name(".served6_foreign")
    action served6_foreign() {
        served6_counter.count();
    }

    action line_117_holds() { }

    action line_117_fails() { }

    // decap.rs:51 table outer4
    @name(".outer4")
    table outer4 {
        key = {
            h.outer4.src: lpm @name("src");
        }
        actions = {
            outer4_allow;
            @defaultonly outer4_refuse;
        }
        const default_action = outer4_refuse();
        size = 256;
        counters = outer4_counter;
    }

    // decap.rs:53 table outer6
    @name(".outer6")
    table outer6 {
        key = {
            h.outer6.src: lpm @name("src");
        }
        actions = {
            outer6_allow;
            @defaultonly outer6_refuse;
        }
        const default_action = outer6_refuse();
        size = 256;
        counters = outer6_counter;
    }

    // decap.rs:70 table served4
    @name(".served4")
    table served4 {
        key = {
            h.inner4.dst: exact @name("dst");
        }
        actions = {
            served4_serve;
            @defaultonly served4_foreign;
        }
        const default_action = served4_foreign();
        size = 1024;
        counters = served4_counter;
    }

    // decap.rs:72 table served6
    @name(".served6")
    table served6 {
        key = {
            h.inner6.dst: exact @name("dst");
        }
        actions = {
            served6_serve;
            @defaultonly served6_foreign;
        }
        const default_action = served6_foreign();
        size = 1024;
        counters = served6_counter;
    }

    // decap.rs:117 is decided
    @hidden
    table decides_line_117 {
        key = {
            h.outer4.version: ternary;
            h.outer4.ihl: ternary;
            h.outer4.more_fragments: ternary;
            h.outer4.fragment_offset: ternary;
        }
        actions = {
            line_117_holds;
            line_117_fails;
        }
        const default_action = line_117_holds();
        const entries = {
            (4, 5, 0, 0): line_117_fails;
        }
    }

    apply {
        if (h.inner4.isValid()) {
            meta.step = h.inner4.tos;
        } else {
            meta.step = 0;
        }
        meta.inner = meta.step[1:0];
        bit<8> step;
        if (h.inner4.isValid()) {
            step = h.inner4.tos;
        } else {
            step = 0;
        }
        bit<8> marked = step | 3;
        if (h.inner6.isValid()) {
            meta.step_2 = h.inner6.traffic_class;
        } else {
            meta.step_2 = 0;
        }
        meta.inner_2 = meta.step_2[1:0];
        if (h.outer4.isValid() && h.outer4.protocol == 4) {
            // decap.rs:117 decides_line_117
            switch (decides_line_117.apply().action_run) {
                line_117_holds: {
                    meta.over = true;
                    meta.drop_reason = 1;
                    deparser.drop_ctl = 1;
                }
                line_117_fails: {
                    meta.ecn = h.outer4.tos[1:0];

                    // decap.rs:126 outer4
                    if (outer4.apply().hit) {
                        h.outer4.setInvalid();
                    }
                }
            }
        } else if (h.outer6.isValid() && (h.outer6.next_header == 4 || h.outer6.next_header == 41)) {
            if (h.outer6.version != 6) {
                meta.over = true;
                meta.drop_reason = 1;
                deparser.drop_ctl = 1;
            } else {
                meta.ecn = h.outer6.traffic_class[1:0];

                // decap.rs:136 outer6
                if (outer6.apply().hit) {
                    h.outer6.setInvalid();
                }
            }
        } else {
            meta.over = true;
            tm.bypass_egress = 1;
            tm.ucast_egress_port = CPU_PORT;
        }
        if (!meta.over) {
            if (h.inner4.isValid()) {
                // decap.rs:146 served4
                if (served4.apply().hit) {
                    h.eth.ethertype = 0x0800;
                    if (meta.ecn == 3 && meta.inner == 0) {
                        meta.over = true;
                        meta.drop_reason = 5;
                        deparser.drop_ctl = 1;
                    } else if (meta.ecn == 3) {
                        meta.inner4_checksum_changes = true;
                        meta.inner4_checksum_was = ~h.inner4.checksum;
                        meta.inner4_checksum_old0[7:0] = ~h.inner4.tos;
                        meta.inner4_checksum_new0[7:0] = marked;
                        h.inner4.tos = marked;
                    }
                } else {
                    meta.over = true;
                    meta.drop_reason = 4;
                    deparser.drop_ctl = 1;
                }
            } else if (h.inner6.isValid()) {
                // decap.rs:166 served6
                if (served6.apply().hit) {
                    h.eth.ethertype = 0x86dd;
                    if (meta.ecn == 3 && meta.inner_2 == 0) {
                        meta.over = true;
                        meta.drop_reason = 5;
                        deparser.drop_ctl = 1;
                    } else if (meta.ecn == 3) {
                        h.inner6.traffic_class = h.inner6.traffic_class | 3;
                    }
                } else {
                    meta.over = true;
                    meta.drop_reason = 4;
                    deparser.drop_ctl = 1;
                }
            } else {
                meta.over = true;
                meta.drop_reason = 3;
                deparser.drop_ctl = 1;
            }
            if (!meta.over) {
                tm.bypass_egress = 1;
                tm.ucast_egress_port = CPU_PORT;
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
    Checksum() inner4_checksum_sum;

    apply {
        if (meta.inner4_checksum_changes) {
            h.inner4.checksum = inner4_checksum_sum.update({
                meta.inner4_checksum_was,
                meta.inner4_checksum_old0,
                meta.inner4_checksum_new0
            });
        }
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
