// l4lb: made by Guideway from l4lb.rs for pna.
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

header icmp_t {
    bit<8> kind;
    bit<8> code;
    bit<16> checksum;
    bit<32> rest;
}

header l4_start_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> word;
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
    ipv4_t outer4;
    ipv4_t ip4;
    icmp_t icmp;
    ipv4_t quoted4;
    l4_start_t quoted;
    tcp_t tcp;
    udp_t udp;
}

struct metadata_t {
    bit<32> frame_length;
    bit<32> room;
    bit<8> protocol;
    bit<16> client_port;
    bit<16> vip_port;
    bit<32> client4;
    bit<16> vip;
    bit<16> pool;
    bit<64> hash_key;
    bit<8> flags;
    bit<2> class;
    bool is_error;
    bool found;
    bit<32> ipip4_src;
    bit<32> ipip4_spread;
    bit<32> ipip4_dst;
    bit<32> ipip4_port;
    bit<48> ipip4_dst_mac;
    bit<48> ipip4_src_mac;
    bit<16> ipip4_mtu;
    bit<24> backend;
    bool left_out;
    bit<32> vip4_dst;
    bit<8> vip4_protocol;
    bit<16> vip4_dst_port;
    bit<32> vip4_any_dst;
    bit<8> vip4_any_protocol;
    bit<32> crc;
    bit<32> flows4_src;
    bit<16> flows4_src_port;
    bit<16> flows4_vip;
    bit<16> flows4_dst_port;
    bit<3> flow_event;
    bit<2> flow_class;
    bit<8> flows4_write;
    bool flows4_found;
    bit<24> flows4_id;
    bool flow_place;
    bool flow_hit;
    bit<24> flow_id;
    bit<16> ring_pool;
    bit<8> ring_generation;
    bit<16> ring_slot;
    bit<8> generation;
    bit<24> backend_backend;
    bool condition;
    bit<8> flows4_profile;
    bit<8> backend_action;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in pna_main_parser_input_metadata_t istd
) {
    // l4lb.rs:169 start
    state start {
        packet.extract(h.preamble);
        meta.frame_length = h.preamble.length;
        meta.room = h.preamble.length;
        meta.protocol = (bit<8>) h.preamble.most & 1;
        meta.client_port = (bit<16>) h.preamble.most & 1;
        meta.vip_port = (bit<16>) h.preamble.most & 1;
        meta.client4 = h.preamble.most & 1;
        meta.vip = (bit<16>) h.preamble.most & 1;
        meta.hash_key = (bit<64>) h.preamble.most & 1;
        meta.flags = (bit<8>) h.preamble.most & 1;
        meta.class = (bit<2>) h.preamble.most & 1;
        meta.is_error = false;
        meta.found = false;
        meta.left_out = false;
        meta.flows4_id = meta.flows4_id & 1;
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
            0x86dd: ipv6;
            default: accept;
        }
    }

    // l4lb.rs:179 ipv4
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
            (4, 5, 0, 0, 1): icmp4;
            default: accept;
        }
    }

    // l4lb.rs:190 ipv6
    state ipv6 {
        meta.left_out = true;
        transition accept;
    }

    // l4lb.rs:201 icmp4
    state icmp4 {
        meta.room = meta.room - 8;
        transition select(meta.room) {
            0 &&& 0x80000000: icmp4_2;
            default: accept;
        }
    }

    state icmp4_2 {
        packet.extract(h.icmp);
        transition select(h.icmp.kind) {
            3: quote4;
            11: quote4;
            12: quote4;
            default: accept;
        }
    }

    // l4lb.rs:210 quote4
    state quote4 {
        meta.room = meta.room - 20;
        transition select(meta.room) {
            0 &&& 0x80000000: quote4_2;
            default: accept;
        }
    }

    state quote4_2 {
        packet.extract(h.quoted4);
        transition select(
            h.quoted4.version,
            h.quoted4.ihl,
            h.quoted4.more_fragments,
            h.quoted4.fragment_offset,
            h.quoted4.protocol
        ) {
            (4, 5, 0, 0, 6): quote;
            (4, 5, 0, 0, 17): quote;
            default: accept;
        }
    }

    // l4lb.rs:243 quote
    state quote {
        meta.room = meta.room - 8;
        transition select(meta.room) {
            0 &&& 0x80000000: quote_2;
            default: accept;
        }
    }

    state quote_2 {
        packet.extract(h.quoted);
        transition accept;
    }

    // l4lb.rs:249 tcp
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

    // l4lb.rs:255 udp
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

