// l4lb: made by Guideway from l4lb.rs for tofino2.
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
    ipv6_t outer6;
    ipv6_t ip6;
    icmp_t icmp;
    ipv6_t quoted6;
    l4_start_t quoted;
    tcp_t tcp;
    udp_t udp;
}

struct metadata_t {
    bit<8> protocol;
    bit<16> client_port;
    bit<16> vip_port;
    bit<128> client6;
    bit<16> vip;
    bit<16> pool;
    bit<64> hash_key;
    bit<8> flags;
    bit<2> class;
    bool is_error;
    bool found;
    bit<128> ipip6_src;
    bit<128> ipip6_dst;
    bit<9> ipip6_port;
    bit<48> ipip6_dst_mac;
    bit<48> ipip6_src_mac;
    bool by_address;
    bit<32> hash;
    bit<32> entropy;
    bit<24> backend;
    bool looped;
    bit<16> came_in;
    bool sent;
    bool over;
    bool step_3;
    bool step_4;
    bool step_5;
    bool step_6;
    bit<16> step;
    bit<32> step_2;
    bit<4> drop_reason;
    bit<32> clock;
    bit<32> clock_before;
    bit<32> now;
    bool icmp_checksum_changes;
    bit<16> icmp_checksum_was;
    bit<16> icmp_checksum_old0;
    bit<16> icmp_checksum_new0;
    bit<3> flow_event;
    bit<32> flow_digest;
    bit<32> flow_id;
    bool flow_hit;
    bit<16> flow_seen0;
    bit<16> flow_seen1;
    bool flows6_wrote;
    bool flows6_no_room;
    bit<8> generation;
}

