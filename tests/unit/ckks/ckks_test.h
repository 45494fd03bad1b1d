/* ckks_test.h - what the tests of the scheme share: parameter sets, a client with a server,
 * vectors. */
#ifndef CKKS_TEST_H
#define CKKS_TEST_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ckks/ckks.h"
#include "ola/client.h"
#include "ola/ola.h"

/* A parameter set and everything made with it. Keys are for all levels. */
struct world {
    struct ola_literal literal;
    ola_params *params;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    uint32_t slots;
    double scale;
};

/* n_q primes (the first of 49 bits, the rest of `bits`), n_p of p_bits, keys for relinearisation
 * and the steps. */
struct world_spec {
    uint32_t log_n, n_q, bits, n_p, p_bits, digit_limbs;
    bool toy;
    uint32_t n_steps;
    uint32_t steps[24];
};
void world_open(struct world *w, const struct world_spec *spec);
void world_close(struct world *w);

/* Uniform in [-1, 1], from a generator of its own. */
void fill_random(double *v, uint32_t n, uint64_t seed);
ola_ct *encrypt(const struct world *w, const double *v, uint32_t level, double scale);
ola_ct *empty(const struct world *w);
/* The largest difference between ct's slots and want. */
double distance(const struct world *w, const ola_ct *ct, const double *want);

/* Six standard deviations of the error that fresh noise, rounding by a rescale, or a key switch
 * leaves in a slot, over `scale`. A polynomial with independent coefficients of deviation d has
 * slots of deviation d * sqrt(N). */
double bound_fresh(const struct world *w, double scale);
double bound_rounding(const struct world *w, double scale);
double bound_switch(const struct world *w, double scale);

#define OK(call) cr_assert_eq((call), OLA_OK)

#endif
