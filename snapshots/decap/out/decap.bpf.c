// decap: made by Guideway from decap.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/exact.h"

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

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE void set_ethernet_ethertype(void *p, u16 x)
{
    put16(p + 12, x);
}

struct ipv4 {
    u8 version;
    u8 ihl;
    u8 tos;
    u16 total_length;
    u16 identification;
    u8 reserved;
    u8 dont_fragment;
    u8 more_fragments;
    u16 fragment_offset;
    u8 ttl;
    u8 protocol;
    u16 checksum;
    u32 src;
    u32 dst;
    u8 valid;
    u8 parsed;
};

INLINE void load_ipv4(struct ipv4 *x, const void *p)
{
    x->version = *(const u8 *)p >> 4;
    x->ihl = (*(const u8 *)p) & 15;
    x->tos = *(const u8 *)(p + 1);
    x->total_length = be16(p + 2);
    x->identification = be16(p + 4);
    x->reserved = *(const u8 *)(p + 6) >> 7;
    x->dont_fragment = (*(const u8 *)(p + 6) >> 6) & 1;
    x->more_fragments = (*(const u8 *)(p + 6) >> 5) & 1;
    x->fragment_offset = (be16(p + 6)) & 8191;
    x->ttl = *(const u8 *)(p + 8);
    x->protocol = *(const u8 *)(p + 9);
    x->checksum = be16(p + 10);
    x->src = be32(p + 12);
    x->dst = be32(p + 16);
    x->valid = x->parsed = 1;
}

INLINE void store_ipv4(void *p, const struct ipv4 *x)
{
    *(u8 *)(p) = (u64)x->version << 4 | x->ihl;
    *(u8 *)(p + 1) = x->tos;
    put16(p + 2, x->total_length);
    put16(p + 4, x->identification);
    put16(p + 6, (u64)x->reserved << 15 | (u64)x->dont_fragment << 14 | (u64)x->more_fragments << 13 | x->fragment_offset);
    *(u8 *)(p + 8) = x->ttl;
    *(u8 *)(p + 9) = x->protocol;
    put16(p + 10, x->checksum);
    put32(p + 12, x->src);
    put32(p + 16, x->dst);
}

INLINE u8 ipv4_version(const void *p) { return *(const u8 *)p >> 4; }
INLINE u8 ipv4_ihl(const void *p) { return (*(const u8 *)p) & 15; }
INLINE u8 ipv4_tos(const void *p) { return *(const u8 *)(p + 1); }
INLINE void set_ipv4_tos(void *p, u8 x)
{
    *(u8 *)(p + 1) = x;
}

INLINE u16 ipv4_total_length(const void *p) { return be16(p + 2); }
INLINE u8 ipv4_more_fragments(const void *p) { return (*(const u8 *)(p + 6) >> 5) & 1; }
INLINE u16 ipv4_fragment_offset(const void *p) { return (be16(p + 6)) & 8191; }
INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
INLINE u16 ipv4_checksum(const void *p) { return be16(p + 10); }
INLINE void set_ipv4_checksum(void *p, u16 x)
{
    put16(p + 10, x);
}

INLINE u32 ipv4_src(const void *p) { return be32(p + 12); }
INLINE u32 ipv4_dst(const void *p) { return be32(p + 16); }
struct ipv6 {
    u8 version;
    u8 traffic_class;
    u32 flow_label;
    u16 payload_length;
    u8 next_header;
    u8 hop_limit;
    u128 src;
    u128 dst;
    u8 valid;
    u8 parsed;
};

INLINE void load_ipv6(struct ipv6 *x, const void *p)
{
    x->version = *(const u8 *)p >> 4;
    x->traffic_class = (be16(p) >> 4) & 255;
    x->flow_label = (be24(p + 1)) & 0xfffff;
    x->payload_length = be16(p + 4);
    x->next_header = *(const u8 *)(p + 6);
    x->hop_limit = *(const u8 *)(p + 7);
    x->src = be128(p + 8);
    x->dst = be128(p + 24);
    x->valid = x->parsed = 1;
}

INLINE void store_ipv6(void *p, const struct ipv6 *x)
{
    put32(p, (u64)x->version << 28 | (u64)x->traffic_class << 20 | x->flow_label);
    put16(p + 4, x->payload_length);
    *(u8 *)(p + 6) = x->next_header;
    *(u8 *)(p + 7) = x->hop_limit;
    put128(p + 8, x->src);
    put128(p + 24, x->dst);
}

