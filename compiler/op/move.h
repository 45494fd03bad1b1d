/* move.h - what the operators that only move elements share: ways to read one tensor in another
 * order. They work on floats and integers alike (op_linear_move calls them on indices). */
#ifndef OLAC_OP_MOVE_H
#define OLAC_OP_MOVE_H

#include "op/op.h"

/* The same elements in the same order under another shape. */
struct tensor move_reshape(struct arena *a, const struct tensor *x, const struct shape *shape);
/* Element index[] of the result is x[base + sum index[k] * stride[k]]. */
struct tensor move_view(struct arena *a, const struct tensor *x, const struct shape *shape,
                        int64_t base, const int64_t *stride);
/* Element index[] of an output that takes x[map[0][index[0]], map[1][index[1]], ...]: where in x
 * (of this shape) it comes from; -1 when one of the maps says -1. */
int64_t move_at(const struct shape *x, int64_t *const *map, const int64_t *index);
/* Maps for move_at, one of dim[k] entries for each dimension of the shape; zeroed. */
int64_t **move_maps(struct arena *a, const struct shape *shape);

/* eval of an op that gives input 0 another shape. */
bool move_eval_reshape(struct op_ctx *c, const struct tensor *const *in, struct tensor *out);
/* "axes" (attribute, or constant input `in`) as a set of dimensions of a tensor of this rank, each
 * at most once. */
bool move_axes(struct op_ctx *c, int in, int rank, bool *set, uint32_t *n, bool *present);

#endif
