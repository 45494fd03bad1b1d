/* npy.c - NumPy's .npy format, versions 1 to 3 (numpy.lib.format), read and written.
 *
 * The header is a Python dictionary of three keys. Only what NumPy itself writes there is
 * understood; records, objects and strings are refused. */
#include "import/data_format.h"
#include "import/data_number.h"

#include <inttypes.h>
#include <string.h>

/* A header is a line; NumPy's own are below 200 bytes. */
#define HEADER_MAX 65536

/* A cursor in the text of the header. */
struct cursor {
    const char *at, *end;
    const char *file;
    struct diag *diag;
};

static bool
bad(const struct cursor *c, const char *why)
{
    diag_error(c->diag, E_DATA_HEADER, PLACE_FILE(c->file), "damaged .npy header: %s", why);
    return false;
}

static void
blank(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n'))
        c->at++;
}

static bool
take(struct cursor *c, char ch)
{
    blank(c);
    if (c->at == c->end || *c->at != ch)
        return false;
    c->at++;
    return true;
}

/* A quoted string without escapes, of at most 63 characters. */
static bool
string(struct cursor *c, char out[64])
{
    blank(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    char quote = *c->at++;
    size_t n = 0;
    while (c->at < c->end && *c->at != quote && n < 63)
        out[n++] = *c->at++;
    out[n] = 0;
    if (c->at == c->end || *c->at != quote)
        return false;
    c->at++;
    return true;
}

static bool
word(struct cursor *c, const char *w)
{
    size_t n = strlen(w);
    blank(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, w, n) != 0)
        return false;
    c->at += n;
    return true;
}

/* (3, 4), (3,) or (); Python 2 wrote 3L. */
static bool
tuple(struct cursor *c, struct shape *s)
{
    s->rank = 0;
    if (!take(c, '('))
        return bad(c, "the shape is not a tuple");
    while (!take(c, ')')) {
        int64_t v = 0;
        if (s->rank == MAX_RANK)
            return bad(c, "more than 8 dimensions");
        if (c->at == c->end || *c->at < '0' || *c->at > '9')
            return bad(c, "a dimension that is no number");
        for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
            if (v > (INT64_MAX - 9) / 10)
                return bad(c, "a dimension that is too large");
            v = v * 10 + (*c->at - '0');
        }
        if (c->at < c->end && *c->at == 'L')
            c->at++;
        s->dim[s->rank++] = v;
        if (!take(c, ',')) {
            if (!take(c, ')'))
                return bad(c, "the shape does not end");
            break;
        }
    }
    return true;
}

/* "<f4" and so on. */
static bool
descr(const struct cursor *c, const char *s, struct npy_header *h)
{
    static const struct {
        const char *name;
        enum dtype dtype;
    } types[] = {{"f2", DT_F16}, {"f4", DT_F32}, {"f8", DT_F64}, {"i1", DT_I8},
                 {"i2", DT_I16}, {"i4", DT_I32}, {"i8", DT_I64}, {"u1", DT_U8},
                 {"u2", DT_U16}, {"u4", DT_U32}, {"u8", DT_U64}, {"b1", DT_BOOL}};
    const char *type = strchr("<>|=", s[0]) && s[0] ? s + 1 : s;

    h->big_endian = s[0] == '>';
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (strcmp(types[k].name, type) == 0) {
            h->dtype = types[k].dtype;
            return true;
        }
    diag_error(c->diag, E_DATA_TYPE, PLACE_FILE(c->file),
               "elements of type '%s' are not read, only floats, integers and booleans", s);
    diag_hint(c->diag, "in Python: numpy.save(name, x.astype('float32'))");
    return false;
}

/* One "key: value" of the dictionary; seen has a bit for each of the three keys. */
static bool
entry(struct cursor *c, struct npy_header *h, unsigned *seen)
{
    char key[64], value[64];
    unsigned bit;

    if (!string(c, key) || !take(c, ':'))
        return bad(c, "it is not a dictionary");
    bit = strcmp(key, "descr") == 0           ? 1
          : strcmp(key, "fortran_order") == 0 ? 2
          : strcmp(key, "shape") == 0         ? 4
                                              : 0;
    if (!bit || *seen & bit)
        return bad(c, "a key that is unknown or given twice");
    *seen |= bit;
    if (bit == 4)
        return tuple(c, &h->shape);
    if (bit == 2) {
        h->fortran = word(c, "True");
        return h->fortran || word(c, "False") || bad(c, "fortran_order is neither True nor False");
    }
    blank(c);
    if (c->at < c->end && *c->at == '[')
        return descr(c, "record", h);
    return string(c, value) ? descr(c, value, h) : bad(c, "descr is not a string");
}

static bool
dictionary(struct cursor *c, struct npy_header *h)
{
    unsigned seen = 0;

    if (!take(c, '{'))
        return bad(c, "it is not a dictionary");
    while (!take(c, '}')) {
        if (!entry(c, h, &seen))
            return false;
        if (!take(c, ',')) {
            if (!take(c, '}'))
                return bad(c, "the dictionary does not end");
            break;
        }
    }
    blank(c);
    if (c->at != c->end)
        return bad(c, "there is something behind the dictionary");
    return seen == 7 || bad(c, "descr, fortran_order or shape is missing");
}

