/* softmax.c - Softmax: exp(x) / sum exp(x), along one axis since opset 13; before, the input was
 * seen as a matrix, rows the dimensions before the axis (default 1), columns those from it on. */
#include "op/softmax.h"

#include <math.h>

bool
softmax_infer(struct op_ctx *c)
{
    int64_t axis = op_int(c, "axis", c->graph->opset < 13 ? 1 : -1);
    int at;

    if (!op_need_float(c, 0))
        return false;
    if (!(c->graph->opset < 13 && axis == op_in(c, 0)->shape.rank) &&
        !op_axis(c, axis, op_in(c, 0)->shape.rank, &at))
        return false;
    return op_infer_same(c);
}

/* The input as [outer, n, inner], sums over n. */
static void
split(const struct op_ctx *c, const struct shape *s, int64_t *outer, int64_t *n, int64_t *inner)
{
    bool matrix = c->graph->opset < 13;
    int64_t axis = op_int(c, "axis", matrix ? 1 : -1);

    if (axis < 0)
        axis += s->rank;
    *outer = *n = *inner = 1;
    for (int d = 0; d < s->rank; d++) {
        if (d < axis)
            *outer *= s->dim[d];
        else if (d == axis || matrix)
            *n *= s->dim[d];
        else
            *inner *= s->dim[d];
    }
}

bool
softmax_eval(struct op_ctx *c, const struct tensor *from, struct tensor *out, bool log_of_it)
{
    int64_t outer, n, inner;

    split(c, &from->shape, &outer, &n, &inner);
    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);
    for (int64_t row = 0; row < outer * inner; row++) {
        int64_t first = row / inner * n * inner + row % inner;
        const float *x = from->f + first;
        float *y = out->f + first;
        double max = -INFINITY, sum = 0;

        for (int64_t k = 0; k < n; k++)
            max = (double)x[k * inner] <= max ? max : (double)x[k * inner];
        for (int64_t k = 0; k < n; k++)
            sum += exp((double)x[k * inner] - max);
        for (int64_t k = 0; k < n; k++)
            y[k * inner] = (float)(log_of_it ? (double)x[k * inner] - max - log(sum)
                                             : exp((double)x[k * inner] - max) / sum);
    }
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    return softmax_eval(c, in[0], out, false);
}

const struct op op_softmax = {.attrs = "axis", .infer = softmax_infer, .eval = eval};
