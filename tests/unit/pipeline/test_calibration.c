/* test_calibration.c - olac calibrate on an example: shards, files in place of images, and what
 * does not fit. */
#include "base/file.h"
#include "pipeline/internal.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define NETWORKS OLAC_SOURCE_DIR "/examples/networks/"

struct bench {
    struct arena *a;
    struct diag *d;
    struct compile_options o;
    struct compiled c;
};

static struct bench
bench_new(void)
{
    struct bench b = {.a = arena_new(), .d = diag_new()};

    b.o = (struct compile_options){.model = NETWORKS "cryptonets.onnx",
                                   .calib = NETWORKS "digits.npy",
                                   .calib_labels = NETWORKS "labels.npy",
                                   .calib_count = 90};
    return b;
}

static void
bench_free(struct bench *b)
{
    diag_free(b->d);
    arena_free(b->a);
}

static const char *
errors(struct bench *b)
{
    struct str s = {0};

    diag_print(b->d, &s);
    const char *text = arena_strdup(b->a, str_text(&s));
    str_free(&s);
    return text;
}

static const char *
save(struct bench *b, const struct calibration *c, const char *name)
{
    const char *path = arena_printf(b->a, "%s-%d.tmp", name, (int)getpid());
    struct str s = {0};

    calibration_format(c, &s);
    cr_assert(file_write(path, s.text, s.len, b->d));
    str_free(&s);
    return path;
}

static const char *
calibrated(struct bench *b, uint32_t shard, uint32_t shards, const char *name)
{
    b->o.shard = shard;
    b->o.shards = shards;
    b->c = (struct compiled){0};
    cr_assert(pipeline_calibration(b->a, &b->o, &b->c, b->d), "%s", errors(b));
    b->o.shards = 0;
    return save(b, b->c.calibration, name);
}

static void
same_files(struct bench *b, const char *p, const char *q)
{
    const uint8_t *x, *y;
    size_t n, m;

    cr_assert(file_read(b->a, p, false, 1 << 28, &x, &n, b->d));
    cr_assert(file_read(b->a, q, false, 1 << 28, &y, &m, b->d));
    cr_assert(n == m && memcmp(x, y, n) == 0, "%s and %s differ", p, q);
}

Test(calibration, shards_merge_to_the_whole)
{
    static const int orders[][3] = {{0, 1, 2}, {2, 0, 1}};
    struct bench b = bench_new();
    const char *whole = calibrated(&b, 0, 0, "whole"), *part[3];

    cr_assert_eq(b.c.calibration->images, 90);
    cr_assert_eq(b.c.calibration->weighed, b.c.calibration->n_sample);
    cr_assert(b.c.calibration->labels);
    for (uint32_t k = 0; k < 3; k++)
        part[k] = calibrated(&b, k + 1, 3, arena_printf(b.a, "part%u", k));
    for (int k = 0; k < 2; k++) {
        const char *files[3];
        for (int i = 0; i < 3; i++)
            files[i] = part[orders[k][i]];
        const struct calibration *c = pipeline_merge(b.a, files, 3, b.d);
        cr_assert(c, "%s", errors(&b));
        const char *merged = save(&b, c, "merged");
        same_files(&b, whole, merged);
        unlink(merged);
    }
    const char *twice[] = {part[0], part[1], part[0]};
    cr_assert_not(pipeline_merge(b.a, twice, 3, b.d));
    cr_assert_eq(diag_at(b.d, 0)->code, E_CALIB_MERGE);
    unlink(whole);
    for (int k = 0; k < 3; k++)
        unlink(part[k]);
    bench_free(&b);
}

Test(calibration, a_file_takes_the_place_of_images)
{
    struct bench b = bench_new();
    const char *file = calibrated(&b, 0, 0, "file");
    struct compile_options o = {.model = b.o.model, .calib = file, .max_drop = 0.05};
    struct compiled c = {0};

    cr_assert(calibration_is(file));
    cr_assert(pipeline_middle(b.a, &o, &c, b.d), "%s", errors(&b));
    cr_assert_eq(c.n_calib, b.c.calibration->n_sample);
    cr_assert_eq(c.chosen.judged, c.n_calib / 2);
    cr_assert(c.chosen.labels);
    cr_assert(c.approximation.agree > 0.9);
    cr_assert(c.graph->inputs.at[0].pixels.present == b.c.graph->inputs.at[0].pixels.present);
    o.max_drop = 0;
    o.calib_count = 20;
    c = (struct compiled){0};
    cr_assert(pipeline_middle(b.a, &o, &c, b.d), "%s", errors(&b));
    cr_assert_eq(c.n_calib, 20);
    unlink(file);
    bench_free(&b);
}

