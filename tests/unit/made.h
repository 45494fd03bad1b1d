/* made.h - for tests of the compiler's middle: tensor programs with random matrices, and what they
 * compute by plain loops over dense matrices. */
#ifndef TEST_MADE_H
#define TEST_MADE_H

#include "ir/tp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#define MADE_OK __attribute__((unused))

struct made {
    struct arena *a;
    struct diag *d;
    struct tp *t;
    struct graph *g;
    uint64_t state;
};

/* Below n. */
MADE_OK static uint32_t
made_below(struct made *m, uint32_t n)
{
    m->state = m->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(m->state >> 33) % n;
}

/* Uniform in [-1, 1), a multiple of 2^-20. */
MADE_OK static double
made_number(struct made *m)
{
    return (double)made_below(m, 1u << 21) / (1 << 20) - 1;
}

MADE_OK static struct made
made_new(uint64_t seed)
{
    struct arena *a = arena_new();
    struct graph *g = graph_new(a, "made", "made.onnx");
    struct tp *t = ARENA_NEW(a, struct tp);
    t->arena = a;
    t->graph = g;
    return (struct made){a, diag_new(), t, g, seed};
}

MADE_OK static void
made_free(struct made *m)
{
    diag_free(m->d);
    arena_free(m->a);
}

MADE_OK static const char *
made_errors(struct made *m)
{
    struct str s = {0};
    diag_print(m->d, &s);
    const char *text = arena_strdup(m->a, str_text(&s));
    str_free(&s);
    return text;
}

#define MADE_SHAPE(...)                                                                            \
    shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

MADE_OK static struct matrix *
made_matrix(struct made *m, uint32_t rows, uint32_t cols, double density)
{
    struct matrix_builder b;
    matrix_begin(&b, m->a, rows, cols);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t c = 0; c < cols; c++)
            if (made_below(m, 1000) < density * 1000)
                matrix_entry(&b, r, c, made_number(m));
    return matrix_end(&b);
}

MADE_OK static uint32_t
made_node(struct made *m, enum tp_kind kind, struct shape shape)
{
    struct tp_node n = {.kind = kind, .shape = shape, .n = (uint32_t)shape_size(&shape)};
    n.name = arena_printf(m->a, "n%u", m->t->nodes.len);
    vec_push(m->a, &m->t->nodes, n);
    return m->t->nodes.len - 1;
}

MADE_OK static void
made_arg(struct made *m, uint32_t node, uint32_t value, struct matrix *matrix)
{
    vec_push(m->a, &m->t->nodes.at[node].args, (struct tp_arg){value, matrix});
}

MADE_OK static uint32_t
made_input(struct made *m, struct shape shape)
{
    uint32_t n = made_node(m, TP_INPUT, shape);
    m->t->nodes.at[n].port = m->g->inputs.len;
    graph_input(m->g, m->t->nodes.at[n].name, DT_F32, shape);
    return n;
}

/* A random map of one value, with a bias. */
MADE_OK static uint32_t
made_linear(struct made *m, uint32_t value, struct shape shape, double density)
{
    uint32_t n = made_node(m, TP_LINEAR, shape), size = m->t->nodes.at[n].n;
    made_arg(m, n, value, made_matrix(m, size, m->t->nodes.at[value].n, density));
    m->t->nodes.at[n].bias = ARENA_ARRAY(m->a, double, size);
    for (uint32_t k = 0; k < size; k++)
        m->t->nodes.at[n].bias[k] = made_number(m);
    return n;
}

/* A polynomial with random coefficients, one for all (rows 1) or one a channel. */
MADE_OK static uint32_t
made_poly(struct made *m, uint32_t value, uint32_t degree, uint32_t rows)
{
    uint32_t n = made_node(m, TP_POLY, m->t->nodes.at[value].shape);
    struct poly *p = ARENA_NEW(m->a, struct poly);
    *p = (struct poly){degree,
                       rows,
                       ARENA_ARRAY(m->a, double, rows *(degree + 1)),
                       ARENA_ARRAY(m->a, double, rows),
                       ARENA_ARRAY(m->a, double, rows),
                       0};
    for (uint32_t k = 0; k < rows * (degree + 1); k++)
        p->coef[k] = made_number(m);
    for (uint32_t r = 0; r < rows; r++) { /* which the map before has applied already */
        p->center[r] = made_number(m);
        p->radius[r] = 2;
    }
    made_arg(m, n, value, NULL);
    m->t->nodes.at[n].poly = p;
    return n;
}

