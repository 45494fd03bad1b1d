/* cubics.c - polynomials of degree 3 with two products, of which only the first is brought back to
 * two components by itself.
 *
 * c3 x^3 + c2 x^2 + c1 x + c0 = c3 (y - s) (y^2 + e) + c0, with s = c2 / 2 c3, y = x + s, e = c1 /
 * c3 - s^2: the shift is a bias of the map before, s and e are added to ciphertexts, and c3 and c0
 * go into the maps behind, which sum products of three components; no number is multiplied by. A
 * polynomial is found however it was written: as a node, or as sums and products of one tensor and
 * its powers, element by element. */
#include "batch/internal.h"

#include <math.h>

#define TERMS 4
/* c3 s^2, which the two summands of y^2 + e have more than their sum, over |c1|: three bits are
 * lost at most. */
#define MOST_LOST 8.0

struct terms {
    double c[TERMS];
};

/* What a node is of another, `base`: of each element the coefficients of 1, x, x^2, x^3. degree 0:
 * nothing but itself. */
struct written {
    uint32_t base, degree;
    struct terms *at;
};

struct finding {
    struct arena *a;
    const struct tp *t;
    struct written *of;
};

static uint32_t
base_of(const struct finding *f, uint32_t node)
{
    return f->of[node].degree ? f->of[node].base : node;
}

static uint32_t
degree_of(const struct finding *f, uint32_t node)
{
    return f->of[node].degree ? f->of[node].degree : 1;
}

static const double *
terms_of(const struct finding *f, uint32_t node, uint32_t e)
{
    static const double itself[TERMS] = {0, 1, 0, 0};
    return f->of[node].degree ? f->of[node].at[e].c : itself;
}

/* Element e is a multiple of element e. */
static bool
is_diagonal(const struct matrix *m)
{
    for (uint32_t r = 0; r < m->rows; r++)
        if (m->start[r + 1] - m->start[r] > 1 ||
            (m->start[r + 1] > m->start[r] && m->col[m->start[r]] != r))
            return false;
    return m->rows == m->cols;
}

/* All arguments are polynomials of one tensor of its own size: that tensor, else NONE. */
static uint32_t
common_base(const struct finding *f, const struct tp_node *n)
{
    uint32_t base = n->args.len ? base_of(f, n->args.at[0].value) : NONE;
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct tp_arg *arg = &n->args.at[k];
        if (base_of(f, arg->value) != base || (arg->m && !is_diagonal(arg->m)))
            return NONE;
    }
    return base != NONE && f->t->nodes.at[base].n == n->n ? base : NONE;
}

static void
find_sum(struct finding *f, uint32_t node, struct written *w)
{
    const struct tp_node *n = &f->t->nodes.at[node];
    w->degree = 1;
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct tp_arg *arg = &n->args.at[k];
        w->degree = degree_of(f, arg->value) > w->degree ? degree_of(f, arg->value) : w->degree;
        for (uint32_t e = 0; e < n->n; e++)
            for (int i = 0; i < TERMS && arg->m->start[e + 1] > arg->m->start[e]; i++)
                w->at[e].c[i] +=
                    (double)arg->m->val[arg->m->start[e]] * terms_of(f, arg->value, e)[i];
    }
    for (uint32_t e = 0; n->bias && e < n->n; e++)
        w->at[e].c[0] += n->bias[e];
}

static void
find_product(struct finding *f, uint32_t node, struct written *w)
{
    const struct tp_node *n = &f->t->nodes.at[node];
    uint32_t x = n->args.at[0].value, y = n->args.at[1].value;
    uint32_t degree = degree_of(f, x) + degree_of(f, y);
    if (degree >= TERMS)
        return;
    w->degree = degree;
    for (uint32_t e = 0; e < n->n; e++)
        for (uint32_t i = 0; i < TERMS; i++)
            for (uint32_t j = 0; i + j < TERMS; j++)
                w->at[e].c[i + j] += terms_of(f, x, e)[i] * terms_of(f, y, e)[j];
}

