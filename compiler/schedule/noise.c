/* noise.c - how far CKKS moves the numbers: the deviation of a slot's error, value by value.
 *
 * Coefficients of errors are taken as independent; an error polynomial with coefficient variance v
 * has slot variance N * v. With a uniform ternary secret (variance 2/3 a coefficient):
 *   fresh     symmetric encryption: sigma^2, sigma = 3.19, plus the rounding of the message, 1/12
 *   rounding  dividing by a prime: (1 + 2 N / 3) / 12                      (rescale, and ModDown of
 *             a key switch)
 *   switch    N * sigma^2 * sum of (D / P)^2 / 12 over the digits D   (key switch, beside its
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
    struct ola_literal l = he_literal(p);
    double special = 0, sum = 0;
    for (uint32_t k = 0; k < l.n_p; k++)
        special += log2((double)l.p[k]);
    for (uint32_t k = 0, end = 0; k <= level; k = end) {
        double digit = 0;
        end = ola_plan_digit_end(&l, k);
        for (uint32_t i = k; i < end; i++)
            digit += log2((double)l.q[i]);
        sum += exp2(2 * (digit - special));
    }
    return var_rounding(p) + ring(p) * ring(p) * SIGMA * SIGMA * sum / 12;
}

/* Key switches to the coarse rotation that takes most of them. */
static uint32_t
longest_chain(const struct he_map *m)
{
    struct arena *a = arena_new();
    struct he_coarse *c;
    uint32_t n = he_map_coarse(a, m, &c), length = 0, most = 0;
    for (uint32_t k = 0; k < n; k++) {
        length = c[k].from ? length + 1 : 1;
        most = length > most ? length : most;
    }
    arena_free(a);
    return most;
}

/* What follows takes the deviations of all values so far: of all that reaches them, or of what is
 * new since the polynomials before them. */

static double
noise_map(const struct he_program *p, const struct he_inst *i, const double *noise)
{
    const struct he_map *m = &p->maps.at[i->data];
    double in = 0, var, switches = 1 + longest_chain(m); /* to a baby step */
    bool baby = false;

    for (uint32_t a = 0; a < i->args.len; a++)
        in = fmax(in, noise[i->args.at[a]]);
    for (uint32_t d = 0; d < m->diagonals.len; d++)
        baby |= m->diagonals.at[d].baby != 0 || (m->free_of_level && m->diagonals.at[d].giant != 0);
    double scale = i->scale;
    var = m->gain * m->gain *
          (in * in +
           (baby ? switches * var_switch(&p->params, m->level) / (m->in_scale * m->in_scale) : 0));
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
noise_poly(const struct he_program *p, const struct he_inst *i, double s, double in)
{
    const struct he_inst *x = &p->insts.at[i->args.at[0]];
    double round =
        (var_rounding(&p->params) + var_switch(&p->params, x->level)) / (x->scale * x->scale);
    /* The rounding of every power enters with its share of the slope; the last one is at the
     * result's scale. */
    return sqrt(s * s * (in * in + round) +
                2 * (var_rounding(&p->params) + var_switch(&p->params, i->level)) /
                    (i->scale * i->scale));
}

/* Integers add nothing; a square doubles what it is of, a factor of its bound. */
static double
noise_sparse(const struct he_program *p, const struct he_inst *i, double x)
{
    const struct he_sparse *s = &p->sparse.at[i->data];
    double bound = fmax(1, fmin(p->insts.at[i->args.at[0]].bound, 4));
    return s->gain * x * (s->squares ? 2 * bound : 1);
}

static double
noise_reduce(const struct he_program *p, const struct he_inst *i, double noise)
{
    const struct he_inst *x = &p->insts.at[i->args.at[0]];
    double var = noise * noise;
    if (x->parts == 3)
        var += var_switch(&p->params, x->level) / (x->scale * x->scale);
    if (x->level > i->level)
        var += var_rounding(&p->params) / (i->scale * i->scale);
    return sqrt(var);
}

static double
noise_refresh(const struct he_program *p, const struct he_inst *i)
{
    const struct he_refresh *r = &p->refreshes.at[i->data];
    struct ola_literal l = he_literal(&p->params), left;
    if (!ola_plan_boot_short(&l, r->out_level, &left))
        return INFINITY;
    return ola_plan_boot_noise(&left, r->period, r->in_scale, r->out_scale);
}

/* s: the slope of a polynomial, computed once. */
static double
noise_inst(const struct he_program *p, const struct he_inst *i, double s, const double *noise)
{
    double x = i->args.len ? noise[i->args.at[0]] : 0;
    double y = i->args.len > 1 ? noise[i->args.at[1]] : 0;

    switch (i->op) {
    case HE_input:
        return sqrt(var_fresh(&p->params)) / i->scale;
    case HE_linear:
        return noise_map(p, i, noise);
    case HE_poly:
        return noise_poly(p, i, s, x);
    case HE_sparse:
        return noise_sparse(p, i, x);
    case HE_reduce:
        return noise_reduce(p, i, x);
    case HE_rescale:
        return sqrt(x * x + var_rounding(&p->params) / (i->scale * i->scale));
    case HE_refresh:
        return hypot(x, noise_refresh(p, i));
    case HE_add:
    case HE_sub:
    case HE_mul: /* factors of magnitude one */
        return sqrt(x * x + y * y);
    default:
        return x;
    }
}

void
schedule_noise(struct he_program *p)
{
    struct arena *a = arena_new();
    double *all = ARENA_ARRAY(a, double, p->insts.len + 1);
    double *since = ARENA_ARRAY(a, double, p->insts.len + 1);

    for (uint32_t k = 0; k < p->insts.len; k++) {
        struct he_inst *i = &p->insts.at[k];
        double s = i->op == HE_poly ? slope(&p->polys.at[i->data]) : 0;
        i->noise = all[k] = noise_inst(p, i, s, all);
        i->fresh = noise_inst(p, i, s, since);
        since[k] = i->op == HE_poly ? 0 : i->fresh;
    }
    arena_free(a);
}
