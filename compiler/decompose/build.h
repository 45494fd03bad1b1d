/* build.h - what the rewrites of decompose/ share: nodes in place of another one. */
#ifndef OLAC_DECOMPOSE_BUILD_H
#define OLAC_DECOMPOSE_BUILD_H

#include "op/op.h"

/* The node that is taken apart; a copy, for nodes move as new ones are added. */
struct rewrite {
    struct graph *g;
    struct node at;
    /* Softmax: how often to square and divide by the mean, see plan.h */
    uint32_t normalisations;
};

/* Each makes what the node computes of other nodes, and gives the value that takes the place of its
 * first output; NONE, and nothing added, when it has no such form. */
uint32_t rewrite_maxpool(struct rewrite *r);
uint32_t rewrite_globalmaxpool(struct rewrite *r);
uint32_t rewrite_reducemax(struct rewrite *r);
uint32_t rewrite_max(struct rewrite *r); /* Min too */
uint32_t rewrite_softmax(struct rewrite *r);
uint32_t rewrite_logsoftmax(struct rewrite *r);
uint32_t rewrite_layernorm(struct rewrite *r);
uint32_t rewrite_instancenorm(struct rewrite *r);
uint32_t rewrite_div(struct rewrite *r);
uint32_t rewrite_pow(struct rewrite *r);
uint32_t rewrite_reciprocal(struct rewrite *r); /* of a Sqrt */
/* A step towards 1 / x, y <- y (2 - x y), or with root towards 1 / sqrt(x), y <- y (3 - x y^2) / 2.
 */
uint32_t newton_step(struct rewrite *r, uint32_t x, uint32_t y, bool root);
/* Softmax: the axes along which it goes, and the elements of a row. */
int64_t softmax_row(const struct rewrite *r, bool axis[MAX_RANK]);

/* Transposes that move axis 1 to the end go as far down as they can, see channels.c. Requires
 * shapes; leaves nodes out of order, and shapes of new constants unknown. */
void turn_channels(struct graph *g);

/* The value of a new node "<the node's name>.<what>"; an activation gets the node's pins. Its shape
 * is not known until inference. */
uint32_t build(struct rewrite *r, enum op_id op, const char *what, const uint32_t *in,
               uint32_t n_in);
uint32_t build_unary(struct rewrite *r, enum op_id op, const char *what, uint32_t x);
uint32_t build_binary(struct rewrite *r, enum op_id op, const char *what, uint32_t x, uint32_t y);
/* The mean over the axes that are set, kept as dimensions of 1. */
uint32_t build_mean(struct rewrite *r, const char *what, uint32_t x, const bool axis[MAX_RANK]);
uint32_t build_gather(struct rewrite *r, const char *what, uint32_t x, int axis,
                      const int64_t *index, int64_t n);
/* x repeated to a shape: before an activation rather than behind it, where it would take a level.
 */
uint32_t build_expand(struct rewrite *r, const char *what, uint32_t x, const struct shape *to);
uint32_t build_reshape(struct rewrite *r, const char *what, uint32_t x, const struct shape *to);
uint32_t build_number(struct rewrite *r, double v);
uint32_t build_ints(struct rewrite *r, const int64_t *v, int64_t n);

/* Input k, and its shape. */
uint32_t rewrite_in(const struct rewrite *r, uint32_t k);
const struct shape *rewrite_shape(const struct rewrite *r, uint32_t value);
/* Whether an output beyond the first is read. */
bool rewrite_more_wanted(const struct rewrite *r);

#endif
