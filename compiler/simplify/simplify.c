/* simplify.c - the door: all rules, over and over, until none applies. Every rule lowers the number
 * of nodes or turns an operator into one that no rule turns back, so that this ends. */
#include "simplify/simplify.h"
#include "simplify/rules.h"

bool
rule_is_output(const struct graph *g, uint32_t value)
{
    for (uint32_t k = 0; k < g->outputs.len; k++)
        if (g->outputs.at[k] == value)
            return true;
    return false;
}

bool
rule_bypass(struct graph *g, uint32_t from, uint32_t to)
{
    if (rule_is_output(g, from) &&
        (graph_value(g, to)->kind == VALUE_INPUT || rule_is_output(g, to)))
        return false;
    graph_replace(g, from, to);
    return true;
}

void
rule_become(struct graph *g, struct node *n, enum op_id op, const uint32_t *in, uint32_t n_in)
{
    n->op = op;
    n->attrs.len = 0;
    n->in.len = 0;
    for (uint32_t k = 0; k < n_in; k++)
        vec_push(g->arena, &n->in, in[k]);
}

uint32_t
rule_const(struct graph *g, uint32_t like, struct tensor data)
{
    return graph_const(g, like == NONE ? NULL : graph_value(g, like)->name, data);
}

bool
simplify(struct graph *g, struct diag *d)
{
    static uint32_t (*const rules[])(struct graph *) = {
        rule_nops, rule_moves, rule_batchnorm, rule_limits, rule_spelling, rule_rows, rule_prelu,
    };
    uint32_t changes;

    if (!graph_infer(g, d))
        return false;
    do {
        changes = 0;
        for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
            uint32_t applied = rules[k](g);
            changes += applied;
            if (!applied)
                continue;
            graph_tidy(g);
            if (!graph_infer(g, d))
                return false;
        }
    } while (changes);
    return true;
}
