//%% What the client computes in the clear. Marks: provenance, front_tables, front_steps.
/* net_front.c - the part of net that is not encrypted. Generated; do not edit.
 *
//% provenance
 */
#include "net.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* `rows` sums, row r over `count` taps: which of the weights, and how far behind first + r step the
 * value that it is multiplied with. */
struct run {
    uint32_t rows, first;
    int32_t step;
    uint32_t count, tap, weight;
    double bias;
};

//% front_tables

/* The sums of n runs to to[0], to[1] ...; more: they are added to what is there. */
static void
sums(const double *v, double *to, const struct run *run, uint32_t n, bool more)
{
    for (; n; n--, run++)
        for (uint32_t r = 0; r < run->rows; r++) {
            const double *x = v + run->first + (ptrdiff_t)r * run->step;
            double y = more ? *to : run->bias;
            for (const int32_t *tap = taps + 2 * run->tap; tap < taps + 2 * (run->tap + run->count);
                 tap += 2)
                y += (double)weights[run->weight + (uint32_t)tap[0]] * x[tap[1]];
            *to++ = y;
        }
}

//% front_steps
