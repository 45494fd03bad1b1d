/* plain.h - encoded plaintexts as they are kept: narrow where the prime allows it, and short where
 * the vector's period is: the transform of a polynomial in X^(N / count) is constant on blocks of N
 * / count entries. A compact one is kept as its coefficients, a small part of the size, and is
 * transformed whenever it is used. */
#ifndef OLA_CKKS_PLAIN_H
#define OLA_CKKS_PLAIN_H

#include "ckks/server.h"

struct ola_plain {
    uint32_t level,
        positions;  /* limbs: of q[0 .. level], and of all p when positions is above level + 1 */
    uint32_t count; /* residues kept of each limb: 1, 2 * period, at most N; 0: the plaintext 0 */
    uint32_t width; /* 0: limbs are kept; 4, 8: coefficients of this many bytes, `count` of them */
    void *data;     /* limb after limb, or coefficients */
    size_t bytes;
};

/* One limb, ready for use: `count` residues, each for N / count entries. */
struct ola_plain_limb {
    const void *data;
    uint32_t count, width; /* width: bytes of a residue */
};

/* What encoding works with; grown as needed, by ola_plain_room. */
struct ola_plain_work {
    double *coef;   /* [n] */
    uint64_t *limb; /* [n] */
    uint32_t n;
};
OLA_MUST_CHECK ola_status ola_plain_work_new(struct ola_plain_work *w, uint32_t n);
void ola_plain_work_free(struct ola_plain_work *w);

struct ola_plain_kind {
    uint32_t level;
    bool extended, compact;
    double scale;
};
/* v: `period` entries; a constant vector is kept as one residue, a zero one as none. extended:
 * modulo P too. compact: as coefficients, when there are some and they are below 2^50.
 * OLA_ERR_RANGE when v * scale does not fit the modulus at `level`. */
OLA_MUST_CHECK ola_status ola_plain_new(const struct ola_params *p, struct ola_plain_work *w,
                                        const double *v, uint32_t period,
                                        struct ola_plain_kind kind, struct ola_plain *out);
/* Of complex slots v + i im (im NULL: 0). */
OLA_MUST_CHECK ola_status ola_plain_complex(const struct ola_params *p, struct ola_plain_work *w,
                                            const double *v, const double *im, uint32_t period,
                                            struct ola_plain_kind kind, struct ola_plain *out);
void ola_plain_free(struct ola_plain *plain);
/* The limb at a position, in place or (of a compact one) transformed into room, N words. count !=
 * 0. */
struct ola_plain_limb ola_plain_limb(const struct ola_params *p, const struct ola_plain *plain,
                                     uint32_t position, uint64_t *room);
/* Entries at .. at + OLA_CHUNK - 1 of a limb, of limb.width bytes: in place where they lie so, else
 * written to room. */
const void *ola_plain_entries(const struct ola_params *p, struct ola_plain_limb limb, size_t at,
                              void *room);
/* The same of 8 bytes. */
const uint64_t *ola_plain_chunk(const struct ola_params *p, struct ola_plain_limb limb, size_t at,
                                uint64_t *room);

#endif
