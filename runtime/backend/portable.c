/* portable.c - every kernel in plain C: the reference that the other backends are held to, bit
 * for bit. */
#include <stdbool.h>
#include <string.h>

#include "backend/arith.h"
#include "backend/kernels.h"

/* Forward transform, decimation in time, after Harvey (arXiv 1205.2926): between stages values
 * stay in [0, 4q); a butterfly brings its first operand below 2q, and Shoup's product of its
 * second one lies below 2q. */
static void
portable_ntt_forward(uint64_t *a, const struct ola_ntt *t)
{
    const uint64_t q = t->mod.q;
    const size_t n = (size_t)1 << t->log_n;
    for (size_t blocks = 1, half = n / 2; blocks < n; blocks *= 2, half /= 2) {
        for (size_t b = 0; b < blocks; b++) {
            const uint64_t w = t->w[blocks + b], ws = t->ws[blocks + b];
            uint64_t *x = a + 2 * half * b, *y = x + half;
            for (size_t j = 0; j < half; j++) {
                assert(x[j] < 4 * q && y[j] < 4 * q);
                uint64_t u = ola_csub(x[j], 2 * q);
                uint64_t v = ola_mul_shoup52_lazy(y[j], w, ws, q);
                x[j] = u + v;
                y[j] = u - v + 2 * q;
            }
        }
    }
    for (size_t j = 0; j < n; j++)
        a[j] = ola_csub(ola_csub(a[j], 2 * q), q);
}

/* Inverse transform, decimation in frequency: values stay in [0, 2q). The last stage multiplies
 * both halves by n^-1 on its way (iw[0] and iw[1]). */
static void
portable_ntt_inverse(uint64_t *a, const struct ola_ntt *t)
{
    const uint64_t q = t->mod.q;
    const size_t n = (size_t)1 << t->log_n;
    for (size_t blocks = n / 2, half = 1; blocks > 1; blocks /= 2, half *= 2) {
        for (size_t b = 0; b < blocks; b++) {
            const uint64_t w = t->iw[blocks + b], ws = t->iws[blocks + b];
            uint64_t *x = a + 2 * half * b, *y = x + half;
            for (size_t j = 0; j < half; j++) {
                assert(x[j] < 2 * q && y[j] < 2 * q);
                uint64_t u = x[j] + y[j], v = x[j] - y[j] + 2 * q;
                x[j] = ola_csub(u, 2 * q);
                y[j] = ola_mul_shoup52_lazy(v, w, ws, q);
            }
        }
    }
    for (size_t j = 0; j < n / 2; j++) {
        uint64_t u = a[j] + a[j + n / 2], v = a[j] - a[j + n / 2] + 2 * q;
        a[j] = ola_csub(ola_mul_shoup52_lazy(u, t->iw[0], t->iws[0], q), q);
        a[j + n / 2] = ola_csub(ola_mul_shoup52_lazy(v, t->iw[1], t->iws[1], q), q);
    }
}

static void
portable_add(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
             const struct ola_modulus *m)
{
    for (size_t j = 0; j < n; j++)
        out[j] = ola_csub(a[j] + b[j], m->q);
}

static void
portable_sub(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
             const struct ola_modulus *m)
{
    for (size_t j = 0; j < n; j++)
        out[j] = ola_csub(a[j] - b[j] + m->q, m->q);
}

static void
portable_negate(uint64_t *out, const uint64_t *a, size_t n, const struct ola_modulus *m)
{
    for (size_t j = 0; j < n; j++)
        out[j] = ola_csub(m->q - a[j], m->q);
}

static void
portable_mul(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
             const struct ola_modulus *m)
{
    for (size_t j = 0; j < n; j++)
        out[j] = ola_mul_barrett(a[j], b[j], m);
}

static void
portable_mul_add(uint64_t *acc, const uint64_t *a, const uint64_t *b, size_t n,
                 const struct ola_modulus *m)
{
    for (size_t j = 0; j < n; j++)
        acc[j] = ola_csub(acc[j] + ola_mul_barrett(a[j], b[j], m), m->q);
}

static void
portable_mul_add_narrow(uint64_t *acc, const uint64_t *a, const uint32_t *b, size_t n,
                        const struct ola_modulus *m)
{
    for (size_t j = 0; j < n; j++)
        acc[j] = ola_csub(acc[j] + ola_mul_barrett(a[j], b[j], m), m->q);
}

