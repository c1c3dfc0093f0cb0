// Lets through MOST packets in each tick. A cell: tick 18 bits, packets 14 bits.
action LIMITER_allow(out bool allowed) {
    bit<32> spent = REGISTER.read(32w0);
    bit<32> passed = spent >> 14 == (bit<32>) meta.now ? spent & 0x3fff : 32w0;
    allowed = passed < MOST;
    bit<32> now_passed = passed < MOST ? passed + 1 : passed;
    REGISTER.write(32w0, (bit<32>) meta.now << 14 | now_passed);
}
