/* op.h - what one operator is: the row of ops.def plus the functions of op/<symbol>.c.
 *
 * Each file defines `const struct op op_<symbol>` and nothing else that is visible. It reads its
 * attributes through the accessors below, so that an attribute that became an input in a later
 * opset (axes, pads, shape ...) is one call. Errors go to ctx->diag with the node's place, codes
 * 300-399. Windows of convolutions and pools: window.h; broadcasting: broadcast.h. */
#ifndef OLAC_OP_OP_H
#define OLAC_OP_OP_H

#include "ir/graph.h"

enum op_class { LINEAR = 1, ELTWISE, PRODUCT, NONLIN, COMPOSITE, PLAIN };
enum op_trait { MOVE = 1, COMMUTES = 2, NOP = 4, VARIADIC = 8, FACTOR = 16 };

/* The node at hand. */
struct op_ctx {
    struct graph *graph;
    const struct node *node;
    struct diag *diag;
    struct arena *arena; /* scratch of the call, or the graph's during inference */
};

/* Receives an affine map entry by entry: out[o] += weight * in[k][i]; out[o] += bias.
 * `in` is the position among the node's inputs. Entries of one o may come in any order and repeat
 * (they add up). Rows (o) come in ascending order. Weights of 0 may come: Conv, Gemm and MatMul
 * list all that they have a place for. */
struct linear_sink {
    void *user;
    void (*entry)(void *user, uint32_t in, uint32_t o, uint32_t i, double weight);
    void (*bias)(void *user, uint32_t o, double value);
};

struct op {
    /* The attributes that the op knows, blank-separated; NULL: none. Another one on a node is an
     * error, so that nothing is computed without it. */
    const char *attrs;
    /* Sets dtype and shape of every wanted output (graph_value(...)); all inputs have theirs.
     * Shapes are checked here, completely: eval and linear may rely on it. False after an error. */
    bool (*infer)(struct op_ctx *c);
    /* Computes outputs from inputs as ONNX says, out[k] allocated (tensor_new) with the inferred
     * shape when wanted, data == NULL when not. in[] is as long as the op may have inputs; those
     * left out have dtype DT_NONE. A MOVE op takes the type from in[0]: it is also called on
     * indices in place of floats. NULL for PLAIN ops that inference folds itself. Must not touch
     * globals: images run on all cores. */
    bool (*eval)(struct op_ctx *c, const struct tensor *const *in, struct tensor *out);
    /* LINEAR (and ELTWISE, PRODUCT when exactly one input is not constant): lists output `output`
     * of the node as an affine map of the non-constant inputs. Constant inputs have their data in
     * the graph. */
    bool (*linear)(struct op_ctx *c, uint32_t output, const struct linear_sink *sink);
    /* NONLIN: the function, for channel `channel` (PRelu's slope; others ignore it), and its
     * derivative (any subgradient where it has none). */
    double (*fn)(const struct op_ctx *c, uint32_t channel, double x);
    double (*derivative)(const struct op_ctx *c, uint32_t channel, double x);
};

/* What ops.def says of an op, with its functions. */
struct op_row {
    const char *onnx, *symbol;
    uint32_t in_lo, in_hi, out_hi; /* 255: no limit */
    enum op_class class;
    unsigned traits;
    const struct op *op;
};

/* Row of an id; never NULL for 1 .. OP_COUNT - 1. */
const struct op_row *op_row(enum op_id id);
/* OP_NONE when unknown. */
enum op_id op_find(const char *onnx_name);

/* ---- accessors for op files -------------------------------------------------------------------
 */
int64_t op_int(const struct op_ctx *c, const char *name, int64_t otherwise);
double op_float(const struct op_ctx *c, const char *name, double otherwise);
const char *op_string(const struct op_ctx *c, const char *name, const char *otherwise);
/* Attribute `name` or, where later opsets made it an input, the constant at input `in` (in < 0:
 * only the attribute). *present tells whether there is one. False after an error (the input is not
 * constant: E_NOT_CONST; wrong type). */
bool op_ints(struct op_ctx *c, const char *name, int in, const int64_t **v, uint32_t *n,
             bool *present);
bool op_floats(struct op_ctx *c, const char *name, int in, const float **v, uint32_t *n,
               bool *present);
/* The value at input k, NULL when it is left out or beyond the list. */
const struct value *op_in(const struct op_ctx *c, uint32_t k);
struct value *op_out(const struct op_ctx *c, uint32_t k);
/* Constant data of input k, NULL when it is encrypted or left out. */
const struct tensor *op_const(const struct op_ctx *c, uint32_t k);
/* Sets shape and dtype of output k; ignores an output that is not wanted. */
void op_set(struct op_ctx *c, uint32_t k, enum dtype dtype, struct shape shape);
/* Makes output k a constant, whatever the inputs are (Shape: it needs only the input's shape). */
void op_set_const(struct op_ctx *c, uint32_t k, struct tensor data);
/* Axis in [-rank, rank) -> [0, rank); reports E_ATTRIBUTE otherwise. */
bool op_axis(struct op_ctx *c, int64_t axis, int rank, int *out);
/* E_NOT_CONST when input k is there and not a constant: linear() of an op whose weights are
 * encrypted. */
bool op_need_const(struct op_ctx *c, uint32_t k);
/* For ops that take more work than they have elements: E_TENSOR_SIZE when all inputs are constants,
 * so that inference will compute the node, and that takes more than OP_MAX_WORK products. */
#define OP_MAX_WORK 0x1p33
bool op_work(struct op_ctx *c, double products);
/* E_DTYPE unless input k is left out or of floats. */
bool op_need_float(struct op_ctx *c, uint32_t k);
/* An integer as a value of type t holds it: wrapped to its width; bool: 0 or 1. */
int64_t op_wrap(enum dtype t, int64_t v);
bool op_error(struct op_ctx *c, enum code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4))); /* always false */
/* infer for "same shape and dtype as input 0". */
bool op_infer_same(struct op_ctx *c);
/* eval of a NONLIN through fn; linear of a MOVE through eval on an index tensor. */
bool op_eval_fn(struct op_ctx *c, const struct tensor *const *in, struct tensor *out);
bool op_linear_move(struct op_ctx *c, uint32_t output, const struct linear_sink *sink);

/* The kinds that an attribute of this name may have, a letter each: i f s of one, I F S of a list,
 * t a tensor. NULL for a name that no operator has. In ONNX one name has one kind, but for value; a
 * single number also serves as a list of one. */
const char *op_attr_kinds(const char *name);

/* ---- the graph as a whole ---------------------------------------------------------------------
 */
/* No tensor of the graph may have more elements. */
#define OP_MAX_ELEMENTS ((int64_t)1 << 28)

/* Infers every dtype and shape in order and folds nodes whose inputs are all constant (Constant,
 * Shape, arithmetic on shapes ...) into constants. A symbolic first dimension of an input was
 * made 1 by the importer. Reports all problems; false when there was one. What folding makes is
 * bounded by what the file holds (E_TENSOR_SIZE). Drops what no output needs (graph_tidy). */
bool graph_infer(struct graph *g, struct diag *d);
/* All entries of output `output` of a node. False after an error. */
bool op_linear(struct graph *g, uint32_t node, uint32_t output, const struct linear_sink *sink,
               struct diag *d);
/* E_NOT_FINITE for every constant of a node that is NaN, or infinite where no limit is meant. */
bool op_finite(const struct graph *g, struct diag *d);
/* True when the value depends on a model input (it will be encrypted). O(1): not a constant. */
bool op_encrypted(const struct graph *g, uint32_t value);

#endif
