/* batchnorm.c - BatchNormalization y = a x + b (one a and b a channel) into the weights of the
 * linear map before it, when nothing else reads that map. Where it cannot go it stays: it is a
 * linear map too. */
#include "simplify/rules.h"

#include <math.h>

/* One factor and one summand a channel. */
struct affine {
    int64_t n;
    double *a, *b; /* b == NULL: 0 */
};

static const float *
floats(const struct graph *g, const struct node *n, uint32_t k)
{
    if (k >= n->in.len || n->in.at[k] == NONE)
        return NULL;
    const struct value *v = graph_value(g, n->in.at[k]);
    return v->kind == VALUE_CONST ? v->data.f : NULL;
}

/* The affine map of a BatchNormalization whose parameters are constants; false: leave it. */
static bool
read_batchnorm(struct graph *g, const struct node *n, struct arena *a, struct affine *to)
{
    struct op_ctx c = {g, n, NULL, a};
    const struct shape *x = &graph_value(g, n->in.at[0])->shape;
    const float *p[5];

    if (x->rank < 2 || op_int(&c, "training_mode", 0) || !op_int(&c, "spatial", 1))
        return false;
    to->n = x->dim[1];
    for (uint32_t k = 1; k <= 4; k++) {
        p[k] = floats(g, n, k);
        if (!p[k] || shape_size(&graph_value(g, n->in.at[k])->shape) != to->n)
            return false;
    }
    to->a = ARENA_ARRAY(a, double, (size_t)to->n);
    to->b = ARENA_ARRAY(a, double, (size_t)to->n);
    for (int64_t k = 0; k < to->n; k++) {
        to->a[k] = (double)p[1][k] / sqrt((double)p[4][k] + op_float(&c, "epsilon", 1e-5));
        to->b[k] = (double)p[2][k] - to->a[k] * (double)p[3][k];
    }
    return true;
}

/* A copy of constant `value` with element k times a[channel_of(k)], channel_of(k) =
 * k / inner % per + (k / group) * per for a constant that is cut into groups of `group` elements.
 */
static uint32_t
scaled(struct graph *g, uint32_t value, const struct affine *f, int64_t inner, int64_t per,
       int64_t group)
{
    struct tensor old = graph_value(g, value)->data;
    struct tensor t = tensor_new(g->arena, old.dtype, old.shape);

    for (int64_t k = 0; k < shape_size(&t.shape); k++)
        t.f[k] = (float)((double)old.f[k] * f->a[k / inner % per + k / group * per]);
    return rule_const(g, value, t);
}

/* The constant a[k] times was[k] + b[k], `was` a constant of one number, one a channel, or NULL. */
static struct tensor
shifted(struct graph *g, const float *was, int64_t n_was, double factor, const struct affine *f)
{
    struct tensor t = tensor_new(g->arena, DT_F32, shape_of(1, &f->n));

    for (int64_t k = 0; k < f->n; k++) {
        double old = was ? factor * (double)was[n_was == 1 ? 0 : k] : 0;
        t.f[k] = (float)(f->a[k] * old + (f->b ? f->b[k] : 0));
    }
    return t;
}

static void
set_in(struct graph *g, struct node *n, uint32_t k, uint32_t value)
{
    while (n->in.len <= k)
        vec_push(g->arena, &n->in, NONE);
    n->in.at[k] = value;
}

static bool
into_conv(struct graph *g, struct node *n, const struct affine *f)
{
    struct op_ctx c = {g, n, NULL, g->arena};
    bool has_bias = n->in.len > 2 && n->in.at[2] != NONE;
    const float *bias = floats(g, n, 2);
    const struct shape *w = &graph_value(g, n->in.at[1])->shape;
    int64_t groups = op_int(&c, "group", 1), size = shape_size(w);

    if (!floats(g, n, 1) || (has_bias && !bias) || size == 0 || w->rank < 3)
        return false;
    /* Conv [M, C / groups, ...]; ConvTranspose [C, M / groups, ...], C / groups rows a group */
    if (n->op == OP_conv) {
        n->in.at[1] = scaled(g, n->in.at[1], f, size / f->n, f->n, size);
    } else {
        int64_t inner = size / (w->dim[0] * w->dim[1]);
        n->in.at[1] = scaled(g, n->in.at[1], f, inner, f->n / groups, size / groups);
    }
    if (has_bias || f->b)
        set_in(g, n, 2, rule_const(g, has_bias ? n->in.at[2] : NONE, shifted(g, bias, f->n, 1, f)));
    return true;
}

