/* moves.c - operators that only move elements: those without effect go, two in a row that undo each
 * other go, two reshapes in a row become one. */
#include "simplify/rules.h"

/* The shape of a value as a constant for Reshape. */
static uint32_t
shape_const(struct graph *g, uint32_t value)
{
    struct shape s = graph_value(g, value)->shape;
    struct tensor t = tensor_new(g->arena, DT_I64, shape_of(1, &(int64_t){s.rank}));

    for (int d = 0; d < s.rank; d++)
        t.i[d] = s.dim[d];
    return rule_const(g, NONE, t);
}

static void
become_reshape(struct graph *g, struct node *n, uint32_t from)
{
    uint32_t in[2] = {from, shape_const(g, n->out.at[0])};

    rule_become(g, n, OP_reshape, in, 2);
}

/* The mask of a Dropout that drops nothing. */
static void
replace_mask(struct graph *g, uint32_t mask)
{
    struct tensor t = tensor_new(g->arena, DT_BOOL, graph_value(g, mask)->shape);

    for (int64_t k = 0; k < shape_size(&t.shape); k++)
        t.i[k] = 1;
    graph_replace(g, mask, rule_const(g, NONE, t));
}

uint32_t
rule_nops(struct graph *g)
{
    uint32_t changes = 0;

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        struct node *n = &g->nodes.at[k];
        if (!(op_row(n->op)->traits & NOP))
            continue;
        if (n->out.len > 1 && n->out.at[1] != NONE)
            replace_mask(g, n->out.at[1]);
        n->out.len = 1;
        /* where an output would lose its name, a Reshape to the same shape stands for it */
        if (n->out.at[0] != NONE && !rule_bypass(g, n->out.at[0], n->in.at[0]))
            become_reshape(g, n, n->in.at[0]);
        else
            n->op = OP_identity; /* unused now; graph_tidy drops it */
        changes++;
    }
    return changes;
}

struct moved {
    int64_t *from; /* of each output element: 1 + the element of input 0 that it is, 0 none */
    int64_t n;
    bool ok;
};

static void
moved_entry(void *user, uint32_t in, uint32_t o, uint32_t i, double weight)
{
    struct moved *m = user;

    if (in != 0 || weight != 1 || m->from[o])
        m->ok = false;
    m->from[o] = (int64_t)i + 1;
}

static void
moved_bias(void *user, uint32_t o, double value)
{
    struct moved *m = user;

    (void)o;
    (void)value;
    m->ok = false;
}

/* Where each element of the node's only output comes from. False unless the node only moves
 * elements of input 0, and to each output element just one. */
static bool
moved_from(struct graph *g, uint32_t node, struct arena *a, struct moved *m)
{
    const struct node *n = &g->nodes.at[node];
    struct linear_sink sink = {m, moved_entry, moved_bias};
    struct diag *d = diag_new();

    m->n = shape_size(&graph_value(g, n->out.at[0])->shape);
    m->from = ARENA_ARRAY(a, int64_t, (size_t)m->n + 1);
    m->ok = true;
    bool ok = op_linear(g, node, 0, &sink, d) && m->ok;
    for (int64_t o = 0; ok && o < m->n; o++)
        ok = m->from[o] != 0;
    diag_free(d);
    return ok;
}

static bool
still(const struct moved *m)
{
    for (int64_t o = 0; o < m->n; o++)
        if (m->from[o] != o + 1)
            return false;
    return true;
}

/* One output, made of the encrypted input 0 only, of the same type. */
static bool
is_move(const struct graph *g, const struct node *n)
{
    if (!n || !(op_row(n->op)->traits & MOVE) || n->out.len != 1 || n->out.at[0] == NONE ||
        !op_encrypted(g, n->in.at[0]))
        return false;
    for (uint32_t k = 1; k < n->in.len; k++)
        if (op_encrypted(g, n->in.at[k]))
            return false;
    return graph_value(g, n->out.at[0])->dtype == graph_value(g, n->in.at[0])->dtype;
}

static bool
same_shape(const struct graph *g, uint32_t a, uint32_t b)
{
    return shape_equal(&graph_value(g, a)->shape, &graph_value(g, b)->shape);
}

/* Node b reads what move a made of x: b goes when it undoes a; two that keep the order become one.
 */
static bool
join(struct graph *g, uint32_t b, const struct moved *mb, struct arena *scratch)
{
    struct node *n = &g->nodes.at[b];
    const struct node *p = graph_producer(g, n->in.at[0]);
    struct moved ma = {0};

    if (!is_move(g, p))
        return false;
    uint32_t x = p->in.at[0];
    if (!moved_from(g, graph_value(g, n->in.at[0])->node, scratch, &ma))
        return false;
    if (still(&ma) && still(mb) && !same_shape(g, x, n->out.at[0])) {
        become_reshape(g, n, x);
        return true;
    }
    if (!same_shape(g, x, n->out.at[0]))
        return false;
    for (int64_t o = 0; o < mb->n; o++)
        if (ma.from[mb->from[o] - 1] != o + 1)
            return false;
    return rule_bypass(g, n->out.at[0], x);
}

uint32_t
rule_moves(struct graph *g)
{
    uint32_t changes = 0;

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        bool same = is_move(g, n) && same_shape(g, n->in.at[0], n->out.at[0]);
        if (!is_move(g, n) || !graph_uses(g, n->out.at[0]) ||
            !(same || is_move(g, graph_producer(g, n->in.at[0]))))
            continue;
        struct arena *scratch = arena_new();
        struct moved m = {0};
        if (moved_from(g, k, scratch, &m)) {
            if (same && still(&m))
                changes += rule_bypass(g, n->out.at[0], n->in.at[0]);
            else
                changes += join(g, k, &m, scratch);
        }
        arena_free(scratch);
    }
    return changes;
}
