/* sparse.h - a sparse map as it is evaluated: rows of lazy sums, partial sums before results.
 * Inside ckks/. */
#ifndef OLA_CKKS_SPARSE_H
#define OLA_CKKS_SPARSE_H

#include "ckks/encoder.h"
#include "ckks/server.h"
#include "plan/weights_parse.h"

/* A row. shifted: steps of shifts; the sum's size is below norm * q, that below 2^62. Else a sum
 * weighted by residues. */
struct ola_sparse_node {
    uint64_t norm;
    uint32_t first_term, terms, first_step, steps;
    bool shifted;
};

struct ola_sparse {
    const struct ola_params *params;
    struct ola_sparse_desc desc;
    struct ola_weights_sparse head;
    uint32_t nodes; /* temps + rows */
    bool weighted;  /* some row is */
    uint64_t additions, products;
    size_t bytes;
    uint64_t *constant; /* [limb][rows]: the bias */
    uint64_t *weight;   /* [limb][terms], where weighted */
    struct ola_sparse_node *node;
    struct ola_shifts *step;
    uint32_t *index; /* [terms]: columns */
};

#endif
