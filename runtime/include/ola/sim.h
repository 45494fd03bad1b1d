/* sim.h - what libola_sim has beyond ola.h and client.h: the noise model's switch. */
#ifndef OLA_SIM_H
#define OLA_SIM_H

#include "ola/ola.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Adds to every operation Gaussian noise of the deviation that the noise model gives for the real one
 * (ring degree, primes, digits, scale), from a generator seeded with `seed`; 0 turns it off (the default). */
void ola_sim_noise(ola_params *p, uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
