/* wide.h - WIDE before a function: it is compiled for vectors of several widths, and the widest
 * that the CPU has are used. For long loops over numbers. Results are the same at any width:
 * products and sums are not contracted. */
#ifndef OLAC_BASE_WIDE_H
#define OLAC_BASE_WIDE_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OLAC_SANITIZED
#endif
#endif

/* Sanitisers are not ready yet when the choice is made. */
#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__) &&                 \
    !defined(__SANITIZE_THREAD__) && !defined(OLAC_SANITIZED)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

#endif
