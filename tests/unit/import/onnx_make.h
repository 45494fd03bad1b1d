/* onnx_make.h - small ONNX models made in memory, and what importing them says. */
#ifndef OLAC_TESTS_ONNX_MAKE_H
#define OLAC_TESTS_ONNX_MAKE_H

#include "import/import.h"

#include <onnx.pb-c.h>

/* A model under construction. Its parts may be changed before it is packed. */
struct maker {
    struct arena *arena;
    struct diag *diag;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
};

/* Opset 13, no nodes. Free with make_free. */
struct maker *make_new(void);
void make_free(struct maker *m);

/* Names are separated by commas; "" between two commas is an input left out. */
Onnx__NodeProto *make_node(struct maker *m, const char *op, const char *name, const char *in,
                           const char *out);
/* type: of onnx.proto. */
Onnx__TensorProto *make_tensor(struct maker *m, const char *name, int32_t type, size_t rank,
                               const int64_t *dims);
Onnx__TensorProto *make_init(struct maker *m, const char *name, int32_t type, size_t rank,
                             const int64_t *dims);
/* A dimension below 0 is symbolic ("N-1", "N-2" ...). */
Onnx__ValueInfoProto *make_input(struct maker *m, const char *name, int32_t type, size_t rank,
                                 const int64_t *dims);
void make_output(struct maker *m, const char *name);
/* An attribute without a value. */
Onnx__AttributeProto *make_attr(struct maker *m, Onnx__NodeProto *n, const char *name,
                                Onnx__AttributeProto__AttributeType type);
void make_raw(Onnx__TensorProto *t, const void *bytes, size_t size);
void make_external(struct maker *m, Onnx__TensorProto *t, const char *key, const char *value);
void make_opset(struct maker *m, const char *domain, int64_t version);

/* image [1, 4] -> Gemm with "w" [3, 4] and "b" [3] -> Relu -> "y"; all weights are 1, 2, 3 ... */
struct maker *make_small(void);

const uint8_t *make_pack(struct maker *m, size_t *size);
/* Packs and imports; messages in m->diag. */
struct graph *make_import(struct maker *m, const char *dir);

/* Whether there is a message of that code whose text or node contains `part`. */
bool said(const struct diag *d, enum code code, const char *part);
/* All messages, for the text of a failed assertion. */
const char *all_messages(struct arena *a, const struct diag *d);

#define AT(type) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##type
#define TT(type) ONNX__TENSOR_PROTO__DATA_TYPE__##type
#define DIMS(...)                                                                                  \
    (sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[])                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

#endif
