// pin: made by Guideway from pipeline.rs for pna.
#include <core.p4>
#include <pna.p4>

// For ports that are computed.
extern void send_to_port(in PortId_t port);

// The host's own stack: the last port but that which drops.
const bit<32> CPU_PORT = 254;
const bit<3> EVENT_OPEN = 1;
const bit<3> EVENT_DATA = 2;
const bit<3> EVENT_DATAGRAM = 3;
const bit<3> EVENT_CLOSE = 4;

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
    bit<16> src_port;
    bit<16> dst_port;
    bit<8> service_pool;
    bit<48> to_mac_mac;
    bit<32> to_mac_port;
    bit<16> id;
    bit<32> service_dst;
    bit<32> crc;
    bit<32> flows_src;
    bit<32> flows_dst;
    bit<16> flows_src_port;
    bit<3> flow_event;
    bit<2> flow_class;
    bit<8> flows_write;
    bool flows_found;
    bit<16> flows_id;
    bool flow_place;
    bool flow_hit;
    bit<24> flow_id;
    bit<8> servers_pool;
    bit<8> servers_generation;
    bit<8> servers_slot;
    bit<8> generation;
    bit<32> servers_rest;
    bit<16> server_id;
    bit<8> flows_profile;
    bit<8> server_action;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in pna_main_parser_input_metadata_t istd
) {
    // pipeline.rs:73 start
    state start {
        packet.extract(h.preamble);
        meta.frame_length = h.preamble.length;
        meta.room = h.preamble.length;
        meta.flows_id = meta.flows_id & 1;
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

    // pipeline.rs:82 ipv4
    state ipv4 {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: ipv4_2;
            default: accept;
        }
    }

    state ipv4_2 {
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

    // pipeline.rs:98 udp
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

// pipeline.rs:104 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // pipeline.rs:29 drop reason
    @name(".drop.no_pool") @id(0x12288a7d)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_no_pool;
    // pipeline.rs:30 drop reason
    @name(".drop.no_slot") @id(0x12238767)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_no_slot;
    // pipeline.rs:31 drop reason
    @name(".drop.no_server") @id(0x1210f265)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_no_server;
    @name(".flows.stored") @id(0x1243d8f8)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) flows_stored;
    @name(".flows.not_stored") @id(0x12967981)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) flows_not_stored;
    @name(".service_counter") @id(0x13f4fe1b)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) service_counter;
    @name(".server_counter") @id(0x13d144ec)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) server_counter;

    // CRC-32 of IEEE 802.3, bit by bit, the lowest first.
    @hidden
    action crc_bit() {
        bit<32> low = meta.crc & 1;
        meta.crc = meta.crc >> 1;
        if (low == 1) {
            meta.crc = meta.crc ^ 0xedb88320;
        }
    }

    @hidden
    action crc_byte(in bit<8> data) {
        meta.crc = meta.crc ^ (bit<32>) data;
        crc_bit();
        crc_bit();
        crc_bit();
        crc_bit();
        crc_bit();
        crc_bit();
        crc_bit();
        crc_bit();
    }

    // pipeline.rs:39 action service
    @name(".service") @id(0x01fcb6d6)
    action service_2(bit<8> pool) {
        meta.service_pool = pool;
        service_counter.count(meta.frame_length);
    }

    // pipeline.rs:41 action no_service
    @name(".no_service") @id(0x01424aef)
    action no_service() {
        service_counter.count(meta.frame_length);
    }

    // pipeline.rs:65 action to_mac
    @name(".to_mac") @id(0x0167ab6b)
    action to_mac(bit<48> mac, bit<32> port) {
        meta.to_mac_mac = mac;
        meta.to_mac_port = port;
        server_counter.count(meta.frame_length);
    }

    // pipeline.rs:67 action not_there
    @name(".not_there") @id(0x01cc12be)
    action not_there() {
        server_counter.count(meta.frame_length);
    }

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
            meta.service_dst: exact @name("dst");
        }
        actions = {
            service_2;
            @defaultonly no_service;
        }
        const default_action = no_service();
        size = 64;
        pna_direct_counter = service_counter;
    }

    // pipeline.rs:70 table server
    @name(".server") @id(0x02ab63cd)
    table server {
        key = {
            meta.server_id: exact @name("id");
        }
        actions = {
            to_mac;
            @defaultonly not_there;
        }
        const default_action = not_there();
        size = 256;
        pna_direct_counter = server_counter;
    }

    @name(".flows_stay")
    action flows_stay(bit<16> id) {
        meta.flows_found = true;
        meta.flows_id = id;
        if (meta.flows_write == 1) {
            set_entry_expire_time((ExpireTimeProfileId_t) meta.flows_profile);
        }
        if (meta.flows_write == 2) {
            restart_expire_timer();
        }
    }

    @name(".flows_learn")
    action flows_learn() {
        meta.flows_found = false;
        if (meta.flows_write == 1) {
            add_entry("flows_stay", meta.flows_id, (ExpireTimeProfileId_t) meta.flows_profile);
        }
    }

    // pipeline.rs:55 flow table: learned entries
    @name(".flows")
    table flows {
        key = {
            meta.flows_src: exact @name("src");
            meta.flows_dst: exact @name("dst");
            meta.flows_src_port: exact @name("src_port");
        }
        actions = {
            @tableonly flows_stay;
            @defaultonly flows_learn;
        }
        add_on_miss = true;
        default_idle_timeout_for_data_plane_added_entries = 1;
        idle_timeout_with_auto_delete = true;
        const default_action = flows_learn();
        size = 65536;
    }

    // pipeline.rs:58 the generation of each pool in force
    @name(".servers_in_use") @id(0x02c6c325)
    table servers_in_use {
        key = {
            meta.servers_pool: exact @name("pool");
        }
        actions = {
            set_generation;
            @defaultonly no_servers_in_use;
        }
        const default_action = no_servers_in_use();
        size = 4;
    }

    // pipeline.rs:58 ring: 251 slots, 8 bits
    @name(".servers") @id(0x02068efd)
    table servers {
        key = {
            meta.servers_pool: exact @name("pool");
            meta.servers_generation: exact @name("generation");
            meta.servers_slot: exact @name("slot");
        }
        actions = {
            set_servers;
            @defaultonly no_servers;
        }
        const default_action = no_servers();
        size = 2008;
    }

    apply {
        if (h.tcp.isValid()) {
            meta.src_port = h.tcp.src_port;
            meta.dst_port = h.tcp.dst_port;
        } else if (h.udp.isValid()) {
            meta.src_port = h.udp.src_port;
            meta.dst_port = h.udp.dst_port;
        } else {
            send_to_port(port = (PortId_t) CPU_PORT);
            exit;
        }

        // pipeline.rs:113 service
        meta.service_dst = h.ip4.dst;
        if (service.apply().hit) {
            bit<32> hash;
            meta.crc = 32w0xffffffff;
            crc_byte(8w0);
            crc_byte(8w0);
            crc_byte(8w0);
            crc_byte(8w0);
            crc_byte(h.ip4.src[31:24]);
            crc_byte(h.ip4.src[23:16]);
            crc_byte(h.ip4.src[15:8]);
            crc_byte(h.ip4.src[7:0]);
            crc_byte(h.ip4.dst[31:24]);
            crc_byte(h.ip4.dst[23:16]);
            crc_byte(h.ip4.dst[15:8]);
            crc_byte(h.ip4.dst[7:0]);
            crc_byte(meta.src_port[15:8]);
            crc_byte(meta.src_port[7:0]);
            crc_byte(meta.dst_port[15:8]);
            crc_byte(meta.dst_port[7:0]);
            hash = ~meta.crc;
            bit<3> event = h.udp.isValid()
                ? 3w3
                : ((h.tcp.flags & 23) == 2 ? 3w1 : ((h.tcp.flags & 5) != 0 ? 3w4 : 3w2));

            // pipeline.rs:131 find in flows
            if (h.preamble.isValid()) {
                meta.flows_src = h.ip4.src;
                meta.flows_dst = h.ip4.dst;
                meta.flows_src_port = meta.src_port;
            }
            meta.flow_event = event;
            meta.flow_class = 0;
            meta.flows_write = 0;
            flows.apply();
            meta.flow_place = meta.flows_found;
            meta.flow_hit = meta.flows_found;
            meta.flow_id = (bit<24>) meta.flows_id;

            // pipeline.rs:132 stay where the flow is, or select
            if (meta.flow_hit) {
                meta.id = (bit<16>) meta.flow_id;
                meta.server_id = meta.id;
                if (server.apply().hit) {
                    meta.server_action = 3;
                } else {
                    meta.server_action = 4;
                }
                if (meta.server_action == 4) {
                    meta.flow_hit = false;
                }
            }
            if (!meta.flow_hit) {
                // pipeline.rs:132 select from servers
                if (h.preamble.isValid()) {
                    meta.servers_pool = meta.service_pool;
                }
                if (servers_in_use.apply().miss) {
                    drop_no_pool.count(0);
                    drop_packet();
                    exit;
                }
                if (h.preamble.isValid()) {
                    meta.servers_generation = meta.generation;
                }
                meta.servers_rest = hash;
                if (meta.servers_rest >= 0xfb000000) {
                    meta.servers_rest = meta.servers_rest - 0xfb000000;
                }
                if (meta.servers_rest >= 0x7d800000) {
                    meta.servers_rest = meta.servers_rest - 0x7d800000;
                }
                if (meta.servers_rest >= 0x3ec00000) {
                    meta.servers_rest = meta.servers_rest - 0x3ec00000;
                }
                if (meta.servers_rest >= 0x1f600000) {
                    meta.servers_rest = meta.servers_rest - 0x1f600000;
                }
                if (meta.servers_rest >= 0x0fb00000) {
                    meta.servers_rest = meta.servers_rest - 0x0fb00000;
                }
                if (meta.servers_rest >= 0x07d80000) {
                    meta.servers_rest = meta.servers_rest - 0x07d80000;
                }
                if (meta.servers_rest >= 0x03ec0000) {
                    meta.servers_rest = meta.servers_rest - 0x03ec0000;
                }
                if (meta.servers_rest >= 0x01f60000) {
                    meta.servers_rest = meta.servers_rest - 0x01f60000;
                }
                if (meta.servers_rest >= 0xfb0000) {
                    meta.servers_rest = meta.servers_rest - 0xfb0000;
                }
                if (meta.servers_rest >= 0x7d8000) {
                    meta.servers_rest = meta.servers_rest - 0x7d8000;
                }
                if (meta.servers_rest >= 0x3ec000) {
                    meta.servers_rest = meta.servers_rest - 0x3ec000;
                }
                if (meta.servers_rest >= 0x1f6000) {
                    meta.servers_rest = meta.servers_rest - 0x1f6000;
                }
                if (meta.servers_rest >= 0x0fb000) {
                    meta.servers_rest = meta.servers_rest - 0x0fb000;
                }
                if (meta.servers_rest >= 0x07d800) {
                    meta.servers_rest = meta.servers_rest - 0x07d800;
                }
                if (meta.servers_rest >= 0x03ec00) {
                    meta.servers_rest = meta.servers_rest - 0x03ec00;
                }
                if (meta.servers_rest >= 0x01f600) {
                    meta.servers_rest = meta.servers_rest - 0x01f600;
                }
                if (meta.servers_rest >= 0xfb00) {
                    meta.servers_rest = meta.servers_rest - 0xfb00;
                }
                if (meta.servers_rest >= 0x7d80) {
                    meta.servers_rest = meta.servers_rest - 0x7d80;
                }
                if (meta.servers_rest >= 0x3ec0) {
                    meta.servers_rest = meta.servers_rest - 0x3ec0;
                }
                if (meta.servers_rest >= 0x1f60) {
                    meta.servers_rest = meta.servers_rest - 0x1f60;
                }
                if (meta.servers_rest >= 0x0fb0) {
                    meta.servers_rest = meta.servers_rest - 0x0fb0;
                }
                if (meta.servers_rest >= 0x07d8) {
                    meta.servers_rest = meta.servers_rest - 0x07d8;
                }
                if (meta.servers_rest >= 0x03ec) {
                    meta.servers_rest = meta.servers_rest - 0x03ec;
                }
                if (meta.servers_rest >= 502) {
                    meta.servers_rest = meta.servers_rest - 502;
                }
                if (meta.servers_rest >= 251) {
                    meta.servers_rest = meta.servers_rest - 251;
                }
                meta.servers_slot = (bit<8>) meta.servers_rest;
                if (servers.apply().miss) {
                    drop_no_slot.count(0);
                    drop_packet();
                    exit;
                }
                meta.server_id = meta.id;
                if (server.apply().hit) {
                    meta.server_action = 3;
                } else {
                    meta.server_action = 4;
                }
            }
            if (meta.server_action == 3) {
                // pipeline.rs:134 remember
                if (meta.flow_hit) {
                    if (meta.flow_event >= EVENT_OPEN && meta.flow_event <= EVENT_CLOSE) {
                        meta.flows_write = 1;
                        if (meta.flow_event == EVENT_DATA) {
                            meta.flows_profile = ((bit<8>) meta.flow_class << 2) | 1;
                        } else if (meta.flow_event == EVENT_DATAGRAM) {
                            meta.flows_profile = ((bit<8>) meta.flow_class << 2) | 2;
                        } else if (meta.flow_event == EVENT_CLOSE) {
                            meta.flows_profile = ((bit<8>) meta.flow_class << 2) | 3;
                        } else {
                            meta.flows_write = 2;
                        }
                        flows.apply();
                    }
                } else if (!meta.flow_place
                    && (meta.flow_event >= EVENT_OPEN && meta.flow_event <= EVENT_DATAGRAM)) {
                    meta.flows_id = meta.id;
                    meta.flows_profile = (bit<8>) meta.flow_class << 2;
                    meta.flows_write = 1;
                    flows.apply();
                    meta.flows_write = 0;
                    if (flows.apply().hit) {
                        flows_stored.count(0);
                    } else {
                        flows_not_stored.count(0);
                    }
                }
                h.eth.dst = meta.to_mac_mac;
                send_to_port(port = (PortId_t) meta.to_mac_port);
                exit;
            } else if (meta.server_action == 4) {
                drop_no_server.count(0);
                drop_packet();
                exit;
            }
        } else {
            send_to_port(port = (PortId_t) CPU_PORT);
            exit;
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
