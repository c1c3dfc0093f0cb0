// acl: made by Guideway from pipeline.rs for tofino.
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
    bit<16> dst_port;
    bit<9> permit_port;
    bit<9> mirror_port;
    bit<8> mirror_tos;
    bit<2> drop_reason;
    bool ip4_checksum_changes;
    bit<16> ip4_checksum_was;
    bit<16> ip4_checksum_old0;
    bit<16> ip4_checksum_new0;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:42 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.dst_port = 0;
        meta.permit_port = 0;
        meta.mirror_port = 0;
        meta.mirror_tos = 0;
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

    // pipeline.rs:51 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition select(h.ip4.ihl, h.ip4.fragment_offset, h.ip4.protocol) {
            (5, 0, 6): tcp;
            (5, 0, 17): udp;
            default: accept;
        }
    }

    // pipeline.rs:61 tcp
    state tcp {
        packet.extract(h.tcp);
        transition accept;
    }

    // pipeline.rs:67 udp
    state udp {
        packet.extract(h.udp);
        transition accept;
    }
}

// pipeline.rs:73 ingress
@pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.drop_reason") @pa_solitary("ingress", "meta.ip4_checksum_changes") @pa_solitary("ingress", "h.ip4.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.ip4.checksum.$deparse_updated_csum_0") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16) @pa_container_size("ingress", "meta.ip4_checksum_was", 16)
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
    @name(".rules_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) rules_counter;

    // pipeline.rs:34 action permit
    @name(".permit")
    action permit(bit<32> port) {
        meta.permit_port = (bit<9>) port;
        rules_counter.count();
    }

    // pipeline.rs:35 action mirror
    @name(".mirror")
    action mirror(bit<32> port, bit<8> tos) {
        meta.mirror_port = (bit<9>) port;
        meta.mirror_tos = tos;
        rules_counter.count();
    }

    // pipeline.rs:36 action deny
    @name(".deny")
    action deny() {
        meta.drop_reason = 2;
        deparser.drop_ctl = 1;
        rules_counter.count();
    }

    // pipeline.rs:39 table rules
    @name(".rules")
    table rules {
        key = {
            h.ip4.src: ternary @name("src");
            h.ip4.dst: ternary @name("dst");
            h.ip4.protocol: ternary @name("protocol");
            meta.dst_port: range @name("dst_port");
        }
        actions = {
            permit;
            mirror;
            deny;
        }
        const default_action = deny();
        size = 64;
        counters = rules_counter;
    }

    apply {
        if (!h.ip4.isValid()) {
            meta.drop_reason = 1;
            deparser.drop_ctl = 1;
        } else {
            if (h.tcp.isValid()) {
                meta.dst_port = h.tcp.dst_port;
            } else if (h.udp.isValid()) {
                meta.dst_port = h.udp.dst_port;
            }

            // pipeline.rs:82 rules
            switch (rules.apply().action_run) {
                permit: {
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = meta.permit_port;
                }
                mirror: {
                    meta.ip4_checksum_changes = true;
                    meta.ip4_checksum_was = ~h.ip4.checksum;
                    meta.ip4_checksum_old0[7:0] = ~h.ip4.tos;
                    meta.ip4_checksum_new0[7:0] = meta.mirror_tos;
                    h.ip4.tos = meta.mirror_tos;
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = meta.mirror_port;
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
