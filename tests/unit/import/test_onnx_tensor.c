/* test_onnx_tensor.c - every encoding of a constant, and every way in which one can be wrong. */
#include "onnx_make.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

/* A model whose only output is the initializer "c". */
static struct maker *
holder(int32_t type, size_t rank, const int64_t *dims, Onnx__TensorProto **t)
{
    struct maker *m = make_new();
    *t = make_init(m, "c", type, rank, dims);
    make_output(m, "c");
    return m;
}

static const struct tensor *
imported(struct maker *m, const char *dir)
{
    struct graph *g = make_import(m, dir);
    uint32_t v;
    cr_assert(g, "%s", all_messages(m->arena, m->diag));
    cr_assert(map_get(&g->value_names, "c", &v));
    cr_assert(graph_value(g, v)->kind == VALUE_CONST);
    return &graph_value(g, v)->data;
}

static void
refused(struct maker *m, enum code code, const char *part)
{
    cr_expect(!make_import(m, NULL));
    cr_expect(said(m->diag, code, part), "wanted E%d with '%s', got: %s", (int)code, part,
              all_messages(m->arena, m->diag));
    make_free(m);
}

static void
raw_is(int32_t type, enum dtype dtype, const char *bytes, size_t size, const double *want, size_t n)
{
    Onnx__TensorProto *t;
    struct maker *m = holder(type, 1, (int64_t[]){(int64_t)n}, &t);
    make_raw(t, bytes, size);
    const struct tensor *c = imported(m, NULL);
    cr_expect_eq(c->dtype, dtype);
    cr_expect_eq(c->shape.rank, 1);
    for (size_t k = 0; k < n; k++)
        cr_expect_eq(c->f ? c->f[k] : (double)c->i[k], want[k], "%s[%zu]", dtype_name(dtype), k);
    make_free(m);
}

/* The bytes were written down by hand from the formats' definitions. */
Test(onnx_tensor, raw)
{
    raw_is(TT(FLOAT), DT_F32, "\0\0\x80\x3f\0\0\x20\xc0", 8, (double[]){1, -2.5}, 2);
    raw_is(TT(DOUBLE), DT_F64, "\0\0\0\0\0\0\xf8\x3f", 8, (double[]){1.5}, 1);
    raw_is(TT(FLOAT16), DT_F16, "\0\x3c\0\xc0\x01\0\xff\x7b\0\x80", 10,
           (double[]){1, -2, 5.9604644775390625e-08, 65504, -0.0}, 5);
    raw_is(TT(BFLOAT16), DT_BF16, "\x80\x3f\x20\xc0", 4, (double[]){1, -2.5}, 2);
    raw_is(TT(INT8), DT_I8, "\xff\x7f\x80", 3, (double[]){-1, 127, -128}, 3);
    raw_is(TT(UINT8), DT_U8, "\xff\x01", 2, (double[]){255, 1}, 2);
    raw_is(TT(INT16), DT_I16, "\x01\x80", 2, (double[]){-32767}, 1);
    raw_is(TT(UINT16), DT_U16, "\x01\x80", 2, (double[]){32769}, 1);
    raw_is(TT(INT32), DT_I32, "\xfe\xff\xff\xff", 4, (double[]){-2}, 1);
    raw_is(TT(UINT32), DT_U32, "\xfe\xff\xff\xff", 4, (double[]){4294967294.0}, 1);
    raw_is(TT(INT64), DT_I64, "\xfd\xff\xff\xff\xff\xff\xff\xff", 8, (double[]){-3}, 1);
    raw_is(TT(UINT64), DT_U64, "\x03\0\0\0\0\0\0\0", 8, (double[]){3}, 1);
    raw_is(TT(BOOL), DT_BOOL, "\0\x01\x02", 3, (double[]){0, 1, 1}, 3);
}

