/* reduce.c - see reduce.h. */
#include "op/reduce.h"

#include "op/move.h"
#include "op/window.h"

static bool
read(struct op_ctx *c, struct reduce *r)
{
    const struct shape *x = &op_in(c, 0)->shape;
    int64_t stride[MAX_RANK];
    uint32_t n;
    bool present;

    *r = (struct reduce){.count = 1};
    if (!move_axes(c, 1, x->rank, r->axis, &n, &present))
        return false;
    r->nothing = n == 0 && op_int(c, "noop_with_empty_axes", 0) != 0;
    shape_strides(x, x, stride);
    for (int k = 0; k < x->rank; k++) {
        if (n == 0)
            r->axis[k] = !r->nothing;
        if (r->axis[k]) {
            r->drop[r->dropped] = x->dim[k];
            r->drop_stride[r->dropped++] = stride[k];
            r->count *= x->dim[k];
        } else {
            r->keep[r->kept] = x->dim[k];
            r->keep_stride[r->kept++] = stride[k];
        }
    }
    return true;
}

bool
reduce_infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    bool keep = op_int(c, "keepdims", 1) != 0;
    struct shape out = {0};
    struct reduce r;

    if (!read(c, &r))
        return false;
    if (x->dtype == DT_BOOL)
        return op_error(c, E_DTYPE, "does not take booleans");
    if (shape_size(&x->shape) == 0)
        return op_error(c, E_SHAPE, "its input is empty");
    for (int k = 0; k < x->shape.rank; k++)
        if (!r.axis[k])
            out.dim[out.rank++] = x->shape.dim[k];
        else if (keep)
            out.dim[out.rank++] = 1;
    op_set(c, 0, x->dtype, out);
    return true;
}

static int64_t
offset(const int64_t *index, const int64_t *stride, int n)
{
    int64_t at = 0;
    for (int k = 0; k < n; k++)
        at += index[k] * stride[k];
    return at;
}

bool
reduce_eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out, bool mean)
{
    const struct tensor *x = in[0];
    int64_t kept[MAX_RANK] = {0}, o = 0;
    struct reduce r;

    if (!read(c, &r))
        return false;
    out[0] = tensor_new(c->arena, x->dtype, op_out(c, 0)->shape);
    do {
        int64_t base = offset(kept, r.keep_stride, r.kept), dropped[MAX_RANK] = {0};
        double sum = 0;
        uint64_t whole = 0;
        do {
            int64_t at = base + offset(dropped, r.drop_stride, r.dropped);
            if (x->f)
                sum += (double)x->f[at];
            else
                whole += (uint64_t)x->i[at];
        } while (odometer(dropped, r.drop, r.dropped));
        if (out[0].f)
            out[0].f[o] = (float)(mean ? sum / (double)r.count : sum);
        else
            out[0].i[o] = op_wrap(x->dtype, mean ? (int64_t)whole / r.count : (int64_t)whole);
        o++;
    } while (odometer(kept, r.keep, r.kept));
    return true;
}

bool
reduce_linear(struct op_ctx *c, const struct linear_sink *sink, bool mean)
{
    int64_t kept[MAX_RANK] = {0}, o = 0;
    struct reduce r;

    if (!read(c, &r))
        return false;
    double weight = mean ? 1 / (double)r.count : 1;
    do {
        int64_t base = offset(kept, r.keep_stride, r.kept), dropped[MAX_RANK] = {0};
        do {
            int64_t at = base + offset(dropped, r.drop_stride, r.dropped);
            sink->entry(sink->user, 0, (uint32_t)o, (uint32_t)at, weight);
        } while (odometer(dropped, r.drop, r.dropped));
        o++;
    } while (odometer(kept, r.keep, r.kept));
    return true;
}
