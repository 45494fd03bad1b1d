/* refit.h - the weights of a linear map once more, when polynomials stand before it: what it is
 * fed has changed, and least squares finds the weights that make of it what the trained ones made
 * of the true activations. Costs nothing on encrypted data. */
#ifndef OLAC_APPROXIMATE_REFIT_H
#define OLAC_APPROXIMATE_REFIT_H

#include "op/op.h"

/* What the map at a node is fed on n images, by the approximated and by the clean network. */
struct refit_data {
    const float *fed, *clean; /* rows of its input */
    /* rows of its output's size, or NULL: what will be added to the output, of both networks; the
     * weights make up for their difference, too */
    const float *added, *added_clean;
    uint32_t n;
};

/* Changes the constants' data where images that did not take part are nearer to the clean network
 * afterwards; the trained ones stay in value->trained. */
void refit_map(struct graph *g, uint32_t node, const struct refit_data *data);
/* All constants as trained. */
void refit_undo(struct graph *g);

#endif
