/* noise.c - how far CKKS moves the numbers: the deviation of a slot's error, value by value.
 *
 * Coefficients of errors are taken as independent; an error polynomial with coefficient variance v
 * has slot variance N * v. With a uniform ternary secret (variance 2/3 a coefficient):
 *   fresh     symmetric encryption: sigma^2, sigma = 3.19, plus the rounding of the message, 1/12
 *   rounding  dividing by a prime: (1 + 2 N / 3) / 12                      (rescale, and ModDown of
 *             a key switch)
 *   switch    digits * N * sigma^2 * (D / P)^2 / 12, D the largest digit   (key switch, beside its
 *             rounding)
 * (Kim, Papadimitriou, Polyakov, ePrint 2020/1118, section 3.) */
#include "schedule/internal.h"

#include "ola/plan.h"

#include <math.h>

#define SIGMA 3.19

static double
ring(const struct he_params *p)
{
    return (double)((uint64_t)1 << p->log_n);
}

/* Slot variances at scale 1. */
static double
var_fresh(const struct he_params *p)
{
    return ring(p) * (SIGMA * SIGMA + 1.0 / 12);
}

static double
var_rounding(const struct he_params *p)
{
    return ring(p) * (1 + 2 * ring(p) / 3) / 12;
}

static double
var_switch(const struct he_params *p, uint32_t level)
{
    double digit = 0, special = 0, digits = (level + p->digit_limbs) / p->digit_limbs;
    for (uint32_t k = 0; k < p->digit_limbs && k < p->q.len; k++)
        digit += log2((double)p->q.at[k]);
    for (uint32_t k = 0; k < p->p.len; k++)
        special += log2((double)p->p.at[k]);
    return var_rounding(p) +
           ring(p) * digits * ring(p) * SIGMA * SIGMA * exp2(2 * (digit - special)) / 12;
}

static double
noise_map(const struct he_program *p, const struct he_inst *i)
{
    const struct he_map *m = &p->maps.at[i->data];
    double in = 0, var;
    bool baby = false;

    for (uint32_t a = 0; a < i->args.len; a++)
        in = fmax(in, p->insts.at[i->args.at[a]].noise);
    for (uint32_t d = 0; d < m->diagonals.len; d++)
        baby |= m->diagonals.at[d].baby != 0 || (m->free_of_level && m->diagonals.at[d].giant != 0);
    double scale = i->scale;
    var = m->gain * m->gain *
          (in * in + (baby ? var_switch(&p->params, m->level) / (m->in_scale * m->in_scale) : 0));
    if (!m->free_of_level)
        var += var_rounding(&p->params) / (scale * scale) * exp2(m->folds.len);
    for (uint32_t f = 0; f < m->folds.len; f++)
        var += var_switch(&p->params, i->level) / (scale * scale) * exp2(m->folds.len - 1 - f);
    return sqrt(var);
}

/* Root mean square slope of a polynomial in Chebyshev form over [-1, 1], the largest over
 * ciphertexts. */
static double
slope(const struct he_poly *f)
{
    double most = 0;
    for (uint32_t c = 0; c < f->cts; c++) {
        double sum = 0;
        uint64_t points = 0;
        uint32_t step = f->period > 64 ? f->period / 64 : 1;
        for (uint32_t t = 0; t < f->period; t += step)
            for (int x = 0; x < 16; x++) {
                double theta = (x + 0.5) / 16 * acos(-1.0), s = 0;
                for (uint32_t k = 1; k <= f->degree; k++)
                    s += (double)f->coef[c][k][f->period > 1 ? t : 0] * k * sin(k * theta) /
                         sin(theta);
                sum += s * s;
                points += s != 0;
            }
        if (points)
            most = fmax(most, sqrt(sum / (double)points));
    }
    return most;
}

static double
noise_poly(const struct he_program *p, const struct he_inst *i)
{
    const struct he_poly *f = &p->polys.at[i->data];
    const struct he_inst *x = &p->insts.at[i->args.at[0]];
    double s = slope(f), round = (var_rounding(&p->params) + var_switch(&p->params, x->level)) /
                                 (x->scale * x->scale);
    /* The rounding of every power enters with its share of the slope; the last one is at the
     * result's scale. */
    return sqrt(s * s * (x->noise * x->noise + round) +
                2 * (var_rounding(&p->params) + var_switch(&p->params, i->level)) /
                    (i->scale * i->scale));
}

void
schedule_noise(struct he_program *p)
{
    for (uint32_t k = 0; k < p->insts.len; k++) {
        struct he_inst *i = &p->insts.at[k];
        double x = i->args.len ? p->insts.at[i->args.at[0]].noise : 0;
        double y = i->args.len > 1 ? p->insts.at[i->args.at[1]].noise : 0;
        switch (i->op) {
        case HE_input:
            i->noise = sqrt(var_fresh(&p->params)) / i->scale;
            break;
        case HE_linear:
            i->noise = noise_map(p, i);
            break;
        case HE_poly:
            i->noise = noise_poly(p, i);
            break;
        case HE_rescale:
            i->noise = sqrt(x * x + var_rounding(&p->params) / (i->scale * i->scale));
            break;
        case HE_add:
        case HE_sub:
        case HE_mul: /* factors of magnitude one */
            i->noise = sqrt(x * x + y * y);
            break;
        default:
            i->noise = x;
        }
    }
}