/* From Chebyshev polynomials to powers. */
static void
find_poly(struct finding *f, uint32_t node, struct written *w)
{
    const struct tp_node *n = &f->t->nodes.at[node];
    int axis;
    uint32_t channels = graph_channels(&n->shape, &axis), inner = 1;
    for (int k = axis + 1; k < n->shape.rank; k++)
        inner *= (uint32_t)n->shape.dim[k];
    if (n->poly->degree != 3)
        return;
    w->base = n->args.at[0].value;
    w->degree = 3;
    for (uint32_t e = 0; e < n->n; e++) {
        const double *c = n->poly->coef + TERMS * (n->poly->rows == 1 ? 0 : e / inner % channels);
        w->at[e].c[0] = c[0] - c[2];
        w->at[e].c[1] = c[1] - 3 * c[3];
        w->at[e].c[2] = 2 * c[2];
        w->at[e].c[3] = 4 * c[3];
    }
}

static void
find(struct finding *f, uint32_t node)
{
    const struct tp_node *n = &f->t->nodes.at[node];
    struct written w = {.base = NONE};
    if (n->kind == TP_INPUT)
        return;
    w.base = n->kind == TP_POLY ? n->args.at[0].value : common_base(f, n);
    if (w.base == NONE)
        return;
    w.at = ARENA_ARRAY(f->a, struct terms, (size_t)n->n + 1);
    if (n->kind == TP_LINEAR)
        find_sum(f, node, &w);
    else if (n->kind == TP_MUL)
        find_product(f, node, &w);
    else
        find_poly(f, node, &w);
    f->of[node] = w;
}

/* Of degree 3 in every element, not lost in its own summands, and not part of a larger one. */
static bool
is_cubic(const struct finding *f, uint32_t node)
{
    const struct written *w = &f->of[node];
    if (w->degree != 3)
        return false;
    for (uint32_t e = 0; e < f->t->nodes.at[node].n; e++) {
        const double *c = w->at[e].c;
        if (!(c[2] * c[2] <= 4 * MOST_LOST * fabs(c[3] * c[1])) || !(fabs(c[3]) > 0))
            return false;
    }
    for (uint32_t n = node + 1; n < f->t->nodes.len; n++)
        for (uint32_t k = 0; k < f->t->nodes.at[n].args.len; k++)
            if (f->t->nodes.at[n].args.at[k].value == node && f->of[n].degree &&
                f->of[n].base == w->base)
                return false;
    return true;
}

/* ---- the other form -------------------------------------------------------------------------- */

/* A node that is to be part of the maps before or behind it. */
enum part { ITSELF, SHIFT, FACTOR };

struct writing {
    struct arena *a;
    struct tp *t;
    VEC(enum part) part; /* of each node of t */
};

static uint32_t
add_node(struct writing *w, struct tp_node n, enum part part)
{
    vec_push(w->a, &w->t->nodes, n);
    vec_push(w->a, &w->part, part);
    return w->t->nodes.len - 1;
}

/* by * x + bias. */
static uint32_t
add_map(struct writing *w, const struct tp_node *like, uint32_t x, const double *by, double *bias,
        enum part part)
{
    struct tp_node n = {.kind = TP_LINEAR, .name = like->name, .shape = like->shape, .n = like->n};
    n.bias = bias;
    vec_push(w->a, &n.args, (struct tp_arg){x, matrix_diagonal(w->a, n.n, by)});
    return add_node(w, n, part);
}

static uint32_t
add_product(struct writing *w, const struct tp_node *like, uint32_t x, uint32_t y)
{
    struct tp_node n = {.kind = TP_MUL, .name = like->name, .shape = like->shape, .n = like->n};
    vec_push(w->a, &n.args, (struct tp_arg){x, NULL});
    vec_push(w->a, &n.args, (struct tp_arg){y, NULL});
    return add_node(w, n, ITSELF);
}

