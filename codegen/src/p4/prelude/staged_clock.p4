// The chip's time begins anew after 78 hours: what it has come to before is counted here.
Register<flow_clock_t, bit<1>>(1, { 0, 0 }) flow_clock;

RegisterAction<flow_clock_t, bit<1>, bit<32>>(flow_clock) flow_clock_before = {
    void apply(inout flow_clock_t clock, out bit<32> before) {
        if (clock.last > meta.clock + HALF_ROUND) {
            clock.before = clock.before + ONE_ROUND;
        }
        clock.last = meta.clock;
        before = clock.before;
    }
};
