/* test_data.c - images and labels from idx, CIFAR and text files, and as the floats a network
 * takes. */
#include "onnx_make.h"

#include "base/file.h"
#include "import/data.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define SHARED OLAC_SHARED_DIR "/data/"

/* What every test needs, in one place. */
struct bench {
    struct arena *a;
    struct diag *d;
};

static struct bench
bench_new(void)
{
    return (struct bench){arena_new(), diag_new()};
}

static void
bench_free(struct bench *b)
{
    diag_free(b->d);
    arena_free(b->a);
}

static void
wants(const struct bench *b, enum code code, const char *part)
{
    cr_expect(said(b->d, code, part), "wanted E%d with '%s', got: %s", (int)code, part,
              all_messages(b->a, b->d));
}

/* ---- formats ------------------------------------------------------------------------------------
 */

Test(data, idx_of_bytes)
{
    static const uint8_t file[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0,
                                   1, 0, 0, 0, 3, 9, 8, 7, 6, 5, 255};
    struct bench b = bench_new();
    struct data data;
    cr_assert(data_parse(b.a, "x.idx", file, sizeof file, &data, b.d), "%s",
              all_messages(b.a, b.d));
    cr_expect_eq(data.dtype, DT_U8);
    cr_expect_str_eq(shape_text(b.a, &data.shape), "2x1x3");
    cr_expect(data.u8[0] == 9 && data.u8[5] == 255 && !data.labels && !data.f32 && !data.i64);
    bench_free(&b);
}

Test(data, idx_of_other_types)
{
    static const uint8_t shorts[] = {0, 0, 0x0b, 1, 0, 0, 0, 2, 0xff, 0xfe, 1, 0};
    static const uint8_t floats[] = {0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0};
    static const uint8_t doubles[] = {0, 0, 0x0e, 1, 0, 0, 0, 1, 0x40, 0, 0, 0, 0, 0, 0, 0};
    struct bench b = bench_new();
    struct data data;
    cr_assert(data_parse(b.a, "x", shorts, sizeof shorts, &data, b.d));
    cr_expect(data.dtype == DT_I64 && data.i64[0] == -2 && data.i64[1] == 256);
    cr_assert(data_parse(b.a, "x", floats, sizeof floats, &data, b.d));
    cr_expect(data.dtype == DT_F32 && data.f32[0] == 1);
    cr_assert(data_parse(b.a, "x", doubles, sizeof doubles, &data, b.d));
    cr_expect(data.dtype == DT_F32 && data.f32[0] == 2);
    bench_free(&b);
}

Test(data, cifar)
{
    struct bench b = bench_new();
    struct data data;
    uint8_t *file = arena_alloc(b.a, 2 * 3073);
    file[0] = 3;
    file[1] = 200; /* red of the first pixel */
    file[3073] = 9;
    file[3073 + 1 + 2 * 1024 + 33] = 77; /* blue, row 1, column 1 */
    cr_assert(data_parse(b.a, "x.bin", file, 2 * 3073, &data, b.d), "%s", all_messages(b.a, b.d));
    cr_expect_str_eq(shape_text(b.a, &data.shape), "2x3x32x32");
    cr_expect(data.labels[0] == 3 && data.labels[1] == 9);
    cr_expect_eq(data.u8[0], 200);
    cr_expect_eq(data.u8[3072 + 2 * 1024 + 33], 77);
    bench_free(&b);
}

static void
refused(const void *file, size_t size, enum code code, const char *part)
{
    struct bench b = bench_new();
    struct data data;
    uint8_t *copy = arena_alloc(b.a, size);
    if (size)
        memcpy(copy, file, size);
    cr_expect(!data_parse(b.a, "x", copy, size, &data, b.d));
    wants(&b, code, part);
    bench_free(&b);
}

