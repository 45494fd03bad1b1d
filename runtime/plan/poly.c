/* poly.c - how a polynomial in the Chebyshev basis is evaluated: the steps, their levels and
 * scales.
 *
 * p = T_n q + r with n the largest power of two up to deg p, by T_(n+m) = 2 T_n T_m - T_(n-m), and
 * so on with q and r until the degree is at most 1. A result wanted at (level, scale) needs q at
 * one level more and at the scale that the product and its rescale turn into exactly the wanted
 * one; r is wanted like the result itself. */
#include "ola/plan.h"

#include <string.h>

static uint32_t
floor_log2(uint32_t n)
{
    return 31u - (uint32_t)__builtin_clz(n);
}

uint32_t
ola_plan_poly_depth(uint32_t degree)
{
    return degree == 0 ? 0 : floor_log2(degree) + 1;
}

struct builder {
    struct ola_poly_plan *plan;
    const uint64_t *q;
    uint32_t level;        /* of x */
    double scale;          /* of x */
    double power_scale[8]; /* of T_(2^k), which is register k at level - k */
};

static void
push(struct builder *b, struct ola_step step)
{
    struct ola_poly_plan *p = b->plan;
    if (step.dst >= p->n_regs)
        p->n_regs = step.dst + 1;
    p->step[p->n_steps] = step;
    p->n_steps++;
}

static void
push_powers(struct builder *b, uint32_t count)
{
    b->power_scale[0] = b->scale;
    for (uint32_t k = 1; k <= count; k++) {
        double before = b->power_scale[k - 1];
        b->power_scale[k] = before * before / (double)b->q[b->level - k + 1];
        push(b, (struct ola_step){.kind = OLA_STEP_POWER,
                                  .dst = k,
                                  .a = k - 1,
                                  .b = k - 1,
                                  .c = OLA_NO_REG,
                                  .level = b->level - k,
                                  .scale = b->power_scale[k]});
    }
}

/* dst = c1 * T_(2^power) + c0 (+ c). */
static void
push_leaf(struct builder *b, uint32_t dst, uint32_t power, uint32_t c, uint32_t level, double scale)
{
    double plain = scale * (double)b->q[level + 1] / b->power_scale[power];
    push(b, (struct ola_step){.kind = OLA_STEP_LEAF,
                              .dst = dst,
                              .a = power,
                              .b = OLA_NO_REG,
                              .c = c,
                              .leaf = b->plan->n_leaves++,
                              .level = level,
                              .scale = scale,
                              .plain_scale = plain});
}

/* The steps of a polynomial of this degree, into register dst; registers above dst are free. */
static void
push_poly(struct builder *b, uint32_t degree, uint32_t dst, uint32_t level, double scale)
{
    if (degree <= 1) {
        push_leaf(b, dst, 0, OLA_NO_REG, level, scale);
        return;
    }
    uint32_t k = floor_log2(degree), n = 1u << k;
    if (degree == n) {
        push_poly(b, n - 1, dst, level, scale);
        push_leaf(b, dst, k, dst, level, scale);
        return;
    }
    double quotient_scale = scale * (double)b->q[level + 1] / b->power_scale[k];
    push_poly(b, degree - n, dst, level + 1, quotient_scale);
    push_poly(b, n - 1, dst + 1, level, scale);
    push(b, (struct ola_step){.kind = OLA_STEP_JOIN,
                              .dst = dst,
                              .a = dst,
                              .b = k,
                              .c = dst + 1,
                              .level = level,
                              .scale = scale});
}

bool
ola_plan_poly(uint32_t degree, uint32_t level, double in_scale, double out_scale, const uint64_t *q,
              struct ola_poly_plan *plan)
{
    uint32_t depth = ola_plan_poly_depth(degree);
    if (degree == 0 || degree > OLA_MAX_DEGREE || level < depth || level >= OLA_MAX_Q)
        return false;
    memset(plan, 0, sizeof *plan);
    plan->degree = degree;
    plan->depth = depth;
    plan->n_regs = 1;
    struct builder b = {.plan = plan, .q = q, .level = level, .scale = in_scale};
    push_powers(&b, depth - 1);
    push_poly(&b, degree, depth, level - depth, out_scale);
    return true;
}

/* p = T_n q + r, both in Chebyshev coefficients; n <= degree < 2n. q[0 .. degree - n], r[0 .. n -
 * 1]. */
static void
divide(const double *p, uint32_t degree, uint32_t n, double *q, double *r)
{
    memcpy(r, p, n * sizeof *r);
    q[0] = p[n];
    for (uint32_t m = 1; m <= degree - n; m++) {
        q[m] = 2.0 * p[n + m];
        r[n - m] -= p[n + m];
    }
}

/* Leaves in push_poly's order; returns behind the last. */
static double *
split(const double *p, uint32_t degree, double *leaves)
{
    double q[OLA_MAX_DEGREE + 1], r[OLA_MAX_DEGREE + 1];
    if (degree <= 1) {
        leaves[0] = p[0];
        leaves[1] = degree == 0 ? 0.0 : p[1];
        return leaves + 2;
    }
    uint32_t n = 1u << floor_log2(degree);
    divide(p, degree, n, q, r);
    if (degree == n) {
        leaves = split(r, n - 1, leaves);
        leaves[0] = 0.0;
        leaves[1] = q[0];
        return leaves + 2;
    }
    leaves = split(q, degree - n, leaves);
    return split(r, n - 1, leaves);
}

void
ola_plan_poly_split(const struct ola_poly_plan *plan, const double *coef, double *leaves)
{
    split(coef, plan->degree, leaves);
}

bool
ola_plan_poly_deferred(const struct ola_poly_plan *plan, uint32_t step)
{
    uint32_t reg = plan->step[step].dst;
    for (uint32_t k = step + 1; k < plan->n_steps; k++) {
        const struct ola_step *s = &plan->step[k];
        if (s->c == reg)
            return true;
        if (s->a == reg || s->b == reg || s->dst == reg)
            return false;
    }
    return false;
}

void
ola_plan_poly_count(const struct ola_poly_plan *plan, uint32_t *products, uint32_t *plain)
{
    /* Registers that hold sums of products, to be relinearised later. */
    bool pending[2 * OLA_MAX_DEGREE] = {false};
    *products = 0;
    *plain = plan->n_leaves;
    for (uint32_t k = 0; k < plan->n_steps; k++) {
        const struct ola_step *s = &plan->step[k];
        bool product = s->kind != OLA_STEP_LEAF || (s->c != OLA_NO_REG && pending[s->c]);
        pending[s->dst] = product && ola_plan_poly_deferred(plan, k);
        if (product && !pending[s->dst])
            (*products)++;
    }
}
