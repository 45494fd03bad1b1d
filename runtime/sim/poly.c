/* poly.c - polynomials on slots, step by step as ola_plan_poly plans them, with every step's level
 * and scale checked.
 *
 * Noise of a step at dst's scale: rounding of the rescale; key switching, in front of the rescale,
 * where the step (or what was added up to it) holds a product; encoding of a leaf's coefficients. A
 * deferred step has no rescale and no key switch of its own (ola_plan_poly_deferred). */
#include "sim/sim_impl.h"

#include <math.h>
#include <string.h>

struct ola_poly {
    const struct ola_params *params;
    struct ola_map_desc desc;
    uint32_t cts, period;
    struct ola_poly_plan plan;
    double *leaves; /* [cts][leaf][2][period] */
    size_t n_leaves;
};

static const double *
leaf(const struct ola_poly *f, uint32_t ct, uint32_t number, uint32_t which)
{
    return f->leaves + (((size_t)ct * f->plan.n_leaves + number) * 2 + which) * f->period;
}

/* Splits every slot's polynomial; `coefs` is scratch. */
static void
split_leaves(struct ola_poly *f, const struct ola_poly_view *v, double *coefs)
{
    double coef[OLA_MAX_DEGREE + 1], part[2 * OLA_MAX_STEPS];
    uint32_t parts = 2 * f->plan.n_leaves;
    for (uint32_t ct = 0; ct < f->cts; ct++) {
        ola_poly_view_coefs(v, ct, coefs);
        for (uint32_t t = 0; t < f->period; t++) {
            for (uint32_t k = 0; k <= f->plan.degree; k++)
                coef[k] = coefs[(size_t)k * f->period + t];
            ola_plan_poly_split(&f->plan, coef, part);
            for (uint32_t k = 0; k < parts; k++)
                f->leaves[((size_t)ct * parts + k) * f->period + t] = part[k];
        }
    }
}

/* Every level, scale and coefficient of the plan against the modulus. */
static ola_status
check_plan(const struct ola_poly *f)
{
    const struct ola_params *p = f->params;
    ola_status s = ola_sim_scale(p, f->desc.level, f->desc.in_scale);
    for (uint32_t k = 0; k < f->plan.n_steps && s == OLA_OK; k++) {
        const struct ola_step *step = &f->plan.step[k];
        s = ola_sim_scale(p, step->level, step->scale);
        for (uint32_t ct = 0; step->kind == OLA_STEP_LEAF && ct < f->cts && s == OLA_OK; ct++) {
            if (!isfinite(step->plain_scale) || step->plain_scale <= 0.0)
                return OLA_ERR_SCALE;
            s = ola_sim_range(p, step->level, step->scale, leaf(f, ct, step->leaf, 0), f->period);
            if (s == OLA_OK)
                s = ola_sim_range(p, step->level + 1, step->plain_scale, leaf(f, ct, step->leaf, 1),
                                  f->period);
        }
    }
    return s;
}

static ola_status
fill(struct ola_poly *f, const struct ola_poly_view *v)
{
    size_t n = (size_t)(f->plan.degree + 1) * f->period;
    double *coefs = ola_sim_vector(n);
    f->n_leaves = (size_t)f->cts * f->plan.n_leaves * 2 * f->period;
    f->leaves = ola_sim_vector(f->n_leaves);
    ola_status s = OLA_ERR_NOMEM;
    if (coefs != NULL && f->leaves != NULL) {
        split_leaves(f, v, coefs);
        s = check_plan(f);
    }
    ola_sim_vector_free(coefs, n);
    return s;
}

ola_status
ola_poly_new(const ola_params *p, const struct ola_map_desc *desc, const void *section, size_t size,
             ola_poly **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || desc == NULL || section == NULL)
        return OLA_ERR_PARAM;
    struct ola_poly_view view;
    if (!ola_poly_view_open(&view, section, size, p->slots))
        return OLA_ERR_FORMAT;
    if (!isfinite(desc->in_scale) || desc->in_scale <= 0.0 || !isfinite(desc->out_scale) ||
        desc->out_scale <= 0.0)
        return OLA_ERR_SCALE;
    struct ola_poly *f = ola_alloc_zero(sizeof *f);
    if (f == NULL)
        return OLA_ERR_NOMEM;
    f->params = p;
    f->desc = *desc;
    f->cts = view.head.cts;
    f->period = view.period;
    ola_status s = OLA_ERR_LEVEL;
    if (desc->level < p->n_q && ola_plan_poly(view.head.degree, desc->level, desc->in_scale,
                                              desc->out_scale, p->literal.q, &f->plan))
        s = fill(f, &view);
    if (s != OLA_OK) {
        ola_poly_free(f);
        return s;
    }
    *out = f;
    return OLA_OK;
}

