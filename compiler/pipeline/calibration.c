/* calibration.c - calibration data on their way to the passes: images are counted for the
 * histograms; for olac calibrate in one pass over a file of any length, and what they say of the
 * impacts is added; a file of olac calibrate takes the place of the images. */
#include "pipeline/internal.h"

#include "base/file.h"
#include "choose/choose.h"
#include "decompose/decompose.h"
#include "op/op.h"

#include <math.h>
#include <string.h>

/* Images that are counted between two reports of progress. */
#define CHUNK 128u
/* The longest calibration file. */
#define FILE_MAX ((size_t)2 << 30)

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

/* The layer of that name and size; NULL: there is none. */
static const struct histogram_layer *
layer_named(const struct calibration *c, const struct histogram_layer *like)
{
    for (uint32_t k = 0; k < c->n; k++)
        if (c->layers[k].channels == like->channels && strcmp(c->layers[k].name, like->name) == 0)
            return &c->layers[k];
    return NULL;
}

/* A file's calibration for the graph as it is now: operators that were taken apart have activations
 * that the file does not know. Those keep what the sample says of them, as counted in c. */
static void
take_known(struct calibration *c, struct calibration *file)
{
    bool all = c->n == file->n;

    for (uint32_t k = 0; k < c->n; k++) {
        const struct histogram_layer *known = layer_named(file, &c->layers[k]);
        if (known)
            c->layers[k].channel = known->channel;
        all = all && known && known == &file->layers[k];
    }
    c->images = file->images;
    c->labels = file->labels;
    c->most = file->most;
    c->n_sample = file->n_sample;
    c->sample = file->sample;
    c->weighed = all ? file->weighed : 0; /* impacts are of all layers or of none */
}

/* Whether each activation of the graph is one that the file knows. */
static bool
all_known(const struct calibration *c, const struct calibration *file)
{
    bool all = true;

    for (uint32_t k = 0; k < c->n; k++)
        all = all && layer_named(file, &c->layers[k]);
    return all;
}

bool
pipeline_calibrate(struct arena *a, const struct compile_options *o, struct compiled *out,
                   struct diag *d)
{
    struct graph *g = out->graph;
    int64_t size = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    struct calibration *file = out->calibration;
    bool ok = true;

    struct calibration *c = calibration_new(a, g, 0);
    if (!c->n || !out->n_calib || c->channels > CALIBRATION_CHANNELS)
        return true;
    c->pixels = g->inputs.at[0].pixels;
    c->dtype = out->calib.dtype;
    c->shape = one_image(&out->calib);
    for (uint32_t at = file && all_known(c, file) ? out->n_calib : 0; ok && at < out->n_calib;
         at += CHUNK) {
        struct calibration_chunk chunk = {
            .n = out->n_calib - at < CHUNK ? out->n_calib - at : CHUNK,
            .rows = rows_of(&out->calib, at),
            .labels = out->calib.labels ? out->calib.labels + at : NULL,
            .images = out->calib_images + at * size};
        ok = calibration_add(c, g, &chunk, d);
        if (ok && o->progress)
            o->progress(o->user, "calibrating", at + chunk.n, out->n_calib);
    }
    if (file)
        take_known(c, file);
    if (ok)
        warn_narrow(c, o->calib, d);
    out->calibration = ok ? c : NULL;
    return ok;
}

/* ---- a calibration file in place of images ----------------------------------------- */

