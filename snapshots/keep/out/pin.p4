// pin: made by Guideway from pipeline.rs for bmv2.
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
const bit<32> FLOWS_BUCKETS = 8192;

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
    ethernet_t eth;
    ipv4_t ip4;
    tcp_t tcp;
    udp_t udp;
}

// A second pass finds the fields of list 1 as the first one left them.
struct metadata_t {
    @field_list(1) bit<16> src_port;
    @field_list(1) bit<16> dst_port;
    @field_list(1) bit<8> service_pool;
    @field_list(1) bit<48> to_mac_mac;
    @field_list(1) bit<32> to_mac_port;
    @field_list(1) bit<32> hash;
    @field_list(1) bit<3> event;
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
    bit<8> servers_slot;
    bit<8> generation;
    bit<20> flow_rank;
    bit<48> flow_way0;
    bit<48> flow_way1;
    bit<48> flow_way2;
    bit<48> flow_way3;
    @field_list(1) bool retry;
    @field_list(1) bit<8> service_action;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    // pipeline.rs:73 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            default: accept;
        }
    }

    // pipeline.rs:82 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition select(
            h.ip4.version,
            h.ip4.ihl,
            h.ip4.more_fragments,
            h.ip4.fragment_offset,
            h.ip4.protocol
        ) {
            (4, 5, 0, 0, 6): tcp;
            (4, 5, 0, 0, 17): udp;
            default: accept;
        }
    }

    // pipeline.rs:92 tcp
    state tcp {
        packet.extract(h.tcp);
        transition accept;
    }

    // pipeline.rs:98 udp
    state udp {
        packet.extract(h.udp);
        transition accept;
    }
}

// Ticks that a way may rest before it expires, by its state and class.
bit<18> flow_idle(in bit<48> value) {
    return value[23:21] == FLOW_NEW
        ? 18w153
        : (value[23:21] == FLOW_TCP
            ? 18w4578
            : (value[23:21] == FLOW_UDP ? 18w916 : (value[23:21] == FLOW_CLOSING ? 18w153 : 18w0)));
}

// How much a way wants to be replaced: free or expired, then closing, then new, the oldest first; 0: never.
bit<20> flow_rank(in bit<48> value, in bit<18> now) {
    bit<18> age = now + 1 - value[17:0];
    return value[23:21] == FLOW_FREE || age > flow_idle(value)
        ? 20w0xc0000
        : (value[23:21] == FLOW_CLOSING ? 2w2 ++ age : (value[23:21] == FLOW_NEW ? 2w1 ++ age : 20w0));
}

