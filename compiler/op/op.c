/* op.c - what op files share: access to attributes, inputs and outputs, and the generic forms of
 * infer, eval and linear; see op.h. */
#include "op/op.h"

#include <stdio.h>
#include <string.h>

bool
op_error(struct op_ctx *c, enum code code, const char *fmt, ...)
{
    char text[512];
    struct place at = c->node->place;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    at.node = c->node->name;
    if (!at.file)
        at.file = c->graph->file;
    diag_error(c->diag, code, at, "%s: %s", op_row(c->node->op)->onnx, text);
    return false;
}

/* ---- attributes -------------------------------------------------------------------------------
 */

int64_t
op_int(const struct op_ctx *c, const char *name, int64_t otherwise)
{
    const struct attr *a = graph_find_attr(c->node, name);
    return a && a->kind == ATTR_INT && a->count ? a->ints[0] : otherwise;
}

double
op_float(const struct op_ctx *c, const char *name, double otherwise)
{
    const struct attr *a = graph_find_attr(c->node, name);
    return a && a->kind == ATTR_FLOAT && a->count ? (double)a->floats[0] : otherwise;
}

const char *
op_string(const struct op_ctx *c, const char *name, const char *otherwise)
{
    const struct attr *a = graph_find_attr(c->node, name);
    return a && a->kind == ATTR_STRING && a->count ? a->strings[0] : otherwise;
}

/* The constant of rank 0 or 1 at input `in`; *there tells whether the input is given. */
static bool
const_list(struct op_ctx *c, const char *name, int in, const struct tensor **t, bool *there)
{
    const struct value *v = in < 0 ? NULL : op_in(c, (uint32_t)in);
    *there = v != NULL;
    if (!v)
        return true;
    if (v->kind != VALUE_CONST)
        return op_error(c, E_NOT_CONST, "its %s (input %d, '%s') must be a constant", name, in,
                        v->name);
    if (v->shape.rank > 1)
        return op_error(c, E_SHAPE, "its %s (input %d) must be a list, not %s", name, in,
                        shape_text(c->arena, &v->shape));
    *t = &v->data;
    return true;
}

bool
op_ints(struct op_ctx *c, const char *name, int in, const int64_t **v, uint32_t *n, bool *present)
{
    const struct attr *a = graph_find_attr(c->node, name);
    const struct tensor *t = NULL;
    bool there;

    *v = NULL;
    *n = 0;
    if (!const_list(c, name, in, &t, &there))
        return false;
    *present = a || there;
    if (a && there)
        return op_error(c, E_ATTRIBUTE, "its %s is given as attribute and as input", name);
    if (a) {
        if (a->kind != ATTR_INTS && a->kind != ATTR_INT)
            return op_error(c, E_ATTRIBUTE, "attribute '%s' must be a list of integers", name);
        *v = a->ints;
        *n = a->count;
    } else if (there) {
        if (dtype_is_float(t->dtype))
            return op_error(c, E_DTYPE, "its %s (input %d) must be integers", name, in);
        *v = t->i;
        *n = (uint32_t)shape_size(&t->shape);
    }
    return true;
}

bool
op_floats(struct op_ctx *c, const char *name, int in, const float **v, uint32_t *n, bool *present)
{
    const struct attr *a = graph_find_attr(c->node, name);
    const struct tensor *t = NULL;
    bool there;

    *v = NULL;
    *n = 0;
    if (!const_list(c, name, in, &t, &there))
        return false;
    *present = a || there;
    if (a && there)
        return op_error(c, E_ATTRIBUTE, "its %s is given as attribute and as input", name);
    if (a) {
        if (a->kind != ATTR_FLOATS && a->kind != ATTR_FLOAT)
            return op_error(c, E_ATTRIBUTE, "attribute '%s' must be a list of numbers", name);
        *v = a->floats;
        *n = a->count;
    } else if (there) {
        if (!dtype_is_float(t->dtype))
            return op_error(c, E_DTYPE, "its %s (input %d) must be floats", name, in);
        *v = t->f;
        *n = (uint32_t)shape_size(&t->shape);
    }
    return true;
}

/* ---- inputs and outputs -----------------------------------------------------------------------
 */

const struct value *
op_in(const struct op_ctx *c, uint32_t k)
{
    if (k >= c->node->in.len || c->node->in.at[k] == NONE)
        return NULL;
    return graph_value(c->graph, c->node->in.at[k]);
}

struct value *
op_out(const struct op_ctx *c, uint32_t k)
{
    if (k >= c->node->out.len || c->node->out.at[k] == NONE)
        return NULL;
    return graph_value(c->graph, c->node->out.at[k]);
}

const struct tensor *
op_const(const struct op_ctx *c, uint32_t k)
{
    const struct value *v = op_in(c, k);
    return v && v->kind == VALUE_CONST ? &v->data : NULL;
}

void
op_set(struct op_ctx *c, uint32_t k, enum dtype dtype, struct shape shape)
{
    struct value *v = op_out(c, k);
    if (!v)
        return;
    v->dtype = dtype;
    v->shape = shape;
}

void
op_set_const(struct op_ctx *c, uint32_t k, struct tensor data)
{
    struct value *v = op_out(c, k);
    if (!v)
        return;
    v->kind = VALUE_CONST;
    v->node = NONE;
    v->dtype = data.dtype;
    v->shape = data.shape;
    v->data = data;
}

bool
op_need_const(struct op_ctx *c, uint32_t k)
{
    const struct value *v = op_in(c, k);
    if (!v || v->kind == VALUE_CONST)
        return true;
    return op_error(c, E_NOT_CONST,
                    "input %u ('%s') must be a constant, but it depends on the "
                    "network's input",
                    k, v->name);
}

