// stateless: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/crc32.h"
#include "guideway/exact.h"
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

INLINE u64 ethernet_dst(const void *p) { return be48(p); }
INLINE void set_ethernet_dst(void *p, u64 x)
{
    put48(p, x);
}

INLINE u64 ethernet_src(const void *p) { return be48(p + 6); }
INLINE void set_ethernet_src(void *p, u64 x)
{
    put48(p + 6, x);
}

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
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
INLINE u16 ipv4_total_length(const void *p) { return be16(p + 2); }
INLINE u8 ipv4_more_fragments(const void *p) { return (*(const u8 *)(p + 6) >> 5) & 1; }
INLINE u16 ipv4_fragment_offset(const void *p) { return (be16(p + 6)) & 8191; }
INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
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
INLINE u16 ipv6_payload_length(const void *p) { return be16(p + 4); }
INLINE u8 ipv6_next_header(const void *p) { return *(const u8 *)(p + 6); }
INLINE u128 ipv6_src(const void *p) { return be128(p + 8); }
INLINE u128 ipv6_dst(const void *p) { return be128(p + 24); }
INLINE u16 l4_start_src_port(const void *p) { return be16(p); }
INLINE u16 l4_start_dst_port(const void *p) { return be16(p + 2); }
struct headers {
    struct place eth; // ethernet
    struct ipv4 outer4;
    struct ipv6 outer6;
    struct place ip4; // ipv4
    struct place ip6; // ipv6
    struct place l4; // l4_start
};

struct meta {
    u16 pool;
    u64 key;
};

enum {
    DROP_NO_POOL,
    DROP_NO_SLOT,
    DROP_NO_BACKEND,
    DROP_FAMILY,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 4);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

// pipeline.rs:59 table vip4
struct vip4_data {
    u8 action;
    u8 pad0[15];
};

struct vip4_set_vip {
    u8 action;
    u8 pad0[1];
    u16 pool;
    u32 fold;
    u64 hash_key;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 16384);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} vip4_hits SEC(".maps");

struct vip4_set {
    u64 keys[4][1];
    struct vip4_data data[4];
};

struct vip4_set vip4[4096] SEC(".data.vip4");

INLINE struct vip4_data *vip4_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 0, 4096);
    struct vip4_set *s = &vip4[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:61 table vip6
struct vip6_data {
    u8 action;
    u8 pad0[15];
};

struct vip6_set_vip {
    u8 action;
    u8 pad0[1];
    u16 pool;
    u32 fold;
    u64 hash_key;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 16384);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} vip6_hits SEC(".maps");

struct vip6_set {
    u64 keys[4][3];
    struct vip6_data data[4];
};

struct vip6_set vip6[4096] SEC(".data.vip6");

INLINE struct vip6_data *vip6_find(u64 word0, u64 word1, u64 word2, u32 *cell)
{
    u64 key[] = {word0, word1, word2};
    u32 set = exact_set(key, 3, 1, 4096);
    struct vip6_set *s = &vip6[set];
    u32 way = exact_way(&s->keys[0][0], key, 3);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:77 table backend
struct backend_data {
    u8 action;
    u8 pad0[55];
};

struct backend_ipip4 {
    u8 action;
    u8 pad0[3];
    u32 src;
    u64 dst_mac;
    u64 src_mac;
    u32 dst;
    u32 port;
    u8 pad1[24];
};

struct backend_ipip6 {
    u8 action;
    u8 pad0[3];
    u32 port;
    u64 src[2];
    u64 dst[2];
    u64 dst_mac;
    u64 src_mac;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 131072);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} backend_hits SEC(".maps");

struct backend_set {
    u64 keys[4][1];
    struct backend_data data[4];
};

struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(map_flags, MAP_MMAPABLE);
    MAP_NUMBER(max_entries, 32768);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct backend_set);
} backend SEC(".maps");

INLINE struct backend_data *backend_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 2, 32768);
    struct backend_set *s = map_lookup(&backend, &set);
    if (!s)
        return 0;
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:64 ring ring
u32 pool[64] SEC(".data.pool");

INLINE u32 *pool_at(u32 index)
{
    OPAQUE(index);
    return index < 64 ? &pool[index] : 0;
}

struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(map_flags, MAP_MMAPABLE);
    MAP_NUMBER(max_entries, 8388736);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u32);
} ring SEC(".maps");

