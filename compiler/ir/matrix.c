/* matrix.c - sparse matrices; see matrix.h. */
#include "ir/matrix.h"

#include <stdlib.h>
#include <string.h>

void
matrix_begin(struct matrix_builder *b, struct arena *a, uint32_t rows, uint32_t cols)
{
    memset(b, 0, sizeof *b);
    b->arena = a;
    b->scratch = arena_new();
    b->m = ARENA_NEW(a, struct matrix);
    b->m->rows = rows;
    b->m->cols = cols;
    b->m->start = ARENA_ARRAY(a, uint32_t, (size_t)rows + 1);
}

/* Sorts the open row by column (insertion: rows come nearly sorted), adds up repeated columns. */
static void
close_row(struct matrix_builder *b)
{
    uint32_t lo = b->row_start, n = b->col.len, keep = lo;

    for (uint32_t i = lo + 1; b->unsorted && i < n; i++) {
        uint32_t c = b->col.at[i], k = i;
        double v = b->val.at[i];
        for (; k > lo && b->col.at[k - 1] > c; k--) {
            b->col.at[k] = b->col.at[k - 1];
            b->val.at[k] = b->val.at[k - 1];
        }
        b->col.at[k] = c;
        b->val.at[k] = v;
    }
    for (uint32_t i = lo; i < n;) {
        uint32_t c = b->col.at[i];
        double v = 0;
        for (; i < n && b->col.at[i] == c; i++)
            v += b->val.at[i];
        if (v != 0) {
            b->col.at[keep] = c;
            b->val.at[keep++] = v;
        }
    }
    b->col.len = b->val.len = b->row_start = keep;
    b->m->start[++b->row] = keep;
    b->unsorted = false;
}

void
matrix_entry(struct matrix_builder *b, uint32_t row, uint32_t col, double val)
{
    if (b->overflow || row < b->row || row >= b->m->rows || b->col.len >= MATRIX_MAX) {
        b->overflow = true;
        return;
    }
    while (b->row < row)
        close_row(b);
    if (b->col.len > b->row_start && b->col.at[b->col.len - 1] > col)
        b->unsorted = true;
    vec_push(b->scratch, &b->col, col);
    vec_push(b->scratch, &b->val, val);
}

struct matrix *
matrix_end(struct matrix_builder *b)
{
    struct matrix *m = b->overflow ? NULL : b->m;
    while (m && b->row < m->rows)
        close_row(b);
    if (m) {
        m->col = ARENA_ARRAY(b->arena, uint32_t, b->col.len + 1);
        m->val = ARENA_ARRAY(b->arena, float, b->val.len + 1);
        for (uint32_t i = 0; i < b->val.len; i++) {
            m->col[i] = b->col.at[i];
            m->val[i] = (float)b->val.at[i];
        }
    }
    arena_free(b->scratch);
    b->scratch = NULL;
    return m;
}

uint64_t
matrix_product_work(const struct matrix *a, const struct matrix *b)
{
    uint64_t work = 0;
    for (uint32_t i = 0; i < a->start[a->rows]; i++)
        work += b->start[a->col[i] + 1] - b->start[a->col[i]];
    return work;
}

static int
compare_u32(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

static bool
is_diagonal(const struct matrix *m)
{
    bool yes = m->rows == m->cols && m->start[m->rows] == m->rows;

    for (uint32_t r = 0; yes && r < m->rows; r++)
        yes = m->start[r] == r && m->col[r] == r;
    return yes;
}

/* m with its rows (or columns) multiplied by the elements of a diagonal: where the entries are is
 * shared with m. NULL when one of them becomes 0. */
static struct matrix *
scaled(struct arena *arena, const struct matrix *m, const struct matrix *diagonal, bool rows)
{
    struct matrix *out = ARENA_NEW(arena, struct matrix);
    uint32_t n = m->start[m->rows];

    *out = *m;
    out->val = ARENA_ARRAY(arena, float, (size_t)n + 1);
    for (uint32_t r = 0; r < m->rows; r++)
        for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++) {
            double v = (double)m->val[i] * (double)diagonal->val[rows ? r : m->col[i]];
            if (v == 0)
                return NULL;
            out->val[i] = (float)v;
        }
    return out;
}

