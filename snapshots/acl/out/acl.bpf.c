// acl: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/ports.h"

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE u8 ipv4_version(const void *p) { return *(const u8 *)p >> 4; }
INLINE u8 ipv4_ihl(const void *p) { return (*(const u8 *)p) & 15; }
INLINE u8 ipv4_tos(const void *p) { return *(const u8 *)(p + 1); }
INLINE void set_ipv4_tos(void *p, u8 x)
{
    *(u8 *)(p + 1) = x;
}

INLINE u16 ipv4_fragment_offset(const void *p) { return (be16(p + 6)) & 8191; }
INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
INLINE u16 ipv4_checksum(const void *p) { return be16(p + 10); }
INLINE void set_ipv4_checksum(void *p, u16 x)
{
    put16(p + 10, x);
}

INLINE u32 ipv4_src(const void *p) { return be32(p + 12); }
INLINE u32 ipv4_dst(const void *p) { return be32(p + 16); }
INLINE u16 tcp_dst_port(const void *p) { return be16(p + 2); }
INLINE u16 udp_dst_port(const void *p) { return be16(p + 2); }
struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
    struct place tcp; // tcp
    struct place udp; // udp
};

struct meta {
    u16 dst_port;
};

enum {
    DROP_NOT_IP,
    DROP_DENIED,
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

// pipeline.rs:39 table rules
struct rules_data {
    u32 index;
    u8 action;
    u8 pad0[11];
};

struct rules_permit {
    u32 index;
    u8 action;
    u8 pad0[3];
    u32 port;
    u8 pad1[4];
};

struct rules_mirror {
    u32 index;
    u8 action;
    u8 tos;
    u8 pad0[2];
    u32 port;
    u8 pad1[4];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 64);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} rules_hits SEC(".maps");

struct rules_entry {
    u32 src_value;
    u32 src_mask;
    u32 dst_value;
    u32 dst_mask;
    u16 dst_port_low;
    u16 dst_port_high;
    u8 protocol_value;
    u8 protocol_mask;
    u8 pad0[2];
    struct rules_data data;
};

struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(max_entries, 128);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct rules_entry);
} rules SEC(".maps");

struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(max_entries, 1);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u32);
} rules_half SEC(".maps");

// The best entry comes first.
INLINE struct rules_data *rules_find(u32 src, u32 dst, u8 protocol, u16 dst_port, u32 *cell)
{
    u32 zero = 0;
    u32 *half = map_lookup(&rules_half, &zero);
    if (!half)
        return 0;
    for (u32 i = 0; i < 64; i++) {
        u32 index = (*half & 1) * 64 + i;
        struct rules_entry *e = map_lookup(&rules, &index);
        if (!e || !e->data.action)
            return 0;
        if ((src & e->src_mask) == e->src_value && (dst & e->dst_mask) == e->dst_value && (protocol & e->protocol_mask) == e->protocol_value && dst_port >= e->dst_port_low && dst_port <= e->dst_port_high) {
            *cell = e->data.index;
            return &e->data;
        }
    }
    return 0;
}

// The control for packets whose way through the parser is start, ipv4, tcp.
INLINE int ingress_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *ip4 = (void *)(at + 14);
    void *tcp = (void *)(at + 34);
    u32 frame_length = end - at;

    m->dst_port = tcp_dst_port(tcp);
    { // pipeline.rs:82 table rules
        u32 cell = 0;
        struct rules_data *e = rules_find(ipv4_src(ip4), ipv4_dst(ip4), 6, m->dst_port, &cell);
        if (e)
            count_packet(&rules_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // permit
                const struct rules_permit *permit = (void *)e;
                return forward(ctx, permit->port);
            }
            case 2: { // mirror
                const struct rules_mirror *mirror = (void *)e;
                set_ipv4_checksum(ip4, adjust(ipv4_checksum(ip4), ((u16)(ipv4_version(ip4) << 4 | 5) << 8 | ipv4_tos(ip4)), ((u16)(ipv4_version(ip4) << 4 | 5) << 8 | mirror->tos)));
                set_ipv4_tos(ip4, mirror->tos);
                return forward(ctx, mirror->port);
            }
            default: {
                if (e) {
                }
                return drop(DROP_DENIED);
            }
        }
    }
}

