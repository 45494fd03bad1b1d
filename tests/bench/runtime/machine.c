/* machine.c - how fast this machine multiplies, in the way of the backend in use, and reads. */
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "ola/ola.h"

#ifdef _OPENMP
#include <omp.h>
#endif

#define ROUNDS 20000u

struct loop {
    uint64_t *data;
    size_t words;
    uint64_t sink;
};

__extension__ typedef unsigned __int128 u128;

/* ---- multipliers: eight chains and more, so that no result is waited for ---- */

static double
multiply_plain(uint64_t *sink)
{
    uint64_t v[8] = {3, 5, 7, 11, 13, 17, 19, 23};
    for (uint32_t r = 0; r < ROUNDS; r++) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++)
            v[i] = (uint64_t)((u128)v[i] * UINT64_C(0xfedcba9876543211) >> 64) | 1u;
    }
    for (int i = 0; i < 8; i++)
        *sink += v[i];
    return 8.0 * ROUNDS;
}

#if defined __x86_64__
#include <immintrin.h>

__attribute__((target("avx512f,avx512ifma"))) static double
multiply_ifma(uint64_t *sink)
{
    __m512i v[16], x = _mm512_set1_epi64(0xfedcba98765);
    for (int i = 0; i < 16; i++)
        v[i] = _mm512_set1_epi64(i + 1);
    for (uint32_t r = 0; r < ROUNDS; r++) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            v[i] = _mm512_madd52lo_epu64(v[i], x, x);
        __asm__ volatile("" : "+v"(x));
    }
    for (int i = 0; i < 16; i++)
        *sink += (uint64_t)_mm512_reduce_add_epi64(v[i]);
    return 16.0 * 8 * ROUNDS;
}

__attribute__((target("avx2,fma"))) static double
multiply_fma(uint64_t *sink)
{
    __m256d v[12], x = _mm256_set1_pd(0.75);
    for (int i = 0; i < 12; i++)
        v[i] = _mm256_set1_pd(i + 1);
    for (uint32_t r = 0; r < ROUNDS; r++) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++)
            v[i] = _mm256_fmadd_pd(v[i], x, x);
        __asm__ volatile("" : "+x"(x));
    }
    for (int i = 0; i < 12; i++)
        *sink += (uint64_t)_mm256_cvtsd_f64(v[i]);
    return 12.0 * 4 * ROUNDS;
}
#endif

static const struct multiplier {
    const char *backend, *name;
    double (*run)(uint64_t *sink);
} multipliers[] = {
#if defined __x86_64__
    {"avx512ifma", "IFMA, 512 bits", multiply_ifma},
    {"avx2", "FMA, 256 bits", multiply_fma},
#endif
    {"", "64 x 64 bits", multiply_plain},
};

static const struct multiplier *
multiplier(void)
{
    const struct multiplier *m = multipliers;
    while (*m->backend != '\0' && strcmp(m->backend, ola_backend_name()) != 0)
        m++;
    return m;
}

const char *
machine_multiplier(void)
{
    return multiplier()->name;
}

static void
run_multiply(void *context, uint32_t t)
{
    struct loop *loop = context;
    (void)t;
#pragma omp parallel num_threads((int)t + 1)
    {
        uint64_t sum = 0;
        multiplier()->run(&sum);
#pragma omp atomic
        loop->sink += sum;
    }
}

/* ---- memory ---- */

typedef uint64_t wide __attribute__((vector_size(64)));

#if defined __x86_64__
__attribute__((target("avx512f"))) static uint64_t
read_wide(const uint64_t *data, size_t words)
{
    const wide *p = (const wide *)(const void *)data;
    wide a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t k = 0; k < words / 8; k += 4) {
        a += p[k];
        b += p[k + 1];
        c += p[k + 2];
        d += p[k + 3];
    }
    a += b + c + d;
    return a[0] + a[7];
}
#endif

static uint64_t
read_plain(const uint64_t *data, size_t words)
{
    uint64_t a[8] = {0};
    for (size_t k = 0; k < words; k += 8)
        for (size_t i = 0; i < 8; i++)
            a[i] += data[k + i];
    return a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];
}

static uint64_t
read_share(const uint64_t *data, size_t words)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return read_wide(data, words);
#endif
    return read_plain(data, words);
}

/* So many times over that the start of the threads is nothing beside it. */
static size_t
passes(const struct loop *loop)
{
    const size_t least = (size_t)1 << 19;
    return loop->words < least ? least / loop->words : 1;
}

/* Each thread its share. */
static void
run_read(void *context, uint32_t t)
{
    struct loop *loop = context;
    const size_t share = loop->words / (t + 1), times = passes(loop);
#pragma omp parallel for schedule(static) num_threads((int)t + 1)
    for (uint32_t k = 0; k <= t; k++) {
        const uint64_t *from = loop->data + k * share;
        uint64_t sum = 0;
        for (size_t r = 0; r < times; r++)
            sum += read_share(from, share);
#pragma omp atomic
        loop->sink += sum;
    }
}

/* The hash of files (file/file.h). */
static void
run_hash(void *context, uint32_t t)
{
    struct loop *loop = context;
    unsigned char out[crypto_generichash_BYTES];
    (void)t;
    crypto_generichash(out, sizeof out, (const void *)loop->data, loop->words * sizeof *loop->data,
                       NULL, 0);
    loop->sink += out[0];
}

static size_t
size_of(uint32_t k)
{
    return (size_t)1 << (14 + k);
}

void
machine_measure(struct machine *m, uint32_t threads)
{
    struct loop loop = {.data = aligned_alloc(64, size_of(BENCH_SIZES - 1))};
    if (loop.data == NULL)
        bench_must(OLA_ERR_NOMEM, "memory");
    memset(loop.data, 1, size_of(BENCH_SIZES - 1));
    for (uint32_t t = 0; t < threads; t++) {
        uint64_t sink = 0;
        m->mults[t] = (t + 1) * multiplier()->run(&sink) / bench_time(run_multiply, &loop, t);
        for (uint32_t k = BENCH_SIZES; k-- > 0;) { /* a smaller set is never slower */
            loop.words = size_of(k) / sizeof *loop.data;
            const double bytes = (double)(size_of(k) * passes(&loop));
            m->bytes[t][k] = bytes / bench_time(run_read, &loop, t);
            if (k + 1 < BENCH_SIZES && m->bytes[t][k] < m->bytes[t][k + 1])
                m->bytes[t][k] = m->bytes[t][k + 1];
        }
    }
    bench_must(sodium_init() < 0 ? OLA_ERR_RANDOM : OLA_OK, "hash"); /* chooses how it hashes */
    loop.words = size_of(6) / sizeof *loop.data;
    m->hashed = (double)size_of(6) / bench_time(run_hash, &loop, 0);
    free(loop.data);
}

double
machine_floor(const struct machine *m, struct cost c, uint32_t t)
{
    uint32_t k = 0;
    while (k + 1 < BENCH_SIZES && (double)size_of(k) < c.bytes)
        k++;
    const double multiply = c.mults / m->mults[t], move = c.bytes / m->bytes[t][k];
    return fmax(fmax(multiply, move), c.hashed / m->hashed);
}
