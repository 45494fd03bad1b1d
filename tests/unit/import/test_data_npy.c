/* test_data_npy.c - .npy files as NumPy writes them, and headers that it doesn't write. */
#include "onnx_make.h"

#include "import/data.h"

#include <criterion/criterion.h>
#include <string.h>

/* A file of version 1 with this dictionary and these elements. */
static const uint8_t *
make(struct arena *a, const char *dict, const void *data, size_t n, size_t *size)
{
    size_t len = strlen(dict);
    uint8_t *b = arena_alloc(a, 10 + len + n);
    memcpy(b, "\x93NUMPY\x01\x00", 8);
    b[8] = (uint8_t)len;
    b[9] = (uint8_t)(len >> 8);
    memcpy(b + 10, dict, len);
    if (n)
        memcpy(b + 10 + len, data, n);
    *size = 10 + len + n;
    return b;
}

static void
reads(const char *dict, const void *data, size_t n, enum dtype dtype, const char *shape,
      const double *want, size_t count)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct tensor t;
    size_t size;
    const uint8_t *b = make(a, dict, data, n, &size);
    cr_assert(npy_parse(a, "x.npy", b, size, &t, d), "%s: %s", dict, all_messages(a, d));
    cr_expect_eq(t.dtype, dtype, "%s", dict);
    cr_expect_str_eq(shape_text(a, &t.shape), shape);
    for (size_t k = 0; k < count; k++)
        cr_expect_eq(t.f ? t.f[k] : (double)t.i[k], want[k], "%s [%zu]", dict, k);
    diag_free(d);
    arena_free(a);
}

static void
refused(const char *dict, size_t n, enum code code, const char *part)
{
    static const char zeros[256] = {0};
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct tensor t;
    size_t size;
    const uint8_t *b = make(a, dict, zeros, n, &size);
    cr_expect(!npy_parse(a, "x.npy", b, size, &t, d), "%s", dict);
    cr_expect(said(d, code, part), "%s: %s", dict, all_messages(a, d));
    diag_free(d);
    arena_free(a);
}

#define HEAD(type, shape) "{'descr': '" type "', 'fortran_order': False, 'shape': " shape ", }\n"

Test(npy, types)
{
    reads(HEAD("<f4", "(2,)"), "\0\0\x80\x3f\0\0\0\xc0", 8, DT_F32, "2", (double[]){1, -2}, 2);
    reads(HEAD(">f4", "(1, 1)"), "\x3f\x80\0\0", 4, DT_F32, "1x1", (double[]){1}, 1);
    reads(HEAD("<f8", "()"), "\0\0\0\0\0\0\x10\x40", 8, DT_F64, "scalar", (double[]){4}, 1);
    reads(HEAD("<f2", "(1,)"), "\0\x3c", 2, DT_F16, "1", (double[]){1}, 1);
    reads(HEAD("|u1", "(2,)"), "\xff\x01", 2, DT_U8, "2", (double[]){255, 1}, 2);
    reads(HEAD("|i1", "(1,)"), "\xff", 1, DT_I8, "1", (double[]){-1}, 1);
    reads(HEAD(">i2", "(1,)"), "\xff\xfe", 2, DT_I16, "1", (double[]){-2}, 1);
    reads(HEAD("<u4", "(1,)"), "\xff\xff\xff\xff", 4, DT_U32, "1", (double[]){4294967295.0}, 1);
    reads(HEAD(">i8", "(1,)"), "\0\0\0\0\0\0\x01\0", 8, DT_I64, "1", (double[]){256}, 1);
    reads(HEAD("|b1", "(3,)"), "\0\x01\x05", 3, DT_BOOL, "3", (double[]){0, 1, 1}, 3);
    reads(HEAD("<f4", "(0, 3)"), "", 0, DT_F32, "0x3", NULL, 0);
}

Test(npy, ways_to_write_a_header)
{
    reads("{\"shape\":(2L,),\"descr\":\"=u1\" , \"fortran_order\":False}", "\1\2", 2, DT_U8, "2",
          (double[]){1, 2}, 2);
    reads("{'fortran_order': True, 'descr': '<i2', 'shape': (2, 3)}", "\1\0\4\0\2\0\5\0\3\0\6\0",
          12, DT_I16, "2x3", (double[]){1, 2, 3, 4, 5, 6}, 6);
    reads("{'fortran_order': True, 'descr': '|u1', 'shape': (2, 2, 2)}", "\0\4\2\6\1\5\3\7", 8,
          DT_U8, "2x2x2", (double[]){0, 1, 2, 3, 4, 5, 6, 7}, 8);
}

/* Version 2 and 3 have a longer length field. */
Test(npy, version_2)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct tensor t;
    const char *dict = HEAD("|u1", "(1,)");
    size_t len = strlen(dict);
    uint8_t *b = arena_alloc(a, 13 + len);
    memcpy(b, "\x93NUMPY\x02\x00", 8);
    b[8] = (uint8_t)len;
    memcpy(b + 12, dict, len);
    b[12 + len] = 9;
    cr_assert(npy_parse(a, "x.npy", b, 13 + len, &t, d), "%s", all_messages(a, d));
    cr_expect_eq(t.i[0], 9);
    diag_free(d);
    arena_free(a);
}

