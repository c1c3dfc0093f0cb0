// count: made by Guideway from pipeline.rs for tofino2.
#include <core.p4>
#include <t2na.p4>

// The host's own stack: the port of the chip's processor.
const bit<9> CPU_PORT = 0;

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
    bit<9> out_port;
    bool ip4_checksum_changes;
    bit<16> ip4_checksum_was;
    bit<16> ip4_checksum_old0;
    bit<16> ip4_checksum_new0;
    bit<1> drop_reason;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:35 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.out_port = 0;
        meta.ip4_checksum_changes = false;
        meta.ip4_checksum_was = 0;
        meta.ip4_checksum_old0 = 65280;
        meta.ip4_checksum_new0 = 255;
        meta.drop_reason = 0;
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:44 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition accept;
    }
}

// pipeline.rs:50 ingress
@pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.ip4_checksum_changes") @pa_solitary("ingress", "meta.drop_reason") @pa_solitary("ingress", "h.ip4.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.ip4.checksum.$deparse_updated_csum_0") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16) @pa_container_size("ingress", "meta.ip4_checksum_was", 16)
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
    Counter<bit<64>, bit<1>>(2, CounterType_t.PACKETS) drops;
    // pipeline.rs:32 counter
    @name(".by_protocol")
    Counter<bit<64>, bit<8>>(256, CounterType_t.PACKETS) by_protocol;
    @name(".host_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) host_counter;

    // pipeline.rs:23 action out
    @name(".out")
    action out_2(bit<32> port) {
        meta.out_port = (bit<9>) port;
        host_counter.count();
    }

    // pipeline.rs:24 action block
    @name(".block")
    action block() {
        meta.drop_reason = 1;
        deparser.drop_ctl = 1;
        host_counter.count();
    }

    // pipeline.rs:26 action unknown
    @name(".unknown")
    action unknown() {
        host_counter.count();
    }

    // pipeline.rs:29 table host
    @name(".host")
    table host {
        key = {
            h.ip4.src: exact @name("src");
        }
        actions = {
            out_2;
            block;
            @defaultonly unknown;
        }
        const default_action = unknown();
        size = 1024;
        counters = host_counter;
    }

    apply {
        if (!h.ip4.isValid()) {
            tm.bypass_egress = 1;
            tm.ucast_egress_port = CPU_PORT;
        } else {
            by_protocol.count(h.ip4.protocol);

            // pipeline.rs:54 host
            switch (host.apply().action_run) {
                out_2: {
                    bit<8> ttl = h.ip4.ttl - 1;
                    meta.ip4_checksum_changes = true;
                    meta.ip4_checksum_was = ~h.ip4.checksum;
                    meta.ip4_checksum_old0[15:8] = ~h.ip4.ttl;
                    meta.ip4_checksum_new0[15:8] = ttl;
                    h.ip4.ttl = ttl;
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = meta.out_port;
                }
                unknown: {
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
