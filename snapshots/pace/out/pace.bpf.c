// pace: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/counters.h"
#include "guideway/exact.h"
#include "guideway/limiter.h"
#include "guideway/ports.h"

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE u16 ipv4_fragment_offset(const void *p) { return (be16(p + 6)) & 8191; }
INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
INLINE u32 ipv4_dst(const void *p) { return be32(p + 16); }
INLINE u8 tcp_flags(const void *p) { return *(const u8 *)(p + 13); }
INLINE u16 udp_src_port(const void *p) { return be16(p); }
struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
    struct place tcp; // tcp
    struct place udp; // udp
};

enum {
    DROP_TOO_MANY_OPENS,
    DROP_TOO_MUCH_ELSE,
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

// pipeline.rs:32 table server
struct server_data {
    u8 action;
    u8 pad0[7];
};

struct server_open {
    u8 action;
    u8 pad0[3];
    u32 port;
};

struct server_shielded {
    u8 action;
    u8 pad0[3];
    u32 port;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 8192);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} server_hits SEC(".maps");

struct server_set {
    u64 keys[4][1];
    struct server_data data[4];
};

struct server_set server[2048] SEC(".data.server");

INLINE struct server_data *server_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 0, 2048);
    struct server_set *s = &server[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:35 limiter opens
static u32 opens;

// pipeline.rs:38 limiter rest
static u32 rest;

// The control for packets whose way through the parser is start, ipv4, tcp.
INLINE int ingress_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end)
{
    void *ip4 = (void *)(at + 14);
    void *tcp = (void *)(at + 34);
    u32 frame_length = end - at;
    u8 allowed = 0;

    { // pipeline.rs:75 table server
        u32 cell = 0;
        struct server_data *e = server_find(0x100000000ull | (u64)ipv4_dst(ip4), &cell);
        if (e)
            count_packet(&server_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // open
                const struct server_open *open = (void *)e;
                return forward(ctx, open->port);
            }
            case 2: { // shielded
                const struct server_shielded *shielded = (void *)e;
                if ((tcp_flags(tcp) & 23) == 2) {
                    allowed = limiter_allow(&opens, 2);
                    if (!allowed) {
                        return drop(DROP_TOO_MANY_OPENS);
                    }
                }
                return forward(ctx, shielded->port);
            }
            default: {
                return XDP_PASS;
            }
        }
    }
}

// The control for packets whose way through the parser is start, ipv4, udp.
INLINE int ingress_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end)
{
    void *ip4 = (void *)(at + 14);
    void *udp = (void *)(at + 34);
    u32 frame_length = end - at;
    u8 allowed_2 = 0;

    { // pipeline.rs:75 table server
        u32 cell = 0;
        struct server_data *e = server_find(0x100000000ull | (u64)ipv4_dst(ip4), &cell);
        if (e)
            count_packet(&server_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // open
                const struct server_open *open = (void *)e;
                return forward(ctx, open->port);
            }
            case 2: { // shielded
                const struct server_shielded *shielded = (void *)e;
                if (udp_src_port(udp) == 53) {
                    return forward(ctx, shielded->port);
                }
                allowed_2 = limiter_allow(&rest, 3);
                if (!allowed_2) {
                    return drop(DROP_TOO_MUCH_ELSE);
                }
                return forward(ctx, shielded->port);
            }
            default: {
                return XDP_PASS;
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:60
INLINE int parse_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end)
{
    if (at + 54 > end)
        return AGAIN;
    return ingress_ipv4_tcp(ctx, at, end);
}

// pipeline.rs:66
INLINE int parse_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end)
{
    if (at + 42 > end)
        return AGAIN;
    return ingress_ipv4_udp(ctx, at, end);
}

// pipeline.rs:50
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end)
{
    const void *ip4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 6)
        return parse_ipv4_tcp(ctx, at, end);
    if (ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 17)
        return parse_ipv4_udp(ctx, at, end);
    return AGAIN;
}

// pipeline.rs:41
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
    u8 allowed = 0;
    u8 allowed_2 = 0;

    if (!is_there(&h->ip4)) {
        return XDP_PASS;
    }
    { // pipeline.rs:75 table server
        u32 cell = 0;
        struct server_data *e = server_find(0x100000000ull | (u64)ipv4_dst(h->ip4.p), &cell);
        if (e)
            count_packet(&server_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // open
                const struct server_open *open = (void *)e;
                return forward(ctx, open->port);
            }
            case 2: { // shielded
                const struct server_shielded *shielded = (void *)e;
                if (is_there(&h->tcp)) {
                    if ((tcp_flags(h->tcp.p) & 23) == 2) {
                        allowed = limiter_allow(&opens, 2);
                        if (!allowed) {
                            return drop(DROP_TOO_MANY_OPENS);
                        }
                    }
                    return forward(ctx, shielded->port);
                }
                if (is_there(&h->udp) && udp_src_port(h->udp.p) == 53) {
                    return forward(ctx, shielded->port);
                }
                allowed_2 = limiter_allow(&rest, 3);
                if (!allowed_2) {
                    return drop(DROP_TOO_MUCH_ELSE);
                }
                return forward(ctx, shielded->port);
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
parse_start: // pipeline.rs:41
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    goto accept;
parse_ipv4: // pipeline.rs:50
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 6)
        goto parse_tcp;
    if (ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 17)
        goto parse_udp;
    goto accept;
parse_tcp: // pipeline.rs:60
    if (at + 20 > end)
        goto accept;
    h->tcp = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
parse_udp: // pipeline.rs:66
    if (at + 8 > end)
        goto accept;
    h->udp = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
