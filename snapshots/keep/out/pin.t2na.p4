// pin: made by Guideway from pipeline.rs for tofino2.
#include <core.p4>
#include <t2na.p4>

// The host's own stack: the port of the chip's processor.
const bit<9> CPU_PORT = 0;

// Whose a place is, and until when.
struct flow_entry_t {
    bit<32> digest;
    bit<32> until;
}

struct flow_clock_t {
    bit<32> last;
    bit<32> before;
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
    ethernet_t eth;
    ipv4_t ip4;
    tcp_t tcp;
    udp_t udp;
}

struct metadata_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<8> service_pool;
    bit<48> to_mac_mac;
    bit<9> to_mac_port;
    bit<32> hash;
    bit<16> id;
    bool over;
    bit<32> clock;
    bit<32> clock_before;
    bit<32> now;
    bit<3> flow_event;
    bit<32> flow_digest;
    bit<2> drop_reason;
    bool flow_hit;
    bit<16> flow_seen0;
    bit<16> flow_seen1;
    bool flows_wrote;
    bool flows_no_room;
    bit<8> generation;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // pipeline.rs:73 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.src_port = 0;
        meta.dst_port = 0;
        meta.service_pool = 0;
        meta.to_mac_mac = 0;
        meta.to_mac_port = 0;
        meta.hash = 0;
        meta.id = 0;
        meta.over = false;
        meta.clock = 0;
        meta.clock_before = 0;
        meta.now = 0;
        meta.flow_event = 0;
        meta.flow_digest = 0;
        meta.drop_reason = 0;
        meta.flow_hit = false;
        meta.flow_seen0 = 0;
        meta.flow_seen1 = 0;
        meta.flows_wrote = false;
        meta.flows_no_room = false;
        meta.generation = 0;
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

