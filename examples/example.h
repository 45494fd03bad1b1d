/* example.h - what the first three examples share: stopping at an error, and a small set of
 * parameters. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <ola/client.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every function of libola that can fail says so. A product would clean up and go on; an example
 * stops. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        ola_status status_ = (call);                                                               \
        if (status_ != OLA_OK) {                                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, ola_status_text(status_));          \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define BITS  38 /* of the primes that rescaling divides by */
#define SCALE ((double)(UINT64_C(1) << BITS))

/* N = 2^14 with so many levels (at most 7): one prime of 49 bits that stays, one of 38 bits for
 * each level, and two of 49 bits for key switching, which handles a ciphertext in digits of two
 * primes. libola looks the sum of the bits up in a table and refuses what is not 128-bit secure. */
static inline ola_params *
example_params(uint32_t levels)
{
    struct ola_literal l = {.log_n = 14, .n_q = levels + 1, .n_p = 2, .digit_limbs = 2};
    uint64_t wide[3];
    ola_params *p;
    if (levels > 7 || !ola_plan_primes(l.log_n, OLA_PRIME_BITS, 3, NULL, 0, wide) ||
        !ola_plan_primes(l.log_n, BITS, levels, wide, 3, l.q + 1)) {
        fprintf(stderr, "there are no such primes\n");
        exit(1);
    }
    l.p[0] = wide[0];
    l.p[1] = wide[1];
    l.q[0] = wide[2];
    TRY(ola_params_new(&l, &p));
    printf("N = 2^%u, log QP = %.0f, %u-bit secure, %u numbers in a ciphertext\n", l.log_n,
           ola_params_log_qp(p), ola_params_security(p), ola_params_slots(p));
    return p;
}

#endif
