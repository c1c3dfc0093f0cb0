// l4lb: made by Guideway from l4lb.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/crc32.h"
#include "guideway/exact.h"
#include "guideway/flow.h"
#include "guideway/flow_narrow.h"
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
INLINE u8 ipv4_dont_fragment(const void *p) { return (*(const u8 *)(p + 6) >> 6) & 1; }
INLINE u8 ipv4_more_fragments(const void *p) { return (*(const u8 *)(p + 6) >> 5) & 1; }
INLINE u16 ipv4_fragment_offset(const void *p) { return (be16(p + 6)) & 8191; }
INLINE u8 ipv4_ttl(const void *p) { return *(const u8 *)(p + 8); }
INLINE void set_ipv4_ttl(void *p, u8 x)
{
    *(u8 *)(p + 8) = x;
}

INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
INLINE u16 ipv4_checksum(const void *p) { return be16(p + 10); }
INLINE void set_ipv4_checksum(void *p, u16 x)
{
    put16(p + 10, x);
}

INLINE u32 ipv4_src(const void *p) { return be32(p + 12); }
INLINE void set_ipv4_src(void *p, u32 x)
{
    put32(p + 12, x);
}

INLINE u32 ipv4_dst(const void *p) { return be32(p + 16); }
INLINE void set_ipv4_dst(void *p, u32 x)
{
    put32(p + 16, x);
}

INLINE u8 icmp_kind(const void *p) { return *(const u8 *)p; }
INLINE void set_icmp_kind(void *p, u8 x)
{
    *(u8 *)(p) = x;
}

INLINE u8 icmp_code(const void *p) { return *(const u8 *)(p + 1); }
INLINE u16 icmp_checksum(const void *p) { return be16(p + 2); }
INLINE void set_icmp_checksum(void *p, u16 x)
{
    put16(p + 2, x);
}

INLINE u16 l4_start_src_port(const void *p) { return be16(p); }
INLINE u16 l4_start_dst_port(const void *p) { return be16(p + 2); }
INLINE u16 tcp_src_port(const void *p) { return be16(p); }
INLINE u16 tcp_dst_port(const void *p) { return be16(p + 2); }
INLINE u8 tcp_data_offset(const void *p) { return *(const u8 *)(p + 12) >> 4; }
INLINE u8 tcp_flags(const void *p) { return *(const u8 *)(p + 13); }
INLINE u16 udp_src_port(const void *p) { return be16(p); }
INLINE u16 udp_dst_port(const void *p) { return be16(p + 2); }
struct headers {
    struct place eth; // ethernet
    struct ipv4 outer4;
    struct place ip4; // ipv4
    struct place icmp; // icmp
    struct place quoted4; // ipv4
    struct place quoted; // l4_start
    struct place tcp; // tcp
    struct place udp; // udp
};

struct meta {
    u8 protocol;
    u16 client_port;
    u16 vip_port;
    u32 client4;
    u16 vip;
    u16 pool;
    u64 hash_key;
    u8 flags;
    u8 class;
    u8 is_error;
    u8 found;
    u8 left_out;
};

enum {
    DROP_ETHERNET_CUT,
    DROP_IP_CUT,
    DROP_VERSION,
    DROP_HEADER_LENGTH,
    DROP_TOTAL_LENGTH,
    DROP_OPTIONS,
    DROP_FRAGMENT,
    DROP_L4_CUT,
    DROP_DATA_OFFSET,
    DROP_ICMP_QUOTE,
    DROP_NO_POOL,
    DROP_NO_SLOT,
    DROP_NO_BACKEND,
    DROP_MTU,
    FLOWS4_STORED,
    FLOWS4_NOT_STORED,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 16);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

// l4lb.rs:111 table vip4
struct vip4_data {
    u8 action;
    u8 pad0[23];
};