parser parse(packet_in packet, out headers_t h, out metadata_t meta, out ingress_intrinsic_metadata_t istd) {
    // l4lb.rs:190 start
    state start {
        packet.extract(istd);
        packet.advance(PORT_METADATA_SIZE);
        meta.protocol = 0;
        meta.client_port = 0;
        meta.vip_port = 0;
        meta.client6 = 0;
        meta.vip = 0;
        meta.pool = 0;
        meta.hash_key = 0;
        meta.flags = 0;
        meta.class = 0;
        meta.is_error = false;
        meta.found = false;
        meta.ipip6_src = 0;
        meta.ipip6_dst = 0;
        meta.ipip6_port = 0;
        meta.ipip6_dst_mac = 0;
        meta.ipip6_src_mac = 0;
        meta.by_address = false;
        meta.hash = 0;
        meta.entropy = 0;
        meta.backend = 0;
        meta.looped = false;
        meta.came_in = 0;
        meta.sent = false;
        meta.over = false;
        meta.step_3 = false;
        meta.step_4 = false;
        meta.step_5 = false;
        meta.step_6 = false;
        meta.step = 0;
        meta.step_2 = 0;
        meta.drop_reason = 0;
        meta.clock = 0;
        meta.clock_before = 0;
        meta.now = 0;
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
        meta.flows6_wrote = false;
        meta.flows6_no_room = false;
        meta.generation = 0;
        transition select(istd.ingress_port) {
            128: looped;
            default: front;
        }
    }

    // l4lb.rs:169 front
    state front {
        packet.extract(h.eth);
        transition select(h.eth.ethertype) {
            0x0800: ipv4;
            0x86dd: ipv6;
            default: accept;
        }
    }

    // l4lb.rs:179 ipv4
    state ipv4 {
        meta.sent = true;
        transition accept;
    }

    // l4lb.rs:190 ipv6
    state ipv6 {
        packet.extract(h.ip6);
        transition select(h.ip6.version, h.ip6.next_header) {
            (6, 6): tcp;
            (6, 17): udp;
            (6, 58): icmp6;
            default: accept;
        }
    }

    // l4lb.rs:225 icmp6
    state icmp6 {
        packet.extract(h.icmp);
        transition select(h.icmp.kind) {
            1 .. 4: quote6;
            default: accept;
        }
    }

    // l4lb.rs:234 quote6
    state quote6 {
        packet.extract(h.quoted6);
        transition select(h.quoted6.version, h.quoted6.next_header) {
            (6, 6): quote;
            (6, 17): quote;
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

    // l4lb.rs:169 looped
    state looped {
        packet.extract(h.eth);
        meta.looped = true;
        transition ipv6;
    }
}

// l4lb.rs:179 ingress
@pa_container_size("ingress", "meta.flow_digest", 32) @pa_container_size("ingress", "meta.now", 32) @pa_solitary("ingress", "ig_intr_md_for_tm.bypass_egress") @pa_solitary("ingress", "ig_intr_md_for_dprsr.drop_ctl") @pa_solitary("ingress", "meta.flags") @pa_solitary("ingress", "meta.is_error") @pa_solitary("ingress", "meta.found") @pa_solitary("ingress", "meta.by_address") @pa_solitary("ingress", "meta.over") @pa_solitary("ingress", "meta.step_3") @pa_solitary("ingress", "meta.step_4") @pa_solitary("ingress", "meta.step_5") @pa_solitary("ingress", "meta.step_6") @pa_solitary("ingress", "meta.step") @pa_solitary("ingress", "meta.drop_reason") @pa_solitary("ingress", "meta.icmp_checksum_changes") @pa_solitary("ingress", "meta.flow_seen0") @pa_solitary("ingress", "meta.flow_seen1") @pa_solitary("ingress", "h.icmp.checksum.$deparse_original_csum") @pa_solitary("ingress", "h.icmp.checksum.$deparse_updated_csum_0") @pa_container_size("ingress", "ig_intr_md_for_tm.ucast_egress_port", 16) @pa_container_size("ingress", "meta.icmp_checksum_was", 16)
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
    Counter<bit<64>, bit<4>>(14, CounterType_t.PACKETS) drops;
    @name(".flows6.stored")
    Counter<bit<64>, bit<1>>(1, CounterType_t.PACKETS) flows6_stored;
    @name(".flows6.not_stored")
    Counter<bit<64>, bit<1>>(1, CounterType_t.PACKETS) flows6_not_stored;
    @name(".vip6_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) vip6_counter;
    @name(".vip6_any_counter")
    DirectCounter<bit<64>>(CounterType_t.PACKETS_AND_BYTES) vip6_any_counter;
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
    CRCPolynomial<bit<32>>(32w0x1edc6f41, true, false, false, 32w0xffffffff, 32w0xffffffff) flows6_polynomial;
    Hash<bit<32>>(HashAlgorithm_t.CUSTOM, flows6_polynomial) flows6_digest;

    // A table of its own: a stage takes 32 bits of hashes at once.
    action flows6_marks() {
        meta.flow_digest = flows6_digest.get({ meta.client_port, meta.vip, meta.client6, meta.vip_port });
    }

    table flows6_mark {
        actions = {
            flows6_marks;
        }
        const default_action = flows6_marks();
        size = 1;
    }

    Register<flow_entry_t, bit<15>>(32768, { 0, 0 }) flows6_0;

    // An open takes a place that is not live; a live flow stays as it is.
    RegisterAction<flow_entry_t, bit<15>, bit<16>>(flows6_0) flows6_0_open = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 448;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<15>, bit<16>>(flows6_0) flows6_0_data = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
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

    RegisterAction<flow_entry_t, bit<15>, bit<16>>(flows6_0) flows6_0_datagram = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
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
    RegisterAction<flow_entry_t, bit<15>, bit<16>>(flows6_0) flows6_0_close = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now;
            }
        }
    };
    Register<bit<32>, bit<15>>(32768, 0) flows6_0_id;

    RegisterAction<bit<32>, bit<15>, bit<32>>(flows6_0_id) flows6_0_id_read = {
        void apply(inout bit<32> id, out bit<32> known) {
            known = id;
        }
    };

    RegisterAction<bit<32>, bit<15>, bit<32>>(flows6_0_id) flows6_0_id_write = {
        void apply(inout bit<32> id) {
            id = meta.flow_id;
        }
    };

    action flows6_open0() {
        meta.flow_seen0 = flows6_0_open.execute(meta.hash[14:0]);
    }

    action flows6_data0() {
        meta.flow_seen0 = flows6_0_data.execute(meta.hash[14:0]);
    }

    action flows6_datagram0() {
        meta.flow_seen0 = flows6_0_datagram.execute(meta.hash[14:0]);
    }

    action flows6_close0() {
        meta.flow_seen0 = flows6_0_close.execute(meta.hash[14:0]);
    }

    action flows6_read0() {
        meta.flow_id = flows6_0_id_read.execute(meta.hash[14:0]);
        meta.flow_hit = true;
    }

    action flows6_write0() {
        flows6_0_id_write.execute(meta.hash[14:0]);
        meta.flows6_wrote = true;
    }

    Register<flow_entry_t, bit<15>>(32768, { 0, 0 }) flows6_1;

    // An open takes a place that is not live; a live flow stays as it is.
    RegisterAction<flow_entry_t, bit<15>, bit<16>>(flows6_1) flows6_1_open = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.until <= meta.now) {
                entry.digest = meta.flow_digest;
                entry.until = meta.now + 448;
            }
        }
    };

    RegisterAction<flow_entry_t, bit<15>, bit<16>>(flows6_1) flows6_1_data = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
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

    RegisterAction<flow_entry_t, bit<15>, bit<16>>(flows6_1) flows6_1_datagram = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
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
    RegisterAction<flow_entry_t, bit<15>, bit<16>>(flows6_1) flows6_1_close = {
        void apply(inout flow_entry_t entry, out bit<16> seen) {
            seen = this.predicate(entry.digest == meta.flow_digest, entry.until > meta.now);
            if (entry.digest == meta.flow_digest && entry.until > meta.now) {
                entry.until = meta.now;
            }
        }
    };
    Register<bit<32>, bit<15>>(32768, 0) flows6_1_id;

    RegisterAction<bit<32>, bit<15>, bit<32>>(flows6_1_id) flows6_1_id_read = {
        void apply(inout bit<32> id, out bit<32> known) {
            known = id;
        }
    };

    RegisterAction<bit<32>, bit<15>, bit<32>>(flows6_1_id) flows6_1_id_write = {
        void apply(inout bit<32> id) {
            id = meta.flow_id;
        }
    };

    action flows6_open1() {
        meta.flow_seen1 = flows6_1_open.execute(meta.hash[14:0]);
    }

    action flows6_data1() {
        meta.flow_seen1 = flows6_1_data.execute(meta.hash[14:0]);
    }

    action flows6_datagram1() {
        meta.flow_seen1 = flows6_1_datagram.execute(meta.hash[14:0]);
    }

    action flows6_close1() {
        meta.flow_seen1 = flows6_1_close.execute(meta.hash[14:0]);
    }

    action flows6_read1() {
        meta.flow_id = flows6_1_id_read.execute(meta.hash[14:0]);
        meta.flow_hit = true;
    }

    action flows6_write1() {
        flows6_1_id_write.execute(meta.hash[14:0]);
        meta.flows6_wrote = true;
    }

    action flows6_full() {
        meta.flows6_no_room = true;
    }

    action flows6_rests() { }

    action flows6_rests0() {
        meta.flow_seen0 = 0;
    }

    action flows6_rests1() {
        meta.flow_seen1 = 0;
    }

    table flows6_look0 {
        key = {
            meta.flow_event: ternary;
        }
        actions = {
            flows6_open0;
            flows6_data0;
            flows6_datagram0;
            flows6_close0;
            flows6_rests0;
        }
        const default_action = flows6_rests0();
        size = 4;
        const entries = {
            1: flows6_open0;
            2: flows6_data0;
            3: flows6_datagram0;
            4: flows6_close0;
        }
    }

    // A flow that has just taken the first way gives its other place back, and takes its id with it.
    table flows6_look1 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
        }
        actions = {
            flows6_open1;
            flows6_data1;
            flows6_datagram1;
            flows6_close1;
            flows6_rests1;
        }
        const default_action = flows6_rests1();
        size = 6;
        const entries = {
            (1, 4): flows6_open1;
            (2, 4): flows6_data1;
            (3, 4): flows6_datagram1;
            (4, 4): flows6_close1;
            (_, 1): flows6_close1;
            (1, 2): flows6_close1;
        }
    }

    table flows6_know1 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
            meta.flow_seen1: ternary;
            istd.resubmit_flag: ternary;
        }
        actions = {
            flows6_read1;
            flows6_write1;
            flows6_full;
            flows6_rests;
        }
        const default_action = flows6_rests();
        size = 9;
        const entries = {
            (_, _, 8, 1): flows6_write1;
            (_, _, 8, 0): flows6_read1;
            (1, 4, 2, _): flows6_write1;
            (1, _, 2, _): flows6_rests;
            (_, _, 2, 1): flows6_write1;
            (_, _, 2, 0): flows6_read1;
            (4, _, _, _): flows6_rests;
            (_, 4, 1, _): flows6_write1;
            (_, 4, 4, _): flows6_full;
        }
    }

    table flows6_know0 {
        key = {
            meta.flow_event: ternary;
            meta.flow_seen0: ternary;
            istd.resubmit_flag: ternary;
        }
        actions = {
            flows6_read0;
            flows6_write0;
            flows6_rests;
        }
        const default_action = flows6_rests();
        size = 7;
        const entries = {
            (_, 8, 1): flows6_write0;
            (_, 8, 0): flows6_read0;
            (1, 2, _): flows6_write0;
            (_, 2, 1): flows6_write0;
            (_, 2, 0): flows6_read0;
            (4, _, _): flows6_rests;
            (_, 1, _): flows6_write0;
        }
    }

    // l4lb.rs:106 action set_vip
    @name(".vip6_set_vip")
    action vip6_set_vip(bit<16> vip, bit<16> pool, bit<64> hash_key, bit<8> flags, bit<2> class) {
        meta.found = true;
        meta.vip = vip;
        meta.pool = pool;
        meta.hash_key = hash_key;
        meta.flags = flags;
        meta.class = class;
        vip6_counter.count();
    }

    // l4lb.rs:106 action set_vip
    @name(".vip6_any_set_vip")
    action vip6_any_set_vip(bit<16> vip, bit<16> pool, bit<64> hash_key, bit<8> flags, bit<2> class) {
        meta.found = true;
        meta.vip = vip;
        meta.pool = pool;
        meta.hash_key = hash_key;
        meta.flags = flags;
        meta.class = class;
        vip6_any_counter.count();
    }

    // l4lb.rs:108 action not_a_vip
    @name(".vip6_not_a_vip")
    action vip6_not_a_vip() {
        vip6_counter.count();
    }

    // l4lb.rs:108 action not_a_vip
    @name(".vip6_any_not_a_vip")
    action vip6_any_not_a_vip() {
        vip6_any_counter.count();
    }

    // l4lb.rs:157 action ipip6
    @name(".ipip6")
    action ipip6(
        bit<128> src,
        bit<32> spread,
        bit<128> dst,
        bit<32> port,
        bit<48> dst_mac,
        bit<48> src_mac,
        bit<16> mtu
    ) {
        meta.ipip6_src = src;
        meta.ipip6_dst = dst;
        meta.ipip6_port = (bit<9>) port;
        meta.ipip6_dst_mac = dst_mac;
        meta.ipip6_src_mac = src_mac;
        meta.step = mtu |-| h.ip6.payload_length;
        meta.step_2 = meta.entropy & spread;
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

    action line_388_1() {
        meta.drop_reason = 3;
        deparser.drop_ctl = 1;
    }

    action line_388_2() {
        meta.drop_reason = 4;
        deparser.drop_ctl = 1;
    }

    action line_388_3() {
        meta.drop_reason = 5;
        deparser.drop_ctl = 1;
    }

    action line_388_4() {
        meta.drop_reason = 6;
        deparser.drop_ctl = 1;
    }

    action line_388_5() {
        meta.drop_reason = 7;
        deparser.drop_ctl = 1;
    }

    action line_388_6() {
        meta.drop_reason = 8;
        deparser.drop_ctl = 1;
    }

    action line_388_7() {
        meta.drop_reason = 9;
        deparser.drop_ctl = 1;
    }

    action line_388_8() { }

    action line_388_else() { }

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

    // l4lb.rs:116 table vip6
    @name(".vip6")
    table vip6 {
        key = {
            h.ip6.dst: exact @name("dst");
            meta.protocol: exact @name("protocol");
            meta.vip_port: exact @name("dst_port");
        }
        actions = {
            vip6_set_vip;
            @defaultonly vip6_not_a_vip;
        }
        const default_action = vip6_not_a_vip();
        size = 512;
        counters = vip6_counter;
    }

    // l4lb.rs:118 table vip6_any
    @name(".vip6_any")
    table vip6_any {
        key = {
            h.ip6.dst: exact @name("dst");
            meta.protocol: exact @name("protocol");
        }
        actions = {
            vip6_any_set_vip;
            @defaultonly vip6_any_not_a_vip;
        }
        const default_action = vip6_any_not_a_vip();
        size = 512;
        counters = vip6_any_counter;
    }

    // l4lb.rs:162 table backend
    @name(".backend")
    table backend {
        key = {
            meta.flow_id[23:0]: exact @name("backend");
        }
        actions = {
            ipip6;
            @defaultonly gone;
        }
        const default_action = gone();
        size = 4096;
        counters = backend_counter;
    }

    // l4lb.rs:357 is decided
    @hidden
    table decides_by_address {
        key = {
            h.ip6.version: ternary;
            h.ip6.next_header: ternary;
            h.ip6.payload_length: ternary;
            h.tcp.isValid(): ternary;
            h.tcp.data_offset: ternary;
            h.icmp.isValid(): ternary;
            h.icmp.kind: ternary;
            h.quoted.isValid(): ternary;
            meta.step_3: ternary;
            meta.step_4: ternary;
            meta.step_5: ternary;
            meta.step_6: ternary;
        }
        actions = {
            by_address_holds;
            by_address_fails;
        }
        const default_action = by_address_holds();
        const entries = {
            (6, 0, _, _, _, _, _, _, _, _, _, _): by_address_holds;
            (6, 43, _, _, _, _, _, _, _, _, _, _): by_address_holds;
            (6, 60, _, _, _, _, _, _, _, _, _, _): by_address_holds;
            (6, 44, _, _, _, _, _, _, _, _, _, _): by_address_holds;
            (6, 6, 0 &&& 0xfff0, _, _, _, _, _, _, _, _, _): by_address_holds;
            (6, 6, 16 &&& 0xfffc, _, _, _, _, _, _, _, _, _): by_address_holds;
            (6, 17, 0 &&& 0xfff8, _, _, _, _, _, _, _, _, _): by_address_holds;
            (6, 58, 0 &&& 0xfff8, _, _, _, _, _, _, _, _, _): by_address_holds;
            (6, _, _, true, 0 &&& 12, _, _, _, _, _, _, _): by_address_holds;
            (6, _, _, true, 4, _, _, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, true, 0, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, true, 6 &&& 254, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, true, 8 &&& 248, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, true, 16 &&& 240, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, true, 32 &&& 224, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, true, 64 &&& 192, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, true, 128 &&& 128, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, true, 5, _, _, _, _, _): by_address_holds;
            (6, _, 0 &&& 0xffe0, _, _, true, _, true, false, false, false, false): by_address_holds;
            (6, _, 32 &&& 0xfff0, _, _, true, _, true, false, false, false, false): by_address_holds;
            (6, _, 48 &&& 0xfff8, _, _, true, _, true, false, false, false, false): by_address_holds;
            (6, _, _, _, _, true, _, true, false, false, false, false): by_address_fails;
            (6, _, _, _, _, true, _, _, _, _, _, _): by_address_holds;
            (6, _, _, _, _, _, _, _, _, _, _, _): by_address_fails;
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

    // l4lb.rs:388 is decided
    @hidden
    table decides_line_388 {
        key = {
            h.ip6.version: ternary;
            h.ip6.next_header: ternary;
            h.ip6.payload_length: ternary;
            h.tcp.isValid(): ternary;
            h.icmp.isValid(): ternary;
            h.icmp.kind: ternary;
            meta.flags: ternary;
            h.eth.dst: ternary;
        }
        actions = {
            line_388_1;
            line_388_2;
            line_388_3;
            line_388_4;
            line_388_5;
            line_388_6;
            line_388_7;
            line_388_8;
            line_388_else;
        }
        const default_action = line_388_else();
        const entries = {
            (1 &&& 1, _, _, _, _, _, _, _): line_388_1;
            (0 &&& 2, _, _, _, _, _, _, _): line_388_1;
            (0 &&& 4, _, _, _, _, _, _, _): line_388_1;
            (8 &&& 8, _, _, _, _, _, _, _): line_388_1;
            (_, 0, _, _, _, _, _, _): line_388_3;
            (_, 43, _, _, _, _, _, _): line_388_3;
            (_, 60, _, _, _, _, _, _): line_388_3;
            (_, 44, _, _, _, _, _, _): line_388_4;
            (_, 6, 0 &&& 0xfff0, _, _, _, _, _): line_388_5;
            (_, 6, 16 &&& 0xfffc, _, _, _, _, _): line_388_5;
            (_, 17, 0 &&& 0xfff8, _, _, _, _, _): line_388_5;
            (_, 58, 0 &&& 0xfff8, _, _, _, _, _): line_388_5;
            (_, _, _, true, _, _, _, _): line_388_6;
            (_, _, _, _, true, 1 &&& 253, _, _): line_388_7;
            (_, _, _, _, true, 2 &&& 254, _, _): line_388_7;
            (_, _, _, _, true, 4, _, _): line_388_7;
            (_, _, _, _, _, _, 0 &&& 2, _): line_388_8;
            (_, _, _, _, false, _, _, _): line_388_8;
            (_, _, _, _, _, 1 &&& 1, _, _): line_388_8;
            (_, _, _, _, _, 2 &&& 2, _, _): line_388_8;
            (_, _, _, _, _, 4 &&& 4, _, _): line_388_8;
            (_, _, _, _, _, 8 &&& 8, _, _): line_388_8;
            (_, _, _, _, _, 16 &&& 16, _, _): line_388_8;
            (_, _, _, _, _, 32 &&& 32, _, _): line_388_8;
            (_, _, _, _, _, 64 &&& 64, _, _): line_388_8;
            (_, _, _, _, _, 0 &&& 128, _, _): line_388_8;
            (_, _, _, _, _, _, _, 0x010000000000 &&& 0x010000000000): line_388_8;
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
        size = 262144;
    }

    apply {
        if (meta.sent) {
            if (h.eth.isValid()) {
                h.eth.ethertype = (bit<16>) istd.ingress_port;
            }
            tm.bypass_egress = 1;
            tm.ucast_egress_port = 6;
        } else {
            if (meta.looped && h.eth.isValid()) {
                meta.came_in = h.eth.ethertype;
                h.eth.ethertype = 0x86dd;
            } else {
                meta.came_in = (bit<16>) istd.ingress_port;
            }
            if (!h.eth.isValid()) {
                meta.drop_reason = 1;
                deparser.drop_ctl = 1;
            } else if (h.ip6.isValid()) {
                meta.clock = (bit<32>) from_parser.global_tstamp[47:26];
                meta.clock_before = flow_clock_before.execute(0);
                meta.now = meta.clock_before | meta.clock;
                if (h.icmp.isValid() && h.icmp.kind != 0 && h.icmp.kind <= 4) {
                    meta.is_error = true;
                } else {
                    meta.is_error = false;
                }
                if (h.quoted6.src[31:0] != h.ip6.dst[31:0]) {
                    meta.step_3 = true;
                } else {
                    meta.step_3 = false;
                }
                if (h.quoted6.src[63:32] != h.ip6.dst[63:32]) {
                    meta.step_4 = true;
                } else {
                    meta.step_4 = false;
                }
                if (h.quoted6.src[95:64] != h.ip6.dst[95:64]) {
                    meta.step_5 = true;
                } else {
                    meta.step_5 = false;
                }
                if (h.quoted6.src[127:96] != h.ip6.dst[127:96]) {
                    meta.step_6 = true;
                } else {
                    meta.step_6 = false;
                }

                // l4lb.rs:357 decides_by_address
                decides_by_address.apply();

                // l4lb.rs:424 decides_line_424
                decides_line_424.apply();
                meta.protocol = h.ip6.next_header;
                meta.client6 = h.ip6.src;
                if (meta.is_error) {
                    if (h.quoted6.isValid()) {
                        meta.protocol = h.quoted6.next_header;
                    } else {
                        meta.protocol = 0;
                    }
                    if (h.quoted6.isValid()) {
                        meta.client6 = h.quoted6.dst;
                    } else {
                        meta.client6 = 0;
                    }
                }
                bit<128> client = h.ip6.src;
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
                    meta.protocol = 58;
                } else {
                    // l4lb.rs:376 vip6
                    vip6.apply();
                }
                if (!meta.found) {
                    // l4lb.rs:382 vip6_any
                    if (vip6_any.apply().miss) {
                        meta.over = true;
                        tm.bypass_egress = 1;
                        tm.ucast_egress_port = CPU_PORT;
                    }
                }
                if (!meta.over) {
                    if (meta.by_address) {
                        // l4lb.rs:388 decides_line_388
                        switch (decides_line_388.apply().action_run) {
                            line_388_8: {
                                tm.bypass_egress = 1;
                                tm.ucast_egress_port = CPU_PORT;
                            }
                            line_388_else: {
                                h.ip6.hop_limit = 64;
                                h.ip6.src = h.ip6.dst;
                                h.ip6.dst = client;
                                meta.icmp_checksum_changes = true;
                                meta.icmp_checksum_was = ~h.icmp.checksum;
                                meta.icmp_checksum_old0[15:8] = 8w127;
                                meta.icmp_checksum_new0[15:8] = 8w129;
                                h.icmp.kind = 129;
                                h.eth.src = h.eth.dst;
                                h.eth.dst = sender;
                                tm.bypass_egress = 1;
                                tm.ucast_egress_port = (bit<9>) meta.came_in;
                            }
                        }
                    } else {
                        meta.hash = crc32.get({
                            meta.hash_key[31:0],
                            meta.client6,
                            h.ip6.dst,
                            meta.client_port,
                            meta.vip_port,
                            meta.protocol
                        });
                        if ((meta.flags & 1) == 0) {
                            // l4lb.rs:460 find in flows6
                            meta.flow_event = event;
                            flows6_mark.apply();
                        }

                        // l4lb.rs:465 stay where the flow is, or select
                        // l4lb.rs:465 select from ring
                        if (pool.apply().miss) {
                            meta.over = true;
                            meta.drop_reason = 10;
                            deparser.drop_ctl = 1;
                        } else {
                            if (ring.apply().miss) {
                                meta.over = true;
                                meta.drop_reason = 11;
                                deparser.drop_ctl = 1;
                            } else {
                                meta.entropy = (bit<32>) meta.hash[31:16];
                                meta.flow_id = (bit<32>) meta.backend;
                                flows6_look0.apply();
                                flows6_look1.apply();
                                flows6_know1.apply();
                                flows6_know0.apply();
                                meta.backend = meta.flow_id[23:0];
                                if (meta.flows6_wrote && !meta.flow_hit) {
                                    flows6_stored.count(0);
                                }
                                if (meta.flows6_no_room) {
                                    flows6_not_stored.count(0);
                                }
                                if (backend.apply().hit) {
                                    if (meta.step[15:8] == 0 && meta.step[7:0] < 80) {
                                        meta.drop_reason = 13;
                                        deparser.drop_ctl = 1;
                                    } else {
                                        // l4lb.rs:504 push outer6
                                        h.outer6.setValid();
                                        h.outer6.version = 6;
                                        h.outer6.traffic_class = h.ip6.traffic_class;
                                        h.outer6.flow_label = 0;
                                        h.outer6.payload_length = h.ip6.payload_length + 40;
                                        h.outer6.next_header = 41;
                                        h.outer6.hop_limit = 64;
                                        h.outer6.src = meta.ipip6_src[127:32]
                                            ++ (meta.ipip6_src[31:0] | meta.step_2);
                                        h.outer6.dst = meta.ipip6_dst;
                                        h.eth.dst = meta.ipip6_dst_mac;
                                        h.eth.src = meta.ipip6_src_mac;
                                        tm.bypass_egress = 1;
                                        tm.ucast_egress_port = meta.ipip6_port;
                                    }
                                } else {
                                    if (meta.flow_hit) {
                                        // Once more, as a flow that moves.
                                        deparser.resubmit_type = 1;
                                    } else {
                                        meta.drop_reason = 12;
                                        deparser.drop_ctl = 1;
                                    }
                                }
                            }
                        }
                    }
                }
            } else if (h.eth.ethertype == 0x0800 || h.eth.ethertype == 0x86dd) {
                meta.drop_reason = 2;
                deparser.drop_ctl = 1;
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
    Checksum() icmp_checksum_sum;

    apply {
        if (deparser.resubmit_type == 1) {
            resubmit.emit();
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
