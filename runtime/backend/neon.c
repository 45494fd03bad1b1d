/* neon.c - vectors of two doubles for 64-bit Arm, every CPU of which has them; the kernels are in
 * reals.h. */
#include "backend/arith.h"
#include "backend/kernels.h"

#ifdef OLA_HAVE_NEON
#include <arm_neon.h>

#define OLA_REALS static inline __attribute__((always_inline))
#define LANES     2

typedef float64x2_t reals;

OLA_REALS reals
load(const uint64_t *p)
{
    return vcvtq_f64_u64(vld1q_u64(p));
}

OLA_REALS reals
load_narrow(const uint32_t *p)
{
    return vcvtq_f64_u64(vmovl_u32(vld1_u32(p)));
}

OLA_REALS reals
gather(const uint64_t *a, const uint32_t *index, size_t j)
{
    return vcvtq_f64_u64(vcombine_u64(vld1_u64(a + index[j]), vld1_u64(a + index[j + 1])));
}

OLA_REALS reals
splat(double v)
{
    return vdupq_n_f64(v);
}

OLA_REALS reals
splat_pairs(const uint64_t *p)
{
    return vdupq_n_f64((double)p[0]);
}

OLA_REALS reals
peek(const uint64_t *p)
{
    return vreinterpretq_f64_u64(vld1q_u64(p));
}

OLA_REALS void
poke(uint64_t *p, reals v)
{
    vst1q_u64(p, vreinterpretq_u64_f64(v));
}

OLA_REALS void
store_positive(uint64_t *p, reals v)
{
    vst1q_u64(p, vcvtq_u64_f64(v));
}

OLA_REALS reals
add(reals a, reals b)
{
    return vaddq_f64(a, b);
}

OLA_REALS reals
sub(reals a, reals b)
{
    return vsubq_f64(a, b);
}

OLA_REALS reals
mul(reals a, reals b)
{
    return vmulq_f64(a, b);
}

OLA_REALS reals
mul_sub(reals a, reals b, reals c)
{
    return vfmaq_f64(vnegq_f64(c), a, b);
}

OLA_REALS reals
sub_mul(reals c, reals a, reals b)
{
    return vfmsq_f64(c, a, b);
}

OLA_REALS reals
nearest(reals v)
{
    return vrndnq_f64(v);
}

OLA_REALS reals
add_where_negative(reals v, reals a)
{
    const uint64x2_t negative = vcltzq_f64(v);
    return vaddq_f64(v, vreinterpretq_f64_u64(vandq_u64(negative, vreinterpretq_u64_f64(a))));
}

/* A vector is a half. */
OLA_REALS void
to_halves(reals u, reals v, reals *x, reals *y)
{
    *x = u;
    *y = v;
}

OLA_REALS void
from_halves(reals x, reals y, reals *u, reals *v)
{
    to_halves(x, y, u, v);
}

OLA_REALS void
interleave(reals x, reals y, reals *u, reals *v)
{
    *u = vzip1q_f64(x, y);
    *v = vzip2q_f64(x, y);
}

#include "backend/reals.h"

const struct ola_backend ola_backend_neon = {.name = "neon", OLA_REALS_KERNELS};

#endif