INLINE u8 ipv6_version(const void *p) { return *(const u8 *)p >> 4; }
INLINE u8 ipv6_traffic_class(const void *p) { return (be16(p) >> 4) & 255; }
INLINE void set_ipv6_traffic_class(void *p, u8 x)
{
    u64 old = be16(p);
    u64 new = (old & ~(u64)4080) | (u64)x << 4;
    put16(p, new);
}

INLINE u16 ipv6_payload_length(const void *p) { return be16(p + 4); }
INLINE u8 ipv6_next_header(const void *p) { return *(const u8 *)(p + 6); }
INLINE u128 ipv6_src(const void *p) { return be128(p + 8); }
INLINE u128 ipv6_dst(const void *p) { return be128(p + 24); }
struct headers {
    struct place eth; // ethernet
    struct place outer4; // ipv4
    struct place outer6; // ipv6
    struct place inner4; // ipv4
    struct place inner6; // ipv6
};

struct meta {
    u8 ecn;
};

enum {
    DROP_OUTER_MALFORMED,
    DROP_NOT_ALLOWED,
    DROP_INNER_CUT,
    DROP_NOT_SERVED,
    DROP_CONGESTION,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 5);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

// decap.rs:51 table outer4
struct outer4_data {
    u32 index;
    u8 action;
    u8 pad0[3];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 256);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} outer4_hits SEC(".maps");

struct outer4_key {
    u32 prefix;
    u8 bytes[4];
} __attribute__((packed));

struct {
    MAP_NUMBER(type, MAP_LPM_TRIE);
    MAP_NUMBER(map_flags, MAP_NO_PREALLOC);
    MAP_NUMBER(max_entries, 256);
    MAP_TYPE(key, struct outer4_key);
    MAP_TYPE(value, struct outer4_data);
} outer4 SEC(".maps");

INLINE struct outer4_data *outer4_find(u32 src, u32 *cell)
{
    struct outer4_key key = {.prefix = 32};
    key.bytes[0] = src >> 24;
    key.bytes[1] = src >> 16;
    key.bytes[2] = src >> 8;
    key.bytes[3] = src >> 0;
    struct outer4_data *e = map_lookup(&outer4, &key);
    if (e)
        *cell = e->index;
    return e;
}

// decap.rs:53 table outer6
struct outer6_data {
    u32 index;
    u8 action;
    u8 pad0[3];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 256);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} outer6_hits SEC(".maps");

struct outer6_key {
    u32 prefix;
    u8 bytes[16];
} __attribute__((packed));

struct {
    MAP_NUMBER(type, MAP_LPM_TRIE);
    MAP_NUMBER(map_flags, MAP_NO_PREALLOC);
    MAP_NUMBER(max_entries, 256);
    MAP_TYPE(key, struct outer6_key);
    MAP_TYPE(value, struct outer6_data);
} outer6 SEC(".maps");

INLINE struct outer6_data *outer6_find(u128 src, u32 *cell)
{
    struct outer6_key key = {.prefix = 128};
    key.bytes[0] = src >> 120;
    key.bytes[1] = src >> 112;
    key.bytes[2] = src >> 104;
    key.bytes[3] = src >> 96;
    key.bytes[4] = src >> 88;
    key.bytes[5] = src >> 80;
    key.bytes[6] = src >> 72;
    key.bytes[7] = src >> 64;
    key.bytes[8] = src >> 56;
    key.bytes[9] = src >> 48;
    key.bytes[10] = src >> 40;
    key.bytes[11] = src >> 32;
    key.bytes[12] = src >> 24;
    key.bytes[13] = src >> 16;
    key.bytes[14] = src >> 8;
    key.bytes[15] = src >> 0;
    struct outer6_data *e = map_lookup(&outer6, &key);
    if (e)
        *cell = e->index;
    return e;
}

// decap.rs:70 table served4
struct served4_data {
    u8 action;
    u8 pad0[7];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 32768);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} served4_hits SEC(".maps");

struct served4_set {
    u64 keys[4][1];
    struct served4_data data[4];
};

struct served4_set served4[8192] SEC(".data.served4");

