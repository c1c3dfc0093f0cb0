// route: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
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

INLINE u32 ipv4_dst(const void *p) { return be32(p + 16); }
INLINE u8 ipv6_hop_limit(const void *p) { return *(const u8 *)(p + 7); }
INLINE void set_ipv6_hop_limit(void *p, u8 x)
{
    *(u8 *)(p + 7) = x;
}

INLINE u128 ipv6_dst(const void *p) { return be128(p + 24); }
struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
    struct place ip6; // ipv6
};

struct meta {
    u16 hop;
    u32 port;
};

enum {
    DROP_NO_ROUTE,
    DROP_NO_NEIGHBOUR,
    DROP_EXPIRED,
    DROP_FORBIDDEN,
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

// pipeline.rs:42 table route4
struct route4_data {
    u32 index;
    u8 action;
    u8 pad0[3];
};

struct route4_via {
    u32 index;
    u8 action;
    u8 pad0[1];
    u16 hop;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 1024);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} route4_hits SEC(".maps");

struct route4_key {
    u32 prefix;
    u8 bytes[5];
} __attribute__((packed));

struct {
    MAP_NUMBER(type, MAP_LPM_TRIE);
    MAP_NUMBER(map_flags, MAP_NO_PREALLOC);
    MAP_NUMBER(max_entries, 1024);
    MAP_TYPE(key, struct route4_key);
    MAP_TYPE(value, struct route4_data);
} route4 SEC(".maps");

INLINE struct route4_data *route4_find(u8 vrf, u32 dst, u32 *cell)
{
    struct route4_key key = {.prefix = 40};
    key.bytes[0] = vrf >> 0;
    key.bytes[1] = dst >> 24;
    key.bytes[2] = dst >> 16;
    key.bytes[3] = dst >> 8;
    key.bytes[4] = dst >> 0;
    struct route4_data *e = map_lookup(&route4, &key);
    if (e)
        *cell = e->index;
    return e;
}

// pipeline.rs:44 table route6
struct route6_data {
    u32 index;
    u8 action;
    u8 pad0[3];
};

struct route6_via {
    u32 index;
    u8 action;
    u8 pad0[1];
    u16 hop;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 1024);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} route6_hits SEC(".maps");

struct route6_key {
    u32 prefix;
    u8 bytes[16];
} __attribute__((packed));

struct {
    MAP_NUMBER(type, MAP_LPM_TRIE);
    MAP_NUMBER(map_flags, MAP_NO_PREALLOC);
    MAP_NUMBER(max_entries, 1024);
    MAP_TYPE(key, struct route6_key);
    MAP_TYPE(value, struct route6_data);
} route6 SEC(".maps");

INLINE struct route6_data *route6_find(u128 dst, u32 *cell)
{
    struct route6_key key = {.prefix = 128};
    key.bytes[0] = dst >> 120;
    key.bytes[1] = dst >> 112;
    key.bytes[2] = dst >> 104;
    key.bytes[3] = dst >> 96;
    key.bytes[4] = dst >> 88;
    key.bytes[5] = dst >> 80;
    key.bytes[6] = dst >> 72;
    key.bytes[7] = dst >> 64;
    key.bytes[8] = dst >> 56;
    key.bytes[9] = dst >> 48;
    key.bytes[10] = dst >> 40;
    key.bytes[11] = dst >> 32;
    key.bytes[12] = dst >> 24;
    key.bytes[13] = dst >> 16;
    key.bytes[14] = dst >> 8;
    key.bytes[15] = dst >> 0;
    struct route6_data *e = map_lookup(&route6, &key);
    if (e)
        *cell = e->index;
    return e;
}

// pipeline.rs:56 table neighbour
struct neighbour_data {
    u32 key;
    u8 action;
    u8 pad0[27];
};

struct neighbour_send {
    u32 key;
    u8 action;
    u8 pad0[3];
    u64 src_mac;
    u64 dst_mac;
    u32 port;
    u8 pad1[4];
};

struct neighbour_data neighbour[256] SEC(".data.neighbour");

INLINE struct neighbour_data *neighbour_find(u32 key, u32 *cell)
{
    OPAQUE(key);
    *cell = key & 0xff;
    struct neighbour_data *e = &neighbour[*cell];
    return e->key == key && e->action ? e : 0;
}

// The control for packets whose way through the parser is start, ipv4.
INLINE int ingress_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    void *ip4 = (void *)(at + 14);
    u32 frame_length = end - at;
    u8 ttl = 0;

    if (ipv4_ttl(ip4) <= 1) {
        return drop(DROP_EXPIRED);
    }
    { // pipeline.rs:86 table route4
        u32 cell = 0;
        struct route4_data *e = route4_find((u8)ingress_port(ctx), ipv4_dst(ip4), &cell);
        if (e)
            count_packet(&route4_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // via
                const struct route4_via *via = (void *)e;
                m->hop = via->hop;
                break;
            }
            case 2: { // blackhole
                return drop(DROP_FORBIDDEN);
            }
            default: {
                return drop(DROP_NO_ROUTE);
            }
        }
    }
    ttl = (u8)(ipv4_ttl(ip4) - 1);
    set_ipv4_checksum(ip4, adjust(ipv4_checksum(ip4), ((u16)ipv4_ttl(ip4) << 8 | ipv4_protocol(ip4)), ((u16)ttl << 8 | ipv4_protocol(ip4))));
    set_ipv4_ttl(ip4, ttl);
    { // pipeline.rs:107 table neighbour
        u32 cell = 0;
        struct neighbour_data *e = neighbour_find(m->hop, &cell);
        switch (e ? e->action : 0) {
            case 1: { // send
                const struct neighbour_send *send = (void *)e;
                set_ethernet_src(eth, send->src_mac);
                set_ethernet_dst(eth, send->dst_mac);
                return forward(ctx, send->port);
            }
            default: {
                return drop(DROP_NO_NEIGHBOUR);
            }
        }
    }
}

