/* boot.c - what a bootstrap is made of: the factors of its two transforms, the rotations that they
 * want, its scales, and a model of its error. Pure functions.
 *
 * A stage of the encoding transform with distance h adds to every slot one that lies h away; its
 * values repeat after 2h slots. Stages h = 2^a .. 2^(b-1) merged are a map with the offsets i 2^a,
 * |i| < 2^(b-a), modulo the period; its diagonals repeat after 2^b slots. So that no offset is
 * negative each map turns by 2^b slots too much, which leaves its own values as they are, and the
 * map before it (CoeffsToSlots) or behind it (SlotsToCoeffs), whose offsets are multiples of 2^b,
 * turns by as much less. The boundaries depend on the ring alone: shorter periods leave out stages
 * at the upper end, and use the same keys. */
#include "ola/plan.h"

#include <math.h>
#include <string.h>

bool
ola_plan_has_boot(const struct ola_literal *p)
{
    return p->boot.stc != 0;
}

static uint32_t
eval_levels(const struct ola_boot_shape *b)
{
    return ola_plan_poly_depth(b->degree) + b->doubles;
}

bool
ola_plan_boot_good(const struct ola_literal *p)
{
    static const struct ola_boot_shape none;
    const struct ola_boot_shape *b = &p->boot;
    const uint32_t stages = p->log_n - 1;
    if (b->stc == 0)
        return memcmp(b, &none, sizeof none) == 0;
    if (b->stc > OLA_MAX_BOOT_FACTORS || b->cts == 0 || b->cts > OLA_MAX_BOOT_FACTORS ||
        stages > b->stc * OLA_MAX_BOOT_STAGES || stages > b->cts * OLA_MAX_BOOT_STAGES)
        return false;
    if (b->degree < 4 || b->degree > OLA_MAX_DEGREE || b->doubles > 8 || b->k == 0 || b->k > 64)
        return false;
    return p->n_q <= OLA_MAX_Q && b->out_level >= b->stc && b->out_level < p->n_q &&
           p->n_q - b->out_level == 1 + b->cts + eval_levels(b);
}

bool
ola_plan_boot_short(const struct ola_literal *p, uint32_t out_level, struct ola_literal *out)
{
    if (!ola_plan_has_boot(p) || !ola_plan_boot_good(p) || out_level < p->boot.stc ||
        out_level > p->boot.out_level)
        return false;
    const uint32_t gap = p->boot.out_level - out_level;
    *out = *p;
    out->n_q -= gap;
    out->boot.out_level = out_level;
    for (uint32_t k = out_level + 1; k < OLA_MAX_Q; k++)
        out->q[k] = k + gap < OLA_MAX_Q ? p->q[k + gap] : 0;
    return true;
}

/* ---- factors and rotations ---- */

static uint32_t
log2_exact(uint32_t n)
{
    return (uint32_t)__builtin_ctz(n);
}

/* Factor f of `count` over all of the ring's stages, as far as `reach` = log2(period). */
static struct ola_boot_factor
make_factor(uint32_t stages, uint32_t reach, uint32_t count, uint32_t f, uint32_t level)
{
    const uint32_t base = stages * f / count, next = stages * (f + 1) / count;
    struct ola_boot_factor out = {.level = level, .base = base};
    out.stages = reach <= base ? 0 : (reach < next ? reach : next) - base;
    out.wraps = base < reach && reach <= next;
    const uint32_t log_numbers = out.wraps || out.stages == 0 ? out.stages : out.stages + 1;
    out.diagonals = (1u << log_numbers) - (log_numbers != out.stages);
    out.babies = 1u << (log_numbers + 1) / 2;
    out.giants = 1u << log_numbers / 2;
    out.period = out.stages == 0 ? 1 : 1u << (base + out.stages);
    return out;
}

