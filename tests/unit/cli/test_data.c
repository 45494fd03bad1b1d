/* test_data.c - labels that fit, and the network as it is encoded. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/data.h"
#include "op/interpret.h"

static void
temporary(char *path, const void *bytes, size_t size, struct diag *d)
{
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    cr_assert(file_write(path, bytes, size, d));
}

/* dense(x * 4 -> 3) with weights that no grid holds. */
static bool
compile(struct arena *a, double precision, struct compiled *c, struct diag *d)
{
    static const char text[] = "network third\ninput x : f32[4]\n"
                               "const f.weight : f32[3, 4] = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.9, "
                               "1.1, 1.3, 1.7, 1.9, 2.1]\n"
                               "const f.bias : f32[3] = [0.1, 0.2, 0.3]\n"
                               "output y = dense(x, \"f\")\n";
    char path[] = "/tmp/olac-test-XXXXXX";
    temporary(path, text, sizeof text - 1, d);
    struct compile_options o = {.model = path, .precision_bits = precision};
    bool ok = pipeline_compile(a, &o, c, d);
    unlink(path);
    return ok;
}

/* Root mean square of what rounding moves the weights by, and the same as the encoder does it,
 * sqrt(N / 12) over the scale of the plaintexts and relative to the largest weight. */
static double
moved(const struct graph *g, const struct graph *rounded, double *largest)
{
    double sum = 0;
    uint32_t n = 0;
    *largest = 0;
    for (uint32_t v = 0; v < g->values.len; v++) {
        const struct tensor *t = &g->values.at[v].data, *r = &rounded->values.at[v].data;
        if (g->values.at[v].kind != VALUE_CONST || !t->f || shape_size(&t->shape) != 12)
            continue;
        for (int k = 0; k < 12; k++, n++) {
            sum += pow((double)t->f[k] - (double)r->f[k], 2);
            *largest = fmax(*largest, fabs((double)t->f[k]));
        }
    }
    cr_assert_eq(n, 12u);
    return sqrt(sum / n);
}

Test(cli_data, encoded_weights_are_rounded_as_the_encoder_rounds)
{
    double least = INFINITY;
    for (double precision = 15; precision > 1; precision -= 6) {
        struct arena *a = arena_new();
        struct diag *d = diag_new();
        struct compiled c = {0};
        double largest;
        cr_assert(compile(a, precision, &c, d));
        struct graph *g = cli_encoded(a, &c);
        const struct he_map *m = &c.program->maps.at[0];
        double scale = m->out_scale * (double)c.program->params.q.at[m->level] / m->in_scale;
        double want = sqrt((double)c.program->params.slots * 2 / 12) / scale,
               rms = moved(c.graph, g, &largest);
        cr_expect(rms < 2.5 * want + 1e-7, "%g, encoder %g", rms, want);
        cr_expect(rms > want / 4 || want < 1e-7, "%g, encoder %g", rms, want);
        cr_expect(rms < 1e-3 * largest);
        least = fmin(least, want);
        diag_free(d);
        arena_free(a);
    }
    cr_expect(least < 1e-4);
}

Test(cli_data, labels_have_to_be_classes)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct compiled c = {0};
    cr_assert(compile(a, 0, &c, d));
    char images[] = "/tmp/olac-test-XXXXXX", good[] = "/tmp/olac-test-XXXXXX",
         bad[] = "/tmp/olac-test-XXXXXX";
    struct tensor t = tensor_new(a, DT_F32, shape_of(2, (int64_t[]){2, 4}));
    struct str s = {0};
    npy_format(&t, &s);
    temporary(images, s.text, s.len, d);
    str_free(&s);
    temporary(good, "2\n0\n", 4, d);
    temporary(bad, "2\n3\n", 4, d);

    struct options o = {.labels = good};
    struct cli_images in = {0};
    cr_assert(cli_read_images(a, &o, images, &c, &in, d));
    cr_expect(in.n == 2 && in.labels[0] == 2 && in.labels[1] == 0);
    o.labels = bad;
    cr_expect_not(cli_read_images(a, &o, images, &c, &in, d));
    cr_assert_eq(diag_errors(d), 1u);
    cr_expect_eq(diag_at(d, 0)->code, E_SIM_LABELS);
    o.labels = "/nowhere/labels"; /* both are missing: both are said */
    cr_expect_not(cli_read_images(a, &o, "/nowhere/images", &c, &in, d));
    cr_expect_eq(diag_errors(d), 3u);
    unlink(images);
    unlink(good);
    unlink(bad);
    diag_free(d);
    arena_free(a);
}

Test(cli_data, numbers_of_json)
{
    struct str s = {0};
    cli_number(&s, 0.25);
    str_add(&s, " ");
    cli_number(&s, NAN);
    str_add(&s, " ");
    cli_number(&s, -INFINITY);
    cr_expect_str_eq(str_text(&s), "0.25 null null");
    str_free(&s);
}
