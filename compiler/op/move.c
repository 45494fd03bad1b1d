/* move.c - see move.h. */
#include "op/move.h"

#include "op/window.h"

#include <string.h>

struct tensor
move_reshape(struct arena *a, const struct tensor *x, const struct shape *shape)
{
    struct tensor y = tensor_new(a, x->dtype, *shape);
    size_t n = (size_t)shape_size(shape);

    if (y.f)
        memcpy(y.f, x->f, n * sizeof *y.f);
    if (y.i)
        memcpy(y.i, x->i, n * sizeof *y.i);
    return y;
}

struct tensor
move_view(struct arena *a, const struct tensor *x, const struct shape *shape, int64_t base,
          const int64_t *stride)
{
    struct tensor y = tensor_new(a, x->dtype, *shape);
    int64_t index[MAX_RANK] = {0}, n = shape_size(shape), o = 0;
    int outer = shape->rank ? shape->rank - 1 : 0;
    int64_t len = shape->rank ? shape->dim[outer] : 1, step = shape->rank ? stride[outer] : 0;

    if (n <= 0)
        return y;
    do {
        int64_t at = base;
        for (int k = 0; k < outer; k++)
            at += index[k] * stride[k];
        for (int64_t j = 0; j < len; j++, o++)
            if (y.f)
                y.f[o] = x->f[at + j * step];
            else
                y.i[o] = x->i[at + j * step];
    } while (odometer(index, shape->dim, outer));
    return y;
}

int64_t **
move_maps(struct arena *a, const struct shape *shape)
{
    int64_t **map = ARENA_ARRAY(a, int64_t *, MAX_RANK);
    for (int k = 0; k < shape->rank; k++)
        map[k] = ARENA_ARRAY(a, int64_t, (size_t)shape->dim[k]);
    return map;
}

int64_t
move_at(const struct shape *x, int64_t *const *map, const int64_t *index)
{
    int64_t at = 0;
    for (int k = 0; k < x->rank; k++) {
        int64_t from = map[k][index[k]];
        if (from < 0)
            return -1;
        at = at * x->dim[k] + from;
    }
    return at;
}

bool
move_eval_reshape(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    out[0] = move_reshape(c->arena, in[0], &op_out(c, 0)->shape);
    return true;
}

bool
move_axes(struct op_ctx *c, int in, int rank, bool *set, uint32_t *n, bool *present)
{
    const int64_t *axes;
    int axis;

    memset(set, 0, MAX_RANK * sizeof *set);
    if (!op_ints(c, "axes", in, &axes, n, present))
        return false;
    for (uint32_t k = 0; k < *n; k++) {
        if (!op_axis(c, axes[k], rank, &axis))
            return false;
        if (set[axis])
            return op_error(c, E_ATTRIBUTE, "axis %d is given twice", axis);
        set[axis] = true;
    }
    return true;
}
