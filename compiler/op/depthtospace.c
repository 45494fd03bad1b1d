/* depthtospace.c - DepthToSpace: channels spread over blocks of pixels, depth first (DCR) or column
 * first (CRD). */
#include "op/move.h"

#include <string.h>

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    int64_t block = op_int(c, "blocksize", 0);
    const char *mode = op_string(c, "mode", "DCR");
    struct shape out = x->shape;

    if (out.rank != 4)
        return op_error(c, E_SHAPE, "its input is %s, not [batch, channels, height, width]",
                        shape_text(c->arena, &out));
    if (strcmp(mode, "DCR") && strcmp(mode, "CRD"))
        return op_error(c, E_ATTRIBUTE, "mode is '%s'", mode);
    if (block < 1 || block > 1 << 14 || out.dim[1] % (block * block))
        return op_error(c, E_ATTRIBUTE, "blocksize %lld does not go with %s", (long long)block,
                        shape_text(c->arena, &out));
    out.dim[1] /= block * block;
    out.dim[2] *= block;
    out.dim[3] *= block;
    op_set(c, 0, x->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *to = &op_out(c, 0)->shape;
    int64_t b = op_int(c, "blocksize", 1), s[MAX_RANK];
    bool crd = strcmp(op_string(c, "mode", "DCR"), "CRD") == 0;
    struct shape view = {6, {to->dim[0], to->dim[1], to->dim[2] / b, b, to->dim[3] / b, b}};

    shape_strides(&in[0]->shape, &in[0]->shape, s);
    int64_t row = crd ? b * s[1] : b * to->dim[1] * s[1], col = crd ? s[1] : to->dim[1] * s[1];
    int64_t stride[6] = {s[0], crd ? b * b * s[1] : s[1], s[2], row, s[3], col};
    out[0] = move_view(c->arena, in[0], &view, 0, stride);
    out[0].shape = *to;
    return true;
}

const struct op op_depthtospace = {
    .attrs = "blocksize mode", .infer = infer, .eval = eval, .linear = op_linear_move};