void
ola_poly_free(ola_poly *f)
{
    if (f == NULL)
        return;
    ola_sim_vector_free(f->leaves, f->n_leaves);
    ola_release(f, sizeof *f);
}

/* ---- evaluation ------------------------------------------------------------------------------ */

struct reg {
    uint32_t level;
    double scale;
    bool product; /* three components, not relinearised yet */
    double *v;    /* [slots] */
};

/* Each ciphertext of the bundle by itself. */
struct run {
    const struct ola_params *p;
    const struct ola_poly *f;
    uint32_t ct;
    struct reg *reg;
    uint64_t trace;
    struct ola_counts counts;
};

/* The operands of a product can be dropped to level + 1 and give exactly the step's scale. */
static ola_status
check_step(const struct run *r, const struct ola_step *step, double other_scale)
{
    const struct reg *a = &r->reg[step->a];
    if (a->level <= step->level || step->level + 1 >= r->p->n_q)
        return OLA_ERR_LEVEL;
    if (!ola_sim_close(a->scale * other_scale / (double)r->p->literal.q[step->level + 1],
                       step->scale))
        return OLA_ERR_SCALE;
    if (step->c == OLA_NO_REG)
        return OLA_OK;
    const struct reg *c = &r->reg[step->c];
    if (c->level != step->level)
        return OLA_ERR_LEVEL;
    return ola_sim_close(c->scale, step->scale) ? OLA_OK : OLA_ERR_SCALE;
}

static ola_status
run_product(struct run *r, const struct ola_step *step, double *out)
{
    const struct reg *a = &r->reg[step->a], *b = &r->reg[step->b];
    if (b->level <= step->level)
        return OLA_ERR_LEVEL;
    ola_status s = check_step(r, step, b->scale);
    bool power = step->kind == OLA_STEP_POWER;
    const double *c = step->c == OLA_NO_REG ? NULL : r->reg[step->c].v;
    for (uint32_t t = 0; t < r->p->slots && s == OLA_OK; t++) {
        double product = a->v[t] * b->v[t];
        out[t] = power ? 2.0 * product - 1.0 : product + (c != NULL ? c[t] : 0.0);
    }
    r->counts.products++;
    r->counts.additions += power ? 2 : (c != NULL ? 1 : 0);
    return s;
}

static ola_status
run_leaf(struct run *r, const struct ola_step *step, double *out)
{
    const struct ola_poly *f = r->f;
    const struct reg *a = &r->reg[step->a];
    const double *c0 = leaf(f, r->ct, step->leaf, 0), *c1 = leaf(f, r->ct, step->leaf, 1);
    const double *c = step->c == OLA_NO_REG ? NULL : r->reg[step->c].v;
    ola_status s = check_step(r, step, step->plain_scale);
    double encoding = ola_sim_encoding(f->period, step->scale);
    double weight = ola_sim_encoding(f->period, step->plain_scale);
    double seen = 0.0; /* mean square of a, for the encoding of c1 */
    for (uint32_t t = 0; t < r->p->slots && s == OLA_OK; t++) {
        uint32_t k = t & (f->period - 1);
        seen += a->v[t] * a->v[t] / r->p->slots;
        out[t] = c1[k] * a->v[t] + c0[k] + (c != NULL ? c[t] : 0.0);
    }
    ola_sim_disturb(r->p, out, encoding + seen * weight, r->trace + 1);
    r->counts.plain_products++;
    r->counts.additions += c != NULL ? 2 : 1;
    return s;
}

/* The end of a step: key switch and rescale unless they are left to a later one. */
static void
run_close(struct run *r, uint32_t k, double *v, struct reg *dst)
{
    const struct ola_step *step = &r->f->plan.step[k];
    bool product =
        step->kind != OLA_STEP_LEAF || (step->c != OLA_NO_REG && r->reg[step->c].product);
    bool deferred = ola_plan_poly_deferred(&r->f->plan, k);
    double variance = 0.0;
    if (!deferred) {
        variance = ola_sim_slot(r->p, ola_sim_rounding(r->p, 2), step->scale);
        r->counts.rescales++;
    }
    if (!deferred && product) {
        double before = step->scale * (double)r->p->literal.q[step->level + 1];
        variance += ola_sim_slot(r->p, ola_sim_switching(r->p, step->level + 1), before);
        r->counts.relinearisations++;
    }
    ola_sim_disturb(r->p, v, variance, r->trace);
    dst->level = step->level;
    dst->scale = step->scale;
    dst->product = product && deferred;
    memcpy(dst->v, v, r->p->slots * sizeof *v);
}

