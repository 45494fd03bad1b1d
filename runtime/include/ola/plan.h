/* plan.h - pure planning, shared by the compiler and the runtime so that what is planned and what runs
 * can't drift apart: security table, primes, key-switching shapes, the steps of a polynomial, file layouts.
 * No secrets, no allocation, no state: plain functions on integers and doubles. */
#ifndef OLA_PLAN_H
#define OLA_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OLA_MIN_LOG_N   10
#define OLA_MAX_LOG_N   17
#define OLA_MAX_Q       64 /* primes of the ciphertext modulus */
#define OLA_MAX_P       16 /* primes for key switching */
#define OLA_MAX_DEGREE  63
#define OLA_PRIME_BITS  49 /* every prime is below 2^49 */
#define OLA_NARROW_BITS 32 /* limbs of primes below 2^32 are kept in 4 bytes where they are only read */

/* The largest log2(QP) at `bits` (128, 192, 256) of classical security for a uniform ternary secret:
 * Bossuat et al., ePrint 2024/463, table 4.2. 0 when there is none. */
double ola_plan_max_log_qp(uint32_t log_n, uint32_t bits);
/* 256, 192 or 128: the highest level of security reached; 0 below 128. */
uint32_t ola_plan_security(uint32_t log_n, double log_qp);

/* `count` primes = 1 mod 2^(log_n + 1), the nearest to 2^bits, alternately above and below (below only
 * when bits == OLA_PRIME_BITS), that are not among taken[0 .. n_taken-1]; in that order. False when
 * there are not enough within a factor of 2^(1/4). bits in [log_n + 3, OLA_PRIME_BITS]. */
bool ola_plan_primes(uint32_t log_n, uint32_t bits, uint32_t count, const uint64_t *taken,
                     uint32_t n_taken, uint64_t *out);
bool ola_plan_is_prime(uint64_t n); /* deterministic Miller-Rabin for n < 2^64 */

/* Bootstrapping (see below), a part of a parameter set; all 0: none. The chain from below: q[0]; q[1 .. stc]:
 * SlotsToCoeffs; the circuit's, up to out_level; EvalMod; CoeffsToSlots, at the top. */
struct ola_boot_shape {
    uint32_t stc, cts;        /* factors of the two transforms, a level each; at most OLA_MAX_BOOT_FACTORS */
    uint32_t degree, doubles; /* EvalMod: cosine of this degree, then double angles: depth(degree) + doubles levels */
    uint32_t k;               /* multiples of q[0] up to this size are removed; 16 never fails with OLA_BOOT_WEIGHT */
    uint32_t out_level;       /* of a bootstrapped ciphertext: n_q - 1 - cts - depth(degree) - doubles */
};

/* A parameter set anybody can write; ola_params_new checks it and makes the immutable object. */
struct ola_literal {
    uint32_t log_n;
    uint32_t n_q, n_p;
    uint64_t q[OLA_MAX_Q]; /* q[0] stays last; rescaling at level l divides by q[l] */
    uint64_t p[OLA_MAX_P];
    uint32_t digit_limbs;  /* most limbs of q to a digit of the key switch, at most OLA_MAX_P; see ola_plan_digit_end: too few p mean more digits, not an error */
    bool insecure_toy;     /* allows rings below the table; marked in everything that is serialised */
    uint8_t model[32];     /* hash of the model; part of the fingerprint */
    struct ola_boot_shape boot;
};

/* Level arithmetic. A digit of the key switch that begins with q[first] ends before the limb returned: from q[0]
 * up each takes as many limbs as its product stays below that of p, up to digit_limbs. */
uint32_t ola_plan_digit_end(const struct ola_literal *p, uint32_t first);
/* Digits of a key switch at a level. */
uint32_t ola_plan_digits(const struct ola_literal *p, uint32_t level);
/* A residue modulo q: bytes in memory where it is only read (4 or 8), bits on the wire (q's own). */
uint32_t ola_plan_limb_width(uint64_t q);
uint32_t ola_plan_wire_bits(uint64_t q);
/* Bytes of one switching key for use up to `level`, in memory and on the wire (seed-compressed: the
 * b halves, without the few bytes of header). */
uint64_t ola_plan_key_bytes(const struct ola_literal *p, uint32_t level);
uint64_t ola_plan_key_wire_bytes(const struct ola_literal *p, uint32_t level);
/* Whether a linear map leaves its baby rotations, and the diagonals, modulo Q P and divides its sums by P only
 * (ola_linear; Bossuat et al., ePrint 2020/1203, section 4). babies: rotations by more than 0, of all inputs;
 * rotated: outputs whose sum is rotated last. */
bool ola_plan_map_late(const struct ola_literal *p, uint32_t level, uint32_t babies, uint32_t rotated,
                       uint32_t diagonals);
