/* cast.c - Cast: to another element type. To a float type nothing changes (olac computes all of
 * them as reals); a float becomes an integer by dropping its fraction. */
#include "op/move.h"

#include <math.h>

/* TensorProto.DataType of the ONNX schema. */
static enum dtype
from_onnx(int64_t to)
{
    static const enum dtype types[] = {
        [1] = DT_F32,  [2] = DT_U8,   [3] = DT_I8,    [4] = DT_U16,  [5] = DT_I16,
        [6] = DT_I32,  [7] = DT_I64,  [9] = DT_BOOL,  [10] = DT_F16, [11] = DT_F64,
        [12] = DT_U32, [13] = DT_U64, [16] = DT_BF16,
    };
    return to > 0 && to < (int64_t)(sizeof types / sizeof *types) ? types[to] : DT_NONE;
}

static bool
infer(struct op_ctx *c)
{
    int64_t to = op_int(c, "to", 0);
    enum dtype t = from_onnx(to);

    if (t == DT_NONE)
        return op_error(c, E_ATTRIBUTE, "'to' is %lld, no number type", (long long)to);
    op_set(c, 0, t, op_in(c, 0)->shape);
    return true;
}

static int64_t
whole(enum dtype to, float x)
{
    if (to == DT_BOOL)
        return x != 0;
    if (isnan(x))
        return 0;
    return op_wrap(to, x >= 0x1p63f ? INT64_MAX : x <= -0x1p63f ? INT64_MIN : (int64_t)x);
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    enum dtype to = op_out(c, 0)->dtype;
    int64_t n = shape_size(&in[0]->shape);

    out[0] = tensor_new(c->arena, to, in[0]->shape);
    for (int64_t k = 0; k < n; k++)
        if (out[0].f)
            out[0].f[k] = in[0]->f ? in[0]->f[k] : (float)in[0]->i[k];
        else
            out[0].i[k] = in[0]->f ? whole(to, in[0]->f[k]) : op_wrap(to, in[0]->i[k]);
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    enum dtype to = op_out(c, output)->dtype, from = op_in(c, 0)->dtype;
    int64_t n = shape_size(&op_in(c, 0)->shape);

    if (!dtype_is_float(to) && from != to)
        return op_error(c, E_NOT_LINEAR, "from %s to %s is not an affine map", dtype_name(from),
                        dtype_name(to));
    for (int64_t k = 0; k < n; k++)
        sink->entry(sink->user, 0, (uint32_t)k, (uint32_t)k, 1);
    return true;
}

const struct op op_cast = {.attrs = "to", .infer = infer, .eval = eval, .linear = linear};
