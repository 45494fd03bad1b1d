/* infer.c - types and shapes of the whole graph, and folding of what depends on constants only. */
#include "op/op.h"

#include <string.h>

struct infer {
    struct graph *g;
    struct diag *d;
    int64_t room; /* bytes that folding may still make */
};

/* Folding may make this many times the bytes of the model's constants, and some in any case: there
 * are models whose weights are all made by ConstantOfShape. */
#define FOLD_FACTOR 4
#define FOLD_BASE   ((int64_t)1 << 30)

static int64_t
bytes_of(const struct value *v)
{
    size_t element = dtype_is_float(v->dtype) ? sizeof(float) : sizeof(int64_t);
    return shape_size(&v->shape) * (int64_t)element;
}

static bool
arity_ok(struct op_ctx *c, const struct op_row *row)
{
    uint32_t n_in = c->node->in.len, n_out = c->node->out.len;

    if (n_in < row->in_lo || (row->in_hi != 255 && n_in > row->in_hi))
        return op_error(c, E_OP_INPUTS, "has %u inputs", n_in);
    if (n_out < 1 || (row->out_hi != 255 && n_out > row->out_hi))
        return op_error(c, E_OP_INPUTS, "has %u outputs; olac computes at most %u", n_out,
                        row->out_hi);
    for (uint32_t k = 0; k < n_in; k++)
        if (!op_in(c, k) && (k < row->in_lo || row->traits & VARIADIC))
            return op_error(c, E_OP_INPUTS, "input %u is left out", k);
    return true;
}

/* name is one of the blank-separated words of list. */
static bool
listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = list; p && *p;) {
        const char *end = strchr(p, ' ');
        size_t n = end ? (size_t)(end - p) : strlen(p);
        if (n == len && memcmp(p, name, n) == 0)
            return true;
        p = end ? end + 1 : NULL;
    }
    return false;
}

static char
kind_letter(enum attr_kind kind)
{
    static const char letters[] = {
        [ATTR_INT] = 'i',    [ATTR_FLOAT] = 'f',   [ATTR_STRING] = 's', [ATTR_INTS] = 'I',
        [ATTR_FLOATS] = 'F', [ATTR_STRINGS] = 'S', [ATTR_TENSOR] = 't'};
    return letters[kind];
}

