/* poly.c - polynomials on every slot: the steps of ola_plan_poly on registers.
 *
 * A step whose result is only a summand of a later one (ola_plan_poly_deferred) is left as a sum of
 * products, not yet relinearised nor rescaled, one level up and its scale times that level's prime;
 * the last step of the sum does both once for all. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "ckks/encoder.h"
#include "ckks/plain.h"
#include "plan/weights_parse.h"

struct leaf {
    struct ola_plain c0, c1;
};

struct ola_poly {
    const struct ola_params *params;
    struct ola_map_desc desc;
    struct ola_weights_poly head;
    struct ola_poly_plan plan;
    bool relinearises;
    struct leaf *leaf; /* [cts][n_leaves] */
    /* Of POWER steps: the 1 of 2 a^2 - 1 before it is rescaled, modulo each prime: [n_steps][n_q].
     */
    uint64_t *one;
};

static size_t
leaf_bytes(const struct ola_poly *f)
{
    return (size_t)f->head.cts * f->plan.n_leaves * sizeof *f->leaf;
}

static size_t
one_bytes(const struct ola_poly *f)
{
    return (size_t)f->plan.n_steps * f->params->n_q * sizeof *f->one;
}

void
ola_poly_free(ola_poly *f)
{
    if (f == NULL)
        return;
    for (size_t k = 0; f->leaf != NULL && k < leaf_bytes(f) / sizeof *f->leaf; k++) {
        ola_plain_free(&f->leaf[k].c0);
        ola_plain_free(&f->leaf[k].c1);
    }
    ola_release(f->leaf, leaf_bytes(f));
    ola_release(f->one, one_bytes(f));
    ola_release(f, sizeof *f);
}

/* ---- encoding ---- */

static void
fill_ones(struct ola_poly *f)
{
    for (uint32_t k = 0; k < f->plan.n_steps; k++) {
        const struct ola_step *step = &f->plan.step[k];
        if (step->kind != OLA_STEP_POWER)
            continue;
        double scale = step->scale * (double)f->params->literal.q[step->level + 1];
        for (uint32_t i = 0; i <= step->level + 1; i++)
            f->one[k * f->params->n_q + i] = ola_encoded_scalar(f->params, i, scale);
    }
}

/* The coefficient vectors of one ciphertext's leaves from those of its polynomials: leaves[2 * leaf
 * + j][t]. */
static void
split_slots(const struct ola_poly *f, uint32_t period, const double *coef, double *leaves)
{
    double c[OLA_MAX_DEGREE + 1], l[2 * (OLA_MAX_DEGREE + 1)];
    for (uint32_t t = 0; t < period; t++) {
        for (uint32_t k = 0; k <= f->head.degree; k++)
            c[k] = coef[(size_t)k * period + t];
        ola_plan_poly_split(&f->plan, c, l);
        for (uint32_t k = 0; k < 2 * f->plan.n_leaves; k++)
            leaves[(size_t)k * period + t] = l[k];
    }
}

static ola_status
encode_leaves(struct ola_poly *f, struct ola_plain_work *w, uint32_t ct, uint32_t period,
              const double *leaves)
{
    ola_status s = OLA_OK;
    for (uint32_t k = 0; s == OLA_OK && k < f->plan.n_steps; k++) {
        const struct ola_step *step = &f->plan.step[k];
        if (step->kind != OLA_STEP_LEAF)
            continue;
        struct leaf *leaf = &f->leaf[(size_t)ct * f->plan.n_leaves + step->leaf];
        const double *c0 = leaves + 2 * (size_t)step->leaf * period, *c1 = c0 + period;
        const uint32_t level = step->level + 1;
        s = ola_plain_new(f->params, w, c1, period,
                          (struct ola_plain_kind){.level = level, .scale = step->plain_scale},
                          &leaf->c1);
        if (s == OLA_OK)
            s = ola_plain_new(
                f->params, w, c0, period,
                (struct ola_plain_kind){.level = level,
                                        .scale = step->scale * (double)f->params->literal.q[level]},
                &leaf->c0);
    }
    return s;
}

