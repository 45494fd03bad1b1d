/* harness.c - buffers with guards, values and moduli for comparing backends. */
#include "harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_WORD UINT64_C(0xa5c35a3c96e10f78)

uint64_t
random_word(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t *
vector_new(size_t n)
{
    uint64_t *block = aligned_alloc(64, (n + 2 * GUARD) * sizeof *block);
    cr_assert_not_null(block);
    for (size_t i = 0; i < GUARD; i++)
        block[i] = block[GUARD + n + i] = GUARD_WORD + i;
    return block + GUARD;
}

void
vector_free(uint64_t *v)
{
    free(v - GUARD);
}

void
vector_check_guards(const uint64_t *v, size_t n, const char *what)
{
    for (size_t i = 0; i < GUARD; i++) {
        cr_assert(v[i - GUARD] == GUARD_WORD + i, "%s: wrote %zu words before the vector", what,
                  GUARD - i);
        cr_assert(v[n + i] == GUARD_WORD + i, "%s: wrote %zu words behind the vector", what, i);
    }
}

void
vector_fill(uint64_t *v, size_t n, uint64_t bound, enum fill fill, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t r = random_word(&seed);
        v[i] = (r >> 3) % bound;
        if (fill == FILL_ZERO)
            v[i] = 0;
        if (fill == FILL_TOP || (fill == FILL_EDGES && (r & 7) == 1))
            v[i] = bound - 1;
        if (fill == FILL_EDGES && ((r & 7) == 2 || (r & 7) == 3))
            v[i] = (r & 7) - 2;
    }
}

void
vector_equal(const uint64_t *a, const uint64_t *b, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        cr_assert(a[i] == b[i], "%s: entry %zu of %zu is %llu, should be %llu", what, i, n,
                  (unsigned long long)a[i], (unsigned long long)b[i]);
}

static bool
divides_nothing(uint64_t v)
{
    for (uint64_t d = 3; d * d <= v; d += 2)
        if (v % d == 0)
            return false;
    return true;
}

uint64_t
prime_below(uint32_t bits, uint32_t rank)
{
    const uint64_t step = UINT64_C(1) << 18;
    for (uint64_t v = (UINT64_C(1) << bits) - step + 1; v > step; v -= step)
        if (divides_nothing(v) && rank-- == 0)
            return v;
    cr_assert_fail("no prime below 2^%u", bits);
    return 0;
}
