// What the bench's programs need of the kernel's interface.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline, unused))
#define NUMBER(name, value) int(*name)[value]

enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX };

struct xdp_md {
    u32 data;
    u32 data_end;
    u32 data_meta;
    u32 ingress_ifindex;
    u32 rx_queue_index;
    u32 egress_ifindex;
};

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const tail_call)(void *ctx, void *programs, u32 index) = (void *)12;
static long (*const adjust_head)(struct xdp_md *ctx, int delta) = (void *)44;

INLINE void *start(const struct xdp_md *ctx) { return (void *)(u64)ctx->data; }
INLINE void *end(const struct xdp_md *ctx) { return (void *)(u64)ctx->data_end; }

char gw_license[] SEC("license") = "Dual BSD/GPL";
