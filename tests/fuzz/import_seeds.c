/* import_seeds.c - seeds of the importers' fuzz targets, written into FOLDER/<target>/. */
#include "import/data.h"
#include "import/onnx_make.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

struct seeds {
    struct arena *a;
    struct diag *d;
    const char *folder;
    unsigned count;
};

static void
put(struct seeds *s, const char *target, const void *bytes, size_t size)
{
    const char *dir = file_join(s->a, s->folder, target);
    if (file_mkdirs(dir, s->d))
        file_write(arena_printf(s->a, "%s/seed-%u", dir, s->count++), bytes, size, s->d);
}

static void
put_model(struct seeds *s, struct maker *m)
{
    size_t size;
    const uint8_t *bytes = make_pack(m, &size);
    put(s, "fuzz_onnx", bytes, size);
    make_free(m);
}

static void
put_models(struct seeds *s)
{
    put_model(s, make_small());
    for (int32_t type = TT(FLOAT); type <= TT(BFLOAT16); type++) {
        struct maker *m = make_new();
        Onnx__AttributeProto *a;
        make_raw(make_init(m, "c", type, DIMS(1)), "\0\0\0\0\0\0\0\0", 8);
        make_input(m, "x", type, DIMS(-1, 2));
        Onnx__NodeProto *n = make_node(m, "Constant", NULL, "", "k");
        a = make_attr(m, n, "value", AT(TENSOR));
        a->t = make_tensor(m, NULL, type, DIMS(2));
        a->t->n_int32_data = 2;
        a->t->int32_data = (int32_t[]){1, 2};
        n = make_node(m, "Clip", "clip", "y,,c", "z");
        a = make_attr(m, n, "ints", AT(INTS));
        a->n_ints = 2;
        a->ints = (int64_t[]){1, -1};
        a = make_attr(m, n, "floats", AT(FLOATS));
        a->n_floats = 1;
        a->floats = (float[]){1};
        make_node(m, "Add", "later", "x,k", "y");
        make_output(m, "z");
        put_model(s, m);
    }
}

static void
put_arrays(struct seeds *s)
{
    static const enum dtype types[] = {DT_F32, DT_I64, DT_BOOL};
    static const char by_hand[] =
        "\x93NUMPY\x01\x00\x40\x00{'descr': '>u2', 'fortran_order': True, "
        "'shape': (2, 2), }    \n\0\1\0\2\0\3\0\4";
    for (size_t k = 0; k < 3; k++) {
        struct tensor t = tensor_new(s->a, types[k], shape_of(4, (int64_t[]){2, 1, 3, 2}));
        struct str text = {0};
        npy_format(&t, &text);
        put(s, "fuzz_npy", text.text, text.len);
        put(s, "fuzz_data", text.text, text.len);
        str_free(&text);
    }
    put(s, "fuzz_npy", by_hand, sizeof by_hand - 1);
}

static void
put_data(struct seeds *s)
{
    static const uint8_t idx[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4};
    static const uint8_t shorts[] = {0, 0, 0x0b, 1, 0, 0, 0, 2, 0, 1, 0, 2};
    uint8_t packed[256];
    z_stream z = {.next_in = (uint8_t *)(uintptr_t) "1\n2\n3\n",
                  .avail_in = 6,
                  .next_out = packed,
                  .avail_out = sizeof packed};
    put(s, "fuzz_data", idx, sizeof idx);
    put(s, "fuzz_data", shorts, sizeof shorts);
    put(s, "fuzz_data", "1\n2\n3\n", 6);
    put(s, "fuzz_data", arena_alloc(s->a, 3073), 3073);
    if (deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK &&
        deflate(&z, Z_FINISH) == Z_STREAM_END)
        put(s, "fuzz_data", packed, z.total_out);
    deflateEnd(&z);
}

int
main(int argc, char **argv)
{
    struct seeds s = {arena_new(), diag_new(), argc > 1 ? argv[1] : ".", 0};
    struct str text = {0};

    put_models(&s);
    put_arrays(&s);
    put_data(&s);
    diag_print(s.d, &text);
    fputs(str_text(&text), stderr);
    int status = diag_errors(s.d) ? 1 : 0;
    str_free(&text);
    diag_free(s.d);
    arena_free(s.a);
    return status;
}
