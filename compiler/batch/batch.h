/* batch.h - a batch of images: one ciphertext for each element of a tensor, one image in each slot.
 * The door of batch/.
 *
 * requires    a tensor program
 * establishes (batch_lower) HE_LOWERED: every linear map as it is, a sparse sum of ciphertexts by
 *             integers, without rotations; polynomials of degree 2 as squares, the rest of them in
 *             the maps before and behind; products left with three components until that is
 *             cheaper to mend;
 *             (batch_depths) how far every reduction goes down, so that scales are about right;
 *             (batch_chain) after schedule_levels: the sizes of the primes that this wants;
 *             (batch_scales) parameters chosen: integers, shared partial sums, exact scales
 * leaves      what is computed, up to the rounding of weights that are no powers of two
 * fails       E_LAYOUT_SIZE: a tensor of more elements than ciphertexts that can be handled
 * dump        --dump=lower, --dump=schedule
 *
 * A map whose weights are +- 2^k times one factor (checked, not declared) is exact: the factor goes
 * into the scale, which grows by the range of k: bits of modulus, no level. Sums of two powers are
 * whole numbers of such a unit, exact too: two shifts each where that takes less time.
 * Other weights are rounded to integers of BATCH_WEIGHT_BITS. */
#ifndef OLAC_BATCH_BATCH_H
#define OLAC_BATCH_BATCH_H

#include "ir/he.h"
#include "ir/tp.h"

#define BATCH_WEIGHT_BITS 12 /* of the largest weight of a map that is no power of two */

struct he_program *batch_lower(struct arena *a, const struct tp *t, uint32_t log_n, struct diag *d);

/* The chain of primes that a program wants: bits of q[0 .. n-1]. */
struct batch_chain {
    uint32_t n, *bits;
    double *switches; /* [n]: relinearisations at each level */
};
/* scale_bits: of a value that is multiplied next. slack: bits that a reduction may leave above that
 * when it needs one prime less then. */
void batch_depths(struct he_program *p, double scale_bits, double slack);
/* False when there are more primes than a chain may have. output_range: bound on |output|. */
bool batch_chain(struct he_program *p, double scale_bits, double output_range,
                 struct batch_chain *out);
void batch_scales(struct he_program *p, double scale_bits, double output_range);

#endif
