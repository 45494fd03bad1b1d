/* spelling.c - activations that exporters write as several nodes are one node again.
 *
 * Each form is a product of x with a function of x. A product is read as a number times a list of
 * factors, through Mul, Div by a number and Pow, in any order and grouping, as long as nothing else
 * reads what is in between; so every usual order of 0.5 x (1 + erf(x / sqrt 2)) is the same to the
 * rules. Numbers must agree to 1e-6, so that nothing becomes what it is not. */
#include "simplify/rules.h"

#include <math.h>

#define FACTORS 8
#define STEPS   32

struct product {
    double number;
    uint32_t n, steps;            /* steps: products seen through, at most STEPS */
    uint32_t factor[FACTORS + 1]; /* values; a form has at most FACTORS of them */
};

/* number + scale * value */
struct sum {
    double number, scale;
    uint32_t value;
};

static bool
near(double a, double b)
{
    return fabs(a - b) <= 1e-6 * fabs(b);
}

bool
rule_number(const struct graph *g, uint32_t value, double *number)
{
    const struct value *v = value == NONE ? NULL : graph_value(g, value);

    if (!v || v->kind != VALUE_CONST || !v->data.f || shape_size(&v->shape) < 1)
        return false;
    for (int64_t k = 1; k < shape_size(&v->shape); k++)
        if (v->data.f[k] != v->data.f[0])
            return false;
    *number = (double)v->data.f[0];
    return true;
}

/* The producer of a value that is read once (or that is the root), if it is of this op. */
static const struct node *
made_by(const struct graph *g, uint32_t value, enum op_id op, bool root)
{
    const struct node *n = graph_producer(g, value);

    return n && n->op == op && (root || graph_uses(g, value) == 1) ? n : NULL;
}

static void
add_factor(struct product *p, uint32_t value)
{
    if (p->n <= FACTORS)
        p->factor[p->n++] = value;
}

static void
read_factors(const struct graph *g, uint32_t value, bool root, struct product *p)
{
    const struct node *n;
    double c;

    if (p->n > FACTORS)
        return;
    if (rule_number(g, value, &c)) {
        p->number *= c;
    } else if (++p->steps > STEPS) {
        add_factor(p, value);
    } else if ((n = made_by(g, value, OP_mul, root))) {
        read_factors(g, n->in.at[0], false, p);
        read_factors(g, n->in.at[1], false, p);
    } else if ((n = made_by(g, value, OP_div, root)) && rule_number(g, n->in.at[1], &c) && c != 0) {
        p->number /= c;
        read_factors(g, n->in.at[0], false, p);
    } else if ((n = made_by(g, value, OP_pow, root)) && rule_number(g, n->in.at[1], &c) &&
               (c == 2 || c == 3)) {
        for (int k = 0; k < (int)c; k++)
            add_factor(p, n->in.at[0]);
    } else {
        add_factor(p, value);
    }
}

static struct product
product_of(const struct graph *g, uint32_t value)
{
    struct product p = {.number = 1};

    read_factors(g, value, true, &p);
    return p;
}

/* value = number + scale * one factor */
static bool
sum_of(const struct graph *g, uint32_t value, struct sum *s)
{
    const struct node *n = made_by(g, value, OP_add, true);

    for (uint32_t k = 0; n && k < 2; k++) {
        if (!rule_number(g, n->in.at[k], &s->number))
            continue;
        struct product p = product_of(g, n->in.at[1 - k]);
        if (p.n != 1)
            return false;
        s->scale = p.number;
        s->value = p.factor[0];
        return true;
    }
    return false;
}

/* value = number * x */
static bool
is_multiple(const struct graph *g, uint32_t value, double number, uint32_t x)
{
    struct product p = product_of(g, value);

    return p.n == 1 && p.factor[0] == x && near(p.number, number);
}

/* The input of the node of this op that makes `value`, NONE when another does. */
static uint32_t
argument(const struct graph *g, uint32_t value, enum op_id op)
{
    const struct node *n = made_by(g, value, op, true);

    return n ? n->in.at[0] : NONE;
}

/* u = sqrt(2 / pi) (x + 0.044715 x^3), or with x taken out of the bracket. */
static bool
is_cubic(const struct graph *g, uint32_t u, uint32_t x)
{
    static const double root_2_over_pi = 0.79788456080286535588, cubic = 0.044715;
    struct product p = product_of(g, u), q;
    struct sum s;

    if (!near(p.number, root_2_over_pi))
        return false;
    if (p.n == 1) {
        const struct node *n = made_by(g, p.factor[0], OP_add, true);
        if (!n || (n->in.at[0] != x && n->in.at[1] != x))
            return false;
        q = product_of(g, n->in.at[0] == x ? n->in.at[1] : n->in.at[0]);
        return near(q.number, cubic) && q.n == 3 && q.factor[0] == x && q.factor[1] == x &&
               q.factor[2] == x;
    }
    if (p.n != 2 || (p.factor[0] != x && p.factor[1] != x))
        return false;
    const struct node *n = made_by(g, p.factor[p.factor[0] == x], OP_add, true);
    if (!n || (!rule_number(g, n->in.at[0], &s.number) && !rule_number(g, n->in.at[1], &s.number)))
        return false;
    q = product_of(g, op_encrypted(g, n->in.at[0]) ? n->in.at[0] : n->in.at[1]);
    return near(s.number, 1) && near(q.number, cubic) && q.n == 2 && q.factor[0] == x &&
           q.factor[1] == x;
}

