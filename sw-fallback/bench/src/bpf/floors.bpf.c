// Programs that do less than a load balancer: what is measured is told beside what they cost. For frames over IPv4,
// or over IPv6 with IPV6 defined.
#include "common.h"

enum { SLOTS = 65537, BACKENDS = 750, FLOWS = 1000000 };
#define PORTS_AT (14 + IP)

#ifdef IPV6
enum { IP = 40, ETHERTYPE = 0xdd86 };
struct address {
    u64 high, low;
};
#else
enum { IP = 20, ETHERTYPE = 0x0008 };
struct address {
    u32 word;
};
#endif

struct key {
    struct address from, to;
    u32 ports;
    u32 protocol;
};

struct {
    NUMBER(type, 2);
    NUMBER(max_entries, SLOTS);
    u32 *key;
    u32 *value;
} ring SEC(".maps");

struct {
    NUMBER(type, 2);
    NUMBER(max_entries, BACKENDS);
    u32 *key;
    u32 *value;
} backends SEC(".maps");

struct {
    NUMBER(type, 9);
    NUMBER(max_entries, FLOWS);
    struct key *key;
    u32 *value;
} known SEC(".maps");

SEC("xdp") int floor_drop(struct xdp_md *ctx) { return XDP_DROP; }
SEC("xdp") int floor_tx(struct xdp_md *ctx) { return XDP_TX; }

// TCP or UDP without options and fragments: whose is it?
INLINE int parse(struct xdp_md *ctx, struct key *key)
{
    u8 *p = start(ctx);
    if ((void *)(p + PORTS_AT + 8) > end(ctx) || *(u16 *)(p + 12) != ETHERTYPE)
        return -1;
#ifdef IPV6
    if (p[14] >> 4 != 6)
        return -1;
    key->from = (struct address){*(u64 *)(p + 22), *(u64 *)(p + 30)};
    key->to = (struct address){*(u64 *)(p + 38), *(u64 *)(p + 46)};
    key->protocol = p[20];
#else
    if (p[14] != 0x45 || *(u16 *)(p + 20) & 0xff3f)
        return -1;
    key->from.word = *(u32 *)(p + 26);
    key->to.word = *(u32 *)(p + 30);
    key->protocol = p[23];
#endif
    if (key->protocol != 6 && key->protocol != 17)
        return -1;
    if (key->protocol == 6 && (void *)(p + PORTS_AT + 20) > end(ctx))
        return -1;
    key->ports = *(u32 *)(p + PORTS_AT);
    return 0;
}

// Puts an outer header before the packet and turns the frame round.
INLINE int encapsulate(struct xdp_md *ctx, u32 backend)
{
    if (adjust_head(ctx, -IP))
        return XDP_DROP;
    u8 *p = start(ctx);
    if ((void *)(p + 14 + 2 * IP) > end(ctx))
        return XDP_DROP;
    u64 to = *(u64 *)(p + IP) & 0xffffffffffff, from = *(u64 *)(p + IP + 6) & 0xffffffffffff;
    *(u64 *)p = from;
    *(u64 *)(p + 6) = to | (u64)ETHERTYPE << 48;
    u8 *o = p + 14, *inner = p + 14 + IP;
#ifdef IPV6
    u16 length = __builtin_bswap16(__builtin_bswap16(*(u16 *)(inner + 4)) + IP);
    *(u64 *)o = (*(u32 *)inner & 0x0000f0ff) | (u64)length << 32 | 41ull << 48 | 64ull << 56;
    *(u64 *)(o + 8) = 0x0000000002000120;
    *(u64 *)(o + 16) = 0x0100000000000000;
    *(u64 *)(o + 24) = 0x0000000002000120;
    *(u64 *)(o + 32) = (u64)backend << 32;
#else
    u32 tos = inner[1], length = __builtin_bswap16(__builtin_bswap16(*(u16 *)(inner + 2)) + IP);
    u32 source = 0x038012c6;
    u32 sum = (0x45 | tos << 8) + length + (64 | 4 << 8);
    sum += (source & 0xffff) + (source >> 16) + (backend & 0xffff) + (backend >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    *(u64 *)o = 0x45 | tos << 8 | length << 16;
    *(u32 *)(o + 8) = 64 | 4 << 8 | (~sum & 0xffff) << 16;
    *(u32 *)(o + 12) = source;
    *(u32 *)(o + 16) = backend;
#endif
    return XDP_TX;
}

INLINE u32 slot_of(const struct key *key)
{
#ifdef IPV6
    u64 x = key->from.low ^ key->from.high;
    u32 h = (u32)x ^ (u32)(x >> 32) ^ key->ports;
#else
    u32 h = key->from.word ^ key->ports;
#endif
    h = (h ^ h >> 15) * 0x2c1b3c6d;
    h = (h ^ h >> 12) * 0x297a2d39;
    return (h ^ h >> 15) % SLOTS;
}

INLINE u32 *choose(const struct key *key)
{
    u32 slot = slot_of(key);
    return map_lookup(&ring, &slot);
}

INLINE int to_backend(struct xdp_md *ctx, u32 number)
{
    u32 *address = map_lookup(&backends, &number);
    return address ? encapsulate(ctx, *address) : XDP_DROP;
}

// No load balancer encapsulates for less.
SEC("xdp") int floor_encap(struct xdp_md *ctx)
{
    struct key key;
    return parse(ctx, &key) ? XDP_PASS : encapsulate(ctx, 0x010013c6);
}

// A ring, and no memory of flows.
SEC("xdp") int floor_ring(struct xdp_md *ctx)
{
    struct key key;
    if (parse(ctx, &key))
        return XDP_PASS;
    u32 *number = choose(&key);
    return number ? to_backend(ctx, *number) : XDP_DROP;
}

// The usual way: flows in the kernel's LRU_HASH, the ring for those that are not there.
SEC("xdp") int floor_lru(struct xdp_md *ctx)
{
    struct key key;
    if (parse(ctx, &key))
        return XDP_PASS;
    u32 *number = map_lookup(&known, &key);
    if (!number) {
        number = choose(&key);
        if (!number)
            return XDP_DROP;
        map_update(&known, &key, number, 0);
    }
    return to_backend(ctx, *number);
}
