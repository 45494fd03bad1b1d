/* encoder.h - from vectors of reals in the slots to polynomials with integer coefficients and back:
 * the canonical embedding. Slot t of m(X) is m(zeta^(5^t)), zeta a primitive 2N-th root of unity,
 * so a rotation by k is X -> X^(5^k). A vector of period p is a polynomial in X^(N / 2p): 2p
 * coefficients, and a transform of size p. */
#ifndef OLA_CKKS_ENCODER_H
#define OLA_CKKS_ENCODER_H

#include "ola/ola.h"

struct ola_encoder;
struct ola_params;

OLA_MUST_CHECK ola_status ola_encoder_new(uint32_t log_n, struct ola_encoder **out);
void ola_encoder_free(struct ola_encoder *e);

/* coef[0 .. 2 * period - 1]: the coefficients of X^(k * N / (2 * period)), times scale, not
 * rounded. v may be coef itself. period: a power of two up to the slots. */
void ola_encode(const struct ola_encoder *e, const double *v, uint32_t period, double scale,
                double *coef);
/* The same of complex slots re + i im; re may be coef itself. im NULL: 0. */
void ola_encode_complex(const struct ola_encoder *e, const double *re, const double *im,
                        uint32_t period, double scale, double *coef);
/* v[t] = the real part of slot t of the polynomial with all N coefficients, divided by scale.
 * Destroys coef. */
void ola_decode(const struct ola_encoder *e, double *coef, double scale, double *v, uint32_t n);

/* exp(2 pi i 5^j / (8 half)), j < half < slots, half a power of two: what the transform's stage of
 * distance `half` multiplies by. */
void ola_encoder_twiddle(const struct ola_encoder *e, uint32_t half, uint32_t j, double *re,
                         double *im);

/* The largest absolute value among the coefficients; infinite or NaN when one is. */
double ola_encoded_size(const double *coef, uint32_t n);
/* Whether coefficients of this size are finite and below half the modulus at `level`. */
bool ola_encoded_fits(const struct ola_params *p, uint32_t level, double size);
/* limb = the polynomial of ola_encode, rounded, modulo prime c, in the transformed domain; size:
 * ola_encoded_size of its 2 * period coefficients. */
void ola_encoded_limb(const struct ola_params *p, uint32_t c, const double *coef, uint32_t period,
                      double size, uint64_t *limb);
/* round(x) mod the prime c, for |x| < 2^1000. */
uint64_t ola_encoded_scalar(const struct ola_params *p, uint32_t c, double x);

/* A power of two, at least 1, at most max. */
static inline bool
ola_is_period(uint32_t period, uint32_t max)
{
    return period != 0 && (period & (period - 1)) == 0 && period <= max;
}

#endif
