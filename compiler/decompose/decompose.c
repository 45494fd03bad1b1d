/* decompose.c - the door: one row an operator that is taken apart. */
#include "decompose/decompose.h"
#include "decompose/build.h"
#include "decompose/plan.h"

#include <math.h>

static const struct {
    enum op_id op;
    uint32_t (*rewrite)(struct rewrite *r);
} rows[] = {
    {OP_maxpool, rewrite_maxpool},
    {OP_globalmaxpool, rewrite_globalmaxpool},
    {OP_reducemax, rewrite_reducemax},
    {OP_max, rewrite_max},
    {OP_min, rewrite_max},
    {OP_softmax, rewrite_softmax},
    {OP_logsoftmax, rewrite_logsoftmax},
    {OP_layernorm, rewrite_layernorm},
    {OP_instancenorm, rewrite_instancenorm},
    {OP_div, rewrite_div},
    {OP_pow, rewrite_pow},
    {OP_reciprocal, rewrite_reciprocal},
};

struct work {
    struct graph *g;
    const float *images; /* NULL: none */
    uint32_t n;
    struct diag *d;
};

static bool
is_taken_apart(const struct graph *g, uint32_t node)
{
    uint32_t out = g->nodes.at[node].out.at[0];

    return out != NONE && op_encrypted(g, out) && dtype_is_float(graph_value(g, out)->dtype);
}

static void
rewrite_node(struct graph *g, uint32_t node, uint32_t normalisations)
{
    struct rewrite r = {g, g->nodes.at[node], normalisations};
    uint32_t out = r.at.out.at[0];

    for (size_t k = 0; is_taken_apart(g, node) && k < sizeof rows / sizeof *rows; k++) {
        if (rows[k].op != r.at.op)
            continue;
        uint32_t made = rows[k].rewrite(&r);
        if (made != NONE)
            graph_replace(g, out, made);
    }
}

/* How far a Softmax's rows reach above their means; 0 without data. */
static bool
softmax_ranges(const struct work *w, struct watched *of_node)
{
    struct arena *scratch = arena_new();
    struct watched *list = ARENA_ARRAY(scratch, struct watched, w->g->nodes.len + 1);
    uint32_t *node = ARENA_ARRAY(scratch, uint32_t, w->g->nodes.len + 1), n = 0;
    bool axis[MAX_RANK], ok = true;

    for (uint32_t k = 0; k < w->g->nodes.len; k++) {
        struct rewrite r = {w->g, w->g->nodes.at[k], 0};
        if (r.at.op != OP_softmax || !is_taken_apart(w->g, k))
            continue;
        const struct shape *s = rewrite_shape(&r, r.at.in.at[0]);
        list[n] = (struct watched){.value = r.at.in.at[0], .inner = 1};
        list[n].row = softmax_row(&r, axis);
        for (int d = s->rank - 1; d >= 0 && !axis[d]; d--)
            list[n].inner *= s->dim[d];
        node[n++] = k;
    }
    if (n && w->images)
        ok = plan_ranges(w->g, w->images, w->n, list, n, w->d);
    for (uint32_t k = 0; k < n; k++)
        of_node[node[k]] = list[k];
    arena_free(scratch);
    return ok;
}

/* The least degree for a Reciprocal or Rsqrt, and the steps that follow it. */
static void
plan_node(struct graph *g, uint32_t node, struct range seen, struct diag *d)
{
    struct place at = {.file = g->file, .node = g->nodes.at[node].name};
    struct rewrite r = {.g = g, .at = g->nodes.at[node]};
    struct pins *pins = &r.at.pins;
    uint32_t x = r.at.in.at[0];
    bool root = r.at.op == OP_rsqrt;
    double a = fabs(seen.lo), b = fabs(seen.hi);

    if (pins->degree_min || pins->degree_max || !(seen.lo * seen.hi > 0))
        return; /* where it crosses 0, approximate/ says so */
    struct plan plan = plan_inverse(fmax(a, b) / fmin(a, b), root);
    if (!plan.enough)
        diag_warning(
            d, W_DECOMPOSE_RANGE, at,
            "%s: calibration shows a range from %.3g to %.3g, too wide for degree %u and %u "
            "Newton steps to be near everywhere",
            op_row(r.at.op)->onnx, seen.lo, seen.hi, plan.degree, plan.steps);
    pins->degree_min = plan.degree;
    g->nodes.at[node].pins = *pins;
    if (!plan.steps)
        return;
    pins->degree_max = plan.degree; /* a step hides the start's error from first derivatives */
    uint32_t y = build_unary(&r, r.at.op, "start", x);
    for (uint32_t k = 0; k < plan.steps; k++)
        y = newton_step(&r, x, y, root);
    graph_replace(g, r.at.out.at[0], y);
}

static bool
plan_nodes(const struct work *w)
{
    struct graph *g = w->g;
    struct arena *scratch = arena_new();
    struct watched *list = ARENA_ARRAY(scratch, struct watched, g->nodes.len + 1);
    uint32_t *node = ARENA_ARRAY(scratch, uint32_t, g->nodes.len + 1), n = 0;
    bool ok = true;

    for (uint32_t k = 0; w->images && k < g->nodes.len; k++)
        if (g->nodes.at[k].op == OP_reciprocal || g->nodes.at[k].op == OP_rsqrt) {
            list[n].value = g->nodes.at[k].in.at[0];
            node[n++] = k;
        }
    if (n)
        ok = plan_ranges(g, w->images, w->n, list, n, w->d);
    for (uint32_t k = 0; ok && k < n; k++)
        plan_node(g, node[k], list[k].seen, w->d);
    arena_free(scratch);
    return ok;
}

bool
decompose(struct graph *g, const float *images, uint32_t n, struct diag *d)
{
    struct work w = {g, g->inputs.len == 1 && n ? images : NULL, n, d};
    struct arena *scratch = arena_new();
    uint32_t nodes = g->nodes.len;
    struct watched *rows_of = ARENA_ARRAY(scratch, struct watched, nodes + 1);
    bool ok = softmax_ranges(&w, rows_of);

    for (uint32_t k = 0; ok && k < nodes; k++)
        rewrite_node(g, k,
                     rows_of[k].row ? plan_normalisations(rows_of[k].seen.hi, rows_of[k].row) : 1);
    arena_free(scratch);
    graph_tidy(g);
    ok = ok && graph_infer(g, d);
    if (ok)
        turn_channels(g);
    graph_tidy(g);
    ok = ok && graph_infer(g, d) && plan_nodes(&w);
    graph_tidy(g);
    return ok && graph_infer(g, d);
}
