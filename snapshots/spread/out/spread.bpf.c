// spread: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/counters.h"
#include "guideway/exact.h"
#include "guideway/halfsiphash.h"
#include "guideway/ports.h"

INLINE u64 ethernet_dst(const void *p) { return be48(p); }
INLINE void set_ethernet_dst(void *p, u64 x)
{
    put48(p, x);
}

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE u8 ipv6_next_header(const void *p) { return *(const u8 *)(p + 6); }
INLINE u128 ipv6_src(const void *p) { return be128(p + 8); }
INLINE u128 ipv6_dst(const void *p) { return be128(p + 24); }
INLINE u16 udp_src_port(const void *p) { return be16(p); }
struct headers {
    struct place eth; // ethernet
    struct place ip6; // ipv6
    struct place udp; // udp
};

enum {
    DROP_NO_POOL,
    DROP_NO_SLOT,
    DROP_NO_SERVER,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 3);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

// pipeline.rs:33 table service
struct service_data {
    u8 action;
    u8 pad0[15];
};

struct service_service {
    u8 action;
    u8 pool;
    u8 pad0[6];
    u64 key;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 4096);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} service_hits SEC(".maps");

struct service_set {
    u64 keys[4][3];
    struct service_data data[4];
};

struct service_set service[1024] SEC(".data.service");

INLINE struct service_data *service_find(u64 word0, u64 word1, u64 word2, u32 *cell)
{
    u64 key[] = {word0, word1, word2};
    u32 set = exact_set(key, 3, 0, 1024);
    struct service_set *s = &service[set];
    u32 way = exact_way(&s->keys[0][0], key, 3);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:48 table server
struct server_data {
    u8 action;
    u8 pad0[15];
};

struct server_to_mac {
    u8 action;
    u8 pad0[3];
    u32 port;
    u64 mac;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 16384);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} server_hits SEC(".maps");

struct server_set {
    u64 keys[4][1];
    struct server_data data[4];
};

struct server_set server[4096] SEC(".data.server");

