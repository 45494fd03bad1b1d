/* factors.c - the factors of the encoding transform and of its inverse as linear maps.
 *
 * A stage with distance h takes slots t and t + h (t's bit of weight h is 0) to x + w y and x - w y
 * (forwards), or back to (x + y) / 2 and (x - y) / (2 w), w of index t mod h. So a run of stages
 * takes slot u to slot t where the two differ only in the bits of the run, on one path: forwards
 * the bits are set from below, so that bits below a stage's are those of t already; backwards from
 * above, and they are still u's. Each value is a product of one number a stage. */
#include "boot/boot_impl.h"
#include "ckks/encoder.h"

#include <string.h>

struct factor {
    const struct ola_params *params;
    const struct ola_boot_factor *shape;
    const struct ola_boot_direction *direction;
    struct ola_weights_diagonal *diagonal; /* [shape->diagonals] */
    uint32_t *number;                      /* [shape->diagonals]: of ola/plan.h */
};

struct complex {
    double re, im;
};

/* What a stage of distance h contributes from slot u to slot t. */
static struct complex
stage_value(const struct factor *f, uint32_t h, uint32_t t, uint32_t u)
{
    const bool upper = (t & h) != 0, from_upper = (u & h) != 0;
    struct complex w = {1.0, 0.0};
    if (f->direction->inverse) {
        if (upper)
            ola_encoder_twiddle(f->params->encoder, h, u & (h - 1), &w.re, &w.im);
        const double sign = upper && from_upper ? -0.5 : 0.5;
        return (struct complex){sign * w.re, -sign * w.im};
    }
    if (from_upper)
        ola_encoder_twiddle(f->params->encoder, h, t & (h - 1), &w.re, &w.im);
    const double sign = upper && from_upper ? -1.0 : 1.0;
    return (struct complex){sign * w.re, sign * w.im};
}

/* The factor's entry from slot u to slot t, which differ in its bits only. */
static struct complex
entry(const struct factor *f, uint32_t t, uint32_t u)
{
    const struct ola_boot_factor *shape = f->shape;
    struct complex product = {f->direction->gain, 0.0};
    for (uint32_t k = 0; k < shape->stages; k++) {
        const struct complex v = stage_value(f, 1u << (shape->base + k), t, u);
        product = (struct complex){product.re * v.re - product.im * v.im,
                                   product.re * v.im + product.im * v.re};
    }
    return product;
}

/* How far diagonal `number` really turns, in steps of 2^base: ola/plan.h's numbers are not
 * negative because every factor that does not wrap turns too far by 2^stages, and every factor but
 * the lowest, to make up for the one below it, too little by 1. */
static int32_t
true_offset(const struct ola_boot_factor *shape, uint32_t number)
{
    if (shape->stages == 0)
        return 0;
    const int32_t offset = (int32_t)number + (shape->base != 0);
    return shape->wraps ? offset : offset - (1 << shape->stages);
}

/* Values of a diagonal, turned back by its giant step, and (backwards, where the factor below is
 * made up for before this one's values are) by one step of 2^base. */
static void
factor_values(const void *of, uint32_t k, double *re, double *im)
{
    const struct factor *f = of;
    const struct ola_boot_factor *shape = f->shape;
    const uint32_t period = f->diagonal[k].period, mask = (1u << shape->stages) - 1;
    const bool early = f->direction->inverse && shape->base != 0 && shape->stages != 0;
    const uint32_t back = f->diagonal[k].giant + (early ? 1u << shape->base : 0);
    const int32_t offset = true_offset(shape, f->number[k]);
    for (uint32_t slot = 0; slot < period; slot++) {
        const uint32_t t = (slot - back) & (period - 1), digit = t >> shape->base & mask;
        const int32_t to = (int32_t)digit + offset;
        struct complex v = {0.0, 0.0};
        if (shape->wraps || (to >= 0 && to <= (int32_t)mask)) {
            const uint32_t u = t - (digit << shape->base) + (((uint32_t)to & mask) << shape->base);
            v = entry(f, t, u);
        }
        re[slot] = v.re;
        im[slot] = v.im;
    }
}

/* The diagonals that there are, by giant, then baby. */
static void
list_diagonals(const struct factor *f)
{
    const struct ola_boot_factor *shape = f->shape;
    const uint32_t spare = shape->babies * shape->giants - shape->diagonals; /* 0 or 1 */
    for (uint32_t k = 0; k < shape->diagonals; k++) {
        const uint32_t number = k + (shape->base == 0 ? spare : 0);
        const uint32_t baby = number % shape->babies;
        f->number[k] = number;
        f->diagonal[k] = (struct ola_weights_diagonal){.giant = (number - baby) << shape->base,
                                                       .baby = baby << shape->base,
                                                       .period = shape->period,
                                                       .count = shape->period};
    }
}

static ola_status
make_map(const struct factor *f, struct ola_map **out)
{
    const struct ola_boot_factor *shape = f->shape;
    const struct ola_boot_direction *d = f->direction;
    bool early, compact;
    ola_plan_boot_form(&f->params->literal, shape, &early, &compact);
    const struct ola_map_made made = {f->diagonal, factor_values, f, early};
    const struct ola_map_view view = {
        .head = {.args = 1, .in_cts = 1, .out_cts = 1, .n_diagonals = shape->diagonals},
        .made = &made};
    const struct ola_map_desc desc = {.level = shape->level,
                                      .in_scale = d->in_scale,
                                      .out_scale = d->out_scale,
                                      .compact = compact};
    return ola_map_make(f->params, &desc, &view, out);
}

ola_status
ola_boot_factor_map(const struct ola_params *p, const struct ola_boot_factor *f,
                    const struct ola_boot_direction *direction, struct ola_map **out)
{
    struct factor made = {.params = p, .shape = f, .direction = direction};
    const size_t diagonals = f->diagonals * sizeof *made.diagonal;
    const size_t numbers = f->diagonals * sizeof *made.number;
    made.diagonal = ola_alloc(diagonals);
    made.number = ola_alloc(numbers);
    ola_status s = OLA_ERR_NOMEM;
    if (made.diagonal != NULL && made.number != NULL) {
        list_diagonals(&made);
        s = make_map(&made, out);
    }
    ola_release(made.diagonal, diagonals);
    ola_release(made.number, numbers);
    return s;
}
