/* boot_test.h - what the tests of bootstrapping share: parameter sets, everything made with one. */
#ifndef BOOT_TEST_H
#define BOOT_TEST_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot_impl.h"
#include "client/client_internal.h"
#include "ola/client.h"

#define OK(call) cr_assert_eq((call), OLA_OK, #call)

struct world {
    struct ola_literal l;
    uint32_t slots, period;
    double in_scale, out_scale;
    struct ola_boot_plan plan;
    ola_params *p;
    ola_client *client;
    ola_keys *keys;
    ola_server *server;
    ola_boot *boot;
    ola_ct *a, *b, *c;
    double *x; /* [slots], in [-1, 1], repeats with the period */
};

/* Primes of these bits from q[0] up, then p; the shape's out_level is filled in. */
struct ola_literal literal_of(uint32_t log_n, const uint32_t *q, uint32_t n_q, const uint32_t *p,
                              uint32_t n_p, struct ola_boot_shape boot);
/* N = 2^log_n, primes of 45 bits: noise is small. stc, cts as wanted; one level for the circuit. */
struct ola_literal toy_of(uint32_t log_n, uint32_t stc, uint32_t cts);
/* Keys for the period's plan, but the rotation of this number. */
void world_open(struct world *w, struct ola_literal l, uint32_t period, double in_scale,
                double out_scale, uint32_t missing);
void world_close(struct world *w);
/* The deviation of ct's slots from want[slots]. */
double deviation(const struct world *w, const ola_ct *ct, const double *want);
/* j's lowest `bits` bits in reverse. */
uint32_t reversed(uint32_t j, uint32_t bits);

#endif
