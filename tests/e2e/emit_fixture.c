/* emit_fixture.c - writes a hand-made network's generated folder, images and reference answers:
 * emit_fixture NAME DIR, NAME one of dense, wide, sums. */
#include "../unit/emit/programs.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES 3

static void
write_npy(struct arena *a, const char *path, const char *type, const void *data, size_t row,
          size_t each, struct diag *d)
{
    char header[128];
    struct str text = {0};
    int n = snprintf(header, sizeof header,
                     "{'descr': '%s', 'fortran_order': False, 'shape': (%d, %zu), }", type, IMAGES,
                     row);
    str_addn(&text, "\x93NUMPY\x01\x00\x76\x00", 10);
    str_addf(&text, "%s%*s\n", header, 117 - n, "");
    str_addn(&text, data, row * each * IMAGES);
    (void)a;
    file_write(path, text.text, text.len, d);
    str_free(&text);
}

/* For pixels: bytes, and floats that stand for the same numbers. */
static void
write_pixels(struct arena *a, const char *dir, const struct test_program *t, float *in,
             struct diag *d)
{
    uint8_t *bytes = arena_alloc(a, (size_t)IMAGES * t->in_size);
    const struct pixels *px = &t->p->inputs.at[0].pixels;
    for (uint32_t i = 0; i < IMAGES * t->in_size; i++) {
        bytes[i] = (uint8_t)(96 + i * 37 % 64);
        in[i] = (float)((bytes[i] / px->divisor - px->mean[0]) / px->std[0]);
    }
    write_npy(a, file_join(a, dir, "pixels.npy"), "|u1", bytes, t->in_size, 1, d);
    write_npy(a, file_join(a, dir, "same.npy"), "<f4", in, t->in_size, 4, d);
}

int
main(int argc, char **argv)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct emitted out;
    float *in, *answers;
    if (argc != 3)
        return 2;
    struct test_program t = strcmp(argv[1], "dense") == 0  ? program_dense(a)
                            : strcmp(argv[1], "wide") == 0 ? program_wide(a)
                                                           : program_sums(a);
    test_images(a, &t, IMAGES, &in, &answers);
    struct emit_options o = {.options = "--none", .reference_in = in, .reference_out = answers};
    o.n_reference = IMAGES;
    o.tolerance = 1e-3;
    bool ok =
        he_check(t.p, HE_SCHEDULED, d) && emit(a, t.p, &o, &out, d) && emit_write(&out, argv[2], d);
    if (ok) {
        write_npy(a, file_join(a, argv[2], "images.npy"), "<f4", in, t.in_size, 4, d);
        write_npy(a, file_join(a, argv[2], "answers.npy"), "<f4", answers, t.out_size, 4, d);
        if (t.p->inputs.at[0].pixels.present)
            write_pixels(a, argv[2], &t, in, d);
    }
    struct str text = {0};
    diag_print(d, &text);
    fputs(str_text(&text), stderr);
    str_free(&text);
    ok = ok && !diag_errors(d);
    diag_free(d);
    arena_free(a);
    return ok ? 0 : 1;
}
