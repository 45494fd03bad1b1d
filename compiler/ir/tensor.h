/* tensor.h - shapes and constant data, shared by the graph, the interpreter and the readers of
 * data. */
#ifndef OLAC_IR_TENSOR_H
#define OLAC_IR_TENSOR_H

#include "base/arena.h"

#include <stdbool.h>

#define MAX_RANK 8

/* What an element is in the model's file. The interpreter computes reals as float and everything
 * else as int64_t: floats in .f, integers and booleans in .i. */
enum dtype {
    DT_NONE,
    DT_F32,
    DT_F64, /* read as float; doubles that a float cannot hold are rounded to nearest */
    DT_F16,
    DT_BF16,
    DT_I8,
    DT_I16,
    DT_I32,
    DT_I64,
    DT_U8,
    DT_U16,
    DT_U32,
    DT_U64, /* above 2^63 - 1: refused by the readers */
    DT_BOOL,
    DT_STRING /* known by name, never computed */
};

/* A shape. dim[k] >= 0; 0 is an empty tensor. rank 0 is a scalar (one element). */
struct shape {
    int rank;
    int64_t dim[MAX_RANK];
};

/* A tensor with its data: exactly one of f and i is set (row-major), unless it is empty. */
struct tensor {
    enum dtype dtype;
    struct shape shape;
    float *f;
    int64_t *i;
};

bool dtype_is_float(enum dtype t);
const char *dtype_name(enum dtype t); /* "f32", "i64", "bool" ... as the language spells it */
enum dtype dtype_from_name(const char *name); /* DT_NONE when unknown */

/* Elements; -1 when the product of the dimensions, without those that are 0, exceeds OLAC_MAX_BYTES
 * / 8: an empty tensor has strides too. */
int64_t shape_size(const struct shape *s);
bool shape_equal(const struct shape *a, const struct shape *b);
struct shape shape_of(int rank, const int64_t *dim);
/* "1x28x28", "scalar" */
const char *shape_text(struct arena *a, const struct shape *s);
/* ONNX (numpy) broadcasting of two shapes; false when they do not fit. */
bool shape_broadcast(const struct shape *a, const struct shape *b, struct shape *out);
/* Row-major strides; a dimension of 1 that is broadcast to `to` gets stride 0, missing leading ones
 * too. */
void shape_strides(const struct shape *s, const struct shape *to, int64_t stride[MAX_RANK]);
/* Zeroed data for a shape. The shape must have a size (shape_size >= 0). */
struct tensor tensor_new(struct arena *a, enum dtype dtype, struct shape shape);

#endif