bool
op_work(struct op_ctx *c, double products)
{
    for (uint32_t k = 0; k < c->node->in.len; k++)
        if (op_in(c, k) && op_in(c, k)->kind != VALUE_CONST)
            return true;
    if (products <= OP_MAX_WORK)
        return true;
    return op_error(c, E_TENSOR_SIZE, "computing this constant would take %g products", products);
}

bool
op_need_float(struct op_ctx *c, uint32_t k)
{
    const struct value *v = op_in(c, k);
    if (!v || dtype_is_float(v->dtype))
        return true;
    return op_error(c, E_DTYPE, "input %u ('%s') is %s and must be a float type", k, v->name,
                    dtype_name(v->dtype));
}

int64_t
op_wrap(enum dtype t, int64_t v)
{
    switch (t) {
    case DT_I8:
        return (int8_t)v;
    case DT_I16:
        return (int16_t)v;
    case DT_I32:
        return (int32_t)v;
    case DT_U8:
        return (uint8_t)v;
    case DT_U16:
        return (uint16_t)v;
    case DT_U32:
        return (uint32_t)v;
    case DT_BOOL:
        return v != 0;
    default:
        return v;
    }
}

bool
op_axis(struct op_ctx *c, int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return op_error(c, E_ATTRIBUTE, "axis %lld is outside of [%d, %d]", (long long)axis, -rank,
                        rank - 1);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

/* ---- generic forms ----------------------------------------------------------------------------
 */

bool
op_infer_same(struct op_ctx *c)
{
    const struct value *v = op_in(c, 0);
    op_set(c, 0, v->dtype, v->shape);
    return true;
}

bool
op_eval_fn(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    double (*fn)(const struct op_ctx *, uint32_t, double) = op_row(c->node->op)->op->fn;
    const struct tensor *x = in[0];
    int64_t n = shape_size(&x->shape), inner = 1;
    int axis;
    int64_t channels = graph_channels(&x->shape, &axis);

    for (int k = axis + 1; k < x->shape.rank; k++)
        inner *= x->shape.dim[k];
    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, x->shape);
    for (int64_t start = 0, channel = 0; start < n; start += inner) {
        for (int64_t k = start; k < start + inner; k++)
            if (x->f)
                out[0].f[k] = (float)fn(c, (uint32_t)channel, (double)x->f[k]);
            else
                out[0].i[k] =
                    op_wrap(out[0].dtype, (int64_t)fn(c, (uint32_t)channel, (double)x->i[k]));
        channel = channel + 1 == channels ? 0 : channel + 1;
    }
    return true;
}

/* Which input, and where in it, an index code (the position in all data inputs, one behind the
 * other) means. */
static void
send_code(struct op_ctx *c, const struct linear_sink *sink, uint32_t o, int64_t code,
          uint32_t n_data)
{
    int64_t at = code;
    for (uint32_t k = 0; k < n_data; k++) {
        const struct value *v = op_in(c, k);
        int64_t size = shape_size(&v->shape);
        if (at >= size) {
            at -= size;
            continue;
        }
        if (v->kind != VALUE_CONST) {
            sink->entry(sink->user, k, o, (uint32_t)at, 1.0);
        } else {
            double value = v->data.f ? (double)v->data.f[at] : (double)v->data.i[at];
            if (value != 0)
                sink->bias(sink->user, o, value);
        }
        return;
    }
}

bool
op_linear_move(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct op_row *row = op_row(c->node->op);
    uint32_t n_in = c->node->in.len, n_data = row->traits & VARIADIC ? n_in : 1;
    struct tensor *codes = ARENA_ARRAY(c->arena, struct tensor, n_in + 1);
    struct tensor *outs = ARENA_ARRAY(c->arena, struct tensor, c->node->out.len);
    const struct tensor **in = ARENA_ARRAY(c->arena, const struct tensor *, row->in_hi + n_in + 1);
    static const struct tensor absent;
    int64_t code = 0;

    for (uint32_t k = 0; k < row->in_hi + n_in; k++)
        in[k] = &absent;
    for (uint32_t k = 0; k < n_in; k++) {
        const struct value *v = op_in(c, k);
        if (k >= n_data) {
            if (!op_need_const(c, k))
                return false;
            in[k] = v ? &v->data : &absent;
            continue;
        }
        codes[k] = tensor_new(c->arena, DT_I64, v->shape);
        for (int64_t i = 0, n = shape_size(&v->shape); i < n; i++)
            codes[k].i[i] = code++;
        in[k] = &codes[k];
    }
    if (!row->op->eval(c, in, outs))
        return false;
    for (int64_t o = 0, n = shape_size(&outs[output].shape); o < n; o++)
        send_code(c, sink, (uint32_t)o, outs[output].i[o], n_data);
    return true;
}

bool
op_linear(struct graph *g, uint32_t node, uint32_t output, const struct linear_sink *sink,
          struct diag *d)
{
    const struct node *n = &g->nodes.at[node];
    struct op_ctx c = {g, n, d, NULL};
    const struct op *op = op_row(n->op)->op;

    if (!op->linear)
        return op_error(&c, E_NOT_LINEAR, "is not an affine map");
    if (!op_out(&c, output))
        return op_error(&c, E_OP_INPUTS, "has no output %u", output);
    c.arena = arena_new();
    bool ok = op->linear(&c, output, sink);
    arena_free(c.arena);
    return ok;
}

bool
op_encrypted(const struct graph *g, uint32_t value)
{
    return value != NONE && g->values.at[value].kind != VALUE_CONST;
}
