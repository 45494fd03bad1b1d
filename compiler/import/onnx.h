/* onnx.h - what the files of the ONNX importer share; private to import/. */
#ifndef OLAC_IMPORT_ONNX_H
#define OLAC_IMPORT_ONNX_H

#include "base/map.h"
#include "ir/graph.h"

#include <onnx.pb-c.h>
#include <sodium.h>

/* A file beside the model that holds data of tensors. */
struct onnx_external {
    const uint8_t *data;
    size_t size, taken; /* taken: bytes of all tensors made of it so far */
};

/* One import. */
struct onnx {
    struct graph *graph;   /* its arena keeps what is imported */
    struct arena *scratch; /* freed at the end of the import */
    struct diag *diag;
    const char *file, *dir; /* dir: NULL when there is no folder for external data */
    crypto_generichash_state hash;
    VEC(struct onnx_external) externals;
    struct map external_of; /* path -> index into externals */
};

/* ---- onnx_wire.c --------------------------------------------------------------------------------
 */
/* The bytes as messages; NULL after E_ONNX_TRUNCATED, E_ONNX_DAMAGED or E_TOO_LARGE. Nesting,
 * repeated messages and memory are bounded before anything is unpacked. Free with onnx_free. */
Onnx__ModelProto *onnx_unpack(const char *file, const uint8_t *data, size_t size, struct diag *d);
void onnx_free(Onnx__ModelProto *m);

/* ---- onnx_tensor.c ------------------------------------------------------------------------------
 */
/* A tensor of any encoding; `what` ("initializer 'w'") and `node` (or NULL) are for messages. Bytes
 * of external data are appended to the model's hash. */
bool onnx_tensor(struct onnx *x, const Onnx__TensorProto *t, const char *node, const char *what,
                 struct tensor *out);
/* DT_NONE when olac has no such type. */
enum dtype onnx_dtype(int32_t data_type);
/* "FLOAT", "COMPLEX64" ... */
const char *onnx_dtype_name(struct arena *a, int32_t data_type);

/* ---- onnx_external.c ----------------------------------------------------------------------------
 */
/* The `need` bytes that the external_data entries of t describe; NULL after E_ONNX_EXTERNAL. */
const uint8_t *onnx_external_bytes(struct onnx *x, const Onnx__TensorProto *t, const char *node,
                                   const char *what, size_t need);

/* ---- onnx_attr.c --------------------------------------------------------------------------------
 */
/* All attributes of a node; false after an error. *out has n->n_attribute entries. */
bool onnx_attrs(struct onnx *x, const Onnx__NodeProto *n, const char *node, struct attr **out);
/* The value of a Constant node. */
bool onnx_constant(struct onnx *x, const Onnx__NodeProto *n, const char *node, struct tensor *out);

/* ---- onnx_input.c -------------------------------------------------------------------------------
 */
/* Type and shape of a named input of the graph; an open first dimension becomes 1. */
bool onnx_input(struct onnx *x, const Onnx__ValueInfoProto *v, enum dtype *dtype,
                struct shape *shape);

/* ---- onnx_op.c ----------------------------------------------------------------------------------
 */
/* The operator of a node; OP_NONE after E_ONNX_OP. */
enum op_id onnx_op(struct onnx *x, const Onnx__NodeProto *n, const char *node);

/* ---- onnx_order.c -------------------------------------------------------------------------------
 */
/* needs.at[first[n] .. first[n + 1] - 1] are the nodes that node n reads from. order receives the
 * nodes so that each stands behind those it needs: in the file's own order where that will do.
 * False when there is a circle; circle[0 .. *n_circle - 1] are then nodes of one, each reading the
 * next. */
bool onnx_order(struct arena *a, uint32_t nodes, const uint32_t *first, const uint32_t *needs,
                uint32_t *order, uint32_t *circle, uint32_t *n_circle);

static inline struct place
onnx_at(const struct onnx *x, const char *node)
{
    return (struct place){.file = x->file, .node = node};
}

#endif
