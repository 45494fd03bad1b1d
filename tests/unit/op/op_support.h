/* op_support.h - for the tests of operators: a graph built node by node, run on random data, its
 * matrices applied; and pseudo-random numbers. */
#ifndef OP_SUPPORT_H
#define OP_SUPPORT_H

#include "op/interpret.h"

#define MAX_TEST_INPUTS 8

struct bench {
    struct arena *a;
    struct diag *d;
    struct graph *g;
    uint64_t state;
    struct tensor in[MAX_TEST_INPUTS], out[MAX_TEST_INPUTS];
};

#define SHAPE(...)                                                                                 \
    shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})
#define SCALAR ((struct shape){0})

struct bench *bench_new(int opset);
void bench_free(struct bench *b);
/* Uniform in [low, high], whole. */
int64_t bench_int(struct bench *b, int64_t low, int64_t high);
/* A model input of floats; random data in [-1, 1]. */
uint32_t bench_input(struct bench *b, struct shape shape);
/* Constants: random floats in [-1, 1], given floats, given integers (rank 1). */
uint32_t bench_weights(struct bench *b, struct shape shape);
uint32_t bench_floats(struct bench *b, struct shape shape, const float *v);
uint32_t bench_ints(struct bench *b, uint32_t n, const int64_t *v);
#define INTS(b, ...)                                                                               \
    bench_ints((b), (uint32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                \
               (int64_t[]){__VA_ARGS__})
/* A node with n inputs and one output, which is returned and becomes the graph's only output. */
uint32_t bench_node(struct bench *b, enum op_id op, uint32_t n, const uint32_t *in);
#define NODE(b, op, ...)                                                                           \
    bench_node((b), (op), (uint32_t)(sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)),        \
               (uint32_t[]){__VA_ARGS__})
/* Attributes of the newest node. */
void bench_attr_int(struct bench *b, const char *name, int64_t v);
void bench_attr_float(struct bench *b, const char *name, float v);
void bench_attr_text(struct bench *b, const char *name, const char *v);
void bench_attr_ints(struct bench *b, const char *name, uint32_t n, const int64_t *v);
#define ATTR_LIST(b, name, ...)                                                                    \
    bench_attr_ints((b), (name), (uint32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),   \
                    (int64_t[]){__VA_ARGS__})

/* Infers and interprets; asserts that both succeed. Data of input k in in[k], of output k in
 * out[k]. */
void bench_run(struct bench *b);
/* Infers; asserts that the first error has this code and names a node. */
void bench_refuse(struct bench *b, enum code code);
/* Asserts that the matrices of all affine nodes give what bench_run gave, and returns how many
 * there are. Only for graphs whose nodes read model inputs and constants. */
uint32_t bench_matrices(struct bench *b);
/* Asserts that output 0 has this shape and, within 1e-4, these values. */
void bench_expect(struct bench *b, struct shape shape, const double *want);
/* All messages, for asserts. */
const char *bench_errors(struct bench *b);

#endif
