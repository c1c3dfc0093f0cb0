// What flow tables of both sizes share. An entry's value word, from the high end: last 16 bits of the key, id 24,
// state 3, class 2, spill 1, tick 18.
#pragma once
#include "clock.h"
#include "counters.h"

enum { FLOW_FREE, FLOW_NEW, FLOW_TCP, FLOW_UDP, FLOW_CLOSING };
enum { FLOW_PEEK, FLOW_OPEN, FLOW_DATA, FLOW_DATAGRAM, FLOW_CLOSE };

#define FLOW_BUSY (~0ull)
#define FLOW_SPILL (1ull << 18)
#define FLOW_TICK ((u64)TICK_MASK)
// State and class together index the time-outs.
#define FLOW_TIMER(value) ((u32)((value) >> 19) & 31)
#define FLOW_TIMERS (31ull << 19)
#define FLOW_STATE(value) ((u32)((value) >> 21) & 7)

// A flow under way: what find found, for stay and remember.
struct flow {
    u64 key[3];  // words of the key, without the last 16 bits
    u64 *way;    // its place, or none
    u64 *bucket; // where it is stored if it has no place
    u64 value;   // the value word read there
    u32 last;    // last 16 bits of the key
    u32 hash;
    u32 now;
    u32 event;
    u32 class;
    u32 table; // which table filled it; 0: none
    u32 id;
    u8 hit;
};

// Is an entry with this value live, and not one that a new connection replaces?
INLINE int flow_is_hit(const volatile u32 *timeouts, u64 value, u32 now, u32 event)
{
    if ((now - (u32)value & TICK_MASK) >= timeouts[FLOW_TIMER(value)])
        return 0;
    return FLOW_STATE(value) != FLOW_CLOSING || event != FLOW_OPEN;
}

// The state after an event, of a flow that stays.
INLINE u32 flow_next(u32 state, u32 event)
{
    if (event == FLOW_CLOSE)
        return FLOW_CLOSING;
    if (state != FLOW_NEW || event == FLOW_OPEN)
        return state;
    return event == FLOW_DATA ? FLOW_TCP : FLOW_UDP;
}

// Writes a flow that stays, if that changes it. Who loses the race has seen an entry that is younger.
INLINE void flow_refresh(struct flow *f)
{
    u64 next = (u64)flow_next(FLOW_STATE(f->value), f->event) << 21 | (u64)f->class << 19 | f->now;
    u64 value = (f->value & ~(FLOW_TIMERS | FLOW_TICK)) | next;
    if (value != f->value)
        __sync_val_compare_and_swap(f->way, f->value, value);
}

INLINE u64 flow_new_value(const struct flow *f, u32 id)
{
    return (u64)f->last << 48 | (u64)id << 24 | (u64)FLOW_NEW << 21 | (u64)f->class << 19 | f->now;
}

// How much a way wants to be replaced: free or expired, then closing, then new, the oldest first; 0: never.
INLINE u32 flow_rank(const volatile u32 *timeouts, u64 value, u32 now)
{
    u32 age = now - (u32)value & TICK_MASK;
    if (age >= timeouts[FLOW_TIMER(value)])
        return 3 << 18;
    u32 state = FLOW_STATE(value);
    if (state == FLOW_NEW)
        return 1 << 18 | age;
    return state == FLOW_CLOSING ? 2 << 18 | age : 0;
}

// Writes a value word, keeping the spill bit that stands there.
INLINE void flow_put_value(u64 *word, u64 value)
{
    for (int i = 0; i < 4; i++) {
        u64 old = *(volatile u64 *)word;
        if (__sync_val_compare_and_swap(word, old, value | (old & FLOW_SPILL)) == old)
            return;
    }
    *(volatile u64 *)word = value;
}

// Takes over the flow's own place, which it lost by time-out, backend or a new connection.
INLINE int flow_replace(struct flow *f, u32 id)
{
    u64 value = flow_new_value(f, id) | (f->value & FLOW_SPILL);
    return __sync_val_compare_and_swap(f->way, f->value, value) == f->value;
}
