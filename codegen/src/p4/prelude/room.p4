// Ticks that a way may rest before it expires, by its state and class.
bit<18> OWNER_idle(in bit<48> value) {
    return IDLE;
}

// How much a way wants to be replaced: free or expired, then closing, then new, the oldest first; 0: never.
bit<20> OWNER_rank(in bit<48> value, in bit<18> now) {
    bit<18> age = now + 1 - value[17:0];
    return value[23:21] == FLOW_FREE || age > OWNER_idle(value) ? 20w0xc0000 : (value[23:21] == FLOW_CLOSING
        ? 2w2 ++ age : (value[23:21] == FLOW_NEW ? 2w1 ++ age : 20w0));
}

// Chooses the bucket's way that wants most to be replaced, the lowest among equals.
action OWNER_choose() {
    bit<20> rank0 = OWNER_rank(meta.CURSOR_way0, meta.now);
    bit<20> rank1 = OWNER_rank(meta.CURSOR_way1, meta.now);
    bit<20> rank2 = OWNER_rank(meta.CURSOR_way2, meta.now);
    bit<20> rank3 = OWNER_rank(meta.CURSOR_way3, meta.now);
    bit<20> low = rank1 > rank0 ? rank1 : rank0;
    bit<20> high = rank3 > rank2 ? rank3 : rank2;
    meta.CURSOR_rank = high > low ? high : low;
    meta.CURSOR_index = meta.CURSOR_index
        | (high > low ? (rank3 > rank2 ? 32w3 : 32w2) : (rank1 > rank0 ? 32w1 : 32w0));
    meta.CURSOR_value = high > low
        ? (rank3 > rank2 ? meta.CURSOR_way3 : meta.CURSOR_way2)
        : (rank1 > rank0 ? meta.CURSOR_way1 : meta.CURSOR_way0);
}
