/* layer.h - the polynomials of one activation, from what the calibration images feed it. */
#ifndef OLAC_APPROXIMATE_LAYER_H
#define OLAC_APPROXIMATE_LAYER_H

#include "approximate/fit.h"
#include "op/op.h"

/* What the activation at a node is fed on n images: inputs of the approximated and of the clean
 * network, rows of shape_size floats. */
struct layer_data {
    const float *fed, *clean;
    uint32_t n;
    /* as many rows more are of guards: images that need not be answered well, but kept from running
     * away */
    uint32_t guards;
    /* and behind them so many of images whose values carry noise: the range holds what they feed */
    uint32_t noisy;
};

struct layer_options {
    uint32_t degree;
    double widen, hold, beyond; /* see fit.h */
    bool per_layer;     /* one polynomial for all channels, where the function is the same in all */
    enum fit_grid grid; /* coefficients of powers of two; one polynomial for all channels */
    bool lower;         /* degree 1 where the function is straight on all that was seen */
    /* receives whether noise moves the values of most channels that are not constant by half as
     * much as they differ; NULL: not wanted */
    bool *drowned;
    double *error; /* [channels]: receives the mean square error of each; NULL: not wanted */
};

/* A polynomial for each channel, in the graph's arena. NULL after an error (E_APPROX_VALUES,
 * E_APPROX_DOMAIN, E_APPROX_FIT). */
struct poly *layer_fit(struct graph *g, uint32_t node, const struct layer_data *data,
                       const struct layer_options *o, struct diag *d);

#endif
