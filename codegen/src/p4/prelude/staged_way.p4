Register<flow_entry_t, bit<BITS>>(CELLS, { 0, 0 }) TABLE_N;

// An open takes a place that is not live; a live flow stays as it is.
RegisterAction<flow_entry_t, bit<BITS>, bit<SEEN>>(TABLE_N) TABLE_N_open = {
    void apply(inout flow_entry_t entry, out bit<SEEN> seen) {
        seen = this.predicate(entry.digest == meta.CURSOR_digest, entry.until > meta.now);
        if (entry.until <= meta.now) {
            entry.digest = meta.CURSOR_digest;
            entry.until = meta.now + IDLE_OF_NEW;
        }
    }
};

RegisterAction<flow_entry_t, bit<BITS>, bit<SEEN>>(TABLE_N) TABLE_N_data = {
    void apply(inout flow_entry_t entry, out bit<SEEN> seen) {
        seen = this.predicate(entry.digest == meta.CURSOR_digest, entry.until > meta.now);
        if (entry.digest == meta.CURSOR_digest && entry.until > meta.now) {
            entry.until = meta.now + IDLE_OF_TCP;
        }
        if (entry.digest != meta.CURSOR_digest && entry.until <= meta.now) {
            entry.digest = meta.CURSOR_digest;
            entry.until = meta.now + IDLE_OF_NEW;
        }
    }
};

RegisterAction<flow_entry_t, bit<BITS>, bit<SEEN>>(TABLE_N) TABLE_N_datagram = {
    void apply(inout flow_entry_t entry, out bit<SEEN> seen) {
        seen = this.predicate(entry.digest == meta.CURSOR_digest, entry.until > meta.now);
        if (entry.digest == meta.CURSOR_digest) {
            entry.until = meta.now + IDLE_OF_UDP;
        }
        if (entry.digest != meta.CURSOR_digest && entry.until <= meta.now) {
            entry.digest = meta.CURSOR_digest;
            entry.until = meta.now + IDLE_OF_NEW;
        }
    }
};

// What is closed is no longer live, but known until another flow takes its place.
RegisterAction<flow_entry_t, bit<BITS>, bit<SEEN>>(TABLE_N) TABLE_N_close = {
    void apply(inout flow_entry_t entry, out bit<SEEN> seen) {
        seen = this.predicate(entry.digest == meta.CURSOR_digest, entry.until > meta.now);
        if (entry.digest == meta.CURSOR_digest && entry.until > meta.now) {
            entry.until = meta.now;
        }
    }
};

Register<bit<CELL>, bit<BITS>>(CELLS, 0) TABLE_N_id;

RegisterAction<bit<CELL>, bit<BITS>, bit<CELL>>(TABLE_N_id) TABLE_N_id_read = {
    void apply(inout bit<CELL> id, out bit<CELL> known) {
        known = id;
    }
};

RegisterAction<bit<CELL>, bit<BITS>, bit<CELL>>(TABLE_N_id) TABLE_N_id_write = {
    void apply(inout bit<CELL> id) {
        id = PLACE;
    }
};

action TABLE_openN() {
    meta.CURSOR_seenN = TABLE_N_open.execute(HASHED[LAST:0]);
}

action TABLE_dataN() {
    meta.CURSOR_seenN = TABLE_N_data.execute(HASHED[LAST:0]);
}

action TABLE_datagramN() {
    meta.CURSOR_seenN = TABLE_N_datagram.execute(HASHED[LAST:0]);
}

action TABLE_closeN() {
    meta.CURSOR_seenN = TABLE_N_close.execute(HASHED[LAST:0]);
}

action TABLE_readN() {
    PLACE = TABLE_N_id_read.execute(HASHED[LAST:0]);
    meta.CURSOR_hit = true;
}

action TABLE_writeN() {
    TABLE_N_id_write.execute(HASHED[LAST:0]);
    meta.TABLE_wrote = true;
}
