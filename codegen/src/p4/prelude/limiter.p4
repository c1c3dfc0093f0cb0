// Lets through MOST packets in each tick. A cell: tick 18 bits, packets 14 bits.
action LIMITER_allow(out bool allowed) {
    bit<32> spent;
    REGISTER.read(spent, 0);
    bit<14> passed = spent[31:14] == meta.now ? spent[13:0] : 14w0;
    allowed = passed < MOST;
    REGISTER.write(0, meta.now ++ (passed < MOST ? passed + 1 : passed));
}