INLINE struct served4_data *served4_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 2, 8192);
    struct served4_set *s = &served4[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// decap.rs:72 table served6
struct served6_data {
    u8 action;
    u8 pad0[7];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 32768);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} served6_hits SEC(".maps");

struct served6_set {
    u64 keys[4][3];
    struct served6_data data[4];
};

struct served6_set served6[8192] SEC(".data.served6");

INLINE struct served6_data *served6_find(u64 word0, u64 word1, u64 word2, u32 *cell)
{
    u64 key[] = {word0, word1, word2};
    u32 set = exact_set(key, 3, 3, 8192);
    struct served6_set *s = &served6[set];
    u32 way = exact_way(&s->keys[0][0], key, 3);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// The control for packets whose way through the parser is start, outer4, inner4.
INLINE int ingress_outer4_inner4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct place outer4 = {(void *)(at + 14), 1, 1};
    void *inner4 = (void *)(at + 34);
    u32 frame_length = end - at;
    u8 inner = 0;
    u8 marked = 0;

    if (ipv4_version(outer4.p) != 4 || (u32)ipv4_total_length(outer4.p) + 14 > frame_length) {
        return drop(DROP_OUTER_MALFORMED);
    }
    m->ecn = (u8)(ipv4_tos(outer4.p) & 0x3);
    { // decap.rs:126 table outer4
        u32 cell = 0;
        struct outer4_data *e = outer4_find(ipv4_src(outer4.p), &cell);
        if (e)
            count_packet(&outer4_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // allow
                break;
            }
            default: {
                return drop(DROP_NOT_ALLOWED);
            }
        }
    }
    outer4 = (struct place){.parsed = outer4.parsed};
    { // decap.rs:146 table served4
        u32 cell = 0;
        struct served4_data *e = served4_find(0x100000000ull | (u64)ipv4_dst(inner4), &cell);
        if (e)
            count_packet(&served4_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // serve
                break;
            }
            default: {
                return drop(DROP_NOT_SERVED);
            }
        }
    }
    set_ethernet_ethertype(eth, 2048);
    inner = (u8)(ipv4_tos(inner4) & 0x3);
    if (m->ecn == 3 && inner == 0) {
        return drop(DROP_CONGESTION);
    }
    if (m->ecn == 3) {
        marked = ipv4_tos(inner4) | 3;
        set_ipv4_checksum(inner4, adjust(ipv4_checksum(inner4), ((u16)(ipv4_version(inner4) << 4 | ipv4_ihl(inner4)) << 8 | ipv4_tos(inner4)), ((u16)(ipv4_version(inner4) << 4 | ipv4_ihl(inner4)) << 8 | marked)));
        set_ipv4_tos(inner4, marked);
    }
    {
        struct ethernet moved_eth = {};
        load_ethernet(&moved_eth, eth);
        struct ipv4 moved_outer4 = {};
        if (outer4.valid)
            load_ipv4(&moved_outer4, outer4.p);
        if (xdp_adjust_head(ctx, -((outer4.valid - outer4.parsed) * 20)))
            return XDP_ABORTED;
        at = packet_start(ctx);
        end = packet_end(ctx);
        if (at + 14 > end)
            return XDP_ABORTED;
        store_ethernet((void *)at, &moved_eth);
        at += 14;
        if (outer4.valid) {
            if (at + 20 > end)
                return XDP_ABORTED;
            store_ipv4((void *)at, &moved_outer4);
            at += 20;
        }
    }
    return XDP_PASS;
}

