/* calibration.c - calibration data on their way to the passes: counted for the histograms. */
#include "pipeline/internal.h"

#include "op/op.h"

#include <math.h>
#include <string.h>

/* Images that are counted between two reports of progress. */
#define CHUNK 128u

/* One image of a data file. */
static struct shape
one_image(const struct data *data)
{
    struct shape s = {0};

    for (int k = 1; k < data->shape.rank; k++)
        s.dim[s.rank++] = data->shape.dim[k];
    return s;
}

static const void *
rows_of(const struct data *data, uint32_t first)
{
    struct shape s = one_image(data);
    int64_t at = first * shape_size(&s);

    return data->u8    ? (const void *)(data->u8 + at)
           : data->f32 ? (const void *)(data->f32 + at)
                       : (const void *)(data->i64 + at);
}

/* Channels that hardly vary, and too few images: polynomials there are guesses. */
static void
warn_narrow(const struct calibration *c, const char *file, struct diag *d)
{
    uint64_t narrow = 0;
    struct place at = PLACE_FILE(file);

    if (c->n && c->images == 1)
        diag_warning(d, W_CALIB_NARROW, at,
                     "calibrated on one image: the ranges of all activations are a guess");
    if (c->images == 1)
        return;
    for (uint32_t k = 0; k < c->n; k++)
        for (uint32_t i = 0; i < c->layers[k].channels; i++) {
            const struct histogram *h = &c->layers[k].channel[i];
            double most = fmax(fabs((double)h->lo), fabs((double)h->hi));
            if ((double)h->hi - (double)h->lo > 1e-6 * most)
                continue;
            if (narrow++ == 0)
                at.node = c->layers[k].name;
        }
    if (narrow)
        diag_warning(d, W_CALIB_NARROW, at,
                     "all calibration images feed %llu channel%s of activations one value each, "
                     "here the first",
                     (unsigned long long)narrow, narrow == 1 ? "" : "s");
}

bool
pipeline_calibrate(struct arena *a, const struct compile_options *o, struct compiled *out,
                   struct diag *d)
{
    struct graph *g = out->graph;
    struct calibration *c = calibration_new(a, g, 0);
    int64_t size = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    bool ok = true;

    if (!c->n || !out->n_calib)
        return true;
    c->pixels = g->inputs.at[0].pixels;
    c->dtype = out->calib.dtype;
    c->shape = one_image(&out->calib);
    for (uint32_t at = 0; ok && at < out->n_calib; at += CHUNK) {
        struct calibration_chunk chunk = {
            .n = out->n_calib - at < CHUNK ? out->n_calib - at : CHUNK,
            .rows = rows_of(&out->calib, at),
            .labels = out->calib.labels ? out->calib.labels + at : NULL,
            .images = out->calib_images + at * size};
        ok = calibration_add(c, g, &chunk, d);
        if (ok && o->progress)
            o->progress(o->user, "calibrating", at + chunk.n, out->n_calib);
    }
    warn_narrow(c, o->calib, d);
    out->calibration = ok ? c : NULL;
    return ok;
}
