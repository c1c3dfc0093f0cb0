#include <core.p4>
#include <v1model.p4>

const bit<16> IPV4 = 0x0800;
const bit<32> MASK = 32w0xff00;

typedef bit<48> mac_t;

enum bit<8> kind_t {
    A = 1,
    B = 0b10
}

error {
    TooBig
}

header eth_t {
    mac_t dst;
    mac_t src;
    bit<16> etype;
}

struct headers_t {
    eth_t eth;
}

struct meta_t {
    // demo.rs:4
    @field_list(1) bit<8> retry;
    bit<32> hash;
}

parser P(packet_in p, out headers_t h, inout meta_t m, inout standard_metadata_t s) {
    // demo.rs:9 state start
    state start {
        p.extract(h.eth);
        transition select(h.eth.etype, h.eth.src) {
            (IPV4, _): four;
            (0x86dd &&& 0xfff0, 1 .. 4): four;
            // the rest
            default: accept;
        }
    }

    state four {
        transition accept;
    }
}

control V(inout headers_t h, inout meta_t m) {
    apply { }
}

control I(inout headers_t h, inout meta_t m, inout standard_metadata_t s) {
    @name(".hits") @id(0x13000001)
    direct_counter(CounterType.packets_and_bytes) hits;
    register<bit<128>>(1 << 10) flows;

    action drop() {
        mark_to_drop(s);
        exit;
    }

    action set(bit<9> port, mac_t dst) {
        s.egress_spec = port;
        h.eth.dst = dst;
    }

    // demo.rs:20 table t
    table t {
        // demo.rs:21
        key = {
            h.eth.dst: exact @name("dst");
            m.hash & MASK: ternary;
        }
        actions = {
            set;
            @defaultonly drop;
        }
        const default_action = drop();
        const entries = {
            (1, 2 &&& 3): set(4, 48w5);
            (_, default): drop;
        }
        size = 16;
        counters = hits;
    }

    apply {
        bit<128> cell;
        if (h.eth.isValid() && (m.retry & 1) == 0) {
            t.apply();
        } else if (m.retry == 2) {
            drop();
        } else {
            m.hash = ~m.hash;
        }

        // paragraph
        hash(
            m.hash,
            HashAlgorithm.crc32,
            32w0,
            { h.eth.src, h.eth.dst, m.retry, s.ingress_port, s.packet_length },
            32w65537
        );
        flows.read(cell, (bit<32>) m.hash[9:0] + 1);
        cell[7:0] = cell[15:8] ++ 4w0 ++ cell[3:0];
        ;
        switch (t.apply().action_run) {
            set:
            default: {
                return;
            }
        }
        m.retry = m.hash > 5 ? 8w1 : (bit<8>) -1;
    }
}

V1Switch(P(), V(), I(), V(), V(), D()) main;
