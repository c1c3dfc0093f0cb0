// vlan: made by Guideway from pipeline.rs for pna.
#include <core.p4>
#include <pna.p4>

// For ports that are computed.
extern void send_to_port(in PortId_t port);

// From the port: bytes of the frame, the clock's tick. To it: how many bytes may leave; 0: all.
header preamble_t {
    bit<32> length;
    bit<32> tick;
    bit<32> most;
}

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
    preamble_t preamble;
    ethernet_t eth;
    vlan_t tag;
}

struct metadata_t {
    bit<32> frame_length;
    bit<32> room;
    bit<12> id;
    bit<32> untag_port;
    bit<32> tag_port;
    bit<12> tag_id;
    bit<3> tag_pcp;
    bit<32> retag_port;
    bit<12> retag_id;
    bool condition;
    bit<32> vlans_port;
    bit<12> vlans_id;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in pna_main_parser_input_metadata_t istd
) {
    // pipeline.rs:38 start
    state start {
        packet.extract(h.preamble);
        meta.frame_length = h.preamble.length;
        meta.room = h.preamble.length;
        meta.id = (bit<12>) h.preamble.most & 1;
        meta.room = meta.room - 14;
        transition select(meta.room) {
            0 &&& 0x80000000: start_2;
            default: accept;
        }
    }

    state start_2 {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x8100: tag;
            default: accept;
        }
    }

    // pipeline.rs:47 tag
    state tag {
        meta.room = meta.room - 4;
        transition select(meta.room) {
            0 &&& 0x80000000: tag_2;
            default: accept;
        }
    }

    state tag_2 {
        packet.extract(h.tag);
        transition accept;
    }
}

// pipeline.rs:53 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // pipeline.rs:17 drop reason
    @name(".drop.cut") @id(0x129853b0)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_cut;
    // pipeline.rs:18 drop reason
    @name(".drop.unknown_vlan") @id(0x12ba5b23)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_unknown_vlan;
    @name(".vlans_counter") @id(0x132c4aa2)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) vlans_counter;

    // pipeline.rs:28 action untag
    @name(".untag") @id(0x015be433)
    action untag(bit<32> port) {
        meta.untag_port = port;
        vlans_counter.count(meta.frame_length);
    }

    // pipeline.rs:29 action tag
    @name(".tag") @id(0x01ecde4d)
    action tag(bit<32> port, bit<12> id, bit<3> pcp) {
        meta.tag_port = port;
        meta.tag_id = id;
        meta.tag_pcp = pcp;
        vlans_counter.count(meta.frame_length);
    }

    // pipeline.rs:30 action retag
    @name(".retag") @id(0x01cdaf8d)
    action retag(bit<32> port, bit<12> id) {
        meta.retag_port = port;
        meta.retag_id = id;
        vlans_counter.count(meta.frame_length);
    }

    // pipeline.rs:32 action unknown
    @name(".unknown") @id(0x018ffceb)
    action unknown() {
        vlans_counter.count(meta.frame_length);
    }

    // pipeline.rs:35 table vlans
    @name(".vlans") @id(0x02e80878)
    table vlans {
        key = {
            meta.vlans_port: exact @name("port");
            meta.vlans_id: exact @name("id");
        }
        actions = {
            untag;
            tag;
            retag;
            @defaultonly unknown;
        }
        const default_action = unknown();
        size = 4096;
        pna_direct_counter = vlans_counter;
    }

    apply {
        meta.condition = false;
        if (!h.eth.isValid()) {
            meta.condition = true;
        }
        if (!meta.condition) {
            if (h.eth.ethertype == 0x8100) {
                meta.condition = true;
            }
            if (meta.condition) {
                meta.condition = false;
                if (!h.tag.isValid()) {
                    meta.condition = true;
                }
            }
        }
        if (meta.condition) {
            drop_cut.count(0);
            drop_packet();
            exit;
        }
        if (h.tag.isValid()) {
            meta.id = h.tag.id;
        }

        // pipeline.rs:59 vlans
        if (h.preamble.isValid()) {
            meta.vlans_port = (PortIdUint_t) istd.input_port;
            meta.vlans_id = meta.id;
        }
        switch (vlans.apply().action_run) {
            untag: {
                if (h.tag.isValid()) {
                    h.eth.ethertype = h.tag.ethertype;
                    h.tag.setInvalid();
                }
                send_to_port(port = (PortId_t) meta.untag_port);
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
                send_to_port(port = (PortId_t) meta.tag_port);
                exit;
            }
            retag: {
                if (h.tag.isValid()) {
                    h.tag.id = meta.retag_id;
                }
                send_to_port(port = (PortId_t) meta.retag_port);
                exit;
            }
            unknown: {
                drop_unknown_vlan.count(0);
                drop_packet();
                exit;
            }
        }
    }
}

// Nothing is decrypted.
control before(
    in headers_t h,
    inout metadata_t meta,
    in pna_pre_input_metadata_t istd,
    inout pna_pre_output_metadata_t ostd
) {
    apply { }
}

control deparse(packet_out packet, in headers_t h, in metadata_t meta, in pna_main_output_metadata_t ostd) {
    apply {
        packet.emit(h);
    }
}

PNA_NIC(parse(), before(), ingress(), deparse()) main;
