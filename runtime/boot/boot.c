/* boot.c - bootstrapping: its maps and polynomial prepared, its steps one after the other. */
#include "boot/boot_impl.h"

#include "ckks/encoder.h"

static ola_status
make_maps(struct ola_boot *b)
{
    const struct ola_params *p = b->inner;
    const struct ola_boot_shape *shape = &p->literal.boot;
    const struct ola_boot_scales *scales = &b->scales;
    const struct ola_boot_direction there = {
        .gain = 1.0, .in_scale = b->in_scale, .out_scale = b->in_scale};
    struct ola_boot_direction back = {.inverse = true, .gain = 1.0, .out_scale = scales->raised};
    ola_status s = OLA_OK;
    for (uint32_t k = 0; s == OLA_OK && k < shape->stc; k++)
        s = ola_boot_factor_map(p, &b->plan.stc[k], &there, &b->stc[k]);
    for (uint32_t k = 0; s == OLA_OK && k < shape->cts; k++) {
        const uint32_t left = shape->cts - 1 - k;
        back.in_scale = back.out_scale * (left == 0 ? scales->copies : 1.0);
        back.out_scale = scales->cts[k];
        back.gain = left == 0 ? 0.5 : 1.0; /* half of x + its conjugate */
        s = ola_boot_factor_map(p, &b->plan.cts[k], &back, &b->cts[k]);
    }
    return s;
}

/* Parameters, plan and scales; the level is one that there is. */
static ola_status
plan(struct ola_boot *b, uint32_t out_level, uint32_t period)
{
    const struct ola_params *p = b->params;
    struct ola_literal left;
    ola_status s = OLA_OK;
    b->inner = p;
    if (!ola_plan_boot_short(&p->literal, out_level, &left) ||
        !ola_plan_boot(&left, period, &b->plan))
        return OLA_ERR_PARAM;
    if (!ola_plan_boot_scales(&left, period, b->in_scale, b->out_scale, &b->scales))
        return OLA_ERR_SCALE;
    if (left.n_q != p->n_q)
        s = ola_params_without(p, &left, out_level + 1, &b->own);
    if (b->own != NULL)
        b->inner = b->own;
    return s;
}

ola_status
ola_boot_new(const ola_params *p, uint32_t period, double in_scale, double out_scale,
             ola_boot **out)
{
    return ola_boot_new_to(p, p == NULL ? 0 : p->literal.boot.out_level, period, in_scale,
                           out_scale, out);
}

ola_status
ola_boot_new_to(const ola_params *p, uint32_t out_level, uint32_t period, double in_scale,
                double out_scale, ola_boot **out)
{
    if (out == NULL)
        return OLA_ERR_PARAM;
    *out = NULL;
    if (p == NULL)
        return OLA_ERR_PARAM;
    if (out_level < p->literal.boot.stc || out_level > p->literal.boot.out_level)
        return OLA_ERR_LEVEL;
    struct ola_boot *b = ola_alloc_zero(sizeof *b);
    if (b == NULL)
        return OLA_ERR_NOMEM;
    b->params = p;
    b->in_scale = in_scale;
    b->out_scale = out_scale;
    ola_status s = plan(b, out_level, period);
    if (s == OLA_OK)
        s = make_maps(b);
    if (s == OLA_OK)
        s = ola_boot_cosine_new(b->inner, &b->scales, &b->cosine);
    if (s != OLA_OK) {
        ola_boot_free(b);
        return s;
    }
    *out = b;
    return OLA_OK;
}

void
ola_boot_free(ola_boot *b)
{
    if (b == NULL)
        return;
    for (uint32_t k = 0; k < OLA_MAX_BOOT_FACTORS; k++) {
        ola_map_free(b->stc[k]);
        ola_map_free(b->cts[k]);
    }
    ola_poly_free(b->cosine);
    ola_params_free(b->own);
    ola_release(b, sizeof *b);
}

/* A level of the steps, as keys count. */
static uint32_t
key_level(const struct ola_boot *b, uint32_t level)
{
    return b->own != NULL && level >= b->own->gap_at ? level + b->own->gap : level;
}

static ola_status
check_keys(const struct ola_server *s, const struct ola_boot *b)
{
    const struct ola_keys *k = s->keys;
    if (k == NULL || !k->has_boot || !k->has_relin ||
        k->relin.level < key_level(b, b->plan.eval_level))
        return OLA_ERR_KEY;
    for (uint32_t i = 0; i < b->plan.n_rotations; i++) {
        const uint32_t level = key_level(b, b->plan.rotation[i].level);
        if (ola_keys_rotation(k, b->plan.rotation[i].step, level) == NULL)
            return OLA_ERR_KEY;
    }
    return OLA_OK;
}

static ola_status
check(const struct ola_server *s, const struct ola_boot *b, const struct ola_ct *out,
      const struct ola_ct *in)
{
    if (s == NULL || b == NULL || out == NULL || in == NULL || in->parts != 2 ||
        !ola_params_equal(s->params, b->params) || !ola_params_equal(s->params, out->params) ||
        !ola_params_equal(s->params, in->params))
        return OLA_ERR_PARAM;
    ola_status status = ola_server_check_key(s, in);
    if (status == OLA_OK && in->level != b->plan.in_level)
        status = OLA_ERR_LEVEL;
    if (status == OLA_OK && !ola_scales_equal(in->scale, b->in_scale))
        status = OLA_ERR_SCALE;
    return status == OLA_OK ? check_keys(s, b) : status;
}

static void
turn(struct ola_boot_turns *t)
{
    struct ola_ct *now = t->now;
    t->now = t->next;
    t->next = now;
}

