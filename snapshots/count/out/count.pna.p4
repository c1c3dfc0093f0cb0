// count: made by Guideway from pipeline.rs for pna.
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

// In the order in which they leave.
struct headers_t {
    preamble_t preamble;
    ethernet_t eth;
    ipv4_t ip4;
}

struct metadata_t {
    bit<32> frame_length;
    bit<32> room;
    bit<32> out_port;
    bit<32> host_src;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in pna_main_parser_input_metadata_t istd
) {
    // pipeline.rs:35 start
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

    // pipeline.rs:44 ipv4
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

// pipeline.rs:50 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // pipeline.rs:15 drop reason
    @name(".drop.blocked") @id(0x1290fa2e)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_blocked;
    // pipeline.rs:32 counter
    @name(".by_protocol") @id(0x128686ab)
    Counter<bit<64>, bit<32>>(256, PNA_CounterType_t.PACKETS) by_protocol;
    @name(".host_counter") @id(0x1377e091)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) host_counter;

    // pipeline.rs:23 action out
    @name(".out") @id(0x01067e90)
    action out_2(bit<32> port) {
        meta.out_port = port;
        host_counter.count(meta.frame_length);
    }

    // pipeline.rs:24 action block
    @name(".block") @id(0x0133d77d)
    action block() {
        host_counter.count(meta.frame_length);
    }

    // pipeline.rs:26 action unknown
    @name(".unknown") @id(0x018ffceb)
    action unknown() {
        host_counter.count(meta.frame_length);
    }

    // pipeline.rs:29 table host
    @name(".host") @id(0x02129c77)
    table host {
        key = {
            meta.host_src: exact @name("src");
        }
        actions = {
            out_2;
            block;
            @defaultonly unknown;
        }
        const default_action = unknown();
        size = 1024;
        pna_direct_counter = host_counter;
    }

    apply {
        if (!h.ip4.isValid()) {
            send_to_port(port = (PortId_t) CPU_PORT);
            exit;
        }
        by_protocol.count((bit<32>) h.ip4.protocol);

        // pipeline.rs:54 host
        meta.host_src = h.ip4.src;
        switch (host.apply().action_run) {
            out_2: {
                bit<8> ttl = h.ip4.ttl - 1;
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~(h.ip4.ttl ++ h.ip4.protocol) + (bit<32>) (ttl ++ h.ip4.protocol)
                );
                h.ip4.ttl = ttl;
                send_to_port(port = (PortId_t) meta.out_port);
                exit;
            }
            block: {
                drop_blocked.count(0);
                drop_packet();
                exit;
            }
            unknown: {
                send_to_port(port = (PortId_t) CPU_PORT);
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
