// l4lb: made by Guideway from l4lb.rs for tofino.
#include <core.p4>
#include <tna.p4>

// The host's own stack: the port of the chip's processor.
const bit<9> CPU_PORT = 320;

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

// What ingress tells egress.
header bridge_t {
    bit<32> ipip4_src;
    bit<32> ipip4_dst;
    bit<48> ipip4_dst_mac;
    bit<48> ipip4_src_mac;
    bit<16> step_3;
    bit<32> step_4;
    bit<8> arm;
}

// In the order in which they leave.
struct headers_t {
    bridge_t bridge;
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
    bool too_short;
    bool by_address;
    bit<32> hash;
    bit<32> entropy;
    bit<24> backend;
    bool left_out;
    bool over;
    bit<16> step;
    bit<16> step_2;
    bool step_5;
    bit<4> drop_reason;
    bit<32> clock;
    bit<32> clock_before;
    bit<32> now;
    bool ip4_checksum_changes;
    bit<16> ip4_checksum_was;
    bit<16> ip4_checksum_old0;
    bit<16> ip4_checksum_new0;
    bool icmp_checksum_changes;
    bit<16> icmp_checksum_was;
    bit<16> icmp_checksum_old0;
    bit<16> icmp_checksum_new0;
    bit<3> flow_event;
    bit<32> flow_digest;
    bit<32> flow_id;
    bool flow_hit;
    bit<4> flow_seen0;
    bit<4> flow_seen1;
    bool flows4_wrote;
    bool flows4_no_room;
    bit<8> generation;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // l4lb.rs:169 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.protocol = 0;
        meta.client_port = 0;
        meta.vip_port = 0;
        meta.client4 = 0;
        meta.vip = 0;
        meta.pool = 0;
        meta.hash_key = 0;
        meta.flags = 0;
        meta.class = 0;
        meta.is_error = false;
        meta.found = false;
        meta.too_short = false;
        meta.by_address = false;
        meta.hash = 0;
        meta.entropy = 0;
        meta.backend = 0;
        meta.left_out = false;
        meta.over = false;
        meta.step = 0;
        meta.step_2 = 0;
        meta.step_5 = false;
        meta.drop_reason = 0;
        meta.clock = 0;
        meta.clock_before = 0;
        meta.now = 0;
        meta.ip4_checksum_changes = false;
        meta.ip4_checksum_was = 0;
        meta.ip4_checksum_old0 = 65280;
        meta.ip4_checksum_new0 = 255;
        meta.icmp_checksum_changes = false;
        meta.icmp_checksum_was = 0;
        meta.icmp_checksum_old0 = 65280;
        meta.icmp_checksum_new0 = 255;
        meta.flow_event = 0;
        meta.flow_digest = 0;
        meta.flow_id = 0;
        meta.flow_hit = false;
        meta.flow_seen0 = 0;
        meta.flow_seen1 = 0;
        meta.flows4_wrote = false;
        meta.flows4_no_room = false;
        meta.generation = 0;
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

// l4lb.rs:190 ingress
@pa_container_size("ingress", "meta.flow_digest", 32) @pa_container_size("ingress", "meta.now", 32) @pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.flags") @pa_solitary("ingress", "meta.is_error") @pa_solitary("ingress", "meta.found") @pa_solitary("ingress", "meta.too_short") @pa_solitary("ingress", "meta.by_address") @pa_solitary("ingress", "meta.over") @pa_solitary("ingress", "meta.step_2") @pa_solitary("ingress", "meta.step_5") @pa_solitary("ingress", "meta.drop_reason") @pa_solitary("ingress", "meta.ip4_checksum_changes") @pa_solitary("ingress", "meta.icmp_checksum_changes") @pa_solitary("ingress", "meta.flow_seen0") @pa_solitary("ingress", "meta.flow_seen1") @pa_solitary("ingress", "h.ip4.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.ip4.checksum.$deparse_updated_csum_0") @pa_solitary("ingress", "h.icmp.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.icmp.checksum.$deparse_updated_csum_0") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16) @pa_container_size("ingress", "meta.ip4_checksum_was", 16) @pa_container_size("ingress", "meta.icmp_checksum_was", 16)
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
    Counter<bit<64>, bit<4>>(15, CounterType_t.PACKETS) drops;
    @name(".flows4.stored")
    Counter<bit<64>, bit<1>>(1, CounterType_t.PACKETS) flows4_stored;
    @name(".flows4.not_stored")
    Counter<bit<64>, bit<1>>(1, CounterType_t.PACKETS) flows4_not_stored;
    @name(".vip4_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) vip4_counter;
    @name(".vip4_any_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) vip4_any_counter;
    @name(".backend_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) backend_counter;
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
    CRCPolynomial<bit<32>>(32w0x1edc6f41, true, false, false, 32w0xffffffff, 32w0xffffffff) flows4_polynomial;
    Hash<bit<32>>(HashAlgorithm_t.CUSTOM, flows4_polynomial) flows4_digest;

    // A table of its own: a stage takes 32 bits of hashes at once.
    action flows4_marks() {
        meta.flow_digest = flows4_digest.get({ meta.client4, meta.client_port, meta.vip, meta.vip_port });
    }

    table flows4_mark {
        actions = {
            flows4_marks;
        }
        const default_action = flows4_marks();
        size = 1;
    }

    Register<flow_entry_t, bit<15>>(32768, { 0, 0 }) flows4_0;

    // An open takes a place that is not live; a live flow stays as it is.
    RegisterAction<flow_entry_t, bit<15>, bit<4>>(flows4_0) flows4_0_open = {
        void apply(inout flow_entry_t entry, out bit<4> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 448;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<15>, bit<4>>(flows4_0) flows4_0_data = {
        void apply(inout flow_entry_t entry, out bit<4> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now + 53645;
            }
            if (entry.digest != meta.flow_digest && entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 448;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<15>, bit<4>>(flows4_0) flows4_0_datagram = {
        void apply(inout flow_entry_t entry, out bit<4> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest) {
                entry.until = meta.now + 895;
            }
            if (entry.digest != meta.flow_digest && entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 448;
            }
        }
    };

    // What is closed is no longer live, but known until another flow takes its place.
    RegisterAction<flow_entry_t, bit<15>, bit<4>>(flows4_0) flows4_0_close = {
        void apply(inout flow_entry_t entry, out bit<4> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now;
            }
        }
    };
    Register<bit<32>, bit<15>>(32768, 0) flows4_0_id;

    RegisterAction<bit<32>, bit<15>, bit<32>>(flows4_0_id) flows4_0_id_read = {
        void apply(inout bit<32> id, out bit<32> known) {
            known = id;
        }
    };

    RegisterAction<bit<32>, bit<15>, bit<32>>(flows4_0_id) flows4_0_id_write = {
        void apply(inout bit<32> id) {
            id = meta.flow_id;
        }
    };

    action flows4_open0() {
        meta.flow_seen0 = flows4_0_open.execute(meta.hash[14:0]);
    }

    action flows4_data0() {
        meta.flow_seen0 = flows4_0_data.execute(meta.hash[14:0]);
    }

    action flows4_datagram0() {
        meta.flow_seen0 = flows4_0_datagram.execute(meta.hash[14:0]);
    }

    action flows4_close0() {
        meta.flow_seen0 = flows4_0_close.execute(meta.hash[14:0]);
    }

    action flows4_read0() {
        meta.flow_id = flows4_0_id_read.execute(meta.hash[14:0]);
        meta.flow_hit = true;
    }

    action flows4_write0() {
        flows4_0_id_write.execute(meta.hash[14:0]);
        meta.flows4_wrote = true;
    }

    Register<flow_entry_t, bit<15>>(32768, { 0, 0 }) flows4_1;

    // An open takes a place that is not live; a live flow stays as it is.
    RegisterAction<flow_entry_t, bit<15>, bit<4>>(flows4_1) flows4_1_open = {
        void apply(inout flow_entry_t entry, out bit<4> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 448;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<15>, bit<4>>(flows4_1) flows4_1_data = {
        void apply(inout flow_entry_t entry, out bit<4> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now + 53645;
            }
            if (entry.digest != meta.flow_digest && entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 448;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<15>, bit<4>>(flows4_1) flows4_1_datagram = {
        void apply(inout flow_entry_t entry, out bit<4> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest) {
                entry.until = meta.now + 895;
            }
            if (entry.digest != meta.flow_digest && entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 448;
            }
        }
    };

    // What is closed is no longer live, but known until another flow takes its place.
    RegisterAction<flow_entry_t, bit<15>, bit<4>>(flows4_1) flows4_1_close = {
        void apply(inout flow_entry_t entry, out bit<4> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now;
            }
        }
    };
    Register<bit<32>, bit<15>>(32768, 0) flows4_1_id;

    RegisterAction<bit<32>, bit<15>, bit<32>>(flows4_1_id) flows4_1_id_read = {
        void apply(inout bit<32> id, out bit<32> known) {
            known = id;
        }
    };

    RegisterAction<bit<32>, bit<15>, bit<32>>(flows4_1_id) flows4_1_id_write = {
        void apply(inout bit<32> id) {
            id = meta.flow_id;
        }
    };

    action flows4_open1() {
        meta.flow_seen1 = flows4_1_open.execute(meta.hash[14:0]);
    }

    action flows4_data1() {
        meta.flow_seen1 = flows4_1_data.execute(meta.hash[14:0]);
    }

    action flows4_datagram1() {
        meta.flow_seen1 = flows4_1_datagram.execute(meta.hash[14:0]);
    }

    action flows4_close1() {
        meta.flow_seen1 = flows4_1_close.execute(meta.hash[14:0]);
    }

    action flows4_read1() {
        meta.flow_id = flows4_1_id_read.execute(meta.hash[14:0]);
        meta.flow_hit = true;
    }

    action flows4_write1() {
        flows4_1_id_write.execute(meta.hash[14:0]);
        meta.flows4_wrote = true;
    }

    action flows4_full() {
        meta.flows4_no_room = true;
    }

    action flows4_rests() { }

    action flows4_rests0() {
        meta.flow_seen0 = 0;
    }

    action flows4_rests1() {
        meta.flow_seen1 = 0;
    }

    table flows4_look0 {
        key = {
            meta.flow_event: ternary;
        }
        actions = {
            flows4_open0;
            flows4_data0;
            flows4_datagram0;
            flows4_close0;
            flows4_rests0;
        }
        const default_action = flows4_rests0();
        size = 4;
        const entries = {
            1: flows4_open0;
            2: flows4_data0;
            3: flows4_datagram0;
            4: flows4_close0;
        }
    }

    // A flow that has just taken the first way gives its other place back, and takes its id with it.
    table flows4_look1 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
        }
        actions = {
            flows4_open1;
            flows4_data1;
            flows4_datagram1;
            flows4_close1;
            flows4_rests1;
        }
        const default_action = flows4_rests1();
        size = 6;
        const entries = {
            (1, 4): flows4_open1;
            (2, 4): flows4_data1;
            (3, 4): flows4_datagram1;
            (4, 4): flows4_close1;
            (_, 1): flows4_close1;
            (1, 2): flows4_close1;
        }
    }

    table flows4_know1 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
            meta.flow_seen1: ternary;
            istd.resubmit_flag: ternary;
        }
        actions = {
            flows4_read1;
            flows4_write1;
            flows4_full;
            flows4_rests;
        }
        const default_action = flows4_rests();
        size = 9;
        const entries = {
            (_, _, 8, 1): flows4_write1;
            (_, _, 8, 0): flows4_read1;
            (1, 4, 2, _): flows4_write1;
            (1, _, 2, _): flows4_rests;
            (_, _, 2, 1): flows4_write1;
            (_, _, 2, 0): flows4_read1;
            (4, _, _, _): flows4_rests;
            (_, 4, 1, _): flows4_write1;
            (_, 4, 4, _): flows4_full;
        }
    }

    table flows4_know0 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
            istd.resubmit_flag: ternary;
        }
        actions = {
            flows4_read0;
            flows4_write0;
            flows4_rests;
        }
        const default_action = flows4_rests();
        size = 7;
        const entries = {
            (_, 8, 1): flows4_write0;
            (_, 8, 0): flows4_read0;
            (1, 2, _): flows4_write0;
            (_, 2, 1): flows4_write0;
            (_, 2, 0): flows4_read0;
            (4, _, _): flows4_rests;
            (_, 1, _): flows4_write0;
        }
    }

    action compute_step_2() {
        meta.step_2 = meta.step |-| h.ip4.total_length;
    }

    table computes_step_2 {
        actions = {
            compute_step_2;
        }
        const default_action = compute_step_2();
        size = 1;
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
        vip4_counter.count();
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
        vip4_any_counter.count();
    }

    // l4lb.rs:108 action not_a_vip
    @name(".vip4_not_a_vip")
    action vip4_not_a_vip() {
        vip4_counter.count();
    }

    // l4lb.rs:108 action not_a_vip
    @name(".vip4_any_not_a_vip")
    action vip4_any_not_a_vip() {
        vip4_any_counter.count();
    }

    // l4lb.rs:156 action ipip4
    @name(".ipip4")
    action ipip4(
        bit<32> src,
        bit<32> spread,
        bit<32> dst,
        bit<32> port,
        bit<48> dst_mac,
        bit<48> src_mac,
        bit<16> mtu
    ) {
        h.bridge.setValid();
        h.bridge.arm = 1;
        tm.ucast_egress_port = (bit<9>) port;
        h.bridge.ipip4_src = src;
        h.bridge.ipip4_dst = dst;
        h.bridge.ipip4_dst_mac = dst_mac;
        h.bridge.ipip4_src_mac = src_mac;
        h.bridge.step_3 = mtu |-| h.ip4.total_length;
        h.bridge.step_4 = meta.entropy & spread;
        backend_counter.count();
    }

    // l4lb.rs:159 action gone
    @name(".gone")
    action gone() {
        backend_counter.count();
    }

    action by_address_holds() {
        meta.by_address = true;
    }

    action by_address_fails() {
        meta.by_address = false;
    }

    action line_424_1() {
        meta.client_port = h.tcp.src_port;
        meta.vip_port = h.tcp.dst_port;
    }

    action line_424_2() {
        meta.client_port = h.udp.src_port;
        meta.vip_port = h.udp.dst_port;
    }

    action line_424_3() {
        meta.client_port = h.quoted.dst_port;
        meta.vip_port = h.quoted.src_port;
    }

    action line_424_else() { }

    action line_318_1() {
        meta.drop_reason = 3;
        deparser.drop_ctl = 1;
    }

    action line_318_2() {
        meta.drop_reason = 4;
        deparser.drop_ctl = 1;
    }

    action line_318_3() {
        meta.drop_reason = 5;
        deparser.drop_ctl = 1;
    }

    action line_318_4() {
        meta.drop_reason = 6;
        deparser.drop_ctl = 1;
    }

    action line_318_5() {
        meta.drop_reason = 7;
        deparser.drop_ctl = 1;
    }

    action line_318_6() {
        meta.drop_reason = 8;
        deparser.drop_ctl = 1;
    }

    action line_318_7() {
        meta.drop_reason = 9;
        deparser.drop_ctl = 1;
    }

    action line_318_8() {
        meta.drop_reason = 10;
        deparser.drop_ctl = 1;
    }

    action line_318_9() { }

    action line_318_else() { }

    @name(".set_generation")
    action set_generation(bit<8> generation) {
        meta.generation = generation;
    }

    @name(".no_pool")
    action no_pool() { }

    @name(".set_ring")
    action set_ring(bit<24> id) {
        meta.backend = id;
    }

    @name(".no_ring")
    action no_ring() { }

    // l4lb.rs:111 table vip4
    @name(".vip4")
    table vip4 {
        key = {
            h.ip4.dst: exact @name("dst");
            meta.protocol: exact @name("protocol");
            meta.vip_port: exact @name("dst_port");
        }
        actions = {
            vip4_set_vip;
            @defaultonly vip4_not_a_vip;
        }
        const default_action = vip4_not_a_vip();
        size = 512;
        counters = vip4_counter;
    }

    // l4lb.rs:114 table vip4_any
    @name(".vip4_any")
    table vip4_any {
        key = {
            h.ip4.dst: exact @name("dst");
            meta.protocol: exact @name("protocol");
        }
        actions = {
            vip4_any_set_vip;
            @defaultonly vip4_any_not_a_vip;
        }
        const default_action = vip4_any_not_a_vip();
        size = 512;
        counters = vip4_any_counter;
    }

    // l4lb.rs:162 table backend
    @name(".backend")
    table backend {
        key = {
            meta.flow_id[23:0]: exact @name("backend");
        }
        actions = {
            ipip4;
            @defaultonly gone;
        }
        const default_action = gone();
        size = 4096;
        counters = backend_counter;
    }

    // l4lb.rs:287 is decided
    @hidden
    table decides_by_address {
        key = {
            h.ip4.version: ternary;
            h.ip4.ihl: ternary;
            h.ip4.total_length: ternary;
            h.ip4.more_fragments: ternary;
            h.ip4.fragment_offset: ternary;
            h.ip4.protocol: ternary;
            h.tcp.isValid(): ternary;
            h.tcp.data_offset: ternary;
            h.icmp.isValid(): ternary;
            h.icmp.kind: ternary;
            h.quoted.isValid(): ternary;
            meta.step_5: ternary;
        }
        actions = {
            by_address_holds;
            by_address_fails;
        }
        const default_action = by_address_holds();
        const entries = {
            (4, 5, 0 &&& 0xfff0, 0, 0, _, _, _, _, _, _, _): by_address_holds;
            (4, 5, 16 &&& 0xfffc, 0, 0, _, _, _, _, _, _, _): by_address_holds;
            (4, 5, 0 &&& 0xffe0, 0, 0, 6, _, _, _, _, _, _): by_address_holds;
            (4, 5, 32 &&& 0xfff8, 0, 0, 6, _, _, _, _, _, _): by_address_holds;
            (4, 5, 16 &&& 0xfff8, 0, 0, 17, _, _, _, _, _, _): by_address_holds;
            (4, 5, 24 &&& 0xfffc, 0, 0, 17, _, _, _, _, _, _): by_address_holds;
            (4, 5, 16 &&& 0xfff8, 0, 0, 1, _, _, _, _, _, _): by_address_holds;
            (4, 5, 24 &&& 0xfffc, 0, 0, 1, _, _, _, _, _, _): by_address_holds;
            (4, 5, _, 0, 0, _, true, 0 &&& 12, _, _, _, _): by_address_holds;
            (4, 5, _, 0, 0, _, true, 4, _, _, _, _): by_address_holds;
            (4, 5, _, 0, 0, _, _, _, true, 3, false, _): by_address_holds;
            (4, 5, 0 &&& 0xffe0, 0, 0, _, _, _, true, 3, _, _): by_address_holds;
            (4, 5, 32 &&& 0xfff0, 0, 0, _, _, _, true, 3, _, _): by_address_holds;
            (4, 5, 48 &&& 0xfff8, 0, 0, _, _, _, true, 3, _, _): by_address_holds;
            (4, 5, _, 0, 0, _, _, _, true, 3, _, true): by_address_holds;
            (4, 5, _, 0, 0, _, _, _, true, 11, false, _): by_address_holds;
            (4, 5, 0 &&& 0xffe0, 0, 0, _, _, _, true, 11, _, _): by_address_holds;
            (4, 5, 32 &&& 0xfff0, 0, 0, _, _, _, true, 11, _, _): by_address_holds;
            (4, 5, 48 &&& 0xfff8, 0, 0, _, _, _, true, 11, _, _): by_address_holds;
            (4, 5, _, 0, 0, _, _, _, true, 11, _, true): by_address_holds;
            (4, 5, _, 0, 0, _, _, _, true, 12, false, _): by_address_holds;
            (4, 5, 0 &&& 0xffe0, 0, 0, _, _, _, true, 12, _, _): by_address_holds;
            (4, 5, 32 &&& 0xfff0, 0, 0, _, _, _, true, 12, _, _): by_address_holds;
            (4, 5, 48 &&& 0xfff8, 0, 0, _, _, _, true, 12, _, _): by_address_holds;
            (4, 5, _, 0, 0, _, _, _, true, 12, _, true): by_address_holds;
            (4, 5, _, 0, 0, _, _, _, true, 11, _, _): by_address_fails;
            (4, 5, _, 0, 0, _, _, _, true, 12, _, _): by_address_fails;
            (4, 5, _, 0, 0, _, _, _, true, 3, _, _): by_address_fails;
            (4, 5, _, 0, 0, _, _, _, true, _, _, _): by_address_holds;
            (4, 5, _, 0, 0, _, _, _, _, _, _, _): by_address_fails;
        }
    }

    // l4lb.rs:424 is decided
    @hidden
    table decides_line_424 {
        key = {
            h.tcp.isValid(): ternary;
            h.udp.isValid(): ternary;
            h.quoted.isValid(): ternary;
        }
        actions = {
            line_424_1;
            line_424_2;
            line_424_3;
            line_424_else;
        }
        const default_action = line_424_else();
        const entries = {
            (true, _, _): line_424_1;
            (_, true, _): line_424_2;
            (_, _, true): line_424_3;
        }
    }

    // l4lb.rs:318 is decided
    @hidden
    table decides_line_318 {
        key = {
            h.ip4.version: ternary;
            h.ip4.ihl: ternary;
            meta.too_short: ternary;
            h.ip4.more_fragments: ternary;
            h.ip4.fragment_offset: ternary;
            h.ip4.protocol: ternary;
            h.ip4.total_length: ternary;
            h.tcp.isValid(): ternary;
            h.icmp.isValid(): ternary;
            h.icmp.kind: ternary;
            meta.flags: ternary;
            h.eth.dst: ternary;
        }
        actions = {
            line_318_1;
            line_318_2;
            line_318_3;
            line_318_4;
            line_318_5;
            line_318_6;
            line_318_7;
            line_318_8;
            line_318_9;
            line_318_else;
        }
        const default_action = line_318_else();
        const entries = {
            (1 &&& 1, _, _, _, _, _, _, _, _, _, _, _): line_318_1;
            (2 &&& 2, _, _, _, _, _, _, _, _, _, _, _): line_318_1;
            (0 &&& 4, _, _, _, _, _, _, _, _, _, _, _): line_318_1;
            (8 &&& 8, _, _, _, _, _, _, _, _, _, _, _): line_318_1;
            (_, 0 &&& 12, _, _, _, _, _, _, _, _, _, _): line_318_2;
            (_, 4, _, _, _, _, _, _, _, _, _, _): line_318_2;
            (_, _, true, _, _, _, _, _, _, _, _, _): line_318_3;
            (_, 0 &&& 1, _, _, _, _, _, _, _, _, _, _): line_318_4;
            (_, 2 &&& 2, _, _, _, _, _, _, _, _, _, _): line_318_4;
            (_, 0 &&& 4, _, _, _, _, _, _, _, _, _, _): line_318_4;
            (_, 8 &&& 8, _, _, _, _, _, _, _, _, _, _): line_318_4;
            (_, _, _, 1, _, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 1 &&& 1, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 2 &&& 2, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 4 &&& 4, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 8 &&& 8, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 16 &&& 16, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 32 &&& 32, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 64 &&& 64, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 128 &&& 128, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 256 &&& 256, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 512 &&& 512, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 0x0400 &&& 0x0400, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 0x0800 &&& 0x0800, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, 0x1000 &&& 0x1000, _, _, _, _, _, _, _): line_318_5;
            (_, _, _, _, _, 6, 0 &&& 0xffe0, _, _, _, _, _): line_318_6;
            (_, _, _, _, _, 6, 32 &&& 0xfff8, _, _, _, _, _): line_318_6;
            (_, _, _, _, _, 17, 0 &&& 0xfff0, _, _, _, _, _): line_318_6;
            (_, _, _, _, _, 17, 16 &&& 0xfff8, _, _, _, _, _): line_318_6;
            (_, _, _, _, _, 17, 24 &&& 0xfffc, _, _, _, _, _): line_318_6;
            (_, _, _, _, _, 1, 0 &&& 0xfff0, _, _, _, _, _): line_318_6;
            (_, _, _, _, _, 1, 16 &&& 0xfff8, _, _, _, _, _): line_318_6;
            (_, _, _, _, _, 1, 24 &&& 0xfffc, _, _, _, _, _): line_318_6;
            (_, _, _, _, _, _, _, true, _, _, _, _): line_318_7;
            (_, _, _, _, _, _, _, _, true, 3, _, _): line_318_8;
            (_, _, _, _, _, _, _, _, true, 11, _, _): line_318_8;
            (_, _, _, _, _, _, _, _, true, 12, _, _): line_318_8;
            (_, _, _, _, _, _, _, _, _, _, 0 &&& 2, _): line_318_9;
            (_, _, _, _, _, _, _, _, false, _, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, 1 &&& 1, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, 2 &&& 2, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, 4 &&& 4, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, 0 &&& 8, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, 16 &&& 16, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, 32 &&& 32, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, 64 &&& 64, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, 128 &&& 128, _, _): line_318_9;
            (_, _, _, _, _, _, _, _, _, _, _, 0x010000000000 &&& 0x010000000000): line_318_9;
        }
    }

    // l4lb.rs:148 the generation of each pool in force
    @name(".pool")
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
    @name(".ring")
    table ring {
        key = {
            meta.pool: exact @name("pool");
            meta.generation: exact @name("generation");
            meta.hash[15:0]: exact @name("slot");
        }
        actions = {
            set_ring;
            @defaultonly no_ring;
        }
        const default_action = no_ring();
        size = 131072;
    }

    apply {
        if (meta.left_out) {
            tm.bypass_egress = 1;
            tm.ucast_egress_port = CPU_PORT;
        } else if (!h.eth.isValid()) {
            meta.drop_reason = 1;
            deparser.drop_ctl = 1;
        } else if (h.ip4.isValid()) {
            meta.clock = (bit<32>) from_parser.global_tstamp[47:26];
            meta.clock_before = flow_clock_before.execute(0);
            meta.now = meta.clock_before | meta.clock;
            meta.step = 10w0 ++ (h.ip4.ihl ++ 2w0);
            computes_step_2.apply();
            if (meta.step_2 != 0) {
                meta.too_short = true;
            } else {
                meta.too_short = false;
            }
            if (h.icmp.isValid() && (h.icmp.kind == 3 || h.icmp.kind == 11 || h.icmp.kind == 12)) {
                meta.is_error = true;
            } else {
                meta.is_error = false;
            }
            if (h.quoted4.src != h.ip4.dst) {
                meta.step_5 = true;
            } else {
                meta.step_5 = false;
            }

            // l4lb.rs:287 decides_by_address
            decides_by_address.apply();

            // l4lb.rs:424 decides_line_424
            decides_line_424.apply();
            meta.protocol = h.ip4.protocol;
            meta.client4 = h.ip4.src;
            if (meta.is_error) {
                if (h.quoted4.isValid()) {
                    meta.protocol = h.quoted4.protocol;
                } else {
                    meta.protocol = 0;
                }
                if (h.quoted4.isValid()) {
                    meta.client4 = h.quoted4.dst;
                } else {
                    meta.client4 = 0;
                }
            }
            bit<32> client = h.ip4.src;
            bit<48> sender = h.eth.src;
            bit<3> event;
            if (meta.is_error) {
                event = 0;
            } else if (!h.tcp.isValid()) {
                event = 3;
            } else if ((h.tcp.flags & 23) == 2) {
                event = 1;
            } else if ((h.tcp.flags & 5) != 0) {
                event = 4;
            } else {
                event = 2;
            }
            if (meta.by_address) {
                meta.protocol = 1;
            } else {
                // l4lb.rs:306 vip4
                vip4.apply();
            }
            if (!meta.found) {
                // l4lb.rs:312 vip4_any
                if (vip4_any.apply().miss) {
                    meta.over = true;
                    tm.bypass_egress = 1;
                    tm.ucast_egress_port = CPU_PORT;
                }
            }
            if (!meta.over) {
                if (meta.by_address) {
                    // l4lb.rs:318 decides_line_318
                    switch (decides_line_318.apply().action_run) {
                        line_318_9: {
                            tm.bypass_egress = 1;
                            tm.ucast_egress_port = CPU_PORT;
                        }
                        line_318_else: {
                            meta.ip4_checksum_changes = true;
                            meta.ip4_checksum_was = ~h.ip4.checksum;
                            meta.ip4_checksum_old0[15:8] = ~h.ip4.ttl;
                            meta.ip4_checksum_new0[15:8] = 8w64;
                            h.ip4.ttl = 64;
                            h.ip4.src = h.ip4.dst;
                            h.ip4.dst = client;
                            meta.icmp_checksum_changes = true;
                            meta.icmp_checksum_was = ~h.icmp.checksum;
                            meta.icmp_checksum_old0[15:8] = 8w247;
                            meta.icmp_checksum_new0[15:8] = 8w0;
                            h.icmp.kind = 0;
                            h.eth.src = h.eth.dst;
                            h.eth.dst = sender;
                            tm.bypass_egress = 1;
                            tm.ucast_egress_port = istd.ingress_port;
                        }
                    }
                } else {
                    meta.hash = crc32.get({
                        meta.hash_key[31:0],
                        meta.client4,
                        h.ip4.dst,
                        meta.client_port,
                        meta.vip_port,
                        meta.protocol
                    });
                    if ((meta.flags & 1) == 0) {
                        // l4lb.rs:457 find in flows4
                        meta.flow_event = event;
                        flows4_mark.apply();
                    }

                    // l4lb.rs:465 stay where the flow is, or select
                    // l4lb.rs:465 select from ring
                    if (pool.apply().miss) {
                        meta.over = true;
                        meta.drop_reason = 11;
                        deparser.drop_ctl = 1;
                    } else {
                        if (ring.apply().miss) {
                            meta.over = true;
                            meta.drop_reason = 12;
                            deparser.drop_ctl = 1;
                        } else {
                            meta.entropy = (bit<32>) meta.hash[31:16];
                            meta.flow_id = (bit<32>) meta.backend;
                            flows4_look0.apply();
                            flows4_look1.apply();
                            flows4_know1.apply();
                            flows4_know0.apply();
                            meta.backend = meta.flow_id[23:0];
                            if (meta.flows4_wrote && !meta.flow_hit) {
                                flows4_stored.count(0);
                            }
                            if (meta.flows4_no_room) {
                                flows4_not_stored.count(0);
                            }
                            if (backend.apply().miss) {
                                if (meta.flow_hit) {
                                    // Once more, as a flow that moves.
                                    deparser.resubmit_type = 1;
                                } else {
                                    meta.drop_reason = 13;
                                    deparser.drop_ctl = 1;
                                }
                            }
                        }
                    }
                }
            }
        } else if (h.eth.ethertype == 0x0800) {
            meta.drop_reason = 2;
            deparser.drop_ctl = 1;
        } else {
            tm.bypass_egress = 1;
            tm.ucast_egress_port = CPU_PORT;
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
    Checksum() ip4_checksum_sum;
    Checksum() icmp_checksum_sum;

    apply {
        if (deparser.resubmit_type == 1) {
            resubmit.emit();
        }
        if (meta.ip4_checksum_changes) {
            h.ip4.checksum = ip4_checksum_sum.update({
                meta.ip4_checksum_was,
                meta.ip4_checksum_old0,
                meta.ip4_checksum_new0
            });
        }
        if (meta.icmp_checksum_changes) {
            h.icmp.checksum = icmp_checksum_sum.update({
                meta.icmp_checksum_was,
                meta.icmp_checksum_old0,
                meta.icmp_checksum_new0
            });
        }
        packet.emit(h);
    }
}

struct egress_metadata_t {
    bool left_out;
    bit<4> drop_reason;
}

parser egress_parse(
    packet_in packet,
    out headers_t h,
    out egress_metadata_t meta,
    out egress_intrinsic_metadata_t istd
) {
    // l4lb.rs:169 start
    state start {
        packet.extract(istd);
        packet.extract(h.bridge);
        meta.left_out = false;
        meta.drop_reason = 0;
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            0x86dd: accept;
            default: accept;
        }
    }

    // l4lb.rs:179 ipv4
    state ipv4 {
        packet.extract(h.ip4);
        transition accept;
    }
}

control egress(
    inout headers_t h,
    inout egress_metadata_t meta,
    in egress_intrinsic_metadata_t istd,
    in egress_intrinsic_metadata_from_parser_t from_parser,
    inout egress_intrinsic_metadata_for_deparser_t deparser,
    inout egress_intrinsic_metadata_for_output_port_t output
) {
    // drop reasons, from 1 on
    @name(".egress_drops")
    Counter<bit<64>, bit<4>>(15, CounterType_t.PACKETS) egress_drops;

    apply {
        if (h.bridge.arm == 1) {
            if (h.bridge.step_3[15:8] == 0 && h.bridge.step_3[7:0] < 20) {
                meta.drop_reason = 14;
                deparser.drop_ctl = 1;
            } else {
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
                h.outer4.src = h.bridge.ipip4_src | h.bridge.step_4;
                h.outer4.dst = h.bridge.ipip4_dst;
                h.eth.dst = h.bridge.ipip4_dst_mac;
                h.eth.src = h.bridge.ipip4_src_mac;
            }
        }
        if (meta.drop_reason != 0) {
            egress_drops.count(meta.drop_reason);
        }
    }
}

control egress_deparse(
    packet_out packet,
    inout headers_t h,
    in egress_metadata_t meta,
    in egress_intrinsic_metadata_for_deparser_t deparser
) {
    Checksum() outer4_checksum_of;

    apply {
        if (h.outer4.isValid()) {
            h.outer4.checksum = outer4_checksum_of.update({
                h.outer4.version,
                h.outer4.ihl,
                h.outer4.tos,
                h.outer4.total_length,
                h.outer4.identification,
                h.outer4.reserved,
                h.outer4.dont_fragment,
                h.outer4.more_fragments,
                h.outer4.fragment_offset,
                h.outer4.ttl,
                h.outer4.protocol,
                h.outer4.checksum,
                h.outer4.src,
                h.outer4.dst
            });
        }
        packet.emit(h.eth);
        packet.emit(h.outer4);
        packet.emit(h.ip4);
        packet.emit(h.icmp);
        packet.emit(h.quoted4);
        packet.emit(h.quoted);
        packet.emit(h.tcp);
        packet.emit(h.udp);
    }
}

Pipeline(parse(), ingress(), deparse(), egress_parse(), egress(), egress_deparse()) pipe;
Switch(pipe) main;