bool
npy_begins(const uint8_t *bytes, size_t size)
{
    return size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

size_t
npy_lead(const uint8_t *b)
{
    size_t lead = b[6] == 1 ? 10 : 12, len = (size_t)b[8] | (size_t)b[9] << 8;

    if (lead == 12)
        len |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    return len > HEADER_MAX ? 0 : lead + len;
}

bool
npy_header_alone(const char *file, const uint8_t *bytes, size_t size, struct npy_header *h,
                 struct diag *d)
{
    struct cursor c = {.file = file, .diag = d};

    memset(h, 0, sizeof *h);
    if (!npy_begins(bytes, size)) {
        diag_error(d, E_DATA_FORMAT, PLACE_FILE(file), "not an .npy file");
        return false;
    }
    if (size < 12) {
        diag_error(d, E_DATA_TRUNCATED, PLACE_FILE(file), "the .npy header is cut off");
        return false;
    }
    if (bytes[6] < 1 || bytes[6] > 3)
        return bad(&c, "its version is not 1, 2 or 3");
    h->offset = npy_lead(bytes);
    if (!h->offset)
        return bad(&c, "it is longer than 65536 bytes");
    if (size < h->offset) {
        diag_error(d, E_DATA_TRUNCATED, PLACE_FILE(file), "the .npy header is cut off");
        return false;
    }
    c.at = (const char *)bytes + (bytes[6] == 1 ? 10 : 12);
    c.end = (const char *)bytes + h->offset;
    return dictionary(&c, h);
}

bool
npy_header(struct arena *a, const char *file, const uint8_t *bytes, size_t size,
           struct npy_header *h, struct diag *d)
{
    if (!npy_header_alone(file, bytes, size, h, d))
        return false;
    int64_t n = number_count(&h->shape);
    if (n < 0) {
        diag_error(d, E_TOO_LARGE, PLACE_FILE(file),
                   "the shape %s has more elements than olac takes", shape_text(a, &h->shape));
        return false;
    }
    size_t want = (size_t)n * number_width(h->dtype);
    if (size - h->offset != want) {
        diag_error(d, E_DATA_TRUNCATED, PLACE_FILE(file),
                   "%zu bytes of elements, but the shape %s of %s needs %zu", size - h->offset,
                   shape_text(a, &h->shape), dtype_name(h->dtype), want);
        return false;
    }
    return true;
}

/* From the order where the first index runs fastest to ours, where the last does. */
static void
reorder(struct arena *a, struct tensor *t)
{
    struct tensor from = *t;
    int64_t n = shape_size(&t->shape), index[MAX_RANK] = {0}, stride[MAX_RANK], at = 0;

    *t = tensor_new(a, t->dtype, t->shape);
    for (int k = 0; k < t->shape.rank; k++)
        stride[k] = k ? stride[k - 1] * t->shape.dim[k - 1] : 1;
    for (int64_t i = 0; i < n; i++) {
        if (t->f)
            t->f[i] = from.f[at];
        else
            t->i[i] = from.i[at];
        for (int k = t->shape.rank - 1; k >= 0; k--) {
            at += stride[k];
            if (++index[k] < t->shape.dim[k])
                break;
            at -= stride[k] * t->shape.dim[k];
            index[k] = 0;
        }
    }
}

bool
npy_parse(struct arena *a, const char *file, const uint8_t *bytes, size_t size, struct tensor *out,
          struct diag *d)
{
    struct npy_header h;
    size_t at = 0;

    if (!npy_header(a, file, bytes, size, &h, d))
        return false;
    *out = tensor_new(a, h.dtype, h.shape);
    if (!number_load(out, (size_t)shape_size(&h.shape), bytes + h.offset, h.big_endian, &at)) {
        diag_error(d, E_DATA_TYPE, PLACE_FILE(file), "element %zu is above 2^63 - 1", at);
        return false;
    }
    if (h.fortran && h.shape.rank > 1)
        reorder(a, out);
    return true;
}

static void
add_little_endian(struct str *out, uint64_t v, unsigned width)
{
    char b[8];
    for (unsigned k = 0; k < width; k++)
        b[k] = (char)(uint8_t)(v >> 8 * k);
    str_addn(out, b, width);
}

void
npy_format(const struct tensor *t, struct str *out)
{
    bool is_float = dtype_is_float(t->dtype);
    int64_t n = shape_size(&t->shape);
    struct str h = {0};

    str_addf(&h, "{'descr': '%s', 'fortran_order': False, 'shape': (",
             is_float              ? "<f4"
             : t->dtype == DT_BOOL ? "|b1"
                                   : "<i8");
    for (int k = 0; k < t->shape.rank; k++)
        str_addf(&h, "%s%" PRId64, k ? ", " : "", t->shape.dim[k]);
    str_add(&h, t->shape.rank == 1 ? ",), }" : "), }");
    while ((10 + h.len + 1) % 64)
        str_add(&h, " ");
    str_add(&h, "\n");
    str_addn(out, "\x93NUMPY\x01\x00", 8);
    add_little_endian(out, h.len, 2);
    str_addn(out, h.text, h.len);
    str_free(&h);
    for (int64_t k = 0; k < n; k++) {
        uint32_t bits;
        if (is_float) {
            memcpy(&bits, &t->f[k], sizeof bits);
            add_little_endian(out, bits, 4);
        } else if (t->dtype == DT_BOOL) {
            add_little_endian(out, t->i[k] != 0, 1);
        } else {
            add_little_endian(out, (uint64_t)t->i[k], 8);
        }
    }
}
