// nat: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/checksum.h"
#include "guideway/counters.h"
#include "guideway/exact.h"
#include "guideway/ports.h"

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE u8 ipv4_ihl(const void *p) { return (*(const u8 *)p) & 15; }
INLINE u8 ipv4_more_fragments(const void *p) { return (*(const u8 *)(p + 6) >> 5) & 1; }
INLINE u16 ipv4_fragment_offset(const void *p) { return (be16(p + 6)) & 8191; }
INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
INLINE u16 ipv4_checksum(const void *p) { return be16(p + 10); }
INLINE void set_ipv4_checksum(void *p, u16 x)
{
    put16(p + 10, x);
}

INLINE u32 ipv4_src(const void *p) { return be32(p + 12); }
INLINE void set_ipv4_src(void *p, u32 x)
{
    put32(p + 12, x);
}

INLINE u32 ipv4_dst(const void *p) { return be32(p + 16); }
INLINE void set_ipv4_dst(void *p, u32 x)
{
    put32(p + 16, x);
}

INLINE u16 tcp_dst_port(const void *p) { return be16(p + 2); }
INLINE void set_tcp_dst_port(void *p, u16 x)
{
    put16(p + 2, x);
}

INLINE u16 tcp_checksum(const void *p) { return be16(p + 16); }
INLINE void set_tcp_checksum(void *p, u16 x)
{
    put16(p + 16, x);
}

INLINE u16 udp_dst_port(const void *p) { return be16(p + 2); }
INLINE void set_udp_dst_port(void *p, u16 x)
{
    put16(p + 2, x);
}

INLINE u16 udp_checksum(const void *p) { return be16(p + 6); }
INLINE void set_udp_checksum(void *p, u16 x)
{
    put16(p + 6, x);
}

struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
    struct place tcp; // tcp
    struct place udp; // udp
};

enum {
    DROP_UNPARSED,
    DROP_NOT_OURS,
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

// pipeline.rs:41 table outside
struct outside_data {
    u8 action;
    u8 pad0[15];
};

struct outside_inward {
    u8 action;
    u8 pad0[1];
    u16 dst_port;
    u32 dst;
    u32 port;
    u8 pad1[4];
};

struct outside_outward {
    u8 action;
    u8 pad0[3];
    u32 src;
    u32 port;
    u8 pad1[4];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 32768);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} outside_hits SEC(".maps");

struct outside_set {
    u64 keys[4][1];
    struct outside_data data[4];
};

struct outside_set outside[8192] SEC(".data.outside");

INLINE struct outside_data *outside_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 0, 8192);
    struct outside_set *s = &outside[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:43 table inside
struct inside_data {
    u8 action;
    u8 pad0[15];
};

struct inside_inward {
    u8 action;
    u8 pad0[1];
    u16 dst_port;
    u32 dst;
    u32 port;
    u8 pad1[4];
};

struct inside_outward {
    u8 action;
    u8 pad0[3];
    u32 src;
    u32 port;
    u8 pad1[4];
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 32768);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} inside_hits SEC(".maps");

struct inside_set {
    u64 keys[4][1];
    struct inside_data data[4];
};

struct inside_set inside[8192] SEC(".data.inside");

