// police: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/counters.h"
#include "guideway/limiter.h"
#include "guideway/ports.h"

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
INLINE u32 ipv4_src(const void *p) { return be32(p + 12); }
INLINE u8 icmp_kind(const void *p) { return *(const u8 *)p; }
struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
    struct place icmp; // icmp
};

struct meta {
    u8 level;
};

enum {
    DROP_RATE_EXCEEDED,
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

// pipeline.rs:37 table gateway
struct gateway_data {
    u32 index;
    u8 action;
    u8 pad0[3];
};

struct gateway_level {
    u32 index;
    u8 action;
    u8 level;
    u8 pad0[2];
};

struct gateway_entry {
    u32 src_value;
    u32 src_mask;
    struct gateway_data data;
};

struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(max_entries, 16);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct gateway_entry);
} gateway SEC(".maps");

struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(max_entries, 1);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u32);
} gateway_half SEC(".maps");

// The best entry comes first.
INLINE struct gateway_data *gateway_find(u32 src, u32 *cell)
{
    u32 zero = 0;
    u32 *half = map_lookup(&gateway_half, &zero);
    if (!half)
        return 0;
    for (u32 i = 0; i < 8; i++) {
        u32 index = (*half & 1) * 8 + i;
        struct gateway_entry *e = map_lookup(&gateway, &index);
        if (!e || !e->data.action)
            return 0;
        if ((src & e->src_mask) == e->src_value) {
            *cell = e->data.index;
            return &e->data;
        }
    }
    return 0;
}

// pipeline.rs:40 counter by_type
struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 256);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} by_type SEC(".maps");

// pipeline.rs:43 limiter icmp_rate
static u32 icmp_rate;

// The control for packets whose way through the parser is start, ipv4, icmp.
INLINE int ingress_ipv4_icmp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *ip4 = (void *)(at + 14);
    void *icmp = (void *)(at + 34);
    u32 frame_length = end - at;
    u8 allowed = 0;
    u32 limit = 0xffff;

    count_packet(&by_type, (u32)icmp_kind(icmp), frame_length);
    { // pipeline.rs:74 table gateway
        u32 cell = 0;
        struct gateway_data *e = gateway_find(ipv4_src(ip4), &cell);
        switch (e ? e->action : 0) {
            case 1: { // level
                const struct gateway_level *level = (void *)e;
                m->level = level->level;
                break;
            }
            default: {
                break;
            }
        }
    }
    if (m->level != 1) {
        allowed = limiter_allow(&icmp_rate, 3);
        if (!allowed) {
            return drop(DROP_RATE_EXCEEDED);
        }
    }
    if (frame_length > 128 && m->level == 0) {
        limit = limit < 128 ? limit : 128;
    }
    {
        u32 length = packet_end(ctx) - packet_start(ctx);
        if (length > limit && xdp_adjust_tail(ctx, (int)(limit - length)))
            return XDP_ABORTED;
    }
    return forward(ctx, ingress_port(ctx) ^ 1);
}

// The parser, as far as the frequent ways go.
// pipeline.rs:64
INLINE int parse_ipv4_icmp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 42 > end)
        return AGAIN;
    return ingress_ipv4_icmp(ctx, at, end, m);
}

// pipeline.rs:55
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *ip4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_protocol(ip4) == 1)
        return parse_ipv4_icmp(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:46
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *eth = at;
    if (at + 14 > end)
        return AGAIN;
    if (ethernet_ethertype(eth) == 2048)
        return parse_ipv4(ctx, at, end, m);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h, struct meta *m)
{
    u32 frame_length = end - at;
    u8 allowed = 0;
    u32 limit = 0xffff;

    if (!is_there(&h->icmp)) {
        return XDP_PASS;
    }
    count_packet(&by_type, (u32)icmp_kind(h->icmp.p), frame_length);
    { // pipeline.rs:74 table gateway
        u32 cell = 0;
        struct gateway_data *e = gateway_find((is_there(&h->ip4) ? ipv4_src(h->ip4.p) : 0), &cell);
        switch (e ? e->action : 0) {
            case 1: { // level
                const struct gateway_level *level = (void *)e;
                m->level = level->level;
                break;
            }
            default: {
                break;
            }
        }
    }
    if (m->level != 1) {
        allowed = limiter_allow(&icmp_rate, 3);
        if (!allowed) {
            return drop(DROP_RATE_EXCEEDED);
        }
    }
    if (frame_length > 128 && m->level == 0) {
        limit = limit < 128 ? limit : 128;
    }
    {
        u32 length = packet_end(ctx) - packet_start(ctx);
        if (length > limit && xdp_adjust_tail(ctx, (int)(limit - length)))
            return XDP_ABORTED;
    }
    return forward(ctx, ingress_port(ctx) ^ 1);
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
parse_start: // pipeline.rs:46
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    goto accept;
parse_ipv4: // pipeline.rs:55
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_protocol(h->ip4.p) == 1)
        goto parse_icmp;
    goto accept;
parse_icmp: // pipeline.rs:64
    if (at + 8 > end)
        goto accept;
    h->icmp = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
