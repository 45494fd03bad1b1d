/* backend.h - the kernels that a CPU may have its own version of. One struct, filled by each
 * backend; portable.c is the reference and defines every entry, the others give the same bits and
 * may leave an entry NULL: the portable one is taken then. The choice is made once (backend.c), by
 * CPUID or OLA_BACKEND.
 *
 * All vectors have n = 2^k >= 1024 entries (mul and add: >= OLA_BLOCK), are 64-byte aligned, and
 * hold residues in [0, q), unless a range is named. q < 2^49. Entries never allocate. Outputs may
 * be the same array as an input of the same width. */
#ifndef OLA_BACKEND_H
#define OLA_BACKEND_H

#include <stddef.h>
#include <stdint.h>

/* One prime with all that its kernels want. Made by ring/modulus.c. */
struct ola_modulus {
    uint64_t q;
    uint32_t bits;    /* 2^(bits-1) < q < 2^bits */
    uint64_t barrett; /* floor(2^(63 + bits) / q) in [2^63, 2^64), for Barrett's reduction; the
                       * 52-bit one, floor(2^(51 + bits) / q), is its upper 52 bits */
    double inverse;   /* 1.0 / q */
    uint64_t fold, fold_shoup; /* 2^52 mod q, floor(fold * 2^52 / q) */
    uint64_t minus_inverse;    /* -1 / q mod 2^52, for Montgomery's reduction */
};

/* Tables of one prime and ring degree. w: powers of a primitive 2n-th root psi in bit-reversed
 * order (w[k] = psi^bitrev(k)); ws: floor(w * 2^52 / q), Shoup's companions for factors below 2^52,
 * which is what IFMA multiplies. The inverse tables hold the inverses, except iw[0] = n^-1 and
 * iw[1] = n^-1 / w[1]: the last stage of the inverse transform divides by n on its way. */
struct ola_ntt {
    struct ola_modulus mod;
    uint32_t log_n;
    uint64_t *w, *ws;
    uint64_t *iw, *iws;
    uint64_t n_inverse;
};

/* Entries that the sums of many vectors are made of at a time: each vector's stay in the cache. */
#define OLA_BLOCK 64u

/* A step of a sum of shifted vectors: the sum so far times 2^up, then `plus` vectors added, then
 * `minus` subtracted. */
struct ola_shifts {
    uint32_t up, plus, minus;
};

/* Vectors to one lazy sum: products below 2^98, 64 of them below 2^104. */
#define OLA_MAX_DIGITS 64

/* Vectors to one conversion of basis. */
#define OLA_MAX_SOURCES 32

/* Of inner: the sums are added to what acc0 and acc1 hold; a, or b0 and b1, have four bytes an
 * entry (primes below 2^32). */
#define OLA_INNER_ADD      1u
#define OLA_INNER_NARROW_A 2u
#define OLA_INNER_NARROW_B 4u