/* The Galois element 5^step mod 2N of a rotation to the left by `step` (0 <= step < N/2). */
uint32_t ola_plan_galois(uint32_t log_n, uint32_t step);

/* ---- polynomials ------------------------------------------------------------------------------
 * p = sum_k c_k T_k(x), Chebyshev, degree d, depth m = ceil(log2(d + 1)): the steps that the runtime
 * executes, with the level and scale of every intermediate result. Register 0 is x.
 *   POWER  dst = 2 * a * a - 1                      relinearise, rescale     (T_1 -> T_2 -> T_4 ...)
 *   LEAF   dst = c1 * a + c0 (+ c)                  (coefficient vectors) rescale, then the sums
 *   JOIN   dst = a * b + c    (c == NO_REG: none)   relinearise, rescale, then the sum
 * a and b of a product may lie above level + 1 of dst: they are dropped to it. c is at dst's level
 * and scale. The coefficients of a leaf are those of the Chebyshev division of p by T_(2^k),
 * recursively; ola_plan_poly_split gives them for one slot. A leaf's a is x, or T_(2^k) where the
 * quotient is a constant (its c0 is 0 then, its c the remainder: the only use of c in a leaf). */
enum ola_step_kind { OLA_STEP_POWER, OLA_STEP_LEAF, OLA_STEP_JOIN };
#define OLA_NO_REG UINT32_MAX

struct ola_step {
    enum ola_step_kind kind;
    uint32_t dst, a, b, c; /* registers */
    uint32_t leaf;         /* LEAF: number of the leaf, in order of execution */
    uint32_t level;        /* of dst */
    double scale;          /* of dst */
    double plain_scale;    /* LEAF: scale at which c1 is encoded (c0 is encoded at dst's scale) */
};

#define OLA_MAX_STEPS (4 * (OLA_MAX_DEGREE + 1))

struct ola_poly_plan {
    uint32_t degree, depth, n_steps, n_regs, n_leaves;
    struct ola_step step[OLA_MAX_STEPS];
};

uint32_t ola_plan_poly_depth(uint32_t degree);
/* The plan that takes x at (level, in_scale) to p(x) at (level - depth, out_scale), every sum at
 * exactly equal scales. q: the primes. False when level < depth or degree is 0 or too high. */
bool ola_plan_poly(uint32_t degree, uint32_t level, double in_scale, double out_scale, const uint64_t *q,
                   struct ola_poly_plan *plan);
/* Leaf coefficients of one polynomial: leaf l is c[2 * l] + c[2 * l + 1] * a. coef[0 .. degree]. */
void ola_plan_poly_split(const struct ola_poly_plan *plan, const double *coef, double *leaves);
/* True when the result of the step is used once, as the summand c of a later step at the same level
 * and scale: the runtime then adds the products before it relinearises and rescales once. */
bool ola_plan_poly_deferred(const struct ola_poly_plan *plan, uint32_t step);
/* Numbers of relinearisations (deferred ones left out), and of plaintext products. */
void ola_plan_poly_count(const struct ola_poly_plan *plan, uint32_t *products, uint32_t *plain);

/* ---- bootstrapping ----------------------------------------------------------------------------
 * From level boot.stc and |value| <= 1 back to boot.out_level, for real slots that repeat with a period:
 *  1. SlotsToCoeffs: the encoding transform (log2(period) stages of butterflies, bit reversal left out) in
 *     boot.stc linear maps: the slots become the first coefficients, value * in_scale; the others are 0.
 *  2. At level 0 the ciphertext is switched to an ephemeral secret with OLA_BOOT_WEIGHT entries +-1, modulo
 *     q[0] p[0] alone, taken as one modulo all of Q (ModRaise: every coefficient is off by a multiple I q[0],
 *     |I| <= (OLA_BOOT_WEIGHT + 1) / 2), and switched back, modulo Q P.
 *  3. CoeffsToSlots: the inverse transform in boot.cts maps, from the top, before the last of them the sum over
 *     the period's copies (rotations); plus the conjugate: x = I + coefficient / q[0] in every slot, real.
 *  4. EvalMod: w = (x - 1/4) / (k + 1/2); cos(2 pi (x - 1/4) / 2^doubles), near the integers, as a polynomial of
 *     degree floor(degree / 2) in u = 2 w^2 - 1 (it is even); `doubles` times y -> 2 y^2 - 1: sin(2 pi x).
 *  5. The scale is renamed: value = sin(2 pi x) / (2 pi) * ratio, ratio = q[0] / in_scale.
 * The sine is not a line: a value v comes out less by (2 pi / ratio)^2 / 6 * v^3 (1e-4 at ratio 2^8, v = 1).
 * Failure: |I| > k for some coefficient. |I| <= 16 always, so with k >= 16 there is none; below, I is what a sum
 * of 33 uniform numbers in [-1/2, 1/2] rounds to: P(|I| > k) <= 2 (16 - k)^33 / 33! (Irwin-Hall) for each of N
 * coefficients: with N = 2^15 at most 2^-73 at k = 14, 2^-40 at k = 12.
 * Security: q[0] p[0] <= OLA_BOOT_MAX_BITS for the sparse secret, at log_n >= 15 (smaller rings: toys only). */