// pipeline.rs:104 ingress
@pa_container_size("ingress", "meta.flow_digest", 32) @pa_container_size("ingress", "meta.now", 32) @pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.over") @pa_solitary("ingress", "meta.drop_reason") @pa_solitary("ingress", "meta.flow_seen0") @pa_solitary("ingress", "meta.flow_seen1") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16)
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in ingress_intrinsic_metadata_t istd,
    in ingress_intrinsic_metadata_from_parser_t from_parser,
    inout ingress_intrinsic_metadata_for_deparser_t deparser,
    inout ingress_intrinsic_metadata_for_tm_t tm
) {
    Hash<bit<32>>(HashAlgorithm_t.CRC32) crc32;
    // drop reasons, from 1 on
    @name(".drops")
    Counter<bit<64>, bit<2>>(4, CounterType_t.PACKETS) drops;
    @name(".flows.stored")
    Counter<bit<64>, bit<1>>(1, CounterType_t.PACKETS) flows_stored;
    @name(".flows.not_stored")
    Counter<bit<64>, bit<1>>(1, CounterType_t.PACKETS) flows_not_stored;
    @name(".service_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) service_counter;
    @name(".server_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) server_counter;
    // The chip's time begins anew after 78 hours: what it has come to before is counted here.
    Register<flow_clock_t, bit<1>>(1, { 0, 0 }) flow_clock;

    RegisterAction<flow_clock_t, bit<1>, bit<32>>(flow_clock) flow_clock_before = {
        void apply(inout flow_clock_t clock, out bit<32> before) {
            if (clock.last > meta.clock + 2097152) {
                clock.before = clock.before + 4194304;
            }
            clock.last = meta.clock;
            before = clock.before;
        }
    };
    CRCPolynomial<bit<32>>(32w0x1edc6f41, true, false, false, 32w0xffffffff, 32w0xffffffff) flows_polynomial;
    Hash<bit<32>>(HashAlgorithm_t.CUSTOM, flows_polynomial) flows_digest;

    // A table of its own: a stage takes 32 bits of hashes at once.
    action flows_marks() {
        meta.flow_digest = flows_digest.get({ h.ip4.src, h.ip4.dst, meta.src_port });
    }

    table flows_mark {
        actions = {
            flows_marks;
        }
        const default_action = flows_marks();
        size = 1;
    }

    Register<flow_entry_t, bit<14>>(16384, { 0, 0 }) flows_0;

    // An open takes a place that is not live; a live flow stays as it is.
    RegisterAction<flow_entry_t, bit<14>, bit<16>>(flows_0) flows_0_open = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 150;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<14>, bit<16>>(flows_0) flows_0_data = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now + 4471;
            }
            if (entry.digest != meta.flow_digest && entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 150;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<14>, bit<16>>(flows_0) flows_0_datagram = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest) {
                entry.until = meta.now + 895;
            }
            if (entry.digest != meta.flow_digest && entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 150;
            }
        }
    };

    // What is closed is no longer live, but known until another flow takes its place.
    RegisterAction<flow_entry_t, bit<14>, bit<16>>(flows_0) flows_0_close = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now;
            }
        }
    };
    Register<bit<16>, bit<14>>(16384, 0) flows_0_id;

    RegisterAction<bit<16>, bit<14>, bit<16>>(flows_0_id) flows_0_id_read = {
        void apply(inout bit<16> id, out bit<16> known) {
            known = id;
        }
    };

    RegisterAction<bit<16>, bit<14>, bit<16>>(flows_0_id) flows_0_id_write = {
        void apply(inout bit<16> id) {
            id = meta.id;
        }
    };

    action flows_open0() {
        meta.flow_seen0 = flows_0_open.execute(meta.hash[13:0]);
    }

    action flows_data0() {
        meta.flow_seen0 = flows_0_data.execute(meta.hash[13:0]);
    }

    action flows_datagram0() {
        meta.flow_seen0 = flows_0_datagram.execute(meta.hash[13:0]);
    }

    action flows_close0() {
        meta.flow_seen0 = flows_0_close.execute(meta.hash[13:0]);
    }

    action flows_read0() {
        meta.id = flows_0_id_read.execute(meta.hash[13:0]);
        meta.flow_hit = true;
    }

    action flows_write0() {
        flows_0_id_write.execute(meta.hash[13:0]);
        meta.flows_wrote = true;
    }

    Register<flow_entry_t, bit<14>>(16384, { 0, 0 }) flows_1;

    // An open takes a place that is not live; a live flow stays as it is.
    RegisterAction<flow_entry_t, bit<14>, bit<16>>(flows_1) flows_1_open = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 150;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<14>, bit<16>>(flows_1) flows_1_data = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now + 4471;
            }
            if (entry.digest != meta.flow_digest && entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 150;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<14>, bit<16>>(flows_1) flows_1_datagram = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest) {
                entry.until = meta.now + 895;
            }
            if (entry.digest != meta.flow_digest && entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 150;
            }
        }
    };

    // What is closed is no longer live, but known until another flow takes its place.
    RegisterAction<flow_entry_t, bit<14>, bit<16>>(flows_1) flows_1_close = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now;
            }
        }
    };
    Register<bit<16>, bit<14>>(16384, 0) flows_1_id;

    RegisterAction<bit<16>, bit<14>, bit<16>>(flows_1_id) flows_1_id_read = {
        void apply(inout bit<16> id, out bit<16> known) {
            known = id;
        }
    };

    RegisterAction<bit<16>, bit<14>, bit<16>>(flows_1_id) flows_1_id_write = {
        void apply(inout bit<16> id) {
            id = meta.id;
        }
    };

    action flows_open1() {
        meta.flow_seen1 = flows_1_open.execute(meta.hash[13:0]);
    }

    action flows_data1() {
        meta.flow_seen1 = flows_1_data.execute(meta.hash[13:0]);
    }

    action flows_datagram1() {
        meta.flow_seen1 = flows_1_datagram.execute(meta.hash[13:0]);
    }

    action flows_close1() {
        meta.flow_seen1 = flows_1_close.execute(meta.hash[13:0]);
    }

    action flows_read1() {
        meta.id = flows_1_id_read.execute(meta.hash[13:0]);
        meta.flow_hit = true;
    }

    action flows_write1() {
        flows_1_id_write.execute(meta.hash[13:0]);
        meta.flows_wrote = true;
    }

    action flows_full() {
        meta.flows_no_room = true;
    }

    action flows_rests() { }

    action flows_rests0() {
        meta.flow_seen0 = 0;
    }

    action flows_rests1() {
        meta.flow_seen1 = 0;
    }

    table flows_look0 {
        key = {
            meta.flow_event: ternary;
        }
        actions = {
            flows_open0;
            flows_data0;
            flows_datagram0;
            flows_close0;
            flows_rests0;
        }
        const default_action = flows_rests0();
        size = 4;
        const entries = {
            1: flows_open0;
            2: flows_data0;
            3: flows_datagram0;
            4: flows_close0;
        }
    }

    // A flow that has just taken the first way gives its other place back, and takes its id with it.
    table flows_look1 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
        }
        actions = {
            flows_open1;
            flows_data1;
            flows_datagram1;
            flows_close1;
            flows_rests1;
        }
        const default_action = flows_rests1();
        size = 6;
        const entries = {
            (1, 4): flows_open1;
            (2, 4): flows_data1;
            (3, 4): flows_datagram1;
            (4, 4): flows_close1;
            (_, 1): flows_close1;
            (1, 2): flows_close1;
        }
    }

    table flows_know1 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
            meta.flow_seen1: ternary;
            istd.resubmit_flag: ternary;
        }
        actions = {
            flows_read1;
            flows_write1;
            flows_full;
            flows_rests;
        }
        const default_action = flows_rests();
        size = 9;
        const entries = {
            (_, _, 8, 1): flows_write1;
            (_, _, 8, 0): flows_read1;
            (1, 4, 2, _): flows_write1;
            (1, _, 2, _): flows_rests;
            (_, _, 2, 1): flows_write1;
            (_, _, 2, 0): flows_read1;
            (4, _, _, _): flows_rests;
            (_, 4, 1, _): flows_write1;
            (_, 4, 4, _): flows_full;
        }
    }

    table flows_know0 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
            istd.resubmit_flag: ternary;
        }
        actions = {
            flows_read0;
            flows_write0;
            flows_rests;
        }
        const default_action = flows_rests();
        size = 7;
        const entries = {
            (_, 8, 1): flows_write0;
            (_, 8, 0): flows_read0;
            (1, 2, _): flows_write0;
            (_, 2, 1): flows_write0;
            (_, 2, 0): flows_read0;
            (4, _, _): flows_rests;
            (_, 1, _): flows_write0;
        }
    }

    // pipeline.rs:39 action service
    @name(".service")
    action service_2(bit<8> pool) {
        meta.service_pool = pool;
        service_counter.count();
    }

    // pipeline.rs:41 action no_service
    @name(".no_service")
    action no_service() {
        service_counter.count();
    }

    // pipeline.rs:65 action to_mac
    @name(".to_mac")
    action to_mac(bit<48> mac, bit<32> port) {
        meta.to_mac_mac = mac;
        meta.to_mac_port = (bit<9>) port;
        server_counter.count();
    }

    // pipeline.rs:67 action not_there
    @name(".not_there")
    action not_there() {
        server_counter.count();
    }

    @name(".set_generation")
    action set_generation(bit<8> generation) {
        meta.generation = generation;
    }

    @name(".no_servers_in_use")
    action no_servers_in_use() { }

    @name(".set_servers")
    action set_servers(bit<16> id) {
        meta.id = id;
    }

    @name(".no_servers")
    action no_servers() { }

    // pipeline.rs:44 table service
    @name(".service")
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
    @name(".server")
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
    @name(".servers_in_use")
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
    @name(".servers")
    table servers {
        key = {
            meta.service_pool: exact @name("pool");
            meta.generation: exact @name("generation");
            meta.hash[7:0]: exact @name("slot");
        }
        actions = {
            set_servers;
            @defaultonly no_servers;
        }
        const default_action = no_servers();
        size = 1024;
    }

    apply {
        if (h.tcp.isValid()) {
            meta.src_port = h.tcp.src_port;
            meta.dst_port = h.tcp.dst_port;
        } else if (h.udp.isValid()) {
            meta.src_port = h.udp.src_port;
            meta.dst_port = h.udp.dst_port;
        } else {
            meta.over = true;
            tm.bypass_egress = 1;
            tm.ucast_egress_port = CPU_PORT;
        }
        if (!meta.over) {
            meta.clock = (bit<32>) from_parser.global_tstamp[47:26];
            meta.clock_before = flow_clock_before.execute(0);
            meta.now = meta.clock_before | meta.clock;

            // pipeline.rs:113 service
            if (service.apply().hit) {
                meta.hash = crc32.get({ 32w0, h.ip4.src, h.ip4.dst, meta.src_port, meta.dst_port });
                bit<3> event;
                if (h.udp.isValid()) {
                    event = 3;
                } else if ((h.tcp.flags & 23) == 2) {
                    event = 1;
                } else if ((h.tcp.flags & 5) != 0) {
                    event = 4;
                } else {
                    event = 2;
                }

                // pipeline.rs:131 find in flows
                meta.flow_event = event;
                flows_mark.apply();

                // pipeline.rs:132 stay where the flow is, or select
                // pipeline.rs:132 select from servers
                if (servers_in_use.apply().miss) {
                    meta.over = true;
                    meta.drop_reason = 1;
                    deparser.drop_ctl = 1;
                } else {
                    if (servers.apply().miss) {
                        meta.over = true;
                        meta.drop_reason = 2;
                        deparser.drop_ctl = 1;
                    } else {
                        flows_look0.apply();
                        flows_look1.apply();
                        flows_know1.apply();
                        flows_know0.apply();
                        if (meta.flows_wrote && !meta.flow_hit) {
                            flows_stored.count(0);
                        }
                        if (meta.flows_no_room) {
                            flows_not_stored.count(0);
                        }
                        if (server.apply().hit) {
                            h.eth.dst = meta.to_mac_mac;
                            tm.bypass_egress = 1;
                            tm.ucast_egress_port = meta.to_mac_port;
                        } else {
                            if (meta.flow_hit) {
                                // Once more, as a flow that moves.
                                deparser.resubmit_type = 1;
                            } else {
                                meta.drop_reason = 3;
                                deparser.drop_ctl = 1;
                            }
                        }
                    }
                }
            } else {
                tm.bypass_egress = 1;
                tm.ucast_egress_port = CPU_PORT;
            }
        }
        if (meta.drop_reason != 0) {
            drops.count(meta.drop_reason);
        }
    }
}

