/* dsl_literal.c - numbers, shapes, constants written in the text, and weight files; see
 * dsl_build.h. */
#include "import/dsl_build.h"

#include "base/file.h"
#include "import/data.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool
literal_is_int(const char *text)
{
    text += *text == '-';
    if (!*text)
        return false;
    for (; *text; text++)
        if (*text < '0' || *text > '9')
            return false;
    return true;
}

bool
literal_int(struct build *b, struct thing t, int64_t *out)
{
    if (t.kind == T_BAD)
        return false;
    if (t.kind == T_NUMBER && (strcmp(t.text, "true") == 0 || strcmp(t.text, "false") == 0)) {
        *out = *t.text == 't';
        return true;
    }
    if (t.kind != T_NUMBER || !literal_is_int(t.text))
        return build_error(b, E_DSL_KIND, t.loc, "expected a whole number");
    errno = 0;
    *out = strtoll(t.text, NULL, 10);
    if (errno == ERANGE)
        return build_error(b, E_DSL_NUMBER, t.loc, "%.40s does not fit 64 bits", t.text);
    return true;
}

bool
literal_double(struct build *b, struct thing t, double *out)
{
    if (t.kind == T_BAD)
        return false;
    if (t.kind != T_NUMBER || *t.text == 't' || strcmp(t.text, "false") == 0)
        return build_error(b, E_DSL_KIND, t.loc, "expected a number");
    *out = strtod(t.text, NULL);
    if (isinf(*out) && !strstr(t.text, "inf"))
        return build_error(b, E_DSL_NUMBER, t.loc, "%.40s is too large for a float", t.text);
    return true;
}

bool
literal_float(struct build *b, struct thing t, float *out)
{
    double checked;
    if (!literal_double(b, t, &checked))
        return false;
    if (strncmp(t.text, "nan", 3) == 0) {
        uint32_t bits = t.text[3] ? (uint32_t)strtoul(t.text + 4, NULL, 16) : 0x7fc00000u;
        memcpy(out, &bits, sizeof bits);
        return true;
    }
    *out = strtof(t.text, NULL); /* not through double: that would round twice */
    if (isinf(*out) && !strstr(t.text, "inf"))
        return build_error(b, E_DSL_NUMBER, t.loc, "%.40s is too large for a float", t.text);
    return true;
}

static bool
dims_ints(struct build *b, struct thing t, int64_t *out, uint32_t most, uint32_t *n)
{
    for (const char *c = t.text; *c; c += *c == 'x') {
        char *end;
        if (*n == most)
            return build_error(b, E_DSL_SHAPE, t.loc, "more than %u numbers", most);
        errno = 0;
        out[(*n)++] = strtoll(c, &end, 10);
        if (errno == ERANGE)
            return build_error(b, E_DSL_NUMBER, t.loc, "%.40s: does not fit 64 bits", t.text);
        c = end;
    }
    return true;
}

bool
literal_ints(struct build *b, struct thing t, int64_t *out, uint32_t most, uint32_t *n)
{
    *n = 0;
    if (t.kind == T_DIMS)
        return dims_ints(b, t, out, most, n);
    if (t.kind != T_LIST)
        return literal_int(b, t, out);
    if (t.n > most)
        return build_error(b, E_DSL_SHAPE, t.loc, "more than %u numbers", most);
    if (t.n == 0)
        return build_error(b, E_DSL_SHAPE, t.loc, "the list is empty");
    for (; *n < t.n; ++*n)
        if (!literal_int(b, t.items[*n], &out[*n]))
            return false;
    return true;
}

bool
literal_shape(struct build *b, const struct dsl_type *type, enum dtype *dtype, struct shape *shape)
{
    *dtype = dtype_from_name(type->name);
    *shape = (struct shape){0};
    if (*dtype == DT_NONE) {
        build_error(b, E_DSL_SHAPE, type->loc, "'%.40s' is no type", type->name);
        diag_hint(b->diag, "f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64 bool string");
        return false;
    }
    if (type->dims.len > MAX_RANK)
        return build_error(b, E_DSL_SHAPE, type->loc, "more than %d dimensions", MAX_RANK);
    for (uint32_t k = 0; k < type->dims.len; k++) {
        const struct dsl_expr *e = type->dims.at[k];
        struct thing t = {
            .kind = e->kind == X_NUMBER ? T_NUMBER : T_NONE, .loc = e->loc, .text = e->text};
        if (!literal_int(b, t, &shape->dim[k]))
            return false;
        if (shape->dim[k] < 0)
            return build_error(b, E_DSL_SHAPE, e->loc, "a dimension is negative");
    }
    shape->rank = (int)type->dims.len;
    if (shape_size(shape) < 0)
        return build_error(b, E_DSL_LIMIT, type->loc, "the shape is larger than olac can hold");
    return true;
}

/* Smallest and largest integer of a type. */
static void
int_range(enum dtype t, int64_t *low, int64_t *high)
{
    static const struct {
        enum dtype t;
        int bits;
        bool negative;
    } rows[] = {{DT_I8, 7, true},    {DT_I16, 15, true},  {DT_I32, 31, true}, {DT_U8, 8, false},
                {DT_U16, 16, false}, {DT_U32, 32, false}, {DT_BOOL, 1, false}};
    *low = t == DT_U64 ? 0 : INT64_MIN;
    *high = INT64_MAX;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        if (rows[k].t == t) {
            *high = ((int64_t)1 << rows[k].bits) - 1;
            *low = rows[k].negative ? -*high - 1 : 0;
        }
}

