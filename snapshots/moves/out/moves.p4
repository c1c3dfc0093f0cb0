// moves: made by Guideway from pipeline.rs for bmv2.
#include <core.p4>
#include <v1model.p4>

// The host's own stack: simple_switch's --cpu-port.
const bit<9> CPU_PORT = 510;
const bit<3> EVENT_OPEN = 1;
const bit<3> EVENT_DATA = 2;
const bit<3> EVENT_DATAGRAM = 3;
const bit<3> EVENT_CLOSE = 4;
const bit<3> FLOW_FREE = 0;
const bit<3> FLOW_NEW = 1;
const bit<3> FLOW_TCP = 2;
const bit<3> FLOW_UDP = 3;
const bit<3> FLOW_CLOSING = 4;
const bit<32> FLOWS_BUCKETS = 16384;

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

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    ipv4_t ip4;
    udp_t udp;
}

// A second pass finds the fields of list 1 as the first one left them.
struct metadata_t {
    bit<8> mark;
    bit<8> entered;
    bit<4> first;
    @field_list(1) bit<8> level;
    @field_list(1) bit<8> served_pool;
    @field_list(1) bit<8> served_level;
    @field_list(1) bit<32> direct_port;
    @field_list(1) bit<48> server_mac;
    @field_list(1) bit<32> server_port;
    bit<4> version;
    @field_list(1) bit<8> at_first;
    @field_list(1) bit<32> hash;
    @field_list(1) bit<16> id;
    @field_list(1) bit<80> flows_key;
    @field_list(1) bit<32> flow_hash;
    @field_list(1) bit<3> flow_event;
    @field_list(1) bit<2> flow_class;
    @field_list(1) bit<32> flow_index;
    @field_list(1) bit<18> now;
    @field_list(1) bool flow_place;
    bit<1> flow_spill;
    @field_list(1) bit<48> flow_value;
    bool flow_hit;
    bit<4> ring_slot;
    bit<8> generation;
    bit<20> flow_rank;
    bit<48> flow_way0;
    bit<48> flow_way1;
    bit<48> flow_way2;
    bit<48> flow_way3;
    @field_list(1) bool retry;
    @field_list(1) bit<8> mark_kept;
    @field_list(1) bit<4> first_kept;
    @field_list(1) bit<8> clients_action;
    @field_list(1) bit<9> ingress_port;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    // pipeline.rs:72 start
    state start {
        meta.ingress_port = meta.ingress_port | standard_metadata.ingress_port;
        meta.entered = (bit<8>) meta.ingress_port;
        packet.extract(h.eth);
        meta.mark = meta.mark + h.eth.src[7:0];
        transition select(h.eth.ethertype) {
            0x0800: look;
            default: accept;
        }
    }

    // pipeline.rs:83 look
    state look {
        meta.version = packet.lookahead<bit<4>>();
        meta.first = meta.version;
        transition select(meta.version) {
            4: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:93 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition select(h.ip4.protocol) {
            17: udp;
            default: accept;
        }
    }

    // pipeline.rs:102 udp
    state udp {
        packet.extract(h.udp);
        transition accept;
    }
}

// Ticks that a way may rest before it expires, by its state and class.
bit<18> flow_idle(in bit<48> value) {
    return value[23:21] == FLOW_NEW
        ? 18w458
        : (value[23:21] == FLOW_TCP
            ? 18w4578
            : (value[23:21] == FLOW_UDP ? 18w916 : (value[23:21] == FLOW_CLOSING ? 18w916 : 18w0)));
}

// How much a way wants to be replaced: free or expired, then closing, then new, the oldest first; 0: never.
bit<20> flow_rank(in bit<48> value, in bit<18> now) {
    bit<18> age = now + 1 - value[17:0];
    return value[23:21] == FLOW_FREE || age > flow_idle(value)
        ? 20w0xc0000
        : (value[23:21] == FLOW_CLOSING ? 2w2 ++ age : (value[23:21] == FLOW_NEW ? 2w1 ++ age : 20w0));
}

// pipeline.rs:108 ingress
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // pipeline.rs:25 drop reason
    @name(".drop.no_pool") @id(0x12288a7d)
    counter(1, CounterType.packets) drop_no_pool;
    // pipeline.rs:26 drop reason
    @name(".drop.no_slot") @id(0x12238767)
    counter(1, CounterType.packets) drop_no_slot;
    // pipeline.rs:27 drop reason
    @name(".drop.no_server") @id(0x1210f265)
    counter(1, CounterType.packets) drop_no_server;
    // pipeline.rs:28 drop reason
    @name(".drop.no_client") @id(0x1273ac3d)
    counter(1, CounterType.packets) drop_no_client;
    // pipeline.rs:32 counter
    @name(".seen") @id(0x12f74849)
    counter(2, CounterType.packets_and_bytes) seen;
    @name(".flows.stored") @id(0x1243d8f8)
    counter(1, CounterType.packets) flows_stored;
    @name(".flows.not_stored") @id(0x12967981)
    counter(1, CounterType.packets) flows_not_stored;
    @name(".clients_counter") @id(0x13cff5f6)
    direct_counter(CounterType.packets_and_bytes) clients_counter;
    @name(".servers_counter") @id(0x135a9ffd)
    direct_counter(CounterType.packets_and_bytes) servers_counter;
    // pipeline.rs:54 flow table: buckets of 4 ways
    @name(".flows") @id(0x166b392b)
    register<bit<128>>(65536) flows;