struct ola_backend {
    const char *name;
    /* In place, natural order in, bit-reversed order out: a[j] = a(psi^(2 * bitrev(j) + 1)).
     * Output [0, q). */
    void (*ntt_forward)(uint64_t *a, const struct ola_ntt *t);
    /* The inverse: bit-reversed in, natural out, divided by n. Input and output [0, q). */
    void (*ntt_inverse)(uint64_t *a, const struct ola_ntt *t);
    /* out = the inverse of a times a factor in [0, q); out may be a. */
    void (*ntt_inverse_scaled)(uint64_t *out, const uint64_t *a, uint64_t factor,
                               const struct ola_ntt *t);
    void (*add)(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
                const struct ola_modulus *m);
    void (*sub)(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
                const struct ola_modulus *m);
    void (*negate)(uint64_t *out, const uint64_t *a, size_t n, const struct ola_modulus *m);
    void (*mul)(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n,
                const struct ola_modulus *m);
    void (*mul_add)(uint64_t *acc, const uint64_t *a, const uint64_t *b, size_t n,
                    const struct ola_modulus *m);
    /* acc += a * b, b in 4 bytes an entry (primes below 2^32). */
    void (*mul_add_narrow)(uint64_t *acc, const uint64_t *a, const uint32_t *b, size_t n,
                           const struct ola_modulus *m);
    void (*scale)(uint64_t *out, const uint64_t *a, uint64_t factor, size_t n,
                  const struct ola_modulus *m);
    void (*scale_add)(uint64_t *acc, const uint64_t *a, uint64_t factor, size_t n,
                      const struct ola_modulus *m);
    /* out = a mod m, a in [0, 2^52). */
    void (*reduce)(uint64_t *out, const uint64_t *a, size_t n, const struct ola_modulus *m);
    /* out = (a - b) * factor mod q; b in [0, q): the step of rescale and ModDown. */
    void (*sub_scale)(uint64_t *out, const uint64_t *a, const uint64_t *b, uint64_t factor,
                      size_t n, const struct ola_modulus *m);
    /* out[j] = a[index[j]]: automorphisms in the transformed domain. out != a. index is one that
     * ola_ring_galois_index gives: it takes aligned groups of 8 entries to aligned groups of 8. */
    void (*permute)(uint64_t *out, const uint64_t *a, const uint32_t *index, size_t n);
    /* acc0 = a . b0, acc1 = a . b1 summed over `digits` (1 .. OLA_MAX_DIGITS) vectors, reduced
     * once: the inner product of a key switch, and of diagonals with what they multiply. a[d],
     * b0[d], b1[d] of n residues. how: OLA_INNER_.... perm: NULL, or an index applied to every a[d]
     * while it is read (a hoisted rotation; a[d] of 8 bytes an entry then). No acc may be an input
     * where there is a perm, or more than 8 digits. */
    void (*inner)(uint64_t *acc0, uint64_t *acc1, const void *const *a, const void *const *b0,
                  const void *const *b1, uint32_t digits, uint32_t how, const uint32_t *perm,
                  size_t n, const struct ola_modulus *m);
    /* Fast basis conversion (Halevi-Polyakov-Shoup, ePrint 2018/117) in two parts. First, once for
     * all targets: out[j] = round(sum_k a[k][j] / source[k]); a[k] residues modulo source[k], k in
     * 1 .. OLA_MAX_SOURCES. The fractions are integers in units of 2^-51, rounded down: the same
     * bits everywhere, and the right multiple unless the sum is within k * 2^-49 of a half. */
    void (*multiples)(uint8_t *out, const uint64_t *const *a,
                      const struct ola_modulus *const *source, uint32_t k, size_t n);
    /* Then for each: out = sum_k a[k] * weight[k] - multiple * correction mod q; a[k] below 2^49,
     * weight and correction in [0, q), multiple at most k. multiple NULL: 0, so the sum keeps its
     * multiple of the product of the sources. */
    void (*convert)(uint64_t *out, const uint64_t *const *a, const uint64_t *weight, uint32_t k,
                    const uint8_t *multiple, uint64_t correction, size_t n,
                    const struct ola_modulus *m);
    /* out[j] = in[j >> log_block], entries of 4 or 8 bytes (width). in has n >> log_block, at least
     * one, and need not be aligned. */
    void (*repeat)(void *out, const void *in, uint32_t log_block, uint32_t width, size_t n);
    /* out = in mod q, signed integers of 4 or 8 bytes (width), at most 2^50 in size. */
    void (*from_signed)(uint64_t *out, const void *in, uint32_t width, size_t n,
                        const struct ola_modulus *m);
    /* OLA_BLOCK entries of a sum of +- 2^k x[i], plus `offset`, mod q. The steps take their i from
     * `index`, one after the other. Sums are lazy: a step's size is below 2^62, and offset below
     * 2^63 makes the last one positive. */
    void (*sum_shifted)(uint64_t *out, const uint64_t *const *x, const uint32_t *index,
                        const struct ola_shifts *step, uint32_t steps, uint64_t offset,
                        const struct ola_modulus *m);
    /* OLA_BLOCK entries of the sum of weight[t] * x[index[t]], t < terms, plus `constant`, mod q;
     * weights and constant in [0, q). */
    void (*sum_weighted)(uint64_t *out, const uint64_t *const *x, const uint32_t *index,
                         const uint64_t *weight, uint32_t terms, uint64_t constant,
                         const struct ola_modulus *m);
};

/* The backend in use: the best that this CPU runs, or the one that the environment variable
 * OLA_BACKEND names when this build has it and the CPU can run it. Chosen at the first call,
 * from any thread. */
const struct ola_backend *ola_backend(void);
/* All that this build has and this CPU can run, portable first; for tests and benchmarks. */
uint32_t ola_backends(const struct ola_backend *const **list);

#endif
