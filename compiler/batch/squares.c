/* squares.c - polynomials of degree 2 as squares.
 *
 * a x^2 + b x + c = a (x + s)^2 + c - a s^2, s = b / 2a: the shift is a bias of the map before, the
 * factor and the constant go into the maps behind. What is left between two maps is a square, which
 * costs one product and no constants. Where rows of the map before are powers of two but for a
 * factor of their own (ranges of channels differ), that factor moves behind the square too. */
#include "batch/internal.h"

#include <math.h>

/* Beyond this shift the square is much larger than the polynomial, and bits would be lost. */
#define MOST_SHIFT 4.0

struct rewriting {
    struct arena *a;
    struct tp *t;
};

/* The node's readers are all maps, and it is no output. */
static bool
read_by_maps(const struct tp *t, uint32_t node)
{
    uint32_t readers = 0;
    for (uint32_t n = 0; n < t->nodes.len; n++)
        for (uint32_t k = 0; k < t->nodes.at[n].args.len; k++)
            if (t->nodes.at[n].args.at[k].value == node) {
                if (t->nodes.at[n].kind != TP_LINEAR)
                    return false;
                readers++;
            }
    return readers && readers == t->nodes.at[node].uses;
}

/* Element i's row of a polynomial. */
static uint32_t
row_of(const struct tp_node *n, uint32_t i)
{
    int axis;
    uint32_t channels = graph_channels(&n->shape, &axis), inner = 1;
    for (int k = axis + 1; k < n->shape.rank; k++)
        inner *= (uint32_t)n->shape.dim[k];
    return n->poly->rows == 1 ? 0 : i / inner % channels;
}

static bool
can_be_square(const struct rewriting *w, uint32_t node)
{
    const struct tp_node *n = &w->t->nodes.at[node];
    const struct tp_node *x = n->args.len ? &w->t->nodes.at[n->args.at[0].value] : NULL;
    if (n->kind != TP_POLY || n->poly->degree != 2 || x->kind != TP_LINEAR || x->uses != 1 ||
        !read_by_maps(w->t, node))
        return false;
    for (uint32_t r = 0; r < n->poly->rows; r++) {
        const double *c = &n->poly->coef[3 * r];
        if (!(fabs(c[1] / (4 * c[2])) <= MOST_SHIFT))
            return false;
    }
    return true;
}

static struct matrix *
copy_matrix(struct arena *a, const struct matrix *m)
{
    struct matrix *c = ARENA_NEW(a, struct matrix);
    uint32_t n = m->start[m->rows];
    *c = *m;
    c->val = ARENA_ARRAY(a, float, n + 1);
    memcpy(c->val, m->val, n * sizeof *c->val);
    return c;
}

/* The readers' columns times factor; their bias grows by what constant makes. */
static void
push_behind(struct rewriting *w, uint32_t node, const double *factor, const double *constant)
{
    for (uint32_t n = node + 1; n < w->t->nodes.len; n++) {
        struct tp_node *to = &w->t->nodes.at[n];
        for (uint32_t k = 0; k < to->args.len; k++) {
            if (to->args.at[k].value != node)
                continue;
            struct matrix *m = copy_matrix(w->a, to->args.at[k].m);
            double *bias = ARENA_ARRAY(w->a, double, to->n);
            if (to->bias)
                memcpy(bias, to->bias, to->n * sizeof *bias);
            matrix_apply(m, constant, bias);
            for (uint32_t i = 0; i < m->start[m->rows]; i++)
                m->val[i] = (float)((double)m->val[i] * factor[m->col[i]]);
            to->bias = bias;
            to->args.at[k].m = m;
        }
    }
}

static void
shift_before(struct rewriting *w, struct tp_node *x, const double *shift)
{
    double *bias = ARENA_ARRAY(w->a, double, x->n);
    for (uint32_t i = 0; i < x->n; i++)
        bias[i] = (x->bias ? x->bias[i] : 0) + shift[i];
    x->bias = bias;
}

