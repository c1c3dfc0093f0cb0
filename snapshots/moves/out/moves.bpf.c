// moves: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/counters.h"
#include "guideway/crc32.h"
#include "guideway/exact.h"
#include "guideway/flow.h"
#include "guideway/flow_narrow.h"
#include "guideway/ports.h"

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
INLINE u8 ipv4_tos(const void *p) { return *(const u8 *)(p + 1); }
INLINE u8 ipv4_ttl(const void *p) { return *(const u8 *)(p + 8); }
INLINE void set_ipv4_ttl(void *p, u8 x)
{
    *(u8 *)(p + 8) = x;
}

INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
INLINE u32 ipv4_src(const void *p) { return be32(p + 12); }
INLINE u16 udp_src_port(const void *p) { return be16(p); }
struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
    struct place udp; // udp
};

struct meta {
    u8 mark;
    u8 entered;
    u8 first;
    u8 level;
    u8 version;
};

enum {
    DROP_NO_POOL,
    DROP_NO_SLOT,
    DROP_NO_SERVER,
    DROP_NO_CLIENT,
    FLOWS_STORED,
    FLOWS_NOT_STORED,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 6);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

// pipeline.rs:46 table clients
struct clients_data {
    u32 index;
    u8 action;
    u8 pad0[11];
};

struct clients_served {
    u32 index;
    u8 action;
    u8 pool;
    u8 level;
    u8 pad0[9];
};

struct clients_direct {
    u32 index;
    u8 action;
    u8 pad0[3];
    u32 port;
    u8 pad1[4];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 64);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} clients_hits SEC(".maps");

struct clients_key {
    u32 prefix;
    u8 bytes[4];
} __attribute__((packed));

struct {
    MAP_NUMBER(type, MAP_LPM_TRIE);
    MAP_NUMBER(map_flags, MAP_NO_PREALLOC);
    MAP_NUMBER(max_entries, 64);
    MAP_TYPE(key, struct clients_key);
    MAP_TYPE(value, struct clients_data);
} clients SEC(".maps");

INLINE struct clients_data *clients_find(u32 src, u32 *cell)
{
    struct clients_key key = {.prefix = 32};
    key.bytes[0] = src >> 24;
    key.bytes[1] = src >> 16;
    key.bytes[2] = src >> 8;
    key.bytes[3] = src >> 0;
    struct clients_data *e = map_lookup(&clients, &key);
    if (e)
        *cell = e->index;
    return e;
}

// pipeline.rs:69 table servers
struct servers_data {
    u8 action;
    u8 pad0[15];
};

struct servers_server {
    u8 action;
    u8 pad0[3];
    u32 port;
    u64 mac;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 8192);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} servers_hits SEC(".maps");

struct servers_set {
    u64 keys[4][1];
    struct servers_data data[4];
};

struct servers_set servers[2048] SEC(".data.servers");

INLINE struct servers_data *servers_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 1, 2048);
    struct servers_set *s = &servers[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:57 ring ring
u32 in_use[4] SEC(".data.in_use");

INLINE u32 *in_use_at(u32 index)
{
    OPAQUE(index);
    return index < 4 ? &in_use[index] : 0;
}

u32 ring[128] SEC(".data.ring");

INLINE u32 *ring_at(u32 index)
{
    OPAQUE(index);
    return index < 128 ? &ring[index] : 0;
}

// pipeline.rs:32 counter seen
struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 2);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} seen SEC(".maps");

// pipeline.rs:54 flow table flows: 16384 buckets of 4 ways
struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(map_flags, MAP_MMAPABLE);
    MAP_NUMBER(max_entries, 16384);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct flow_narrow);
} flows SEC(".maps");

// The age in ticks at which an entry expires, by state and class. A free way always has.
const volatile u32 flows_ages[32] SEC(".rodata") = {
    [FLOW_NEW * 4] = 449, 449, 449, 449,
    [FLOW_TCP * 4] = 4472, 4472, 4472, 4472,
    [FLOW_UDP * 4] = 896, 896, 896, 896,
    [FLOW_CLOSING * 4] = 896, 896, 896, 896,
};

CRC32_TABLES(11);

