/* weighted.c - see weighted.h. */
#include "op/weighted.h"

#include <string.h>

/* A constant of floats. */
static bool
floats(const struct graph *g, uint32_t value)
{
    return value != NONE && !op_encrypted(g, value) && graph_value(g, value)->data.f;
}

static bool
read_conv(struct graph *g, const struct node *n, struct weighted *w)
{
    struct diag *quiet = diag_new();
    struct arena *a = arena_new();
    struct op_ctx c = {g, n, quiet, a};
    bool ok =
        conv_read(&c, &graph_value(g, w->x)->shape, &graph_value(g, w->weight)->shape, &w->conv);

    arena_free(a);
    diag_free(quiet);
    w->groups = w->conv.groups;
    w->rows = w->conv.out_ch;
    w->depth = w->conv.in_ch * w->conv.taps;
    w->positions = w->conv.area_out;
    w->row_step = w->depth;
    w->col_step = 1;
    return ok && w->conv.batch == 1;
}

static bool
read_dense(struct graph *g, const struct node *n, struct weighted *w)
{
    const struct shape *b = &graph_value(g, w->weight)->shape;
    const struct op_ctx c = {g, n, NULL, NULL};
    bool gemm = n->op == OP_gemm, tb = gemm && op_int(&c, "transB", 0) != 0;

    if (b->rank != 2 || (gemm && op_int(&c, "transA", 0) != 0))
        return false;
    w->dense = true;
    w->groups = 1;
    w->rows = b->dim[tb ? 0 : 1];
    w->depth = b->dim[tb ? 1 : 0];
    w->row_step = tb ? w->depth : 1;
    w->col_step = tb ? 1 : w->rows;
    if (gemm) {
        w->scale = op_float(&c, "alpha", 1);
        w->bias_scale = op_float(&c, "beta", 1);
    }
    if (!w->depth || !w->rows)
        return false;
    w->positions = shape_size(&graph_value(g, w->x)->shape) / w->depth;
    return w->positions > 0;
}

bool
weighted_read(struct graph *g, uint32_t node, struct weighted *w)
{
    const struct node *n = &g->nodes.at[node];

    if ((n->op != OP_conv && n->op != OP_gemm && n->op != OP_matmul) ||
        !op_encrypted(g, n->in.at[0]) || !floats(g, n->in.at[1]))
        return false;
    *w = (struct weighted){.node = node,
                           .x = n->in.at[0],
                           .y = n->out.at[0],
                           .weight = n->in.at[1],
                           .bias = n->in.len > 2 ? n->in.at[2] : NONE,
                           .scale = 1,
                           .bias_scale = 1};
    if (w->bias != NONE && !floats(g, w->bias))
        return false;
    if (!(n->op == OP_conv ? read_conv(g, n, w) : read_dense(g, n, w)))
        return false;
    return w->bias == NONE || shape_size(&graph_value(g, w->bias)->shape) == w->groups * w->rows;
}

void
weighted_columns(const struct weighted *w, const float *x, int64_t group, float *to)
{
    const struct conv *v = &w->conv;

    if (!w->dense) {
        conv_columns(v, x + group * v->in_ch * v->area_in, 0, v->area_out / v->w.out[v->w.dims - 1],
                     to);
        return;
    }
    for (int64_t p = 0; p < w->positions; p++)
        for (int64_t k = 0; k < w->depth; k++)
            to[k * w->positions + p] = x[p * w->depth + k];
}

static uint32_t
own(struct graph *g, uint32_t value)
{
    const struct value v = *graph_value(g, value);
    struct tensor t = tensor_new(g->arena, v.dtype, v.shape);

    memcpy(t.f, v.data.f, (size_t)shape_size(&t.shape) * sizeof *t.f);
    return graph_const(g, v.name, t);
}

void
weighted_own(struct graph *g, struct weighted *w)
{
    w->weight = own(g, w->weight);
    g->nodes.at[w->node].in.at[1] = w->weight;
    if (w->bias == NONE)
        return;
    w->bias = own(g, w->bias);
    g->nodes.at[w->node].in.at[2] = w->bias;
}
