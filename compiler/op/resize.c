/* resize.c - Resize: nearest, linear or cubic, with every coordinate and rounding mode of opsets 10
 * to 17; the size from scales or sizes. */
#include "op/interpolate.h"

#include <string.h>

/* The place of `text` among the words, or -1. */
static int
choice(const char *text, const char *const *words, int n)
{
    for (int k = 0; k < n; k++)
        if (strcmp(text, words[k]) == 0)
            return k;
    return -1;
}

/* Attributes into p; false after an error. */
static bool
read_modes(struct op_ctx *c, struct interpolate *p)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const places[] = {"asymmetric",           "half_pixel",
                                         "pytorch_half_pixel",   "align_corners",
                                         "tf_half_pixel_for_nn", "tf_crop_and_resize"};
    static const char *const rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                         "ceil"};
    bool old = c->graph->opset < 11;
    const char *mode = op_string(c, "mode", "nearest");
    const char *place =
        op_string(c, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
    const char *round = op_string(c, "nearest_mode", old ? "floor" : "round_prefer_floor");
    int m = choice(mode, modes, 3), q = choice(place, places, 6), r = choice(round, rounds, 4);

    if (m < 0)
        return op_error(c, E_ATTRIBUTE, "mode is '%s'", mode);
    if (q < 0)
        return op_error(c, E_ATTRIBUTE, "coordinate_transformation_mode is '%s'", place);
    if (r < 0)
        return op_error(c, E_ATTRIBUTE, "nearest_mode is '%s'", round);
    *p = (struct interpolate){
        .mode = (enum interpolate_mode)m,
        .place = (enum interpolate_coord)q,
        .round = (enum interpolate_round)r,
        .cubic = op_float(c, "cubic_coeff_a", -0.75),
        .exclude_outside = op_int(c, "exclude_outside", 0) != 0,
        .extrapolation = op_float(c, "extrapolation_value", 0),
    };
    return true;
}

static bool
read_crop(struct op_ctx *c, struct interpolate *p)
{
    const float *roi;
    uint32_t n;
    bool present;

    if (p->place != COORD_CROP)
        return true;
    if (!op_floats(c, "roi", 1, &roi, &n, &present))
        return false;
    if (n != 2 * (uint32_t)op_in(c, 0)->shape.rank)
        return op_error(c, E_SHAPE,
                        "roi has %u entries; tf_crop_and_resize needs two for each axis", n);
    for (uint32_t k = 0; k < n; k++)
        if (!(roi[k] >= -1e6f && roi[k] <= 1e6f))
            return op_error(c, E_ATTRIBUTE, "roi has the entry %g", (double)roi[k]);
    memcpy(p->crop, roi, n * sizeof *roi);
    return true;
}

static bool
read_sizes(struct op_ctx *c, struct interpolate *p, const int64_t *sizes, uint32_t n,
           struct shape *out)
{
    const struct shape *x = &op_in(c, 0)->shape;

    if (n != (uint32_t)x->rank)
        return op_error(c, E_SHAPE, "has %u sizes for an input of %s", n, shape_text(c->arena, x));
    *out = *x;
    for (int k = 0; k < x->rank; k++) {
        if (sizes[k] < 1 || sizes[k] > INTERPOLATE_MAX || x->dim[k] < 1)
            return op_error(c, E_SHAPE, "axis %d cannot go from %lld to %lld", k,
                            (long long)x->dim[k], (long long)sizes[k]);
        out->dim[k] = sizes[k];
        p->scale[k] = (float)sizes[k] / (float)x->dim[k];
    }
    return true;
}

static bool
read(struct op_ctx *c, struct interpolate *p, struct shape *out)
{
    const float *scales;
    const int64_t *sizes = NULL;
    uint32_t n_scales, n_sizes = 0;
    bool present, old = c->graph->opset < 11;

    if (!read_modes(c, p) || !read_crop(c, p) ||
        !op_floats(c, "scales", old ? 1 : 2, &scales, &n_scales, &present) ||
        (!old && !op_ints(c, "sizes", 3, &sizes, &n_sizes, &present)))
        return false;
    if (!n_scales == !n_sizes)
        return op_error(c, E_OP_INPUTS, "must have either scales or sizes");
    if (n_scales)
        return interpolate_scales(c, p, scales, n_scales, out);
    return read_sizes(c, p, sizes, n_sizes, out);
}

static bool
infer(struct op_ctx *c)
{
    struct interpolate p;
    struct shape out;

    if (!read(c, &p, &out))
        return false;
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    struct interpolate p;
    struct shape shape;
    return read(c, &p, &shape) && interpolate_eval(c, &p, in[0], &out[0]);
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    struct interpolate p;
    struct shape shape;
    (void)output;
    return read(c, &p, &shape) && interpolate_linear(c, &p, sink);
}

const struct op op_resize = {.attrs =
                                 "mode coordinate_transformation_mode nearest_mode cubic_coeff_a "
                                 "exclude_outside extrapolation_value",
                             .infer = infer,
                             .eval = eval,
                             .linear = linear};
