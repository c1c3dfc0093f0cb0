// keys: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/exact.h"
#include "guideway/ports.h"

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE u8 ipv4_version(const void *p) { return *(const u8 *)p >> 4; }
INLINE u8 ipv4_ihl(const void *p) { return (*(const u8 *)p) & 15; }
INLINE u8 ipv4_tos(const void *p) { return *(const u8 *)(p + 1); }
INLINE void set_ipv4_tos(void *p, u8 x)
{
    *(u8 *)(p + 1) = x;
}

INLINE u8 ipv4_more_fragments(const void *p) { return (*(const u8 *)(p + 6) >> 5) & 1; }
INLINE u8 ipv4_ttl(const void *p) { return *(const u8 *)(p + 8); }
INLINE u16 ipv4_checksum(const void *p) { return be16(p + 10); }
INLINE void set_ipv4_checksum(void *p, u16 x)
{
    put16(p + 10, x);
}

INLINE u32 ipv4_dst(const void *p) { return be32(p + 16); }
struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
};

struct meta {
    u32 to;
};

enum {
    DROP_NOT_IP,
    DROP_NO_SUBNET,
    DROP_REFUSED,
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

// pipeline.rs:36 table subnet
struct subnet_data {
    u32 index;
    u8 action;
    u8 pad0[11];
};

struct subnet_out {
    u32 index;
    u8 action;
    u8 pad0[3];
    u32 port;
    u8 pad1[4];
};

struct subnet_key {
    u32 prefix;
    u8 bytes[3];
} __attribute__((packed));

struct {
    MAP_NUMBER(type, MAP_LPM_TRIE);
    MAP_NUMBER(map_flags, MAP_NO_PREALLOC);
    MAP_NUMBER(max_entries, 64);
    MAP_TYPE(key, struct subnet_key);
    MAP_TYPE(value, struct subnet_data);
} subnet SEC(".maps");

INLINE struct subnet_data *subnet_find(u8 line, u16 net, u32 *cell)
{
    struct subnet_key key = {.prefix = 24};
    key.bytes[0] = line >> 0;
    key.bytes[1] = net >> 8;
    key.bytes[2] = net >> 0;
    struct subnet_data *e = map_lookup(&subnet, &key);
    if (e)
        *cell = e->index;
    return e;
}

// pipeline.rs:55 table grade
struct grade_data {
    u8 action;
    u8 pad0[7];
};

struct grade_grade {
    u8 action;
    u8 tos;
    u8 pad0[6];
};

struct grade_set {
    u64 keys[4][1];
    struct grade_data data[4];
};

struct grade_set grade[512] SEC(".data.grade");

INLINE struct grade_data *grade_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 1, 512);
    struct grade_set *s = &grade[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// The control for packets whose way through the parser is start, ipv4.
INLINE int ingress_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *ip4 = (void *)(at + 14);

    { // pipeline.rs:76 table subnet
        u32 cell = 0;
        struct subnet_data *e = subnet_find((u8)(ingress_port(ctx) & 0xf), (u16)(ipv4_dst(ip4) >> 8), &cell);
        switch (e ? e->action : 0) {
            case 1: { // out
                const struct subnet_out *out = (void *)e;
                m->to = out->port;
                break;
            }
            default: {
                return drop(DROP_NO_SUBNET);
            }
        }
    }
    { // pipeline.rs:85 table grade
        u32 cell = 0;
        struct grade_data *e = grade_find(0x20000ull | (u64)(ipv4_tos(ip4) & 3) << 9 | (u64)((u8)(ipv4_ttl(ip4) + 1)) << 1 | (u64)ipv4_more_fragments(ip4), &cell);
        switch (e ? e->action : 0) {
            case 1: { // grade
                const struct grade_grade *grade_2 = (void *)e;
                set_ipv4_checksum(ip4, adjust(ipv4_checksum(ip4), ((u16)(ipv4_version(ip4) << 4 | ipv4_ihl(ip4)) << 8 | ipv4_tos(ip4)), ((u16)(ipv4_version(ip4) << 4 | ipv4_ihl(ip4)) << 8 | grade_2->tos)));
                set_ipv4_tos(ip4, grade_2->tos);
                break;
            }
            case 2: { // refuse
                return drop(DROP_REFUSED);
            }
            default: {
                break;
            }
        }
    }
    return forward(ctx, m->to);
}

// The parser, as far as the frequent ways go.
// pipeline.rs:67
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 34 > end)
        return AGAIN;
    return ingress_ipv4(ctx, at, end, m);
}

// pipeline.rs:58
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

    if (!is_there(&h->ip4)) {
        return drop(DROP_NOT_IP);
    }
    { // pipeline.rs:76 table subnet
        u32 cell = 0;
        struct subnet_data *e = subnet_find((u8)(ingress_port(ctx) & 0xf), (u16)(ipv4_dst(h->ip4.p) >> 8), &cell);
        switch (e ? e->action : 0) {
            case 1: { // out
                const struct subnet_out *out = (void *)e;
                m->to = out->port;
                break;
            }
            default: {
                return drop(DROP_NO_SUBNET);
            }
        }
    }
    { // pipeline.rs:85 table grade
        u32 cell = 0;
        struct grade_data *e = grade_find(0x20000ull | (u64)(ipv4_tos(h->ip4.p) & 3) << 9 | (u64)((u8)(ipv4_ttl(h->ip4.p) + 1)) << 1 | (u64)ipv4_more_fragments(h->ip4.p), &cell);
        switch (e ? e->action : 0) {
            case 1: { // grade
                const struct grade_grade *grade_2 = (void *)e;
                set_ipv4_checksum(h->ip4.p, adjust(ipv4_checksum(h->ip4.p), ((u16)(ipv4_version(h->ip4.p) << 4 | ipv4_ihl(h->ip4.p)) << 8 | ipv4_tos(h->ip4.p)), ((u16)(ipv4_version(h->ip4.p) << 4 | ipv4_ihl(h->ip4.p)) << 8 | grade_2->tos)));
                set_ipv4_tos(h->ip4.p, grade_2->tos);
                break;
            }
            case 2: { // refuse
                return drop(DROP_REFUSED);
            }
            default: {
                break;
            }
        }
    }
    return forward(ctx, m->to);
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
parse_start: // pipeline.rs:58
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    goto accept;
parse_ipv4: // pipeline.rs:67
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