Test(data, what_is_wrong)
{
    struct bench b = bench_new();
    uint8_t *cifar = arena_alloc(b.a, 2 * 3073);
    refused("", 0, E_EMPTY, "empty");
    refused("hello", 5, E_DATA_FORMAT, "multiple of 3073 (it is 5)");
    refused("\0\0\x08\x01\0\0\0\x05zzz", 11, E_DATA_TRUNCATED, "3 bytes of elements");
    refused("\0\0\x08\x01\0\0\0\x01zzz", 11, E_DATA_TRUNCATED, "needs 1");
    refused("\0\0\x08\x03\0\0", 6, E_DATA_TRUNCATED, "cut off");
    refused("\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff", 12, E_TOO_LARGE,
            "4294967295x4294967295");
    cifar[0] = 1;
    cifar[3073] = 10;
    refused(cifar, 2 * 3073, E_DATA_FORMAT, "record 1 has the label 10");
    bench_free(&b);
}

/* ---- files --------------------------------------------------------------------------------------
 */

/* A file in the temporary folder; removed with unlink. */
static const char *
temporary(struct bench *b, const void *bytes, size_t size)
{
    const char *base = getenv("TMPDIR");
    char *path = arena_printf(b->a, "%s/olac-data-XXXXXX", base ? base : P_tmpdir);
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert(file_write(path, bytes, size, b->d));
    return path;
}

static void
labels_are(const void *file, size_t size, const int64_t *want, uint32_t count)
{
    struct bench b = bench_new();
    const char *path = temporary(&b, file, size);
    const int64_t *labels;
    uint32_t n;
    cr_assert(data_labels(b.a, path, &labels, &n, b.d), "%s", all_messages(b.a, b.d));
    cr_assert_eq(n, count);
    cr_expect_arr_eq(labels, want, count * sizeof *want);
    unlink(path);
    bench_free(&b);
}

static void
labels_refused(const void *file, size_t size, enum code code, const char *part)
{
    struct bench b = bench_new();
    const char *path = temporary(&b, file, size);
    const int64_t *labels;
    uint32_t n;
    cr_expect(!data_labels(b.a, path, &labels, &n, b.d));
    wants(&b, code, part);
    unlink(path);
    bench_free(&b);
}

static size_t
npy(struct bench *b, enum dtype dtype, struct shape shape, const double *v, const char **bytes)
{
    struct tensor t = tensor_new(b->a, dtype, shape);
    struct str s = {0};
    for (int64_t k = 0; k < shape_size(&shape); k++) {
        if (t.f)
            t.f[k] = (float)v[k];
        else
            t.i[k] = (int64_t)v[k];
    }
    npy_format(&t, &s);
    *bytes = memcpy(arena_alloc(b->a, s.len), s.text, s.len);
    size_t n = s.len;
    str_free(&s);
    return n;
}

Test(data, labels)
{
    struct bench b = bench_new();
    const char *bytes;
    size_t n;
    uint8_t *cifar = arena_alloc(b.a, 3073);

    labels_are("3\n0\r\n  12\n\n", 11, (int64_t[]){3, 0, 12}, 3);
    labels_are("7", 1, (int64_t[]){7}, 1);
    labels_are("\0\0\x08\x01\0\0\0\x02\x05\x09", 10, (int64_t[]){5, 9}, 2);
    cifar[0] = 4;
    labels_are(cifar, 3073, (int64_t[]){4}, 1);
    n = npy(&b, DT_I64, shape_of(1, (int64_t[]){2}), (double[]){1, 8}, &bytes);
    labels_are(bytes, n, (int64_t[]){1, 8}, 2);
    n = npy(&b, DT_I64, shape_of(2, (int64_t[]){2, 1}), (double[]){1, 8}, &bytes);
    labels_are(bytes, n, (int64_t[]){1, 8}, 2);

    labels_refused("3\nx\n", 4, E_DATA_LABELS, "whole number");
    labels_refused("3\n-1\n", 5, E_DATA_LABELS, "whole number");
    labels_refused("3\n\n4\n", 5, E_DATA_LABELS, "without a label");
    labels_refused("99999999999999999999\n", 21, E_DATA_LABELS, "above");
    labels_refused("\n", 1, E_DATA_LABELS, "no label");
    labels_refused("", 0, E_EMPTY, "empty");
    n = npy(&b, DT_F32, shape_of(1, (int64_t[]){1}), (double[]){1.5}, &bytes);
    labels_refused(bytes, n, E_DATA_LABELS, "floats");
    n = npy(&b, DT_I64, shape_of(1, (int64_t[]){2}), (double[]){1, -8}, &bytes);
    labels_refused(bytes, n, E_DATA_LABELS, "label 1 is -8");
    n = npy(&b, DT_I64, shape_of(2, (int64_t[]){1, 2}), (double[]){1, 8}, &bytes);
    labels_refused(bytes, n, E_DATA_LABELS, "more dimensions");
    n = npy(&b, DT_I64, shape_of(1, (int64_t[]){0}), NULL, &bytes);
    labels_refused(bytes, n, E_DATA_LABELS, "no label");
    bench_free(&b);
}

