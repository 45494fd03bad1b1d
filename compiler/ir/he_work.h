/* he_work.h - inside ir/: what prices of linear maps follow from. */
#ifndef OLAC_IR_HE_WORK_H
#define OLAC_IR_HE_WORK_H

#include "ir/he.h"

/* What a linear map takes follows from this: its rotations, the form that it is evaluated and kept
 * in, and how many entries of a limb its diagonals have in all. */
struct he_work {
    struct he_rotations r;
    uint32_t diagonals, outputs;
    double entries;
    bool late, compact, free_of_level;
};

/* The parameters inside a bootstrapping to out_level, q the room for its primes, and their literal.
 * False: no such bootstrapping. */
bool he_work_short(const struct he_params *p, uint32_t out_level, uint64_t q[OLA_MAX_Q],
                   struct he_params *out, struct ola_literal *left);
struct he_work he_work_of(const struct he_params *p, const struct he_map *m,
                          const struct he_rotations *r, uint32_t level);
/* A factor of a bootstrapping's transforms. */
struct he_work he_work_of_factor(const struct ola_literal *l, const struct ola_boot_factor *f);
/* Bytes of the diagonals: of compact ones their coefficients, else all limbs. */
double he_work_bytes(const struct he_params *p, const struct he_work *w, uint32_t level);

#endif
