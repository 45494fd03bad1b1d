/* pad.c - Pad: elements before and behind each axis: a constant, or the input reflected or its edge
 * repeated; negative pads cut off. */
#include "op/move.h"
#include "op/window.h"

#include <string.h>

#define PAD_MAX ((int64_t)1 << 24)

/* pads as given: all before, then all behind, for the axes (all of them, or input 3). */
static bool
read_pads(struct op_ctx *c, int rank, int64_t *before, int64_t *behind)
{
    const int64_t *pads, *axes = NULL;
    uint32_t n, n_axes;
    bool present, some = false;

    memset(before, 0, MAX_RANK * sizeof *before);
    memset(behind, 0, MAX_RANK * sizeof *behind);
    if (!op_ints(c, "pads", 1, &pads, &n, &present) ||
        !op_ints(c, "axes", 3, &axes, &n_axes, &some))
        return false;
    if (!some)
        n_axes = (uint32_t)rank;
    if (!present || n != 2 * n_axes || n_axes > (uint32_t)rank)
        return op_error(c, E_ATTRIBUTE, "pads has %u entries, for an input of %d dimensions", n,
                        rank);
    for (uint32_t k = 0; k < n_axes; k++) {
        int axis;
        if (!op_axis(c, some ? axes[k] : (int64_t)k, rank, &axis))
            return false;
        before[axis] = pads[k];
        behind[axis] = pads[k + n_axes];
        if (before[axis] < -PAD_MAX || before[axis] > PAD_MAX || behind[axis] < -PAD_MAX ||
            behind[axis] > PAD_MAX)
            return op_error(c, E_ATTRIBUTE, "pads of axis %d are out of range", axis);
    }
    return true;
}

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0), *fill = op_in(c, 2);
    const char *mode = op_string(c, "mode", "constant");
    bool constant = strcmp(mode, "constant") == 0, reflect = strcmp(mode, "reflect") == 0;
    int64_t before[MAX_RANK], behind[MAX_RANK];
    struct shape out = x->shape;

    if (!constant && !reflect && strcmp(mode, "edge"))
        return op_error(c, E_ATTRIBUTE, "mode is '%s'", mode);
    if (fill && (fill->dtype != x->dtype || shape_size(&fill->shape) != 1))
        return op_error(c, E_DTYPE, "its constant value must be one %s", dtype_name(x->dtype));
    if (!read_pads(c, x->shape.rank, before, behind))
        return false;
    for (int k = 0; k < out.rank; k++) {
        int64_t dim = x->shape.dim[k];
        out.dim[k] += before[k] + behind[k];
        if (out.dim[k] < 0)
            return op_error(c, E_SHAPE, "more is cut off axis %d than %s has", k,
                            shape_text(c->arena, &x->shape));
        bool grows = before[k] > 0 || behind[k] > 0;
        if ((!constant && grows && dim == 0) ||
            (reflect && (before[k] >= dim || behind[k] >= dim) && grows))
            return op_error(c, E_SHAPE, "axis %d of %s is too short for the pads", k,
                            shape_text(c->arena, &x->shape));
    }
    op_set(c, 0, x->dtype, out);
    return true;
}

/* Where position p of the padded axis comes from; -1: the constant. */
static int64_t
source(const char *mode, int64_t p, int64_t dim)
{
    if (p >= 0 && p < dim)
        return p;
    if (strcmp(mode, "edge") == 0)
        return p < 0 ? 0 : dim - 1;
    if (strcmp(mode, "reflect") == 0)
        return p < 0 ? -p : 2 * (dim - 1) - p;
    return -1;
}

static bool
read_maps(struct op_ctx *c, const struct shape *x, int64_t ***maps)
{
    const struct shape *shape = &op_out(c, 0)->shape;
    const char *mode = op_string(c, "mode", "constant");
    int64_t before[MAX_RANK], behind[MAX_RANK];

    if (!read_pads(c, shape->rank, before, behind))
        return false;
    *maps = move_maps(c->arena, shape);
    for (int k = 0; k < shape->rank; k++)
        for (int64_t p = 0; p < shape->dim[k]; p++)
            (*maps)[k][p] = source(mode, p - before[k], x->dim[k]);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct tensor *x = in[0], *fill = in[2];
    const struct shape *shape = &op_out(c, 0)->shape;
    double value = op_float(c, "value", 0);
    int64_t **map, index[MAX_RANK] = {0};

    if (!read_maps(c, &x->shape, &map))
        return false;
    out[0] = tensor_new(c->arena, x->dtype, *shape);
    for (int64_t o = 0, n = shape_size(shape); o < n; o++) {
        int64_t at = move_at(&x->shape, map, index);
        if (out[0].f)
            out[0].f[o] = at >= 0 ? x->f[at] : fill->f ? fill->f[0] : (float)value;
        else
            out[0].i[o] = at >= 0 ? x->i[at] : fill->i ? fill->i[0] : (int64_t)value;
        odometer(index, shape->dim, shape->rank);
    }
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct shape *x = &op_in(c, 0)->shape, *shape = &op_out(c, output)->shape;
    const struct tensor *fill = op_const(c, 2);
    double value = op_float(c, "value", 0);
    int64_t **map, index[MAX_RANK] = {0};

    if (!op_need_const(c, 2) || !read_maps(c, x, &map))
        return false;
    if (fill)
        value = fill->f ? (double)fill->f[0] : (double)fill->i[0];
    for (int64_t o = 0, n = shape_size(shape); o < n; o++) {
        int64_t at = move_at(x, map, index);
        if (at >= 0)
            sink->entry(sink->user, 0, (uint32_t)o, (uint32_t)at, 1);
        else if (value != 0)
            sink->bias(sink->user, (uint32_t)o, value);
        odometer(index, shape->dim, shape->rank);
    }
    return true;
}

const struct op op_pad = {
    .attrs = "mode pads value", .infer = infer, .eval = eval, .linear = linear};