struct vip4_set_vip {
    u8 action;
    u8 flags;
    u16 vip;
    u16 pool;
    u8 class;
    u8 pad0[1];
    u64 hash_key;
    u32 fold;
    u8 pad1[4];
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

// l4lb.rs:114 table vip4_any
struct vip4_any_data {
    u8 action;
    u8 pad0[23];
};

struct vip4_any_set_vip {
    u8 action;
    u8 flags;
    u16 vip;
    u16 pool;
    u8 class;
    u8 pad0[1];
    u64 hash_key;
    u32 fold;
    u8 pad1[4];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 16384);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} vip4_any_hits SEC(".maps");

struct vip4_any_set {
    u64 keys[4][1];
    struct vip4_any_data data[4];
};

struct vip4_any_set vip4_any[4096] SEC(".data.vip4_any");

INLINE struct vip4_any_data *vip4_any_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 1, 4096);
    struct vip4_any_set *s = &vip4_any[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// l4lb.rs:162 table backend
struct backend_data {
    u32 key;
    u8 action;
    u8 pad0[35];
};

struct backend_ipip4 {
    u32 key;
    u8 action;
    u8 pad0[1];
    u16 mtu;
    u64 dst_mac;
    u64 src_mac;
    u32 src;
    u32 spread;
    u32 dst;
    u32 port;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 16384);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} backend_hits SEC(".maps");

struct backend_data backend[16384] SEC(".data.backend");

INLINE struct backend_data *backend_find(u32 key, u32 *cell)
{
    OPAQUE(key);
    *cell = key & 0x3fff;
    struct backend_data *e = &backend[*cell];
    return e->key == key && e->action ? e : 0;
}

// l4lb.rs:148 ring ring
u32 pool[64] SEC(".data.pool");

INLINE u32 *pool_at(u32 index)
{
    OPAQUE(index);
    return index < 64 ? &pool[index] : 0;
}

struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(map_flags, MAP_MMAPABLE);
    MAP_NUMBER(max_entries, 8388608);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u32);
} ring SEC(".maps");

INLINE u32 *ring_at(u32 index)
{
    return map_lookup(&ring, &index);
}

// l4lb.rs:138 flow table flows4: 16384 buckets of 4 ways
struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(map_flags, MAP_MMAPABLE);
    MAP_NUMBER(max_entries, 16384);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct flow_narrow);
} flows4 SEC(".maps");

// The age in ticks at which an entry expires, by state and class. A free way always has.
const volatile u32 flows4_ages[32] SEC(".rodata") = {
    [FLOW_NEW * 4] = 449, 449, 151, 151,
    [FLOW_TCP * 4] = 4472, 53646, 896, 896,
    [FLOW_UDP * 4] = 896, 896, 151, 151,
    [FLOW_CLOSING * 4] = 896, 896, 151, 151,
};

CRC32_TABLES(17);

