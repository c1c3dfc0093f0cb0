// stateless: made by Guideway from pipeline.rs for bmv2.
#include <core.p4>
#include <v1model.p4>

// The host's own stack: simple_switch's --cpu-port.
const bit<9> CPU_PORT = 510;

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
    inout standard_metadata_t standard_metadata
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

// pipeline.rs:114 ingress
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // pipeline.rs:31 drop reason
    @name(".drop.no_pool") @id(0x12288a7d)
    counter(1, CounterType.packets) drop_no_pool;
    // pipeline.rs:32 drop reason
    @name(".drop.no_slot") @id(0x12238767)
    counter(1, CounterType.packets) drop_no_slot;
    // pipeline.rs:33 drop reason
    @name(".drop.no_backend") @id(0x12c3537f)
    counter(1, CounterType.packets) drop_no_backend;
    // pipeline.rs:34 drop reason
    @name(".drop.family") @id(0x126b70b7)
    counter(1, CounterType.packets) drop_family;
    @name(".vip4_counter") @id(0x13bf4bb5)
    direct_counter(CounterType.packets_and_bytes) vip4_counter;
    @name(".vip6_counter") @id(0x1309d11a)
    direct_counter(CounterType.packets_and_bytes) vip6_counter;
    @name(".backend_counter") @id(0x130f4717)
    direct_counter(CounterType.packets_and_bytes) backend_counter;

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
        counters = vip4_counter;
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
        counters = vip6_counter;
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
        counters = backend_counter;
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
            standard_metadata.egress_spec = CPU_PORT;
            exit;
        }
        if (h.ip4.isValid()) {
            // pipeline.rs:118 vip4
            if (vip4.apply().miss) {
                standard_metadata.egress_spec = CPU_PORT;
                exit;
            }
        } else {
            // pipeline.rs:126 vip6
            if (vip6.apply().miss) {
                standard_metadata.egress_spec = CPU_PORT;
                exit;
            }
        }
        bit<32> hash_2;
        if (h.ip4.isValid()) {
            hash(
                hash_2,
                HashAlgorithm.crc32,
                32w0,
                { (bit<32>) meta.key_2, h.ip4.src, h.ip4.dst, h.l4.src_port, h.l4.dst_port, h.ip4.protocol },
                64w0x100000000
            );
        } else {
            hash(
                hash_2,
                HashAlgorithm.crc32,
                32w0,
                {
                    (bit<32>) meta.key_2,
                    h.ip6.src,
                    h.ip6.dst,
                    h.l4.src_port,
                    h.l4.dst_port,
                    h.ip6.next_header
                },
                64w0x100000000
            );
        }

        // pipeline.rs:139 select from ring
        if (pool.apply().miss) {
            drop_no_pool.count(0);
            mark_to_drop(standard_metadata);
            exit;
        }
        hash(meta.ring_slot, HashAlgorithm.identity, 32w0, { hash_2 }, 32w65537);
        if (ring.apply().miss) {
            drop_no_slot.count(0);
            mark_to_drop(standard_metadata);
            exit;
        }

        // pipeline.rs:140 backend
        switch (backend.apply().action_run) {
            ipip4: {
                if (h.ip6.isValid()) {
                    drop_family.count(0);
                    mark_to_drop(standard_metadata);
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
                hash(h.outer4.checksum, HashAlgorithm.csum16, 16w0, { h.outer4 }, 32w0x10000);
                h.eth.dst = meta.ipip4_dst_mac;
                h.eth.src = meta.ipip4_src_mac;
                standard_metadata.egress_spec = (bit<9>) meta.ipip4_port;
                exit;
            }
            ipip6: {
                if (h.ip4.isValid()) {
                    drop_family.count(0);
                    mark_to_drop(standard_metadata);
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
                standard_metadata.egress_spec = (bit<9>) meta.ipip6_port;
                exit;
            }
            gone: {
                drop_no_backend.count(0);
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
