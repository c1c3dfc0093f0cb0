// nat: made by Guideway from pipeline.rs for tofino.
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
    bit<32> inward_dst;
    bit<16> inward_dst_port;
    bit<9> inward_port;
    bit<32> outward_src;
    bit<9> outward_port;
    bit<16> dst_port;
    bool over;
    bit<2> drop_reason;
    bool ip4_checksum_changes;
    bit<16> ip4_checksum_was;
    bit<32> ip4_checksum_old0;
    bit<32> ip4_checksum_new0;
    bool tcp_checksum_changes;
    bit<16> tcp_checksum_was;
    bit<32> tcp_checksum_old0;
    bit<32> tcp_checksum_new0;
    bool udp_checksum_changes;
    bit<16> tcp_checksum_old1;
    bit<16> tcp_checksum_new1;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:46 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.inward_dst = 0;
        meta.inward_dst_port = 0;
        meta.inward_port = 0;
        meta.outward_src = 0;
        meta.outward_port = 0;
        meta.dst_port = 0;
        meta.over = false;
        meta.drop_reason = 0;
        meta.ip4_checksum_changes = false;
        meta.ip4_checksum_was = 0;
        meta.ip4_checksum_old0 = 0;
        meta.ip4_checksum_new0 = 0;
        meta.tcp_checksum_changes = false;
        meta.tcp_checksum_was = 0;
        meta.tcp_checksum_old0 = 0;
        meta.tcp_checksum_new0 = 0;
        meta.udp_checksum_changes = false;
        meta.tcp_checksum_old1 = 0;
        meta.tcp_checksum_new1 = 0;
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:55 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition select(h.ip4.ihl, h.ip4.more_fragments, h.ip4.fragment_offset, h.ip4.protocol) {
            (5, 0, 0, 6): tcp;
            (5, 0, 0, 17): udp;
            default: accept;
        }
    }

    // pipeline.rs:65 tcp
    state tcp {
        packet.extract(h.tcp);
        transition accept;
    }

    // pipeline.rs:71 udp
    state udp {
        packet.extract(h.udp);
        transition accept;
    }
}