static void
want_rotation(struct ola_boot_plan *plan, uint32_t step, uint32_t level)
{
    uint32_t k = 0;
    while (k < plan->n_rotations && plan->rotation[k].step < step)
        k++;
    if (k == plan->n_rotations || plan->rotation[k].step != step) {
        memmove(plan->rotation + k + 1, plan->rotation + k,
                (plan->n_rotations - k) * sizeof plan->rotation[0]);
        plan->n_rotations++;
        plan->rotation[k].step = step;
        plan->rotation[k].level = level;
    }
    if (plan->rotation[k].level < level)
        plan->rotation[k].level = level;
}

static void
want_rotations_of(struct ola_boot_plan *plan, const struct ola_boot_factor *f)
{
    for (uint32_t b = 1; b < f->babies; b++)
        want_rotation(plan, b << f->base, f->level);
    if (f->giants > 1)
        want_rotation(plan, f->babies << f->base, f->level);
}

/* Relinearisations of EvalMod, each at the level of its product. */
static void
count_eval(const struct ola_literal *p, struct ola_boot_plan *plan)
{
    const struct ola_boot_shape *b = &p->boot;
    const uint32_t x = plan->top - b->cts;
    bool pending[2 * OLA_MAX_DEGREE] = {false};
    struct ola_poly_plan poly;
    plan->relinearisations[x]++; /* u */
    for (uint32_t k = 1; k <= b->doubles; k++)
        plan->relinearisations[b->out_level + k]++;
    if (!ola_plan_poly(b->degree / 2, x - 1, 1.0, 1.0, p->q, &poly))
        return;
    for (uint32_t k = 0; k < poly.n_steps; k++) {
        const struct ola_step *s = &poly.step[k];
        bool product = s->kind != OLA_STEP_LEAF || (s->c != OLA_NO_REG && pending[s->c]);
        pending[s->dst] = product && ola_plan_poly_deferred(&poly, k);
        if (product && !pending[s->dst])
            plan->relinearisations[s->level + 1]++;
    }
}

bool
ola_plan_boot(const struct ola_literal *p, uint32_t period, struct ola_boot_plan *out)
{
    const struct ola_boot_shape *b = &p->boot;
    const uint32_t stages = p->log_n - 1;
    if (!ola_plan_has_boot(p) || !ola_plan_boot_good(p) || period == 0 ||
        (period & (period - 1)) != 0 || period > 1u << stages)
        return false;
    const uint32_t reach = log2_exact(period);
    memset(out, 0, sizeof *out);
    out->in_level = b->stc;
    out->out_level = b->out_level;
    out->top = p->n_q - 1;
    out->fold_level = out->top - b->cts + 1;
    out->eval_level = out->top - b->cts;
    out->n_folds = stages - reach;
    for (uint32_t k = 0; k < b->stc; k++) {
        out->stc[k] = make_factor(stages, reach, b->stc, k, b->stc - k);
        want_rotations_of(out, &out->stc[k]);
    }
    for (uint32_t k = 0; k < b->cts; k++) {
        out->cts[k] = make_factor(stages, reach, b->cts, b->cts - 1 - k, out->top - k);
        want_rotations_of(out, &out->cts[k]);
    }
    for (uint32_t k = 0; k < out->n_folds; k++)
        want_rotation(out, period << k, out->fold_level);
    count_eval(p, out);
    return true;
}

/* Encoded diagonals above this many bytes are kept as coefficients. */
#define MOST_ENCODED ((uint64_t)96 << 20)

/* A late map wants the diagonals modulo P too: transforms, or memory, against the divisions of the
 * babies that it saves. */
void
ola_plan_boot_form(const struct ola_literal *p, const struct ola_boot_factor *f, bool *early,
                   bool *compact)
{
    const uint32_t limbs = f->level + 1, positions = limbs + p->n_p;
    const bool whole = f->period == 1u << (p->log_n - 1);
    const uint64_t limb = (uint64_t)2 * f->period * sizeof(uint64_t);
    *early = whole && f->diagonals * p->n_p > (f->babies - 1) * 2 * positions;
    *compact = limb * f->diagonals * (*early ? limbs : positions) > MOST_ENCODED;
}

/* ---- keys ---- */

