/* acts.h - what simulating watches in a graph: its activations, and which of their inputs leave
 * the range that the polynomials were made for. */
#ifndef OLAC_SIMULATE_ACTS_H
#define OLAC_SIMULATE_ACTS_H

#include "ir/graph.h"

/* The activations of a graph that are polynomials, in order. */
struct acts {
    const struct graph *g;
    uint32_t n;
    uint32_t *node, *watch; /* watch[k]: output of activation k, watch[n + k]: its input */
    int64_t *size, *first;  /* elements, and where they begin in a row of all activations */
    int64_t row;            /* elements of all activations of an image */
};

struct acts acts_find(struct arena *a, const struct graph *g);
/* Some element of the input of activation k is outside of [-SIMULATE_RANGE, SIMULATE_RANGE] once
 * normalised, or no number. */
bool acts_leaves_range(const struct acts *s, uint32_t k, const float *x);
/* Some output is not finite, or above SIMULATE_OUTPUT_FACTOR times `largest`. */
bool acts_runs_away(const float *out, int64_t n, double largest);

#endif
