/* plan.h - what the ranges that calibration saw ask for. */
#ifndef OLAC_DECOMPOSE_PLAN_H
#define OLAC_DECOMPOSE_PLAN_H

#include "ir/graph.h"

struct range {
    double lo, hi;
};

/* A polynomial and Newton steps on its result. */
struct plan {
    uint32_t degree, steps;
    bool enough; /* near enough, if the range is as it was seen */
};

/* A value whose range is asked for: as it is (row 0), or less the mean of its row, elements of
 * a row being `row` and `inner` apart. */
struct watched {
    uint32_t value;
    int64_t row, inner;
    struct range seen;
};

/* Their ranges over all images, float network; few images tell as much as many. */
bool plan_ranges(struct graph *g, const float *images, uint32_t n, struct watched *w,
                 uint32_t count, struct diag *d);
/* For 1 / x, or with root 1 / sqrt(x), where x has a range whose ends have this ratio (>= 1): the
 * fewest levels that are near enough. */
struct plan plan_inverse(double ratio, bool root);
/* For a Softmax of rows of n whose largest element is at most `most` above the mean: how often to
 * square and divide by the mean; >= 1. */
uint32_t plan_normalisations(double most, int64_t n);

#endif
