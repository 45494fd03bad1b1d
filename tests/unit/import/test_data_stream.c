/* test_data_stream.c - a file in passing is the file as a whole; files that end early, or late. */
#include "base/file.h"
#include "import/data.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

struct bench {
    struct arena *a;
    struct diag *d;
    const char *path;
};

static struct bench
bench_new(const void *bytes, size_t size, bool packed)
{
    struct bench b = {arena_new(), diag_new(), NULL};

    b.path = arena_printf(b.a, "stream-%d.tmp", (int)getpid());
    if (packed) {
        gzFile f = gzopen(b.path, "wb");
        cr_assert(f && gzwrite(f, bytes, (unsigned)size) == (int)size);
        gzclose(f);
    } else {
        cr_assert(file_write(b.path, bytes, size, b.d));
    }
    return b;
}

static void
bench_free(struct bench *b)
{
    unlink(b->path);
    diag_free(b->d);
    arena_free(b->a);
}

/* Element k of either. */
static double
element(const struct data *d, int64_t k)
{
    return d->u8 ? d->u8[k] : d->i64 ? (double)d->i64[k] : (double)d->f32[k];
}

static void
compare(struct bench *b, uint32_t most)
{
    struct data whole, some;
    uint64_t at = 0;

    cr_assert(data_read(b->a, b->path, &whole, b->d));
    int64_t row = shape_size(&whole.shape) / whole.shape.dim[0];
    struct data_stream *s = data_open(b->a, b->path, b->d);
    cr_assert(s);
    cr_assert_eq(data_total(s), (uint64_t)whole.shape.dim[0]);
    for (;;) {
        cr_assert(data_next(s, most, &some, b->d));
        if (some.shape.dim[0] == 0)
            break;
        cr_assert(some.shape.dim[0] <= most);
        cr_assert_eq(some.first, at);
        cr_assert_eq(some.dtype, whole.dtype);
        for (int64_t k = 0; k < row * some.shape.dim[0]; k++)
            cr_assert_eq(element(&some, k), element(&whole, (int64_t)at * row + k));
        for (int64_t k = 0; whole.labels && k < some.shape.dim[0]; k++)
            cr_assert_eq(some.labels[k], whole.labels[(int64_t)at + k]);
        at += (uint64_t)some.shape.dim[0];
    }
    cr_assert_eq(at, (uint64_t)whole.shape.dim[0]);
    data_close(s);
}

/* An .npy file of 7 x 2 x 3 elements: floats, or bytes in the order that is not ours. */
static struct str
array(struct arena *a, int kind)
{
    struct str s = {0};

    if (kind < 2) {
        struct tensor t = tensor_new(a, kind ? DT_I64 : DT_F32, shape_of(3, (int64_t[]){7, 2, 3}));
        for (int k = 0; k < 42; k++)
            if (t.f)
                t.f[k] = (float)k / 4;
            else
                t.i[k] = 3 * k - 20;
        npy_format(&t, &s);
        return s;
    }
    str_addn(&s, "\x93NUMPY\x01\x00\x76\x00", 10);
    str_addf(&s, "%-117s\n",
             kind == 2 ? "{'descr': '|u1', 'fortran_order': True, 'shape': (7, 2, 3), }"
                       : "{'descr': '|u1', 'fortran_order': False, 'shape': (7, 2, 3), }");
    for (int k = 0; k < 42; k++)
        str_addn(&s, &(char){(char)(5 * k)}, 1);
    return s;
}

Test(data_stream, arrays)
{
    for (int kind = 0; kind < 4; kind++)
        for (int packed = 0; packed < 2; packed++) {
            struct arena *a = arena_new();
            struct str s = array(a, kind);
            struct bench b = bench_new(s.text, s.len, packed);
            compare(&b, 3);
            compare(&b, 7);
            compare(&b, 100);
            bench_free(&b);
            str_free(&s);
            arena_free(a);
        }
}

Test(data_stream, idx_and_cifar)
{
    uint8_t idx[16 + 5 * 6] = {0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 3};
    static uint8_t cifar[5 * 3073];

    for (int k = 0; k < 30; k++)
        idx[16 + k] = (uint8_t)(7 * k);
    for (int k = 0; k < 5 * 3073; k++)
        cifar[k] = k % 3073 ? (uint8_t)(k / 7) : (uint8_t)(k / 3073);
    for (int packed = 0; packed < 2; packed++) {
        struct bench b = bench_new(idx, sizeof idx, packed);
        compare(&b, 2);
        bench_free(&b);
        b = bench_new(cifar, sizeof cifar, packed);
        compare(&b, 2);
        compare(&b, 5);
        bench_free(&b);
    }
}

/* To the end, or to an error, whose code it returns; 0: none. */
static enum code
drain(const void *bytes, size_t size, bool packed, size_t cut)
{
    struct bench b = bench_new(bytes, size, packed);
    struct data some = {0};

    if (cut)
        cr_assert_eq(truncate(b.path, (off_t)cut), 0);
    struct data_stream *s = data_open(b.a, b.path, b.d);
    bool ok = s != NULL;
    do
        ok = ok && data_next(s, 2, &some, b.d);
    while (ok && some.shape.dim[0]);
    cr_assert_eq(ok, diag_errors(b.d) == 0);
    enum code code = ok ? 0 : diag_at(b.d, 0)->code;
    data_close(s);
    bench_free(&b);
    return code;
}

Test(data_stream, files_that_end_early_or_late)
{
    struct arena *a = arena_new();
    struct str s = array(a, 3);
    static uint8_t cifar[2 * 3073];

    cr_assert_eq(drain(s.text, s.len, false, 0), 0);
    cr_assert_eq(drain(s.text, s.len - 1, false, 0), E_DATA_TRUNCATED);
    cr_assert_eq(drain(s.text, 60, false, 0), E_DATA_TRUNCATED);
    cr_assert_eq(drain(s.text, 8, false, 0), E_DATA_TRUNCATED);
    str_add(&s, "x");
    cr_assert_eq(drain(s.text, s.len, false, 0), E_DATA_TRUNCATED);
    cr_assert_eq(drain(s.text, s.len, true, 60), E_GZIP);
    cr_assert_eq(drain("", 0, false, 0), E_EMPTY);
    cr_assert_eq(drain(cifar, 3073 + 5, false, 0), E_DATA_FORMAT);
    cr_assert_eq(drain(cifar, 3073 + 5, true, 0), E_DATA_TRUNCATED);
    cifar[3073] = 10;
    cr_assert_eq(drain(cifar, sizeof cifar, false, 0), E_DATA_FORMAT);
    str_free(&s);
    arena_free(a);
}
