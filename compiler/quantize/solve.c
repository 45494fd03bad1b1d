/* solve.c - see solve.h. With H = xx + damping, the error of weights w is (w - v) H (w - v)^T above
 * that of the best weights v. Rounding column c by e moves the columns behind it by -e U[c][.] /
 * U[c][c], U the upper Cholesky factor of H^-1: that is the best that they can do about it. */
#include "quantize/solve.h"

#include "base/arena.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns among which the least salient weights of all rows are found at a time. */
#define BLOCK 64
/* Rounds of coordinate descent; it ends when nothing changes, mostly after less than ten. */
#define ROUNDS 40

struct work {
    const struct solve_moments *m;
    const struct solve_options *o;
    size_t n, round; /* columns; of those, the first that are rounded, the others being biases */
    double *h, *u;   /* n x n each: H, U */
    double *v;       /* rows x n: the best weights */
    bool *zero;      /* rows x n: pruned */
};

double
solve_error(const struct solve_moments *m, const double *w)
{
    size_t n = m->cols;
    struct arena *a = arena_new();
    double *t = ARENA_ARRAY(a, double, n), sum = m->yy;

    for (size_t r = 0; r < m->rows; r++) {
        const double *row = w + r * n;
        cblas_dsymv(CblasRowMajor, CblasUpper, (int)n, 1, m->xx, (int)n, row, 1, 0, t, 1);
        sum += cblas_ddot((int)n, t, 1, row, 1) - 2 * cblas_ddot((int)n, m->yx + r * n, 1, row, 1);
    }
    arena_free(a);
    return sum;
}

/* H, v and U. */
static bool
factor(struct work *k, const double *w)
{
    const struct solve_moments *m = k->m;
    lapack_int n = (lapack_int)k->n, rows = (lapack_int)m->rows;
    double mean = 0;

    for (size_t i = 0; i < k->n; i++)
        mean += m->xx[i * k->n + i] / (double)k->n;
    double damp = fmax(k->o->damp * mean, 1e-12);
    memcpy(k->h, m->xx, k->n * k->n * sizeof *k->h);
    memcpy(k->v, m->yx, m->rows * k->n * sizeof *k->v);
    for (size_t i = 0; i < k->n; i++) {
        k->h[i * k->n + i] += damp;
        for (size_t r = 0; r < m->rows; r++)
            k->v[r * k->n + i] += damp * w[r * k->n + i];
    }
    for (size_t i = 0; i < k->n * k->n; i++)
        if (!isfinite(k->h[i]))
            return false;
    memcpy(k->u, k->h, k->n * k->n * sizeof *k->u);
    /* the transpose of a row-major factor is what LAPACK sees: 'L' there is 'U' here */
    if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', n, k->u, n) != 0 ||
        LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', n, rows, k->u, n, k->v, n) != 0 ||
        LAPACKE_dpotri(LAPACK_COL_MAJOR, 'L', n, k->u, n) != 0 ||
        LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', n, k->u, n) != 0)
        return false;
    return true;
}

struct saliency {
    double value;
    size_t at;
};

static int
by_value(const void *a, const void *b)
{
    const struct saliency *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* Marks the weights of columns from .. to - 1 that go, as they stand now: `share` of them, those
 * that cost least, w^2 / U[c][c]^2. */
static void
mark(struct work *k, const double *w, size_t from, size_t to, double share, struct saliency *s)
{
    size_t n = 0;

    for (size_t r = 0; r < k->m->rows; r++)
        for (size_t c = from; c < to; c++, n++) {
            double by = w[r * k->n + c] / k->u[c * k->n + c];
            s[n] = (struct saliency){by * by, r * k->n + c};
        }
    /* rounded over all columns up to here, so that the whole layer comes out at its share */
    size_t wanted = (size_t)floor(share * (double)(to * k->m->rows)) -
                    (size_t)floor(share * (double)(from * k->m->rows));
    qsort(s, n, sizeof *s, by_value);
    for (size_t i = 0; i < wanted && i < n; i++)
        k->zero[s[i].at] = true;
}

static double
allowed(const struct work *k, size_t at, double x)
{
    return k->zero[at] ? 0 : k->o->grid ? pow2_round(k->o->grid, x) : x;
}

/* One column after the other, in order. */
static void
sweep(struct work *k, double *w, struct saliency *s)
{
    memcpy(w, k->v, k->m->rows * k->n * sizeof *w);
    for (size_t c = 0; c < k->round; c++) {
        if (c % BLOCK == 0 && k->o->prune > 0)
            mark(k, w, c, c + BLOCK < k->round ? c + BLOCK : k->round, k->o->prune, s);
        for (size_t r = 0; r < k->m->rows; r++) {
            double *row = w + r * k->n, q = allowed(k, r * k->n + c, row[c]);
            double e = (row[c] - q) / k->u[c * k->n + c];
            row[c] = q;
            if (e != 0)
                cblas_daxpy((int)(k->n - c - 1), -e, k->u + c * k->n + c + 1, 1, row + c + 1, 1);
        }
    }
}

/* Each weight in turn to the best value that it may have, the others held, until none moves. */
static void
descend(const struct work *k, double *row, size_t first, double *slope)
{
    const double *v = k->v + first;

    for (size_t c = 0; c < k->n; c++)
        slope[c] = row[c] - v[c];
    double *off = slope + k->n;
    memcpy(off, slope, k->n * sizeof *off);
    cblas_dsymv(CblasRowMajor, CblasUpper, (int)k->n, 1, k->h, (int)k->n, off, 1, 0, slope, 1);
    bool moved = true;
    for (int round = 0; moved && round < ROUNDS; round++) {
        moved = false;
        for (size_t c = 0; c < k->n; c++) {
            double h = k->h[c * k->n + c], best = row[c] - slope[c] / h;
            double to = c < k->round ? allowed(k, first + c, best) : best, by = to - row[c];
            /* what it brings: h by (by / 2 - (best - row)), below 0; no going to and fro for
             * nothing */
            if (fabs(by) <= 1e-12 * fabs(to) ||
                by * (by / 2 + slope[c] / h) * h > -1e-14 * k->m->yy)
                continue;
            row[c] = to;
            cblas_daxpy((int)k->n, by, k->h + c * k->n, 1, slope, 1);
            moved = moved || c < k->round;
        }
    }
}

bool
solve(const struct solve_moments *m, const struct solve_options *o, double *w)
{
    struct work k = {.m = m, .o = o, .n = m->cols, .round = m->cols - m->bias};
    size_t square = k.n * k.n, all = m->rows * k.n;
    struct arena *a = arena_new();

    k.h = ARENA_ARRAY(a, double, square);
    k.u = ARENA_ARRAY(a, double, square);
    k.v = ARENA_ARRAY(a, double, all);
    k.zero = ARENA_ARRAY(a, bool, all);
    bool ok = factor(&k, w);
    if (ok) {
        sweep(&k, w, ARENA_ARRAY(a, struct saliency, m->rows * BLOCK));
        double *slopes = ARENA_ARRAY(a, double, 2 * all);
#pragma omp parallel for schedule(dynamic)
        for (size_t r = 0; r < m->rows; r++)
            descend(&k, w + r * k.n, r * k.n, slopes + 2 * r * k.n);
    }
    arena_free(a);
    return ok;
}
