/* test_kernels.c - every entry of every backend against the portable one, bit for bit. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"

/* Sizes on both sides of what a kernel may treat apart: small primes, 32 bits, lazy variants,
 * the top. */
static const uint32_t prime_bits[] = {22, 26, 30, 31, 32, 33, 37, 40, 43, 45, 46, 47, 48, 49};
#define PRIME_SIZES (sizeof prime_bits / sizeof *prime_bits)

/* What one comparison works on: four inputs, an output for each side. */
struct bench {
    const struct ola_backend *ref, *other;
    struct ola_modulus m;
    size_t n;
    enum fill fill;
    uint64_t *in[4], *want, *got, *want2, *got2;
    char what[96];
};

static void
bench_open(struct bench *b, size_t n)
{
    b->n = n;
    for (int i = 0; i < 4; i++)
        b->in[i] = vector_new(n);
    b->want = vector_new(n);
    b->got = vector_new(n);
    b->want2 = vector_new(n);
    b->got2 = vector_new(n);
}

static void
bench_close(struct bench *b)
{
    for (int i = 0; i < 4; i++)
        vector_free(b->in[i]);
    vector_free(b->want);
    vector_free(b->got);
    vector_free(b->want2);
    vector_free(b->got2);
}

static void
bench_fill(struct bench *b, uint64_t bound)
{
    for (uint64_t i = 0; i < 4; i++)
        vector_fill(b->in[i], b->n, bound, b->fill, 77 * b->m.q + i);
    memcpy(b->want, b->in[3], b->n * sizeof *b->want);
    memcpy(b->got, b->in[3], b->n * sizeof *b->got);
}

static void
bench_compare(struct bench *b, const char *entry)
{
    snprintf(b->what, sizeof b->what, "%s %s q=%llu n=%zu fill=%d", b->other->name, entry,
             (unsigned long long)b->m.q, b->n, (int)b->fill);
    vector_equal(b->got, b->want, b->n, b->what);
    vector_check_guards(b->got, b->n, b->what);
    for (size_t i = 0; i < b->n; i++)
        cr_assert(b->want[i] < b->m.q, "portable %s: not reduced", b->what);
}

/* Runs `check` for every backend, prime size and fill. */
static void
for_all(void (*check)(struct bench *b), size_t n)
{
    const struct ola_backend *const *list;
    uint32_t count = ola_backends(&list);
    struct bench b = {.ref = list[0]};
    cr_assert_str_eq(b.ref->name, "portable");
    bench_open(&b, n);
    for (size_t p = 0; p < PRIME_SIZES; p++) {
        b.m = ola_modulus_make(prime_below(prime_bits[p], 0));
        for (int fill = 0; fill < FILLS; fill++) {
            b.fill = (enum fill)fill;
            for (uint32_t i = 1; i < count; i++) {
                b.other = list[i];
                check(&b);
            }
        }
    }
    bench_close(&b);
}

/* Sums over columns of a block: with all values at the top, as large as they may get. */
static void
check_sums(struct bench *b)
{
    static const struct ola_shifts step[] = {{0, 3, 1}, {2, 0, 2}, {5, 1, 0}, {1, 0, 0}};
    const uint32_t columns = 2 * OLA_MAX_DIGITS + 1, index[] = {0, 1, 2, 3, 1, 0, 2};
    const uint64_t *x[2 * OLA_MAX_DIGITS + 1];
    uint32_t order[2 * OLA_MAX_DIGITS + 1];
    for (uint32_t t = 0; t < columns; t++) {
        x[t] = b->in[t % 3] + t % 16 * OLA_BLOCK;
        order[t] = columns - 1 - t;
    }
    uint64_t norm = (4 * 4 + 2) * 32 * 2 + 2;
    b->ref->sum_shifted(b->want, x, index, step, 4, norm * b->m.q + 5, &b->m);
    b->other->sum_shifted(b->got, x, index, step, 4, norm * b->m.q + 5, &b->m);
    bench_compare(b, "sum_shifted");
    b->ref->sum_shifted(b->want, x, index, step, 0, b->m.q - 1, &b->m);
    b->other->sum_shifted(b->got, x, index, step, 0, b->m.q - 1, &b->m);
    bench_compare(b, "sum_shifted of nothing");
    for (uint32_t terms = 0; terms <= columns; terms += terms < 3 ? 1 : terms == 3 ? 58 : 17) {
        b->ref->sum_weighted(b->want, x, order, b->in[3], terms, b->m.q - 1, &b->m);
        b->other->sum_weighted(b->got, x, order, b->in[3], terms, b->m.q - 1, &b->m);
        bench_compare(b, "sum_weighted");
    }
}

