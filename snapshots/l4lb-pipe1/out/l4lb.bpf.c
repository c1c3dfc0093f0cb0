// l4lb: made by Guideway from l4lb.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/crc32.h"
#include "guideway/exact.h"
#include "guideway/flow.h"
#include "guideway/flow_wide.h"
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
INLINE void set_ethernet_ethertype(void *p, u16 x)
{
    put16(p + 12, x);
}

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
INLINE u8 ipv6_hop_limit(const void *p) { return *(const u8 *)(p + 7); }
INLINE void set_ipv6_hop_limit(void *p, u8 x)
{
    *(u8 *)(p + 7) = x;
}

INLINE u128 ipv6_src(const void *p) { return be128(p + 8); }
INLINE void set_ipv6_src(void *p, u128 x)
{
    put128(p + 8, x);
}

INLINE u128 ipv6_dst(const void *p) { return be128(p + 24); }
INLINE void set_ipv6_dst(void *p, u128 x)
{
    put128(p + 24, x);
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
    struct ipv6 outer6;
    struct place ip6; // ipv6
    struct place icmp; // icmp
    struct place quoted6; // ipv6
    struct place quoted; // l4_start
    struct place tcp; // tcp
    struct place udp; // udp
};

struct meta {
    u8 protocol;
    u16 client_port;
    u16 vip_port;
    u128 client6;
    u16 vip;
    u16 pool;
    u64 hash_key;
    u8 flags;
    u8 class;
    u8 is_error;
    u8 found;
    u8 looped;
    u16 came_in;
    u8 sent;
};

enum {
    DROP_ETHERNET_CUT,
    DROP_IP_CUT,
    DROP_VERSION,
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
    FLOWS6_STORED,
    FLOWS6_NOT_STORED,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 15);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

// l4lb.rs:116 table vip6
struct vip6_data {
    u8 action;
    u8 pad0[23];
};

struct vip6_set_vip {
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
} vip6_hits SEC(".maps");

struct vip6_set {
    u64 keys[4][3];
    struct vip6_data data[4];
};

struct vip6_set vip6[4096] SEC(".data.vip6");