static bool
into_gemm(struct graph *g, struct node *n, const struct affine *f)
{
    struct op_ctx c = {g, n, NULL, g->arena};
    bool has_bias = n->in.len > 2 && n->in.at[2] != NONE;
    const float *bias = floats(g, n, 2);
    int64_t size = has_bias ? shape_size(&graph_value(g, n->in.at[2])->shape) : 1;
    const struct shape *w = &graph_value(g, n->in.at[1])->shape;

    if (!floats(g, n, 1) || (has_bias && !bias) || w->rank != 2)
        return false;
    /* C of Gemm is one number, one a column, or more: with rows of its own it stays as it is */
    if (has_bias && size != 1) {
        const struct shape *s = &graph_value(g, n->in.at[2])->shape;
        if (size != f->n || s->dim[s->rank - 1] != f->n)
            return false;
    }
    int64_t inner = op_int(&c, "transB", 0) ? w->dim[1] : 1;
    struct tensor t = shifted(g, bias, size, op_float(&c, "beta", 1), f);
    n->in.at[1] = scaled(g, n->in.at[1], f, inner, f->n, shape_size(w));
    if (!has_bias && !f->b)
        return true;
    set_in(g, n, 2, rule_const(g, has_bias ? n->in.at[2] : NONE, t));
    for (uint32_t k = 0; k < n->attrs.len; k++) /* beta is in the new C */
        if (strcmp(n->attrs.at[k].name, "beta") == 0)
            n->attrs.at[k--] = n->attrs.at[--n->attrs.len];
    return true;
}

/* Columns of a constant right-hand side; takes no summand. */
static bool
into_matmul(struct graph *g, struct node *n, const struct affine *f)
{
    const struct shape *w = &graph_value(g, n->in.at[1])->shape;

    if (f->b || !floats(g, n, 1) || w->rank != 2 || w->dim[1] != f->n ||
        graph_value(g, n->out.at[0])->shape.rank != 2)
        return false;
    n->in.at[1] = scaled(g, n->in.at[1], f, 1, f->n, shape_size(w));
    return true;
}

static bool into_linear(struct graph *g, uint32_t value, const struct affine *f);

/* Add of a constant that differs by channel only. */
static bool
into_add(struct graph *g, struct node *n, const struct affine *f)
{
    const struct shape *out = &graph_value(g, n->out.at[0])->shape;
    uint32_t k = graph_value(g, n->in.at[1])->kind == VALUE_CONST ? 1 : 0;
    const float *c = floats(g, n, k);
    struct affine scale = {f->n, f->a, NULL};
    int64_t stride[MAX_RANK], dim[MAX_RANK];

    if (!c || !shape_equal(out, &graph_value(g, n->in.at[1 - k])->shape))
        return false;
    const struct shape *s = &graph_value(g, n->in.at[k])->shape;
    shape_strides(s, out, stride);
    for (int d = 0; d < out->rank; d++) {
        if (d != 1 && stride[d] != 0)
            return false;
        dim[d] = d == 1 ? f->n : 1;
    }
    int64_t size = shape_size(s);
    const struct node *inner = graph_producer(g, n->in.at[1 - k]);
    if (!inner || inner->op == OP_add || (size != 1 && size != f->n) ||
        !into_linear(g, n->in.at[1 - k], &scale))
        return false;
    struct tensor t = shifted(g, c, size, 1, f);
    t.shape = shape_of(out->rank, dim);
    n->in.at[k] = rule_const(g, n->in.at[k], t);
    return true;
}

/* Changes the map that makes `value`, read by nothing else, to make a x + b. */
static bool
into_linear(struct graph *g, uint32_t value, const struct affine *f)
{
    struct node *n = graph_producer(g, value);

    if (!n || graph_uses(g, value) != 1 ||
        (n->in.len > 1 && n->op != OP_add && !op_encrypted(g, n->in.at[0])))
        return false;
    switch (n->op) {
    case OP_conv:
    case OP_conv_transpose:
        return into_conv(g, n, f);
    case OP_gemm:
        return into_gemm(g, n, f);
    case OP_matmul:
        return into_matmul(g, n, f);
    case OP_add:
        return into_add(g, n, f);
    default:
        return false;
    }
}

uint32_t
rule_batchnorm(struct graph *g)
{
    uint32_t changes = 0;

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        struct node *n = &g->nodes.at[k];
        struct arena *scratch = arena_new();
        struct affine f = {0};
        if (n->op == OP_batchnorm && read_batchnorm(g, n, scratch, &f)) {
            struct affine scale = {f.n, f.a, NULL};
            uint32_t x = n->in.at[0];
            if (into_linear(g, x, &f)) {
                graph_replace(g, n->out.at[0], x);
                changes++;
            } else if (into_linear(g, x, &scale)) { /* MatMul: the summand stays behind as an Add */
                uint32_t in[2] = {x, rule_const(g, n->in.at[2], shifted(g, NULL, 0, 0, &f))};
                rule_become(g, n, OP_add, in, 2);
                changes++;
            }
        }
        arena_free(scratch);
    }
    return changes;
}
