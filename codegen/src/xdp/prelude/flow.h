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
// State and class together index the ages.
#define FLOW_TIMER(value) ((u32)((value) >> 19) & 31)
#define FLOW_TIMERS (31ull << 19)
#define FLOW_STATE(value) ((u32)((value) >> 21) & 7)

// A flow under way: what find found, for stay and remember.
struct flow {
    u64 key[3];  // words of the key, without the last 16 bits
    u64 *way;    // the value word of its place, or none
    u64 *bucket; // where it is stored if it has no place
    u64 value;   // the value word read there
    u64 kept;    // what it becomes if the flow stays
    u64 fresh;   // what it becomes, with the id, if the flow moves; 0: it is not stored
    u32 hash;
    u32 table; // which table filled it; 0: none
    u32 id;
    u8 hit;
};

// Ticks since an entry was written, and one: whose clock is a tick behind the writer's finds it young.
INLINE u32 flow_age(u64 value, u32 now) { return now + 1 - (u32)value & TICK_MASK; }

// The state after an event, of a flow that stays.
INLINE u64 flow_next(u64 state, u32 event)
{
    if (event == FLOW_CLOSE)
        return FLOW_CLOSING;
    if (state == FLOW_NEW && event == FLOW_DATA)
        return FLOW_TCP;
    return state == FLOW_NEW && event == FLOW_DATAGRAM ? FLOW_UDP : state;
}

// A flow's entry is found: is it live, and not one that a new connection replaces? What will become of it?
INLINE void flow_found(struct flow *f, const volatile u32 *ages, u64 *way, u64 value, u32 now, u32 event, u32 class)
{
    f->way = way;
    f->value = f->kept = value;
    f->id = (u32)(value >> 24) & 0xffffff;
    if (event >= FLOW_OPEN && event <= FLOW_CLOSE)
        f->kept = (value & ~(FLOW_TIMERS | FLOW_TICK)) | flow_next(FLOW_STATE(value), event) << 21 | (u64)class << 19 | now;
    f->hit = flow_age(value, now) < ages[FLOW_TIMER(value)] && (event != FLOW_OPEN || FLOW_STATE(value) != FLOW_CLOSING);
}

// What is stored of a flow that moves: not if it closes, or if the event changes nothing.
INLINE u64 flow_fresh(u32 last, u32 now, u32 event, u32 class)
{
    if (event < FLOW_OPEN || event >= FLOW_CLOSE)
        return 0;
    return (u64)last << 48 | (u64)FLOW_NEW << 21 | (u64)class << 19 | now;
}

// Writes a flow that stays, if that changes it. Who loses the race has seen an entry that is younger.
INLINE void flow_refresh(struct flow *f)
{
    if (f->kept == f->value)
        return;
    // The tick's low half alone can't harm a flow that took the way meanwhile: that one was written in this tick. But
    // near the half's end their high halves may differ.
    if (f->kept >> 16 == f->value >> 16 && (u8)(f->kept >> 8) != 0xff)
        *(volatile u16 *)f->way = f->kept;
    else
        __sync_val_compare_and_swap(f->way, f->value, f->kept);
}

// How much a way wants to be replaced: free or expired, then closing, then new, the oldest first; 0: never.
#define FLOW_BEST (3u << 18)
INLINE u32 flow_rank(const volatile u32 *ages, u64 value, u32 now)
{
    u32 age = flow_age(value, now);
    if (age >= ages[FLOW_TIMER(value)])
        return FLOW_BEST;
    u32 state = FLOW_STATE(value);
    if (state == FLOW_NEW)
        return 1 << 18 | age;
    return state == FLOW_CLOSING ? 2 << 18 | age : 0;
}

// Writes the value word of a way that is claimed, keeping the spill bit that stands there.
INLINE void flow_put_value(u64 *word, u64 value)
{
    *(volatile u64 *)word = value | (*(volatile u64 *)word & FLOW_SPILL);
}

// Sets the spill bit. While the way is claimed its value may be overwritten: then once more.
INLINE void flow_set_spill(u64 *word, const u64 *key, u64 mask)
{
    for (int i = 0; i < 8; i++) {
        if (!(*(volatile u64 *)word & FLOW_SPILL))
            __sync_fetch_and_or(word, FLOW_SPILL);
        if ((*(const volatile u64 *)key & mask) != mask)
            return;
    }
}

// Takes over the flow's own place, which it lost by time-out, backend or a new connection.
INLINE int flow_replace(struct flow *f, u32 id)
{
    return __sync_val_compare_and_swap(f->way, f->value, (f->value & FLOW_SPILL) | f->fresh | (u64)id << 24) == f->value;
}
