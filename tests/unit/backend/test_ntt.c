/* test_ntt.c - the transforms of every backend against the portable ones, for every ring degree. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

static const uint32_t prime_bits[] = {22, 26, 31, 32, 35, 38, 40, 43, 44, 45, 46, 47, 48, 49};
#define PRIME_SIZES (sizeof prime_bits / sizeof *prime_bits)

/* In place and not. */
static void
compare_scaled(const struct ola_backend *ref, const struct ola_backend *other,
               const struct ola_ntt *t, const uint64_t *in, uint64_t *want, uint64_t *got)
{
    const uint64_t factor[] = {0, 1, t->mod.q - 1, t->mod.q / 3};
    const size_t n = (size_t)1 << t->log_n;
    for (size_t f = 0; f < sizeof factor / sizeof *factor; f++) {
        ref->ntt_inverse_scaled(want, in, factor[f], t);
        other->ntt_inverse_scaled(got, in, factor[f], t);
        vector_equal(got, want, n, "scaled inverse");
        vector_check_guards(got, n, "scaled inverse");
        memcpy(got, in, n * sizeof *got);
        other->ntt_inverse_scaled(got, got, factor[f], t);
        vector_equal(got, want, n, "scaled inverse in place");
    }
}

static void
compare(const struct ola_backend *ref, const struct ola_backend *other, const struct ola_ntt *t,
        enum fill fill)
{
    char what[96];
    size_t n = (size_t)1 << t->log_n;
    uint64_t *in = vector_new(n), *want = vector_new(n), *got = vector_new(n);
    snprintf(what, sizeof what, "%s q=%llu n=%zu fill=%d", other->name,
             (unsigned long long)t->mod.q, n, (int)fill);
    vector_fill(in, n, t->mod.q, fill, t->mod.q + n);
    memcpy(want, in, n * sizeof *in);
    memcpy(got, in, n * sizeof *in);
    ref->ntt_forward(want, t);
    other->ntt_forward(got, t);
    vector_equal(got, want, n, what);
    vector_check_guards(got, n, what);
    other->ntt_inverse(got, t);
    vector_equal(got, in, n, what);
    vector_check_guards(got, n, what);
    /* The inverse on its own input range, not only on images of the forward transform. */
    memcpy(want, in, n * sizeof *in);
    memcpy(got, in, n * sizeof *in);
    ref->ntt_inverse(want, t);
    other->ntt_inverse(got, t);
    vector_equal(got, want, n, what);
    for (size_t i = 0; i < n; i++)
        cr_assert(want[i] < t->mod.q);
    compare_scaled(ref, other, t, in, want, got);
    vector_free(in);
    vector_free(want);
    vector_free(got);
}

ParameterizedTestParameters(ntt, every_backend)
{
#ifdef OLA_EMULATED /* tests/arm: both parities */
    static uint32_t log_n[] = {10, 11, 12};
#else
    static uint32_t log_n[] = {10, 11, 12, 13, 14, 15, 16, 17};
#endif
    return cr_make_param_array(uint32_t, log_n, sizeof log_n / sizeof *log_n);
}

ParameterizedTest(const uint32_t *log_n, ntt, every_backend)
{
    const struct ola_backend *const *list;
    uint32_t count = ola_backends(&list);
    for (size_t p = 0; p < PRIME_SIZES; p++) {
        struct ola_ring *ring;
        uint64_t q = prime_below(prime_bits[p], 0);
        cr_assert_eq(ola_ring_new(*log_n, &q, 1, NULL, 0, &ring), OLA_OK);
        for (uint32_t i = 1; i < count; i++)
            for (int fill = 0; fill < FILLS; fill++)
                compare(list[0], list[i], &ring->ntt[0], (enum fill)fill);
        ola_ring_free(ring);
    }
}