control deparse(
    packet_out packet,
    inout headers_t h,
    in metadata_t meta,
    in ingress_intrinsic_metadata_for_deparser_t deparser
) {
    Resubmit() resubmit;

    apply {
        if (deparser.resubmit_type == 1) {
            resubmit.emit();
        }
        packet.emit(h);
    }
}

// Packets pass egress by.
struct egress_headers_t { }

struct egress_metadata_t { }

parser egress_parse(
    packet_in packet,
    out egress_headers_t h,
    out egress_metadata_t meta,
    out egress_intrinsic_metadata_t istd
) {
    state start {
        packet.extract(istd);
        transition accept;
    }
}

control egress(
    inout egress_headers_t h,
    inout egress_metadata_t meta,
    in egress_intrinsic_metadata_t istd,
    in egress_intrinsic_metadata_from_parser_t from_parser,
    inout egress_intrinsic_metadata_for_deparser_t deparser,
    inout egress_intrinsic_metadata_for_output_port_t output
) {
    apply { }
}

control egress_deparse(
    packet_out packet,
    inout egress_headers_t h,
    in egress_metadata_t meta,
    in egress_intrinsic_metadata_for_deparser_t deparser
) {
    apply {
        packet.emit(h);
    }
}

Pipeline(parse(), ingress(), deparse(), egress_parse(), egress(), egress_deparse()) pipe;
Switch(pipe) main;
