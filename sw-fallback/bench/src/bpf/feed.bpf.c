// Where packets come from. Each run takes back what the program before did to the buffer, writes a whole fresh frame
// of some flow, and goes on to the program under test.
#include "common.h"

// What frames have in common, set by the bench before a run.
struct {
    u64 runs;
    u64 lost; // tail calls that found no program
    u64 fence;
    u32 flows;  // flows to choose from, if not each frame is another's
    u32 first;  // number of the first flow
    u32 fresh;  // each frame is the next flow's
    u32 ip_sum; // sums of all 16-bit words but the client's, as a little-endian machine reads them
    u32 l4_sum;
    u32 pad;
    u8 frame[96];
} feed SEC(".bss");

const volatile u32 ipv6 SEC(".rodata") = 0;
// Offset of the transport's checksum; 0: it has none.
const volatile u32 checksum_at SEC(".rodata") = 0;

struct {
    NUMBER(type, 3);
    NUMBER(max_entries, 1);
    NUMBER(key_size, 4);
    NUMBER(value_size, 4);
} next SEC(".maps");

// As in frames.rs: no two numbers share a result.
INLINE u32 scatter(u32 x)
{
    x *= 0x9e3779b1;
    x ^= x >> 15;
    x *= 0x2c1b3c6d;
    return x ^ x >> 13;
}

INLINE u16 checksum(u32 sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

#define COPY(type, at) (*(type *)(p + (at)) = *(type *)(feed.frame + (at)))

// Each field of a header is written by one store, so that who reads it need not wait for two.
INLINE void frame4(void *p, u32 address, u16 port)
{
    u32 words = (address & 0xffff) + (address >> 16);
    COPY(u64, 0);
    COPY(u64, 6);
    COPY(u64, 14);
    *(u32 *)(p + 22) = *(u16 *)(feed.frame + 22) | (u32)checksum(feed.ip_sum + words) << 16;
    *(u64 *)(p + 26) = (*(u64 *)(feed.frame + 26) & ~0xffffffffull) | address;
    *(u64 *)(p + 34) = (*(u64 *)(feed.frame + 34) & ~0xffffull) | port;
    COPY(u64, 42);
    COPY(u64, 50);
    if (checksum_at)
        *(u16 *)(p + 50) = checksum(feed.l4_sum + words + port);
    COPY(u32, 58);
    COPY(u16, 62);
}

INLINE void frame6(void *p, u32 address, u16 port)
{
    u32 sum = feed.l4_sum + (address & 0xffff) + (address >> 16) + port;
    COPY(u64, 0);
    COPY(u64, 6);
    COPY(u64, 14);
    COPY(u64, 22);
    *(u64 *)(p + 30) = (*(u64 *)(feed.frame + 30) & 0xffffffff) | (u64)address << 32;
    COPY(u64, 38);
    COPY(u64, 46);
    *(u64 *)(p + 54) = (*(u64 *)(feed.frame + 54) & ~0xffffull) | port;
    COPY(u64, 62);
    COPY(u64, 70);
    COPY(u32, 78);
    COPY(u16, 82);
    if (checksum_at == 70)
        *(u16 *)(p + 70) = checksum(sum);
    else if (checksum_at)
        *(u16 *)(p + 60) = checksum(sum);
}

INLINE int write(struct xdp_md *ctx)
{
    long length = ipv6 ? 84 : 64;
    if (adjust_head(ctx, (int)(end(ctx) - start(ctx) - length)))
        return -1;
    void *p = start(ctx);
    if (p + length > end(ctx))
        return -1;
    u32 n = feed.runs++;
    u32 flow = feed.first + (feed.fresh ? n : (u32)((u64)scatter(n) * feed.flows >> 32));
    u32 x = scatter(flow);
    u32 address = *(u32 *)(feed.frame + (ipv6 ? 34 : 26)) | __builtin_bswap32(x >> 14);
    u16 port = __builtin_bswap16(0x4000 + (x & 0x3fff));
    if (ipv6)
        frame6(p, address, port);
    else
        frame4(p, address, port);
    return 0;
}

// The frame is complete in memory before the program under test starts: the two can't overlap.
SEC("xdp") int feed_test(struct xdp_md *ctx)
{
    if (write(ctx))
        return XDP_ABORTED;
    __sync_fetch_and_add(&feed.fence, 1);
    tail_call(ctx, &next, 0);
    feed.lost++;
    return XDP_ABORTED;
}

// Sends the frame out of the interface that the run names.
SEC("xdp") int feed_send(struct xdp_md *ctx) { return write(ctx) ? XDP_ABORTED : XDP_TX; }
