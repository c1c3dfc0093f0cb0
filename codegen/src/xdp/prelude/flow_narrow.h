// Flow tables with keys of up to 80 bits: buckets of 4 ways, a way being 64 bits of key and the value word.
// Readers look at the key again after the value; writers claim a way by its key word.
#pragma once
#include "flow.h"

struct flow_narrow {
    u64 way[4][2];
};

// 1 where the words differ, else 0, without a branch.
INLINE u64 differs(u64 a, u64 b)
{
    u64 x = a ^ b, y = -x;
    OPAQUE(y);
    return (x | y) >> 63;
}

// The way whose first word is key; 4: none. Two ways share it only where ports beyond the first word differ.
INLINE u32 flow_narrow_way(struct flow_narrow *b, u64 key, u32 last)
{
    u64 d0 = differs(b->way[0][0], key), d1 = differs(b->way[1][0], key);
    u64 d2 = differs(b->way[2][0], key), d3 = differs(b->way[3][0], key);
    u64 others = d0 + d1 + d2 + d3;
    if (others == 4)
        return 4;
    u64 way = 6 - d1 - 2 * d2 - 3 * d3;
    OPAQUE(way);
    if (LIKELY(others == 3) && LIKELY(b->way[way & 3][1] >> 48 == last))
        return way & 3;
    for (int i = 0; i < 4; i++)
        if (b->way[i][0] == key && b->way[i][1] >> 48 == last && FLOW_STATE(b->way[i][1]))
            return i;
    return 4;
}

INLINE void flow_narrow_find(struct flow *f, void *map, u32 buckets, const volatile u32 *timeouts)
{
    u32 index = f->hash & (buckets - 1);
    struct flow_narrow *b = map_lookup(map, &index);
    if (!b)
        return;
    f->bucket = &b->way[0][0];
    u32 way = flow_narrow_way(b, f->key[0], f->last);
    if (way == 4) {
        if (!(b->way[0][1] & FLOW_SPILL))
            return;
        index = (f->hash << 16 | f->hash >> 16) & (buckets - 1);
        b = map_lookup(map, &index);
        if (!b)
            return;
        way = flow_narrow_way(b, f->key[0], f->last);
        if (way == 4)
            return;
    }
    u64 value = *(volatile u64 *)&b->way[way & 3][1];
    if (*(volatile u64 *)&b->way[way & 3][0] != f->key[0] || value >> 48 != f->last || !FLOW_STATE(value))
        return;
    f->way = &b->way[way & 3][1];
    f->value = value;
    f->id = (u32)(value >> 24) & 0xffffff;
    f->hit = flow_is_hit(timeouts, value, f->now, f->event);
}

// Stores the flow in the bucket's best way.
INLINE int flow_narrow_claim(struct flow *f, struct flow_narrow *b, u32 id, const volatile u32 *timeouts)
{
    u32 best = 0, way = 0;
    for (int i = 0; i < 4; i++) {
        u32 rank = flow_rank(timeouts, b->way[i][1], f->now);
        if (rank > best) {
            best = rank;
            way = i;
        }
    }
    if (!best)
        return 0;
    u64 *entry = b->way[way & 3];
    u64 key = *(volatile u64 *)entry;
    if (key == FLOW_BUSY || __sync_val_compare_and_swap(entry, key, FLOW_BUSY) != key)
        return -1;
    flow_put_value(entry + 1, flow_new_value(f, id));
    __sync_lock_test_and_set(entry, f->key[0]);
    return 1;
}

// Stores a flow that moves; 1: stored.
INLINE int flow_narrow_store(struct flow *f, void *map, u32 buckets, u32 id, const volatile u32 *timeouts)
{
    if (f->way)
        return flow_replace(f, id);
    struct flow_narrow *b = (void *)f->bucket;
    if (!b || f->key[0] == FLOW_BUSY)
        return 0;
    int stored = flow_narrow_claim(f, b, id, timeouts);
    if (stored)
        return stored > 0;
    u32 index = (f->hash << 16 | f->hash >> 16) & (buckets - 1);
    struct flow_narrow *second = map_lookup(map, &index);
    if (!second || flow_narrow_claim(f, second, id, timeouts) <= 0)
        return 0;
    if (!(b->way[0][1] & FLOW_SPILL))
        __sync_fetch_and_or(&b->way[0][1], FLOW_SPILL);
    return 1;
}
