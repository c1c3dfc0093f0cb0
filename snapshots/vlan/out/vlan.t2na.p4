// vlan: made by Guideway from pipeline.rs for tofino2.
#include <core.p4>
#include <t2na.p4>

header ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> ethertype;
}

header vlan_t {
    bit<3> pcp;
    bit<1> dei;
    bit<12> id;
    bit<16> ethertype;
}

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    vlan_t tag;
}

struct metadata_t {
    bit<12> id;
    bit<9> untag_port;
    bit<9> tag_port;
    bit<12> tag_id;
    bit<3> tag_pcp;
    bit<9> retag_port;
    bit<12> retag_id;
    bit<32> step;
    bit<2> drop_reason;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:38 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.id = 0;
        meta.untag_port = 0;
        meta.tag_port = 0;
        meta.tag_id = 0;
        meta.tag_pcp = 0;
        meta.retag_port = 0;
        meta.retag_id = 0;
        meta.step = 0;
        meta.drop_reason = 0;
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x8100: tag;
            default: accept;
        }
    }

    // pipeline.rs:47 tag
    state tag {
        packet.extract(h.tag);
        transition accept;
    }
}

// pipeline.rs:53 ingress
@pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.drop_reason") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16)
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
    @name(".vlans_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) vlans_counter;

    // pipeline.rs:28 action untag
    @name(".untag")
    action untag(bit<32> port) {
        meta.untag_port = (bit<9>) port;
        vlans_counter.count();
    }

    // pipeline.rs:29 action tag
    @name(".tag")
    action tag(bit<32> port, bit<12> id, bit<3> pcp) {
        meta.tag_port = (bit<9>) port;
        meta.tag_id = id;
        meta.tag_pcp = pcp;
        vlans_counter.count();
    }

    // pipeline.rs:30 action retag
    @name(".retag")
    action retag(bit<32> port, bit<12> id) {
        meta.retag_port = (bit<9>) port;
        meta.retag_id = id;
        vlans_counter.count();
    }

    // pipeline.rs:32 action unknown
    @name(".unknown")
    action unknown() {
        meta.drop_reason = 2;
        deparser.drop_ctl = 1;
        vlans_counter.count();
    }

    // pipeline.rs:35 table vlans
    @name(".vlans")
    table vlans {
        key = {
            meta.step: exact @name("port");
            meta.id: exact @name("id");
        }
        actions = {
            untag;
            tag;
            retag;
            @defaultonly unknown;
        }
        const default_action = unknown();
        size = 4096;
        counters = vlans_counter;
    }

    apply {
        if (!h.eth.isValid() || h.eth.ethertype == 0x8100 && !h.tag.isValid()) {
            meta.drop_reason = 1;
            deparser.drop_ctl = 1;
        } else {
            if (h.tag.isValid()) {
                meta.id = h.tag.id;
            }
            meta.step = (bit<32>) istd.ingress_port;

            // pipeline.rs:59 vlans
            switch (vlans.apply().action_run) {
                untag: {
                    if (h.tag.isValid()) {
                        h.eth.ethertype = h.tag.ethertype;
                        h.tag.setInvalid();
                    }
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = meta.untag_port;
                }
                tag: {
                    if (h.tag.isValid()) {
                        h.tag.id = meta.tag_id;
                        h.tag.pcp = meta.tag_pcp;
                    } else {
                        // pipeline.rs:72 push tag
                        h.tag.setValid();
                        h.tag.pcp = meta.tag_pcp;
                        h.tag.dei = 0;
                        h.tag.id = meta.tag_id;
                        h.tag.ethertype = h.eth.ethertype;
                        h.eth.ethertype = 0x8100;
                    }
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = meta.tag_port;
                }
                retag: {
                    if (h.tag.isValid()) {
                        h.tag.id = meta.retag_id;
                    }
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = meta.retag_port;
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
