/* quantize.h - weights pruned and rounded to powers of two without retraining. The door of
 * quantize/.
 *
 * requires    STAGE_SIMPLIFIED; calibration images, floats as the network takes them
 * establishes the weights of every Conv, Gemm and MatMul are values of a grid of powers of two
 *             (ir/pow2.h), or zero; biases are re-solved and stay floats
 * leaves      shapes, node order, what is no weight
 * fails       E_QUANT_DATA, E_QUANT_BITS, E_QUANT_PRUNE, E_QUANT_VALUES
 * source      layer after layer on what the layers before it, already rounded, feed it: the weights
 *             that answer best are solved for (least squares), then rounded a column at a time,
 *             what is lost made up for by the columns to come: Hassibi and Stork (NIPS 1992, the
 *             optimal brain surgeon), Frantar, Singh, Alistarh (arXiv 2208.11580, sec. 4 and 5),
 *             Frantar et al. (arXiv 2210.17323, sec. 3.3: Cholesky form), Frantar and Alistarh
 *             (arXiv 2301.00774, sec. 3.2: which weights go); here on grids of powers of two,
 *             with the bias as a last column that is never rounded, and coordinate descent on
 *             the same error afterwards */
#ifndef OLAC_QUANTIZE_QUANTIZE_H
#define OLAC_QUANTIZE_QUANTIZE_H

#include "ir/graph.h"

struct quantize_options {
    uint32_t terms; /* 1: a power of two, 2: a sum of two; 0: weights stay floats */
    uint32_t bits;  /* of a term, POW2_BITS_MIN .. POW2_BITS_MAX; 0: 5 */
    double prune;   /* share of each layer's weights that become zero; 0: none */
    void (*progress)(void *user, const char *what, uint32_t done, uint32_t all);
    void *user;
};

/* One layer: how sensitive it was. Errors are mean squares of what the layer's output is off, over
 * that of the output itself, on the calibration images. */
struct quantize_layer {
    const char *name;
    uint32_t terms; /* as above; @pow2(BITS) may say otherwise than the options */
    uint32_t bits;
    int lo, hi; /* exponents of the grid */
    uint32_t weights, zeros;
    double nearest; /* error with every weight rounded to the nearest, on the same input */
    double error;   /* error as it is, input and all, against the float network */
};

struct quantize_report {
    uint32_t n, images; /* layers; calibration images used */
    struct quantize_layer *layers;
};

/* Whether some layer asks for it by @pow2(BITS). */
bool quantize_pinned(const struct graph *g);
bool quantize(struct graph *g, const float *images, uint32_t n_images,
              const struct quantize_options *o, struct quantize_report *r, struct diag *d);

#endif
