/* channels.c - networks that turn [N, C, ...] into [N, ..., C] for a norm and some dense layers
 * (ConvNeXt, transformers on patches) compute these as they stand: the Transpose moves behind all
 * nodes that do not mind, until it meets its inverse or a node that does. A dense layer along the
 * last axis becomes a convolution of one tap.
 *
 * Nothing is computed less. But polynomials differ along axis 1, which then is that of features;
 * and layouts are grids of rows and columns, which need no other map then. */
#include "decompose/build.h"

/* The other value behind a Transpose that moves axis 1 to the end; NONE when it is none. */
static uint32_t
before_turn(const struct graph *g, uint32_t value)
{
    const struct node *n = value == NONE ? NULL : graph_producer(g, value);
    const struct attr *perm = n && n->op == OP_transpose ? graph_find_attr(n, "perm") : NULL;
    int rank = graph_value(g, value == NONE ? 0 : value)->shape.rank;

    if (!perm || rank < 3 || perm->count != (uint32_t)rank)
        return NONE;
    for (int k = 0; k < rank; k++)
        if (perm->ints[k] != (k == 0 ? 0 : k + 1 < rank ? k + 1 : 1))
            return NONE;
    return n->in.at[0];
}

/* Where axis k of the turned tensor is in the other. */
static int
axis_before(int k, int rank)
{
    return k == 0 ? 0 : k + 1 < rank ? k + 1 : 1;
}

static struct shape
shape_before(const struct shape *s)
{
    struct shape b = *s;

    for (int k = 0; k < s->rank; k++)
        b.dim[axis_before(k, s->rank)] = s->dim[k];
    return b;
}

static uint32_t
turn(struct rewrite *r, uint32_t value, const struct shape *to, bool back)
{
    int64_t *perm = ARENA_ARRAY(r->g->arena, int64_t, MAX_RANK);
    enum dtype dtype = graph_value(r->g, value)->dtype;

    for (int k = 0; k < to->rank; k++)
        perm[back ? axis_before(k, to->rank) : k] = back ? k : axis_before(k, to->rank);
    uint32_t made = build_unary(r, OP_transpose, "turned", value);
    graph_attr(r->g, r->g->nodes.len - 1,
               (struct attr){"perm", ATTR_INTS, (uint32_t)to->rank, .ints = perm});
    graph_value(r->g, made)->dtype = dtype;
    graph_value(r->g, made)->shape = *to;
    return made;
}

/* An input of a node of elements as it was before the turn: constants and other tensors are turned
 * back. NONE when its rank says that it cannot be. */
static uint32_t
turned_back(struct rewrite *r, uint32_t value, int rank)
{
    uint32_t before = before_turn(r->g, value);
    struct shape full = graph_value(r->g, value)->shape;
    bool constant = !op_encrypted(r->g, value);

    if (before != NONE || (constant && shape_size(&full) == 1))
        return before != NONE ? before : value;
    if (full.rank > rank || (full.rank < rank && !constant))
        return NONE;
    for (int missing = rank - full.rank; missing > 0; missing--) {
        for (int k = full.rank++; k > 0; k--)
            full.dim[k] = full.dim[k - 1];
        full.dim[0] = 1;
    }
    enum dtype dtype = graph_value(r->g, value)->dtype;
    if (!shape_equal(&full, rewrite_shape(r, value))) {
        value = build_reshape(r, "full", value, &full);
        graph_value(r->g, value)->dtype = dtype;
    }
    struct shape back = shape_before(&full);
    return turn(r, value, &back, true);
}

/* ---- nodes that do not mind ------------------------------------------------------------------ */

/* Each gives the node's inputs before the turn to in[], as far as they change, and may change its
 * attributes; false, and nothing changed, when the node does mind. */

static bool
elements(struct rewrite *r, uint32_t *in)
{
    int rank = rewrite_shape(r, r->at.out.at[0])->rank;
    uint32_t n = op_row(r->at.op)->class == ELTWISE ? 2 : 1;

    if (r->at.op == OP_prelu)
        return false;
    for (uint32_t k = 0; k < n; k++) {
        const struct value *v = graph_value(r->g, r->at.in.at[k]);
        bool constant = v->kind == VALUE_CONST;
        if (v->shape.rank > rank || (v->shape.rank < rank && !constant))
            return false;
    }
    for (uint32_t k = 0; k < n; k++)
        in[k] = turned_back(r, r->at.in.at[k], rank);
    return true;
}

