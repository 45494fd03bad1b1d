/* noise.c - see noise.h. A counter goes through a 64-bit mixer (SplitMix64: Steele, Lea, Flood,
 * "Fast splittable pseudorandom number generators", 2014), two uniform numbers through Box and
 * Muller's map. Not for secrets: this only models what noise does to answers. */
#include "simulate/noise.h"
#include "base/wide.h"

#include <math.h>
#include <string.h>

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

/* ---- normal deviates, many at a time ------------------------------------------------------- */

enum { PAIRS = 64 };

static inline double
as_double(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The upper 52 bits as a number in [1, 2). */
static inline double
one_to_two(uint64_t bits)
{
    return as_double(bits >> 12 | UINT64_C(0x3ff) << 52);
}

/* ln x, 0 < x <= 1, to 1e-9: x = m 2^e with m in [sqrt(1/2), sqrt(2)), and ln m by the first terms
 * of 2 artanh((m - 1) / (m + 1)). */
static inline double
logarithm(double x)
{
    const uint64_t half = 0x3fe6a09e667f3bcd, offset = 0x400; /* sqrt(1/2) */
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    uint64_t e = (bits - half + (offset << 52)) >> 52; /* less offset */
    double m = as_double(bits - ((e - offset) << 52));
    /* 2^52 + e, as its bits say */
    double exponent = as_double(e | UINT64_C(0x433) << 52) - (0x1p52 + (double)offset);
    double s = (m - 1) / (m + 1), t = s * s;
    return 2 * s * (1 + t * (1.0 / 3 + t * (1.0 / 5 + t * (1.0 / 7 + t * (1.0 / 9))))) +
           0.69314718055994531 * exponent;
}

/* PAIRS pairs from place on. The circle is cut into quarters, and each is at most pi / 4 from its
 * middle: cosine and sine of that to 1e-9. */
WIDE static void
normals(double sd, uint64_t key, uint64_t place, double *out)
{
    double u[PAIRS], x[PAIRS], along[PAIRS], across[PAIRS];

    for (uint32_t k = 0; k < PAIRS; k++) {
        uint64_t z = mix(key + place + 2 * k + 1);
        u[k] = 2 - one_to_two(mix(key + place + 2 * k));
        x[k] = M_PI / 2 * (one_to_two(z << 2) - 1.5);
        /* the middle of the quarter: (1, 0), (0, 1), (-1, 0) or (0, -1) */
        double side = as_double((z >> 63) << 63 | UINT64_C(0x3ff) << 52);
        along[k] = z >> 62 & 1 ? 0 : side;
        across[k] = z >> 62 & 1 ? side : 0;
    }
    for (uint32_t k = 0; k < PAIRS; k++) {
        double r = sd * sqrt(-2 * logarithm(u[k])), t = x[k] * x[k];
        double c = 1 - t / 2 * (1 - t / 12 * (1 - t / 30 * (1 - t / 56 * (1 - t / 90))));
        double s = x[k] * (1 - t / 6 * (1 - t / 20 * (1 - t / 42 * (1 - t / 72))));
        out[2 * k] = r * (along[k] * c - across[k] * s);
        out[2 * k + 1] = r * (along[k] * s + across[k] * c);
    }
}

void
noise_add(float *data, int64_t n, double sd, uint64_t seed, uint32_t image, uint32_t node,
          uint32_t output)
{
    uint64_t key = mix(noise_key(seed, image) ^ ((uint64_t)node << 32 | output));
    double z[2 * PAIRS];

    for (int64_t first = 0; first < n; first += 2 * PAIRS) {
        normals(sd, key, (uint64_t)first, z);
        for (int64_t k = 0; k < 2 * PAIRS && first + k < n; k++)
            data[first + k] = (float)((double)data[first + k] + z[k]);
    }
}
