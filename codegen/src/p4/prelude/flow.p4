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

// The values of a bucket's ways.
action TABLE_ways(in bit<32> mixed) {
    meta.CURSOR_index = (mixed & BUCKETS - 1) << 2;
    bit<CELL> way0;
    bit<CELL> way1;
    bit<CELL> way2;
    bit<CELL> way3;
    REGISTER.read(way0, meta.CURSOR_index);
    REGISTER.read(way1, meta.CURSOR_index | 1);
    REGISTER.read(way2, meta.CURSOR_index | 2);
    REGISTER.read(way3, meta.CURSOR_index | 3);
    meta.CURSOR_way0 = way0[47:0];
    meta.CURSOR_way1 = way1[47:0];
    meta.CURSOR_way2 = way2[47:0];
    meta.CURSOR_way3 = way3[47:0];
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
