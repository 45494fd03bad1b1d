/* onnx_tensor.c - a TensorProto of any encoding as a tensor: raw bytes, typed fields, external
 * data. */
#include "import/onnx.h"

#include "import/data_number.h"

#include <inttypes.h>
#include <string.h>

/* ONNX's numbers of types, by position. */
static const struct {
    const char *name;
    enum dtype dtype;
} types[] = {
    {"UNDEFINED", DT_NONE}, {"FLOAT", DT_F32},  {"UINT8", DT_U8},       {"INT8", DT_I8},
    {"UINT16", DT_U16},     {"INT16", DT_I16},  {"INT32", DT_I32},      {"INT64", DT_I64},
    {"STRING", DT_STRING},  {"BOOL", DT_BOOL},  {"FLOAT16", DT_F16},    {"DOUBLE", DT_F64},
    {"UINT32", DT_U32},     {"UINT64", DT_U64}, {"COMPLEX64", DT_NONE}, {"COMPLEX128", DT_NONE},
    {"BFLOAT16", DT_BF16},
};

enum dtype
onnx_dtype(int32_t data_type)
{
    bool known = data_type >= 0 && data_type < (int32_t)(sizeof types / sizeof *types);
    return known ? types[data_type].dtype : DT_NONE;
}

const char *
onnx_dtype_name(struct arena *a, int32_t data_type)
{
    if (data_type >= 0 && data_type < (int32_t)(sizeof types / sizeof *types))
        return types[data_type].name;
    return arena_printf(a, "number %" PRId32, data_type);
}

/* The tensor at hand. */
struct reader {
    struct onnx *x;
    const Onnx__TensorProto *t;
    const char *node, *what;
};

static bool
fail(const struct reader *r, enum code code, const char *why)
{
    diag_error(r->x->diag, code, onnx_at(r->x, r->node), "%s: %s", r->what, why);
    return false;
}

static bool
read_shape(const struct reader *r, struct shape *s)
{
    const Onnx__TensorProto *t = r->t;

    if (t->n_dims > MAX_RANK) {
        diag_error(r->x->diag, E_ONNX_TENSOR, onnx_at(r->x, r->node),
                   "%s: it has %zu dimensions, olac takes at most %d", r->what, t->n_dims,
                   MAX_RANK);
        return false;
    }
    s->rank = (int)t->n_dims;
    for (size_t k = 0; k < t->n_dims; k++) {
        s->dim[k] = t->dims[k];
        if (t->dims[k] < 0) {
            diag_error(r->x->diag, E_ONNX_TENSOR, onnx_at(r->x, r->node),
                       "%s: dimension %zu is %" PRId64, r->what, k, t->dims[k]);
            return false;
        }
    }
    if (number_count(s) < 0) {
        diag_error(r->x->diag, E_TOO_LARGE, onnx_at(r->x, r->node),
                   "%s: the shape %s has more elements than olac takes", r->what,
                   shape_text(r->x->scratch, s));
        return false;
    }
    return true;
}

static bool
count_is(const struct reader *r, const struct shape *s, uint64_t have, uint64_t want,
         const char *of)
{
    if (have == want)
        return true;
    diag_error(r->x->diag, E_ONNX_TENSOR, onnx_at(r->x, r->node),
               "%s: %" PRIu64 " %s, but the shape %s needs %" PRIu64, r->what, have, of,
               shape_text(r->x->scratch, s), want);
    return false;
}

static bool
from_raw(const struct reader *r, const uint8_t *raw, size_t n, struct tensor *out)
{
    size_t at = 0;
    *out = tensor_new(r->x->graph->arena, out->dtype, out->shape);
    if (number_load(out, n, raw, false, &at))
        return true;
    diag_error(r->x->diag, E_ONNX_TENSOR, onnx_at(r->x, r->node),
               "%s: element %zu is above 2^63 - 1", r->what, at);
    return false;
}

/* The smallest and largest value of an integer type of at most 32 bits. */
static void
limits(enum dtype t, int64_t *lo, int64_t *hi)
{
    int bits = (int)(8 * number_width(t));
    bool is_signed = t == DT_I8 || t == DT_I16 || t == DT_I32;
    *lo = is_signed ? -((int64_t)1 << (bits - 1)) : 0;
    *hi = ((int64_t)1 << (is_signed ? bits - 1 : bits)) - 1;
    if (t == DT_BOOL)
        *hi = 1;
}