/* Where coefficients come from: a view, or one polynomial for all slots. */
struct coefs {
    const struct ola_poly_view *view; /* NULL: same */
    const double *same;               /* [degree + 1] */
    uint32_t period;
};

static ola_status
encode_all(struct ola_poly *f, const struct coefs *v)
{
    struct ola_plain_work w;
    const size_t coefs = (size_t)(f->head.degree + 1) * v->period;
    const size_t bytes = (coefs + 2 * (size_t)f->plan.n_leaves * v->period) * sizeof(double);
    double *coef = ola_alloc(bytes);
    ola_status s = coef == NULL ? OLA_ERR_NOMEM : ola_plain_work_new(&w, f->params->n);
    if (s != OLA_OK) {
        ola_release(coef, bytes);
        return s;
    }
    for (uint32_t ct = 0; s == OLA_OK && ct < f->head.cts; ct++) {
        if (v->view != NULL)
            ola_poly_view_coefs(v->view, ct, coef);
        else
            memcpy(coef, v->same, coefs * sizeof *coef);
        split_slots(f, v->period, coef, coef + coefs);
        s = encode_leaves(f, &w, ct, v->period, coef + coefs);
    }
    ola_plain_work_free(&w);
    ola_release(coef, bytes);
    return s;
}

static ola_status
poly_fill(struct ola_poly *f, const struct coefs *v)
{
    f->leaf = ola_alloc_zero(leaf_bytes(f));
    f->one = ola_alloc_zero(one_bytes(f));
    if (f->leaf == NULL || f->one == NULL)
        return OLA_ERR_NOMEM;
    assert(f->plan.n_regs <= OLA_REGS);
    fill_ones(f);
    return encode_all(f, v);
}

/* Every intermediate scale must fit its modulus. */
static bool
scales_fit(const struct ola_poly *f)
{
    const struct ola_params *p = f->params;
    for (uint32_t k = 0; k < f->plan.n_steps; k++) {
        const struct ola_step *s = &f->plan.step[k];
        if (!ola_scale_fits(p, s->level, s->scale) ||
            !ola_scale_fits(p, s->level + 1, s->scale * (double)p->literal.q[s->level + 1]))
            return false;
    }
    return ola_scale_fits(p, f->desc.level, f->desc.in_scale);
}

static ola_status
poly_make(const struct ola_params *p, const struct ola_map_desc *desc,
          const struct ola_weights_poly *head, const struct coefs *v, struct ola_poly **out)
{
    struct ola_poly *f = ola_alloc_zero(sizeof *f);
    if (f == NULL)
        return OLA_ERR_NOMEM;
    f->params = p;
    f->desc = *desc;
    f->head = *head;
    ola_status s = OLA_OK;
    if (desc->level >= p->n_q || !ola_plan_poly(head->degree, desc->level, desc->in_scale,
                                                desc->out_scale, p->literal.q, &f->plan))
        s = OLA_ERR_LEVEL;
    else if (!scales_fit(f))
        s = OLA_ERR_SCALE;
    else
        s = poly_fill(f, v);
    if (s != OLA_OK) {
        ola_poly_free(f);
        return s;
    }
    uint32_t products, plain;
    ola_plan_poly_count(&f->plan, &products, &plain);
    f->relinearises = products != 0;
    *out = f;
    return OLA_OK;
}

ola_status
ola_poly_new(const ola_params *p, const struct ola_map_desc *desc, const void *section, size_t size,
             ola_poly **out)
{
    struct ola_poly_view v;
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL || desc == NULL || !isfinite(desc->in_scale) || !(desc->in_scale > 0.0))
        return OLA_ERR_PARAM;
    if (!ola_poly_view_open(&v, section, size, p->slots))
        return OLA_ERR_FORMAT;
    return poly_make(p, desc, &v.head, &(struct coefs){.view = &v, .period = v.period}, out);
}

ola_status
ola_poly_of(const struct ola_params *p, const struct ola_map_desc *desc, uint32_t degree,
            const double *coef, struct ola_poly **out)
{
    const struct ola_weights_poly head = {.degree = degree, .cts = 1, .period = 1};
    *out = NULL;
    return poly_make(p, desc, &head, &(struct coefs){.same = coef, .period = 1}, out);
}