INLINE struct inside_data *inside_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 1, 8192);
    struct inside_set *s = &inside[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// The control for packets whose way through the parser is start, ipv4, tcp.
INLINE int ingress_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end)
{
    void *ip4 = (void *)(at + 14);
    void *tcp = (void *)(at + 34);
    u32 frame_length = end - at;
    u16 dst_port = 0;
    u32 old = 0;
    u32 old_2 = 0;

    dst_port = tcp_dst_port(tcp);
    { // pipeline.rs:84 table outside
        u32 cell = 0;
        struct outside_data *e = outside_find(0x100000000000000ull | (u64)ipv4_dst(ip4) << 24 | (u64)6 << 16 | (u64)dst_port, &cell);
        if (e)
            count_packet(&outside_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // inward
                const struct outside_inward *inward = (void *)e;
                old = ipv4_dst(ip4);
                set_ipv4_checksum(ip4, adjust(adjust(ipv4_checksum(ip4), (u16)(old >> 16), (u16)(inward->dst >> 16)), (u16)(old & 0xffff), (u16)(inward->dst & 0xffff)));
                set_ipv4_dst(ip4, inward->dst);
                set_tcp_checksum(tcp, adjust(adjust(tcp_checksum(tcp), (u16)(old >> 16), (u16)(inward->dst >> 16)), (u16)(old & 0xffff), (u16)(inward->dst & 0xffff)));
                set_tcp_checksum(tcp, adjust(tcp_checksum(tcp), tcp_dst_port(tcp), inward->dst_port));
                set_tcp_dst_port(tcp, inward->dst_port);
                return forward(ctx, inward->port);
            }
            case 2: { // outward
                break;
            }
            default: {
                break;
            }
        }
    }
    { // pipeline.rs:104 table inside
        u32 cell = 0;
        struct inside_data *e = inside_find(0x100000000ull | (u64)ipv4_src(ip4), &cell);
        if (e)
            count_packet(&inside_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 2: { // outward
                const struct inside_outward *outward = (void *)e;
                old_2 = ipv4_src(ip4);
                set_ipv4_checksum(ip4, adjust(adjust(ipv4_checksum(ip4), (u16)(old_2 >> 16), (u16)(outward->src >> 16)), (u16)(old_2 & 0xffff), (u16)(outward->src & 0xffff)));
                set_ipv4_src(ip4, outward->src);
                set_tcp_checksum(tcp, adjust(adjust(tcp_checksum(tcp), (u16)(old_2 >> 16), (u16)(outward->src >> 16)), (u16)(old_2 & 0xffff), (u16)(outward->src & 0xffff)));
                return forward(ctx, outward->port);
            }
            case 1: { // inward
                return drop(DROP_NOT_OURS);
            }
            default: {
                return drop(DROP_NOT_OURS);
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
    u16 dst_port = 0;
    u32 old = 0;
    u32 old_2 = 0;

    dst_port = udp_dst_port(udp);
    { // pipeline.rs:84 table outside
        u32 cell = 0;
        struct outside_data *e = outside_find(0x100000000000000ull | (u64)ipv4_dst(ip4) << 24 | (u64)17 << 16 | (u64)dst_port, &cell);
        if (e)
            count_packet(&outside_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // inward
                const struct outside_inward *inward = (void *)e;
                old = ipv4_dst(ip4);
                set_ipv4_checksum(ip4, adjust(adjust(ipv4_checksum(ip4), (u16)(old >> 16), (u16)(inward->dst >> 16)), (u16)(old & 0xffff), (u16)(inward->dst & 0xffff)));
                set_ipv4_dst(ip4, inward->dst);
                if (udp_checksum(udp) != 0) {
                    set_udp_checksum(udp, adjust(adjust(udp_checksum(udp), (u16)(old >> 16), (u16)(inward->dst >> 16)), (u16)(old & 0xffff), (u16)(inward->dst & 0xffff)));
                }
                if (udp_checksum(udp) != 0) {
                    set_udp_checksum(udp, adjust(udp_checksum(udp), udp_dst_port(udp), inward->dst_port));
                }
                set_udp_dst_port(udp, inward->dst_port);
                return forward(ctx, inward->port);
            }
            case 2: { // outward
                break;
            }
            default: {
                break;
            }
        }
    }
    { // pipeline.rs:104 table inside
        u32 cell = 0;
        struct inside_data *e = inside_find(0x100000000ull | (u64)ipv4_src(ip4), &cell);
        if (e)
            count_packet(&inside_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 2: { // outward
                const struct inside_outward *outward = (void *)e;
                old_2 = ipv4_src(ip4);
                set_ipv4_checksum(ip4, adjust(adjust(ipv4_checksum(ip4), (u16)(old_2 >> 16), (u16)(outward->src >> 16)), (u16)(old_2 & 0xffff), (u16)(outward->src & 0xffff)));
                set_ipv4_src(ip4, outward->src);
                if (udp_checksum(udp) != 0) {
                    set_udp_checksum(udp, adjust(adjust(udp_checksum(udp), (u16)(old_2 >> 16), (u16)(outward->src >> 16)), (u16)(old_2 & 0xffff), (u16)(outward->src & 0xffff)));
                }
                return forward(ctx, outward->port);
            }
            case 1: { // inward
                return drop(DROP_NOT_OURS);
            }
            default: {
                return drop(DROP_NOT_OURS);
            }
        }
    }
}

// The parser, as far as the frequent ways go.
// pipeline.rs:65
INLINE int parse_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end)
{
    if (at + 54 > end)
        return AGAIN;
    return ingress_ipv4_tcp(ctx, at, end);
}

// pipeline.rs:71
INLINE int parse_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end)
{
    if (at + 42 > end)
        return AGAIN;
    return ingress_ipv4_udp(ctx, at, end);
}

// pipeline.rs:55
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end)
{
    const void *ip4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_ihl(ip4) == 5 && ipv4_more_fragments(ip4) == 0 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 6)
        return parse_ipv4_tcp(ctx, at, end);
    if (ipv4_ihl(ip4) == 5 && ipv4_more_fragments(ip4) == 0 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 17)
        return parse_ipv4_udp(ctx, at, end);
    return AGAIN;
}

