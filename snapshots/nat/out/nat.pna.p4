// nat: made by Guideway from pipeline.rs for pna.
#include <core.p4>
#include <pna.p4>

// For ports that are computed.
extern void send_to_port(in PortId_t port);

// The host's own stack: the last port but that which drops.
const bit<32> CPU_PORT = 254;

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
    preamble_t preamble;
    ethernet_t eth;
    ipv4_t ip4;
    tcp_t tcp;
    udp_t udp;
}

struct metadata_t {
    bit<32> frame_length;
    bit<32> room;
    bit<32> inward_dst;
    bit<16> inward_dst_port;
    bit<32> inward_port;
    bit<32> outward_src;
    bit<32> outward_port;
    bit<16> dst_port;
    bool condition;
    bit<32> outside_dst;
    bit<8> outside_protocol;
    bit<16> outside_dst_port;
    bit<32> inside_src;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in pna_main_parser_input_metadata_t istd
) {
    // pipeline.rs:46 start
    state start {
        packet.extract(h.preamble);
        meta.frame_length = h.preamble.length;
        meta.room = h.preamble.length;
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

    // pipeline.rs:55 ipv4
    state ipv4 {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: ipv4_2;
            default: accept;
        }
    }

    state ipv4_2 {
        packet.extract(h.ip4);
        transition select(h.ip4.ihl, h.ip4.more_fragments, h.ip4.fragment_offset, h.ip4.protocol) {
            (5, 0, 0, 6): tcp;
            (5, 0, 0, 17): udp;
            default: accept;
        }
    }

    // pipeline.rs:65 tcp
    state tcp {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: tcp_2;
            default: accept;
        }
    }

    state tcp_2 {
        packet.extract(h.tcp);
        transition accept;
    }

    // pipeline.rs:71 udp
    state udp {
        meta.room = meta.room - 8;
        transition select(meta.room) {
            0 &&& 0x80000000: udp_2;
            default: accept;
        }
    }

    state udp_2 {
        packet.extract(h.udp);
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

// pipeline.rs:77 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // pipeline.rs:18 drop reason
    @name(".drop.unparsed") @id(0x12132a7d)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_unparsed;
    // pipeline.rs:19 drop reason
    @name(".drop.not_ours") @id(0x12efdab1)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_not_ours;
    @name(".outside_counter") @id(0x13391473)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) outside_counter;
    @name(".inside_counter") @id(0x13aa2042)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) inside_counter;

    // pipeline.rs:35 action inward
    @name(".outside_inward")
    action outside_inward(bit<32> dst, bit<16> dst_port, bit<32> port) {
        meta.inward_dst = dst;
        meta.inward_dst_port = dst_port;
        meta.inward_port = port;
        outside_counter.count(meta.frame_length);
    }

    // pipeline.rs:35 action inward
    @name(".inside_inward")
    action inside_inward(bit<32> dst, bit<16> dst_port, bit<32> port) {
        meta.inward_dst = dst;
        meta.inward_dst_port = dst_port;
        meta.inward_port = port;
        inside_counter.count(meta.frame_length);
    }

    // pipeline.rs:36 action outward
    @name(".outside_outward")
    action outside_outward(bit<32> src, bit<32> port) {
        meta.outward_src = src;
        meta.outward_port = port;
        outside_counter.count(meta.frame_length);
    }

    // pipeline.rs:36 action outward
    @name(".inside_outward")
    action inside_outward(bit<32> src, bit<32> port) {
        meta.outward_src = src;
        meta.outward_port = port;
        inside_counter.count(meta.frame_length);
    }

    // pipeline.rs:38 action no_nat
    @name(".outside_no_nat")
    action outside_no_nat() {
        outside_counter.count(meta.frame_length);
    }

    // pipeline.rs:38 action no_nat
    @name(".inside_no_nat")
    action inside_no_nat() {
        inside_counter.count(meta.frame_length);
    }

    // pipeline.rs:41 table outside
    @name(".outside") @id(0x02fdb1d5)
    table outside {
        key = {
            meta.outside_dst: exact @name("dst");
            meta.outside_protocol: exact @name("protocol");
            meta.outside_dst_port: exact @name("dst_port");
        }
        actions = {
            outside_inward;
            outside_outward;
            @defaultonly outside_no_nat;
        }
        const default_action = outside_no_nat();
        size = 1024;
        pna_direct_counter = outside_counter;
    }

    // pipeline.rs:43 table inside
    @name(".inside") @id(0x02c929ed)
    table inside {
        key = {
            meta.inside_src: exact @name("src");
        }
        actions = {
            inside_inward;
            inside_outward;
            @defaultonly inside_no_nat;
        }
        const default_action = inside_no_nat();
        size = 1024;
        pna_direct_counter = inside_counter;
    }

    apply {
        if (!h.ip4.isValid()) {
            send_to_port(port = (PortId_t) CPU_PORT);
            exit;
        }
        meta.condition = false;
        if (!h.tcp.isValid()) {
            meta.condition = true;
        }
        if (meta.condition) {
            meta.condition = false;
            if (!h.udp.isValid()) {
                meta.condition = true;
            }
        }
        if (meta.condition) {
            drop_unparsed.count(0);
            drop_packet();
            exit;
        }
        meta.dst_port = h.tcp.isValid() ? h.tcp.dst_port : h.udp.dst_port;

        // pipeline.rs:84 outside
        if (h.preamble.isValid()) {
            meta.outside_dst = h.ip4.dst;
            meta.outside_protocol = h.ip4.protocol;
            meta.outside_dst_port = meta.dst_port;
        }
        switch (outside.apply().action_run) {
            outside_inward: {
                bit<32> old = h.ip4.dst;
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~old[31:16]
                        + (bit<32>) meta.inward_dst[31:16]
                        + (bit<32>) ~old[15:0]
                        + (bit<32>) meta.inward_dst[15:0]
                );
                h.ip4.dst = meta.inward_dst;
                if (h.tcp.isValid()) {
                    adjust(
                        h.tcp.checksum,
                        (bit<32>) ~old[31:16]
                            + (bit<32>) meta.inward_dst[31:16]
                            + (bit<32>) ~old[15:0]
                            + (bit<32>) meta.inward_dst[15:0]
                    );
                } else if (h.udp.checksum != 0) {
                    adjust(
                        h.udp.checksum,
                        (bit<32>) ~old[31:16]
                            + (bit<32>) meta.inward_dst[31:16]
                            + (bit<32>) ~old[15:0]
                            + (bit<32>) meta.inward_dst[15:0]
                    );
                }
                if (h.tcp.isValid()) {
                    adjust(h.tcp.checksum, (bit<32>) ~h.tcp.dst_port + (bit<32>) meta.inward_dst_port);
                    h.tcp.dst_port = meta.inward_dst_port;
                } else {
                    if (h.udp.checksum != 0) {
                        adjust(h.udp.checksum, (bit<32>) ~h.udp.dst_port + (bit<32>) meta.inward_dst_port);
                    }
                    h.udp.dst_port = meta.inward_dst_port;
                }
                send_to_port(port = (PortId_t) meta.inward_port);
                exit;
            }
        }

        // pipeline.rs:104 inside
        meta.inside_src = h.ip4.src;
        switch (inside.apply().action_run) {
            inside_outward: {
                bit<32> old = h.ip4.src;
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~old[31:16]
                        + (bit<32>) meta.outward_src[31:16]
                        + (bit<32>) ~old[15:0]
                        + (bit<32>) meta.outward_src[15:0]
                );
                h.ip4.src = meta.outward_src;
                if (h.tcp.isValid()) {
                    adjust(
                        h.tcp.checksum,
                        (bit<32>) ~old[31:16]
                            + (bit<32>) meta.outward_src[31:16]
                            + (bit<32>) ~old[15:0]
                            + (bit<32>) meta.outward_src[15:0]
                    );
                } else if (h.udp.checksum != 0) {
                    adjust(
                        h.udp.checksum,
                        (bit<32>) ~old[31:16]
                            + (bit<32>) meta.outward_src[31:16]
                            + (bit<32>) ~old[15:0]
                            + (bit<32>) meta.outward_src[15:0]
                    );
                }
                send_to_port(port = (PortId_t) meta.outward_port);
                exit;
            }
            inside_inward: {
                drop_not_ours.count(0);
                drop_packet();
                exit;
            }
            inside_no_nat: {
                drop_not_ours.count(0);
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
