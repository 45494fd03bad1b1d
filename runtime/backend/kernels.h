/* kernels.h - what backend.c chooses from. */
#ifndef OLA_KERNELS_H
#define OLA_KERNELS_H

#include "backend/backend.h"

extern const struct ola_backend ola_backend_portable;
#ifdef OLA_HAVE_X86
extern const struct ola_backend ola_backend_avx2;
extern const struct ola_backend ola_backend_avx512ifma;
#endif
#ifdef OLA_HAVE_NEON
extern const struct ola_backend ola_backend_neon;
#endif

#endif