/* Against sums of residues one by one. */
static void
check_sums_reference(struct bench *b)
{
    static const struct ola_shifts step[] = {{0, 1, 1}, {3, 1, 0}};
    const uint64_t *x[3] = {b->in[0], b->in[1], b->in[2]};
    const uint32_t index[] = {0, 1, 2};
    b->other->sum_shifted(b->got, x, index, step, 2, 17 * b->m.q + 1, &b->m);
    for (size_t j = 0; j < OLA_BLOCK; j++) {
        uint64_t want = (8 * (x[0][j] + b->m.q - x[1][j]) + x[2][j] + 1) % b->m.q;
        cr_assert_eq(b->got[j], want, "sum_shifted");
    }
    b->other->sum_weighted(b->got, x, index, b->in[3], 3, 1, &b->m);
    for (size_t j = 0; j < OLA_BLOCK; j++) {
        uint64_t want = 1;
        for (int t = 0; t < 3; t++)
            want = (want + ola_mod_mul(x[t][j], b->in[3][t], &b->m)) % b->m.q;
        cr_assert_eq(b->got[j], want, "sum_weighted");
    }
}

static void
check_all_sums(struct bench *b)
{
    bench_fill(b, b->m.q);
    memset(b->want, 0, b->n * sizeof *b->want);
    memset(b->got, 0, b->n * sizeof *b->got);
    check_sums(b);
    check_sums_reference(b);
}

Test(kernels, sums)
{
    for_all(check_all_sums, 1024);
}

