/* calibration_seeds.c - seeds of fuzz_calibration, written into FOLDER/fuzz_calibration/: small
 * calibrations of each kind of image, with and without labels, pixels and impacts. */
#include "calibrate/calibrate.h"

#include "base/file.h"
#include "op/op.h"

#include <string.h>

static struct graph *
made(struct arena *a, struct diag *d)
{
    struct graph *g = graph_new(a, "fuzz", "fuzz");
    uint32_t x = graph_input(g, "x", DT_F32, shape_of(2, (int64_t[]){1, 3}));
    uint32_t relu = graph_node(g, "relu", OP_relu, &x, 1, NULL, 1, PLACE_NONE);

    g->opset = 13;
    vec_push(a, &g->outputs, g->nodes.at[relu].out.at[0]);
    return graph_infer(g, d) ? g : NULL;
}

static void
put(struct arena *a, const char *dir, enum dtype dtype, bool more, struct diag *d)
{
    static const float images[] = {0, 1, -2, 3, 0.5f, -1e-3f};
    static const int64_t whole[] = {0, 1, -2, 3, 5, -1}, labels[] = {1, 2};
    static const uint8_t bytes[] = {0, 1, 2, 3, 5, 1};
    static double mean = 0.5, std = 2;
    struct graph *g = made(a, d);
    struct calibration *c = g ? calibration_new(a, g, 4) : NULL;
    struct calibration_chunk chunk = {.n = 2, .labels = more ? labels : NULL, .images = images};
    struct str s = {0};

    if (!c)
        return;
    chunk.rows = dtype == DT_U8    ? (const void *)bytes
                 : dtype == DT_F32 ? (const void *)images
                                   : whole;
    c->dtype = dtype;
    c->shape = shape_of(1, (int64_t[]){3});
    if (more)
        c->pixels = (struct pixels){true, 255, 1, &mean, &std};
    if (!calibration_add(c, g, &chunk, d))
        return;
    c->weighed = more ? c->n_sample : 0;
    for (uint32_t k = 0; k < c->weighed; k++)
        c->sample[k].impact = ARENA_ARRAY(a, float, c->channels);
    calibration_format(c, &s);
    file_write(arena_printf(a, "%s/seed-%d-%d", dir, (int)dtype, more), s.text, s.len, d);
    str_free(&s);
}

int
main(int argc, char **argv)
{
    static const enum dtype kinds[] = {DT_U8, DT_F32, DT_I64};
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    const char *dir = file_join(a, argc > 1 ? argv[1] : ".", "fuzz_calibration");

    if (file_mkdirs(dir, d))
        for (int k = 0; k < 6; k++)
            put(a, dir, kinds[k / 2], k % 2, d);
    int status = diag_errors(d) ? 1 : 0;
    diag_free(d);
    arena_free(a);
    return status;
}