#define OLA_BOOT_WEIGHT        32
#define OLA_BOOT_MAX_BITS      121
#define OLA_MAX_BOOT_FACTORS   6
#define OLA_MAX_BOOT_STAGES    8 /* of one factor: log_n - 1 <= factors * this */
#define OLA_MAX_BOOT_ROTATIONS 256

/* One factor of a transform: `stages` stages of butterflies whose distances are 2^base and up, as a linear map
 * in `giants` groups of up to `babies` diagonals: diagonal i turns by (i % babies) << base before the product,
 * and the sums by babies << base from one group to the next. No stage (a short period): only scales. */
struct ola_boot_factor {
    uint32_t level; /* of its input; its output is one below */
    uint32_t base, stages;
    bool wraps;     /* reaches the period: diagonals number 0 .. 2^stages - 1, else up to 2^(stages + 1) - 1 */
    uint32_t diagonals, babies, giants;
    uint32_t period; /* of the diagonals */
};

struct ola_boot_plan {
    uint32_t in_level, out_level, top; /* stc, out_level, n_q - 1 */
    struct ola_boot_factor stc[OLA_MAX_BOOT_FACTORS]; /* in order of execution: base ascends */
    struct ola_boot_factor cts[OLA_MAX_BOOT_FACTORS]; /* in order of execution: base descends */
    uint32_t n_folds, fold_level; /* sums over rotations by period, 2 period .. slots / 2, before the last map */
    uint32_t eval_level;          /* of x: the conjugate, EvalMod; top - cts */
    uint32_t n_rotations;         /* keys: ascending steps, each at the highest level that wants it */
    struct {
        uint32_t step, level;
    } rotation[OLA_MAX_BOOT_ROTATIONS];
    uint32_t relinearisations[OLA_MAX_Q]; /* for prices, with their rescale, by level */
};

bool ola_plan_has_boot(const struct ola_literal *p);
/* Whether the shape is none, or one that fits the rest of the literal; primes and security are not looked at. */
bool ola_plan_boot_good(const struct ola_literal *p);
/* False: no bootstrapping in the literal, or not a period. Nothing depends on the values of the primes. */
bool ola_plan_boot(const struct ola_literal *p, uint32_t period, struct ola_boot_plan *out);
/* The literal of a bootstrapping to a level below boot.out_level, which is p's without the limbs that such a
 * ciphertext has not: q[out_level + 1 .. boot.out_level]. Not a literal to make parameters of: digits of key
 * switches are those of p, less what is left out. False: no bootstrapping in p, or a level below boot.stc or above
 * boot.out_level. */
bool ola_plan_boot_short(const struct ola_literal *p, uint32_t out_level, struct ola_literal *out);
/* How a factor is evaluated and kept: early, though ola_plan_map_late would not have it; its diagonals compact
 * (ola_map_desc). */
void ola_plan_boot_form(const struct ola_literal *p, const struct ola_boot_factor *f, bool *early, bool *compact);
/* Bytes of the keys beyond rotations and relinearisation: conjugation and the two switches of step 2. */
uint64_t ola_plan_boot_key_bytes(const struct ola_literal *p);
uint64_t ola_plan_boot_key_wire_bytes(const struct ola_literal *p);

/* The level up to which relinearisation is wanted: `level` (UINT32_MAX: none), and EvalMod's. */
uint32_t ola_plan_relin_level(const struct ola_literal *p, uint32_t level);

/* Scales inside: of the result of each map of CoeffsToSlots, balanced by the error model; the sum over `copies`
 * (slots / period) before the last map multiplies the scale by as much. Of x at the end of CoeffsToSlots, of u, of the cosine (before the first double angle), of the
 * last cosine (value sin(2 pi x)), which is the output's. Chosen so that each power, and each double angle, has
 * the scale that brings the last one to out_scale: primes that fall by two bits from one level of EvalMod to the
 * next give every rounding about the same share of the error. False: ratio below 4, or a scale that does not fit. */
struct ola_boot_scales {
    double ratio, raised, copies, cts[OLA_MAX_BOOT_FACTORS], x, u, cosine, sine;
};
bool ola_plan_boot_scales(const struct ola_literal *p, uint32_t period, double in_scale, double out_scale,
                          struct ola_boot_scales *out);