struct matrix *
matrix_product(struct arena *arena, const struct matrix *a, const struct matrix *b)
{
    struct matrix *quick = is_diagonal(b)   ? scaled(arena, a, b, false)
                           : is_diagonal(a) ? scaled(arena, b, a, true)
                                            : NULL;
    if (quick)
        return quick;
    struct arena *scratch = arena_new();
    double *sum = ARENA_ARRAY(scratch, double, (size_t)b->cols + 1);
    bool *seen = ARENA_ARRAY(scratch, bool, (size_t)b->cols + 1);
    uint32_t *used = ARENA_ARRAY(scratch, uint32_t, (size_t)b->cols + 1);
    struct matrix_builder out;

    matrix_begin(&out, arena, a->rows, b->cols);
    for (uint32_t r = 0; r < a->rows && !out.overflow; r++) {
        uint32_t n = 0;
        bool sorted = true;
        for (uint32_t i = a->start[r]; i < a->start[r + 1]; i++)
            for (uint32_t k = b->start[a->col[i]]; k < b->start[a->col[i] + 1]; k++) {
                uint32_t c = b->col[k];
                if (!seen[c]) {
                    seen[c] = true;
                    sum[c] = 0;
                    sorted = sorted && (n == 0 || used[n - 1] < c);
                    used[n++] = c;
                }
                sum[c] += (double)a->val[i] * (double)b->val[k];
            }
        if (!sorted)
            qsort(used, n, sizeof *used, compare_u32);
        for (uint32_t k = 0; k < n; k++) {
            matrix_entry(&out, r, used[k], sum[used[k]]);
            seen[used[k]] = false;
        }
    }
    arena_free(scratch);
    struct matrix *m = matrix_end(&out);
    if (m) /* of a factor that moves and scales, nothing is known */
        m->dense = a->dense > b->dense ? a->dense : b->dense;
    return m;
}

struct matrix *
matrix_sum(struct arena *arena, const struct matrix *a, const struct matrix *b)
{
    struct matrix_builder out;
    matrix_begin(&out, arena, a->rows, a->cols);
    for (uint32_t r = 0; r < a->rows; r++) {
        for (uint32_t i = a->start[r]; i < a->start[r + 1]; i++)
            matrix_entry(&out, r, a->col[i], (double)a->val[i]);
        for (uint32_t i = b->start[r]; i < b->start[r + 1]; i++)
            matrix_entry(&out, r, b->col[i], (double)b->val[i]);
    }
    return matrix_end(&out);
}

struct matrix *
matrix_diagonal(struct arena *arena, uint32_t n, const double *d)
{
    struct matrix_builder out;
    matrix_begin(&out, arena, n, n);
    for (uint32_t r = 0; r < n; r++)
        matrix_entry(&out, r, r, d ? d[r] : 1.0);
    return matrix_end(&out);
}

bool
matrix_monomial(const struct matrix *m)
{
    for (uint32_t r = 0; r < m->rows; r++)
        if (m->start[r + 1] - m->start[r] > 1)
            return false;
    return true;
}

bool
matrix_injection(const struct matrix *m)
{
    uint8_t *used = calloc((size_t)m->cols + 1, 1);
    bool yes = used != NULL;
    for (uint32_t r = 0; yes && r < m->rows; r++) {
        uint32_t i = m->start[r];
        yes = m->start[r + 1] == i + 1 && m->val[i] == 1.0f && !used[m->col[i]];
        if (yes)
            used[m->col[i]] = 1;
    }
    free(used);
    return yes;
}

bool
matrix_uniform(const struct matrix *m, float *w)
{
    uint32_t n = m->start[m->rows];
    for (uint32_t i = 1; i < n; i++)
        if (m->val[i] != m->val[0])
            return false;
    if (n)
        *w = m->val[0];
    return n > 0;
}

void
matrix_apply(const struct matrix *m, const double *x, double *out)
{
    for (uint32_t r = 0; r < m->rows; r++)
        for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++)
            out[r] += (double)m->val[i] * x[m->col[i]];
}
