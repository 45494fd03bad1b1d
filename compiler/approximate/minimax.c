/* minimax.c - see minimax.h. */
#include "approximate/minimax.h"

#include <lapacke.h>
#include <math.h>

#define GRID     32768 /* points on which an error is looked for */
#define ROUNDS   60    /* of the exchange */
#define SETTLED  1e-7  /* of the error: extremes that are equal */
#define BLOCK    16    /* values at a time */
#define SEARCHES 24
#define GOLDEN   0.6180339887498949

/* Point k of GRID on [begin, end], as dense as the extremes of the error are: those of Chebyshev
 * polynomials of x^2. */
static double
point(const struct minimax_stage *s, double k)
{
    double low = s->begin * s->begin, high = s->end * s->end;

    return sqrt(low + (high - low) * 0.5 * (1 - cos(acos(-1) * k / GRID)));
}

/* T_(2k+1)(t) = 2 T_2(t) T_(2k-1)(t) - T_(2k-3)(t). */
static void
stage_row(const struct minimax_stage *s, double *x)
{
    double t[BLOCK], u[BLOCK], next[BLOCK] = {0}, after[BLOCK] = {0};

    for (int i = 0; i < BLOCK; i++) {
        t[i] = x[i] / s->end;
        u[i] = 2 * (2 * t[i] * t[i] - 1);
    }
    for (uint32_t k = s->terms; k-- > 0;)
        for (int i = 0; i < BLOCK; i++) {
            double b = s->coef[k] + u[i] * next[i] - after[i];
            after[i] = next[i];
            next[i] = b;
        }
    for (int i = 0; i < BLOCK; i++)
        x[i] = t[i] * (next[i] - after[i]);
}

static void
sign_row(const struct minimax *m, double *x)
{
    for (uint32_t k = 0; k < m->n; k++)
        stage_row(&m->stage[k], x);
}

/* The polynomial whose error is +-e in turn on terms + 1 points. */
static bool
level(struct minimax_stage *s, const double *at)
{
    enum { MOST = MINIMAX_TERMS + 1 };
    double matrix[MOST * MOST], right[MOST];
    lapack_int pivot[MOST], n = (lapack_int)s->terms + 1;

    for (uint32_t i = 0; i <= s->terms; i++) {
        double t = at[i] / s->end, u = 2 * (2 * t * t - 1), now = t, before = t;
        for (uint32_t k = 0; k < s->terms; k++) {
            double next = u * now - before;
            matrix[i * (s->terms + 1) + k] = now;
            before = now;
            now = next;
        }
        matrix[i * (s->terms + 1) + s->terms] = i % 2 ? -1 : 1;
        right[i] = 1;
    }
    if (LAPACKE_dgesv(LAPACK_ROW_MAJOR, n, 1, matrix, n, pivot, right, 1) != 0)
        return false;
    for (uint32_t k = 0; k < s->terms; k++)
        s->coef[k] = right[k];
    return true;
}

/* The largest error of each sign in turn, to at[terms + 1]; false when there are fewer. */
static bool
extremes(struct minimax_stage *s, double *at, double *least)
{
    double best[MINIMAX_TERMS + 2] = {0}, where[MINIMAX_TERMS + 2] = {0};
    uint32_t runs = 0;

    s->error = 0;
    for (uint32_t k = 0; k <= GRID; k += BLOCK) {
        double x[BLOCK], y[BLOCK];
        for (uint32_t i = 0; i < BLOCK; i++)
            y[i] = x[i] = point(s, k + i < GRID ? k + i : GRID);
        stage_row(s, y);
        for (uint32_t i = 0; i < BLOCK; i++) {
            double e = y[i] - 1;
            if (!runs || (e < 0) != (best[runs - 1] < 0)) {
                if (runs > s->terms)
                    return false;
                runs++;
                best[runs - 1] = 0;
            }
            if (fabs(e) >= fabs(best[runs - 1])) {
                best[runs - 1] = e;
                where[runs - 1] = x[i];
            }
            s->error = fmax(s->error, fabs(e));
        }
    }
    *least = s->error;
    for (uint32_t k = 0; k < runs; k++) {
        at[k] = where[k];
        *least = fmin(*least, fabs(best[k]));
    }
    return runs == s->terms + 1;
}

bool
minimax_fit(struct minimax_stage *s, uint32_t terms, double begin, double end)
{
    double at[MINIMAX_TERMS + 2], least;

    *s = (struct minimax_stage){.terms = terms, .begin = begin, .end = end};
    for (uint32_t i = 0; i <= terms; i++)
        at[i] = point(s, (double)GRID * i / terms);
    for (int round = 0; round < ROUNDS; round++) {
        if (!level(s, at) || !extremes(s, at, &least))
            return false;
        if (s->error - least <= SETTLED * s->error)
            return true;
    }
    return false;
}

/* With stage 0 beginning there. */
static bool
from(struct minimax *m, const uint32_t *degrees, double begin)
{
    double low = begin, high = 1;

    for (uint32_t k = 0; k < m->n; k++) {
        if (!minimax_fit(&m->stage[k], (degrees[k] + 1) / 2, low, high))
            return false;
        m->sign = m->stage[k].error;
        low = 1 - m->sign;
        high = 1 + m->sign;
    }
    m->begin = begin;
    m->relu = m->sign / 2;
    for (uint32_t k = 0; k < GRID; k += BLOCK) { /* x (1 - sign) / 2 where x is small */
        double x[BLOCK], y[BLOCK];
        for (uint32_t i = 0; i < BLOCK; i++)
            y[i] = x[i] = begin * (k + i) / GRID;
        sign_row(m, y);
        for (uint32_t i = 0; i < BLOCK; i++)
            m->relu = fmax(m->relu, x[i] * fabs(1 - y[i]) / 2);
    }
    return true;
}

bool
minimax_make(struct minimax *m, const uint32_t *degrees, uint32_t n, double begin)
{
    double low = -16, high = -1;

    *m = (struct minimax){.n = n};
    if (begin > 0)
        return from(m, degrees, begin);
    for (int k = 0; k < SEARCHES; k++) {
        double left = high - GOLDEN * (high - low), right = low + GOLDEN * (high - low);
        struct minimax other = *m;
        /* too late a beginning leaves an error that is rounding only: no extremes to be found */
        bool late = !from(&other, degrees, exp2(right));
        if (late || (from(m, degrees, exp2(left)) && m->relu < other.relu))
            high = right;
        else
            low = left;
    }
    return from(m, degrees, exp2((low + high) / 2));
}

uint32_t
minimax_levels(const struct minimax *m)
{
    uint32_t levels = 1;

    for (uint32_t k = 0; k < m->n; k++)
        levels += (uint32_t)ceil(log2(2.0 * m->stage[k].terms));
    return levels;
}

double
minimax_sign(const struct minimax *m, double x)
{
    double row[BLOCK] = {x};

    sign_row(m, row);
    return row[0];
}

void
minimax_relu(const struct minimax *m, double bound, float *x, int64_t n)
{
    for (int64_t k = 0; k < n; k += BLOCK) {
        double row[BLOCK] = {0};
        int64_t some = n - k < BLOCK ? n - k : BLOCK;
        for (int64_t i = 0; i < some; i++)
            row[i] = (double)x[k + i] / bound;
        sign_row(m, row);
        for (int64_t i = 0; i < some; i++)
            x[k + i] = (float)((double)x[k + i] * (1 + row[i]) / 2);
    }
}