/* Polishing is spelled out where it was kept; too few images to judge by are said. */
Test(calibration, what_polishing_says)
{
    static const struct {
        uint32_t images;
        bool warned;
    } cases[] = {{4, true}, {60, false}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct bench b = bench_new();
        b.o.model = NETWORKS "lenet5.onnx";
        b.o.calib_labels = NULL;
        b.o.calib_count = cases[k].images;
        b.o.approximate.degree = 3;
        b.o.polish = 12;
        cr_assert(pipeline_middle(b.a, &b.o, &b.c, b.d), "%s", errors(&b));
        const char *text = pipeline_options_text(b.a, &b.o, &b.c);
        cr_expect_eq(b.c.polished.kept, !cases[k].warned, "%zu", k);
        cr_expect_eq(strstr(text, "polished in 12 steps") != NULL, !cases[k].warned, "%s", text);
        cr_expect_eq(strstr(errors(&b), "not polished") != NULL, cases[k].warned);
        bench_free(&b);
    }
}

/* Runs `what` on a network with a file, and gives the code of the first error. */
static enum code
fails(struct compile_options o)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct compiled c = {0};
    enum code code = pipeline_middle(a, &o, &c, d) ? 0 : diag_at(d, 0)->code;

    diag_free(d);
    arena_free(a);
    return code;
}

Test(calibration, files_and_options_that_do_not_fit)
{
    struct bench b = bench_new();
    const char *file = calibrated(&b, 0, 0, "misfit");
    struct compile_options o = {.model = b.o.model, .calib = file};
    double mean = 0.5;

    cr_assert_eq(fails(o), 0);
    o.model = NETWORKS "lenet5.onnx";
    cr_assert_eq(fails(o), E_CALIB_MODEL);
    o.model = b.o.model;
    o.mean = &mean;
    o.n_mean = 1;
    cr_assert_eq(fails(o), E_CALIB_OPTION);
    o.n_mean = 0;
    o.calib_labels = NETWORKS "labels.npy";
    cr_assert_eq(fails(o), E_CALIB_OPTION);
    o.calib_labels = NULL;
    o.calib_count = 91;
    cr_assert_eq(fails(o), E_DATA_COUNT);
    cr_assert_eq(truncate(file, 5000), 0);
    o.calib_count = 0;
    cr_assert_eq(fails(o), E_CALIB_FILE);
    unlink(file);
    bench_free(&b);
}

/* The first error of a calibration on data made here: n images of `size` floats. */
static enum code
refused(uint32_t n, int64_t size, int64_t bad, uint32_t n_labels, uint32_t label, const char **text,
        struct bench *b)
{
    struct tensor t = tensor_new(b->a, DT_F32, shape_of(2, (int64_t[]){n, size}));
    struct str s = {0}, l = {0};
    const char *path = arena_printf(b->a, "data-%d.tmp", (int)getpid());
    const char *labels = arena_printf(b->a, "labels-%d.tmp", (int)getpid());

    for (int64_t k = 0; k < n * size; k++)
        t.f[k] = (float)(k % 17) / 17;
    if (bad >= 0)
        t.f[bad] = NAN;
    npy_format(&t, &s);
    for (uint32_t k = 0; k < n_labels; k++)
        str_addf(&l, "%u\n", label);
    cr_assert(file_write(path, s.text, s.len, b->d) && file_write(labels, l.text, l.len, b->d));
    b->o.calib = path;
    b->o.calib_labels = labels;
    b->o.calib_count = 0;
    b->c = (struct compiled){0};
    bool ok = pipeline_calibration(b->a, &b->o, &b->c, b->d);
    cr_assert_eq(ok, diag_errors(b->d) == 0);
    unlink(path);
    unlink(labels);
    str_free(&s);
    str_free(&l);
    *text = diag_count(b->d) ? diag_at(b->d, 0)->text : "";
    return diag_count(b->d) ? diag_at(b->d, 0)->code : 0;
}

Test(calibration, data_that_do_not_fit)
{
    static const struct {
        uint32_t n;
        int64_t size, bad;
        uint32_t labels, label;
        enum code code;
        const char *text;
    } cases[] = {
        {200, 784, -1, 200, 3, 0, ""},
        {200, 784, 150 * 784 + 5, 200, 3, E_DATA_VALUE, "element 5 of image 150 is NaN"},
        {200, 783, -1, 200, 3, E_DATA_SHAPE, ""},
        {200, 784, -1, 199, 3, E_CHOOSE_LABELS, "199 labels, but there are more images"},
        {200, 784, -1, 201, 3, E_CHOOSE_LABELS, "201 labels, but there are only 200 images"},
        {200, 784, -1, 200, 10, E_CHOOSE_LABELS, "label 0 is 10"},
        {1, 784, -1, 1, 3, W_CALIB_NARROW, "on one image"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct bench b = bench_new();
        const char *text;
        enum code code = refused(cases[k].n, cases[k].size, cases[k].bad, cases[k].labels,
                                 cases[k].label, &text, &b);
        cr_assert_eq(code, cases[k].code, "case %zu: E%d %s", k, (int)code, text);
        cr_assert(strstr(text, cases[k].text), "case %zu: %s", k, text);
        bench_free(&b);
    }
}
