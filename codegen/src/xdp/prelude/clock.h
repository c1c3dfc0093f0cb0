// The flow table's clock: ticks of 2^26 ns (about 67 ms), 18 bits, by the kernel's jiffies: a load, where a clock
// would be a call.
#pragma once
#include "bpf.h"

enum { TICK_MASK = (1 << 18) - 1 };

// Nanoseconds of a jiffy. The loader asks the kernel.
const volatile u64 gw_jiffy_ns SEC(".rodata") = 1;

INLINE u32 tick(void) { return (gw_testing ? gw_clock : (u32)(jiffies64() * gw_jiffy_ns >> 26)) & TICK_MASK; }