/* A key of one digit for all of Q P; one modulo q[0] p[0]; and the conjugation's. */
uint64_t
ola_plan_boot_key_bytes(const struct ola_literal *p)
{
    if (!ola_plan_has_boot(p))
        return 0;
    const uint32_t top = p->n_q - 1;
    uint64_t small = ola_plan_limb_width(p->q[0]) + ola_plan_limb_width(p->p[0]);
    return ola_plan_key_bytes(p, top) / ola_plan_digits(p, top) + (small * 2 << p->log_n) +
           ola_plan_key_bytes(p, top - p->boot.cts);
}

uint64_t
ola_plan_boot_key_wire_bytes(const struct ola_literal *p)
{
    if (!ola_plan_has_boot(p))
        return 0;
    const uint32_t top = p->n_q - 1;
    uint64_t small = ola_plan_wire_bits(p->q[0]) + ola_plan_wire_bits(p->p[0]);
    return ola_plan_key_wire_bytes(p, top) / ola_plan_digits(p, top) + (small << (p->log_n - 3)) +
           ola_plan_key_wire_bytes(p, top - p->boot.cts);
}

uint32_t
ola_plan_relin_level(const struct ola_literal *p, uint32_t level)
{
    const uint32_t eval = p->n_q - 1 - p->boot.cts;
    if (!ola_plan_has_boot(p))
        return level;
    return level == UINT32_MAX || level < eval ? eval : level;
}

/* ---- CoeffsToSlots: scales and error ---- */

/* Variance of a slot's real part of what one rescale leaves: N / 2 times (1 + 2N/3) / 12. */
static double
rounding(const struct ola_literal *p)
{
    const double n = exp2((double)p->log_n);
    return n / 2.0 * (1.0 + 2.0 * n / 3.0) / 12.0;
}

static double
square(double x)
{
    return x * x;
}

/* Mean squares of one map's errors in x: of a rounding of its result, for scale 1 of that; and of
 * the rounding of its diagonals, for scale 1 of these.
 * A rounding is averaged by the stages to come, and by the copies that are summed before the last
 * map; the last map's is doubled by the conjugate. Slots come in with 2 * 2^stages / 12 * (weight +
 * 1) of energy (in units of q[0], and as the stages to come will divide it); the slots of a rounded
 * diagonal have 2 period / 12; half of a complex error is real. */
struct map_gains {
    double rounding, diagonals;
};

static struct map_gains
find_map_gains(const struct ola_literal *p, const struct ola_boot_plan *plan, uint32_t k)
{
    const struct ola_boot_factor *f = &plan->cts[k];
    const uint32_t stages = p->log_n - 1, reach = stages - plan->n_folds;
    const bool last = k + 1 == p->boot.cts;
    const double range = p->boot.k + 0.5, doubled = last ? 4.0 : 1.0;
    const double left = exp2(-(double)(f->base < reach ? f->base : reach));
    const double copies = last ? 1.0 : exp2((double)plan->n_folds);
    const double energy = (OLA_BOOT_WEIGHT + 1) / 12.0 * exp2((double)f->stages);
    return (struct map_gains){doubled * square(range) * rounding(p) * left / copies,
                              doubled * f->diagonals * f->period / 6.0 * energy};
}

/* Scale that goes into map k. */
static double
scale_into(const struct ola_literal *p, const struct ola_boot_scales *s, uint32_t k)
{
    const double before = k == 0 ? s->raised : s->cts[k - 1];
    return k + 1 == p->boot.cts ? before * s->copies : before;
}

/* Scales of the maps' results: each so that what a larger one would lessen (this map's errors) and
 * what it would add to (the next one's) are equal, given the others; settled by repetition. */
