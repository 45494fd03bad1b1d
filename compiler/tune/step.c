/* step.c - see step.h. */
#include "tune/step.h"

#include <math.h>
#include <string.h>

static int64_t
size_of(const struct graph *g, uint32_t value)
{
    return shape_size(&graph_value(g, value)->shape);
}

/* ---- activations
 * ------------------------------------------------------------------------------------ */

/* One row of a polynomial of degree <= 3 about its center, in powers of x. */
static struct cubic
cubic_of(const struct poly *p, uint32_t row)
{
    const double *t = p->coef + (size_t)row * (p->degree + 1);
    double u[4] = {0}, m = p->center[row], r = p->radius[row], c[4];

    for (uint32_t k = 0; k <= p->degree; k++)
        u[k] = t[k];
    /* powers of (x - m) / r, then of x */
    double a[4] = {u[0] - u[2], (u[1] - 3 * u[3]) / r, 2 * u[2] / (r * r), 4 * u[3] / (r * r * r)};
    c[0] = a[0] - m * (a[1] - m * (a[2] - m * a[3]));
    c[1] = a[1] - m * (2 * a[2] - 3 * m * a[3]);
    c[2] = a[2] - 3 * m * a[3];
    c[3] = a[3];
    return (struct cubic){{(float)c[0], (float)c[1], (float)c[2], (float)c[3]}};
}

void
step_activation(struct graph *g, uint32_t node, struct step *s)
{
    const struct node *n = &g->nodes.at[node];

    s->kind = STEP_ACTIVATION;
    s->x[0] = n->in.at[0];
    s->y = n->out.at[0];
    s->n_x = 1;
    if (!n->poly || n->poly->degree > 3)
        return;
    struct cubic *c = ARENA_ARRAY(g->arena, struct cubic, n->poly->rows);
    for (uint32_t r = 0; r < n->poly->rows; r++)
        c[r] = cubic_of(n->poly, r);
    s->cubic = c;
}

/* p(x) and its derivative, by recurrences of the Chebyshev polynomials. */
static double
poly_with_slope(const struct poly *p, uint32_t row, double x, double *slope)
{
    const double *c = p->coef + (size_t)row * (p->degree + 1);
    double u = (x - p->center[row]) / p->radius[row], t[2] = {1, u}, d[2] = {0, 1};
    double sum = c[0] + (p->degree ? c[1] * u : 0), by = p->degree ? c[1] : 0;

    for (uint32_t k = 2; k <= p->degree; k++) {
        double next = 2 * u * t[1] - t[0], next_d = 2 * t[1] + 2 * u * d[1] - d[0];
        t[0] = t[1];
        t[1] = next;
        d[0] = d[1];
        d[1] = next_d;
        sum += c[k] * next;
        by += c[k] * next_d;
    }
    *slope = by / p->radius[row];
    return sum;
}

/* n elements of one channel; dx NULL: forwards to y, else dx += dy * slope. */
static void
activate(const struct op_ctx *ctx, const struct step *s, uint32_t channel, const float *x, float *y,
         const float *dy, float *dx, int64_t n)
{
    const struct poly *p = ctx->node->poly;
    const struct op *op = op_row(ctx->node->op)->op;
    uint32_t row = p && p->rows > 1 ? channel : 0;

    if (s->cubic) {
        const float *c = s->cubic[row].c;
        for (int64_t i = 0; !dx && i < n; i++)
            y[i] = ((c[3] * x[i] + c[2]) * x[i] + c[1]) * x[i] + c[0];
        for (int64_t i = 0; dx && i < n; i++)
            dx[i] += dy[i] * ((3 * c[3] * x[i] + 2 * c[2]) * x[i] + c[1]);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        double slope, v = (double)x[i];
        if (p) {
            double value = poly_with_slope(p, row, v, &slope);
            if (!dx)
                y[i] = (float)value;
        } else if (!dx) {
            y[i] = (float)op->fn(ctx, channel, v);
        } else {
            slope = op->derivative(ctx, channel, v);
        }
        if (dx)
            dx[i] += dy[i] * (float)slope;
    }
}

