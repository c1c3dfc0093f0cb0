action TABLE_full() {
    meta.TABLE_no_room = true;
}

action TABLE_rests() { }

action TABLE_rests0() {
    meta.CURSOR_seen0 = 0;
}

action TABLE_rests1() {
    meta.CURSOR_seen1 = 0;
}

table TABLE_look0 {
    key = {
        meta.CURSOR_event: ternary;
    }
    actions = {
        TABLE_open0;
        TABLE_data0;
        TABLE_datagram0;
        TABLE_close0;
        TABLE_rests0;
    }
    const default_action = TABLE_rests0();
    size = 4;
    const entries = {
        1: TABLE_open0();
        2: TABLE_data0();
        3: TABLE_datagram0();
        4: TABLE_close0();
    }
}

// A flow that has just taken the first way gives its other place back, and takes its id with it.
table TABLE_look1 {
    key = {
        meta.CURSOR_event: ternary;
        meta.CURSOR_seen0: ternary;
    }
    actions = {
        TABLE_open1;
        TABLE_data1;
        TABLE_datagram1;
        TABLE_close1;
        TABLE_rests1;
    }
    const default_action = TABLE_rests1();
    size = 6;
    const entries = {
        (1, LIVE_OTHER): TABLE_open1();
        (2, LIVE_OTHER): TABLE_data1();
        (3, LIVE_OTHER): TABLE_datagram1();
        (4, LIVE_OTHER): TABLE_close1();
        (_, DEAD_OTHER): TABLE_close1();
        (1, DEAD_SAME): TABLE_close1();
    }
}

table TABLE_know1 {
    key = {
        meta.CURSOR_event: ternary;
        meta.CURSOR_seen0: ternary;
        meta.CURSOR_seen1: ternary;
        AGAIN: ternary;
    }
    actions = {
        TABLE_read1;
        TABLE_write1;
        TABLE_full;
        TABLE_rests;
    }
    const default_action = TABLE_rests();
    size = 9;
    const entries = {
        (_, _, LIVE_SAME, 1): TABLE_write1();
        (_, _, LIVE_SAME, 0): TABLE_read1();
        (1, LIVE_OTHER, DEAD_SAME, _): TABLE_write1();
        (1, _, DEAD_SAME, _): TABLE_rests();
        (_, _, DEAD_SAME, 1): TABLE_write1();
        (_, _, DEAD_SAME, 0): TABLE_read1();
        (4, _, _, _): TABLE_rests();
        (_, LIVE_OTHER, DEAD_OTHER, _): TABLE_write1();
        (_, LIVE_OTHER, LIVE_OTHER, _): TABLE_full();
    }
}

table TABLE_know0 {
    key = {
        meta.CURSOR_event: ternary;
        meta.CURSOR_seen0: ternary;
        AGAIN: ternary;
    }
    actions = {
        TABLE_read0;
        TABLE_write0;
        TABLE_rests;
    }
    const default_action = TABLE_rests();
    size = 7;
    const entries = {
        (_, LIVE_SAME, 1): TABLE_write0();
        (_, LIVE_SAME, 0): TABLE_read0();
        (1, DEAD_SAME, _): TABLE_write0();
        (_, DEAD_SAME, 1): TABLE_write0();
        (_, DEAD_SAME, 0): TABLE_read0();
        (4, _, _): TABLE_rests();
        (_, DEAD_OTHER, _): TABLE_write0();
    }
}
