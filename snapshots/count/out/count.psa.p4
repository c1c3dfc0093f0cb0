// count: made by Guideway from pipeline.rs for psa-bmv2.
#include <core.p4>
#include <psa.p4>

// What packets carry from block to block.
struct nothing_t { }

// The host's own stack: PSA_PORT_CPU.
const bit<32> CPU_PORT = 4294967293;

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
    bit<32> out_port;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in psa_ingress_parser_input_metadata_t istd,
    in nothing_t resubmitted,
    in nothing_t recirculated
) {
    // pipeline.rs:35 start
    state start {
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

// RFC 1624, equation 3: the checksum after words have changed; `change` is the sum of the old ones' complements and
// the new ones.
void adjust(inout bit<16> checksum, in bit<32> change) {
    bit<32> sum = (bit<32>) ~checksum + change;
    sum = (sum & 0xffff) + (sum >> 16);
    checksum = ~(sum[15:0] + sum[31:16]);
}

// pipeline.rs:50 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd
) {
    // pipeline.rs:15 drop reason
    @name(".drop.blocked") @id(0x1290fa2e)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_blocked;
    // pipeline.rs:32 counter
    @name(".by_protocol") @id(0x128686ab)
    Counter<bit<64>, bit<32>>(256, PSA_CounterType_t.PACKETS) by_protocol;

    // pipeline.rs:23 action out
    @name(".out") @id(0x01067e90)
    action out_2(bit<32> port) {
        meta.out_port = port;
    }

    // pipeline.rs:24 action block
    @name(".block") @id(0x0133d77d)
    action block() { }

    // pipeline.rs:26 action unknown
    @name(".unknown") @id(0x018ffceb)
    action unknown() { }

    // pipeline.rs:29 table host
    @name(".host") @id(0x02129c77)
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
    }

    apply {
        if (!h.ip4.isValid()) {
            send_to_port(ostd, (PortId_t) CPU_PORT);
            exit;
        }
        by_protocol.count((bit<32>) h.ip4.protocol);

        // pipeline.rs:54 host
        switch (host.apply().action_run) {
            out_2: {
                bit<8> ttl = h.ip4.ttl - 1;
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~(h.ip4.ttl ++ h.ip4.protocol) + (bit<32>) (ttl ++ h.ip4.protocol)
                );
                h.ip4.ttl = ttl;
                send_to_port(ostd, (PortId_t) meta.out_port);
                exit;
            }
            block: {
                drop_blocked.count(0);
                ingress_drop(ostd);
                exit;
            }
            unknown: {
                send_to_port(ostd, (PortId_t) CPU_PORT);
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