/* ---- evaluating ---- */

static ola_status
check_cts(const struct ola_server *s, const struct ola_poly *f, const struct ola_ct *const *in,
          struct ola_ct *const *out)
{
    for (uint32_t k = 0; k < f->head.cts; k++) {
        const struct ola_ct *a = in[k];
        if (a == NULL || out[k] == NULL || a->parts != 2 ||
            !ola_params_equal(a->params, s->params) || !ola_params_equal(out[k]->params, s->params))
            return OLA_ERR_PARAM;
        for (uint32_t j = 0; j < f->head.cts; j++) {
            if (j != k && (out[j] == a || out[j] == out[k]))
                return OLA_ERR_PARAM;
        }
        if (!ola_ct_same_key(a, in[0]) || ola_server_check_key(s, a) != OLA_OK)
            return OLA_ERR_OTHER_KEY;
        if (a->level != f->desc.level)
            return OLA_ERR_LEVEL;
        if (!ola_scales_equal(a->scale, f->desc.in_scale))
            return OLA_ERR_SCALE;
    }
    bool has_key = s->keys != NULL && s->keys->has_relin && s->keys->relin.level >= f->desc.level;
    return f->relinearises && !has_key ? OLA_ERR_KEY : OLA_OK;
}

/* A register has three parts at the level of x. */
static size_t
register_words(const struct ola_poly *f)
{
    return 3 * (size_t)(f->desc.level + 1) * f->params->n;
}

static ola_status
reserve(struct ola_server *s, const struct ola_poly *f, const struct ola_ct *const *in,
        struct ola_ct *const *out)
{
    const uint32_t top = f->desc.level, bottom = top - f->plan.depth;
    size_t words[OLA_PIECES] = {[OLA_REG] = f->plan.n_regs * register_words(f)};
    ola_switch_room(s->params, top, 2, words);
    ola_status status = ola_server_room(s, words);
    for (uint32_t k = 0; status == OLA_OK && k < f->head.cts; k++) {
        if (out[k] != in[k])
            status = ola_ct_reserve(out[k], 2, bottom);
    }
    for (uint32_t k = 0; status != OLA_OK && k < f->head.cts; k++) {
        if (out[k] != in[k])
            ola_ct_clear(out[k]);
    }
    return status;
}

/* to = c1 * a + c0 at `level`, not rescaled. */
static void
multiply_leaf(struct ola_server *s, const struct leaf *leaf, struct ola_ct *to,
              const struct ola_ct *a, uint32_t level)
{
    const size_t chunks = s->params->n / OLA_CHUNK;
#pragma omp parallel for collapse(2) schedule(dynamic, 8) num_threads(s->threads)
    for (uint32_t i = 0; i <= level; i++) {
        for (size_t k = 0; k < chunks; k++) {
            const size_t at = k * OLA_CHUNK;
            const struct ola_modulus *m = ola_server_modulus(s, i);
            const void *a0 = ola_ct_limb(a, 0, i) + at, *a1 = ola_ct_limb(a, 1, i) + at;
            uint64_t *to0 = ola_ct_limb(to, 0, i) + at, *to1 = ola_ct_limb(to, 1, i) + at;
            uint64_t *room = ola_server_temp(s);
            if (leaf->c1.count == 0) {
                memset(to0, 0, OLA_CHUNK * sizeof *to0);
                memset(to1, 0, OLA_CHUNK * sizeof *to1);
            } else {
                const void *c1 = ola_plain_chunk(
                    s->params, ola_plain_limb(s->params, &leaf->c1, i, NULL), at, room);
                s->backend->inner(to0, to1, &c1, &a0, &a1, 1, 0, NULL, OLA_CHUNK, m);
            }
            if (leaf->c0.count != 0)
                s->backend->add(to0, to0,
                                ola_plain_chunk(s->params,
                                                ola_plain_limb(s->params, &leaf->c0, i, NULL), at,
                                                room),
                                OLA_CHUNK, m);
        }
    }
    s->counts.plain_products++;
    s->counts.additions++;
}