// The control for packets whose way through the parser is start, outer6, inner4.
INLINE int ingress_outer6_inner4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct place outer6 = {(void *)(at + 14), 1, 1};
    void *inner4 = (void *)(at + 54);
    u32 frame_length = end - at;
    u8 inner = 0;
    u8 marked = 0;

    if (ipv6_version(outer6.p) != 6 || (u32)ipv6_payload_length(outer6.p) + 54 > frame_length) {
        return drop(DROP_OUTER_MALFORMED);
    }
    m->ecn = (u8)(ipv6_traffic_class(outer6.p) & 0x3);
    { // decap.rs:136 table outer6
        u32 cell = 0;
        struct outer6_data *e = outer6_find(ipv6_src(outer6.p), &cell);
        if (e)
            count_packet(&outer6_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // allow
                break;
            }
            default: {
                return drop(DROP_NOT_ALLOWED);
            }
        }
    }
    outer6 = (struct place){.parsed = outer6.parsed};
    { // decap.rs:146 table served4
        u32 cell = 0;
        struct served4_data *e = served4_find(0x100000000ull | (u64)ipv4_dst(inner4), &cell);
        if (e)
            count_packet(&served4_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // serve
                break;
            }
            default: {
                return drop(DROP_NOT_SERVED);
            }
        }
    }
    set_ethernet_ethertype(eth, 2048);
    inner = (u8)(ipv4_tos(inner4) & 0x3);
    if (m->ecn == 3 && inner == 0) {
        return drop(DROP_CONGESTION);
    }
    if (m->ecn == 3) {
        marked = ipv4_tos(inner4) | 3;
        set_ipv4_checksum(inner4, adjust(ipv4_checksum(inner4), ((u16)(ipv4_version(inner4) << 4 | ipv4_ihl(inner4)) << 8 | ipv4_tos(inner4)), ((u16)(ipv4_version(inner4) << 4 | ipv4_ihl(inner4)) << 8 | marked)));
        set_ipv4_tos(inner4, marked);
    }
    {
        struct ethernet moved_eth = {};
        load_ethernet(&moved_eth, eth);
        struct ipv6 moved_outer6 = {};
        if (outer6.valid)
            load_ipv6(&moved_outer6, outer6.p);
        if (xdp_adjust_head(ctx, -((outer6.valid - outer6.parsed) * 40)))
            return XDP_ABORTED;
        at = packet_start(ctx);
        end = packet_end(ctx);
        if (at + 14 > end)
            return XDP_ABORTED;
        store_ethernet((void *)at, &moved_eth);
        at += 14;
        if (outer6.valid) {
            if (at + 40 > end)
                return XDP_ABORTED;
            store_ipv6((void *)at, &moved_outer6);
            at += 40;
        }
    }
    return XDP_PASS;
}

// The control for packets whose way through the parser is start, outer6, inner6.
INLINE int ingress_outer6_inner6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct place outer6 = {(void *)(at + 14), 1, 1};
    void *inner6 = (void *)(at + 54);
    u32 frame_length = end - at;
    u8 inner_2 = 0;

    if (ipv6_version(outer6.p) != 6 || (u32)ipv6_payload_length(outer6.p) + 54 > frame_length) {
        return drop(DROP_OUTER_MALFORMED);
    }
    m->ecn = (u8)(ipv6_traffic_class(outer6.p) & 0x3);
    { // decap.rs:136 table outer6
        u32 cell = 0;
        struct outer6_data *e = outer6_find(ipv6_src(outer6.p), &cell);
        if (e)
            count_packet(&outer6_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // allow
                break;
            }
            default: {
                return drop(DROP_NOT_ALLOWED);
            }
        }
    }
    outer6 = (struct place){.parsed = outer6.parsed};
    { // decap.rs:166 table served6
        u32 cell = 0;
        struct served6_data *e = served6_find((u64)ipv6_dst(inner6), (u64)(ipv6_dst(inner6) >> 64), 1ull, &cell);
        if (e)
            count_packet(&served6_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // serve
                break;
            }
            default: {
                return drop(DROP_NOT_SERVED);
            }
        }
    }
    set_ethernet_ethertype(eth, 0x86dd);
    inner_2 = (u8)(ipv6_traffic_class(inner6) & 0x3);
    if (m->ecn == 3 && inner_2 == 0) {
        return drop(DROP_CONGESTION);
    }
    if (m->ecn == 3) {
        set_ipv6_traffic_class(inner6, ipv6_traffic_class(inner6) | 3);
    }
    {
        struct ethernet moved_eth = {};
        load_ethernet(&moved_eth, eth);
        struct ipv6 moved_outer6 = {};
        if (outer6.valid)
            load_ipv6(&moved_outer6, outer6.p);
        if (xdp_adjust_head(ctx, -((outer6.valid - outer6.parsed) * 40)))
            return XDP_ABORTED;
        at = packet_start(ctx);
        end = packet_end(ctx);
        if (at + 14 > end)
            return XDP_ABORTED;
        store_ethernet((void *)at, &moved_eth);
        at += 14;
        if (outer6.valid) {
            if (at + 40 > end)
                return XDP_ABORTED;
            store_ipv6((void *)at, &moved_outer6);
            at += 40;
        }
    }
    return XDP_PASS;
}

