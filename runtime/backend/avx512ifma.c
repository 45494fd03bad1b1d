/* avx512ifma.c - kernels for CPUs with AVX-512 and its 52-bit multiply-add. */
#include "backend/avx512ifma.h"

#ifdef OLA_HAVE_X86

const struct ola_backend ola_backend_avx512ifma = {
    .name = "avx512ifma",
    .ntt_forward = ola_avx512ifma_ntt_forward,
    .ntt_inverse = ola_avx512ifma_ntt_inverse,
};
#endif
