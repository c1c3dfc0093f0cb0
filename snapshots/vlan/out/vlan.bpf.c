// vlan: made by Guideway from pipeline.rs for xdp.

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

struct vlan {
    u8 pcp;
    u8 dei;
    u16 id;
    u16 ethertype;
    u8 valid;
    u8 parsed;
};

INLINE void load_vlan(struct vlan *x, const void *p)
{
    x->pcp = *(const u8 *)p >> 5;
    x->dei = (*(const u8 *)p >> 4) & 1;
    x->id = (be16(p)) & 4095;
    x->ethertype = be16(p + 2);
    x->valid = x->parsed = 1;
}

INLINE void store_vlan(void *p, const struct vlan *x)
{
    put16(p, (u64)x->pcp << 13 | (u64)x->dei << 12 | x->id);
    put16(p + 2, x->ethertype);
}

struct headers {
    struct place eth; // ethernet
    struct vlan tag;
};

struct meta {
    u16 id;
};

enum {
    DROP_CUT,
    DROP_UNKNOWN_VLAN,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 2);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

// pipeline.rs:35 table vlans
struct vlans_data {
    u8 action;
    u8 pad0[7];
};

struct vlans_untag {
    u8 action;
    u8 pad0[3];
    u32 port;
};

struct vlans_tag {
    u8 action;
    u8 pcp;
    u16 id;
    u32 port;
};

struct vlans_retag {
    u8 action;
    u8 pad0[1];
    u16 id;
    u32 port;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 131072);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} vlans_hits SEC(".maps");

struct vlans_set {
    u64 keys[4][1];
    struct vlans_data data[4];
};

struct vlans_set vlans[32768] SEC(".data.vlans");