static void
check_binary(struct bench *b)
{
    bench_fill(b, b->m.q);
#define BINARY(entry)                                                                              \
    b->ref->entry(b->want, b->in[0], b->in[1], b->n, &b->m);                                       \
    b->other->entry(b->got, b->in[0], b->in[1], b->n, &b->m);                                      \
    bench_compare(b, #entry);                                                                      \
    memcpy(b->got, b->in[0], b->n * sizeof *b->got);                                               \
    b->other->entry(b->got, b->got, b->in[1], b->n, &b->m);                                        \
    bench_compare(b, #entry " in place")
    BINARY(add);
    BINARY(sub);
    BINARY(mul);
#undef BINARY
    b->ref->negate(b->want, b->in[0], b->n, &b->m);
    b->other->negate(b->got, b->in[0], b->n, &b->m);
    bench_compare(b, "negate");
}

Test(backend, elementwise)
{
    for_all(check_binary, 1024);
    for_all(check_binary, 4096);
}

static void
check_accumulating(struct bench *b)
{
    bench_fill(b, b->m.q);
    b->ref->mul_add(b->want, b->in[0], b->in[1], b->n, &b->m);
    b->other->mul_add(b->got, b->in[0], b->in[1], b->n, &b->m);
    bench_compare(b, "mul_add");
    b->ref->mul_add(b->want, b->in[0], b->in[0], b->n, &b->m);
    b->other->mul_add(b->got, b->in[0], b->in[0], b->n, &b->m);
    bench_compare(b, "mul_add of a square");
    if (b->m.bits > OLA_NARROW_BITS)
        return;
    uint32_t *narrow = (uint32_t *)(void *)b->want2;
    for (size_t i = 0; i < b->n; i++)
        narrow[i] = (uint32_t)b->in[1][i];
    b->ref->mul_add_narrow(b->want, b->in[0], narrow, b->n, &b->m);
    b->other->mul_add_narrow(b->got, b->in[0], narrow, b->n, &b->m);
    bench_compare(b, "mul_add_narrow");
}

Test(backend, accumulating)
{
    for_all(check_accumulating, 1024);
}

static void
check_factor(struct bench *b)
{
    const uint64_t q = b->m.q, factor[] = {0, 1, 2, q / 2, q - 1, (q * 5) / 7};
    for (size_t f = 0; f < sizeof factor / sizeof *factor; f++) {
        bench_fill(b, q);
        b->ref->scale(b->want, b->in[0], factor[f], b->n, &b->m);
        b->other->scale(b->got, b->in[0], factor[f], b->n, &b->m);
        bench_compare(b, "scale");
        b->ref->scale_add(b->want, b->in[1], factor[f], b->n, &b->m);
        b->other->scale_add(b->got, b->in[1], factor[f], b->n, &b->m);
        bench_compare(b, "scale_add");
        b->ref->sub_scale(b->want, b->in[1], b->in[2], factor[f], b->n, &b->m);
        b->other->sub_scale(b->got, b->in[1], b->in[2], factor[f], b->n, &b->m);
        bench_compare(b, "sub_scale");
    }
    bench_fill(b, UINT64_C(1) << 52);
    b->ref->reduce(b->want, b->in[0], b->n, &b->m);
    b->other->reduce(b->got, b->in[0], b->n, &b->m);
    bench_compare(b, "reduce");
}

Test(backend, constant_factor)
{
    for_all(check_factor, 1024);
}

/* An index as automorphisms have it: groups of 8 to groups of 8, shuffled within. */
static void
grouped_index(uint32_t *index, size_t n)
{
    for (uint32_t g = 0; g < n / 8; g++)
        for (uint32_t i = 0; i < 8; i++)
            index[8 * g + i] = (uint32_t)(8 * ((g * 5 + 3) % (n / 8)) + ((i * 3 + g) & 7));
}

static void
check_inner_how(struct bench *b, const void *const *const of[3], uint32_t digits, uint32_t how,
                const uint32_t *perm)
{
    vector_fill(b->want, b->n, b->m.q, b->fill, 7);
    vector_fill(b->want2, b->n, b->m.q, b->fill, 8);
    memcpy(b->got, b->want, b->n * sizeof *b->got);
    memcpy(b->got2, b->want2, b->n * sizeof *b->got2);
    b->ref->inner(b->want, b->want2, of[0], of[1], of[2], digits, how, perm, b->n, &b->m);
    b->other->inner(b->got, b->got2, of[0], of[1], of[2], digits, how, perm, b->n, &b->m);
    bench_compare(b, "inner");
    vector_equal(b->got2, b->want2, b->n, b->what);
}

static void
check_inner(struct bench *b)
{
    static const uint32_t digit_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 64};
    const uint32_t narrow = OLA_INNER_NARROW_A | OLA_INNER_NARROW_B;
    const void *a[OLA_MAX_DIGITS], *b0[OLA_MAX_DIGITS], *b1[OLA_MAX_DIGITS];
    const void *const *const of[3] = {a, b0, b1};
    uint32_t *index = (uint32_t *)(void *)vector_new(b->n);
    bench_fill(b, b->m.q);
    grouped_index(index, b->n);
    for (size_t i = 0; i < OLA_MAX_DIGITS; i++) {
        a[i] = b->in[i % 2];
        b0[i] = b->in[2 + i % 2];
        b1[i] = b->in[(i / 2) % 4];
    }
    for (size_t c = 0; c < sizeof digit_counts / sizeof *digit_counts; c++) {
        for (uint32_t how = 0; how <= (narrow | OLA_INNER_ADD); how++) {
            if ((how & narrow) != 0 && b->m.bits > OLA_NARROW_BITS)
                continue;
            check_inner_how(b, of, digit_counts[c], how, NULL);
            if ((how & OLA_INNER_NARROW_A) == 0)
                check_inner_how(b, of, digit_counts[c], how, index);
        }
    }
    b->ref->permute(b->want, b->in[0], index, b->n);
    b->other->permute(b->got, b->in[0], index, b->n);
    bench_compare(b, "permute");
    vector_free((uint64_t *)(void *)index);
}

Test(backend, inner_product_and_permutation)
{
    for_all(check_inner, 1024);
}

/* Largest: sources, weights and so sums as large as they come. */
static void
check_convert_of(struct bench *b, bool largest)
{
    static const uint32_t source_bits[] = {49, 25, 40, 31}, counts[] = {1, 2, 5, 7, 8, 9, 17, 32};
    struct ola_modulus source[OLA_MAX_SOURCES];
    const struct ola_modulus *sources[OLA_MAX_SOURCES];
    const uint64_t *a[OLA_MAX_SOURCES];
    uint64_t weight[OLA_MAX_SOURCES], state = b->m.q;
    for (uint32_t i = 0; i < 4; i++)
        source[i] = ola_modulus_make(prime_below(largest ? 49 : source_bits[i], 1));
    bench_fill(b, b->m.q);
    for (uint32_t i = 0; i < 4; i++)
        vector_fill(b->in[i], b->n, source[i].q, b->fill, i);
    for (uint32_t i = 0; i < OLA_MAX_SOURCES; i++) {
        a[i] = b->in[i % 4];
        sources[i] = &source[i % 4];
        weight[i] = largest || i % 3 == 0 ? b->m.q - 1 : random_word(&state) % b->m.q;
    }
    const uint64_t correction[] = {0, 1, b->m.q - 1, b->m.q / 3};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        b->ref->multiples((uint8_t *)b->want2, a, sources, counts[c], b->n);
        b->other->multiples((uint8_t *)b->got2, a, sources, counts[c], b->n);
        for (size_t k = 0; k < 5; k++) {
            const uint8_t *multiple = k < 4 ? (const uint8_t *)b->want2 : NULL;
            b->ref->convert(b->want, a, weight, counts[c], multiple, correction[k % 4], b->n,
                            &b->m);
            b->other->convert(b->got, a, weight, counts[c], multiple, correction[k % 4], b->n,
                              &b->m);
            bench_compare(b, "convert");
            vector_equal(b->got2, b->want2, b->n / 8, b->what);
        }
    }
}