// The control for packets whose way through the parser is start, ipv4, tcp.
INLINE int ingress_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct ipv4 outer4 = {};
    void *ip4 = (void *)(at + 14);
    void *tcp = (void *)(at + 34);
    u32 frame_length = end - at;
    u8 too_short = 0;
    u8 l4_cut = 0;
    u8 by_address = 0;
    u32 hash = 0;
    u8 event = 0;
    u32 entropy = 0;
    u32 backend_2 = 0;
    u32 folded = 0;
    struct flow flow = {};

    too_short = ipv4_total_length(ip4) < 20 || (u32)ipv4_total_length(ip4) + 14 > frame_length;
    l4_cut = ipv4_total_length(ip4) < 40;
    by_address = too_short || l4_cut || tcp_data_offset(tcp) < 5;
    m->client_port = tcp_src_port(tcp);
    m->vip_port = tcp_dst_port(tcp);
    m->protocol = 6;
    m->client4 = ipv4_src(ip4);
    if (by_address) {
        m->protocol = 1;
    } else {
        { // l4lb.rs:306 table vip4
            u32 cell = 0;
            struct vip4_data *e = vip4_find(0x100000000000000ull | (u64)ipv4_dst(ip4) << 24 | (u64)6 << 16 | (u64)m->vip_port, &cell);
            if (e)
                count_packet(&vip4_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip4_set_vip *set_vip = (void *)e;
                    folded = set_vip->fold;
                    m->found = 1;
                    m->vip = set_vip->vip;
                    m->pool = set_vip->pool;
                    m->hash_key = set_vip->hash_key;
                    m->flags = set_vip->flags;
                    m->class = set_vip->class;
                    break;
                }
                default: {
                    break;
                }
            }
        }
    }
    if (!m->found) {
        { // l4lb.rs:312 table vip4_any
            u32 cell = 0;
            struct vip4_any_data *e = vip4_any_find(0x10000000000ull | (u64)ipv4_dst(ip4) << 8 | (u64)m->protocol, &cell);
            if (e)
                count_packet(&vip4_any_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip4_any_set_vip *set_vip = (void *)e;
                    folded = set_vip->fold;
                    m->vip = set_vip->vip;
                    m->pool = set_vip->pool;
                    m->hash_key = set_vip->hash_key;
                    m->flags = set_vip->flags;
                    m->class = set_vip->class;
                    break;
                }
                default: {
                    return XDP_PASS;
                }
            }
        }
    }
    if (by_address) {
        if (too_short) {
            return drop(DROP_TOTAL_LENGTH);
        }
        if (l4_cut) {
            return drop(DROP_L4_CUT);
        }
        return drop(DROP_DATA_OFFSET);
    }
    // CRC-32 of 17 bytes: that of zeros, then what each byte adds
    hash = 0xc9eff1bd ^ folded; // with what the table's entry fixes
    hash ^= CRC32_32(9, m->client4);
    hash ^= CRC32_16(3, m->client_port);
    hash ^= CRC32_16(1, m->vip_port);
    event = (tcp_flags(tcp) & 23) == 2 ? 1 : (tcp_flags(tcp) & 5) != 0 ? 4 : 2;
    if ((m->flags & 1) == 0) {
        flow = (struct flow){
            .key = {((u64)m->client4 << 16 | m->client_port) << 16 | m->vip},
            .hash = hash,
            .table = 1,
        };
        flow_narrow_find(&flow, &flows4, 16384, flows4_ages, m->vip_port, event, m->class > 2 ? 2 : m->class);
    }
    entropy = (u32)(u16)(hash >> 16);
    { // l4lb.rs:465 the flow's entry in backend, or a new one
        u32 cell = 0;
        struct backend_data *e = 0;
        if (flow.hit) {
            backend_2 = flow.id;
            e = backend_find(backend_2, &cell);
            flow.hit = e != 0;
        }
        if (!flow.hit) {
            { // ring ring
                u32 pool_index = m->pool;
                u32 *generation = pool_at(pool_index);
                if (!generation || !*generation)
                    return drop(DROP_NO_POOL);
                u32 slot = hash & 0xffff;
                u32 active = *generation;
                u32 index = (pool_index * 2 + (active & 1)) * 65536 + slot;
                u32 *e = ring_at(index);
                if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
                    return drop(DROP_NO_SLOT);
                backend_2 = *e & 0xffffff;
            }
            e = backend_find(backend_2, &cell);
        }
        if (e)
            count_packet(&backend_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // ipip4
                const struct backend_ipip4 *ipip4 = (void *)e;
                if ((u32)ipv4_total_length(ip4) + 20 > (u32)ipip4->mtu) {
                    if ((m->flags & 4) == 0 || ipv4_dont_fragment(ip4) == 0) {
                        return drop(DROP_MTU);
                    }
                    return drop(DROP_MTU);
                }
                if (flow.hit)
                    flow_refresh(&flow);
                else if (flow.fresh)
                    count_event(&events, flow_narrow_store(&flow, &flows4, 16384, backend_2, flows4_ages) ? FLOWS4_STORED : FLOWS4_NOT_STORED);
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
                outer4.src = ipip4->src | (entropy & ipip4->spread);
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
            default: {
                return drop(DROP_NO_BACKEND);
            }
        }
    }
}