const char *
op_attr_kinds(const char *name)
{
    static const struct {
        const char *kind, *names;
    } all[] = {
        {"i", "allowzero axis block_size blocksize ceil_mode count_include_pad end exclude_outside "
              "exclusive "
              "group keepdims noop_with_empty_axes reverse seed select_last_index spatial start "
              "stash_type storage_order to training_mode transA transB value_int"},
        {"f",
         "alpha beta bias cubic_coeff_a epsilon extrapolation_value gamma lambd max min momentum "
         "ratio value_float"},
        {"s", "approximate auto_pad coordinate_transformation_mode mode nearest_mode"},
        {"Ii", "axes dilations ends kernel_shape output_padding output_shape pads perm repeats "
               "shape split "
               "starts strides value_ints"},
        {"Ff", "scales value_floats"},
        {"ft", "value"},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (listed(all[k].names, name))
            return all[k].kind;
    return NULL;
}

static bool
attrs_ok(struct op_ctx *c, const struct op *op)
{
    bool ok = true;
    for (uint32_t k = 0; k < c->node->attrs.len; k++) {
        const struct attr *a = &c->node->attrs.at[k];
        const char *kinds = op_attr_kinds(a->name);
        if (!listed(op->attrs, a->name))
            ok = op_error(c, E_ATTRIBUTE, "has no attribute '%s'", a->name);
        else if (!kinds || !strchr(kinds, kind_letter(a->kind)))
            ok = op_error(c, E_ATTRIBUTE, "attribute '%s' has the wrong type", a->name);
    }
    return ok;
}

/* False, without a message, when an input is unknown because of an earlier error. */
static bool
inputs_known(struct op_ctx *c, bool *ok)
{
    for (uint32_t k = 0; k < c->node->in.len; k++) {
        const struct value *v = op_in(c, k);
        if (!v)
            continue;
        if (v->dtype == DT_NONE)
            return false;
        if (v->dtype == DT_STRING)
            *ok = op_error(c, E_DTYPE, "input %u ('%s') is of strings", k, v->name);
    }
    return *ok;
}

/* At most OP_MAX_ELEMENTS, also without the dimensions that are 0: products of dimensions fit. */
static bool
sane(const struct shape *s)
{
    int64_t size = 1;
    for (int k = 0; k < s->rank; k++) {
        if (s->dim[k] < 0 || s->dim[k] > OP_MAX_ELEMENTS)
            return false;
        size *= s->dim[k] ? s->dim[k] : 1;
        if (size > OP_MAX_ELEMENTS)
            return false;
    }
    return true;
}

static bool
outputs_ok(struct op_ctx *c)
{
    bool ok = true;
    for (uint32_t k = 0; k < c->node->out.len; k++) {
        struct value *v = op_out(c, k);
        if (!v)
            continue;
        if (v->dtype != DT_NONE && sane(&v->shape))
            continue;
        ok = op_error(c, E_TENSOR_SIZE, "its output '%s' would be %s", v->name,
                      shape_text(c->arena, &v->shape));
        v->dtype = DT_NONE;
    }
    return ok;
}

/* Every wanted output is a constant already (Shape), or can be made one now. */
static bool
foldable(const struct op_ctx *c)
{
    bool left = false;
    for (uint32_t k = 0; k < c->node->in.len; k++)
        if (op_in(c, k) && op_in(c, k)->kind != VALUE_CONST)
            return false;
    for (uint32_t k = 0; k < c->node->out.len; k++)
        left |= op_out(c, k) && op_out(c, k)->kind != VALUE_CONST;
    return left;
}

static struct tensor
copy(struct arena *a, const struct tensor *t)
{
    struct tensor c = tensor_new(a, t->dtype, t->shape);
    if (c.f)
        memcpy(c.f, t->f, (size_t)shape_size(&t->shape) * sizeof *c.f);
    if (c.i)
        memcpy(c.i, t->i, (size_t)shape_size(&t->shape) * sizeof *c.i);
    return c;
}

/* Evaluates the node and makes its outputs constants. Scratch memory does not stay in the graph. */
static bool
eval_constant(struct op_ctx c, const struct op_row *row)
{
    uint32_t n_in = c.node->in.len, n_out = c.node->out.len;
    struct arena *keep = c.arena;
    static const struct tensor absent;

    c.arena = arena_new();
    const struct tensor **in = ARENA_ARRAY(c.arena, const struct tensor *, n_in + row->in_hi + 1);
    struct tensor *out = ARENA_ARRAY(c.arena, struct tensor, n_out);
    for (uint32_t k = 0; k < n_in + row->in_hi; k++)
        in[k] = k < n_in && op_in(&c, k) ? &op_in(&c, k)->data : &absent;
    bool ok = row->op->eval(&c, in, out);
    for (uint32_t k = 0; ok && k < n_out; k++)
        if (op_out(&c, k) && op_out(&c, k)->kind != VALUE_CONST)
            op_set_const(&c, k, copy(keep, &out[k]));
    arena_free(c.arena);
    return ok;
}

static bool
fold(struct infer *f, struct op_ctx *c, const struct op_row *row)
{
    uint32_t n_out = c->node->out.len;

    for (uint32_t k = 0; k < n_out; k++)
        f->room -= op_out(c, k) ? bytes_of(op_out(c, k)) : 0;
    if (f->room < 0)
        return op_error(c, E_TENSOR_SIZE,
                        "computing with constants would make far more data than the "
                        "model holds");
    return eval_constant(*c, row);
}

/* A node no longer makes the outputs that became constants. */
static void
disown(struct graph *g, struct node *n)
{
    for (uint32_t k = 0; k < n->out.len; k++)
        if (n->out.at[k] != NONE && graph_value(g, n->out.at[k])->kind == VALUE_CONST)
            n->out.at[k] = NONE;
}

/* Outputs of a node that failed are of no type, so that its readers keep silent. */
static void
forget(struct op_ctx *c)
{
    for (uint32_t k = 0; k < c->node->out.len; k++)
        if (op_out(c, k))
            op_out(c, k)->dtype = DT_NONE;
}

static bool
infer_node(struct infer *f, struct op_ctx *c)
{
    const struct op_row *row = op_row(c->node->op);
    bool ok = true;

    if (!row) {
        diag_error(f->d, E_GRAPH, c->node->place, "node '%s' has no operator", c->node->name);
        return false;
    }
    ok = arity_ok(c, row);
    if (ok && !inputs_known(c, &ok)) {
        forget(c);
        return ok;
    }
    ok = attrs_ok(c, row->op) && ok;
    ok = ok && row->op->infer(c) && outputs_ok(c);
    if (ok && foldable(c) && row->op->eval)
        ok = fold(f, c, row);
    if (!ok)
        forget(c);
    return ok;
}

bool
graph_infer(struct graph *g, struct diag *d)
{
    struct infer f = {g, d, FOLD_BASE};
    bool ok = true;

    for (uint32_t v = 0; v < g->values.len; v++) {
        struct value *value = &g->values.at[v];
        if (value->kind == VALUE_NODE)
            continue;
        if (sane(&value->shape)) {
            f.room += value->kind == VALUE_CONST ? FOLD_FACTOR * bytes_of(value) : 0;
            continue;
        }
        diag_error(d, E_TENSOR_SIZE, PLACE_FILE(g->file), "'%s' would be %s", value->name,
                   shape_text(g->arena, &value->shape));
        ok = false;
    }
    for (uint32_t n = 0; n < g->nodes.len; n++) {
        struct op_ctx c = {g, &g->nodes.at[n], d, g->arena};
        ok = infer_node(&f, &c) && ok;
        disown(g, &g->nodes.at[n]);
    }
    if (ok)
        graph_tidy(g);
    return ok;
}
