// pin: made by Guideway from pipeline.rs for xdp.

#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/counters.h"
#include "guideway/crc32.h"
#include "guideway/exact.h"
#include "guideway/flow.h"
#include "guideway/flow_narrow.h"
#include "guideway/ports.h"

INLINE u64 ethernet_dst(const void *p) { return be48(p); }
INLINE void set_ethernet_dst(void *p, u64 x)
{
    put48(p, x);
}

INLINE u16 ethernet_ethertype(const void *p) { return be16(p + 12); }
INLINE u8 ipv4_version(const void *p) { return *(const u8 *)p >> 4; }
INLINE u8 ipv4_ihl(const void *p) { return (*(const u8 *)p) & 15; }
INLINE u8 ipv4_more_fragments(const void *p) { return (*(const u8 *)(p + 6) >> 5) & 1; }
INLINE u16 ipv4_fragment_offset(const void *p) { return (be16(p + 6)) & 8191; }
INLINE u8 ipv4_protocol(const void *p) { return *(const u8 *)(p + 9); }
INLINE u32 ipv4_src(const void *p) { return be32(p + 12); }
INLINE u32 ipv4_dst(const void *p) { return be32(p + 16); }
INLINE u16 tcp_src_port(const void *p) { return be16(p); }
INLINE u16 tcp_dst_port(const void *p) { return be16(p + 2); }
INLINE u8 tcp_flags(const void *p) { return *(const u8 *)(p + 13); }
INLINE u16 udp_src_port(const void *p) { return be16(p); }
INLINE u16 udp_dst_port(const void *p) { return be16(p + 2); }
struct headers {
    struct place eth; // ethernet
    struct place ip4; // ipv4
    struct place tcp; // tcp
    struct place udp; // udp
};

struct meta {
    u16 src_port;
    u16 dst_port;
};

enum {
    DROP_NO_POOL,
    DROP_NO_SLOT,
    DROP_NO_SERVER,
    FLOWS_STORED,
    FLOWS_NOT_STORED,
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 5);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, u64);
} events SEC(".maps");

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

// pipeline.rs:44 table service
struct service_data {
    u8 action;
    u8 pad0[7];
};

struct service_service {
    u8 action;
    u8 pool;
    u8 pad0[2];
    u32 fold;
};

struct {
    MAP_NUMBER(type, MAP_PERCPU_ARRAY);
    MAP_NUMBER(max_entries, 2048);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct counter);
} service_hits SEC(".maps");

struct service_set {
    u64 keys[4][1];
    struct service_data data[4];
};

struct service_set service[512] SEC(".data.service");

