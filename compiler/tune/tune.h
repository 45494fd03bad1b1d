/* tune.h - training: fine-tuning with the polynomials in place, pruning with regrowth, progressive
 * rounding to powers of two. The door of tune/.
 *
 * requires    STAGE_SIMPLIFIED; polynomials (node->poly) where they are to be trained with; images,
 *             floats as the network takes them, and their labels
 * establishes other weights and biases, in constants that are their nodes' own
 * leaves      shapes, nodes, polynomials
 * fails       E_TUNE_FORM, E_TUNE_LABELS, E_TUNE_DIVERGED, E_TUNE_OPTION, E_TUNE_CHECKPOINT,
 *             E_TUNE_PRUNE, E_TUNE_PRIVATE, E_TUNE_LEDGER, E_WRITE (checkpoint, ledger)
 * source      Guo et al., arXiv 1608.04493 (pruned weights go on learning and may come back);
 *             Lee et al., arXiv 2010.07611 (one threshold for all layers: a weight's square over
 *             the sum of the squares not smaller in its layer); Zhou et al., arXiv 1702.03044
 *             (the largest half is rounded and fixed, the rest learns to make up for it, until
 *             all are fixed)
 *
 * The same graph, data, options and seed give the same weights at any number of threads, also when
 * the training was stopped and went on from its checkpoint. */
#ifndef OLAC_TUNE_TUNE_H
#define OLAC_TUNE_TUNE_H

#include "ir/graph.h"

struct tune_data {
    const float *x;        /* n rows */
    const int64_t *labels; /* NULL: E_TUNE_LABELS */
    uint32_t n;
};

struct tune_options {
    uint32_t epochs; /* over the data; 0: 20 */
    uint32_t batch;  /* images a step; 0: 128 */
    double rate;     /* the largest step; 0: 0.001, with momentum 0.02 */
    bool momentum;   /* gradient descent with momentum 0.9 in place of Adam */
    uint64_t seed;
    double prune; /* share of all weights that become zero; 0: none */
    uint32_t terms,
        bits; /* of the grid of powers of two (ir/pow2.h); terms 0: weights stay floats */
    struct graph *teacher; /* a network of the same inputs and outputs, STAGE_SIMPLIFIED, whose
                            * answers it learns from besides the labels; NULL: none */
    /* images are turned, scaled, moved and bent at random (augment.h says how far for 1); 0: not at
     * all */
    double augment;
    /* > 0: differential privacy. Begins with new random weights; each example's gradient is clipped
     * to the norm `clip`; no pruning, rounding, augmenting, checkpoint, and no seed */
    double epsilon, delta, clip;
    /* privacy: a file of the trainings on these data before, all of which epsilon is for; this one
     * is added to it. NULL: none */
    const char *ledger;
    const char *checkpoint; /* path: goes on from it, keeps it up to date; NULL: none */
    void (*progress)(void *user, const char *what, uint32_t done, uint32_t all);
    void *user;
};

struct tune_layer {
    const char *name;
    uint32_t weights, zeros;
    int lo, hi; /* exponents of its grid; 0 and 0 without one */
};

struct tune_report {
    uint32_t epochs, n;
    /* spent, with the trainings before; deviation over clipping norm: 0 without privacy */
    double epsilon, noise;
    uint32_t trainings; /* private ones before this, by the ledger */
    /* NAN with privacy, for they tell of the data; else means over the last epoch, as it trained */
    double loss, accuracy;
    struct tune_layer *layers;
};

bool tune(struct graph *g, const struct tune_data *data, const struct tune_options *o,
          struct tune_report *r, struct diag *d);

/* Writes polynomials of degree 2 and 3 that all channels share as products and sums: an activation
 * with such a one becomes nodes without one. Of the first form a (x + h)^2 + e, one product and
 * constants that neighbours take up. */
void tune_expand(struct graph *g);

#endif