Test(onnx_tensor, half_covers_all_bits)
{
    Onnx__TensorProto *t;
    struct maker *m = holder(TT(FLOAT16), 1, (int64_t[]){65536}, &t);
    uint8_t *bytes = arena_alloc(m->arena, 131072);
    for (int k = 0; k < 65536; k++) {
        bytes[2 * k] = (uint8_t)k;
        bytes[2 * k + 1] = (uint8_t)(k >> 8);
    }
    make_raw(t, bytes, 131072);
    const struct tensor *c = imported(m, NULL);
    for (int k = 0; k < 65536; k++) {
        int e = k >> 10 & 31, f = k & 1023;
        double want = e == 31 ? (f ? NAN : INFINITY) : e ? ldexp(1024 + f, e - 25) : ldexp(f, -24);
        if (k & 32768)
            want = -want;
        cr_assert(isnan(want) ? isnan(c->f[k]) : c->f[k] == want, "bits %04x", k);
    }
    make_free(m);
}

Test(onnx_tensor, typed_fields)
{
    Onnx__TensorProto *t;
    struct maker *m = holder(TT(FLOAT), 2, (int64_t[]){1, 2}, &t);
    t->n_float_data = 2;
    t->float_data = (float[]){0.5f, -3};
    const struct tensor *c = imported(m, NULL);
    cr_expect(c->f[0] == 0.5f && c->f[1] == -3 && c->shape.rank == 2);
    make_free(m);

    m = holder(TT(DOUBLE), 1, (int64_t[]){1}, &t);
    t->n_double_data = 1;
    t->double_data = (double[]){0.1};
    cr_expect_eq(imported(m, NULL)->f[0], 0.1f);
    make_free(m);

    m = holder(TT(INT64), 0, NULL, &t); /* a scalar */
    t->n_int64_data = 1;
    t->int64_data = (int64_t[]){-(INT64_C(1) << 40)};
    cr_expect_eq(imported(m, NULL)->i[0], -(INT64_C(1) << 40));
    make_free(m);

    m = holder(TT(UINT64), 1, (int64_t[]){1}, &t);
    t->n_uint64_data = 1;
    t->uint64_data = (uint64_t[]){INT64_MAX};
    cr_expect_eq(imported(m, NULL)->i[0], INT64_MAX);
    make_free(m);

    static const int32_t narrow[] = {TT(INT8),   TT(UINT8), TT(INT16),
                                     TT(UINT16), TT(INT32), TT(BOOL)};
    for (size_t k = 0; k < sizeof narrow / sizeof *narrow; k++) {
        m = holder(narrow[k], 1, (int64_t[]){2}, &t);
        t->n_int32_data = 2;
        t->int32_data = (int32_t[]){0, 1};
        c = imported(m, NULL);
        cr_expect(c->i[0] == 0 && c->i[1] == 1);
        make_free(m);
    }
    m = holder(TT(FLOAT16), 1, (int64_t[]){2}, &t);
    t->n_int32_data = 2;
    t->int32_data = (int32_t[]){0x3c00, 0xc000};
    c = imported(m, NULL);
    cr_expect(c->f[0] == 1 && c->f[1] == -2);
    make_free(m);
    m = holder(TT(BFLOAT16), 1, (int64_t[]){1}, &t);
    t->n_int32_data = 1;
    t->int32_data = (int32_t[]){0x4040};
    cr_expect_eq(imported(m, NULL)->f[0], 3);
    make_free(m);
}

Test(onnx_tensor, empty)
{
    Onnx__TensorProto *t;
    struct maker *m = holder(TT(FLOAT), 1, (int64_t[]){0}, &t);
    const struct tensor *c = imported(m, NULL);
    cr_expect(c->dtype == DT_F32 && c->shape.dim[0] == 0);
    make_free(m);
}