/* The first n images of the sample, as if they had been read from a file of images. */
static struct data
sample_data(struct arena *a, const struct calibration *c, uint32_t n)
{
    struct data data = {.file = "sample", .dtype = c->dtype, .shape = {.rank = 1}};
    size_t width = c->dtype == DT_U8 ? 1 : c->dtype == DT_F32 ? 4 : 8;
    size_t row = width * (size_t)shape_size(&c->shape);
    uint8_t *rows = arena_array(a, n + 1, row);
    int64_t *labels = c->labels ? ARENA_ARRAY(a, int64_t, n + 1) : NULL;

    for (int k = 0; k < c->shape.rank; k++)
        data.shape.dim[data.shape.rank++] = c->shape.dim[k];
    data.shape.dim[0] = n;
    for (uint32_t k = 0; k < n; k++) {
        memcpy(rows + k * row, c->sample[k].row, row);
        if (labels)
            labels[k] = c->sample[k].label;
    }
    data.labels = labels;
    data.u8 = c->dtype == DT_U8 ? rows : NULL;
    data.f32 = c->dtype == DT_F32 ? (const float *)(const void *)rows : NULL;
    data.i64 = c->dtype == DT_I64 ? (const int64_t *)(const void *)rows : NULL;
    return data;
}

static struct calibration *
read_file(struct arena *a, const char *path, struct diag *d)
{
    const uint8_t *bytes;
    size_t size;

    return file_read(a, path, false, FILE_MAX, &bytes, &size, d)
               ? calibration_parse(a, path, bytes, size, d)
               : NULL;
}

static bool
refuse_options(const struct compile_options *o, struct diag *d)
{
    if (o->n_mean || o->n_std)
        diag_error(d, E_CALIB_OPTION, PLACE_FILE(o->calib),
                   "a calibration file knows --mean and --std from when it was made");
    if (o->calib_labels)
        diag_error(d, E_CALIB_OPTION, PLACE_FILE(o->calib),
                   "a calibration file has its labels from when it was made");
    return !o->n_mean && !o->n_std && !o->calib_labels;
}

bool
pipeline_calibration_read(struct arena *a, const struct compile_options *o, struct compiled *out,
                          struct diag *d)
{
    struct calibration *c = read_file(a, o->calib, d);

    if (!c || !refuse_options(o, d) || !calibration_fits(c, out->graph, o->calib, d))
        return false;
    out->graph->inputs.at[0].pixels = out->imported->inputs.at[0].pixels = c->pixels;
    out->calib = sample_data(a, c, c->n_sample);
    out->calib.file = o->calib;
    out->calibration = c;
    return true;
}

struct calibration *
pipeline_merge(struct arena *a, const char *const *files, uint32_t n, struct diag *d)
{
    struct calibration *to = NULL;
    bool ok = true;

    for (uint32_t k = 0; k < n; k++) {
        struct calibration *c = read_file(a, files[k], d);
        for (uint32_t i = 0; c && i < k; i++)
            if (strcmp(files[i], files[k]) == 0) {
                diag_error(d, E_CALIB_MERGE, PLACE_FILE(files[k]), "is given twice");
                c = NULL;
            }
        ok = c && ok && (!to || calibration_merge(to, c, files[k], d));
        to = to ? to : c;
    }
    return ok ? to : NULL;
}

/* ---- one pass ------------------------------------------------------------------ */

struct pass {
    struct arena *a;
    const struct compile_options *o;
    struct compiled *out;
    struct diag *d;
    struct data_stream *stream;
    const int64_t *labels; /* of --calib-labels */
    uint32_t n_labels;
    uint64_t at, all; /* images read, wanted (0: unknown) */
};

/* The labels of a block of images, each the number of an output; NULL: there are none. False after
 * an error. */
static bool
labels_of(const struct pass *p, const struct data *data, const int64_t **labels)
{
    const struct graph *g = p->out->graph;
    int64_t n = data->shape.dim[0];
    int64_t classes = shape_size(&graph_value(g, g->outputs.at[0])->shape);

    *labels = p->labels ? p->labels + data->first : data->labels;
    if (p->labels && data->first + (uint64_t)n > p->n_labels) {
        diag_error(p->d, E_CHOOSE_LABELS, PLACE_FILE(p->o->calib_labels),
                   "%u label%s, but there are more images", p->n_labels,
                   p->n_labels == 1 ? "" : "s");
        return false;
    }
    for (int64_t k = 0; *labels && k < n; k++)
        if ((*labels)[k] < 0 || (*labels)[k] >= (classes > 1 ? classes : 2)) {
            diag_error(p->d, E_CHOOSE_LABELS,
                       PLACE_FILE(p->labels ? p->o->calib_labels : p->o->calib),
                       "label %llu is %lld; the network has %lld classes",
                       (unsigned long long)data->first + (unsigned long long)k,
                       (long long)(*labels)[k], (long long)(classes > 1 ? classes : 2));
            return false;
        }
    return true;
}