// pipeline.rs:77 ingress
@pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.over") @pa_solitary("ingress", "meta.drop_reason") @pa_solitary("ingress", "meta.ip4_checksum_changes") @pa_solitary("ingress", "meta.tcp_checksum_changes") @pa_solitary("ingress", "meta.udp_checksum_changes") @pa_solitary("ingress", "h.ip4.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.ip4.checksum.$deparse_updated_csum_0") @pa_solitary("ingress", "h.tcp.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.tcp.checksum.$deparse_updated_csum_0") @pa_solitary("ingress", "h.udp.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.udp.checksum.$deparse_updated_csum_0") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16) @pa_container_size("ingress", "meta.ip4_checksum_was", 16) @pa_container_size("ingress", "meta.tcp_checksum_was", 16) @pa_container_size("ingress", "meta.ip4_checksum_old0", 32) @pa_container_size("ingress", "meta.ip4_checksum_new0", 32) @pa_container_size("ingress", "meta.tcp_checksum_old0", 32) @pa_container_size("ingress", "meta.tcp_checksum_new0", 32)
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
    @name(".outside_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) outside_counter;
    @name(".inside_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) inside_counter;

    // pipeline.rs:35 action inward
    @name(".outside_inward")
    action outside_inward(bit<32> dst, bit<16> dst_port, bit<32> port) {
        meta.inward_dst = dst;
        meta.inward_dst_port = dst_port;
        meta.inward_port = (bit<9>) port;
        outside_counter.count();
    }

    // pipeline.rs:35 action inward
    @name(".inside_inward")
    action inside_inward(
        @noWarn("unused") bit<32> dst,
        @noWarn("unused") bit<16> dst_port,
        @noWarn("unused") bit<32> port
    ) {
        inside_counter.count();
    }

    // pipeline.rs:36 action outward
    @name(".outside_outward")
    action outside_outward(@noWarn("unused") bit<32> src, @noWarn("unused") bit<32> port) {
        outside_counter.count();
    }

    // pipeline.rs:36 action outward
    @name(".inside_outward")
    action inside_outward(bit<32> src, bit<32> port) {
        meta.outward_src = src;
        meta.outward_port = (bit<9>) port;
        inside_counter.count();
    }

    // pipeline.rs:38 action no_nat
    @name(".outside_no_nat")
    action outside_no_nat() {
        outside_counter.count();
    }

    // pipeline.rs:38 action no_nat
    @name(".inside_no_nat")
    action inside_no_nat() {
        inside_counter.count();
    }

    // pipeline.rs:41 table outside
    @name(".outside")
    table outside {
        key = {
            h.ip4.dst: exact @name("dst");
            h.ip4.protocol: exact @name("protocol");
            meta.dst_port: exact @name("dst_port");
        }
        actions = {
            outside_inward;
            outside_outward;
            @defaultonly outside_no_nat;
        }
        const default_action = outside_no_nat();
        size = 1024;
        counters = outside_counter;
    }

    // pipeline.rs:43 table inside
    @name(".inside")
    table inside {
        key = {
            h.ip4.src: exact @name("src");
        }
        actions = {
            inside_inward;
            inside_outward;
            @defaultonly inside_no_nat;
        }
        const default_action = inside_no_nat();
        size = 1024;
        counters = inside_counter;
    }

    apply {
        if (!h.ip4.isValid()) {
            tm.bypass_egress = 1;
            tm.ucast_egress_port = CPU_PORT;
        } else if (!h.tcp.isValid() && !h.udp.isValid()) {
            meta.drop_reason = 1;
            deparser.drop_ctl = 1;
        } else {
            if (h.tcp.isValid()) {
                meta.dst_port = h.tcp.dst_port;
            } else {
                meta.dst_port = h.udp.dst_port;
            }
            bit<32> old_2 = h.ip4.src;

            // pipeline.rs:84 outside
            switch (outside.apply().action_run) {
                outside_inward: {
                    meta.over = true;
                    bit<32> old = h.ip4.dst;
                    meta.ip4_checksum_changes = true;
                    meta.ip4_checksum_was = ~h.ip4.checksum;
                    meta.ip4_checksum_old0 = ~h.ip4.dst;
                    meta.ip4_checksum_new0 = meta.inward_dst;
                    h.ip4.dst = meta.inward_dst;
                    if (h.tcp.isValid()) {
                        meta.tcp_checksum_changes = true;
                        meta.tcp_checksum_was = ~h.tcp.checksum;
                        meta.tcp_checksum_old0 = ~old;
                        meta.tcp_checksum_new0 = meta.inward_dst;
                    } else if (h.udp.checksum != 0) {
                        meta.udp_checksum_changes = true;
                        meta.tcp_checksum_was = ~h.udp.checksum;
                        meta.tcp_checksum_old0 = ~old;
                        meta.tcp_checksum_new0 = meta.inward_dst;
                    }
                    if (h.tcp.isValid()) {
                        meta.tcp_checksum_changes = true;
                        meta.tcp_checksum_was = ~h.tcp.checksum;
                        meta.tcp_checksum_old1 = ~h.tcp.dst_port;
                        meta.tcp_checksum_new1 = meta.inward_dst_port;
                        h.tcp.dst_port = meta.inward_dst_port;
                    } else {
                        if (h.udp.checksum != 0) {
                            meta.udp_checksum_changes = true;
                            meta.tcp_checksum_was = ~h.udp.checksum;
                            meta.tcp_checksum_old1 = ~h.udp.dst_port;
                            meta.tcp_checksum_new1 = meta.inward_dst_port;
                        }
                        h.udp.dst_port = meta.inward_dst_port;
                    }
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = meta.inward_port;
                }
            }
            if (!meta.over) {
                // pipeline.rs:104 inside
                switch (inside.apply().action_run) {
                    inside_outward: {
                        meta.ip4_checksum_changes = true;
                        meta.ip4_checksum_was = ~h.ip4.checksum;
                        meta.ip4_checksum_old0 = ~h.ip4.src;
                        meta.ip4_checksum_new0 = meta.outward_src;
                        h.ip4.src = meta.outward_src;
                        if (h.tcp.isValid()) {
                            meta.tcp_checksum_changes = true;
                            meta.tcp_checksum_was = ~h.tcp.checksum;
                            meta.tcp_checksum_old0 = ~old_2;
                            meta.tcp_checksum_new0 = meta.outward_src;
                        } else if (h.udp.checksum != 0) {
                            meta.udp_checksum_changes = true;
                            meta.tcp_checksum_was = ~h.udp.checksum;
                            meta.tcp_checksum_old0 = ~old_2;
                            meta.tcp_checksum_new0 = meta.outward_src;
                        }
                        tm.bypass_egress = 1;
                        tm.ucast_egress_port = meta.outward_port;
                    }
                    inside_inward: {
                        meta.drop_reason = 2;
                        deparser.drop_ctl = 1;
                    }
                    inside_no_nat: {
                        meta.drop_reason = 2;
                        deparser.drop_ctl = 1;
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
    Checksum() ip4_checksum_sum;
    Checksum() tcp_checksum_sum;
    Checksum() udp_checksum_sum;

    apply {
        if (meta.ip4_checksum_changes) {
            h.ip4.checksum = ip4_checksum_sum.update({
                meta.ip4_checksum_was,
                meta.ip4_checksum_old0,
                meta.ip4_checksum_new0
            });
        }
        if (meta.tcp_checksum_changes) {
            h.tcp.checksum = tcp_checksum_sum.update({
                meta.tcp_checksum_was,
                meta.tcp_checksum_old0,
                meta.tcp_checksum_new0,
                meta.tcp_checksum_old1,
                meta.tcp_checksum_new1
            });
        }
        if (meta.udp_checksum_changes) {
            h.udp.checksum = udp_checksum_sum.update({
                meta.tcp_checksum_was,
                meta.tcp_checksum_old0,
                meta.tcp_checksum_new0,
                meta.tcp_checksum_old1,
                meta.tcp_checksum_new1
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
