// Frames of a capture, one after the other: each run writes the next one into the buffer, whole and fresh, and goes on to the
// program under test.
#include "common.h"

#define BYTES 64

struct {
    u64 lost; // tail calls that found no program
    u64 fence;
    u32 at;    // the next frame
    u32 count; // frames of the capture
} walk SEC(".bss");

// As many as the capture has: the bench says so before it is loaded.
struct {
    NUMBER(type, 2);
    NUMBER(max_entries, 1);
    NUMBER(key_size, 4);
    NUMBER(value_size, BYTES);
} frames SEC(".maps");

struct {
    NUMBER(type, 3);
    NUMBER(max_entries, 1);
    NUMBER(key_size, 4);
    NUMBER(value_size, 4);
} next SEC(".maps");

// As in feed.bpf.c: the frame is complete in memory before the program under test starts.
SEC("xdp") int capture_test(struct xdp_md *ctx)
{
    if (adjust_head(ctx, (int)(end(ctx) - start(ctx) - BYTES)))
        return XDP_ABORTED;
    u32 at = walk.at;
    walk.at = at + 1 < walk.count ? at + 1 : 0;
    u64 *frame = map_lookup(&frames, &at);
    u64 *p = start(ctx);
    if (!frame || (void *)p + BYTES > end(ctx))
        return XDP_ABORTED;
#pragma clang loop unroll(full)
    for (int i = 0; i < BYTES / 8; i++)
        p[i] = frame[i];
    __sync_fetch_and_add(&walk.fence, 1);
    tail_call(ctx, &next, 0);
    walk.lost++;
    return XDP_ABORTED;
}
