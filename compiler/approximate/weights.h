/* weights.h - a linear map, as its weights see it: which element of the weight meets which element
 * of the input in which element of the output. Found by asking the operator for its matrix with
 * numbers in place of the weights, so that any operator that is linear in its weight will do. */
#ifndef OLAC_APPROXIMATE_WEIGHTS_H
#define OLAC_APPROXIMATE_WEIGHTS_H

#include "op/op.h"

/* Channels that read the same elements of the input, each with weights of its own: a group of a
 * convolution, all outputs of a dense layer. */
struct weight_group {
    uint32_t channels;
    uint32_t *weight; /* [channels][taps]: place in the weight */
    uint32_t *bias;   /* [channels]: place in the bias; NULL where there is none */
    uint32_t *out;    /* [channels][positions]: elements of the output */
    uint32_t *from;   /* [positions][taps]: elements of the input; NONE: beyond its edge */
};

struct weights {
    uint32_t taps, positions;
    uint32_t n;
    struct weight_group *group;
};

/* Of a node with one encrypted input, the first, and a constant weight that nobody else reads.
 * False, without an error, when the node is no such map or one too large to be worth it. */
bool weights_read(struct arena *a, const struct graph *g, uint32_t node, struct weights *out);
/* What can be seen without looking at the matrix. */
bool weights_possible(const struct graph *g, uint32_t node);

#endif
