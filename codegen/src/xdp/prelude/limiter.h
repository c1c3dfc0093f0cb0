// Lets through a number of packets in each tick, all CPUs together.
#pragma once
#include "clock.h"

// State: tick 18 bits, packets 14 bits. Who loses a race four times is held back.
INLINE int limiter_allow(u32 *state, u32 per_tick)
{
    u32 now = tick();
    for (int i = 0; i < 4; i++) {
        u32 old = *(volatile u32 *)state;
        u32 passed = old >> 14 == now ? old & 0x3fff : 0;
        if (passed >= per_tick)
            return 0;
        if (__sync_val_compare_and_swap(state, old, now << 14 | (passed + 1)) == old)
            return 1;
    }
    return 0;
}
