/* matrix.h - sparse matrices between the elements of two tensors: what every linear operator
 * becomes. */
#ifndef OLAC_IR_MATRIX_H
#define OLAC_IR_MATRIX_H

#include "base/vec.h"

#include <stdbool.h>

/* Compressed rows; columns of a row ascending and distinct, no explicit zeros. */
struct matrix {
    uint32_t rows, cols;
    uint32_t *start; /* rows + 1 */
    uint32_t *col;
    float *val;
    uint64_t dense; /* entries with those that are 0, where the operator has said so; else 0 */
};

/* The most non-zeros that a matrix may have (256 MB of memory). */
#define MATRIX_MAX ((uint32_t)1 << 25)

/* Builds a matrix row by row: rows ascending, columns in any order, repeated ones add up. */
struct matrix_builder {
    struct arena *arena;   /* of the matrix */
    struct arena *scratch; /* of the entries while they come in; matrix_end frees it */
    struct matrix *m;
    uint32_t row; /* the row being filled */
    VEC(uint32_t) col;
    VEC(double) val;
    uint32_t row_start; /* first entry of the row being filled */
    bool unsorted;      /* it is not in order of columns */
    bool overflow;      /* more than MATRIX_MAX entries, or rows not ascending */
};

void matrix_begin(struct matrix_builder *b, struct arena *a, uint32_t rows, uint32_t cols);
void matrix_entry(struct matrix_builder *b, uint32_t row, uint32_t col, double val);
/* Ends the building in any case; NULL after an overflow. */
struct matrix *matrix_end(struct matrix_builder *b);

/* a * b; NULL when the product has more than MATRIX_MAX non-zeros. a->cols == b->rows. With a
 * diagonal it shares start and col with the other factor. */
struct matrix *matrix_product(struct arena *arena, const struct matrix *a, const struct matrix *b);
struct matrix *matrix_sum(struct arena *arena, const struct matrix *a, const struct matrix *b);
struct matrix *matrix_diagonal(struct arena *arena, uint32_t n, const double *d);
/* Multiplications that matrix_product would do; cheap. */
uint64_t matrix_product_work(const struct matrix *a, const struct matrix *b);
/* Every row has at most one entry. */
bool matrix_monomial(const struct matrix *m);
/* Every row has exactly one entry, its weight is 1, and no column is used twice. */
bool matrix_injection(const struct matrix *m);
/* All weights are equal; *w is that weight. */
bool matrix_uniform(const struct matrix *m, float *w);
/* out[r] += sum m[r][c] * x[c] */
void matrix_apply(const struct matrix *m, const double *x, double *out);

#endif
