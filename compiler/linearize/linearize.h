/* linearize.h - from the graph to the tensor program. The door of linearize/.
 *
 * requires    STAGE_APPROXIMATED
 * establishes a tensor program: every linear operator a sparse matrix, moves and per-channel
 *             scalings merged into the maps beside them, every activation a polynomial on [-1, 1]
 *             whose normalisation went into the map before it, a degree-1 polynomial a map; every
 *             product's second factor is read only there and has a scale that can be chosen (a
 *             map, or a polynomial that is squared)
 * leaves      what the network computes
 * fails       450-469: an operator that has no form on encrypted data, a matrix that is too large
 * dump        --dump=linearize */
#ifndef OLAC_LINEARIZE_LINEARIZE_H
#define OLAC_LINEARIZE_LINEARIZE_H

#include "ir/tp.h"

struct tp *linearize(struct arena *a, struct graph *g, struct diag *d);

#endif