/* The images of a block that belong to the shard, moved to its front; how many. */
static uint32_t
keep_shard(const struct pass *p, uint64_t first, uint32_t n, size_t row, uint8_t *rows,
           int64_t *labels, float *images, int64_t size)
{
    uint32_t kept = 0, shards = p->o->shards ? p->o->shards : 1;

    for (uint32_t k = 0; k < n; k++) {
        if (shards > 1 && (first + k) % shards != p->o->shard - 1)
            continue;
        memmove(rows + kept * row, rows + k * row, row);
        memmove(images + kept * size, images + k * size, (size_t)size * sizeof *images);
        if (labels)
            labels[kept] = labels[k];
        kept++;
    }
    return kept;
}

/* Counts the images of a block that belong to the shard. */
static bool
count_images(const struct pass *p, const struct data *data)
{
    struct arena *a = arena_new();
    struct graph *g = p->out->graph;
    struct calibration *c = p->out->calibration;
    int64_t size = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    size_t row = (c->dtype == DT_U8    ? 1u
                  : c->dtype == DT_F32 ? 4u
                                       : 8u) *
                 (size_t)shape_size(&c->shape);
    const int64_t *labels;
    int64_t *own = NULL;
    float *images;
    uint32_t n;
    bool ok = data_images(a, data, g, &g->inputs.at[0], (uint32_t)data->shape.dim[0], &images, &n,
                          p->d) &&
              labels_of(p, data, &labels);

    if (ok) {
        uint8_t *rows = arena_array(a, n, row);
        memcpy(rows, rows_of(data, 0), n * row);
        if (labels) {
            own = ARENA_ARRAY(a, int64_t, n);
            memcpy(own, labels, n * sizeof *own);
        }
        struct calibration_chunk chunk = {.rows = rows, .labels = own, .images = images};
        chunk.n = keep_shard(p, data->first, n, row, rows, own, images, size);
        ok = calibration_add(c, g, &chunk, p->d);
    }
    arena_free(a);
    return ok;
}

/* What the first block tells of all: bytes or numbers, and the shape. */
static bool
begin(struct pass *p, const struct data *data)
{
    struct compiled *out = p->out;
    bool bytes = data->dtype == DT_U8;

    if (!pipeline_pixels(p->a, p->o, out->graph, bytes, p->d) ||
        !pipeline_pixels(p->a, p->o, out->imported, bytes, p->d))
        return false;
    out->calibration->pixels = out->graph->inputs.at[0].pixels;
    out->calibration->dtype = data->dtype;
    out->calibration->shape = one_image(data);
    return true;
}

static bool
stream(struct pass *p)
{
    bool ok = true, first = true;

    while (ok) {
        struct data data;
        uint64_t left = p->o->calib_count ? p->o->calib_count - p->at : CHUNK;
        ok = left == 0 || data_next(p->stream, left < CHUNK ? (uint32_t)left : CHUNK, &data, p->d);
        if (!ok || left == 0 || data.shape.dim[0] == 0)
            break;
        ok = (!first || begin(p, &data)) && count_images(p, &data);
        first = false;
        p->at += (uint64_t)data.shape.dim[0];
        if (ok && p->o->progress)
            p->o->progress(p->o->user, "calibrating", (uint32_t)p->at, (uint32_t)p->all);
    }
    if (ok && p->o->calib_count > p->at) {
        diag_error(p->d, E_DATA_COUNT, PLACE_FILE(p->o->calib),
                   "%u images wanted, the file holds %llu", p->o->calib_count,
                   (unsigned long long)p->at);
        ok = false;
    }
    if (ok && p->labels && !p->o->calib_count && p->n_labels > p->at) {
        diag_error(p->d, E_CHOOSE_LABELS, PLACE_FILE(p->o->calib_labels),
                   "%u labels, but there are only %llu images", p->n_labels,
                   (unsigned long long)p->at);
        ok = false;
    }
    if (ok && p->out->calibration->images == 0) {
        diag_error(p->d, E_DATA_COUNT, PLACE_FILE(p->o->calib), "no image is left to calibrate on");
        ok = false;
    }
    return ok;
}

