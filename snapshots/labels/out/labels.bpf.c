// labels: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/counters.h"
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

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE void set_ethernet_ethertype(void *p, u16 x)
{
    put16(p + 12, x);
}

struct mpls {
    u32 label;
    u8 tc;
    u8 bottom;
    u8 ttl;
    u8 valid;
    u8 parsed;
};

INLINE void load_mpls(struct mpls *x, const void *p)
{
    x->label = be24(p) >> 4;
    x->tc = (*(const u8 *)(p + 2) >> 1) & 7;
    x->bottom = (*(const u8 *)(p + 2)) & 1;
    x->ttl = *(const u8 *)(p + 3);
    x->valid = x->parsed = 1;
}

INLINE void store_mpls(void *p, const struct mpls *x)
{
    put24(p, (u64)x->label << 4 | (u64)x->tc << 1 | x->bottom);
    *(u8 *)(p + 3) = x->ttl;
}

INLINE u32 mpls_label(const void *p) { return be24(p) >> 4; }
INLINE void set_mpls_label(void *p, u32 x)
{
    u64 old = be24(p);
    u64 new = (old & ~(u64)0xfffff0) | (u64)x << 4;
    put24(p, new);
}

INLINE u8 mpls_bottom(const void *p) { return (*(const u8 *)(p + 2)) & 1; }
INLINE u8 mpls_ttl(const void *p) { return *(const u8 *)(p + 3); }
INLINE void set_mpls_ttl(void *p, u8 x)
{
    *(u8 *)(p + 3) = x;
}

struct headers {
    struct place eth; // ethernet
    struct place label_0; // mpls
    struct place label_1; // mpls
    struct place label_2; // mpls
    struct place label_3; // mpls
    struct place ip4; // ipv4
};

struct meta {
    u8 depth;
    u8 first;
};

enum {
    DROP_NO_LABEL,
    DROP_TOO_DEEP,
    DROP_EXPIRED,
    DROP_UNKNOWN,
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

// pipeline.rs:35 table labels
struct labels_data {
    u8 action;
    u8 pad0[15];
};

struct labels_swap {
    u8 action;
    u8 pad0[3];
    u32 to;
    u32 port;
    u8 pad1[4];
};

struct labels_pop_top {
    u8 action;
    u8 pad0[3];
    u32 port;
    u8 pad1[8];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 65536);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} labels_hits SEC(".maps");

struct labels_set {
    u64 keys[4][1];
    struct labels_data data[4];
};

struct labels_set labels[16384] SEC(".data.labels");

INLINE struct labels_data *labels_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 0, 16384);
    struct labels_set *s = &labels[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:38 counter depth
struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 5);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} depth SEC(".maps");

// The control for packets whose way through the parser is start, stack_0, below, ipv4.
INLINE int ingress_stack_0_below_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct place label_0 = {(void *)(at + 14), 1, 1};
    u32 frame_length = end - at;

    count_packet(&depth, 1, frame_length);
    if (mpls_ttl(label_0.p) <= 1) {
        return drop(DROP_EXPIRED);
    }
    { // pipeline.rs:85 table labels
        u32 cell = 0;
        struct labels_data *e = labels_find(0x100000ull | (u64)mpls_label(label_0.p), &cell);
        if (e)
            count_packet(&labels_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // swap
                const struct labels_swap *swap = (void *)e;
                set_mpls_label(label_0.p, swap->to);
                set_mpls_ttl(label_0.p, (u8)(mpls_ttl(label_0.p) - 1));
                return forward(ctx, swap->port);
            }
            case 2: { // pop_top
                const struct labels_pop_top *pop_top = (void *)e;
                set_ethernet_ethertype(eth, 2048);
                label_0 = (struct place){.parsed = label_0.parsed};
                {
                    struct ethernet moved_eth = {};
                    load_ethernet(&moved_eth, eth);
                    struct mpls moved_label_0 = {};
                    if (label_0.valid)
                        load_mpls(&moved_label_0, label_0.p);
                    if (xdp_adjust_head(ctx, -((label_0.valid - label_0.parsed) * 4)))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (at + 14 > end)
                        return XDP_ABORTED;
                    store_ethernet((void *)at, &moved_eth);
                    at += 14;
                    if (label_0.valid) {
                        if (at + 4 > end)
                            return XDP_ABORTED;
                        store_mpls((void *)at, &moved_label_0);
                        at += 4;
                    }
                }
                return forward(ctx, pop_top->port);
            }
            default: {
                return drop(DROP_UNKNOWN);
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:69
INLINE int parse_stack_0_below_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 38 > end)
        return AGAIN;
    return ingress_stack_0_below_ipv4(ctx, at, end, m);
}

