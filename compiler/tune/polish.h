/* polish.h - the last step of an approximation: coefficients of all polynomials, and biases, moved
 * together until the outputs of the network are nearest to those of the float network. No labels.
 *
 * requires    STAGE_APPROXIMATED, floats as the network takes them
 * establishes other coefficients (node->poly) and biases that one node reads (value->trained keeps
 *             the trained ones), where images that took no part say that they are better; else
 *             nothing is changed
 * leaves      degrees, ranges, shapes
 * fails       E_TUNE_FORM: a node without derivative
 *
 * Deterministic at any number of threads. */
#ifndef OLAC_TUNE_POLISH_H
#define OLAC_TUNE_POLISH_H

#include "ir/graph.h"

struct polish_options {
    uint32_t steps;   /* of Adam */
    uint32_t batch;   /* images a step; 0: 32 */
    double rate;      /* the largest step, of each layer's error; 0: 0.015 */
    double hold;      /* weight of what stands out of a polynomial's range; 0: 1 */
    double augment;   /* as in tune.h, of a second copy of each image; 0: none */
    bool keep_biases; /* only polynomials move */
    uint64_t seed;
    const float *guard; /* rows like the images', which only may not run away; NULL: none */
    uint32_t n_guard;
    void (*progress)(void *user, const char *what, uint32_t done, uint32_t all);
    void *user;
};

/* Distances of the outputs from those of the float network, and what activations stand out of their
 * ranges, on images that took no part; large ones count by their root. */
struct polish_report {
    double before, after;
    bool kept;
    bool unjudged; /* fewer than 5 images: none was held back, and nothing done */
};

bool polish(struct graph *g, const float *images, uint32_t n, const struct polish_options *o,
            struct polish_report *r, struct diag *d);

#endif
