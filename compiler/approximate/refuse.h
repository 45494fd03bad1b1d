/* refuse.h - what cannot be approximated, said before any data are looked at. */
#ifndef OLAC_APPROXIMATE_REFUSE_H
#define OLAC_APPROXIMATE_REFUSE_H

#include "op/op.h"

/* Reports every node that has no polynomial form: E_COMPOSITE, E_NOT_CONST, E_APPROX_DEGREE. */
bool refuse(const struct graph *g, const uint32_t *set_degree, struct diag *d);

#endif
