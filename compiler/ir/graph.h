/* graph.h - the tensor graph: what the front ends build, the middle passes change, and lowering
 * reads.
 *
 * Typed, topologically ordered; values and nodes are indices, never pointers. A value is made by
 * exactly one of: a model input, a constant, a node. Everything lives in the graph's arena.
 * A node's op is a row of ops.def; passes ask the op's class and traits, never its name. */
#ifndef OLAC_IR_GRAPH_H
#define OLAC_IR_GRAPH_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/vec.h"
#include "ir/tensor.h"

#define NONE UINT32_MAX /* no value, no node; an optional input that is left out */

enum op_id {
    OP_NONE,
#define OP(onnx, symbol, in_lo, in_hi, out_hi, class, traits) OP_##symbol,
#include "ir/ops.def"
#undef OP
    OP_COUNT
};

/* ONNX attributes, as the file gives them (older opsets too; see op.h for the accessors). */
enum attr_kind {
    ATTR_INT,
    ATTR_FLOAT,
    ATTR_STRING,
    ATTR_INTS,
    ATTR_FLOATS,
    ATTR_STRINGS,
    ATTR_TENSOR
};

struct attr {
    const char *name;
    enum attr_kind kind;
    uint32_t count; /* of ints, floats, strings; 1 for the scalar kinds */
    int64_t *ints;
    float *floats;
    const char **strings;
    struct tensor tensor;
};

/* How an activation is computed on encrypted data; made by approximate/.
 * Channel c of the value (see channel_axis, channels) uses row c, or row 0 when rows == 1:
 * p(x) = sum_k coef[row * (degree + 1) + k] * T_k((x - center[row]) / radius[row]),
 * T_k the Chebyshev polynomials of the first kind. radius > 0. */
struct poly {
    uint32_t degree, rows;
    double *coef, *center, *radius;
    double error; /* root of the distribution-weighted mean square error, over all rows */
};

/* A pin of the user's, from an annotation of the language or --set NODE:degree=7; 0: free. */
struct pins {
    uint32_t degree_min, degree_max; /* @degree(7) sets both, @degree(<= 7) the second */
    uint32_t pow2_bits;              /* @pow2(5) */
};

enum value_kind { VALUE_INPUT, VALUE_CONST, VALUE_NODE };

struct value {
    const char *name; /* unique in the graph, never empty */
    enum value_kind kind;
    enum dtype dtype;
    struct shape shape; /* valid after graph_infer */
    uint32_t node;      /* the producer, for VALUE_NODE */
    uint32_t output;    /* which of its outputs */
    struct tensor data; /* for VALUE_CONST */
    /* a constant that approximate/ has refitted: as it was, and as the float network takes it; else
     * without data */
    struct tensor trained;
};

/* How the number in a pixel becomes the number that the network takes: (v / divisor - mean) / std,
 * mean and std one for each channel (dimension 1 of a rank-4 input, else one for all). */
struct pixels {
    bool present; /* false: data are floats, taken as they are */
    double divisor;
    uint32_t channels;
    double *mean, *std;
};

struct input {
    uint32_t value;
    struct pixels pixels;
};

struct node {
    const char *name; /* unique in the graph, never empty */
    enum op_id op;
    VEC(uint32_t) in;  /* values; NONE for an optional one left out */
    VEC(uint32_t) out; /* values; NONE for an optional one not wanted */
    VEC(struct attr) attrs;
    struct pins pins;
    struct poly *poly; /* on class NONLIN after approximate, else NULL */
    struct place place;
};

struct graph {
    struct arena *arena;
    const char *name;
    const char *file; /* for messages */
    int opset;        /* of the default domain, 7 .. 17 */
    VEC(struct value) values;
    VEC(struct node) nodes; /* topological order */
    VEC(struct input) inputs;
    VEC(uint32_t) outputs; /* values */
    /* BLAKE2b-256 of the model file (ONNX) or of the model's canonical print */
    uint8_t hash[32];
    struct map value_names, node_names; /* name -> index, kept by the functions below */
};

struct graph *graph_new(struct arena *a, const char *name, const char *file);
/* Add; names are made unique by a suffix (.1, .2 ...) where they are taken or empty. */
uint32_t graph_input(struct graph *g, const char *name, enum dtype dtype, struct shape shape);
uint32_t graph_const(struct graph *g, const char *name, struct tensor data);
/* The node's outputs are new values with these names (NULL: made up; "": not wanted -> NONE). */
uint32_t graph_node(struct graph *g, const char *name, enum op_id op, const uint32_t *in,
                    uint32_t n_in, const char *const *out, uint32_t n_out, struct place place);
void graph_attr(struct graph *g, uint32_t node, struct attr attr);
const struct attr *graph_find_attr(const struct node *n, const char *name);

struct value *graph_value(const struct graph *g, uint32_t value);
/* The node that makes a value, NULL for inputs and constants. */
struct node *graph_producer(const struct graph *g, uint32_t value);
/* How many node inputs and graph outputs read the value. */
uint32_t graph_uses(const struct graph *g, uint32_t value);
/* All readers of `from` read `to` from now on (graph outputs too; the output keeps its name:
 * the two values swap names when `from` was a graph output). */
void graph_replace(struct graph *g, uint32_t from, uint32_t to);
/* Restores topological order after nodes were appended out of order, and drops nodes (and
 * constants) that no output needs. Indices of nodes change, indices of values do not. */
void graph_tidy(struct graph *g);
/* A copy that shares nothing but constant data. */
struct graph *graph_copy(struct arena *a, const struct graph *g);

/* The verifier: rules for each stage; false and E_GRAPH for each rule that is broken.
 * STAGE_IMPORTED   names unique, indices valid, topological, arity as ops.def says
 * STAGE_INFERRED   every value has a dtype and a shape
 * STAGE_SIMPLIFIED no NOP trait, no node with only constant inputs, no unused node
 * STAGE_APPROXIMATED every encrypted NONLIN node has a poly; no node of class COMPOSITE */
enum stage { STAGE_IMPORTED, STAGE_INFERRED, STAGE_SIMPLIFIED, STAGE_APPROXIMATED };
bool graph_check(const struct graph *g, enum stage stage, struct diag *d);

/* p(x) of row `row`, by Clenshaw's recurrence in double. */
double poly_eval(const struct poly *p, uint32_t row, double x);

/* The axis along which an activation's polynomials differ, and its length: dimension 1 of rank >= 2
 * (NCHW, or features of [batch, features]), else the last; 1 for a scalar. */
uint32_t graph_channels(const struct shape *s, int *axis);

/* The ONNX name of an operator. */
const char *op_name(enum op_id op);
/* A table: node, op, output shape, parameters (for `olac show`). */
void graph_print(const struct graph *g, struct str *out);

#endif