static void
make_square(struct rewriting *w, uint32_t node)
{
    struct tp_node *n = &w->t->nodes.at[node];
    uint32_t from = n->args.at[0].value;
    double *shift = ARENA_ARRAY(w->a, double, n->n), *factor = ARENA_ARRAY(w->a, double, n->n);
    double *constant = ARENA_ARRAY(w->a, double, n->n), most = 0;

    for (uint32_t i = 0; i < n->n; i++) { /* c0 + c1 x + c2 (2 x^2 - 1) */
        const double *c = &n->poly->coef[3 * row_of(n, i)];
        factor[i] = 2 * c[2];
        shift[i] = c[1] / (4 * c[2]);
        constant[i] = c[0] - c[2] - factor[i] * shift[i] * shift[i];
        most = fmax(most, fabs(shift[i]));
    }
    shift_before(w, &w->t->nodes.at[from], shift);
    push_behind(w, node, factor, constant);
    n->kind = TP_MUL;
    n->poly = NULL;
    vec_push(w->a, &n->args, (struct tp_arg){from, NULL});
    w->t->nodes.at[from].bound = 1 + most;
    w->t->nodes.at[from].uses = 2;
}

/* ---- factors of rows ------------------------------------------------------------------------- */

/* The mantissa in [1, 2) that all weights of row r share; 0: they do not; -1: no weights. */
static double
mantissa_of(const struct tp_node *n, uint32_t r)
{
    double first = 0;
    for (uint32_t k = 0; k < n->args.len; k++) {
        const struct matrix *m = n->args.at[k].m;
        for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++) {
            int exponent;
            double x = fabs((double)m->val[i]);
            if (first > 0 && !batch_power(x, first, &exponent))
                return 0;
            first = first > 0 ? first : x;
        }
    }
    return first > 0 ? 2 * frexp(first, &(int){0}) : -1;
}

/* Whether node is the square of a map that nothing else reads, and read by maps. */
static bool
is_lone_square(const struct tp *t, uint32_t node)
{
    const struct tp_node *n = &t->nodes.at[node];
    if (n->kind != TP_MUL || n->args.at[0].value != n->args.at[1].value)
        return false;
    const struct tp_node *x = &t->nodes.at[n->args.at[0].value];
    return x->kind == TP_LINEAR && x->uses == 2 && read_by_maps(t, node);
}

static void
scale_rows(struct rewriting *w, struct tp_node *x, const double *by)
{
    double *bias = ARENA_ARRAY(w->a, double, x->n);
    for (uint32_t i = 0; x->bias && i < x->n; i++)
        bias[i] = x->bias[i] * by[i];
    x->bias = x->bias ? bias : NULL;
    for (uint32_t k = 0; k < x->args.len; k++) {
        struct matrix *m = copy_matrix(w->a, x->args.at[k].m);
        for (uint32_t r = 0; r < m->rows; r++)
            for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++)
                m->val[i] = (float)((double)m->val[i] * by[r]);
        x->args.at[k].m = m;
    }
}

/* Row factors of a map whose rows are powers of two but for them go behind the square. */
static void
move_mantissas(struct rewriting *w, uint32_t node)
{
    const struct tp_node *n = &w->t->nodes.at[node];
    uint32_t from = n->args.at[0].value;
    struct tp_node *x = &w->t->nodes.at[from];
    double *by = ARENA_ARRAY(w->a, double, n->n), *behind = ARENA_ARRAY(w->a, double, n->n);
    double *nothing = ARENA_ARRAY(w->a, double, n->n), common = 0;
    bool differ = false;
    int exponent;

    for (uint32_t r = 0; r < n->n; r++) {
        double own = mantissa_of(x, r);
        if (own == 0)
            return;
        common = common > 0 ? common : own;
        differ |= own > 0 && !batch_power(own, common, &exponent);
        by[r] = own > 0 ? 1 / own : 1;
        behind[r] = 1 / (by[r] * by[r]);
    }
    if (!differ)
        return;
    scale_rows(w, x, by);
    push_behind(w, node, behind, nothing);
}

struct tp *
batch_squares(struct arena *a, const struct tp *t)
{
    struct rewriting w = {a, tp_copy(a, t)};
    tp_count_uses(w.t);
    for (uint32_t n = 0; n < w.t->nodes.len; n++) {
        const struct tp_node *node = &w.t->nodes.at[n];
        if (node->kind == TP_POLY)
            w.t->nodes.at[node->args.at[0].value].bound = 1;
        if (can_be_square(&w, n))
            make_square(&w, n);
    }
    for (uint32_t n = 0; n < w.t->nodes.len; n++)
        if (is_lone_square(w.t, n))
            move_mantissas(&w, n);
    return w.t;
}
