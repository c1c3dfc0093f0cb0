// decap: made by Guideway from decap.rs for bmv2.
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

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    ipv4_t outer4;
    ipv6_t outer6;
    ipv4_t inner4;
    ipv6_t inner6;
}

struct metadata_t {
    bit<2> ecn;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    inout standard_metadata_t standard_metadata
) {
    // decap.rs:75 start
    state start {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: outer4;
            0x86dd: outer6;
            default: accept;
        }
    }

    // decap.rs:85 outer4
    state outer4 {
        packet.extract(h.outer4);
        transition select(
            h.outer4.ihl,
            h.outer4.more_fragments,
            h.outer4.fragment_offset,
            h.outer4.protocol
        ) {
            (5, 0, 0, 4): inner4;
            default: accept;
        }
    }

    // decap.rs:94 outer6
    state outer6 {
        packet.extract(h.outer6);
        transition select(h.outer6.next_header) {
            4: inner4;
            41: inner6;
            default: accept;
        }
    }

    // decap.rs:104 inner4
    state inner4 {
        packet.extract(h.inner4);
        transition accept;
    }

    // decap.rs:110 inner6
    state inner6 {
        packet.extract(h.inner6);
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

// decap.rs:116 ingress
control ingress(inout headers_t h, inout metadata_t meta, inout standard_metadata_t standard_metadata) {
    // decap.rs:29 drop reason
    @name(".drop.outer_malformed") @id(0x12ea1b6c)
    counter(1, CounterType.packets) drop_outer_malformed;
    // decap.rs:30 drop reason
    @name(".drop.not_allowed") @id(0x128fa2d2)
    counter(1, CounterType.packets) drop_not_allowed;
    // decap.rs:31 drop reason
    @name(".drop.inner_cut") @id(0x12617d76)
    counter(1, CounterType.packets) drop_inner_cut;
    // decap.rs:32 drop reason
    @name(".drop.not_served") @id(0x12556b1b)
    counter(1, CounterType.packets) drop_not_served;
    // decap.rs:33 drop reason
    @name(".drop.congestion") @id(0x120eac7c)
    counter(1, CounterType.packets) drop_congestion;
    @name(".outer4_counter") @id(0x13ba7dfb)
    direct_counter(CounterType.packets_and_bytes) outer4_counter;
    @name(".outer6_counter") @id(0x134303c1)
    direct_counter(CounterType.packets_and_bytes) outer6_counter;
    @name(".served4_counter") @id(0x13cb780e)
    direct_counter(CounterType.packets_and_bytes) served4_counter;
    @name(".served6_counter") @id(0x13bf0574)
    direct_counter(CounterType.packets_and_bytes) served6_counter;

    // decap.rs:45 action allow
    @name(".allow") @id(0x01e9b97d)
    action allow() { }

    // decap.rs:47 action refuse
    @name(".refuse") @id(0x01ae8bcf)
    action refuse() { }

    // decap.rs:64 action serve
    @name(".serve") @id(0x0122d010)
    action serve() { }

    // decap.rs:66 action foreign
    @name(".foreign") @id(0x01c882d8)
    action foreign() { }

    // decap.rs:51 table outer4
    @name(".outer4") @id(0x027026ad)
    table outer4 {
        key = {
            h.outer4.src: lpm @name("src");
        }
        actions = {
            allow;
            @defaultonly refuse;
        }
        const default_action = refuse();
        size = 256;
        counters = outer4_counter;
    }

    // decap.rs:53 table outer6
    @name(".outer6") @id(0x025be08b)
    table outer6 {
        key = {
            h.outer6.src: lpm @name("src");
        }
        actions = {
            allow;
            @defaultonly refuse;
        }
        const default_action = refuse();
        size = 256;
        counters = outer6_counter;
    }

    // decap.rs:70 table served4
    @name(".served4") @id(0x02f128aa)
    table served4 {
        key = {
            h.inner4.dst: exact @name("dst");
        }
        actions = {
            serve;
            @defaultonly foreign;
        }
        const default_action = foreign();
        size = 1024;
        counters = served4_counter;
    }

    // decap.rs:72 table served6
    @name(".served6") @id(0x02261713)
    table served6 {
        key = {
            h.inner6.dst: exact @name("dst");
        }
        actions = {
            serve;
            @defaultonly foreign;
        }
        const default_action = foreign();
        size = 1024;
        counters = served6_counter;
    }

    apply {
        if (h.outer4.isValid() && h.outer4.protocol == 4) {
            if (h.outer4.version != 4
                || h.outer4.ihl != 5
                || h.outer4.more_fragments == 1
                || h.outer4.fragment_offset != 0
                || (bit<32>) h.outer4.total_length + 14 > standard_metadata.packet_length) {
                drop_outer_malformed.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            meta.ecn = h.outer4.tos[1:0];

            // decap.rs:126 outer4
            if (outer4.apply().miss) {
                drop_not_allowed.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            h.outer4.setInvalid();
        } else if (h.outer6.isValid() && (h.outer6.next_header == 4 || h.outer6.next_header == 41)) {
            if (h.outer6.version != 6
                || (bit<32>) h.outer6.payload_length + 54 > standard_metadata.packet_length) {
                drop_outer_malformed.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            meta.ecn = h.outer6.traffic_class[1:0];

            // decap.rs:136 outer6
            if (outer6.apply().miss) {
                drop_not_allowed.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            h.outer6.setInvalid();
        } else {
            standard_metadata.egress_spec = CPU_PORT;
            exit;
        }
        if (h.inner4.isValid()) {
            // decap.rs:146 served4
            if (served4.apply().miss) {
                drop_not_served.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            h.eth.ethertype = 0x0800;
            bit<2> inner = h.inner4.tos[1:0];
            if (meta.ecn == 3 && inner == 0) {
                drop_congestion.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            if (meta.ecn == 3) {
                bit<8> marked = h.inner4.tos | 3;
                adjust(
                    h.inner4.checksum,
                    (bit<32>) ~(h.inner4.version ++ h.inner4.ihl ++ h.inner4.tos)
                        + (bit<32>) (h.inner4.version ++ h.inner4.ihl ++ marked)
                );
                h.inner4.tos = marked;
            }
        } else if (h.inner6.isValid()) {
            // decap.rs:166 served6
            if (served6.apply().miss) {
                drop_not_served.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            h.eth.ethertype = 0x86dd;
            bit<2> inner = h.inner6.traffic_class[1:0];
            if (meta.ecn == 3 && inner == 0) {
                drop_congestion.count(0);
                mark_to_drop(standard_metadata);
                exit;
            }
            if (meta.ecn == 3) {
                h.inner6.traffic_class = h.inner6.traffic_class | 3;
            }
        } else {
            drop_inner_cut.count(0);
            mark_to_drop(standard_metadata);
            exit;
        }
        standard_metadata.egress_spec = CPU_PORT;
        exit;
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
