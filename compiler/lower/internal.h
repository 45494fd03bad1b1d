/* internal.h - what the files of lower/ share. */
#ifndef OLAC_LOWER_INTERNAL_H
#define OLAC_LOWER_INTERNAL_H

#include "ir/he.h"
#include "ir/tp.h"

/* The diagonals, folds and bias of a linear node (neither alias nor plain sum); no weights. */
void lower_map(struct arena *a, const struct tp *t, const struct tp_node *n, uint32_t slots,
               struct he_map *out);
/* The weights of its diagonals. */
void lower_map_weights(struct arena *a, const struct tp *t, const struct tp_node *n, uint32_t slots,
                       struct he_map *m);

#endif
