/* section.h - builds sections of a weights file for the tests. */
#ifndef CKKS_SECTION_H
#define CKKS_SECTION_H

#include "ola/plan.h"

struct section {
    unsigned char *bytes;
    size_t size, room;
};
struct diagonal {
    uint32_t arg, in_ct, out_ct, giant, baby, period;
    const float *value;
};

/* Diagonals in order; bias: out_cts * bias_period or NULL. */
struct section map_section(const struct ola_weights_map *head, const struct diagonal *d,
                           const uint32_t *folds, const double *bias);
/* coef[ct * (degree + 1) + k]: length[...] floats. */
struct section poly_section(const struct ola_weights_poly *head, const float *const *coef,
                            const uint32_t *length);

#endif
