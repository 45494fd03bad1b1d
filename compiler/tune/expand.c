/* expand.c - polynomials as nodes, for a network that is written to a file. */
#include "tune/tune.h"

#include "op/op.h"

#include <math.h>

static uint32_t
number(struct graph *g, const char *name, double v)
{
    struct tensor t = tensor_new(g->arena, DT_F32, shape_of(0, NULL));

    t.f[0] = (float)v;
    return graph_const(g, name, t);
}

/* A new node of two inputs, its shape that of x. */
static uint32_t
node(struct graph *g, enum op_id op, uint32_t x, uint32_t y, const struct node *like)
{
    const struct value v = *graph_value(g, x);
    uint32_t in[] = {x, y};
    uint32_t n = graph_node(g, like->name, op, in, 2, NULL, 1, like->place);
    struct value *out = graph_value(g, g->nodes.at[n].out.at[0]);

    out->dtype = v.dtype;
    out->shape = v.shape;
    return g->nodes.at[n].out.at[0];
}

/* c[0] + c[1] x + c[2] x^2 + c[3] x^3. */
static uint32_t
expand(struct graph *g, struct node like, const double *c)
{
    uint32_t x = like.in.at[0];

    if (c[3] == 0) {
        double h = c[1] / (2 * c[2]), e = c[0] - c[2] * h * h;
        uint32_t y = h == 0 ? x : node(g, OP_add, x, number(g, "h", h), &like);
        y = node(g, OP_mul, y, y, &like);
        y = c[2] == 1 ? y : node(g, OP_mul, y, number(g, "a", c[2]), &like);
        return e == 0 ? y : node(g, OP_add, y, number(g, "e", e), &like);
    }
    /* (c3 x + c2) x^2 + (c1 x + c0) */
    uint32_t square = node(g, OP_mul, x, x, &like);
    uint32_t high = node(g, OP_mul, x, number(g, "c3", c[3]), &like);
    uint32_t low = node(g, OP_mul, x, number(g, "c1", c[1]), &like);
    high = node(g, OP_add, high, number(g, "c2", c[2]), &like);
    low = node(g, OP_add, low, number(g, "c0", c[0]), &like);
    return node(g, OP_add, node(g, OP_mul, high, square, &like), low, &like);
}

void
tune_expand(struct graph *g)
{
    uint32_t n = g->nodes.len;

    for (uint32_t k = 0; k < n; k++) {
        const struct node like = g->nodes.at[k];
        const struct poly *p = like.poly;
        if (!p || p->rows != 1 || p->degree < 2 || p->degree > 3 || p->center[0] != 0)
            continue;
        const double *t = p->coef;
        double r = p->radius[0], third = p->degree > 2 ? t[3] : 0;
        double c[] = {t[0] - t[2], (t[1] - 3 * third) / r, 2 * t[2] / (r * r),
                      4 * third / (r * r * r)};
        if (c[2] == 0 && c[3] == 0)
            continue;
        graph_replace(g, like.out.at[0], expand(g, like, c));
    }
    graph_tidy(g);
}
