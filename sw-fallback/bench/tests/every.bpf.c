// One of each instruction that the interpreter knows, and each helper that gives what can be compared: input words
// stand at the start of the frame, results behind them.

typedef unsigned char u8;
typedef unsigned short u16;
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

#define NUMBER(name, value) int(*name)[value]
struct {
    NUMBER(type, 2);
    NUMBER(max_entries, 8);
    u32 *key;
    u64 *value;
} words SEC(".maps");
struct {
    NUMBER(type, 6);
    NUMBER(max_entries, 8);
    u32 *key;
    u64 *value;
} cpu_words SEC(".maps");

static void *(*const lookup)(void *map, const void *key) = (void *)1;
static long (*const csum_diff)(u32 *from, u32 from_size, u32 *to, u32 to_size, u32 seed) = (void *)28;
static long (*const adjust_head)(struct xdp_md *ctx, int delta) = (void *)44;
static long (*const adjust_tail)(struct xdp_md *ctx, int delta) = (void *)65;

const volatile u32 table[4] SEC(".rodata") = {3, 1, 4, 1};
u64 runs SEC(".bss");

enum { IN = 8, OUT = 120, BYTES = 8 * (IN + OUT) };

// Results, one after the other. The index is known to the compiler.
#define PUT(x) (out[n++] = (x))
// Runs instructions on registers 1 and 2.
#define RUN(text, a, b)                                                                                       \
    do {                                                                                                      \
        u64 x;                                                                                                \
        asm volatile("r1 = %1; r2 = %2; " text "; %0 = r1" : "=r"(x) : "r"(a), "r"(b) : "r1", "r2");           \
        PUT(x);                                                                                               \
    } while (0)
#define OPERATE(op, a, b)                 \
    do {                                  \
        RUN("r1 " op " r2", a, b);        \
        RUN("r1 " op " -7", a, b);        \
        RUN("w1 " op " w2", a, b);        \
        RUN("w1 " op " -7", a, b);        \
    } while (0)
#define SHIFT(op, a, b)                                                    \
    do {                                                                   \
        RUN("r2 &= 63; r1 " op " r2; r1 " op " 3", a, b);                  \
        RUN("w2 &= 31; w1 " op " w2; w1 " op " 3", a, b);                  \
    } while (0)

static __attribute__((noinline)) u64 mix(u64 a, u64 b, u64 c)
{
    u64 x[3] = {a, b, c};
    for (int i = 0; i < 3; i++)
        asm volatile("%0 *= %1" : "+r"(x[i]) : "r"(x[(i + 1) % 3] | 1));
    return x[0] ^ x[1] ^ x[2];
}

// Which comparisons hold. Operands are read and results written each time, so that the verifier forgets them.
#define TEST(text)                                                                                          \
    do {                                                                                                    \
        u64 a = *(volatile u64 *)&in[0], b = *(volatile u64 *)&in[1], t;                                     \
        asm volatile("r1 = %1; r2 = %2; r0 = 1; " text "; r0 = 0; %0 = r0"                                   \
                     : "=r"(t) : "r"(a), "r"(b) : "r0", "r1", "r2");                                         \
        PUT(t);                                                                                             \
    } while (0)
#define IF(text) "if " text " goto +1"
// clang 14's assembler knows neither the remainder nor the test of bits: these are their words.
#define WORD(x) ".8byte " #x
#define COMPARE(op)               \
    do {                          \
        TEST(IF("r1 " op " r2")); \
        TEST(IF("w1 " op " w2")); \
        TEST(IF("r2 " op " -9")); \
        TEST(IF("w2 " op " -9")); \
    } while (0)

SEC("xdp") int every(struct xdp_md *ctx)
{
    u64 *in = (void *)(u64)ctx->data, *out = in + IN;
    if ((void *)(in + IN + OUT) > (void *)(u64)ctx->data_end)
        return 2;
    int n = 0;
    u64 a = in[0], b = in[1];
    OPERATE("+=", a, b);
    OPERATE("-=", a, b);
    OPERATE("*=", a, b);
    OPERATE("/=", a, b);
    RUN(WORD(0x219f), a, b);             // r1 %= r2
    RUN(WORD(0xfffffff900000197), a, b); // r1 %= -7
    RUN(WORD(0x219c), a, b);             // w1 %= w2
    RUN(WORD(0xfffffff900000194), a, b); // w1 %= -7
    OPERATE("|=", a, b);
    OPERATE("&=", a, b);
    OPERATE("^=", a, b);
    SHIFT("<<=", a, b);
    SHIFT(">>=", a, b);
    SHIFT("s>>=", a, b);
    RUN("r1 = -r1", a, b);
    RUN("w1 = -w1", a, b);
    RUN("r1 = be16 r1", a, b);
    RUN("r1 = be32 r1", a, b);
    RUN("r1 = be64 r1", a, b);
    RUN("r1 = le16 r1", a, b);
    RUN("r1 = le32 r1", a, b);
    RUN("w1 = w2", a, b);
    COMPARE("==");
    COMPARE("!=");
    COMPARE(">");
    COMPARE(">=");
    COMPARE("<");
    COMPARE("<=");
    COMPARE("s>");
    COMPARE("s>=");
    COMPARE("s<");
    COMPARE("s<=");
    TEST(WORD(0x1214d));             // if r1 & r2 goto +1
    TEST(WORD(0x1214e));             // if w1 & w2 goto +1
    TEST(WORD(0xfffffff700010245));  // if r2 & -9 goto +1
    TEST(WORD(0xfffffff700010246));  // if w2 & -9 goto +1
    PUT(mix(a, b, in[2]));
    PUT(*(u8 *)((void *)in + 3) + *(u16 *)((void *)in + 6) + *(u32 *)((void *)in + 12) + table[a & 3]);
    u32 key = b & 15;
    u64 *word = lookup(&words, &key);
    if (word) {
        PUT(__sync_fetch_and_add(word, a));
        PUT(__sync_fetch_and_or(word, b));
        PUT(__sync_fetch_and_and(word, ~a));
        PUT(__sync_fetch_and_xor(word, in[3]));
        PUT(__sync_lock_test_and_set(word, b));
        PUT(__sync_val_compare_and_swap(word, b, a));
        PUT(__sync_val_compare_and_swap(word, b, a + 1));
        PUT(__sync_val_compare_and_swap((u32 *)word, (u32)a, 5));
        __sync_fetch_and_add(word, 3);
    }
    u64 *mine = lookup(&cpu_words, &key);
    if (mine)
        *mine += b;
    runs += 1;
    u32 from[2] = {a, b}, to[2] = {b, in[4]};
    u64 sum = csum_diff(from, 8, to, 8, 77);
    sum = (sum & 0xffff) + (sum >> 16);
    in[5] = (u16)((sum & 0xffff) + (sum >> 16));
    int head = adjust_head(ctx, -(int)(a & 255));
    int tail = adjust_tail(ctx, (int)(b & 4095) - 2048);
    void *data = (void *)(u64)ctx->data;
    if (data + 14 > (void *)(u64)ctx->data_end)
        return 1;
    *(u8 *)data = (tail != 0) << 1 | (head != 0);
    return a & 1 ? 3 : 2;
}

char gw_license[] SEC("license") = "Dual BSD/GPL";