static bool
check_range(struct build *b, struct dsl_loc at, const struct tensor *t, int64_t size)
{
    int64_t low, high;
    int_range(t->dtype, &low, &high);
    for (int64_t k = 0; t->i && k < size; k++)
        if (t->i[k] < low || t->i[k] > high)
            return build_error(b, E_DSL_NUMBER, at, "%lld does not fit %s", (long long)t->i[k],
                               dtype_name(t->dtype));
    return true;
}

/* Counts bytes of constants, so that a short text cannot ask for all memory. */
static bool
account(struct build *b, struct dsl_loc at, int64_t elements)
{
    if (elements < 0 || (size_t)elements > (OLAC_MAX_BYTES - b->loaded) / 8)
        return build_error(b, E_TOO_LARGE, at, "the constants are larger than olac can hold");
    b->loaded += (size_t)elements * 8;
    return true;
}

static bool
safe_path(struct build *b, struct dsl_loc at, const char *file)
{
    bool ok = *file && *file != '/' && !strchr(file, '\\') && strlen(file) < 1000;
    for (const char *part = file; ok && part; part = strchr(part, '/')) {
        part += *part == '/';
        ok = !(part[0] == '.' && part[1] == '.' && (part[2] == 0 || part[2] == '/'));
    }
    if (ok)
        return true;
    build_error(b, E_DSL_PATH, at,
                "weights are read only below the model's own folder, not from '%.200s'", file);
    return false;
}

bool
literal_file(struct build *b, struct dsl_loc at, const char *file, enum dtype dtype,
             const struct shape *shape, struct tensor *out)
{
    const uint8_t *bytes;
    size_t size;
    struct diag *inner = diag_new();

    if (!safe_path(b, at, file)) {
        diag_free(inner);
        return false;
    }
    bool ok = b->dir != NULL;
    if (!ok)
        build_error(b, E_DSL_WEIGHTS, at, "'%s' cannot be read: the text has no folder", file);
    ok = ok &&
         file_read(b->arena, file_join(b->arena, b->dir, file), false, OLAC_MAX_BYTES, &bytes,
                   &size, inner) &&
         npy_parse(b->arena, file, bytes, size, out, inner);
    if (diag_count(inner))
        build_error(b, E_DSL_WEIGHTS, at, "weights '%s': %s", file, diag_at(inner, 0)->text);
    diag_free(inner);
    if (!ok)
        return false;
    bool is_float = dtype_is_float(out->dtype);
    if (dtype == DT_NONE)
        dtype = is_float ? DT_F32 : out->dtype;
    if (is_float != dtype_is_float(dtype))
        return build_error(b, E_DSL_WEIGHTS, at, "weights '%s' hold %s, not %s", file,
                           dtype_name(out->dtype), dtype_name(dtype));
    if (shape && !shape_equal(shape, &out->shape))
        return build_error(b, E_DSL_WEIGHTS, at, "weights '%s' are %s, not %s", file,
                           shape_text(b->arena, &out->shape), shape_text(b->arena, shape));
    out->dtype = dtype;
    return check_range(b, at, out, shape_size(&out->shape)) &&
           account(b, at, shape_size(&out->shape));
}

static bool
literal_element(struct build *b, struct thing t, struct tensor *out, int64_t k)
{
    return out->f ? literal_float(b, t, &out->f[k]) : literal_int(b, t, &out->i[k]);
}

/* [1, 2, 3], flat and row-major, or a single number. */
static bool
inline_tensor(struct build *b, struct scope *s, const struct dsl_expr *value, struct tensor *out)
{
    struct thing t = build_eval(b, s, value, NULL);
    int64_t size = shape_size(&out->shape);
    bool ok = true;

    if (t.kind == T_BAD)
        return false;
    bool list = t.kind == T_LIST;
    int64_t n = list ? t.n : 1;
    if (n != size)
        return build_error(b, E_DSL_SHAPE, value->loc, "%lld numbers for a shape of %lld",
                           (long long)n, (long long)size);
    *out = tensor_new(b->arena, out->dtype, out->shape);
    for (int64_t k = 0; k < n && ok; k++)
        ok = literal_element(b, list ? t.items[k] : t, out, k);
    return ok && check_range(b, value->loc, out, size) && account(b, value->loc, size);
}

bool
literal_tensor(struct build *b, struct scope *s, const struct dsl_type *type,
               const struct dsl_expr *value, const char *name, struct dsl_loc at,
               struct tensor *out)
{
    *out = (struct tensor){0};
    if (type && !literal_shape(b, type, &out->dtype, &out->shape))
        return false;
    if (type && out->dtype == DT_STRING) /* known by name and shape, never computed */
        return !value ||
               build_error(b, E_DSL_KIND, value->loc, "strings are never computed: no value");
    if (value && value->kind != X_FILE) {
        if (!type)
            return build_error(b, E_DSL_SHAPE, at,
                               "a type is missing: const %.40s : f32[...] = ...", name);
        return inline_tensor(b, s, value, out);
    }
    const char *file = value ? value->text : arena_printf(b->arena, "%s.npy", name);
    struct shape shape = out->shape;
    return literal_file(b, value ? value->loc : at, file, out->dtype, type ? &shape : NULL, out);
}