INLINE struct service_data *service_find(u64 word0, u32 *cell)
{
    u64 key[] = {word0};
    u32 set = exact_set(key, 1, 0, 512);
    struct service_set *s = &service[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:70 table server
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
    u32 set = exact_set(key, 1, 1, 2048);
    struct server_set *s = &server[set];
    u32 way = exact_way(&s->keys[0][0], key, 1);
    if (way == EXACT_NONE)
        return 0;
    *cell = set * 4 + way;
    return &s->data[way];
}

// pipeline.rs:58 ring servers
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

// pipeline.rs:55 flow table flows: 8192 buckets of 4 ways
struct {
    MAP_NUMBER(type, MAP_ARRAY);
    MAP_NUMBER(map_flags, MAP_MMAPABLE);
    MAP_NUMBER(max_entries, 8192);
    MAP_TYPE(key, u32);
    MAP_TYPE(value, struct flow_narrow);
} flows SEC(".maps");

// The age in ticks at which an entry expires, by state and class. A free way always has.
const volatile u32 flows_ages[32] SEC(".rodata") = {
    [FLOW_NEW * 4] = 151, 151, 151, 151,
    [FLOW_TCP * 4] = 4472, 4472, 4472, 4472,
    [FLOW_UDP * 4] = 896, 896, 896, 896,
    [FLOW_CLOSING * 4] = 151, 151, 151, 151,
};

CRC32_TABLES(16);

// The control for packets whose way through the parser is start, ipv4, tcp.
INLINE int ingress_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    void *ip4 = (void *)(at + 14);
    void *tcp = (void *)(at + 34);
    u32 frame_length = end - at;
    u32 hash = 0;
    u8 event = 0;
    u16 id = 0;
    u32 folded = 0;
    struct flow flow = {};

    m->src_port = tcp_src_port(tcp);
    m->dst_port = tcp_dst_port(tcp);
    { // pipeline.rs:113 table service
        u32 cell = 0;
        struct service_data *e = service_find(0x100000000ull | (u64)ipv4_dst(ip4), &cell);
        if (e)
            count_packet(&service_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // service
                const struct service_service *service_2 = (void *)e;
                folded = service_2->fold;
                // CRC-32 of 16 bytes: that of zeros, then what each byte adds
                hash = 0xecbb4b55 ^ folded; // with what the table's entry fixes
                hash ^= CRC32_32(12, 0);
                hash ^= CRC32_32(8, ipv4_src(ip4));
                hash ^= CRC32_16(2, m->src_port);
                hash ^= CRC32_16(0, m->dst_port);
                event = (tcp_flags(tcp) & 23) == 2 ? 1 : (tcp_flags(tcp) & 5) != 0 ? 4 : 2;
                flow = (struct flow){
                    .key = {(u64)ipv4_src(ip4) << 32 | ipv4_dst(ip4)},
                    .hash = hash,
                    .table = 1,
                };
                flow_narrow_find(&flow, &flows, 8192, flows_ages, m->src_port, event, 0);
                { // pipeline.rs:132 the flow's entry in server, or a new one
                    u32 cell = 0;
                    struct server_data *e = 0;
                    if (flow.hit) {
                        id = flow.id;
                        e = server_find(0x10000ull | (u64)id, &cell);
                        flow.hit = e != 0;
                    }
                    if (!flow.hit) {
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
                        e = server_find(0x10000ull | (u64)id, &cell);
                    }
                    if (e)
                        count_packet(&server_hits, cell, frame_length);
                    switch (e ? e->action : 0) {
                        case 1: { // to_mac
                            const struct server_to_mac *to_mac = (void *)e;
                            if (flow.hit)
                                flow_refresh(&flow);
                            else if (flow.fresh)
                                count_event(&events, flow_narrow_store(&flow, &flows, 8192, id, flows_ages) ? FLOWS_STORED : FLOWS_NOT_STORED);
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

// The control for packets whose way through the parser is start, ipv4, udp.
INLINE int ingress_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    void *eth = (void *)(at);
    void *ip4 = (void *)(at + 14);
    void *udp = (void *)(at + 34);
    u32 frame_length = end - at;
    u32 hash = 0;
    u16 id = 0;
    u32 folded = 0;
    struct flow flow = {};

    m->src_port = udp_src_port(udp);
    m->dst_port = udp_dst_port(udp);
    { // pipeline.rs:113 table service
        u32 cell = 0;
        struct service_data *e = service_find(0x100000000ull | (u64)ipv4_dst(ip4), &cell);
        if (e)
            count_packet(&service_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // service
                const struct service_service *service_2 = (void *)e;
                folded = service_2->fold;
                // CRC-32 of 16 bytes: that of zeros, then what each byte adds
                hash = 0xecbb4b55 ^ folded; // with what the table's entry fixes
                hash ^= CRC32_32(12, 0);
                hash ^= CRC32_32(8, ipv4_src(ip4));
                hash ^= CRC32_16(2, m->src_port);
                hash ^= CRC32_16(0, m->dst_port);
                flow = (struct flow){
                    .key = {(u64)ipv4_src(ip4) << 32 | ipv4_dst(ip4)},
                    .hash = hash,
                    .table = 1,
                };
                flow_narrow_find(&flow, &flows, 8192, flows_ages, m->src_port, 3, 0);
                { // pipeline.rs:132 the flow's entry in server, or a new one
                    u32 cell = 0;
                    struct server_data *e = 0;
                    if (flow.hit) {
                        id = flow.id;
                        e = server_find(0x10000ull | (u64)id, &cell);
                        flow.hit = e != 0;
                    }
                    if (!flow.hit) {
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
                        e = server_find(0x10000ull | (u64)id, &cell);
                    }
                    if (e)
                        count_packet(&server_hits, cell, frame_length);
                    switch (e ? e->action : 0) {
                        case 1: { // to_mac
                            const struct server_to_mac *to_mac = (void *)e;
                            if (flow.hit)
                                flow_refresh(&flow);
                            else if (flow.fresh)
                                count_event(&events, flow_narrow_store(&flow, &flows, 8192, id, flows_ages) ? FLOWS_STORED : FLOWS_NOT_STORED);
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
// pipeline.rs:92
INLINE int parse_ipv4_tcp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 54 > end)
        return AGAIN;
    return ingress_ipv4_tcp(ctx, at, end, m);
}

// pipeline.rs:98
INLINE int parse_ipv4_udp(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    if (at + 42 > end)
        return AGAIN;
    return ingress_ipv4_udp(ctx, at, end, m);
}

// pipeline.rs:82
INLINE int parse_ipv4(struct xdp_md *ctx, const void *at, const void *end, struct meta *m)
{
    const void *ip4 = at + 14;
    if (at + 34 > end)
        return AGAIN;
    if (ipv4_version(ip4) == 4 && ipv4_ihl(ip4) == 5 && ipv4_more_fragments(ip4) == 0 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 6)
        return parse_ipv4_tcp(ctx, at, end, m);
    if (ipv4_version(ip4) == 4 && ipv4_ihl(ip4) == 5 && ipv4_more_fragments(ip4) == 0 && ipv4_fragment_offset(ip4) == 0 && ipv4_protocol(ip4) == 17)
        return parse_ipv4_udp(ctx, at, end, m);
    return AGAIN;
}

// pipeline.rs:73
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
    u32 hash = 0;
    u8 event = 0;
    u16 id = 0;
    u32 folded = 0;
    struct flow flow = {};

    if (is_there(&h->tcp)) {
        m->src_port = tcp_src_port(h->tcp.p);
        m->dst_port = tcp_dst_port(h->tcp.p);
    } else {
        if (is_there(&h->udp)) {
            m->src_port = udp_src_port(h->udp.p);
            m->dst_port = udp_dst_port(h->udp.p);
        } else {
            return XDP_PASS;
        }
    }
    { // pipeline.rs:113 table service
        u32 cell = 0;
        struct service_data *e = service_find(0x100000000ull | (u64)(is_there(&h->ip4) ? ipv4_dst(h->ip4.p) : 0), &cell);
        if (e)
            count_packet(&service_hits, cell, frame_length);
        switch (e ? e->action : 0) {
            case 1: { // service
                const struct service_service *service_2 = (void *)e;
                folded = service_2->fold;
                // CRC-32 of 16 bytes: that of zeros, then what each byte adds
                hash = 0xecbb4b55 ^ folded; // with what the table's entry fixes
                hash ^= CRC32_32(12, 0);
                hash ^= CRC32_32(8, (is_there(&h->ip4) ? ipv4_src(h->ip4.p) : 0));
                hash ^= CRC32_16(2, m->src_port);
                hash ^= CRC32_16(0, m->dst_port);
                event = is_there(&h->udp) ? 3 : ((is_there(&h->tcp) ? tcp_flags(h->tcp.p) : 0) & 23) == 2 ? 1 : ((is_there(&h->tcp) ? tcp_flags(h->tcp.p) : 0) & 5) != 0 ? 4 : 2;
                flow = (struct flow){
                    .key = {(u64)(is_there(&h->ip4) ? ipv4_src(h->ip4.p) : 0) << 32 | (is_there(&h->ip4) ? ipv4_dst(h->ip4.p) : 0)},
                    .hash = hash,
                    .table = 1,
                };
                flow_narrow_find(&flow, &flows, 8192, flows_ages, m->src_port, event, 0);
                { // pipeline.rs:132 the flow's entry in server, or a new one
                    u32 cell = 0;
                    struct server_data *e = 0;
                    if (flow.hit) {
                        id = flow.id;
                        e = server_find(0x10000ull | (u64)id, &cell);
                        flow.hit = e != 0;
                    }
                    if (!flow.hit) {
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
                        e = server_find(0x10000ull | (u64)id, &cell);
                    }
                    if (e)
                        count_packet(&server_hits, cell, frame_length);
                    switch (e ? e->action : 0) {
                        case 1: { // to_mac
                            const struct server_to_mac *to_mac = (void *)e;
                            if (flow.hit)
                                flow_refresh(&flow);
                            else if (flow.fresh)
                                count_event(&events, flow_narrow_store(&flow, &flows, 8192, id, flows_ages) ? FLOWS_STORED : FLOWS_NOT_STORED);
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
    struct meta way_meta = {};
    int verdict = parse_start(ctx, packet_start(ctx), packet_end(ctx), &way_meta);
    if (LIKELY(verdict != AGAIN))
        return verdict;

    // All other packets, also those that end too soon for their way.
    const void *at = packet_start(ctx), *end = packet_end(ctx);
    struct headers headers = {}, *h = &headers;
    struct meta meta = {}, *m = &meta;
    goto parse_start;
parse_start: // pipeline.rs:73
    if (at + 14 > end)
        goto accept;
    h->eth = (struct place){(void *)at, 1, 1};
    at += 14;
    if (ethernet_ethertype(h->eth.p) == 2048)
        goto parse_ipv4;
    goto accept;
parse_ipv4: // pipeline.rs:82
    if (at + 20 > end)
        goto accept;
    h->ip4 = (struct place){(void *)at, 1, 1};
    at += 20;
    if (ipv4_version(h->ip4.p) == 4 && ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 6)
        goto parse_tcp;
    if (ipv4_version(h->ip4.p) == 4 && ipv4_ihl(h->ip4.p) == 5 && ipv4_more_fragments(h->ip4.p) == 0 && ipv4_fragment_offset(h->ip4.p) == 0 && ipv4_protocol(h->ip4.p) == 17)
        goto parse_udp;
    goto accept;
parse_tcp: // pipeline.rs:92
    if (at + 20 > end)
        goto accept;
    h->tcp = (struct place){(void *)at, 1, 1};
    at += 20;
    goto accept;
parse_udp: // pipeline.rs:98
    if (at + 8 > end)
        goto accept;
    h->udp = (struct place){(void *)at, 1, 1};
    at += 8;
    goto accept;
accept:
    return ingress(ctx, packet_start(ctx), packet_end(ctx), h, m);
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