static void
portable_scale(uint64_t *out, const uint64_t *a, uint64_t factor, size_t n,
               const struct ola_modulus *m)
{
    const uint64_t shoup = ola_shoup(factor, m->q);
    for (size_t j = 0; j < n; j++)
        out[j] = ola_csub(ola_mul_shoup_lazy(a[j], factor, shoup, m->q), m->q);
}

static void
portable_ntt_inverse_scaled(uint64_t *out, const uint64_t *a, uint64_t factor,
                            const struct ola_ntt *t)
{
    const size_t n = (size_t)1 << t->log_n;
    memmove(out, a, n * sizeof *out);
    portable_ntt_inverse(out, t);
    portable_scale(out, out, factor, n, &t->mod);
}

static void
portable_scale_add(uint64_t *acc, const uint64_t *a, uint64_t factor, size_t n,
                   const struct ola_modulus *m)
{
    const uint64_t shoup = ola_shoup(factor, m->q);
    for (size_t j = 0; j < n; j++) {
        uint64_t sum = acc[j] + ola_mul_shoup_lazy(a[j], factor, shoup, m->q); /* [0, 3q) */
        acc[j] = ola_csub(ola_csub(sum, 2 * m->q), m->q);
    }
}

/* Shoup's product with 1. */
static void
portable_reduce(uint64_t *out, const uint64_t *a, size_t n, const struct ola_modulus *m)
{
    const uint64_t shoup = ola_shoup(1, m->q);
    for (size_t j = 0; j < n; j++) {
        assert(a[j] >> 52 == 0);
        out[j] = ola_csub(ola_mul_shoup_lazy(a[j], 1, shoup, m->q), m->q);
    }
}

static void
portable_sub_scale(uint64_t *out, const uint64_t *a, const uint64_t *b, uint64_t factor, size_t n,
                   const struct ola_modulus *m)
{
    const uint64_t shoup = ola_shoup(factor, m->q);
    for (size_t j = 0; j < n; j++)
        out[j] = ola_csub(ola_mul_shoup_lazy(a[j] - b[j] + m->q, factor, shoup, m->q), m->q);
}

static void
portable_permute(uint64_t *out, const uint64_t *a, const uint32_t *index, size_t n)
{
    for (size_t j = 0; j < n; j++)
        out[j] = a[index[j]];
}

/* Sums of up to 64 products stay below 2^104, which is what ola_fold_reduce takes. */
static inline uint64_t
entry(const void *v, size_t j, bool narrow)
{
    return narrow ? ((const uint32_t *)v)[j] : ((const uint64_t *)v)[j];
}

static void
portable_inner(uint64_t *acc0, uint64_t *acc1, const void *const *a, const void *const *b0,
               const void *const *b1, uint32_t digits, uint32_t how, const uint32_t *perm, size_t n,
               const struct ola_modulus *m)
{
    const struct ola_fold fold = ola_fold_make(m->q);
    const bool narrow_b = (how & OLA_INNER_NARROW_B) != 0;
    assert(digits >= 1 && digits <= OLA_MAX_DIGITS);
    for (size_t j = 0; j < n; j++) {
        const size_t from = perm ? perm[j] : j;
        ola_u128 sum0 = how & OLA_INNER_ADD ? acc0[j] : 0;
        ola_u128 sum1 = how & OLA_INNER_ADD ? acc1[j] : 0;
        for (uint32_t d = 0; d < digits; d++) {
            const uint64_t x = entry(a[d], from, (how & OLA_INNER_NARROW_A) != 0);
            sum0 += (ola_u128)x * entry(b0[d], j, narrow_b);
            sum1 += (ola_u128)x * entry(b1[d], j, narrow_b);
        }
        acc0[j] = ola_fold_reduce(sum0, &fold);
        acc1[j] = ola_fold_reduce(sum1, &fold);
    }
}

static void
portable_multiples(uint8_t *out, const uint64_t *const *a, const struct ola_modulus *const *source,
                   uint32_t k, size_t n)
{
    assert(k >= 1 && k <= OLA_MAX_SOURCES);
    for (size_t j = 0; j < n; j++) {
        uint64_t fraction = UINT64_C(1) << 50; /* a half, in units of 2^-51 */
        for (uint32_t i = 0; i < k; i++) {
            assert(a[i][j] < source[i]->q);
            fraction += ola_fraction(a[i][j], source[i]);
        }
        out[j] = (uint8_t)(fraction >> 51);
    }
}

