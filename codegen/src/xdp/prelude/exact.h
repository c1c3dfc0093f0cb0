// Exact tables: sets of 4 ways in an array. A way's key words carry a 1 bit above the key: 0 is empty.
#pragma once
#include "bpf.h"

enum { EXACT_NONE = 4 };

// The loader picks a seed for each table with which no set overflows.
const volatile u64 gw_seed[32] SEC(".rodata") = {};

INLINE u32 exact_set(const u64 *key, int words, u32 table, u32 sets)
{
    u64 h = gw_seed[table];
    for (int i = 0; i < words; i++)
        h = (h ^ key[i]) * 0x9e3779b97f4a7c15;
    return (u32)(h >> 32) & (sets - 1);
}

// The way of a set that has this key.
INLINE u32 exact_way(const u64 *keys, const u64 *key, int words)
{
    for (int way = 0; way < 4; way++) {
        int i = 0;
        while (i < words && keys[way * words + i] == key[i])
            i++;
        if (i == words)
            return way;
    }
    return EXACT_NONE;
}