static void
choose_map_scales(const struct ola_literal *p, const struct ola_boot_plan *plan,
                  struct ola_boot_scales *s)
{
    const uint32_t last = p->boot.cts - 1;
    for (uint32_t k = 0; k <= last; k++)
        s->cts[k] = s->x;
    for (uint32_t round = 0; round < 32; round++) {
        for (uint32_t k = 0; k < last; k++) {
            const struct map_gains own = find_map_gains(p, plan, k);
            const double in = scale_into(p, s, k) / (double)p->q[plan->cts[k].level];
            const double next = s->cts[k + 1] * (double)p->q[plan->cts[k + 1].level];
            const double copies = scale_into(p, s, k + 1) / s->cts[k];
            const double less = own.rounding + own.diagonals * square(in);
            const double more = find_map_gains(p, plan, k + 1).diagonals * square(copies / next);
            s->cts[k] = sqrt(sqrt(less / more));
        }
    }
}

static double
cts_variance(const struct ola_literal *p, const struct ola_boot_plan *plan,
             const struct ola_boot_scales *s)
{
    double sum = 0.0;
    for (uint32_t k = 0; k < p->boot.cts; k++) {
        const struct map_gains g = find_map_gains(p, plan, k);
        const double plain = s->cts[k] * (double)p->q[plan->cts[k].level] / scale_into(p, s, k);
        sum += g.rounding / square(s->cts[k]) + g.diagonals / square(plain);
    }
    return sum;
}

/* ---- scales ---- */

static bool
fits(double scale, double log_q)
{
    return isfinite(scale) && scale > 1.0 && log2(scale) + 1.0 < log_q;
}

static double
log_modulus(const struct ola_literal *p, uint32_t level)
{
    double sum = 0.0;
    for (uint32_t k = 0; k <= level; k++)
        sum += log2((double)p->q[k]);
    return sum;
}

bool
ola_plan_boot_scales(const struct ola_literal *p, uint32_t period, double in_scale,
                     double out_scale, struct ola_boot_scales *out)
{
    const struct ola_boot_shape *b = &p->boot;
    const uint32_t x = p->n_q - 1 - b->cts, cosine = b->out_level + b->doubles;
    struct ola_boot_plan plan;
    memset(out, 0, sizeof *out);
    if (!ola_plan_boot(p, period, &plan) || !fits(in_scale, log_modulus(p, 0)) ||
        !fits(out_scale, log_modulus(p, b->out_level)))
        return false;
    out->ratio = (double)p->q[0] / in_scale;
    out->raised = (double)p->q[0] * (b->k + 0.5);
    out->sine = out_scale * out->ratio / (2.0 * M_PI);
    out->cosine = out->sine;
    for (uint32_t level = b->out_level; level < cosine; level++)
        out->cosine = sqrt(out->cosine * (double)p->q[level + 1]);
    out->u = out->cosine;
    for (uint32_t level = cosine + 1; level < x - 1; level++)
        out->u = sqrt(out->u * (double)p->q[level + 1]);
    out->x = sqrt(out->u * (double)p->q[x]);
    out->copies = exp2((double)(p->log_n - 1)) / period;
    choose_map_scales(p, &plan, out);
    return out->ratio >= 4.0 && fits(out->sine, log_modulus(p, b->out_level)) &&
           fits(out->x, log_modulus(p, x));
}

/* ---- error ---- */

/* How far an error of 1 in u, in the cosine and in each doubled one moves the sine: mean squares
 * over the distribution of I, a normal one of variance (weight + 1) / 12. */
struct gains {
    double u, doubled[9]; /* doubled[0]: the cosine; doubled[doubles]: 1 */
};

static void
find_gains(const struct ola_boot_shape *b, struct gains *g)
{
    const double range = b->k + 0.5, variance = (OLA_BOOT_WEIGHT + 1) / 12.0;
    const double z = 2.0 * M_PI * range * exp2(-(double)b->doubles);
    double total = 0.0;
    memset(g, 0, sizeof *g);
    for (int i = -8; i <= 8; i++) {
        const double share = exp(-i * i / (2.0 * variance)), w = (i - 0.25) / range;
        double gain = 1.0;
        total += share;
        g->doubled[b->doubles] += share;
        for (uint32_t k = b->doubles; k-- > 0;) {
            const double left = (double)(b->doubles - k);
            gain *= 4.0 * cos(2.0 * M_PI * (i - 0.25) * exp2(-left));
            g->doubled[k] += share * gain * gain;
        }
        gain *= z * sin(z * w) / (4.0 * w);
        g->u += share * gain * gain;
    }
    g->u /= total;
    for (uint32_t k = 0; k <= b->doubles; k++)
        g->doubled[k] /= total;
}