INLINE struct server_data *server_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 1, 4096);
    struct server_set *s = &server[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:36 ring servers
u32 servers_in_use[4] SEC(".data.servers_in_use");

INLINE u32 *servers_in_use_at(u32 index)
{
    OPAQUE(index);
    return index < 4 ? &servers_in_use[index] : 0;
}

u32 servers[2048] SEC(".data.servers");

INLINE u32 *servers_at(u32 index)
{
    OPAQUE(index);
    return index < 2048 ? &servers[index] : 0;
}

// The control for packets whose way through the parser is start, ipv6, udp.
INLINE int ingress_ipv6_udp(struct xdp_md *ctx, const void *at, const void *end)
{
    void *eth = (void *)(at);
    void *ip6 = (void *)(at + 14);
    void *udp = (void *)(at + 54);
    u32 frame_length = end - at;
    u32 hash = 0;
    u16 id = 0;

    { // pipeline.rs:78 table service
        u32 cell = 0;
        struct service_data *e = service_find((u64)ipv6_dst(ip6), (u64)(ipv6_dst(ip6) >> 64), 1ull, &cell);
        if (e)
            count_packet(&service_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // service
                const struct service_service *service_2 = (void *)e;
                {
                    struct halfsiphash s = halfsiphash_start(service_2->key);
                    halfsiphash_word(&s, (u32)(ipv6_src(ip6) >> 96));
                    halfsiphash_word(&s, (u32)((ipv6_src(ip6) >> 64) & 0xffffffff));
                    halfsiphash_word(&s, (u32)((ipv6_src(ip6) >> 32) & 0xffffffff));
                    halfsiphash_word(&s, (u32)(ipv6_src(ip6) & 0xffffffff));
                    halfsiphash_word(&s, ((u32)udp_src_port(udp) << 16) | 18);
                    hash = halfsiphash_end(&s);
                }
                { // ring servers
                    u32 pool_index = service_2->pool;
                    u32 *generation = servers_in_use_at(pool_index);
                    if (!generation || !*generation)
                        return drop(DROP_NO_POOL);
                    u32 slot = hash & 0xff;
                    u32 active = *generation;
                    u32 index = (pool_index * 2 + (active & 1)) * 256 + slot;
                    u32 *e = servers_at(index);
                    if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
                        return drop(DROP_NO_SLOT);
                    id = *e & 0xffffff;
                }
                { // pipeline.rs:82 table server
                    u32 cell = 0;
                    struct server_data *e = server_find(0x10000ull | (u64)id, &cell);
                    if (e)
                        count_packet(&server_hits, cell, frame_length);
                    switch (e ? e->action : 0) {
                        case 1: { // to_mac
                            const struct server_to_mac *to_mac = (void *)e;
                            set_ethernet_dst(eth, to_mac->mac);
                            return forward(ctx, to_mac->port);
                        }
                        default: {
                            return drop(DROP_NO_SERVER);
                        }
                    }
                }
            }
            default: {
                return XDP_PASS;
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:69
INLINE int parse_ipv6_udp(struct xdp_md *ctx, const void *at, const void *end)
{
    if (at + 62 > end)
        return AGAIN;
    return ingress_ipv6_udp(ctx, at, end);
}

// pipeline.rs:60
INLINE int parse_ipv6(struct xdp_md *ctx, const void *at, const void *end)
{
    const void *ip6 = at + 14;
    if (at + 54 > end)
        return AGAIN;
    if (ipv6_next_header(ip6) == 17)
        return parse_ipv6_udp(ctx, at, end);
    return AGAIN;
}

// pipeline.rs:51
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end)
{
    const void *eth = at;
    if (at + 14 > end)
        return AGAIN;
    if (ethernet_ethertype(eth) == 0x86dd)
        return parse_ipv6(ctx, at, end);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h)
{
    u32 frame_length = end - at;
    u32 hash = 0;
    u16 id = 0;

    if (!is_there(&h->udp)) {
        return XDP_PASS;
    }
    { // pipeline.rs:78 table service
        u32 cell = 0;
        struct service_data *e = service_find((u64)(is_there(&h->ip6) ? ipv6_dst(h->ip6.p) : 0), (u64)((is_there(&h->ip6) ? ipv6_dst(h->ip6.p) : 0) >> 64), 1ull, &cell);
        if (e)
            count_packet(&service_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // service
                const struct service_service *service_2 = (void *)e;
                {
                    struct halfsiphash s = halfsiphash_start(service_2->key);
                    halfsiphash_word(&s, (u32)((is_there(&h->ip6) ? ipv6_src(h->ip6.p) : 0) >> 96));
                    halfsiphash_word(&s, (u32)(((is_there(&h->ip6) ? ipv6_src(h->ip6.p) : 0) >> 64) & 0xffffffff));
                    halfsiphash_word(&s, (u32)(((is_there(&h->ip6) ? ipv6_src(h->ip6.p) : 0) >> 32) & 0xffffffff));
                    halfsiphash_word(&s, (u32)((is_there(&h->ip6) ? ipv6_src(h->ip6.p) : 0) & 0xffffffff));
                    halfsiphash_word(&s, ((u32)udp_src_port(h->udp.p) << 16) | 18);
                    hash = halfsiphash_end(&s);
                }
                { // ring servers
                    u32 pool_index = service_2->pool;
                    u32 *generation = servers_in_use_at(pool_index);
                    if (!generation || !*generation)
                        return drop(DROP_NO_POOL);
                    u32 slot = hash & 0xff;
                    u32 active = *generation;
                    u32 index = (pool_index * 2 + (active & 1)) * 256 + slot;
                    u32 *e = servers_at(index);
                    if (!e || *e >> 24 != (active & 0xff) || !(*e & 0xffffff))
                        return drop(DROP_NO_SLOT);
                    id = *e & 0xffffff;
                }
                { // pipeline.rs:82 table server
                    u32 cell = 0;
                    struct server_data *e = server_find(0x10000ull | (u64)id, &cell);
                    if (e)
                        count_packet(&server_hits, cell, frame_length);
                    switch (e ? e->action : 0) {
                        case 1: { // to_mac
                            const struct server_to_mac *to_mac = (void *)e;
                            if (is_there(&h->eth))
                                set_ethernet_dst(h->eth.p, to_mac->mac);
                            return forward(ctx, to_mac->port);
                        }
                        default: {
                            return drop(DROP_NO_SERVER);
                        }
                    }
                }
            }
            default: {
                return XDP_PASS;
            }
        }
    }
}

SEC("xdp")
int gw_main(struct xdp_md *ctx)
{
    int verdict = parse_start(ctx, packet_start(ctx), packet_end(ctx));
    if (LIKELY(verdict != AGAIN))
        return verdict;

    // All other packets, also those that end too soon for their way.
    const void *at = packet_start(ctx), *end = packet_end(ctx);
    struct headers headers = {}, *h = &headers;
    goto parse_start;
parse_start: // pipeline.rs:51
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 0x86dd)
        goto parse_ipv6;
    goto accept;
parse_ipv6: // pipeline.rs:60
    if (at + 40 > end)
        goto accept;
    h->ip6 = (struct place){(void *)at, 1, 1};
    at += 40;
    if (ipv6_next_header(h->ip6.p) == 17)
        goto parse_udp;
    goto accept;
parse_udp: // pipeline.rs:69
    if (at + 8 > end)
        goto accept;
    h->udp = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
