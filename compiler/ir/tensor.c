/* tensor.c - shapes, broadcasting, data; see tensor.h. */
#include "ir/tensor.h"

#include "base/str.h"

#include <string.h>

static const char *const names[] = {
    [DT_NONE] = "none", [DT_F32] = "f32",   [DT_F64] = "f64",       [DT_F16] = "f16",
    [DT_BF16] = "bf16", [DT_I8] = "i8",     [DT_I16] = "i16",       [DT_I32] = "i32",
    [DT_I64] = "i64",   [DT_U8] = "u8",     [DT_U16] = "u16",       [DT_U32] = "u32",
    [DT_U64] = "u64",   [DT_BOOL] = "bool", [DT_STRING] = "string",
};

bool
dtype_is_float(enum dtype t)
{
    return t == DT_F32 || t == DT_F64 || t == DT_F16 || t == DT_BF16;
}

const char *
dtype_name(enum dtype t)
{
    return names[t];
}

enum dtype
dtype_from_name(const char *name)
{
    for (size_t t = DT_F32; t < sizeof names / sizeof *names; t++)
        if (strcmp(names[t], name) == 0)
            return (enum dtype)t;
    return DT_NONE;
}

int64_t
shape_size(const struct shape *s)
{
    int64_t size = 1, limit = (int64_t)(OLAC_MAX_BYTES / 8);
    bool empty = false;
    for (int k = 0; k < s->rank; k++) {
        int64_t dim = s->dim[k] == 0 ? 1 : s->dim[k];
        if (dim < 0 || size > limit / dim)
            return -1;
        size *= dim;
        empty |= s->dim[k] == 0;
    }
    return empty ? 0 : size;
}

bool
shape_equal(const struct shape *a, const struct shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int k = 0; k < a->rank; k++)
        if (a->dim[k] != b->dim[k])
            return false;
    return true;
}

struct shape
shape_of(int rank, const int64_t *dim)
{
    struct shape s = {.rank = rank};
    for (int k = 0; k < rank; k++)
        s.dim[k] = dim[k];
    return s;
}

const char *
shape_text(struct arena *a, const struct shape *s)
{
    struct str text = {0};
    for (int k = 0; k < s->rank; k++)
        str_addf(&text, "%s%lld", k ? "x" : "", (long long)s->dim[k]);
    const char *copy = arena_strdup(a, s->rank ? str_text(&text) : "scalar");
    str_free(&text);
    return copy;
}

bool
shape_broadcast(const struct shape *a, const struct shape *b, struct shape *out)
{
    struct shape r = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int k = 0; k < r.rank; k++) {
        int ka = k - (r.rank - a->rank), kb = k - (r.rank - b->rank);
        int64_t da = ka < 0 ? 1 : a->dim[ka], db = kb < 0 ? 1 : b->dim[kb];
        if (da != db && da != 1 && db != 1)
            return false;
        r.dim[k] = da == 1 ? db : da;
    }
    *out = r;
    return true;
}

void
shape_strides(const struct shape *s, const struct shape *to, int64_t stride[MAX_RANK])
{
    int64_t step = 1;
    int lead = to->rank - s->rank;
    for (int k = 0; k < lead; k++)
        stride[k] = 0;
    for (int k = s->rank - 1; k >= 0; k--) {
        stride[k + lead] = s->dim[k] == 1 && to->dim[k + lead] != 1 ? 0 : step;
        step *= s->dim[k];
    }
}

struct tensor
tensor_new(struct arena *a, enum dtype dtype, struct shape shape)
{
    struct tensor t = {.dtype = dtype, .shape = shape};
    int64_t size = shape_size(&shape);
    if (size <= 0 || dtype == DT_STRING)
        return t;
    if (dtype_is_float(dtype))
        t.f = ARENA_ARRAY(a, float, (size_t)size);
    else
        t.i = ARENA_ARRAY(a, int64_t, (size_t)size);
    return t;
}
