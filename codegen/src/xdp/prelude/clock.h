// The flow table's clock: ticks of 2^26 ns (about 67 ms), 18 bits. The coarse clock costs a load.
#pragma once
#include "bpf.h"

enum { TICK_MASK = (1 << 18) - 1 };

INLINE u32 tick(void) { return (gw_testing ? gw_clock : (u32)(ktime_get_coarse_ns() >> 26)) & TICK_MASK; }
