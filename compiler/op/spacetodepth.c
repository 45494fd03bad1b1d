/* spacetodepth.c - SpaceToDepth: blocks of pixels gathered into channels. */
#include "op/move.h"

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    int64_t block = op_int(c, "blocksize", 0);
    struct shape out = x->shape;

    if (out.rank != 4)
        return op_error(c, E_SHAPE, "its input is %s, not [batch, channels, height, width]",
                        shape_text(c->arena, &out));
    if (block < 1 || block > 1 << 14 || out.dim[2] % block || out.dim[3] % block)
        return op_error(c, E_ATTRIBUTE, "blocksize %lld does not go with %s", (long long)block,
                        shape_text(c->arena, &out));
    out.dim[1] *= block * block;
    out.dim[2] /= block;
    out.dim[3] /= block;
    op_set(c, 0, x->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *x = &in[0]->shape, *to = &op_out(c, 0)->shape;
    int64_t b = op_int(c, "blocksize", 1), s[MAX_RANK];
    struct shape view = {6, {x->dim[0], b, b, x->dim[1], to->dim[2], to->dim[3]}};

    shape_strides(x, x, s);
    int64_t stride[6] = {s[0], s[2], s[3], s[1], b * s[2], b * s[3]};
    out[0] = move_view(c->arena, in[0], &view, 0, stride);
    out[0].shape = *to;
    return true;
}

const struct op op_spacetodepth = {
    .attrs = "blocksize", .infer = infer, .eval = eval, .linear = op_linear_move};
