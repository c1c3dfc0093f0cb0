// wide: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/crc32.h"
#include "guideway/ports.h"

struct ethernet {
    u64 dst;
    u64 src;
    u16 ethertype;
    u8 valid;
    u8 parsed;
};

INLINE void load_ethernet(struct ethernet *x, const void *p)
{
    x->dst = be48(p);
    x->src = be48(p + 6);
    x->ethertype = be16(p + 12);
    x->valid = x->parsed = 1;
}

INLINE void store_ethernet(void *p, const struct ethernet *x)
{
    put48(p, x->dst);
    put48(p + 6, x->src);
    put16(p + 12, x->ethertype);
}

struct numbers {
    u8 what;
    u128 big;
    u8 digit;
    u128 serial;
    u64 stamp;
    u64 left;
    u64 middle;
    u64 right;
    u8 valid;
    u8 parsed;
};

INLINE void load_numbers(struct numbers *x, const void *p)
{
    x->what = *(const u8 *)p >> 4;
    x->big = (be128(p) << 4 | *(const u8 *)(p + 16) >> 4) & ((u128)0xffffffffffffffffull << 64 | 0xffffffffffffffffull);
    x->digit = (*(const u8 *)(p + 16)) & 15;
    x->serial = ((u128)be32(p + 17) << 64 | be64(p + 21));
    x->stamp = be48(p + 29);
    x->left = ((u64)be32(p + 35) << 8 | *(const u8 *)(p + 39)) >> 7;
    x->middle = (be64(p + 39)) & 0x7fffffffffffffffull;
    x->right = ((u64)be32(p + 47) << 8 | *(const u8 *)(p + 51));
    x->valid = x->parsed = 1;
}

INLINE void store_numbers(void *p, const struct numbers *x)
{
    put64(p, (u64)x->what << 60 | (u64)(x->big >> 68));
    put64(p + 8, (u64)(x->big >> 4));
    *(u8 *)(p + 16) = (u64)x->big << 4 | (u64)x->digit;
    put32(p + 17, (x->serial) >> 64);
    put64(p + 21, (x->serial));
    put48(p + 29, x->stamp);
    put32(p + 35, ((u128)x->left << 63 | x->middle) >> 64);
    put64(p + 39, ((u128)x->left << 63 | x->middle));
    put32(p + 47, (x->right) >> 8);
    *(u8 *)(p + 51) = (x->right);
}

INLINE u8 numbers_what(const void *p) { return *(const u8 *)p >> 4; }
INLINE u128 numbers_big(const void *p) { return (be128(p) << 4 | *(const u8 *)(p + 16) >> 4) & ((u128)0xffffffffffffffffull << 64 | 0xffffffffffffffffull); }
INLINE void set_numbers_big(void *p, u128 x)
{
    u128 old = be128(p);
    u8 last = *(const u8 *)(p + 16);
    put128(p, (old & ~((u128)0xfffffffffffffffull << 64 | 0xffffffffffffffffull)) | x >> 4);
    *(u8 *)(p + 16) = (last & 0xf) | (u8)x << 4;
}

INLINE u8 numbers_digit(const void *p) { return (*(const u8 *)(p + 16)) & 15; }
INLINE void set_numbers_digit(void *p, u8 x)
{
    u64 old = *(const u8 *)(p + 16);
    u64 new = (old & ~(u64)15) | (u64)x << 0;
    *(u8 *)(p + 16) = new;
}

INLINE u128 numbers_serial(const void *p) { return ((u128)be32(p + 17) << 64 | be64(p + 21)); }
INLINE void set_numbers_serial(void *p, u128 x)
{
    put32(p + 17, (x) >> 64);
    put64(p + 21, (x));
}

INLINE u64 numbers_stamp(const void *p) { return be48(p + 29); }
INLINE void set_numbers_stamp(void *p, u64 x)
{
    put48(p + 29, x);
}

INLINE u64 numbers_left(const void *p) { return ((u64)be32(p + 35) << 8 | *(const u8 *)(p + 39)) >> 7; }
INLINE void set_numbers_left(void *p, u64 x)
{
    u64 old = ((u64)be32(p + 35) << 8 | *(const u8 *)(p + 39));
    u64 new = (old & ~(u64)0xffffffff80ull) | (u64)x << 7;
    put32(p + 35, (new) >> 8);
    *(u8 *)(p + 39) = (new);
}