Test(data, gzip)
{
    static const uint8_t file[] = {0, 0, 8, 1, 0, 0, 0, 2, 5, 9};
    struct bench b = bench_new();
    struct data data;
    const char *path = temporary(&b, "", 0);
    gzFile gz = gzopen(path, "wb");
    cr_assert_eq(gzwrite(gz, file, sizeof file), (int)sizeof file);
    cr_assert_eq(gzclose(gz), Z_OK);
    cr_assert(data_read(b.a, path, &data, b.d), "%s", all_messages(b.a, b.d));
    cr_expect(data.dtype == DT_U8 && data.shape.dim[0] == 2 && data.u8[1] == 9);
    unlink(path);
    bench_free(&b);
}

/* ---- images -------------------------------------------------------------------------------------
 */

/* A graph whose only input has this shape. */
static struct graph *
network(struct bench *b, int rank, const int64_t *dims)
{
    struct graph *g = graph_new(b->a, "net", "net.onnx");
    graph_input(g, "image", DT_F32, shape_of(rank, dims));
    return g;
}

/* Bytes 0, 1, 2 ... of a shape. */
static struct data
counting(struct bench *b, int rank, const int64_t *dims)
{
    struct data data = {.file = "x.npy", .dtype = DT_U8, .shape = shape_of(rank, dims)};
    int64_t n = shape_size(&data.shape);
    uint8_t *u8 = arena_alloc(b->a, (size_t)n);
    for (int64_t k = 0; k < n; k++)
        u8[k] = (uint8_t)k;
    data.u8 = u8;
    return data;
}