// The control for packets whose way through the parser is start, ipv4, udp.
INLINE int ingress_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct ipv4 outer4 = {};
    void *ip4 = (void *)(at + 14);
    void *udp = (void *)(at + 34);
    u32 frame_length = end - at;
    u8 too_short = 0;
    u8 l4_cut = 0;
    u8 by_address = 0;
    u32 hash = 0;
    u32 entropy = 0;
    u32 backend_2 = 0;
    u32 folded = 0;
    struct flow flow = {};

    too_short = ipv4_total_length(ip4) < 20 || (u32)ipv4_total_length(ip4) + 14 > frame_length;
    l4_cut = ipv4_total_length(ip4) < 28;
    by_address = too_short || l4_cut;
    m->client_port = udp_src_port(udp);
    m->vip_port = udp_dst_port(udp);
    m->protocol = 17;
    m->client4 = ipv4_src(ip4);
    if (by_address) {
        m->protocol = 1;
    } else {
        { // l4lb.rs:306 table vip4
            u32 cell = 0;
            struct vip4_data *e = vip4_find(0x100000000000000ull | (u64)ipv4_dst(ip4) << 24 | (u64)17 << 16 | (u64)m->vip_port, &cell);
            if (e)
                count_packet(&vip4_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip4_set_vip *set_vip = (void *)e;
                    folded = set_vip->fold;
                    m->found = 1;
                    m->vip = set_vip->vip;
                    m->pool = set_vip->pool;
                    m->hash_key = set_vip->hash_key;
                    m->flags = set_vip->flags;
                    m->class = set_vip->class;
                    break;
                }
                default: {
                    break;
                }
            }
        }
    }
    if (!m->found) {
        { // l4lb.rs:312 table vip4_any
            u32 cell = 0;
            struct vip4_any_data *e = vip4_any_find(0x10000000000ull | (u64)ipv4_dst(ip4) << 8 | (u64)m->protocol, &cell);
            if (e)
                count_packet(&vip4_any_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip4_any_set_vip *set_vip = (void *)e;
                    folded = set_vip->fold;
                    m->vip = set_vip->vip;
                    m->pool = set_vip->pool;
                    m->hash_key = set_vip->hash_key;
                    m->flags = set_vip->flags;
                    m->class = set_vip->class;
                    break;
                }
                default: {
                    return XDP_PASS;
                }
            }
        }
    }
    if (by_address) {
        if (too_short) {
            return drop(DROP_TOTAL_LENGTH);
        }
        if (l4_cut) {
            return drop(DROP_L4_CUT);
        }
        return XDP_PASS;
    }
    // CRC-32 of 17 bytes: that of zeros, then what each byte adds
    hash = 0xc9eff1bd ^ folded; // with what the table's entry fixes
    hash ^= CRC32_32(9, m->client4);
    hash ^= CRC32_16(3, m->client_port);
    hash ^= CRC32_16(1, m->vip_port);
    if ((m->flags & 1) == 0) {
        flow = (struct flow){
            .key = {((u64)m->client4 << 16 | m->client_port) << 16 | m->vip},
            .hash = hash,
            .table = 1,
        };
        flow_narrow_find(&flow, &flows4, 16384, flows4_ages, m->vip_port, 3, m->class > 2 ? 2 : m->class);
    }
    entropy = (u32)(u16)(hash >> 16);
    { // l4lb.rs:465 the flow's entry in backend, or a new one
        u32 cell = 0;
        struct backend_data *e = 0;
        if (flow.hit) {
            backend_2 = flow.id;
            e = backend_find(backend_2, &cell);
            flow.hit = e != 0;
        }
        if (!flow.hit) {
            { // ring ring
                u32 pool_index = m->pool;
                u32 *generation = pool_at(pool_index);
                if (!generation || !*generation)
                    return drop(DROP_NO_POOL);
                u32 slot = hash & 0xffff;
                u32 active = *generation;
                u32 index = (pool_index * 2 + (active & 1)) * 65536 + slot;
                u32 *e = ring_at(index);
                if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
                    return drop(DROP_NO_SLOT);
                backend_2 = *e & 0xffffff;
            }
            e = backend_find(backend_2, &cell);
        }
        if (e)
            count_packet(&backend_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // ipip4
                const struct backend_ipip4 *ipip4 = (void *)e;
                if ((u32)ipv4_total_length(ip4) + 20 > (u32)ipip4->mtu) {
                    if ((m->flags & 4) == 0 || ipv4_dont_fragment(ip4) == 0) {
                        return drop(DROP_MTU);
                    }
                    return drop(DROP_MTU);
                }
                if (flow.hit)
                    flow_refresh(&flow);
                else if (flow.fresh)
                    count_event(&events, flow_narrow_store(&flow, &flows4, 16384, backend_2, flows4_ages) ? FLOWS4_STORED : FLOWS4_NOT_STORED);
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
                outer4.src = ipip4->src | (entropy & ipip4->spread);
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
            default: {
                return drop(DROP_NO_BACKEND);
            }
        }
    }
}

