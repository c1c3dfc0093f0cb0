// One of every map, laid out as xdp_layout says for the pipeline in pipeline.rs. Byte 14 of a frame says which is asked.
#include "guideway/bpf.h"
#include "guideway/bytes.h"
#include "guideway/counters.h"
#include "guideway/exact.h"
#include "guideway/flow_narrow.h"
#include "guideway/ports.h"

enum { NO_POOL, NO_SLOT, MISS, STORED, NOT_STORED, EVENTS };

#define MAP(name, kind, flags, entries, key_type, value_type) \
    struct {                                                  \
        MAP_NUMBER(type, kind);                               \
        MAP_NUMBER(map_flags, flags);                         \
        MAP_NUMBER(max_entries, entries);                     \
        MAP_TYPE(key, key_type);                              \
        MAP_TYPE(value, value_type);                          \
    } name SEC(".maps")

#define ARRAY(name, type, elements) type name[elements] SEC(".data." #name)

struct out { u8 action, pad[3]; u32 port; };
struct slot { u32 key; u8 action, pad[3]; u32 port, pad2; };
struct indexed { u32 index; u8 action, pad[3]; u32 port, pad2; };
struct set { u64 keys[4]; struct out data[4]; };
struct prefix { u32 bits; u8 bytes[4]; };
struct rule { u32 value, mask; u16 low, high; u32 pad; struct indexed data; };

MAP(events, MAP_PERCPU_ARRAY, 0, EVENTS, u32, u64);
ARRAY(host, struct set, 64);
MAP(host_hits, MAP_PERCPU_ARRAY, 0, 256, u32, struct counter);
ARRAY(backend, struct slot, 16);
MAP(backend_hits, MAP_PERCPU_ARRAY, 0, 16, u32, struct counter);
MAP(route, MAP_LPM_TRIE, MAP_NO_PREALLOC, 8, struct prefix, struct indexed);
MAP(route_hits, MAP_PERCPU_ARRAY, 0, 8, u32, struct counter);
MAP(acl, MAP_ARRAY, 0, 8, u32, struct rule);
MAP(acl_half, MAP_ARRAY, 0, 1, u32, u32);
MAP(acl_hits, MAP_PERCPU_ARRAY, 0, 4, u32, struct counter);
ARRAY(fixed, struct set, 64);
ARRAY(pool, u32, 2);
ARRAY(ring, u32, 28);
MAP(a_counter_with_a_long_name, MAP_PERCPU_ARRAY, 0, 4, u32, struct counter);
MAP(flows, MAP_ARRAY, MAP_MMAPABLE, 16, u32, struct flow_narrow);

static const volatile u32 timeouts[32] SEC(".rodata") = {
    [FLOW_NEW << 2] = 448, [FLOW_TCP << 2] = 4471, [FLOW_UDP << 2] = 895, [FLOW_CLOSING << 2] = 895,
};

INLINE int drop(u32 reason)
{
    count_event(&events, reason);
    return XDP_DROP;
}

INLINE int in_set(const struct xdp_md *ctx, struct set *table, u32 number, void *hits, u64 key, u32 length)
{
    u32 index = exact_set(&key, 1, number, 64);
    struct set *set = &table[index];
    u32 way = exact_way(set->keys, &key, 1);
    if (way == EXACT_NONE)
        return drop(MISS);
    if (hits)
        count_packet(hits, index * 4 + way, length);
    return forward(ctx, set->data[way & 3].port);
}

INLINE int by_rule(const struct xdp_md *ctx, u32 src, u16 port, u32 length)
{
    u32 zero = 0, *half = map_lookup(&acl_half, &zero);
    if (!half)
        return drop(MISS);
    for (u32 i = 0; i < 4; i++) {
        u32 index = (*half & 1) * 4 + i;
        struct rule *r = map_lookup(&acl, &index);
        if (!r || !r->data.action)
            break;
        if ((src & r->mask) == r->value && port >= r->low && port <= r->high) {
            count_packet(&acl_hits, r->data.index, length);
            return forward(ctx, r->data.port);
        }
    }
    return drop(MISS);
}

INLINE int by_ring(const struct xdp_md *ctx, u32 number, u32 hash)
{
    u32 generation = number < 2 ? pool[number] : 0;
    if (!generation)
        return drop(NO_POOL);
    u32 index = (number * 2 + (generation & 1)) * 7 + hash % 7;
    OPAQUE(index);
    u32 e = index < 28 ? ring[index] : 0;
    if (e >> 24 != (generation & 0xff) || !(e & 0xffffff))
        return drop(NO_SLOT);
    return forward(ctx, e & 0xffffff);
}

INLINE int by_flow(const struct xdp_md *ctx, const u8 *at)
{
    u64 key = be64(at);
    struct flow f = {.key = {key}, .hash = (u32)key};
    flow_narrow_find(&f, &flows, 16, timeouts, be16(at + 8), FLOW_DATA, 0);
    if (f.hit) {
        flow_refresh(&f);
        return forward(ctx, f.id);
    }
    count_event(&events, flow_narrow_store(&f, &flows, 16, be16(at + 10), timeouts) ? STORED : NOT_STORED);
    return XDP_PASS;
}

SEC("xdp") int gw_main(struct xdp_md *ctx)
{
    u8 *data = packet_start(ctx), *end = packet_end(ctx);
    u32 length = end - data;
    if (data + 32 > end)
        return XDP_PASS;
    u8 *at = data + 16;
    u32 src = be32(at);
    switch (data[14]) {
    case 1:
        return in_set(ctx, host, 0, &host_hits, 1ull << 48 | (u64)src << 16 | be16(at + 4), length);
    case 2: {
        u32 key = be24(at), index = key & 15;
        struct slot *e = &backend[index];
        if (e->key != key || !e->action)
            return drop(MISS);
        count_packet(&backend_hits, index, length);
        return forward(ctx, e->port);
    }
    case 3: {
        struct prefix key = {32, {at[0], at[1], at[2], at[3]}};
        struct indexed *e = map_lookup(&route, &key);
        if (!e)
            return drop(MISS);
        count_packet(&route_hits, e->index, length);
        return forward(ctx, e->port);
    }
    case 4:
        return by_rule(ctx, src, be16(at + 4), length);
    case 5:
        return by_ring(ctx, be16(at), be32(at + 2));
    case 6:
        count_packet(&a_counter_with_a_long_name, at[0], length);
        return XDP_PASS;
    case 7:
        return by_flow(ctx, at);
    case 8:
        return in_set(ctx, fixed, 4, 0, 1ull << 32 | src, length);
    case 9:
        return forward(ctx, ingress_port(ctx));
    case 10: // what the headroom holds
        if (xdp_adjust_head(ctx, -8))
            return XDP_ABORTED;
        return forward(ctx, 1);
    default:
        return XDP_PASS;
    }
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