static void
activation(struct graph *g, const struct step *s, float *const *value, float *const *slope,
           uint32_t images)
{
    const struct op_ctx ctx = {g, &g->nodes.at[s->node], NULL, NULL};
    const struct shape *shape = &graph_value(g, s->y)->shape;
    int64_t inner = 1, size = shape_size(shape);
    int axis;
    uint32_t channels = graph_channels(shape, &axis);

    for (int k = axis + 1; k < shape->rank; k++)
        inner *= shape->dim[k];
    if (s->cubic && ctx.node->poly->rows == 1)
        inner = size;
    for (int64_t at = 0; at < size * images; at += inner)
        activate(&ctx, s, (uint32_t)(at / inner % channels), value[s->x[0]] + at,
                 slope ? NULL : value[s->y] + at, slope ? slope[s->y] + at : NULL,
                 slope ? slope[s->x[0]] + at : NULL, inner);
}

/* ---- two tensors, element by element
 * ---------------------------------------------------------------- */

bool
step_eltwise(const struct graph *g, uint32_t node, struct step *s)
{
    const struct node *n = &g->nodes.at[node];

    if ((n->op != OP_add && n->op != OP_sub && n->op != OP_mul) || !op_encrypted(g, n->in.at[0]) ||
        !op_encrypted(g, n->in.at[1]))
        return false;
    s->kind = n->op == OP_mul ? STEP_PRODUCT : STEP_SUM;
    s->sign = n->op == OP_sub ? -1 : 1;
    s->x[0] = n->in.at[0];
    s->x[1] = n->in.at[1];
    s->y = n->out.at[0];
    s->n_x = 2;
    return true;
}

/* Element of an operand at element e of the result. */
static int64_t
operand_at(const struct shape *out, const int64_t *stride, int64_t e)
{
    int64_t i = 0;

    for (int k = out->rank - 1; k >= 0; k--) {
        i += e % out->dim[k] * stride[k];
        e /= out->dim[k];
    }
    return i;
}

static void
eltwise(const struct graph *g, const struct step *s, float *const *value, float *const *slope,
        uint32_t images)
{
    const struct shape *out = &graph_value(g, s->y)->shape;
    const struct shape *in[2] = {&graph_value(g, s->x[0])->shape, &graph_value(g, s->x[1])->shape};
    int64_t stride[2][MAX_RANK], size = shape_size(out);
    int64_t size_a = shape_size(in[0]), size_b = shape_size(in[1]);
    bool plain = shape_equal(out, in[0]) && shape_equal(out, in[1]);

    shape_strides(in[0], out, stride[0]);
    shape_strides(in[1], out, stride[1]);
    for (uint32_t k = 0; k < images; k++)
        for (int64_t e = 0; e < size; e++) {
            int64_t i = k * size_a + (plain ? e : operand_at(out, stride[0], e));
            int64_t j = k * size_b + (plain ? e : operand_at(out, stride[1], e));
            float a = value[s->x[0]][i], b = value[s->x[1]][j];
            bool sum = s->kind == STEP_SUM;
            if (!slope) {
                value[s->y][k * size + e] = sum ? a + s->sign * b : a * b;
                continue;
            }
            float dy = slope[s->y][k * size + e];
            if (slope[s->x[0]])
                slope[s->x[0]][i] += sum ? dy : dy * b;
            if (slope[s->x[1]])
                slope[s->x[1]][j] += sum ? dy * s->sign : dy * a;
        }
}

/* ---- linear operators
 * ------------------------------------------------------------------------------- */

struct entries {
    const struct node *node;
    struct step *step;
    struct matrix_builder of[STEP_INPUTS];
};

static void
on_entry(void *user, uint32_t in, uint32_t o, uint32_t i, double weight)
{
    struct entries *e = user;

    for (uint32_t k = 0; k < e->step->n_x && weight != 0; k++)
        if (e->step->x[k] == e->node->in.at[in]) {
            matrix_entry(&e->of[k], o, i, weight);
            return;
        }
}

