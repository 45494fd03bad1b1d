/* finite.c - weights that are NaN or infinite, found before anything is computed with them. */
#include "op/op.h"

#include <math.h>

/* Limits of Clip may be infinite, and so may what a maximum is padded by. */
static bool
may_be_infinite(const struct node *n)
{
    return op_row(n->op)->class == NONLIN || n->op == OP_pad;
}

/* The first element that is not to be, or -1. */
static int64_t
first_bad(const struct tensor *t, bool infinite)
{
    for (int64_t k = 0, n = shape_size(&t->shape); k < n; k++)
        if (isnan(t->f[k]) || (!infinite && isinf(t->f[k])))
            return k;
    return -1;
}

bool
op_finite(const struct graph *g, struct diag *d)
{
    bool ok = true;

    for (uint32_t n = 0; n < g->nodes.len; n++)
        for (uint32_t k = 0; k < g->nodes.at[n].in.len; k++) {
            const struct node *node = &g->nodes.at[n];
            uint32_t in = node->in.at[k];
            if (in == NONE || op_encrypted(g, in))
                continue;
            const struct value *v = graph_value(g, in);
            int64_t bad = v->data.f ? first_bad(&v->data, may_be_infinite(node)) : -1;
            if (bad < 0)
                continue;
            diag_error(d, E_NOT_FINITE, node->place, "element %lld of '%s' is %s", (long long)bad,
                       v->name, isnan(v->data.f[bad]) ? "NaN" : "infinite");
            ok = false;
        }
    return ok;
}
