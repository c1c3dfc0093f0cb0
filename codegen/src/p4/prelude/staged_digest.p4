CRCPolynomial<bit<32>>(32w0x1edc6f41, true, false, false, 32w0xffffffff, 32w0xffffffff) TABLE_polynomial;

Hash<bit<32>>(HashAlgorithm_t.CUSTOM, TABLE_polynomial) TABLE_digest;

// A table of its own: a stage takes 32 bits of hashes at once.
action TABLE_marks() {
    meta.CURSOR_digest = TABLE_digest.get(KEY);
}

table TABLE_mark {
    actions = {
        TABLE_marks;
    }
    const default_action = TABLE_marks();
    size = 1;
}
