/* lower.h - from a placed tensor program to the HE program. The door of lower/.
 *
 * requires    layouts and splits on every node
 * establishes HE_LOWERED: instructions, generalised diagonals, folds, polynomials' coefficient
 *             vectors, ports with the runs that say which element goes into which slot; no level,
 *             no scale
 * leaves      what is computed: he_eval of the result equals tp_eval
 * dump        --dump=lower */
#ifndef OLAC_LOWER_LOWER_H
#define OLAC_LOWER_LOWER_H

#include "ir/he.h"
#include "ir/tp.h"

/* lower_plan and lower_weights. */
struct he_program *lower(struct arena *a, const struct tp *t, uint32_t log_n, struct diag *d);
/* All but what is only emitted: the weights of the diagonals, which take most of the memory and no
 * part in a price, and the slots of the outputs that are known to be 0. */
struct he_program *lower_plan(struct arena *a, const struct tp *t, uint32_t log_n, struct diag *d);
/* These, of a program that may be scheduled since; the tensor program must still be there. */
void lower_weights(struct he_program *p);

#endif