/* number * x * y is 0.5 x (1 + erf(x / sqrt 2)) or its tanh form; *by_tanh, *inner say which. */
static bool
is_gelu(const struct graph *g, double number, uint32_t x, uint32_t y, bool *by_tanh,
        uint32_t *inner)
{
    static const double root_half = 0.70710678118654752440;
    struct sum s;

    if (!sum_of(g, y, &s) || !near(number * s.number, 0.5) || !near(number * s.scale, 0.5))
        return false;
    *inner = s.value;
    uint32_t u = argument(g, s.value, OP_erf);
    *by_tanh = u == NONE;
    if (u != NONE)
        return is_multiple(g, u, root_half, x);
    u = argument(g, s.value, OP_tanh);
    return u != NONE && is_cubic(g, u, x);
}

/* number * y is min(max(x + 3, 0), 6) / 6. */
static bool
is_hard_gate(struct graph *g, double number, uint32_t x, uint32_t y)
{
    struct node *n = graph_producer(g, y);
    struct op_ctx c = {g, n, NULL, g->arena};
    struct sum s;

    if (n && n->op == OP_hardsigmoid)
        return n->in.at[0] == x && near(number, 1) && near(op_float(&c, "alpha", 0.2), 1.0 / 6) &&
               near(op_float(&c, "beta", 0.5), 0.5);
    if (!n || n->op != OP_clip || !near(number, 1.0 / 6) || !sum_of(g, n->in.at[0], &s) ||
        s.value != x || !near(s.scale, 1) || !near(s.number, 3))
        return false;
    for (uint32_t k = 1; k < n->in.len; k++)
        if (n->in.at[k] != NONE && op_encrypted(g, n->in.at[k]))
            return false;
    double (*clip)(const struct op_ctx *, uint32_t, double) = op_row(n->op)->op->fn;
    return clip(&c, 0, -1e30) == 0 && clip(&c, 0, 1e30) == 6;
}

/* The node becomes one of op(x); a pin on the inner activation goes along. */
static void
become(struct graph *g, struct node *n, enum op_id op, uint32_t x, uint32_t inner)
{
    const struct node *from = inner == NONE ? NULL : graph_producer(g, inner);

    rule_become(g, n, op, &x, 1);
    if (from && !n->pins.degree_min && !n->pins.degree_max)
        n->pins = from->pins;
}

static void
mark_tanh(struct graph *g, uint32_t node)
{
    const char **s = ARENA_NEW(g->arena, const char *);

    *s = "tanh";
    graph_attr(g, node, (struct attr){"approximate", ATTR_STRING, 1, .strings = s});
}

/* The node makes number * x * y: is it an activation of x? */
static bool
match(struct graph *g, uint32_t node, double number, uint32_t x, uint32_t y)
{
    struct node *n = &g->nodes.at[node];
    bool by_tanh;
    uint32_t inner;

    if (!shape_equal(&graph_value(g, x)->shape, &graph_value(g, n->out.at[0])->shape) ||
        graph_value(g, x)->dtype != graph_value(g, n->out.at[0])->dtype)
        return false;
    if (is_gelu(g, number, x, y, &by_tanh, &inner)) {
        become(g, n, OP_gelu, x, inner);
        if (by_tanh)
            mark_tanh(g, node);
    } else if (near(number, 1) && argument(g, y, OP_sigmoid) == x) {
        become(g, n, OP_silu, x, y);
    } else if (is_hard_gate(g, number, x, y)) {
        become(g, n, OP_hardswish, x, y);
    } else if (near(number, 1) && argument(g, y, OP_tanh) != NONE &&
               argument(g, argument(g, y, OP_tanh), OP_softplus) == x) {
        become(g, n, OP_mish, x, y);
    } else {
        return false;
    }
    return true;
}

/* log(1 + exp(x)) */
static bool
match_softplus(struct graph *g, struct node *n)
{
    struct sum s;

    if (n->op != OP_log || !sum_of(g, n->in.at[0], &s) || !near(s.number, 1) || !near(s.scale, 1))
        return false;
    uint32_t x = argument(g, s.value, OP_exp);
    if (x == NONE || !shape_equal(&graph_value(g, x)->shape, &graph_value(g, n->out.at[0])->shape))
        return false;
    become(g, n, OP_softplus, x, s.value);
    return true;
}

uint32_t
rule_spelling(struct graph *g)
{
    uint32_t changes = 0;

    for (uint32_t k = 0; k < g->nodes.len; k++) {
        struct node *n = &g->nodes.at[k];
        if (match_softplus(g, n)) {
            changes++;
            continue;
        }
        if (n->op != OP_mul && n->op != OP_div)
            continue;
        struct product p = product_of(g, n->out.at[0]);
        if (p.n != 2)
            continue;
        if (match(g, k, p.number, p.factor[0], p.factor[1]) ||
            match(g, k, p.number, p.factor[1], p.factor[0]))
            changes++;
    }
    return changes;
}