/* Coefficients of EvalMod's polynomial in T_0(u) .. T_(degree / 2)(u), coef[degree / 2 + 1]: weighted least squares
 * around the integers up to k, each as important as it is likely. The deviation that it leaves, in units of the
 * values (2^-16 for degree 30, 2 doublings, k = 12, ratio 2^8; with 3 doublings and k = 16 2^-27). */
double ola_plan_boot_cosine(const struct ola_boot_shape *b, double ratio, double *coef);
/* The modelled deviation of a bootstrapped slot (one with |value| <= 1) from the sine above, in units of the values. */
double ola_plan_boot_noise(const struct ola_literal *p, uint32_t period, double in_scale, double out_scale);

/* Sets that are ready to use, each 128-bit secure; no model in the literal. False: no such number. Error: the
 * deviation over slots uniform in [-1, 1], as bench_boot measures it (the largest of 2^14 slots is about eight times
 * that). Levels: between a bootstrap and the next, SlotsToCoeffs not counted. Failure: of one bootstrap, at most.
 *   number  N     levels      in_scale    log QP  limbs, digits  error    failure  keys in memory, to send
 *   0       2^15  9 x 28 bit  2^28        864     22, 6          2^-12.9  2^-40    1.5 GB, 0.5 GB
 *   1       2^15  10 x 28 bit 2^28        867     23, 8          2^-13.5  2^-40    2.0 GB, 0.7 GB
 *   2       2^15  8 x 28 bit  2^28        867     22, 6          2^-12.0  none     1.5 GB, 0.5 GB
 *   3       2^16  15 x 38 bit 2^38.5      1608    30, 4          2^-17.3  none     4.1 GB, 1.4 GB */
bool ola_plan_boot_set(uint32_t number, struct ola_literal *out, double *in_scale, double *out_scale);

/* ---- the weights file -------------------------------------------------------------------------
 * Little endian. Header, section table, payloads, each section 8-byte aligned; the hash is BLAKE2b-256
 * of everything behind the header. Sections: one "map:<name>", "poly:<name>" or "sparse:<name>" each. */
#define OLA_WEIGHTS_MAGIC   0x57414c4fu /* "OLAW" */
#define OLA_WEIGHTS_VERSION 1u

struct ola_weights_header {
    uint32_t magic, version, sections, reserved;
    uint64_t size;      /* of the whole file */
    uint8_t model[32];  /* the model's hash */
    uint8_t hash[32];
};
struct ola_weights_section {
    char name[64];
    uint64_t offset, size;
};
/* map section: this, then n_diagonals entries, then folds (u32), then bias (f64, out_cts *
 * bias_period; bias_period 0: none), then the values of the diagonals; no padding in between. The
 * diagonals are strictly ascending by (out_ct, giant, arg, in_ct, baby). free_of_level: no values,
 * count is 0. */
struct ola_weights_map {
    uint32_t args, in_cts, out_cts, n_diagonals, n_folds, bias_period, free_of_level, reserved;
};
struct ola_weights_diagonal {
    uint32_t arg, in_ct, out_ct, giant, baby, period;
    uint32_t encoding; /* 0: period floats; 1: runs of {u32 count; f32 value} that sum to period */
    uint32_t count;    /* floats or runs */
    uint64_t offset;   /* from the start of the section */
};
/* poly section: this, then for each ct and k: u32 length (1 or period), then that many floats. */
struct ola_weights_poly {
    uint32_t degree, cts, period, reserved;
};
/* sparse section: this, then start (u32, temps + rows + 1), column (u32, terms), weights (u8, terms, zeros
 * behind them up to a multiple of 4; or i64, terms), then bias (f64, rows, where has_bias is 1); no other
 * padding. Row k has the terms start[k] .. start[k + 1] - 1. The first `temps` rows are partial sums that
 * later rows share: row k of them is column cols + k of rows behind it; the others are the results. */
enum ola_sparse_kind {
    OLA_SPARSE_SHIFTS,  /* +- 2^k: k in 0 .. OLA_SPARSE_MAX_SHIFT, plus OLA_SPARSE_NEGATIVE for - */
    OLA_SPARSE_INTEGERS /* not 0, below 2^63 in size */
};
#define OLA_SPARSE_MAX_SHIFT 62u
#define OLA_SPARSE_NEGATIVE  0x80u
/* Whether a row of shifts is summed by Horner's rule in powers of two (one multiplication by a power of two for each
 * exponent above 0 that occurs) and reduced once; else each term is multiplied. norm: the sum of its weights' sizes;
 * q: the largest prime of its level. */
bool ola_plan_sparse_lazy(double norm, uint64_t q);
struct ola_weights_sparse {
    uint32_t cols, rows, temps, terms;
    uint32_t kind;    /* enum ola_sparse_kind */
    uint32_t squared; /* 1: of the squares of the inputs */
    uint32_t has_bias, reserved;
};

#ifdef __cplusplus
}
#endif
#endif