Test(onnx_tensor, what_is_wrong)
{
    static const char zeros[64] = {0};
    Onnx__TensorProto *t;
    struct maker *m = holder(TT(FLOAT), 1, (int64_t[]){3}, &t);
    make_raw(t, zeros, 11);
    refused(m, E_ONNX_TENSOR, "11 bytes of data, but the shape 3 needs 12");

    m = holder(TT(FLOAT), 1, (int64_t[]){3}, &t);
    refused(m, E_ONNX_TENSOR, "0 elements, but the shape 3 needs 3");

    m = holder(TT(FLOAT), 2, (int64_t[]){-2, -2}, &t);
    refused(m, E_ONNX_TENSOR, "dimension 0 is -2");

    m = holder(TT(FLOAT), 3, (int64_t[]){1 << 20, 1 << 20, 1 << 24}, &t);
    refused(m, E_TOO_LARGE, "1048576x1048576x16777216");

    m = holder(TT(FLOAT), 9, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1}, &t);
    refused(m, E_ONNX_TENSOR, "9 dimensions");

    m = holder(TT(FLOAT), 1, (int64_t[]){1}, &t);
    make_raw(t, zeros, 4);
    t->n_float_data = 1;
    t->float_data = (float[]){1};
    refused(m, E_ONNX_TENSOR, "given twice");

    m = holder(TT(FLOAT), 1, (int64_t[]){1}, &t);
    t->n_int64_data = 1;
    t->int64_data = (int64_t[]){1};
    refused(m, E_ONNX_TENSOR, "another type");

    m = holder(TT(UINT8), 1, (int64_t[]){1}, &t);
    t->n_int32_data = 1;
    t->int32_data = (int32_t[]){256};
    refused(m, E_ONNX_TENSOR, "256");

    m = holder(TT(UINT64), 1, (int64_t[]){1}, &t);
    make_raw(t, "\0\0\0\0\0\0\0\x80", 8);
    refused(m, E_ONNX_TENSOR, "above 2^63 - 1");

    m = holder(TT(STRING), 1, (int64_t[]){1}, &t);
    refused(m, E_ONNX_TYPE, "STRING");
    m = holder(TT(COMPLEX64), 1, (int64_t[]){1}, &t);
    refused(m, E_ONNX_TYPE, "COMPLEX64");
    m = holder(99, 1, (int64_t[]){1}, &t);
    refused(m, E_ONNX_TYPE, "number 99");

    m = holder(TT(FLOAT), 1, (int64_t[]){1}, &t);
    Onnx__TensorProto__Segment segment = ONNX__TENSOR_PROTO__SEGMENT__INIT;
    t->segment = &segment;
    refused(m, E_ONNX_TENSOR, "segments");
}

Test(onnx_tensor, sparse_is_refused)
{
    struct maker *m = make_new();
    Onnx__SparseTensorProto sparse = ONNX__SPARSE_TENSOR_PROTO__INIT, *list[] = {&sparse};
    sparse.values = make_tensor(m, "s", TT(FLOAT), DIMS(1));
    m->graph.n_sparse_initializer = 1;
    m->graph.sparse_initializer = list;
    make_node(m, "Relu", "r", "s", "y");
    make_output(m, "y");
    cr_expect(!make_import(m, NULL));
    cr_expect(said(m->diag, E_ONNX_TYPE, "'s': a sparse tensor"));
    cr_expect_eq(diag_errors(m->diag), 1, "%s", all_messages(m->arena, m->diag));
    make_free(m);
}

/* ---- external data ------------------------------------------------------------------------------
 */

/* A folder of its own; holds w.bin of 16 bytes: the floats 1, 2, 3, 4. */
static char *
folder(struct maker *m)
{
    const char *base = getenv("TMPDIR");
    char *dir = arena_printf(m->arena, "%s/olac-onnx-XXXXXX", base ? base : P_tmpdir);
    static const float w[] = {1, 2, 3, 4};
    cr_assert(mkdtemp(dir));
    cr_assert(file_write(file_join(m->arena, dir, "w.bin"), w, sizeof w, m->diag));
    return dir;
}

static void
clean(struct maker *m, const char *dir)
{
    unlink(file_join(m->arena, dir, "w.bin"));
    unlink(file_join(m->arena, dir, "link"));
    unlink(file_join(m->arena, dir, "pipe"));
    rmdir(dir);
    make_free(m);
}