Test(data_images, bytes_become_floats)
{
    struct bench b = bench_new();
    struct graph *g = network(&b, 4, (int64_t[]){1, 1, 2, 2});
    struct data data = counting(&b, 3, (int64_t[]){3, 2, 2});
    float *x;
    uint32_t n;

    cr_assert(data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    cr_assert_eq(n, 3);
    for (int k = 0; k < 12; k++)
        cr_expect_eq(x[k], (float)(k / 255.0));
    g->inputs.at[0].pixels = (struct pixels){true, 255, 1, (double[]){0.1307}, (double[]){0.3081}};
    cr_assert(data_images(b.a, &data, g, &g->inputs.at[0], 2, &x, &n, b.d));
    cr_assert_eq(n, 2);
    cr_expect_eq(x[7], (float)((7 / 255.0 - 0.1307) / 0.3081));
    bench_free(&b);
}

Test(data_images, means_of_channels)
{
    struct bench b = bench_new();
    struct pixels p = {true, 1, 3, (double[]){0, 100, 200}, (double[]){1, 1, 1}};
    struct data data = counting(&b, 4, (int64_t[]){1, 3, 4, 4});
    float *x;
    uint32_t n;
    /* element 17 of [3, 4, 4] is channel 1, row 0, column 1 */
    struct {
        int rank;
        int64_t dim[4];
        int at;
    } cases[] = {{4, {1, 3, 4, 4}, 17}, {4, {1, 4, 4, 3}, 1 * 3 + 1}, {2, {1, 48}, 17}};
    for (size_t k = 0; k < 3; k++) {
        struct graph *g = network(&b, cases[k].rank, cases[k].dim);
        g->inputs.at[0].pixels = p;
        cr_assert(data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d), "%s",
                  all_messages(b.a, b.d));
        cr_expect_eq(x[cases[k].at], 17 - 100, "case %zu: %g", k, (double)x[cases[k].at]);
    }
    struct graph *g = network(&b, 4, (int64_t[]){1, 3, 4, 4});
    p.channels = 2;
    g->inputs.at[0].pixels = p;
    cr_expect(!data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    wants(&b, E_DATA_PIXELS, "2 means");
    p.channels = 1;
    p.std[0] = 0;
    g->inputs.at[0].pixels = p;
    cr_expect(!data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    wants(&b, E_DATA_PIXELS, "not positive");
    bench_free(&b);
}

/* Shapes that fit, and where element `at` of the first image comes from. */
Test(data_images, shapes_that_fit)
{
    static const struct {
        int rank;
        int64_t dim[5];
        int input_rank;
        int64_t input[5];
        int at, from;
    } cases[] = {
        {3, {2, 4, 6}, 4, {1, 1, 4, 6}, 7, 7},
        {3, {2, 4, 6}, 4, {1, 4, 6, 1}, 7, 7},
        {3, {2, 4, 6}, 2, {1, 24}, 7, 7},
        {2, {2, 24}, 4, {1, 1, 4, 6}, 7, 7},
        {4, {2, 1, 4, 6}, 4, {1, 1, 4, 6}, 7, 7},
        {2, {2, 24}, 1, {24}, 7, 7},
        {4, {2, 3, 4, 6}, 4, {1, 4, 6, 3}, (1 * 6 + 2) * 3 + 2, (2 * 4 + 1) * 6 + 2},
        {4, {2, 4, 6, 3}, 4, {1, 3, 4, 6}, (2 * 4 + 1) * 6 + 2, (1 * 6 + 2) * 3 + 2},
        {4, {2, 4, 6, 3}, 4, {1, 4, 6, 3}, 7, 7},
        {1, {2}, 2, {1, 1}, 0, 0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct bench b = bench_new();
        struct data data = counting(&b, cases[k].rank, cases[k].dim);
        struct graph *g = network(&b, cases[k].input_rank, cases[k].input);
        g->inputs.at[0].pixels = (struct pixels){true, 1, 1, (double[]){0}, (double[]){1}};
        float *x;
        uint32_t n;
        cr_assert(data_images(b.a, &data, g, &g->inputs.at[0], 1, &x, &n, b.d), "case %zu: %s", k,
                  all_messages(b.a, b.d));
        cr_expect_eq(x[cases[k].at], cases[k].from, "case %zu: %g", k, (double)x[cases[k].at]);
        bench_free(&b);
    }
}

Test(data_images, shapes_that_do_not)
{
    static const struct {
        int rank;
        int64_t dim[5];
        int input_rank;
        int64_t input[5];
    } cases[] = {
        {3, {2, 4, 6}, 4, {1, 1, 6, 4}},    /* turned */
        {3, {2, 4, 6}, 4, {1, 1, 4, 5}},    /* other size */
        {4, {2, 6, 4, 3}, 4, {1, 3, 4, 6}}, /* [w, h, c] */
        {3, {1, 4, 6}, 4, {2, 1, 4, 6}},    /* a batch of two */
        {3, {8, 4, 6}, 4, {1, 4, 8, 6}},    /* not to be guessed */
        {2, {4, 6}, 4, {1, 1, 4, 6}},       /* no dimension that counts */
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct bench b = bench_new();
        struct data data = counting(&b, cases[k].rank, cases[k].dim);
        struct graph *g = network(&b, cases[k].input_rank, cases[k].input);
        float *x;
        uint32_t n;
        cr_expect(!data_images(b.a, &data, g, &g->inputs.at[0], 1, &x, &n, b.d), "case %zu", k);
        wants(&b, E_DATA_SHAPE, "but one image for the input 'image'");
        bench_free(&b);
    }
}

/* 268 million images of nothing, in a file of 16 bytes. */
Test(data_images, nothing)
{
    static const uint8_t file[] = {0, 0, 8, 3, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct bench b = bench_new();
    struct graph *g = network(&b, 2, (int64_t[]){1, 0});
    struct data data;
    float *x;
    uint32_t n;
    cr_assert(data_parse(b.a, "x", file, sizeof file, &data, b.d));
    cr_expect(!data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    wants(&b, E_DATA_SHAPE, "no elements");
    bench_free(&b);
}

Test(data_images, floats_stay_as_they_are)
{
    struct bench b = bench_new();
    struct graph *g = network(&b, 2, (int64_t[]){1, 2});
    float *v = ARENA_ARRAY(b.a, float, 4), *x;
    struct data data = {
        .file = "x.npy", .dtype = DT_F32, .shape = shape_of(2, (int64_t[]){2, 2}), .f32 = v};
    uint32_t n;

    g->inputs.at[0].pixels = (struct pixels){true, 255, 1, (double[]){9}, (double[]){9}};
    v[1] = 1e-20f;
    v[2] = -3;
    cr_assert(data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    cr_expect_arr_eq(x, v, 16);
    v[3] = NAN;
    cr_expect(!data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    wants(&b, E_DATA_VALUE, "element 1 of image 1 is NaN");
    v[3] = -INFINITY;
    cr_expect(!data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    wants(&b, E_DATA_VALUE, "infinite");
    cr_expect(data_images(b.a, &data, g, &g->inputs.at[0], 1, &x, &n, b.d));
    cr_expect(!data_images(b.a, &data, g, &g->inputs.at[0], 3, &x, &n, b.d));
    wants(&b, E_DATA_COUNT, "3 images wanted, the file holds 2");
    data.shape.dim[0] = 0;
    cr_expect(!data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    wants(&b, E_DATA_COUNT, "holds 0");
    bench_free(&b);
}

Test(data_images, integers)
{
    struct bench b = bench_new();
    struct graph *g = network(&b, 2, (int64_t[]){1, 1});
    struct data data = {.file = "x.npy",
                        .dtype = DT_I64,
                        .shape = shape_of(1, (int64_t[]){1}),
                        .i64 = (int64_t[]){51}};
    float *x;
    uint32_t n;
    cr_assert(data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    cr_expect_eq(x[0], 51);
    g->inputs.at[0].pixels = (struct pixels){true, 255, 1, (double[]){0}, (double[]){1}};
    cr_assert(data_images(b.a, &data, g, &g->inputs.at[0], 0, &x, &n, b.d));
    cr_expect_eq(x[0], 0.2f);
    bench_free(&b);
}

/* ---- the real sets ------------------------------------------------------------------------------
 */

Test(data, shared_sets)
{
    struct bench b = bench_new();
    struct data data;
    const int64_t *labels;
    uint32_t n;

    if (access(SHARED, R_OK) != 0)
        cr_skip_test("skipped: the shared data are not at " SHARED);
    cr_assert(data_read(b.a, SHARED "mnist/train-images-idx3-ubyte.gz", &data, b.d), "%s",
              all_messages(b.a, b.d));
    cr_expect_str_eq(shape_text(b.a, &data.shape), "60000x28x28");
    cr_assert(data_labels(b.a, SHARED "mnist/train-labels-idx1-ubyte.gz", &labels, &n, b.d));
    cr_expect_eq(n, 60000);
    cr_expect(labels[0] == 5 && labels[1] == 0 && labels[2] == 4); /* the well-known first digits */
    cr_assert(data_read(b.a, SHARED "cifar10/data_batch_1.bin.gz", &data, b.d));
    cr_expect_str_eq(shape_text(b.a, &data.shape), "10000x3x32x32");
    cr_expect(data.labels[0] == 6 && data.labels[1] == 9); /* frog, truck */
    bench_free(&b);
}
