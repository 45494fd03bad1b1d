/* plain.h - encoded plaintexts as they are kept: narrow where the prime allows it, and short where
 * the vector's period is: the transform of a polynomial in X^(N / count) is constant on blocks of N
 * / count entries. */
#ifndef OLA_CKKS_PLAIN_H
#define OLA_CKKS_PLAIN_H

#include "ckks/server.h"

struct ola_plain {
    uint32_t level,
        positions;  /* limbs: of q[0 .. level], and of all p when positions is above level + 1 */
    uint32_t count; /* residues kept of each limb: 1, 2 * period, at most N; 0: the plaintext 0 */
    void *data;     /* limb after limb */
    size_t bytes;
};

/* What encoding works with; grown as needed, by ola_plain_room. */
struct ola_plain_work {
    double *coef;   /* [n] */
    uint64_t *limb; /* [n] */
    uint32_t n;
};
OLA_MUST_CHECK ola_status ola_plain_work_new(struct ola_plain_work *w, uint32_t n);
void ola_plain_work_free(struct ola_plain_work *w);

/* v: `period` entries; a constant vector is kept as one residue, a zero one as none. extended:
 * modulo P too. OLA_ERR_RANGE when v * scale does not fit the modulus at `level`. */
OLA_MUST_CHECK ola_status ola_plain_new(const struct ola_params *p, struct ola_plain_work *w,
                                        const double *v, uint32_t period, uint32_t level,
                                        bool extended, double scale, struct ola_plain *out);
void ola_plain_free(struct ola_plain *plain);
/* Entries at .. at + OLA_CHUNK - 1 of the limb at a position: in place where they lie so, else
 * written to room. count != 0. */
const uint64_t *ola_plain_chunk(const struct ola_params *p, const struct ola_plain *plain,
                                uint32_t position, size_t at, uint64_t *room);

#endif
