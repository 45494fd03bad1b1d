/* simulate.h - how good the network is before anything is encrypted: accuracy of the float network,
 * of the polynomials, of the weights as they are encoded, and with modelled CKKS noise; and the
 * error layer by layer, split into these three. The door of simulate/.
 *
 * requires    STAGE_APPROXIMATED of `approximated` and `quantised`; one float input; images as the
 *             network takes them
 * establishes the report; graphs are left as they are
 * fails       E_INPUT_DATA, E_SIM_LABELS (a label outside the classes), or what the interpreter
 *             reports
 *
 * An image has *diverged* when an output is not finite or above 100 times the largest output of the
 * float network on all images, or when an activation's input left [-1.5, 1.5] of its normalised
 * range ((x - center) / radius): polynomials grow fast out there, so the answer means nothing.
 * Images go through in blocks, each through all networks: memory for some 64 MiB of activations and
 * the outputs, whatever the number of images. Same images, seed and graphs: same report, at any
 * number of threads. */
#ifndef OLAC_SIMULATE_SIMULATE_H
#define OLAC_SIMULATE_SIMULATE_H

#include "ir/graph.h"

#define SIMULATE_OUTPUT_FACTOR 100.0
#define SIMULATE_RANGE         1.5

/* Each one is the one before it and one thing more. */
enum simulate_kind {
    SIMULATE_FLOAT,
    SIMULATE_APPROXIMATED,
    SIMULATE_QUANTISED,
    SIMULATE_NOISY,
    SIMULATE_KINDS
};

struct simulate_options {
    /* the float network; NULL: `approximated` without its polynomials */
    struct graph *exact;
    struct graph *approximated;
    /* a copy of `approximated` with its numbers as they are encoded; NULL: this kind is not run */
    struct graph *quantised;
    /* for each node: deviation of the noise that is new on every element of its outputs (what
     * comes along from nodes before it comes by itself), in the output's unit; NULL: no noisy
     * run */
    const double *noise;
    uint64_t seed;
    int threads; /* 0: all */
    void (*progress)(void *user, const char *what, uint32_t done, uint32_t all);
    void *user;
};

/* An activation. Errors are root mean squares over all elements of all images that diverged
 * nowhere. */
struct simulate_layer {
    const char *name;
    uint32_t degree, levels; /* levels = ceil(log2(degree + 1)) */
    double spread;           /* standard deviation of the float network's activation */
    /* error[kind]: of (activation of this kind - that of the kind run before it): approximation,
     * quantisation, noise; NAN for kinds that were not run. The total is their root of the sum of
     * squares; relative: it over the spread */
    double error[SIMULATE_KINDS], total, relative;
    /* images whose input was the first to leave [-1.5, 1.5] here (approximated) */
    uint32_t outside;
};

/* A diverged image: the first layer whose input left its range, NONE when only the outputs did. */
struct simulate_stray {
    uint32_t image, layer;
};

struct simulate_run {
    double accuracy; /* in [0, 1]; NAN without labels or where the network does not classify */
    uint32_t correct;
    uint32_t agree; /* images with the float network's answer (see op/answer.h) */
    uint32_t diverged;
    struct simulate_stray *stray; /* [diverged], images ascending */
    float *outputs; /* images x outputs, in the arena given; NULL: this kind was not run */
};

struct simulate_report {
    uint32_t images;
    int64_t n_outputs; /* elements of output 0 */
    double largest;    /* |output| of the float network */
    struct simulate_run run[SIMULATE_KINDS];
    struct simulate_layer *layers;
    uint32_t n_layers;
    uint32_t departs;              /* the first layer whose relative error is above 0.1; NONE */
    enum simulate_kind departs_by; /* the kind whose error is the largest there */
};

/* labels[images] or NULL. */
bool simulate(struct arena *a, const float *images, const int64_t *labels, uint32_t n_images,
              const struct simulate_options *o, struct simulate_report *r, struct diag *d);
/* "float", "approximated", "quantised", "noisy". */
const char *simulate_kind_name(enum simulate_kind kind);

#endif