/* The polynomial's parts, powers taken as exact and as large as 1: a rounding where a sum is
 * divided (one that is deferred is not), and those of the leaves' coefficients. */
static double
parts_variance(const struct ola_literal *p, const struct ola_boot_scales *s)
{
    const uint32_t x = p->n_q - 1 - p->boot.cts;
    double variance[2 * OLA_MAX_DEGREE] = {0.0};
    struct ola_poly_plan plan;
    if (!ola_plan_poly(p->boot.degree / 2, x - 1, s->u, s->cosine, p->q, &plan))
        return INFINITY;
    for (uint32_t k = 0; k < plan.n_steps; k++) {
        const struct ola_step *step = &plan.step[k];
        if (step->kind == OLA_STEP_POWER)
            continue;
        double sum = step->c == OLA_NO_REG ? 0.0 : variance[step->c];
        sum += step->kind == OLA_STEP_JOIN ? variance[step->a]
                                           : 1.0 / (12.0 * square(step->plain_scale));
        if (!ola_plan_poly_deferred(&plan, k))
            sum += rounding(p) / square(step->scale);
        variance[step->dst] = sum;
    }
    return variance[plan.step[plan.n_steps - 1].dst];
}

/* EvalMod, in units of the sine. Each power of u is four times less sensitive than the one before.
 */
static double
eval_variance(const struct ola_literal *p, const struct ola_boot_scales *s)
{
    const struct ola_boot_shape *b = &p->boot;
    const uint32_t cosine = b->out_level + b->doubles, x = p->n_q - 1 - b->cts;
    const double r = rounding(p);
    struct gains g;
    find_gains(b, &g);
    double sum = parts_variance(p, s) * g.doubled[0], scale = s->u, gain = g.u;
    for (uint32_t level = x - 1; level > cosine; level--) {
        sum += r * gain / square(scale);
        scale = square(scale) / (double)p->q[level];
        gain /= 16.0;
    }
    scale = s->cosine;
    for (uint32_t k = 1; k <= b->doubles; k++) {
        scale = square(scale) / (double)p->q[cosine + 1 - k];
        sum += r * g.doubled[k] / square(scale);
    }
    return sum;
}

double
ola_plan_boot_noise(const struct ola_literal *p, uint32_t period, double in_scale, double out_scale)
{
    struct ola_boot_plan plan;
    struct ola_boot_scales s;
    if (!ola_plan_boot(p, period, &plan) ||
        !ola_plan_boot_scales(p, period, in_scale, out_scale, &s))
        return INFINITY;
    const double n = exp2((double)p->log_n), sigma = 3.19, r = rounding(p);
    /* Step 1: a rounding behind a factor, and those of its diagonals. */
    double sum = 0.0;
    uint32_t done = 0;
    for (uint32_t k = 0; k < p->boot.stc; k++) {
        const struct ola_boot_factor *f = &plan.stc[k];
        done += f->stages;
        sum += r * exp2(-(double)done) / square(in_scale);
        sum += f->period / 18.0 / square((double)p->q[f->level]);
    }
    /* Step 2: the sparse switch's noise and rounding, and the dense one's rounding. */
    sum += (n * square(sigma * (double)p->q[0] / (double)p->p[0]) / 12.0 +
            (OLA_BOOT_WEIGHT + 1) / 12.0 + 2.0 * r / n) /
           square(in_scale);
    sum += cts_variance(p, &plan, &s) * square(s.ratio);
    sum += eval_variance(p, &s) * square(s.ratio / (2.0 * M_PI));
    double coef[OLA_MAX_DEGREE / 2 + 1];
    sum += square(ola_plan_boot_cosine(&p->boot, s.ratio, coef));
    return sqrt(sum);
}