// The control for packets whose way through the parser is start, ipv6.
INLINE int ingress_ipv6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{

    return XDP_PASS;
}

// The parser, as far as the frequent ways go.
// l4lb.rs:249
INLINE int parse_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 54 > end)
        return AGAIN;
    return ingress_ipv4_tcp(ctx, at, end, m);
}

// l4lb.rs:255
INLINE int parse_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 42 > end)
        return AGAIN;
    return ingress_ipv4_udp(ctx, at, end, m);
}

// l4lb.rs:179
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *ip4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_version(ip4) == 4 && ipv4_ihl(ip4) == 5 && ipv4_more_fragments(ip4) == 0 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 6)
        return parse_ipv4_tcp(ctx, at, end, m);
    if (ipv4_version(ip4) == 4 && ipv4_ihl(ip4) == 5 && ipv4_more_fragments(ip4) == 0 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 17)
        return parse_ipv4_udp(ctx, at, end, m);
    return AGAIN;
}

// l4lb.rs:190
INLINE int parse_ipv6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    m->left_out = 1;
    return ingress_ipv6(ctx, at, end, m);
}

// l4lb.rs:169
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
    u8 too_short = 0;
    u8 fragment = 0;
    u8 l4_cut = 0;
    u8 bad_quote = 0;
    u8 by_address = 0;
    u32 client = 0;
    u64 sender = 0;
    u32 hash = 0;
    u8 event = 0;
    u32 entropy = 0;
    u32 backend_2 = 0;
    u32 folded = 0;
    struct flow flow = {};

    if (m->left_out) {
        return XDP_PASS;
    }
    if (!is_there(&h->eth)) {
        return drop(DROP_ETHERNET_CUT);
    }
    if (is_there(&h->ip4)) {
        too_short = ipv4_total_length(h->ip4.p) < (u16)((u32)(u16)ipv4_ihl(h->ip4.p) << 2) || (u32)ipv4_total_length(h->ip4.p) + 14 > frame_length;
        fragment = ipv4_more_fragments(h->ip4.p) == 1 || ipv4_fragment_offset(h->ip4.p) != 0;
        l4_cut = (ipv4_protocol(h->ip4.p) == 6 && ipv4_total_length(h->ip4.p) < 40) || ((ipv4_protocol(h->ip4.p) == 17 || ipv4_protocol(h->ip4.p) == 1) && ipv4_total_length(h->ip4.p) < 28);
        m->is_error = is_there(&h->icmp) && (icmp_kind(h->icmp.p) == 3 || icmp_kind(h->icmp.p) == 11 || icmp_kind(h->icmp.p) == 12);
        bad_quote = m->is_error && (!is_there(&h->quoted) || ipv4_total_length(h->ip4.p) < 56 || (is_there(&h->quoted4) ? ipv4_src(h->quoted4.p) : 0) != ipv4_dst(h->ip4.p));
        by_address = ipv4_version(h->ip4.p) != 4 || ipv4_ihl(h->ip4.p) != 5 || too_short || fragment || l4_cut || (is_there(&h->tcp) && tcp_data_offset(h->tcp.p) < 5) || bad_quote || (is_there(&h->icmp) && !m->is_error);
        if (is_there(&h->tcp)) {
            m->client_port = tcp_src_port(h->tcp.p);
            m->vip_port = tcp_dst_port(h->tcp.p);
        } else {
            if (is_there(&h->udp)) {
                m->client_port = udp_src_port(h->udp.p);
                m->vip_port = udp_dst_port(h->udp.p);
            } else {
                if (is_there(&h->quoted)) {
                    m->client_port = l4_start_dst_port(h->quoted.p);
                    m->vip_port = l4_start_src_port(h->quoted.p);
                }
            }
        }
        m->protocol = ipv4_protocol(h->ip4.p);
        m->client4 = ipv4_src(h->ip4.p);
        if (m->is_error) {
            m->protocol = (is_there(&h->quoted4) ? ipv4_protocol(h->quoted4.p) : 0);
            m->client4 = (is_there(&h->quoted4) ? ipv4_dst(h->quoted4.p) : 0);
        }
        if (by_address) {
            m->protocol = 1;
        } else {
            { // l4lb.rs:306 table vip4
                u32 cell = 0;
                struct vip4_data *e = vip4_find(0x100000000000000ull | (u64)ipv4_dst(h->ip4.p) << 24 | (u64)m->protocol << 16 | (u64)m->vip_port, &cell);
                if (e)
                    count_packet(&vip4_hits, cell, frame_length);
                switch (e ? e->action : 0) {
                    case 1: { // set_vip
                        const struct vip4_set_vip *set_vip = (void *)e;
                        folded = set_vip->fold;
                        m->found = 1;
                        m->vip = set_vip->vip;
                        m->pool = set_vip->pool;
                        m->hash_key = set_vip->hash_key;
                        m->flags = set_vip->flags;
                        m->class = set_vip->class;
                        break;
                    }
                    default: {
                        break;
                    }
                }
            }
        }
        if (!m->found) {
            { // l4lb.rs:312 table vip4_any
                u32 cell = 0;
                struct vip4_any_data *e = vip4_any_find(0x10000000000ull | (u64)ipv4_dst(h->ip4.p) << 8 | (u64)m->protocol, &cell);
                if (e)
                    count_packet(&vip4_any_hits, cell, frame_length);
                switch (e ? e->action : 0) {
                    case 1: { // set_vip
                        const struct vip4_any_set_vip *set_vip = (void *)e;
                        folded = set_vip->fold;
                        m->found = 1;
                        m->vip = set_vip->vip;
                        m->pool = set_vip->pool;
                        m->hash_key = set_vip->hash_key;
                        m->flags = set_vip->flags;
                        m->class = set_vip->class;
                        break;
                    }
                    default: {
                        return XDP_PASS;
                    }
                }
            }
        }
        if (by_address) {
            if (ipv4_version(h->ip4.p) != 4) {
                return drop(DROP_VERSION);
            }
            if (ipv4_ihl(h->ip4.p) < 5) {
                return drop(DROP_HEADER_LENGTH);
            }
            if (too_short) {
                return drop(DROP_TOTAL_LENGTH);
            }
            if (ipv4_ihl(h->ip4.p) != 5) {
                return drop(DROP_OPTIONS);
            }
            if (fragment) {
                return drop(DROP_FRAGMENT);
            }
            if (l4_cut) {
                return drop(DROP_L4_CUT);
            }
            if (is_there(&h->tcp)) {
                return drop(DROP_DATA_OFFSET);
            }
            if (m->is_error) {
                return drop(DROP_ICMP_QUOTE);
            }
            if ((m->flags & 2) == 0 || (is_there(&h->icmp) ? icmp_kind(h->icmp.p) : 0) != 8 || (u8)((ethernet_dst(h->eth.p) >> 40) & 0x1) == 1) {
                return XDP_PASS;
            }
            set_ipv4_checksum(h->ip4.p, adjust(ipv4_checksum(h->ip4.p), ((u16)ipv4_ttl(h->ip4.p) << 8 | ipv4_protocol(h->ip4.p)), (64 << 8 | ipv4_protocol(h->ip4.p))));
            set_ipv4_ttl(h->ip4.p, 64);
            client = ipv4_src(h->ip4.p);
            set_ipv4_src(h->ip4.p, ipv4_dst(h->ip4.p));
            set_ipv4_dst(h->ip4.p, client);
            if (is_there(&h->icmp))
                set_icmp_checksum(h->icmp.p, adjust((is_there(&h->icmp) ? icmp_checksum(h->icmp.p) : 0), (8 << 8 | (is_there(&h->icmp) ? icmp_code(h->icmp.p) : 0)), (0 << 8 | (is_there(&h->icmp) ? icmp_code(h->icmp.p) : 0))));
            if (is_there(&h->icmp))
                set_icmp_kind(h->icmp.p, 0);
            sender = ethernet_src(h->eth.p);
            set_ethernet_src(h->eth.p, ethernet_dst(h->eth.p));
            set_ethernet_dst(h->eth.p, sender);
            return forward(ctx, ingress_port(ctx));
        }
    } else {
        if (ethernet_ethertype(h->eth.p) == 2048) {
            return drop(DROP_IP_CUT);
        } else {
            return XDP_PASS;
        }
    }
    // CRC-32 of 17 bytes: that of zeros, then what each byte adds
    hash = 0xc9eff1bd ^ folded; // with what the table's entry fixes
    hash ^= CRC32_32(9, m->client4);
    hash ^= CRC32_16(3, m->client_port);
    hash ^= CRC32_16(1, m->vip_port);
    event = m->is_error ? 0 : !is_there(&h->tcp) ? 3 : ((is_there(&h->tcp) ? tcp_flags(h->tcp.p) : 0) & 23) == 2 ? 1 : ((is_there(&h->tcp) ? tcp_flags(h->tcp.p) : 0) & 5) != 0 ? 4 : 2;
    if ((m->flags & 1) == 0) {
        flow = (struct flow){
            .key = {((u64)m->client4 << 16 | m->client_port) << 16 | m->vip},
            .hash = hash,
            .table = 1,
        };
        flow_narrow_find(&flow, &flows4, 16384, flows4_ages, m->vip_port, event, m->class > 2 ? 2 : m->class);
    }
    entropy = (u32)(u16)(hash >> 16);
    { // l4lb.rs:465 the flow's entry in backend, or a new one
        u32 cell = 0;
        struct backend_data *e = 0;
        if (flow.hit) {
            backend_2 = flow.id;
            e = backend_find(backend_2, &cell);
            flow.hit = e != 0;
        }
        if (!flow.hit) {
            { // ring ring
                u32 pool_index = m->pool;
                u32 *generation = pool_at(pool_index);
                if (!generation || !*generation)
                    return drop(DROP_NO_POOL);
                u32 slot = hash & 0xffff;
                u32 active = *generation;
                u32 index = (pool_index * 2 + (active & 1)) * 65536 + slot;
                u32 *e = ring_at(index);
                if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
                    return drop(DROP_NO_SLOT);
                backend_2 = *e & 0xffffff;
            }
            e = backend_find(backend_2, &cell);
        }
        if (e)
            count_packet(&backend_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // ipip4
                const struct backend_ipip4 *ipip4 = (void *)e;
                if ((u32)ipv4_total_length(h->ip4.p) + 20 > (u32)ipip4->mtu) {
                    if ((m->flags & 4) == 0 || ipv4_dont_fragment(h->ip4.p) == 0 || (!is_there(&h->tcp) && !is_there(&h->udp))) {
                        return drop(DROP_MTU);
                    }
                    return drop(DROP_MTU);
                }
                if (flow.hit)
                    flow_refresh(&flow);
                else if (flow.fresh)
                    count_event(&events, flow_narrow_store(&flow, &flows4, 16384, backend_2, flows4_ages) ? FLOWS4_STORED : FLOWS4_NOT_STORED);
                h->outer4.valid = 1;
                h->outer4.version = 4;
                h->outer4.ihl = 5;
                h->outer4.tos = ipv4_tos(h->ip4.p);
                h->outer4.total_length = (u16)(ipv4_total_length(h->ip4.p) + 20);
                h->outer4.identification = 0;
                h->outer4.reserved = 0;
                h->outer4.dont_fragment = 1;
                h->outer4.more_fragments = 0;
                h->outer4.fragment_offset = 0;
                h->outer4.ttl = 64;
                h->outer4.protocol = 4;
                h->outer4.checksum = 0;
                h->outer4.src = ipip4->src | (entropy & ipip4->spread);
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
                struct ethernet moved_eth = {};
                load_ethernet(&moved_eth, h->eth.p);
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
                    store_ipv4((void *)at, &h->outer4);
                    at += 20;
                }
                return forward(ctx, ipip4->port);
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
parse_start: // l4lb.rs:169
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    if (ethernet_ethertype(h->eth.p) == 0x86dd)
        goto parse_ipv6;
    goto accept;
parse_ipv4: // l4lb.rs:179
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_version(h->ip4.p) == 4 && ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 6)
        goto parse_tcp;
    if (ipv4_version(h->ip4.p) == 4 && ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 17)
        goto parse_udp;
    if (ipv4_version(h->ip4.p) == 4 && ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 1)
        goto parse_icmp4;
    goto accept;
