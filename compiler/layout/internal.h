/* internal.h - what the files of layout/ share. */
#ifndef OLAC_LAYOUT_INTERNAL_H
#define OLAC_LAYOUT_INTERNAL_H

#include "ir/tp.h"

/* Prices in giant steps. From the shares measured at N = 2^14 on six limbs; only their ratios
 * matter here. */
#define PRICE_ROTATION  1.0
#define PRICE_HOISTED   0.58
#define PRICE_DECOMPOSE 0.4 /* once an input ciphertext that is rotated by hoisting */
#define PRICE_DIAGONAL  0.035
#define PRICE_LEVEL     5.0  /* one more limb on all that comes before */
#define PRICE_KEY       0.05 /* a rotation key to make, send and keep */

/* [C, H, W] of a shape: the last two dimensions are the plane where there are at least three. */
void grid_dims(const struct shape *s, uint32_t *c, uint32_t *h, uint32_t *w);
/* A grid of its own: rows of w, planes of a power of two. Without a plane (h = w = 1) slot =
 * channel. */
struct tp_grid grid_compact(uint32_t c, uint32_t h, uint32_t w);
/* The same grid as `base` with another gap; present == false when c, h, w do not fit it. */
struct tp_grid grid_regap(const struct tp_grid *base, uint32_t c, uint32_t h, uint32_t w,
                          uint32_t gap, bool packed);
/* Slots of all elements; false when they span more than MAX_CTS ciphertexts. */
#define MAX_CTS 4096
bool grid_layout(struct arena *a, const struct tp_grid *g, const struct shape *shape,
                 uint32_t slots, struct he_layout *out);
/* The grid that explains a layout exactly, if the compact one or `like` does. */
struct tp_grid grid_recognise(struct arena *a, const struct he_layout *l,
                              const struct tp_grid *like, uint32_t slots);

/* Distinct offsets between input and output slot of a linear node under given layouts. too_many:
 * more than `limit` of them are left modulo the output's period, which is what any split pays for;
 * or more than can be told apart. */
struct offset {
    uint32_t arg, in_ct, out_ct;
    int32_t delta; /* input slot - output slot */
};
struct offsets {
    VEC(struct offset) at;
    bool too_many;
};
void offsets_find(struct arena *a, const struct tp *t, const struct tp_node *n,
                  const struct he_layout *out, uint32_t slots, uint64_t limit, struct offsets *o);
/* The best split for an output period K and its price. */
double split_price(const struct tp *t, const struct tp_node *n, const struct offsets *o,
                   const struct he_layout *out, uint32_t fold, uint32_t slots,
                   struct tp_split *best);

#endif
