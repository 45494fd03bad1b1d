/* shifted.c - see shifted.h. Accumulators stay in registers while all shifts go by: a matrix
 * product on gathered columns reads and writes nine times as much for a 3 x 3 kernel, and with few
 * channels that is most of its time. Contraction to fused products is on for this file. */
#include "op/shifted.h"

typedef float vec __attribute__((vector_size(4 * SHIFTED_BLOCK), aligned(4), may_alias));

/* A block of `rows` <= T rows and V vectors. T, V: constants at every call. */
static inline __attribute__((always_inline)) void
block(int T, int V, const float *w, uint32_t rows, const float *x, const uint32_t *offset,
      uint32_t depth, float *y, uint32_t pitch)
{
    vec sum[SHIFTED_ROWS][4];
    const float *row[SHIFTED_ROWS];

    for (int r = 0; r < T; r++) {
        uint32_t at = (uint32_t)r < rows ? (uint32_t)r : rows - 1;
        row[r] = w + (uint64_t)at * depth;
        for (int v = 0; v < V; v++)
            sum[r][v] = ((const vec *)(y + (uint64_t)at * pitch))[v];
    }
    for (uint32_t k = 0; k < depth; k++) {
        const vec *from = (const vec *)(x + offset[k]);
        for (int r = 0; r < T; r++)
            for (int v = 0; v < V; v++)
                sum[r][v] += from[v] * row[r][k];
    }
    for (int r = 0; r < T && (uint32_t)r < rows; r++)
        for (int v = 0; v < V; v++)
            ((vec *)(y + (uint64_t)r * pitch))[v] = sum[r][v];
}

/* All of p for `rows` <= T rows. */
static inline __attribute__((always_inline)) void
line(int T, int V, const float *w, uint32_t rows, const float *x, const uint32_t *offset,
     uint32_t depth, float *y, uint32_t n, uint32_t pitch)
{
    uint32_t p = 0, wide = (uint32_t)V * SHIFTED_BLOCK;

    for (; p + wide < n + SHIFTED_BLOCK; p += wide)
        block(T, V, w, rows, x + p, offset, depth, y + p, pitch);
    for (; p < n; p += SHIFTED_BLOCK)
        block(T, 1, w, rows, x + p, offset, depth, y + p, pitch);
}

/* Rows T at a time; one alone gets more vectors, so that sums don't wait for one another. */
static inline __attribute__((always_inline)) void
product(int T, int V, const float *w, uint32_t rows, const float *x, const uint32_t *offset,
        uint32_t depth, float *y, uint32_t n, uint32_t pitch)
{
    for (uint32_t r = 0; r < rows;) {
        uint32_t left = rows - r < (uint32_t)T ? rows - r : (uint32_t)T;
        const float *wr = w + (uint64_t)r * depth;
        float *to = y + (uint64_t)r * pitch;
        if (left == 1)
            line(1, 4, wr, 1, x, offset, depth, to, n, pitch);
        else
            line(T, V, wr, left, x, offset, depth, to, n, pitch);
        r += left;
    }
}

#define PRODUCT(name, T, V)                                                                        \
    static void name(const float *w, uint32_t rows, const float *x, const uint32_t *offset,        \
                     uint32_t depth, float *y, uint32_t n, uint32_t pitch)                         \
    {                                                                                              \
        product(T, V, w, rows, x, offset, depth, y, n, pitch);                                     \
    }

PRODUCT(plain, 2, 1)

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) PRODUCT(avx2, 4, 1) __attribute__((target("avx512f,fma")))
PRODUCT(avx512, 8, 2)
#endif

    void shifted_product(const float *w, uint32_t rows, const float *x, const uint32_t *offset,
                         uint32_t depth, float *y, uint32_t n, uint32_t pitch)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        avx512(w, rows, x, offset, depth, y, n, pitch);
        return;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        avx2(w, rows, x, offset, depth, y, n, pitch);
        return;
    }
#endif
    plain(w, rows, x, offset, depth, y, n, pitch);
}
