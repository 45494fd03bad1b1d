/* params.h - primes, scale and key-switching shape for a ring degree. The door of params/.
 *
 * requires    the depth, how often keys are switched at each level, what the outputs need
 * establishes he_params: 128-bit secure by the table of ola/plan.h (unless insecure_toy), scale and
 *             primes large enough for the precision, the digit number with the least price
 * fails       returns false and sets *missing to the bits of modulus that are missing, above 0; no
 *             message: the pipeline tries other ring degrees and says what it found */
#ifndef OLAC_PARAMS_PARAMS_H
#define OLAC_PARAMS_PARAMS_H

#include "ir/he.h"

struct params_request {
    uint32_t log_n, security, depth;
    bool insecure_toy;
    double precision_bits; /* of the largest output left above the noise */
    /* log2 of the largest |output|, at least 0: room wanted in the last prime */
    double output_bits;
    /* outputs keep the default scale: less room than that will not do */
    bool output_fixed;
    const double *switches;       /* [depth + 1]: full key switches at each level */
    const struct he_costs *costs; /* as in he_params */
};

/* Bits of scale that leave `precision_bits` above the noise of one rounding; primes of fewer do not
 * exist in number. */
uint32_t params_least_scale(uint32_t log_n, double precision_bits);

/* A chain whose primes have sizes of their own. */
struct params_chain {
    uint32_t log_n, security;
    bool insecure_toy;
    uint32_t n;                   /* primes */
    const uint32_t *bits;         /* [n]: of q[0 .. n-1] */
    const double *switches;       /* [n]: full key switches at each level */
    const struct he_costs *costs; /* as in he_params */
};
bool params_chain(struct arena *a, const struct params_chain *r, struct he_params *out,
                  double *missing);

bool params_choose(struct arena *a, const struct params_request *r, struct he_params *out,
                   double *missing);

/* A set for programs that are bootstrapped: the circuit gets levels up to out_level. */
struct params_deep_request {
    uint32_t log_n, security, out_level, scale_bits;
    uint32_t digits; /* of a key switch at the top, at most */
    bool insecure_toy;
    const struct he_costs *costs; /* as in he_params */
};

/* False where the ring is too small for it. */
bool params_deep(struct arena *a, const struct params_deep_request *r, struct he_params *out);
/* The deviation, in bits, of one rounding in a slot at scale 1. */
double params_rounding_bits(uint32_t log_n);

#endif
