/* sim.h - what libola_sim has beyond ola.h and client.h: the switch of its noise model. */
#ifndef OLA_SIM_H
#define OLA_SIM_H

#include "ola/ola.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Adds to every operation Gaussian noise of the deviation that the noise model gives for the real
 * one (ring degree, primes, digits, scale; derived in sim/noise.c), drawn from `seed` and from the
 * operations that led to the value, not from time or threads: the same program on the same input
 * gives the same bytes. 0 turns it off (the default): values are then exact in double precision.
 * Call it before the parameters are used; noise enters where a ciphertext is made or operated on
 * under them.
 *
 * A bootstrap bends values by its sine and adds ola_plan_boot_noise then; without noise it leaves them as they are.
 *
 * Unlike libola, libola_sim sees the values: one that would wrap (|value| * scale at least half of
 * the modulus left) or is not finite is OLA_ERR_RANGE. Its files are not libola's: each refuses the
 * other's with OLA_ERR_SIM. */
void ola_sim_noise(ola_params *p, uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