INLINE struct vip6_data *vip6_find(u64 word0, u64 word1, u64 word2, u32 *cell)
{
    u64 key[] = {word0, word1, word2};
    u32 set = exact_set(key, 3, 0, 4096);
    struct vip6_set *s = &vip6[set];
    u32 way = exact_way(&s->keys[0][0], key, 3);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// l4lb.rs:118 table vip6_any
struct vip6_any_data {
    u8 action;
    u8 pad0[23];
};

struct vip6_any_set_vip {
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
} vip6_any_hits SEC(".maps");

struct vip6_any_set {
    u64 keys[4][3];
    struct vip6_any_data data[4];
};

struct vip6_any_set vip6_any[4096] SEC(".data.vip6_any");

INLINE struct vip6_any_data *vip6_any_find(u64 word0, u64 word1, u64 word2, u32 *cell)
{
    u64 key[] = {word0, word1, word2};
    u32 set = exact_set(key, 3, 1, 4096);
    struct vip6_any_set *s = &vip6_any[set];
    u32 way = exact_way(&s->keys[0][0], key, 3);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// l4lb.rs:162 table backend
struct backend_data {
    u32 key;
    u8 action;
    u8 pad0[59];
};

struct backend_ipip6 {
    u32 key;
    u8 action;
    u8 pad0[1];
    u16 mtu;
    u64 src[2];
    u64 dst[2];
    u64 dst_mac;
    u64 src_mac;
    u32 spread;
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

// l4lb.rs:145 flow table flows6: 16384 buckets of 4 ways
struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(map_flags, MAP_MMAPABLE);
    MAP_NUMBER(max_entries, 16384);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct flow_wide);
} flows6 SEC(".maps");

// The age in ticks at which an entry expires, by state and class. A free way always has.
const volatile u32 flows6_ages[32] SEC(".rodata") = {
    [FLOW_NEW * 4] = 449, 449, 151, 151,
    [FLOW_TCP * 4] = 4472, 53646, 896, 896,
    [FLOW_UDP * 4] = 896, 896, 151, 151,
    [FLOW_CLOSING * 4] = 896, 896, 151, 151,
};

CRC32_TABLES(41);

// The control for packets whose way through the parser is start, looped, ipv6, tcp.
INLINE int ingress_looped_ipv6_tcp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct ipv6 outer6 = {};
    void *ip6 = (void *)(at + 14);
    void *tcp = (void *)(at + 54);
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

    set_ethernet_ethertype(eth, 0x86dd);
    too_short = (u32)ipv6_payload_length(ip6) + 54 > frame_length;
    l4_cut = ipv6_payload_length(ip6) < 20;
    by_address = too_short || l4_cut || tcp_data_offset(tcp) < 5;
    m->client_port = tcp_src_port(tcp);
    m->vip_port = tcp_dst_port(tcp);
    m->protocol = 6;
    m->client6 = ipv6_src(ip6);
    if (by_address) {
        m->protocol = 58;
    } else {
        { // l4lb.rs:376 table vip6
            u32 cell = 0;
            struct vip6_data *e = vip6_find((u64)ipv6_dst(ip6) << 24 | (u64)6 << 16 | (u64)m->vip_port, (u64)(ipv6_dst(ip6) >> 40), 0x1000000ull | (u64)(ipv6_dst(ip6) >> 104), &cell);
            if (e)
                count_packet(&vip6_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip6_set_vip *set_vip = (void *)e;
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
        { // l4lb.rs:382 table vip6_any
            u32 cell = 0;
            struct vip6_any_data *e = vip6_any_find((u64)ipv6_dst(ip6) << 8 | (u64)m->protocol, (u64)(ipv6_dst(ip6) >> 56), 256ull | (u64)(ipv6_dst(ip6) >> 120), &cell);
            if (e)
                count_packet(&vip6_any_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip6_any_set_vip *set_vip = (void *)e;
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
    // CRC-32 of 41 bytes: that of zeros, then what each byte adds
    hash = 0x6e8d80aa ^ folded; // with what the table's entry fixes
    hash ^= CRC32_128(21, m->client6);
    hash ^= CRC32_16(3, m->client_port);
    hash ^= CRC32_16(1, m->vip_port);
    event = (tcp_flags(tcp) & 23) == 2 ? 1 : (tcp_flags(tcp) & 5) != 0 ? 4 : 2;
    if ((m->flags & 1) == 0) {
        flow = (struct flow){
            .key = {(u64)((u32)m->client_port << 16 | m->vip) << 32 | 0, (u64)(m->client6 >> 64), (u64)m->client6},
            .hash = hash,
            .table = 1,
        };
        flow_wide_find(&flow, &flows6, 16384, flows6_ages, m->vip_port, event, m->class > 2 ? 2 : m->class);
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
            case 1: { // ipip6
                const struct backend_ipip6 *ipip6 = (void *)e;
                if ((u32)ipv6_payload_length(ip6) + 80 > (u32)ipip6->mtu) {
                    if ((m->flags & 4) == 0) {
                        return drop(DROP_MTU);
                    }
                    return drop(DROP_MTU);
                }
                if (flow.hit)
                    flow_refresh(&flow);
                else if (flow.fresh)
                    count_event(&events, flow_wide_store(&flow, &flows6, 16384, backend_2, flows6_ages) ? FLOWS6_STORED : FLOWS6_NOT_STORED);
                outer6.valid = 1;
                outer6.version = 6;
                outer6.traffic_class = ipv6_traffic_class(ip6);
                outer6.flow_label = 0;
                outer6.payload_length = (u16)(ipv6_payload_length(ip6) + 40);
                outer6.next_header = 41;
                outer6.hop_limit = 64;
                outer6.src = wide(ipip6->src) | ((u128)(entropy & ipip6->spread));
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

// The control for packets whose way through the parser is start, looped, ipv6, udp.
INLINE int ingress_looped_ipv6_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct ipv6 outer6 = {};
    void *ip6 = (void *)(at + 14);
    void *udp = (void *)(at + 54);
    u32 frame_length = end - at;
    u8 too_short = 0;
    u8 l4_cut = 0;
    u8 by_address = 0;
    u32 hash = 0;
    u32 entropy = 0;
    u32 backend_2 = 0;
    u32 folded = 0;
    struct flow flow = {};

    set_ethernet_ethertype(eth, 0x86dd);
    too_short = (u32)ipv6_payload_length(ip6) + 54 > frame_length;
    l4_cut = ipv6_payload_length(ip6) < 8;
    by_address = too_short || l4_cut;
    m->client_port = udp_src_port(udp);
    m->vip_port = udp_dst_port(udp);
    m->protocol = 17;
    m->client6 = ipv6_src(ip6);
    if (by_address) {
        m->protocol = 58;
    } else {
        { // l4lb.rs:376 table vip6
            u32 cell = 0;
            struct vip6_data *e = vip6_find((u64)ipv6_dst(ip6) << 24 | (u64)17 << 16 | (u64)m->vip_port, (u64)(ipv6_dst(ip6) >> 40), 0x1000000ull | (u64)(ipv6_dst(ip6) >> 104), &cell);
            if (e)
                count_packet(&vip6_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip6_set_vip *set_vip = (void *)e;
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
        { // l4lb.rs:382 table vip6_any
            u32 cell = 0;
            struct vip6_any_data *e = vip6_any_find((u64)ipv6_dst(ip6) << 8 | (u64)m->protocol, (u64)(ipv6_dst(ip6) >> 56), 256ull | (u64)(ipv6_dst(ip6) >> 120), &cell);
            if (e)
                count_packet(&vip6_any_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // set_vip
                    const struct vip6_any_set_vip *set_vip = (void *)e;
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
    // CRC-32 of 41 bytes: that of zeros, then what each byte adds
    hash = 0x6e8d80aa ^ folded; // with what the table's entry fixes
    hash ^= CRC32_128(21, m->client6);
    hash ^= CRC32_16(3, m->client_port);
    hash ^= CRC32_16(1, m->vip_port);
    if ((m->flags & 1) == 0) {
        flow = (struct flow){
            .key = {(u64)((u32)m->client_port << 16 | m->vip) << 32 | 0, (u64)(m->client6 >> 64), (u64)m->client6},
            .hash = hash,
            .table = 1,
        };
        flow_wide_find(&flow, &flows6, 16384, flows6_ages, m->vip_port, 3, m->class > 2 ? 2 : m->class);
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
            case 1: { // ipip6
                const struct backend_ipip6 *ipip6 = (void *)e;
                if ((u32)ipv6_payload_length(ip6) + 80 > (u32)ipip6->mtu) {
                    if ((m->flags & 4) == 0) {
                        return drop(DROP_MTU);
                    }
                    return drop(DROP_MTU);
                }
                if (flow.hit)
                    flow_refresh(&flow);
                else if (flow.fresh)
                    count_event(&events, flow_wide_store(&flow, &flows6, 16384, backend_2, flows6_ages) ? FLOWS6_STORED : FLOWS6_NOT_STORED);
                outer6.valid = 1;
                outer6.version = 6;
                outer6.traffic_class = ipv6_traffic_class(ip6);
                outer6.flow_label = 0;
                outer6.payload_length = (u16)(ipv6_payload_length(ip6) + 40);
                outer6.next_header = 41;
                outer6.hop_limit = 64;
                outer6.src = wide(ipip6->src) | ((u128)(entropy & ipip6->spread));
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
// l4lb.rs:249
INLINE int parse_looped_ipv6_tcp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 74 > end)
        return AGAIN;
    return ingress_looped_ipv6_tcp(ctx, at, end, m);
}

// l4lb.rs:255
INLINE int parse_looped_ipv6_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 62 > end)
        return AGAIN;
    return ingress_looped_ipv6_udp(ctx, at, end, m);
}

// l4lb.rs:190
INLINE int parse_looped_ipv6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *ip6 = at + 14;
    if (at + 54 > end)
        return AGAIN;
    if (ipv6_version(ip6) == 6 && ipv6_next_header(ip6) == 6)
        return parse_looped_ipv6_tcp(ctx, at, end, m);
    if (ipv6_version(ip6) == 6 && ipv6_next_header(ip6) == 17)
        return parse_looped_ipv6_udp(ctx, at, end, m);
    return AGAIN;
}

// l4lb.rs:169
INLINE int parse_looped(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 14 > end)
        return AGAIN;
    m->looped = 1;
    return parse_looped_ipv6(ctx, at, end, m);
}

// l4lb.rs:190
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (ingress_port(ctx) == 128)
        return parse_looped(ctx, at, end, m);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h, struct meta *m)
{
    u32 frame_length = end - at;
    u8 next = 0;
    u8 too_short = 0;
    u8 fragment = 0;
    u8 options = 0;
    u8 l4_cut = 0;
    u8 bad_quote = 0;
    u8 by_address = 0;
    u128 client = 0;
    u64 sender = 0;
    u32 hash = 0;
    u8 event = 0;
    u32 entropy = 0;
    u32 backend_2 = 0;
    u32 folded = 0;
    struct flow flow = {};

    if (m->sent) {
        if (is_there(&h->eth))
            set_ethernet_ethertype(h->eth.p, (u16)ingress_port(ctx));
        return forward(ctx, 6);
    }
    if (m->looped && is_there(&h->eth)) {
        m->came_in = ethernet_ethertype(h->eth.p);
        set_ethernet_ethertype(h->eth.p, 0x86dd);
    } else {
        m->came_in = (u16)ingress_port(ctx);
    }
    if (!is_there(&h->eth)) {
        return drop(DROP_ETHERNET_CUT);
    }
    if (is_there(&h->ip6)) {
        next = ipv6_next_header(h->ip6.p);
        too_short = (u32)ipv6_payload_length(h->ip6.p) + 54 > frame_length;
        fragment = next == 44;
        options = next == 0 || next == 43 || next == 60;
        l4_cut = (next == 6 && ipv6_payload_length(h->ip6.p) < 20) || ((next == 17 || next == 58) && ipv6_payload_length(h->ip6.p) < 8);
        m->is_error = (is_there(&h->icmp) && icmp_kind(h->icmp.p) >= 1) && icmp_kind(h->icmp.p) <= 4;
        bad_quote = m->is_error && (!is_there(&h->quoted) || ipv6_payload_length(h->ip6.p) < 56 || (is_there(&h->quoted6) ? ipv6_src(h->quoted6.p) : 0) != ipv6_dst(h->ip6.p));
        by_address = ipv6_version(h->ip6.p) != 6 || too_short || options || fragment || l4_cut || (is_there(&h->tcp) && tcp_data_offset(h->tcp.p) < 5) || bad_quote || (is_there(&h->icmp) && !m->is_error);
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
        m->protocol = next;
        m->client6 = ipv6_src(h->ip6.p);
        if (m->is_error) {
            m->protocol = (is_there(&h->quoted6) ? ipv6_next_header(h->quoted6.p) : 0);
            m->client6 = (is_there(&h->quoted6) ? ipv6_dst(h->quoted6.p) : 0);
        }
        if (by_address) {
            m->protocol = 58;
        } else {
            { // l4lb.rs:376 table vip6
                u32 cell = 0;
                struct vip6_data *e = vip6_find((u64)ipv6_dst(h->ip6.p) << 24 | (u64)m->protocol << 16 | (u64)m->vip_port, (u64)(ipv6_dst(h->ip6.p) >> 40), 0x1000000ull | (u64)(ipv6_dst(h->ip6.p) >> 104), &cell);
                if (e)
                    count_packet(&vip6_hits, cell, frame_length);
                switch (e ? e->action : 0) {
                    case 1: { // set_vip
                        const struct vip6_set_vip *set_vip = (void *)e;
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
            { // l4lb.rs:382 table vip6_any
                u32 cell = 0;
                struct vip6_any_data *e = vip6_any_find((u64)ipv6_dst(h->ip6.p) << 8 | (u64)m->protocol, (u64)(ipv6_dst(h->ip6.p) >> 56), 256ull | (u64)(ipv6_dst(h->ip6.p) >> 120), &cell);
                if (e)
                    count_packet(&vip6_any_hits, cell, frame_length);
                switch (e ? e->action : 0) {
                    case 1: { // set_vip
                        const struct vip6_any_set_vip *set_vip = (void *)e;
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
            if (ipv6_version(h->ip6.p) != 6) {
                return drop(DROP_VERSION);
            }
            if (too_short) {
                return drop(DROP_TOTAL_LENGTH);
            }
            if (options) {
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
            if ((m->flags & 2) == 0 || (is_there(&h->icmp) ? icmp_kind(h->icmp.p) : 0) != 128 || (u8)((ethernet_dst(h->eth.p) >> 40) & 0x1) == 1) {
                return XDP_PASS;
            }
            set_ipv6_hop_limit(h->ip6.p, 64);
            client = ipv6_src(h->ip6.p);
            set_ipv6_src(h->ip6.p, ipv6_dst(h->ip6.p));
            set_ipv6_dst(h->ip6.p, client);
            if (is_there(&h->icmp))
                set_icmp_checksum(h->icmp.p, adjust((is_there(&h->icmp) ? icmp_checksum(h->icmp.p) : 0), (128 << 8 | (is_there(&h->icmp) ? icmp_code(h->icmp.p) : 0)), (129 << 8 | (is_there(&h->icmp) ? icmp_code(h->icmp.p) : 0))));
            if (is_there(&h->icmp))
                set_icmp_kind(h->icmp.p, 129);
            sender = ethernet_src(h->eth.p);
            set_ethernet_src(h->eth.p, ethernet_dst(h->eth.p));
            set_ethernet_dst(h->eth.p, sender);
            return forward(ctx, (u32)m->came_in);
        }
    } else {
        if (ethernet_ethertype(h->eth.p) == 2048 || ethernet_ethertype(h->eth.p) == 0x86dd) {
            return drop(DROP_IP_CUT);
        } else {
            return XDP_PASS;
        }
    }
    // CRC-32 of 41 bytes: that of zeros, then what each byte adds
    hash = 0x6e8d80aa ^ folded; // with what the table's entry fixes
    hash ^= CRC32_128(21, m->client6);
    hash ^= CRC32_16(3, m->client_port);
    hash ^= CRC32_16(1, m->vip_port);
    event = m->is_error ? 0 : !is_there(&h->tcp) ? 3 : ((is_there(&h->tcp) ? tcp_flags(h->tcp.p) : 0) & 23) == 2 ? 1 : ((is_there(&h->tcp) ? tcp_flags(h->tcp.p) : 0) & 5) != 0 ? 4 : 2;
    if ((m->flags & 1) == 0) {
        flow = (struct flow){
            .key = {(u64)((u32)m->client_port << 16 | m->vip) << 32 | 0, (u64)(m->client6 >> 64), (u64)m->client6},
            .hash = hash,
            .table = 1,
        };
        flow_wide_find(&flow, &flows6, 16384, flows6_ages, m->vip_port, event, m->class > 2 ? 2 : m->class);
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
            case 1: { // ipip6
                const struct backend_ipip6 *ipip6 = (void *)e;
                if ((u32)ipv6_payload_length(h->ip6.p) + 80 > (u32)ipip6->mtu) {
                    if ((m->flags & 4) == 0 || (!is_there(&h->tcp) && !is_there(&h->udp))) {
                        return drop(DROP_MTU);
                    }
                    return drop(DROP_MTU);
                }
                if (flow.hit)
                    flow_refresh(&flow);
                else if (flow.fresh)
                    count_event(&events, flow_wide_store(&flow, &flows6, 16384, backend_2, flows6_ages) ? FLOWS6_STORED : FLOWS6_NOT_STORED);
                h->outer6.valid = 1;
                h->outer6.version = 6;
                h->outer6.traffic_class = ipv6_traffic_class(h->ip6.p);
                h->outer6.flow_label = 0;
                h->outer6.payload_length = (u16)(ipv6_payload_length(h->ip6.p) + 40);
                h->outer6.next_header = 41;
                h->outer6.hop_limit = 64;
                h->outer6.src = wide(ipip6->src) | ((u128)(entropy & ipip6->spread));
                h->outer6.dst = wide(ipip6->dst);
                struct ethernet moved_eth = {};
                load_ethernet(&moved_eth, h->eth.p);
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
parse_front: // l4lb.rs:169
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
    m->sent = 1;
    goto accept;
parse_ipv6: // l4lb.rs:190
    if (at + 40 > end)
        goto accept;
    h->ip6 = (struct place){(void *)at, 1, 1};
    at += 40;
    if (ipv6_version(h->ip6.p) == 6 && ipv6_next_header(h->ip6.p) == 6)
        goto parse_tcp;
    if (ipv6_version(h->ip6.p) == 6 && ipv6_next_header(h->ip6.p) == 17)
        goto parse_udp;
    if (ipv6_version(h->ip6.p) == 6 && ipv6_next_header(h->ip6.p) == 58)
        goto parse_icmp6;
    goto accept;
parse_icmp6: // l4lb.rs:225
    if (at + 8 > end)
        goto accept;
    h->icmp = (struct place){(void *)at, 1, 1};
    at += 8;
    if (icmp_kind(h->icmp.p) >= 1 && icmp_kind(h->icmp.p) <= 4)
        goto parse_quote6;
    goto accept;
parse_quote6: // l4lb.rs:234
    if (at + 40 > end)
        goto accept;
    h->quoted6 = (struct place){(void *)at, 1, 1};
    at += 40;
    if (ipv6_version(h->quoted6.p) == 6 && ipv6_next_header(h->quoted6.p) == 6)
        goto parse_quote;
    if (ipv6_version(h->quoted6.p) == 6 && ipv6_next_header(h->quoted6.p) == 17)
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
parse_looped: // l4lb.rs:169
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    m->looped = 1;
    goto parse_ipv6;
parse_start: // l4lb.rs:190
    if (ingress_port(ctx) == 128)
        goto parse_looped;
    goto parse_front;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
