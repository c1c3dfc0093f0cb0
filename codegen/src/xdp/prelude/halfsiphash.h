// HalfSipHash-1-3, as Linux's hsiphash on 32-bit machines: 64-bit key, little-endian words, 32 bits out.
#pragma once
#include "bpf.h"

struct halfsiphash {
    u32 v0, v1, v2, v3;
};

INLINE u32 rotate(u32 x, u32 n) { return x << n | x >> (32 - n); }

INLINE void halfsiphash_round(struct halfsiphash *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 5) ^ s->v0;
    s->v0 = rotate(s->v0, 16);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 8) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 7) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v2;
    s->v2 = rotate(s->v2, 16);
}

// The key's high half is its first word.
INLINE struct halfsiphash halfsiphash_start(u64 key)
{
    u32 k0 = key >> 32, k1 = key;
    return (struct halfsiphash){k0, k1, 0x6c796765 ^ k0, 0x74656462 ^ k1};
}

// Four bytes, given in network order.
INLINE void halfsiphash_word(struct halfsiphash *s, u32 bytes)
{
    u32 m = __builtin_bswap32(bytes);
    s->v3 ^= m;
    halfsiphash_round(s);
    s->v0 ^= m;
}

INLINE u32 halfsiphash_end(struct halfsiphash *s)
{
    s->v2 ^= 0xff;
    halfsiphash_round(s);
    halfsiphash_round(s);
    halfsiphash_round(s);
    return s->v1 ^ s->v3;
}
