/* costs.c - what operations cannot do without: the multiplications of the best algorithms that the
 * runtime knows, and the bytes that have to move. */
#include "bench.h"

struct cost
cost_add(struct cost a, struct cost b)
{
    return (struct cost){a.mults + b.mults, a.bytes + b.bytes};
}

struct cost
cost_times(double k, struct cost a)
{
    return (struct cost){k * a.mults, k * a.bytes};
}

struct cost
cost_entries(uint32_t log_n, double mults, double words)
{
    const double n = (double)(UINT64_C(1) << log_n);
    return (struct cost){n * mults, 8 * n * words};
}

/* Three for a butterfly; the limb, a root and its companion for every entry. */
struct cost
cost_ntt(uint32_t log_n)
{
    return cost_entries(log_n, 1.5 * log_n, 3);
}

/* A product and a fraction each, the sum's reduction, the multiple of the modulus. */
struct cost
cost_convert(uint32_t log_n, uint32_t sources)
{
    return cost_entries(log_n, 3.0 * sources + 5 + 3, sources + 1.0);
}

/* Both halves of two products each, two reductions. */
struct cost
cost_inner(uint32_t log_n, uint32_t digits)
{
    return cost_entries(log_n, 4.0 * digits + 2 * 5, 3.0 * digits + 2);
}

uint32_t
shape_digits(const struct shape *s)
{
    return (s->limbs + s->digit - 1) / s->digit;
}

static double
positions(const struct shape *s)
{
    return s->limbs + s->special;
}

static double
key_words(const struct shape *s)
{
    return 2 * shape_digits(s) * positions(s) * s->key_width / 8;
}

static struct cost
work_only(struct cost c)
{
    return (struct cost){c.mults, 0};
}

/* Limbs untransformed and scaled. */
static struct cost
prepare(const struct shape *s, double limbs)
{
    return cost_times(limbs, cost_add(cost_ntt(s->log_n), cost_entries(s->log_n, 3, 0)));
}

struct cost
cost_raise(const struct shape *s)
{
    struct cost sum = work_only(prepare(s, s->limbs));
    double made = 0;
    for (uint32_t first = 0; first < s->limbs; first += s->digit) {
        const uint32_t own = s->limbs - first < s->digit ? s->limbs - first : s->digit;
        const struct cost one = cost_add(cost_convert(s->log_n, own), cost_ntt(s->log_n));
        sum = cost_add(sum, work_only(cost_times(positions(s) - own, one)));
        made += positions(s) - own;
    }
    return cost_add(sum, cost_entries(s->log_n, 0, s->limbs + made));
}

struct cost
cost_key(const struct shape *s)
{
    const uint32_t digits = shape_digits(s);
    const struct cost work = cost_times(positions(s), cost_inner(s->log_n, digits));
    return cost_add(work_only(work),
                    cost_entries(s->log_n, 0, (digits + 2) * positions(s) + key_words(s)));
}

/* Two polynomials divided by `by` primes. */
struct cost
cost_divide(const struct shape *s, uint32_t by, uint32_t out)
{
    const struct cost one = cost_add(cost_add(cost_convert(s->log_n, by), cost_ntt(s->log_n)),
                                     cost_entries(s->log_n, 3, 0));
    const struct cost all = cost_add(prepare(s, by), cost_times(out, one));
    return cost_add(work_only(cost_times(2, all)), cost_entries(s->log_n, 0, 2.0 * (by + 2 * out)));
}

/* The part that needs no key, times P, for `parts` parts. */
static struct cost
lift(const struct shape *s, double parts)
{
    return cost_entries(s->log_n, 3 * parts * s->limbs, 0);
}

struct cost
cost_hoisted(const struct shape *s)
{
    struct cost sum = cost_add(cost_key(s), cost_divide(s, s->special, s->limbs));
    sum = work_only(cost_add(sum, lift(s, 1)));
    const double raised = shape_digits(s) * positions(s);
    return cost_add(sum, cost_entries(s->log_n, 0, raised + key_words(s) + 3.0 * s->limbs));
}

struct cost
cost_rotation(const struct shape *s)
{
    struct cost sum = work_only(cost_add(cost_raise(s), cost_hoisted(s)));
    return cost_add(sum, cost_entries(s->log_n, 0, key_words(s) + 4.0 * s->limbs));
}

struct cost
cost_reduce(const struct shape *s)
{
    struct cost sum = cost_add(cost_raise(s), cost_key(s));
    sum = cost_add(sum, cost_divide(s, s->special + 1, s->limbs - 1));
    sum = work_only(cost_add(sum, lift(s, 2)));
    return cost_add(
        sum, cost_entries(s->log_n, 0, key_words(s) + 3.0 * s->limbs + 2 * (s->limbs - 1.0)));
}

struct cost
cost_product(const struct shape *s)
{
    const struct cost reduce = cost_reduce(s);
    return cost_add(reduce, cost_entries(s->log_n, 16.0 * s->limbs, 1.0 * s->limbs));
}
