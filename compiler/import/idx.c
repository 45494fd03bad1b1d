/* idx.c - the idx format of MNIST: two zero bytes, a type, a rank, big-endian dimensions, elements.
 */
#include "import/data_format.h"
#include "import/data_number.h"

static enum dtype
type_of(uint8_t code)
{
    switch (code) {
    case 0x08:
        return DT_U8;
    case 0x09:
        return DT_I8;
    case 0x0b:
        return DT_I16;
    case 0x0c:
        return DT_I32;
    case 0x0d:
        return DT_F32;
    case 0x0e:
        return DT_F64;
    default:
        return DT_NONE;
    }
}

bool
idx_begins(const uint8_t *b, size_t size)
{
    return size >= 4 && b[0] == 0 && b[1] == 0 && type_of(b[2]) != DT_NONE && b[3] >= 1 &&
           b[3] <= MAX_RANK;
}

/* Bytes of the header; the shape. The file holds at least the header. */
static size_t
header(const uint8_t *b, struct shape *s)
{
    s->rank = b[3];
    for (int k = 0; k < s->rank; k++) {
        const uint8_t *p = b + 4 + 4 * k;
        s->dim[k] = (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
    }
    return 4 + 4 * (size_t)s->rank;
}

size_t
idx_header(const uint8_t *b, enum dtype *type, struct shape *s)
{
    *type = type_of(b[2]);
    return header(b, s);
}

bool
idx_fits(const uint8_t *b, size_t size)
{
    struct shape s;
    if (!idx_begins(b, size) || size < 4 + 4 * (size_t)b[3])
        return false;
    size_t lead = header(b, &s);
    int64_t n = number_count(&s);
    return n >= 0 && size - lead == (size_t)n * number_width(type_of(b[2]));
}

bool
idx_parse(struct arena *a, const char *file, const uint8_t *b, size_t size, struct data *out,
          struct diag *d)
{
    enum dtype type = type_of(b[2]);
    size_t at;

    if (size < 4 + 4 * (size_t)b[3]) {
        diag_error(d, E_DATA_TRUNCATED, PLACE_FILE(file), "the idx header is cut off");
        return false;
    }
    size_t lead = header(b, &out->shape);
    int64_t n = number_count(&out->shape);
    if (n < 0) {
        diag_error(d, E_TOO_LARGE, PLACE_FILE(file),
                   "the shape %s has more elements than olac takes", shape_text(a, &out->shape));
        return false;
    }
    if (size - lead != (size_t)n * number_width(type)) {
        diag_error(d, E_DATA_TRUNCATED, PLACE_FILE(file),
                   "%zu bytes of elements, but the shape %s of %s needs %zu", size - lead,
                   shape_text(a, &out->shape), dtype_name(type), (size_t)n * number_width(type));
        return false;
    }
    out->dtype = type;
    if (type == DT_U8) {
        out->u8 = b + lead;
        return true;
    }
    struct tensor t = tensor_new(a, type, out->shape);
    number_load(&t, (size_t)n, b + lead, true, &at);
    out->dtype = t.f || dtype_is_float(type) ? DT_F32 : DT_I64;
    out->f32 = t.f;
    out->i64 = t.i;
    return true;
}
