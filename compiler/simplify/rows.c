/* rows.c - norms and shares of rows that exporters write as several nodes are one node again:
 * LayerNormalization (PyTorch before opset 17) and Softmax by Exp. What is in between may be read
 * by others too. */
#include "simplify/rules.h"

static const struct node *
made_by(const struct graph *g, uint32_t value, enum op_id op)
{
    const struct node *n = value == NONE ? NULL : graph_producer(g, value);

    return n && n->op == op ? n : NULL;
}

/* The axes of a reduction that keeps them as dimensions of 1, as bits; 0 for another. */
static uint32_t
axes_of(struct graph *g, const struct node *n)
{
    struct op_ctx c = {g, n, NULL, g->arena};
    int rank = graph_value(g, n->in.at[0])->shape.rank;
    const struct attr *attr = graph_find_attr(n, "axes");
    const struct value *in =
        n->in.len > 1 && n->in.at[1] != NONE ? graph_value(g, n->in.at[1]) : NULL;
    const int64_t *list = attr ? attr->ints : in && in->kind == VALUE_CONST ? in->data.i : NULL;
    int64_t count = attr ? attr->count : list ? shape_size(&in->shape) : 0;
    uint32_t bits = 0;

    for (int64_t k = 0; op_int(&c, "keepdims", 1) && k < count; k++)
        bits |= (uint32_t)1 << (list[k] < 0 ? list[k] + rank : list[k]);
    return bits;
}

/* x where a value is x less `mean_or_max` of x over the axes that come out; NONE for another. */
static uint32_t
centred(struct graph *g, uint32_t value, enum op_id less, uint32_t *axes)
{
    const struct node *sub = made_by(g, value, OP_sub);
    const struct node *n = sub ? made_by(g, sub->in.at[1], less) : NULL;

    if (!n || n->in.at[0] != sub->in.at[0])
        return NONE;
    *axes = axes_of(g, n);
    return sub->in.at[0];
}

/* Whether a value is y * y. */
static bool
is_square(const struct graph *g, uint32_t value, uint32_t y)
{
    const struct node *mul = made_by(g, value, OP_mul), *pow = made_by(g, value, OP_pow);
    double e;

    return (mul && mul->in.at[0] == y && mul->in.at[1] == y) ||
           (pow && pow->in.at[0] == y && rule_number(g, pow->in.at[1], &e) && e == 2);
}

/* Node n becomes op(x) along its axes. */
static void
become(struct graph *g, uint32_t node, enum op_id op, const uint32_t *in, uint32_t n_in,
       int64_t axis)
{
    int64_t *at = ARENA_NEW(g->arena, int64_t);

    *at = axis;
    rule_become(g, &g->nodes.at[node], op, in, n_in);
    graph_attr(g, node, (struct attr){"axis", ATTR_INT, 1, .ints = at});
}

/* (x - mean x) / sqrt(mean (x - mean x)^2 + epsilon), over the last dimensions. */
static bool
layernorm(struct graph *g, uint32_t node)
{
    const struct node *n = &g->nodes.at[node], *root = made_by(g, n->in.at[1], OP_sqrt);
    const struct node *add = root ? made_by(g, root->in.at[0], OP_add) : NULL, *mean = NULL;
    uint32_t d = n->in.at[0], axes = 0, x = centred(g, d, OP_reducemean, &axes);
    double epsilon = 0;

    for (uint32_t k = 0; add && k < 2; k++)
        if (rule_number(g, add->in.at[k], &epsilon)) {
            mean = made_by(g, add->in.at[1 - k], OP_reducemean);
            break;
        }
    if (x == NONE || !axes || !mean || axes_of(g, mean) != axes || !is_square(g, mean->in.at[0], d))
        return false;
    struct shape s = graph_value(g, x)->shape, last = {0};
    int axis = __builtin_ctz(axes);
    if (axes != ((uint32_t)1 << s.rank) - ((uint32_t)1 << axis))
        return false;
    for (int k = axis; k < s.rank; k++)
        last.dim[last.rank++] = s.dim[k];
    struct tensor one = tensor_new(g->arena, DT_F32, last);
    for (int64_t k = 0; k < shape_size(&last); k++)
        one.f[k] = 1;
    float *e = ARENA_NEW(g->arena, float);
    *e = (float)epsilon;
    become(g, node, OP_layernorm, (uint32_t[]){x, rule_const(g, NONE, one)}, 2, axis);
    graph_attr(g, node, (struct attr){"epsilon", ATTR_FLOAT, 1, .floats = e});
    return true;
}

/* exp(y) / sum exp(y) along one axis; y = x, or x less its maximum, which changes nothing. */
static bool
softmax(struct graph *g, uint32_t node)
{
    const struct node *n = &g->nodes.at[node], *sum = made_by(g, n->in.at[1], OP_reducesum);
    const struct node *power = made_by(g, n->in.at[0], OP_exp);
    uint32_t axes = sum && sum->in.at[0] == n->in.at[0] ? axes_of(g, sum) : 0, over = 0;

    if (!power || !axes || (axes & (axes - 1)))
        return false;
    uint32_t y = power->in.at[0], x = centred(g, y, OP_reducemax, &over);
    int axis = __builtin_ctz(axes), rank = graph_value(g, y)->shape.rank;
    if (g->opset < 13 && axis != rank - 1)
        return false; /* Softmax took all dimensions from its axis on */
    become(g, node, OP_softmax, x != NONE && over == axes ? &x : &y, 1, axis);
    return true;
}

uint32_t
rule_rows(struct graph *g)
{
    uint32_t changes = 0;

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        if (n->op == OP_div && dtype_is_float(graph_value(g, n->out.at[0])->dtype) &&
            op_encrypted(g, n->in.at[1]))
            changes += layernorm(g, k) || softmax(g, k);
    }
    return changes;
}
