/* onnx_op.c - from ONNX's name of an operator to ours, and what to advise where there is none. */
#include "import/onnx.h"

#include "op/op.h"

#include <string.h>

/* What can be done about operators that networks do use and olac does not know. */
static const struct {
    const char *op, *hint;
} advice[] = {
    {"LSTM",
     "unroll the recurrence over a fixed number of steps into MatMul, Sigmoid, Tanh and Mul"},
    {"GRU",
     "unroll the recurrence over a fixed number of steps into MatMul, Sigmoid, Tanh and Mul"},
    {"RNN", "unroll the recurrence over a fixed number of steps into MatMul, Tanh and Add"},
    {"LRN", "train the network with BatchNormalization instead: it is folded into the convolution"},
    {"LpNormalization", "train the network with BatchNormalization instead"},
    {"GroupNormalization",
     "train the network with BatchNormalization, or export as opset 17 so that "
     "it is written as InstanceNormalization"},
    {"MeanVarianceNormalization", "use InstanceNormalization or BatchNormalization"},
    {"LpPool", "use AveragePool"},
    {"GlobalLpPool", "use GlobalAveragePool"},
    {"Hardmax", "leave it out: the client finds the largest value itself"},
    {"TopK", "leave it out: the client sorts the decrypted answers itself"},
    {"NonMaxSuppression", "cut the model before it: the client does this on the decrypted answers"},
    {"RoiAlign", "cut the model before it: the client does this on the decrypted answers"},
    {"NonZero", "cut the model before it: which elements are zero cannot be seen under encryption"},
    {"Greater",
     "a comparison of encrypted values: use Sign of the difference, with a fitted range"},
    {"Less", "a comparison of encrypted values: use Sign of the difference, with a fitted range"},
    {"QuantizeLinear", "export the float model: olac quantises by itself"},
    {"DequantizeLinear", "export the float model: olac quantises by itself"},
    {"Quant", "export the float model: olac quantises by itself"},
    {"QLinearConv", "export the float model: olac quantises by itself"},
    {"QLinearMatMul", "export the float model: olac quantises by itself"},
    {"ConvInteger", "export the float model: olac quantises by itself"},
    {"MatMulInteger", "export the float model: olac quantises by itself"},
    {"Einsum", "write it as Transpose, Reshape and MatMul"},
    {"ReduceProd", "write it as Mul of the parts"},
    {"ReduceSumSquare", "write it as Mul and ReduceSum"},
    {"ReduceL2", "write it as Mul, ReduceSum and Sqrt"},
    {"ReduceL1", "write it as Abs and ReduceSum"},
    {"ReduceMin", "write it as Neg, ReduceMax and Neg"},
    {"ArgMin", "write it as Neg and ArgMax"},
    {"GatherElements", "use Gather with constant indices along one axis"},
    {"GatherND", "use Gather with constant indices along one axis"},
    {"ScatterElements", "use Concat or Pad, which move elements to fixed places"},
    {"ScatterND", "use Concat or Pad, which move elements to fixed places"},
    {"FastGelu", "export with the standard Gelu, or its Erf or Tanh form"},
    {"BiasGelu", "export without operator fusion: an Add and a Gelu"},
    {"SkipLayerNormalization", "export without operator fusion: an Add and a LayerNormalization"},
    {"Attention", "export without operator fusion"},
    {"FusedConv", "export without operator fusion: a Conv and an activation"},
    {"FusedMatMul", "export without operator fusion"},
    {"FusedGemm", "export without operator fusion: a Gemm and an activation"},
};

static bool
is_default(const char *domain)
{
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

/* Letters to insert, delete or change to make b of a; at most `most`, above that most + 1. Names of
 * more than 31 letters are never near. */
static unsigned
distance(const char *a, const char *b, unsigned most)
{
    unsigned row[32];
    size_t la = strlen(a), lb = strlen(b);

    if (la > 31 || lb > 31)
        return most + 1;
    for (size_t j = 0; j <= lb; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= la; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= lb; j++) {
            unsigned change = diagonal + ((a[i - 1] | 32) != (b[j - 1] | 32));
            unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < other ? change : other;
        }
    }
    return row[lb] <= most ? row[lb] : most + 1;
}

static void
advise(struct onnx *x, const char *op)
{
    const char *nearest = NULL;
    unsigned best = 3;

    for (size_t k = 0; k < sizeof advice / sizeof *advice; k++)
        if (strcmp(advice[k].op, op) == 0) {
            diag_hint(x->diag, "%s", advice[k].hint);
            return;
        }
    for (int id = OP_NONE + 1; id < OP_COUNT; id++) {
        unsigned far = distance(op, op_row((enum op_id)id)->onnx, 2);
        if (far < best) {
            best = far;
            nearest = op_row((enum op_id)id)->onnx;
        }
    }
    if (nearest)
        diag_hint(x->diag, "the nearest operator by name is '%s'", nearest);
    else
        diag_hint(x->diag, "write it with supported operators, or cut the model before this node");
}

enum op_id
onnx_op(struct onnx *x, const Onnx__NodeProto *n, const char *node)
{
    bool standard = is_default(n->domain);

    if (standard && op_find(n->op_type) != OP_NONE)
        return op_find(n->op_type);
    if (!standard && strcmp(n->domain, "com.microsoft") == 0 && strcmp(n->op_type, "Gelu") == 0)
        return OP_gelu;
    if (standard)
        diag_error(x->diag, E_ONNX_OP, onnx_at(x, node), "operator '%s' is not supported",
                   n->op_type);
    else
        diag_error(x->diag, E_ONNX_OP, onnx_at(x, node),
                   "operator '%s' of domain '%s' is not supported", n->op_type, n->domain);
    if (!standard && op_find(n->op_type) != OP_NONE)
        diag_hint(x->diag, "'%s' of ONNX's default domain is supported", n->op_type);
    else
        advise(x, n->op_type);
    return OP_NONE;
}
