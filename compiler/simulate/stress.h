/* stress.h - images that no data set holds: noise, flat, saturated and drawn ones, in the input's
 * own range, and how many of them make the polynomials run away. A second door of simulate/.
 *
 * Deterministic: same seed, range and data, same images and counts. */
#ifndef OLAC_SIMULATE_STRESS_H
#define OLAC_SIMULATE_STRESS_H

#include "simulate/simulate.h"

#define STRESS_KINDS 10

/* The range of each channel of the input (dimension 1 of a rank-4 input, else each element). */
struct stress_range {
    uint32_t channels;
    double *low, *high;
};

struct stress_options {
    uint32_t images; /* of all kinds together: image k is of kind k mod STRESS_KINDS */
    uint64_t seed;
    struct stress_range range;
    const float *data; /* images as the network takes them, for the kinds that spoil one */
    uint32_t n_data;   /* >= 1 */
    double largest;    /* |output| of the float network on them: struct simulate_report */
};

struct stress_kind {
    const char *name; /* "uniform noise" */
    uint32_t images;
    uint32_t diverged; /* as simulate.h says; of these: */
    uint32_t ran_away; /* with outputs that are not finite or far too large */
    uint32_t agree;    /* with the float network's answer */
};

struct stress_report {
    struct stress_kind kind[STRESS_KINDS], all;
};

/* By the pixels that the model speaks of (bytes 0 .. 255), else by the least and the largest value
 * of each channel of the data. */
struct stress_range stress_range_of(struct arena *a, const struct graph *g, const float *data,
                                    uint32_t n);
/* Image k, as the network takes it. */
void stress_image(const struct graph *g, const struct stress_options *s, uint32_t image, float *to);
/* o->approximated against the same network without its polynomials. */
bool simulate_stress(const struct simulate_options *o, const struct stress_options *s,
                     struct stress_report *r, struct diag *d);

#endif