MADE_OK static uint32_t
made_mul(struct made *m, uint32_t x, uint32_t y)
{
    uint32_t n = made_node(m, TP_MUL, m->t->nodes.at[x].shape);
    made_arg(m, n, x, NULL);
    made_arg(m, n, y, NULL);
    return n;
}

MADE_OK static void
made_output(struct made *m, uint32_t node)
{
    vec_push(m->a, &m->t->outputs, node);
    uint32_t v = graph_const(m->g, arena_printf(m->a, "out%u", m->g->outputs.len),
                             tensor_new(m->a, DT_F32, m->t->nodes.at[node].shape));
    vec_push(m->a, &m->g->outputs, v);
}

/* m[r][c] by looking for it. */
MADE_OK static double
made_at(const struct matrix *m, uint32_t r, uint32_t c)
{
    for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++)
        if (m->col[i] == c)
            return (double)m->val[i];
    return 0;
}

/* sum_k coef[k] T_k(x) by T_{k+1} = 2 x T_k - T_{k-1}. */
MADE_OK static double
made_chebyshev(const double *coef, uint32_t degree, double x)
{
    double before = 1, now = x, sum = coef[0];
    for (uint32_t k = 1; k <= degree; k++) {
        sum += coef[k] * now;
        double next = 2 * x * now - before;
        before = now;
        now = next;
    }
    return sum;
}

/* All nodes' values: element [channel] of a poly by its place in [1, C, ...]. */
MADE_OK static double **
made_eval(struct made *m, const struct tp *t, const float *const *in)
{
    double **v = ARENA_ARRAY(m->a, double *, t->nodes.len);
    for (uint32_t k = 0; k < t->nodes.len; k++) {
        const struct tp_node *n = &t->nodes.at[k];
        v[k] = ARENA_ARRAY(m->a, double, n->n);
        for (uint32_t e = 0; e < n->n; e++) {
            if (n->kind == TP_INPUT)
                v[k][e] = (double)in[n->port][e];
            if (n->kind == TP_MUL)
                v[k][e] = v[n->args.at[0].value][e] * v[n->args.at[1].value][e];
            if (n->kind == TP_POLY) {
                uint32_t channels = (uint32_t)n->shape.dim[1],
                         row = n->poly->rows > 1 ? e / (n->n / channels) : 0;
                v[k][e] = made_chebyshev(n->poly->coef + row * (n->poly->degree + 1),
                                         n->poly->degree, v[n->args.at[0].value][e]);
            }
            if (n->kind != TP_LINEAR)
                continue;
            v[k][e] = n->bias ? n->bias[e] : 0;
            for (uint32_t i = 0; i < n->args.len; i++)
                for (uint32_t c = 0; c < n->args.at[i].m->cols; c++)
                    v[k][e] += made_at(n->args.at[i].m, e, c) * v[n->args.at[i].value][c];
        }
    }
    return v;
}

/* Random elements for every input. */
MADE_OK static const float *const *
made_data(struct made *m)
{
    const float **in = ARENA_ARRAY(m->a, const float *, m->g->inputs.len + 1);
    for (uint32_t k = 0; k < m->g->inputs.len; k++) {
        uint32_t n = (uint32_t)shape_size(&graph_value(m->g, m->g->inputs.at[k].value)->shape);
        float *x = ARENA_ARRAY(m->a, float, n);
        for (uint32_t i = 0; i < n; i++)
            x[i] = (float)made_number(m);
        in[k] = x;
    }
    return in;
}

/* An error with this text was reported. */
MADE_OK static bool
made_said(const struct diag *d, const char *text)
{
    for (uint32_t k = 0; k < diag_count(d); k++)
        if (strstr(diag_at(d, k)->text, text))
            return true;
    return false;
}

#endif
