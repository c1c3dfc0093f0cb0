// stateless: made by Guideway from pipeline.rs for psa-bmv2.
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

header l4_start_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> word;
}

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    ipv4_t outer4;
    ipv6_t outer6;
    ipv4_t ip4;
    ipv6_t ip6;
    l4_start_t l4;
}

struct metadata_t {
    bit<16> pool;
    bit<64> key_2;
    bit<32> ipip4_src;
    bit<32> ipip4_dst;
    bit<32> ipip4_port;
    bit<48> ipip4_dst_mac;
    bit<48> ipip4_src_mac;
    bit<128> ipip6_src;
    bit<128> ipip6_dst;
    bit<32> ipip6_port;
    bit<48> ipip6_dst_mac;
    bit<48> ipip6_src_mac;
    bit<24> id;
    bit<17> ring_slot;
    bit<8> generation;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in psa_ingress_parser_input_metadata_t istd,
    in nothing_t resubmitted,
    in nothing_t recirculated
) {
    // pipeline.rs:80 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            0x86dd: ipv6;
            default: accept;
        }
    }

    // pipeline.rs:90 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition select(
            h.ip4.version,
            h.ip4.ihl,
            h.ip4.more_fragments,
            h.ip4.fragment_offset,
            h.ip4.protocol
        ) {
            (4, 5, 0, 0, 6): l4;
            (4, 5, 0, 0, 17): l4;
            default: accept;
        }
    }

    // pipeline.rs:99 ipv6
    state ipv6 {
        packet.extract(h.ip6);
        transition select(h.ip6.version, h.ip6.next_header) {
            (6, 6): l4;
            (6, 17): l4;
            default: accept;
        }
    }

    // pipeline.rs:108 l4
    state l4 {
        packet.extract(h.l4);
        transition accept;
    }
}

// RFC 1071: the checksum of words whose sum is given.
bit<16> checksum_of(in bit<32> total) {
    bit<32> sum = (total & 0xffff) + (total >> 16);
    return ~(sum[15:0] + sum[31:16]);
}

