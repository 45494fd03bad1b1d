/* boot.c - bootstrapping on slots: the checks of the real one, and the range that only a simulator
 * sees. Without the noise model values come back as they are; with it, through the sine and with
 * the modelled noise. */
#include "sim/sim_impl.h"

#include <math.h>

struct ola_boot {
    const struct ola_params *params;
    uint32_t period;
    double in_scale, out_scale;
    double noise; /* deviation */
    struct ola_boot_plan plan;
    struct ola_boot_scales scales;
};

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
    struct ola_literal left;
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
    ola_status s = OLA_OK;
    b->params = p;
    b->period = period;
    b->in_scale = in_scale;
    b->out_scale = out_scale;
    if (!ola_plan_boot_short(&p->literal, out_level, &left) ||
        !ola_plan_boot(&left, period, &b->plan))
        s = OLA_ERR_PARAM;
    else if (!ola_plan_boot_scales(&left, period, in_scale, out_scale, &b->scales))
        s = OLA_ERR_SCALE;
    if (s != OLA_OK) {
        ola_boot_free(b);
        return s;
    }
    b->noise = ola_plan_boot_noise(&left, period, in_scale, out_scale);
    *out = b;
    return OLA_OK;
}

void
ola_boot_free(ola_boot *b)
{
    ola_release(b, sizeof *b);
}

/* A level of the steps, as keys count: limbs that are left out are in them. */
static uint32_t
key_level(const struct ola_boot *b, uint32_t level)
{
    const uint32_t gap = b->params->literal.n_q - 1 - b->plan.top;
    return level > b->plan.out_level ? level + gap : level;
}

static ola_status
check_keys(const struct ola_server *s, const struct ola_boot *b)
{
    ola_status e = ola_sim_relin_key(s, key_level(b, b->plan.eval_level));
    for (uint32_t k = 0; e == OLA_OK && k < b->plan.n_rotations; k++)
        e = ola_sim_rotation_key(s, b->plan.rotation[k].step,
                                 key_level(b, b->plan.rotation[k].level));
    return e;
}

static ola_status
check(const struct ola_server *s, const struct ola_boot *b, const struct ola_ct *out,
      const struct ola_ct *in)
{
    if (s == NULL || b == NULL || !ola_sim_same(s->params, b->params))
        return OLA_ERR_PARAM;
    ola_status e = ola_sim_output(s->params, out);
    if (e == OLA_OK)
        e = ola_sim_operand(s->params, in, 2);
    if (e == OLA_OK)
        e = ola_sim_key(s, in, NULL);
    if (e == OLA_OK && in->level != b->plan.in_level)
        e = OLA_ERR_LEVEL;
    if (e == OLA_OK && !ola_sim_close(in->scale, b->in_scale))
        e = OLA_ERR_SCALE;
    return e == OLA_OK ? check_keys(s, b) : e;
}

/* Slot t of the result: the mean of what repeats, bent by the sine under the noise model. */
static double
refreshed(const struct ola_boot *b, const double *v, uint32_t t)
{
    const struct ola_params *p = b->params;
    double sum = 0.0;
    for (uint32_t k = t % b->period; k < p->slots; k += b->period)
        sum += v[k];
    const double mean = sum / (p->slots / b->period), turn = 2.0 * M_PI / b->scales.ratio;
    return p->noise == 0 ? mean : sin(turn * mean) / turn;
}

ola_status
ola_bootstrap(ola_server *s, const ola_boot *b, ola_ct *out, const ola_ct *in)
{
    enum { TAG = 0x626f6f74 };
    ola_status e = check(s, b, out, in);
    if (e != OLA_OK)
        return e;
    const struct ola_params *p = s->params;
    for (uint32_t t = 0; t < p->slots; t++) {
        if (!(fabs(in->v[t]) <= b->scales.ratio / 4.0))
            return OLA_ERR_RANGE;
    }
    double *v = ola_sim_vector(p->slots);
    if (v == NULL)
        return OLA_ERR_NOMEM;
    for (uint32_t t = 0; t < p->slots; t++)
        v[t] = t < b->period ? refreshed(b, in->v, t) : v[t - b->period];
    const uint64_t trace = ola_sim_mix(ola_sim_mix(in->trace, TAG), b->period);
    ola_sim_disturb(p, v, b->noise * b->noise, trace);
    ola_sim_set(out, in->key_id, v, 2, b->plan.out_level, b->out_scale, trace);
    s->counts.bootstraps++;
    return OLA_OK;
}
