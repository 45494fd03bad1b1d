/* noise.h - normal deviates that depend on nothing but their place: the same at any order of
 * images. */
#ifndef OLAC_SIMULATE_NOISE_H
#define OLAC_SIMULATE_NOISE_H

#include <stdint.h>

/* Adds deviates of mean 0 and standard deviation sd, drawn for (seed, image, node, output,
 * element). */
void noise_add(float *data, int64_t n, double sd, uint64_t seed, uint32_t image, uint32_t node,
               uint32_t output);

/* Uniform in (0, 1], drawn for (key, place); a key for each (seed, image). */
double noise_uniform(uint64_t key, uint64_t place);
uint64_t noise_key(uint64_t seed, uint32_t image);

#endif