/* All steps for one ciphertext; registers' vectors are there, `v` is scratch. */
static ola_status
run_steps(struct run *r, const struct ola_ct *in, double *v)
{
    const struct ola_poly_plan *plan = &r->f->plan;
    r->reg[0].level = in->level;
    r->reg[0].scale = in->scale;
    memcpy(r->reg[0].v, in->v, r->p->slots * sizeof *v);
    r->trace = ola_sim_mix(in->trace, r->ct);
    for (uint32_t k = 0; k < plan->n_steps; k++) {
        const struct ola_step *step = &plan->step[k];
        r->trace = ola_sim_mix(r->trace, k);
        ola_status s = step->kind == OLA_STEP_LEAF ? run_leaf(r, step, v) : run_product(r, step, v);
        if (s == OLA_OK)
            s = ola_sim_range(r->p, step->level, step->scale, v, r->p->slots);
        if (s != OLA_OK)
            return s;
        run_close(r, k, v, &r->reg[step->dst]);
    }
    return OLA_OK;
}

static ola_status
check_inputs(const struct ola_server *s, const struct ola_poly *f, const ola_ct *const *in,
             ola_ct *const *out)
{
    for (uint32_t k = 0; k < f->cts; k++) {
        ola_status e = ola_sim_operand(s->params, in[k], 2);
        if (e == OLA_OK)
            e = ola_sim_output(s->params, out[k]);
        if (e == OLA_OK)
            e = ola_sim_key(s, in[k], in[0]);
        if (e != OLA_OK)
            return e;
        if (in[k]->level != f->desc.level)
            return OLA_ERR_LEVEL;
        if (!ola_sim_close(in[k]->scale, f->desc.in_scale))
            return OLA_ERR_SCALE;
    }
    for (uint32_t k = 0; k < f->plan.n_steps; k++) {
        const struct ola_step *step = &f->plan.step[k];
        if (step->kind != OLA_STEP_LEAF && ola_sim_relin_key(s, step->level + 1) != OLA_OK)
            return OLA_ERR_KEY;
    }
    return OLA_OK;
}

/* Every ciphertext in turn, into results. */
static ola_status
run_all(struct run *r, const ola_ct *const *in, struct ola_results *results)
{
    uint32_t slots = r->p->slots, n_regs = r->f->plan.n_regs;
    size_t n = ((size_t)n_regs + 1) * slots, reg_bytes = n_regs * sizeof(struct reg);
    double *block = ola_sim_vector(n); /* scratch, then the registers */
    r->reg = ola_alloc_zero(reg_bytes);
    ola_status s = block == NULL || r->reg == NULL ? OLA_ERR_NOMEM : OLA_OK;
    for (uint32_t k = 0; k < n_regs && s == OLA_OK; k++)
        r->reg[k].v = block + ((size_t)k + 1) * slots;
    for (r->ct = 0; r->ct < r->f->cts && s == OLA_OK; r->ct++) {
        s = run_steps(r, in[r->ct], block);
        const struct reg *last = &r->reg[r->f->plan.step[r->f->plan.n_steps - 1].dst];
        memcpy(results->v[r->ct], last->v, slots * sizeof *block);
        results->trace[r->ct] = r->trace;
    }
    ola_sim_vector_free(block, n);
    ola_release(r->reg, reg_bytes);
    return s;
}

ola_status
ola_poly_eval(ola_server *s, const ola_poly *f, const ola_ct *const *in, ola_ct *const *out)
{
    if (s == NULL || f == NULL || in == NULL || out == NULL || !ola_sim_same(s->params, f->params))
        return OLA_ERR_PARAM;
    struct ola_results results;
    struct run r = {.p = s->params, .f = f};
    ola_status e = check_inputs(s, f, in, out);
    if (e == OLA_OK)
        e = ola_results_new(s->params, f->cts, &results);
    if (e != OLA_OK)
        return e;
    e = run_all(&r, in, &results);
    if (e != OLA_OK) {
        ola_results_free(&results);
        return e;
    }
    ola_results_store(&results, in[0]->key_id, out, f->desc.level - f->plan.depth,
                      f->desc.out_scale);
    s->counts.products += r.counts.products;
    s->counts.relinearisations += r.counts.relinearisations;
    s->counts.plain_products += r.counts.plain_products;
    s->counts.rescales += r.counts.rescales;
    s->counts.additions += r.counts.additions;
    return OLA_OK;
}
