/* graph_check.c - the verifier of the graph: one function a rule, run as far as the stage asks; and
 * the printed table of a graph. */
#include "ir/graph.h"

#include <string.h>

/* The part of ops.def that the verifier needs, without the functions of op/. */
enum { LINEAR, ELTWISE, PRODUCT, NONLIN, COMPOSITE, PLAIN };
enum { MOVE = 1, COMMUTES = 2, NOP = 4, VARIADIC = 8, FACTOR = 16 };

static const struct {
    const char *onnx;
    uint32_t in_lo, in_hi, out_hi;
    int class;
    unsigned traits;
} rows[OP_COUNT] = {
#define OP(onnx, symbol, in_lo, in_hi, out_hi, class, traits)                                      \
    [OP_##symbol] = {onnx, in_lo, in_hi, out_hi, class, traits},
#include "ir/ops.def"
#undef OP
};

struct check {
    const struct graph *g;
    struct diag *d;
};

static void
broken(struct check *c, const struct node *n, const char *rule)
{
    struct place at = {.file = c->g->file, .node = n ? n->name : NULL};
    diag_error(c->d, E_GRAPH, at, "the graph is not consistent: %s", rule);
}

static bool
index_ok(const struct check *c, uint32_t value)
{
    return value == NONE || value < c->g->values.len;
}

static void
check_node_imported(struct check *c, uint32_t index)
{
    const struct node *n = &c->g->nodes.at[index];
    if (n->op == OP_NONE || n->op >= OP_COUNT) {
        broken(c, n, "a node has no operator");
        return;
    }
    if (n->in.len < rows[n->op].in_lo ||
        (rows[n->op].in_hi != 255 && n->in.len > rows[n->op].in_hi))
        broken(c, n, "the number of inputs is not what the operator takes");
    if (n->out.len < 1 || (rows[n->op].out_hi != 255 && n->out.len > rows[n->op].out_hi))
        broken(c, n, "the number of outputs is not what the operator gives");
    for (uint32_t k = 0; k < n->in.len; k++) {
        uint32_t v = n->in.at[k];
        if (!index_ok(c, v))
            broken(c, n, "an input is no value");
        else if (v != NONE && c->g->values.at[v].kind == VALUE_NODE &&
                 c->g->values.at[v].node >= index)
            broken(c, n, "an input is made by a later node");
    }
    for (uint32_t k = 0; k < n->out.len; k++) {
        uint32_t v = n->out.at[k];
        if (!index_ok(c, v))
            broken(c, n, "an output is no value");
        else if (v != NONE && (c->g->values.at[v].node != index || c->g->values.at[v].output != k))
            broken(c, n, "an output does not name its producer");
    }
}

static void
check_imported(struct check *c)
{
    const struct graph *g = c->g;
    struct arena *scratch = arena_new();
    struct map seen = {0};
    uint32_t at;

    for (uint32_t n = 0; n < g->nodes.len; n++) {
        check_node_imported(c, n);
        if (map_get(&seen, g->nodes.at[n].name, &at))
            broken(c, &g->nodes.at[n], "two nodes have one name");
        map_set(scratch, &seen, g->nodes.at[n].name, n);
    }
    seen = (struct map){0};
    for (uint32_t v = 0; v < g->values.len; v++) {
        if (map_get(&seen, g->values.at[v].name, &at))
            broken(c, NULL,
                   arena_printf(scratch, "two values are named '%s'", g->values.at[v].name));
        map_set(scratch, &seen, g->values.at[v].name, v);
    }
    for (uint32_t k = 0; k < g->outputs.len; k++)
        if (g->outputs.at[k] >= g->values.len)
            broken(c, NULL, "an output is no value");
    if (!g->outputs.len)
        broken(c, NULL, "there is no output");
    arena_free(scratch);
}

static void
check_inferred(struct check *c)
{
    const struct graph *g = c->g;
    for (uint32_t n = 0; n < g->nodes.len; n++)
        for (uint32_t k = 0; k < g->nodes.at[n].out.len; k++) {
            uint32_t v = g->nodes.at[n].out.at[k];
            if (v == NONE)
                continue;
            if (g->values.at[v].dtype == DT_NONE)
                broken(c, &g->nodes.at[n], "an output has no type");
            else if (shape_size(&g->values.at[v].shape) < 0)
                broken(c, &g->nodes.at[n], "an output has no size");
        }
}

static void
check_simplified(struct check *c)
{
    const struct graph *g = c->g;
    for (uint32_t n = 0; n < g->nodes.len; n++) {
        const struct node *node = &g->nodes.at[n];
        bool encrypted = false;
        uint32_t used = 0;
        for (uint32_t k = 0; k < node->in.len; k++)
            encrypted |= node->in.at[k] != NONE && g->values.at[node->in.at[k]].kind != VALUE_CONST;
        for (uint32_t k = 0; k < node->out.len; k++)
            used += node->out.at[k] != NONE ? graph_uses(g, node->out.at[k]) : 0;
        if (rows[node->op].traits & NOP)
            broken(c, node, "an operator without effect is left");
        if (!encrypted)
            broken(c, node, "a node of constants is left");
        if (!used)
            broken(c, node, "a node that nothing needs is left");
    }
}

static void
check_approximated(struct check *c)
{
    for (uint32_t n = 0; n < c->g->nodes.len; n++) {
        const struct node *node = &c->g->nodes.at[n];
        const struct poly *p = node->poly;
        if (rows[node->op].class == COMPOSITE)
            broken(c, node, "a composite operator is left");
        if (rows[node->op].class != NONLIN)
            continue;
        if (!p) {
            broken(c, node, "an activation has no polynomial");
            continue;
        }
        int axis;
        uint32_t channels = graph_channels(&c->g->values.at[node->out.at[0]].shape, &axis);
        if (p->rows != 1 && p->rows != channels)
            broken(c, node, "an activation has polynomials for another number of channels");
        for (uint32_t r = 0; r < p->rows; r++)
            if (!(p->radius[r] > 0))
                broken(c, node, "a polynomial's radius is not positive");
    }
}

bool
graph_check(const struct graph *g, enum stage stage, struct diag *d)
{
    struct check c = {g, d};
    uint32_t before = diag_errors(d);
    check_imported(&c);
    if (diag_errors(d) == before && stage >= STAGE_INFERRED)
        check_inferred(&c);
    if (diag_errors(d) == before && stage >= STAGE_SIMPLIFIED)
        check_simplified(&c);
    if (diag_errors(d) == before && stage >= STAGE_APPROXIMATED)
        check_approximated(&c);
    return diag_errors(d) == before;
}

const char *
op_name(enum op_id op)
{
    return rows[op].onnx;
}

/* Constant elements that a node reads. */
static int64_t
parameters(const struct graph *g, const struct node *n)
{
    int64_t sum = 0;
    for (uint32_t k = 0; k < n->in.len; k++)
        if (n->in.at[k] != NONE && g->values.at[n->in.at[k]].kind == VALUE_CONST)
            sum += shape_size(&g->values.at[n->in.at[k]].shape);
    return sum;
}

void
graph_print(const struct graph *g, struct str *out)
{
    struct arena *scratch = arena_new();
    int wide = 4;
    for (uint32_t n = 0; n < g->nodes.len; n++) {
        int len = (int)strlen(g->nodes.at[n].name);
        wide = len > wide ? (len > 40 ? 40 : len) : wide;
    }
    str_addf(out, "network %s, opset %d\n", g->name, g->opset);
    for (uint32_t k = 0; k < g->inputs.len; k++) {
        const struct value *v = &g->values.at[g->inputs.at[k].value];
        str_addf(out, "input  %s : %s %s\n", v->name, dtype_name(v->dtype),
                 shape_text(scratch, &v->shape));
    }
    str_addf(out, "%-*s  %-20s  %-18s  %10s  %s\n", wide, "node", "op", "output", "parameters",
             "degree");
    for (uint32_t n = 0; n < g->nodes.len; n++) {
        const struct node *node = &g->nodes.at[n];
        uint32_t o = node->out.at[0];
        const char *shape = o == NONE ? "-" : shape_text(scratch, &g->values.at[o].shape);
        str_addf(out, "%-*s  %-20s  %-18s  %10lld  ", wide, node->name, rows[node->op].onnx, shape,
                 (long long)parameters(g, node));
        if (node->poly)
            str_addf(out, "%u\n", node->poly->degree);
        else
            str_add(out, "-\n");
    }
    for (uint32_t k = 0; k < g->outputs.len; k++) {
        const struct value *v = &g->values.at[g->outputs.at[k]];
        str_addf(out, "output %s : %s %s\n", v->name, dtype_name(v->dtype),
                 shape_text(scratch, &v->shape));
    }
    arena_free(scratch);
}