// pipeline.rs:104 ingress
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // pipeline.rs:29 drop reason
    @name(".drop.no_pool") @id(0x12288a7d)
    counter(1, CounterType.packets) drop_no_pool;
    // pipeline.rs:30 drop reason
    @name(".drop.no_slot") @id(0x12238767)
    counter(1, CounterType.packets) drop_no_slot;
    // pipeline.rs:31 drop reason
    @name(".drop.no_server") @id(0x1210f265)
    counter(1, CounterType.packets) drop_no_server;
    @name(".flows.stored") @id(0x1243d8f8)
    counter(1, CounterType.packets) flows_stored;
    @name(".flows.not_stored") @id(0x12967981)
    counter(1, CounterType.packets) flows_not_stored;
    @name(".service_counter") @id(0x13f4fe1b)
    direct_counter(CounterType.packets_and_bytes) service_counter;
    @name(".server_counter") @id(0x13d144ec)
    direct_counter(CounterType.packets_and_bytes) server_counter;
    // pipeline.rs:55 flow table: buckets of 4 ways
    @name(".flows") @id(0x166b392b)
    register<bit<128>>(32768) flows;

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

    // pipeline.rs:39 action service
    @name(".service") @id(0x01fcb6d6)
    action service_2(bit<8> pool) {
        meta.service_pool = pool;
    }

    // pipeline.rs:41 action no_service
    @name(".no_service") @id(0x01424aef)
    action no_service() { }

    // pipeline.rs:65 action to_mac
    @name(".to_mac") @id(0x0167ab6b)
    action to_mac(bit<48> mac, bit<32> port) {
        meta.to_mac_mac = mac;
        meta.to_mac_port = port;
    }

    // pipeline.rs:67 action not_there
    @name(".not_there") @id(0x01cc12be)
    action not_there() { }

    @name(".set_generation") @id(0x01f598f9)
    action set_generation(bit<8> generation) {
        meta.generation = generation;
    }

    @name(".no_servers_in_use") @id(0x01530982)
    action no_servers_in_use() { }

    @name(".set_servers") @id(0x01ec25fb)
    action set_servers(bit<16> id) {
        meta.id = id;
    }

    @name(".no_servers") @id(0x01140f22)
    action no_servers() { }

    // pipeline.rs:44 table service
    @name(".service") @id(0x02fcb6d6)
    table service {
        key = {
            h.ip4.dst: exact @name("dst");
        }
        actions = {
            service_2;
            @defaultonly no_service;
        }
        const default_action = no_service();
        size = 64;
        counters = service_counter;
    }

    // pipeline.rs:70 table server
    @name(".server") @id(0x02ab63cd)
    table server {
        key = {
            meta.id: exact @name("id");
        }
        actions = {
            to_mac;
            @defaultonly not_there;
        }
        const default_action = not_there();
        size = 256;
        counters = server_counter;
    }

    // pipeline.rs:58 the generation of each pool in force
    @name(".servers_in_use") @id(0x02c6c325)
    table servers_in_use {
        key = {
            meta.service_pool: exact @name("pool");
        }
        actions = {
            set_generation;
            @defaultonly no_servers_in_use;
        }
        const default_action = no_servers_in_use();
        size = 4;
    }

    // pipeline.rs:58 ring: 256 slots, 8 bits
    @name(".servers") @id(0x02068efd)
    table servers {
        key = {
            meta.service_pool: exact @name("pool");
            meta.generation: exact @name("generation");
            meta.servers_slot: exact @name("slot");
        }
        actions = {
            set_servers;
            @defaultonly no_servers;
        }
        const default_action = no_servers();
        size = 2048;
    }

    apply {
        if (!meta.retry) {
            meta.now = standard_metadata.ingress_global_timestamp[33:16];
            if (h.tcp.isValid()) {
                meta.src_port = h.tcp.src_port;
                meta.dst_port = h.tcp.dst_port;
            } else if (h.udp.isValid()) {
                meta.src_port = h.udp.src_port;
                meta.dst_port = h.udp.dst_port;
            } else {
                standard_metadata.egress_spec = CPU_PORT;
                exit;
            }
        }

        // pipeline.rs:113 service
        if (!meta.retry) {
            if (service.apply().hit) {
                meta.service_action = 1;
            } else {
                meta.service_action = 2;
            }
        }
        if (meta.service_action == 1) {
            if (!meta.retry) {
                hash(
                    meta.hash,
                    HashAlgorithm.crc32,
                    32w0,
                    { 32w0, h.ip4.src, h.ip4.dst, meta.src_port, meta.dst_port },
                    64w0x100000000
                );
                meta.event = h.udp.isValid()
                    ? 3w3
                    : ((h.tcp.flags & 23) == 2 ? 3w1 : ((h.tcp.flags & 5) != 0 ? 3w4 : 3w2));

                // pipeline.rs:131 find in flows
                meta.flows_key = h.ip4.src ++ h.ip4.dst ++ meta.src_port;
                meta.flow_hash = meta.hash;
                meta.flow_event = meta.event;
                meta.flow_class = 0;
                flows_look(meta.flow_hash);
                if (!meta.flow_place && meta.flow_spill == 1) {
                    flows_look(meta.flow_hash[15:0] ++ meta.flow_hash[31:16]);
                }
                meta.flow_hit = meta.flow_place
                    && meta.now + 1 - meta.flow_value[17:0] <= flow_idle(meta.flow_value)
                    && !(meta.flow_value[23:21] == FLOW_CLOSING && meta.flow_event == EVENT_OPEN);
            }

            // pipeline.rs:132 stay where the flow is, or select
            if (meta.flow_hit) {
                meta.id = (bit<16>) meta.flow_value[47:24];
            } else {
                // pipeline.rs:132 select from servers
                if (servers_in_use.apply().miss) {
                    drop_no_pool.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
                meta.servers_slot = meta.hash[7:0];
                if (servers.apply().miss) {
                    drop_no_slot.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
            }
            if (server.apply().hit) {
                // pipeline.rs:134 remember
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
                h.eth.dst = meta.to_mac_mac;
                standard_metadata.egress_spec = (bit<9>) meta.to_mac_port;
                exit;
            } else {
                if (meta.flow_hit) {
                    // Once more from the start, as a flow that moves.
                    meta.retry = true;
                    resubmit_preserving_field_list(1);
                    exit;
                }
                drop_no_server.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
        } else if (meta.service_action == 2) {
            standard_metadata.egress_spec = CPU_PORT;
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
