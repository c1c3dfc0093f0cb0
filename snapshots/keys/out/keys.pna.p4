// keys: made by Guideway from pipeline.rs for pna.
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
    preamble_t preamble;
    ethernet_t eth;
    ipv4_t ip4;
}

struct metadata_t {
    bit<32> frame_length;
    bit<32> room;
    bit<32> to;
    bit<8> grade_tos;
    bit<4> subnet_line;
    bit<16> subnet_net;
    bit<8> grade_congestion;
    bit<8> grade_hops;
    bit<1> grade_fragment;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in pna_main_parser_input_metadata_t istd
) {
    // pipeline.rs:58 start
    state start {
        packet.extract(h.preamble);
        meta.frame_length = h.preamble.length;
        meta.room = h.preamble.length;
        meta.to = h.preamble.most & 1;
        meta.room = meta.room - 14;
        transition select(meta.room) {
            0 &&& 0x80000000: start_2;
            default: accept;
        }
    }

    state start_2 {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:67 ipv4
    state ipv4 {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: ipv4_2;
            default: accept;
        }
    }

    state ipv4_2 {
        packet.extract(h.ip4);
        transition accept;
    }
}

// RFC 1624, equation 3: the checksum after words have changed; `change` is the sum of the old ones' complements and
// the new ones.
void adjust(inout bit<16> checksum, in bit<32> change) {
    bit<32> sum = (bit<32>) ~checksum + change;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    checksum = (bit<16>) (sum ^ 0xffff);
}

// pipeline.rs:73 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // pipeline.rs:17 drop reason
    @name(".drop.not_ip") @id(0x1201e1b8)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_not_ip;
    // pipeline.rs:18 drop reason
    @name(".drop.no_subnet") @id(0x127f3340)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_no_subnet;
    // pipeline.rs:19 drop reason
    @name(".drop.refused") @id(0x1206c7ff)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_refused;

    // pipeline.rs:31 action out
    @name(".out") @id(0x01067e90)
    action out_2(bit<32> port) {
        meta.to = port;
    }

    // pipeline.rs:33 action nowhere
    @name(".nowhere") @id(0x01521433)
    action nowhere() { }

    // pipeline.rs:49 action grade
    @name(".grade") @id(0x01ab12c4)
    action grade_2(bit<8> tos) {
        meta.grade_tos = tos;
    }

    // pipeline.rs:50 action refuse
    @name(".refuse") @id(0x01ae8bcf)
    action refuse() { }

    // pipeline.rs:52 action as_it_is
    @name(".as_it_is") @id(0x018136da)
    action as_it_is() { }

    // pipeline.rs:36 table subnet
    @name(".subnet") @id(0x020d79ae)
    table subnet {
        key = {
            meta.subnet_line: exact @name("line");
            meta.subnet_net: lpm @name("net");
        }
        actions = {
            out_2;
            @defaultonly nowhere;
        }
        const default_action = nowhere();
        size = 64;
    }

    // pipeline.rs:55 table grade
    @name(".grade") @id(0x02ab12c4)
    table grade {
        key = {
            meta.grade_congestion: exact @name("congestion");
            meta.grade_hops: exact @name("hops");
            meta.grade_fragment: exact @name("fragment");
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
        if (!h.ip4.isValid()) {
            drop_not_ip.count(0);
            drop_packet();
            exit;
        }

        // pipeline.rs:76 subnet
        if (h.preamble.isValid()) {
            meta.subnet_line = ((PortIdUint_t) istd.input_port)[3:0];
            meta.subnet_net = h.ip4.dst[23:8];
        }
        if (subnet.apply().miss) {
            drop_no_subnet.count(0);
            drop_packet();
            exit;
        }

        // pipeline.rs:85 grade
        if (h.preamble.isValid()) {
            meta.grade_congestion = h.ip4.tos & 3;
            meta.grade_hops = h.ip4.ttl + 1;
            meta.grade_fragment = h.ip4.more_fragments;
        }
        switch (grade.apply().action_run) {
            grade_2: {
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~(h.ip4.version ++ h.ip4.ihl ++ h.ip4.tos)
                        + (bit<32>) (h.ip4.version ++ h.ip4.ihl ++ meta.grade_tos)
                );
                h.ip4.tos = meta.grade_tos;
            }
            refuse: {
                drop_refused.count(0);
                drop_packet();
                exit;
            }
        }
        send_to_port(port = (PortId_t) meta.to);
        exit;
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
