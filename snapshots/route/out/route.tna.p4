// route: made by Guideway from pipeline.rs for tofino.
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
    ipv4_t ip4;
    ipv6_t ip6;
}

struct metadata_t {
    bit<16> hop;
    bit<16> via_hop;
    bit<9> send_port;
    bit<48> send_src_mac;
    bit<48> send_dst_mac;
    bool over;
    bit<32> step;
    bit<3> drop_reason;
    bool ip4_checksum_changes;
    bit<16> ip4_checksum_was;
    bit<16> ip4_checksum_old0;
    bit<16> ip4_checksum_new0;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:59 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.hop = 0;
        meta.via_hop = 0;
        meta.send_port = 0;
        meta.send_src_mac = 0;
        meta.send_dst_mac = 0;
        meta.over = false;
        meta.step = 0;
        meta.drop_reason = 0;
        meta.ip4_checksum_changes = false;
        meta.ip4_checksum_was = 0;
        meta.ip4_checksum_old0 = 65280;
        meta.ip4_checksum_new0 = 255;
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            0x86dd: ipv6;
            default: accept;
        }
    }

    // pipeline.rs:69 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition accept;
    }

    // pipeline.rs:75 ipv6
    state ipv6 {
        packet.extract(h.ip6);
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
    Counter<bit<64>, bit<3>>(5, CounterType_t.PACKETS) drops;
    @name(".route4_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS) route4_counter;
    @name(".route6_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS) route6_counter;

    // pipeline.rs:36 action via
    @name(".route4_via")
    action route4_via(bit<16> hop) {
        meta.via_hop = hop;
        route4_counter.count();
    }

    // pipeline.rs:36 action via
    @name(".route6_via")
    action route6_via(bit<16> hop) {
        meta.via_hop = hop;
        route6_counter.count();
    }

    // pipeline.rs:37 action blackhole
    @name(".route4_blackhole")
    action route4_blackhole() {
        meta.over = true;
        meta.drop_reason = 4;
        deparser.drop_ctl = 1;
        route4_counter.count();
    }

    // pipeline.rs:37 action blackhole
    @name(".route6_blackhole")
    action route6_blackhole() {
        meta.over = true;
        meta.drop_reason = 4;
        deparser.drop_ctl = 1;
        route6_counter.count();
    }

    // pipeline.rs:39 action unreachable
    @name(".route4_unreachable")
    action route4_unreachable() {
        meta.over = true;
        meta.drop_reason = 1;
        deparser.drop_ctl = 1;
        route4_counter.count();
    }

    // pipeline.rs:39 action unreachable
    @name(".route6_unreachable")
    action route6_unreachable() {
        meta.over = true;
        meta.drop_reason = 1;
        deparser.drop_ctl = 1;
        route6_counter.count();
    }

    // pipeline.rs:51 action send
    @name(".send")
    action send(bit<32> port, bit<48> src_mac, bit<48> dst_mac) {
        meta.send_port = (bit<9>) port;
        meta.send_src_mac = src_mac;
        meta.send_dst_mac = dst_mac;
    }

    // pipeline.rs:53 action unresolved
    @name(".unresolved")
    action unresolved() {
        meta.drop_reason = 2;
        deparser.drop_ctl = 1;
    }

    // pipeline.rs:42 table route4
    @name(".route4")
    table route4 {
        key = {
            meta.step[7:0]: exact @name("vrf");
            h.ip4.dst: lpm @name("dst");
        }
        actions = {
            route4_via;
            route4_blackhole;
            @defaultonly route4_unreachable;
        }
        const default_action = route4_unreachable();
        size = 1024;
        counters = route4_counter;
    }

    // pipeline.rs:44 table route6
    @name(".route6")
    table route6 {
        key = {
            h.ip6.dst: lpm @name("dst");
        }
        actions = {
            route6_via;
            route6_blackhole;
            @defaultonly route6_unreachable;
        }
        const default_action = route6_unreachable();
        size = 1024;
        counters = route6_counter;
    }

    // pipeline.rs:56 table neighbour
    @name(".neighbour")
    table neighbour {
        key = {
            meta.hop: exact @name("hop");
        }
        actions = {
            send;
            @defaultonly unresolved;
        }
        const default_action = unresolved();
        size = 256;
    }

    apply {
        if (h.ip4.isValid()) {
            if (h.ip4.ttl <= 1) {
                meta.over = true;
                meta.drop_reason = 3;
                deparser.drop_ctl = 1;
            } else {
                meta.step = (bit<32>) istd.ingress_port;

                // pipeline.rs:86 route4
                switch (route4.apply().action_run) {
                    route4_via: {
                        meta.hop = meta.via_hop;
                        bit<8> ttl = h.ip4.ttl - 1;
                        meta.ip4_checksum_changes = true;
                        meta.ip4_checksum_was = ~h.ip4.checksum;
                        meta.ip4_checksum_old0[15:8] = ~h.ip4.ttl;
                        meta.ip4_checksum_new0[15:8] = ttl;
                        h.ip4.ttl = ttl;
                    }
                }
            }
        } else if (h.ip6.isValid()) {
            if (h.ip6.hop_limit <= 1) {
                meta.over = true;
                meta.drop_reason = 3;
                deparser.drop_ctl = 1;
            } else {
                // pipeline.rs:98 route6
                switch (route6.apply().action_run) {
                    route6_via: {
                        meta.hop = meta.via_hop;
                        h.ip6.hop_limit = h.ip6.hop_limit - 1;
                    }
                }
            }
        } else {
            meta.over = true;
            tm.bypass_egress = 1;
            tm.ucast_egress_port = CPU_PORT;
        }
        if (!meta.over) {
            // pipeline.rs:107 neighbour
            if (neighbour.apply().hit) {
                h.eth.src = meta.send_src_mac;
                h.eth.dst = meta.send_dst_mac;
                tm.bypass_egress = 1;
                tm.ucast_egress_port = meta.send_port;
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