    // Chooses the bucket's way that wants most to be replaced, the lowest among equals.
    @hidden
    action flow_choose() {
        bit<20> rank0 = flow_rank(meta.flow_way0, meta.now);
        bit<20> rank1 = flow_rank(meta.flow_way1, meta.now);
        bit<20> rank2 = flow_rank(meta.flow_way2, meta.now);
        bit<20> rank3 = flow_rank(meta.flow_way3, meta.now);
        bit<20> low = rank1 > rank0 ? rank1 : rank0;
        bit<20> high = rank3 > rank2 ? rank3 : rank2;
        meta.flow_rank = high > low ? high : low;
        meta.flow_index = meta.flow_index
            | (high > low ? (rank3 > rank2 ? 32w3 : 32w2) : (rank1 > rank0 ? 32w1 : 32w0));
        meta.flow_value = high > low
            ? (rank3 > rank2 ? meta.flow_way3 : meta.flow_way2)
            : (rank1 > rank0 ? meta.flow_way1 : meta.flow_way0);
    }

    // Looks in the bucket of a hash: the first way in use that has the flow's key.
    @hidden
    action flows_look(in bit<32> mixed) {
        bit<32> first = (mixed & (FLOWS_BUCKETS - 1)) << 2;
        bit<128> way0;
        bit<128> way1;
        bit<128> way2;
        bit<128> way3;
        flows.read(way0, first);
        flows.read(way1, first | 1);
        flows.read(way2, first | 2);
        flows.read(way3, first | 3);
        bool is0 = way0[23:21] != FLOW_FREE && way0[127:48] == meta.flows_key;
        bool is1 = way1[23:21] != FLOW_FREE && way1[127:48] == meta.flows_key;
        bool is2 = way2[23:21] != FLOW_FREE && way2[127:48] == meta.flows_key;
        bool is3 = way3[23:21] != FLOW_FREE && way3[127:48] == meta.flows_key;
        meta.flow_place = is0 || is1 || is2 || is3;
        meta.flow_index = first | (is0 ? 32w0 : (is1 ? 32w1 : (is2 ? 32w2 : 32w3)));
        meta.flow_value = is0 ? way0[47:0] : (is1 ? way1[47:0] : (is2 ? way2[47:0] : way3[47:0]));
        meta.flow_spill = way0[18:18];
    }

    // The values of a bucket's ways.
    @hidden
    action flows_ways(in bit<32> mixed) {
        meta.flow_index = (mixed & (FLOWS_BUCKETS - 1)) << 2;
        bit<128> way0;
        bit<128> way1;
        bit<128> way2;
        bit<128> way3;
        flows.read(way0, meta.flow_index);
        flows.read(way1, meta.flow_index | 1);
        flows.read(way2, meta.flow_index | 2);
        flows.read(way3, meta.flow_index | 3);
        meta.flow_way0 = way0[47:0];
        meta.flow_way1 = way1[47:0];
        meta.flow_way2 = way2[47:0];
        meta.flow_way3 = way3[47:0];
    }

