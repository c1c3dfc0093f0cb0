Register<limiter_t, bit<1>>(1, { 0, 0 }) REGISTER;

// Lets through MOST packets in each tick.
RegisterAction<limiter_t, bit<1>, bool>(REGISTER) LIMITER_allow = {
    void apply(inout limiter_t cell, out bool allowed) {
        allowed = false;
        if (cell.tick != meta.limiter_tick || cell.passed < MOST) {
            allowed = true;
        }
        if (cell.tick == meta.limiter_tick && cell.passed < MOST) {
            cell.passed = cell.passed + 1;
        }
        if (cell.tick != meta.limiter_tick) {
            cell.passed = 1;
        }
        cell.tick = meta.limiter_tick;
    }
};
