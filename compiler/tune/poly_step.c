/* poly_step.c - see poly_step.h. LANES elements of a channel at a time, Chebyshev polynomials by
 * their recurrences, in floats: |T_k| <= 1 where it matters. */
#include "tune/poly_step.h"

#include <math.h>
#include <string.h>

#define LANES 16
#define TERMS 64 /* degree + 1 */

struct shape_of_rows {
    int64_t inner, size;
    uint32_t channels;
};

static struct shape_of_rows
rows_of(const struct graph *g, const struct step *s)
{
    const struct shape *shape = &graph_value(g, s->y)->shape;
    struct shape_of_rows r = {.inner = 1, .size = shape_size(shape)};
    int axis;

    r.channels = graph_channels(shape, &axis);
    for (int k = axis + 1; k < shape->rank; k++)
        r.inner *= shape->dim[k];
    return r;
}

/* What a channel's elements are brought to [-1, 1] by, and its coefficients. */
struct row {
    uint32_t degree, at;
    float center, by;
    const float *coef;
};

static struct row
row_of(const struct poly *p, const float *coef, uint32_t channel)
{
    uint32_t row = p->rows > 1 ? channel : 0;

    return (struct row){p->degree, row, (float)p->center[row], (float)(1 / p->radius[row]),
                        coef ? coef + (size_t)row * (p->degree + 1) : NULL};
}

/* Up to LANES inputs at [-1, 1]; what is left of the lanes is 0. */
static void
load(const struct row *r, const float *x, int64_t n, float *u)
{
    for (int64_t l = 0; l < LANES; l++)
        u[l] = l < n ? (x[l] - r->center) * r->by : 0;
}

static void
forward(const struct row *r, const float *x, float *y, int64_t n)
{
    float u[LANES], b1[LANES] = {0}, b2[LANES] = {0};

    load(r, x, n, u);
    for (uint32_t k = r->degree; k > 0; k--)
        for (int l = 0; l < LANES; l++) {
            float b0 = r->coef[k] + 2 * u[l] * b1[l] - b2[l];
            b2[l] = b1[l];
            b1[l] = b0;
        }
    for (int64_t l = 0; l < n; l++)
        y[l] = r->coef[0] + u[l] * b1[l] - b2[l];
}

/* T_k(u) for all k, and p'(u); gradient: [degree + 1][LANES]. */
static void
backward(const struct row *r, const float *x, const float *dy, float *dx, int64_t n, float excess,
         float (*gradient)[LANES])
{
    float u[LANES], t0[LANES], t1[LANES], d0[LANES], d1[LANES], by[LANES], down[LANES];

    load(r, x, n, u);
    for (int l = 0; l < LANES; l++) {
        down[l] = l < n ? dy[l] : 0;
        t0[l] = 1;
        t1[l] = u[l];
        d0[l] = 0;
        d1[l] = 1;
        by[l] = 0;
        gradient[0][l] += down[l];
    }
    for (uint32_t k = 1; k <= r->degree; k++)
        for (int l = 0; l < LANES; l++) {
            float t = 2 * u[l] * t1[l] - t0[l], d = 2 * t1[l] + 2 * u[l] * d1[l] - d0[l];
            gradient[k][l] += down[l] * t1[l];
            by[l] += r->coef[k] * d1[l];
            t0[l] = t1[l];
            t1[l] = t;
            d0[l] = d1[l];
            d1[l] = d;
        }
    for (int64_t l = 0; dx && l < n; l++) {
        float out = fmaxf(fabsf(u[l]) - 1, 0);
        dx[l] += r->by * (down[l] * by[l] + 2 * excess * copysignf(out, u[l]));
    }
}

void
poly_step_forward(const struct graph *g, const struct step *s, const float *coef,
                  float *const *value, uint32_t images)
{
    struct shape_of_rows shape = rows_of(g, s);
    const struct poly *p = g->nodes.at[s->node].poly;

    for (int64_t at = 0; at < shape.size * images; at += shape.inner) {
        struct row r = row_of(p, coef, (uint32_t)(at / shape.inner % shape.channels));
        for (int64_t i = 0; i < shape.inner; i += LANES)
            forward(&r, value[s->x[0]] + at + i, value[s->y] + at + i,
                    shape.inner - i < LANES ? shape.inner - i : LANES);
    }
}

void
poly_step_backward(const struct graph *g, const struct step *s, const float *coef,
                   const float *excess, float *const *value, float *const *slope, float *gradient,
                   uint32_t images)
{
    struct shape_of_rows shape = rows_of(g, s);
    const struct poly *p = g->nodes.at[s->node].poly;
    float sums[TERMS][LANES];

    for (int64_t at = 0; at < shape.size * images; at += shape.inner) {
        struct row r = row_of(p, coef, (uint32_t)(at / shape.inner % shape.channels));
        memset(sums, 0, (r.degree + 1) * sizeof *sums);
        for (int64_t i = 0; i < shape.inner; i += LANES)
            backward(&r, value[s->x[0]] + at + i, slope[s->y] + at + i,
                     slope[s->x[0]] ? slope[s->x[0]] + at + i : NULL,
                     shape.inner - i < LANES ? shape.inner - i : LANES,
                     excess ? excess[at / shape.size] : 0, sums);
        for (uint32_t k = 0; k <= r.degree; k++)
            for (int l = 0; l < LANES; l++)
                gradient[(size_t)r.at * (r.degree + 1) + k] += sums[k][l];
    }
}

void
poly_step_outside(const struct graph *g, const struct step *s, float *const *value, uint32_t images,
                  double *sum)
{
    struct shape_of_rows shape = rows_of(g, s);
    const struct poly *p = g->nodes.at[s->node].poly;

    for (int64_t at = 0; at < shape.size * images; at += shape.inner) {
        struct row r = row_of(p, NULL, (uint32_t)(at / shape.inner % shape.channels));
        const float *x = value[s->x[0]] + at;
        float all = 0;
        for (int64_t i = 0; i < shape.inner; i++) {
            float out = fmaxf(fabsf((x[i] - r.center) * r.by) - 1, 0);
            all += out * out;
        }
        sum[at / shape.size] += (double)all;
    }
}

uint64_t
poly_step_gram(const struct graph *g, const struct step *s, float *const *value, uint32_t images,
               double *gram)
{
    struct shape_of_rows shape = rows_of(g, s);
    const struct poly *p = g->nodes.at[s->node].poly;
    uint32_t terms = p->degree + 1;

    for (int64_t at = 0; at < shape.size * images; at += shape.inner) {
        struct row r = row_of(p, NULL, (uint32_t)(at / shape.inner % shape.channels));
        double *to = gram + (size_t)r.at * terms * terms, t[TERMS];
        for (int64_t i = 0; i < shape.inner; i++) {
            double u = (double)((value[s->x[0]][at + i] - r.center) * r.by);
            t[0] = 1;
            t[1] = u = fmin(fmax(u, -1), 1);
            for (uint32_t k = 2; k < terms; k++)
                t[k] = 2 * u * t[k - 1] - t[k - 2];
            for (uint32_t j = 0; j < terms; j++)
                for (uint32_t k = 0; k <= j; k++)
                    to[j * terms + k] += t[j] * t[k];
        }
    }
    return (uint64_t)(shape.size * images) / (p->rows > 1 ? shape.channels : 1);
}