Test(npy, what_is_wrong)
{
    refused(HEAD("<f4", "(3,)"), 11, E_DATA_TRUNCATED, "11 bytes");
    refused(HEAD("<f4", "(3,)"), 13, E_DATA_TRUNCATED, "needs 12");
    refused(HEAD("<c8", "(1,)"), 8, E_DATA_TYPE, "<c8");
    refused(HEAD("|O", "(1,)"), 8, E_DATA_TYPE, "|O");
    refused(HEAD("<U3", "(1,)"), 12, E_DATA_TYPE, "<U3");
    refused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, E_DATA_TYPE,
            "record");
    refused(HEAD("<u8", "(1,)"), 0, E_DATA_TRUNCATED, "");
    refused(HEAD("<f4", "(1, 1, 1, 1, 1, 1, 1, 1, 1)"), 4, E_DATA_HEADER, "8 dimensions");
    refused(HEAD("<f4", "(99999999999999999999,)"), 4, E_DATA_HEADER, "too large");
    refused(HEAD("<f4", "(999999999, 999999999)"), 4, E_TOO_LARGE, "999999999x999999999");
    refused(HEAD("<f4", "(0, 999999999, 999999999)"), 0, E_TOO_LARGE, "0x999999999");
    refused(
        "{'descr': '|u1', 'fortran_order': True, 'shape': (0, 536870912, 536870912, 536870912)}", 0,
        E_TOO_LARGE, "0x536870912");
    refused(HEAD("<f4", "(-1,)"), 4, E_DATA_HEADER, "no number");
    refused(HEAD("<f4", "3"), 4, E_DATA_HEADER, "tuple");
    refused("{'descr': '<f4', 'fortran_order': False}", 4, E_DATA_HEADER, "missing");
    refused("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4,
            E_DATA_HEADER, "twice");
    refused("{'descr': '<f4', 'fortran_order': Maybe, 'shape': ()}", 4, E_DATA_HEADER, "neither");
    refused("{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", 4, E_DATA_HEADER, "behind");
    refused("", 0, E_DATA_TRUNCATED, "cut off");
    refused("()", 0, E_DATA_HEADER, "dictionary");
}

/* The bytes that numpy.lib.format lays down for version 1: a dictionary padded with blanks to a
 * multiple of 64 bytes; and what is written is read back. */
Test(npy, format)
{
    static const char header[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, "
                                 "'shape': (2, 2), }";
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct str s = {0};
    struct tensor back, t = tensor_new(a, DT_F32, shape_of(2, (int64_t[]){2, 2}));
    memcpy(t.f, (float[]){1, -2, 0.5f, 3e10f}, 16);
    npy_format(&t, &s);
    cr_assert_eq(s.len, 128 + 16);
    cr_expect_arr_eq(s.text, header, sizeof header - 1);
    for (size_t k = sizeof header - 1; k < 127; k++)
        cr_expect_eq(s.text[k], ' ');
    cr_expect_eq(s.text[127], '\n');
    cr_expect_arr_eq(s.text + 128, (const char *)t.f, 16);
    cr_assert(npy_parse(a, "x", (const uint8_t *)s.text, s.len, &back, d), "%s",
              all_messages(a, d));
    cr_expect(shape_equal(&back.shape, &t.shape));
    cr_expect_arr_eq(back.f, t.f, 16);
    str_free(&s);

    s = (struct str){0};
    t = tensor_new(a, DT_I8, shape_of(1, (int64_t[]){1}));
    t.i[0] = -5;
    npy_format(&t, &s);
    cr_assert(npy_parse(a, "x", (const uint8_t *)s.text, s.len, &back, d));
    cr_expect(back.dtype == DT_I64 && back.i[0] == -5 && back.shape.rank == 1);
    str_free(&s);
    s = (struct str){0};
    t = tensor_new(a, DT_BOOL, shape_of(0, NULL));
    t.i[0] = 1;
    npy_format(&t, &s);
    cr_assert_eq(s.len, 129);
    cr_assert(npy_parse(a, "x", (const uint8_t *)s.text, s.len, &back, d));
    cr_expect(back.dtype == DT_BOOL && back.i[0] == 1);
    str_free(&s);
    diag_free(d);
    arena_free(a);
}

/* Every prefix and every flipped bit: an error, or an array of the size that the file has. */
Test(npy, damaged)
{
    struct arena *a = arena_new();
    size_t size;
    const uint8_t *b = make(a, HEAD("<i2", "(2, 3)"), "\1\0\2\0\3\0\4\0\5\0\6\0", 12, &size);
    for (size_t k = 0; k < size + 8 * size; k++) {
        size_t n = k < size ? k : size;
        struct arena *each = arena_new();
        struct diag *d = diag_new();
        uint8_t *copy = arena_alloc(each, n);
        struct tensor t;
        memcpy(copy, b, n);
        if (k >= size)
            copy[(k - size) / 8] ^= (uint8_t)(1 << (k - size) % 8);
        bool ok = npy_parse(each, "x.npy", copy, n, &t, d);
        cr_assert(ok ? shape_size(&t.shape) <= 12 : diag_errors(d) == 1, "case %zu", k);
        cr_assert(k >= size || !ok, "a prefix of %zu bytes was taken", k);
        diag_free(d);
        arena_free(each);
    }
    arena_free(a);
}