/* int32_data holds all integers of at most 32 bits but uint32, and 16-bit floats as their bits. */
static bool
from_int32(const struct reader *r, size_t n, struct tensor *out)
{
    enum dtype t = out->dtype;
    bool is_float = dtype_is_float(t);
    int64_t lo, hi;

    limits(is_float ? DT_U16 : t, &lo, &hi);
    for (size_t k = 0; k < n; k++) {
        int64_t v = r->t->int32_data[k];
        if (is_float && v >= INT16_MIN && v < 0)
            v = (uint16_t)v; /* the 16 bits, sign-extended */
        if (v < lo || v > hi) {
            diag_error(r->x->diag, E_ONNX_TENSOR, onnx_at(r->x, r->node),
                       "%s: element %zu is %" PRId64 ", which %s cannot hold", r->what, k, v,
                       dtype_name(t));
            return false;
        }
        if (t == DT_F16)
            out->f[k] = number_from_half((uint16_t)v);
        else if (is_float)
            out->f[k] = number_from_bfloat((uint16_t)v);
        else
            out->i[k] = v;
    }
    return true;
}

static bool
from_uint64(const struct reader *r, size_t n, struct tensor *out)
{
    uint64_t hi = out->dtype == DT_U32 ? UINT32_MAX : INT64_MAX;
    for (size_t k = 0; k < n; k++) {
        uint64_t v = r->t->uint64_data[k];
        if (v > hi) {
            diag_error(r->x->diag, E_ONNX_TENSOR, onnx_at(r->x, r->node),
                       "%s: element %zu is %" PRIu64 ", above %" PRIu64, r->what, k, v, hi);
            return false;
        }
        out->i[k] = (int64_t)v;
    }
    return true;
}

/* The typed field that belongs to the type, and how many elements it has. */
static size_t
typed_count(const Onnx__TensorProto *t, enum dtype dtype)
{
    switch (dtype) {
    case DT_F32:
        return t->n_float_data;
    case DT_F64:
        return t->n_double_data;
    case DT_I64:
        return t->n_int64_data;
    case DT_U32:
    case DT_U64:
        return t->n_uint64_data;
    default:
        return t->n_int32_data;
    }
}

static bool
from_typed(const struct reader *r, size_t n, struct tensor *out)
{
    const Onnx__TensorProto *t = r->t;

    *out = tensor_new(r->x->graph->arena, out->dtype, out->shape);
    switch (out->dtype) {
    case DT_F32:
        if (n)
            memcpy(out->f, t->float_data, n * sizeof *out->f);
        return true;
    case DT_F64:
        for (size_t k = 0; k < n; k++)
            out->f[k] = (float)t->double_data[k];
        return true;
    case DT_I64:
        if (n)
            memcpy(out->i, t->int64_data, n * sizeof *out->i);
        return true;
    case DT_U32:
    case DT_U64:
        return from_uint64(r, n, out);
    default:
        return from_int32(r, n, out);
    }
}

bool
onnx_tensor(struct onnx *x, const Onnx__TensorProto *t, const char *node, const char *what,
            struct tensor *out)
{
    struct reader r = {x, t, node, what};
    size_t typed_all = t->n_float_data + t->n_int32_data + t->n_int64_data + t->n_double_data +
                       t->n_uint64_data + t->n_string_data;

    memset(out, 0, sizeof *out);
    out->dtype = onnx_dtype(t->data_type);
    if (out->dtype == DT_NONE || out->dtype == DT_STRING) {
        const char *type = onnx_dtype_name(x->scratch, t->data_type);
        return fail(&r, E_ONNX_TYPE,
                    arena_printf(x->scratch, "a tensor of type %s cannot be compiled", type));
    }
    if (t->segment)
        return fail(&r, E_ONNX_TENSOR, "it is given in segments, which no exporter writes");
    if (!read_shape(&r, &out->shape))
        return false;

    size_t n = (size_t)shape_size(&out->shape), bytes = n * number_width(out->dtype);
    size_t typed = typed_count(t, out->dtype);
    bool external = t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    if ((typed_all && t->raw_data.len) || (external && (typed_all || t->raw_data.len)))
        return fail(&r, E_ONNX_TENSOR, "its data are given twice");
    if (typed_all != typed)
        return fail(&r, E_ONNX_TENSOR, "its data stand in a field of another type");
    if (external) {
        const uint8_t *raw = onnx_external_bytes(x, t, node, what, bytes);
        return raw && from_raw(&r, raw, n, out);
    }
    if (t->raw_data.len)
        return count_is(&r, &out->shape, t->raw_data.len, bytes, "bytes of data") &&
               from_raw(&r, t->raw_data.data, n, out);
    return count_is(&r, &out->shape, typed, n, "elements") && from_typed(&r, n, out);
}
