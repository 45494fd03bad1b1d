/* data_stream.c - the images of a file in passing. The header says how long a row is; each block
 * of rows goes through the same conversions as a whole file does. */
#include "base/file.h"
#include "import/data_format.h"
#include "import/data_number.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define BLOCK_BYTES ((size_t)64 << 20)
/* Enough for every header but those of .npy. */
#define FIRST_BYTES 64

enum format { STREAM_NPY, STREAM_IDX, STREAM_CIFAR, STREAM_WHOLE };

struct data_stream {
    const char *path;
    gzFile file;
    enum format format;
    enum dtype type;              /* as in the file */
    bool big_endian, packed;      /* packed: gzip, whose size is a hint */
    struct shape shape;           /* of all images; dimension 0 is not known of CIFAR batches */
    uint64_t size, row, at, rows; /* bytes of the file, of a row; rows read, of the file; 0: ? */
    uint8_t first[FIRST_BYTES];   /* read already, from the beginning, and not used up */
    size_t n_first;
    struct arena *block; /* the images that are out */
    struct data whole;
};

static bool
fail(struct data_stream *s, struct diag *d)
{
    int code;
    const char *why = gzerror(s->file, &code);

    if (code == Z_ERRNO)
        diag_error(d, E_READ, PLACE_FILE(s->path), "cannot read: %s", strerror(errno));
    else if (code == Z_BUF_ERROR)
        diag_error(d, E_GZIP, PLACE_FILE(s->path), "damaged gzip file: it ends early");
    else
        diag_error(d, E_GZIP, PLACE_FILE(s->path), "damaged gzip file: %s", why);
    return false;
}

/* Up to `size` bytes, fewer only at the end; the number in *n. */
static bool
take(struct data_stream *s, uint8_t *to, size_t size, size_t *n, struct diag *d)
{
    *n = s->n_first < size ? s->n_first : size;
    memcpy(to, s->first, *n);
    s->n_first -= *n;
    memmove(s->first, s->first + *n, s->n_first);
    while (*n < size) {
        size_t left = size - *n;
        int got = gzread(s->file, to + *n, left < INT_MAX ? (unsigned)left : INT_MAX);
        int code = Z_OK;
        if (got <= 0)
            gzerror(s->file, &code);
        if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END))
            return fail(s, d);
        if (got == 0)
            break;
        *n += (size_t)got;
    }
    return true;
}

