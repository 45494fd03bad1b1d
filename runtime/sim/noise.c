/* noise.c - the noise model of the simulator: which variance every operation of the real runtime
 * adds.
 *
 * Notation: N the ring degree, s the secret, uniform in {-1, 0, 1}^N, so that E ||s||^2 = h = 2N/3;
 * sigma = 3.19 the deviation of an error's coefficient. A noise polynomial e whose coefficients are
 * independent with variance V has in every slot e(zeta) = sum_k e_k zeta^k with |zeta| = 1, so E
 * |e(zeta)|^2 = N V, and half of it falls on the real part: a slot's real value is off by a
 * variance of N V / (2 scale^2). All slots are independent, since the embedding is orthogonal up to
 * its factor. Messages are real: noise in the imaginary parts meets only other noise, and is left
 * out.
 *
 * Products need no term of their own: the values carry their noise, and (x + e)(y + f) is what
 * happens.
 *
 * The draws are a function of the seed and of what led to the ciphertext (its trace), never of
 * time, threads or order; the same program on the same input gives the same bytes. */
#include "sim/sim_impl.h"

#include <math.h>
#include <string.h>

#define SIGMA 3.19

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
finalise(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t
ola_sim_mix(uint64_t a, uint64_t b)
{
    return finalise(finalise(a + 0x9e3779b97f4a7c15u) ^ b);
}

uint64_t
ola_sim_hash(const double *v, size_t n)
{
    uint64_t h = n;
    for (size_t k = 0; k < n; k++) {
        uint64_t bits;
        memcpy(&bits, &v[k], sizeof bits);
        h = ola_sim_mix(h, bits);
    }
    return h;
}

/* (b, a) with b = -a s + e + round(scale * v): the error, and the rounding, uniform in [-1/2, 1/2),
 * of variance 1/12. */
double
ola_sim_fresh(void)
{
    return SIGMA * SIGMA + 1.0 / 12.0;
}

/* Dividing every component by a prime (or by P) and rounding adds r_0 + r_1 s (+ r_2 s^2), the r_i
 * uniform in [-1/2, 1/2): (1 + E ||s||^2 (+ E ||s^2||^2)) / 12. A coefficient of s^2 is a sum of N
 * products s_i s_j, each unordered pair twice: variance 4 (N/2) (2/3)^2, so E ||s^2||^2 = 2 h^2. */
double
ola_sim_rounding(const struct ola_params *p, uint32_t parts)
{
    double h = 2.0 * p->n / 3.0;
    return (1.0 + h + (parts == 3 ? 2.0 * h * h : 0.0)) / 12.0;
}

/* Hybrid key switching: the component is cut into digits d_j, centred residues modulo D_j (the
 * product of the digit's primes), of variance D_j^2 / 12; sum_j d_j e_j has coefficient variance N
 * sigma^2 sum_j D_j^2 / 12 and is divided by P; the division rounds both components. */
double
ola_sim_switching(const struct ola_params *p, uint32_t level)
{
    const struct ola_literal *l = &p->literal;
    double log_p = 0.0, sum = 0.0;
    for (uint32_t k = 0; k < l->n_p; k++)
        log_p += log2((double)l->p[k]);
    for (uint32_t k = 0, end = 0; k <= level; k = end) {
        double log_d = 0.0;
        end = ola_plan_digit_end(l, k);
        for (uint32_t i = k; i <= level && i < end; i++)
            log_d += log2((double)l->q[i]);
        sum += exp2(2.0 * (log_d - log_p)) / 12.0;
    }
    return p->n * SIGMA * SIGMA * sum + ola_sim_rounding(p, 2);
}

double
ola_sim_slot(const struct ola_params *p, double coefficient, double scale)
{
    return 0.5 * p->n * coefficient / (scale * scale);
}

/* A vector of this period is a polynomial with 2 * period coefficients (in X^(slots / period));
 * each is rounded, half of the sum of their variances falls on the real part. */
double
ola_sim_encoding(uint32_t period, double scale)
{
    return period / 12.0 / (scale * scale);
}

/* In (0, 1]. */
static double
uniform(uint64_t bits)
{
    return (double)((bits >> 11) + 1) * 0x1p-53;
}

/* Box and Muller's pairs. */
void
ola_sim_gauss(double *out, size_t n, uint64_t seed)
{
    const double tau = 6.283185307179586;
    uint64_t state = finalise(seed);
    for (size_t k = 0; k < n; k += 2) {
        double radius = sqrt(-2.0 * log(uniform(finalise(state += 0x9e3779b97f4a7c15u))));
        double angle = tau * uniform(finalise(state += 0x9e3779b97f4a7c15u));
        out[k] = radius * cos(angle);
        if (k + 1 < n)
            out[k + 1] = radius * sin(angle);
    }
}

#define BLOCK 256u

static void
disturb(const struct ola_params *p, double *v, const double *variance, uint32_t stride,
        uint64_t trace)
{
    if (p->noise == 0)
        return;
    double g[BLOCK];
    uint64_t seed = ola_sim_mix(p->noise, trace);
    for (uint32_t t = 0; t < p->slots; t++) {
        if (t % BLOCK == 0)
            ola_sim_gauss(g, BLOCK, ola_sim_mix(seed, t));
        v[t] += sqrt(variance[(size_t)t * stride]) * g[t % BLOCK];
    }
}

void
ola_sim_disturb(const struct ola_params *p, double *v, double variance, uint64_t trace)
{
    disturb(p, v, &variance, 0, trace);
}

void
ola_sim_disturb_each(const struct ola_params *p, double *v, const double *variance, uint64_t trace)
{
    disturb(p, v, variance, 1, trace);
}

void
ola_sim_noise(ola_params *p, uint64_t seed)
{
    p->noise = seed;
}
