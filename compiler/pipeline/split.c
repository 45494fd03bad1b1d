/* split.c - a network cut in two at a node: what it makes is all that the part behind sees. */
#include "pipeline/internal.h"

static bool
refused(const struct graph *g, const char *node, struct diag *d, const char *why)
{
    diag_error(d, E_SPLIT, (struct place){.file = g->file, .node = node}, "%s", why);
    return false;
}

bool
pipeline_split(struct arena *a, const struct graph *g, const char *node, struct graph **front,
               struct graph **back, struct diag *d)
{
    uint32_t at;

    if (!map_get(&g->node_names, node, &at)) {
        refused(g, node, d, "there is no such node to split at");
        diag_hint(d, "olac show lists the nodes");
        return false;
    }
    uint32_t value = g->nodes.at[at].out.at[0];
    if (!op_encrypted(g, value))
        return refused(g, node, d, "it is a constant");
    *front = graph_copy(a, g);
    (*front)->outputs.len = 0;
    vec_push(a, &(*front)->outputs, value);
    graph_tidy(*front);
    struct graph *b = *back = graph_copy(a, g);
    for (uint32_t k = 0; k < b->outputs.len; k++)
        if (b->outputs.at[k] == value)
            return refused(g, node, d, "nothing stands behind it");
    b->values.at[value].kind = VALUE_INPUT;
    b->values.at[value].node = NONE;
    b->inputs.len = 0;
    vec_push(a, &b->inputs, (struct input){.value = value});
    graph_tidy(b);
    bool reached = false;
    for (uint32_t n = 0; n < b->nodes.len; n++)
        for (uint32_t k = 0; k < b->nodes.at[n].in.len; k++) {
            uint32_t v = b->nodes.at[n].in.at[k];
            if (v == NONE || b->values.at[v].kind != VALUE_INPUT)
                continue;
            reached = reached || v == value;
            if (v != value)
                return refused(g, node, d, "the part behind it also reads what stands before it");
        }
    return reached || refused(g, node, d, "no output needs it");
}
