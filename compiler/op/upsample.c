/* upsample.c - Upsample (opsets 7 and 9): nearest, rounded down, or linear, from the corner. */
#include "op/interpolate.h"

#include <string.h>

static bool
read(struct op_ctx *c, struct interpolate *p, struct shape *out)
{
    const char *mode = op_string(c, "mode", "nearest");
    const float *scales;
    uint32_t n;
    bool present;

    *p = (struct interpolate){.place = COORD_ASYMMETRIC, .round = ROUND_FLOOR};
    if (strcmp(mode, "nearest") && strcmp(mode, "linear"))
        return op_error(c, E_ATTRIBUTE, "mode is '%s'", mode);
    p->mode = strcmp(mode, "linear") == 0 ? MODE_LINEAR : MODE_NEAREST;
    return op_floats(c, "scales", 1, &scales, &n, &present) &&
           interpolate_scales(c, p, scales, n, out);
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

const struct op op_upsample = {
    .attrs = "mode scales", .infer = infer, .eval = eval, .linear = linear};
