/* bench.h - one table of what the runtime's operations take on this machine, each beside its floor:
 * the time that its multiplications take at the multiplier's rate, its bytes at the memory's, or
 * those of a file at the hash's, whichever is longest; the rates are measured in the same run.
 *
 * Times of one thread are processor time, so that a busy machine does not add to them; those of
 * more threads are elapsed time. Of the repeats the least is taken. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What an operation cannot do without. mults: halves of 52-bit products (a lane of IFMA), of which
 * a product by a constant takes three and any other product of residues four; bytes: that have to
 * come from or go to where they are kept between operations, each counted once though it be both;
 * hashed: bytes of a file, whose trailer is a hash of one chain. */
struct cost {
    double mults, bytes, hashed;
};

#define BENCH_THREADS 2u  /* at most */
#define BENCH_SIZES   14u /* working sets of 2^(14 + k) bytes */

/* A microsecond's worth, of one thread's and of two threads'. */
struct machine {
    double mults[BENCH_THREADS];
    double bytes[BENCH_THREADS][BENCH_SIZES];
    double hashed; /* by one thread */
};

struct bench {
    struct machine machine;
    uint32_t threads;
    bool json;
    uint32_t rows;
    const char *only; /* names must contain it; NULL: all */
};

/* An operation: run(context, t) with t + 1 threads. */
struct operation {
    const char *name;
    uint32_t log_n;
    bool parallel; /* can use threads */
    struct cost cost;
    void (*run)(void *context, uint32_t t);
};

/* Measured with the widest multiplier that the backend in use has, and with streaming reads. */
void machine_measure(struct machine *m, uint32_t threads);
const char *machine_multiplier(void);
/* Microseconds that a cost takes at least. */
double machine_floor(const struct machine *m, struct cost c, uint32_t t);

/* Least time of one run in microseconds. */
double bench_time(void (*run)(void *context, uint32_t t), void *context, uint32_t t);
void bench_begin(struct bench *b);
void bench_row(struct bench *b, const struct operation *op, void *context);
void bench_note(struct bench *b, const char *text); /* conditions of the rows that follow */
void bench_end(struct bench *b);

/* ---- costs ---- */

/* A key switch: limbs of the ciphertext and of the special modulus, digits of `digit` limbs; bytes
 * of a residue where it is stored in a key. */
struct shape {
    uint32_t log_n, limbs, special, digit;
    double key_width;
};
struct ola_params;
struct ola_map;
struct shape shape_at(const struct ola_params *p, uint32_t level);
struct cost cost_add(struct cost a, struct cost b);
struct cost cost_times(double k, struct cost a);
struct cost cost_ntt(uint32_t log_n);
struct cost cost_inverse(uint32_t log_n);                             /* scaled or not */
struct cost cost_entries(uint32_t log_n, double mults, double words); /* for each entry of a limb */
struct cost cost_multiples(uint32_t log_n, uint32_t sources);
struct cost cost_convert(uint32_t log_n, uint32_t sources);
struct cost cost_inner(uint32_t log_n, uint32_t digits);
uint32_t shape_digits(const struct shape *s);
/* With the bytes that pass between them: raised digits, sums. */
struct cost cost_raise(const struct shape *s);
struct cost cost_key(const struct shape *s);
struct cost cost_divide(const struct shape *s, uint32_t by, uint32_t out);
/* With the bytes of operands, keys and results alone. */
struct cost cost_rotation(const struct shape *s);
struct cost cost_hoisted(const struct shape *s); /* from raised digits */
struct cost cost_reduce(const struct shape *s);  /* relinearise and rescale */
struct cost cost_product(const struct shape *s); /* of ciphertexts, reduced */
struct cost cost_map(const struct ola_map *m);
struct cost cost_poly(const struct ola_params *p, uint32_t degree, uint32_t level);

/* ---- groups of rows ---- */
void bench_kernels(struct bench *b, uint32_t log_n);
void bench_scheme(struct bench *b, uint32_t log_n, uint32_t bits);
void bench_bootstrap(struct bench *b); /* at N = 2^15 */

/* Ends the program: a benchmark has nothing to clean up. */
void bench_must(int status, const char *what);

#endif