    // Writes the way that was found or chosen; its spill bit stays.
    @hidden
    action flows_write(in bit<24> id, in bit<3> next, in bit<2> idle_class) {
        flows.write(
            meta.flow_index,
            meta.flows_key ++ id ++ next ++ idle_class ++ meta.flow_value[18:18] ++ meta.now
        );
    }

    // Says in a flow's first bucket that some flow went to its second one.
    @hidden
    action flows_spill(in bit<32> mixed) {
        bit<128> way0;
        flows.read(way0, (mixed & (FLOWS_BUCKETS - 1)) << 2);
        flows.write((mixed & (FLOWS_BUCKETS - 1)) << 2, way0 | 128w0x40000);
    }

    // pipeline.rs:40 action served
    @name(".served") @id(0x01fe7c77)
    action served(bit<8> pool, bit<8> level) {
        meta.served_pool = pool;
        meta.served_level = level;
    }

    // pipeline.rs:41 action direct
    @name(".direct") @id(0x017258e1)
    action direct(bit<32> port) {
        meta.direct_port = port;
    }

    // pipeline.rs:43 action stranger
    @name(".stranger") @id(0x01248d1d)
    action stranger() { }

    // pipeline.rs:64 action server
    @name(".server") @id(0x01ab63cd)
    action server(bit<48> mac, bit<32> port) {
        meta.server_mac = mac;
        meta.server_port = port;
    }

    // pipeline.rs:66 action not_there
    @name(".not_there") @id(0x01cc12be)
    action not_there() { }

    @name(".set_generation") @id(0x01f598f9)
    action set_generation(bit<8> generation) {
        meta.generation = generation;
    }

    @name(".no_in_use") @id(0x01a475f8)
    action no_in_use() { }

    @name(".set_ring") @id(0x011e068e)
    action set_ring(bit<16> id) {
        meta.id = id;
    }

    @name(".no_ring") @id(0x01a915b9)
    action no_ring() { }

    // pipeline.rs:46 table clients
    @name(".clients") @id(0x02ca91fc)
    table clients {
        key = {
            h.ip4.src: lpm @name("src");
        }
        actions = {
            served;
            direct;
            @defaultonly stranger;
        }
        const default_action = stranger();
        size = 64;
        counters = clients_counter;
    }

    // pipeline.rs:69 table servers
    @name(".servers") @id(0x02068efd)
    table servers {
        key = {
            meta.id: exact @name("id");
        }
        actions = {
            server;
            @defaultonly not_there;
        }
        const default_action = not_there();
        size = 256;
        counters = servers_counter;
    }

    // pipeline.rs:57 the generation of each pool in force
    @name(".in_use") @id(0x02714f79)
    table in_use {
        key = {
            meta.served_pool: exact @name("pool");
        }
        actions = {
            set_generation;
            @defaultonly no_in_use;
        }
        const default_action = no_in_use();
        size = 4;
    }

    // pipeline.rs:57 ring: 16 slots, 4 bits
    @name(".ring") @id(0x0282b8d4)
    table ring {
        key = {
            meta.served_pool: exact @name("pool");
            meta.generation: exact @name("generation");
            meta.ring_slot: exact @name("slot");
        }
        actions = {
            set_ring;
            @defaultonly no_ring;
        }
        const default_action = no_ring();
        size = 128;
    }

