/* decompose.h - operators that are no linear map, no polynomial of one argument and no product
 * become compositions of these. The door of decompose/.
 *
 * requires    STAGE_SIMPLIFIED
 * establishes STAGE_SIMPLIFIED; MaxPool, Max, Softmax, LayerNormalization, quotients ... are nodes
 *             of the other classes that compute the same. Newton steps follow on the function
 *             itself, of which they change nothing: only its polynomial becomes nearer
 * fails       or what inference and the interpreter report; warns by W_DECOMPOSE_RANGE
 * leaves      names of inputs and outputs, shapes, what the network computes; composites that have
 *             no such form (approximate/ refuses them)
 * dump        --dump=decompose */
#ifndef OLAC_DECOMPOSE_DECOMPOSE_H
#define OLAC_DECOMPOSE_DECOMPOSE_H

#include "ir/graph.h"

/* images: n rows of the one float input, for the ranges that decide on steps; NULL: none are known,
 * and the fewest are taken. Activations that a composite becomes have its pins; without any, what
 * is divided by has the least degree that is near enough on its range. */
bool decompose(struct graph *g, const float *images, uint32_t n, struct diag *d);

#endif
