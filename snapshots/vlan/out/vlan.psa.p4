// vlan: made by Guideway from pipeline.rs for psa-bmv2.
#include <core.p4>
#include <psa.p4>

// What packets carry from block to block.
struct nothing_t { }

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
    bit<32> untag_port;
    bit<32> tag_port;
    bit<12> tag_id;
    bit<3> tag_pcp;
    bit<32> retag_port;
    bit<12> retag_id;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in psa_ingress_parser_input_metadata_t istd,
    in nothing_t resubmitted,
    in nothing_t recirculated
) {
    // pipeline.rs:38 start
    state start {
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
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd
) {
    // pipeline.rs:17 drop reason
    @name(".drop.cut") @id(0x129853b0)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_cut;
    // pipeline.rs:18 drop reason
    @name(".drop.unknown_vlan") @id(0x12ba5b23)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_unknown_vlan;

    // pipeline.rs:28 action untag
    @name(".untag") @id(0x015be433)
    action untag(bit<32> port) {
        meta.untag_port = port;
    }

    // pipeline.rs:29 action tag
    @name(".tag") @id(0x01ecde4d)
    action tag(bit<32> port, bit<12> id, bit<3> pcp) {
        meta.tag_port = port;
        meta.tag_id = id;
        meta.tag_pcp = pcp;
    }

    // pipeline.rs:30 action retag
    @name(".retag") @id(0x01cdaf8d)
    action retag(bit<32> port, bit<12> id) {
        meta.retag_port = port;
        meta.retag_id = id;
    }

    // pipeline.rs:32 action unknown
    @name(".unknown") @id(0x018ffceb)
    action unknown() { }

    // pipeline.rs:35 table vlans
    @name(".vlans") @id(0x02e80878)
    table vlans {
        key = {
            (PortIdUint_t) istd.ingress_port: exact @name("port");
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
    }

    apply {
        if (!h.eth.isValid() || h.eth.ethertype == 0x8100 && !h.tag.isValid()) {
            drop_cut.count(0);
            ingress_drop(ostd);
            exit;
        }
        if (h.tag.isValid()) {
            meta.id = h.tag.id;
        }

        // pipeline.rs:59 vlans
        switch (vlans.apply().action_run) {
            untag: {
                if (h.tag.isValid()) {
                    h.eth.ethertype = h.tag.ethertype;
                    h.tag.setInvalid();
                }
                send_to_port(ostd, (PortId_t) meta.untag_port);
                exit;
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
                send_to_port(ostd, (PortId_t) meta.tag_port);
                exit;
            }
            retag: {
                h.tag.id = meta.retag_id;
                send_to_port(ostd, (PortId_t) meta.retag_port);
                exit;
            }
            unknown: {
                drop_unknown_vlan.count(0);
                ingress_drop(ostd);
                exit;
            }
        }
    }
}

control deparse(
    packet_out packet,
    out nothing_t cloned,
    out nothing_t resubmitted,
    out nothing_t normal,
    inout headers_t h,
    in metadata_t meta,
    in psa_ingress_output_metadata_t ostd
) {
    apply {
        packet.emit(h);
    }
}

// Ingress has made the packet what it is: it leaves as it is.
parser egress_parse(
    packet_in packet,
    out nothing_t h,
    inout nothing_t meta,
    in psa_egress_parser_input_metadata_t istd,
    in nothing_t normal,
    in nothing_t cloned_in,
    in nothing_t cloned_out
) {
    state start {
        transition accept;
    }
}

control egress(
    inout nothing_t h,
    inout nothing_t meta,
    in psa_egress_input_metadata_t istd,
    inout psa_egress_output_metadata_t ostd
) {
    apply { }
}

control egress_deparse(
    packet_out packet,
    out nothing_t cloned,
    out nothing_t recirculated,
    inout nothing_t h,
    in nothing_t meta,
    in psa_egress_output_metadata_t ostd,
    in psa_egress_deparser_input_metadata_t edstd
) {
    apply { }
}

PSA_Switch(
    IngressPipeline(parse(), ingress(), deparse()),
    PacketReplicationEngine(),
    EgressPipeline(egress_parse(), egress(), egress_deparse()),
    BufferingQueueingEngine()
) main;