INLINE u32 *ring_at(u32 index)
{
    return map_lookup(&ring, &index);
}

CRC32_TABLES(41);

// The control for packets whose way through the parser is start, ipv4, l4.
INLINE int ingress_ipv4_l4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct ipv4 outer4 = {};
    void *ip4 = (void *)(at + 14);
    void *l4 = (void *)(at + 34);
    u32 frame_length = end - at;
    u32 hash = 0;
    u32 id = 0;
    u32 folded = 0;

    { // pipeline.rs:118 table vip4
        u32 cell = 0;
        struct vip4_data *e = vip4_find(0x100000000000000ull | (u64)ipv4_dst(ip4) << 24 | (u64)ipv4_protocol(ip4) << 16 | (u64)l4_start_dst_port(l4), &cell);
        if (e)
            count_packet(&vip4_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // set_vip
                const struct vip4_set_vip *set_vip = (void *)e;
                folded = set_vip->fold;
                m->pool = set_vip->pool;
                m->key = set_vip->hash_key;
                break;
            }
            default: {
                return XDP_PASS;
            }
        }
    }
    // CRC-32 of 17 bytes: that of zeros, then what each byte adds
    hash = 0xc9eff1bd ^ folded; // with what the table's entry fixes
    hash ^= CRC32_32(9, ipv4_src(ip4));
    hash ^= CRC32_16(3, l4_start_src_port(l4));
    { // ring ring
        u32 pool_index = m->pool;
        u32 *generation = pool_at(pool_index);
        if (!generation || !*generation)
            return drop(DROP_NO_POOL);
        u32 slot = hash % 65537;
        u32 active = *generation;
        u32 index = (pool_index * 2 + (active & 1)) * 65537 + slot;
        u32 *e = ring_at(index);
        if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
            return drop(DROP_NO_SLOT);
        id = *e & 0xffffff;
    }
    { // pipeline.rs:140 table backend
        u32 cell = 0;
        struct backend_data *e = backend_find(0x1000000ull | (u64)id, &cell);
        if (e)
            count_packet(&backend_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // ipip4
                const struct backend_ipip4 *ipip4 = (void *)e;
                outer4.valid = 1;
                outer4.version = 4;
                outer4.ihl = 5;
                outer4.tos = ipv4_tos(ip4);
                outer4.total_length = (u16)(ipv4_total_length(ip4) + 20);
                outer4.identification = 0;
                outer4.reserved = 0;
                outer4.dont_fragment = 1;
                outer4.more_fragments = 0;
                outer4.fragment_offset = 0;
                outer4.ttl = 64;
                outer4.protocol = 4;
                outer4.src = ipip4->src;
                outer4.dst = ipip4->dst;
                {
                    u32 sum = 0;
                    sum += 0x4000 | 1280 | (u16)outer4.tos;
                    sum += outer4.total_length;
                    sum += 0;
                    sum += 0x4000;
                    sum += 0x4000 | 4;
                    sum += 0;
                    sum += (u16)(outer4.src >> 16);
                    sum += (u16)(outer4.src & 0xffff);
                    sum += (u16)(outer4.dst >> 16);
                    sum += (u16)(outer4.dst & 0xffff);
                    outer4.checksum = ~fold(sum);
                }
                struct ethernet moved_eth = {};
                load_ethernet(&moved_eth, eth);
                moved_eth.dst = ipip4->dst_mac;
                moved_eth.src = ipip4->src_mac;
                {
                    if (xdp_adjust_head(ctx, -20))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (at + 34 > end)
                        return XDP_ABORTED;
                    store_ethernet((void *)at, &moved_eth);
                    at += 14;
                    store_ipv4((void *)at, &outer4);
                    at += 20;
                }
                return forward(ctx, ipip4->port);
            }
            case 2: { // ipip6
                return drop(DROP_FAMILY);
            }
            default: {
                return drop(DROP_NO_BACKEND);
            }
        }
    }
}