/* What a plain file holds, and what a gzip file says of itself (modulo 2^32, of its last part). */
static uint64_t
size_of(const char *path, bool *packed)
{
    struct stat st;
    uint8_t b[4];
    FILE *f = NULL;
    uint64_t size = 0;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
        return 0;
    size = (uint64_t)st.st_size;
    f = fopen(path, "rb");
    if (f && fread(b, 1, 2, f) == 2 && b[0] == 0x1f && b[1] == 0x8b) {
        *packed = true;
        bool ok = fseek(f, -4, SEEK_END) == 0 && fread(b, 1, 4, f) == 4;
        size =
            ok ? (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24
               : 0;
    }
    if (f)
        fclose(f);
    return size;
}

/* Elements of one row; false after an error. */
static bool
find_row(struct data_stream *s, struct diag *d)
{
    struct shape one = {0};

    if (s->shape.rank < 1) {
        diag_error(d, E_DATA_SHAPE, PLACE_FILE(s->path),
                   "there is no dimension that counts images");
        return false;
    }
    for (int k = 1; k < s->shape.rank; k++)
        one.dim[one.rank++] = s->shape.dim[k];
    int64_t n = number_count(&one);
    if (n < 0 || (uint64_t)n * number_width(s->type) > OLAC_MAX_BYTES) {
        diag_error(d, E_TOO_LARGE, PLACE_FILE(s->path),
                   "one image has more elements than olac takes");
        return false;
    }
    s->row = (uint64_t)n * number_width(s->type);
    s->rows = (uint64_t)s->shape.dim[0];
    return true;
}

static bool
open_npy(struct data_stream *s, struct arena *a, struct diag *d)
{
    size_t lead = s->n_first < 12 ? 0 : npy_lead(s->first), n = s->n_first;
    struct npy_header h;
    uint8_t *header = arena_alloc(a, lead + FIRST_BYTES);

    if (lead > n) {
        if (!take(s, header, lead, &n, d))
            return false;
    } else {
        memcpy(header, s->first, n);
        s->n_first -= lead;
        memmove(s->first, s->first + lead, s->n_first);
    }
    if (!npy_header_alone(s->path, header, n, &h, d))
        return false;
    s->type = h.dtype;
    s->big_endian = h.big_endian;
    s->shape = h.shape;
    if (h.fortran && h.shape.rank > 1) {
        s->format = STREAM_WHOLE;
        bool ok = data_read(a, s->path, &s->whole, d);
        s->rows = ok ? (uint64_t)s->whole.shape.dim[0] : 0;
        return ok;
    }
    return find_row(s, d);
}

static bool
open_idx(struct data_stream *s, struct diag *d)
{
    uint8_t header[FIRST_BYTES];
    size_t lead = idx_header(s->first, &s->type, &s->shape), n;

    s->format = STREAM_IDX;
    s->big_endian = true;
    return take(s, header, lead, &n, d) && find_row(s, d);
}

/* Whether what begins as idx is as long as idx says, as far as that is known. */
static bool
is_idx(const struct data_stream *s)
{
    struct shape shape;
    enum dtype type;

    if (!idx_begins(s->first, s->n_first) || s->n_first < 4 + 4 * (size_t)s->first[3])
        return false;
    uint64_t lead = idx_header(s->first, &type, &shape);
    int64_t n = number_count(&shape);
    bool fits = n >= 0 && lead + (uint64_t)n * number_width(type) == s->size;
    return fits || s->size == 0 || s->size % CIFAR_RECORD != 0;
}

static bool
begin(struct data_stream *s, struct arena *a, struct diag *d)
{
    size_t n;
    uint8_t first[FIRST_BYTES];

    if (!take(s, first, sizeof first, &n, d))
        return false;
    memcpy(s->first, first, n);
    s->n_first = n;
    if (n == 0) {
        diag_error(d, E_EMPTY, PLACE_FILE(s->path), "the file is empty");
        return false;
    }
    if (npy_begins(s->first, n))
        return open_npy(s, a, d);
    if (is_idx(s))
        return open_idx(s, d);
    s->format = STREAM_CIFAR;
    s->type = DT_U8;
    s->row = CIFAR_RECORD;
    bool whole = s->size % CIFAR_RECORD == 0;
    s->rows = whole ? s->size / CIFAR_RECORD : 0;
    if (whole || s->packed)
        return true;
    diag_error(d, E_DATA_FORMAT, PLACE_FILE(s->path),
               "neither .npy nor idx; nor a CIFAR-10 batch, whose size would be a multiple of "
               "%d (it is %llu)",
               CIFAR_RECORD, (unsigned long long)s->size);
    return false;
}

struct data_stream *
data_open(struct arena *a, const char *path, struct diag *d)
{
    struct data_stream *s = ARENA_NEW(a, struct data_stream);

    *s = (struct data_stream){.path = arena_strdup(a, path)};
    s->file = gzopen(path, "rb");
    if (!s->file) {
        diag_error(d, E_OPEN, PLACE_FILE(path), "cannot open: %s", strerror(errno));
        return NULL;
    }
    gzbuffer(s->file, 1u << 18);
    s->size = size_of(path, &s->packed);
    s->block = arena_new();
    if (begin(s, a, d))
        return s;
    data_close(s);
    return NULL;
}

/* Rows of an array as data. */
static bool
convert(struct data_stream *s, const uint8_t *bytes, uint64_t n, struct data *out, struct diag *d)
{
    size_t bad = 0;

    *out = (struct data){.file = s->path, .shape = s->shape};
    out->shape.dim[0] = (int64_t)n;
    out->dtype = s->type;
    if (s->type == DT_U8) {
        out->u8 = bytes;
        return true;
    }
    struct tensor t = tensor_new(s->block, s->type, out->shape);
    if (!number_load(&t, (size_t)shape_size(&t.shape), bytes, s->big_endian, &bad)) {
        diag_error(d, E_DATA_TYPE, PLACE_FILE(s->path), "element %zu is above 2^63 - 1", bad);
        return false;
    }
    out->dtype = dtype_is_float(s->type) ? DT_F32 : DT_I64;
    out->f32 = t.f;
    out->i64 = t.i;
    return true;
}

/* The next rows of what was read whole. */
static void
slice(const struct data_stream *s, uint64_t n, struct data *out)
{
    int64_t size = shape_size(&s->whole.shape) / s->whole.shape.dim[0], at = (int64_t)s->at * size;

    *out = s->whole;
    out->shape.dim[0] = (int64_t)n;
    out->u8 = out->u8 ? out->u8 + at : NULL;
    out->f32 = out->f32 ? out->f32 + at : NULL;
    out->i64 = out->i64 ? out->i64 + at : NULL;
}

static bool
cut(const struct data_stream *s, struct diag *d)
{
    diag_error(d, E_DATA_TRUNCATED, PLACE_FILE(s->path), "the file ends within image %llu",
               (unsigned long long)s->at);
    return false;
}

/* Behind the last row there must be nothing. */
static bool
at_end(struct data_stream *s, struct diag *d)
{
    uint8_t more;
    size_t n;

    if (!take(s, &more, 1, &n, d))
        return false;
    if (n)
        diag_error(d, E_DATA_TRUNCATED, PLACE_FILE(s->path),
                   "there are bytes behind the last of the %llu images that it announces",
                   (unsigned long long)s->rows);
    return n == 0;
}

bool
data_next(struct data_stream *s, uint32_t most, struct data *out, struct diag *d)
{
    uint64_t n = most, fit = s->row ? BLOCK_BYTES / s->row : most;
    size_t got = 0;

    arena_reset(s->block);
    *out = (struct data){.file = s->path, .dtype = s->type, .shape = s->shape};
    out->shape.rank = out->shape.rank ? out->shape.rank : 1;
    out->shape.dim[0] = 0;
    n = n > fit ? fit ? fit : 1 : n;
    if (s->format != STREAM_CIFAR && n > s->rows - s->at)
        n = s->rows - s->at;
    if (n == 0)
        return s->format == STREAM_WHOLE || at_end(s, d);
    if (s->format == STREAM_WHOLE) {
        slice(s, n, out);
    } else {
        uint8_t *bytes = arena_alloc(s->block, n * s->row + 1);
        if (!take(s, bytes, n * s->row, &got, d))
            return false;
        if (s->format == STREAM_CIFAR ? got % CIFAR_RECORD != 0 : got != n * s->row)
            return cut(s, d);
        if (s->format == STREAM_CIFAR && got == 0)
            return true;
        n = s->row ? got / s->row : n;
        if (!(s->format == STREAM_CIFAR ? cifar_parse(s->block, s->path, bytes, got, out, d)
                                        : convert(s, bytes, n, out, d)))
            return false;
    }
    out->first = s->at;
    s->at += n;
    return true;
}

uint64_t
data_total(const struct data_stream *s)
{
    return s->rows;
}

void
data_close(struct data_stream *s)
{
    if (!s)
        return;
    gzclose(s->file);
    arena_free(s->block);
}