// pipeline.rs:46
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
    u16 dst_port = 0;
    u32 old = 0;
    u32 old_2 = 0;

    if (!is_there(&h->ip4)) {
        return XDP_PASS;
    }
    if (!is_there(&h->tcp) && !is_there(&h->udp)) {
        return drop(DROP_UNPARSED);
    }
    dst_port = is_there(&h->tcp) ? (is_there(&h->tcp) ? tcp_dst_port(h->tcp.p) : 0) : (is_there(&h->udp) ? udp_dst_port(h->udp.p) : 0);
    { // pipeline.rs:84 table outside
        u32 cell = 0;
        struct outside_data *e = outside_find(0x100000000000000ull | (u64)ipv4_dst(h->ip4.p) << 24 | (u64)ipv4_protocol(h->ip4.p) << 16 | (u64)dst_port, &cell);
        if (e)
            count_packet(&outside_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // inward
                const struct outside_inward *inward = (void *)e;
                old = ipv4_dst(h->ip4.p);
                set_ipv4_checksum(h->ip4.p, adjust(adjust(ipv4_checksum(h->ip4.p), (u16)(old >> 16), (u16)(inward->dst >> 16)), (u16)(old & 0xffff), (u16)(inward->dst & 0xffff)));
                set_ipv4_dst(h->ip4.p, inward->dst);
                if (is_there(&h->tcp)) {
                    set_tcp_checksum(h->tcp.p, adjust(adjust(tcp_checksum(h->tcp.p), (u16)(old >> 16), (u16)(inward->dst >> 16)), (u16)(old & 0xffff), (u16)(inward->dst & 0xffff)));
                } else {
                    if ((is_there(&h->udp) ? udp_checksum(h->udp.p) : 0) != 0) {
                        if (is_there(&h->udp))
                            set_udp_checksum(h->udp.p, adjust(adjust((is_there(&h->udp) ? udp_checksum(h->udp.p) : 0), (u16)(old >> 16), (u16)(inward->dst >> 16)), (u16)(old & 0xffff), (u16)(inward->dst & 0xffff)));
                    }
                }
                if (is_there(&h->tcp)) {
                    set_tcp_checksum(h->tcp.p, adjust(tcp_checksum(h->tcp.p), tcp_dst_port(h->tcp.p), inward->dst_port));
                    set_tcp_dst_port(h->tcp.p, inward->dst_port);
                } else {
                    if ((is_there(&h->udp) ? udp_checksum(h->udp.p) : 0) != 0) {
                        if (is_there(&h->udp))
                            set_udp_checksum(h->udp.p, adjust((is_there(&h->udp) ? udp_checksum(h->udp.p) : 0), (is_there(&h->udp) ? udp_dst_port(h->udp.p) : 0), inward->dst_port));
                    }
                    if (is_there(&h->udp))
                        set_udp_dst_port(h->udp.p, inward->dst_port);
                }
                return forward(ctx, inward->port);
            }
            case 2: { // outward
                break;
            }
            default: {
                break;
            }
        }
    }
    { // pipeline.rs:104 table inside
        u32 cell = 0;
        struct inside_data *e = inside_find(0x100000000ull | (u64)ipv4_src(h->ip4.p), &cell);
        if (e)
            count_packet(&inside_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 2: { // outward
                const struct inside_outward *outward = (void *)e;
                old_2 = ipv4_src(h->ip4.p);
                set_ipv4_checksum(h->ip4.p, adjust(adjust(ipv4_checksum(h->ip4.p), (u16)(old_2 >> 16), (u16)(outward->src >> 16)), (u16)(old_2 & 0xffff), (u16)(outward->src & 0xffff)));
                set_ipv4_src(h->ip4.p, outward->src);
                if (is_there(&h->tcp)) {
                    set_tcp_checksum(h->tcp.p, adjust(adjust(tcp_checksum(h->tcp.p), (u16)(old_2 >> 16), (u16)(outward->src >> 16)), (u16)(old_2 & 0xffff), (u16)(outward->src & 0xffff)));
                } else {
                    if ((is_there(&h->udp) ? udp_checksum(h->udp.p) : 0) != 0) {
                        if (is_there(&h->udp))
                            set_udp_checksum(h->udp.p, adjust(adjust((is_there(&h->udp) ? udp_checksum(h->udp.p) : 0), (u16)(old_2 >> 16), (u16)(outward->src >> 16)), (u16)(old_2 & 0xffff), (u16)(outward->src & 0xffff)));
                    }
                }
                return forward(ctx, outward->port);
            }
            case 1: { // inward
                return drop(DROP_NOT_OURS);
            }
            default: {
                return drop(DROP_NOT_OURS);
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
    if (ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 6)
        goto parse_tcp;
    if (ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 17)
        goto parse_udp;
    goto accept;
parse_tcp: // pipeline.rs:65
    if (at + 20 > end)
        goto accept;
    h->tcp = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
parse_udp: // pipeline.rs:71
    if (at + 8 > end)
        goto accept;
    h->udp = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
