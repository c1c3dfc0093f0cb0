// Ticks that a way may rest before it expires, by its state and class; a free way is expired at once.
bit<18> TABLE_idle(in bit<48> value) {
    return IDLE;
}

// How much a way wants to be replaced: free or expired, then closing, then new, the oldest first; 0: never.
bit<20> TABLE_rank(in bit<48> value, in bit<18> now) {
    bit<18> age = now + 1 - value[17:0];
    return value[23:21] == FLOW_FREE || age > TABLE_idle(value) ? 20w0xc0000 : (value[23:21] == FLOW_CLOSING
        ? 2w2 ++ age : (value[23:21] == FLOW_NEW ? 2w1 ++ age : 20w0));
}

// Looks in the bucket of a hash: the first way in use that has the flow's key.
action TABLE_look(in bit<32> mixed) {
    bit<32> first = (mixed & BUCKETS - 1) << 2;
    bit<CELL> way0;
    bit<CELL> way1;
    bit<CELL> way2;
    bit<CELL> way3;
    REGISTER.read(way0, first);
    REGISTER.read(way1, first | 1);
    REGISTER.read(way2, first | 2);
    REGISTER.read(way3, first | 3);
    bool is0 = way0[23:21] != FLOW_FREE && SAME(way0);
    bool is1 = way1[23:21] != FLOW_FREE && SAME(way1);
    bool is2 = way2[23:21] != FLOW_FREE && SAME(way2);
    bool is3 = way3[23:21] != FLOW_FREE && SAME(way3);
    meta.CURSOR_place = is0 || is1 || is2 || is3;
    meta.CURSOR_index = first | (is0 ? 32w0 : (is1 ? 32w1 : (is2 ? 32w2 : 32w3)));
    meta.CURSOR_value = is0 ? way0[47:0] : (is1 ? way1[47:0] : (is2 ? way2[47:0] : way3[47:0]));
    meta.CURSOR_spill = way0[18:18];
}

// Chooses the bucket's way that wants most to be replaced, the lowest among equals.
action TABLE_claim(in bit<32> mixed) {
    bit<32> first = (mixed & BUCKETS - 1) << 2;
    bit<CELL> way0;
    bit<CELL> way1;
    bit<CELL> way2;
    bit<CELL> way3;
    REGISTER.read(way0, first);
    REGISTER.read(way1, first | 1);
    REGISTER.read(way2, first | 2);
    REGISTER.read(way3, first | 3);
    bit<20> rank0 = TABLE_rank(way0[47:0], meta.now);
    bit<20> rank1 = TABLE_rank(way1[47:0], meta.now);
    bit<20> rank2 = TABLE_rank(way2[47:0], meta.now);
    bit<20> rank3 = TABLE_rank(way3[47:0], meta.now);
    bit<20> low = rank1 > rank0 ? rank1 : rank0;
    bit<20> high = rank3 > rank2 ? rank3 : rank2;
    meta.CURSOR_rank = high > low ? high : low;
    meta.CURSOR_index = first | (high > low ? (rank3 > rank2 ? 32w3 : 32w2) : (rank1 > rank0 ? 32w1 : 32w0));
    meta.CURSOR_value = high > low
        ? (rank3 > rank2 ? way3[47:0] : way2[47:0])
        : (rank1 > rank0 ? way1[47:0] : way0[47:0]);
}

// Writes the way that was found or chosen; its spill bit stays.
action TABLE_write(in bit<24> id, in bit<3> next, in bit<2> idle_class) {
    REGISTER.write(meta.CURSOR_index, ENTRY ++ id ++ next ++ idle_class ++ meta.CURSOR_value[18:18] ++ meta.now);
}

// Says in a flow's first bucket that some flow went to its second one.
action TABLE_spill(in bit<32> mixed) {
    bit<CELL> way0;
    REGISTER.read(way0, (mixed & BUCKETS - 1) << 2);
    REGISTER.write((mixed & BUCKETS - 1) << 2, way0 | CELLw0x40000);
}
