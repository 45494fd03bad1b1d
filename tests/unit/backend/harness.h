/* harness.h - buffers with guards, values and moduli for comparing backends. */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include "backend/backend.h"
#include "ring/ring.h"

#define MAX_N (1u << OLA_MAX_LOG_N)
#define GUARD 8 /* words before and behind a vector; keeps it 64-byte aligned */

/* What a vector is filled with. */
enum fill { FILL_RANDOM, FILL_ZERO, FILL_TOP, FILL_EDGES, FILLS };

/* Vectors of n words between guards, from plain aligned_alloc. */
uint64_t *vector_new(size_t n);
void vector_free(uint64_t *v);
void vector_check_guards(const uint64_t *v, size_t n, const char *what);
/* Values in [0, bound): random, all 0, all bound - 1, or 0, 1, bound - 1 and random ones mixed. */
void vector_fill(uint64_t *v, size_t n, uint64_t bound, enum fill fill, uint64_t seed);
void vector_equal(const uint64_t *a, const uint64_t *b, size_t n, const char *what);

/* Primes = 1 mod 2^18, so that they serve every n: number `rank` below 2^bits. Trial division,
 * not the library's. */
uint64_t prime_below(uint32_t bits, uint32_t rank);
uint64_t random_word(uint64_t *state); /* splitmix64 */

#endif