// pipeline.rs:60
INLINE int parse_stack_0_below(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 19 > end)
        return AGAIN;
    m->first = *(const u8 *)(at + 18) >> 4;
    if (m->first == 4)
        return parse_stack_0_below_ipv4(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:50
INLINE int parse_stack_0(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *label_0 = at + 14;
    if (at + 18 > end)
        return AGAIN;
    m->depth = (u8)(m->depth + 1);
    if (mpls_bottom(label_0) == 1)
        return parse_stack_0_below(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:41
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *eth = at;
    if (at + 14 > end)
        return AGAIN;
    if (ethernet_ethertype(eth) == 0x8847)
        return parse_stack_0(ctx, at, end, m);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h, struct meta *m)
{
    u32 frame_length = end - at;

    if (!is_there(&h->label_0)) {
        return drop(DROP_NO_LABEL);
    }
    count_packet(&depth, (u32)m->depth, frame_length);
    if (m->depth == 4 && (is_there(&h->label_3) ? mpls_bottom(h->label_3.p) : 0) == 0) {
        return drop(DROP_TOO_DEEP);
    }
    if (mpls_ttl(h->label_0.p) <= 1) {
        return drop(DROP_EXPIRED);
    }
    { // pipeline.rs:85 table labels
        u32 cell = 0;
        struct labels_data *e = labels_find(0x100000ull | (u64)mpls_label(h->label_0.p), &cell);
        if (e)
            count_packet(&labels_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // swap
                const struct labels_swap *swap = (void *)e;
                set_mpls_label(h->label_0.p, swap->to);
                set_mpls_ttl(h->label_0.p, (u8)(mpls_ttl(h->label_0.p) - 1));
                return forward(ctx, swap->port);
            }
            case 2: { // pop_top
                const struct labels_pop_top *pop_top = (void *)e;
                if (mpls_bottom(h->label_0.p) == 1) {
                    if (!is_there(&h->ip4)) {
                        return XDP_PASS;
                    }
                    if (is_there(&h->eth))
                        set_ethernet_ethertype(h->eth.p, 2048);
                }
                h->label_0 = (struct place){.parsed = h->label_0.parsed};
                {
                    struct ethernet moved_eth = {};
                    if (is_there(&h->eth))
                        load_ethernet(&moved_eth, h->eth.p);
                    struct mpls moved_label_0 = {};
                    if (is_there(&h->label_0))
                        load_mpls(&moved_label_0, h->label_0.p);
                    if (xdp_adjust_head(ctx, -((is_there(&h->label_0) - h->label_0.parsed) * 4)))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (is_there(&h->eth)) {
                        if (at + 14 > end)
                            return XDP_ABORTED;
                        store_ethernet((void *)at, &moved_eth);
                        at += 14;
                    }
                    if (is_there(&h->label_0)) {
                        if (at + 4 > end)
                            return XDP_ABORTED;
                        store_mpls((void *)at, &moved_label_0);
                        at += 4;
                    }
                }
                return forward(ctx, pop_top->port);
            }
            default: {
                return drop(DROP_UNKNOWN);
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
parse_start: // pipeline.rs:41
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 0x8847)
        goto parse_stack_0;
    goto accept;
parse_stack_0: // pipeline.rs:50
    if (at + 4 > end)
        goto accept;
    h->label_0 = (struct place){(void *)at, 1, 1};
    at += 4;
    m->depth = (u8)(m->depth + 1);
    if (mpls_bottom(h->label_0.p) == 1)
        goto parse_below;
    goto parse_stack_1;
parse_stack_1: // pipeline.rs:50
    if (at + 4 > end)
        goto accept;
    h->label_1 = (struct place){(void *)at, 1, 1};
    at += 4;
    m->depth = (u8)(m->depth + 1);
    if (mpls_bottom(h->label_1.p) == 1)
        goto parse_below;
    goto parse_stack_2;
parse_stack_2: // pipeline.rs:50
    if (at + 4 > end)
        goto accept;
    h->label_2 = (struct place){(void *)at, 1, 1};
    at += 4;
    m->depth = (u8)(m->depth + 1);
    if (mpls_bottom(h->label_2.p) == 1)
        goto parse_below;
    goto parse_stack_3;
parse_stack_3: // pipeline.rs:50
    if (at + 4 > end)
        goto accept;
    h->label_3 = (struct place){(void *)at, 1, 1};
    at += 4;
    m->depth = (u8)(m->depth + 1);
    if (mpls_bottom(h->label_3.p) == 1)
        goto parse_below;
    goto accept;
parse_below: // pipeline.rs:60
    if (at + 1 > end)
        goto accept;
    m->first = *(const u8 *)at >> 4;
    if (m->first == 4)
        goto parse_ipv4;
    goto accept;
parse_ipv4: // pipeline.rs:69
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
