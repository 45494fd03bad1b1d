/* simplify.h - fold what can be computed now, name what exporters spell out. The door of simplify/.
 *
 * requires    STAGE_INFERRED
 * establishes STAGE_SIMPLIFIED: no Identity, Dropout, Constant; nodes of constants folded; moves
 *             that move nothing gone; BatchNormalization folded into the linear map before it where
 *             nothing else reads that map; GELU (erf and tanh forms), SiLU, HardSwish, Mish,
 *             Softplus, LayerNormalization, Softmax that an exporter wrote as several nodes one
 *             node again; Max and Min with a number Relu or Clip; no node that no output needs
 * leaves      names of inputs and outputs, shapes, what the network computes
 * dump        --dump=simplify */
#ifndef OLAC_SIMPLIFY_SIMPLIFY_H
#define OLAC_SIMPLIFY_SIMPLIFY_H

#include "ir/graph.h"

bool simplify(struct graph *g, struct diag *d);

#endif
