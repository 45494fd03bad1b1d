/* bench_ring.c - times of the ring's kernels on this machine, one core: nanoseconds a call, the
 * least and the median of the repeats, for every backend and N = 2^13 .. 2^16. Usage: bench_ring
 * [BITS] (of the prime, default 45). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ring/ring.h"

#define REPEATS 41
#define DIGITS  5

struct work {
    const struct ola_backend *backend;
    struct ola_ring *ring;
    const struct ola_ntt *ntt;
    uint64_t *v[4 + DIGITS];
    uint32_t *index, *narrow;
    int is_narrow;
};

static double
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static void
run_ntt_forward(struct work *w)
{
    w->backend->ntt_forward(w->v[0], w->ntt);
}

static void
run_ntt_inverse(struct work *w)
{
    w->backend->ntt_inverse(w->v[0], w->ntt);
}

static void
run_add(struct work *w)
{
    w->backend->add(w->v[0], w->v[1], w->v[2], w->ring->n, &w->ntt->mod);
}

static void
run_mul(struct work *w)
{
    w->backend->mul(w->v[0], w->v[1], w->v[2], w->ring->n, &w->ntt->mod);
}

static void
run_mul_add(struct work *w)
{
    w->backend->mul_add(w->v[0], w->v[1], w->v[2], w->ring->n, &w->ntt->mod);
}

static void
run_scale(struct work *w)
{
    w->backend->scale(w->v[0], w->v[1], w->ntt->mod.q / 3, w->ring->n, &w->ntt->mod);
}

static void
run_scale_add(struct work *w)
{
    w->backend->scale_add(w->v[0], w->v[1], w->ntt->mod.q / 3, w->ring->n, &w->ntt->mod);
}

static void
run_reduce(struct work *w)
{
    w->backend->reduce(w->v[0], w->v[1], w->ring->n, &w->ntt->mod);
}

static void
run_sub_scale(struct work *w)
{
    w->backend->sub_scale(w->v[0], w->v[1], w->v[2], w->ntt->mod.q / 3, w->ring->n, &w->ntt->mod);
}

static void
run_permute(struct work *w)
{
    w->backend->permute(w->v[0], w->v[1], w->index, w->ring->n);
}

static void
inner(struct work *w, const uint32_t *perm)
{
    const uint64_t *a[DIGITS];
    const void *b[DIGITS];
    for (int d = 0; d < DIGITS; d++) {
        a[d] = w->v[3 + d];
        b[d] = w->is_narrow ? (const void *)w->narrow : (const void *)w->v[4 + d];
    }
    w->backend->inner(w->v[0], w->v[1], a, b, b, DIGITS, w->is_narrow, perm, w->ring->n,
                      &w->ntt->mod);
}

static void
run_inner(struct work *w)
{
    inner(w, NULL);
}

static void
run_inner_permuted(struct work *w)
{
    inner(w, w->index);
}

static void
run_convert(struct work *w)
{
    const uint64_t *a[DIGITS];
    const struct ola_modulus *source[DIGITS];
    uint64_t weight[DIGITS];
    for (int d = 0; d < DIGITS; d++) {
        a[d] = w->v[3 + d];
        source[d] = &w->ntt->mod;
        weight[d] = w->ntt->mod.q / (uint64_t)(d + 2);
    }
    w->backend->convert(w->v[0], a, source, weight, DIGITS, w->ntt->mod.q / 7, w->ring->n,
                        &w->ntt->mod);
}

static const struct kernel {
    const char *name;
    void (*run)(struct work *w);
} kernels[] = {
    {"ntt_forward", run_ntt_forward},
    {"ntt_inverse", run_ntt_inverse},
    {"add", run_add},
    {"mul", run_mul},
    {"mul_add", run_mul_add},
    {"scale", run_scale},
    {"scale_add", run_scale_add},
    {"reduce", run_reduce},
    {"sub_scale", run_sub_scale},
    {"permute", run_permute},
    {"inner, 5 digits", run_inner},
    {"  permuted", run_inner_permuted},
    {"convert, 5 limbs", run_convert},
};

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Each repeat runs the kernel for about half a millisecond. */
static void
measure(const struct kernel *k, struct work *w, double *least, double *median)
{
    double time[REPEATS], start = now_ns();
    k->run(w);
    k->run(w);
    double once = (now_ns() - start) / 2;
    int runs = once > 5e5 ? 1 : (int)(5e5 / once) + 1;
    for (int r = 0; r < REPEATS; r++) {
        start = now_ns();
        for (int i = 0; i < runs; i++)
            k->run(w);
        time[r] = (now_ns() - start) / runs;
    }
    qsort(time, REPEATS, sizeof *time, compare_doubles);
    *least = time[0];
    *median = time[REPEATS / 2];
}

static int
work_open(struct work *w, uint32_t log_n, uint32_t bits)
{
    uint64_t q, seed[4] = {1, 2, 3, 4};
    if (!ola_plan_primes(log_n, bits, 1, NULL, 0, &q) ||
        ola_ring_new(log_n, &q, 1, NULL, 0, &w->ring))
        return -1;
    size_t n = w->ring->n;
    w->ntt = &w->ring->ntt[0];
    w->is_narrow = w->ntt->mod.bits <= OLA_NARROW_BITS;
    w->index = ola_alloc(n * sizeof *w->index);
    w->narrow = ola_alloc(n * sizeof *w->narrow);
    for (uint64_t i = 0; i < 4 + DIGITS; i++) {
        w->v[i] = ola_alloc(n * sizeof *w->v[i]);
        if (!w->v[i] || !w->index || !w->narrow)
            return -1;
        ola_sample_uniform(w->v[i], n, &w->ntt->mod, (const uint8_t *)seed, i);
    }
    for (size_t i = 0; i < n; i++)
        w->narrow[i] = (uint32_t)w->v[1][i];
    ola_ring_galois_index(w->ring, 5, w->index);
    return 0;
}

static void
work_close(struct work *w)
{
    size_t n = w->ring->n;
    for (int i = 0; i < 4 + DIGITS; i++)
        ola_release(w->v[i], n * sizeof *w->v[i]);
    ola_release(w->index, n * sizeof *w->index);
    ola_release(w->narrow, n * sizeof *w->narrow);
    ola_ring_free(w->ring);
}

int
main(int argc, char **argv)
{
    const struct ola_backend *const *list;
    uint32_t count = ola_backends(&list);
    uint32_t bits = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 45;
    printf("microseconds a call, least (median) of %d, prime near 2^%u\n", REPEATS, bits);
    for (uint32_t b = 0; b < count; b++) {
        printf("\n%-18s", list[b]->name);
        for (uint32_t log_n = 13; log_n <= 16; log_n++)
            printf("      N=2^%u      ", log_n);
        printf("\n");
        for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
            printf("%-18s", kernels[k].name);
            for (uint32_t log_n = 13; log_n <= 16; log_n++) {
                struct work w = {.backend = list[b]};
                double least, median;
                if (work_open(&w, log_n, bits)) {
                    fprintf(stderr, "bench_ring: no ring of degree 2^%u with a %u-bit prime\n",
                            log_n, bits);
                    return 1;
                }
                measure(&kernels[k], &w, &least, &median);
                printf(" %8.2f (%7.2f)", least / 1e3, median / 1e3);
                fflush(stdout);
                work_close(&w);
            }
            printf("\n");
        }
    }
    return 0;
}
