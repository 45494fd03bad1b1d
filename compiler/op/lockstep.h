/* lockstep.h - the clean network and one that is being changed (by polynomials, by rounded
 * weights), side by side over all calibration images, a stretch of nodes at a time: each node is
 * computed once an image, and what the nodes to come will read is kept for all images. */
#ifndef OLAC_OP_LOCKSTEP_H
#define OLAC_OP_LOCKSTEP_H

#include "op/interpret.h"

/* What may be kept at a time; more images than fit are not used. */
#define LOCKSTEP_BYTES ((double)(1 << 30))

struct lockstep;

/* How many of n images fit (at least 1), when the network is advanced to each node of stop[] in
 * turn. */
uint32_t lockstep_images(const struct graph *g, const uint32_t *stop, uint32_t n_stop, uint32_t n);
/* `ours` runs with the polynomials that its nodes have, `clean` without any; both are one graph, or
 * differ in constants only. images: n rows of the one float input; not copied. */
struct lockstep *lockstep_new(struct graph *clean, struct graph *ours, const float *images,
                              uint32_t n);
/* Computes the nodes up to `stop` (not with it), polynomials and constants as they are now. False
 * after an error of the interpreter. */
bool lockstep_advance(struct lockstep *s, uint32_t stop, struct diag *d);
/* The nodes that are not computed yet, from the clean values, with the polynomials that they have
 * now: n rows of output 0. Nothing is kept. */
bool lockstep_rest(const struct lockstep *s, float *out, struct diag *d);
/* A value that a later node or an output reads: n rows of shape_size floats. */
const float *lockstep_value(const struct lockstep *s, uint32_t value, bool clean);
/* Adds to ours, from row `first` on, what evaluating it encrypted may add: by its place up or down
 * by `share` of the largest |element| of the first `seen` rows, or of 1 where that is larger. */
void lockstep_disturb(struct lockstep *s, uint32_t value, uint32_t seen, uint32_t first,
                      double share);
/* The same for rows of `size` floats. */
void lockstep_disturb_rows(float *rows, size_t size, uint32_t seen, uint32_t first, uint32_t n,
                           double share);
void lockstep_free(struct lockstep *s);

#endif
