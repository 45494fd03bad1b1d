/* split.c - operators written in others that are nearer to the four primitives, exactly: Max and
 * Min with a number are Relu or Clip; a PRelu whose slope differs within a channel is slope x + (1
 * - slope) max(x, 0). */
#include "simplify/rules.h"

/* True when all elements of a constant are one number. */
static bool
uniform(const struct graph *g, uint32_t value, float *number)
{
    const struct value *v = graph_value(g, value);

    if (v->kind != VALUE_CONST || !v->data.f || shape_size(&v->shape) < 1)
        return false;
    *number = v->data.f[0];
    for (int64_t k = 1; k < shape_size(&v->shape); k++)
        if (v->data.f[k] != *number)
            return false;
    return true;
}

/* Limits are inputs of Clip since opset 11, attributes before. */
static void
become_clip(struct graph *g, uint32_t node, uint32_t x, float number, bool from_below)
{
    struct node *n = &g->nodes.at[node];
    const char *attr = from_below ? "min" : "max";

    if (from_below && number == 0) {
        rule_become(g, n, OP_relu, &x, 1);
        return;
    }
    if (g->opset < 11) {
        float *f = ARENA_NEW(g->arena, float);
        *f = number;
        rule_become(g, n, OP_clip, &x, 1);
        graph_attr(g, node,
                   (struct attr){.name = attr, .kind = ATTR_FLOAT, .count = 1, .floats = f});
        return;
    }
    struct tensor t = tensor_new(g->arena, graph_value(g, x)->dtype, shape_of(0, NULL));
    t.f[0] = number;
    uint32_t limit = rule_const(g, NONE, t);
    uint32_t in[3] = {x, from_below ? limit : NONE, limit};
    rule_become(g, n, OP_clip, in, from_below ? 2 : 3);
}

uint32_t
rule_limits(struct graph *g)
{
    uint32_t changes = 0;

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        float number;
        if ((n->op != OP_max && n->op != OP_min) || n->in.len != 2)
            continue;
        for (uint32_t i = 0; i < 2; i++) {
            uint32_t x = n->in.at[i], c = n->in.at[1 - i];
            if (!op_encrypted(g, x) || !uniform(g, c, &number) ||
                !shape_equal(&graph_value(g, x)->shape, &graph_value(g, n->out.at[0])->shape))
                continue;
            become_clip(g, k, x, number, n->op == OP_max);
            changes++;
            break;
        }
    }
    return changes;
}

/* One number a channel, or one for all: then element c of the slope belongs to channel c. */
static bool
per_channel(const struct graph *g, const struct node *n)
{
    const struct value *x = graph_value(g, n->in.at[0]), *s = graph_value(g, n->in.at[1]);
    int64_t stride[MAX_RANK];
    int axis;

    if (s->kind != VALUE_CONST)
        return false;
    if (shape_size(&s->shape) == 1)
        return true;
    graph_channels(&x->shape, &axis);
    shape_strides(&s->shape, &x->shape, stride);
    for (int d = 0; d < x->shape.rank; d++)
        if (d != axis && stride[d] != 0)
            return false;
    return true;
}

/* An element-by-element node of two values, of shape and type of `like`. */
static uint32_t
binary(struct graph *g, const struct node *at, enum op_id op, uint32_t a, uint32_t b, uint32_t like)
{
    uint32_t in[2] = {a, b};
    struct place place = at->place;
    uint32_t made = graph_node(g, at->name, op, in, 2, NULL, 1, place);
    uint32_t out = g->nodes.at[made].out.at[0];

    graph_value(g, out)->dtype = graph_value(g, like)->dtype;
    graph_value(g, out)->shape = graph_value(g, like)->shape;
    return out;
}

uint32_t
rule_prelu(struct graph *g)
{
    uint32_t changes = 0, len = g->nodes.len;

    for (uint32_t k = 0; k < len; k++) {
        struct node n = g->nodes.at[k];
        if (n.op != OP_prelu || !dtype_is_float(graph_value(g, n.in.at[0])->dtype) ||
            per_channel(g, &n))
            continue;
        uint32_t x = n.in.at[0], slope = n.in.at[1];
        struct tensor one = tensor_new(g->arena, DT_F32, shape_of(0, NULL));
        one.f[0] = 1;
        uint32_t relu = graph_node(g, n.name, OP_relu, &x, 1, NULL, 1, n.place);
        g->nodes.at[relu].pins = n.pins;
        uint32_t kept = g->nodes.at[relu].out.at[0];
        graph_value(g, kept)->dtype = graph_value(g, x)->dtype;
        graph_value(g, kept)->shape = graph_value(g, x)->shape;
        uint32_t rest = binary(g, &n, OP_sub, rule_const(g, NONE, one), slope, slope);
        uint32_t sum[2] = {binary(g, &n, OP_mul, x, slope, x),
                           binary(g, &n, OP_mul, kept, rest, x)};
        rule_become(g, &g->nodes.at[k], OP_add, sum, 2);
        changes++;
    }
    return changes;
}
