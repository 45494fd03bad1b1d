//%% What the client computes in the clear. Marks: provenance, front_tables, front_steps.
/* net_front.c - the part of net that is not encrypted. Generated; do not edit.
 *
//% provenance
 */
#include "net.h"

#include <math.h>
#include <stddef.h>

/* `rows` sums, row r over `count` weights times the values at first + r step and the offsets. */
struct run {
    uint32_t rows, first;
    int32_t step;
    uint32_t count, offset, weight;
    double bias;
};

//% front_tables

/* The sums of n runs to to[0], to[1] ... */
static void
sums(const double *v, double *to, const struct run *run, uint32_t n)
{
    for (; n; n--, run++)
        for (uint32_t r = 0; r < run->rows; r++) {
            const double *x = v + run->first + (ptrdiff_t)r * run->step;
            double y = run->bias;
            for (uint32_t k = 0; k < run->count; k++)
                y += (double)weights[run->weight + k] * x[offsets[run->offset + k]];
            *to++ = y;
        }
}

//% front_steps
