/* calibrate.c - the pass over the images. The float network computes a block of images at a time;
 * what it fed the activations is kept until the block is done and then counted, channels in
 * parallel, so that no two threads count into one histogram. */
#include "calibrate/calibrate.h"
#include "calibrate/sample.h"

#include "op/interpret.h"

#include <string.h>

/* Inputs of activations that are kept at a time. */
#define BLOCK_BYTES (64.0 * (1 << 20))

struct calibration *
calibration_new(struct arena *a, const struct graph *g, uint32_t most)
{
    struct calibration *c = ARENA_NEW(a, struct calibration);

    *c = (struct calibration){.arena = a, .most = most};
    memcpy(c->model, g->hash, sizeof c->model);
    c->layers = ARENA_ARRAY(a, struct histogram_layer, g->nodes.len + 1);
    for (uint32_t k = 0; k < g->nodes.len; k++) {
        const struct node *n = &g->nodes.at[k];
        struct histogram_layer *l = &c->layers[c->n];
        int axis;
        if (op_row(n->op)->class != NONLIN)
            continue;
        *l = (struct histogram_layer){.name = n->name, .node = k};
        l->channels = graph_channels(&graph_value(g, n->in.at[0])->shape, &axis);
        l->channel = ARENA_ARRAY(a, struct histogram, l->channels);
        c->channels += l->channels;
        c->n++;
    }
    c->sample = ARENA_ARRAY(a, struct calibration_image, (size_t)most + 1);
    return c;
}

/* ---- a block of images ------------------------------------------------------------------ */

/* The inputs of all activations of a block: of image k from row k, of layer i from first[i]. */
struct block {
    const struct graph *g;
    const struct calibration *c;
    uint32_t n;
    float *fed;
    int64_t row, *first, *size;
    uint32_t *watch;
};

static void
see(void *user, uint32_t image, uint32_t watched, const float *data)
{
    const struct block *b = user;

    memcpy(b->fed + image * b->row + b->first[watched], data,
           (size_t)b->size[watched] * sizeof *data);
}

static struct block
block_new(struct arena *a, const struct calibration *c, const struct graph *g)
{
    struct block b = {.g = g, .c = c};

    b.first = ARENA_ARRAY(a, int64_t, c->n + 1);
    b.size = ARENA_ARRAY(a, int64_t, c->n + 1);
    b.watch = ARENA_ARRAY(a, uint32_t, c->n + 1);
    for (uint32_t k = 0; k < c->n; k++) {
        b.watch[k] = g->nodes.at[c->layers[k].node].in.at[0];
        b.first[k] = b.row;
        b.size[k] = shape_size(&graph_value(g, b.watch[k])->shape);
        b.row += b.size[k];
    }
    return b;
}

/* Counts what channel `channel` of a layer was fed. */
static bool
count_channel(const struct block *b, uint32_t layer, uint32_t channel)
{
    const struct shape *s = &graph_value(b->g, b->watch[layer])->shape;
    struct histogram_layer *l = &b->c->layers[layer];
    int64_t inner = 1;
    bool ok = true;
    int axis;

    graph_channels(s, &axis);
    for (int k = axis + 1; k < s->rank; k++)
        inner *= s->dim[k];
    for (uint32_t image = 0; ok && image < b->n; image++) {
        const float *x = b->fed + image * b->row + b->first[layer];
        for (int64_t e = channel * inner; ok && e < b->size[layer]; e += inner * l->channels)
            ok = histogram_add(b->c->arena, &l->channel[channel], x + e, (size_t)inner);
    }
    return ok;
}

static bool
not_finite(const struct block *b, uint32_t layer, uint32_t channel, struct diag *d)
{
    const struct node *n = &b->g->nodes.at[b->c->layers[layer].node];
    struct place at = n->place;

    at.node = n->name;
    at.file = at.file ? at.file : b->g->file;
    diag_error(d, E_APPROX_VALUES, at, "%s: channel %u is fed values that are not finite",
               op_row(n->op)->onnx, channel);
    return false;
}

/* All channels of all layers, each by one thread. */
static bool
count_block(const struct block *b, struct diag *d)
{
    const struct calibration *c = b->c;
    uint64_t failed = UINT64_MAX; /* layer and channel that are not finite, the first ones */

#pragma omp parallel
    for (uint32_t layer = 0; layer < c->n; layer++) {
#pragma omp for schedule(dynamic) nowait
        for (uint32_t k = 0; k < c->layers[layer].channels; k++)
            if (!count_channel(b, layer, k)) {
                uint64_t at = (uint64_t)layer << 32 | k;
#pragma omp critical(olac_calibrate)
                failed = at < failed ? at : failed;
            }
    }
    return failed == UINT64_MAX || not_finite(b, (uint32_t)(failed >> 32), (uint32_t)failed, d);
}

bool
calibration_add(struct calibration *c, struct graph *g, const struct calibration_chunk *chunk,
                struct diag *d)
{
    struct arena *a = arena_new();
    struct block b = block_new(a, c, g);
    int64_t in = shape_size(&graph_value(g, g->inputs.at[0].value)->shape);
    int64_t out = shape_size(&graph_value(g, g->outputs.at[0])->shape);
    double fit = BLOCK_BYTES / (sizeof(float) * (double)(b.row + out + 1));
    uint32_t most = fit < 1 ? 1 : fit < chunk->n ? (uint32_t)fit : chunk->n;
    struct interpret_options o = {.watch = b.watch, .n_watch = c->n, .see = see, .user = &b};
    float *answers = ARENA_ARRAY(a, float, (size_t)(most * out) + 1);
    bool ok = true;

    b.fed = ARENA_ARRAY(a, float, (size_t)(most * b.row) + 1);
    for (uint32_t at = 0; ok && c->n && at < chunk->n; at += most) {
        b.n = chunk->n - at < most ? chunk->n - at : most;
        ok = interpret_many(g, &o, chunk->images + at * in, b.n, answers, d) && count_block(&b, d);
    }
    for (uint32_t k = 0; ok && c->most && k < chunk->n; k++) {
        const uint8_t *row = (const uint8_t *)chunk->rows + k * sample_row_bytes(c);
        struct calibration_image image = {.label = chunk->labels ? chunk->labels[k] : -1,
                                          .row = (void *)(uintptr_t)row};
        sample_key(c, row, image.label, image.key);
        sample_offer(c, &image);
    }
    c->images += chunk->n;
    c->labels = chunk->labels != NULL;
    arena_free(a);
    return ok;
}
