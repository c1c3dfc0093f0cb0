// spread: made by Guideway from pipeline.rs for psa-bmv2.
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

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    ipv6_t ip6;
    udp_t udp;
}

struct metadata_t {
    bit<8> service_pool;
    bit<64> service_key;
    bit<48> to_mac_mac;
    bit<32> to_mac_port;
    bit<16> id;
    bit<32> sip0;
    bit<32> sip1;
    bit<32> sip2;
    bit<32> sip3;
    bit<8> servers_slot;
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
    // pipeline.rs:51 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x86dd: ipv6;
            default: accept;
        }
    }

    // pipeline.rs:60 ipv6
    state ipv6 {
        packet.extract(h.ip6);
        transition select(h.ip6.next_header) {
            17: udp;
            default: accept;
        }
    }

    // pipeline.rs:69 udp
    state udp {
        packet.extract(h.udp);
        transition accept;
    }
}

// pipeline.rs:75 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd
) {
    // pipeline.rs:18 drop reason
    @name(".drop.no_pool") @id(0x12288a7d)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_no_pool;
    // pipeline.rs:19 drop reason
    @name(".drop.no_slot") @id(0x12238767)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_no_slot;
    // pipeline.rs:20 drop reason
    @name(".drop.no_server") @id(0x1210f265)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_no_server;

    @hidden
    action sip_start(in bit<64> k) {
        meta.sip0 = k[63:32];
        meta.sip1 = k[31:0];
        meta.sip2 = k[63:32] ^ 0x6c796765;
        meta.sip3 = k[31:0] ^ 0x74656462;
    }

    @hidden
    action sip_round() {
        meta.sip0 = meta.sip0 + meta.sip1;
        meta.sip1 = meta.sip1[26:0] ++ meta.sip1[31:27];
        meta.sip1 = meta.sip1 ^ meta.sip0;
        meta.sip0 = meta.sip0[15:0] ++ meta.sip0[31:16];
        meta.sip2 = meta.sip2 + meta.sip3;
        meta.sip3 = meta.sip3[23:0] ++ meta.sip3[31:24];
        meta.sip3 = meta.sip3 ^ meta.sip2;
        meta.sip0 = meta.sip0 + meta.sip3;
        meta.sip3 = meta.sip3[24:0] ++ meta.sip3[31:25];
        meta.sip3 = meta.sip3 ^ meta.sip0;
        meta.sip2 = meta.sip2 + meta.sip1;
        meta.sip1 = meta.sip1[18:0] ++ meta.sip1[31:19];
        meta.sip1 = meta.sip1 ^ meta.sip2;
        meta.sip2 = meta.sip2[15:0] ++ meta.sip2[31:16];
    }

    // Four bytes of data in network order; the hash takes them as a little-endian word.
    @hidden
    action sip_word(in bit<32> word) {
        meta.sip3 = meta.sip3 ^ (word[7:0] ++ word[15:8] ++ word[23:16] ++ word[31:24]);
        sip_round();
        meta.sip0 = meta.sip0 ^ (word[7:0] ++ word[15:8] ++ word[23:16] ++ word[31:24]);
    }

    @hidden
    action sip_finish() {
        meta.sip2 = meta.sip2 ^ 0xff;
        sip_round();
        sip_round();
        sip_round();
    }

    // pipeline.rs:28 action service
    @name(".service") @id(0x01fcb6d6)
    action service_2(bit<8> pool, @name("key") bit<64> key_2) {
        meta.service_pool = pool;
        meta.service_key = key_2;
    }

    // pipeline.rs:30 action no_service
    @name(".no_service") @id(0x01424aef)
    action no_service() { }

    // pipeline.rs:43 action to_mac
    @name(".to_mac") @id(0x0167ab6b)
    action to_mac(bit<48> mac, bit<32> port) {
        meta.to_mac_mac = mac;
        meta.to_mac_port = port;
    }

    // pipeline.rs:45 action not_there
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

    // pipeline.rs:33 table service
    @name(".service") @id(0x02fcb6d6)
    table service {
        key = {
            h.ip6.dst: exact @name("dst");
        }
        actions = {
            service_2;
            @defaultonly no_service;
        }
        const default_action = no_service();
        size = 128;
    }

    // pipeline.rs:48 table server
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
        size = 512;
    }

    // pipeline.rs:36 the generation of each pool in force
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

    // pipeline.rs:36 ring: 256 slots, 8 bits
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
        if (!h.udp.isValid()) {
            send_to_port(ostd, (PortId_t) CPU_PORT);
            exit;
        }

        // pipeline.rs:78 service
        if (service.apply().hit) {
            bit<32> hash;
            sip_start(meta.service_key);
            sip_word(h.ip6.src[127:96]);
            sip_word(h.ip6.src[95:64]);
            sip_word(h.ip6.src[63:32]);
            sip_word(h.ip6.src[31:0]);
            sip_word(h.udp.src_port ++ 8w0 ++ 8w18);
            sip_finish();
            hash = meta.sip1 ^ meta.sip3;

            // pipeline.rs:81 select from servers
            if (servers_in_use.apply().miss) {
                drop_no_pool.count(0);
                ingress_drop(ostd);
                exit;
            }
            meta.servers_slot = hash[7:0];
            if (servers.apply().miss) {
                drop_no_slot.count(0);
                ingress_drop(ostd);
                exit;
            }

            // pipeline.rs:82 server
            if (server.apply().hit) {
                h.eth.dst = meta.to_mac_mac;
                send_to_port(ostd, (PortId_t) meta.to_mac_port);
                exit;
            } else {
                drop_no_server.count(0);
                ingress_drop(ostd);
                exit;
            }
        } else {
            send_to_port(ostd, (PortId_t) CPU_PORT);
            exit;
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
