// keys: made by Guideway from pipeline.rs for tofino.
#include <core.p4>
#include <tna.p4>

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
    bit<32> out_port;
    bit<8> grade_tos;
    bool over;
    bit<32> step;
    bit<8> step_2;
    bit<8> step_3;
    bit<2> drop_reason;
    bool ip4_checksum_changes;
    bit<16> ip4_checksum_was;
    bit<16> ip4_checksum_old0;
    bit<16> ip4_checksum_new0;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:58 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.to = 0;
        meta.out_port = 0;
        meta.grade_tos = 0;
        meta.over = false;
        meta.step = 0;
        meta.step_2 = 0;
        meta.step_3 = 0;
        meta.drop_reason = 0;
        meta.ip4_checksum_changes = false;
        meta.ip4_checksum_was = 0;
        meta.ip4_checksum_old0 = 255;
        meta.ip4_checksum_new0 = 65280;
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

// pipeline.rs:81 ingress
@pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.over") @pa_solitary("ingress", "meta.drop_reason") @pa_solitary("ingress", "meta.ip4_checksum_changes") @pa_solitary("ingress", "h.ip4.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.ip4.checksum.$deparse_updated_csum_0") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16) @pa_container_size("ingress", "meta.ip4_checksum_was", 16)
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
    Counter<bit<64>, bit<2>>(4, CounterType_t.PACKETS) drops;

    // pipeline.rs:31 action out
    @name(".out")
    action out_2(bit<32> port) {
        meta.out_port = port;
    }

    // pipeline.rs:33 action nowhere
    @name(".nowhere")
    action nowhere() { }

    // pipeline.rs:49 action grade
    @name(".grade")
    action grade_2(bit<8> tos) {
        meta.grade_tos = tos;
    }

    // pipeline.rs:50 action refuse
    @name(".refuse")
    action refuse() {
        meta.over = true;
        meta.drop_reason = 3;
        deparser.drop_ctl = 1;
    }

    // pipeline.rs:52 action as_it_is
    @name(".as_it_is")
    action as_it_is() { }

    // pipeline.rs:36 table subnet
    @name(".subnet")
    table subnet {
        key = {
            meta.step[3:0]: exact @name("line");
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
    @name(".grade")
    table grade {
        key = {
            meta.step_2: exact @name("congestion");
            meta.step_3: exact @name("hops");
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
        meta.step_2 = h.ip4.tos & 3;
        if (!h.ip4.isValid()) {
            meta.drop_reason = 1;
            deparser.drop_ctl = 1;
        } else {
            meta.step = (bit<32>) istd.ingress_port;

            // pipeline.rs:76 subnet
            if (subnet.apply().hit) {
                meta.to = meta.out_port;
                meta.step_3 = h.ip4.ttl + 1;

                // pipeline.rs:85 grade
                switch (grade.apply().action_run) {
                    grade_2: {
                        meta.ip4_checksum_changes = true;
                        meta.ip4_checksum_was = ~h.ip4.checksum;
                        meta.ip4_checksum_old0[7:0] = ~h.ip4.tos;
                        meta.ip4_checksum_new0[7:0] = meta.grade_tos;
                        h.ip4.tos = meta.grade_tos;
                    }
                }
                if (!meta.over) {
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = (bit<9>) meta.to;
                }
            } else {
                meta.drop_reason = 2;
                deparser.drop_ctl = 1;
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
    Checksum() ip4_checksum_sum;

    apply {
        if (meta.ip4_checksum_changes) {
            h.ip4.checksum = ip4_checksum_sum.update({
                meta.ip4_checksum_was,
                meta.ip4_checksum_old0,
                meta.ip4_checksum_new0
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