// The control for packets whose way through the parser is start, look, ipv4, udp.
INLINE int ingress_look_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    void *ip4 = (void *)(at + 14);
    void *udp = (void *)(at + 34);
    u32 frame_length = end - at;
    u8 at_first = 0;
    u32 hash = 0;
    u16 id = 0;
    struct flow flow = {};

    count_packet(&seen, 0, frame_length);
    m->mark = (u8)(m->mark + 1);
    m->first = m->first + (u8)(m->entered & 0xf) & 0xf;
    at_first = ipv4_ttl(ip4);
    { // pipeline.rs:115 table clients
        u32 cell = 0;
        struct clients_data *e = clients_find(ipv4_src(ip4), &cell);
        if (e)
            count_packet(&clients_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // served
                const struct clients_served *served = (void *)e;
                count_packet(&seen, 1, frame_length);
                m->level = served->level ^ m->mark;
                // CRC-32 of 11 bytes: that of zeros, then what each byte adds
                hash = 0x6b87b1ec;
                hash ^= CRC32_32(7, 7);
                hash ^= CRC32_32(3, ipv4_src(ip4));
                hash ^= CRC32_16(1, udp_src_port(udp));
                hash ^= CRC32_8(0, m->mark);
                flow = (struct flow){
                    .key = {(((u64)ipv4_src(ip4) << 16 | udp_src_port(udp)) << 8 | m->mark) << 8 | 0},
                    .hash = hash,
                    .table = 1,
                };
                flow_narrow_find(&flow, &flows, 16384, flows_ages, 0, ((u8)(ipv4_tos(ip4) & 0x7)) ^ 3, 0);
                { // pipeline.rs:123 the flow's entry in servers, or a new one
                    u32 cell = 0;
                    struct servers_data *e = 0;
                    if (flow.hit) {
                        id = flow.id;
                        e = servers_find(0x10000ull | (u64)id, &cell);
                        flow.hit = e != 0;
                    }
                    if (!flow.hit) {
                        { // ring ring
                            u32 pool_index = served->pool;
                            u32 *generation = in_use_at(pool_index);
                            if (!generation || !*generation)
                                return drop(DROP_NO_POOL);
                            u32 slot = hash & 0xf;
                            u32 active = *generation;
                            u32 index = (pool_index * 2 + (active & 1)) * 16 + slot;
                            u32 *e = ring_at(index);
                            if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
                                return drop(DROP_NO_SLOT);
                            id = *e & 0xffffff;
                        }
                        e = servers_find(0x10000ull | (u64)id, &cell);
                    }
                    if (e)
                        count_packet(&servers_hits, cell, frame_length);
                    switch (e ? e->action : 0) {
                        case 1: { // server
                            const struct servers_server *server = (void *)e;
                            if (flow.hit)
                                flow_refresh(&flow);
                            else if (flow.fresh)
                                count_event(&events, flow_narrow_store(&flow, &flows, 16384, id, flows_ages) ? FLOWS_STORED : FLOWS_NOT_STORED);
                            set_ethernet_dst(eth, server->mac);
                            set_ethernet_src(eth, (((u64)(((u32)((u16)m->mark << 8 | m->level) << 8 | m->entered) << 8 | at_first) << 8 | (u8)frame_length) << 4 | m->first) << 4 | 0);
                            set_ipv4_ttl(ip4, (u8)(ipv4_ttl(ip4) - 1));
                            return forward(ctx, server->port + ingress_port(ctx));
                        }
                        default: {
                            return drop(DROP_NO_SERVER);
                        }
                    }
                }
            }
            case 2: { // direct
                const struct clients_direct *direct = (void *)e;
                return forward(ctx, direct->port);
            }
            default: {
                return drop(DROP_NO_CLIENT);
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:102
INLINE int parse_look_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 42 > end)
        return AGAIN;
    return ingress_look_ipv4_udp(ctx, at, end, m);
}

