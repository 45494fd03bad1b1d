/* boot_sets.c - parameter sets for bootstrapping that are ready to use: the sizes of their primes.
 * EvalMod's and CoeffsToSlots' were found by a search for the least modelled error
 * (ola_plan_boot_noise) with so many bits in all. */
#include "ola/plan.h"

#include <math.h>

/* Bits of primes from q[0] up, and of p; 0 ends a list. */
struct set {
    uint8_t log_n, digit_limbs;
    uint8_t q[32], p[9];
    struct ola_boot_shape boot; /* but out_level */
    double in_bits, out_bits;   /* of the scales */
};

static const struct set sets[] = {
    {15,
     4,
     {36, 25, 25, 28, 28, 28, 28, 28, 28, 28, 28, 28, 34, 40, 39, 38, 41, 44, 38, 32, 30, 34},
     {39, 39, 39, 39},
     {2, 3, 30, 2, 12, 0},
     28.0,
     28.0},
    {15,
     3,
     {36, 25, 25, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 36, 40, 39, 40, 41, 45, 39, 33, 30, 35},
     {41, 41, 41},
     {2, 3, 30, 2, 12, 0},
     28.0,
     28.0},
    {15,
     4,
     {36, 25, 25, 28, 28, 28, 28, 28, 28, 28, 28, 33, 36, 40, 38, 38, 40, 44, 37, 31, 29, 34},
     {39, 39, 39, 40},
     {2, 3, 30, 3, 16, 0},
     28.0,
     28.0},
    {16,
     8,
     {48, 36, 36, 36, 38, 38, 38, 38, 38, 38, 38, 38, 38, 38, 38,
      38, 38, 38, 38, 39, 45, 49, 47, 49, 49, 49, 48, 39, 38, 46},
     {48, 48, 48, 48, 48, 48, 48, 48},
     {3, 3, 30, 3, 16, 0},
     38.5,
     38.0},
};

bool
ola_plan_boot_set(uint32_t number, struct ola_literal *out, double *in_scale, double *out_scale)
{
    uint64_t prime[sizeof sets->q + sizeof sets->p];
    uint32_t n = 0;
    if (number >= sizeof sets / sizeof *sets)
        return false;
    const struct set *set = &sets[number];
    *out = (struct ola_literal){
        .log_n = set->log_n, .digit_limbs = set->digit_limbs, .boot = set->boot};
    for (uint32_t k = 0; k < sizeof set->q && set->q[k] != 0; k++, n++) {
        if (!ola_plan_primes(set->log_n, set->q[k], 1, prime, n, &prime[n]))
            return false;
        out->q[out->n_q++] = prime[n];
    }
    for (uint32_t k = 0; k < sizeof set->p && set->p[k] != 0; k++, n++) {
        if (!ola_plan_primes(set->log_n, set->p[k], 1, prime, n, &prime[n]))
            return false;
        out->p[out->n_p++] = prime[n];
    }
    out->boot.out_level =
        out->n_q - 1 - set->boot.cts - ola_plan_poly_depth(set->boot.degree) - set->boot.doubles;
    *in_scale = exp2(set->in_bits);
    *out_scale = exp2(set->out_bits);
    return true;
}
