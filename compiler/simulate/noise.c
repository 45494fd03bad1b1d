/* noise.c - see noise.h. A counter goes through a 64-bit mixer (SplitMix64: Steele, Lea, Flood,
 * "Fast splittable pseudorandom number generators", 2014), two uniform numbers through Box and
 * Muller's map. Not for secrets: this only models what noise does to answers. */
#include "simulate/noise.h"

#include <math.h>

static uint64_t
mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

double
noise_uniform(uint64_t key, uint64_t place)
{
    return (double)((mix(key + place) >> 11) + 1) * 0x1p-53;
}

uint64_t
noise_key(uint64_t seed, uint32_t image)
{
    return mix(mix(seed) ^ image);
}

void
noise_add(float *data, int64_t n, double sd, uint64_t seed, uint32_t image, uint32_t node,
          uint32_t output)
{
    uint64_t key = mix(noise_key(seed, image) ^ ((uint64_t)node << 32 | output));

    for (int64_t k = 0; k < n; k += 2) {
        double r = sd * sqrt(-2 * log(noise_uniform(key, (uint64_t)k)));
        double angle = 2 * M_PI * noise_uniform(key, (uint64_t)k + 1);
        data[k] = (float)((double)data[k] + r * cos(angle));
        if (k + 1 < n)
            data[k + 1] = (float)((double)data[k + 1] + r * sin(angle));
    }
}