// pipeline.rs:93
INLINE int parse_look_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *ip4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_protocol(ip4) == 17)
        return parse_look_ipv4_udp(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:83
INLINE int parse_look(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 15 > end)
        return AGAIN;
    m->version = *(const u8 *)(at + 14) >> 4;
    m->first = m->version;
    if (m->version == 4)
        return parse_look_ipv4(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:72
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *eth = at;
    m->entered = (u8)ingress_port(ctx);
    if (at + 14 > end)
        return AGAIN;
    m->mark = (u8)(m->mark + (u8)ethernet_src(eth));
    if (ethernet_ethertype(eth) == 2048)
        return parse_look(ctx, at, end, m);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h, struct meta *m)
{
    u32 frame_length = end - at;
    u8 at_first = 0;
    u32 hash = 0;
    u16 id = 0;
    struct flow flow = {};

    if (!is_there(&h->udp)) {
        return XDP_PASS;
    }
    count_packet(&seen, 0, frame_length);
    m->mark = (u8)(m->mark + 1);
    m->first = m->first + (u8)(m->entered & 0xf) & 0xf;
    at_first = (is_there(&h->ip4) ? ipv4_ttl(h->ip4.p) : 0);
    { // pipeline.rs:115 table clients
        u32 cell = 0;
        struct clients_data *e = clients_find((is_there(&h->ip4) ? ipv4_src(h->ip4.p) : 0), &cell);
        if (e)
            count_packet(&clients_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // served
                const struct clients_served *served = (void *)e;
                count_packet(&seen, 1, frame_length);
                m->level = served->level ^ m->mark;
                // CRC-32 of 11 bytes: that of zeros, then what each byte adds
                hash = 0x6b87b1ec;
                hash ^= CRC32_32(7, 7);
                hash ^= CRC32_32(3, (is_there(&h->ip4) ? ipv4_src(h->ip4.p) : 0));
                hash ^= CRC32_16(1, udp_src_port(h->udp.p));
                hash ^= CRC32_8(0, m->mark);
                flow = (struct flow){
                    .key = {(((u64)(is_there(&h->ip4) ? ipv4_src(h->ip4.p) : 0) << 16 | udp_src_port(h->udp.p)) << 8 | m->mark) << 8 | 0},
                    .hash = hash,
                    .table = 1,
                };
                flow_narrow_find(&flow, &flows, 16384, flows_ages, 0, ((u8)((is_there(&h->ip4) ? ipv4_tos(h->ip4.p) : 0) & 0x7)) ^ 3, 0);
                { // pipeline.rs:123 the flow's entry in servers, or a new one
                    u32 cell = 0;
                    struct servers_data *e = 0;
                    if (flow.hit) {
                        id = flow.id;
                        e = servers_find(0x10000ull | (u64)id, &cell);
                        flow.hit = e != 0;
                    }
                    if (!flow.hit) {
                        { // ring ring
                            u32 pool_index = served->pool;
                            u32 *generation = in_use_at(pool_index);
                            if (!generation || !*generation)
                                return drop(DROP_NO_POOL);
                            u32 slot = hash & 0xf;
                            u32 active = *generation;
                            u32 index = (pool_index * 2 + (active & 1)) * 16 + slot;
                            u32 *e = ring_at(index);
                            if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
                                return drop(DROP_NO_SLOT);
                            id = *e & 0xffffff;
                        }
                        e = servers_find(0x10000ull | (u64)id, &cell);
                    }
                    if (e)
                        count_packet(&servers_hits, cell, frame_length);
                    switch (e ? e->action : 0) {
                        case 1: { // server
                            const struct servers_server *server = (void *)e;
                            if (flow.hit)
                                flow_refresh(&flow);
                            else if (flow.fresh)
                                count_event(&events, flow_narrow_store(&flow, &flows, 16384, id, flows_ages) ? FLOWS_STORED : FLOWS_NOT_STORED);
                            if (is_there(&h->eth))
                                set_ethernet_dst(h->eth.p, server->mac);
                            if (is_there(&h->eth))
                                set_ethernet_src(h->eth.p, (((u64)(((u32)((u16)m->mark << 8 | m->level) << 8 | m->entered) << 8 | at_first) << 8 | (u8)frame_length) << 4 | m->first) << 4 | 0);
                            if (is_there(&h->ip4))
                                set_ipv4_ttl(h->ip4.p, (u8)((is_there(&h->ip4) ? ipv4_ttl(h->ip4.p) : 0) - 1));
                            return forward(ctx, server->port + ingress_port(ctx));
                        }
                        default: {
                            return drop(DROP_NO_SERVER);
                        }
                    }
                }
            }
            case 2: { // direct
                const struct clients_direct *direct = (void *)e;
                return forward(ctx, direct->port);
            }
            default: {
                return drop(DROP_NO_CLIENT);
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
parse_start: // pipeline.rs:72
    m->entered = (u8)ingress_port(ctx);
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    m->mark = (u8)(m->mark + (u8)ethernet_src(h->eth.p));
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_look;
    goto accept;
parse_look: // pipeline.rs:83
    if (at + 1 > end)
        goto accept;
    m->version = *(const u8 *)at >> 4;
    m->first = m->version;
    if (m->version == 4)
        goto parse_ipv4;
    goto accept;
parse_ipv4: // pipeline.rs:93
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_protocol(h->ip4.p) == 17)
        goto parse_udp;
    goto accept;
parse_udp: // pipeline.rs:102
    if (at + 8 > end)
        goto accept;
    h->udp = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
