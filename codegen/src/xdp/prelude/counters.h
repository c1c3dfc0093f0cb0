// Per-CPU counters. Each CPU has its own cell, so a plain addition loses nothing.
#pragma once
#include "bpf.h"

struct counter {
    u64 packets;
    u64 bytes;
};

INLINE void count_packet(void *map, u32 index, u32 bytes)
{
    struct counter *c = map_lookup(map, &index);
    if (c) {
        c->packets += 1;
        c->bytes += bytes;
    }
}

INLINE void count_event(void *map, u32 index)
{
    u64 *c = map_lookup(map, &index);
    if (c)
        *c += 1;
}