static void
on_bias(void *user, uint32_t o, double value)
{
    struct entries *e = user;

    e->step->add[o] += (float)value;
}

bool
step_linear(struct graph *g, uint32_t node, uint32_t output, struct step *s, struct diag *d)
{
    const struct node *n = &g->nodes.at[node];
    struct entries e = {.node = n, .step = s};
    const struct linear_sink sink = {&e, on_entry, on_bias};
    uint32_t rows = (uint32_t)size_of(g, n->out.at[output]);

    s->kind = STEP_LINEAR;
    s->y = n->out.at[output];
    s->n_x = 0;
    s->add = ARENA_ARRAY(g->arena, float, rows + 1);
    for (uint32_t k = 0; k < n->in.len; k++) {
        bool seen = n->in.at[k] == NONE || !op_encrypted(g, n->in.at[k]);
        for (uint32_t i = 0; i < s->n_x; i++)
            seen = seen || s->x[i] == n->in.at[k];
        if (seen)
            continue;
        if (s->n_x == STEP_INPUTS)
            return false;
        matrix_begin(&e.of[s->n_x], g->arena, rows, (uint32_t)size_of(g, n->in.at[k]));
        s->x[s->n_x++] = n->in.at[k];
    }
    bool ok = op_linear(g, node, output, &sink, d);
    for (uint32_t k = 0; k < s->n_x; k++) {
        struct matrix *m = matrix_end(&e.of[k]);
        ok = ok && m;
        bool identity = m && m->rows == m->cols;
        for (uint32_t r = 0; identity && r < m->rows; r++)
            identity = m->start[r + 1] == r + 1 && m->col[r] == r && m->val[r] == 1;
        s->m[k] = identity ? NULL : m;
    }
    return ok;
}

static void
linear(const struct graph *g, const struct step *s, float *const *value, uint32_t images)
{
    int64_t size = size_of(g, s->y);

    for (uint32_t b = 0; b < images; b++) {
        float *y = value[s->y] + b * size;
        memcpy(y, s->add, (size_t)size * sizeof *y);
        for (uint32_t k = 0; k < s->n_x; k++) {
            const struct matrix *m = s->m[k];
            const float *x = value[s->x[k]] + b * size_of(g, s->x[k]);
            for (int64_t r = 0; r < size; r++) {
                double sum = m ? 0 : (double)x[r];
                for (uint32_t i = m ? m->start[r] : 0; m && i < m->start[r + 1]; i++)
                    sum += (double)m->val[i] * (double)x[m->col[i]];
                y[r] += (float)sum;
            }
        }
    }
}

static void
linear_back(const struct graph *g, const struct step *s, float *const *slope, uint32_t images)
{
    int64_t size = size_of(g, s->y);

    for (uint32_t k = 0; k < s->n_x; k++) {
        const struct matrix *m = s->m[k];
        if (!slope[s->x[k]])
            continue;
        for (uint32_t b = 0; b < images; b++) {
            const float *dy = slope[s->y] + b * size;
            float *dx = slope[s->x[k]] + b * size_of(g, s->x[k]);
            for (int64_t r = 0; r < size; r++) {
                if (!m)
                    dx[r] += dy[r];
                for (uint32_t i = m ? m->start[r] : 0; m && i < m->start[r + 1]; i++)
                    dx[m->col[i]] += m->val[i] * dy[r];
            }
        }
    }
}

void
step_forward(struct graph *g, const struct step *s, float *const *value, uint32_t images)
{
    if (s->kind == STEP_ACTIVATION)
        activation(g, s, value, NULL, images);
    else if (s->kind == STEP_LINEAR)
        linear(g, s, value, images);
    else
        eltwise(g, s, value, NULL, images);
}

void
step_backward(struct graph *g, const struct step *s, float *const *value, float *const *slope,
              uint32_t images)
{
    if (s->kind == STEP_ACTIVATION)
        activation(g, s, value, slope, images);
    else if (s->kind == STEP_LINEAR)
        linear_back(g, s, slope, images);
    else
        eltwise(g, s, value, slope, images);
}
