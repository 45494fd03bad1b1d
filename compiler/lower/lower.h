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

struct he_program *lower(struct arena *a, const struct tp *t, uint32_t log_n, struct diag *d);

#endif
