/* weights_parse.h - reading the sections of a weights file (ola/plan.h) without believing a byte of
 * them. A view is made over a section's bytes, which stay the caller's and must outlive it; it
 * holds only after its open function said true. Pure functions, no allocation, no alignment wanted;
 * the real runtime and the simulator read by this one code.
 *
 * What a section must be beyond ola/plan.h:
 *  - parts follow one another without padding; reserved fields are 0; every float is finite;
 *  - args, in_cts and out_cts are at least 1; at most OLA_VIEW_CTS ciphertexts go in or come out;
 *  - diagonals ascend strictly by (out_ct, giant, arg, in_ct, baby);
 *  - periods are powers of two, at most the slots;
 *  - values lie behind the bias and inside the section;
 *  - diagonals may share values, but all together name at most OLA_VIEW_SHARING times the section's
 *    size (so that checking takes linear time), and the coefficients of a polynomial, vectors all
 *    of them, would take at most as much;
 *  - encoding 0: count == period. Encoding 1: 1 <= count <= period runs, none empty, which sum to
 *    period;
 *  - free_of_level: every value is 1 and none is stored: count and encoding are 0;
 *  - a poly section ends with its last float, a sparse one with its last weight or bias;
 *  - a sparse section has at most OLA_VIEW_CTS columns and rows and OLA_VIEW_TEMPS partial sums,
 *    each read by rows behind it only; no weight is 0. */
#ifndef OLA_PLAN_WEIGHTS_PARSE_H
#define OLA_PLAN_WEIGHTS_PARSE_H

#include <string.h>

#include "ola/plan.h"

#define OLA_VIEW_CTS     65536u
#define OLA_VIEW_TEMPS   1048576u
#define OLA_VIEW_FOLDS   64u
#define OLA_VIEW_SHARING 1024u

struct ola_map_view {
    struct ola_weights_map head;
    const uint8_t *bytes;
    size_t size;
    const struct ola_map_made *made; /* a map that is computed: in place of bytes */
};

/* Without folds and bias, and good by construction; complex values. */
struct ola_map_made {
    const struct ola_weights_diagonal *diagonal; /* [n_diagonals] */
    /* re, im [period] of a diagonal; called by several threads. */
    void (*values)(const void *of, uint32_t k, double *re, double *im);
    const void *of;
    bool early; /* not a late map (ckks/map.h): its diagonals are dear */
};

/* Checks the whole section against `slots` = N / 2. */
bool ola_map_view_open(struct ola_map_view *v, const void *section, size_t size, uint32_t slots);
/* k < head.n_diagonals. */
struct ola_weights_diagonal ola_map_view_diagonal(const struct ola_map_view *v, uint32_t k);
/* out[period]. With free_of_level: ones. */
void ola_map_view_values(const struct ola_map_view *v, const struct ola_weights_diagonal *d,
                         double *out);
/* k < head.n_folds; in [1, slots). */
uint32_t ola_map_view_fold(const struct ola_map_view *v, uint32_t k);
/* out[head.bias_period] of one output ciphertext; nothing when bias_period is 0. */
void ola_map_view_bias(const struct ola_map_view *v, uint32_t out_ct, double *out);

struct ola_poly_view {
    struct ola_weights_poly head;
    uint32_t period; /* 1 when every coefficient is one number, else head.period */
    const uint8_t *bytes;
    size_t size;
};

bool ola_poly_view_open(struct ola_poly_view *v, const void *section, size_t size, uint32_t slots);
/* Of one ciphertext: out[(degree + 1) * period], coefficient by coefficient, `period` that of the
 * view. */
void ola_poly_view_coefs(const struct ola_poly_view *v, uint32_t ct, double *out);

/* sparse_parse.c */
struct ola_sparse_view {
    struct ola_weights_sparse head;
    const uint8_t *bytes;
};
struct ola_sparse_term {
    uint32_t column;
    bool negative;
    uint32_t shift;  /* shifts: the exponent */
    uint64_t weight; /* integers: its size; shifts: 2^shift */
};

bool ola_sparse_view_open(struct ola_sparse_view *v, const void *section, size_t size);
/* Terms before row k; k <= temps + rows. */
uint32_t ola_sparse_view_start(const struct ola_sparse_view *v, uint32_t k);
/* t < head.terms. */
struct ola_sparse_term ola_sparse_view_term(const struct ola_sparse_view *v, uint32_t t);
/* Of result k < rows; 0 where there is none. */
double ola_sparse_view_bias(const struct ola_sparse_view *v, uint32_t k);
/* What evaluating it takes in operations on ciphertexts: additions (of a bias too) and products
 * with an integer other than 1 and -1: for each exponent of a row that ola_plan_sparse_lazy allows,
 * for each term of another. q: the largest prime of its level. */
void ola_sparse_view_count(const struct ola_sparse_view *v, uint64_t q, uint64_t *additions,
                           uint64_t *products);

/* A word of a section, wherever it lies. */
static inline uint32_t
read_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

#endif
