// Numbers in network byte order.
#pragma once
#include "bpf.h"

// A header in the packet; p is 0 while it is not there.
struct place {
    void *p;
    u8 valid;
    u8 parsed;
};

// The test is one of the pointer itself: were clang to keep the answer in a flag, the verifier could not follow.
INLINE int is_there(const struct place *x)
{
    asm goto("if %0 == 0 goto %l1" : : "r"(x->p) : : absent);
    return 1;
absent:
    return 0;
}

INLINE u16 be16(const void *p) { return __builtin_bswap16(*(const u16 *)p); }
INLINE u32 be24(const void *p) { return (u32)be16(p) << 8 | *((const u8 *)p + 2); }
INLINE u32 be32(const void *p) { return __builtin_bswap32(*(const u32 *)p); }
INLINE u64 be48(const void *p) { return (u64)be32(p) << 16 | be16(p + 4); }
INLINE u64 be64(const void *p) { return __builtin_bswap64(*(const u64 *)p); }
INLINE u128 be128(const void *p) { return (u128)be64(p) << 64 | be64(p + 8); }

INLINE void put16(void *p, u16 x) { *(u16 *)p = __builtin_bswap16(x); }
INLINE void put24(void *p, u32 x)
{
    put16(p, x >> 8);
    *((u8 *)p + 2) = x;
}
INLINE void put32(void *p, u32 x) { *(u32 *)p = __builtin_bswap32(x); }
INLINE void put48(void *p, u64 x)
{
    put32(p, x >> 16);
    put16(p + 4, x);
}
INLINE void put64(void *p, u64 x) { *(u64 *)p = __builtin_bswap64(x); }
INLINE void put128(void *p, u128 x)
{
    put64(p, x >> 64);
    put64(p + 8, x);
}

// A number of more than 64 bits in a map: low word, high word.
INLINE u128 wide(const u64 *p) { return (u128)p[1] << 64 | p[0]; }