// The control for packets whose way through the parser is start, ipv6.
INLINE int ingress_ipv6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    void *ip6 = (void *)(at + 14);
    u32 frame_length = end - at;

    if (ipv6_hop_limit(ip6) <= 1) {
        return drop(DROP_EXPIRED);
    }
    { // pipeline.rs:98 table route6
        u32 cell = 0;
        struct route6_data *e = route6_find(ipv6_dst(ip6), &cell);
        if (e)
            count_packet(&route6_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // via
                const struct route6_via *via = (void *)e;
                m->hop = via->hop;
                break;
            }
            case 2: { // blackhole
                return drop(DROP_FORBIDDEN);
            }
            default: {
                return drop(DROP_NO_ROUTE);
            }
        }
    }
    set_ipv6_hop_limit(ip6, (u8)(ipv6_hop_limit(ip6) - 1));
    { // pipeline.rs:107 table neighbour
        u32 cell = 0;
        struct neighbour_data *e = neighbour_find(m->hop, &cell);
        switch (e ? e->action : 0) {
            case 1: { // send
                const struct neighbour_send *send = (void *)e;
                set_ethernet_src(eth, send->src_mac);
                set_ethernet_dst(eth, send->dst_mac);
                return forward(ctx, send->port);
            }
            default: {
                return drop(DROP_NO_NEIGHBOUR);
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:69
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 34 > end)
        return AGAIN;
    return ingress_ipv4(ctx, at, end, m);
}

// pipeline.rs:75
INLINE int parse_ipv6(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 54 > end)
        return AGAIN;
    return ingress_ipv6(ctx, at, end, m);
}

// pipeline.rs:59
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
    u8 ttl = 0;

    if (is_there(&h->ip4)) {
        if (ipv4_ttl(h->ip4.p) <= 1) {
            return drop(DROP_EXPIRED);
        }
        { // pipeline.rs:86 table route4
            u32 cell = 0;
            struct route4_data *e = route4_find((u8)ingress_port(ctx), ipv4_dst(h->ip4.p), &cell);
            if (e)
                count_packet(&route4_hits, cell, frame_length);
            switch (e ? e->action : 0) {
                case 1: { // via
                    const struct route4_via *via = (void *)e;
                    m->hop = via->hop;
                    break;
                }
                case 2: { // blackhole
                    return drop(DROP_FORBIDDEN);
                }
                default: {
                    return drop(DROP_NO_ROUTE);
                }
            }
        }
        ttl = (u8)(ipv4_ttl(h->ip4.p) - 1);
        set_ipv4_checksum(h->ip4.p, adjust(ipv4_checksum(h->ip4.p), ((u16)ipv4_ttl(h->ip4.p) << 8 | ipv4_protocol(h->ip4.p)), ((u16)ttl << 8 | ipv4_protocol(h->ip4.p))));
        set_ipv4_ttl(h->ip4.p, ttl);
    } else {
        if (is_there(&h->ip6)) {
            if (ipv6_hop_limit(h->ip6.p) <= 1) {
                return drop(DROP_EXPIRED);
            }
            { // pipeline.rs:98 table route6
                u32 cell = 0;
                struct route6_data *e = route6_find(ipv6_dst(h->ip6.p), &cell);
                if (e)
                    count_packet(&route6_hits, cell, frame_length);
                switch (e ? e->action : 0) {
                    case 1: { // via
                        const struct route6_via *via = (void *)e;
                        m->hop = via->hop;
                        break;
                    }
                    case 2: { // blackhole
                        return drop(DROP_FORBIDDEN);
                    }
                    default: {
                        return drop(DROP_NO_ROUTE);
                    }
                }
            }
            set_ipv6_hop_limit(h->ip6.p, (u8)(ipv6_hop_limit(h->ip6.p) - 1));
        } else {
            return XDP_PASS;
        }
    }
    { // pipeline.rs:107 table neighbour
        u32 cell = 0;
        struct neighbour_data *e = neighbour_find(m->hop, &cell);
        switch (e ? e->action : 0) {
            case 1: { // send
                const struct neighbour_send *send = (void *)e;
                if (is_there(&h->eth))
                    set_ethernet_src(h->eth.p, send->src_mac);
                if (is_there(&h->eth))
                    set_ethernet_dst(h->eth.p, send->dst_mac);
                return forward(ctx, send->port);
            }
            default: {
                return drop(DROP_NO_NEIGHBOUR);
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
parse_start: // pipeline.rs:59
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    if (ethernet_ethertype(h->eth.p) == 0x86dd)
        goto parse_ipv6;
    goto accept;
parse_ipv4: // pipeline.rs:69
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
parse_ipv6: // pipeline.rs:75
    if (at + 40 > end)
        goto accept;
    h->ip6 = (struct place){(void *)at, 1, 1};
    at += 40;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
