/* kernels.c - rows of the backend's kernels: one limb, one thread. */
#include <stdlib.h>

#include "bench.h"
#include "ring/ring.h"

#define DIGITS  4u
#define VECTORS (2 + 3 * DIGITS)

struct work {
    const struct ola_backend *backend;
    struct ola_ring *ring;
    const struct ola_ntt *ntt;
    uint64_t *v[VECTORS];
    uint32_t *index;
};

static void
run_ntt_forward(void *context, uint32_t t)
{
    struct work *w = context;
    (void)t;
    w->backend->ntt_forward(w->v[0], w->ntt);
}

static void
run_ntt_inverse(void *context, uint32_t t)
{
    struct work *w = context;
    (void)t;
    w->backend->ntt_inverse(w->v[0], w->ntt);
}

#define VECTOR(name, call)                                                                         \
    static void name(void *context, uint32_t t)                                                    \
    {                                                                                              \
        struct work *w = context;                                                                  \
        const size_t n = w->ring->n;                                                               \
        const struct ola_modulus *m = &w->ntt->mod;                                                \
        (void)t;                                                                                   \
        (void)m;                                                                                   \
        w->backend->call;                                                                          \
    }
VECTOR(run_add, add(w->v[0], w->v[1], w->v[2], n, m))
VECTOR(run_mul, mul(w->v[0], w->v[1], w->v[2], n, m))
VECTOR(run_mul_add, mul_add(w->v[0], w->v[1], w->v[2], n, m))
VECTOR(run_scale_add, scale_add(w->v[0], w->v[1], m->q / 3, n, m))
VECTOR(run_reduce, reduce(w->v[0], w->v[1], n, m))
VECTOR(run_sub_scale, sub_scale(w->v[0], w->v[1], w->v[2], m->q / 3, n, m))
VECTOR(run_permute, permute(w->v[0], w->v[1], w->index, n))

static void
inner(struct work *w, const uint32_t *perm)
{
    const void *a[DIGITS], *b0[DIGITS], *b1[DIGITS];
    for (uint32_t d = 0; d < DIGITS; d++) {
        a[d] = w->v[2 + d];
        b0[d] = w->v[2 + DIGITS + d];
        b1[d] = w->v[2 + 2 * DIGITS + d];
    }
    w->backend->inner(w->v[0], w->v[1], a, b0, b1, DIGITS, 0, perm, w->ring->n, &w->ntt->mod);
}

static void
run_inner(void *context, uint32_t t)
{
    (void)t;
    inner(context, NULL);
}

static void
run_inner_permuted(void *context, uint32_t t)
{
    struct work *w = context;
    (void)t;
    inner(w, w->index);
}

/* What a conversion takes: its sources, their primes, weights. */
struct conversion {
    const uint64_t *a[DIGITS];
    const struct ola_modulus *source[DIGITS];
    uint64_t weight[DIGITS], correction;
};

static struct conversion
conversion_of(const struct work *w)
{
    struct conversion c = {.correction = w->ntt->mod.q / 7};
    for (uint32_t d = 0; d < DIGITS; d++) {
        c.a[d] = w->v[2 + d];
        c.source[d] = &w->ntt->mod;
        c.weight[d] = w->ntt->mod.q / (d + 2);
    }
    return c;
}

static void
run_multiples(void *context, uint32_t t)
{
    struct work *w = context;
    const struct conversion c = conversion_of(w);
    (void)t;
    w->backend->multiples((uint8_t *)w->v[1], c.a, c.source, DIGITS, w->ring->n);
}

static void
run_convert(void *context, uint32_t t)
{
    struct work *w = context;
    const struct conversion c = conversion_of(w);
    (void)t;
    w->backend->convert(w->v[0], c.a, c.weight, DIGITS, (const uint8_t *)w->v[1], c.correction,
                        w->ring->n, &w->ntt->mod);
}

static void
run_inverse_scaled(void *context, uint32_t t)
{
    struct work *w = context;
    (void)t;
    w->backend->ntt_inverse_scaled(w->v[0], w->v[1], w->ntt->mod.q / 3, w->ntt);
}

static void
work_open(struct work *w, uint32_t log_n)
{
    uint64_t q, seed[4] = {1, 2, 3, 4};
    if (!ola_plan_primes(log_n, 48, 1, NULL, 0, &q))
        bench_must(OLA_ERR_PRIME, "ring");
    bench_must(ola_ring_new(log_n, &q, 1, NULL, 0, &w->ring), "ring");
    const size_t n = w->ring->n;
    w->backend = ola_backend();
    w->ntt = &w->ring->ntt[0];
    w->index = ola_alloc(n * sizeof *w->index);
    bench_must(w->index == NULL ? OLA_ERR_NOMEM : OLA_OK, "vectors");
    for (uint64_t i = 0; i < VECTORS; i++) {
        w->v[i] = ola_alloc(n * sizeof *w->v[i]);
        bench_must(w->v[i] == NULL ? OLA_ERR_NOMEM : OLA_OK, "vectors");
        ola_sample_uniform(w->v[i], n, &w->ntt->mod, (const uint8_t *)seed, i);
    }
    ola_ring_galois_index(w->ring, 5, w->index);
}

static void
work_close(struct work *w)
{
    const size_t n = w->ring->n;
    for (uint32_t i = 0; i < VECTORS; i++)
        ola_release(w->v[i], n * sizeof *w->v[i]);
    ola_release(w->index, n * sizeof *w->index);
    ola_ring_free(w->ring);
}

void
bench_kernels(struct bench *b, uint32_t log_n)
{
    struct work w;
    const uint32_t k = log_n;
    work_open(&w, log_n);
    const struct operation rows[] = {
        {"forward NTT", k, false, cost_ntt(k), run_ntt_forward},
        {"inverse NTT", k, false, cost_inverse(k), run_ntt_inverse},
        {"add", k, false, cost_entries(k, 0, 3), run_add},
        {"multiply", k, false, cost_entries(k, 4, 3), run_mul},
        {"multiply and add", k, false, cost_entries(k, 4, 3), run_mul_add},
        {"scale and add", k, false, cost_entries(k, 3, 2), run_scale_add},
        {"reduce", k, false, cost_entries(k, 2, 2), run_reduce},
        {"subtract and scale", k, false, cost_entries(k, 3, 3), run_sub_scale},
        {"permute", k, false, cost_entries(k, 0, 2.5), run_permute},
        {"inverse NTT of another, scaled", k, false, cost_inverse(k), run_inverse_scaled},
        {"multiples of a basis of 4", k, false, cost_multiples(k, DIGITS), run_multiples},
        {"convert a basis of 4", k, false, cost_convert(k, DIGITS), run_convert},
        {"inner product, 4 digits", k, false, cost_inner(k, DIGITS), run_inner},
        {"inner product, 4 digits, permuted", k, false, cost_inner(k, DIGITS), run_inner_permuted},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        bench_row(b, &rows[r], &w);
    work_close(&w);
}