// The control for packets whose way through the parser is start, ipv6, l4.
INLINE int ingress_ipv6_l4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct ipv6 outer6 = {};
    void *ip6 = (void *)(at + 14);
    void *l4 = (void *)(at + 54);
    u32 frame_length = end - at;
    u32 hash = 0;
    u32 id = 0;
    u32 folded = 0;

    { // pipeline.rs:126 table vip6
        u32 cell = 0;
        struct vip6_data *e = vip6_find((u64)ipv6_dst(ip6) << 24 | (u64)ipv6_next_header(ip6) << 16 | (u64)l4_start_dst_port(l4), (u64)(ipv6_dst(ip6) >> 40), 0x1000000ull | (u64)(ipv6_dst(ip6) >> 104), &cell);
        if (e)
            count_packet(&vip6_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // set_vip
                const struct vip6_set_vip *set_vip = (void *)e;
                folded = set_vip->fold;
                m->pool = set_vip->pool;
                m->key = set_vip->hash_key;
                break;
            }
            default: {
                return XDP_PASS;
            }
        }
    }
    // CRC-32 of 41 bytes: that of zeros, then what each byte adds
    hash = 0x6e8d80aa ^ folded; // with what the table's entry fixes
    hash ^= CRC32_128(21, ipv6_src(ip6));
    hash ^= CRC32_16(3, l4_start_src_port(l4));
    { // ring ring
        u32 pool_index = m->pool;
        u32 *generation = pool_at(pool_index);
        if (!generation || !*generation)
            return drop(DROP_NO_POOL);
        u32 slot = hash % 65537;
        u32 active = *generation;
        u32 index = (pool_index * 2 + (active & 1)) * 65537 + slot;
        u32 *e = ring_at(index);
        if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
            return drop(DROP_NO_SLOT);
        id = *e & 0xffffff;
    }
    { // pipeline.rs:140 table backend
        u32 cell = 0;
        struct backend_data *e = backend_find(0x1000000ull | (u64)id, &cell);
        if (e)
            count_packet(&backend_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // ipip4
                return drop(DROP_FAMILY);
            }
            case 2: { // ipip6
                const struct backend_ipip6 *ipip6 = (void *)e;
                outer6.valid = 1;
                outer6.version = 6;
                outer6.traffic_class = ipv6_traffic_class(ip6);
                outer6.flow_label = 0;
                outer6.payload_length = (u16)(ipv6_payload_length(ip6) + 40);
                outer6.next_header = 41;
                outer6.hop_limit = 64;
                outer6.src = wide(ipip6->src);
                outer6.dst = wide(ipip6->dst);
                struct ethernet moved_eth = {};
                load_ethernet(&moved_eth, eth);
                moved_eth.dst = ipip6->dst_mac;
                moved_eth.src = ipip6->src_mac;
                {
                    if (xdp_adjust_head(ctx, -40))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (at + 54 > end)
                        return XDP_ABORTED;
                    store_ethernet((void *)at, &moved_eth);
                    at += 14;
                    store_ipv6((void *)at, &outer6);
                    at += 40;
                }
                return forward(ctx, ipip6->port);
            }
            default: {
                return drop(DROP_NO_BACKEND);
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:108
INLINE int parse_ipv4_l4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 42 > end)
        return AGAIN;
    return ingress_ipv4_l4(ctx, at, end, m);
}

// pipeline.rs:90
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *ip4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_version(ip4) == 4 && ipv4_ihl(ip4) == 5 && ipv4_more_fragments(ip4) == 0 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 6)
        return parse_ipv4_l4(ctx, at, end, m);
    if (ipv4_version(ip4) == 4 && ipv4_ihl(ip4) == 5 && ipv4_more_fragments(ip4) == 0 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 17)
        return parse_ipv4_l4(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:108
INLINE int parse_ipv6_l4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 62 > end)
        return AGAIN;
    return ingress_ipv6_l4(ctx, at, end, m);
}