// The parser, as far as the frequent ways go.
// decap.rs:104
INLINE int parse_outer4_inner4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 54 > end)
        return AGAIN;
    return ingress_outer4_inner4(ctx, at, end, m);
}

// decap.rs:85
INLINE int parse_outer4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *outer4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_ihl(outer4) == 5 && ipv4_more_fragments(outer4) == 0 && ipv4_fragment_offset(outer4) == 0 && ipv4_protocol(outer4) == 4)
        return parse_outer4_inner4(ctx, at, end, m);
    return AGAIN;
}

// decap.rs:104
INLINE int parse_outer6_inner4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 74 > end)
        return AGAIN;
    return ingress_outer6_inner4(ctx, at, end, m);
}

// decap.rs:110
INLINE int parse_outer6_inner6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 94 > end)
        return AGAIN;
    return ingress_outer6_inner6(ctx, at, end, m);
}

// decap.rs:94
INLINE int parse_outer6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *outer6 = at + 14;
    if (at + 54 > end)
        return AGAIN;
    if (ipv6_next_header(outer6) == 4)
        return parse_outer6_inner4(ctx, at, end, m);
    if (ipv6_next_header(outer6) == 41)
        return parse_outer6_inner6(ctx, at, end, m);
    return AGAIN;
}

// decap.rs:75
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *eth = at;
    if (at + 14 > end)
        return AGAIN;
    if (ethernet_ethertype(eth) == 2048)
        return parse_outer4(ctx, at, end, m);
    if (ethernet_ethertype(eth) == 0x86dd)
        return parse_outer6(ctx, at, end, m);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h, struct meta *m)
{
    u32 frame_length = end - at;
    u8 inner = 0;
    u8 marked = 0;
    u8 inner_2 = 0;

    if (is_there(&h->outer4) && ipv4_protocol(h->outer4.p) == 4) {
        if (ipv4_version(h->outer4.p) != 4 || ipv4_ihl(h->outer4.p) != 5 || ipv4_more_fragments(h->outer4.p) == 1 || ipv4_fragment_offset(h->outer4.p) != 0 || (u32)ipv4_total_length(h->outer4.p) + 14 > frame_length) {
            return drop(DROP_OUTER_MALFORMED);
        }
        m->ecn = (u8)(ipv4_tos(h->outer4.p) & 0x3);
        { // decap.rs:126 table outer4
            u32 cell = 0;
            struct outer4_data *e = outer4_find(ipv4_src(h->outer4.p), &cell);
            if (e)
                count_packet(&outer4_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // allow
                    break;
                }
                default: {
                    return drop(DROP_NOT_ALLOWED);
                }
            }
        }
        h->outer4 = (struct place){.parsed = h->outer4.parsed};
    } else {
        if (is_there(&h->outer6) && (ipv6_next_header(h->outer6.p) == 4 || ipv6_next_header(h->outer6.p) == 41)) {
            if (ipv6_version(h->outer6.p) != 6 || (u32)ipv6_payload_length(h->outer6.p) + 54 > frame_length) {
                return drop(DROP_OUTER_MALFORMED);
            }
            m->ecn = (u8)(ipv6_traffic_class(h->outer6.p) & 0x3);
            { // decap.rs:136 table outer6
                u32 cell = 0;
                struct outer6_data *e = outer6_find(ipv6_src(h->outer6.p), &cell);
                if (e)
                    count_packet(&outer6_hits, cell, frame_length);
                switch (e ? e->action : 0) {
                    case 1: { // allow
                        break;
                    }
                    default: {
                        return drop(DROP_NOT_ALLOWED);
                    }
                }
            }
            h->outer6 = (struct place){.parsed = h->outer6.parsed};
        } else {
            return XDP_PASS;
        }
    }
    if (is_there(&h->inner4)) {
        { // decap.rs:146 table served4
            u32 cell = 0;
            struct served4_data *e = served4_find(0x100000000ull | (u64)ipv4_dst(h->inner4.p), &cell);
            if (e)
                count_packet(&served4_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // serve
                    break;
                }
                default: {
                    return drop(DROP_NOT_SERVED);
                }
            }
        }
        if (is_there(&h->eth))
            set_ethernet_ethertype(h->eth.p, 2048);
        inner = (u8)(ipv4_tos(h->inner4.p) & 0x3);
        if (m->ecn == 3 && inner == 0) {
            return drop(DROP_CONGESTION);
        }
        if (m->ecn == 3) {
            marked = ipv4_tos(h->inner4.p) | 3;
            set_ipv4_checksum(h->inner4.p, adjust(ipv4_checksum(h->inner4.p), ((u16)(ipv4_version(h->inner4.p) << 4 | ipv4_ihl(h->inner4.p)) << 8 | ipv4_tos(h->inner4.p)), ((u16)(ipv4_version(h->inner4.p) << 4 | ipv4_ihl(h->inner4.p)) << 8 | marked)));
            set_ipv4_tos(h->inner4.p, marked);
        }
    } else {
        if (is_there(&h->inner6)) {
            { // decap.rs:166 table served6
                u32 cell = 0;
                struct served6_data *e = served6_find((u64)ipv6_dst(h->inner6.p), (u64)(ipv6_dst(h->inner6.p) >> 64), 1ull, &cell);
                if (e)
                    count_packet(&served6_hits, cell, frame_length);
                switch (e ? e->action : 0) {
                    case 1: { // serve
                        break;
                    }
                    default: {
                        return drop(DROP_NOT_SERVED);
                    }
                }
            }
            if (is_there(&h->eth))
                set_ethernet_ethertype(h->eth.p, 0x86dd);
            inner_2 = (u8)(ipv6_traffic_class(h->inner6.p) & 0x3);
            if (m->ecn == 3 && inner_2 == 0) {
                return drop(DROP_CONGESTION);
            }
            if (m->ecn == 3) {
                set_ipv6_traffic_class(h->inner6.p, ipv6_traffic_class(h->inner6.p) | 3);
            }
        } else {
            return drop(DROP_INNER_CUT);
        }
    }
    {
        struct ethernet moved_eth = {};
        if (is_there(&h->eth))
            load_ethernet(&moved_eth, h->eth.p);
        struct ipv4 moved_outer4 = {};
        if (is_there(&h->outer4))
            load_ipv4(&moved_outer4, h->outer4.p);
        struct ipv6 moved_outer6 = {};
        if (is_there(&h->outer6))
            load_ipv6(&moved_outer6, h->outer6.p);
        if (xdp_adjust_head(ctx, -((is_there(&h->outer4) - h->outer4.parsed) * 20 + (is_there(&h->outer6) - h->outer6.parsed) * 40)))
            return XDP_ABORTED;
        at = packet_start(ctx);
        end = packet_end(ctx);
        if (is_there(&h->eth)) {
            if (at + 14 > end)
                return XDP_ABORTED;
            store_ethernet((void *)at, &moved_eth);
            at += 14;
        }
        if (is_there(&h->outer4)) {
            if (at + 20 > end)
                return XDP_ABORTED;
            store_ipv4((void *)at, &moved_outer4);
            at += 20;
        }
        if (is_there(&h->outer6)) {
            if (at + 40 > end)
                return XDP_ABORTED;
            store_ipv6((void *)at, &moved_outer6);
            at += 40;
        }
    }
    return XDP_PASS;
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
parse_start: // decap.rs:75
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_outer4;
    if (ethernet_ethertype(h->eth.p) == 0x86dd)
        goto parse_outer6;
    goto accept;
parse_outer4: // decap.rs:85
    if (at + 20 > end)
        goto accept;
    h->outer4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_ihl(h->outer4.p) == 5 && ipv4_more_fragments(h->outer4.p) == 0 && ipv4_fragment_offset(h->outer4.p) == 0 && ipv4_protocol(h->outer4.p) == 4)
        goto parse_inner4;
    goto accept;
parse_outer6: // decap.rs:94
    if (at + 40 > end)
        goto accept;
    h->outer6 = (struct place){(void *)at, 1, 1};
    at += 40;
    if (ipv6_next_header(h->outer6.p) == 4)
        goto parse_inner4;
    if (ipv6_next_header(h->outer6.p) == 41)
        goto parse_inner6;
    goto accept;
parse_inner4: // decap.rs:104
    if (at + 20 > end)
        goto accept;
    h->inner4 = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
parse_inner6: // decap.rs:110
    if (at + 40 > end)
        goto accept;
    h->inner6 = (struct place){(void *)at, 1, 1};
    at += 40;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