/* The impacts that the first images of the sample have; none, and no error, where an operator has
 * no derivative: then no degrees can be chosen either, and compile says so. */
static bool
weigh(struct pass *p)
{
    struct calibration *c = p->out->calibration;
    struct graph *g = p->out->graph;
    uint32_t n = c->n_sample < CALIBRATION_WEIGHED ? c->n_sample : CALIBRATION_WEIGHED, got;
    struct choice choice = {.n = c->n};
    struct arena *a = arena_new();
    struct diag *own = diag_new();
    float *each = ARENA_ARRAY(c->arena, float, n * c->channels + 1), *images;
    const struct data data = sample_data(a, c, n);

    choice.layers = ARENA_ARRAY(a, struct choice_layer, c->n + 1);
    for (uint32_t k = 0; k < c->n; k++) {
        choice.layers[k].node = c->layers[k].node;
        choice.layers[k].channels = c->layers[k].channels;
    }
    if (p->o->progress)
        p->o->progress(p->o->user, "derivatives of the loss", 0, 1);
    bool ok = n == 0 || (data_images(a, &data, g, &g->inputs.at[0], n, &images, &got, own) &&
                         choose_each(g, images, n, data.labels, &choice, each, own));
    c->weighed = ok ? n : 0;
    for (uint32_t k = 0; k < c->weighed; k++)
        c->sample[k].impact = each + k * c->channels;
    arena_free(a);
    for (uint32_t k = 0; !ok && k < diag_count(own); k++) {
        const struct message *m = diag_at(own, k);
        if (m->code == E_CHOOSE_FORM || m->code == E_MATRIX_SIZE)
            ok = true;
        else
            diag_error(p->d, m->code, m->place, "%s", m->text);
    }
    diag_free(own);
    return ok;
}

/* Nothing that needs no data stops a compile: else the pass would be in vain. Operators are taken
 * apart in a copy only, as how that is done depends on the images. */
static bool
compiles(const struct compiled *out, const struct compile_options *o, struct diag *d)
{
    struct arena *a = arena_new();
    struct graph *g = graph_copy(a, out->graph);
    bool ok = decompose(g, NULL, 0, d) && approximate_check(g, &o->approximate, d);

    arena_free(a);
    return ok;
}

bool
pipeline_calibration(struct arena *a, const struct compile_options *o, struct compiled *out,
                     struct diag *d)
{
    struct pass p = {.a = a, .o = o, .out = out, .d = d};

    if (!pipeline_front(a, o, out, d) || !compiles(out, o, d))
        return false;
    struct calibration *c = out->calibration =
        calibration_new(a, out->graph, o->sample ? o->sample : CALIBRATION_SAMPLE);
    if (c->channels > CALIBRATION_CHANNELS) {
        diag_error(d, E_TOO_LARGE, PLACE_FILE(o->model), "the activations have %llu channels",
                   (unsigned long long)c->channels);
        return false;
    }
    if (o->calib_labels && !data_labels(a, o->calib_labels, &p.labels, &p.n_labels, d))
        return false;
    p.stream = data_open(a, o->calib, d);
    bool ok = p.stream != NULL;
    if (ok)
        p.all = o->calib_count ? o->calib_count : data_total(p.stream);
    ok = ok && stream(&p);
    data_close(p.stream);
    if (!ok || !weigh(&p))
        return false;
    warn_narrow(c, o->calib, d);
    return true;
}
