// What every XDP program needs of the kernel's interface: types, map declarations, helpers by their numbers.
#pragma once

// A value compared with itself, or assigned to itself, is what the pipeline says.
#pragma clang diagnostic ignored "-Wtautological-compare"
#pragma clang diagnostic ignored "-Wself-assign"
#pragma clang diagnostic ignored "-Wself-assign-field"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned __int128 u128;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline, unused))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// Fields of a map declaration: the number or type is carried by the debug information.
#define MAP_NUMBER(name, value) int(*name)[value]
#define MAP_TYPE(name, type) type *name

enum { MAP_ARRAY = 2, MAP_PERCPU_ARRAY = 6, MAP_LPM_TRIE = 11, MAP_DEVMAP = 14 };
enum { MAP_NO_PREALLOC = 1 << 0, MAP_MMAPABLE = 1 << 10 };

enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };
// No verdict yet.
enum { AGAIN = -1 };

struct xdp_md {
    u32 data;
    u32 data_end;
    u32 data_meta;
    u32 ingress_ifindex;
    u32 rx_queue_index;
    u32 egress_ifindex;
};

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const xdp_adjust_head)(struct xdp_md *ctx, int delta) = (void *)44;
static long (*const redirect_map)(void *map, u64 key, u64 flags) = (void *)51;
static long (*const xdp_adjust_tail)(struct xdp_md *ctx, int delta) = (void *)65;
static u64 (*const jiffies64)(void) = (void *)118;

// Read as the whole registers that the verifier takes for packet pointers: clang would cut them to 32 bits.
INLINE void *packet_start(const struct xdp_md *ctx)
{
    void *p;
    asm volatile("%0 = *(u32 *)(%1 + 0)" : "=r"(p) : "r"(ctx));
    return p;
}

INLINE void *packet_end(const struct xdp_md *ctx)
{
    void *p;
    asm volatile("%0 = *(u32 *)(%1 + 4)" : "=r"(p) : "r"(ctx));
    return p;
}

// Set while tests run: then the clock and the ports are these. The verifier removes all of it elsewhere.
const volatile u32 gw_testing SEC(".rodata") = 0;
u32 gw_clock SEC(".bss");
u32 gw_port_in SEC(".bss");
u32 gw_port_out SEC(".bss");

// Keeps the compiler from turning arithmetic on x into a branch.
#define OPAQUE(x) asm volatile("" : "+r"(x))
