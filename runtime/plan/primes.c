/* primes.c - primes for the transform: p = 1 mod 2N, near a power of two. */
#include "ola/plan.h"

#include <math.h>

__extension__ typedef unsigned __int128 wide;

static uint64_t
mul_mod(uint64_t a, uint64_t b, uint64_t n)
{
    return (uint64_t)((wide)a * b % n);
}

static uint64_t
pow_mod(uint64_t a, uint64_t e, uint64_t n)
{
    uint64_t result = 1;
    for (; e != 0; e >>= 1) {
        if (e & 1)
            result = mul_mod(result, a, n);
        a = mul_mod(a, a, n);
    }
    return result;
}

/* Whether `base` does not prove n = 1 + odd * 2^twos composite. */
static bool
passes(uint64_t n, uint64_t base, uint64_t odd, int twos)
{
    uint64_t x = pow_mod(base, odd, n);
    if (x == 1 || x == n - 1)
        return true;
    while (--twos > 0) {
        x = mul_mod(x, x, n);
        if (x == n - 1)
            return true;
    }
    return false;
}

bool
ola_plan_is_prime(uint64_t n)
{
    /* These bases decide every n < 3.3e24: Sorenson and Webster, Math. Comp. 86 (2017). */
    static const uint64_t bases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
    if (n < 2)
        return false;
    for (size_t k = 0; k < sizeof bases / sizeof *bases; k++) {
        if (n % bases[k] == 0)
            return n == bases[k];
    }
    int twos = __builtin_ctzll(n - 1);
    uint64_t odd = (n - 1) >> twos;
    for (size_t k = 0; k < sizeof bases / sizeof *bases; k++) {
        if (!passes(n, bases[k], odd, twos))
            return false;
    }
    return true;
}

static bool
is_taken(uint64_t q, const uint64_t *taken, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        if (taken[k] == q)
            return true;
    }
    return false;
}

/* One side of the search: candidates candidate, candidate + step ... as long as they stay inside.
 */
struct side {
    uint64_t candidate, step, lowest, highest;
};

/* The side's next prime that is not taken; 0 when it has none left. */
static uint64_t
next_prime(struct side *s, const uint64_t *taken, uint32_t n_taken)
{
    while (s->candidate >= s->lowest && s->candidate <= s->highest) {
        uint64_t q = s->candidate;
        s->candidate += s->step;
        if (ola_plan_is_prime(q) && !is_taken(q, taken, n_taken))
            return q;
    }
    return 0;
}

bool
ola_plan_primes(uint32_t log_n, uint32_t bits, uint32_t count, const uint64_t *taken,
                uint32_t n_taken, uint64_t *out)
{
    if (log_n < OLA_MIN_LOG_N || log_n > OLA_MAX_LOG_N || bits < log_n + 3 || bits > OLA_PRIME_BITS)
        return false;
    uint64_t middle = (uint64_t)1 << bits, step = (uint64_t)2 << log_n;
    uint64_t lowest = (uint64_t)((double)middle * exp2(-0.25));
    uint64_t highest =
        bits == OLA_PRIME_BITS ? middle - 1 : (uint64_t)((double)middle * exp2(0.25));
    struct side above = {middle + 1, step, lowest, highest};
    struct side below = {middle + 1 - step, 0 - step, lowest, highest};
    for (uint32_t k = 0; k < count; k++) {
        struct side *first = k % 2 == 0 ? &above : &below, *second = k % 2 == 0 ? &below : &above;
        uint64_t q = next_prime(first, taken, n_taken);
        if (q == 0)
            q = next_prime(second, taken, n_taken);
        if (q == 0)
            return false;
        out[k] = q;
    }
    return true;
}