parse_ipv6: // l4lb.rs:190
    m->left_out = 1;
    goto accept;
parse_icmp4: // l4lb.rs:201
    if (at + 8 > end)
        goto accept;
    h->icmp = (struct place){(void *)at, 1, 1};
    at += 8;
    if (icmp_kind(h->icmp.p) == 3)
        goto parse_quote4;
    if (icmp_kind(h->icmp.p) == 11)
        goto parse_quote4;
    if (icmp_kind(h->icmp.p) == 12)
        goto parse_quote4;
    goto accept;
parse_quote4: // l4lb.rs:210
    if (at + 20 > end)
        goto accept;
    h->quoted4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_version(h->quoted4.p) == 4 && ipv4_ihl(h->quoted4.p) == 5 && ipv4_more_fragments(h->quoted4.p) == 0 && ipv4_fragment_offset(h->quoted4.p) == 0 && ipv4_protocol(h->quoted4.p) == 6)
        goto parse_quote;
    if (ipv4_version(h->quoted4.p) == 4 && ipv4_ihl(h->quoted4.p) == 5 && ipv4_more_fragments(h->quoted4.p) == 0 && ipv4_fragment_offset(h->quoted4.p) == 0 && ipv4_protocol(h->quoted4.p) == 17)
        goto parse_quote;
    goto accept;
parse_quote: // l4lb.rs:243
    if (at + 8 > end)
        goto accept;
    h->quoted = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
parse_tcp: // l4lb.rs:249
    if (at + 20 > end)
        goto accept;
    h->tcp = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
parse_udp: // l4lb.rs:255
    if (at + 8 > end)
        goto accept;
    h->udp = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