static bool
mean(struct rewrite *r, uint32_t *in)
{
    int rank = rewrite_shape(r, r->at.in.at[0])->rank;
    const struct attr *axes = graph_find_attr(&r->at, "axes");
    struct op_ctx c = {r->g, &r->at, NULL, NULL};

    if (!axes || !op_int(&c, "keepdims", 1))
        return false;
    int64_t *before = ARENA_ARRAY(r->g->arena, int64_t, axes->count + 1);
    for (uint32_t k = 0; k < axes->count; k++)
        before[k] =
            axis_before((int)(axes->ints[k] < 0 ? axes->ints[k] + rank : axes->ints[k]), rank);
    /* the list itself may be another graph's too */
    r->g->nodes.at[graph_value(r->g, r->at.out.at[0])->node].attrs.at[axes - r->at.attrs.at].ints =
        before;
    in[0] = before_turn(r->g, r->at.in.at[0]);
    return true;
}

static bool
expand(struct rewrite *r, uint32_t *in)
{
    const struct shape *to = rewrite_shape(r, r->at.out.at[0]);

    if (to->rank != rewrite_shape(r, r->at.in.at[0])->rank)
        return false;
    struct shape back = shape_before(to);
    in[0] = before_turn(r->g, r->at.in.at[0]);
    in[1] = build_ints(r, back.dim, back.rank);
    return true;
}

/* x W along the last axis is a convolution of one tap along axis 1, kernel [K, C, 1 ...]. */
static bool
dense(struct rewrite *r, uint32_t *in)
{
    const struct value *w = graph_value(r->g, r->at.in.at[1]);
    struct shape s = {.rank = rewrite_shape(r, r->at.in.at[0])->rank};

    if (w->kind != VALUE_CONST || w->shape.rank != 2 || !w->data.f ||
        before_turn(r->g, r->at.in.at[0]) == NONE)
        return false;
    for (int k = 0; k < s.rank; k++)
        s.dim[k] = k < 2 ? w->shape.dim[1 - k] : 1;
    struct tensor t = tensor_new(r->g->arena, w->dtype, s);
    for (int64_t k = 0; k < s.dim[0]; k++)
        for (int64_t c = 0; c < s.dim[1]; c++)
            t.f[k * s.dim[1] + c] = w->data.f[c * s.dim[0] + k];
    in[0] = before_turn(r->g, r->at.in.at[0]);
    in[1] = graph_const(r->g, w->name, t);
    return true;
}

/* ---- the whole ------------------------------------------------------------------ */

static bool
minds_not(struct rewrite *r, uint32_t *in)
{
    enum op_class class = op_row(r->at.op)->class;

    if (class == NONLIN || class == ELTWISE || r->at.op == OP_neg)
        return elements(r, in);
    switch (r->at.op) {
    case OP_reducemean:
        return mean(r, in);
    case OP_expand:
        return expand(r, in);
    case OP_matmul:
        return dense(r, in);
    default:
        return false;
    }
}

/* A Transpose that undoes the turn. */
static bool
undone(struct graph *g, const struct node *n)
{
    uint32_t x = before_turn(g, n->in.at[0]);
    const struct attr *perm = graph_find_attr(n, "perm");
    int rank = graph_value(g, n->out.at[0])->shape.rank;

    if (n->op != OP_transpose || x == NONE || !perm)
        return false;
    for (int k = 0; k < rank; k++)
        if (perm->ints[axis_before(k, rank)] != k)
            return false;
    for (uint32_t k = 0; k < g->outputs.len; k++)
        if (g->outputs.at[k] == n->out.at[0])
            return false;
    graph_replace(g, n->out.at[0], x);
    return true;
}

static void
turn_node(struct graph *g, uint32_t node)
{
    struct rewrite r = {.g = g, .at = g->nodes.at[node]};
    uint32_t in[4], out = r.at.out.at[0], turned = 0;

    for (uint32_t k = 0; k < r.at.in.len && k < 4; k++) {
        in[k] = r.at.in.at[k];
        turned += before_turn(g, in[k]) != NONE;
    }
    if (!turned || r.at.in.len > 4 || !dtype_is_float(graph_value(g, out)->dtype) ||
        undone(g, &r.at) || !minds_not(&r, in))
        return;
    struct node *n = &g->nodes.at[node];
    for (uint32_t k = 0; k < n->in.len; k++)
        n->in.at[k] = in[k];
    if (n->op == OP_matmul)
        n->op = OP_conv;
    struct shape after = graph_value(g, out)->shape;
    graph_value(g, out)->shape = shape_before(&after);
    uint32_t uses = g->nodes.len, made = turn(&r, out, &after, false);
    graph_replace(g, out, made);
    g->nodes.at[uses].in.at[0] = out;
}

void
turn_channels(struct graph *g)
{
    uint32_t n = g->nodes.len;

    for (uint32_t k = 0; k < n; k++)
        turn_node(g, k);
}
