/* costs.c - what operations cannot do without: the multiplications of the best algorithms that the
 * runtime knows, and the bytes that have to move. */
#include "bench.h"
#include "ckks/map.h"
#include "ckks/server.h"

struct cost
cost_add(struct cost a, struct cost b)
{
    return (struct cost){a.mults + b.mults, a.bytes + b.bytes, a.hashed + b.hashed};
}

struct cost
cost_times(double k, struct cost a)
{
    return (struct cost){k * a.mults, k * a.bytes, k * a.hashed};
}

struct cost
cost_entries(uint32_t log_n, double mults, double words)
{
    const double n = (double)(UINT64_C(1) << log_n);
    return (struct cost){.mults = n * mults, .bytes = 8 * n * words};
}

/* Three for a butterfly; the limb, a root and its companion for every entry. */
struct cost
cost_ntt(uint32_t log_n)
{
    return cost_entries(log_n, 1.5 * log_n, 3);
}

/* The last stage multiplies its sums too: by 1 / n, and whatever factor is wanted beside it. */
struct cost
cost_inverse(uint32_t log_n)
{
    return cost_add(cost_ntt(log_n), cost_entries(log_n, 1.5, 0));
}

/* A fraction each. */
struct cost
cost_multiples(uint32_t log_n, uint32_t sources)
{
    return cost_entries(log_n, sources, sources + 0.125);
}

/* Both halves of a product for each source and for the multiple, two products to reduce. */
struct cost
cost_convert(uint32_t log_n, uint32_t sources)
{
    return cost_entries(log_n, 2.0 * (sources + 1) + 2, sources + 1.125);
}

/* Both halves of two products each, two reductions. */
struct cost
cost_inner(uint32_t log_n, uint32_t digits)
{
    return cost_entries(log_n, 4.0 * digits + 2 * 5, 3.0 * digits + 2);
}

/* Residues of some primes have four bytes in keys and plaintexts. */
struct shape
shape_at(const struct ola_params *p, uint32_t level)
{
    const uint32_t all = ola_positions(p, level);
    struct shape s = {
        .log_n = p->log_n, .limbs = level + 1, .special = p->n_p, .digit = p->literal.digit_limbs};
    for (uint32_t i = 0; i < all; i++)
        s.key_width += (double)p->width[ola_position_chain(p, level, i)] / all;
    return s;
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
    return (struct cost){.mults = c.mults};
}

/* Limbs untransformed and scaled. */
static struct cost
prepare(const struct shape *s, double limbs)
{
    return cost_times(limbs, cost_inverse(s->log_n));
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

/* Babies of a source from one raised form, giants one after the other; a late map divides by P only
 * the groups (map.h). Products are summed before they are reduced. */
struct cost
cost_map(const struct ola_map *m)
{
    const struct shape k = shape_at(m->params, m->desc.level);
    const struct cost down = cost_divide(&k, k.special, k.limbs);
    const struct cost again = cost_add(cost_raise(&k), cost_key(&k));
    double babies = 0, coarse = 0, giants = 0;
    struct cost sum = {0};
    for (uint32_t i = 0; i < m->n_babies; i++)
        babies += m->baby[i] != 0;
    for (uint32_t i = 0; i < m->n_sources; i++)
        coarse += m->source[i].step != 0;
    for (uint32_t i = 0; i < m->n_groups; i++)
        giants += m->group[i].step != 0;
    for (uint32_t i = 0; i < m->n_runs; i++)
        sum = cost_add(sum, cost_entries(k.log_n, 4.0 * m->run[i].count * m->positions, 0));
    sum = cost_add(sum, cost_entries(k.log_n, 10.0 * m->n_groups * m->positions, 0));
    sum = cost_add(sum, cost_times(m->n_sources, cost_raise(&k)));
    sum = cost_add(sum, cost_times(babies + coarse, cost_key(&k)));
    sum = cost_add(sum, cost_times(coarse + (m->late ? giants : babies + giants - 1), down));
    sum = cost_add(sum, cost_times(giants, again));
    sum = work_only(cost_add(sum, cost_divide(&k, k.special + 1, k.limbs - 1)));
    const double plain = m->head.n_diagonals * (double)m->positions * k.key_width / 8;
    const double words = (babies + coarse + giants) * key_words(&k) + plain + 4.0 * k.limbs;
    return cost_add(sum, cost_entries(k.log_n, 0, words));
}

/* The steps' products, each sum of them reduced once (ola_plan_poly_deferred). */
struct cost
cost_poly(const struct ola_params *p, uint32_t degree, uint32_t level)
{
    struct ola_poly_plan plan;
    bool pending[OLA_REGS] = {false};
    struct cost sum = {0};
    if (!ola_plan_poly(degree, level, 1.0, 1.0, p->literal.q, &plan))
        return sum;
    for (uint32_t k = 0; k < plan.n_steps; k++) {
        const struct ola_step *step = &plan.step[k];
        const struct shape at = shape_at(p, step->level + 1);
        const bool leaf = step->kind == OLA_STEP_LEAF;
        const bool product = !leaf || (step->c != OLA_NO_REG && pending[step->c]);
        const bool deferred = ola_plan_poly_deferred(&plan, k);
        sum = cost_add(sum, cost_entries(at.log_n, (leaf ? 6.0 : 16.0) * at.limbs, 0));
        pending[step->dst] = product && deferred;
        if (product && !deferred)
            sum = cost_add(sum, cost_reduce(&at));
        else if (!deferred)
            sum = cost_add(sum, cost_divide(&at, 1, at.limbs - 1));
    }
    return sum;
}