static ola_status
apply_map(struct ola_server *s, const struct ola_map *map, const struct ola_ct *in,
          struct ola_boot_turns *t)
{
    const ola_ct *const from[1] = {in};
    ola_ct *const to[1] = {t->next};
    ola_status status = ola_linear(s, map, from, to);
    turn(t);
    return status;
}

/* The sum over the period's copies. */
static ola_status
sum_copies(struct ola_server *s, const struct ola_boot *b, struct ola_ct *ct)
{
    const uint32_t n = b->plan.n_folds;
    ola_status status = ola_switch_reserve(s, ct->level, 2);
    for (uint32_t k = 0; status == OLA_OK && k < n; k++)
        ola_fold_ct(s, ct, ola_keys_rotation(s->keys, (s->params->slots >> n) << k, ct->level));
    ct->scale *= b->scales.copies;
    return status;
}

ola_status
ola_boot_slots_to_coeffs(struct ola_server *s, const struct ola_boot *b, const struct ola_ct *in,
                         struct ola_boot_turns *t)
{
    ola_status status = OLA_OK;
    for (uint32_t k = 0; status == OLA_OK && k < s->params->literal.boot.stc; k++)
        status = apply_map(s, b->stc[k], k == 0 ? in : t->now, t);
    return status;
}

ola_status
ola_boot_raise_modulus(struct ola_server *s, const struct ola_boot *b, struct ola_boot_turns *t)
{
    ola_status status = ola_boot_to_sparse(s, t->now);
    if (status == OLA_OK)
        status = ola_boot_raise(s, t->next, t->now);
    t->next->scale = b->scales.raised;
    turn(t);
    return status;
}

ola_status
ola_boot_coeffs_to_slots(struct ola_server *s, const struct ola_boot *b, struct ola_boot_turns *t)
{
    const uint32_t count = s->params->literal.boot.cts;
    ola_status status = OLA_OK;
    for (uint32_t k = 0; status == OLA_OK && k < count; k++) {
        if (k + 1 == count)
            status = sum_copies(s, b, t->now);
        if (status == OLA_OK)
            status = apply_map(s, b->cts[k], t->now, t);
    }
    if (status == OLA_OK)
        status = ola_switch_reserve(s, t->now->level, 2);
    if (status == OLA_OK)
        ola_fold_ct(s, t->now, &s->keys->boot[OLA_CONJUGATE]);
    return status;
}

/* The server works with these parameters from now on. */
static void
work_with(struct ola_server *s, const struct ola_params *p)
{
    s->params = p;
    for (uint32_t k = 0; k < sizeof s->held / sizeof *s->held; k++)
        s->held[k].params = p;
}

/* The four steps, and the clock in front of each and behind the last. */
static ola_status
run_steps(struct ola_server *s, const struct ola_boot *b, const struct ola_ct *in,
          struct ola_boot_turns *t, double clock[5])
{
    clock[0] = ola_seconds();
    ola_status status = ola_boot_slots_to_coeffs(s, b, in, t);
    clock[1] = ola_seconds();
    if (status == OLA_OK)
        status = ola_boot_raise_modulus(s, b, t);
    clock[2] = ola_seconds();
    if (status == OLA_OK)
        status = ola_boot_coeffs_to_slots(s, b, t);
    clock[3] = ola_seconds();
    if (status == OLA_OK)
        status = ola_boot_eval_mod(s, b, t->now);
    clock[4] = ola_seconds();
    return status;
}

ola_status
ola_bootstrap(ola_server *s, const ola_boot *b, ola_ct *out, const ola_ct *in)
{
    ola_status status = check(s, b, out, in);
    if (status != OLA_OK)
        return status;
    const struct ola_counts before = s->counts;
    double seconds[OLA_KINDS], clock[5];
    ola_server_seconds(s, seconds);
    struct ola_boot_turns t = {&s->held[0], &s->held[1]};
    struct ola_ct from = *in; /* of the lowest limbs, which are the same */
    work_with(s, b->inner);
    from.params = b->inner;
    for (uint32_t k = 0; status == OLA_OK && k < 2; k++)
        status = ola_ct_reserve(&s->held[k], 3, b->plan.top);
    if (status == OLA_OK)
        status = run_steps(s, b, &from, &t, clock);
    work_with(s, b->params);
    if (status == OLA_OK)
        status = ola_ct_copy(out, t.now);
    s->counts = before;
    memcpy(s->seconds, seconds, sizeof seconds);
    if (status != OLA_OK)
        return status;
    for (uint32_t k = 0; k < 4; k++)
        s->seconds[OLA_KIND_DOWN + k] += clock[k + 1] - clock[k];
    out->scale = b->out_scale;
    s->counts.bootstraps++;
    return OLA_OK;
}

ola_status
ola_bootstrap_prepare(ola_server *s, const ola_boot *const *boots, uint32_t n)
{
    if (s == NULL || (boots == NULL && n != 0))
        return OLA_ERR_PARAM;
    const struct ola_params *p = s->params;
    ola_status status = OLA_OK;
    for (uint32_t k = 0; status == OLA_OK && k < n; k++) {
        const struct ola_boot *b = boots[k];
        if (b == NULL || !ola_params_equal(p, b->params))
            return OLA_ERR_PARAM;
        work_with(s, b->inner);
        status = ola_linear_prepare(s, (const ola_map *const *)b->stc, OLA_MAX_BOOT_FACTORS);
        if (status == OLA_OK)
            status = ola_linear_prepare(s, (const ola_map *const *)b->cts, OLA_MAX_BOOT_FACTORS);
        for (uint32_t i = 0; status == OLA_OK && i < 2; i++)
            status = ola_ct_reserve(&s->held[i], 3, b->plan.top);
        if (status == OLA_OK)
            status = ola_switch_reserve(s, b->plan.top, 2);
        work_with(s, p);
    }
    return status;
}
