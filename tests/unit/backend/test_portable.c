/* test_portable.c - the portable kernels, which the others are compared with, against their
 * definitions in 128-bit arithmetic; basis conversion against numbers that are known. */
#include <criterion/criterion.h>
#include <string.h>

#include "harness.h"

__extension__ typedef unsigned __int128 u128;

#define N 1024

static const uint32_t prime_bits[] = {22, 32, 40, 49};
#define PRIME_SIZES (sizeof prime_bits / sizeof *prime_bits)

static const struct ola_backend *
portable(void)
{
    const struct ola_backend *const *list;
    cr_assert_geq(ola_backends(&list), 1u);
    return list[0];
}

Test(portable, vectors_follow_their_definitions)
{
    const struct ola_backend *b = portable();
    for (size_t p = 0; p < PRIME_SIZES; p++) {
        struct ola_modulus m = ola_modulus_make(prime_below(prime_bits[p], 0));
        const uint64_t q = m.q, f = q - 2;
        uint64_t *x = vector_new(N), *y = vector_new(N), *z = vector_new(N), *out = vector_new(N);
        vector_fill(x, N, q, FILL_EDGES, 1);
        vector_fill(y, N, q, FILL_EDGES, 2);
        vector_fill(z, N, UINT64_C(1) << 52, FILL_EDGES, 3);
#define EACH(call, value)                                                                          \
    call;                                                                                          \
    for (size_t j = 0; j < N; j++)                                                                 \
    cr_assert_eq(out[j], (uint64_t)((value) % q), #call " at %zu", j)
        EACH(b->add(out, x, y, N, &m), (u128)x[j] + y[j]);
        EACH(b->sub(out, x, y, N, &m), (u128)x[j] + q - y[j]);
        EACH(b->negate(out, x, N, &m), (u128)q - x[j]);
        EACH(b->mul(out, x, y, N, &m), (u128)x[j] * y[j]);
        EACH(b->scale(out, x, f, N, &m), (u128)x[j] * f);
        EACH(b->reduce(out, z, N, &m), (u128)z[j]);
        EACH(b->sub_scale(out, x, y, f, N, &m), ((u128)x[j] + q - y[j]) * f);
        memcpy(out, x, N * sizeof *x);
        EACH(b->mul_add(out, x, y, N, &m), (u128)x[j] * y[j] + x[j]);
        memcpy(out, y, N * sizeof *y);
        EACH(b->scale_add(out, x, f, N, &m), (u128)x[j] * f + y[j]);
#undef EACH
        vector_free(x);
        vector_free(y);
        vector_free(z);
        vector_free(out);
    }
}

/* 64 digits of the largest residues, so that the sum comes as high as it can. */
Test(portable, inner_product_of_many_digits)
{
    struct ola_modulus m = ola_modulus_make(prime_below(49, 0));
    const void *a[OLA_MAX_DIGITS], *b0[OLA_MAX_DIGITS], *b1[OLA_MAX_DIGITS];
    uint64_t *top = vector_new(N), *random = vector_new(N), *out0 = vector_new(N),
             *out1 = vector_new(N);
    uint32_t index[N];
    vector_fill(top, N, m.q, FILL_TOP, 0);
    vector_fill(random, N, m.q, FILL_RANDOM, 4);
    for (uint32_t j = 0; j < N; j++)
        index[j] = j ^ 5;
    for (size_t d = 0; d < OLA_MAX_DIGITS; d++) {
        a[d] = d % 2 ? random : top;
        b0[d] = top;
        b1[d] = random;
    }
    portable()->inner(out0, out1, a, b0, b1, OLA_MAX_DIGITS, 0, index, N, &m);
    for (size_t j = 0; j < N; j++) {
        u128 sum = (u128)m.q - 1 + random[j ^ 5];
        cr_assert_eq(out0[j], (uint64_t)(sum * 32 % m.q * (m.q - 1) % m.q));
        cr_assert_eq(out1[j], (uint64_t)(sum * 32 % m.q * random[j] % m.q));
    }
    vector_free(top);
    vector_free(random);
    vector_free(out0);
    vector_free(out1);
}

#define SOURCES 3

/* Three primes, their product Q below 2^114, and what a conversion to m wants of them. */
struct basis {
    struct ola_modulus source[SOURCES], m;
    const struct ola_modulus *sources[SOURCES];
    uint64_t inverse[SOURCES], weight[SOURCES]; /* (Q / q_k)^-1 mod q_k, Q / q_k mod m */
    u128 product;
};

static void
basis_open(struct basis *b, uint32_t target_bits)
{
    static const uint32_t bits[SOURCES] = {35, 38, 41};
    b->m = ola_modulus_make(prime_below(target_bits, 0));
    b->product = 1;
    for (int k = 0; k < SOURCES; k++) {
        b->source[k] = ola_modulus_make(prime_below(bits[k], 0));
        b->sources[k] = &b->source[k];
        b->product *= b->source[k].q;
    }
    for (int k = 0; k < SOURCES; k++) {
        u128 rest = b->product / b->source[k].q;
        b->weight[k] = (uint64_t)(rest % b->m.q);
        b->inverse[k] = ola_mod_inverse((uint64_t)(rest % b->source[k].q), &b->source[k]);
    }
}

/* v mod q for a signed v given as size and sign. */
static uint64_t
residue(u128 size, int negative, uint64_t q)
{
    uint64_t r = (uint64_t)(size % q);
    return negative && r ? q - r : r;
}

/* Sizes from 0 to almost Q / 2. */
static u128
sample_size(const struct basis *b, size_t j, uint64_t *state)
{
    u128 v = ((u128)random_word(state) << 64 | random_word(state)) % (b->product / 2);
    v >>= j % 113;
    return j == 0 ? 0 : j == 1 ? b->product / 2 - (b->product >> 40) : v;
}

Test(portable, conversion_finds_the_centred_number)
{
    static const uint32_t targets[] = {22, 31, 40, 49};
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
        struct basis b;
        uint64_t *a[SOURCES], *out = vector_new(N), want[N], state = 9;
        basis_open(&b, targets[t]);
        for (int k = 0; k < SOURCES; k++)
            a[k] = vector_new(N);
        for (size_t j = 0; j < N; j++) {
            u128 size = sample_size(&b, j, &state);
            int negative = (int)(random_word(&state) & 1);
            want[j] = residue(size, negative, b.m.q);
            for (int k = 0; k < SOURCES; k++)
                a[k][j] =
                    ola_mod_mul(residue(size, negative, b.source[k].q), b.inverse[k], &b.source[k]);
        }
        const uint64_t product = (uint64_t)(b.product % b.m.q);
        const uint64_t *const *from = (const uint64_t *const *)a;
        uint8_t multiple[N];
        portable()->multiples(multiple, from, b.sources, SOURCES, N);
        portable()->convert(out, from, b.weight, SOURCES, multiple, product, N, &b.m);
        vector_equal(out, want, N, "rounded conversion");
        portable()->convert(out, from, b.weight, SOURCES, NULL, product, N, &b.m);
        for (size_t j = 0; j < N; j++) { /* off by a multiple of Q from 0 to SOURCES */
            uint64_t excess = (out[j] + b.m.q - want[j]) % b.m.q, multiple = 0;
            for (int i = 0; i <= SOURCES && excess != multiple; i++)
                multiple = (multiple + product) % b.m.q;
            cr_assert_eq(excess, multiple, "entry %zu", j);
        }
        for (int k = 0; k < SOURCES; k++)
            vector_free(a[k]);
        vector_free(out);
    }
}