// pipeline.rs:99
INLINE int parse_ipv6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *ip6 = at + 14;
    if (at + 54 > end)
        return AGAIN;
    if (ipv6_version(ip6) == 6 && ipv6_next_header(ip6) == 6)
        return parse_ipv6_l4(ctx, at, end, m);
    if (ipv6_version(ip6) == 6 && ipv6_next_header(ip6) == 17)
        return parse_ipv6_l4(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:80
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *eth = at;
    if (at + 14 > end)
        return AGAIN;
    if (ethernet_ethertype(eth) == 2048)
        return parse_ipv4(ctx, at, end, m);
    if (ethernet_ethertype(eth) == 0x86dd)
        return parse_ipv6(ctx, at, end, m);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h, struct meta *m)
{
    u32 frame_length = end - at;
    u32 hash = 0;
    u32 id = 0;
    u32 folded = 0;

    if (!is_there(&h->l4)) {
        return XDP_PASS;
    }
    if (is_there(&h->ip4)) {
        { // pipeline.rs:118 table vip4
            u32 cell = 0;
            struct vip4_data *e = vip4_find(0x100000000000000ull | (u64)ipv4_dst(h->ip4.p) << 24 | (u64)ipv4_protocol(h->ip4.p) << 16 | (u64)l4_start_dst_port(h->l4.p), &cell);
            if (e)
                count_packet(&vip4_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip4_set_vip *set_vip = (void *)e;
                    folded = set_vip->fold;
                    m->pool = set_vip->pool;
                    m->key = set_vip->hash_key;
                    break;
                }
                default: {
                    return XDP_PASS;
                }
            }
        }
    } else {
        { // pipeline.rs:126 table vip6
            u32 cell = 0;
            struct vip6_data *e = vip6_find((u64)(is_there(&h->ip6) ? ipv6_dst(h->ip6.p) : 0) << 24 | (u64)(is_there(&h->ip6) ? ipv6_next_header(h->ip6.p) : 0) << 16 | (u64)l4_start_dst_port(h->l4.p), (u64)((is_there(&h->ip6) ? ipv6_dst(h->ip6.p) : 0) >> 40), 0x1000000ull | (u64)((is_there(&h->ip6) ? ipv6_dst(h->ip6.p) : 0) >> 104), &cell);
            if (e)
                count_packet(&vip6_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip6_set_vip *set_vip = (void *)e;
                    folded = set_vip->fold;
                    m->pool = set_vip->pool;
                    m->key = set_vip->hash_key;
                    break;
                }
                default: {
                    return XDP_PASS;
                }
            }
        }
    }
    if (is_there(&h->ip4)) {
        // CRC-32 of 17 bytes: that of zeros, then what each byte adds
        hash = 0xc9eff1bd ^ folded; // with what the table's entry fixes
        hash ^= CRC32_32(9, ipv4_src(h->ip4.p));
        hash ^= CRC32_16(3, l4_start_src_port(h->l4.p));
    } else {
        // CRC-32 of 41 bytes: that of zeros, then what each byte adds
        hash = 0x6e8d80aa ^ folded; // with what the table's entry fixes
        hash ^= CRC32_128(21, (is_there(&h->ip6) ? ipv6_src(h->ip6.p) : 0));
        hash ^= CRC32_16(3, l4_start_src_port(h->l4.p));
    }
    { // ring ring
        u32 pool_index = m->pool;
        u32 *generation = pool_at(pool_index);
        if (!generation || !*generation)
            return drop(DROP_NO_POOL);
        u32 slot = hash % 65537;
        u32 active = *generation;
        u32 index = (pool_index * 2 + (active & 1)) * 65537 + slot;
        u32 *e = ring_at(index);
        if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
            return drop(DROP_NO_SLOT);
        id = *e & 0xffffff;
    }
    { // pipeline.rs:140 table backend
        u32 cell = 0;
        struct backend_data *e = backend_find(0x1000000ull | (u64)id, &cell);
        if (e)
            count_packet(&backend_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // ipip4
                const struct backend_ipip4 *ipip4 = (void *)e;
                if (is_there(&h->ip6)) {
                    return drop(DROP_FAMILY);
                }
                h->outer4.valid = 1;
                h->outer4.version = 4;
                h->outer4.ihl = 5;
                h->outer4.tos = (is_there(&h->ip4) ? ipv4_tos(h->ip4.p) : 0);
                h->outer4.total_length = (u16)((is_there(&h->ip4) ? ipv4_total_length(h->ip4.p) : 0) + 20);
                h->outer4.identification = 0;
                h->outer4.reserved = 0;
                h->outer4.dont_fragment = 1;
                h->outer4.more_fragments = 0;
                h->outer4.fragment_offset = 0;
                h->outer4.ttl = 64;
                h->outer4.protocol = 4;
                h->outer4.checksum = 0;
                h->outer4.src = ipip4->src;
                h->outer4.dst = ipip4->dst;
                {
                    u32 sum = 0;
                    sum += (u16)h->outer4.version << 12 | (u16)h->outer4.ihl << 8 | (u16)h->outer4.tos;
                    sum += h->outer4.total_length;
                    sum += h->outer4.identification;
                    sum += (u16)h->outer4.reserved << 15 | (u16)h->outer4.dont_fragment << 14 | (u16)h->outer4.more_fragments << 13 | h->outer4.fragment_offset;
                    sum += (u16)h->outer4.ttl << 8 | (u16)h->outer4.protocol;
                    sum += h->outer4.checksum;
                    sum += (u16)(h->outer4.src >> 16);
                    sum += (u16)(h->outer4.src & 0xffff);
                    sum += (u16)(h->outer4.dst >> 16);
                    sum += (u16)(h->outer4.dst & 0xffff);
                    h->outer4.checksum = ~fold(sum);
                }
                if (is_there(&h->eth))
                    set_ethernet_dst(h->eth.p, ipip4->dst_mac);
                if (is_there(&h->eth))
                    set_ethernet_src(h->eth.p, ipip4->src_mac);
                {
                    struct ethernet moved_eth = {};
                    if (is_there(&h->eth))
                        load_ethernet(&moved_eth, h->eth.p);
                    if (xdp_adjust_head(ctx, -20))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (is_there(&h->eth)) {
                        if (at + 14 > end)
                            return XDP_ABORTED;
                        store_ethernet((void *)at, &moved_eth);
                        at += 14;
                    }
                    if (at + 20 > end)
                        return XDP_ABORTED;
                    store_ipv4((void *)at, &h->outer4);
                    at += 20;
                }
                return forward(ctx, ipip4->port);
            }
            case 2: { // ipip6
                const struct backend_ipip6 *ipip6 = (void *)e;
                if (is_there(&h->ip4)) {
                    return drop(DROP_FAMILY);
                }
                h->outer6.valid = 1;
                h->outer6.version = 6;
                h->outer6.traffic_class = (is_there(&h->ip6) ? ipv6_traffic_class(h->ip6.p) : 0);
                h->outer6.flow_label = 0;
                h->outer6.payload_length = (u16)((is_there(&h->ip6) ? ipv6_payload_length(h->ip6.p) : 0) + 40);
                h->outer6.next_header = 41;
                h->outer6.hop_limit = 64;
                h->outer6.src = wide(ipip6->src);
                h->outer6.dst = wide(ipip6->dst);
                if (is_there(&h->eth))
                    set_ethernet_dst(h->eth.p, ipip6->dst_mac);
                if (is_there(&h->eth))
                    set_ethernet_src(h->eth.p, ipip6->src_mac);
                {
                    struct ethernet moved_eth = {};
                    if (is_there(&h->eth))
                        load_ethernet(&moved_eth, h->eth.p);
                    if (xdp_adjust_head(ctx, -40))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (is_there(&h->eth)) {
                        if (at + 14 > end)
                            return XDP_ABORTED;
                        store_ethernet((void *)at, &moved_eth);
                        at += 14;
                    }
                    if (at + 40 > end)
                        return XDP_ABORTED;
                    store_ipv6((void *)at, &h->outer6);
                    at += 40;
                }
                return forward(ctx, ipip6->port);
            }
            default: {
                return drop(DROP_NO_BACKEND);
            }
        }
    }
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
parse_start: // pipeline.rs:80
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    if (ethernet_ethertype(h->eth.p) == 0x86dd)
        goto parse_ipv6;
    goto accept;
parse_ipv4: // pipeline.rs:90
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_version(h->ip4.p) == 4 && ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 6)
        goto parse_l4;
    if (ipv4_version(h->ip4.p) == 4 && ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 17)
        goto parse_l4;
    goto accept;
parse_ipv6: // pipeline.rs:99
    if (at + 40 > end)
        goto accept;
    h->ip6 = (struct place){(void *)at, 1, 1};
    at += 40;
    if (ipv6_version(h->ip6.p) == 6 && ipv6_next_header(h->ip6.p) == 6)
        goto parse_l4;
    if (ipv6_version(h->ip6.p) == 6 && ipv6_next_header(h->ip6.p) == 17)
        goto parse_l4;
    goto accept;
parse_l4: // pipeline.rs:108
    if (at + 8 > end)
        goto accept;
    h->l4 = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
