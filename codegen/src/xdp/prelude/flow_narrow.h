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

enum { FLOW_NO_WAY = 4, FLOW_MANY_WAYS };

// The way whose first word is key. Most buckets hold one flow: its way is a branch that the CPU foresees, the others
// are a sum.
INLINE u32 flow_narrow_way(const struct flow_narrow *b, u64 key)
{
    if (LIKELY(b->way[0][0] == key))
        return 0;
    u64 d1 = differs(b->way[1][0], key), d2 = differs(b->way[2][0], key), d3 = differs(b->way[3][0], key);
    u64 others = d1 + d2 + d3;
    if (others == 3)
        return FLOW_NO_WAY;
    if (others < 2)
        return FLOW_MANY_WAYS;
    u64 way = 6 - d1 - 2 * d2 - 3 * d3;
    OPAQUE(way);
    return way & 3;
}

// The value of a way if the flow is there, else 0.
INLINE u64 flow_narrow_read(const u64 *way, u64 key, u32 last)
{
    u64 value = *(const volatile u64 *)(way + 1);
    return *(const volatile u64 *)way == key && value >> 48 == last && FLOW_STATE(value) ? value : 0;
}

// Where the flow is in a bucket, and its value.
INLINE u64 *flow_narrow_look(struct flow_narrow *b, u64 key, u32 last, u64 *value)
{
    u32 way = flow_narrow_way(b, key);
    if (way == FLOW_NO_WAY)
        return 0;
    if (LIKELY(way < 4) && LIKELY(*value = flow_narrow_read(b->way[way & 3], key, last)))
        return &b->way[way & 3][1];
    // Ways that share the first word differ in the last bits.
    for (int i = 0; i < 4; i++)
        if (b->way[i][0] == key && (*value = flow_narrow_read(b->way[i], key, last)))
            return &b->way[i][1];
    return 0;
}

INLINE void flow_narrow_find(struct flow *f, void *map, u32 buckets, const volatile u32 *ages, u32 last, u32 event,
                             u32 class)
{
    u32 now = tick();
    f->fresh = flow_fresh(last, now, event, class);
    u32 index = f->hash & (buckets - 1);
    struct flow_narrow *b = map_lookup(map, &index);
    if (!b)
        return;
    f->bucket = &b->way[0][0];
    u64 value = 0;
    u64 *way = flow_narrow_look(b, f->key[0], last, &value);
    if (!way && UNLIKELY(b->way[0][1] & FLOW_SPILL)) {
        index = (f->hash << 16 | f->hash >> 16) & (buckets - 1);
        b = map_lookup(map, &index);
        if (b)
            way = flow_narrow_look(b, f->key[0], last, &value);
    }
    if (way)
        flow_found(f, ages, way, value, now, event, class);
}

// Stores the flow in the bucket's best way.
INLINE int flow_narrow_claim(struct flow *f, struct flow_narrow *b, u32 id, const volatile u32 *ages)
{
    u32 best = 0, way = 0;
    for (int i = 0; i < 4 && best < FLOW_BEST; i++) {
        u32 rank = flow_rank(ages, b->way[i][1], f->fresh);
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
    flow_put_value(entry + 1, f->fresh | (u64)id << 24);
    __sync_lock_test_and_set(entry, f->key[0]);
    return 1;
}

// Stores a flow that moves; 1: stored.
INLINE int flow_narrow_store(struct flow *f, void *map, u32 buckets, u32 id, const volatile u32 *ages)
{
    if (f->way)
        return flow_replace(f, id);
    struct flow_narrow *b = (void *)f->bucket;
    if (!b || f->key[0] == FLOW_BUSY)
        return 0;
    int stored = flow_narrow_claim(f, b, id, ages);
    if (stored)
        return stored > 0;
    u32 index = (f->hash << 16 | f->hash >> 16) & (buckets - 1);
    struct flow_narrow *second = map_lookup(map, &index);
    if (!second || flow_narrow_claim(f, second, id, ages) <= 0)
        return 0;
    flow_set_spill(&b->way[0][1], b->way[0], FLOW_BUSY);
    return 1;
}