static void
check_convert(struct bench *b)
{
    check_convert_of(b, false);
    check_convert_of(b, true);
}

Test(backend, basis_conversion)
{
    for_all(check_convert, 1024);
}

static void
check_repeat(struct bench *b)
{
    bench_fill(b, b->m.q);
    for (uint32_t width = 4; width <= 8; width += 4) {
        for (uint32_t log_block = 0; (UINT64_C(1) << log_block) <= 2 * b->n; log_block++) {
            const uint64_t *in = b->in[0] + b->n - ((b->n >> log_block) * width + 7) / 8;
            b->ref->repeat(b->want, in, log_block, width, b->n);
            b->other->repeat(b->got, in, log_block, width, b->n);
            vector_equal(b->got, b->want, b->n, b->other->name);
            vector_check_guards(b->got, b->n, b->other->name);
        }
    }
}

Test(backend, repeated_values)
{
    for_all(check_repeat, 1024);
}

static void
check_from_signed(struct bench *b)
{
    const int64_t most = (INT64_C(1) << 50) - 1;
    int64_t *wide = (int64_t *)b->in[0];
    int32_t *narrow = (int32_t *)b->in[1];
    bench_fill(b, UINT64_C(1) << 51);
    for (size_t j = 0; j < b->n; j++)
        wide[j] = wide[j] > most ? most - wide[j] : wide[j];
    narrow[0] = INT32_MIN;
    narrow[1] = INT32_MAX;
    b->ref->from_signed(b->want, wide, 8, b->n, &b->m);
    b->other->from_signed(b->got, wide, 8, b->n, &b->m);
    bench_compare(b, "from_signed");
    for (size_t j = 0; j < b->n; j++)
        cr_assert_eq((int64_t)b->got[j],
                     (wide[j] % (int64_t)b->m.q + (int64_t)b->m.q) % (int64_t)b->m.q);
    b->ref->from_signed(b->want, narrow, 4, b->n, &b->m);
    b->other->from_signed(b->got, narrow, 4, b->n, &b->m);
    bench_compare(b, "from_signed");
}

Test(backend, signed_integers)
{
    for_all(check_from_signed, 1024);
}
