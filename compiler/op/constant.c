/* constant.c - Constant: a tensor, or numbers, from an attribute. */
#include "op/op.h"

#include <string.h>

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct attr *a = c->node->attrs.len == 1 ? &c->node->attrs.at[0] : NULL;

    (void)in;
    if (!a)
        return op_error(c, E_ATTRIBUTE, "must have exactly one value");
    if (a->kind == ATTR_TENSOR) {
        out[0] = a->tensor;
        return true;
    }
    bool ints = a->kind == ATTR_INT || a->kind == ATTR_INTS;
    bool list = a->kind == ATTR_INTS || a->kind == ATTR_FLOATS;
    if (!ints && a->kind != ATTR_FLOAT && a->kind != ATTR_FLOATS)
        return op_error(c, E_DTYPE, "'%s' is not of numbers", a->name);
    out[0] = tensor_new(c->arena, ints ? DT_I64 : DT_F32, (struct shape){list, {a->count}});
    if (out[0].i)
        memcpy(out[0].i, a->ints, a->count * sizeof *a->ints);
    if (out[0].f)
        memcpy(out[0].f, a->floats, a->count * sizeof *a->floats);
    return true;
}

static bool
infer(struct op_ctx *c)
{
    struct tensor value;

    if (!eval(c, NULL, &value))
        return false;
    if (value.dtype == DT_STRING || value.dtype == DT_NONE)
        return op_error(c, E_DTYPE, "is not of numbers");
    op_set_const(c, 0, value);
    return true;
}

const struct op op_constant = {
    .attrs = "value value_float value_floats value_int value_ints", .infer = infer, .eval = eval};
