/* modulus.c - one prime with what its kernels want, and scalar arithmetic modulo it. */
#include "backend/arith.h"
#include "ring/ring.h"

struct ola_modulus
ola_modulus_make(uint64_t q)
{
    struct ola_modulus m = {.q = q};
    assert(q > 2 && q < (UINT64_C(1) << OLA_PRIME_BITS));
    while (q >> m.bits)
        m.bits++;
    m.barrett = (uint64_t)(((ola_u128)1 << (63 + m.bits)) / q);
    m.inverse = 1.0 / (double)q;
    m.fold = (UINT64_C(1) << 52) % q;
    m.fold_shoup = ola_shoup(m.fold, q) >> 12;
    uint64_t inverse = q; /* mod 2^3; each step doubles the bits */
    for (int i = 0; i < 5; i++)
        inverse *= 2 - q * inverse;
    m.minus_inverse = (0 - inverse) & ((UINT64_C(1) << 52) - 1);
    return m;
}

uint64_t
ola_mod_mul(uint64_t a, uint64_t b, const struct ola_modulus *m)
{
    return ola_mul_barrett(a, b, m);
}

uint64_t
ola_mod_pow(uint64_t a, uint64_t e, const struct ola_modulus *m)
{
    uint64_t r = 1;
    for (; e; e >>= 1) {
        if (e & 1)
            r = ola_mul_barrett(r, a, m);
        a = ola_mul_barrett(a, a, m);
    }
    return r;
}

uint64_t
ola_mod_inverse(uint64_t a, const struct ola_modulus *m)
{
    assert(a != 0);
    return ola_mod_pow(a, m->q - 2, m);
}
