// l4lb: made by Guideway from l4lb.rs for bmv2.
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
const bit<32> FLOWS4_BUCKETS = 16384;

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
    ethernet_t eth;
    ipv4_t outer4;
    ipv4_t ip4;
    icmp_t icmp;
    ipv4_t quoted4;
    l4_start_t quoted;
    tcp_t tcp;
    udp_t udp;
}

// A second pass finds the fields of list 1 as the first one left them.
struct metadata_t {
    bit<8> protocol;
    bit<16> client_port;
    bit<16> vip_port;
    bit<32> client4;
    bit<16> vip;
    @field_list(1) bit<16> pool;
    bit<64> hash_key;
    @field_list(1) bit<8> flags;
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
    @field_list(1) bit<32> hash;
    @field_list(1) bit<32> entropy;
    bit<24> backend;
    bool left_out;
    @field_list(1) bit<80> flows4_key;
    @field_list(1) bit<32> flow_hash;
    @field_list(1) bit<3> flow_event;
    @field_list(1) bit<2> flow_class;
    @field_list(1) bit<32> flow_index;
    @field_list(1) bit<18> now;
    @field_list(1) bool flow_place;
    bit<1> flow_spill;
    @field_list(1) bit<48> flow_value;
    bool flow_hit;
    bit<16> ring_slot;
    bit<8> generation;
    bit<20> flow_rank;
    bit<48> flow_way0;
    bit<48> flow_way1;
    bit<48> flow_way2;
    bit<48> flow_way3;
    @field_list(1) bool retry;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    // l4lb.rs:169 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            0x86dd: ipv6;
            default: accept;
        }
    }

    // l4lb.rs:179 ipv4
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
        packet.extract(h.quoted);
        transition accept;
    }

    // l4lb.rs:249 tcp
    state tcp {
        packet.extract(h.tcp);
        transition accept;
    }

    // l4lb.rs:255 udp
    state udp {
        packet.extract(h.udp);
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

// Ticks that a way may rest before it expires, by its state and class.
bit<18> flow_idle(in bit<48> value) {
    return value[23:21] == FLOW_NEW
        ? (value[20:19] == 2 ? 18w153 : 18w458)
        : (value[23:21] == FLOW_TCP
            ? (value[20:19] == 1 ? 18w54932 : (value[20:19] == 0 ? 18w4578 : 18w916))
            : (value[23:21] == FLOW_UDP
                ? (value[20:19] == 2 ? 18w153 : 18w916)
                : (value[23:21] == FLOW_CLOSING ? (value[20:19] == 2 ? 18w153 : 18w916) : 18w0)));
}

// How much a way wants to be replaced: free or expired, then closing, then new, the oldest first; 0: never.
bit<20> flow_rank(in bit<48> value, in bit<18> now) {
    bit<18> age = now + 1 - value[17:0];
    return value[23:21] == FLOW_FREE || age > flow_idle(value)
        ? 20w0xc0000
        : (value[23:21] == FLOW_CLOSING ? 2w2 ++ age : (value[23:21] == FLOW_NEW ? 2w1 ++ age : 20w0));
}

// l4lb.rs:190 ingress
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // l4lb.rs:60 drop reason
    @name(".drop.ethernet_cut") @id(0x1244a2c6)
    counter(1, CounterType.packets) drop_ethernet_cut;
    // l4lb.rs:61 drop reason
    @name(".drop.ip_cut") @id(0x12b244a2)
    counter(1, CounterType.packets) drop_ip_cut;
    // l4lb.rs:62 drop reason
    @name(".drop.version") @id(0x12ed97e4)
    counter(1, CounterType.packets) drop_version;
    // l4lb.rs:63 drop reason
    @name(".drop.header_length") @id(0x1233ba9f)
    counter(1, CounterType.packets) drop_header_length;
    // l4lb.rs:64 drop reason
    @name(".drop.total_length") @id(0x126cc8c5)
    counter(1, CounterType.packets) drop_total_length;
    // l4lb.rs:65 drop reason
    @name(".drop.options") @id(0x1281f500)
    counter(1, CounterType.packets) drop_options;
    // l4lb.rs:66 drop reason
    @name(".drop.fragment") @id(0x12d64680)
    counter(1, CounterType.packets) drop_fragment;
    // l4lb.rs:67 drop reason
    @name(".drop.l4_cut") @id(0x12e1db6f)
    counter(1, CounterType.packets) drop_l4_cut;
    // l4lb.rs:68 drop reason
    @name(".drop.data_offset") @id(0x1247b65a)
    counter(1, CounterType.packets) drop_data_offset;
    // l4lb.rs:69 drop reason
    @name(".drop.icmp_quote") @id(0x129f9696)
    counter(1, CounterType.packets) drop_icmp_quote;
    // l4lb.rs:70 drop reason
    @name(".drop.no_pool") @id(0x12288a7d)
    counter(1, CounterType.packets) drop_no_pool;
    // l4lb.rs:71 drop reason
    @name(".drop.no_slot") @id(0x12238767)
    counter(1, CounterType.packets) drop_no_slot;
    // l4lb.rs:72 drop reason
    @name(".drop.no_backend") @id(0x12c3537f)
    counter(1, CounterType.packets) drop_no_backend;
    // l4lb.rs:74 drop reason
    @name(".drop.mtu") @id(0x12d5662f)
    counter(1, CounterType.packets) drop_mtu;
    @name(".flows4.stored") @id(0x1202ace8)
    counter(1, CounterType.packets) flows4_stored;
    @name(".flows4.not_stored") @id(0x12cca1d2)
    counter(1, CounterType.packets) flows4_not_stored;
    @name(".vip4_counter") @id(0x13bf4bb5)
    direct_counter(CounterType.packets_and_bytes) vip4_counter;
    @name(".vip4_any_counter") @id(0x13c4197f)
    direct_counter(CounterType.packets_and_bytes) vip4_any_counter;
    @name(".backend_counter") @id(0x130f4717)
    direct_counter(CounterType.packets_and_bytes) backend_counter;
    // l4lb.rs:138 flow table: buckets of 4 ways
    @name(".flows4") @id(0x16e15dd9)
    register<bit<128>>(65536) flows4;

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
    action flows4_look(in bit<32> mixed) {
        bit<32> first = (mixed & (FLOWS4_BUCKETS - 1)) << 2;
        bit<128> way0;
        bit<128> way1;
        bit<128> way2;
        bit<128> way3;
        flows4.read(way0, first);
        flows4.read(way1, first | 1);
        flows4.read(way2, first | 2);
        flows4.read(way3, first | 3);
        bool is0 = way0[23:21] != FLOW_FREE && way0[127:48] == meta.flows4_key;
        bool is1 = way1[23:21] != FLOW_FREE && way1[127:48] == meta.flows4_key;
        bool is2 = way2[23:21] != FLOW_FREE && way2[127:48] == meta.flows4_key;
        bool is3 = way3[23:21] != FLOW_FREE && way3[127:48] == meta.flows4_key;
        meta.flow_place = is0 || is1 || is2 || is3;
        meta.flow_index = first | (is0 ? 32w0 : (is1 ? 32w1 : (is2 ? 32w2 : 32w3)));
        meta.flow_value = is0 ? way0[47:0] : (is1 ? way1[47:0] : (is2 ? way2[47:0] : way3[47:0]));
        meta.flow_spill = way0[18:18];
    }

    // The values of a bucket's ways.
    @hidden
    action flows4_ways(in bit<32> mixed) {
        meta.flow_index = (mixed & (FLOWS4_BUCKETS - 1)) << 2;
        bit<128> way0;
        bit<128> way1;
        bit<128> way2;
        bit<128> way3;
        flows4.read(way0, meta.flow_index);
        flows4.read(way1, meta.flow_index | 1);
        flows4.read(way2, meta.flow_index | 2);
        flows4.read(way3, meta.flow_index | 3);
        meta.flow_way0 = way0[47:0];
        meta.flow_way1 = way1[47:0];
        meta.flow_way2 = way2[47:0];
        meta.flow_way3 = way3[47:0];
    }

    // Writes the way that was found or chosen; its spill bit stays.
    @hidden
    action flows4_write(in bit<24> id, in bit<3> next, in bit<2> idle_class) {
        flows4.write(
            meta.flow_index,
            meta.flows4_key ++ id ++ next ++ idle_class ++ meta.flow_value[18:18] ++ meta.now
        );
    }

    // Says in a flow's first bucket that some flow went to its second one.
    @hidden
    action flows4_spill(in bit<32> mixed) {
        bit<128> way0;
        flows4.read(way0, (mixed & (FLOWS4_BUCKETS - 1)) << 2);
        flows4.write((mixed & (FLOWS4_BUCKETS - 1)) << 2, way0 | 128w0x40000);
    }

    // l4lb.rs:106 action set_vip
    @name(".set_vip") @id(0x01edf772)
    action set_vip(bit<16> vip, bit<16> pool, bit<64> hash_key, bit<8> flags, bit<2> class) {
        meta.found = true;
        meta.vip = vip;
        meta.pool = pool;
        meta.hash_key = hash_key;
        meta.flags = flags;
        meta.class = class;
    }

    // l4lb.rs:108 action not_a_vip
    @name(".not_a_vip") @id(0x010c9008)
    action not_a_vip() { }

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
    }

    // l4lb.rs:159 action gone
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
        meta.backend = id;
    }

    @name(".no_ring") @id(0x01a915b9)
    action no_ring() { }

    // l4lb.rs:111 table vip4
    @name(".vip4") @id(0x022fb337)
    table vip4 {
        key = {
            h.ip4.dst: exact @name("dst");
            meta.protocol: exact @name("protocol");
            meta.vip_port: exact @name("dst_port");
        }
        actions = {
            set_vip;
            @defaultonly not_a_vip;
        }
        const default_action = not_a_vip();
        size = 512;
        counters = vip4_counter;
    }

    // l4lb.rs:114 table vip4_any
    @name(".vip4_any") @id(0x02487303)
    table vip4_any {
        key = {
            h.ip4.dst: exact @name("dst");
            meta.protocol: exact @name("protocol");
        }
        actions = {
            set_vip;
            @defaultonly not_a_vip;
        }
        const default_action = not_a_vip();
        size = 512;
        counters = vip4_any_counter;
    }

    // l4lb.rs:162 table backend
    @name(".backend") @id(0x027a5084)
    table backend {
        key = {
            meta.backend: exact @name("backend");
        }
        actions = {
            ipip4;
            @defaultonly gone;
        }
        const default_action = gone();
        size = 4096;
        counters = backend_counter;
    }

    // l4lb.rs:148 the generation of each pool in force
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

    // l4lb.rs:148 ring: 65536 slots, 16 bits
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
        size = 524288;
    }

    apply {
        if (!meta.retry) {
            meta.now = standard_metadata.ingress_global_timestamp[33:16];
            if (meta.left_out) {
                standard_metadata.egress_spec = CPU_PORT;
                exit;
            }
            if (!h.eth.isValid()) {
                drop_ethernet_cut.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            if (h.ip4.isValid()) {
                bool too_short = h.ip4.total_length < ((bit<16>) h.ip4.ihl << 2)
                    || (bit<32>) h.ip4.total_length + 14 > standard_metadata.packet_length;
                bool fragment = h.ip4.more_fragments == 1 || h.ip4.fragment_offset != 0;
                bool l4_cut = h.ip4.protocol == 6 && h.ip4.total_length < 40
                    || (h.ip4.protocol == 17 || h.ip4.protocol == 1) && h.ip4.total_length < 28;
                meta.is_error = h.icmp.isValid()
                    && (h.icmp.kind == 3 || h.icmp.kind == 11 || h.icmp.kind == 12);
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
                    vip4.apply();
                }
                if (!meta.found) {
                    // l4lb.rs:312 vip4_any
                    if (vip4_any.apply().miss) {
                        standard_metadata.egress_spec = CPU_PORT;
                        exit;
                    }
                }
                if (by_address) {
                    if (h.ip4.version != 4) {
                        drop_version.count(0);
                        mark_to_drop(standard_metadata);
                        exit;
                    }
                    if (h.ip4.ihl < 5) {
                        drop_header_length.count(0);
                        mark_to_drop(standard_metadata);
                        exit;
                    }
                    if (too_short) {
                        drop_total_length.count(0);
                        mark_to_drop(standard_metadata);
                        exit;
                    }
                    if (h.ip4.ihl != 5) {
                        drop_options.count(0);
                        mark_to_drop(standard_metadata);
                        exit;
                    }
                    if (fragment) {
                        drop_fragment.count(0);
                        mark_to_drop(standard_metadata);
                        exit;
                    }
                    if (l4_cut) {
                        drop_l4_cut.count(0);
                        mark_to_drop(standard_metadata);
                        exit;
                    }
                    if (h.tcp.isValid()) {
                        drop_data_offset.count(0);
                        mark_to_drop(standard_metadata);
                        exit;
                    }
                    if (meta.is_error) {
                        drop_icmp_quote.count(0);
                        mark_to_drop(standard_metadata);
                        exit;
                    }
                    if ((meta.flags & 2) == 0
                        || (!h.icmp.isValid() || h.icmp.kind != 8)
                        || h.eth.dst[40:40] == 1) {
                        standard_metadata.egress_spec = CPU_PORT;
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
                    standard_metadata.egress_spec = standard_metadata.ingress_port;
                    exit;
                }
            } else if (h.eth.ethertype == 0x0800) {
                drop_ip_cut.count(0);
                mark_to_drop(standard_metadata);
                exit;
            } else {
                standard_metadata.egress_spec = CPU_PORT;
                exit;
            }
            hash(
                meta.hash,
                HashAlgorithm.crc32,
                32w0,
                {
                    (bit<32>) meta.hash_key,
                    meta.client4,
                    h.ip4.dst,
                    meta.client_port,
                    meta.vip_port,
                    meta.protocol
                },
                64w0x100000000
            );
            bit<3> event = meta.is_error
                ? 3w0
                : (!h.tcp.isValid()
                    ? 3w3
                    : ((h.tcp.flags & 23) == 2 ? 3w1 : ((h.tcp.flags & 5) != 0 ? 3w4 : 3w2)));
            if ((meta.flags & 1) == 0) {
                // l4lb.rs:457 find in flows4
                meta.flows4_key = meta.client4 ++ meta.client_port ++ meta.vip ++ meta.vip_port;
                meta.flow_hash = meta.hash;
                meta.flow_event = event;
                meta.flow_class = meta.class > 2 ? 2w2 : meta.class;
                flows4_look(meta.flow_hash);
                if (!meta.flow_place && meta.flow_spill == 1) {
                    flows4_look(meta.flow_hash[15:0] ++ meta.flow_hash[31:16]);
                }
                meta.flow_hit = meta.flow_place
                    && meta.now + 1 - meta.flow_value[17:0] <= flow_idle(meta.flow_value)
                    && !(meta.flow_value[23:21] == FLOW_CLOSING && meta.flow_event == EVENT_OPEN);
            }
            meta.entropy = (bit<32>) meta.hash[31:16];
        }

        // l4lb.rs:465 stay where the flow is, or select
        if (meta.flow_hit) {
            meta.backend = meta.flow_value[47:24];
        } else {
            // l4lb.rs:465 select from ring
            if (pool.apply().miss) {
                drop_no_pool.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            meta.ring_slot = meta.hash[15:0];
            if (ring.apply().miss) {
                drop_no_slot.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
        }
        if (backend.apply().hit) {
            if ((bit<32>) h.ip4.total_length + 20 > (bit<32>) meta.ipip4_mtu) {
                if ((meta.flags & 4) == 0
                    || h.ip4.dont_fragment == 0
                    || !h.tcp.isValid() && !h.udp.isValid()) {
                    drop_mtu.count(0);
                    mark_to_drop(standard_metadata);
                    exit;
                }
                drop_mtu.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }

            // l4lb.rs:473 remember
            if (meta.flow_hit) {
                if (meta.flow_event >= EVENT_OPEN && meta.flow_event <= EVENT_CLOSE) {
                    flows4_write(
                        meta.flow_value[47:24],
                        meta.flow_event == EVENT_CLOSE
                            ? FLOW_CLOSING
                            : (meta.flow_value[23:21] == FLOW_NEW && meta.flow_event == EVENT_DATA
                                ? FLOW_TCP
                                : (meta.flow_value[23:21] == FLOW_NEW && meta.flow_event == EVENT_DATAGRAM
                                    ? FLOW_UDP
                                    : meta.flow_value[23:21])),
                        meta.flow_value[20:19]
                    );
                }
            } else if (meta.flow_event >= EVENT_OPEN && meta.flow_event <= EVENT_DATAGRAM) {
                if (!meta.flow_place && meta.flows4_key[79:16] != 64w0xffffffffffffffff) {
                    flows4_ways(meta.flow_hash);
                    flow_choose();
                    if (meta.flow_rank == 0) {
                        flows4_ways(meta.flow_hash[15:0] ++ meta.flow_hash[31:16]);
                        flow_choose();
                        if (meta.flow_rank != 0) {
                            flows4_spill(meta.flow_hash);
                        }
                    }
                }
                if (meta.flow_place || meta.flow_rank != 0) {
                    flows4_write(meta.backend, FLOW_NEW, meta.flow_class);
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
            h.outer4.src = meta.ipip4_src | (meta.entropy & meta.ipip4_spread);
            h.outer4.dst = meta.ipip4_dst;
            hash(h.outer4.checksum, HashAlgorithm.csum16, 16w0, { h.outer4 }, 32w0x10000);
            h.eth.dst = meta.ipip4_dst_mac;
            h.eth.src = meta.ipip4_src_mac;
            standard_metadata.egress_spec = (bit<9>) meta.ipip4_port;
            exit;
        } else {
            if (meta.flow_hit) {
                // Once more from the start, as a flow that moves.
                meta.retry = true;
                resubmit_preserving_field_list(1);
                exit;
            }
            drop_no_backend.count(0);
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
