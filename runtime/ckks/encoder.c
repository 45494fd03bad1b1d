/* encoder.c - the canonical embedding by a transform of half the size, in doubles.
 *
 * Real coefficients m_0 .. m_(2p-1) are read as p complex numbers m_k + i m_(k+p); since zeta^(5^t
 * p) = i for all t, these give the slots by a radix-2 transform with the twiddles zeta_len^(5^j)
 * (Cheon et al., ePrint 2018/153, section 5). */
#include "ckks/encoder.h"

#include <math.h>
#include <string.h>

#include "ckks/ckks.h"

struct ola_encoder {
    uint32_t log_n, slots;
    double *re, *im; /* [half + j]: exp(2 pi i 5^j / (8 half)), j < half: for blocks of 2 * half */
};

static size_t
table_bytes(uint32_t slots)
{
    return (size_t)slots * 2 * sizeof(double);
}

ola_status
ola_encoder_new(uint32_t log_n, struct ola_encoder **out)
{
    struct ola_encoder *e = ola_alloc_zero(sizeof *e);
    if (e == NULL)
        return OLA_ERR_NOMEM;
    e->log_n = log_n;
    e->slots = (uint32_t)1 << (log_n - 1);
    e->re = ola_alloc_zero(table_bytes(e->slots));
    if (e->re == NULL) {
        ola_encoder_free(e);
        return OLA_ERR_NOMEM;
    }
    e->im = e->re + e->slots;
    for (uint32_t half = 1; half < e->slots; half *= 2) {
        uint32_t power = 1;
        for (uint32_t j = 0; j < half; j++) {
            double angle = 2.0 * M_PI * power / (8.0 * half);
            e->re[half + j] = cos(angle);
            e->im[half + j] = sin(angle);
            power = power * 5 % (8 * half);
        }
    }
    *out = e;
    return OLA_OK;
}

void
ola_encoder_free(struct ola_encoder *e)
{
    if (e == NULL)
        return;
    ola_release(e->re, table_bytes(e->slots));
    ola_release(e, sizeof *e);
}

void
ola_encoder_twiddle(const struct ola_encoder *e, uint32_t half, uint32_t j, double *re, double *im)
{
    *re = e->re[half + j];
    *im = e->im[half + j];
}

static void
reverse_order(double *a, uint32_t n)
{
    for (uint32_t i = 1, j = 0; i < n; i++) {
        uint32_t bit = n / 2;
        for (; j & bit; bit /= 2)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = a[i];
            a[i] = a[j];
            a[j] = t;
        }
    }
}

/* Slots to coefficients, not yet divided by n. */
static void
inverse_transform(const struct ola_encoder *e, double *re, double *im, uint32_t n)
{
    for (uint32_t half = n / 2; half >= 1; half /= 2) {
        const double *wr = e->re + half, *wi = e->im + half;
        for (uint32_t b = 0; b < n; b += 2 * half) {
            double *xr = re + b, *xi = im + b, *yr = xr + half, *yi = xi + half;
            for (uint32_t j = 0; j < half; j++) {
                double dr = xr[j] - yr[j], di = xi[j] - yi[j];
                xr[j] += yr[j];
                xi[j] += yi[j];
                yr[j] = dr * wr[j] + di * wi[j];
                yi[j] = di * wr[j] - dr * wi[j];
            }
        }
    }
    reverse_order(re, n);
    reverse_order(im, n);
}

static void
forward_transform(const struct ola_encoder *e, double *re, double *im, uint32_t n)
{
    reverse_order(re, n);
    reverse_order(im, n);
    for (uint32_t half = 1; half < n; half *= 2) {
        const double *wr = e->re + half, *wi = e->im + half;
        for (uint32_t b = 0; b < n; b += 2 * half) {
            double *xr = re + b, *xi = im + b, *yr = xr + half, *yi = xi + half;
            for (uint32_t j = 0; j < half; j++) {
                double tr = yr[j] * wr[j] - yi[j] * wi[j], ti = yr[j] * wi[j] + yi[j] * wr[j];
                yr[j] = xr[j] - tr;
                yi[j] = xi[j] - ti;
                xr[j] += tr;
                xi[j] += ti;
            }
        }
    }
}