Test(onnx_external, offset_and_length)
{
    Onnx__TensorProto *t;
    struct maker *m = holder(TT(FLOAT), 1, (int64_t[]){2}, &t);
    char *dir = folder(m);
    make_external(m, t, "location", "w.bin");
    make_external(m, t, "offset", "4");
    make_external(m, t, "length", "8");
    const struct tensor *c = imported(m, dir);
    cr_expect(c->f[0] == 2 && c->f[1] == 3);
    clean(m, dir);
}

/* The hash is of the file's bytes and of the external bytes that the model uses. */
Test(onnx_external, hash_covers_the_data)
{
    Onnx__TensorProto *t;
    struct maker *m = holder(TT(FLOAT), 1, (int64_t[]){2}, &t);
    char *dir = folder(m);
    static const float part[] = {3, 4};
    uint8_t want[32], *both;
    size_t size;
    make_external(m, t, "location", "./w.bin");
    make_external(m, t, "offset", "8");
    const uint8_t *bytes = make_pack(m, &size);
    struct graph *g = make_import(m, dir);
    cr_assert(g, "%s", all_messages(m->arena, m->diag));
    both = arena_alloc(m->arena, size + 8);
    memcpy(both, bytes, size);
    memcpy(both + size, part, 8);
    crypto_generichash(want, sizeof want, both, size + 8, NULL, 0);
    cr_expect_arr_eq(g->hash, want, 32);
    clean(m, dir);
}

static void
external_refused(const char *location, const char *offset, const char *length, const char *part)
{
    Onnx__TensorProto *t;
    struct maker *m = holder(TT(FLOAT), 1, (int64_t[]){4}, &t);
    char *dir = folder(m);
    cr_assert_eq(symlink("/etc/passwd", file_join(m->arena, dir, "link")), 0);
    cr_assert_eq(mkfifo(file_join(m->arena, dir, "pipe"), 0600), 0);
    if (location)
        make_external(m, t, "location", location);
    if (offset)
        make_external(m, t, "offset", offset);
    if (length)
        make_external(m, t, "length", length);
    cr_expect(!make_import(m, dir));
    cr_expect(said(m->diag, E_ONNX_EXTERNAL, part), "%s", all_messages(m->arena, m->diag));
    clean(m, dir);
}

Test(onnx_external, what_is_refused)
{
    external_refused("w.bin", "4", NULL, "needs bytes 4 to 20 of 'w.bin', which has 16");
    external_refused("w.bin", "99", NULL, "which has 16");
    external_refused("w.bin", "-1", NULL, "offset");
    external_refused("w.bin", "99999999999999999999", NULL, "offset");
    external_refused("w.bin", NULL, "8", "said to have 8 bytes");
    external_refused("w.bin", NULL, "x", "length");
    external_refused("../w.bin", NULL, NULL, "not inside the model's folder");
    external_refused("a/../../w.bin", NULL, NULL, "not inside the model's folder");
    external_refused("/etc/passwd", NULL, NULL, "not inside the model's folder");
    external_refused("link", NULL, NULL, "symbolic link");
    external_refused("pipe", NULL, NULL, "not a regular file");
    external_refused(".", NULL, NULL, "external data in '.'");
    external_refused("missing.bin", NULL, NULL, "no such file");
    external_refused("", NULL, NULL, "not inside");
    external_refused(NULL, "0", NULL, "name no file");
}

/* A small file can't be made into many tensors. */
Test(onnx_external, sharing_is_bounded)
{
    struct maker *m = make_new();
    char *dir = folder(m);
    for (int k = 0; k < 5; k++) {
        Onnx__TensorProto *t = make_init(m, arena_printf(m->arena, "c%d", k), TT(FLOAT), DIMS(4));
        make_external(m, t, "location", "w.bin");
    }
    make_output(m, "c0");
    cr_expect(!make_import(m, dir));
    cr_expect(said(m->diag, E_ONNX_EXTERNAL, "'c4': more than 4 times"));
    cr_expect_eq(diag_errors(m->diag), 1);
    clean(m, dir);
}
