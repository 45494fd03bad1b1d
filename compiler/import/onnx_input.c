/* onnx_input.c - types and shapes of the inputs of the graph. */
#include "import/onnx.h"

#include <inttypes.h>

static bool
fail(struct onnx *x, enum code code, const char *input, const char *why)
{
    diag_error(x->diag, code, PLACE_FILE(x->file), "input '%s': %s", input, why);
    return false;
}

/* The number of a dimension; -1 when the file leaves it open: symbolic, absent, 0 or -1. */
static int64_t
known(const Onnx__TensorShapeProto__Dimension *d)
{
    bool number = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    return number && d->dim_value != 0 ? d->dim_value : -1;
}

static void
open_dim(struct onnx *x, const char *input, size_t k, const Onnx__TensorShapeProto__Dimension *d)
{
    bool named = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
                 d->dim_param && *d->dim_param;
    diag_error(
        x->diag, E_ONNX_DIM, PLACE_FILE(x->file),
        "input '%s': dimension %zu%s%s%s is not a number; only dimension 0, the batch, may be "
        "open",
        input, k, named ? " ('" : "", named ? d->dim_param : "", named ? "')" : "");
    diag_hint(x->diag,
              "export with a fixed input shape (with PyTorch: leave dimension %zu out of "
              "dynamic_axes)",
              k);
}

bool
onnx_input(struct onnx *x, const Onnx__ValueInfoProto *v, enum dtype *dtype, struct shape *shape)
{
    const Onnx__TypeProto *type = v->type;
    bool ok = true;

    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return fail(x, E_ONNX_TYPE, v->name, "it is not a tensor, or has no type");
    *dtype = onnx_dtype(type->tensor_type->elem_type);
    if (*dtype == DT_NONE || *dtype == DT_STRING)
        return fail(x, E_ONNX_TYPE, v->name,
                    arena_printf(x->scratch, "a tensor of type %s cannot be compiled",
                                 onnx_dtype_name(x->scratch, type->tensor_type->elem_type)));
    const Onnx__TensorShapeProto *s = type->tensor_type->shape;
    if (!s) {
        fail(x, E_ONNX_DIM, v->name, "it has no shape");
        diag_hint(x->diag, "export with a fixed input shape");
        return false;
    }
    if (s->n_dim > MAX_RANK)
        return fail(x, E_ONNX_DIM, v->name,
                    arena_printf(x->scratch, "it has %zu dimensions, olac takes at most %d",
                                 s->n_dim, MAX_RANK));
    shape->rank = (int)s->n_dim;
    for (size_t k = 0; k < s->n_dim; k++) {
        shape->dim[k] = known(s->dim[k]);
        if (shape->dim[k] == -1 && k == 0)
            shape->dim[k] = 1;
        if (shape->dim[k] == -1) {
            open_dim(x, v->name, k, s->dim[k]);
            ok = false;
        } else if (shape->dim[k] < 0) {
            ok = fail(x, E_ONNX_DIM, v->name,
                      arena_printf(x->scratch, "dimension %zu is %" PRId64, k, shape->dim[k]));
        }
    }
    if (ok && shape_size(shape) < 0)
        return fail(x, E_TOO_LARGE, v->name,
                    arena_printf(x->scratch, "the shape %s has more elements than olac takes",
                                 shape_text(x->scratch, shape)));
    return ok;
}
