action sip_start(in bit<64> k) {
    meta.sip0 = k[63:32];
    meta.sip1 = k[31:0];
    meta.sip2 = k[63:32] ^ 0x6c796765;
    meta.sip3 = k[31:0] ^ 0x74656462;
}

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
action sip_word(in bit<32> word) {
    meta.sip3 = meta.sip3 ^ (word[7:0] ++ word[15:8] ++ word[23:16] ++ word[31:24]);
    sip_round();
    meta.sip0 = meta.sip0 ^ (word[7:0] ++ word[15:8] ++ word[23:16] ++ word[31:24]);
}

action sip_finish() {
    meta.sip2 = meta.sip2 ^ 0xff;
    sip_round();
    sip_round();
    sip_round();
}
