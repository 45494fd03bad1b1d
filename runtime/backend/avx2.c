/* avx2.c - kernels for CPUs with AVX2 and no IFMA. */
#include "backend/kernels.h"

#ifdef OLA_HAVE_X86

const struct ola_backend ola_backend_avx2 = {.name = "avx2"};
#endif
