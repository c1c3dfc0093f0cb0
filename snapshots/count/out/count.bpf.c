// count: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/exact.h"
#include "guideway/ports.h"

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

INLINE u32 ipv4_src(const void *p) { return be32(p + 12); }
struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
};

enum {
    DROP_BLOCKED,
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

// pipeline.rs:29 table host
struct host_data {
    u8 action;
    u8 pad0[7];
};

struct host_out {
    u8 action;
    u8 pad0[3];
    u32 port;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 32768);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} host_hits SEC(".maps");

struct host_set {
    u64 keys[4][1];
    struct host_data data[4];
};

struct host_set host[8192] SEC(".data.host");

INLINE struct host_data *host_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 0, 8192);
    struct host_set *s = &host[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:32 counter by_protocol
struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 256);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} by_protocol SEC(".maps");

// The control for packets whose way through the parser is start, ipv4.
INLINE int ingress_ipv4(struct xdp_md *ctx, const void *at, const void *end)
{
    void *ip4 = (void *)(at + 14);
    u32 frame_length = end - at;
    u8 ttl = 0;

    count_packet(&by_protocol, (u32)ipv4_protocol(ip4), frame_length);
    { // pipeline.rs:54 table host
        u32 cell = 0;
        struct host_data *e = host_find(0x100000000ull | (u64)ipv4_src(ip4), &cell);
        if (e)
            count_packet(&host_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // out
                const struct host_out *out = (void *)e;
                ttl = (u8)(ipv4_ttl(ip4) - 1);
                set_ipv4_checksum(ip4, adjust(ipv4_checksum(ip4), ((u16)ipv4_ttl(ip4) << 8 | ipv4_protocol(ip4)), ((u16)ttl << 8 | ipv4_protocol(ip4))));
                set_ipv4_ttl(ip4, ttl);
                return forward(ctx, out->port);
            }
            case 2: { // block
                return drop(DROP_BLOCKED);
            }
            default: {
                return XDP_PASS;
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:44
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end)
{
    if (at + 34 > end)
        return AGAIN;
    return ingress_ipv4(ctx, at, end);
}

// pipeline.rs:35
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end)
{
    const void *eth = at;
    if (at + 14 > end)
        return AGAIN;
    if (ethernet_ethertype(eth) == 2048)
        return parse_ipv4(ctx, at, end);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h)
{
    u32 frame_length = end - at;
    u8 ttl = 0;

    if (!is_there(&h->ip4)) {
        return XDP_PASS;
    }
    count_packet(&by_protocol, (u32)ipv4_protocol(h->ip4.p), frame_length);
    { // pipeline.rs:54 table host
        u32 cell = 0;
        struct host_data *e = host_find(0x100000000ull | (u64)ipv4_src(h->ip4.p), &cell);
        if (e)
            count_packet(&host_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // out
                const struct host_out *out = (void *)e;
                ttl = (u8)(ipv4_ttl(h->ip4.p) - 1);
                set_ipv4_checksum(h->ip4.p, adjust(ipv4_checksum(h->ip4.p), ((u16)ipv4_ttl(h->ip4.p) << 8 | ipv4_protocol(h->ip4.p)), ((u16)ttl << 8 | ipv4_protocol(h->ip4.p))));
                set_ipv4_ttl(h->ip4.p, ttl);
                return forward(ctx, out->port);
            }
            case 2: { // block
                return drop(DROP_BLOCKED);
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
parse_start: // pipeline.rs:35
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    goto accept;
parse_ipv4: // pipeline.rs:44
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