INLINE struct vlans_data *vlans_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 0, 32768);
    struct vlans_set *s = &vlans[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// The control for packets whose way through the parser is start, tag.
INLINE int ingress_tag(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    struct vlan tag;
    load_vlan(&tag, at + 14);
    u32 frame_length = end - at;

    m->id = tag.id;
    { // pipeline.rs:59 table vlans
        u32 cell = 0;
        struct vlans_data *e = vlans_find(0x100000000000ull | (u64)ingress_port(ctx) << 12 | (u64)m->id, &cell);
        if (e)
            count_packet(&vlans_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // untag
                const struct vlans_untag *untag = (void *)e;
                set_ethernet_ethertype(eth, tag.ethertype);
                tag = (struct vlan){.parsed = tag.parsed};
                {
                    struct ethernet moved_eth = {};
                    load_ethernet(&moved_eth, eth);
                    if (xdp_adjust_head(ctx, -((tag.valid - tag.parsed) * 4)))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (at + 14 > end)
                        return XDP_ABORTED;
                    store_ethernet((void *)at, &moved_eth);
                    at += 14;
                    if (tag.valid) {
                        if (at + 4 > end)
                            return XDP_ABORTED;
                        store_vlan((void *)at, &tag);
                        at += 4;
                    }
                }
                return forward(ctx, untag->port);
            }
            case 2: { // tag
                const struct vlans_tag *tag_2 = (void *)e;
                tag.id = tag_2->id;
                tag.pcp = tag_2->pcp;
                {
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (at + 18 > end)
                        return XDP_ABORTED;
                    at += 14;
                    store_vlan((void *)at, &tag);
                    at += 4;
                }
                return forward(ctx, tag_2->port);
            }
            case 3: { // retag
                const struct vlans_retag *retag = (void *)e;
                tag.id = retag->id;
                {
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (at + 18 > end)
                        return XDP_ABORTED;
                    at += 14;
                    store_vlan((void *)at, &tag);
                    at += 4;
                }
                return forward(ctx, retag->port);
            }
            default: {
                return drop(DROP_UNKNOWN_VLAN);
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:47
INLINE int parse_tag(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 18 > end)
        return AGAIN;
    return ingress_tag(ctx, at, end, m);
}

// pipeline.rs:38
INLINE int parse_start(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *eth = at;
    if (at + 14 > end)
        return AGAIN;
    if (ethernet_ethertype(eth) == 0x8100)
        return parse_tag(ctx, at, end, m);
    return AGAIN;
}

// The control for all other packets: which headers there are, their pointers say.
INLINE int ingress(struct xdp_md *ctx, const void *at, const void *end, struct headers *h, struct meta *m)
{
    u32 frame_length = end - at;

    if (!is_there(&h->eth) || (ethernet_ethertype(h->eth.p) == 0x8100 && !h->tag.valid)) {
        return drop(DROP_CUT);
    }
    if (h->tag.valid) {
        m->id = h->tag.id;
    }
    { // pipeline.rs:59 table vlans
        u32 cell = 0;
        struct vlans_data *e = vlans_find(0x100000000000ull | (u64)ingress_port(ctx) << 12 | (u64)m->id, &cell);
        if (e)
            count_packet(&vlans_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // untag
                const struct vlans_untag *untag = (void *)e;
                if (h->tag.valid) {
                    set_ethernet_ethertype(h->eth.p, h->tag.ethertype);
                    h->tag = (struct vlan){.parsed = h->tag.parsed};
                }
                {
                    struct ethernet moved_eth = {};
                    load_ethernet(&moved_eth, h->eth.p);
                    if (xdp_adjust_head(ctx, -((h->tag.valid - h->tag.parsed) * 4)))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (at + 14 > end)
                        return XDP_ABORTED;
                    store_ethernet((void *)at, &moved_eth);
                    at += 14;
                    if (h->tag.valid) {
                        if (at + 4 > end)
                            return XDP_ABORTED;
                        store_vlan((void *)at, &h->tag);
                        at += 4;
                    }
                }
                return forward(ctx, untag->port);
            }
            case 2: { // tag
                const struct vlans_tag *tag_2 = (void *)e;
                if (h->tag.valid) {
                    h->tag.id = tag_2->id;
                    h->tag.pcp = tag_2->pcp;
                } else {
                    if (!h->tag.valid)
                        h->tag = (struct vlan){.parsed = h->tag.parsed, .valid = 1};
                    if (h->tag.valid)
                        h->tag.pcp = tag_2->pcp;
                    if (h->tag.valid)
                        h->tag.dei = 0;
                    if (h->tag.valid)
                        h->tag.id = tag_2->id;
                    if (h->tag.valid)
                        h->tag.ethertype = ethernet_ethertype(h->eth.p);
                    set_ethernet_ethertype(h->eth.p, 0x8100);
                }
                {
                    struct ethernet moved_eth = {};
                    load_ethernet(&moved_eth, h->eth.p);
                    if (xdp_adjust_head(ctx, -((h->tag.valid - h->tag.parsed) * 4)))
                        return XDP_ABORTED;
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    if (at + 14 > end)
                        return XDP_ABORTED;
                    store_ethernet((void *)at, &moved_eth);
                    at += 14;
                    if (h->tag.valid) {
                        if (at + 4 > end)
                            return XDP_ABORTED;
                        store_vlan((void *)at, &h->tag);
                        at += 4;
                    }
                }
                return forward(ctx, tag_2->port);
            }
            case 3: { // retag
                const struct vlans_retag *retag = (void *)e;
                if (h->tag.valid)
                    h->tag.id = retag->id;
                {
                    at = packet_start(ctx);
                    end = packet_end(ctx);
                    at += 14;
                    if (h->tag.valid) {
                        if (at + 4 > end)
                            return XDP_ABORTED;
                        store_vlan((void *)at, &h->tag);
                        at += 4;
                    }
                }
                return forward(ctx, retag->port);
            }
            default: {
                return drop(DROP_UNKNOWN_VLAN);
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
parse_start: // pipeline.rs:38
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 0x8100)
        goto parse_tag;
    goto accept;
parse_tag: // pipeline.rs:47
    if (at + 4 > end)
        goto accept;
    load_vlan(&h->tag, at);
    at += 4;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
