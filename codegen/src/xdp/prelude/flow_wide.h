// Flow tables with keys of up to 176 bits: buckets of 4 ways of 4 words: 32 bits of key and a sequence, twice 64
// bits of key, the value word. A writer makes the first word busy, writes, then publishes it with the next sequence.
#pragma once
#include "flow.h"

struct flow_wide {
    u64 way[4][4];
};

#define FLOW_WIDE_BUSY 0xffffffffu

// Where the flow is in a bucket, and its value. The key's first 32 bits are in the high half of key[0].
INLINE u64 *flow_wide_look(struct flow_wide *b, const u64 *key, u32 last, u64 *value)
{
    for (int i = 0; i < 4; i++) {
        const volatile u64 *e = b->way[i];
        u64 first = e[0];
        if (first >> 32 != key[0] >> 32 || e[1] != key[1] || e[2] != key[2])
            continue;
        *value = e[3];
        if (LIKELY(*value >> 48 == last && FLOW_STATE(*value) && e[0] == first))
            return &b->way[i][3];
    }
    return 0;
}

INLINE void flow_wide_find(struct flow *f, void *map, u32 buckets, const volatile u32 *ages, u32 last, u32 event,
                           u32 class)
{
    u32 now = tick();
    f->fresh = flow_fresh(last, now, event, class);
    u32 index = f->hash & (buckets - 1);
    struct flow_wide *b = map_lookup(map, &index);
    if (!b)
        return;
    f->bucket = &b->way[0][0];
    u64 value = 0;
    u64 *way = flow_wide_look(b, f->key, last, &value);
    if (!way && UNLIKELY(b->way[0][3] & FLOW_SPILL)) {
        index = (f->hash << 16 | f->hash >> 16) & (buckets - 1);
        b = map_lookup(map, &index);
        if (b)
            way = flow_wide_look(b, f->key, last, &value);
    }
    if (way)
        flow_found(f, ages, way, value, now, event, class);
}

// Stores the flow in the bucket's best way.
INLINE int flow_wide_claim(struct flow *f, struct flow_wide *b, u32 id, const volatile u32 *ages)
{
    u32 best = 0, way = 0;
    for (int i = 0; i < 4 && best < FLOW_BEST; i++) {
        u32 rank = flow_rank(ages, b->way[i][3], f->fresh);
        if (rank > best) {
            best = rank;
            way = i;
        }
    }
    if (!best)
        return 0;
    u64 *entry = b->way[way & 3];
    u64 first = *(volatile u64 *)entry;
    u32 sequence = (u32)first + 1;
    if (first >> 32 == FLOW_WIDE_BUSY ||
        __sync_val_compare_and_swap(entry, first, (u64)FLOW_WIDE_BUSY << 32 | sequence) != first)
        return -1;
    *(volatile u64 *)(entry + 1) = f->key[1];
    *(volatile u64 *)(entry + 2) = f->key[2];
    flow_put_value(entry + 3, f->fresh | (u64)id << 24);
    __sync_lock_test_and_set(entry, (f->key[0] & ~0xffffffffull) | sequence);
    return 1;
}

// Stores a flow that moves; 1: stored.
INLINE int flow_wide_store(struct flow *f, void *map, u32 buckets, u32 id, const volatile u32 *ages)
{
    if (f->way)
        return flow_replace(f, id);
    struct flow_wide *b = (void *)f->bucket;
    if (!b || f->key[0] >> 32 == FLOW_WIDE_BUSY)
        return 0;
    int stored = flow_wide_claim(f, b, id, ages);
    if (stored)
        return stored > 0;
    u32 index = (f->hash << 16 | f->hash >> 16) & (buckets - 1);
    struct flow_wide *second = map_lookup(map, &index);
    if (!second || flow_wide_claim(f, second, id, ages) <= 0)
        return 0;
    flow_set_spill(&b->way[0][3], b->way[0], (u64)FLOW_WIDE_BUSY << 32);
    return 1;
}