// pipeline.rs:114 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd
) {
    Hash<bit<32>>(PSA_HashAlgorithm_t.CRC32) crc32;
    Hash<bit<32>>(PSA_HashAlgorithm_t.IDENTITY) remainder;
    // pipeline.rs:31 drop reason
    @name(".drop.no_pool") @id(0x12288a7d)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_no_pool;
    // pipeline.rs:32 drop reason
    @name(".drop.no_slot") @id(0x12238767)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_no_slot;
    // pipeline.rs:33 drop reason
    @name(".drop.no_backend") @id(0x12c3537f)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_no_backend;
    // pipeline.rs:34 drop reason
    @name(".drop.family") @id(0x126b70b7)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_family;

    // pipeline.rs:54 action set_vip
    @name(".set_vip") @id(0x01edf772)
    action set_vip(bit<16> pool, bit<64> hash_key) {
        meta.pool = pool;
        meta.key_2 = hash_key;
    }

    // pipeline.rs:56 action not_a_vip
    @name(".not_a_vip") @id(0x010c9008)
    action not_a_vip() { }

    // pipeline.rs:71 action ipip4
    @name(".ipip4") @id(0x01888838)
    action ipip4(bit<32> src, bit<32> dst, bit<32> port, bit<48> dst_mac, bit<48> src_mac) {
        meta.ipip4_src = src;
        meta.ipip4_dst = dst;
        meta.ipip4_port = port;
        meta.ipip4_dst_mac = dst_mac;
        meta.ipip4_src_mac = src_mac;
    }

    // pipeline.rs:72 action ipip6
    @name(".ipip6") @id(0x0167b7f9)
    action ipip6(bit<128> src, bit<128> dst, bit<32> port, bit<48> dst_mac, bit<48> src_mac) {
        meta.ipip6_src = src;
        meta.ipip6_dst = dst;
        meta.ipip6_port = port;
        meta.ipip6_dst_mac = dst_mac;
        meta.ipip6_src_mac = src_mac;
    }

    // pipeline.rs:74 action gone
    @name(".gone") @id(0x0142c088)
    action gone() { }

    @name(".set_generation") @id(0x01f598f9)
    action set_generation(bit<8> generation) {
        meta.generation = generation;
    }

    @name(".no_pool") @id(0x01a9f954)
    action no_pool() { }

    @name(".set_ring") @id(0x011e068e)
    action set_ring(bit<24> id) {
        meta.id = id;
    }

    @name(".no_ring") @id(0x01a915b9)
    action no_ring() { }

    // pipeline.rs:59 table vip4
    @name(".vip4") @id(0x022fb337)
    table vip4 {
        key = {
            h.ip4.dst: exact @name("dst");
            h.ip4.protocol: exact @name("protocol");
            h.l4.dst_port: exact @name("dst_port");
        }
        actions = {
            set_vip;
            @defaultonly not_a_vip;
        }
        const default_action = not_a_vip();
        size = 512;
    }

    // pipeline.rs:61 table vip6
    @name(".vip6") @id(0x023a7949)
    table vip6 {
        key = {
            h.ip6.dst: exact @name("dst");
            h.ip6.next_header: exact @name("protocol");
            h.l4.dst_port: exact @name("dst_port");
        }
        actions = {
            set_vip;
            @defaultonly not_a_vip;
        }
        const default_action = not_a_vip();
        size = 512;
    }

    // pipeline.rs:77 table backend
    @name(".backend") @id(0x027a5084)
    table backend {
        key = {
            meta.id: exact @name("backend");
        }
        actions = {
            ipip4;
            ipip6;
            @defaultonly gone;
        }
        const default_action = gone();
        size = 4096;
    }

    // pipeline.rs:64 the generation of each pool in force
    @name(".pool") @id(0x02956bab)
    table pool {
        key = {
            meta.pool: exact @name("pool");
        }
        actions = {
            set_generation;
            @defaultonly no_pool;
        }
        const default_action = no_pool();
        size = 64;
    }

    // pipeline.rs:64 ring: 65537 slots, 17 bits
    @name(".ring") @id(0x0282b8d4)
    table ring {
        key = {
            meta.pool: exact @name("pool");
            meta.generation: exact @name("generation");
            meta.ring_slot: exact @name("slot");
        }
        actions = {
            set_ring;
            @defaultonly no_ring;
        }
        const default_action = no_ring();
        size = 524296;
    }

    apply {
        if (!h.l4.isValid()) {
            send_to_port(ostd, (PortId_t) CPU_PORT);
            exit;
        }
        if (h.ip4.isValid()) {
            // pipeline.rs:118 vip4
            if (vip4.apply().miss) {
                send_to_port(ostd, (PortId_t) CPU_PORT);
                exit;
            }
        } else {
            // pipeline.rs:126 vip6
            if (vip6.apply().miss) {
                send_to_port(ostd, (PortId_t) CPU_PORT);
                exit;
            }
        }
        bit<32> hash;
        if (h.ip4.isValid()) {
            hash = crc32.get_hash({
                (bit<32>) meta.key_2,
                h.ip4.src,
                h.ip4.dst,
                h.l4.src_port,
                h.l4.dst_port,
                h.ip4.protocol
            });
        } else {
            hash = crc32.get_hash({
                (bit<32>) meta.key_2,
                h.ip6.src,
                h.ip6.dst,
                h.l4.src_port,
                h.l4.dst_port,
                h.ip6.next_header
            });
        }

        // pipeline.rs:139 select from ring
        if (pool.apply().miss) {
            drop_no_pool.count(0);
            ingress_drop(ostd);
            exit;
        }
        meta.ring_slot = (bit<17>) remainder.get_hash(32w0, { hash }, 32w65537);
        if (ring.apply().miss) {
            drop_no_slot.count(0);
            ingress_drop(ostd);
            exit;
        }

        // pipeline.rs:140 backend
        switch (backend.apply().action_run) {
            ipip4: {
                if (h.ip6.isValid()) {
                    drop_family.count(0);
                    ingress_drop(ostd);
                    exit;
                }

                // pipeline.rs:145 push outer4
                h.outer4.setValid();
                h.outer4.version = 4;
                h.outer4.ihl = 5;
                h.outer4.tos = h.ip4.tos;
                h.outer4.total_length = h.ip4.total_length + 20;
                h.outer4.identification = 0;
                h.outer4.reserved = 0;
                h.outer4.dont_fragment = 1;
                h.outer4.more_fragments = 0;
                h.outer4.fragment_offset = 0;
                h.outer4.ttl = 64;
                h.outer4.protocol = 4;
                h.outer4.checksum = 0;
                h.outer4.src = meta.ipip4_src;
                h.outer4.dst = meta.ipip4_dst;
                h.outer4.checksum = checksum_of(
                    (bit<32>) (h.outer4.version ++ h.outer4.ihl ++ h.outer4.tos)
                        + (bit<32>) h.outer4.total_length
                        + (bit<32>) h.outer4.identification
                        + (bit<32>) (h.outer4.reserved
                            ++ h.outer4.dont_fragment
                            ++ h.outer4.more_fragments
                            ++ h.outer4.fragment_offset)
                        + (bit<32>) (h.outer4.ttl ++ h.outer4.protocol)
                        + (bit<32>) h.outer4.checksum
                        + (bit<32>) h.outer4.src[31:16]
                        + (bit<32>) h.outer4.src[15:0]
                        + (bit<32>) h.outer4.dst[31:16]
                        + (bit<32>) h.outer4.dst[15:0]
                );
                h.eth.dst = meta.ipip4_dst_mac;
                h.eth.src = meta.ipip4_src_mac;
                send_to_port(ostd, (PortId_t) meta.ipip4_port);
                exit;
            }
            ipip6: {
                if (h.ip4.isValid()) {
                    drop_family.count(0);
                    ingress_drop(ostd);
                    exit;
                }

                // pipeline.rs:168 push outer6
                h.outer6.setValid();
                h.outer6.version = 6;
                h.outer6.traffic_class = h.ip6.traffic_class;
                h.outer6.flow_label = 0;
                h.outer6.payload_length = h.ip6.payload_length + 40;
                h.outer6.next_header = 41;
                h.outer6.hop_limit = 64;
                h.outer6.src = meta.ipip6_src;
                h.outer6.dst = meta.ipip6_dst;
                h.eth.dst = meta.ipip6_dst_mac;
                h.eth.src = meta.ipip6_src_mac;
                send_to_port(ostd, (PortId_t) meta.ipip6_port);
                exit;
            }
            gone: {
                drop_no_backend.count(0);
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