// The control for packets whose way through the parser is start, ipv4, udp.
INLINE int ingress_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *ip4 = (void *)(at + 14);
    void *udp = (void *)(at + 34);
    u32 frame_length = end - at;

    m->dst_port = udp_dst_port(udp);
    { // pipeline.rs:82 table rules
        u32 cell = 0;
        struct rules_data *e = rules_find(ipv4_src(ip4), ipv4_dst(ip4), 17, m->dst_port, &cell);
        if (e)
            count_packet(&rules_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // permit
                const struct rules_permit *permit = (void *)e;
                return forward(ctx, permit->port);
            }
            case 2: { // mirror
                const struct rules_mirror *mirror = (void *)e;
                set_ipv4_checksum(ip4, adjust(ipv4_checksum(ip4), ((u16)(ipv4_version(ip4) << 4 | 5) << 8 | ipv4_tos(ip4)), ((u16)(ipv4_version(ip4) << 4 | 5) << 8 | mirror->tos)));
                set_ipv4_tos(ip4, mirror->tos);
                return forward(ctx, mirror->port);
            }
            default: {
                if (e) {
                }
                return drop(DROP_DENIED);
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:61
INLINE int parse_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 54 > end)
        return AGAIN;
    return ingress_ipv4_tcp(ctx, at, end, m);
}

// pipeline.rs:67
INLINE int parse_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 42 > end)
        return AGAIN;
    return ingress_ipv4_udp(ctx, at, end, m);
}

// pipeline.rs:51
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *ip4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_ihl(ip4) == 5 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 6)
        return parse_ipv4_tcp(ctx, at, end, m);
    if (ipv4_ihl(ip4) == 5 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 17)
        return parse_ipv4_udp(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:42
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

    if (!is_there(&h->ip4)) {
        return drop(DROP_NOT_IP);
    }
    if (is_there(&h->tcp)) {
        m->dst_port = tcp_dst_port(h->tcp.p);
    } else {
        if (is_there(&h->udp)) {
            m->dst_port = udp_dst_port(h->udp.p);
        }
    }
    { // pipeline.rs:82 table rules
        u32 cell = 0;
        struct rules_data *e = rules_find(ipv4_src(h->ip4.p), ipv4_dst(h->ip4.p), ipv4_protocol(h->ip4.p), m->dst_port, &cell);
        if (e)
            count_packet(&rules_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // permit
                const struct rules_permit *permit = (void *)e;
                return forward(ctx, permit->port);
            }
            case 2: { // mirror
                const struct rules_mirror *mirror = (void *)e;
                set_ipv4_checksum(h->ip4.p, adjust(ipv4_checksum(h->ip4.p), ((u16)(ipv4_version(h->ip4.p) << 4 | ipv4_ihl(h->ip4.p)) << 8 | ipv4_tos(h->ip4.p)), ((u16)(ipv4_version(h->ip4.p) << 4 | ipv4_ihl(h->ip4.p)) << 8 | mirror->tos)));
                set_ipv4_tos(h->ip4.p, mirror->tos);
                return forward(ctx, mirror->port);
            }
            default: {
                if (e) {
                }
                return drop(DROP_DENIED);
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
parse_start: // pipeline.rs:42
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    goto accept;
parse_ipv4: // pipeline.rs:51
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_ihl(h->ip4.p) == 5 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 6)
        goto parse_tcp;
    if (ipv4_ihl(h->ip4.p) == 5 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 17)
        goto parse_udp;
    goto accept;
parse_tcp: // pipeline.rs:61
    if (at + 20 > end)
        goto accept;
    h->tcp = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
parse_udp: // pipeline.rs:67
    if (at + 8 > end)
        goto accept;
    h->udp = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
