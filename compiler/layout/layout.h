/* layout.h - where every element of every tensor sits in the slots. The door of layout/.
 *
 * requires    a tensor program
 * establishes on every node: layout, grid (where there is one), split (how its linear map is
 *             evaluated: period, baby steps, folds; alias and level-free maps); neighbouring maps
 *             merged where one map is cheaper than two and the level between them; both factors of
 *             a product under one layout
 * leaves      what the program computes
 * fails       E_LAYOUT_SIZE
 * dump        --dump=layout
 *
 * Tensors with a height and a width lie on a grid that resolutions share: a stride widens the
 * gaps between neighbours and channels move into them (multiplexed packing, Lee et al., ICML
 * 2022), so a convolution keeps few different offsets between output and input slot, which is
 * what it pays for. */
#ifndef OLAC_LAYOUT_LAYOUT_H
#define OLAC_LAYOUT_LAYOUT_H

#include "ir/tp.h"

bool layout(struct tp *t, uint32_t log_n, struct diag *d);

#endif
