// Runs before the program under test: fills the headroom with 0xff, so that what is read before it was written shows.

typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))

struct xdp_md {
    u32 data;
    u32 data_end;
    u32 data_meta;
    u32 ingress_ifindex;
    u32 rx_queue_index;
    u32 egress_ifindex;
};

// BPF_MAP_TYPE_PROG_ARRAY with one place.
struct {
    int (*type)[3];
    int (*max_entries)[1];
    int (*key_size)[4];
    int (*value_size)[4];
} next SEC(".maps");

static long (*const tail_call)(void *ctx, void *programs, u32 index) = (void *)12;
static long (*const adjust_head)(struct xdp_md *ctx, int delta) = (void *)44;

// Less than the kernel's 256 bytes: it keeps some to itself.
#define HEADROOM 192

SEC("xdp") int gw_prologue(struct xdp_md *ctx)
{
    if (adjust_head(ctx, -HEADROOM))
        return 0;
    u64 *at = (void *)(u64)ctx->data;
    if ((void *)(at + HEADROOM / 8) > (void *)(u64)ctx->data_end)
        return 0;
    for (int i = 0; i < HEADROOM / 8; i++)
        *(volatile u64 *)(at + i) = ~0ull;
    if (adjust_head(ctx, HEADROOM))
        return 0;
    tail_call(ctx, &next, 0);
    return 0;
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