void
ola_encode_complex(const struct ola_encoder *e, const double *re, const double *im, uint32_t period,
                   double scale, double *coef)
{
    double factor = scale / period;
    for (uint32_t t = 0; t < period; t++)
        coef[t] = re[t] * factor;
    for (uint32_t t = 0; t < period; t++)
        coef[period + t] = im == NULL ? 0.0 : im[t] * factor;
    inverse_transform(e, coef, coef + period, period);
}

void
ola_encode(const struct ola_encoder *e, const double *v, uint32_t period, double scale,
           double *coef)
{
    ola_encode_complex(e, v, NULL, period, scale, coef);
}

void
ola_decode(const struct ola_encoder *e, double *coef, double scale, double *v, uint32_t n)
{
    forward_transform(e, coef, coef + e->slots, e->slots);
    for (uint32_t t = 0; t < n; t++)
        v[t] = coef[t] / scale;
}

/* Absolute values compare like the bits that hold them, infinities and NaN above all numbers. */
double
ola_encoded_size(const double *coef, uint32_t n)
{
    uint64_t largest = 0;
    double size;
    for (uint32_t k = 0; k < n; k++) {
        uint64_t bits;
        memcpy(&bits, &coef[k], sizeof bits);
        bits &= UINT64_MAX >> 1;
        largest = bits > largest ? bits : largest;
    }
    memcpy(&size, &largest, sizeof size);
    return size;
}

bool
ola_encoded_fits(const struct ola_params *p, uint32_t level, double size)
{
    return isfinite(size) && (size < 0.5 || log2(size) + 1.0 < p->log_q[level]);
}

uint64_t
ola_encoded_scalar(const struct ola_params *p, uint32_t c, double x)
{
    const struct ola_modulus *m = ola_params_modulus(p, c);
    int exponent = 0;
    uint64_t mantissa, r;
    x = rint(x);
    if (fabs(x) < 0x1p53) {
        mantissa = (uint64_t)fabs(x);
    } else {
        mantissa = (uint64_t)ldexp(frexp(fabs(x), &exponent), 53);
        exponent -= 53;
    }
    r = mantissa % m->q;
    if (exponent > 0)
        r = ola_mod_mul(r, ola_mod_pow(2, (uint64_t)exponent, m), m);
    return x < 0.0 && r != 0 ? m->q - r : r;
}

/* round(x) + offset, offset a multiple of q in [2^50, 2^51): for |x| < 2^50, without branches.
 * Adding 1.5 * 2^52 rounds x and leaves it as an integer in the low bits of the sum. */
static void
round_small(const double *coef, uint32_t n, uint64_t q, size_t step, uint64_t *limb)
{
    const uint64_t offset = (((uint64_t)1 << 50) / q + 1) * q;
    const double magic = 0x1.8p52;
    uint64_t zero;
    memcpy(&zero, &magic, sizeof zero);
    for (uint32_t k = 0; k < n; k++) {
        const double sum = coef[k] + magic;
        uint64_t bits;
        memcpy(&bits, &sum, sizeof bits);
        limb[k * step] = bits - zero + offset;
    }
}

void
ola_encoded_limb(const struct ola_params *p, uint32_t c, const double *coef, uint32_t period,
                 double size, uint64_t *limb)
{
    const struct ola_modulus *m = ola_params_modulus(p, c);
    const struct ola_backend *k = ola_backend();
    const uint32_t n = 2 * period;
    const size_t step = p->n / n;
    if (step > 1)
        memset(limb, 0, p->n * sizeof *limb);
    if (size < 0x1p50) {
        round_small(coef, n, m->q, step, limb);
        k->reduce(limb, limb, p->n, m);
    } else {
        for (uint32_t i = 0; i < n; i++)
            limb[i * step] = ola_encoded_scalar(p, c, coef[i]);
    }
    k->ntt_forward(limb, &p->ring->ntt[c]);
}
