/* table.c - the rows of ops.def with the functions of the op files. */
#include "op/op.h"

#include <string.h>

#define OP(onnx, symbol, in_lo, in_hi, out_hi, class, traits) extern const struct op op_##symbol;
#include "ir/ops.def"
#undef OP

static const struct op_row rows[OP_COUNT] = {
#define OP(onnx, symbol, in_lo, in_hi, out_hi, class, traits)                                      \
    [OP_##symbol] = {onnx, #symbol, in_lo, in_hi, out_hi, class, traits, &op_##symbol},
#include "ir/ops.def"
#undef OP
};

const struct op_row *
op_row(enum op_id id)
{
    return id > OP_NONE && id < OP_COUNT ? &rows[id] : NULL;
}

enum op_id
op_find(const char *onnx_name)
{
    for (int id = OP_NONE + 1; id < OP_COUNT; id++)
        if (strcmp(rows[id].onnx, onnx_name) == 0)
            return (enum op_id)id;
    return OP_NONE;
}