    apply {
        // What the parser has overwritten.
        if (meta.retry) {
            meta.mark = meta.mark_kept;
            meta.first = meta.first_kept;
        }
        if (!meta.retry) {
            meta.now = standard_metadata.ingress_global_timestamp[33:16];
            if (!h.udp.isValid()) {
                standard_metadata.egress_spec = CPU_PORT;
                exit;
            }
            seen.count(32w0);
            meta.mark = meta.mark + 1;
            meta.first = meta.first + meta.entered[3:0];
            meta.at_first = h.ip4.ttl;
        }

        // pipeline.rs:115 clients
        if (!meta.retry) {
            switch (clients.apply().action_run) {
                served: {
                    meta.clients_action = 1;
                }
                direct: {
                    meta.clients_action = 2;
                }
                stranger: {
                    meta.clients_action = 3;
                }
            }
        }
        if (meta.clients_action == 1) {
            if (!meta.retry) {
                seen.count(32w1);
                meta.level = meta.served_level ^ meta.mark;
                hash(
                    meta.hash,
                    HashAlgorithm.crc32,
                    32w0,
                    { 32w7, h.ip4.src, h.udp.src_port, meta.mark },
                    64w0x100000000
                );

                // pipeline.rs:122 find in flows
                meta.flows_key = h.ip4.src ++ h.udp.src_port ++ meta.mark ++ 24w0;
                meta.flow_hash = meta.hash;
                meta.flow_event = h.ip4.tos[2:0] ^ 3;
                meta.flow_class = 0;
                flows_look(meta.flow_hash);
                if (!meta.flow_place && meta.flow_spill == 1) {
                    flows_look(meta.flow_hash[15:0] ++ meta.flow_hash[31:16]);
                }
                meta.flow_hit = meta.flow_place
                    && meta.now + 1 - meta.flow_value[17:0] <= flow_idle(meta.flow_value)
                    && !(meta.flow_value[23:21] == FLOW_CLOSING && meta.flow_event == EVENT_OPEN);
            }

            // pipeline.rs:123 stay where the flow is, or select
            if (meta.flow_hit) {
                meta.id = (bit<16>) meta.flow_value[47:24];
            } else {
                // pipeline.rs:123 select from ring
                if (in_use.apply().miss) {
                    drop_no_pool.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
                meta.ring_slot = meta.hash[3:0];
                if (ring.apply().miss) {
                    drop_no_slot.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
            }
            if (servers.apply().hit) {
                // pipeline.rs:125 remember
                if (meta.flow_hit) {
                    if (meta.flow_event >= EVENT_OPEN && meta.flow_event <= EVENT_CLOSE) {
                        flows_write(
                            meta.flow_value[47:24],
                            meta.flow_event == EVENT_CLOSE
                                ? FLOW_CLOSING
                                : (meta.flow_value[23:21] == FLOW_NEW && meta.flow_event == EVENT_DATA
                                    ? FLOW_TCP
                                    : (meta.flow_value[23:21] == FLOW_NEW
                                        && meta.flow_event == EVENT_DATAGRAM
                                        ? FLOW_UDP
                                        : meta.flow_value[23:21])),
                            meta.flow_value[20:19]
                        );
                    }
                } else if (meta.flow_event >= EVENT_OPEN && meta.flow_event <= EVENT_DATAGRAM) {
                    if (!meta.flow_place && meta.flows_key[79:16] != 64w0xffffffffffffffff) {
                        flows_ways(meta.flow_hash);
                        flow_choose();
                        if (meta.flow_rank == 0) {
                            flows_ways(meta.flow_hash[15:0] ++ meta.flow_hash[31:16]);
                            flow_choose();
                            if (meta.flow_rank != 0) {
                                flows_spill(meta.flow_hash);
                            }
                        }
                    }
                    if (meta.flow_place || meta.flow_rank != 0) {
                        flows_write((bit<24>) meta.id, FLOW_NEW, meta.flow_class);
                        flows_stored.count(0);
                    } else {
                        flows_not_stored.count(0);
                    }
                }
                h.eth.dst = meta.server_mac;
                h.eth.src = meta.mark
                    ++ meta.level
                    ++ meta.entered
                    ++ meta.at_first
                    ++ (bit<8>) standard_metadata.packet_length
                    ++ meta.first
                    ++ 4w0;
                h.ip4.ttl = h.ip4.ttl - 1;
                standard_metadata.egress_spec = (bit<9>) (meta.server_port + (bit<32>) meta.ingress_port);
                exit;
            } else {
                if (meta.flow_hit) {
                    // Once more from the start, as a flow that moves.
                    meta.retry = true;
                    meta.mark_kept = meta.mark;
                    meta.first_kept = meta.first;
                    resubmit_preserving_field_list(1);
                    exit;
                }
                drop_no_server.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
        } else if (meta.clients_action == 2) {
            standard_metadata.egress_spec = (bit<9>) meta.direct_port;
            exit;
        } else if (meta.clients_action == 3) {
            drop_no_client.count(0);
            mark_to_drop(standard_metadata);
            exit;
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