static void
portable_convert(uint64_t *out, const uint64_t *const *a, const uint64_t *weight, uint32_t k,
                 const uint8_t *multiple, uint64_t correction, size_t n,
                 const struct ola_modulus *m)
{
    const struct ola_fold fold = ola_fold_make(m->q);
    const uint64_t minus = m->q - correction; /* sum - multiple * correction, without a sign */
    assert(k >= 1 && k <= OLA_MAX_SOURCES);
    for (size_t j = 0; j < n; j++) {
        ola_u128 sum = multiple ? (ola_u128)minus * multiple[j] : 0;
        for (uint32_t i = 0; i < k; i++)
            sum += (ola_u128)a[i][j] * weight[i];
        out[j] = ola_fold_reduce(sum, &fold);
    }
}

/* Unsigned sums wrap, so what is subtracted first is made good by the offset at last. */
static void
portable_sum_shifted(uint64_t *out, const uint64_t *const *x, const uint32_t *index,
                     const struct ola_shifts *step, uint32_t steps, uint64_t offset,
                     const struct ola_modulus *m)
{
    const struct ola_fold fold = ola_fold_make(m->q);
    uint64_t sum[OLA_BLOCK] = {0};
    for (uint32_t s = 0; s < steps; s++) {
        for (size_t j = 0; j < OLA_BLOCK; j++)
            sum[j] <<= step[s].up;
        for (uint32_t t = 0; t < step[s].plus; t++, index++)
            for (size_t j = 0; j < OLA_BLOCK; j++)
                sum[j] += x[*index][j];
        for (uint32_t t = 0; t < step[s].minus; t++, index++)
            for (size_t j = 0; j < OLA_BLOCK; j++)
                sum[j] -= x[*index][j];
    }
    for (size_t j = 0; j < OLA_BLOCK; j++) {
        sum[j] += offset;
        assert(sum[j] >> 63 == 0);
        out[j] = ola_fold_reduce(sum[j], &fold);
    }
}

static void
portable_sum_weighted(uint64_t *out, const uint64_t *const *x, const uint32_t *index,
                      const uint64_t *weight, uint32_t terms, uint64_t constant,
                      const struct ola_modulus *m)
{
    const struct ola_fold fold = ola_fold_make(m->q);
    for (size_t j = 0; j < OLA_BLOCK; j++) {
        ola_u128 sum = constant;
        for (uint32_t t = 0; t < terms; t++) {
            sum += (ola_u128)x[index[t]][j] * weight[t];
            if (t % OLA_MAX_DIGITS == OLA_MAX_DIGITS - 2)
                sum = ola_fold_reduce(sum, &fold);
        }
        out[j] = ola_fold_reduce(sum, &fold);
    }
}

static void
portable_repeat(void *out, const void *in, uint32_t log_block, uint32_t width, size_t n)
{
    assert(width == 4 || width == 8);
    for (size_t j = 0; j < n; j++)
        memcpy((char *)out + j * width, (const char *)in + (j >> log_block) * width, width);
}

static void
portable_from_signed(uint64_t *out, const void *in, uint32_t width, size_t n,
                     const struct ola_modulus *m)
{
    const uint64_t offset = ola_signed_offset(m->q);
    const struct ola_fold fold = ola_fold_make(m->q);
    assert(width == 4 || width == 8);
    for (size_t j = 0; j < n; j++) {
        const int64_t v = width == 4 ? ((const int32_t *)in)[j] : ((const int64_t *)in)[j];
        assert(v >= -(INT64_C(1) << 50) && v <= INT64_C(1) << 50);
        out[j] = ola_fold_reduce(offset + (uint64_t)v, &fold);
    }
}

const struct ola_backend ola_backend_portable = {
    .name = "portable",
    .ntt_forward = portable_ntt_forward,
    .ntt_inverse = portable_ntt_inverse,
    .ntt_inverse_scaled = portable_ntt_inverse_scaled,
    .add = portable_add,
    .sub = portable_sub,
    .negate = portable_negate,
    .mul = portable_mul,
    .mul_add = portable_mul_add,
    .mul_add_narrow = portable_mul_add_narrow,
    .scale = portable_scale,
    .scale_add = portable_scale_add,
    .reduce = portable_reduce,
    .sub_scale = portable_sub_scale,
    .permute = portable_permute,
    .inner = portable_inner,
    .multiples = portable_multiples,
    .convert = portable_convert,
    .repeat = portable_repeat,
    .from_signed = portable_from_signed,
    .sum_shifted = portable_sum_shifted,
    .sum_weighted = portable_sum_weighted,
};