INLINE u64 numbers_middle(const void *p) { return (be64(p + 39)) & 0x7fffffffffffffffull; }
INLINE void set_numbers_middle(void *p, u64 x)
{
    u64 old = be64(p + 39);
    u64 new = (old & ~(u64)0x7fffffffffffffffull) | (u64)x << 0;
    put64(p + 39, new);
}

INLINE u64 numbers_right(const void *p) { return ((u64)be32(p + 47) << 8 | *(const u8 *)(p + 51)); }
INLINE void set_numbers_right(void *p, u64 x)
{
    put32(p + 47, (x) >> 8);
    *(u8 *)(p + 51) = (x);
}

struct mark {
    u16 value;
    u8 valid;
    u8 parsed;
};

INLINE void load_mark(struct mark *x, const void *p)
{
    x->value = be16(p);
    x->valid = x->parsed = 1;
}

INLINE void store_mark(void *p, const struct mark *x)
{
    put16(p, x->value);
}

struct headers {
    struct place eth; // ethernet
    struct place n; // numbers
    struct mark mark;
};

struct meta {
    u16 sum;
};

enum {
    DROP_CUT,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 1);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

CRC32_TABLES(33);

// The control for packets whose way through the parser is start.
INLINE int ingress_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    void *n = (void *)(at + 14);
    struct mark mark = {};
    u8 order = 0;
    u8 same = 0;
    u32 hash = 0;
    u16 all = 0;

    if (numbers_what(n) == 0) {
        set_numbers_big(n, numbers_big(n) + (numbers_serial(n) << 32 | 0xffffffff));
        set_numbers_serial(n, numbers_serial(n) - (u128)numbers_middle(n) & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull));
        set_numbers_stamp(n, numbers_stamp(n) + 0xffffffffffffull & 0xffffffffffff);
        set_numbers_left(n, (u64)numbers_left(n) * numbers_left(n) & 0x1ffffffff);
        set_numbers_middle(n, numbers_right(n) - numbers_middle(n) & 0x7fffffffffffffff);
    } else {
        if (numbers_what(n) == 1) {
            set_numbers_big(n, numbers_big(n) << 9);
            set_numbers_serial(n, (numbers_serial(n) >> 95) | (numbers_serial(n) << 1 & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull)));
            set_numbers_stamp(n, 0xffffffffffffull);
            set_numbers_left(n, numbers_left(n) >> 32);
            set_numbers_middle(n, 0x4000000000000000ull);
            set_numbers_right(n, (numbers_digit(n) == 3 ? (u64)1 : 9000) << 25 & 0xffffffffff);
        } else {
            if (numbers_what(n) == 2) {
                set_numbers_middle(n, (u64)(numbers_big(n) >> 65));
                set_numbers_left(n, (numbers_right(n) - 1 & 0xffffffffff) >> 7);
                set_numbers_serial(n, ((numbers_big(n) ^ (numbers_big(n) >> 1)) >> 16) & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull));
                set_numbers_big(n, (((u128)((u64)1 << 33 | numbers_left(n)) << 40 | numbers_right(n)) << 4 | numbers_digit(n)) << 26 | (u32)(numbers_stamp(n) >> 22));
            } else {
                if (numbers_what(n) == 3) {
                    order = numbers_big(n) > (numbers_serial(n) << 32 | 5) && numbers_stamp(n) <= numbers_stamp(n);
                    same = numbers_serial(n) == (numbers_big(n) & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull)) || numbers_middle(n) < numbers_left(n);
                    set_numbers_digit(n, ((order << 1 | 1) << 1 | same) << 1 | (numbers_right(n) >= 0x8000000000ull));
                } else {
                    if (numbers_what(n) == 4) {
                        set_numbers_big(n, ~numbers_big(n) + 1);
                        set_numbers_stamp(n, (~numbers_stamp(n) & 0xffffffffffff) & ((u64)(numbers_serial(n) & 0xffffffffffff)));
                        set_numbers_serial(n, ~numbers_serial(n) & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull));
                        set_numbers_left(n, ~(numbers_left(n) - 1 & 0x1ffffffff) & 0x1ffffffff);
                        set_numbers_middle(n, (~numbers_right(n) + (u64)numbers_big(n)) >> 1);
                        set_numbers_right(n, (u64)((u32)(u16)(numbers_digit(n) != 9) << 16 | (u16)((u16)(~(u16)(numbers_right(n) >> 8)) + (u16)numbers_right(n))) << 8 | 250);
                    } else {
                        if (numbers_what(n) == 5) {
                            // CRC-32 of 33 bytes: that of zeros, then what each byte adds
                            hash = 0x7a7c3a8d;
                            hash ^= CRC32_32(29, 7);
                            hash ^= CRC32_8(12, (u8)(numbers_big(n) & 0xf) << 4 | numbers_digit(n));
                            hash ^= CRC32_8(13, (u8)((numbers_big(n) >> 4) & 0xff));
                            hash ^= CRC32_8(14, (u8)((numbers_big(n) >> 12) & 0xff));
                            hash ^= CRC32_8(15, (u8)((numbers_big(n) >> 20) & 0xff));
                            hash ^= CRC32_8(16, (u8)((numbers_big(n) >> 28) & 0xff));
                            hash ^= CRC32_8(17, (u8)((numbers_big(n) >> 36) & 0xff));
                            hash ^= CRC32_8(18, (u8)((numbers_big(n) >> 44) & 0xff));
                            hash ^= CRC32_8(19, (u8)((numbers_big(n) >> 52) & 0xff));
                            hash ^= CRC32_8(20, (u8)((numbers_big(n) >> 60) & 0xff));
                            hash ^= CRC32_8(21, (u8)((numbers_big(n) >> 68) & 0xff));
                            hash ^= CRC32_8(22, (u8)((numbers_big(n) >> 76) & 0xff));
                            hash ^= CRC32_8(23, (u8)((numbers_big(n) >> 84) & 0xff));
                            hash ^= CRC32_8(24, (u8)((numbers_big(n) >> 92) & 0xff));
                            hash ^= CRC32_8(25, (u8)((numbers_big(n) >> 100) & 0xff));
                            hash ^= CRC32_8(26, (u8)((numbers_big(n) >> 108) & 0xff));
                            hash ^= CRC32_8(27, (u8)((numbers_big(n) >> 116) & 0xff));
                            hash ^= CRC32_8(28, 80 | (u8)(numbers_big(n) >> 124));
                            hash ^= CRC32_8(0, (u8)(numbers_middle(n) & 0xff));
                            hash ^= CRC32_8(1, (u8)((numbers_middle(n) >> 8) & 0xff));
                            hash ^= CRC32_8(2, (u8)((numbers_middle(n) >> 16) & 0xff));
                            hash ^= CRC32_8(3, (u8)((numbers_middle(n) >> 24) & 0xff));
                            hash ^= CRC32_8(4, (u8)((numbers_middle(n) >> 32) & 0xff));
                            hash ^= CRC32_8(5, (u8)((numbers_middle(n) >> 40) & 0xff));
                            hash ^= CRC32_8(6, (u8)((numbers_middle(n) >> 48) & 0xff));
                            hash ^= CRC32_8(7, (u8)(numbers_left(n) & 0x1) << 7 | (u8)(numbers_middle(n) >> 56));
                            hash ^= CRC32_8(8, (u8)((numbers_left(n) >> 1) & 0xff));
                            hash ^= CRC32_8(9, (u8)((numbers_left(n) >> 9) & 0xff));
                            hash ^= CRC32_8(10, (u8)((numbers_left(n) >> 17) & 0xff));
                            hash ^= CRC32_8(11, (u8)(numbers_left(n) >> 25));
                            set_numbers_serial(n, (u128)hash << 64 | (u64)numbers_serial(n));
                        } else {
                            if (numbers_what(n) == 6) {
                                m->sum = (u16)numbers_right(n);
                                m->sum = adjust(adjust(adjust(adjust(adjust(adjust(adjust(adjust(m->sum, (u16)(numbers_big(n) >> 112), (u16)(((u128)numbers_stamp(n) << 80 | (numbers_big(n) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 112)), (u16)((numbers_big(n) >> 96) & 0xffff), (u16)((((u128)numbers_stamp(n) << 80 | (numbers_big(n) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 96) & 0xffff)), (u16)((numbers_big(n) >> 80) & 0xffff), (u16)((((u128)numbers_stamp(n) << 80 | (numbers_big(n) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 80) & 0xffff)), (u16)((numbers_big(n) >> 64) & 0xffff), (u16)((((u128)numbers_stamp(n) << 80 | (numbers_big(n) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 64) & 0xffff)), (u16)((numbers_big(n) >> 48) & 0xffff), (u16)((((u128)numbers_stamp(n) << 80 | (numbers_big(n) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 48) & 0xffff)), (u16)((numbers_big(n) >> 32) & 0xffff), (u16)((((u128)numbers_stamp(n) << 80 | (numbers_big(n) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 32) & 0xffff)), (u16)((numbers_big(n) >> 16) & 0xffff), (u16)((((u128)numbers_stamp(n) << 80 | (numbers_big(n) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 16) & 0xffff)), (u16)(numbers_big(n) & 0xffff), (u16)(((u128)numbers_stamp(n) << 80 | (numbers_big(n) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) & 0xffff));
                                {
                                    u32 sum = 0;
                                    sum += 0x6000 | (u16)(numbers_big(n) >> 116);
                                    sum += (u16)((numbers_big(n) >> 100) & 0xffff);
                                    sum += (u16)((numbers_big(n) >> 84) & 0xffff);
                                    sum += (u16)((numbers_big(n) >> 68) & 0xffff);
                                    sum += (u16)((numbers_big(n) >> 52) & 0xffff);
                                    sum += (u16)((numbers_big(n) >> 36) & 0xffff);
                                    sum += (u16)((numbers_big(n) >> 20) & 0xffff);
                                    sum += (u16)((numbers_big(n) >> 4) & 0xffff);
                                    sum += (u16)(numbers_big(n) & 0xf) << 12 | (u16)numbers_digit(n) << 8 | (u16)(numbers_left(n) >> 25);
                                    sum += (u16)((numbers_left(n) >> 9) & 0xffff);
                                    sum += (u16)(numbers_left(n) & 0x1ff) << 7 | (u16)(numbers_middle(n) >> 56);
                                    sum += (u16)((numbers_middle(n) >> 40) & 0xffff);
                                    sum += (u16)((numbers_middle(n) >> 24) & 0xffff);
                                    sum += (u16)((numbers_middle(n) >> 8) & 0xffff);
                                    sum += (u16)(numbers_middle(n) & 0xff) << 8 | 90;
                                    all = ~fold(sum);
                                }
                                set_numbers_right(n, (u64)((u32)all << 8 | 0) << 16 | m->sum);
                            } else {
                                if (numbers_what(n) == 7) {
                                    set_numbers_middle(n, numbers_middle(n) + 1 & 0x7fffffffffffffff);
                                    mark.valid = 1;
                                    mark.value = (u16)(numbers_big(n) >> 112);
                                } else {
                                    return XDP_PASS;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    {
        struct ethernet moved_eth = {};
        load_ethernet(&moved_eth, eth);
        struct numbers moved_n = {};
        load_numbers(&moved_n, n);
        if (xdp_adjust_head(ctx, -((mark.valid - mark.parsed) * 2)))
            return XDP_ABORTED;
        at = packet_start(ctx);
        end = packet_end(ctx);
        if (at + 14 > end)
            return XDP_ABORTED;
        store_ethernet((void *)at, &moved_eth);
        at += 14;
        if (at + 52 > end)
            return XDP_ABORTED;
        store_numbers((void *)at, &moved_n);
        at += 52;
        if (mark.valid) {
            if (at + 2 > end)
                return XDP_ABORTED;
            store_mark((void *)at, &mark);
            at += 2;
        }
    }
    return forward(ctx, 1);
}

// The parser, as far as the frequent ways go.
// pipeline.rs:40
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 66 > end)
        return AGAIN;
    return ingress_start(ctx, at, end, m);
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h, struct meta *m)
{
    u8 order = 0;
    u8 same = 0;
    u32 hash = 0;
    u16 all = 0;

    if (!is_there(&h->n)) {
        return drop(DROP_CUT);
    }
    if (numbers_what(h->n.p) == 0) {
        set_numbers_big(h->n.p, numbers_big(h->n.p) + (numbers_serial(h->n.p) << 32 | 0xffffffff));
        set_numbers_serial(h->n.p, numbers_serial(h->n.p) - (u128)numbers_middle(h->n.p) & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull));
        set_numbers_stamp(h->n.p, numbers_stamp(h->n.p) + 0xffffffffffffull & 0xffffffffffff);
        set_numbers_left(h->n.p, (u64)numbers_left(h->n.p) * numbers_left(h->n.p) & 0x1ffffffff);
        set_numbers_middle(h->n.p, numbers_right(h->n.p) - numbers_middle(h->n.p) & 0x7fffffffffffffff);
    } else {
        if (numbers_what(h->n.p) == 1) {
            set_numbers_big(h->n.p, numbers_big(h->n.p) << 9);
            set_numbers_serial(h->n.p, (numbers_serial(h->n.p) >> 95) | (numbers_serial(h->n.p) << 1 & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull)));
            set_numbers_stamp(h->n.p, (u64)0 - 1 & 0xffffffffffff);
            set_numbers_left(h->n.p, numbers_left(h->n.p) >> 32);
            set_numbers_middle(h->n.p, 0x7fffffffffffffffull);
            set_numbers_middle(h->n.p, numbers_middle(h->n.p) << 62 & 0x7fffffffffffffff);
            set_numbers_right(h->n.p, (numbers_digit(h->n.p) == 3 ? (u64)1 : 9000) << 25 & 0xffffffffff);
        } else {
            if (numbers_what(h->n.p) == 2) {
                set_numbers_middle(h->n.p, (u64)(numbers_big(h->n.p) >> 65));
                set_numbers_left(h->n.p, (numbers_right(h->n.p) - 1 & 0xffffffffff) >> 7);
                set_numbers_serial(h->n.p, ((numbers_big(h->n.p) ^ (numbers_big(h->n.p) >> 1)) >> 16) & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull));
                set_numbers_big(h->n.p, (((u128)((u64)1 << 33 | numbers_left(h->n.p)) << 40 | numbers_right(h->n.p)) << 4 | numbers_digit(h->n.p)) << 26 | (u32)(numbers_stamp(h->n.p) >> 22));
            } else {
                if (numbers_what(h->n.p) == 3) {
                    order = numbers_big(h->n.p) > (numbers_serial(h->n.p) << 32 | 5) && numbers_stamp(h->n.p) <= numbers_stamp(h->n.p);
                    same = numbers_serial(h->n.p) == (numbers_big(h->n.p) & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull)) || numbers_middle(h->n.p) < numbers_left(h->n.p);
                    set_numbers_digit(h->n.p, ((order << 1 | 1) << 1 | same) << 1 | (numbers_right(h->n.p) >= 0x8000000000ull));
                } else {
                    if (numbers_what(h->n.p) == 4) {
                        set_numbers_big(h->n.p, ~numbers_big(h->n.p) + 1);
                        set_numbers_stamp(h->n.p, (~numbers_stamp(h->n.p) & 0xffffffffffff) & ((u64)(numbers_serial(h->n.p) & 0xffffffffffff)));
                        set_numbers_serial(h->n.p, ~numbers_serial(h->n.p) & ((u128)0xffffffffull << 64 | 0xffffffffffffffffull));
                        set_numbers_left(h->n.p, ~(numbers_left(h->n.p) - 1 & 0x1ffffffff) & 0x1ffffffff);
                        set_numbers_middle(h->n.p, (~numbers_right(h->n.p) + (u64)numbers_big(h->n.p)) >> 1);
                        set_numbers_right(h->n.p, (u64)((u32)(u16)!(numbers_digit(h->n.p) == 9) << 16 | (u16)((u16)(~(u16)(numbers_right(h->n.p) >> 8)) + (u16)numbers_right(h->n.p))) << 8 | 250);
                    } else {
                        if (numbers_what(h->n.p) == 5) {
                            // CRC-32 of 33 bytes: that of zeros, then what each byte adds
                            hash = 0x7a7c3a8d;
                            hash ^= CRC32_32(29, 7);
                            hash ^= CRC32_8(12, (u8)(numbers_big(h->n.p) & 0xf) << 4 | numbers_digit(h->n.p));
                            hash ^= CRC32_8(13, (u8)((numbers_big(h->n.p) >> 4) & 0xff));
                            hash ^= CRC32_8(14, (u8)((numbers_big(h->n.p) >> 12) & 0xff));
                            hash ^= CRC32_8(15, (u8)((numbers_big(h->n.p) >> 20) & 0xff));
                            hash ^= CRC32_8(16, (u8)((numbers_big(h->n.p) >> 28) & 0xff));
                            hash ^= CRC32_8(17, (u8)((numbers_big(h->n.p) >> 36) & 0xff));
                            hash ^= CRC32_8(18, (u8)((numbers_big(h->n.p) >> 44) & 0xff));
                            hash ^= CRC32_8(19, (u8)((numbers_big(h->n.p) >> 52) & 0xff));
                            hash ^= CRC32_8(20, (u8)((numbers_big(h->n.p) >> 60) & 0xff));
                            hash ^= CRC32_8(21, (u8)((numbers_big(h->n.p) >> 68) & 0xff));
                            hash ^= CRC32_8(22, (u8)((numbers_big(h->n.p) >> 76) & 0xff));
                            hash ^= CRC32_8(23, (u8)((numbers_big(h->n.p) >> 84) & 0xff));
                            hash ^= CRC32_8(24, (u8)((numbers_big(h->n.p) >> 92) & 0xff));
                            hash ^= CRC32_8(25, (u8)((numbers_big(h->n.p) >> 100) & 0xff));
                            hash ^= CRC32_8(26, (u8)((numbers_big(h->n.p) >> 108) & 0xff));
                            hash ^= CRC32_8(27, (u8)((numbers_big(h->n.p) >> 116) & 0xff));
                            hash ^= CRC32_8(28, numbers_what(h->n.p) << 4 | (u8)(numbers_big(h->n.p) >> 124));
                            hash ^= CRC32_8(0, (u8)(numbers_middle(h->n.p) & 0xff));
                            hash ^= CRC32_8(1, (u8)((numbers_middle(h->n.p) >> 8) & 0xff));
                            hash ^= CRC32_8(2, (u8)((numbers_middle(h->n.p) >> 16) & 0xff));
                            hash ^= CRC32_8(3, (u8)((numbers_middle(h->n.p) >> 24) & 0xff));
                            hash ^= CRC32_8(4, (u8)((numbers_middle(h->n.p) >> 32) & 0xff));
                            hash ^= CRC32_8(5, (u8)((numbers_middle(h->n.p) >> 40) & 0xff));
                            hash ^= CRC32_8(6, (u8)((numbers_middle(h->n.p) >> 48) & 0xff));
                            hash ^= CRC32_8(7, (u8)(numbers_left(h->n.p) & 0x1) << 7 | (u8)(numbers_middle(h->n.p) >> 56));
                            hash ^= CRC32_8(8, (u8)((numbers_left(h->n.p) >> 1) & 0xff));
                            hash ^= CRC32_8(9, (u8)((numbers_left(h->n.p) >> 9) & 0xff));
                            hash ^= CRC32_8(10, (u8)((numbers_left(h->n.p) >> 17) & 0xff));
                            hash ^= CRC32_8(11, (u8)(numbers_left(h->n.p) >> 25));
                            set_numbers_serial(h->n.p, (u128)hash << 64 | (u64)numbers_serial(h->n.p));
                        } else {
                            if (numbers_what(h->n.p) == 6) {
                                m->sum = (u16)numbers_right(h->n.p);
                                m->sum = adjust(adjust(adjust(adjust(adjust(adjust(adjust(adjust(m->sum, (u16)(numbers_big(h->n.p) >> 112), (u16)(((u128)numbers_stamp(h->n.p) << 80 | (numbers_big(h->n.p) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 112)), (u16)((numbers_big(h->n.p) >> 96) & 0xffff), (u16)((((u128)numbers_stamp(h->n.p) << 80 | (numbers_big(h->n.p) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 96) & 0xffff)), (u16)((numbers_big(h->n.p) >> 80) & 0xffff), (u16)((((u128)numbers_stamp(h->n.p) << 80 | (numbers_big(h->n.p) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 80) & 0xffff)), (u16)((numbers_big(h->n.p) >> 64) & 0xffff), (u16)((((u128)numbers_stamp(h->n.p) << 80 | (numbers_big(h->n.p) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 64) & 0xffff)), (u16)((numbers_big(h->n.p) >> 48) & 0xffff), (u16)((((u128)numbers_stamp(h->n.p) << 80 | (numbers_big(h->n.p) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 48) & 0xffff)), (u16)((numbers_big(h->n.p) >> 32) & 0xffff), (u16)((((u128)numbers_stamp(h->n.p) << 80 | (numbers_big(h->n.p) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 32) & 0xffff)), (u16)((numbers_big(h->n.p) >> 16) & 0xffff), (u16)((((u128)numbers_stamp(h->n.p) << 80 | (numbers_big(h->n.p) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) >> 16) & 0xffff)), (u16)(numbers_big(h->n.p) & 0xffff), (u16)(((u128)numbers_stamp(h->n.p) << 80 | (numbers_big(h->n.p) & ((u128)0xffffull << 64 | 0xffffffffffffffffull))) & 0xffff));
                                {
                                    u32 sum = 0;
                                    sum += (u16)numbers_what(h->n.p) << 12 | (u16)(numbers_big(h->n.p) >> 116);
                                    sum += (u16)((numbers_big(h->n.p) >> 100) & 0xffff);
                                    sum += (u16)((numbers_big(h->n.p) >> 84) & 0xffff);
                                    sum += (u16)((numbers_big(h->n.p) >> 68) & 0xffff);
                                    sum += (u16)((numbers_big(h->n.p) >> 52) & 0xffff);
                                    sum += (u16)((numbers_big(h->n.p) >> 36) & 0xffff);
                                    sum += (u16)((numbers_big(h->n.p) >> 20) & 0xffff);
                                    sum += (u16)((numbers_big(h->n.p) >> 4) & 0xffff);
                                    sum += (u16)(numbers_big(h->n.p) & 0xf) << 12 | (u16)numbers_digit(h->n.p) << 8 | (u16)(numbers_left(h->n.p) >> 25);
                                    sum += (u16)((numbers_left(h->n.p) >> 9) & 0xffff);
                                    sum += (u16)(numbers_left(h->n.p) & 0x1ff) << 7 | (u16)(numbers_middle(h->n.p) >> 56);
                                    sum += (u16)((numbers_middle(h->n.p) >> 40) & 0xffff);
                                    sum += (u16)((numbers_middle(h->n.p) >> 24) & 0xffff);
                                    sum += (u16)((numbers_middle(h->n.p) >> 8) & 0xffff);
                                    sum += (u16)(numbers_middle(h->n.p) & 0xff) << 8 | 90;
                                    all = ~fold(sum);
                                }
                                set_numbers_right(h->n.p, (u64)((u32)all << 8 | 0) << 16 | m->sum);
                            } else {
                                if (numbers_what(h->n.p) == 7) {
                                    set_numbers_middle(h->n.p, numbers_middle(h->n.p) + 1 & 0x7fffffffffffffff);
                                    h->mark.valid = 1;
                                    h->mark.value = (u16)(numbers_big(h->n.p) >> 112);
                                } else {
                                    return XDP_PASS;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    {
        struct ethernet moved_eth = {};
        if (is_there(&h->eth))
            load_ethernet(&moved_eth, h->eth.p);
        struct numbers moved_n = {};
        load_numbers(&moved_n, h->n.p);
        if (xdp_adjust_head(ctx, -((h->mark.valid - h->mark.parsed) * 2)))
            return XDP_ABORTED;
        at = packet_start(ctx);
        end = packet_end(ctx);
        if (is_there(&h->eth)) {
            if (at + 14 > end)
                return XDP_ABORTED;
            store_ethernet((void *)at, &moved_eth);
            at += 14;
        }
        if (at + 52 > end)
            return XDP_ABORTED;
        store_numbers((void *)at, &moved_n);
        at += 52;
        if (h->mark.valid) {
            if (at + 2 > end)
                return XDP_ABORTED;
            store_mark((void *)at, &h->mark);
            at += 2;
        }
    }
    return forward(ctx, 1);
}

SEC("xdp")
int gw_main(struct xdp_md *ctx)
{
    struct meta way_meta = {};
    int verdict = parse_start(ctx, packet_start(ctx), packet_end(ctx), &way_meta);
    if (LIKELY(verdict != AGAIN))
        return verdict;

    // All other packets, also those that end too soon for their way.
    const void *at = packet_start(ctx), *end = packet_end(ctx);
    struct headers headers = {}, *h = &headers;
    struct meta meta = {}, *m = &meta;
    goto parse_start;
parse_start: // pipeline.rs:40
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (at + 52 > end)
        goto accept;
    h->n = (struct place){(void *)at, 1, 1};
    at += 52;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
