/* programs.h - small scheduled HE programs, made by hand, that between them use every instruction.
 * All are insecure toys: N = 1024. */
#ifndef TEST_EMIT_PROGRAMS_H
#define TEST_EMIT_PROGRAMS_H

#include "emit/emit.h"

struct test_program {
    struct he_program *p;
    uint32_t in_size, out_size;
};

/* 16 pixels -> 10 numbers: dense, polynomial of degree 3 with coefficients of their own in each
 * slot, sum with the dense layer's output. One ciphertext, period 32. */
struct test_program program_dense(struct arena *a);
/* Two inputs of 1200 numbers, three ciphertexts each: product, two maps to two ciphertexts (one
 * with folds and bias, one of sums only), difference, added vector, drop; 800 numbers. */
struct test_program program_wide(struct arena *a);
/* 100 sums in one node with a hostile name; no weights at all. */
struct test_program program_sums(struct arena *a);

/* The dense layer's row-major 10 x 16 weights and 10 biases, the polynomial of output j at x. */
extern const float dense_weights[160];
double dense_bias(uint32_t j);
double dense_poly(uint32_t j, double x);

/* n images of made-up numbers in [-1, 1], and the answers of he_eval. */
void test_images(struct arena *a, const struct test_program *t, uint32_t n, float **in,
                 float **out);

#endif