/* to += c, over c's parts; those that only c has are copied. */
static void
add_pending(struct ola_server *s, struct ola_ct *to, const struct ola_ct *c)
{
    const uint32_t parts = c->parts, had = to->parts;
#pragma omp parallel for collapse(2) schedule(dynamic) num_threads(s->threads)
    for (uint32_t k = 0; k < parts; k++) {
        for (uint32_t i = 0; i <= c->level; i++) {
            uint64_t *a = ola_ct_limb(to, k, i);
            const uint64_t *b = ola_ct_limb(c, k, i);
            if (k < had)
                s->backend->add(a, a, b, s->params->n, ola_server_modulus(s, i));
            else
                memcpy(a, b, s->params->n * sizeof *a);
        }
    }
    to->parts = parts > had ? parts : had;
    s->counts.additions++;
}

/* The step's sum of products, at the level above its result. reg[0] is x. */
static void
run_products(struct ola_server *s, const struct ola_poly *f, uint32_t number,
             const struct leaf *leaves, const struct ola_ct *const *reg, struct ola_ct *to)
{
    const struct ola_step *step = &f->plan.step[number];
    const uint32_t level = step->level + 1;
    ola_ct_take_key(to, reg[step->a]);
    to->parts = 3;
    to->level = level;
    to->scale = step->scale * (double)f->params->literal.q[level];
    switch (step->kind) {
    case OLA_STEP_POWER:
        ola_tensor(s, to, reg[step->a], reg[step->a], level,
                   f->one + (size_t)number * f->params->n_q);
        s->counts.additions += 2;
        return;
    case OLA_STEP_JOIN:
        ola_tensor(s, to, reg[step->a], reg[step->b], level, NULL);
        break;
    case OLA_STEP_LEAF:
        to->parts = 2;
        multiply_leaf(s, &leaves[step->leaf], to, reg[step->a], level);
        break;
    }
    if (step->c != OLA_NO_REG)
        add_pending(s, to, reg[step->c]);
}

/* Every result is built in the spare register, which then changes places with the step's own. */
static void
evaluate_one(struct ola_server *s, const struct ola_poly *f, uint32_t ct, const struct ola_ct *in,
             struct ola_ct *out)
{
    const struct leaf *leaves = f->leaf + (size_t)ct * f->plan.n_leaves;
    const struct ola_ct *reg[OLA_REGS] = {in};
    struct ola_ct room[OLA_REGS], *own[OLA_REGS], *spare = &room[0];
    for (uint32_t k = 0; k < f->plan.n_regs; k++) {
        room[k] = (struct ola_ct){.params = s->params,
                                  .stride = f->desc.level + 1,
                                  .data = s->piece[OLA_REG] + k * register_words(f)};
        if (k > 0)
            reg[k] = own[k] = &room[k];
    }
    for (uint32_t k = 0; k < f->plan.n_steps; k++) {
        const uint32_t dst = f->plan.step[k].dst;
        run_products(s, f, k, leaves, reg, spare);
        if (k + 1 == f->plan.n_steps) {
            ola_reduce_ct(s, out, spare, true);
            break;
        }
        if (!ola_plan_poly_deferred(&f->plan, k))
            ola_reduce_ct(s, spare, spare, true);
        struct ola_ct *free_one = own[dst];
        reg[dst] = own[dst] = spare;
        spare = free_one;
    }
    out->scale = f->desc.out_scale;
    out->seeded = false;
}

ola_status
ola_poly_eval(ola_server *s, const ola_poly *f, const ola_ct *const *in, ola_ct *const *out)
{
    if (s == NULL || f == NULL || in == NULL || out == NULL ||
        !ola_params_equal(s->params, f->params))
        return OLA_ERR_PARAM;
    ola_status status = check_cts(s, f, in, out);
    if (status == OLA_OK)
        status = reserve(s, f, in, out);
    if (status != OLA_OK)
        return status;
    const double start = ola_seconds();
    for (uint32_t k = 0; k < f->head.cts; k++)
        evaluate_one(s, f, k, in[k], out[k]);
    ola_server_spent(s, OLA_KIND_POLY, start);
    return OLA_OK;
}
