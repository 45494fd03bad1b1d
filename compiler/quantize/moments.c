/* moments.c - see moments.h. Images are shared out to CHUNKS sums that are added in order, so that
 * the result does not hang on the number of threads. */
#include "quantize/moments.h"

#include <cblas.h>
#include <string.h>

#define CHUNKS 8
/* Columns that go into one product of matrices, at least. */
#define COLUMNS 512

struct sums {
    struct arena *arena;
    double *xx, *yx, yy;
};

struct layer {
    const struct weighted *w;
    int64_t group, size;
    const float *weight, *bias, *clean, *fed; /* of the group */
    int64_t cols;                             /* depth, and 1 for the bias */
};

/* x, cols x n, of the images from .. from + images - 1, a row of ones below where there is a
 * bias. */
static void
gather(const struct layer *l, const float *images, uint32_t from, uint32_t count, float *one,
       float *x)
{
    int64_t p = l->w->positions, n = count * p;

    for (uint32_t k = 0; k < count; k++) {
        weighted_columns(l->w, images + (from + k) * l->size, l->group, one);
        for (int64_t c = 0; c < l->w->depth; c++)
            memcpy(x + c * n + k * p, one + c * p, (size_t)p * sizeof *x);
    }
    for (int64_t i = 0; l->cols > l->w->depth && i < n; i++)
        x[l->w->depth * n + i] = 1;
}

static void
add_up(struct sums *s, const struct layer *l, const float *clean, const float *fed, int64_t n,
       struct arena *a)
{
    int rows = (int)l->w->rows, cols = (int)l->cols;
    float *y = ARENA_ARRAY(a, float, (size_t)(rows * n));
    float *m = ARENA_ARRAY(a, float, (size_t)cols *(size_t)(cols > rows ? cols : rows));

    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, (int)n, (int)l->w->depth, 1,
                l->weight, (int)l->w->depth, clean, (int)n, 0, y, (int)n);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++) {
            y[r * n + i] += l->bias ? l->bias[r] : 0;
            s->yy += (double)y[r * n + i] * (double)y[r * n + i];
        }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, cols, (int)n, 1, y, (int)n, fed,
                (int)n, 0, m, cols);
    for (int64_t i = 0; i < (int64_t)rows * cols; i++)
        s->yx[i] += (double)m[i];
    cblas_ssyrk(CblasRowMajor, CblasUpper, CblasNoTrans, cols, (int)n, 1, fed, (int)n, 0, m, cols);
    for (int64_t i = 0; i < cols; i++)
        for (int64_t j = i; j < cols; j++)
            s->xx[i * cols + j] += (double)m[i * cols + j];
}

static struct sums
chunk(const struct layer *l, uint32_t from, uint32_t to)
{
    int64_t p = l->w->positions;
    uint32_t step = p >= COLUMNS ? 1 : (uint32_t)(COLUMNS / p);
    struct arena *scratch = arena_new();
    struct sums s = {.arena = arena_new()};

    s.xx = ARENA_ARRAY(s.arena, double, (size_t)(l->cols * l->cols));
    s.yx = ARENA_ARRAY(s.arena, double, (size_t)(l->w->rows * l->cols));
    for (uint32_t k = from; k < to; k += step) {
        uint32_t count = to - k < step ? to - k : step;
        int64_t n = count * p;
        arena_reset(scratch);
        float *one = ARENA_ARRAY(scratch, float, (size_t)(l->w->depth * p));
        float *clean = ARENA_ARRAY(scratch, float, (size_t)(l->cols * n)), *fed = clean;
        gather(l, l->clean, k, count, one, clean);
        if (l->fed != l->clean) {
            fed = ARENA_ARRAY(scratch, float, (size_t)(l->cols * n));
            gather(l, l->fed, k, count, one, fed);
        }
        add_up(&s, l, clean, fed, n, scratch);
    }
    arena_free(scratch);
    return s;
}

struct solve_moments
moments_of(struct arena *a, const struct weighted *w, int64_t group, const float *weight,
           const float *bias, const float *clean, const float *fed, int64_t size, uint32_t n)
{
    struct solve_moments m = {.rows = (size_t)w->rows, .bias = bias != NULL};
    struct layer l = {w, group, size, weight, bias, clean, fed, w->depth + m.bias};
    struct sums sums[CHUNKS];
    int blas_threads = openblas_get_num_threads();

    m.cols = (size_t)l.cols;
    m.xx = ARENA_ARRAY(a, double, m.cols *m.cols);
    m.yx = ARENA_ARRAY(a, double, m.rows *m.cols);
    openblas_set_num_threads(1); /* sums in one order */
#pragma omp parallel for schedule(dynamic)
    for (uint32_t k = 0; k < CHUNKS; k++)
        sums[k] = chunk(&l, (uint32_t)((uint64_t)n * k / CHUNKS),
                        (uint32_t)((uint64_t)n * (k + 1) / CHUNKS));
    openblas_set_num_threads(blas_threads);
    for (uint32_t k = 0; k < CHUNKS; k++) {
        cblas_daxpy((int)(m.cols * m.cols), 1, sums[k].xx, 1, m.xx, 1);
        cblas_daxpy((int)(m.rows * m.cols), 1, sums[k].yx, 1, m.yx, 1);
        m.yy += sums[k].yy;
        arena_free(sums[k].arena);
    }
    for (size_t i = 0; i < m.cols; i++)
        for (size_t j = 0; j < i; j++)
            m.xx[i * m.cols + j] = m.xx[j * m.cols + i];
    return m;
}
