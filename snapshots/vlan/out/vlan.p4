// vlan: made by Guideway from pipeline.rs for bmv2.
#include <core.p4>
#include <v1model.p4>

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
    inout standard_metadata_t standard_metadata
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
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // pipeline.rs:17 drop reason
    @name(".drop.cut") @id(0x129853b0)
    counter(1, CounterType.packets) drop_cut;
    // pipeline.rs:18 drop reason
    @name(".drop.unknown_vlan") @id(0x12ba5b23)
    counter(1, CounterType.packets) drop_unknown_vlan;
    @name(".vlans_counter") @id(0x132c4aa2)
    direct_counter(CounterType.packets_and_bytes) vlans_counter;

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
            (bit<32>) standard_metadata.ingress_port: exact @name("port");
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
            drop_cut.count(0);
            mark_to_drop(standard_metadata);
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
                standard_metadata.egress_spec = (bit<9>) meta.untag_port;
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
                standard_metadata.egress_spec = (bit<9>) meta.tag_port;
                exit;
            }
            retag: {
                h.tag.id = meta.retag_id;
                standard_metadata.egress_spec = (bit<9>) meta.retag_port;
                exit;
            }
            unknown: {
                drop_unknown_vlan.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
        }
    }
}

// Checksums that come in are not looked at.
control check(inout headers_t h, inout metadata_t meta) {
    apply { }
}

control egress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    apply { }
}

// Ingress has computed what changes.
control compute(inout headers_t h, inout metadata_t meta) {
    apply { }
}

control deparse(packet_out packet, in headers_t h) {
    apply {
        packet.emit(h);
    }
}

V1Switch(parse(), check(), ingress(), egress(), compute(), deparse()) main;