/* What is node `like`: polynomials of x; in_range: |x| <= 1. */
static uint32_t
add_cubic(struct writing *w, const struct tp_node *like, const struct terms *of, uint32_t x,
          bool in_range)
{
    double *row[5], most = 0; /* s, -s, e, c3, c0 */
    double *one = ARENA_ARRAY(w->a, double, like->n);
    for (int k = 0; k < 5; k++)
        row[k] = ARENA_ARRAY(w->a, double, like->n);
    for (uint32_t e = 0; e < like->n; e++) {
        const double *c = of[e].c;
        double s = c[2] / (2 * c[3]);
        one[e] = 1;
        row[0][e] = s;
        row[1][e] = -s;
        row[2][e] = c[1] / c[3] - s * s;
        row[3][e] = c[3];
        row[4][e] = c[0];
        most = fmax(most, fabs(s));
    }
    uint32_t y = add_map(w, like, x, one, row[0], SHIFT);
    uint32_t first = add_map(w, like, y, one, row[1], ITSELF);
    uint32_t second = add_map(w, like, add_product(w, like, y, y), one, row[2], ITSELF);
    if (in_range) {
        w->t->nodes.at[y].bound = 1 + most;
        w->t->nodes.at[first].bound = 1;
    }
    return add_map(w, like, add_product(w, like, first, second), row[3], row[4], FACTOR);
}

/* An argument of map n that the two become one for, else NONE. */
static uint32_t
to_merge(const struct writing *w, uint32_t n)
{
    const struct tp_node *node = &w->t->nodes.at[n];
    for (uint32_t k = 0; node->kind == TP_LINEAR && k < node->args.len; k++) {
        uint32_t from = node->args.at[k].value;
        const struct tp_node *x = &w->t->nodes.at[from];
        if (w->part.at[from] == FACTOR ||
            (w->part.at[n] == SHIFT && x->kind == TP_LINEAR && x->uses == 1))
            return k;
    }
    return NONE;
}

static void
merge(struct writing *w)
{
    bool fits = true;
    tp_count_uses(w->t);
    for (uint32_t n = 0; n < w->t->nodes.len; n++)
        for (uint32_t k; fits && (k = to_merge(w, n)) != NONE;) {
            struct tp_node *node = &w->t->nodes.at[n];
            if (w->part.at[n] == SHIFT) { /* merged once; it is the map before with another bias */
                w->part.at[n] = ITSELF;
                node->name = w->t->nodes.at[node->args.at[k].value].name;
            }
            fits = tp_fuse(w->t, n, k);
        }
}

/* Nodes that outputs hang on when a cubic hangs on its base alone. */
static bool *
live_nodes(const struct finding *f, const bool *cubic)
{
    bool *live = ARENA_ARRAY(f->a, bool, f->t->nodes.len + 1);
    for (uint32_t k = 0; k < f->t->outputs.len; k++)
        live[f->t->outputs.at[k]] = true;
    for (uint32_t n = f->t->nodes.len; n-- > 0;) {
        const struct tp_node *node = &f->t->nodes.at[n];
        live[n] |= node->kind == TP_INPUT;
        if (live[n] && cubic[n])
            live[f->of[n].base] = true;
        for (uint32_t k = 0; live[n] && !cubic[n] && k < node->args.len; k++)
            live[node->args.at[k].value] = true;
    }
    return live;
}

struct tp *
batch_cubics(struct arena *a, const struct tp *t)
{
    struct finding f = {a, t, ARENA_ARRAY(a, struct written, t->nodes.len + 1)};
    struct tp *old = tp_copy(a, t);
    struct writing w = {.a = a, .t = ARENA_NEW(a, struct tp)};
    uint32_t *place = ARENA_ARRAY(a, uint32_t, t->nodes.len + 1);
    bool *cubic = ARENA_ARRAY(a, bool, t->nodes.len + 1);

    for (uint32_t n = 0; n < t->nodes.len; n++)
        find(&f, n);
    for (uint32_t n = 0; n < t->nodes.len; n++)
        cubic[n] = is_cubic(&f, n);
    const bool *live = live_nodes(&f, cubic);
    *w.t = (struct tp){.arena = a, .graph = t->graph};
    for (uint32_t n = 0; n < t->nodes.len; n++) {
        struct tp_node node = old->nodes.at[n];
        node.bound = 0;
        for (uint32_t k = 0; k < node.args.len; k++)
            node.args.at[k].value = place[node.args.at[k].value];
        if (live[n])
            place[n] = cubic[n] ? add_cubic(&w, &node, f.of[n].at, place[f.of[n].base],
                                            node.kind == TP_POLY)
                                : add_node(&w, node, ITSELF);
    }
    for (uint32_t k = 0; k < t->outputs.len; k++)
        vec_push(a, &w.t->outputs, place[t->outputs.at[k]]);
    merge(&w);
    tp_tidy(w.t);
    return w.t;
}
