/* shifted.h - the inner loop of a convolution: rows of weights times one array at many shifts. */
#ifndef OLAC_OP_SHIFTED_H
#define OLAC_OP_SHIFTED_H

#include <stdint.h>

/* Floats that are worked on at a time: x must be readable, and y writable, for n rounded up to
 * that. */
#define SHIFTED_BLOCK 16
/* Rows that are worked on at a time. */
#define SHIFTED_ROWS 8

/* y[r * pitch + p] += sum over k < depth of w[r * depth + k] * x[offset[k] + p], r < rows, p < n;
 * pitch >= n rounded up. The same bits for a row whatever the others are; by the widest vectors
 * that the CPU has. With offsets a row apart it is a matrix product. */
void shifted_product(const float *w, uint32_t rows, const float *x, const uint32_t *offset,
                     uint32_t depth, float *y, uint32_t n, uint32_t pitch);

#endif