// RFC 1071: the checksum of words whose sum is given.
bit<16> checksum_of(in bit<32> total) {
    bit<32> sum = (total & 0xffff) + (total >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (bit<16>) (sum ^ 0xffff);
}

// l4lb.rs:190 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in pna_main_input_metadata_t istd,
    inout pna_main_output_metadata_t ostd
) {
    // l4lb.rs:60 drop reason
    @name(".drop.ethernet_cut") @id(0x1244a2c6)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_ethernet_cut;
    // l4lb.rs:61 drop reason
    @name(".drop.ip_cut") @id(0x12b244a2)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_ip_cut;
    // l4lb.rs:62 drop reason
    @name(".drop.version") @id(0x12ed97e4)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_version;
    // l4lb.rs:63 drop reason
    @name(".drop.header_length") @id(0x1233ba9f)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_header_length;
    // l4lb.rs:64 drop reason
    @name(".drop.total_length") @id(0x126cc8c5)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_total_length;
    // l4lb.rs:65 drop reason
    @name(".drop.options") @id(0x1281f500)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_options;
    // l4lb.rs:66 drop reason
    @name(".drop.fragment") @id(0x12d64680)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_fragment;
    // l4lb.rs:67 drop reason
    @name(".drop.l4_cut") @id(0x12e1db6f)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_l4_cut;
    // l4lb.rs:68 drop reason
    @name(".drop.data_offset") @id(0x1247b65a)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_data_offset;
    // l4lb.rs:69 drop reason
    @name(".drop.icmp_quote") @id(0x129f9696)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_icmp_quote;
    // l4lb.rs:70 drop reason
    @name(".drop.no_pool") @id(0x12288a7d)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_no_pool;
    // l4lb.rs:71 drop reason
    @name(".drop.no_slot") @id(0x12238767)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_no_slot;
    // l4lb.rs:72 drop reason
    @name(".drop.no_backend") @id(0x12c3537f)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_no_backend;
    // l4lb.rs:74 drop reason
    @name(".drop.mtu") @id(0x12d5662f)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) drop_mtu;
    @name(".flows4.stored") @id(0x1202ace8)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) flows4_stored;
    @name(".flows4.not_stored") @id(0x12cca1d2)
    Counter<bit<64>, bit<32>>(1, PNA_CounterType_t.PACKETS) flows4_not_stored;
    @name(".vip4_counter") @id(0x13bf4bb5)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) vip4_counter;
    @name(".vip4_any_counter") @id(0x13c4197f)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) vip4_any_counter;
    @name(".backend_counter") @id(0x130f4717)
    DirectCounter<bit<64>>(PNA_CounterType_t.PACKETS_AND_BYTES) backend_counter;

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

    // l4lb.rs:106 action set_vip
    @name(".vip4_set_vip")
    action vip4_set_vip(bit<16> vip, bit<16> pool, bit<64> hash_key, bit<8> flags, bit<2> class) {
        meta.found = true;
        meta.vip = vip;
        meta.pool = pool;
        meta.hash_key = hash_key;
        meta.flags = flags;
        meta.class = class;
        vip4_counter.count(meta.frame_length);
    }

    // l4lb.rs:106 action set_vip
    @name(".vip4_any_set_vip")
    action vip4_any_set_vip(bit<16> vip, bit<16> pool, bit<64> hash_key, bit<8> flags, bit<2> class) {
        meta.found = true;
        meta.vip = vip;
        meta.pool = pool;
        meta.hash_key = hash_key;
        meta.flags = flags;
        meta.class = class;
        vip4_any_counter.count(meta.frame_length);
    }

    // l4lb.rs:108 action not_a_vip
    @name(".vip4_not_a_vip")
    action vip4_not_a_vip() {
        vip4_counter.count(meta.frame_length);
    }

    // l4lb.rs:108 action not_a_vip
    @name(".vip4_any_not_a_vip")
    action vip4_any_not_a_vip() {
        vip4_any_counter.count(meta.frame_length);
    }

    // l4lb.rs:156 action ipip4
    @name(".ipip4") @id(0x01888838)
    action ipip4(
        bit<32> src,
        bit<32> spread,
        bit<32> dst,
        bit<32> port,
        bit<48> dst_mac,
        bit<48> src_mac,
        bit<16> mtu
    ) {
        meta.ipip4_src = src;
        meta.ipip4_spread = spread;
        meta.ipip4_dst = dst;
        meta.ipip4_port = port;
        meta.ipip4_dst_mac = dst_mac;
        meta.ipip4_src_mac = src_mac;
        meta.ipip4_mtu = mtu;
        backend_counter.count(meta.frame_length);
    }

    // l4lb.rs:159 action gone
    @name(".gone") @id(0x0142c088)
    action gone() {
        backend_counter.count(meta.frame_length);
    }

    @name(".set_generation") @id(0x01f598f9)
    action set_generation(bit<8> generation) {
        meta.generation = generation;
    }

    @name(".no_pool") @id(0x01a9f954)
    action no_pool() { }

    @name(".set_ring") @id(0x011e068e)
    action set_ring(bit<24> id) {
        meta.backend = id;
    }

    @name(".no_ring") @id(0x01a915b9)
    action no_ring() { }

    // l4lb.rs:111 table vip4
    @name(".vip4") @id(0x022fb337)
    table vip4 {
        key = {
            meta.vip4_dst: exact @name("dst");
            meta.vip4_protocol: exact @name("protocol");
            meta.vip4_dst_port: exact @name("dst_port");
        }
        actions = {
            vip4_set_vip;
            @defaultonly vip4_not_a_vip;
        }
        const default_action = vip4_not_a_vip();
        size = 512;
        pna_direct_counter = vip4_counter;
    }

    // l4lb.rs:114 table vip4_any
    @name(".vip4_any") @id(0x02487303)
    table vip4_any {
        key = {
            meta.vip4_any_dst: exact @name("dst");
            meta.vip4_any_protocol: exact @name("protocol");
        }
        actions = {
            vip4_any_set_vip;
            @defaultonly vip4_any_not_a_vip;
        }
        const default_action = vip4_any_not_a_vip();
        size = 512;
        pna_direct_counter = vip4_any_counter;
    }

    // l4lb.rs:162 table backend
    @name(".backend") @id(0x027a5084)
    table backend {
        key = {
            meta.backend_backend: exact @name("backend");
        }
        actions = {
            ipip4;
            @defaultonly gone;
        }
        const default_action = gone();
        size = 4096;
        pna_direct_counter = backend_counter;
    }

    @name(".flows4_stay")
    action flows4_stay(bit<24> id) {
        meta.flows4_found = true;
        meta.flows4_id = id;
        if (meta.flows4_write == 1) {
            set_entry_expire_time((ExpireTimeProfileId_t) meta.flows4_profile);
        }
        if (meta.flows4_write == 2) {
            restart_expire_timer();
        }
    }

    @name(".flows4_learn")
    action flows4_learn() {
        meta.flows4_found = false;
        if (meta.flows4_write == 1) {
            add_entry("flows4_stay", meta.flows4_id, (ExpireTimeProfileId_t) meta.flows4_profile);
        }
    }

    // l4lb.rs:138 flow table: learned entries
    @name(".flows4")
    table flows4 {
        key = {
            meta.flows4_src: exact @name("src");
            meta.flows4_src_port: exact @name("src_port");
            meta.flows4_vip: exact @name("vip");
            meta.flows4_dst_port: exact @name("dst_port");
        }
        actions = {
            @tableonly flows4_stay;
            @defaultonly flows4_learn;
        }
        add_on_miss = true;
        default_idle_timeout_for_data_plane_added_entries = 1;
        idle_timeout_with_auto_delete = true;
        const default_action = flows4_learn();
        size = 65536;
    }

    // l4lb.rs:148 the generation of each pool in force
    @name(".pool") @id(0x02956bab)
    table pool {
        key = {
            meta.ring_pool: exact @name("pool");
        }
        actions = {
            set_generation;
            @defaultonly no_pool;
        }
        const default_action = no_pool();
        size = 64;
    }

    // l4lb.rs:148 ring: 65536 slots, 16 bits
    @name(".ring") @id(0x0282b8d4)
    table ring {
        key = {
            meta.ring_pool: exact @name("pool");
            meta.ring_generation: exact @name("generation");
            meta.ring_slot: exact @name("slot");
        }
        actions = {
            set_ring;
            @defaultonly no_ring;
        }
        const default_action = no_ring();
        size = 1048576;
    }

    apply {
        if (meta.left_out) {
            send_to_port(port = (PortId_t) CPU_PORT);
            exit;
        }
        if (!h.eth.isValid()) {
            drop_ethernet_cut.count(0);
            drop_packet();
            exit;
        }
        if (h.ip4.isValid()) {
            bool too_short = h.ip4.total_length < ((bit<16>) h.ip4.ihl << 2)
                || (bit<32>) h.ip4.total_length + 14 > meta.frame_length;
            bool fragment = h.ip4.more_fragments == 1 || h.ip4.fragment_offset != 0;
            bool l4_cut = h.ip4.protocol == 6 && h.ip4.total_length < 40
                || (h.ip4.protocol == 17 || h.ip4.protocol == 1) && h.ip4.total_length < 28;
            meta.is_error = h.icmp.isValid() && (h.icmp.kind == 3 || h.icmp.kind == 11 || h.icmp.kind == 12);
            bool bad_quote = meta.is_error
                && (!h.quoted.isValid() || h.ip4.total_length < 56 || h.quoted4.src != h.ip4.dst);
            bool by_address = h.ip4.version != 4
                || h.ip4.ihl != 5
                || too_short
                || fragment
                || l4_cut
                || h.tcp.isValid() && h.tcp.data_offset < 5
                || bad_quote
                || h.icmp.isValid() && !meta.is_error;
            if (h.tcp.isValid()) {
                meta.client_port = h.tcp.src_port;
                meta.vip_port = h.tcp.dst_port;
            } else if (h.udp.isValid()) {
                meta.client_port = h.udp.src_port;
                meta.vip_port = h.udp.dst_port;
            } else if (h.quoted.isValid()) {
                meta.client_port = h.quoted.dst_port;
                meta.vip_port = h.quoted.src_port;
            }
            meta.protocol = h.ip4.protocol;
            meta.client4 = h.ip4.src;
            if (meta.is_error) {
                meta.protocol = h.quoted4.isValid() ? h.quoted4.protocol : 8w0;
                meta.client4 = h.quoted4.isValid() ? h.quoted4.dst : 32w0;
            }
            if (by_address) {
                meta.protocol = 1;
            } else {
                // l4lb.rs:306 vip4
                if (h.preamble.isValid()) {
                    meta.vip4_dst = h.ip4.dst;
                    meta.vip4_protocol = meta.protocol;
                    meta.vip4_dst_port = meta.vip_port;
                }
                vip4.apply();
            }
            if (!meta.found) {
                // l4lb.rs:312 vip4_any
                if (h.preamble.isValid()) {
                    meta.vip4_any_dst = h.ip4.dst;
                    meta.vip4_any_protocol = meta.protocol;
                }
                if (vip4_any.apply().miss) {
                    send_to_port(port = (PortId_t) CPU_PORT);
                    exit;
                }
            }
            if (by_address) {
                if (h.ip4.version != 4) {
                    drop_version.count(0);
                    drop_packet();
                    exit;
                }
                if (h.ip4.ihl < 5) {
                    drop_header_length.count(0);
                    drop_packet();
                    exit;
                }
                if (too_short) {
                    drop_total_length.count(0);
                    drop_packet();
                    exit;
                }
                if (h.ip4.ihl != 5) {
                    drop_options.count(0);
                    drop_packet();
                    exit;
                }
                if (fragment) {
                    drop_fragment.count(0);
                    drop_packet();
                    exit;
                }
                if (l4_cut) {
                    drop_l4_cut.count(0);
                    drop_packet();
                    exit;
                }
                if (h.tcp.isValid()) {
                    drop_data_offset.count(0);
                    drop_packet();
                    exit;
                }
                if (meta.is_error) {
                    drop_icmp_quote.count(0);
                    drop_packet();
                    exit;
                }
                if ((meta.flags & 2) == 0
                    || (!h.icmp.isValid() || h.icmp.kind != 8)
                    || h.eth.dst[40:40] == 1) {
                    send_to_port(port = (PortId_t) CPU_PORT);
                    exit;
                }
                adjust(
                    h.ip4.checksum,
                    (bit<32>) ~(h.ip4.ttl ++ h.ip4.protocol) + (bit<32>) (8w64 ++ h.ip4.protocol)
                );
                h.ip4.ttl = 64;
                bit<32> client = h.ip4.src;
                h.ip4.src = h.ip4.dst;
                h.ip4.dst = client;
                adjust(h.icmp.checksum, (bit<32>) ~(8w8 ++ h.icmp.code) + (bit<32>) (8w0 ++ h.icmp.code));
                h.icmp.kind = 0;
                bit<48> sender = h.eth.src;
                h.eth.src = h.eth.dst;
                h.eth.dst = sender;
                send_to_port(port = (PortId_t) (PortIdUint_t) istd.input_port);
                exit;
            }
        } else if (h.eth.ethertype == 0x0800) {
            drop_ip_cut.count(0);
            drop_packet();
            exit;
        } else {
            send_to_port(port = (PortId_t) CPU_PORT);
            exit;
        }
        bit<32> hash;
        meta.crc = 32w0xffffffff;
        crc_byte(((bit<32>) meta.hash_key)[31:24]);
        crc_byte(((bit<32>) meta.hash_key)[23:16]);
        crc_byte(((bit<32>) meta.hash_key)[15:8]);
        crc_byte(((bit<32>) meta.hash_key)[7:0]);
        crc_byte(meta.client4[31:24]);
        crc_byte(meta.client4[23:16]);
        crc_byte(meta.client4[15:8]);
        crc_byte(meta.client4[7:0]);
        crc_byte(h.ip4.dst[31:24]);
        crc_byte(h.ip4.dst[23:16]);
        crc_byte(h.ip4.dst[15:8]);
        crc_byte(h.ip4.dst[7:0]);
        crc_byte(meta.client_port[15:8]);
        crc_byte(meta.client_port[7:0]);
        crc_byte(meta.vip_port[15:8]);
        crc_byte(meta.vip_port[7:0]);
        crc_byte(meta.protocol);
        hash = ~meta.crc;
        bit<3> event = meta.is_error
            ? 3w0
            : (!h.tcp.isValid()
                ? 3w3
                : ((h.tcp.flags & 23) == 2 ? 3w1 : ((h.tcp.flags & 5) != 0 ? 3w4 : 3w2)));
        if ((meta.flags & 1) == 0) {
            // l4lb.rs:457 find in flows4
            if (h.preamble.isValid()) {
                meta.flows4_src = meta.client4;
                meta.flows4_src_port = meta.client_port;
                meta.flows4_vip = meta.vip;
                meta.flows4_dst_port = meta.vip_port;
            }
            meta.flow_event = event;
            meta.flow_class = meta.class > 2 ? 2w2 : meta.class;
            meta.flows4_write = 0;
            flows4.apply();
            meta.flow_place = meta.flows4_found;
            meta.flow_hit = meta.flows4_found;
            meta.flow_id = meta.flows4_id;
        }
        bit<32> entropy = (bit<32>) hash[31:16];

        // l4lb.rs:465 stay where the flow is, or select
        if (meta.flow_hit) {
            meta.backend = meta.flow_id;
            meta.backend_backend = meta.backend;
            if (backend.apply().hit) {
                meta.backend_action = 3;
            } else {
                meta.backend_action = 4;
            }
            if (meta.backend_action == 4) {
                meta.flow_hit = false;
            }
        }
        if (!meta.flow_hit) {
            // l4lb.rs:465 select from ring
            if (h.preamble.isValid()) {
                meta.ring_pool = meta.pool;
            }
            if (pool.apply().miss) {
                drop_no_pool.count(0);
                drop_packet();
                exit;
            }
            if (h.preamble.isValid()) {
                meta.ring_generation = meta.generation;
            }
            meta.ring_slot = hash[15:0];
            if (ring.apply().miss) {
                drop_no_slot.count(0);
                drop_packet();
                exit;
            }
            meta.backend_backend = meta.backend;
            if (backend.apply().hit) {
                meta.backend_action = 3;
            } else {
                meta.backend_action = 4;
            }
        }
        if (meta.backend_action == 3) {
            if ((bit<32>) h.ip4.total_length + 20 > (bit<32>) meta.ipip4_mtu) {
                meta.condition = false;
                if ((meta.flags & 4) == 0) {
                    meta.condition = true;
                }
                if (!meta.condition) {
                    if (h.ip4.dont_fragment == 0) {
                        meta.condition = true;
                    }
                }
                if (!meta.condition) {
                    if (!h.tcp.isValid()) {
                        meta.condition = true;
                    }
                    if (meta.condition) {
                        meta.condition = false;
                        if (!h.udp.isValid()) {
                            meta.condition = true;
                        }
                    }
                }
                if (meta.condition) {
                    drop_mtu.count(0);
                    drop_packet();
                    exit;
                }
                drop_mtu.count(0);
                drop_packet();
                exit;
            }

            // l4lb.rs:473 remember
            if (meta.flow_hit) {
                if (meta.flow_event >= EVENT_OPEN && meta.flow_event <= EVENT_CLOSE) {
                    meta.flows4_write = 1;
                    if (meta.flow_event == EVENT_DATA) {
                        meta.flows4_profile = ((bit<8>) meta.flow_class << 2) | 1;
                    } else if (meta.flow_event == EVENT_DATAGRAM) {
                        meta.flows4_profile = ((bit<8>) meta.flow_class << 2) | 2;
                    } else if (meta.flow_event == EVENT_CLOSE) {
                        meta.flows4_profile = ((bit<8>) meta.flow_class << 2) | 3;
                    } else {
                        meta.flows4_write = 2;
                    }
                    flows4.apply();
                }
            } else if (!meta.flow_place
                && (meta.flow_event >= EVENT_OPEN && meta.flow_event <= EVENT_DATAGRAM)) {
                meta.flows4_id = meta.backend;
                meta.flows4_profile = (bit<8>) meta.flow_class << 2;
                meta.flows4_write = 1;
                flows4.apply();
                meta.flows4_write = 0;
                if (flows4.apply().hit) {
                    flows4_stored.count(0);
                } else {
                    flows4_not_stored.count(0);
                }
            }

            // l4lb.rs:474 push outer4
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
            h.outer4.src = meta.ipip4_src | (entropy & meta.ipip4_spread);
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
            send_to_port(port = (PortId_t) meta.ipip4_port);
            exit;
        } else if (meta.backend_action == 4) {
            drop_no_backend.count(0);
            drop_packet();
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
