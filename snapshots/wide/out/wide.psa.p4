// wide: made by Guideway from pipeline.rs for psa-bmv2.
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

header numbers_t {
    bit<4> what;
    bit<128> big;
    bit<4> digit;
    bit<96> serial;
    bit<48> stamp;
    bit<33> left;
    bit<63> middle;
    bit<40> right;
}

header mark_t {
    bit<16> value;
}

// In the order in which they leave.
struct headers_t {
    ethernet_t eth;
    numbers_t n;
    mark_t mark;
}

struct metadata_t {
    bit<16> sum;
}

parser parse(
    packet_in packet,
    out headers_t h,
    inout metadata_t meta,
    in psa_ingress_parser_input_metadata_t istd,
    in nothing_t resubmitted,
    in nothing_t recirculated
) {
    // pipeline.rs:40 start
    state start {
        packet.extract(h.eth);
        packet.extract(h.n);
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

// RFC 1071: the checksum of words whose sum is given.
bit<16> checksum_of(in bit<32> total) {
    bit<32> sum = (total & 0xffff) + (total >> 16);
    return ~(sum[15:0] + sum[31:16]);
}

// pipeline.rs:47 ingress
control ingress(
    inout headers_t h,
    inout metadata_t meta,
    in psa_ingress_input_metadata_t istd,
    inout psa_ingress_output_metadata_t ostd
) {
    Hash<bit<32>>(PSA_HashAlgorithm_t.CRC32) crc32;
    // pipeline.rs:36 drop reason
    @name(".drop.cut") @id(0x129853b0)
    Counter<bit<64>, bit<32>>(1, PSA_CounterType_t.PACKETS) drop_cut;

    apply {
        if (!h.n.isValid()) {
            drop_cut.count(0);
            ingress_drop(ostd);
            exit;
        }
        if (h.n.what == 0) {
            h.n.big = h.n.big + (h.n.serial ++ 32w0xffffffff);
            h.n.serial = h.n.serial - (bit<96>) h.n.middle;
            h.n.stamp = h.n.stamp + 0xffffffffffff;
            h.n.left = h.n.left * h.n.left;
            h.n.middle = (bit<63>) h.n.right - h.n.middle;
        } else if (h.n.what == 1) {
            h.n.big = h.n.big[118:0] ++ 9w0;
            h.n.serial = (h.n.serial >> 95) | (h.n.serial[94:0] ++ 1w0);
            h.n.stamp = 48w0 - 1;
            h.n.left = h.n.left >> 32;
            h.n.middle = 0x7fffffffffffffff;
            h.n.middle = h.n.middle[0:0] ++ 62w0;
            h.n.right = (h.n.digit == 3 ? 40w1 : 40w0x2328)[14:0] ++ 25w0;
        } else if (h.n.what == 2) {
            h.n.middle = h.n.big[127:65];
            h.n.left = (h.n.right - 1)[39:7];
            h.n.serial = (h.n.big ^ (h.n.big >> 1))[111:16];
            h.n.big = 25w1 ++ h.n.left ++ h.n.right ++ h.n.digit ++ h.n.stamp[47:22];
        } else if (h.n.what == 3) {
            bool order = h.n.big > h.n.serial ++ 32w5 && h.n.stamp <= h.n.stamp;
            bool same = h.n.serial == h.n.big[95:0] || h.n.middle < (bit<63>) h.n.left;
            h.n.digit = (bit<1>) order ++ 1w1 ++ (bit<1>) same ++ (bit<1>) (h.n.right >= 0x8000000000);
        } else if (h.n.what == 4) {
            h.n.big = ~h.n.big + 1;
            h.n.stamp = ~h.n.stamp & (bit<48>) h.n.serial;
            h.n.serial = ~h.n.serial;
            h.n.left = ~(h.n.left - 1);
            h.n.middle = (~(bit<64>) h.n.right + h.n.big[63:0])[63:1];
            h.n.right = (bit<16>) (bit<1>) (h.n.digit != 9) ++ (~h.n.right[23:8] + h.n.right[15:0]) ++ 8w250;
        } else if (h.n.what == 5) {
            bit<32> hash;
            hash = crc32.get_hash({ 32w7, h.n.what, h.n.big, h.n.digit, h.n.left, h.n.middle });
            h.n.serial = hash ++ h.n.serial[63:0];
        } else if (h.n.what == 6) {
            meta.sum = h.n.right[15:0];
            adjust(
                meta.sum,
                (bit<32>) ~h.n.big[127:112]
                    + (bit<32>) (h.n.stamp ++ h.n.big[79:0])[127:112]
                    + (bit<32>) ~h.n.big[111:96]
                    + (bit<32>) (h.n.stamp ++ h.n.big[79:0])[111:96]
                    + (bit<32>) ~h.n.big[95:80]
                    + (bit<32>) (h.n.stamp ++ h.n.big[79:0])[95:80]
                    + (bit<32>) ~h.n.big[79:64]
                    + (bit<32>) (h.n.stamp ++ h.n.big[79:0])[79:64]
                    + (bit<32>) ~h.n.big[63:48]
                    + (bit<32>) (h.n.stamp ++ h.n.big[79:0])[63:48]
                    + (bit<32>) ~h.n.big[47:32]
                    + (bit<32>) (h.n.stamp ++ h.n.big[79:0])[47:32]
                    + (bit<32>) ~h.n.big[31:16]
                    + (bit<32>) (h.n.stamp ++ h.n.big[79:0])[31:16]
                    + (bit<32>) ~h.n.big[15:0]
                    + (bit<32>) (h.n.stamp ++ h.n.big[79:0])[15:0]
            );
            bit<16> all;
            all = checksum_of(
                (bit<32>) (h.n.what ++ h.n.big[127:116])
                    + (bit<32>) h.n.big[115:100]
                    + (bit<32>) h.n.big[99:84]
                    + (bit<32>) h.n.big[83:68]
                    + (bit<32>) h.n.big[67:52]
                    + (bit<32>) h.n.big[51:36]
                    + (bit<32>) h.n.big[35:20]
                    + (bit<32>) h.n.big[19:4]
                    + (bit<32>) (h.n.big[3:0] ++ h.n.digit ++ h.n.left[32:25])
                    + (bit<32>) h.n.left[24:9]
                    + (bit<32>) (h.n.left[8:0] ++ h.n.middle[62:56])
                    + (bit<32>) h.n.middle[55:40]
                    + (bit<32>) h.n.middle[39:24]
                    + (bit<32>) h.n.middle[23:8]
                    + (bit<32>) (h.n.middle[7:0] ++ 8w90)
            );
            h.n.right = all ++ 8w0 ++ meta.sum;
        } else if (h.n.what == 7) {
            h.n.middle = h.n.middle + 1;

            // pipeline.rs:67 push mark
            h.mark.setValid();
            h.mark.value = h.n.big[127:112];
        } else {
            send_to_port(ostd, (PortId_t) CPU_PORT);
            exit;
        }
        send_to_port(ostd, (PortId_t) 1);
        exit;
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
