/* refuse.c - see refuse.h. One row an operator: why, and what would do instead. */
#include "approximate/refuse.h"
#include "approximate/fit.h"

static const struct {
    enum op_id op;
    const char *why, *instead;
} reasons[] = {
    {OP_maxpool, "one of its windows holds only padding, or its indices are wanted",
     "pad by less than the window, and leave out the second output"},
    {OP_argmax, "it compares encrypted values",
     "end the network before it: who decrypts the values finds the largest"},
};

static void
refuse_composite(const struct node *n, struct place at, struct diag *d)
{
    const char *why = "it is no polynomial of its inputs", *instead = NULL;

    for (size_t k = 0; k < sizeof reasons / sizeof *reasons; k++)
        if (reasons[k].op == n->op) {
            why = reasons[k].why;
            instead = reasons[k].instead;
        }
    diag_error(d, E_COMPOSITE, at, "%s cannot be computed on encrypted data: %s",
               op_row(n->op)->onnx, why);
    if (instead)
        diag_hint(d, "%s", instead);
}

static void
refuse_degree(const struct node *n, uint32_t set, struct place at, struct diag *d)
{
    const uint32_t given[] = {set, n->pins.degree_min, n->pins.degree_max};

    for (int k = 0; k < 3; k++)
        if (given[k] > FIT_DEGREE_MAX) {
            diag_error(d, E_APPROX_DEGREE, at, "degree %u: at most %d can be fitted", given[k],
                       FIT_DEGREE_MAX);
            return;
        }
    if (n->pins.degree_max && n->pins.degree_min > n->pins.degree_max)
        diag_error(d, E_APPROX_DEGREE, at, "the least degree, %u, is above the greatest, %u",
                   n->pins.degree_min, n->pins.degree_max);
}

bool
refuse(const struct graph *g, const uint32_t *set_degree, struct diag *d)
{
    uint32_t before = diag_errors(d);

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        enum op_class class = op_row(n->op)->class;
        struct place at = n->place;

        at.node = n->name;
        at.file = at.file ? at.file : g->file;
        if (class == COMPOSITE)
            refuse_composite(n, at, d);
        if (class != NONLIN)
            continue;
        for (uint32_t i = 1; i < n->in.len; i++)
            if (op_encrypted(g, n->in.at[i]))
                diag_error(d, E_NOT_CONST, at,
                           "%s: input %u ('%s') must be a constant, but it depends "
                           "on the network's input",
                           op_row(n->op)->onnx, i, graph_value(g, n->in.at[i])->name);
        refuse_degree(n, set_degree ? set_degree[k] : 0, at, d);
    }
    return diag_errors(d) == before;
}
