/* data.c - images and labels from files: which format it is, and labels in all their forms. */
#include "import/data.h"

#include "base/file.h"
#include "base/vec.h"
#include "import/data_format.h"

#include <inttypes.h>
#include <string.h>

/* What a data file may hold, unpacked. */
#define DATA_MAX ((size_t)2 << 30)

static bool
from_npy(struct arena *a, const char *path, const uint8_t *bytes, size_t size, struct data *out,
         struct diag *d)
{
    struct npy_header h;
    struct tensor t;

    if (!npy_header(a, path, bytes, size, &h, d))
        return false;
    out->shape = h.shape;
    out->dtype = h.dtype;
    if (h.dtype == DT_U8 && !(h.fortran && h.shape.rank > 1)) {
        out->u8 = bytes + h.offset;
        return true;
    }
    if (!npy_parse(a, path, bytes, size, &t, d))
        return false;
    if (h.dtype == DT_U8) {
        size_t n = (size_t)shape_size(&h.shape);
        uint8_t *u8 = arena_alloc(a, n);
        for (size_t k = 0; k < n; k++)
            u8[k] = (uint8_t)t.i[k];
        out->u8 = u8;
        return true;
    }
    out->dtype = dtype_is_float(h.dtype) ? DT_F32 : DT_I64;
    out->f32 = t.f;
    out->i64 = t.i;
    return true;
}

bool
data_parse(struct arena *a, const char *path, const uint8_t *bytes, size_t size, struct data *out,
           struct diag *d)
{
    memset(out, 0, sizeof *out);
    out->file = arena_strdup(a, path);
    if (size == 0) {
        diag_error(d, E_EMPTY, PLACE_FILE(path), "the file is empty");
        return false;
    }
    if (npy_begins(bytes, size))
        return from_npy(a, path, bytes, size, out, d);
    if (idx_fits(bytes, size))
        return idx_parse(a, path, bytes, size, out, d);
    if (cifar_fits(bytes, size))
        return cifar_parse(a, path, bytes, size, out, d);
    if (idx_begins(bytes, size))
        return idx_parse(a, path, bytes, size, out, d);
    if (size % CIFAR_RECORD == 0)
        return cifar_parse(a, path, bytes, size, out, d);
    diag_error(d, E_DATA_FORMAT, PLACE_FILE(path),
               "neither .npy nor idx; nor a CIFAR-10 batch, whose size would be a multiple of 3073 "
               "(it is %zu)",
               size);
    return false;
}

bool
data_read(struct arena *a, const char *path, struct data *out, struct diag *d)
{
    const uint8_t *bytes;
    size_t size;
    return file_read(a, path, true, DATA_MAX, &bytes, &size, d) &&
           data_parse(a, path, bytes, size, out, d);
}

static bool
bad_line(struct diag *d, const char *path, int line, const char *why)
{
    diag_error(d, E_DATA_LABELS, (struct place){.file = path, .line = line}, "%s", why);
    return false;
}

/* A whole number from 0 to 2^31 - 1 on each line; blank lines only at the end. */
static bool
from_text(struct arena *a, const char *path, const char *s, size_t size, const int64_t **labels,
          uint32_t *n, struct diag *d)
{
    VEC(int64_t) v = {0};
    size_t at = 0;
    bool blank = false;

    for (int line = 1; at < size; line++) {
        const char *end = memchr(s + at, '\n', size - at);
        size_t stop = end ? (size_t)(end - s) : size, last = stop;
        int64_t x = 0;
        while (at < last && (s[at] == ' ' || s[at] == '\t'))
            at++;
        while (last > at && (s[last - 1] == ' ' || s[last - 1] == '\t' || s[last - 1] == '\r'))
            last--;
        if (at < last && blank)
            return bad_line(d, path, line - 1, "a line without a label");
        blank = at == last;
        for (size_t k = at; k < last; k++) {
            if (s[k] < '0' || s[k] > '9')
                return bad_line(d, path, line, "a label is not a whole number from 0");
            x = x * 10 + (s[k] - '0');
            if (x > INT32_MAX)
                return bad_line(d, path, line, "a label is above 2147483647");
        }
        if (!blank)
            vec_push(a, &v, x);
        at = stop + 1;
    }
    if (!v.len)
        return bad_line(d, path, 0, "there is no label in the file");
    *labels = v.at;
    *n = v.len;
    return true;
}

static bool
bad_labels(struct diag *d, const char *path, const char *why)
{
    diag_error(d, E_DATA_LABELS, PLACE_FILE(path), "%s", why);
    return false;
}

/* Labels from an array of whole numbers, [n] or [n, 1]. */
static bool
from_data(struct arena *a, const char *path, const struct data *data, const int64_t **labels,
          uint32_t *n, struct diag *d)
{
    int64_t size = shape_size(&data->shape);

    if (!data->labels && (data->shape.rank < 1 || size != data->shape.dim[0]))
        return bad_labels(d, path, "not one label for each image: the array has more dimensions");
    int64_t count = data->shape.dim[0];
    if (count == 0 || count > UINT32_MAX)
        return bad_labels(d, path, "there is no label in the file, or there are too many");
    if (!data->labels && !data->u8 && !data->i64)
        return bad_labels(d, path, "labels have to be whole numbers, these are floats");
    int64_t *v = ARENA_ARRAY(a, int64_t, (size_t)count);
    for (int64_t k = 0; k < count; k++) {
        v[k] = data->labels ? data->labels[k] : data->u8 ? data->u8[k] : data->i64[k];
        if (v[k] < 0 || v[k] > INT32_MAX) {
            diag_error(d, E_DATA_LABELS, PLACE_FILE(path),
                       "label %" PRId64 " is %" PRId64 ", not a whole number from 0 to 2147483647",
                       k, v[k]);
            return false;
        }
    }
    *labels = v;
    *n = (uint32_t)count;
    return true;
}

/* Printable characters and white space only: then it is text, and not a batch of images. */
static bool
is_text(const uint8_t *s, size_t size)
{
    for (size_t k = 0; k < size; k++)
        if (!(s[k] >= 0x20 && s[k] < 0x7f) && s[k] != '\n' && s[k] != '\r' && s[k] != '\t')
            return false;
    return true;
}

bool
data_labels(struct arena *a, const char *path, const int64_t **labels, uint32_t *n, struct diag *d)
{
    const uint8_t *bytes;
    struct data data;
    size_t size;

    if (!file_read(a, path, true, DATA_MAX, &bytes, &size, d))
        return false;
    if (size && is_text(bytes, size))
        return from_text(a, path, (const char *)bytes, size, labels, n, d);
    return data_parse(a, path, bytes, size, &data, d) && from_data(a, path, &data, labels, n, d);
}
